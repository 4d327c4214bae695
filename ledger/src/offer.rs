//! One line of a delivery, read and judged by itself.
//!
//! Holds what needs no knowledge of earlier lines: reading, whose record it is, its hash, and what
//! is kept of a line that cannot be read. What came before is `judge`'s business.

use std::fmt;

use aws_lc_rs::digest;
use eligibility::coverage::Restrictions;
use eligibility::feed::{Glimpse, Record, Refused, Said, Source, Subject};
use eligibility::my_number;

use crate::pack;

/// One line of a delivery, read and judged by itself. Prints redacted.
#[derive(Clone)]
pub struct Offer {
    pub(crate) line: u64,
    pub(crate) hash: [u8; 16],
    pub(crate) reading: Reading,
    /// What is kept of it, unless what came before speaks against it: the line as received, of a
    /// broken one its refusal, of a blank one nothing.
    pub(crate) body: Box<[u8]>,
}

/// What reading a line gave.
#[derive(Clone)]
pub(crate) enum Reading {
    /// Nothing but blanks.
    Blank,
    /// A record of this source.
    Good(Record),
    /// A line that is none. `place` is its sequence and epoch where they are this source's own.
    Broken { refused: Refused, place: Option<(u64, u32)>, sequence: Option<u64> },
}

impl Offer {
    /// Reads one line of a delivery of this source; `line` counts from 1.
    ///
    /// A line that is no record of this source becomes a refusal: with the fault's code and field,
    /// or `foreign_source`. Of its content only kind, subject and asked restrictions are kept.
    #[must_use]
    pub fn from_line(source: Source, line: u64, bytes: &[u8]) -> Self {
        let body = bytes.trim_ascii();
        if body.is_empty() {
            return Self { line, hash: [0; 16], reading: Reading::Blank, body: Box::default() };
        }
        match Record::from_json(body) {
            Ok(record) if record.source == source => {
                Self { line, hash: hash(body), reading: Reading::Good(record), body: body.into() }
            }
            Ok(record) => {
                let refused = refuse(&record, line, "foreign_source", Some("source"));
                Self::broken(refused, hash(body), None, Some(record.sequence))
            }
            Err(fault) => broken(source, line, body, fault.code(), fault.place()),
        }
    }

    /// Line of the delivery, from 1.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// The record, where the line is one of this source.
    #[must_use]
    pub const fn record(&self) -> Option<&Record> {
        match &self.reading {
            Reading::Good(record) => Some(record),
            Reading::Blank | Reading::Broken { .. } => None,
        }
    }

    /// Why the line is no record of this source, where it is none and not blank.
    #[must_use]
    pub const fn refused(&self) -> Option<&Refused> {
        match &self.reading {
            Reading::Broken { refused, .. } => Some(refused),
            Reading::Blank | Reading::Good { .. } => None,
        }
    }

    /// Its sequence, as far as it could be read.
    #[must_use]
    pub const fn sequence(&self) -> Option<u64> {
        match &self.reading {
            Reading::Blank => None,
            Reading::Good(record) => Some(record.sequence),
            Reading::Broken { sequence, .. } => *sequence,
        }
    }

    /// What counts of it at once where its delivery does not: the restrictions that it asks for, as a
    /// refusal coded `held` that moves no sequence. `None` where it asks for none.
    #[must_use]
    pub fn held(&self) -> Option<Self> {
        let refused = match &self.reading {
            Reading::Blank => return None,
            Reading::Good(record) => refuse(record, self.line, "held", None),
            Reading::Broken { refused, .. } => {
                Refused { code: "held".into(), field: None, ..refused.clone() }
            }
        };
        let asks = refused.protect != Restrictions::NONE && refused.subject.is_some();
        asks.then(|| Self::broken(refused, self.hash, None, None))
    }

    /// A record of the gateway itself.
    pub(crate) fn act(record: Record) -> Self {
        let body = record.to_json().into_boxed_slice();
        Self { line: 1, hash: hash(&body), reading: Reading::Good(record), body }
    }

    fn broken(refused: Refused, hash: [u8; 16], place: Option<(u64, u32)>, sequence: Option<u64>) -> Self {
        let body = refused.to_json().into();
        Self { line: refused.line, hash, reading: Reading::Broken { refused, place, sequence }, body }
    }
}

/// Lines that are offered together, at most [`MOST_OFFERS`](crate::MOST_OFFERS), with what is kept of
/// them compressed: made by whoever reads the lines, so that the one writer need not.
#[derive(Clone, Debug)]
pub struct Parcel {
    pub(crate) offers: Vec<Offer>,
    /// For the case that all of them are kept as they are, which is the rule.
    pub(crate) packed: Vec<u8>,
}

impl From<Vec<Offer>> for Parcel {
    fn from(offers: Vec<Offer>) -> Self {
        let packed = pack::compress(offers.iter().map(|offer| &*offer.body));
        Self { offers, packed }
    }
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match &self.reading {
            Reading::Blank => "blank",
            Reading::Good(record) => record.said.kind().word(),
            Reading::Broken { refused, .. } => &refused.code,
        };
        write!(f, "Offer(line {}, {word}, …)", self.line)
    }
}

