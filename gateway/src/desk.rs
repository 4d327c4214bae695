//! Everything the path of a query looks at, and what it changes: spent challenges, the audit, counts of misses.

use std::collections::HashMap;
use std::sync::Arc;

use eligibility::day::Timestamp;
use eligibility::decision::{Reach, Reason};
use eligibility::feed::Source;

use crate::audit::Audit;
use crate::challenge::Challenges;
use crate::config::InsurerList;
use crate::intake::Held;
use crate::misses::Misses;
use crate::trust::Trust;

/// What a query is answered from.
pub struct Desk {
    /// Challenges issued here.
    pub challenges: Challenges,
    /// Card CAs, revocation lists, and how cards are judged by them.
    pub trust: Trust,
    /// Every coverage.
    pub memory: cache::Reader,
    /// Deliveries that are held back: what their sources deny is not certain.
    pub held: Held,
    /// The insurers there are.
    pub insurers: InsurerList,
    /// When a source's silence makes its negative answers doubtful.
    pub staleness: Staleness,
    /// Where each answer leaves its record.
    pub audit: Audit,
    /// How often callers asked for nobody.
    pub misses: Arc<Misses>,
}

/// How long a source may be silent.
#[derive(Clone, Debug, Default)]
pub struct Staleness {
    /// Milliseconds for every source.
    pub after_ms: i64,
    /// Milliseconds for single ones.
    pub after_ms_of: HashMap<Source, i64>,
}

impl Staleness {
    /// As the configuration says.
    #[must_use]
    pub fn of(feed: &crate::config::Feed) -> Self {
        let millis = |hours: u32| i64::from(hours) * 3_600_000;
        let single = feed.stale_hours_of.iter();
        Self {
            after_ms: millis(feed.stale_hours),
            after_ms_of: single
                .filter_map(|(name, hours)| Some((Source::parse(name)?, millis(*hours))))
                .collect(),
        }
    }

    fn after_ms(&self, source: Source) -> i64 {
        self.after_ms_of.get(&source).copied().unwrap_or(self.after_ms)
    }

    /// How far the word of a source that stands so reaches now, with or without a delivery that is held
    /// back; `None` when it has never said anything.
    #[must_use]
    pub fn reach(
        &self,
        state: Option<&cache::SourceState>,
        source: Source,
        held: bool,
        now: Timestamp,
    ) -> Reach {
        let as_of = state.and_then(|state| state.complete_to);
        let fresh = as_of.is_some_and(|at| now.millis().saturating_sub(at.millis()) <= self.after_ms(source));
        let doubt = match state {
            _ if held => Some(Reason::HeldBack),
            None => Some(Reason::NeverFed),
            Some(_) => (!fresh).then_some(Reason::Stale),
        };
        Reach { as_of, doubt }
    }
}

impl Desk {
    /// How far a source's word reaches now, as this view of memory has it.
    #[must_use]
    pub fn reach(&self, memory: &cache::View, source: Source, now: Timestamp) -> Reach {
        self.staleness.reach(memory.source(source), source, self.held.has(source), now)
    }
}
