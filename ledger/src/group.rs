//! Rows and batches of one transaction, each batch of one source.
//!
//! Holds what the transaction has changed beyond memory's knowledge: heads of sources, owners of
//! cards, last words. All of it is dropped when the transaction is.

use std::collections::HashMap;

use eligibility::day::Timestamp;
use eligibility::feed::{Record, Said, Source, Subject};
use eligibility::number::{LinkNumber, Serial};
use rusqlite::{Connection, params};

use crate::batch::{Appended, Batch, Content, Quarantined, Row};
use crate::error::LedgerError;
use crate::handle::Memory;
use crate::judge::{Verdict, counts};
use crate::offer::{Offer, Parcel};
use crate::rows;
use crate::schema::to_sql;
use crate::seen::{LastBatch, Seen};

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
    sequences: Vec<(u64, [u8; 16])>,
    appended: Appended,
}

impl Draft {
    /// Looks for a sequence among those this batch itself has moved past.
    pub(crate) fn seen(&self, sequence: u64, hash: [u8; 16]) -> Seen {
        let at = self.sequences.binary_search_by_key(&sequence, |(other, _)| *other);
        let found = at.ok().and_then(|at| self.sequences.get(at));
        Seen::among(found.into_iter().map(|(_, hash)| *hash), hash)
    }
}

/// Everything one transaction adds.
pub(crate) struct Group<'g> {
    pub(crate) connection: &'g Connection,
    pub(crate) memory: &'g dyn Memory,
    pub(crate) last: &'g mut LastBatch,
    pub(crate) committed_at: Timestamp,
    pub(crate) owners: HashMap<Serial, Option<LinkNumber>>,
    words: HashMap<(Source, Subject), u64>,
    known_heads: &'g HashMap<Source, Head>,
    heads: HashMap<Source, Head>,
    position: u64,
    batches: Vec<Batch>,
}

impl<'g> Group<'g> {
    /// A group whose first batch comes after `position`.
    pub(crate) fn new(
        connection: &'g Connection,
        memory: &'g dyn Memory,
        last: &'g mut LastBatch,
        known_heads: &'g HashMap<Source, Head>,
        (position, committed_at): (u64, Timestamp),
    ) -> Self {
        Self {
            connection,
            memory,
            last,
            committed_at,
            owners: HashMap::new(),
            words: HashMap::new(),
            known_heads,
            heads: HashMap::new(),
            position,
            batches: Vec::new(),
        }
    }

    /// What was added: the batches, and the new heads of their sources.
    pub(crate) fn into_parts(self) -> (Vec<Batch>, HashMap<Source, Head>) {
        (self.batches, self.heads)
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
    pub(crate) fn append(&mut self, source: Source, parcel: Parcel) -> rusqlite::Result<Appended> {
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
            self.keep(&mut draft, own, hash, content)?;
            draft.bodies.push(body);
        }
        if draft.rows.is_empty() {
            let (committed_sequence, generation) = (draft.head.committed_sequence, self.position);
            return Ok(Appended { committed_sequence, generation, ..draft.appended });
        }
        self.seal(draft, packed)
    }

    /// Adds a record of the gateway's own, numbered here.
    pub(crate) fn act(&mut self, said: Said) -> rusqlite::Result<Result<Appended, LedgerError>> {
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
    ) -> rusqlite::Result<Result<Appended, LedgerError>> {
        let mut draft = self.draft(source);
        if epoch <= draft.epoch {
            return Ok(Err(LedgerError::EpochNotLater { current: draft.epoch }));
        }
        draft.epoch = epoch;
        draft.head = Head { epoch, ..Head::FIRST };
        self.seal(draft, None).map(Ok)
    }

    fn keep(
        &mut self,
        draft: &mut Draft,
        sequence: Option<u64>,
        hash: [u8; 16],
        content: Content,
    ) -> rusqlite::Result<()> {
        let subject = match &content {
            Content::Accepted(record) => record.said.subject(),
            Content::Refused(refused) => refused.subject,
        };
        let previous = subject.and_then(|subject| self.last_word(draft.source, subject));
        let row = Row { sequence, previous, hash, content };
        let place = (draft.position, draft.rows.len());
        rows::note(self.connection, (draft.source, draft.epoch), place, &row)?;
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
        Ok(())
    }

    fn last_word(&self, source: Source, subject: Subject) -> Option<u64> {
        let here = self.words.get(&(source, subject)).copied();
        here.or_else(|| self.memory.last_word(source, subject))
    }

    fn seal(&mut self, draft: Draft, packed: Option<Vec<u8>>) -> rusqlite::Result<Appended> {
        let Draft { position, source, epoch, head, rows, bodies, sequences, appended } = draft;
        rows::put(self.connection, position, &rows, &bodies, packed)?;
        let sequence = |of: Option<&(u64, [u8; 16])>| of.map(|(sequence, _)| to_sql(*sequence));
        self.connection
            .prepare_cached("INSERT INTO batch VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?
            .execute(params![
                to_sql(position),
                source.to_string(),
                epoch,
                sequence(sequences.first()),
                sequence(sequences.last()),
                to_sql(head.committed_sequence),
                to_sql(head.since_mark),
                self.committed_at.millis(),
                to_sql(rows.len() as u64),
            ])?;
        let Head { committed_sequence, .. } = head;
        self.position = position;
        self.heads.insert(source, head);
        self.batches.push(Batch {
            position,
            source,
            epoch,
            committed_at: self.committed_at,
            committed_sequence,
            rows,
        });
        Ok(Appended { committed_sequence, generation: position, ..appended })
    }
}
