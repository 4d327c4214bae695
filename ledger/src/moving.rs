//! Making a ledger's tables, and moving a ledger from one place to another.

use aws_lc_rs::digest::{Context, SHA256};

use crate::error::LedgerError;
use crate::handle::{Options, engine};
use crate::pack;
use crate::read::{Reader, filled, fingerprint};
use crate::rows::Stored;
use crate::store::{Outline, Pack, Place, Sealed, Store};

/// Batches copied as one piece, and rows after which a piece takes no further one.
const PIECE: usize = 256;

/// What a migration did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// Version of the schema before; 0 where there was none.
    pub from: i64,
    /// Version of it now.
    pub to: i64,
}

/// Makes the tables at this place, or brings those of an earlier program to this one's version. A file
/// is brought there by being opened too; a server only by this.
///
/// # Errors
/// In use, of a later version, not a ledger, or not to be reached.
pub fn migrate(place: &Place) -> Result<Migrated, LedgerError> {
    let (from, to) = match place {
        Place::File(path) => crate::sqlite::migrate(path, Options::default().busy_timeout)?,
        Place::Server(server) => crate::postgres::migrate(server)?,
    };
    Ok(Migrated { from, to })
}

/// What a ledger holds: equal of two ledgers that hold the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Sum {
    /// Batches.
    pub batches: u64,
    /// Rows of all of them.
    pub rows: u64,
    /// Position of the last.
    pub position: u64,
    /// SHA-256 over identity, batches and rows, in order.
    pub hash: [u8; 32],
}

/// Copies all batches to an empty ledger, or goes on where an earlier copy of the same one ended; then
/// reads both and compares. Nobody may write to either meanwhile. `step` is told of each position that
/// was copied, and of the last.
///
/// # Errors
/// `NotEmpty` when something else is there, `CopyDiffers` when they do not hold the same afterwards; as
/// [`Reader::read`], and as an append otherwise.
pub fn copy(from: &Place, to: &Place, mut step: impl FnMut(u64, u64)) -> Result<Sum, LedgerError> {
    let options = Options::default();
    // Opened to be written, so that no other process writes a file while it is copied.
    let (_from, mut store) = (engine(from, &options)?, engine(to, &options)?);
    let open = |place| Reader::open(place, options.busy_timeout);
    let (source, target) = (open(from)?, open(to)?);
    let mut position = target.last()?.map_or(0, |(position, _)| position);
    if position == 0 {
        store.adopt(&source.id()?)?;
    } else if source.fingerprint(position)? != target.fingerprint(position)? {
        return Err(LedgerError::NotEmpty { place: to.clone() });
    }
    let last = source.last()?.map_or(0, |(position, _)| position);
    loop {
        let piece = source.piece(position, PIECE)?;
        let Some((end, _)) = piece.last() else { break };
        position = end.batch.position;
        put(store.as_mut(), piece)?;
        step(position, last);
    }
    let sum = sum(&source)?;
    if sum != self::sum(&target)? {
        return Err(LedgerError::CopyDiffers);
    }
    Ok(sum)
}

fn put(store: &mut dyn Store, piece: Vec<(Outline, Stored)>) -> Result<(), LedgerError> {
    let mut transaction = store.begin()?;
    for (outline, stored) in piece {
        let (since_mark, moved) = (outline.since_mark, outline.moved);
        let pack = (outline.rows > 0).then(|| Pack {
            stubs: pack::stubs(outline.batch.position, &stored.stubs),
            bodies: pack::compress(std::iter::once(stored.bodies.as_slice())),
        });
        let (batch, _) = filled(outline, &stored)?;
        transaction.put(Sealed { batch: &batch, since_mark, moved, pack })?;
    }
    transaction.commit()
}

fn sum(reader: &Reader) -> Result<Sum, LedgerError> {
    let mut all = Context::new(&SHA256);
    all.update(&reader.id()?);
    let mut sum = Sum::default();
    loop {
        let piece = reader.piece(sum.position, PIECE)?;
        if piece.is_empty() {
            break;
        }
        for (Outline { batch, rows, since_mark, moved }, stored) in piece {
            let hashes: Vec<_> =
                stored.stubs.iter().map(|stub| (stub.sequence.unwrap_or(0), stub.hash)).collect();
            all.update(&fingerprint(&[], &batch, rows, &hashes));
            let (first, last) = moved.unwrap_or_default();
            [since_mark, first, last].iter().for_each(|number| all.update(&number.to_le_bytes()));
            for stub in &stored.stubs {
                all.update(&stub.previous.unwrap_or(0).to_le_bytes());
                all.update(&(stub.length as u64).to_le_bytes());
            }
            all.update(&stored.bodies);
            (sum.position, sum.batches, sum.rows) = (batch.position, sum.batches + 1, sum.rows + rows);
        }
    }
    for (slot, octet) in sum.hash.iter_mut().zip(all.finish().as_ref()) {
        *slot = *octet;
    }
    Ok(sum)
}
