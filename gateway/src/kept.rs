//! What institutions leave with us beside their questions: their own patients' numbers (照会番号) and
//! bulk messages that wait to be fetched. One SQLite file; what is acknowledged is on disk.
//!
//! A bulk message is kept as it was asked and answered when it is fetched, so that no answer lies here
//! and a restriction counts at once. Insured cards stand here as digests, which spares space and hides
//! nothing from who has the file: it belongs on the operator's encrypted volume.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use eligibility::day::{Day, Timestamp};
use eligibility::number::{Branch, InstitutionCode, NumberKey};
use rusqlite::{Connection, OptionalExtension, params};

/// Days for which a bulk message may be fetched.
const DAYS: i32 = 7;
/// Most bulk messages of one institution at a time.
const RECEPTIONS: i64 = 200;
/// Digits of a reception number behind its day. With the day they are 20, so that none looks like a 個人番号.
const DIGITS: usize = 12;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS reference (card BLOB PRIMARY KEY, number TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS reception (
        id INTEGER PRIMARY KEY AUTOINCREMENT, institution INTEGER NOT NULL, day INTEGER NOT NULL,
        kind TEXT NOT NULL, body BLOB NOT NULL, digest BLOB NOT NULL, UNIQUE (institution, day, digest));
";

/// Why something could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The file cannot be read or written.
    #[error("{0}")]
    File(#[from] rusqlite::Error),
    /// What an earlier process wrote cannot be made durable.
    #[error("its log: {0}")]
    Log(#[from] std::io::Error),
    /// The institution has too many bulk messages waiting.
    #[error("too many bulk messages wait to be fetched")]
    Full,
}

/// An institution's insured card, as far as it must be told from others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CardOf([u8; 16]);

impl CardOf {
    /// The card of this number; a family's cards differ by their branch.
    #[must_use]
    pub fn new(institution: InstitutionCode, key: &NumberKey, branch: Option<Branch>) -> Self {
        let mut said = Vec::with_capacity(80);
        said.extend(institution.value().to_be_bytes());
        said.extend(key.insurer().value().to_be_bytes());
        said.push(branch.map_or(u8::MAX, Branch::value));
        said.extend(key.spelled().as_bytes());
        let mut card = [0; 16];
        card.iter_mut().zip(digest(&SHA256, &said).as_ref()).for_each(|(to, from)| *to = *from);
        Self(card)
    }
}

/// A bulk message that waits.
#[derive(PartialEq, Eq)]
pub struct Waiting {
    /// The word for its kind.
    pub kind: String,
    /// As it was sent, in UTF-8.
    pub body: String,
}

/// The file.
pub struct Kept {
    writer: Mutex<Connection>,
    /// Desks read by their own connection: in WAL mode no writer makes it wait.
    reader: Mutex<Connection>,
    /// Whether there is any 照会番号 at all; where none is, desks do not look.
    any: AtomicBool,
}

impl Kept {
    /// Opens the file, and makes it when it is not there.
    ///
    /// # Errors
    /// [`KeptError::File`], [`KeptError::Log`].
    pub fn open(path: &Path) -> Result<Self, KeptError> {
        disk::renew_log(path)?;
        let writer = Connection::open(path)?;
        writer.execute_batch(SCHEMA)?;
        let reader = Connection::open(path)?;
        reader.execute_batch("PRAGMA query_only = ON")?;
        let any = reader.query_row("SELECT EXISTS (SELECT 1 FROM reference)", [], |row| row.get(0))?;
        Ok(Self { writer: Mutex::new(writer), reader: Mutex::new(reader), any: AtomicBool::new(any) })
    }

    /// Keeps these numbers, each in place of the one the card had. Blocks until they are on disk.
    ///
    /// # Errors
    /// [`KeptError::File`]; then none is kept.
    pub fn register(&self, all: &[(CardOf, &str)]) -> Result<(), KeptError> {
        let mut writer = self.writer();
        let act = writer.transaction()?;
        {
            let mut put = act.prepare_cached("INSERT OR REPLACE INTO reference VALUES (?1, ?2)")?;
            for (card, number) in all {
                put.execute(params![card.0, number])?;
            }
        }
        act.commit()?;
        self.any.store(true, Ordering::Release);
        Ok(())
    }

    /// The number that was registered for the card. What cannot be read is none: it is no ground for
    /// keeping a patient waiting.
    #[must_use]
    pub fn reference(&self, card: CardOf) -> Option<String> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let reader = self.reader.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let read = reader.prepare_cached("SELECT number FROM reference WHERE card = ?1");
        let number = read.and_then(|mut read| read.query_row([card.0], |row| row.get(0)).optional());
        number.unwrap_or_else(|error| {
            tracing::error!(%error, "a reference number cannot be read");
            None
        })
    }

    /// Keeps a bulk message until it is fetched, and gives its number. The same message of the same day
    /// has the same number, so that sending again does not double it. Blocks until it is on disk.
    ///
    /// # Errors
    /// [`KeptError`]; then nothing is kept.
    pub fn receive(
        &self,
        institution: InstitutionCode,
        kind: &str,
        body: &str,
        now: Timestamp,
    ) -> Result<String, KeptError> {
        let (day, institution) = (now.day_in_japan(), institution.value() as i64);
        let same = digest(&SHA256, &[kind.as_bytes(), b"\n", body.as_bytes()].concat());
        let mut writer = self.writer();
        let act = writer.transaction()?;
        act.execute("DELETE FROM reception WHERE day < ?1", [day.plus(-DAYS).number()])?;
        let waiting: i64 = act.query_row(
            "SELECT count(*) FROM reception WHERE institution = ?1 AND digest <> ?2",
            params![institution, same.as_ref()],
            |row| row.get(0),
        )?;
        if waiting >= RECEPTIONS {
            return Err(KeptError::Full);
        }
        act.execute(
            "INSERT OR IGNORE INTO reception (institution, day, kind, body, digest) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![institution, day.number(), kind, body.as_bytes(), same.as_ref()],
        )?;
        let id: i64 = act.query_row(
            "SELECT id FROM reception WHERE institution = ?1 AND day = ?2 AND digest = ?3",
            params![institution, day.number(), same.as_ref()],
            |row| row.get(0),
        )?;
        act.commit()?;
        let (year, month, date) = day.ymd();
        Ok(format!("{year:04}{month:02}{date:02}{id:0DIGITS$}"))
    }

    /// The bulk message of this number, if it is this institution's.
    ///
    /// # Errors
    /// [`KeptError::File`].
    pub fn waiting(&self, institution: InstitutionCode, number: &str) -> Result<Option<Waiting>, KeptError> {
        let named = number.split_at_checked(8).filter(|(_, id)| id.len() == DIGITS);
        let named = named.and_then(|(day, id)| Some((Day::parse_compact(day)?, id.parse::<i64>().ok()?)));
        let Some((day, id)) = named else { return Ok(None) };
        let read = self.writer().query_row(
            "SELECT kind, body FROM reception WHERE id = ?1 AND institution = ?2 AND day = ?3",
            params![id, institution.value() as i64, day.number()],
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)),
        );
        let read = read.optional()?;
        Ok(read.map(|(kind, body)| Waiting { kind, body: String::from_utf8(body).unwrap_or_default() }))
    }

    fn writer(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use eligibility::number::InsurerNumber;

    use super::*;

    fn institution(code: &str) -> InstitutionCode {
        InstitutionCode::parse(code).unwrap()
    }

    fn card(of: &str, number: &str, branch: Option<u8>) -> CardOf {
        let key = NumberKey::new(InsurerNumber::parse("06132013").unwrap(), "12-34", number);
        CardOf::new(institution(of), &key, branch.and_then(Branch::from_value))
    }

    #[test]
    fn numbers_are_kept_over_a_restart_each_with_its_own_institution() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kept.sqlite");
        let (own, other) = ("1312345679", "1411234568");
        let kept = Kept::open(&file).unwrap();
        assert_eq!(kept.reference(card(own, "567", Some(1))), None);
        kept.register(&[(card(own, "567", Some(1)), "00011"), (card(own, "567", Some(2)), "00012")]).unwrap();
        kept.register(&[(card(own, "567", Some(2)), "00013")]).unwrap();
        drop(kept);
        let kept = Kept::open(&file).unwrap();
        assert_eq!(kept.reference(card(own, "000567", Some(1))).as_deref(), Some("00011"));
        assert_eq!(kept.reference(card(own, "567", Some(2))).as_deref(), Some("00013"));
        assert_eq!(kept.reference(card(own, "567", None)), None);
        assert_eq!(kept.reference(card(own, "568", Some(1))), None);
        assert_eq!(kept.reference(card(other, "567", Some(1))), None);
    }

    #[test]
    fn a_bulk_message_waits_for_its_own_institution_and_is_not_doubled() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::open(&folder.path().join("kept.sqlite")).unwrap();
        let (own, other) = (institution("1312345679"), institution("1411234568"));
        let now = Day::parse("2026-11-21").unwrap().starts_at();
        let number = kept.receive(own, "muquc", "<a/>", now).unwrap();
        assert_eq!((number.len(), &number[..8]), (20, "20261121"));
        assert_eq!(kept.receive(own, "muquc", "<a/>", now).unwrap(), number);
        assert_ne!(kept.receive(other, "muquc", "<a/>", now).unwrap(), number);
        assert_ne!(kept.receive(own, "muimm", "<a/>", now).unwrap(), number);
        let waiting = kept.waiting(own, &number).unwrap().unwrap();
        assert_eq!((waiting.kind.as_str(), waiting.body.as_str()), ("muquc", "<a/>"));
        assert!(kept.waiting(other, &number).unwrap().is_none());
        for wrong in ["", "1", "20261121", "20261122000000000001", "2026112100000000000a", "あああああああ"]
        {
            assert!(kept.waiting(own, wrong).unwrap().is_none(), "{wrong}");
        }
        let later = now.plus_millis(8 * 86_400_000);
        kept.receive(other, "muquc", "<b/>", later).unwrap();
        assert!(kept.waiting(own, &number).unwrap().is_none(), "kept too long");
        for count in 0..RECEPTIONS {
            kept.receive(own, "muquc", &format!("<c{count}/>"), later).unwrap();
        }
        assert!(matches!(kept.receive(own, "muquc", "<d/>", later), Err(KeptError::Full)));
        assert!(kept.receive(own, "muquc", "<c5/>", later).is_ok(), "one that is there already");
    }
}
