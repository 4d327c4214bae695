//! The one way into memory: batches of the ledger, in order.
//!
//! At the start all that were ever committed are read; from then on each commit hands its batches
//! over before anybody is told of it. There is no other writer.

use std::path::Path;

use cache::Reader;
use eligibility::day::Timestamp;
use eligibility::feed::{Record, Said, Source, Subject};
use eligibility::number::{LinkNumber, Serial};
use ledger::{Content, Ledger, LedgerError, Options};

use crate::clock::Clock;
use crate::trust::Memories;

/// Batches read at once during the start.
const BATCHES: usize = 256;

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
}

/// Opens the ledger, reads it into memory, and follows it from there.
///
/// # Errors
/// [`LedgerError`] when it cannot be opened or read.
pub fn start(path: &Path) -> Result<Followed, LedgerError> {
    let opened = Ledger::open(path, Options::default())?;
    let (mut writer, memory) = cache::empty();
    let mut after = 0;
    let mut written = None;
    let mut lists = Memories::default();
    loop {
        let batches = opened.read(after, BATCHES)?;
        let Some(last) = batches.last() else { break };
        after = last.position;
        written = Some(last.committed_at);
        for batch in &batches {
            apply(&mut writer, batch);
            remember(&mut lists, batch);
        }
    }
    let visible = move |batches: &[ledger::Batch]| {
        for batch in batches {
            apply(&mut writer, batch);
        }
    };
    let clock = Clock::system();
    let ledger =
        opened.start(Box::new(Memory(memory.clone())), Box::new(visible), Box::new(move || clock.now()))?;
    Ok(Followed { ledger, memory, written, lists })
}

fn remember(lists: &mut Memories, batch: &ledger::Batch) {
    for row in &batch.rows {
        if let Content::Accepted(Record { said: Said::List(list), .. }) = &row.content {
            lists.take(list);
        }
    }
}

fn apply(writer: &mut cache::Writer, batch: &ledger::Batch) {
    let rows = batch.rows.iter().map(|row| match &row.content {
        Content::Accepted(record) => cache::Row::Accepted(record),
        Content::Refused(refused) => {
            cache::Row::Refused { name: row.name().into(), sequence: row.sequence, refused }
        }
    });
    writer.apply(cache::Batch {
        position: batch.position,
        source: batch.source,
        epoch: batch.epoch,
        committed_at: batch.committed_at,
        committed_sequence: batch.committed_sequence,
        rows: rows.collect(),
    });
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
