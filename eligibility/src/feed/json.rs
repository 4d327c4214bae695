//! The JSON of feed records, both directions, and the second look at broken ones.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::deletion_json::DeletionLine;
use super::list_json::ListLine;
use super::member_json::{MemberLine, SubsidyLine, SubsidyWire};
use super::{Kind, Record, Refused, Said, Source, Subject};
use crate::code::Restriction;
use crate::coverage::Restrictions;
use crate::day::Timestamp;
use crate::number::{LinkNumber, Serial};
use crate::wire::{self, Fault, Text, Wrong};

/// Declares the line of one kind: what every record carries, and its own fields.
macro_rules! line {
    ($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident : $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(serde::Serialize, serde::Deserialize, Default)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name<'a> {
            #[serde(borrow)]
            pub(super) source: $crate::wire::Text<'a>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(super) epoch: Option<u32>,
            pub(super) sequence: u64,
            #[serde(borrow)]
            pub(super) kind: $crate::wire::Text<'a>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(super) recorded_at: Option<$crate::day::Timestamp>,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            pub(super) resolves: Vec<u64>,
            $($(#[$attr])* pub(super) $field: $type),*
        }

        impl<'a> $name<'a> {
            /// What every record carries.
            pub(super) fn head(&self) -> $crate::feed::json::Head<'_> {
                $crate::feed::json::Head {
                    source: &self.source,
                    kind: &self.kind,
                    epoch: self.epoch,
                    sequence: self.sequence,
                    recorded_at: self.recorded_at,
                    resolves: &self.resolves,
                }
            }
        }
    };
}
pub(super) use line;

/// What every record carries, as read.
pub(super) struct Head<'a> {
    pub(super) source: &'a str,
    pub(super) kind: &'a str,
    pub(super) epoch: Option<u32>,
    pub(super) sequence: u64,
    pub(super) recorded_at: Option<Timestamp>,
    pub(super) resolves: &'a [u64],
}

line! {
    /// `link`
    LinkLine {
        #[serde(borrow)]
        serial: Text<'a>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        link_number: Option<Text<'a>>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        deleted: bool,
    }
}

line! {
    /// `renewal`
    RenewalLine {
        #[serde(borrow)]
        serial: Text<'a>,
        #[serde(borrow)]
        previous_serial: Text<'a>,
    }
}

line! {
    /// `mark`
    MarkLine {
        complete_to: Timestamp,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        records: Option<u64>,
    }
}

line! {
    /// `dismissal`
    DismissalLine {
        #[serde(borrow)]
        of: Text<'a>,
        #[serde(borrow)]
        name: Text<'a>,
    }
}

line! {
    /// `release`
    ReleaseLine {
        #[serde(borrow)]
        of: Text<'a>,
        // Hexadecimal, where twelve digits in a row mean nothing.
        #[serde(borrow, deserialize_with = "crate::wire::opaque")]
        delivery: Text<'a>,
        release: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        received_at: Option<Timestamp>,
    }
}

impl Head<'_> {
    fn record(&self, said: Said) -> Result<Record, Fault> {
        if Kind::from_word(self.kind) != Some(said.kind()) {
            return Err(Fault::field("kind", Wrong::NotInBook));
        }
        let source =
            Source::from_ledger(self.source).ok_or_else(|| Fault::field("source", Wrong::NotInBook))?;
        if !source.owns(said.kind()) {
            return Err(Fault::field("kind", Wrong::NotInBook));
        }
        let epoch = self.epoch.unwrap_or(1);
        if epoch == 0 {
            return Err(Fault::field("epoch", Wrong::Range));
        }
        // SQLite and half the world's JSON readers count to 2^63.
        if self.sequence == 0 || self.sequence > i64::MAX as u64 {
            return Err(Fault::field("sequence", Wrong::Range));
        }
        Ok(Record {
            source,
            epoch,
            sequence: self.sequence,
            recorded_at: self.recorded_at,
            resolves: self.resolves.to_vec(),
            said,
        })
    }
}

#[derive(Deserialize)]
struct KindOnly<'a> {
    #[serde(borrow)]
    kind: Text<'a>,
}

pub(super) fn read(line: &[u8]) -> Result<Record, Fault> {
    if let Some(record) = glance(line).and_then(|kind| read_as(kind, line).ok()) {
        return Ok(record);
    }
    let KindOnly { kind } = wire::read(line)?;
    read_as(Kind::from_word(&kind).ok_or_else(|| Fault::field("kind", Wrong::NotInBook))?, line)
}

