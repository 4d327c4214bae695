//! How a time under an insurer is fed: the coverage with its certificates.

use eligibility::code::{CardKind, LimitCategory, LimitKind, Relationship, SpecificDisease};
use eligibility::coverage::{
    Coverage, ElderlyCertificate, LimitCertificate, SpecificDiseaseCertificate, Validity,
};
use eligibility::day::Day;

use super::account::Account;
use super::household::Seat;
use super::life::Span;
use crate::calendar::{age_on, april_after, birthday, elderly_from, end_of_july, year_from};
use crate::dice::Dice;
use crate::insurer::{InsurerKind, number};

/// What a coverage is made from.
pub(super) struct Time<'s> {
    pub(super) span: &'s Span,
    pub(super) seat: &'s Seat,
    pub(super) day: Day,
    /// Name of the account's holder, where that is somebody else.
    pub(super) insured_name: Option<Box<str>>,
}

impl Time<'_> {
    pub(super) fn coverage(self, account: Account, dice: &mut Dice) -> Coverage {
        let kind = InsurerKind::of(number(self.span.insurer));
        let (symbol, number, branch) = account;
        let open = self.is_open();
        let sanction = self.sanction(kind, dice);
        let copay = self.copay(kind, sanction, dice);
        let preschool = self.day < april_after(self.seat.own.birth, 6);
        let insured = self.insured_name.is_none();
        Coverage {
            symbol,
            number,
            branch,
            relationship: Some(if insured { Relationship::Insured } else { Relationship::Dependent }),
            card_kind: CardKind::parse(sanction),
            insured_name: self.insured_name.clone(),
            qualified_on: self.span.from,
            disqualified_on: self.span.lost.map(|(lost, _)| lost),
            loss_reason: self.span.lost.map(|(_, reason)| reason),
            validity: self.validity(kind, sanction, dice),
            // Some insurers leave it out; absent says nothing.
            copay_percent: (!dice.per_mille(2)).then_some(copay),
            preschool: preschool.then_some(true),
            issued_on: dice.per_mille(250).then(|| self.span.from.plus(dice.within(3, 20))),
            elderly: if open && kind != InsurerKind::LateElderly { self.elderly(dice) } else { Vec::new() },
            limit_certificates: if open { self.limits(kind, copay, dice) } else { Vec::new() },
            specific_diseases: if open { self.diseases(dice) } else { Vec::new() },
        }
    }

    fn is_open(&self) -> bool {
        self.span.from <= self.day && self.span.lost.is_none_or(|(lost, _)| lost > self.day)
    }

    /// 証区分: few of 国保 have a short-term card or a 資格証明書.
    fn sanction(&self, kind: InsurerKind, dice: &mut Dice) -> &'static str {
        match kind {
            InsurerKind::SelfDefence => "07",
            InsurerKind::Municipal if self.is_open() && age_on(self.seat.own.birth, self.day) >= 18 => {
                match dice.below(1000) {
                    0..9 => "03",
                    9..11 => "05",
                    _ => "01",
                }
            }
            _ => "01",
        }
    }

    fn copay(&self, kind: InsurerKind, sanction: &str, dice: &mut Dice) -> u8 {
        match kind {
            InsurerKind::LateElderly => *dice.weighted(&[(73, 10), (20, 20), (7, 30)]),
            _ if sanction == "05" => 100,
            _ if self.day < april_after(self.seat.own.birth, 6) => 20,
            _ => 30,
        }
    }

    /// Cards of 国保 and 後期 run to the end of July, 任意継続 at most two years; others have no end.
    fn validity(&self, kind: InsurerKind, sanction: &str, dice: &mut Dice) -> Validity {
        let from = self.span.from;
        let last = self.span.lost.map_or(self.day, |(lost, _)| lost.plus(-1)).max(from);
        let through = match kind {
            InsurerKind::Municipal if sanction == "03" => {
                Some(self.day.plus(dice.within(-20, 150)).max(from))
            }
            InsurerKind::Municipal | InsurerKind::NationalSociety => {
                let eve = birthday(self.seat.own.birth, 75).plus(-1);
                let july = end_of_july(last);
                Some(if from <= eve { july.min(eve.max(last)) } else { july })
            }
            InsurerKind::LateElderly => Some(end_of_july(last)),
            _ if self.span.voluntary => Some(from.plus_months(24).plus(-1)),
            _ => None,
        };
        Validity { from: Some(from), through }
    }

    /// 高齢受給者証 of this year and the one before.
    fn elderly(&self, dice: &mut Dice) -> Vec<ElderlyCertificate> {
        let birth = self.seat.own.birth;
        let (from, eve) = (elderly_from(birth), birthday(birth, 75).plus(-1));
        if self.day < from || self.day > eve {
            return Vec::new();
        }
        let copay_percent = Some(if dice.per_mille(120) { 30 } else { 20 });
        let years = [self.day.plus_months(-12), self.day].map(|day| year_from(8, day));
        let certificate = |year: Validity| {
            let from = year.from.map(|august| august.max(from).max(self.span.from));
            let through = year.through.map(|july| july.min(eve));
            let validity = Validity { from, through };
            (from <= through).then_some(ElderlyCertificate { validity, copay_percent, issued_on: from })
        };
        years.into_iter().filter_map(certificate).collect()
    }

    fn limits(&self, kind: InsurerKind, copay: u8, dice: &mut Dice) -> Vec<LimitCertificate> {
        let age = age_on(self.seat.own.birth, self.day);
        let many = if age >= 70 { 90 } else { 25 };
        if !dice.per_mille(many) {
            return Vec::new();
        }
        let rich = kind == InsurerKind::LateElderly && copay == 30;
        let (limit, category) = match age {
            70.. if rich => (LimitKind::Limit, *dice.pick(&["B02", "B03"])),
            70.. => (LimitKind::LimitAndReduction, *dice.pick(&["B05", "B06"])),
            _ => *dice.weighted(&[
                (5, (LimitKind::Limit, "A01")),
                (12, (LimitKind::Limit, "A02")),
                (45, (LimitKind::Limit, "A03")),
                (25, (LimitKind::Limit, "A04")),
                (13, (LimitKind::LimitAndReduction, "A05")),
            ]),
        };
        let year = year_from(8, self.day);
        let validity = Validity { from: year.from.map(|august| august.max(self.span.from)), ..year };
        let long = limit == LimitKind::LimitAndReduction && dice.per_mille(100);
        vec![LimitCertificate {
            kind: limit,
            category: LimitCategory::parse(category),
            validity,
            long_term_on: validity.from.filter(|_| long).map(|from| from.plus_months(1)),
            issued_on: validity.from,
        }]
    }

    /// 人工透析 for about three in a thousand, more of them old.
    fn diseases(&self, dice: &mut Dice) -> Vec<SpecificDiseaseCertificate> {
        let many = if age_on(self.seat.own.birth, self.day) >= 60 { 65 } else { 8 };
        if dice.below(10_000) >= many {
            return Vec::new();
        }
        let category = *dice.weighted(&[
            (970, SpecificDisease::Dialysis),
            (20, SpecificDisease::Haemophilia),
            (10, SpecificDisease::Hiv),
        ]);
        let self_pay = if dice.per_mille(100) { 20_000 } else { 10_000 };
        let validity = Validity { from: Some(self.span.from.max(self.day.plus(-900))), through: None };
        vec![SpecificDiseaseCertificate {
            category,
            validity,
            self_pay_yen: Some(self_pay),
            issued_on: validity.from,
        }]
    }
}
