//! Names, addresses and what else a person is known by.

use eligibility::code::{Restriction, Sex};
use eligibility::coverage::{Member, Restrictions};

use super::household::{Seat, Who};
use crate::dice::{Dice, Purpose};
use crate::insurer::{Region, Town};
use crate::resident::Word;
use crate::table::names::{ALIASED, FAMILY, MEN, Name, WOMEN};
use crate::table::places::QUARTERS;

/// Somebody's name with kana, and the name they are known by beside it.
pub(super) struct Called {
    pub(super) name: Box<str>,
    pub(super) kana: Box<str>,
    alias: Option<&'static Name>,
}

/// How somebody is called; families share the first person's family name.
pub(super) fn called(seed: u64, who: Who, first: Who) -> Called {
    let family = Dice::of(seed, Purpose::Name, first.place).weighted(FAMILY);
    let mut dice = Dice::of(seed, Purpose::Name, u64::MAX - who.place);
    if dice.per_mille(5) {
        let ((name, kana), alias) = dice.pick(ALIASED);
        return Called { name: (*name).into(), kana: (*kana).into(), alias: Some(alias) };
    }
    let (born, _, _) = who.birth.ymd();
    let generation = match born {
        ..1955 => 0,
        1955..1980 => 1,
        1980..2000 => 2,
        _ => 3,
    };
    let given = dice.pick(if who.sex == Sex::Female { WOMEN[generation] } else { MEN[generation] });
    Called { name: join(family.0, given.0), kana: join(family.1, given.1), alias: None }
}

fn join(family: &str, given: &str) -> Box<str> {
    let mut name = String::with_capacity(family.len() + given.len() + 3);
    name.push_str(family);
    name.push('　');
    name.push_str(given);
    name.into_boxed_str()
}

/// Everything of a member but coverages.
pub(super) fn member(seed: u64, seat: &Seat, region: &Region, town: &Town) -> Member {
    let called = called(seed, seat.own, seat.first);
    let mut home = Dice::of(seed, Purpose::Home, u64::MAX - seat.first.place);
    let postal_code = format!("{:03}-{:04}", region.prefecture.postal, home.below(10_000));
    let address = address(region, town, &mut home);
    let mut dice = Dice::of(seed, Purpose::Person, seat.own.place);
    let hidden = dice.below(10_000) < 2;
    // Some records come without.
    let known = !dice.per_mille(2);
    Member {
        name: called.name,
        name_kana: Some(called.kana),
        alias: called.alias.map(|alias| alias.0.into()),
        alias_kana: called.alias.map(|alias| alias.1.into()),
        sex: if hidden { Sex::Unknown } else { seat.own.sex },
        sex_on_back: hidden.then_some(seat.own.sex),
        birth_date: seat.own.birth,
        postal_code: known.then(|| postal_code.into()),
        address: known.then(|| address.into()),
        restrictions: Restrictions::NONE,
        coverages: Vec::new(),
    }
}

fn address(region: &Region, town: &Town, home: &mut Dice) -> String {
    let mut address = String::with_capacity(96);
    for part in [region.prefecture.name, &*town.name, *home.pick(QUARTERS)] {
        address.push_str(part);
    }
    let mut digit = |most| address.push(WIDE[1 + home.below(most) as usize]);
    digit(6);
    address.push_str("丁目");
    address.push(WIDE[1 + home.below(9) as usize]);
    address.push('－');
    address.push(WIDE[1 + home.below(9) as usize]);
    if home.per_mille(300) {
        address.push_str("　見本荘");
        for most in [8, 1, 9] {
            address.push(WIDE[(home.below(most) + u64::from(most != 1)) as usize]);
        }
        address.push_str("号室");
    }
    address
}

const WIDE: [char; 10] = ['０', '１', '２', '３', '４', '５', '６', '７', '８', '９'];

/// Few people are protected, few records are closed, and seldom two insurers disagree on a birth date.
pub(super) fn marked(words: &mut [Word], seed: u64, who: Who) {
    let mut dice = Dice::of(seed, Purpose::Person, u64::MAX - who.place);
    let add = |word: &mut Word, restriction| {
        word.member.restrictions = word.member.restrictions.with(restriction);
    };
    let differs = words.len() > 1;
    // Latest insurers come first.
    let Some(word) = words.first_mut() else { return };
    match dice.below(10_000) {
        0..10 => add(word, Restriction::HideAddress),
        10..13 => {
            add(word, Restriction::CardUnusable);
            add(word, Restriction::HideAddress);
        }
        13..20 => add(word, Restriction::Closed),
        20..25 if differs => word.member.birth_date = who.birth.plus(1),
        _ => {}
    }
}
