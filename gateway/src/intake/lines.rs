//! The lines of a delivery, read by several threads and taken in order by one.
//!
//! ```text
//!           ┌─► reader ─┐
//! lines ────┤           ├──► take, in order
//!           └─► reader ─┘
//! ```

use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope};

use eligibility::feed::Source;
use ledger::{LedgerError, MOST_OFFERS, Offer};

use super::DeliverError;
use crate::background::wait_for_all_others;

/// Longest line, in octets; a person with a hundred coverages stays far below it.
const LINE: usize = 256 * 1024;
/// Most threads that read the lines of one delivery.
const MOST_READERS: usize = 8;
/// Chunks that one of them may have at once: the one it reads, and the next.
const EACH: usize = 2;

/// Lines of a delivery, as many as a batch holds.
pub(super) struct Chunk {
    /// Number of the first, from 1.
    first: u64,
    octets: Vec<u8>,
    ends: Vec<usize>,
}

impl Chunk {
    /// Whether there are no lines behind it.
    const fn is_last(&self) -> bool {
        self.ends.len() < MOST_OFFERS
    }

    /// Its lines as this source's offers, without blank ones.
    pub(super) fn offers(&self, source: Source) -> impl Iterator<Item = Offer> {
        let starts = std::iter::once(&0).chain(&self.ends);
        let lines =
            starts.zip(&self.ends).map(|(from, end)| self.octets.get(*from..*end).unwrap_or_default());
        let numbered = (self.first..).zip(lines).filter(|(_, line)| !line.trim_ascii().is_empty());
        numbered.map(move |(number, line)| Offer::from_line(source, number, line))
    }
}

/// Does some work on each chunk of lines, where there are several on as many threads of the lowest
/// priority, and takes what comes of it in the order of the lines. A delivery without any line has one
/// chunk, an empty one.
///
/// # Errors
/// When the lines cannot be read, or of `take`, which is then not called again.
pub(super) fn in_order<T: Send>(
    lines: impl BufRead,
    work: impl Fn(&Chunk) -> T + Sync,
    mut take: impl FnMut(T) -> Result<(), DeliverError>,
) -> Result<(), DeliverError> {
    let mut lines = Lines { lines, read: 0 };
    let first = lines.next_chunk()?;
    // What is small is done before threads would have begun.
    if first.is_last() {
        return take(work(&first));
    }
    let mut next = Some(first);
    let readers = thread::available_parallelism().map_or(1, usize::from).min(MOST_READERS);
    let work = &work;
    thread::scope(|scope| {
        let readers = (0..readers).map(|_| Reader::start(scope, work)).collect::<io::Result<Vec<_>>>()?;
        let of_turn = |turn: usize| &readers[turn % readers.len()];
        let (mut given, mut taken, mut ended) = (0, 0, false);
        loop {
            while !ended && given - taken < readers.len() * EACH {
                let chunk = next.take().map_or_else(|| lines.next_chunk(), Ok)?;
                ended = chunk.is_last();
                if !chunk.ends.is_empty() {
                    of_turn(given).chunks.send(chunk).map_err(|_| LedgerError::Closed)?;
                    given += 1;
                }
            }
            if taken == given {
                return Ok(());
            }
            let done = of_turn(taken).done.recv().map_err(|_| LedgerError::Closed)?;
            taken += 1;
            take(done)?;
        }
    })
}

/// A thread that reads chunks, in turn with others.
struct Reader<T> {
    chunks: SyncSender<Chunk>,
    done: Receiver<T>,
}

impl<T: Send> Reader<T> {
    fn start<'s>(scope: &'s Scope<'s, '_>, work: &'s (impl Fn(&Chunk) -> T + Sync)) -> io::Result<Self>
    where
        T: 's,
    {
        let (chunks, given) = sync_channel::<Chunk>(EACH);
        let (give, done) = sync_channel(EACH);
        let run = move || {
            wait_for_all_others();
            for chunk in given {
                if give.send(work(&chunk)).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("feed".to_owned()).spawn_scoped(scope, run)?;
        Ok(Self { chunks, done })
    }
}

struct Lines<L> {
    lines: L,
    read: u64,
}

impl<L: BufRead> Lines<L> {
    /// The next lines; fewer than a batch holds at the end.
    fn next_chunk(&mut self) -> io::Result<Chunk> {
        let mut chunk =
            Chunk { first: self.read + 1, octets: Vec::new(), ends: Vec::with_capacity(MOST_OFFERS) };
        while chunk.ends.len() < MOST_OFFERS && read_line(&mut self.lines, &mut chunk.octets)? {
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
        octets.extend_from_slice(chunk.get(..taken.min(room)).unwrap_or_default());
        if taken > room && octets.len() - start <= LINE {
            octets.push(0);
        }
        lines.consume(taken);
        if ended {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn a_line_that_is_too_long_never_passes_for_its_beginning() {
        for capacity in [LINE, LINE / 2, 1000, LINE + 1] {
            for length in [LINE - 1, LINE + 1, 3 * LINE] {
                let text = format!("{}\nnext\n", "x".repeat(length));
                let mut lines = BufReader::with_capacity(capacity, text.as_bytes());
                let mut octets = Vec::new();
                assert!(read_line(&mut lines, &mut octets).unwrap());
                assert_eq!(octets.ends_with(b"\0"), length > LINE, "{capacity} {length}");
                assert!(octets.len() <= LINE + 1);
                octets.clear();
                assert!(read_line(&mut lines, &mut octets).unwrap() && octets == b"next\n");
                assert!(!read_line(&mut lines, &mut octets).unwrap());
            }
        }
    }
}
