//! Replay in order, and the history of one subject.
//!
//! What is read is checked: positions without gap, as many rows as the batch says, accepted lines
//! against their hash.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use aws_lc_rs::digest;
use eligibility::day::Timestamp;
use eligibility::feed::{Kind, Source, Subject};
use memchr::memmem::Finder;

use crate::batch::{Batch, Content, Row, Told};
use crate::error::LedgerError;
use crate::group::Head;
use crate::rows::{self, Stored};
use crate::store::{Outline, Place, Read, Which};
use crate::{postgres, sqlite};

/// Rows after which a read takes no further batch, so that one read stays within some megabytes.
const ENOUGH_ROWS: u64 = 16_384;

/// Reads the ledger on a connection of its own, beside the writer.
pub struct Reader {
    store: Box<dyn Read>,
}

impl Reader {
    pub(crate) fn open(place: &Place, busy: Duration) -> Result<Self, LedgerError> {
        let store = match place {
            Place::File(path) => Box::new(sqlite::Tables::open(path, busy)?) as Box<dyn Read>,
            Place::Server(server) => Box::new(postgres::Tables::open(server)?),
        };
        Ok(Self { store })
    }

    /// Position and commit time of the last batch.
    pub(crate) fn last(&self) -> Result<Option<(u64, Timestamp)>, LedgerError> {
        self.store.last()
    }

    /// Where every source stands.
    pub(crate) fn heads(&self) -> Result<HashMap<Source, Head>, LedgerError> {
        self.store.heads()
    }

    /// The batches after this position, in order; none at the end. At most `most` batches, and
    /// fewer, yet at least one, where they hold many rows.
    ///
    /// # Errors
    /// `Read` when the ledger cannot be read, `Corrupt` when it does not say what was written.
    pub fn read(&self, after: u64, most: usize) -> Result<Vec<Batch>, LedgerError> {
        self.filled(self.outlines(after, most)?)
    }

    /// As [`Reader::read`], with the rows as they are kept.
    pub(crate) fn piece(&self, after: u64, most: usize) -> Result<Vec<(Outline, Stored)>, LedgerError> {
        let outlines = self.outlines(after, most)?;
        let stored = self.store.stored(&outlines)?.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(outlines.into_iter().zip(stored).collect())
    }

    fn outlines(&self, after: u64, most: usize) -> Result<Vec<Outline>, LedgerError> {
        let mut outlines = self.store.outlines(Which::All, after, most)?;
        without_gap(after, &outlines)?;
        let mut rows = 0;
        outlines.retain(|outline| {
            let enough = rows >= ENOUGH_ROWS;
            rows += outline.rows;
            !enough
        });
        Ok(outlines)
    }