fn broken(source: Source, line: u64, body: &[u8], code: &str, field: Option<&str>) -> Offer {
    let Glimpse { sequence, epoch, source: named, kind, subject, protect } = Glimpse::of(body);
    let own = named.is_none_or(|named| named == source);
    // A serial of twelve digits may be the very number that must not be kept.
    let subject = subject.filter(|subject| match subject {
        Subject::Card(serial) => !my_number::is_hidden_in(&serial.reveal()),
        Subject::Person(_) => true,
    });
    let refused = Refused { code: code.into(), field: field.map(Into::into), line, kind, subject, protect };
    let place = sequence.filter(|_| own).map(|sequence| (sequence, epoch.unwrap_or(1)));
    // A hash over a line whose other fields are known elsewhere would give the number away to
    // whoever tries all of them.
    let hides = code == "my_number_refused" || my_number::is_hidden_in(&String::from_utf8_lossy(body));
    let hash = if hides { hash_without_content(sequence) } else { hash(body) };
    Offer::broken(refused, hash, place, sequence)
}

/// What is kept of a good record that is not accepted. Its wish for protection is.
pub(crate) fn refuse(record: &Record, line: u64, code: &str, field: Option<&str>) -> Refused {
    let protect = match &record.said {
        Said::Member { member: Some(member), .. } => member.restrictions,
        _ => Restrictions::NONE,
    };
    Refused {
        code: code.into(),
        field: field.map(Into::into),
        line,
        kind: Some(record.said.kind()),
        subject: record.said.subject(),
        protect,
    }
}

/// First 16 octets of the SHA-256.
pub(crate) fn hash(body: &[u8]) -> [u8; 16] {
    let digest = digest::digest(&digest::SHA256, body);
    let mut hash = [0; 16];
    for (slot, octet) in hash.iter_mut().zip(digest.as_ref()) {
        *slot = *octet;
    }
    hash
}

fn hash_without_content(sequence: Option<u64>) -> [u8; 16] {
    let sequence = sequence.map(|sequence| sequence.to_string()).unwrap_or_default();
    hash(format!("content not kept {sequence}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use eligibility::code::Restriction;
    use eligibility::feed::Kind;

    fn insurer() -> Source {
        Source::parse("06132013").unwrap()
    }

    fn offer(line: &str) -> Offer {
        Offer::from_line(insurer(), 3, line.as_bytes())
    }

    #[test]
    fn a_line_is_a_record_a_refusal_or_blank() {
        let mark =
            r#" {"source":"06132013","sequence":9,"kind":"mark","complete_to":"2026-11-21T00:00:00Z"}"#;
        assert!(offer(mark).record().is_some());
        assert_eq!(offer(mark).hash, offer(&format!("{mark}\r")).hash);
        assert!(matches!(offer(" \t").reading, Reading::Blank));
        let foreign = offer(&mark.replace("06132013", "138057"));
        let refused = foreign.refused().unwrap();
        assert_eq!((&*refused.code, refused.line, foreign.sequence()), ("foreign_source", 3, Some(9)));
        assert!(matches!(foreign.reading, Reading::Broken { place: None, .. }));
        let gateway = offer(r#"{"source":"gateway","sequence":9,"kind":"link","serial":"1","deleted":true}"#);
        assert_eq!(&*gateway.refused().unwrap().code, "foreign_source");
        assert_eq!(&*offer("not json").refused().unwrap().code, "malformed");
    }

    #[test]
    fn a_broken_line_keeps_its_place_and_its_protection() {
        let broken = offer(
            r#"{"source":"06132013","sequence":9,"epoch":2,"kind":"member","link_number":"3050012345678901","restrictions":["closed"],"name":5}"#,
        );
        let Reading::Broken { refused, place, .. } = &broken.reading else { panic!("{broken:?}") };
        assert_eq!(*place, Some((9, 2)));
        assert_eq!(refused.kind, Some(Kind::Member));
        assert!(refused.subject.is_some() && refused.protect.has(Restriction::Closed));
        assert_eq!(refused.field.as_deref(), Some("name"));
    }

    #[test]
    fn nothing_is_kept_of_a_line_with_a_my_number() {
        let portal = |line: &str| Offer::from_line(Source::Portal, 1, line.as_bytes());
        let one = portal(
            r#"{"source":"portal","sequence":9,"kind":"link","serial":"123456789018","link_number":"3050012345678901"}"#,
        );
        let other = portal(
            r#"{"source":"portal","sequence":9,"kind":"link","serial":"123456789018","link_number":"3050012345678902"}"#,
        );
        assert_eq!(&*one.refused().unwrap().code, "my_number_refused");
        assert_eq!(one.refused().unwrap().subject, None);
        assert_eq!(one.hash, other.hash);
        // Another fault is met before the number is; the number is still not kept.
        let early =
            portal(r#"{"source":"portal","sequence":9,"epoch":"x","kind":"link","serial":"123456789018"}"#);
        assert_eq!(early.refused().unwrap().subject, None);
        assert_eq!(early.hash, one.hash);
        assert!(!format!("{one:?}").contains("123456789018"));
    }
}
