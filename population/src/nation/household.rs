//! Households: how a block of 32 people is cut into them, and who sits where.

use eligibility::code::Sex;
use eligibility::day::Day;

use crate::dice::{Dice, Purpose};

/// People of a block.
pub(super) const BLOCK: u64 = 32;
/// Most seats of a block on which somebody of 75 may sit.
pub(super) const OLD_SEATS: u64 = 16;

/// How a household is made up, with the youngest and oldest age of its first person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
    Grown(u8, u8),
    /// Two parents, so many children and a grandparent.
    ThreeGenerations(u8),
}
use Kind::{Couple, Family, Grown, OneParent, Single, ThreeGenerations, Twins};

impl Kind {
    const fn size(self) -> u64 {
        match self {
            Single(..) => 1,
            Couple(..) => 2,
            Grown(..) => 3,
            Twins => 4,
            Family(children) => 2 + children as u64,
            OneParent(children) => 1 + children as u64,
            ThreeGenerations(children) => 3 + children as u64,
        }
    }

    /// Youngest and oldest age of its first person.
    const fn ages(self) -> (u8, u8) {
        match self {
            Single(young, old) | Couple(young, old) | Grown(young, old) => (young, old),
            Family(_) | ThreeGenerations(_) | Twins => (31, 56),
            OneParent(_) => (30, 54),
        }
    }

    /// How many of its seats may be taken by somebody of 75 or more.
    const fn old_seats(self) -> u64 {
        match self {
            Single(_, old) if old >= 74 => 1,
            Couple(_, old) | Grown(_, old) if old >= 71 => 2,
            ThreeGenerations(_) => 1,
            _ => 0,
        }
    }
}

/// The ways in which a block is cut: about fourteen households of 32 people, as in Japan
/// (国勢調査 2020: 38 % of one person, 20 % couples, 25 % couples with children, 9 % one parent).
const PATTERNS: [&[Kind]; 4] = [
    &[
        Single(19, 34),
        Single(19, 27),
        Single(40, 64),
        Single(50, 72),
        Single(76, 99),
        Couple(26, 49),
        Couple(50, 68),
        Couple(66, 80),
        Couple(74, 94),
        Family(2),
        Family(1),
        Single(68, 92),
        Grown(50, 70),
        Grown(60, 82),
        OneParent(1),
        OneParent(1),
        Single(28, 60),
    ],
    &[
        Single(19, 30),
        Single(19, 28),
        Single(35, 64),
        Single(70, 88),
        Single(75, 99),
        Single(45, 70),
        Couple(30, 64),
        Couple(66, 79),
        Couple(70, 90),
        Family(1),
        Single(66, 88),
        Family(1),
        Grown(48, 62),
        Grown(62, 84),
        Family(1),
        OneParent(2),
        Single(40, 60),
    ],
    &[
        Single(19, 27),
        Single(30, 59),
        Single(55, 80),
        Single(76, 98),
        Couple(45, 66),
        Couple(64, 78),
        Couple(72, 92),
        Grown(50, 60),
        Grown(66, 84),
        ThreeGenerations(2),
        Family(1),
        Single(65, 84),
        OneParent(2),
        Single(19, 33),
        Single(24, 50),
        Single(42, 64),
        Single(66, 90),
    ],
    &[
        Single(19, 29),
        Single(19, 32),
        Single(48, 67),
        Single(70, 94),
        Couple(28, 60),
        Couple(63, 76),
        Couple(69, 89),
        Grown(48, 60),
        Grown(64, 82),
        Twins,
        ThreeGenerations(1),
        Family(1),
        Single(38, 60),
        Single(40, 63),
        OneParent(1),
        Single(68, 90),
    ],
];

/// What somebody is in a household.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    First,
    Spouse,
    /// A child, from 0.
    Child(u8),
    GrownChild,
    Grandparent,
}

/// Somebody's sex and birth date, and the place among the people without a name.
#[derive(Clone, Copy)]
pub(super) struct Who {
    pub(super) place: u64,
    pub(super) sex: Sex,
    pub(super) birth: Day,
}

/// Where somebody sits: in which household, as what.
pub(super) struct Seat {
    pub(super) role: Role,
    pub(super) own: Who,
    /// The household's first person, whose place names the household.
    pub(super) first: Who,
    /// Counts the seats of the block on which somebody of 75 may sit.
    pub(super) old_seat: u64,
}

impl Seat {
    pub(super) fn of(seed: u64, day: Day, place: u64) -> Self {
        let (block, at) = (place / BLOCK, place % BLOCK);
        let pattern = Dice::of(seed, Purpose::Block, block).pick(&PATTERNS);
        let (mut begins, mut old_seats) = (0, 0);
        for kind in *pattern {
            if at < begins + kind.size() {
                return Self::within(seed, day, *kind, place, at - begins, old_seats);
            }
            begins += kind.size();
            old_seats += kind.old_seats();
        }
        // Patterns fill the block, so this is not come to; alone is as good as anything.
        Self::within(seed, day, Single(20, 60), place, 0, old_seats)
    }

