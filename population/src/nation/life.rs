//! How a life is insured: which insurers, from when to when.

use eligibility::code::{CardKind, LimitCategory, LimitKind, LossReason, Relationship, SpecificDisease};
use eligibility::coverage::{
    Coverage, ElderlyCertificate, LimitCertificate, Member, SpecificDiseaseCertificate, Validity,
};
use eligibility::day::Day;
use eligibility::number::{Branch, check_digit};

use super::household::{Role, Seat};
use crate::calendar::{age_on, birthday, elderly_from, year_from};
use crate::dice::{Dice, Purpose};
use crate::insurer::{known, number};
use crate::resident::Word;

/// How the household's first person is insured before 75.
const INSURERS: &[(u32, u32)] = &[
    (390, known::ASSOCIATION),
    (180, known::SOCIETY),
    (110, known::OTHER_SOCIETY),
    (80, known::MUTUAL_AID),
    (10, known::SELF_DEFENCE),
    (5, known::SEAFARERS),
    (25, known::NATIONAL_SOCIETY),
    (110, known::WARD),
    (110, known::TOWN),
];

/// One time under one insurer.
#[derive(Clone, Copy)]
struct Span {
    insurer: u32,
    /// Place of the person on whose account it is; makes symbol and number unique.
    account: u64,
    /// Which of the account's numbers.
    turn: u64,
    from: Day,
    lost: Option<(Day, LossReason)>,
}

/// What insurers say of the person who sits there.
pub(super) fn words(seed: u64, day: Day, seat: &Seat, blank: &Member, dice: &mut Dice) -> Vec<Word> {
    let [before, now] = first_person(seed, day, seat);
    let late = birthday(seat.birth, 75);
    let mut words: Vec<Word> = Vec::with_capacity(2);
    for span in [before, now].into_iter().flatten() {
        let from = span.from.max(seat.birth);
        let lost = match span.lost {
            Some((on, reason)) if on <= late => Some((on, reason)),
            _ if late <= day => Some((late, LossReason::OtherInsurance)),
            lost => lost,
        };
        if lost.is_some_and(|(on, _)| on <= from) {
            continue;
        }
        let coverage = coverage(&Span { from, lost, ..span }, day, seat, dice);
        say(&mut words, span.insurer, coverage, blank);
    }
    if late <= day {
        say(&mut words, known::LATE_ELDERLY, late_elderly(seat, late, day, dice), blank);
    }
    words
}

fn say(words: &mut Vec<Word>, insurer: u32, coverage: Coverage, blank: &Member) {
    let insurer = number(insurer);
    match words.iter_mut().find(|word| word.insurer == insurer) {
        Some(word) => word.member.coverages.push(coverage),
        None => {
            let member = Member { coverages: vec![coverage], ..blank.clone() };
            words.push(Word { insurer, member });
        }
    }
}

/// The insurance of the household's first person, which the others share.
fn first_person(seed: u64, day: Day, seat: &Seat) -> [Option<Span>; 2] {
    let mut dice = Dice::of(seed, Purpose::Household, seat.household ^ (1 << 62));
    let account = seat.household;
    let from = day.plus(-dice.within(100, 6000));
    let now = Span { insurer: *dice.weighted(INSURERS), account, turn: 0, from, lost: None };
    match dice.below(100) {
        0..15 => {
            let before = *dice.weighted(INSURERS);
            if before == now.insurer {
                return [None, Some(now)];
            }
            // 国保 is lost the day after; others on the day itself.
            let national = number(before).is_national();
            let lost = Some((from.plus(i32::from(national)), LossReason::OtherInsurance));
            let from = from.plus(-dice.within(200, 3000));
            [Some(Span { insurer: before, account, turn: 1, from, lost }), Some(now)]
        }
        15..18 => {
            let on = day.plus(-dice.within(1, 90)).max(from.plus(1));
            [None, Some(Span { lost: Some((on, LossReason::Other)), ..now })]
        }
        _ => [None, Some(now)],
    }
}

