//! The interface to the engine beneath: where it keeps a ledger, and what it is asked.
//!
//! Holds no SQL. The rules of intake, the order of positions and the checks on reading are the same
//! over every engine and stand outside.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use eligibility::day::Timestamp;
use eligibility::feed::{Kind, Source};

use crate::batch::Batch;
use crate::error::LedgerError;
use crate::group::Head;
use crate::postgres::{Access, Server};
use crate::read::Filled;
use crate::rows::Stored;
use crate::standing::Standing;

/// Where a ledger is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file of SQLite's.
    File(PathBuf),
    /// A PostgreSQL server.
    Server(Server),
}

impl Place {
    /// The place of a URL `sqlite:PATH` or `postgres://…`.
    ///
    /// # Errors
    /// [`LedgerError::Url`] when it is neither, or what goes with it cannot be used.
    pub fn of_url(url: &str, access: &Access) -> Result<Self, LedgerError> {
        if let Some(path) = url.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            return Ok(Self::File(path.into()));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Server::new(url, access).map(Self::Server);
        }
        Err(LedgerError::Url { reason: "it is neither sqlite:PATH nor postgres://…".to_owned() })
    }
}

impl<P: AsRef<Path> + ?Sized> From<&P> for Place {
    fn from(path: &P) -> Self {
        Self::File(path.as_ref().to_owned())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(server) => server.fmt(f),
        }
    }
}

/// Sequence and hash of each row that has a sequence.
pub(crate) type Sequences = Vec<(u64, [u8; 16])>;

/// Called whenever others may have written.
pub(crate) type News = Box<dyn Fn() + Send + Sync>;

/// What writes. Where others write too, it tells of them; where nobody does, there is nothing to tell.
pub(crate) trait Store: Send {
    /// Begins a transaction, in which nobody else writes.
    fn begin(&mut self) -> Result<Box<dyn Transaction + '_>, LedgerError>;
    /// Whether nothing is left of a transaction that was dropped.
    fn is_whole(&self) -> bool;

    /// Takes the identity of the ledger whose copy it becomes; it is empty.
    fn adopt(&mut self, id: &[u8]) -> Result<(), LedgerError>;

    /// Whether others write too.
    fn is_shared(&self) -> bool {
        false
    }
    /// Has `news` called from now on.
    fn listen(&mut self, news: News) {
        drop(news);
    }
    /// Whether the connection is another than when this was last asked: perhaps to another history.
    fn is_new_connection(&mut self) -> bool {
        false
    }
    /// What tells the history up to this position from every other; none where it does not reach it.
    fn fingerprint(&mut self, _position: u64) -> Result<Option<[u8; 32]>, LedgerError> {
        Ok(None)
    }
    /// Batches after this position, the last of which was committed then.
    fn news(&mut self, _after: (u64, Timestamp)) -> Result<Vec<Filled>, LedgerError> {
        Ok(Vec::new())
    }
    /// Tells how far this gateway is and what it holds back. What it learns of the others; none where
    /// it was told a moment ago.
    fn share(
        &mut self,
        _position: u64,
        _held: &HashMap<Source, u64>,
    ) -> Result<Option<Standing>, LedgerError> {
        Ok(None)
    }
}

/// One transaction. Dropped, it leaves nothing.
///
/// Look-ups need to know only what was committed before: a group remembers what it adds.
pub(crate) trait Transaction {
    /// As [`Store::news`]; what nobody may add to before this ends.
    fn news(&mut self, _after: (u64, Timestamp)) -> Result<Vec<Filled>, LedgerError> {
        Ok(Vec::new())
    }
    /// The batch of this source and epoch whose sequences span this one, if any.
    fn spanning(&mut self, of: (Source, u32), sequence: u64) -> Result<Option<Span>, LedgerError>;
    /// Sequences of a batch, in any order.
    fn sequences(&mut self, position: u64) -> Result<Sequences, LedgerError>;
    /// Hashes of the refused rows of this source and epoch with this name.
    fn quarantined(&mut self, of: (Source, u32), name: &str) -> Result<Vec<[u8; 16]>, LedgerError>;
    /// Adds a batch.
    fn put(&mut self, sealed: Sealed<'_>) -> Result<(), LedgerError>;
    /// Makes durable what was put.
    fn commit(self: Box<Self>) -> Result<(), LedgerError>;
}

/// A committed batch and the sequences that moved the committed one in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) position: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// A batch as it is to be kept.
pub(crate) struct Sealed<'b> {
    pub(crate) batch: &'b Batch,
    pub(crate) since_mark: u64,
    /// First and last of the sequences that moved the committed one.
    pub(crate) moved: Option<(u64, u64)>,
    /// Its rows as [`crate::pack`] has them; none where it has no rows.
    pub(crate) pack: Option<Pack>,
}

/// Rows as octets.
pub(crate) struct Pack {
    pub(crate) stubs: Vec<u8>,
    pub(crate) bodies: Vec<u8>,
}

/// Which batches.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    /// All.
    All,
    /// Those of a source.
    Of(Source),
    /// Those with an act of the gateway's own of this kind.
    Acts(Kind),
}

/// A batch without its rows, and how many it has.
pub(crate) struct Outline {
    pub(crate) batch: Batch,
    pub(crate) rows: u64,
    /// Records read of its source since the last accepted mark.
    pub(crate) since_mark: u64,
    /// First and last of the sequences that moved the committed one.
    pub(crate) moved: Option<(u64, u64)>,
}

/// What reads, beside the one who writes.
pub(crate) trait Read: Send {
    /// Position and commit time of the last batch.
    fn last(&self) -> Result<Option<(u64, Timestamp)>, LedgerError>;
    /// Where every source stands.
    fn heads(&self) -> Result<HashMap<Source, Head>, LedgerError>;
    /// Batches after a position, in order.
    fn outlines(&self, which: Which, after: u64, most: usize) -> Result<Vec<Outline>, LedgerError>;
    /// The rows of batches, in the same order; or what is wrong with those of each.
    fn stored(&self, outlines: &[Outline]) -> Result<Vec<Result<Stored, LedgerError>>, LedgerError>;
    /// Sequences of a batch, in the order read.
    fn sequences(&self, position: u64) -> Result<Sequences, LedgerError>;
    /// Records read of a source since its last accepted mark.
    fn since_mark(&self, source: Source) -> Result<u64, LedgerError>;
    /// What tells this ledger from every other.
    fn id(&self) -> Result<Vec<u8>, LedgerError>;
}

/// A batch whose source has no name known here.
pub(crate) const fn unknown_source(position: u64) -> LedgerError {
    LedgerError::Corrupt { position, reason: "it has no known source" }
}
