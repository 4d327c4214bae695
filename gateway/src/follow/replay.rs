//! The batches after a position, read by several threads and taken in order by one.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use ledger::{Batch, LedgerError, Opened, Reader};

/// Batches read as one piece: at most some megabytes each.
const PIECE: u64 = 8;
/// Most threads that read; one takes what they read, and cannot feed more.
const MOST_READERS: usize = 4;

type Piece = Result<Vec<Batch>, LedgerError>;

/// Gives every batch after this position to `take`, in order, several at once.
///
/// # Errors
/// [`LedgerError`] when one cannot be read; those before it were taken.
pub(super) fn after(
    opened: &Opened,
    position: u64,
    mut take: impl FnMut(&[Batch]),
) -> Result<(), LedgerError> {
    let last = opened.position();
    let readers = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_READERS);
    let starts = || (position..last).step_by(PIECE as usize);
    std::thread::scope(|scope| {
        let mut pieces: Vec<Receiver<Piece>> = Vec::with_capacity(readers);
        for first in 0..readers {
            let reader = opened.another_reader()?;
            let (give, piece) = sync_channel(1);
            pieces.push(piece);
            let starts = starts().skip(first).step_by(readers);
            scope.spawn(move || read(&reader, starts, last, &give));
        }
        for (at, _) in starts().enumerate() {
            let piece = pieces.get(at % readers).and_then(|piece| piece.recv().ok());
            take(&piece.unwrap_or(Err(LedgerError::Closed))?);
        }
        Ok(())
    })
}

fn read(reader: &Reader, starts: impl Iterator<Item = u64>, last: u64, give: &SyncSender<Piece>) {
    for start in starts {
        let piece = read_piece(reader, start, last.min(start + PIECE));
        let failed = piece.is_err();
        if give.send(piece).is_err() || failed {
            return;
        }
    }
}

fn read_piece(reader: &Reader, start: u64, end: u64) -> Piece {
    let mut piece = Vec::with_capacity(PIECE as usize);
    while let Some(rest) = end.checked_sub(start + piece.len() as u64).filter(|rest| *rest > 0) {
        let more = reader.read(end - rest, rest as usize)?;
        if more.is_empty() {
            return Err(LedgerError::Corrupt { position: end - rest + 1, reason: "it is missing" });
        }
        piece.extend(more);
    }
    Ok(piece)
}
