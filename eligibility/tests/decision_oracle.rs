//! The decision against an oracle that counts day by day.
//!
//! The oracle is written from the words of the rule over a model of its own (plain day numbers,
//! plain indexes) and shares nothing with the crate. Random persons with several insurers live in a
//! window of sixty days; every question is put to both and the answers are compared.

use std::cell::RefCell;
use std::collections::BTreeMap;

use eligibility::code::{Restriction, Sex};
use eligibility::coverage::{Coverage, Member, Person, Restrictions, Subsidy, Validity};
use eligibility::day::{Day, Timestamp};
use eligibility::decision::{Asked, By, Eligibility, Found, Reach, Reason, Shown, decide};
use eligibility::feed::Source;
use eligibility::number::{Branch, CityCode, InsurerNumber, LinkNumber};
use eligibility::query::{Consent, NumberQuery};
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

#[derive(Clone, Copy, Debug)]
struct Spelled {
    row: usize,
    spelling: usize,
}

#[derive(Clone, Debug)]
struct Period {
    from: Option<i32>,
    through: Option<i32>,
}

#[derive(Clone, Debug)]
struct Cover {
    symbol: Spelled,
    number: Spelled,
    branch: Option<u8>,
    qualified: i32,
    lost: Option<i32>,
    valid: Period,
}

#[derive(Clone, Copy, Debug, Default)]
struct Wishes {
    hide_address: bool,
    card_unusable: bool,
    closed: bool,
}

#[derive(Clone, Debug)]
struct Entry {
    insurer: usize,
    fed: bool,
    birth: usize,
    wishes: Wishes,
    pending: Wishes,
    covers: Vec<Cover>,
}

#[derive(Clone, Debug)]
struct Model {
    entries: Vec<Entry>,
    /// One list a city.
    subsidies: Vec<Vec<Period>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Hit {
    Unlinked,
    Unknown,
    Nobody,
    One,
    Several,
}

#[derive(Clone, Debug)]
struct Question {
    by_card: bool,
    hit: Hit,
    insurer: usize,
    symbol: Spelled,
    number: Spelled,
    branch: Option<u8>,
    birth: usize,
    date: i32,
    today: i32,
    subsidies: bool,
    sees_newer: bool,
    /// Of each insurer, and last of the portal.
    doubts: [Option<Reason>; 5],
}

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

#[derive(Clone, Debug, PartialEq)]
struct Listed {
    insurer: usize,
    cover: usize,
    ended_by: Option<&'static str>,
    starts_on: Option<i32>,
    hides_address: bool,
    subsidies: Option<usize>,
    as_of: Option<i64>,
}

#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    status: &'static str,
    reason: Option<&'static str>,
    coverages: Vec<Listed>,
    newer: Option<Vec<Listed>>,
    as_of: Option<i64>,
}

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

// The oracle.

/// Every day that matters, and some on either side.
const DAYS: std::ops::Range<i32> = -200..WINDOW + 200;

impl Period {
    fn has(&self, date: i32) -> bool {
        match (self.from, self.through) {
            (None, None) => true,
            (Some(from), None) => date >= from,
            (None, Some(through)) => date <= through,
            (Some(from), Some(through)) => (from..=through).contains(&date),
        }
    }
}

impl Cover {
    fn is_lost_on(&self, date: i32) -> bool {
        self.lost.is_some_and(|lost| date >= lost)
    }

    fn has_run_out_on(&self, date: i32) -> bool {
        self.valid.through.is_some_and(|through| date > through)
    }

    fn is_over_on(&self, date: i32) -> bool {
        self.is_lost_on(date) || self.has_run_out_on(date)
    }

    fn holds(&self, date: i32) -> bool {
        date >= self.qualified && !self.is_lost_on(date) && self.valid.has(date)
    }

    /// The last day on which it was not over.
    fn last_day(&self) -> Option<i32> {
        DAYS.rev().find(|date| !self.is_over_on(*date))
    }

    /// The next day on which it will hold.
    fn next_day(&self, date: i32) -> Option<i32> {
        (date..DAYS.end).find(|date| self.holds(*date))
    }
}

