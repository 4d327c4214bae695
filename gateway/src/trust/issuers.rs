//! By which authorities the cards of the last weeks were issued: counted on the path, kept in a small
//! file, and replayed against another set of anchors before it is used.
//!
//! A line says how many cards of one authority and month of issue were taken on one day. No serial,
//! no person, no institution is in it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use dashmap::DashMap;
use eligibility::day::Day;
use pki::{Anchor, Anchors, AuthorityId, UnixTime};
use serde::{Deserialize, Serialize};

use super::anchors::hexadecimal;

/// Days kept, today among them.
const DAYS: i32 = 35;
/// Most lines kept; the oldest days go first.
const MOST_LINES: usize = 20_000;
/// Seconds between two writings of the file.
const WRITE_EVERY: i64 = 60;
/// The form of the file.
const VERSION: u32 = 1;

/// An authority as cards name it. Digests are SHA-256; all of it is in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// Digest of its certificate.
    pub certificate: String,
    /// Digest of its name, which cards carry as issuer.
    pub name: String,
    /// Its key identifier, which cards carry as authority key identifier.
    pub key_identifier: String,
    /// Digest of its key.
    pub key: String,
}

/// Cards of one authority and month of issue, taken on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The day in Japan.
    pub day: Day,
    /// Who issued them.
    pub issuer: Issuer,
    /// The first day of the month in which they were issued.
    pub issued: Day,
    /// How many were taken.
    pub cards: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    lines: Vec<Line>,
}

/// The count, and the file that it is kept in.
pub(super) struct Issuers {
    path: PathBuf,
    /// What desks have taken since it was last gathered, by authority, month of issue and day.
    fresh: DashMap<(AuthorityId, Day, Day), u64, foldhash::fast::RandomState>,
    gathered: Mutex<Gathered>,
}

#[derive(Default)]
struct Gathered {
    lines: BTreeMap<(Day, Issuer, Day), u64>,
    changed: bool,
    written: Option<UnixTime>,
}

impl Issuers {
    /// Goes on from the file; from nothing where there is none or it cannot be read, which is logged.
    pub(super) fn open(path: &Path) -> Self {
        let lines = match read(path) {
            Ok(lines) => lines,
            Err(why) => {
                tracing::warn!(file = %path.display(), why, "issuers seen before are not known; counting anew");
                Vec::new()
            }
        };
        let mut gathered = Gathered::default();
        for line in lines {
            *gathered.lines.entry((line.day, line.issuer, line.issued)).or_default() += line.cards;
        }
        Self { path: path.to_owned(), fresh: DashMap::default(), gathered: Mutex::new(gathered) }
    }

    /// Counts one card that was taken.
    pub(super) fn count(&self, authority: AuthorityId, not_before: UnixTime, now: UnixTime) {
        let (year, month, _) = Day::from_number(not_before.japan_day()).ymd();
        let issued = Day::from_ymd(year, month, 1).unwrap_or_default();
        *self.fresh.entry((authority, issued, Day::from_number(now.japan_day()))).or_default() += 1;
    }

    /// Gathers what was counted and writes the file when it is time, or `at_once`.
    pub(super) fn tend(&self, anchors: &Anchors, now: UnixTime, at_once: bool) {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        self.fresh.retain(|(authority, issued, day), cards| {
            if let Some(anchor) = anchors.iter().find(|anchor| anchor.id() == *authority) {
                *gathered.lines.entry((*day, Issuer::of(anchor), *issued)).or_default() += *cards;
                gathered.changed = true;
            }
            false
        });
        let due = gathered.written.is_none_or(|at| now.0.saturating_sub(at.0) >= WRITE_EVERY);
        if !gathered.changed || !(due || at_once) {
            return;
        }
        gathered.forget(Day::from_number(now.japan_day()));
        gathered.written = Some(now);
        match write(&self.path, &gathered.lines) {
            Ok(()) => gathered.changed = false,
            Err(error) => {
                tracing::warn!(file = %self.path.display(), %error, "issuers seen not written; tried again later");
            }
        }
    }
}

impl Gathered {
    fn forget(&mut self, today: Day) {
        let first = today.plus(1 - DAYS);
        self.lines.retain(|(day, ..), _| *day >= first);
        while self.lines.len() > MOST_LINES {
            self.lines.pop_first();
        }
    }
}

impl Issuer {
    fn of(anchor: &Anchor) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, anchor.name());
        Self {
            certificate: hexadecimal(anchor.fingerprint()),
            name: hexadecimal(digest.as_ref()),
            key_identifier: hexadecimal(anchor.key_identifier()),
            key: hexadecimal(anchor.id().as_bytes()),
        }
    }
}

/// The lines of a file; none where there is no file.
///
/// # Errors
/// What is wrong with it.
pub fn read(path: &Path) -> Result<Vec<Line>, String> {
    let octets = match std::fs::read(path) {
        Ok(octets) => octets,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.to_string()),
    };
    let file: File = serde_json::from_slice(&octets).map_err(|error| error.to_string())?;
    if file.version == VERSION { Ok(file.lines) } else { Err(format!("is of version {}", file.version)) }
}

fn write(path: &Path, lines: &BTreeMap<(Day, Issuer, Day), u64>) -> std::io::Result<()> {
    let line = |((day, issuer, issued), cards): (&(Day, Issuer, Day), &u64)| Line {
        day: *day,
        issuer: issuer.clone(),
        issued: *issued,
        cards: *cards,
    };
    let octets = serde_json::to_vec(&File { version: VERSION, lines: lines.iter().map(line).collect() })?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension("new");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(&octets)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

/// Why a card of that authority and month would not be taken under these anchors; nothing when it
/// would. A month that the anchor's validity covers in part counts as not covered: the file does not
/// know the day.
#[must_use]
pub fn refusal(line: &Line, anchors: &Anchors) -> Option<&'static str> {
    let known: Vec<_> = anchors.iter().map(|anchor| (Issuer::of(anchor), anchor)).collect();
    let issuer = &line.issuer;
    if known.iter().any(|(known, _)| known == issuer) {
        return None;
    }
    if !known.iter().any(|(known, _)| known.name == issuer.name) {
        return Some("no anchor has the name of their issuer");
    }
    let named = |known: &Issuer| known.name == issuer.name && known.key_identifier == issuer.key_identifier;
    if !known.iter().any(|(known, _)| named(known)) {
        return Some("no anchor of that name has their authority key identifier");
    }
    let same_key: Vec<_> =
        known.iter().filter(|(known, _)| named(known) && known.key == issuer.key).collect();
    if same_key.is_empty() {
        return Some("the anchor of that name and key identifier has another key");
    }
    let last = line.issued.plus_months(1).plus(-1).number();
    let covers = |anchor: &Anchor| {
        anchor.not_before().japan_day() <= line.issued.number() && last <= anchor.not_after().japan_day()
    };
    if same_key.iter().any(|(_, anchor)| covers(anchor)) {
        return None;
    }
    Some("they were issued outside the validity of the anchor")
}