    /// One source's batches after a position, in order. The next page is after the last one's
    /// position; an empty one is the end.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn read_source(&self, source: Source, after: u64, most: usize) -> Result<Vec<Batch>, LedgerError> {
        self.filled(self.store.outlines(Which::Of(source), after, most)?)
    }

    /// The batches after this position with an act of the gateway's own of this kind, in order: its
    /// links excepted, which memory has. The next page is after the last one's position; an empty one
    /// is the end.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn acts(&self, kind: Kind, after: u64, most: usize) -> Result<Vec<Batch>, LedgerError> {
        self.filled(self.store.outlines(Which::Acts(kind), after, most)?)
    }

    /// How many records were read of a source since its last accepted mark.
    ///
    /// # Errors
    /// `Read` when the ledger cannot be read.
    pub fn since_mark(&self, source: Source) -> Result<u64, LedgerError> {
        self.store.since_mark(source)
    }

    /// The batch at this position, without its rows.
    fn outline(&self, position: u64) -> Result<Option<Outline>, LedgerError> {
        let found = self.store.outlines(Which::All, position.saturating_sub(1), 1)?.pop();
        Ok(found.filter(|one| one.batch.position == position))
    }

    fn filled(&self, outlines: Vec<Outline>) -> Result<Vec<Batch>, LedgerError> {
        let stored = self.store.stored(&outlines)?;
        outlines.into_iter().zip(stored).map(|(outline, stored)| Ok(filled(outline, &stored?)?.0)).collect()
    }

    /// What this ledger, and no other and no other history of it, says up to this position: SHA-256
    /// over its identity and over place, time and hashes of the batch there. `None` where it has none.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn fingerprint(&self, position: u64) -> Result<Option<[u8; 32]>, LedgerError> {
        let Some(Outline { batch, rows, .. }) = self.outline(position)? else { return Ok(None) };
        Ok(Some(fingerprint(&self.store.id()?, &batch, rows, &self.store.sequences(position)?)))
    }

    /// What tells this ledger from every other.
    pub(crate) fn id(&self) -> Result<Vec<u8>, LedgerError> {
        self.store.id()
    }

    /// What a source said of a subject, newest first, at most `most` records: the accepted ones,
    /// from the batch at `last_word` (as memory knows it) along the rows' `previous`.
    ///
    /// # Errors
    /// As [`Reader::read`]; `Corrupt` also where the chain leads to no such record.
    pub fn history(
        &self,
        source: Source,
        subject: Subject,
        last_word: u64,
        most: usize,
    ) -> Result<Vec<Told>, LedgerError> {
        let wanted = Wanted::new(subject);
        let mut told = Vec::new();
        let mut next = Some(last_word);
        while let Some(position) = next.filter(|_| told.len() < most) {
            let outline = self.outline(position)?.filter(|outline| outline.batch.source == source);
            let Some(outline) = outline else {
                return Err(corrupt(position, "a history leads to no batch of its source"));
            };
            let stored = self.store.stored(std::slice::from_ref(&outline))?.pop().transpose()?;
            let batch = outline.batch;
            next = None;
            let mut any = false;
            let rows = rows_of(&batch, &stored.unwrap_or_default(), Some(&wanted))?;
            for row in rows.into_iter().rev() {
                let Content::Accepted(record) = row.content else { continue };
                if record.said.subject() != Some(subject) {
                    continue;
                }
                any = true;
                next = row.previous.filter(|previous| *previous < position);
                told.push(Told { position, committed_at: batch.committed_at, record });
            }
            if !any {
                return Err(corrupt(position, "a history leads to a batch without its subject"));
            }
        }
        told.truncate(most);
        Ok(told)
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

/// Which rows a history has to parse: most of a batch can be told apart by a look at their bytes.
struct Wanted {
    digits: Finder<'static>,
}

impl Wanted {
    fn new(subject: Subject) -> Self {
        let digits = match subject {
            Subject::Person(number) => number.reveal(),
            Subject::Card(serial) => serial.reveal(),
        };
        Self { digits: Finder::new(&digits).into_owned() }
    }

    fn may_be(&self, line: &[u8]) -> bool {
        // An escape may spell the digits.
        self.digits.find(line).is_some() || memchr::memchr(b'\\', line).is_some()
    }
}

/// Whether these are the batches right after a position.
pub(crate) fn without_gap(after: u64, outlines: &[Outline]) -> Result<(), LedgerError> {
    let gap = (after + 1..).zip(outlines).find(|(expected, outline)| outline.batch.position != *expected);
    gap.map_or(Ok(()), |(_, outline)| Err(corrupt(outline.batch.position, "a batch before it is missing")))
}

/// A batch, and where its source stands after it.
pub(crate) type Filled = (Batch, Head);

/// A batch with all its rows.
pub(crate) fn filled(outline: Outline, stored: &Stored) -> Result<Filled, LedgerError> {
    let Outline { mut batch, rows, since_mark, .. } = outline;
    if stored.len() as u64 != rows {
        return Err(corrupt(batch.position, "it has not as many rows as it says"));
    }
    batch.rows = rows_of(&batch, stored, None)?;
    let Batch { epoch, committed_sequence, .. } = batch;
    Ok((batch, Head { epoch, committed_sequence, since_mark }))
}

/// What a ledger of this identity, and no other and no other history of it, says up to this batch.
pub(crate) fn fingerprint(id: &[u8], batch: &Batch, rows: u64, sequences: &[(u64, [u8; 16])]) -> [u8; 32] {
    let mut sum = digest::Context::new(&digest::SHA256);
    sum.update(id);
    sum.update(batch.source.to_string().as_bytes());
    for number in [batch.position, batch.committed_sequence, u64::from(batch.epoch), rows] {
        sum.update(&number.to_le_bytes());
    }
    sum.update(&batch.committed_at.millis().to_le_bytes());
    for (sequence, hash) in sequences {
        sum.update(&sequence.to_le_bytes());
        sum.update(hash);
    }
    let mut print = [0; 32];
    for (slot, octet) in print.iter_mut().zip(sum.finish().as_ref()) {
        *slot = *octet;
    }
    print
}

/// Rows of a batch; with a subject, those that may be accepted words on it.
fn rows_of(batch: &Batch, stored: &Stored, of: Option<&Wanted>) -> Result<Vec<Row>, LedgerError> {
    let mut rows = Vec::with_capacity(if of.is_some() { 1 } else { stored.len() });
    for (stub, body) in stored.each() {
        if of.is_none_or(|wanted| !stub.refused && wanted.may_be(body)) {
            let row = rows::row(stub, body, batch.source);
            rows.push(row.map_err(|reason| corrupt(batch.position, reason))?);
        }
    }
    Ok(rows)
}

const fn corrupt(position: u64, reason: &'static str) -> LedgerError {
    LedgerError::Corrupt { position, reason }
}
