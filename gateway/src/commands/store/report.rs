//! What `shikaku store measure` tells, as JSON and for people.

use cache::Sizes;
use serde::{Deserialize, Serialize};

use super::load::Case;
use super::probe::Latency;

/// Questions known together where that is measured.
pub(super) const TOGETHER: usize = 32;

/// What was measured.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) people: u64,
    pub(super) case: Option<Case>,
    /// Neither a ledger was written nor was one read.
    pub(super) with_ledger: bool,
    pub(super) serials: usize,
    #[serde(flatten)]
    pub(super) built: Option<Built>,
    pub(super) bytes_per_person: f64,
    pub(super) parts: Parts,
    pub(super) find_decide_per_second: f64,
    /// Of those that are known together, as in a batch.
    pub(super) find_decide_together_per_second: f64,
    #[serde(flatten)]
    pub(super) hits: Latency,
    pub(super) misses: Latency,
    /// One load from memory that no cache holds.
    pub(super) floor_ns: u64,
    pub(super) beside_updates: Beside,
    pub(super) update_per_second: f64,
    pub(super) bytes_per_person_after_updates: f64,
    pub(super) peak_over_resident: f64,
    pub(super) restart_seconds: f64,
}

/// What building took.
#[derive(Serialize, Deserialize)]
pub(super) struct Built {
    pub(super) records: u64,
    /// Not from lines.
    pub(super) straight: bool,
    pub(super) load_per_second: f64,
    pub(super) snapshot_bytes: u64,
    pub(super) snapshot_seconds: f64,
}

/// Octets a person by what they are for.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Parts {
    pub(super) records: f64,
    pub(super) places: f64,
    pub(super) cards: f64,
    pub(super) numbers: f64,
    pub(super) changes: f64,
}

/// Answers while people are changed.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Beside {
    pub(super) updates_per_second: f64,
    pub(super) find_decide_per_second: f64,
    #[serde(flatten)]
    pub(super) latency: Latency,
    /// Arithmetic beside the same changes: what the machine itself adds.
    pub(super) control: Latency,
}

/// What memory takes, a person.
pub(super) fn parts(sizes: Sizes, people: u64) -> Parts {
    let each = |octets: usize| octets as f64 / people as f64;
    Parts {
        records: each(sizes.records),
        places: each(sizes.places),
        cards: each(sizes.cards),
        numbers: each(sizes.numbers),
        changes: each(sizes.changes),
    }
}

impl Report {
    /// Prints it for people.
    pub(super) fn print(&self) {
        let Self { parts, hits, misses, beside_updates: beside, .. } = self;
        println!("{} people, {} cards; no ledger", self.people, self.serials);
        println!("resident         {:10.1} octets a person", self.bytes_per_person);
        println!(
            "  records {:.1}, places {:.1}, cards {:.1}, numbers {:.1}, changes {:.1}",
            parts.records, parts.places, parts.cards, parts.numbers, parts.changes
        );
        if let Some(built) = &self.built {
            let from = if built.straight { "as they are made" } else { "from NDJSON" };
            println!(
                "load             {:10.0} records/s {from}, {} in all",
                built.load_per_second, built.records
            );
            println!(
                "snapshot         {:10} octets in {:.2} s",
                built.snapshot_bytes, built.snapshot_seconds
            );
        }
        println!("find and decide  {:10.0} /s a core", self.find_decide_per_second);
        println!("  {TOGETHER} known together{:9.0} /s", self.find_decide_together_per_second);
        println!("  hits           {hits}");
        println!("  misses         {misses}");
        println!("  one load       {:10} ns", self.floor_ns);
        println!("beside {:.0} updates/s", beside.updates_per_second);
        println!("  find and decide{:10.0} /s", beside.find_decide_per_second);
        println!("  answers        {}", beside.latency);
        println!("  arithmetic     {}", beside.control);
        println!("updates          {:10.0} /s beside a reader", self.update_per_second);
        println!("  resident after {:10.1} octets a person", self.bytes_per_person_after_updates);
        println!("  peak           {:10.2} × resident", self.peak_over_resident);
        println!("restart          {:10.3} s", self.restart_seconds);
    }
}

impl std::fmt::Display for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "p50 {} ns, p99 {} ns, p99.9 {} ns", self.p50_ns, self.p99_ns, self.p999_ns)
    }
}