fn coverage(span: &Span, day: Day, seat: &Seat, dice: &mut Dice) -> Coverage {
    let age = age_on(seat.birth, day);
    let national = number(span.insurer).is_national();
    let branch = match seat.role {
        Role::First => 0,
        Role::Spouse => 1,
        Role::Child(nth) => 1 + nth,
        Role::GrownChild => 2,
    };
    let dependent = seat.role != Role::First && !national;
    let (symbol, digits) = symbol_and_number(span);
    let validity = match national && span.lost.is_none() {
        true => {
            let year = year_from(8, day);
            Validity { from: year.from.map(|august| august.max(span.from)), ..year }
        }
        false => Validity { from: Some(span.from), through: None },
    };
    let goes_on = span.lost.is_none();
    Coverage {
        symbol,
        number: digits,
        branch: Branch::from_value(branch),
        relationship: Some(if dependent { Relationship::Dependent } else { Relationship::Insured }),
        card_kind: CardKind::parse(if span.insurer == known::SELF_DEFENCE { "07" } else { "01" }),
        insured_name: None,
        qualified_on: span.from,
        disqualified_on: span.lost.map(|(on, _)| on),
        loss_reason: span.lost.map(|(_, reason)| reason),
        validity,
        copay_percent: Some(if age < 6 { 20 } else { 30 }),
        preschool: (age < 6).then_some(true),
        issued_on: None,
        elderly: if goes_on { elderly(seat.birth, day) } else { Vec::new() },
        limit_certificates: if goes_on && dice.per_mille(30) { vec![limit(day, age)] } else { Vec::new() },
        specific_diseases: if goes_on && dice.per_mille(4) { vec![disease(day, dice)] } else { Vec::new() },
    }
}

fn symbol_and_number(span: &Span) -> (Box<str>, Box<str>) {
    let code = span.account * 2 + span.turn;
    let (group, number) = (code / 1_000_000, code % 1_000_000 + 1);
    let symbol = match self::number(span.insurer).scheme() {
        None => format!("国{group}"),
        Some(1) => format!("{:08}", 20_000_000 + group * 1000 + code % 997),
        Some(31..=34) => format!("公{group}"),
        _ => format!("{}", 1000 + group),
    };
    (symbol.into(), number.to_string().into())
}

fn elderly(birth: Day, day: Day) -> Vec<ElderlyCertificate> {
    let (from, end) = (elderly_from(birth), birthday(birth, 75).plus(-1));
    if day < from || day > end {
        return Vec::new();
    }
    let year = year_from(8, day);
    let validity = Validity {
        from: year.from.map(|august| august.max(from)),
        through: year.through.map(|july| july.min(end)),
    };
    vec![ElderlyCertificate { validity, copay_percent: Some(20), issued_on: None }]
}

fn limit(day: Day, age: i32) -> LimitCertificate {
    let category = LimitCategory::parse(if age >= 70 { "B04" } else { "A03" });
    let validity = year_from(8, day);
    LimitCertificate { kind: LimitKind::Limit, category, validity, long_term_on: None, issued_on: None }
}

fn disease(day: Day, dice: &mut Dice) -> SpecificDiseaseCertificate {
    let category = *dice.weighted(&[
        (970, SpecificDisease::Dialysis),
        (20, SpecificDisease::Haemophilia),
        (10, SpecificDisease::Hiv),
    ]);
    let validity = Validity { from: Some(day.plus(-dice.within(30, 3000))), through: None };
    SpecificDiseaseCertificate { category, validity, self_pay_yen: Some(10_000), issued_on: None }
}

fn late_elderly(seat: &Seat, from: Day, day: Day, dice: &mut Dice) -> Coverage {
    let place = seat.household + u64::from(seat.role == Role::Spouse);
    let body = 1_100_000 + place % 8_900_000;
    let year = year_from(8, day);
    Coverage {
        symbol: "".into(),
        number: format!("{body}{}", check_digit(body)).into(),
        branch: None,
        relationship: Some(Relationship::Insured),
        card_kind: CardKind::parse("01"),
        insured_name: None,
        qualified_on: from,
        disqualified_on: None,
        loss_reason: None,
        validity: Validity { from: year.from.map(|august| august.max(from)), ..year },
        copay_percent: Some(*dice.weighted(&[(73, 10), (20, 20), (7, 30)])),
        preschool: None,
        issued_on: None,
        elderly: Vec::new(),
        limit_certificates: Vec::new(),
        specific_diseases: Vec::new(),
    }
}
