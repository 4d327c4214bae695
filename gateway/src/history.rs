//! For how long history is kept: deleting what was kept for long enough, and showing that it is gone.
//!
//! ```text
//! what is history? ─► a deletion in the ledger (since when, how many, the sum of memory) ─► its lines go
//!                         │
//!                    scan: none is left, and from what is left the same memory is made
//! ```
//!
//! The deletion is written down first: one that a crash cuts short is finished by the next start.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use eligibility::day::Timestamp;
use eligibility::feed::{Deletion, Kind, Record, Said, Source};
use ledger::{Content, Ledger, LedgerError, Reader, Replaced};

use crate::background::lowest;
use crate::config::KeepHistory;
use crate::follow::as_applied;
use crate::gateway::{Gateway, Phase};

/// How often it is looked whether anything is due.
const LOOK: Duration = Duration::from_secs(86_400);
/// Days of history that go at once: all that sources ever said is read for it.
const DAYS_AT_ONCE: i64 = 30;
/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// Batches read at once.
const PAGE: usize = 64;

/// Deletes what was kept for long enough, now and whenever another month of it is due.
///
/// # Errors
/// When the system gives no thread.
pub fn start(gateway: &Arc<Gateway>, keep: KeepHistory) -> std::io::Result<()> {
    let gateway = Arc::clone(gateway);
    let run = move || {
        if let Err(error) = finish(&gateway.ledger, &gateway.desk.memory) {
            tracing::error!(%error, "a deletion of history not finished; tried again with the next start");
        }
        while gateway.phase() == Phase::Serving {
            let now = gateway.clock.now();
            match delete(&gateway.ledger, &gateway.desk.memory, &keep, now, DAYS_AT_ONCE) {
                Ok(deletions) => deletions.iter().for_each(|one| {
                    tracing::info!(of = one.of.word(), before = %one.before, rows = one.rows, "history deleted");
                }),
                Err(error) => tracing::error!(%error, "history not deleted; tried again"),
            }
            if let Err(error) = gateway.ledger.give_back(now) {
                tracing::error!(%error, "old months not dropped; tried again");
            }
            std::thread::park_timeout(LOOK);
        }
    };
    lowest("history", run).map(drop)
}

/// Deletes what was kept for long enough, if at least so many days of it are due; gives what was recorded.
///
/// # Errors
/// [`LedgerError`]; what was recorded and not yet deleted is [`finish`]'s.
pub fn delete(
    ledger: &Ledger,
    memory: &cache::Reader,
    keep: &KeepHistory,
    now: Timestamp,
    days: i64,
) -> Result<Vec<Deletion>, LedgerError> {
    let reader = ledger.reader()?;
    let last = latest(&deletions(&reader)?);
    let mut recorded = Vec::new();
    for (of, kept) in keep.classes() {
        let due = now.plus_millis(-i64::from(kept) * DAY);
        let before = last.get(&of.word()).map(|one| one.before);
        if before.is_some_and(|before| due.millis() - before.millis() < days * DAY) {
            continue;
        }
        let replaced = history(&reader, memory, of, due)?;
        let rows = replaced.iter().map(Replaced::rows).sum();
        if rows == 0 {
            continue;
        }
        let (position, state) = {
            let view = memory.view();
            (view.generation(), view.sum())
        };
        let deletion = Deletion { of, before: due, rows, position, state };
        act(ledger, Said::Deletion(Box::new(deletion)))?;
        replaced.into_iter().try_for_each(|one| ledger.delete(one))?;
        recorded.push(deletion);
    }
    Ok(recorded)
}

/// Finishes what a crash may have cut short: deletes what is left of recorded deletions.
///
/// # Errors
/// [`LedgerError`]; what was deleted before stays so.
pub fn finish(ledger: &Ledger, memory: &cache::Reader) -> Result<(), LedgerError> {
    let reader = ledger.reader()?;
    for deletion in latest(&deletions(&reader)?).into_values() {
        let left = history(&reader, memory, deletion.of, deletion.before)?;
        left.into_iter().try_for_each(|one| ledger.delete(one))?;
    }
    Ok(())
}

