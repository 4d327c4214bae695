//! Writing back: a copy of a claim file in which only the SN record of an insurance changes.
//!
//! For the institution only a missing 枝番 that is certain is filled in (確認区分 stays); in a
//! reviewer's copy 確認区分 is set too. Every other octet is the file's own, broken lines, line ends
//! and what follows the end mark included. The results come in the order of the file, so a copy of
//! a large file needs no more memory than that of a small one.

use std::io::{Read, Write};

use crate::error::Error;
use crate::finding::What;
use crate::lines::{Lines, Piece};
use crate::outcome::Outcome;
use crate::record::columns;

/// For whom the copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyFor {
    /// The institution that sends the claims: fills 枝番.
    Institution,
    /// A reviewer: fills 枝番 and sets 確認区分 02 to 09.
    Review,
}

/// What changes in one SN record.
#[derive(Clone, Debug)]
struct Edit {
    line: u64,
    branch: Option<String>,
    confirmation: Option<&'static str>,
}

impl Edit {
    fn of(outcome: &Outcome, whom: CopyFor) -> Option<Self> {
        let line = outcome.confirmation_line?;
        let branch = outcome.branch.map(|branch| branch.0.to_string());
        let confirmation = outcome.code.filter(|_| whom == CopyFor::Review).map(|code| code.word());
        (branch.is_some() || confirmation.is_some()).then_some(Self { line, branch, confirmation })
    }

    /// The record with the change, without line end.
    fn apply(&self, record: &[u8]) -> Vec<u8> {
        let mut all: Vec<&[u8]> = columns(record).collect();
        if let Some(branch) = &self.branch {
            // Trailing empty columns may have been left out.
            all.resize(all.len().max(7), &[]);
            if let Some(column) = all.get_mut(6).filter(|column| column.trim_ascii().is_empty()) {
                *column = branch.as_bytes();
            }
        }
        if let (Some(code), Some(column)) = (self.confirmation, all.get_mut(2)) {
            *column = code.as_bytes();
        }
        all.join(&b',')
    }
}

/// Copies `file`, given the results of its claims in their order. Returns how many records changed.
///
/// # Errors
/// [`Error::Io`]; [`Error::MyNumber`] when a claim was refused for a 個人番号, which no copy of ours
/// repeats; [`Error::OtherFile`] when the results are those of another file; what `results` fails with.
/// What was written until then is to be thrown away.
pub fn copy(
    file: impl Read,
    results: impl IntoIterator<Item = Result<Outcome, Error>>,
    whom: CopyFor,
    mut into: impl Write,
) -> Result<u64, Error> {
    let mut lines = Lines::new(file);
    let mut results = results.into_iter();
    let mut next = next_edit(&mut results, whom)?;
    let mut changed = 0;
    while let Some(piece) = lines.next()? {
        let Some(edit) = next.as_ref().filter(|edit| edit.line <= piece.line) else {
            into.write_all(piece.octets)?;
            continue;
        };
        let whole = piece.first && piece.last && piece.octets.starts_with(b"SN,");
        if edit.line != piece.line || !whole {
            return Err(Error::OtherFile { line: edit.line });
        }
        let (record, end) = parts(&piece);
        let edited = edit.apply(record);
        changed += u64::from(edited != record);
        into.write_all(&edited)?;
        into.write_all(end)?;
        next = next_edit(&mut results, whom)?;
    }
    if let Some(edit) = next {
        return Err(Error::OtherFile { line: edit.line });
    }
    into.flush()?;
    Ok(changed)
}

fn parts<'a>(piece: &Piece<'a>) -> (&'a [u8], &'a [u8]) {
    piece.octets.split_at(piece.content().len())
}

fn next_edit(
    results: &mut impl Iterator<Item = Result<Outcome, Error>>,
    whom: CopyFor,
) -> Result<Option<Edit>, Error> {
    for outcome in results {
        let outcome = outcome?;
        if let Some(fault) = outcome.fault.as_ref().filter(|fault| fault.what == What::MyNumber) {
            return Err(Error::MyNumber { line: fault.line });
        }
        if let Some(edit) = Edit::of(&outcome, whom) {
            return Ok(Some(edit));
        }
    }
    Ok(None)
}
