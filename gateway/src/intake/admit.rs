//! From a received delivery to one that is committed, or held back until an operator has looked.
//!
//! ```text
//! received ─► weighed ─► committed in batches ─► visible
//!                │              ▲
//!                └─► held ──────┤ released, or found right once those before it are gone
//!                                └ or dropped
//! ```
//!
//! Of a delivery that is held back nothing counts but the restrictions that it asks for. Those behind
//! it wait with it: were they committed first, it could not be any more.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::mpsc::sync_channel;

use cache::Reader;
use eligibility::day::Timestamp;
use eligibility::feed::{Said, Source};
use ledger::{Appended, Ledger, LedgerError, MOST_OFFERS, Offer};

use super::gate::{Reason, Weighed, weigh};
use super::held::{self, Held, HeldDelivery};
use super::{DeliverError, Report, deliver};
use crate::config::Gate;

/// Octets read from a delivery at once.
const BUFFER: usize = 256 * 1024;

/// What deliveries are admitted with. One at a time for each source.
pub struct Admission<'a> {
    /// Where records go.
    pub ledger: &'a Ledger,
    /// Where they are found.
    pub memory: &'a Reader,
    /// What is held back.
    pub held: &'a Held,
    /// When deliveries are.
    pub gate: &'a Gate,
}

/// What became of a delivery.
#[derive(Debug)]
pub enum Admitted {
    /// It is durable and visible.
    Committed(Report),
    /// Nothing of it counts but the restrictions it asks for.
    Held(HeldDelivery),
}

