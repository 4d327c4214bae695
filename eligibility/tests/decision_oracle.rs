//! The decision against an oracle that counts day by day.
//!
//! The oracle is written from the words of the rule over a model of its own (plain day numbers,
//! plain indexes) and shares nothing with the crate. Random persons with several insurers live in a
//! window of sixty days; every question is put to both and the answers are compared.

#[path = "decision_oracle/oracle.rs"]
mod oracle;

use std::cell::RefCell;
use std::collections::BTreeMap;

use eligibility::code::{Restriction, Sex};
use eligibility::coverage::{Coverage, Member, Person, Restrictions, Subsidy, Validity};
use eligibility::day::{Day, Timestamp};
use eligibility::decision::{Asked, By, Eligibility, Found, Reach, Reason, Shown, decide};
use eligibility::feed::Source;
use eligibility::number::{Branch, CityCode, InsurerNumber, LinkNumber};
use eligibility::query::{Consent, NumberQuery};
use oracle::{Cover, Entry, Hit, Listed, Model, Oracle, Outcome, Period, Question, Spelled, Wishes};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

const CASES: u32 = 24_000;

/// In the order of their numbers; the last is 後期, whose symbols do not count.
const INSURERS: [&str; 4] = ["138057", "01130012", "06132013", "39131156"];
const LATE_ELDERLY: usize = 3;
/// Spellings of each symbol and number; those of one row are the same.
const SYMBOLS: [[&str; 2]; 2] = [["12-34", "１２－３４"], ["", " "]];
const NUMBERS: [[&str; 2]; 2] = [["567", "００567"], ["8", "08"]];
const BIRTHS: [&str; 2] = ["1980-02-03", "1980-02-04"];
const DOUBTS: [Reason; 3] = [Reason::Stale, Reason::HeldBack, Reason::NeverFed];
/// 2026-01-01, the first day of the window.
const FIRST: i32 = 20_454;
const WINDOW: i32 = 60;

// What is generated.

fn spelled() -> impl Strategy<Value = Spelled> {
    (prop::sample::select(vec![0, 0, 0, 1]), 0..2_usize).prop_map(|(row, spelling)| Spelled { row, spelling })
}

fn period() -> impl Strategy<Value = Period> {
    let from = prop::option::weighted(0.3, 0..WINDOW);
    (from, prop::option::weighted(0.3, 0..20)).prop_map(|(from, length)| Period {
        from,
        through: length.map(|length| from.unwrap_or(WINDOW / 2) + length),
    })
}

prop_compose! {
    fn cover()(
        symbol in spelled(),
        number in spelled(),
        branch in prop::option::weighted(0.5, 0..2_u8),
        qualified in 0..WINDOW,
        length in prop::option::weighted(0.6, 0..25),
        valid in period(),
    ) -> Cover {
        Cover { symbol, number, branch, qualified, lost: length.map(|length| qualified + length), valid }
    }
}

fn wishes(often: f64) -> impl Strategy<Value = Wishes> {
    let wish = || prop::bool::weighted(often);
    (wish(), wish(), wish()).prop_map(|(hide_address, card_unusable, closed)| Wishes {
        hide_address,
        card_unusable,
        closed,
    })
}

prop_compose! {
    fn entry()(
        insurer in 0..INSURERS.len(),
        fed in prop::bool::weighted(0.9),
        birth in prop::sample::select(vec![0, 0, 0, 1]),
        wishes in wishes(0.08),
        pending in wishes(0.02),
        covers in prop::collection::vec(cover(), 0..4),
    ) -> Entry {
        Entry { insurer, fed, birth, wishes, pending, covers }
    }
}

fn model() -> impl Strategy<Value = Model> {
    let entries = prop::collection::vec(entry(), 0..4);
    let subsidies = prop::collection::vec(prop::collection::vec(period(), 0..3), 0..3);
    (entries, subsidies).prop_map(|(mut entries, subsidies)| {
        entries.sort_by_key(|entry| entry.insurer);
        entries.dedup_by_key(|entry| entry.insurer);
        Model { entries, subsidies }
    })
}

