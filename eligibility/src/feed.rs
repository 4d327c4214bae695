//! What the sources say: the records of 資格履歴 feeds, of the portal, of J-LIS and of cities.
//!
//! Holds the typed [`Record`] and what can still be seen of a broken one ([`Glimpse`]). Its JSON is
//! in `json`; sequences, duplicates and quarantine are the ledger's business.

mod deletion_json;
mod fields;
mod json;
mod list_json;
mod member_json;

use std::fmt;

use crate::code::words;
use crate::coverage::{Member, Restrictions, Subsidy};
use crate::day::Timestamp;
use crate::number::{CityCode, InsurerNumber, LinkNumber, Serial, has_check_digit};
use crate::wire::{Fault, Wrong};

pub use json::Glimpse;

/// Who says something: each source has its own increasing sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// An insurer (its 運用支援環境 partition).
    Insurer(InsurerNumber),
    /// The portal, which links cards.
    Portal,
    /// J-LIS, which tells of renewed certificates.
    Jlis,
    /// A city, which tells of its subsidies.
    City(CityCode),
    /// The gateway itself: links, dismissals and releases made through its API.
    Gateway,
}

impl Source {
    /// Reads a source's name as feeds and paths write it. The gateway's own is none of theirs.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "portal" => Some(Self::Portal),
            "jlis" => Some(Self::Jlis),
            _ => match text.strip_prefix("city-") {
                Some(code) => CityCode::parse(code).ok().map(Self::City),
                None => InsurerNumber::parse(text)
                    .ok()
                    .filter(|insurer| insurer.to_string() == text)
                    .map(Self::Insurer),
            },
        }
    }

    /// Reads a source's name as the ledger keeps it, the gateway's own included.
    #[must_use]
    pub fn from_ledger(text: &str) -> Option<Self> {
        if text == "gateway" { Some(Self::Gateway) } else { Self::parse(text) }
    }

    /// Whether records of this kind are this source's to send.
    #[must_use]
    pub const fn owns(self, kind: Kind) -> bool {
        matches!(
            (self, kind),
            (Self::Insurer(_), Kind::Member)
                | (Self::Portal, Kind::Link)
                | (Self::Jlis, Kind::Renewal)
                | (Self::City(_), Kind::Subsidy)
                | (Self::Insurer(_) | Self::Portal | Self::Jlis | Self::City(_), Kind::Mark)
                | (Self::Gateway, Kind::Link | Kind::Dismissal | Kind::Release | Kind::List | Kind::Deletion)
        )
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Insurer(number) => number.fmt(f),
            Self::Portal => f.write_str("portal"),
            Self::Jlis => f.write_str("jlis"),
            Self::City(code) => write!(f, "city-{code}"),
            Self::Gateway => f.write_str("gateway"),
        }
    }
}

words! {
    /// What a record is about.
    Kind {
        /// Everything an insurer says of one person.
        Member = "member",
        /// A card's serial joined with a 紐付番号, or removed.
        Link = "link",
        /// A renewed certificate takes over its forerunner's link.
        Renewal = "renewal",
        /// A city's subsidies for one person.
        Subsidy = "subsidy",
        /// The source is complete up to a time.
        Mark = "mark",
        /// An operator dismisses a quarantined record.
        Dismissal = "dismissal",
        /// An operator releases or drops a delivery that was held back.
        Release = "release",
        /// What a revocation list changed when it arrived at the gateway.
        List = "list",
        /// History that was kept for long enough is deleted.
        Deletion = "deletion",
    }
}

/// What a revocation list changed when it arrived: kept so that a serial once revoked stays so over
/// restarts, and an older list never replaces a newer one. A long list comes in several records. What
/// an authority's responder told of one certificate is kept alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListArrival {
    /// SHA-256 of the authority's public key.
    pub authority: [u8; 32],
    /// Name of the partition in DER; `None` for a list of the whole authority.
    pub partition: Option<Box<[u8]>>,
    /// CRLNumber as a big-endian magnitude; `None` where it was no list but the responder.
    pub number: Option<Box<[u8]>>,
    /// thisUpdate of the list or the answer.
    pub this_update: Timestamp,
    /// Serials that were not known as revoked or on hold before.
    pub revoked: Vec<Revoked>,
    /// Serials whose hold it releases.
    pub released: Vec<Serial>,
}

/// A deletion of history: words that later ones had replaced before a moment. What was last said stays,
/// however old it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The kind of records: members or subsidies.
    pub of: Kind,
    /// What was replaced before this moment is gone.
    pub before: Timestamp,
    /// How many records.
    pub rows: u64,
    /// Position of a batch before the deletion.
    pub position: u64,
    /// What memory held after that batch, as a sum: the same is made of the ledger for ever.
    pub state: [u8; 32],
}

/// One entry of a revocation list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// The card.
    pub serial: Serial,
    /// When it was revoked or put on hold.
    pub revoked_at: Timestamp,
    /// On hold only.
    pub on_hold: bool,
}

/// What a record speaks of: later words on the same subject replace earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A person, by 紐付番号.
    Person(LinkNumber),
    /// A card, by serial.
    Card(Serial),
}

