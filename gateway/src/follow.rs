//! The one way into memory: batches of the ledger, in order.
//!
//! ```text
//! start:  files of memory ─► the batches after them ─► followed
//!         some damaged ─► made good ─┘               │
//!         none, or not this ledger's ─► all batches ─┘
//! then:   ledger ─► apply ─► visible        files ◄─ written behind, every minute
//! ```
//!
//! At the start memory is taken from its files, and the batches after them are read; from then on each
//! commit hands its batches over before anybody is told of it, and what other gateways committed comes
//! the same way. There is no other writer.

mod files;
mod replay;

use std::path::Path;
use std::sync::{Arc, Mutex, Once, PoisonError};

use cache::{Reader, Writer};
use eligibility::day::Timestamp;
use eligibility::feed::{Kind, ListArrival, Record, Said, Source, Subject};
use eligibility::number::{LinkNumber, Serial};
use ledger::{Content, Ledger, LedgerError, Opened, Options, Place};

use crate::background::wait_for_all_others;
use crate::clock::Clock;
use crate::config::Config;
use crate::start::StartError;
use crate::trust::Memories;

use files::Taken;
pub use files::{Behind, FilesError, Kept, hand_over, take_over};

/// Batches read at once where only acts of the gateway's own are wanted.
const ACTS: usize = 256;

/// A ledger with the memory that follows it.
pub struct Followed {
    /// Where records go.
    pub ledger: Ledger,
    /// Where they are found.
    pub memory: Reader,
    /// When the last batch was written.
    pub written: Option<Timestamp>,
    /// What is remembered of revocation lists.
    pub lists: Memories,
    /// What is said of them from then on.
    pub heard: Heard,
    /// How memory was made.
    pub began: Began,
    /// Memory's files.
    pub files: Kept,
}

/// How memory was made at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Began {
    /// Position up to which it came from files; 0 where it came from the ledger alone.
    pub from_files: u64,
    /// Batches of the ledger that were read after that.
    pub followed: u64,
    /// Files that were damaged and made good first.
    pub mended: usize,
}

/// Opens the ledger, makes memory of its files in this folder and of the batches after them, and
/// follows from there.
///
/// # Errors
/// [`LedgerError`] when it cannot be opened or read.
pub fn start(place: &Place, folder: &Path) -> Result<Followed, LedgerError> {
    let clock = Clock::system();
    start_at(place, folder, Box::new(move || clock.now()))
}

/// As [`start`], with a clock of one's own.
///
/// # Errors
/// As [`start`].
pub fn start_at(place: &Place, folder: &Path, now: ledger::Now) -> Result<Followed, LedgerError> {
    let opened = Ledger::open(place.clone(), Options::default())?;
    let alone = files::alone(folder)?;
    let Taken { mut writer, memory, mended } = files::open(folder, &opened)?.unwrap_or_else(Taken::nothing);
    let from_files = memory.generation();
    replay::after(&opened, from_files, |batches| apply(&mut writer, batches))?;
    let began = Began { from_files, followed: opened.position() - from_files, mended };
    let lists = remembered(&opened)?;
    let written = opened.committed_at();
    let writer = Arc::new(Mutex::new(writer));
    let files = Kept::new(folder, Arc::clone(&writer), memory.clone(), (opened.another_reader()?, alone));
    let heard = Heard::default();
    let hearing = heard.clone();
    let first = Once::new();
    let visible = move |batches: &[ledger::Batch]| {
        // The one who writes is the ledger's own thread; from its first batch on it waits for desks.
        first.call_once(wait_for_all_others);
        batches.iter().for_each(|batch| hearing.hear(batch));
        apply(&mut lock(&writer), batches);
    };
    let ledger = opened.start(Box::new(Memory(memory.clone())), Box::new(visible), now)?;
    Ok(Followed { ledger, memory, written, lists, heard, began, files })
}

