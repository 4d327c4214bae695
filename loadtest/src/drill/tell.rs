//! What a drill prints: counts and latencies by phase, words on screens, and what was to hold.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::desk::Said;
use crate::outcome::Word;
use crate::result::RunResult;
use crate::tally::Tally;

/// The phases of every drill.
pub(super) const PHASES: [&str; 3] = ["before", "during", "after"];

/// What was told so far.
#[derive(Default)]
pub(super) struct Tell {
    missed: usize,
    screens: BTreeSet<(String, String)>,
}

impl Tell {
    /// What the drill is about.
    pub(super) fn about(&self, name: &str, words: &str) {
        println!("{name}: {words}\n");
    }

    /// Something that happens.
    pub(super) fn happens(&self, words: &str) {
        println!("- {words}");
    }

    /// What one desk's screen shows, with the time it waited. The same words to the same desk are told once.
    pub(super) fn screen(&mut self, desk: &str, said: &Said) {
        let Said { word, screen, took, .. } = said;
        let millis = took.as_secs_f64() * 1e3;
        let is_new = self.screens.insert((desk.to_owned(), word.clone()));
        let screen = if is_new && !screen.is_empty() { format!("「{screen}」") } else { String::new() };
        println!("  {desk}: {word} in {millis:.1} ms {screen}");
    }

    /// The answers that desks got, phase by phase.
    pub(super) fn table(&self, desks: &str, run: &RunResult) {
        println!("\n{desks:<32} {:>10} {:>10} {:>10}", PHASES[0], PHASES[1], PHASES[2]);
        let tallies: Vec<&Tally> = run.phases.iter().map(|phase| &phase.tally).collect();
        let mut words: BTreeMap<Word, u64> = BTreeMap::new();
        for one in tallies.iter().flat_map(|tally| &tally.answers) {
            *words.entry(one.word).or_default() += one.count;
        }
        let mut words: Vec<_> = words.into_iter().collect();
        words.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        for (word, _) in words {
            row(&format!("  {}", word.text()), tallies.iter().map(|tally| count(tally, word).to_string()));
        }
        for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
            let millis = |tally: &&Tally| format!("{:.1}", tally.latency().quantile(share) * 1e3);
            row(&format!("  {name} from due to answer, ms"), tallies.iter().map(millis));
        }
        run.verdict.reasons.iter().for_each(|why| println!("  (the generator was short of time: {why})"));
        println!();
    }

    /// The same of one desk that asked over and over.
    pub(super) fn counts(&self, desk: &str, phases: &[BTreeMap<String, u64>; 3]) {
        println!("\n{desk:<32} {:>10} {:>10} {:>10}", PHASES[0], PHASES[1], PHASES[2]);
        let words: BTreeSet<&String> = phases.iter().flat_map(BTreeMap::keys).collect();
        for word in words {
            let of = |phase: &BTreeMap<String, u64>| phase.get(word).copied().unwrap_or_default().to_string();
            row(&format!("  {word}"), phases.iter().map(of));
        }
        println!();
    }

    /// What was to hold, and whether it did.
    pub(super) fn check(&mut self, held: bool, what: &str) {
        self.missed += usize::from(!held);
        println!("{} {what}", if held { "held  " } else { "MISSED" });
    }

    /// The last word: whether everything held.
    pub(super) fn end(&self) -> bool {
        match self.missed {
            0 => println!("\nthe house behaved"),
            missed => println!("\nthe house did not behave: {missed} missed"),
        }
        self.missed == 0
    }
}

fn row(name: &str, cells: impl Iterator<Item = String>) {
    let cells: String = cells.map(|cell| format!(" {cell:>10}")).collect();
    println!("{name:<32}{cells}");
}

/// How many answers of this word a phase had.
pub(super) fn count(tally: &Tally, word: Word) -> u64 {
    tally.answers.iter().filter(|one| one.word == word).map(|one| one.count).sum()
}

/// Every phase of a run: all answered as expected, 99 of a hundred within the limit.
pub(super) fn unharmed(tell: &mut Tell, desks: &str, run: &RunResult, limit: Duration) {
    let failed: u64 = run.phases.iter().map(|phase| phase.tally.failed + phase.tally.wrong).sum();
    tell.check(failed == 0, &format!("{desks}: every answer was the right one ({failed} were not)"));
    for phase in &run.phases {
        let p99 = phase.tally.latency().quantile(0.99);
        let words = format!(
            "{desks}, {}: p99 {:.1} ms (at most {:.0})",
            phase.name,
            p99 * 1e3,
            limit.as_secs_f64() * 1e3
        );
        tell.check(p99 <= limit.as_secs_f64(), &words);
    }
}
