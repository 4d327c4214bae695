//! The plan of a run: every request with its instant, kind, patient and institution, decided
//! before the run by the scenario alone.
//!
//! Every thread of every process walks through the whole plan and takes what is its own: the
//! requests of its institutions. So shares need no exchange of words.

use crate::institutions::{Institution, weights};
use crate::menu::Course;
use crate::outcome::{Kind, Sort};
use crate::scenario::{Mix, Phase};
use crate::schedule::{Random, mix};

/// One request of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Nanoseconds from the start of the run.
    pub at: u64,
    /// Place of its phase.
    pub phase: usize,
    /// What is asked.
    pub kind: Kind,
    /// Whose request.
    pub sort: Sort,
    /// Place of the request among those of its kind.
    pub item: usize,
    /// Place of the institution.
    pub institution: usize,
    /// Whether a connection is made for it.
    pub fresh: bool,
}

/// The requests that can be asked, by kind.
#[derive(Clone, Debug, Default)]
pub struct Menu {
    /// By card: the part before the challenge.
    pub card: Course,
    /// By number.
    pub number: Course,
    /// In batches.
    pub batch: Course,
    /// Challenges alone.
    pub challenge: Course,
    /// Plain requests.
    pub plain: Course,
    /// Claim files, one an institution in their order.
    pub precheck: Course,
}

impl Menu {
    /// The requests of one kind.
    #[must_use]
    pub const fn course(&self, kind: Kind) -> &Course {
        match kind {
            Kind::Card => &self.card,
            Kind::Number => &self.number,
            Kind::Batch => &self.batch,
            Kind::Challenge => &self.challenge,
            Kind::Plain => &self.plain,
            Kind::Precheck => &self.precheck,
        }
    }
}

/// The plan.
pub struct Plan {
    /// The phases.
    pub phases: Vec<Phase>,
    /// The requests.
    pub menu: Menu,
    /// Who asks.
    pub institutions: Vec<Institution>,
    weights: Vec<f64>,
    /// Sums of the shares of [`Kind::ALL`].
    kinds: [f64; 6],
    seed: u64,
}

/// Which part of a plan somebody takes: of so many processes this one, and of its threads this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The process, from 0.
    pub part: usize,
    /// Processes, at least 1.
    pub of: usize,
    /// The thread, from 0.
    pub thread: usize,
    /// Threads, at least 1.
    pub threads: usize,
}

impl Share {
    /// All that one process of so many has.
    #[must_use]
    pub const fn process(part: usize, of: usize) -> Self {
        Self { part, of, thread: 0, threads: 1 }
    }

    /// What one thread of this process has.
    #[must_use]
    pub const fn thread(self, thread: usize, threads: usize) -> Self {
        Self { thread, threads, ..self }
    }

    /// Whether an institution is in it.
    #[must_use]
    pub const fn has(self, institution: usize) -> bool {
        institution % self.of == self.part && self.thread_of(institution) == self.thread
    }

    /// The thread that has an institution, within its process.
    #[must_use]
    pub const fn thread_of(self, institution: usize) -> usize {
        institution / self.of % self.threads
    }
}

impl Plan {
    /// The plan of these phases, requests and institutions.
    #[must_use]
    pub fn new(phases: Vec<Phase>, menu: Menu, mix: &Mix, institutions: Vec<Institution>, seed: u64) -> Self {
        let mut kinds = mix.shares();
        let mut sum = 0.0;
        for share in &mut kinds {
            sum += *share;
            *share = sum;
        }
        let weights = weights(&institutions);
        Self { phases, menu, institutions, weights, kinds, seed }
    }

    /// Its length in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.phases.last().map_or(0.0, |phase| phase.starts + phase.schedule.duration().as_secs_f64())
    }

    /// All requests of a share, in order of time.
    pub fn arrivals(&self, share: Share) -> impl Iterator<Item = Arrival> + '_ {
        let all = self.phases.iter().enumerate().flat_map(|(at, phase)| {
            let starts = (phase.starts * 1e9) as u64;
            phase.schedule.instants().map(move |instant| (at, starts + instant))
        });
        all.enumerate().filter_map(move |(number, (phase, at))| self.arrival(number as u64, phase, at, share))
    }

    fn arrival(&self, number: u64, phase: usize, at: u64, share: Share) -> Option<Arrival> {
        let mut random = Random::of(self.seed, mix(number));
        let institution = random.weighted(&self.weights);
        if !share.has(institution) {
            return None;
        }
        let kind = Kind::ALL.get(random.weighted(&self.kinds)).copied()?;
        let course = self.menu.course(kind);
        let (sort, mut item) = course.choose(random.unit(), random.unit())?;
        if kind == Kind::Precheck {
            // An institution hands in its own claims.
            item = institution % course.items.len().max(1);
        }
        let fresh = random.unit() < self.phases.get(phase)?.fresh;
        Some(Arrival { at, phase, kind, sort, item, institution, fresh })
    }
}
