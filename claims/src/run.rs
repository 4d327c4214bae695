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

/// Claims whose people are looked for together.
const TOGETHER: usize = 32;

/// A claim that was judged.
pub struct Judged<'j, P: People> {
    /// What became of it.
    pub outcome: &'j Outcome,
    /// The claim itself.
    pub entry: &'j Entry,
    /// Whom its numbers hit, and perhaps others whom memory gave with them.
    pub found: &'j [P::Person],
    /// Octets of the file up to its end.
    pub octets: u64,
}

/// Judges every claim of a file, and gives each to `each`, whose breaking ends the run; the summary then
/// speaks of the claims so far.
///
/// # Errors
/// [`Error::Io`] and [`Error::Encoding`] of the file, after the claims before them, and whatever `each`
/// fails with.
pub fn precheck<P: People, E: From<Error>>(
    file: impl Read,
    people: &P,
    terms: Terms<'_>,
    mut each: impl FnMut(&Judged<'_, P>) -> Result<ControlFlow<()>, E>,
) -> Result<Summary, E> {
    let mut claims = Claims::open(file)?;
    let mut judge = Judge::new(people, terms);
    let mut summary = Summary::default();
    let mut group = Vec::with_capacity(TOGETHER);
    let mut more = Ok(true);
    while let Ok(true) = more {
        group.clear();
        more = fill(&mut group, &mut claims);
        judge.expect(group.iter().map(|(entry, _)| entry));
        for (entry, octets) in &group {
            let outcome = judge.judge(entry);
            summary.add(&outcome);
            let judged = Judged { outcome: &outcome, entry, found: judge.found(), octets: *octets };
            if each(&judged)?.is_break() {
                summary.close(claims.notices());
                return Ok(summary);
            }
        }
    }
    more?;
    summary.close(claims.notices());
    Ok(summary)
}

/// Reads the next claims; whether there may be more.
fn fill<R: Read>(group: &mut Vec<(Entry, u64)>, claims: &mut Claims<R>) -> Result<bool, Error> {
    while group.len() < TOGETHER {
        let Some(entry) = claims.next()? else { return Ok(false) };
        group.push((entry, claims.octets()));
    }
    Ok(true)
}

/// The results in NDJSON, as [`Outcome::write_json`] wrote them.
pub fn read_results(reader: impl BufRead) -> impl Iterator<Item = Result<Outcome, Error>> {
    reader
        .split(b'\n')
        .enumerate()
        .map(|(at, line)| Outcome::from_json(&line?).ok_or(Error::Result { line: at as u64 + 1 }))
}
