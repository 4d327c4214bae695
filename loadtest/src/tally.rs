//! What is counted of requests, so that counts of threads, seconds and machines can be added up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::histogram::Durations;
use crate::outcome::{Kind, Sort, Word};

/// Counts of one kind of request.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct KindTally {
    /// From the instant a request was due to its answer.
    pub latency: Durations,
    /// From the instant it was sent to its answer.
    pub service: Durations,
    /// The same of those alone that were answered, and not refused or broken off.
    #[serde(default)]
    pub answered: Durations,
}

/// Counts of requests.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Requests that were due.
    pub due: u64,
    /// Requests that ended in one way or another.
    pub ended: u64,
    /// Of those, without an answer that is worth anything.
    pub failed: u64,
    /// Answers that were not the expected ones.
    pub wrong: u64,
    /// Requests sent once more on another connection, after theirs had been closed while idle.
    pub repeated: u64,
    /// Requests that waited for a connection of their institution.
    pub waited: u64,
    /// Card requests that were due before their signature was ready.
    pub unsigned: u64,
    /// Connections opened.
    pub connected: u64,
    /// Octets received, TLS not counted.
    pub octets: u64,
    /// By kind.
    pub kinds: BTreeMap<Kind, KindTally>,
    /// From the instant a request was due to the instant this program took it up.
    pub lag: Durations,
    /// Connecting and shaking hands.
    pub handshake: Durations,
    /// By kind, sort and word.
    pub answers: Vec<Answers>,
}

/// How many requests of a kind and sort ended with a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// What was asked.
    pub kind: Kind,
    /// Whose request.
    pub sort: Sort,
    /// What came back.
    #[serde(with = "word")]
    pub word: Word,
    /// How many.
    pub count: u64,
}

mod word {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::outcome::Word;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    pub(super) fn serialize<S: Serializer>(word: &Word, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(word.text())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
        Ok(Word::of(String::deserialize(deserializer)?.as_bytes()))
    }
}

/// How one request ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// What was asked.
    pub kind: Kind,
    /// Whose request.
    pub sort: Sort,
    /// What came back.
    pub word: Word,
    /// Whether that was expected.
    pub right: bool,
    /// Nanoseconds from due to end.
    pub latency: u64,
    /// Nanoseconds from sent to end.
    pub service: u64,
}

impl Tally {
    /// Counts the end of one request. Latency counts of failures too: who waited in vain has waited.
    pub fn end(&mut self, ended: &Ended) {
        self.ended += 1;
        let failed = ended.word.is_failure() && !ended.right;
        self.failed += u64::from(failed);
        self.wrong += u64::from(!failed && !ended.right);
        let kind = self.kinds.entry(ended.kind).or_default();
        kind.latency.record(ended.latency);
        kind.service.record(ended.service);
        if !failed {
            kind.answered.record(ended.service);
        }
        self.count(Answers { kind: ended.kind, sort: ended.sort, word: ended.word, count: 1 });
    }

    fn count(&mut self, more: Answers) {
        let same = |one: &&mut Answers| (one.kind, one.sort, one.word) == (more.kind, more.sort, more.word);
        match self.answers.iter_mut().find(same) {
            Some(one) => one.count += more.count,
            None => self.answers.push(more),
        }
    }

    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        self.due += other.due;
        self.ended += other.ended;
        self.failed += other.failed;
        self.wrong += other.wrong;
        self.repeated += other.repeated;
        self.waited += other.waited;
        self.unsigned += other.unsigned;
        self.connected += other.connected;
        self.octets += other.octets;
        for (kind, more) in &other.kinds {
            let own = self.kinds.entry(*kind).or_default();
            own.latency.add(&more.latency);
            own.service.add(&more.service);
            own.answered.add(&more.answered);
        }
        self.lag.add(&other.lag);
        self.handshake.add(&other.handshake);
        other.answers.iter().for_each(|more| self.count(*more));
    }

    /// Latency of all kinds together.
    #[must_use]
    pub fn latency(&self) -> Durations {
        self.sum(|kind| &kind.latency)
    }

    /// Service time of all kinds together.
    #[must_use]
    pub fn service(&self) -> Durations {
        self.sum(|kind| &kind.service)
    }

    fn sum(&self, part: impl Fn(&KindTally) -> &Durations) -> Durations {
        let mut all = Durations::default();
        self.kinds.values().for_each(|kind| all.add(part(kind)));
        all
    }
}