fn doubt() -> impl Strategy<Value = Option<Reason>> {
    prop::option::weighted(0.2, prop::sample::select(DOUBTS.to_vec()))
}

prop_compose! {
    fn question()(
        by_card in any::<bool>(),
        hit in prop_oneof![
            1 => Just(Hit::Unlinked), 1 => Just(Hit::Unknown), 1 => Just(Hit::Nobody), 1 => Just(Hit::Several),
            16 => Just(Hit::One),
        ],
        insurer in 0..INSURERS.len(),
        (symbol, number) in (spelled(), spelled()),
        branch in prop::option::weighted(0.3, 0..2_u8),
        birth in prop::sample::select(vec![0, 0, 0, 1]),
        (date, today) in (-5..WINDOW + 30, -5..WINDOW + 30),
        (subsidies, sees_newer) in (any::<bool>(), any::<bool>()),
        doubts in [doubt(), doubt(), doubt(), doubt(), doubt()],
    ) -> Question {
        Question {
            by_card, hit, insurer, symbol, number, branch, birth, date, today, subsidies, sees_newer, doubts,
        }
    }
}

// The same for the crate.

fn day(number: i32) -> Day {
    Day::from_number(FIRST + number)
}

fn insurer(at: usize) -> InsurerNumber {
    InsurerNumber::parse(INSURERS[at]).expect("an insurer")
}

fn restrictions(wishes: Wishes) -> Restrictions {
    let all = [
        (wishes.hide_address, Restriction::HideAddress),
        (wishes.card_unusable, Restriction::CardUnusable),
        (wishes.closed, Restriction::Closed),
    ];
    all.iter().filter(|(asked, _)| *asked).fold(Restrictions::NONE, |set, (_, one)| set.with(*one))
}

fn validity(period: &Period) -> Validity {
    Validity { from: period.from.map(day), through: period.through.map(day) }
}

fn coverage(cover: &Cover) -> Coverage {
    Coverage {
        symbol: SYMBOLS[cover.symbol.row][cover.symbol.spelling].into(),
        number: NUMBERS[cover.number.row][cover.number.spelling].into(),
        branch: cover.branch.and_then(Branch::from_value),
        relationship: None,
        card_kind: None,
        insured_name: None,
        qualified_on: day(cover.qualified),
        disqualified_on: cover.lost.map(day),
        loss_reason: None,
        validity: validity(&cover.valid),
        copay_percent: None,
        preschool: None,
        issued_on: None,
        elderly: Vec::new(),
        limit_certificates: Vec::new(),
        specific_diseases: Vec::new(),
    }
}

fn person(model: &Model) -> Person {
    let mut person = Person::new(LinkNumber::from_value(1).expect("a link number"));
    for entry in &model.entries {
        let membership = person.membership_mut(insurer(entry.insurer));
        membership.pending = restrictions(entry.pending);
        membership.member = entry.fed.then(|| Member {
            name: "見本".into(),
            name_kana: None,
            alias: None,
            alias_kana: None,
            sex: Sex::Unknown,
            sex_on_back: None,
            birth_date: Day::parse(BIRTHS[entry.birth]).expect("a day"),
            postal_code: None,
            address: None,
            restrictions: restrictions(entry.wishes),
            coverages: entry.covers.iter().map(coverage).collect(),
        });
    }
    for (at, periods) in model.subsidies.iter().enumerate() {
        let subsidies = periods.iter().map(|period| Subsidy {
            payer_number: "88130018".into(),
            recipient_number: "1234566".into(),
            scheme: "child".into(),
            copay_percent: None,
            validity: validity(period),
            note: None,
        });
        let city = CityCode::parse(&format!("13101{at}")).expect("a city");
        person.subsidies.push((city, subsidies.collect()));
    }
    person
}