/// As [`start`], with the ledger and the folder of this configuration.
///
/// # Errors
/// [`StartError::Ledger`], with the ledger's place.
pub fn from_config(config: &Config) -> Result<Followed, StartError> {
    let unusable = |error| StartError::Ledger { place: config.ledger.url.clone(), error };
    let place = config.ledger_place().map_err(unusable)?;
    let failed = |error| StartError::Ledger { place: place.to_string(), error };
    start(&place, &config.memory_folder()).map_err(failed)
}

/// Memory as of the ledger's last batch, beside a process that may be writing the ledger and memory's
/// files.
///
/// # Errors
/// [`LedgerError`] when the ledger cannot be opened or read.
pub fn beside(place: &Place, folder: &Path) -> Result<(ledger::Reader, Reader), LedgerError> {
    let ledger = ledger::Reader::beside(place.clone())?;
    let (mut writer, memory) = files::beside(folder, &ledger)?.unwrap_or_else(cache::empty);
    loop {
        let batches = ledger.read(memory.generation(), ACTS)?;
        if batches.is_empty() {
            return Ok((ledger, memory));
        }
        apply(&mut writer, &batches);
    }
}

impl Followed {
    /// Ends the ledger and writes memory's files, so that the next start has nothing to read again.
    pub fn close(self) {
        self.ledger.close();
        let _ = self.files.save_or_warn();
    }
}

/// What the gateway has said of revocation lists. These records are few beside all others, and are
/// read on their own.
fn remembered(opened: &Opened) -> Result<Memories, LedgerError> {
    let mut lists = Memories::default();
    let mut after = 0;
    loop {
        let batches = opened.reader().acts(Kind::List, after, ACTS)?;
        let Some(last) = batches.last() else { return Ok(lists) };
        after = last.position;
        batches.iter().for_each(|batch| remember(&mut lists, batch));
    }
}

fn remember(lists: &mut Memories, batch: &ledger::Batch) {
    lists_in(batch).for_each(|list| lists.take(list));
}

fn lists_in(batch: &ledger::Batch) -> impl Iterator<Item = &ListArrival> {
    let rows = batch.rows.iter().filter(|_| batch.source == Source::Gateway);
    rows.filter_map(|row| match &row.content {
        Content::Accepted(Record { said: Said::List(list), .. }) => Some(&**list),
        _ => None,
    })
}

/// What gateways say of revocation lists while this one serves, until it is taken: this one knows its own
/// already, and of the others nothing.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<ListArrival>>>);

impl Heard {
    fn hear(&self, batch: &ledger::Batch) {
        let mut lists = lists_in(batch).peekable();
        if lists.peek().is_some() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(lists.cloned());
        }
    }

    /// What was said since it was last taken.
    #[must_use]
    pub fn take(&self) -> Vec<ListArrival> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Takes batches into memory, where they become visible together.
pub fn apply(writer: &mut Writer, batches: &[ledger::Batch]) {
    writer.apply_all(batches.iter().map(as_applied));
}

/// A batch as memory takes it.
pub(crate) fn as_applied(batch: &ledger::Batch) -> cache::Batch<'_> {
    let rows = batch.rows.iter().map(|row| match &row.content {
        Content::Accepted(record) => cache::Row::Accepted(record),
        Content::Refused(refused) => {
            cache::Row::Refused { name: row.name().into(), sequence: row.sequence, refused }
        }
    });
    cache::Batch {
        position: batch.position,
        source: batch.source,
        epoch: batch.epoch,
        committed_at: batch.committed_at,
        committed_sequence: batch.committed_sequence,
        rows: rows.collect(),
    }
}

/// Nothing under this lock leaves memory half done: a panic in it poisons nothing.
fn lock(writer: &Mutex<Writer>) -> std::sync::MutexGuard<'_, Writer> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the ledger asks memory while it judges a record.
struct Memory(Reader);

impl ledger::Memory for Memory {
    fn last_word(&self, source: Source, subject: Subject) -> Option<u64> {
        self.0.last_word(source, subject)
    }

    fn owner(&self, serial: Serial) -> Option<LinkNumber> {
        self.0.owner(serial)
    }

    fn has_card(&self, person: LinkNumber) -> bool {
        self.0.has_card(person)
    }
}
