//! One audit record for each claim whose right coverage is named, written before anybody can read it.

use std::io;
use std::sync::Arc;

use claims::{Entry as Claimed, Outcome};
use eligibility::coverage::Person;
use eligibility::day::Timestamp;
use uuid::Uuid;

use super::owner::By;
use crate::audit::{Entry, Recording};
use crate::desk::Desk;
use crate::path::Request;

/// Records that are waited for together.
const GROUP: usize = 512;

/// The namings of one piece of work.
pub(super) struct Namings<'n> {
    pub(super) desk: &'n Desk,
    pub(super) by: &'n By,
    pub(super) job: Uuid,
    pub(super) now: Timestamp,
    waiting: Vec<Recording>,
}

impl<'n> Namings<'n> {
    pub(super) const fn of(desk: &'n Desk, by: &'n By, job: Uuid, now: Timestamp) -> Self {
        Self { desk, by, job, now, waiting: Vec::new() }
    }

    /// Records a naming, if the result is one.
    pub(super) fn note(
        &mut self,
        claimed: &Claimed,
        outcome: &Outcome,
        found: &[Arc<Person>],
    ) -> io::Result<()> {
        let Claimed::Claim(claim) = claimed else { return Ok(()) };
        if !outcome.named {
            return Ok(());
        }
        let request = Request { peer: &self.by.peer, id: self.job, now: self.now };
        let mut entry = Entry::begin("precheck", request);
        let person = match found {
            [one] => Some(one.link_number),
            _ => None,
        };
        let institution = claim.institution.or_else(|| self.by.institution());
        let shown = outcome.coverages.iter().filter(|coverage| !coverage.written).count();
        entry.named(institution, person, claim.days.last(), outcome.verdict.word(), shown);
        self.waiting.push(self.desk.audit.record(&entry));
        if self.waiting.len() == GROUP { self.wait() } else { Ok(()) }
    }

    /// Waits until all of them are written.
    pub(super) fn wait(&mut self) -> io::Result<()> {
        if self.waiting.drain(..).all(Recording::wait) {
            Ok(())
        } else {
            Err(io::Error::other("the audit takes no records"))
        }
    }
}
