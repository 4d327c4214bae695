//! From lines to durable batches.
//!
//! ```text
//!           ┌─► reader: offers, compressed ─┐
//! lines ────┤                               ├──► ledger, in order ─► durable, visible ─► report
//!           └─► reader: offers, compressed ─┘        up to eight on the way
//! ```

use std::collections::VecDeque;
use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope};

use eligibility::feed::Source;
use ledger::{Appended, Delivery, Ledger, LedgerError, Offer, Parcel};

use super::{DeliverError, Refused, Report};
use crate::background::wait_for_all_others;

/// Most records of one batch.
const BATCH: usize = 2000;
/// Longest line, in octets; a person with a hundred coverages stays far below it.
const LINE: usize = 256 * 1024;
/// Most threads that read the lines of one delivery.
const MOST_READERS: usize = 8;
/// Chunks that one of them may have at once: the one it reads, and the next.
const EACH: usize = 2;
/// Batches that may be on their way through the ledger.
const ON_THE_WAY: usize = 8;

/// Reads a delivery line by line and commits it in batches, in order; it is done when all are durable
/// and visible.
///
/// # Errors
/// [`DeliverError`]; of the batches those before the failure are committed, and none behind it.
pub fn deliver(ledger: &Ledger, source: Source, lines: impl BufRead) -> Result<Report, DeliverError> {
    let mut lines = Lines { lines, read: 0 };
    let readers = thread::available_parallelism().map_or(1, usize::from).min(MOST_READERS);
    thread::scope(|scope| {
        let readers = (0..readers).map(|_| Reader::start(scope, source)).collect::<io::Result<Vec<_>>>()?;
        let mut committing = Committing::new(ledger.delivery(source));
        let (mut given, mut taken) = (0, 0);
        let mut ended = false;
        loop {
            while !ended && given - taken < readers.len() * EACH {
                let chunk = lines.next_chunk()?;
                ended = chunk.ends.len() < BATCH;
                // A delivery without a line is asked about as well: where does the source stand?
                if !chunk.ends.is_empty() || given == 0 {
                    reader(&readers, given).chunks.send(chunk).map_err(|_| LedgerError::Closed)?;
                    given += 1;
                }
            }
            if taken == given {
                return committing.finish();
            }
            let read = reader(&readers, taken).read.recv().map_err(|_| LedgerError::Closed)?;
            taken += 1;
            committing.commit(read)?;
        }
    })
}

fn reader(readers: &[Reader], turn: usize) -> &Reader {
    &readers[turn % readers.len()]
}

/// Lines of a delivery, as many as a batch holds.
struct Chunk {
    /// Number of the first, from 1.
    first: u64,
    octets: Vec<u8>,
    ends: Vec<usize>,
}

/// What became of them.
struct Read {
    parcel: Parcel,
    warnings: Vec<Refused>,
}

/// A thread that reads chunks, in turn with others.
struct Reader {
    chunks: SyncSender<Chunk>,
    read: Receiver<Read>,
}

impl Reader {
    fn start<'s>(scope: &'s Scope<'s, '_>, source: Source) -> io::Result<Self> {
        let (chunks, given) = sync_channel::<Chunk>(EACH);
        let (done, read) = sync_channel(EACH);
        let run = move || {
            wait_for_all_others();
            for chunk in given {
                if done.send(chunk.read(source)).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("feed".to_owned()).spawn_scoped(scope, run)?;
        Ok(Self { chunks, read })
    }
}

impl Chunk {
    fn read(&self, source: Source) -> Read {
        let (mut offers, mut warnings, mut from) = (Vec::with_capacity(self.ends.len()), Vec::new(), 0);
        for (number, end) in (self.first..).zip(&self.ends) {
            let line = self.octets.get(from..*end).unwrap_or_default();
            from = *end;
            if !line.trim_ascii().is_empty() {
                let offer = Offer::from_line(source, number, line);
                warnings.extend(warnings_of(&offer));
                offers.push(offer);
            }
        }
        Read { parcel: offers.into(), warnings }
    }
}

fn warnings_of(offer: &Offer) -> impl Iterator<Item = Refused> {
    let faults = offer.record().map(eligibility::feed::Record::warnings).unwrap_or_default();
    faults.into_iter().map(|fault| Refused {
        line: offer.line(),
        sequence: offer.sequence(),
        code: fault.code().to_owned(),
        field: fault.place().map(str::to_owned),
    })
}

/// Batches on their way through the ledger, and what became of those before.
struct Committing {
    delivery: Delivery,
    waiting: VecDeque<Receiver<Result<Appended, LedgerError>>>,
    report: Report,
}

impl Committing {
    fn new(delivery: Delivery) -> Self {
        Self { delivery, waiting: VecDeque::new(), report: Report::default() }
    }

    fn commit(&mut self, read: Read) -> Result<(), DeliverError> {
        self.report.warn(read.warnings);
        let (done, outcome) = sync_channel(1);
        self.delivery.append(read.parcel, Box::new(move |outcome| drop(done.send(outcome))))?;
        self.waiting.push_back(outcome);
        if self.waiting.len() >= ON_THE_WAY { self.wait() } else { Ok(()) }
    }

    /// Waits for the first that is on its way.
    fn wait(&mut self) -> Result<(), DeliverError> {
        if let Some(outcome) = self.waiting.pop_front() {
            self.report.add(outcome.recv().unwrap_or(Err(LedgerError::Closed))?);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Report, DeliverError> {
        while !self.waiting.is_empty() {
            self.wait()?;
        }
        Ok(self.report)
    }
}

/// The lines of a delivery.
struct Lines<L> {
    lines: L,
    read: u64,
}

impl<L: BufRead> Lines<L> {
    /// The next lines; fewer than a batch holds at the end.
    fn next_chunk(&mut self) -> io::Result<Chunk> {
        let mut chunk = Chunk { first: self.read + 1, octets: Vec::new(), ends: Vec::with_capacity(BATCH) };
        while chunk.ends.len() < BATCH && read_line(&mut self.lines, &mut chunk.octets)? {
            chunk.ends.push(chunk.octets.len());
        }
        self.read += chunk.ends.len() as u64;
        Ok(chunk)
    }
}

/// Appends one line, false at the end. Of a line that is too long only the beginning is kept, with a
/// NUL behind it so that it cannot pass for a record.
fn read_line(lines: &mut impl BufRead, octets: &mut Vec<u8>) -> io::Result<bool> {
    let start = octets.len();
    let mut any = false;
    loop {
        let chunk = lines.fill_buf()?;
        if chunk.is_empty() {
            return Ok(any);
        }
        any = true;
        let (taken, ended) = match memchr::memchr(b'\n', chunk) {
            Some(at) => (at + 1, true),
            None => (chunk.len(), false),
        };
        let room = LINE.saturating_sub(octets.len() - start);
        octets.extend(chunk.iter().take(taken.min(room)));
        if taken > room && octets.len() - start <= LINE {
            octets.push(0);
        }
        lines.consume(taken);
        if ended {
            return Ok(true);
        }
    }
}
