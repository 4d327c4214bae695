//! 医療費助成 of the one city that feeds.

use eligibility::coverage::{Subsidy, Validity};
use eligibility::day::Day;
use eligibility::number::check_digit;

use super::household::Seat;
use crate::calendar::{age_on, april_after, year_from};
use crate::dice::{Dice, Purpose};
use crate::insurer::{Town, known};

/// What the city says of who sits there; nothing of people of other municipalities.
pub(super) fn of(seed: u64, day: Day, seat: &Seat, town: &Town) -> Vec<Subsidy> {
    if town.insurer != known::WARD {
        return Vec::new();
    }
    let own = seat.own;
    let mut dice = Dice::of(seed, Purpose::Person, own.place ^ (1 << 62));
    let grown = april_after(own.birth, 18);
    let mut all = Vec::new();
    if day < grown {
        let validity = Validity { from: Some(own.birth), through: Some(grown.plus(-1)) };
        all.push(subsidy("88130018", "子ども医療費助成", 0, validity, own.place));
    }
    if dice.per_mille(if age_on(own.birth, day) >= 60 { 30 } else { 8 }) {
        all.push(subsidy("80130024", "心身障害者医療費助成", 10, year_from(9, day), own.place + 1));
    }
    if dice.per_mille(8) {
        all.push(subsidy("54130018", "指定難病", 20, year_from(1, day), own.place + 2));
    }
    all
}

fn subsidy(payer: &str, scheme: &str, copay: u8, validity: Validity, place: u64) -> Subsidy {
    let body = 300_000 + place * 7919 % 699_989;
    Subsidy {
        payer_number: payer.into(),
        recipient_number: format!("{body}{}", check_digit(body)).into(),
        scheme: scheme.into(),
        copay_percent: Some(copay),
        validity,
        note: None,
    }
}