fn asked_of_the_crate(question: &Question, person: &Person) -> Outcome {
    let json = serde_json::json!({
        "insurer_number": INSURERS[question.insurer],
        "symbol": SYMBOLS[question.symbol.row][question.symbol.spelling],
        "number": NUMBERS[question.number.row][question.number.spelling],
        "branch": question.branch.map(|branch| format!("{branch:02}")),
        "birth_date": BIRTHS[question.birth],
    });
    let query = NumberQuery::from_json(json.to_string().as_bytes()).expect("a question");
    let asked = Asked {
        by: if question.by_card { By::Card } else { By::Number(&query) },
        date: day(question.date),
        today: day(question.today),
        consent: Consent { subsidies: question.subsidies, ..Consent::default() },
        sees_newer: question.sees_newer,
    };
    let found = match question.hit {
        Hit::Unlinked => Found::Unlinked,
        Hit::Unknown => Found::Unknown,
        Hit::Nobody => Found::Nobody,
        Hit::One => Found::One(person),
        Hit::Several => Found::Several,
    };
    let reach = |source: Source| {
        let at = match source {
            Source::Insurer(number) => (0..4).find(|at| insurer(*at) == number).expect("one of ours"),
            Source::Portal => 4,
            _ => unreachable!("no answer hangs on {source}"),
        };
        Reach { as_of: Some(Timestamp::from_millis(at as i64)), doubt: question.doubts[at] }
    };
    Outcome::of(&decide(found, &asked, &reach), person)
}

// What is compared.

impl Outcome {
    fn of(eligibility: &Eligibility<'_>, person: &Person) -> Self {
        let listed = |all: &[Shown<'_>]| all.iter().map(|shown| Listed::of(shown, person)).collect();
        Self {
            status: eligibility.status.word(),
            reason: eligibility.reason.map(|reason| reason.word()),
            coverages: listed(&eligibility.coverages),
            newer: eligibility.newer.as_deref().map(listed),
            as_of: eligibility.as_of.map(Timestamp::millis),
        }
    }
}

impl Listed {
    fn of(shown: &Shown<'_>, person: &Person) -> Self {
        let membership = person.membership(shown.insurer).expect("a membership of the person");
        let cover = membership.coverages().iter().position(|one| std::ptr::eq(one, shown.coverage));
        Self {
            insurer: (0..4).find(|at| insurer(*at) == shown.insurer).expect("one of ours"),
            cover: cover.expect("a coverage of that insurer"),
            ended_by: shown.ended_by.map(|by| by.word()),
            starts_on: shown.starts_on.map(|day| day.number() - FIRST),
            hides_address: shown.hides_address,
            subsidies: shown.subsidies.as_ref().map(Vec::len),
            as_of: shown.as_of.map(Timestamp::millis),
        }
    }
}

#[test]
fn the_rule_and_the_oracle_agree() {
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let seen = RefCell::new(BTreeMap::<String, u32>::new());
    let agreed = runner.run(&(model(), question()), |(model, question)| {
        let person = person(&model);
        let expected = Oracle { model: &model, question: &question }.answer();
        let answered = asked_of_the_crate(&question, &person);
        let mut seen = seen.borrow_mut();
        *seen.entry(format!("{} {}", expected.status, expected.reason.unwrap_or_default())).or_default() += 1;
        for one in &expected.coverages {
            let edge = if one.starts_on.is_some() { "starts" } else { one.ended_by.unwrap_or("holds") };
            *seen.entry(edge.to_owned()).or_default() += 1;
        }
        prop_assert_eq!(answered, expected);
        Ok(())
    });
    if let Err(disagreement) = agreed {
        unreachable!("{disagreement}");
    }
    // A comparison that never meets a row proves nothing about it.
    let rows = [
        "valid ",
        "invalid ",
        "invalid_newer ",
        "not_found ",
        "multiple ",
        "withheld closed",
        "withheld card_unusable",
        "not_linked ",
        "unconfirmed stale",
        "unconfirmed held_back",
        "unconfirmed never_fed",
        "unconfirmed person_not_fed",
        "holds",
        "loss",
        "period",
        "starts",
    ];
    let seen = seen.into_inner();
    for row in rows {
        assert!(seen.get(row).is_some_and(|count| *count >= 50), "{row}: {seen:?}");
    }
}
