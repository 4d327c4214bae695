//! The nation as a whole resembles Japan, and each life keeps to insurance law.

use std::collections::BTreeMap;

use eligibility::code::{LossReason, Restriction};
use eligibility::coverage::Coverage;
use eligibility::day::{Day, days_in_month};
use eligibility::number::InsurerNumber;
use population::Population;
use population::insurer::InsurerKind;
use population::resident::Resident;

const DAY: Day = Day::from_number(20_778); // 2026-11-21
const PEOPLE: u64 = 1_000_000;
/// Every so many people are looked at.
const STEP: usize = 23;

fn nation() -> Population {
    Population::new(11, PEOPLE, DAY)
}

fn sample(nation: &Population) -> impl Iterator<Item = Resident> + '_ {
    (1000..PEOPLE).step_by(STEP).filter_map(|index| nation.person(index))
}

fn coverages(person: &Resident) -> Vec<(InsurerNumber, &Coverage)> {
    let each =
        person.words.iter().flat_map(|word| word.member.coverages.iter().map(|one| (word.insurer, one)));
    each.collect()
}

fn birth(person: &Resident) -> Option<Day> {
    person.words.last().map(|word| word.member.birth_date)
}

fn age(birth: Day, day: Day) -> i32 {
    let ((year, month, of_month), (now, now_month, now_day)) = (birth.ymd(), day.ymd());
    now - year - i32::from((now_month, now_day) < (month, of_month))
}

fn birthday(birth: Day, years: i32) -> Day {
    let (year, month, day) = birth.ymd();
    match day > days_in_month(year + years, month) {
        true => Day::from_ymd(year + years, 3, 1),
        false => Day::from_ymd(year + years, month, day),
    }
    .expect("a birthday")
}

fn share(counts: &BTreeMap<&'static str, u32>, name: &str, low: f64, high: f64) {
    let all: u32 = counts.values().sum();
    let share = f64::from(counts.get(name).copied().unwrap_or_default()) * 100.0 / f64::from(all);
    assert!((low..=high).contains(&share), "{name}: {share:.2} % of {counts:?}");
}

#[test]
fn insurers_have_their_share() {
    let nation = nation();
    let mut counts = BTreeMap::new();
    for person in sample(&nation) {
        let now = coverages(&person).into_iter().find(|(_, one)| one.holds(DAY));
        let name = match now.map(|(insurer, _)| InsurerKind::of(insurer)) {
            Some(InsurerKind::Association) => "association",
            Some(InsurerKind::Society) => "society",
            Some(InsurerKind::MutualAid | InsurerKind::SelfDefence) => "mutual aid",
            Some(InsurerKind::Municipal) => "municipal",
            Some(InsurerKind::NationalSociety) => "national society",
            Some(InsurerKind::LateElderly) => "late elderly",
            Some(InsurerKind::Seafarers) => "seafarers",
            None => "none",
        };
        *counts.entry(name).or_default() += 1;
    }
    // 協会けんぽ 39.4, 組合 28.2, 国保 23.1, 後期 19.9 million (2022-2023) of 124; 共済 about 9.8,
    // 国保組合 2.6, 生活保護 2.0.
    share(&counts, "association", 29.3, 34.3);
    share(&counts, "society", 20.7, 25.2);
    share(&counts, "mutual aid", 6.0, 9.5);
    share(&counts, "municipal", 17.0, 21.0);
    share(&counts, "national society", 1.0, 3.2);
    share(&counts, "late elderly", 14.5, 17.5);
    share(&counts, "seafarers", 0.02, 0.25);
    share(&counts, "none", 1.5, 4.5);
}

#[test]
fn ages_are_those_of_japan() {
    let nation = nation();
    let mut counts = BTreeMap::new();
    for birth in sample(&nation).filter_map(|person| birth(&person)) {
        let band = match age(birth, DAY) {
            ..15 => "0-14",
            15..25 => "15-24",
            25..45 => "25-44",
            45..65 => "45-64",
            65..75 => "65-74",
            75..85 => "75-84",
            _ => "85-",
        };
        *counts.entry(band).or_default() += 1;
    }
    // 人口推計 2024: 11, 9, 21, 28, 13, 11, 5 to 6 %.
    share(&counts, "0-14", 9.5, 13.0);
    share(&counts, "15-24", 7.5, 11.5);
    share(&counts, "25-44", 18.5, 25.0);
    share(&counts, "45-64", 25.0, 30.5);
    share(&counts, "65-74", 11.5, 15.0);
    share(&counts, "75-84", 9.0, 12.5);
    share(&counts, "85-", 3.5, 6.5);
}

