//! Random people and claims against a second, slow opinion that goes through the table of verdicts
//! row by row and through the month day by day.

use std::collections::{BTreeMap, BTreeSet};

use claims::{Caller, Outcome};
use eligibility::day::Day;
use eligibility::decision::Reason;
use proptest::prelude::*;

use super::town::{Town, day, insurer, judged};

const LETTERS: [&str; 5] = ["A", "B", "C", "F", "H"];

#[derive(Clone, Debug)]
struct Cov {
    insurer: &'static str,
    number: u8,
    branch: Option<u8>,
    /// Days from 2026-05-20.
    from: i32,
    loss: Option<i32>,
    through: Option<i32>,
    death: bool,
    copay: Option<u8>,
    closed: bool,
}

#[derive(Clone, Debug)]
struct Asked {
    insurer: &'static str,
    number: u8,
    branch: Option<u8>,
    days: BTreeSet<i32>,
    subsidy: bool,
    limited: bool,
    remark: Option<u8>,
}

fn start() -> Day {
    day("2026-05-20")
}

fn cov() -> impl Strategy<Value = Cov> {
    let word = (0..LETTERS.len(), 7_u8..9, prop::option::weighted(0.8, 1_u8..3));
    let days = (0..45_i32, prop::option::weighted(0.6, 0..30_i32), prop::option::weighted(0.2, 0..30_i32));
    let rest = (
        any::<bool>(),
        prop::option::weighted(0.9, prop_oneof![3 => Just(30_u8), 1 => Just(20)]),
        prop::bool::weighted(0.1),
    );
    (word, days, rest).prop_map(
        |((letter, number, branch), (from, length, through), (death, copay, closed))| Cov {
            insurer: LETTERS[letter],
            number,
            branch,
            from,
            loss: length.map(|length| from + length),
            through: through.map(|through| from + through),
            death,
            copay,
            closed,
        },
    )
}

/// A person: no two coverages begin on one day, and a closed insurer is closed as a whole.
fn person() -> impl Strategy<Value = Vec<Cov>> {
    prop::collection::vec(cov(), 1..5).prop_map(|mut all| {
        let mut seen = BTreeSet::new();
        all.retain(|cov| seen.insert(cov.from));
        let closed: Vec<&str> = all.iter().filter(|cov| cov.closed).map(|cov| cov.insurer).collect();
        for cov in &mut all {
            cov.closed = closed.contains(&cov.insurer);
        }
        all
    })
}

fn asked() -> impl Strategy<Value = Asked> {
    let rare = || prop::bool::weighted(0.15);
    let word = (0..LETTERS.len(), 7_u8..9, prop::option::of(1_u8..3));
    let remark = prop::option::weighted(0.2, prop::sample::select(vec![2_u8, 16, 26, 35, 36, 41, 44, 96]));
    let days = prop_oneof![4 => prop::collection::btree_set(0..30_i32, 1..5), 1 => Just(BTreeSet::new())];
    (word, days, rare(), rare(), remark).prop_map(
        |((letter, number, branch), days, subsidy, limited, remark)| Asked {
            insurer: LETTERS[letter],
            number,
            branch,
            days,
            subsidy,
            limited,
            remark,
        },
    )
}

impl Cov {
    fn words(&self) -> String {
        let at = |offset: i32| start().plus(offset).to_string();
        let mut text = format!("{} {}..{}", self.insurer, at(self.from), self.loss.map_or(String::new(), at));
        text += &format!(
            " number{} copay{}",
            self.number,
            self.copay.map_or("-".into(), |copay| copay.to_string())
        );
        text += &self.branch.map_or(" branch-".into(), |branch| format!(" branch0{branch}"));
        text += &self.through.map_or(String::new(), |through| format!(" to{}", at(through)));
        text += if self.loss.is_none() {
            ""
        } else if self.death {
            " death"
        } else {
            " other"
        };
        text + if self.closed { " closed" } else { "" }
    }

    fn holds(&self, day: Day) -> bool {
        let at = day.number() - start().number();
        self.from <= at
            && self.loss.is_none_or(|loss| at < loss)
            && self.through.is_none_or(|through| at <= through)
    }

