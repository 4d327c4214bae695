//! Rows and batches of one transaction, each batch of one source.
//!
//! Holds what the transaction has changed beyond memory's knowledge: heads of sources, owners of
//! cards, last words. All of it is dropped when the transaction is.

use std::collections::HashMap;

use eligibility::day::Timestamp;
use eligibility::feed::{Record, Said, Source, Subject};
use eligibility::number::{LinkNumber, Serial};

use crate::batch::{Appended, Batch, Content, Quarantined, Row};
use crate::error::LedgerError;
use crate::handle::Memory;
use crate::judge::{Verdict, counts};
use crate::offer::{Offer, Parcel};
use crate::rows;
use crate::seen::{LastBatch, Seen};
use crate::store::{Pack, Sealed, Sequences, Transaction};

/// Where a source stands after its last batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) epoch: u32,
    pub(crate) committed_sequence: u64,
    /// Records read since the last accepted mark.
    pub(crate) since_mark: u64,
}

impl Head {
    /// Of a source that never said anything.
    const FIRST: Self = Self { epoch: 1, committed_sequence: 0, since_mark: 0 };
}

/// A batch while it grows.
pub(crate) struct Draft {
    position: u64,
    pub(crate) source: Source,
    pub(crate) epoch: u32,
    pub(crate) head: Head,
    rows: Vec<Row>,
    bodies: Vec<Box<[u8]>>,
    /// Those that moved the committed sequence, so in order.
    sequences: Sequences,
    appended: Appended,
}

impl Draft {
    /// Looks for a sequence among those this batch itself has moved past.
    pub(crate) fn seen(&self, sequence: u64, hash: [u8; 16]) -> Seen {
        Seen::in_order(&self.sequences, sequence, hash)
    }
}

/// A batch that is whole, and what is kept of it beside its rows.
struct Whole {
    batch: Batch,
    since_mark: u64,
    moved: Option<(u64, u64)>,
    pack: Option<Pack>,
}

/// Source, epoch and name of a refused row.
type Name = ((Source, u32), String);

/// Batches, and the new heads of their sources.
pub(crate) type Added = (Vec<Batch>, HashMap<Source, Head>);

/// Everything one transaction adds.
pub(crate) struct Group<'g> {
    transaction: &'g mut dyn Transaction,
    pub(crate) memory: &'g dyn Memory,
    last: &'g mut LastBatch,
    pub(crate) committed_at: Timestamp,
    pub(crate) owners: HashMap<Serial, Option<LinkNumber>>,
    words: HashMap<(Source, Subject), u64>,
    moved: HashMap<(Source, u32), Sequences>,
    refused: HashMap<Name, Vec<[u8; 16]>>,
    known_heads: &'g HashMap<Source, Head>,
    heads: HashMap<Source, Head>,
    position: u64,
    batches: Vec<Whole>,
}

impl<'g> Group<'g> {
    /// A group whose first batch comes after `position`.
    pub(crate) fn new(
        transaction: &'g mut dyn Transaction,
        memory: &'g dyn Memory,
        last: &'g mut LastBatch,
        known_heads: &'g HashMap<Source, Head>,
        (position, committed_at): (u64, Timestamp),
    ) -> Self {
        Self {
            transaction,
            memory,
            last,
            committed_at,
            owners: HashMap::new(),
            words: HashMap::new(),
            moved: HashMap::new(),
            refused: HashMap::new(),
            known_heads,
            heads: HashMap::new(),
            position,
            batches: Vec::new(),
        }
    }

    /// Writes what was added: gives the batches, and the new heads of their sources.
    pub(crate) fn put(self) -> Result<Added, LedgerError> {
        let mut batches = Vec::with_capacity(self.batches.len());
        for Whole { batch, since_mark, moved, pack } in self.batches {
            self.transaction.put(Sealed { batch: &batch, since_mark, moved, pack })?;
            batches.push(batch);
        }
        Ok((batches, self.heads))
    }

    /// Looks for a sequence in the batches of this group and in those before it.
    pub(crate) fn moved(
        &mut self,
        of: (Source, u32),
        sequence: u64,
        hash: [u8; 16],
    ) -> Result<Seen, LedgerError> {
        let here = self.moved.get(&of).map_or(Seen::Never, |moved| Seen::in_order(moved, sequence, hash));
        here.or(|| self.last.seen(self.transaction, of, sequence, hash))
    }

    /// Looks for a refused row by name.
    pub(crate) fn quarantined(
        &mut self,
        of: (Source, u32),
        name: String,
        hash: [u8; 16],
    ) -> Result<Seen, LedgerError> {
        let mut hashes = self.transaction.quarantined(of, &name)?;
        hashes.extend(self.refused.get(&(of, name)).into_iter().flatten());
        Ok(Seen::among(hashes.into_iter(), hash))
    }

    fn head(&self, source: Source) -> Head {
        let head = self.heads.get(&source).or_else(|| self.known_heads.get(&source));
        head.copied().unwrap_or(Head::FIRST)
    }