impl Entry {
    fn living(&self) -> Wishes {
        let Wishes { hide_address, card_unusable, closed } = self.pending;
        let own = if self.fed { self.wishes } else { Wishes::default() };
        Wishes {
            hide_address: hide_address || own.hide_address,
            card_unusable: card_unusable || own.card_unusable,
            closed: closed || own.closed,
        }
    }

    fn covers(&self) -> impl Iterator<Item = (usize, &Cover)> {
        self.covers.iter().enumerate().filter(|_| self.fed)
    }

    fn has_ended(&self, today: i32) -> bool {
        self.covers().all(|(_, cover)| cover.is_over_on(today))
    }

    fn last_day(&self) -> Option<i32> {
        self.covers().filter_map(|(_, cover)| cover.last_day()).max()
    }
}

type Named<'m> = (&'m Entry, usize, &'m Cover);

struct Oracle<'m> {
    model: &'m Model,
    question: &'m Question,
}

impl<'m> Oracle<'m> {
    fn answer(&self) -> Outcome {
        let Question { by_card, hit, insurer, .. } = *self.question;
        if !by_card {
            return match hit {
                Hit::Several => self.outcome("multiple", None, Vec::new(), Some(insurer)),
                Hit::One => self.number(),
                _ => self.negative("not_found", Vec::new(), insurer),
            };
        }
        match hit {
            Hit::Unlinked | Hit::Nobody => self.negative("not_linked", Vec::new(), 4),
            Hit::One if self.model.entries.iter().any(|entry| entry.fed) => self.card(),
            _ => self.outcome("unconfirmed", Some("person_not_fed"), Vec::new(), Some(4)),
        }
    }

    fn card(&self) -> Outcome {
        if self.card_is_unusable() {
            return self.outcome("withheld", Some("card_unusable"), Vec::new(), None);
        }
        let date = self.question.date;
        let all = self.in_order(|_| true);
        let open = self.in_order(|entry| !entry.living().closed);
        let holding: Vec<_> = open.iter().copied().filter(|(_, _, cover)| cover.holds(date)).collect();
        if let Some((first, ..)) = holding.first() {
            let hangs_on = first.insurer;
            return self.outcome("valid", None, self.list(&holding), Some(hangs_on));
        }
        let open_entry = self.model.entries.iter().find(|entry| entry.fed && !entry.living().closed);
        let held = all.iter().any(|(_, _, cover)| cover.holds(date));
        match open_entry {
            Some(entry) if !held => {
                let listed = self.last_or_next(&open);
                let hangs_on = listed.first().map_or(entry.insurer, |one| one.insurer);
                self.negative("invalid", listed, hangs_on)
            }
            _ => self.outcome("withheld", Some("closed"), Vec::new(), None),
        }
    }

    fn number(&self) -> Outcome {
        let Question { insurer, date, .. } = *self.question;
        let asked = self.in_order(|entry| entry.insurer == insurer);
        let asked: Vec<_> = asked.into_iter().filter(|one| self.is_asked(one)).collect();
        let Some((entry, ..)) = asked.first() else {
            return self.negative("not_found", Vec::new(), insurer);
        };
        if entry.living().closed {
            return self.outcome("withheld", Some("closed"), Vec::new(), Some(insurer));
        }
        let holding: Vec<_> = asked.iter().copied().filter(|(_, _, cover)| cover.holds(date)).collect();
        if !holding.is_empty() {
            return self.outcome("valid", None, self.list(&holding), Some(insurer));
        }
        let listed = self.last_or_next(&asked);
        if !self.in_order(|_| true).iter().any(|(_, _, cover)| cover.holds(date)) {
            return self.negative("invalid", listed, insurer);
        }
        let mut others = self.in_order(|entry| !entry.living().closed);
        others.retain(|(_, _, cover)| cover.holds(date));
        let newer = self.question.sees_newer.then(|| self.list(&others));
        Outcome { newer, ..self.outcome("invalid_newer", None, listed, Some(insurer)) }
    }

