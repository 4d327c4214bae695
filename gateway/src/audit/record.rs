//! One fixed record as it lies in a file, and as it is read again.

use eligibility::day::{Day, Timestamp};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::frame::Fields;
use super::key::{KeyId, PSEUDONYM};
use super::word;

/// Octets of a record.
pub(super) const RECORD: usize = 144;
/// The number of no day.
const NO_DAY: i32 = i32::MIN;

/// Octets shown in hexadecimal; all zeros are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Mark(pub(super) [u8; 16]);

impl Mark {
    /// Its first octets.
    #[must_use]
    pub fn begin(self) -> [u8; 8] {
        self.0.first_chunk().copied().unwrap_or_default()
    }

    /// Whether there is one.
    #[must_use]
    pub fn is_some(self) -> bool {
        self.0 != [0; 16]
    }
}

impl Serialize for Mark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.is_some() {
            return serializer.serialize_none();
        }
        serializer.serialize_str(&self.0.map(|octet| format!("{octet:02x}")).concat())
    }
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?.unwrap_or_else(|| "0".repeat(32));
        let wrong = || D::Error::custom("is no pseudonym of 32 hexadecimal digits");
        let mark = u128::from_str_radix(&text, 16).map_err(|_| wrong())?;
        if text.len() == 32 { Ok(Self(mark.to_be_bytes())) } else { Err(wrong()) }
    }
}

/// A word of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Word(u16);

impl Word {
    /// The number of this word, or of none.
    #[must_use]
    pub fn of(word: Option<&str>) -> Self {
        Self(word.map_or(0, word::number))
    }

    /// The word.
    #[must_use]
    pub fn text(self) -> Option<&'static str> {
        word::word(self.0)
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text().serialize(serializer)
    }
}

/// Who asked when, for what, about whom, and what came of it.
///
/// ```text
///   0 16  request id             104  4  key id of the pseudonyms
///  16 16  trace id of the caller 108  4  day asked about (days since 1970)
///  32 16  the person             112  4  insurer asked or acting
///  48 16  the numbers asked      116  2  coverages shown
///  64 16  client certificate     118  2  role          126  2  outcome
///  80  8  time (ms since 1970)   120  2  route         128  2  reason
///  88  8  generation             122  2  purpose       130 14  0
///  96  8  institution            124  2  identity check
/// ```
/// Person and numbers are pseudonyms; the certificate is the beginning of its SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Record {
    /// When it was asked.
    pub at: Timestamp,
    /// Our id of the request.
    #[serde(serialize_with = "request")]
    pub request: u128,
    /// The caller's id of its own trace.
    pub trace: Mark,
    /// The caller's certificate.
    pub peer: Mark,
    /// The caller's role.
    pub role: Word,
    /// The institution asked for; 0 for none.
    #[serde(serialize_with = "institution")]
    pub institution: u64,
    /// What was asked.
    pub route: Word,
    /// To what end.
    pub purpose: Word,
    /// How the visitor's identity was checked.
    pub identity_check: Word,
    /// The insurer asked or acting; 0 for none.
    #[serde(serialize_with = "insurer")]
    pub insurer: u32,
    /// The day asked about.
    #[serde(serialize_with = "day")]
    pub date: i32,
    /// The person's pseudonym.
    pub person: Mark,
    /// The pseudonym of insurer, number and birth date.
    pub named: Mark,
    /// The key of both pseudonyms.
    #[serde(serialize_with = "key")]
    pub pseudonym_key: u32,
    /// What came of it.
    pub outcome: Word,
    /// Why, where the outcome alone does not say it.
    pub reason: Word,
    /// How many coverages were shown.
    pub shown: u16,
    /// What was known: position of the last visible batch; 0 when nothing was looked up.
    pub generation: u64,
}

impl Record {
    pub(super) fn write_to(&self, out: &mut Vec<u8>) {
        let end = out.len() + RECORD;
        out.reserve(RECORD);
        out.extend(self.request.to_be_bytes());
        for mark in [self.trace, self.person, self.named, self.peer] {
            out.extend(mark.0);
        }
        out.extend(self.at.millis().to_le_bytes());
        out.extend(self.generation.to_le_bytes());
        out.extend(self.institution.to_le_bytes());
        out.extend(self.pseudonym_key.to_le_bytes());
        out.extend(self.date.to_le_bytes());
        out.extend(self.insurer.to_le_bytes());
        out.extend(self.shown.to_le_bytes());
        for word in [self.role, self.route, self.purpose, self.identity_check, self.outcome, self.reason] {
            out.extend(word.0.to_le_bytes());
        }
        out.resize(end, 0);
    }

    /// `None` when the octets are too few.
    pub(super) fn of_octets(octets: &[u8]) -> Option<Self> {
        let mut fields = Fields(octets);
        let request = u128::from_be_bytes(fields.take()?);
        let mut mark = || fields.take::<PSEUDONYM>().map(Mark);
        let (trace, person, named, peer) = (mark()?, mark()?, mark()?, mark()?);
        let at = Timestamp::from_millis(i64::from_le_bytes(fields.take()?));
        let generation = u64::from_le_bytes(fields.take()?);
        let institution = u64::from_le_bytes(fields.take()?);
        let pseudonym_key = u32::from_le_bytes(fields.take()?);
        let date = i32::from_le_bytes(fields.take()?);
        let insurer = u32::from_le_bytes(fields.take()?);
        let shown = u16::from_le_bytes(fields.take()?);
        let mut word = || fields.take().map(|octets| Word(u16::from_le_bytes(octets)));
        let (role, route, purpose) = (word()?, word()?, word()?);
        let (identity_check, outcome, reason) = (word()?, word()?, word()?);
        Some(Self {
            at,
            request,
            trace,
            peer,
            role,
            institution,
            route,
            purpose,
            identity_check,
            insurer,
            date,
            person,
            named,
            pseudonym_key,
            outcome,
            reason,
            shown,
            generation,
        })
    }

    /// Sets the day asked about.
    pub(super) fn ask_about(&mut self, day: Option<Day>) {
        self.date = day.map_or(NO_DAY, Day::number);
    }
}

fn request<S: Serializer>(id: &u128, serializer: S) -> Result<S::Ok, S::Error> {
    Uuid::from_u128(*id).serialize(serializer)
}

fn institution<S: Serializer>(code: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    (*code != 0).then(|| format!("{code:010}")).serialize(serializer)
}

fn insurer<S: Serializer>(value: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    eligibility::number::InsurerNumber::from_value(*value)
        .map(|number| number.to_string())
        .serialize(serializer)
}

fn day<S: Serializer>(day: &i32, serializer: S) -> Result<S::Ok, S::Error> {
    (*day != NO_DAY).then(|| Day::from_number(*day)).serialize(serializer)
}

fn key<S: Serializer>(id: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    (*id != 0).then(|| KeyId(*id).to_string()).serialize(serializer)
}
