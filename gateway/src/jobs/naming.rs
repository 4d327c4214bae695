//! One audit record for each claim whose right coverage is named, written before anybody can read it.

use std::io;

use claims::{Entry as Claimed, Outcome};
use eligibility::coverage::Person;
use eligibility::day::Timestamp;
use uuid::Uuid;

use crate::audit::{Audit, Entry, Work};
use crate::path::Request;
use crate::peer::Peer;

/// Records that are written together.
const GROUP: usize = 512;

/// The namings of one piece of work.
pub(crate) struct Namings<'n> {
    audit: &'n Audit,
    peer: &'n Peer,
    job: Uuid,
    now: Timestamp,
    waiting: Vec<Entry>,
}

impl<'n> Namings<'n> {
    /// Those of this caller's job.
    pub(crate) const fn of(audit: &'n Audit, peer: &'n Peer, job: Uuid, now: Timestamp) -> Self {
        Self { audit, peer, job, now, waiting: Vec::new() }
    }

    /// Records a naming, if the result is one.
    pub(crate) fn note<T>(
        &mut self,
        claimed: &Claimed,
        outcome: &Outcome,
        found: &[Person<T>],
    ) -> io::Result<()> {
        let Claimed::Claim(claim) = claimed else { return Ok(()) };
        if !outcome.named {
            return Ok(());
        }
        let request = Request { peer: self.peer, id: self.job, now: self.now, trace: None };
        let shown = outcome.coverages.iter().filter(|coverage| !coverage.written).count();
        let mut entry =
            Entry::question("naming", Work::Precheck, request).outcome(outcome.verdict.word()).shown(shown);
        if let [one] = found {
            entry.is_person(one.link_number);
        }
        if let Some(query) = claim.query() {
            entry.about(&query);
        }
        if let Some(institution) = claim.institution.or_else(|| self.peer.institutions().first().copied()) {
            entry = entry.institution(institution);
        }
        if let Some(day) = claim.days.last() {
            entry = entry.date(day);
        }
        self.waiting.push(entry);
        if self.waiting.len() == GROUP { self.wait() } else { Ok(()) }
    }

    /// Writes those that are not yet written, and waits for it.
    pub(crate) fn wait(&mut self) -> io::Result<()> {
        let entries = std::mem::take(&mut self.waiting);
        if entries.is_empty() || self.audit.record_all(&entries).wait() {
            Ok(())
        } else {
            Err(io::Error::other("the audit takes no records"))
        }
    }
}