    fn within(seed: u64, day: Day, kind: Kind, place: u64, at: u64, old_seats: u64) -> Self {
        let mut household = Household::new(seed, day, kind, place - at);
        let role = role(kind, at);
        let first = household.first;
        let own = if role == Role::First { first } else { household.other(seed, role, place) };
        let seat = if role == Role::Grandparent { 0 } else { at.min(kind.old_seats().saturating_sub(1)) };
        Self { role, own, first, old_seat: old_seats + seat }
    }
}

/// A household by its first person, and the chance that its members share.
struct Household {
    day: Day,
    kind: Kind,
    first: Who,
    first_age: i32,
    dice: Dice,
}

impl Household {
    fn new(seed: u64, day: Day, kind: Kind, place: u64) -> Self {
        let mut dice = Dice::of(seed, Purpose::Household, place);
        let (young, old) = kind.ages();
        let first_age = dice.within(i32::from(young), i32::from(old));
        let birth = born(day, first_age, &mut dice);
        let sex = if dice.per_mille(500) { Sex::Male } else { Sex::Female };
        Self { day, kind, first: Who { place, sex, birth }, first_age, dice }
    }

    fn other(&mut self, seed: u64, role: Role, place: u64) -> Who {
        let (day, age) = (self.day, self.first_age);
        let mut dice = Dice::of(seed, Purpose::Seat, place);
        let any = if dice.per_mille(512) { Sex::Male } else { Sex::Female };
        let opposite = if self.first.sex == Sex::Male { Sex::Female } else { Sex::Male };
        let sex = if role == Role::Spouse { opposite } else { any };
        let years = match role {
            // Twins draw from the household, so that both draw the same.
            Role::Child(_) if self.kind == Twins => {
                let years = self.dice.within(0, 20.min(age - 24));
                return Who { place, sex, birth: born(day, years, &mut self.dice) };
            }
            Role::First => age,
            Role::Spouse => (age + dice.within(-6, 3)).max(19),
            Role::Child(_) => dice.within(0, 22.min(age - 22)),
            Role::GrownChild => (age - dice.within(24, 34)).max(19),
            Role::Grandparent => age + dice.within(22, 36),
        };
        Who { place, sex, birth: born(day, years, &mut dice) }
    }
}

const fn role(kind: Kind, at: u64) -> Role {
    match (kind, at) {
        (_, 0) => Role::First,
        (OneParent(_), _) => Role::Child(at as u8 - 1),
        (_, 1) => Role::Spouse,
        (Grown(..), _) => Role::GrownChild,
        (ThreeGenerations(children), _) if at == 2 + children as u64 => Role::Grandparent,
        _ => Role::Child(at as u8 - 2),
    }
}

/// A birth date with which this many years are completed on the day.
fn born(day: Day, age: i32, dice: &mut Dice) -> Day {
    day.plus(-(age * 1461 / 4) - 1 - dice.within(0, 363))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fill_a_block_and_spare_numbers_for_the_old() {
        for (at, pattern) in PATTERNS.iter().enumerate() {
            assert_eq!(pattern.iter().map(|kind| kind.size()).sum::<u64>(), BLOCK, "pattern {at}");
            let old: u64 = pattern.iter().map(|kind| kind.old_seats()).sum();
            assert!(old <= OLD_SEATS, "pattern {at}: {old}");
        }
    }

    #[test]
    fn only_old_seats_are_taken_by_the_old_and_each_once() {
        let day = Day::from_number(20_778);
        for block in 0..2000 {
            let mut taken = 0_u64;
            for at in 0..BLOCK {
                let seat = Seat::of(5, day, block * BLOCK + at);
                if crate::calendar::age_on(seat.own.birth, day) >= 74 {
                    assert!(seat.old_seat < OLD_SEATS);
                    assert_eq!(taken & 1 << seat.old_seat, 0, "block {block}, seat {at}");
                    taken |= 1 << seat.old_seat;
                }
            }
        }
    }

    #[test]
    fn twins_are_born_on_one_day() {
        let day = Day::from_number(20_778);
        let twins = (0..3200)
            .map(|place| (Seat::of(5, day, place), Seat::of(5, day, place + 1)))
            .filter(|(one, other)| (one.role, other.role) == (Role::Child(0), Role::Child(1)))
            .filter(|(one, other)| one.own.birth == other.own.birth)
            .count();
        assert!(twins > 10, "{twins}");
    }
}
