//! Random deliveries against a model of the sequences: what is told, shown and replayed agrees.

use std::collections::HashMap;

use ledger::{Content, Row};
use proptest::prelude::*;

use crate::support::{Engine, House, insurer, member};

/// A line: its sequence, which of its contents, and whether it can be read.
#[derive(Clone, Copy, Debug)]
struct Line {
    sequence: Option<u64>,
    content: u8,
    broken: bool,
}

impl Line {
    fn text(self) -> String {
        let name = ["a", "b", "c"][usize::from(self.content % 3)];
        match (self.sequence, self.broken) {
            (Some(sequence), false) => member(sequence, u64::from(self.content), name, ""),
            (Some(sequence), true) => member(sequence, u64::from(self.content), name, r#","surplus":1"#),
            (None, _) => format!("no record {name}"),
        }
    }
}

/// What the rules say, in the plainest words.
#[derive(Default)]
struct Model {
    committed: u64,
    /// Every line read, by sequence; those without one under 0.
    read: HashMap<u64, Vec<String>>,
    accepted: Vec<u64>,
    quarantined: Vec<(Option<u64>, String)>,
    duplicates: u64,
}

impl Model {
    fn take(&mut self, line: Line) {
        let read = self.read.entry(line.sequence.unwrap_or(0)).or_default();
        if read.contains(&line.text()) {
            self.duplicates += 1;
            return;
        }
        let reused = !read.is_empty();
        read.push(line.text());
        let low = line.sequence.is_some_and(|sequence| sequence <= self.committed);
        let code = match line.sequence {
            None => Some("malformed"),
            Some(_) if line.broken => Some("unknown_field"),
            Some(_) if reused => Some("sequence_reused"),
            Some(_) if low => Some("out_of_order"),
            Some(_) => None,
        };
        match (code, line.sequence) {
            (Some(code), sequence) => self.quarantined.push((sequence, code.to_owned())),
            (None, sequence) => self.accepted.extend(sequence),
        }
        self.committed = self.committed.max(line.sequence.unwrap_or(0));
    }
}

fn line() -> impl Strategy<Value = Line> {
    (prop_oneof![9 => (1..30_u64).prop_map(Some), 1 => Just(None)], 0..3_u8, prop::bool::weighted(0.2))
        .prop_map(|(sequence, content, broken)| Line { sequence, content, broken })
}

/// Deliveries mostly in order, as feeds are, with repeats, gaps and steps back.
fn delivery() -> impl Strategy<Value = Vec<Line>> {
    (prop::collection::vec(line(), 0..15), any::<bool>()).prop_map(|(mut lines, sorted)| {
        if sorted {
            lines.sort_by_key(|line| line.sequence);
        }
        lines
    })
}

/// Each with whether the process ends after it.
type Deliveries = Vec<(Vec<Line>, bool)>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_follows_the_model(deliveries in deliveries()) {
        follows_the_model(&deliveries, Engine::Sqlite)?;
    }
}

proptest! {
    // Each needs a database of its own.
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn so_it_does_on_a_server(deliveries in deliveries()) {
        follows_the_model(&deliveries, Engine::Postgres)?;
    }
}

fn deliveries() -> impl Strategy<Value = Deliveries> {
    prop::collection::vec((delivery(), prop::bool::weighted(0.3)), 1..6)
}

fn follows_the_model(deliveries: &Deliveries, engine: Engine) -> Result<(), TestCaseError> {
    let mut house = House::on(engine);
    let mut model = Model::default();
    for (lines, restart) in deliveries {
        let before = (model.accepted.len(), model.quarantined.len(), model.duplicates);
        let text: Vec<_> = lines.iter().map(|line| line.text()).collect();
        lines.iter().for_each(|line| model.take(*line));
        let appended = house.feed(insurer(), &text);
        prop_assert_eq!(appended.accepted as usize, model.accepted.len() - before.0);
        prop_assert_eq!(appended.duplicates, model.duplicates - before.2);
        prop_assert_eq!(appended.committed_sequence, model.committed);
        let told: Vec<_> =
            appended.quarantined.iter().map(|one| (one.sequence, one.code.to_string())).collect();
        prop_assert_eq!(told.as_slice(), &model.quarantined[before.1..]);
        if *restart {
            house.reopen();
        }
    }
    let visible = std::mem::take(&mut house.followed.lock().unwrap().batches);
    house.ledger.take().unwrap().close();
    house.open();
    prop_assert_eq!(&house.followed.lock().unwrap().batches, &visible);
    let rows: Vec<&Row> = visible.iter().flat_map(|batch| &batch.rows).collect();
    let accepted = rows.iter().filter(|row| matches!(row.content, Content::Accepted(_)));
    let accepted: Vec<_> = accepted.filter_map(|row| row.sequence).collect();
    prop_assert_eq!(accepted, model.accepted);
    Ok(())
}
