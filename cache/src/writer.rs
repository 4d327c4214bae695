//! The one who changes memory.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use eligibility::feed::{Said, Source, Subject};

use crate::batch::{Batch, Row};
use crate::key::Place;
use crate::plan::Plan;
use crate::publish::after;
use crate::published::Published;
use crate::source::{Book, SourceState};
use crate::state::{Map, State};

/// The one who changes memory; there is one for each.
pub struct Writer {
    published: Arc<Published<State>>,
    state: Arc<State>,
    books: Map<Source, Book>,
    /// States that somebody may still look at. What is freed with one is much, and readers have no
    /// time for it.
    former: Vec<Arc<State>>,
    /// The shards of people that are kept, where not all are; cards always are.
    only: Option<BTreeSet<usize>>,
}

impl Writer {
    /// The writer of a memory in this state whose sources stand so, and what its readers see.
    pub(crate) fn new(mut state: State, mut books: Map<Source, Book>) -> (Self, Arc<Published<State>>) {
        for (source, book) in &mut books {
            state.sources.set(*source, book.settle());
        }
        let state = Arc::new(state);
        let published = Arc::new(Published::new(Arc::clone(&state)));
        (Self { published: Arc::clone(&published), state, books, former: Vec::new(), only: None }, published)
    }

    pub(crate) const fn parts(&self) -> (&Arc<State>, &Map<Source, Book>) {
        (&self.state, &self.books)
    }

    /// Keeps no people but those of these shards from now on.
    pub(crate) fn only(&mut self, shards: BTreeSet<usize>) {
        self.only = Some(shards);
    }

    /// Lets readers see this state from now on.
    pub(crate) fn publish(&mut self, state: State) {
        let state = Arc::new(state);
        self.published.store(&state);
        self.former.push(std::mem::replace(&mut self.state, state));
        self.former.retain(|former| Arc::strong_count(former) > 1);
    }

    /// Applies a batch. Readers see everything as before it or everything as after it. Batches come in
    /// the order of their positions, without gap; one that is visible already changes nothing.
    pub fn apply(&mut self, batch: Batch<'_>) {
        self.apply_all([batch]);
    }

    /// Applies batches that become visible together, at the position of the last: what has long been
    /// committed goes into memory faster that way, some ten thousand records at a time.
    pub fn apply_all<'b>(&mut self, batches: impl IntoIterator<Item = Batch<'b>>) {
        let state = Arc::clone(&self.state);
        let mut plan = Plan::new(&state);
        let mut position = state.generation;
        let mut settled = Map::default();
        let batches: Vec<_> = batches.into_iter().collect();
        let records = batches.iter().filter(|batch| batch.position > position).flat_map(|batch| &batch.rows);
        plan.expect(records.filter_map(|row| self.place(row)).collect());
        for batch in batches {
            if batch.position > position {
                position = batch.position;
                self.take(&batch, &mut plan, &mut settled);
            }
        }
        if position == state.generation {
            return;
        }
        let next = after(&state, plan.changes(), settled, position);
        drop(state);
        self.publish(next);
    }

    /// Whose record a row will change.
    fn place(&self, row: &Row<'_>) -> Option<Place> {
        let Row::Accepted(record) = row else { return None };
        match (&record.said, record.said.subject()) {
            (Said::Link { link_number, .. }, _) => link_number.map(Place::of),
            (_, Some(Subject::Person(link))) if self.keeps(record.said.subject()) => Some(Place::of(link)),
            _ => None,
        }
    }

    fn keeps(&self, subject: Option<Subject>) -> bool {
        match (&self.only, subject) {
            (Some(only), Some(Subject::Person(link))) => only.contains(&Place::of(link).shard()),
            _ => true,
        }
    }

    /// Takes a batch into the plan and the books; `settled` is where sources stand after it.
    fn take(&mut self, batch: &Batch<'_>, plan: &mut Plan<'_>, settled: &mut Map<Source, SourceState>) {
        let source = batch.source;
        let mut book = self.books.remove(&source).unwrap_or_else(|| Book::new(batch));
        book.move_to(batch);
        plan.begin(batch.position);
        for row in &batch.rows {
            match row {
                Row::Accepted(record) if !self.keeps(record.said.subject()) => book.accept(record),
                Row::Accepted(record) => {
                    let (before, after) = plan.accept(source, record);
                    book.count_member(before, after);
                    book.accept(record);
                    if let (Source::Gateway, Said::Dismissal { of, name }) = (source, &record.said)
                        && let Some(dismissed) = self.books.get_mut(of)
                    {
                        dismissed.resolve(name, None);
                        settled.insert(*of, dismissed.settle());
                    }
                }
                Row::Refused { name, sequence, refused } => {
                    if self.keeps(refused.subject) {
                        plan.protect(source, refused);
                    }
                    book.refuse(batch, name, *sequence, refused);
                }
            }
        }
        settled.insert(source, book.settle());
        self.books.insert(source, book);
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Writer({} sources)", self.books.len())
    }
}

#[cfg(test)]
mod tests {
    use eligibility::day::Timestamp;
    use eligibility::feed::Record;

    use super::*;
    use crate::reader::empty;

    fn apply(writer: &mut Writer, position: u64, line: &str) {
        let record = Record::from_json(line.as_bytes()).unwrap();
        writer.apply(Batch {
            position,
            source: record.source,
            epoch: 1,
            committed_at: Timestamp::from_millis(0),
            committed_sequence: record.sequence,
            rows: vec![Row::Accepted(&record)],
        });
    }

    fn member(sequence: u64, rest: &str) -> String {
        format!(
            r#"{{"source":"06132013","sequence":{sequence},"kind":"member","link_number":"3050012345678901",{rest}}}"#
        )
    }

    fn with(numbers: [u64; 2]) -> String {
        let [one, other] = numbers;
        format!(
            r#""name":"見本","sex":"male","birth_date":"1980-02-03","restrictions":[],"coverages":[{{"number":"{one}","qualified_on":"2024-04-01"}},{{"number":"{other}","qualified_on":"2025-04-01"}}]"#
        )
    }

    #[test]
    fn the_index_drops_keys_that_nobody_has() {
        let (mut writer, reader) = empty();
        let mut keys = Vec::new();
        let lines = [with([1, 2]), with([2, 3]), with([4, 4]), r#""deleted":true"#.to_owned()];
        for (position, rest) in (1..).zip(&lines) {
            apply(&mut writer, position, &member(position, rest));
            keys.push(reader.keys());
        }
        assert_eq!((keys.as_slice(), reader.persons()), ([2, 2, 1, 0].as_slice(), 0));
    }

    #[test]
    fn a_batch_that_is_visible_already_changes_nothing() {
        let (mut writer, reader) = empty();
        apply(&mut writer, 1, &member(1, &with([1, 2])));
        apply(&mut writer, 1, &member(2, r#""deleted":true"#));
        assert_eq!((reader.generation(), reader.persons()), (1, 1));
    }
}
