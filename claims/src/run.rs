//! A run over a file: every claim read, judged, given out and counted.

use std::io::{BufRead, Read};
use std::ops::ControlFlow;

use crate::claim::Entry;
use crate::error::Error;
use crate::judge::Judge;
use crate::outcome::Outcome;
use crate::people::{People, Terms};
use crate::source::Claims;
use crate::summary::Summary;

/// Judges every claim of a file.
///
/// `each` gets the result of each claim with the claim itself and the octets read so far; breaking
/// ends the run (a cancelled job), whose summary then speaks of the claims so far.
///
/// # Errors
/// [`Error::Io`] and [`Error::Encoding`] of the file, and whatever `each` fails with.
pub fn precheck<P: People, E: From<Error>>(
    file: impl Read,
    people: &P,
    terms: Terms<'_>,
    mut each: impl FnMut(&Outcome, &Entry, u64) -> Result<ControlFlow<()>, E>,
) -> Result<Summary, E> {
    let mut claims = Claims::open(file)?;
    let mut judge = Judge::new(people, terms);
    let mut summary = Summary::default();
    while let Some(entry) = claims.next()? {
        let outcome = judge.judge(&entry);
        summary.add(&outcome);
        if each(&outcome, &entry, claims.octets())?.is_break() {
            break;
        }
    }
    summary.close(claims.notices());
    Ok(summary)
}

/// The results in NDJSON, as [`Outcome::write_json`] wrote them.
pub fn read_results(reader: impl BufRead) -> impl Iterator<Item = Result<Outcome, Error>> {
    reader
        .split(b'\n')
        .enumerate()
        .map(|(at, line)| Outcome::from_json(&line?).ok_or(Error::Result { line: at as u64 + 1 }))
}
