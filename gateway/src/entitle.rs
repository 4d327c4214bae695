//! Who may ask for whom: the step between a proven card, or written numbers, and the memory.
//!
//! An [`Entitled`] is the only way to a person's record, and only this file makes one.

use cache::Key;
use eligibility::code::IdentityCheck;
use eligibility::day::{Day, Timestamp};
use eligibility::decision::{Asked, By};
use eligibility::number::{InstitutionCode, Serial};
use eligibility::query::{Circumstances, NumberQuery};
use eligibility::wire::Wrong;
use pki::Verified;

use crate::config::InsurerList;
use crate::peer::{Peer, Role};
use crate::refusal::Refusal;

/// First day that may be asked about.
const FIRST_DAY: Day = Day::from_number(10_957); // 2000-01-01

/// How many days ahead may be asked about.
const DAYS_AHEAD: i32 = 92;

/// A question that this caller may ask.
pub struct Entitled<'q> {
    key: Key<'q>,
    asked: Asked<'q>,
    institution: Option<InstitutionCode>,
    identity_check: Option<IdentityCheck>,
}

impl<'q> Entitled<'q> {
    /// A question by a verified card.
    ///
    /// # Errors
    /// When the caller asks for nobody, for another institution, or about an impossible day.
    pub fn by_card(
        verified: &Verified,
        identity_check: IdentityCheck,
        circumstances: &Circumstances,
        peer: &Peer,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let serial = Serial::from_be_bytes(verified.serial().as_bytes()).ok_or(Refusal::Internal)?;
        let asked = asked(By::Card, circumstances, peer, now)?;
        let institution = institution(circumstances.institution, peer)?;
        Ok(Self { key: Key::Card(serial), asked, institution, identity_check: Some(identity_check) })
    }

    /// A question by the numbers of an insured card.
    ///
    /// # Errors
    /// As for a card; also when the insurer is in no list, or `known_at` is not the caller's to use.
    pub fn by_number(
        query: &'q NumberQuery,
        insurers: &InsurerList,
        peer: &Peer,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let asked = asked(By::Number(query), &query.circumstances, peer, now)?;
        let institution = institution(query.circumstances.institution, peer)?;
        if !insurers.has(query.key.insurer()) {
            return Err(Refusal::field("insurer_number", Wrong::NotInBook));
        }
        query.known_at.map_or(Ok(()), |at| looking_back(at, peer, now))?;
        Ok(Self { key: Key::Number(query), asked, institution, identity_check: None })
    }

    /// What to look up.
    #[must_use]
    pub const fn key(&self) -> &Key<'q> {
        &self.key
    }

    /// What to decide.
    #[must_use]
    pub const fn asked(&self) -> &Asked<'q> {
        &self.asked
    }

    /// For which institution; `None` for a reviewer.
    #[must_use]
    pub const fn institution(&self) -> Option<InstitutionCode> {
        self.institution
    }

    /// How the visitor's identity was checked, with a card.
    #[must_use]
    pub const fn identity_check(&self) -> Option<IdentityCheck> {
        self.identity_check
    }
}

/// Whether this caller may ask what was known at an instant.
pub(crate) fn looking_back(at: Timestamp, peer: &Peer, now: Timestamp) -> Result<(), Refusal> {
    if !peer.has(Role::Review) {
        Err(Refusal::Forbidden)
    } else if at > now {
        Err(Refusal::field("known_at", Wrong::Range))
    } else {
        Ok(())
    }
}

fn asked<'q>(
    by: By<'q>,
    circumstances: &Circumstances,
    peer: &Peer,
    now: Timestamp,
) -> Result<Asked<'q>, Refusal> {
    let today = now.day_in_japan();
    let date = circumstances.date.unwrap_or(today);
    if date < FIRST_DAY || date > today.plus(DAYS_AHEAD) {
        return Err(Refusal::field("date", Wrong::Range));
    }
    Ok(Asked { by, date, today, consent: circumstances.consent, sees_newer: peer.has(Role::Review) })
}

/// The institution that a caller asks for, the first of its own when it names none.
pub(crate) fn institution(
    asked: Option<InstitutionCode>,
    peer: &Peer,
) -> Result<Option<InstitutionCode>, Refusal> {
    let own = peer.institutions();
    match asked {
        Some(code) if own.contains(&code) => Ok(Some(code)),
        Some(_) => Err(Refusal::InstitutionMismatch),
        None => Ok(own.first().copied()),
    }
}
