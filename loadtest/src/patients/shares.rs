//! Which insurer's people ask how much: for sharing out what machines cost.

use std::collections::BTreeMap;

use eligibility::number::InsurerNumber;
use serde::Serialize;

use crate::folder::Folder;

/// People looked at at the most; a larger nation is looked at here and there.
const MOST: u64 = 200_000;

/// One insurer's part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// 保険者番号 as printed.
    pub insurer: String,
    /// People whom it insures today, among those looked at.
    pub people: u64,
    /// Its part of all checks, where everybody asks as often.
    pub share: f64,
}

/// The parts of all insurers, the largest first.
#[must_use]
pub fn shares(folder: &Folder) -> Vec<Share> {
    let population = &folder.population;
    let (people, day) = (population.people(), population.day());
    let every = people.div_ceil(MOST).max(1);
    let mut counts: BTreeMap<InsurerNumber, u64> = BTreeMap::new();
    for resident in
        (folder.first..people).step_by(every as usize).filter_map(|place| population.person(place))
    {
        for word in
            resident.words.iter().filter(|word| word.member.coverages.iter().any(|one| one.holds(day)))
        {
            *counts.entry(word.insurer).or_default() += 1;
        }
    }
    let total = counts.values().sum::<u64>().max(1);
    let share = |(insurer, people): (InsurerNumber, u64)| Share {
        insurer: insurer.to_string(),
        people,
        share: people as f64 / total as f64,
    };
    let mut all: Vec<_> = counts.into_iter().map(share).collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.people));
    all
}