/// The kind that the line most likely says it has: to read it once and not twice. Whoever is read as
/// what it is not is refused, and then looked at properly.
fn glance(line: &[u8]) -> Option<Kind> {
    const NAME: &[u8] = br#""kind":""#;
    let from = memchr::memmem::find(line, NAME)? + NAME.len();
    let word = line.get(from..)?.split(|octet| *octet == b'"').next()?;
    Kind::from_word(std::str::from_utf8(word).ok()?)
}

fn read_as(kind: Kind, line: &[u8]) -> Result<Record, Fault> {
    match kind {
        Kind::Member => {
            let line: MemberLine<'_> = wire::read(line)?;
            line.head().record(line.said()?)
        }
        Kind::Subsidy => {
            let line: SubsidyLine<'_> = wire::read(line)?;
            line.head().record(line.said()?)
        }
        Kind::Link => {
            let line: LinkLine<'_> = wire::read(line)?;
            line.head().record(line.said()?)
        }
        Kind::Renewal => {
            let line: RenewalLine<'_> = wire::read(line)?;
            let serial = serial("serial", &line.serial)?;
            let previous_serial = self::serial("previous_serial", &line.previous_serial)?;
            line.head().record(Said::Renewal { serial, previous_serial })
        }
        Kind::Mark => {
            let line: MarkLine<'_> = wire::read(line)?;
            line.head().record(Said::Mark { complete_to: line.complete_to, records: line.records })
        }
        Kind::List => {
            let line: ListLine<'_> = wire::read(line)?;
            line.head().record(line.said()?)
        }
        Kind::Deletion => {
            let line: DeletionLine<'_> = wire::read(line)?;
            line.head().record(line.said()?)
        }
        Kind::Release => {
            let line: ReleaseLine<'_> = wire::read(line)?;
            let of = Source::parse(&line.of).ok_or_else(|| Fault::field("of", Wrong::NotInBook))?;
            let delivery = Box::from(&*line.delivery);
            let (release, received_at) = (line.release, line.received_at);
            line.head().record(Said::Release { of, delivery, release, received_at })
        }
        Kind::Dismissal => {
            let line: DismissalLine<'_> = wire::read(line)?;
            let of = Source::parse(&line.of).ok_or_else(|| Fault::field("of", Wrong::NotInBook))?;
            line.head().record(Said::Dismissal { of, name: Box::from(&*line.name) })
        }
    }
}

impl LinkLine<'_> {
    fn said(&self) -> Result<Said, Fault> {
        let link_number = match (&self.link_number, self.deleted) {
            (_, true) => None,
            (Some(text), false) => Some(link_number(text)?),
            (None, false) => return Err(Fault::field("link_number", Wrong::Missing)),
        };
        Ok(Said::Link { serial: serial("serial", &self.serial)?, link_number })
    }
}

pub(super) fn link_number(text: &str) -> Result<LinkNumber, Fault> {
    LinkNumber::parse(text).map_err(|error| Fault::field("link_number", error.into()))
}

fn serial(field: &str, text: &str) -> Result<Serial, Fault> {
    Serial::parse(text).map_err(|error| Fault::field(field, error.into()))
}

