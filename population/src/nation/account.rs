//! Symbols, numbers and branches: unique in their insurer, written as each insurer writes them.

use eligibility::number::{Branch, check_digit};

use super::household::{OLD_SEATS, Role, Seat};
use super::life::Span;
use crate::insurer::{InsurerKind, number};

/// Largest prime below ten million: multiplying by something modulo it scatters seven digits.
const SEVEN_DIGITS: u64 = 9_999_991;
/// Largest prime below 8 900 000; with what is added, bodies of 後期 numbers have seven digits.
const LATE_BODIES: u64 = 8_899_997;
/// 後期 numbers below are those of named persons.
const FIRST_LATE_BODY: u64 = 1_100_000;
/// Accounts that one person may have had with one insurer.
const TURNS: u64 = 4;

/// Symbol, number and branch.
pub(super) type Account = (Box<str>, Box<str>, Option<Branch>);

/// The account of a time of the person who sits there, whose prefecture begins with this place.
pub(super) fn account(span: &Span, seat: &Seat, region_begins: u64) -> Account {
    let kind = InsurerKind::of(number(span.insurer));
    let local = (span.holder - region_begins) * TURNS + span.turn;
    let nationwide = span.holder * TURNS + span.turn;
    let style = u64::from(span.insurer / 10);
    let branch = branch(span, seat, kind, style);
    let (symbol, number) = match kind {
        InsurerKind::Association => association(local),
        InsurerKind::Municipal => municipal(local, style),
        InsurerKind::NationalSociety => (format!("組{}", local / 10_000_000), plain(local % 10_000_000)),
        InsurerKind::LateElderly => (String::new(), late(seat, region_begins)),
        InsurerKind::Society => society(nationwide, style),
        InsurerKind::MutualAid => {
            (format!("公共{}", nationwide / 10_000_000), plain(nationwide % 10_000_000))
        }
        InsurerKind::Seafarers => (format!("船{}", nationwide / 10_000_000), plain(nationwide % 10_000_000)),
        InsurerKind::SelfDefence => ("防".to_owned(), plain(nationwide)),
    };
    (symbol.into(), number.into(), branch)
}

fn plain(number: u64) -> String {
    (number + 1).to_string()
}

/// Sixteen neighbours work for one employer: its symbol has eight digits.
fn association(local: u64) -> (String, String) {
    let (employer, number) = (local / 64, local % 64);
    // 14 million people at the most: 37 times an employer stays below eight digits.
    ((20_000_000 + employer * 37).to_string(), plain(number))
}

fn municipal(local: u64, style: u64) -> (String, String) {
    let (group, scattered) = (local / SEVEN_DIGITS, local % SEVEN_DIGITS * 7919 % SEVEN_DIGITS);
    match style % 4 {
        0 => (String::new(), format!("{group}{scattered:07}")),
        1 => (format!("国{group}"), format!("{scattered:07}")),
        2 => (format!("{}－{}", wide(style % 90 + 10), wide(group)), plain(scattered)),
        _ => (format!("住{group}"), wide(scattered + 1)),
    }
}

/// A society's firms, in one of three spellings.
fn society(nationwide: u64, style: u64) -> (String, String) {
    let (group, number) = (nationwide / 1_000_000, nationwide % 1_000_000);
    let firm = 100 + group * 16 + number * 7 % 16;
    match style % 3 {
        0 => (firm.to_string(), plain(number)),
        1 => (wide(firm), plain(number)),
        _ => (format!("{}－{}", wide(style % 90 + 10), wide(firm)), format!("{:06}", number + 1)),
    }
}

fn late(seat: &Seat, region_begins: u64) -> String {
    let block = (seat.own.place - region_begins) / super::household::BLOCK;
    let slot = block * OLD_SEATS + seat.old_seat;
    let body = FIRST_LATE_BODY + slot % LATE_BODIES * 7919 % LATE_BODIES;
    format!("{body}{}", check_digit(body))
}

/// 本人 is 00 with most insurers and 01 with some; some feed none.
fn branch(span: &Span, seat: &Seat, kind: InsurerKind, style: u64) -> Option<Branch> {
    match kind {
        InsurerKind::LateElderly | InsurerKind::SelfDefence => return None,
        InsurerKind::Society if style.is_multiple_of(41) => return None,
        _ => {}
    }
    let own = span.holder == seat.own.place;
    let member = match seat.role {
        _ if own => 0,
        Role::First => 0,
        Role::Spouse => 1,
        Role::Child(nth) => 2 + nth,
        Role::GrownChild | Role::Grandparent => 9,
    };
    Branch::from_value(member + u8::from(style.is_multiple_of(5)))
}

/// Digits in full width.
fn wide(number: u64) -> String {
    let widen = |digit: char| char::from_u32(digit as u32 - '0' as u32 + '０' as u32).unwrap_or(digit);
    number.to_string().chars().map(widen).collect()
}