    fn last(&self) -> Option<i32> {
        [self.loss.map(|loss| loss - 1), self.through].into_iter().flatten().min()
    }
}

impl Asked {
    fn words(&self) -> String {
        let mut text = format!("{} month number{}", self.insurer, self.number);
        text += &self.days.iter().map(|day| format!(" {}", day + 1)).collect::<String>();
        text += &self.branch.map_or(String::new(), |branch| format!(" branch0{branch}"));
        text += if self.subsidy { " KO" } else { "" };
        text += if self.limited { " MF" } else { "" };
        text + &self.remark.map_or(String::new(), |code| format!(" x{code:02}"))
    }

    fn means(&self, cov: &Cov) -> bool {
        cov.insurer == self.insurer
            && cov.number == self.number
            && (self.branch.is_none() || cov.branch.is_none() || self.branch == cov.branch)
    }
}

/// Whose a day is, as far as verdicts tell them apart.
type Card = Option<(&'static str, u8)>;

/// Verdict, rule, 確認区分 and what is suggested.
type Word = (&'static str, &'static str, &'static str, &'static str);

fn opinion(people: &[Vec<Cov>], asked: &Asked, stale: bool) -> Word {
    let fitting: Vec<&Vec<Cov>> =
        people.iter().filter(|all| all.iter().any(|cov| asked.means(cov))).collect();
    match fitting.as_slice() {
        [] if stale => ("unconfirmed", "", "03", ""),
        [] => ("not_found", "", "03", ""),
        [person] => of_person(person, asked, stale),
        several => {
            let fine = several.iter().all(|person| of_person(person, asked, stale).0.starts_with("ok"));
            if fine { ("ok", "", "02", "") } else { ("review", "multiple", "03", "") }
        }
    }
}

fn of_person(person: &[Cov], asked: &Asked, stale: bool) -> Word {
    let month: Vec<Day> = (0..30).map(|at| day("2026-06-01").plus(at)).collect();
    let known = !asked.days.is_empty();
    let days: Vec<Day> = month
        .iter()
        .enumerate()
        .filter(|(at, _)| !known || asked.days.contains(&(*at as i32)))
        .map(|(_, day)| *day)
        .collect();
    let mut whose: BTreeMap<Day, Option<&Cov>> = BTreeMap::new();
    for day in &days {
        let mut holders: Vec<&Cov> = person.iter().filter(|cov| cov.holds(*day)).collect();
        holders.sort_by_key(|cov| (!asked.means(cov), -cov.from));
        whose.insert(*day, holders.first().copied());
    }
    let written = |cov: &Option<&Cov>| cov.is_some_and(|cov| asked.means(cov));
    let all_written = whose.values().all(written);
    let mut sure = known || all_written;
    if !sure {
        // One other card that holds the whole month.
        let mut others: Vec<&Cov> = person.iter().filter(|cov| !asked.means(cov)).collect();
        others.sort_by_key(|cov| -cov.from);
        let whole = |one: &&&Cov| {
            days.iter().all(|day| {
                others
                    .iter()
                    .any(|cov| (cov.insurer, cov.number) == (one.insurer, one.number) && cov.holds(*day))
            })
        };
        if let Some(one) = others.iter().find(whole) {
            sure = true;
            for (day, cov) in &mut whose {
                *cov = others
                    .iter()
                    .copied()
                    .find(|cov| (cov.insurer, cov.number) == (one.insurer, one.number) && cov.holds(*day));
            }
        }
    }
    let involved = person.iter().filter(|cov| asked.means(cov)).chain(whose.values().flatten().copied());
    if involved.into_iter().any(|cov| cov.closed) {
        return ("review", "restricted", "03", "");
    }
    if all_written {
        let branches: BTreeSet<Option<u8>> = person
            .iter()
            .filter(|cov| asked.means(cov) && days.iter().any(|day| cov.holds(*day)))
            .map(|cov| cov.branch)
            .collect();
        let found = asked.branch.is_none() && branches.len() == 1 && !branches.contains(&None);
        return if found { ("ok_branch_found", "", "09", "") } else { ("ok", "", "02", "") };
    }
    let first_lost =
        whose.iter().find(|(_, cov)| !written(cov)).map(|(day, _)| day.number() - start().number());
    let nearest = nearest(person, asked, first_lost.unwrap_or_default());
    let nobodys = |cov: &Option<&Cov>| cov.is_none();
    if if sure { whose.values().any(nobodys) } else { whose.values().all(nobodys) } {
        if stale {
            return ("unconfirmed", "", "03", "");
        }
        let told: Vec<&Cov> =
            whose.values().flatten().copied().chain(nearest).filter(|cov| cov.loss.is_some()).collect();
        let death = !told.is_empty() && told.iter().all(|cov| cov.death);
        return ("lost", "", if death { "08" } else { "06" }, "");
    }
    let cards: BTreeSet<Card> = whose
        .values()
        .map(|cov| cov.filter(|cov| !asked.means(cov)).map(|cov| (cov.insurer, cov.number)))
        .collect();
    let moved = if cards.len() == 1 { "transfer" } else { "split" };
    if let Some(rule) = rule(asked, &whose, nearest) {
        return ("review", rule, "06", if sure { moved } else { "" });
    }
    match (sure, moved) {
        (false, _) => ("review", "days_unknown", "03", ""),
        (true, "transfer") => ("transfer", "", "04", ""),
        (true, _) => ("split", "", "05", ""),
    }
}

fn nearest<'p>(person: &'p [Cov], asked: &Asked, at: i32) -> Option<&'p Cov> {
    let mut all: Vec<&Cov> = person.iter().filter(|cov| asked.means(cov)).collect();
    all.sort_by_key(|cov| cov.last());
    let ended = all.iter().rev().find(|cov| cov.last().is_some_and(|last| last < at)).copied();
    ended.or_else(|| all.into_iter().min_by_key(|cov| cov.from))
}

