//! Everybody without a name of their own: who they are, with whom they live, how they are insured.
//!
//! People come in blocks of 32, cut into whole households; a household's insured persons and their
//! dependents share symbol and number. Each person is made from the seed and the place alone.

mod household;
mod life;

use eligibility::code::Restriction;
use eligibility::code::Sex;
use eligibility::coverage::{Member, Restrictions, Subsidy, Validity};
use eligibility::day::Day;

use crate::calendar::age_on;
use crate::dice::{self, Dice, Purpose};
use crate::resident::{HeldCard, Resident, Word};
use crate::table::names::{ALIASED, FAMILY, MEN, Name, WOMEN};
use crate::table::places::{MUNICIPALITIES, QUARTERS};
use household::{BLOCK, Seat};

/// Of a block of 32, so many hold a card (99 of 124 million in 2025).
const HOLDERS: u64 = 26;
/// Of those, so many have renewed its certificate and hold two serials.
const RENEWED: u64 = 3;

/// The rest of the people.
pub(crate) struct Nation {
    seed: u64,
    day: Day,
    /// The first place that is no named person's.
    first: u64,
    /// The first serial that is no named person's.
    first_serial: u64,
    /// Serials given to the blocks.
    serials: u64,
}

impl Nation {
    pub(crate) fn new(seed: u64, people: u64, day: Day, first: u64, first_serial: u64) -> Self {
        let blocks = (people - first).div_ceil(BLOCK);
        Self { seed, day, first, first_serial, serials: blocks * (HOLDERS + RENEWED) }
    }

    /// The person at this place, which is at least `first`.
    pub(crate) fn resident(&self, index: u64) -> Resident {
        let place = index - self.first;
        let seat = Seat::of(self.seed, self.day, place);
        let mut dice = Dice::of(self.seed, Purpose::Person, place);
        let blank = self.blank(&seat, &mut dice);
        let mut words = life::words(self.seed, self.day, &seat, &blank, &mut dice);
        words.sort_by_key(|word| word.insurer);
        let card = self.card(place);
        let linked = card.as_ref().is_some_and(|card| card.linked);
        let subsidies = if linked { subsidies(&seat, self.day, index) } else { Vec::new() };
        protect(&mut words, &mut dice);
        Resident { index, link_number: dice::link_number(self.seed, index), card, words, subsidies }
    }

    /// Everything of a member but coverages.
    fn blank(&self, seat: &Seat, dice: &mut Dice) -> Member {
        let (name, kana, alias) = names(seat, dice);
        let mut home = Dice::of(self.seed, Purpose::Household, seat.household);
        let (city, _) = home.pick(&MUNICIPALITIES[..2]);
        let quarter = home.pick(QUARTERS);
        let (prefecture, office) =
            if *city == "ひばり" { ("東京都", "区") } else { ("神奈川県", "市") };
        let wide = |n: u64| char::from_u32('０' as u32 + n as u32).unwrap_or('０');
        let address = format!(
            "{prefecture}{city}{office}{quarter}{}丁目{}－{}",
            wide(1 + home.below(6)),
            wide(1 + home.below(9)),
            wide(1 + home.below(9)),
        );
        Member {
            name,
            name_kana: Some(kana),
            alias: alias.map(|alias| alias.0.into()),
            alias_kana: alias.map(|alias| alias.1.into()),
            sex: seat.sex,
            sex_on_back: None,
            birth_date: seat.birth,
            postal_code: Some(format!("150-{:04}", home.below(10_000)).into()),
            address: Some(address.into()),
            restrictions: Restrictions::NONE,
            coverages: Vec::new(),
        }
    }

    /// The card of the person at this place: 26 and 3 renewed ones of each block of 32.
    fn card(&self, place: u64) -> Option<HeldCard> {
        let (block, at) = (place / BLOCK, place % BLOCK);
        let turn = Dice::of(self.seed, Purpose::Card, block).next();
        // An odd factor turns the places of a block about without meeting.
        let rank = (at * ((turn % BLOCK) | 1) + turn / BLOCK % BLOCK) % BLOCK;
        if rank >= HOLDERS {
            return None;
        }
        let slots = HOLDERS + RENEWED;
        let slot = |of| dice::shuffled(self.seed, Purpose::Serial, block * slots + of, self.serials);
        let serial = |of| self.first_serial + slot(of);
        let linked = Dice::of(self.seed, Purpose::Card, u64::MAX - place).per_mille(877);
        Some(match rank < RENEWED {
            // The newer certificate has the higher serial.
            true => {
                let (one, other) = (serial(rank), serial(HOLDERS + rank));
                HeldCard { serial: one.max(other), renewed_from: Some(one.min(other)), linked }
            }
            false => HeldCard { serial: serial(rank), renewed_from: None, linked },
        })
    }
}

fn names(seat: &Seat, dice: &mut Dice) -> (Box<str>, Box<str>, Option<&'static Name>) {
    if dice.per_mille(4) {
        let (registered, alias) = dice.pick(ALIASED);
        return (registered.0.into(), registered.1.into(), Some(alias));
    }
    let (born, _, _) = seat.birth.ymd();
    let generation = match born {
        ..1955 => 0,
        1955..1980 => 1,
        1980..2000 => 2,
        _ => 3,
    };
    let given = dice.pick(if seat.sex == Sex::Female { WOMEN[generation] } else { MEN[generation] });
    let join = |family: &str, given: &str| {
        let mut name = String::with_capacity(family.len() + given.len() + 3);
        name.push_str(family);
        name.push('　');
        name.push_str(given);
        name.into_boxed_str()
    };
    (join(seat.family.0, given.0), join(seat.family.1, given.1), None)
}

/// A family's name.
fn family(dice: &mut Dice) -> Name {
    *dice.weighted(FAMILY)
}

/// Few people are protected, and few records are closed.
fn protect(words: &mut [Word], dice: &mut Dice) {
    let restriction = match dice.below(10_000) {
        0..10 => Restriction::HideAddress,
        10..13 => Restriction::CardUnusable,
        13..20 => Restriction::Closed,
        _ => return,
    };
    if let Some(word) = words.last_mut() {
        word.member.restrictions = word.member.restrictions.with(restriction);
    }
}

fn subsidies(seat: &Seat, day: Day, index: u64) -> Vec<Subsidy> {
    if age_on(seat.birth, day) > 14 || seat.household % 2 == 1 {
        return Vec::new();
    }
    let check = |body| format!("{body:06}{}", eligibility::number::check_digit(body));
    vec![Subsidy {
        payer_number: "88130018".into(),
        recipient_number: check(200_000 + index % 800_000).into(),
        scheme: "子ども医療費助成".into(),
        copay_percent: Some(0),
        validity: Validity { from: Some(seat.birth), through: Some(seat.birth.plus_months(15 * 12)) },
        note: None,
    }]
}
