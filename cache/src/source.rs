//! Where a source stands: its sequence, how far it is complete, and its open quarantine.
//!
//! How that is written into files is `source/filed`'s.

mod filed;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use eligibility::day::Timestamp;
use eligibility::feed::{Kind, Record, Refused, Said, Subject};

use crate::batch::Batch;
use crate::state::Map;

pub(crate) use filed::{put_books, read_books};

/// Where a source stands. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    /// Its epoch.
    pub epoch: u32,
    /// Highest sequence read in this epoch.
    pub committed_sequence: u64,
    /// Complete up to this time: the latest of its marks that no open quarantined record precedes.
    pub complete_to: Option<Timestamp>,
    /// When its last batch was committed.
    pub last_batch_at: Timestamp,
    /// Whether any of its records was ever accepted.
    pub fed: bool,
    /// People of whom it, an insurer, has a living word.
    pub members: u64,
    /// Its open quarantine, in the order read.
    pub quarantine: Arc<[Arc<Quarantined>]>,
}

/// A record in open quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Its name, by which an operator dismisses it.
    pub name: Box<str>,
    /// Its epoch.
    pub epoch: u32,
    /// Its sequence.
    pub sequence: Option<u64>,
    /// Line of its delivery, from 1.
    pub line: u64,
    /// Its kind, where it could be read.
    pub kind: Option<Kind>,
    /// Word for the fault.
    pub code: Box<str>,
    /// Field at fault.
    pub field: Option<Box<str>>,
    /// Position of its batch.
    pub position: u64,
    /// When that was committed.
    pub committed_at: Timestamp,
}

/// Refusals that wait for nothing: a subsidy for a person without a linked card, and what a delivery
/// that is held back asks to protect.
const NOT_WAITING: [&str; 2] = ["no_card", "held"];

/// By what a later record makes an earlier one good. Marks speak of nobody and follow each other.
type About = (Kind, Option<Subject>);

/// A source's standing with what is needed to move it on.
pub(crate) struct Book {
    state: SourceState,
    /// Open records by the order in which they were read.
    open: BTreeMap<u64, (Arc<Quarantined>, Option<About>)>,
    by_subject: Map<About, Vec<u64>>,
    by_name: Map<Box<str>, Vec<u64>>,
    /// Marks that wait for what is open, each with the order of the first record after it.
    marks: VecDeque<(u64, Timestamp)>,
    next: u64,
    changed: bool,
}

impl Book {
    pub(crate) fn new(batch: &Batch<'_>) -> Self {
        Self {
            state: SourceState {
                epoch: batch.epoch,
                committed_sequence: 0,
                complete_to: None,
                last_batch_at: batch.committed_at,
                fed: false,
                members: 0,
                quarantine: Arc::default(),
            },
            open: BTreeMap::new(),
            by_subject: Map::default(),
            by_name: Map::default(),
            marks: VecDeque::new(),
            next: 0,
            changed: false,
        }
    }

    /// Takes over where the source stands after a batch.
    pub(crate) fn move_to(&mut self, batch: &Batch<'_>) {
        self.state.epoch = batch.epoch;
        self.state.committed_sequence = batch.committed_sequence;
        self.state.last_batch_at = batch.committed_at;
    }

    /// Counts a person whose living word came or went.
    pub(crate) fn count_member(&mut self, before: bool, after: bool) {
        let members = &mut self.state.members;
        *members = (*members + u64::from(after)).saturating_sub(u64::from(before));
    }

    /// Takes an accepted record: what it makes good, and how far it says the source is complete.
    pub(crate) fn accept(&mut self, record: &Record) {
        self.state.fed = true;
        for sequence in &record.resolves {
            self.resolve(&sequence.to_string(), Some(record.epoch));
        }
        if let Some(about) = about(Some(record.said.kind()), record.said.subject())
            && let Some(open) = self.by_subject.get(&about)
        {
            open.clone().into_iter().for_each(|id| self.close(id));
        }
        if let Said::Mark { complete_to, .. } = record.said {
            match self.marks.back_mut() {
                // Nothing was opened between the two, so they take effect together.
                Some((before, latest)) if *before == self.next => *latest = complete_to.max(*latest),
                _ => self.marks.push_back((self.next, complete_to)),
            }
        }
    }

    /// Opens a refused record.
    pub(crate) fn refuse(&mut self, batch: &Batch<'_>, name: &str, sequence: Option<u64>, refused: &Refused) {
        if NOT_WAITING.contains(&&*refused.code) {
            return;
        }
        let id = self.next;
        self.next += 1;
        let about = about(refused.kind, refused.subject);
        if let Some(about) = about {
            self.by_subject.entry(about).or_default().push(id);
        }
        self.by_name.entry(name.into()).or_default().push(id);
        let quarantined = Arc::new(Quarantined {
            name: name.into(),
            epoch: batch.epoch,
            sequence,
            line: refused.line,
            kind: refused.kind,
            code: refused.code.clone(),
            field: refused.field.clone(),
            position: batch.position,
            committed_at: batch.committed_at,
        });
        self.open.insert(id, (quarantined, about));
        self.changed = true;
    }

    /// Closes what is open under this name, of one epoch or of all.
    pub(crate) fn resolve(&mut self, name: &str, epoch: Option<u32>) {
        let open = self.by_name.get(name).cloned().unwrap_or_default();
        for id in open {
            let of = self.open.get(&id).map(|(quarantined, _)| quarantined.epoch);
            if epoch.is_none() || epoch == of {
                self.close(id);
            }
        }
    }

    fn close(&mut self, id: u64) {
        let Some((quarantined, about)) = self.open.remove(&id) else { return };
        self.changed = true;
        forget(&mut self.by_name, &quarantined.name, id);
        if let Some(about) = about {
            forget(&mut self.by_subject, &about, id);
        }
    }

    /// Lets marks take effect that wait for nothing any more, and gives what readers are to see.
    pub(crate) fn settle(&mut self) -> SourceState {
        let oldest = self.open.keys().next().copied();
        while let Some((before, complete_to)) = self.marks.front().copied()
            && oldest.is_none_or(|oldest| oldest >= before)
        {
            self.marks.pop_front();
            self.state.complete_to = self.state.complete_to.max(Some(complete_to));
        }
        if std::mem::take(&mut self.changed) {
            self.state.quarantine = self.open.values().map(|(open, _)| Arc::clone(open)).collect();
        }
        self.state.clone()
    }
}

/// What makes good a record of this kind and subject; nothing but its name does where they are
/// unknown.
fn about(kind: Option<Kind>, subject: Option<Subject>) -> Option<About> {
    kind.filter(|kind| subject.is_some() || *kind == Kind::Mark).map(|kind| (kind, subject))
}

fn forget<K: std::hash::Hash + Eq + Clone>(map: &mut Map<K, Vec<u64>>, key: &K, id: u64) {
    if let Some(ids) = map.get_mut(key) {
        ids.retain(|other| *other != id);
        if ids.is_empty() {
            map.remove(key);
        }
    }
}
