//! History that was kept for long enough: which rows it is, and how they go.
//!
//! A row is history once its source has said something later of the same person that was accepted. What
//! was last said stays, however old it is; so do marks, what speaks of cards, and refused rows that nothing
//! has made good: from these, and from all that came later, memory is made as before. Of a row that goes
//! only the line does: its place, its sequence and its hash stay, so that what is delivered again is known.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::sync_channel;

use eligibility::day::Timestamp;
use eligibility::feed::{Kind, Record, Source, Subject};
use eligibility::number::LinkNumber;

use crate::error::LedgerError;
use crate::handle::{Done, Ledger};
use crate::pack::Stub;
use crate::past::Glance;
use crate::postgres::renew;
use crate::read::Reader;
use crate::rows::{self, Stored};
use crate::store::{Pack, Place, Which};
use crate::writer::Work;

/// Batches unpacked at once: some megabytes.
const AT_ONCE: usize = 8;

/// Batches that one deletion shortens in one transaction: intake waits for no more.
const PART: usize = 16;

/// The rows of a source that are history: by position of their batch, their places in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replaced {
    batches: BTreeMap<u64, Vec<usize>>,
}

impl Replaced {
    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.batches.values().map(|rows| rows.len() as u64).sum()
    }

    fn add(&mut self, (position, row): (u64, usize)) {
        self.batches.entry(position).or_default().push(row);
    }

    /// Parts of some batches each, in order.
    pub(crate) fn parts(self, most: usize) -> impl Iterator<Item = BTreeMap<u64, Vec<usize>>> {
        let mut batches = self.batches.into_iter();
        std::iter::from_fn(move || {
            let part: BTreeMap<_, _> = batches.by_ref().take(most).collect();
            (!part.is_empty()).then_some(part)
        })
    }
}

/// A batch without some of its lines, as it is to be kept.
pub(crate) struct Shortened {
    pub(crate) position: u64,
    pub(crate) pack: Pack,
}

/// Where the rows on each person are that nothing has replaced yet.
#[derive(Default)]
struct Standing {
    word: Option<(u64, usize)>,
    /// Refused ones, which the next accepted one makes good.
    refused: Vec<(u64, usize)>,
}

impl Reader {
    /// The rows of a source that were history after this position. Looks at all its batches up to there.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn replaced(&self, source: Source, up_to: u64) -> Result<Replaced, LedgerError> {
        let mut replaced = Replaced::default();
        let mut standing = HashMap::<LinkNumber, Standing>::new();
        let kind = match source {
            Source::Insurer(_) => Kind::Member,
            Source::City(_) => Kind::Subsidy,
            Source::Portal | Source::Jlis | Source::Gateway => return Ok(replaced),
        };
        let mut outlines = self.store.outlines(Which::Of(source), 0, usize::MAX)?;
        outlines.retain(|outline| outline.batch.position <= up_to);
        while !outlines.is_empty() {
            let rest = outlines.split_off(outlines.len().min(AT_ONCE));
            for (outline, stored) in outlines.iter().zip(self.store.stored(&outlines)?) {
                let position = outline.batch.position;
                for (at, (stub, line)) in stored?.each().enumerate().filter(|(_, (stub, _))| !stub.dropped) {
                    let Some(person) = person_of(stub, line, kind) else { continue };
                    let standing = standing.entry(person).or_default();
                    if stub.refused {
                        standing.refused.push((position, at));
                    } else {
                        let before = standing.word.replace((position, at));
                        before
                            .into_iter()
                            .chain(standing.refused.drain(..))
                            .for_each(|row| replaced.add(row));
                    }
                }
            }
            outlines = rest;
        }
        Ok(replaced)
    }

    /// Batches without these of their lines.
    pub(crate) fn shortened(&self, rows: &BTreeMap<u64, Vec<usize>>) -> Result<Vec<Shortened>, LedgerError> {
        let shorten = |(position, rows): (&u64, &Vec<usize>)| {
            let outline = self.outline(*position)?;
            let stored = self.store.stored(outline.as_slice())?.pop().transpose()?.unwrap_or_default();
            Ok(Shortened { position: *position, pack: without(*position, stored, rows) })
        };
        rows.iter().map(shorten).collect()
    }
}

impl Ledger {
    /// Deletes the lines of rows that are history, some batches at a time, and waits until they are gone.
    /// Blocks.
    ///
    /// # Errors
    /// [`LedgerError`]; what was deleted before stays so.
    pub fn delete(&self, replaced: Replaced) -> Result<(), LedgerError> {
        let reader = self.reader()?;
        for part in replaced.parts(PART) {
            let (done, outcome) = sync_channel(1);
            let tell: Done = Box::new(move |outcome| drop(done.send(outcome)));
            self.queue(Work::Shorten(reader.shortened(&part)?), tell)?;
            outcome.recv().unwrap_or(Err(LedgerError::Closed))?;
        }
        Ok(())
    }

    /// Gives the disk back what deleted lines took, and waits until it is done; how many months of batches
    /// were made anew. A file uses its room again by itself; on a server the partitions are dropped in
    /// which lines were. Blocks, for as long as it takes to copy what stays; nobody else waits for it.
    ///
    /// # Errors
    /// [`LedgerError`]; what could not be given back is the next call's.
    pub fn give_back(&self, now: Timestamp) -> Result<u64, LedgerError> {
        match &*self.place {
            Place::File(_) => Ok(0),
            Place::Server(server) => renew(server, now.millis()),
        }
    }
}

/// Of whom an accepted row, or a refused one of this kind, speaks.
fn person_of(stub: &Stub, line: &[u8], kind: Kind) -> Option<LinkNumber> {
    let glance = Glance::of(line, stub.refused);
    let subject = if stub.refused {
        glance.refused().filter(|refused| refused.kind == Some(kind))?.subject
    } else if glance.is_veiled() {
        Record::from_json(line).ok()?.said.subject()
    } else {
        let digits = str::from_utf8(glance.link_number()?).ok()?;
        return LinkNumber::parse(digits).ok();
    };
    match subject? {
        Subject::Person(person) => Some(person),
        Subject::Card(_) => None,
    }
}

fn without(position: u64, mut stored: Stored, rows: &[usize]) -> Pack {
    let mut bodies = Vec::with_capacity(stored.bodies.len());
    let lines: Vec<_> = stored.each().map(|(_, line)| line.to_vec()).collect();
    for (at, (stub, line)) in stored.stubs.iter_mut().zip(lines).enumerate() {
        if rows.contains(&at) {
            stub.dropped = true;
            stub.length = 0;
        } else {
            bodies.extend_from_slice(&line);
        }
    }
    rows::packed(position, &stored.stubs, &bodies)
}
