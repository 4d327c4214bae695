//! What was known at a moment: the position it had come to, and what a source had said up to there.
//!
//! Every batch of the source is unpacked, and most of its lines are told apart by a [`Glance`]. Who asks
//! waits for as long as that takes: no index is kept for it.

use std::sync::LazyLock;

use eligibility::day::Timestamp;
use eligibility::feed::{Record, Refused, Source};
use memchr::memmem::Finder;

use crate::batch::Batch;
use crate::error::LedgerError;
use crate::handle::Options;
use crate::pack::Stub;
use crate::read::{Reader, rows_of};
use crate::store::{Place, Which};

/// Batches unpacked at once: some megabytes.
const AT_ONCE: usize = 8;

static LINK_NUMBER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"link_number\""));
static BIRTH_DATE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"birth_date\""));
static RESOLVES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"resolves\""));
static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"complete_to\""));

/// What can be told of a row without reading it.
#[derive(Clone, Copy)]
pub struct Glance<'l> {
    line: &'l [u8],
    refused: bool,
}

impl<'l> Glance<'l> {
    pub(crate) const fn of(line: &'l [u8], refused: bool) -> Self {
        Self { line, refused }
    }

    /// The record, read.
    #[must_use]
    pub fn record(&self) -> Option<Record> {
        if self.refused { None } else { Record::from_json(self.line).ok() }
    }

    /// Why it was refused, if it was.
    #[must_use]
    pub fn refused(&self) -> Option<Refused> {
        if self.refused { Refused::from_json(self.line) } else { None }
    }

    /// Whether nothing can be told: an escape may spell anything.
    #[must_use]
    pub fn is_veiled(&self) -> bool {
        memchr::memchr(b'\\', self.line).is_some()
    }

    /// Whether it may move the source's standing: a mark, or a record that makes others good.
    #[must_use]
    pub fn may_settle(&self) -> bool {
        MARK.find(self.line).is_some() || RESOLVES.find(self.line).is_some()
    }

    /// The 紐付番号 as it is written.
    #[must_use]
    pub fn link_number(&self) -> Option<&'l [u8]> {
        self.text(&LINK_NUMBER)
    }

    /// The birth date as it is written.
    #[must_use]
    pub fn birth_date(&self) -> Option<&'l [u8]> {
        self.text(&BIRTH_DATE)
    }

    fn text(&self, name: &Finder<'_>) -> Option<&'l [u8]> {
        let value = self.line.get(name.find(self.line)? + name.needle().len()..)?;
        let value = value.get(memchr::memchr(b'"', value)? + 1..)?;
        value.get(..memchr::memchr(b'"', value)?)
    }
}

impl Reader {
    /// Reads a ledger that another process may be writing.
    ///
    /// # Errors
    /// Of another schema, not a ledger, or not to be opened.
    pub fn beside(place: impl Into<Place>) -> Result<Self, LedgerError> {
        Self::open(&place.into(), Options::default().busy_timeout)
    }

    /// Position of the last batch committed not after this time; 0 where there is none.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn position_at(&self, at: Timestamp) -> Result<u64, LedgerError> {
        // Commit times never go back along positions, and positions have no gaps.
        let (mut known, mut beyond) = (0, self.last()?.map_or(0, |(last, _)| last) + 1);
        while beyond - known > 1 {
            let middle = known + (beyond - known) / 2;
            if self.outline(middle)?.is_some_and(|outline| outline.batch.committed_at <= at) {
                known = middle;
            } else {
                beyond = middle;
            }
        }
        Ok(known)
    }

    /// Gives a source's batches up to a position to `take`, in order, each with those of its rows that are
    /// wanted; `wants` sees all of them in the order read. Batches of which nothing is wanted are left
    /// out, but the last.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn sift(
        &self,
        source: Source,
        up_to: u64,
        mut wants: impl FnMut(Glance<'_>) -> bool,
        mut take: impl FnMut(Batch),
    ) -> Result<(), LedgerError> {
        let mut last = None::<Batch>;
        let mut outlines = self.store.outlines(Which::Of(source), 0, usize::MAX)?;
        outlines.retain(|outline| outline.batch.position <= up_to);
        while !outlines.is_empty() {
            let rest = outlines.split_off(outlines.len().min(AT_ONCE));
            let stored = self.store.stored(&outlines)?;
            for (outline, stored) in outlines.into_iter().zip(stored) {
                let mut batch = outline.batch;
                let wants = |stub: &Stub, line: &[u8]| wants(Glance { line, refused: stub.refused });
                batch.rows = rows_of(&batch, &stored?, wants)?;
                last.replace(batch).filter(|before| !before.rows.is_empty()).map(&mut take);
            }
            outlines = rest;
        }
        last.map(take);
        Ok(())
    }
}
