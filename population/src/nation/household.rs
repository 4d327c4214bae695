//! Households: how a block of 32 people is cut into them, and who sits where.

use eligibility::code::Sex;
use eligibility::day::Day;

use crate::dice::{Dice, Purpose};
use crate::table::names::Name;

/// People of a block.
pub(super) const BLOCK: u64 = 32;

/// How a household is made up, and the ages of its first person.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Single(u8, u8),
    Couple(u8, u8),
    /// Two parents and so many children.
    Family(u8),
    /// Two parents and twins.
    Twins,
    /// One parent and so many children.
    OneParent(u8),
    /// Two parents and a grown child.
    Grown,
}
use Kind::{Couple, Family, Grown, OneParent, Single, Twins};

impl Kind {
    const fn size(self) -> u64 {
        match self {
            Single(..) => 1,
            Couple(..) => 2,
            Grown => 3,
            Twins => 4,
            Family(children) => 2 + children as u64,
            OneParent(children) => 1 + children as u64,
        }
    }
}

/// The ways in which a block is cut. Fourteen households of 32 people, more or less, as in Japan.
const PATTERNS: [&[Kind]; 2] = [
    &[
        Single(19, 34),
        Single(22, 44),
        Single(35, 64),
        Single(45, 69),
        Single(66, 84),
        Single(75, 97),
        Couple(24, 45),
        Couple(48, 64),
        Couple(65, 79),
        Couple(72, 92),
        Family(1),
        Family(2),
        Grown,
        Grown,
        OneParent(1),
        Family(1),
    ],
    &[
        Single(19, 34),
        Single(22, 44),
        Single(35, 64),
        Single(66, 84),
        Single(70, 99),
        Single(40, 70),
        Couple(30, 64),
        Couple(65, 79),
        Couple(70, 88),
        Family(2),
        Twins,
        Grown,
        Grown,
        Family(1),
        OneParent(2),
    ],
];

/// What somebody is in a household.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    First,
    Spouse,
    Child(u8),
    GrownChild,
}

/// Where somebody sits: household, role, and what follows from them.
pub(super) struct Seat {
    /// Place of the household's first person, which names the household.
    pub(super) household: u64,
    pub(super) role: Role,
    pub(super) sex: Sex,
    pub(super) birth: Day,
    pub(super) family: Name,
}

impl Seat {
    pub(super) fn of(seed: u64, day: Day, place: u64) -> Self {
        let block = place / BLOCK;
        let pattern = Dice::of(seed, Purpose::Block, block).pick(&PATTERNS);
        let mut at = 0;
        let mut kind = Single(20, 60);
        for one in *pattern {
            kind = *one;
            if place % BLOCK < at + kind.size() {
                break;
            }
            at += kind.size();
        }
        Self::in_household(seed, day, kind, block * BLOCK + at, place)
    }

    fn in_household(seed: u64, day: Day, kind: Kind, household: u64, place: u64) -> Self {
        let mut dice = Dice::of(seed, Purpose::Household, household);
        let family = super::family(&mut dice);
        let (young, old) = match kind {
            Single(young, old) | Couple(young, old) => (young, old),
            Grown => (50, 78),
            Family(_) | Twins | OneParent(_) => (27, 50),
        };
        let first_age = dice.within(i32::from(young), i32::from(old));
        let first_birth = born(day, first_age, &mut dice);
        let first_sex = if dice.per_mille(500) { Sex::Male } else { Sex::Female };
        let other = if first_sex == Sex::Male { Sex::Female } else { Sex::Male };
        let role = role(kind, place - household);
        let twins_age = dice.within(0, 17.min(first_age - 22));
        let twins_birth = born(day, twins_age, &mut dice);
        let mut own = Dice::of(seed, Purpose::Household, u64::MAX - place);
        let child_sex = if own.per_mille(512) { Sex::Male } else { Sex::Female };
        let (sex, birth) = match role {
            Role::First => (first_sex, first_birth),
            Role::Spouse => (other, born(day, (first_age + own.within(-5, 3)).max(19), &mut own)),
            Role::Child(_) if kind == Twins => (child_sex, twins_birth),
            Role::Child(_) => (child_sex, born(day, own.within(0, 22.min(first_age - 23)), &mut own)),
            Role::GrownChild => (child_sex, born(day, first_age - own.within(25, 32), &mut own)),
        };
        Self { household, role, sex, birth, family }
    }
}

const fn role(kind: Kind, at: u64) -> Role {
    match (kind, at) {
        (_, 0) => Role::First,
        (OneParent(_), at) => Role::Child(at as u8),
        (_, 1) => Role::Spouse,
        (Grown, _) => Role::GrownChild,
        (_, at) => Role::Child(at as u8 - 1),
    }
}

fn born(day: Day, age: i32, dice: &mut Dice) -> Day {
    // Between this birthday and the next, and not today.
    day.plus(-(age * 1461 / 4) - 1 - dice.within(0, 363))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fill_a_block() {
        for pattern in PATTERNS {
            assert_eq!(pattern.iter().map(|kind| kind.size()).sum::<u64>(), BLOCK);
        }
    }
}