pub(super) fn write(record: &Record) -> Vec<u8> {
    let source = Text::from(record.source.to_string());
    let epoch = (record.epoch != 1).then_some(record.epoch);
    let kind = Text::from(record.said.kind().word());
    let Record { sequence, recorded_at, ref resolves, .. } = *record;
    let resolves = resolves.clone();
    macro_rules! write {
        ($line:ident { $($field:ident : $value:expr),* $(,)? } $($rest:tt)*) => {
            wire::write(&$line { source, epoch, sequence, kind, recorded_at, resolves, $($field: $value,)* $($rest)* })
        };
    }
    match &record.said {
        Said::Member { link_number, member } => write!(
            MemberLine { link_number: link_number.reveal().into(), deleted: member.is_none() }
                ..member.as_deref().map(MemberLine::of).unwrap_or_default()
        ),
        Said::Subsidy { link_number, subsidies } => write!(SubsidyLine {
            link_number: link_number.reveal().into(),
            deleted: subsidies.is_none(),
            subsidies: subsidies.as_ref().map(|all| all.iter().map(SubsidyWire::of).collect()),
        }),
        Said::Link { serial, link_number } => write!(LinkLine {
            serial: serial.reveal().into(),
            link_number: link_number.map(|number| number.reveal().into()),
            deleted: link_number.is_none(),
        }),
        Said::Renewal { serial, previous_serial } => write!(RenewalLine {
            serial: serial.reveal().into(),
            previous_serial: previous_serial.reveal().into(),
        }),
        Said::Mark { complete_to, records } => {
            write!(MarkLine { complete_to: *complete_to, records: *records })
        }
        Said::List(list) => wire::write(&ListLine {
            source,
            epoch,
            sequence,
            kind,
            recorded_at,
            resolves,
            ..ListLine::of(list)
        }),
        Said::Deletion(deletion) => wire::write(&DeletionLine {
            source,
            epoch,
            sequence,
            kind,
            recorded_at,
            resolves,
            ..DeletionLine::of(deletion)
        }),
        Said::Release { of, delivery, release, received_at } => write!(ReleaseLine {
            of: of.to_string().into(),
            delivery: (&**delivery).into(),
            release: *release,
            received_at: *received_at,
        }),
        Said::Dismissal { of, name } => {
            write!(DismissalLine { of: of.to_string().into(), name: (&**name).into() })
        }
    }
}

/// What can still be seen of a line that is no record: enough to name it, to move the sequence
/// past it, and to protect a person at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glimpse {
    /// Its sequence.
    pub sequence: Option<u64>,
    /// Its epoch.
    pub epoch: Option<u32>,
    /// Its source.
    pub source: Option<Source>,
    /// Its kind.
    pub kind: Option<Kind>,
    /// What it speaks of.
    pub subject: Option<Subject>,
    /// Restrictions it asks for.
    pub protect: Restrictions,
}

impl Glimpse {
    /// Looks at a broken line. Sees nothing where it is no JSON object; a text in another encoding
    /// does not hide the fields beside it.
    #[must_use]
    pub fn of(line: &[u8]) -> Self {
        let Ok(Value::Object(fields)) = serde_json::from_str(&String::from_utf8_lossy(line)) else {
            return Self::default();
        };
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let kind = text("kind").and_then(Kind::from_word);
        let person = || text("link_number").and_then(|text| LinkNumber::parse(text).ok());
        let card = || text("serial").and_then(|text| Serial::parse(text).ok());
        let restrictions = fields.get("restrictions").and_then(Value::as_array);
        Self {
            sequence: fields
                .get("sequence")
                .and_then(Value::as_u64)
                .filter(|n| (1..=i64::MAX as u64).contains(n)),
            epoch: fields.get("epoch").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()),
            source: text("source").and_then(Source::parse),
            kind,
            subject: match kind {
                Some(Kind::Link | Kind::Renewal) => card().map(Subject::Card),
                _ => person().map(Subject::Person),
            },
            protect: restrictions
                .into_iter()
                .flatten()
                .filter_map(|word| Restriction::from_word(word.as_str()?))
                .fold(Restrictions::NONE, Restrictions::with),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct RefusedWire<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    field: Option<Text<'a>>,
    line: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    link_number: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    serial: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    protect: Vec<Restriction>,
}

pub(super) fn write_refused(refused: &Refused) -> Vec<u8> {
    let (link_number, serial) = match &refused.subject {
        Some(Subject::Person(number)) => (Some(number.reveal().into()), None),
        Some(Subject::Card(serial)) => (None, Some(serial.reveal().into())),
        None => (None, None),
    };
    wire::write(&RefusedWire {
        code: (&*refused.code).into(),
        field: refused.field.as_deref().map(Into::into),
        line: refused.line,
        kind: refused.kind,
        link_number,
        serial,
        protect: refused.protect.iter().collect(),
    })
}

pub(super) fn read_refused(body: &[u8]) -> Option<Refused> {
    let wire: RefusedWire<'_> = serde_json::from_slice(body).ok()?;
    let person = wire.link_number.and_then(|text| LinkNumber::parse(&text).ok()).map(Subject::Person);
    let card = wire.serial.and_then(|text| Serial::parse(&text).ok()).map(Subject::Card);
    Some(Refused {
        code: Box::from(&*wire.code),
        field: wire.field.map(|field| Box::from(&*field)),
        line: wire.line,
        kind: wire.kind,
        subject: person.or(card),
        protect: wire.protect.into_iter().fold(Restrictions::NONE, Restrictions::with),
    })
}