    fn draft(&self, source: Source) -> Draft {
        let head = self.head(source);
        Draft {
            position: self.position + 1,
            source,
            epoch: head.epoch,
            head,
            rows: Vec::new(),
            bodies: Vec::new(),
            sequences: Vec::new(),
            appended: Appended::default(),
        }
    }

    /// Adds what is new in these lines as one batch.
    pub(crate) fn append(&mut self, source: Source, parcel: Parcel) -> Result<Appended, LedgerError> {
        let mut draft = self.draft(source);
        let Parcel { offers, packed } = parcel;
        let mut packed = Some(packed);
        for offer in offers {
            let sequence = offer.sequence();
            let Offer { line, hash, reading, body } = offer;
            let (own, content, body) = match self.judge(&draft, (line, hash), reading)? {
                Verdict::Blank => continue,
                Verdict::Duplicate => {
                    draft.appended.duplicates += 1;
                    packed = None;
                    continue;
                }
                Verdict::Keep { sequence, content } => (sequence, content, body),
                Verdict::Refuse { sequence, refused } => {
                    packed = None;
                    let body = refused.to_json().into();
                    (sequence, Content::Refused(refused), body)
                }
            };
            match &content {
                Content::Accepted(_) => draft.appended.accepted += 1,
                Content::Refused(refused) => draft.appended.quarantined.push(Quarantined {
                    line,
                    sequence,
                    code: refused.code.clone(),
                    field: refused.field.clone(),
                }),
            }
            self.keep(&mut draft, own, hash, content);
            draft.bodies.push(body);
        }
        if draft.rows.is_empty() {
            let (committed_sequence, generation) = (draft.head.committed_sequence, self.position);
            return Ok(Appended { committed_sequence, generation, ..draft.appended });
        }
        Ok(self.seal(draft, packed))
    }

    /// Adds a record of the gateway's own, numbered here.
    pub(crate) fn act(&mut self, said: Said) -> Result<Result<Appended, LedgerError>, LedgerError> {
        if self.conflicts(&said) {
            return Ok(Err(LedgerError::LinkConflict));
        }
        let Head { epoch, committed_sequence, .. } = self.head(Source::Gateway);
        let record = Record {
            source: Source::Gateway,
            epoch,
            sequence: committed_sequence + 1,
            recorded_at: Some(self.committed_at),
            resolves: Vec::new(),
            said,
        };
        self.append(Source::Gateway, vec![Offer::act(record)].into()).map(Ok)
    }

    /// Opens a source's new epoch with a batch that has no rows.
    pub(crate) fn open_epoch(
        &mut self,
        source: Source,
        epoch: u32,
    ) -> Result<Result<Appended, LedgerError>, LedgerError> {
        let mut draft = self.draft(source);
        if epoch <= draft.epoch {
            return Ok(Err(LedgerError::EpochNotLater { current: draft.epoch }));
        }
        draft.epoch = epoch;
        draft.head = Head { epoch, ..Head::FIRST };
        Ok(Ok(self.seal(draft, None)))
    }

    fn keep(&mut self, draft: &mut Draft, sequence: Option<u64>, hash: [u8; 16], content: Content) {
        let subject = match &content {
            Content::Accepted(record) => record.said.subject(),
            Content::Refused(refused) => refused.subject,
        };
        let previous = subject.and_then(|subject| self.last_word(draft.source, subject));
        let row = Row { sequence, previous, hash, content };
        if let Content::Refused(_) = &row.content {
            let name = ((draft.source, draft.epoch), row.name());
            self.refused.entry(name).or_default().push(hash);
        }
        if let Some(sequence) = sequence.filter(|sequence| *sequence > draft.head.committed_sequence) {
            draft.head.committed_sequence = sequence;
            draft.sequences.push((sequence, hash));
        }
        draft.head.since_mark += u64::from(counts(&row.content));
        if let Content::Accepted(record) = &row.content {
            self.learn_owner(&record.said);
            if let Some(subject) = subject {
                self.words.insert((draft.source, subject), draft.position);
            }
            if matches!(record.said, Said::Mark { .. }) {
                draft.head.since_mark = 0;
            }
        }
        draft.rows.push(row);
    }

    fn last_word(&self, source: Source, subject: Subject) -> Option<u64> {
        let here = self.words.get(&(source, subject)).copied();
        here.or_else(|| self.memory.last_word(source, subject))
    }

    fn seal(&mut self, draft: Draft, packed: Option<Vec<u8>>) -> Appended {
        let Draft { position, source, epoch, head, rows, bodies, sequences, appended } = draft;
        let Head { committed_sequence, since_mark, .. } = head;
        let pack = rows::pack(position, &rows, &bodies, packed);
        let moved = sequences.first().zip(sequences.last()).map(|(first, last)| (first.0, last.0));
        self.position = position;
        self.heads.insert(source, head);
        self.moved.entry((source, epoch)).or_default().extend(sequences);
        let committed_at = self.committed_at;
        let batch = Batch { position, source, epoch, committed_at, committed_sequence, rows };
        self.batches.push(Whole { batch, since_mark, moved, pack });
        Appended { committed_sequence, generation: position, ..appended }
    }
}