#[test]
fn lives_keep_to_the_law() {
    let nation = nation();
    let mut seen = BTreeMap::<&str, u32>::new();
    let mut see = |name| *seen.entry(name).or_default() += 1;
    for person in sample(&nation) {
        let all = coverages(&person);
        for (insurer, one) in &all {
            let kind = InsurerKind::of(*insurer);
            assert_eq!(one.disqualified_on.is_some(), one.loss_reason.is_some());
            assert!(one.disqualified_on.is_none_or(|lost| lost > one.qualified_on));
            assert!(one.branch.is_none() || kind != InsurerKind::LateElderly);
            assert!(one.symbol.is_empty() || kind != InsurerKind::LateElderly);
            assert!(one.disqualified_on.is_none_or(|lost| lost > DAY.plus(-3653)), "kept ten years");
            if one.loss_reason == Some(LossReason::PublicAssistance) {
                see("public assistance");
            }
            if one.loss_reason == Some(LossReason::Death) {
                see("death");
            }
            let two_years = one.qualified_on.plus_months(24);
            let society = matches!(kind, InsurerKind::Society | InsurerKind::Association);
            if society && one.validity.through.is_some() {
                see("voluntary");
                assert!(one.disqualified_on.is_some_and(|lost| lost <= two_years));
            }
            let card = one.card_kind.map(|kind| kind.as_str().to_owned()).unwrap_or_default();
            match card.as_str() {
                "03" => see("short-term"),
                "05" => see("sanctioned"),
                "07" => see("self-defence"),
                _ => {}
            }
            let preschool = one.preschool == Some(true);
            if preschool {
                see("preschool");
            }
        }
        let Some(birth) = birth(&person).filter(|_| {
            person.words.iter().all(|w| w.member.birth_date == person.words[0].member.birth_date)
        }) else {
            continue;
        };
        let (late, years) = (birthday(birth, 75), age(birth, DAY));
        for (insurer, one) in &all {
            match InsurerKind::of(*insurer) {
                InsurerKind::LateElderly => {
                    assert_eq!(one.qualified_on, late);
                    see(if late > DAY { "late elderly to come" } else { "late elderly" });
                }
                InsurerKind::Seafarers | InsurerKind::MutualAid if years >= 75 && one.holds(DAY) => {
                    see("overlap with late elderly");
                }
                _ if years >= 75 => assert!(one.disqualified_on.is_some_and(|lost| lost <= late)),
                _ => {}
            }
            assert!(one.qualified_on >= birth);
            let newborn = years == 0 && one.qualified_on == birth;
            if newborn {
                see("newborn");
            }
        }
        changes(&all, &mut see);
        let elderly = all.iter().find(|(_, one)| one.holds(DAY)).map(|(_, one)| &one.elderly);
        let (year, month, of_month) = birthday(birth, 70).ymd();
        let first = Day::from_ymd(year, month, 1).expect("a first");
        let from = if of_month == 1 { first } else { first.plus_months(1) };
        if let Some(elderly) = elderly {
            let has = elderly.iter().any(|one| one.validity.holds(DAY));
            assert_eq!(has, from <= DAY && DAY < late, "born {birth}");
        }
        for word in &person.words {
            for restriction in word.member.restrictions.iter() {
                see(restriction.word());
            }
            if word.member.alias.is_some() {
                see("alias");
            }
        }
    }
    for name in [
        "public assistance",
        "death",
        "voluntary",
        "short-term",
        "sanctioned",
        "self-defence",
        "preschool",
        "late elderly",
        "overlap with late elderly",
        "newborn",
        "to society",
        "to national",
        "gap",
        "alias",
        "late report",
        "moved",
        "future",
    ] {
        assert!(seen.contains_key(name), "{name} is missing of {seen:?}");
    }
    assert!(seen.contains_key(Restriction::HideAddress.word()), "{seen:?}");
}

/// 国保 is lost the day after 社保 begins; what 国保 follows is lost the day it begins.
fn changes(all: &[(InsurerNumber, &Coverage)], see: &mut impl FnMut(&'static str)) {
    let mut all = all.to_vec();
    all.sort_by_key(|(_, one)| one.qualified_on);
    for (insurer, one) in &all {
        if one.qualified_on > DAY && InsurerKind::of(*insurer) != InsurerKind::LateElderly {
            see("future");
        }
    }
    for two in all.windows(2) {
        let ((before, lost), (after, next)) = (two[0], two[1]);
        if InsurerKind::of(after) == InsurerKind::LateElderly {
            continue;
        }
        let Some(lost) = lost.disqualified_on else {
            if next.disqualified_on.is_none() {
                see("late report");
            }
            continue;
        };
        match (before.is_national(), after.is_national()) {
            (true, false) => {
                see("to society");
                assert_eq!(lost, next.qualified_on.plus(1));
            }
            (true, true) => {
                see("moved");
                assert_eq!(lost, next.qualified_on);
            }
            (false, true) => {
                see("to national");
                assert_eq!(lost, next.qualified_on);
            }
            (false, false) if lost < next.qualified_on => see("gap"),
            (false, false) => assert_eq!(lost, next.qualified_on),
        }
    }
}

#[test]
fn a_large_nation_has_many_insurers_and_a_small_one_few() {
    let count = |people, kind| {
        let nation = Population::new(1, people, DAY);
        nation.insurers().iter().filter(|one| one.kind == kind).count()
    };
    let all = 125_000_000;
    assert_eq!(count(all, InsurerKind::Association), 47);
    assert_eq!(count(all, InsurerKind::LateElderly), 47);
    assert!(count(all, InsurerKind::Society) > 1300);
    assert!(count(all, InsurerKind::Municipal) > 1300);
    assert!(count(10_000, InsurerKind::Society) < 12);
    assert!(Population::new(1, 10_000, DAY).insurers().len() < 60);
    let nation = Population::new(1, all, DAY);
    let mut names: Vec<_> = nation.insurers().iter().map(|one| &one.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), nation.insurers().len(), "names are one each");
}

#[test]
fn members_of_a_household_share_symbol_and_number() {
    let nation = nation();
    let people: Vec<_> = (1000..4000).filter_map(|index| nation.person(index)).collect();
    let mut accounts = BTreeMap::<_, u32>::new();
    for question in people.iter().flat_map(Resident::questions) {
        *accounts.entry((question.insurer, question.symbol, question.number)).or_default() += 1;
    }
    assert!(accounts.values().filter(|many| **many > 1).count() > 200);
    assert!(accounts.values().all(|many| *many <= 6));
}