impl Admission<'_> {
    /// Takes the delivery in this file.
    ///
    /// # Errors
    /// [`DeliverError`]; what was committed before stays.
    pub fn admit(&self, source: Source, file: &Path, now: Timestamp) -> Result<Admitted, DeliverError> {
        self.admit_through(source, file, now, |file| file)
    }

    /// As [`Admission::admit`], reading through what `wrap` makes of the file: once, or once to weigh and
    /// once to commit.
    ///
    /// # Errors
    /// As [`Admission::admit`].
    pub fn admit_through<R: Read>(
        &self,
        source: Source,
        file: &Path,
        now: Timestamp,
        wrap: impl Fn(File) -> R,
    ) -> Result<Admitted, DeliverError> {
        let open = || Ok::<_, DeliverError>(BufReader::with_capacity(BUFFER, wrap(File::open(file)?)));
        if self.held.of(source).first().is_some_and(HeldDelivery::is_begun) {
            self.advance(source)?;
        }
        let before = self.held.of(source);
        if before.is_empty() && !self.is_asked_of(source) {
            return Ok(Admitted::Committed(deliver(self.ledger, source, open()?)?));
        }
        let Weighed { mut reasons, records, protect } = self.weigh(source, open()?)?;
        if !before.is_empty() {
            let name = held::name(source, file)?;
            if let Some(again) = before.iter().find(|one| one.delivery == name) {
                // A process that ended before it could sync the folder left a note that a power cut takes away:
                // whoever sends it again is told only when it is written again.
                self.held.judge_again(source, again.clone())?;
                return Ok(Admitted::Held(again.clone()));
            }
            let found = before.len() as u64;
            reasons.push(Reason { gate: "behind".to_owned(), field: None, found, allowed: 0 });
        }
        if reasons.is_empty() {
            return Ok(Admitted::Committed(deliver(self.ledger, source, open()?)?));
        }
        self.protect(source, protect)?;
        let delivery = held::name(source, file)?;
        // What came later stands behind, also where the clock was set back meanwhile.
        let behind = before.last().map(|last| Timestamp::from_millis(last.received_at.millis() + 1));
        let received_at = behind.map_or(now, |behind| behind.max(now));
        let held = HeldDelivery { delivery, received_at, records, reasons };
        self.held.put(source, file, held.clone())?;
        tracing::warn!(%source, delivery = held.delivery, records, reasons = ?held.reasons, "a delivery is held back");
        Ok(Admitted::Held(held))
    }

    /// Takes a held delivery as it is, by an operator's word. Only a source's oldest can be.
    ///
    /// # Errors
    /// [`DeliverError`]; it is then still held back.
    pub fn release(&self, source: Source, delivery: &str) -> Result<Report, DeliverError> {
        let oldest = self.held.of(source).into_iter().next().filter(|oldest| oldest.delivery == delivery);
        let oldest = oldest.ok_or(DeliverError::NotOldest)?;
        // Nothing is decided on what cannot be taken.
        self.held_lines(source, delivery)?;
        self.decided(source, delivery, true)?;
        let report = self.take_held(source, oldest)?;
        self.advance(source)?;
        Ok(report)
    }

    /// Drops a held delivery, by an operator's word. The restrictions it asked for stay.
    ///
    /// # Errors
    /// [`DeliverError`]; it is then still held back.
    pub fn drop(&self, source: Source, delivery: &str) -> Result<(), DeliverError> {
        if self.held.of(source).iter().any(|one| one.delivery == delivery && one.is_begun()) {
            return Err(DeliverError::Begun);
        }
        self.decided(source, delivery, false)?;
        self.held.remove(source, delivery)?;
        self.advance(source)
    }

    /// Takes one that is held back no longer. That it is begun is written down first: a crash in the midst
    /// leaves nothing of which a part counts and which still could be dropped.
    fn take_held(&self, source: Source, one: HeldDelivery) -> Result<Report, DeliverError> {
        let delivery = one.delivery.clone();
        self.held.judge_again(source, HeldDelivery { reasons: Vec::new(), ..one })?;
        let report = deliver(self.ledger, source, self.held_lines(source, &delivery)?)?;
        self.held.remove(source, &delivery)?;
        Ok(report)
    }

    /// Takes what only waited for those before it, and what was begun.
    fn advance(&self, source: Source) -> Result<(), DeliverError> {
        while let Some(next) = self.held.of(source).into_iter().next().filter(HeldDelivery::only_waits) {
            if !next.is_begun() {
                let Weighed { reasons, .. } = self.weigh(source, self.held_lines(source, &next.delivery)?)?;
                if !reasons.is_empty() {
                    self.held.judge_again(source, HeldDelivery { reasons, ..next })?;
                    return Ok(());
                }
            }
            self.take_held(source, next)?;
        }
        Ok(())
    }

    fn held_lines(&self, source: Source, delivery: &str) -> Result<impl BufRead, DeliverError> {
        Ok(BufReader::with_capacity(BUFFER, self.held.lines(source, delivery)?))
    }

    /// Whether deliveries of the source have anything to be measured by.
    fn is_asked_of(&self, source: Source) -> bool {
        matches!(source, Source::Insurer(_))
            && self.memory.source(source).is_some_and(|state| state.members > 0)
    }

    fn weigh(&self, source: Source, lines: impl BufRead) -> Result<Weighed, DeliverError> {
        let since_mark = self.ledger.since_mark(source)?;
        weigh(self.gate, self.memory, (source, since_mark), lines)
    }

    /// Lets restrictions that are asked for count at once.
    fn protect(&self, source: Source, mut offers: Vec<Offer>) -> Result<(), DeliverError> {
        while !offers.is_empty() {
            let rest = offers.split_off(offers.len().min(MOST_OFFERS));
            wait(|done| self.ledger.append(source, offers, done))?;
            offers = rest;
        }
        Ok(())
    }

    /// Writes down what an operator decided.
    fn decided(&self, of: Source, delivery: &str, release: bool) -> Result<(), DeliverError> {
        let held = self.held.of(of).into_iter().find(|one| one.delivery == delivery);
        let received_at = held.map(|held| held.received_at);
        let said = Said::Release { of, delivery: delivery.into(), release, received_at };
        wait(|done| self.ledger.act(said, done))?;
        Ok(())
    }
}

fn wait(ask: impl FnOnce(ledger::Done) -> Result<(), LedgerError>) -> Result<Appended, LedgerError> {
    let (done, outcome) = sync_channel(1);
    ask(Box::new(move |outcome| drop(done.send(outcome))))?;
    outcome.recv().unwrap_or(Err(LedgerError::Closed))
}