    fn is_asked(&self, (entry, _, cover): &Named<'_>) -> bool {
        let question = self.question;
        let symbol = entry.insurer == LATE_ELDERLY || cover.symbol.row == question.symbol.row;
        let branch = match (question.branch, cover.branch) {
            (None, _) | (_, None) => true,
            (Some(asked), Some(own)) => asked == own,
        };
        symbol && branch && cover.number.row == question.number.row && entry.birth == question.birth
    }

    /// Latest 取得日, latest 有効開始日, lowest insurer number, and then as fed.
    fn in_order(&self, of: impl Fn(&Entry) -> bool) -> Vec<Named<'m>> {
        let mut all = Vec::new();
        for entry in self.model.entries.iter().filter(|entry| of(entry)) {
            all.extend(entry.covers().map(|(at, cover)| (entry, at, cover)));
        }
        // No 有効開始日 is earlier than any.
        let rank = |cover: &Cover| (-cover.qualified, cover.valid.from.map_or(i32::MAX, |from| -from));
        all.sort_by_key(|(entry, at, cover)| (rank(cover), entry.insurer, *at));
        all
    }

    fn list(&self, named: &[Named<'_>]) -> Vec<Listed> {
        let date = self.question.date;
        let lists = &self.model.subsidies;
        let holding = lists.iter().flatten().filter(|period| period.has(date)).count();
        let one = |(entry, at, _): &Named<'_>| Listed {
            insurer: entry.insurer,
            cover: *at,
            ended_by: None,
            starts_on: None,
            hides_address: self.address_is_hidden(),
            subsidies: (self.question.subsidies && !lists.is_empty()).then_some(holding),
            as_of: Some(entry.insurer as i64),
        };
        named.iter().map(one).collect()
    }

    fn last_or_next(&self, named: &[Named<'_>]) -> Vec<Listed> {
        let date = self.question.date;
        let over: Vec<_> = named.iter().copied().filter(|(_, _, cover)| cover.is_over_on(date)).collect();
        let latest = over.iter().map(|(_, _, cover)| cover.last_day()).max();
        if let Some(one) = over.iter().find(|(_, _, cover)| Some(cover.last_day()) == latest) {
            let ended_by = if one.2.is_lost_on(date) { "loss" } else { "period" };
            let listed = self.list(&[*one]).into_iter();
            return listed.map(|one| Listed { ended_by: Some(ended_by), ..one }).collect();
        }
        let soonest = named.iter().filter_map(|(_, _, cover)| cover.next_day(date)).min();
        let next = named.iter().find(|(_, _, cover)| soonest.is_some() && cover.next_day(date) == soonest);
        let listed = next.map(|one| self.list(&[*one])).unwrap_or_default().into_iter();
        listed.map(|one| Listed { starts_on: soonest, ..one }).collect()
    }

    fn address_is_hidden(&self) -> bool {
        self.card_is_unusable() || self.model.entries.iter().any(|entry| entry.living().hide_address)
    }

    fn card_is_unusable(&self) -> bool {
        let entries = &self.model.entries;
        if entries.iter().any(|entry| entry.pending.card_unusable) {
            return true;
        }
        let mut counted: Vec<_> =
            entries.iter().filter(|entry| !entry.has_ended(self.question.today)).collect();
        if counted.is_empty() {
            let latest = entries.iter().map(Entry::last_day).max().flatten();
            counted = entries.iter().filter(|entry| entry.last_day() == latest).collect();
        }
        counted.iter().any(|entry| entry.living().card_unusable)
    }

    fn negative(&self, status: &'static str, coverages: Vec<Listed>, hangs_on: usize) -> Outcome {
        match self.question.doubts[hangs_on] {
            Some(why) => self.outcome("unconfirmed", Some(why.word()), coverages, Some(hangs_on)),
            None => self.outcome(status, None, coverages, Some(hangs_on)),
        }
    }

    fn outcome(
        &self,
        status: &'static str,
        reason: Option<&'static str>,
        coverages: Vec<Listed>,
        hangs_on: Option<usize>,
    ) -> Outcome {
        Outcome { status, reason, coverages, newer: None, as_of: hangs_on.map(|at| at as i64) }
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
