//! From lines to durable batches, in order, with some on the way at once.

use std::collections::VecDeque;
use std::io::BufRead;
use std::sync::mpsc::{Receiver, sync_channel};

use eligibility::feed::Source;
use ledger::{Appended, Delivery, Ledger, LedgerError, Offer, Parcel};

use super::lines::{Chunk, in_order};
use super::{DeliverError, Refused, Report};

/// Batches that may be on their way through the ledger.
const ON_THE_WAY: usize = 8;

/// Reads a delivery line by line and commits it in batches, in order; it is done when all are durable
/// and visible.
///
/// # Errors
/// [`DeliverError`]; of the batches those before the failure are committed, and none behind it.
pub fn deliver(ledger: &Ledger, source: Source, lines: impl BufRead) -> Result<Report, DeliverError> {
    let mut committing = Committing::new(ledger.delivery(source));
    in_order(lines, |chunk| read(chunk, source), |read| committing.commit(read))?;
    committing.finish()
}

/// A batch to be, and what looks wrong in it.
struct Read {
    parcel: Parcel,
    warnings: Vec<Refused>,
}

fn read(chunk: &Chunk, source: Source) -> Read {
    let offers: Vec<_> = chunk.offers(source).collect();
    let warnings = offers.iter().flat_map(warnings_of).collect();
    Read { parcel: offers.into(), warnings }
}

fn warnings_of(offer: &Offer) -> impl Iterator<Item = Refused> {
    let faults = offer.record().map(eligibility::feed::Record::warnings).unwrap_or_default();
    faults.into_iter().map(|fault| Refused {
        line: offer.line(),
        sequence: offer.sequence(),
        code: fault.code().to_owned(),
        field: fault.place().map(str::to_owned),
    })
}

/// Batches on their way through the ledger, and what became of those before.
struct Committing {
    delivery: Delivery,
    waiting: VecDeque<Receiver<Result<Appended, LedgerError>>>,
    report: Report,
}

impl Committing {
    fn new(delivery: Delivery) -> Self {
        Self { delivery, waiting: VecDeque::new(), report: Report::default() }
    }

    fn commit(&mut self, read: Read) -> Result<(), DeliverError> {
        self.report.warn(read.warnings);
        let (done, outcome) = sync_channel(1);
        self.delivery.append(read.parcel, Box::new(move |outcome| drop(done.send(outcome))))?;
        self.waiting.push_back(outcome);
        if self.waiting.len() >= ON_THE_WAY { self.wait() } else { Ok(()) }
    }

    /// Waits for the first that is on its way.
    fn wait(&mut self) -> Result<(), DeliverError> {
        if let Some(outcome) = self.waiting.pop_front() {
            self.report.add(outcome.recv().unwrap_or(Err(LedgerError::Closed))?);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Report, DeliverError> {
        while !self.waiting.is_empty() {
            self.wait()?;
        }
        Ok(self.report)
    }
}
