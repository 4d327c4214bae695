//! Name constraints (RFC 5280, 4.2.1.10): read from an authority's certificate, and applied to the
//! names of the certificates below it.

use super::budget::Budget;
use super::dn;
use super::error::PathReason;
use super::names::{Base, Form, GeneralName, Incomparable, Side, Subject};
use crate::der::{self, Malformed, Reader};

/// The constraints of one authority.
pub(super) struct Constraints<'a> {
    permitted: Vec<Base<'a>>,
    excluded: Vec<Base<'a>>,
    /// A subtree of a form for which no constraint is kept.
    foreign: bool,
}

impl<'a> Constraints<'a> {
    pub(super) fn read(value: &'a [u8]) -> Result<Constraints<'a>, Malformed> {
        let mut reader = der::only(value, der::SEQUENCE)?.reader();
        let permitted = reader.optional(der::explicit(0))?;
        let excluded = reader.optional(der::explicit(1))?;
        reader.end()?;
        if permitted.is_none() && excluded.is_none() {
            return Err(Malformed);
        }
        let mut foreign = false;
        let mut side = |element: Option<der::Element<'a>>| match element {
            Some(element) => subtrees(element.reader(), &mut foreign),
            None => Ok(Vec::new()),
        };
        let (permitted, excluded) = (side(permitted)?, side(excluded)?);
        Ok(Constraints { permitted, excluded, foreign })
    }

    /// Whether there is a subtree that cannot be applied.
    pub(super) fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// Judges the names of one certificate.
    pub(super) fn check(&self, names: &[Subject<'_>], budget: &mut Budget) -> Result<(), PathReason> {
        names.iter().try_for_each(|name| self.check_one(name, budget))
    }

    fn check_one(&self, name: &Subject<'_>, budget: &mut Budget) -> Result<(), PathReason> {
        let form = match name {
            Subject::Plain(name) => name.form(),
            Subject::Directory(_) => Some(Form::Directory),
        };
        let same_form = |base: &&Base<'a>| Some(base.form()) == form;
        let incomparable = |Incomparable| PathReason::NameForm;
        budget.compare(self.excluded.len() + self.permitted.len())?;
        for base in self.excluded.iter().filter(same_form) {
            if base.holds(name, Side::Excluded).map_err(incomparable)? {
                return Err(PathReason::NameExcluded);
            }
        }
        let mut permitted = self.permitted.iter().filter(same_form).peekable();
        if permitted.peek().is_none() {
            return Ok(());
        }
        for base in permitted {
            if base.holds(name, Side::Permitted).map_err(incomparable)? {
                return Ok(());
            }
        }
        Err(PathReason::NameNotPermitted)
    }
}

/// `GeneralSubtrees`. Minimum and maximum have no use (RFC 5280) and are malformed here.
fn subtrees<'a>(mut reader: Reader<'a>, foreign: &mut bool) -> Result<Vec<Base<'a>>, Malformed> {
    let mut bases = Vec::new();
    while !reader.is_empty() {
        let mut subtree = reader.enter(der::SEQUENCE)?;
        let name = GeneralName::read(&subtree.any()?)?;
        subtree.end()?;
        match Base::of(&name)? {
            Some(base) => bases.push(base),
            None => *foreign = true,
        }
    }
    if bases.is_empty() && !*foreign { Err(Malformed) } else { Ok(bases) }
}

/// Everything in a certificate that constraints apply to: the subject if it has one, the mailboxes
/// in it, and the alternative names.
pub(super) fn names_of<'a>(
    subject: &'a [u8],
    alternatives: &[GeneralName<'a>],
) -> Result<Vec<Subject<'a>>, PathReason> {
    let unreadable = |Malformed| PathReason::NameForm;
    let mut names = Vec::with_capacity(alternatives.len() + 1);
    if subject != [0x30, 0x00] {
        names.push(Subject::Directory(dn::Name::read(subject).map_err(unreadable)?));
    }
    for octets in dn::mailboxes(subject).map_err(unreadable)? {
        let mailbox = std::str::from_utf8(octets).map_err(|_| PathReason::NameForm)?;
        names.push(Subject::Plain(GeneralName::Mailbox(mailbox)));
    }
    for name in alternatives {
        names.push(match name {
            GeneralName::Directory(der) => Subject::Directory(dn::Name::read(der).map_err(unreadable)?),
            other => Subject::Plain(*other),
        });
    }
    Ok(names)
}