fn rule(asked: &Asked, whose: &BTreeMap<Day, Option<&Cov>>, nearest: Option<&Cov>) -> Option<&'static str> {
    if asked.subsidy {
        return Some("subsidy");
    }
    if asked.limited || asked.remark.is_some_and(|code| matches!(code, 2 | 16 | 26..=35 | 41..=44)) {
        return Some("limit");
    }
    let mut shares: BTreeSet<Option<u8>> = whose.values().flatten().map(|cov| cov.copay).collect();
    if !whose.values().flatten().any(|cov| asked.means(cov)) {
        shares.extend(nearest.map(|cov| cov.copay));
    }
    if shares.len() > 1 {
        return Some("copay");
    }
    let insurers: BTreeSet<&str> =
        whose.values().flatten().map(|cov| cov.insurer).chain([asked.insurer]).collect();
    let any = |letter| insurers.contains(letter);
    if any("F") {
        Some("mariner")
    } else if any("H") {
        Some("self_defence")
    } else {
        None
    }
}

fn word(outcome: &Outcome) -> Word {
    (
        outcome.verdict.word(),
        outcome.rule.map_or("", claims::Rule::word),
        outcome.code.map_or("", claims::Confirmation::word),
        outcome.suggested.map_or("", claims::Suggested::word),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]
    #[test]
    fn a_second_opinion_agrees(people in prop::collection::vec(person(), 0..3), asked in asked(), stale in any::<bool>()) {
        let words: Vec<String> = people.iter().map(|all| all.iter().map(Cov::words).collect::<Vec<_>>().join(", ")).collect();
        let mut town = Town::of(&words.iter().map(String::as_str).collect::<Vec<_>>());
        if stale {
            town.doubt.insert(insurer(asked.insurer), Reason::Stale);
        }
        let outcome = judged(&town, &asked.words(), Caller::Review, "2026-07-01");
        prop_assert_eq!(word(&outcome), opinion(&people, &asked, stale), "{:?} {}", words, asked.words());
        // Every visit day is told once, whoever holds it.
        if !outcome.days.is_empty() && !asked.days.is_empty() {
            let mut told: Vec<i32> = outcome.days.iter().flat_map(|days| &days.dates).map(|day| day.ymd().2 as i32 - 1).collect();
            told.sort_unstable();
            prop_assert_eq!(told, asked.days.iter().copied().collect::<Vec<_>>());
        }
        let mut json = Vec::new();
        outcome.write_json(&mut json);
        prop_assert_eq!(Outcome::from_json(&json), Some(outcome));
    }
}
