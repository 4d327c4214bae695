//! A nation's own claims, whose right answers are known by how they were made, against the pre-check.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use cache::{Batch, Row};
use claims::{Caller, CopyFor, Error, Outcome, Terms, copy, precheck};
use disk::Folder;
use eligibility::day::Day;
use eligibility::feed::{Said, Source};
use eligibility::number::InstitutionCode;
use gateway::config::InsurerList;
use gateway::desk::Staleness;
use gateway::intake::Held;
use gateway::jobs::Known;
use population::Population;
use population::claim::{Answer, Form, Institution, PlannedClaim, write};

const PEOPLE: u64 = 60_000;

/// Memory that has been told everything, every source complete up to now.
fn memory(population: &Population) -> cache::Reader {
    let now = population.day().starts_at();
    let (mut writer, reader) = cache::empty();
    let mut tell = |position: u64, record: &eligibility::feed::Record| {
        writer.apply(Batch {
            position,
            source: record.source,
            epoch: 1,
            committed_at: now,
            committed_sequence: record.sequence,
            rows: vec![Row::Accepted(record)],
        });
    };
    let mut position = 0;
    let members = population.records(0..population.people());
    for record in members.filter(|record| matches!(record.said, Said::Member { .. })) {
        position += 1;
        tell(position, &record);
    }
    for source in population.sources().filter(|source| matches!(source, Source::Insurer(_))) {
        position += 1;
        tell(position, &population::feed::mark(source, population.last_sequence() + 1, now));
    }
    reader
}

/// The days of a result with whose insurer's they are.
fn days(outcome: &Outcome) -> Vec<(Day, Option<String>)> {
    let mut all: Vec<_> = outcome
        .days
        .iter()
        .flat_map(|part| {
            let insurer = part
                .coverage
                .and_then(|at| outcome.coverages.get(at))
                .map(|one| one.insurer_number.to_string());
            part.dates.iter().map(move |day| (*day, insurer.clone()))
        })
        .collect();
    all.sort();
    all
}

fn expected(answer: &Answer) -> String {
    let Answer { verdict, rule, code, suggested, branch, .. } = answer;
    format!("{verdict} {rule:?} {code:?} {suggested:?} {:?}", branch.map(|branch| branch.to_string()))
}

fn said(outcome: &Outcome) -> String {
    let (rule, code) = (outcome.rule.map(|one| one.word()), outcome.code.map(|one| one.word()));
    let (suggested, branch) = (outcome.suggested.map(|one| one.word()), outcome.branch);
    format!(
        "{} {rule:?} {code:?} {suggested:?} {:?}",
        outcome.verdict.word(),
        branch.map(|one| one.0.to_string())
    )
}

#[test]
fn every_claim_of_a_nation_gets_its_right_answer() {
    let population = Population::new(3, PEOPLE, Day::parse("2026-11-21").unwrap());
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("insurers.csv");
    std::fs::write(&list, population.insurers_csv()).unwrap();
    let insurers = InsurerList::read(&list).unwrap();
    let staleness = Staleness { after_ms: 1, ..Staleness::default() };
    let now = population.day().starts_at();
    let held = Held::beside(Folder::from(&folder.path().join("held"))).unwrap();
    let (memory, insurers, staleness, held) = (memory(&population).view(), &insurers, &staleness, &held);
    let known = &Known { memory, past: None, held, insurers, staleness, now };

    let month = Day::parse("2026-10-01").unwrap();
    let planned: Vec<PlannedClaim> = (0..2)
        .flat_map(|nth| (0..PEOPLE).map(move |place| (place, nth)))
        .filter_map(|(place, nth)| population.claim(place, month, nth))
        .collect();
    assert!(planned.len() as u64 > PEOPLE, "{} claims", planned.len());
    for (form, code) in CODES {
        assert_eq!(Form::of(InstitutionCode::parse(code).unwrap()).table(), form.table());
        let institution =
            Institution { code: InstitutionCode::parse(code).unwrap(), form, agency: 1, services: 2 };
        // Of 医科 all of them, of the others enough to meet every verdict.
        let some = if form == Form::Medical { &planned[..] } else { &planned[..planned.len() / 3] };
        let mut file = Vec::new();
        write(&mut file, institution, month, some.iter().cloned()).unwrap();
        check(known, population.day(), some, &file);
    }
}

/// An institution of each 点数表.
const CODES: [(Form, &str); 5] = [
    (Form::Medical, "1312345679"),
    (Form::Dpc, "1312345679"),
    (Form::Dental, "1332345675"),
    (Form::Pharmacy, "1342345673"),
    (Form::Nursing, "1362345678"),
];

/// Every claim of the file is answered as it was planned.
fn check(known: &Known<'_>, today: Day, planned: &[PlannedClaim], file: &[u8]) {
    let terms = Terms { caller: Caller::Review, today, known_at: None };
    let (mut met, mut outcomes) = (BTreeMap::<String, u64>::new(), Vec::new());
    let mut answers = planned.iter();
    let summary = precheck(file, &known, terms, |judged| {
        let outcome = judged.outcome;
        let claim = answers.next().unwrap();
        assert_eq!(said(outcome), expected(&claim.answer), "{claim:?} {:?}", days(outcome));
        let told = claim.answer.days.iter();
        let told: Vec<_> = told.map(|(day, insurer)| (*day, insurer.map(|one| one.to_string()))).collect();
        assert_eq!(days(outcome), told, "{claim:?}");
        *met.entry(outcome.verdict.word().to_owned()).or_default() += 1;
        if let Some(rule) = outcome.rule {
            *met.entry(rule.word().to_owned()).or_default() += 1;
        }
        outcomes.push(outcome.clone());
        Ok::<_, Error>(ControlFlow::Continue(()))
    });
    let summary = summary.unwrap();
    assert_eq!(answers.count(), 0);
    assert!(summary.notices.is_empty(), "a sound file: {:?}", summary.notices);
    for verdict in claims::Verdict::ALL {
        assert!(met.contains_key(verdict.word()), "{} was not met: {met:?}", verdict.word());
    }
    for rule in ["unknown_insurer", "restricted", "subsidy", "limit", "copay", "days_unknown", "self_defence"]
    {
        assert!(met.contains_key(rule), "{rule} was not met: {met:?}");
    }

    // A copy changes one record for each branch that was found, and nothing else.
    let found = met["ok_branch_found"];
    let mut copied = Vec::new();
    let results = outcomes.into_iter().map(Ok);
    assert_eq!(copy(file, results, CopyFor::Institution, &mut copied).unwrap(), found);
    let lines = |octets: &[u8]| octets.split(|octet| *octet == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let differing = lines(file).into_iter().zip(lines(&copied)).filter(|(before, after)| before != after);
    assert_eq!(differing.count() as u64, found);
}