/// The rows of a class that were history before a moment, of each source.
fn history(
    reader: &Reader,
    memory: &cache::Reader,
    of: Kind,
    before: Timestamp,
) -> Result<Vec<Replaced>, LedgerError> {
    let position = reader.position_at(before)?;
    if position == 0 {
        return Ok(Vec::new());
    }
    let sources = memory.sources().into_iter().map(|(source, _)| source);
    let of_class = sources.filter(|source| source.owns(of) && *source != Source::Gateway);
    of_class.map(|source| reader.replaced(source, position)).collect()
}

fn act(ledger: &Ledger, said: Said) -> Result<(), LedgerError> {
    let (done, outcome) = sync_channel(1);
    ledger.act(said, Box::new(move |outcome| drop(done.send(outcome))))?;
    outcome.recv().unwrap_or(Err(LedgerError::Closed)).map(drop)
}

/// Every deletion that the ledger records, in order.
///
/// # Errors
/// [`LedgerError`] when it cannot be read.
pub fn deletions(ledger: &Reader) -> Result<Vec<Deletion>, LedgerError> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let batches = ledger.acts(Kind::Deletion, after, PAGE)?;
        let Some(last) = batches.last() else { return Ok(all) };
        after = last.position;
        for row in batches.iter().flat_map(|batch| &batch.rows) {
            if let Content::Accepted(Record { said: Said::Deletion(deletion), .. }) = &row.content {
                all.push(**deletion);
            }
        }
    }
}

/// Since when all history is there; `None` while nothing was deleted.
///
/// # Errors
/// As [`deletions`].
pub fn kept_since(ledger: &Reader) -> Result<Option<Timestamp>, LedgerError> {
    Ok(deletions(ledger)?.into_iter().map(|deletion| deletion.before).max())
}

fn latest(deletions: &[Deletion]) -> BTreeMap<&'static str, Deletion> {
    deletions.iter().map(|deletion| (deletion.of.word(), *deletion)).collect()
}

/// What a scan of the ledger shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanned {
    /// The last deletion of each class, and how many rows are left that should be gone.
    pub left: Vec<(Deletion, u64)>,
    /// Positions at which memory, made of what is left, holds something else than before the deletion.
    pub changed: Vec<u64>,
    /// Batches read.
    pub batches: u64,
}

impl Scanned {
    /// Whether everything is as it was recorded.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.changed.is_empty() && self.left.iter().all(|(_, left)| *left == 0)
    }
}

/// Scans the ledger: makes memory of all that is left, and holds it against each recorded deletion.
///
/// # Errors
/// [`LedgerError`] when it cannot be read.
pub fn scan(ledger: &Reader) -> Result<Scanned, LedgerError> {
    let deletions = deletions(ledger)?;
    let sums: BTreeMap<_, _> = deletions.iter().map(|one| (one.position, one.state)).collect();
    let (mut writer, memory) = cache::empty();
    let mut changed = Vec::new();
    loop {
        let batches = ledger.read(memory.generation(), PAGE)?;
        if batches.is_empty() {
            break;
        }
        for batch in &batches {
            writer.apply(as_applied(batch));
            if sums.get(&batch.position).is_some_and(|sum| *sum != memory.view().sum()) {
                changed.push(batch.position);
            }
        }
    }
    let left = |deletion: Deletion| {
        let left = history(ledger, &memory, deletion.of, deletion.before)?;
        Ok((deletion, left.iter().map(Replaced::rows).sum()))
    };
    let left = latest(&deletions).into_values().map(left).collect::<Result<_, LedgerError>>()?;
    Ok(Scanned { left, changed, batches: memory.generation() })
}