/// The content of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Everything the insurer says of one person; replaces what it said before.
    Member {
        /// The person.
        link_number: LinkNumber,
        /// The word; `None` withdraws it.
        member: Option<Box<Member>>,
    },
    /// A card is linked to a person.
    Link {
        /// The card.
        serial: Serial,
        /// The person; `None` removes the link.
        link_number: Option<LinkNumber>,
    },
    /// A renewed certificate gets its forerunner's link.
    Renewal {
        /// The new certificate's serial.
        serial: Serial,
        /// The old certificate's serial.
        previous_serial: Serial,
    },
    /// A city's subsidies for one person; replaces what it said before.
    Subsidy {
        /// The person.
        link_number: LinkNumber,
        /// The word; `None` withdraws it.
        subsidies: Option<Vec<Subsidy>>,
    },
    /// The source is complete up to this time.
    Mark {
        /// Complete up to.
        complete_to: Timestamp,
        /// Records since the last mark, where the source counts them.
        records: Option<u64>,
    },
    /// An operator dismisses a quarantined record of another source.
    Dismissal {
        /// The source of the quarantined record.
        of: Source,
        /// Its name in that source's quarantine.
        name: Box<str>,
    },
    /// An operator decides on a delivery that was held back.
    Release {
        /// The source of the delivery.
        of: Source,
        /// Its name.
        delivery: Box<str>,
        /// Whether it is released; else it is dropped.
        release: bool,
        /// Since when it was held back; gateways did not always write it down.
        received_at: Option<Timestamp>,
    },
    /// What a revocation list changed when it arrived.
    List(Box<ListArrival>),
    /// History is deleted.
    Deletion(Box<Deletion>),
}

impl Said {
    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Member { .. } => Kind::Member,
            Self::Link { .. } => Kind::Link,
            Self::Renewal { .. } => Kind::Renewal,
            Self::Subsidy { .. } => Kind::Subsidy,
            Self::Mark { .. } => Kind::Mark,
            Self::Dismissal { .. } => Kind::Dismissal,
            Self::Release { .. } => Kind::Release,
            Self::List(_) => Kind::List,
            Self::Deletion(_) => Kind::Deletion,
        }
    }

    /// What it speaks of; marks and dismissals speak of nobody.
    #[must_use]
    pub const fn subject(&self) -> Option<Subject> {
        match self {
            Self::Member { link_number, .. } | Self::Subsidy { link_number, .. } => {
                Some(Subject::Person(*link_number))
            }
            Self::Link { serial, .. } | Self::Renewal { serial, .. } => Some(Subject::Card(*serial)),
            Self::Mark { .. }
            | Self::Dismissal { .. }
            | Self::Release { .. }
            | Self::List(_)
            | Self::Deletion(_) => None,
        }
    }
}

/// One record of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Who says it.
    pub source: Source,
    /// Generation of the source's numbering; 1 unless an operator opened another.
    pub epoch: u32,
    /// Its place in the source's own numbering.
    pub sequence: u64,
    /// When the source recorded it.
    pub recorded_at: Option<Timestamp>,
    /// Sequences of quarantined records that this one makes good.
    pub resolves: Vec<u64>,
    /// What it says.
    pub said: Said,
}

impl Record {
    /// Reads one line, of a delivery or of the ledger. The ledger's may be [`Source::Gateway`]'s own:
    /// whoever takes a delivery compares the source with the one that delivers.
    ///
    /// # Errors
    /// The [`Fault`] with its field.
    pub fn from_json(line: &[u8]) -> Result<Self, Fault> {
        json::read(line)
    }

    /// Writes one line, without its end.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        json::write(self)
    }

    /// What looks wrong and is accepted all the same: check digits of 後期 被保険者番号, 公費負担者番号 and
    /// 公費受給者番号.
    #[must_use]
    pub fn warnings(&self) -> Vec<Fault> {
        let fault = |field: String| Fault::field(field, Wrong::CheckDigit);
        match (&self.said, self.source) {
            (Said::Member { member: Some(member), .. }, Source::Insurer(insurer))
                if insurer.is_late_elderly() =>
            {
                let wrong =
                    member.coverages.iter().enumerate().filter(|(_, one)| !has_check_digit(&one.number));
                wrong.map(|(at, _)| fault(format!("coverages[{at}].number"))).collect()
            }
            (Said::Subsidy { subsidies: Some(subsidies), .. }, _) => {
                let numbers = subsidies.iter().enumerate().flat_map(|(at, one)| {
                    [(at, "payer_number", &one.payer_number), (at, "recipient_number", &one.recipient_number)]
                });
                let wrong = numbers.filter(|(.., number)| !has_check_digit(number));
                wrong.map(|(at, field, _)| fault(format!("subsidies[{at}].{field}"))).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Why a record was not accepted, and what of it is kept: its place, the fault, and the wish for
/// protection that takes effect at once. Its other content is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Word for the fault, such as `check_digit` or `out_of_order`.
    pub code: Box<str>,
    /// Field at fault.
    pub field: Option<Box<str>>,
    /// Line of the delivery, from 1.
    pub line: u64,
    /// The record's kind, where it could be read.
    pub kind: Option<Kind>,
    /// What it speaks of, where that could be read.
    pub subject: Option<Subject>,
    /// Restrictions it asks for, where they could be read.
    pub protect: Restrictions,
}

impl Refused {
    /// Reads what [`Refused::to_json`] wrote.
    #[must_use]
    pub fn from_json(body: &[u8]) -> Option<Self> {
        json::read_refused(body)
    }

    /// Writes it for keeping.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        json::write_refused(self)
    }
}
