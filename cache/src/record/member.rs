//! One insurer's place in a record.
//!
//! ```text
//! insurer   three octets: the number without its check digit
//! flags     pssiw.nm    m a living word, n pending restrictions, w its position follows,
//!                       i identity as in the member before, s sex, p seldom fields
//! seldom    kraobbna    a alias, n its kana, b sex on the back and one, o postal code, a address,
//!                       r restrictions, k no kana; the restrictions follow
//! identity  birth date, name, kana, and the seldom ones in the order of their flags
//! coverages their number, and each as `record/coverage` says
//! ```

use eligibility::code::Sex;
use eligibility::coverage::{Member, Membership, Restrictions};

use super::{Wanted, coverage, put_insurer, read_insurer};
use crate::octets::{Reading, put_day, put_number};
use crate::text::{Alphabet, Packed, code, put_code, put_text, text};

/// 1938-01-01: births from then to 2027 take two octets.
const BIRTHS: i32 = -11_688;

const MEMBER: u8 = 1;
const PENDING: u8 = 1 << 1;
const WORD: u8 = 1 << 3;
const SAME_IDENTITY: u8 = 1 << 4;
const SEX: u32 = 5;
const SELDOM: u8 = 1 << 7;

const ALIAS: u8 = 1;
const ALIAS_KANA: u8 = 1 << 1;
const BACK: u32 = 2;
const POSTAL_CODE: u8 = 1 << 4;
const ADDRESS: u8 = 1 << 5;
const RESTRICTIONS: u8 = 1 << 6;
const NO_KANA: u8 = 1 << 7;

const fn flag(is: bool, flag: u8) -> u8 {
    if is { flag } else { 0 }
}

/// Appends a membership; `before` is the last member before it, `word` the insurer's last word.
pub(super) fn put(out: &mut Vec<u8>, one: &Membership, before: Option<&Member>, word: Option<u64>) {
    put_insurer(out, one.insurer);
    let member = one.member.as_ref();
    let same = member.zip(before).is_some_and(|(one, other)| is_same_person(one, other));
    let seldom = member.map_or(0, |member| seldom(member, same));
    let pending = one.pending != Restrictions::NONE;
    let present = flag(member.is_some(), MEMBER) | flag(pending, PENDING) | flag(word.is_some(), WORD);
    let sex = member.map_or(0, |member| (member.sex as u8) << SEX);
    out.push(present | sex | flag(same, SAME_IDENTITY) | flag(seldom != 0, SELDOM));
    if pending {
        out.push(one.pending.bits());
    }
    if let Some(position) = word {
        put_number(out, position);
    }
    if let Some(member) = member {
        put_member(out, member, same, seldom);
    }
}

fn put_member(out: &mut Vec<u8>, member: &Member, same: bool, seldom: u8) {
    if seldom != 0 {
        out.push(seldom);
    }
    if seldom & RESTRICTIONS != 0 {
        out.push(member.restrictions.bits());
    }
    if !same {
        put_identity(out, member);
    }
    put_number(out, member.coverages.len() as u64);
    let mut before = None;
    for one in &member.coverages {
        coverage::put(out, one, before);
        before = Some(one);
    }
}

fn is_same_person(one: &Member, other: &Member) -> bool {
    one.sex == other.sex
        && one.sex_on_back == other.sex_on_back
        && one.birth_date == other.birth_date
        && one.name == other.name
        && one.name_kana == other.name_kana
        && one.alias == other.alias
        && one.alias_kana == other.alias_kana
        && one.postal_code == other.postal_code
        && one.address == other.address
}

fn seldom(member: &Member, same: bool) -> u8 {
    let restrictions = flag(member.restrictions != Restrictions::NONE, RESTRICTIONS);
    if same {
        return restrictions;
    }
    restrictions
        | flag(member.alias.is_some(), ALIAS)
        | flag(member.alias_kana.is_some(), ALIAS_KANA)
        | member.sex_on_back.map_or(0, |sex| (sex as u8 + 1) << BACK)
        | flag(member.postal_code.is_some(), POSTAL_CODE)
        | flag(member.address.is_some(), ADDRESS)
        | flag(member.name_kana.is_none(), NO_KANA)
}

fn put_identity(out: &mut Vec<u8>, member: &Member) {
    put_day(out, member.birth_date, BIRTHS);
    put_text(out, Alphabet::Words, &member.name);
    for (alphabet, text) in [
        (Alphabet::Kana, &member.name_kana),
        (Alphabet::Words, &member.alias),
        (Alphabet::Kana, &member.alias_kana),
    ] {
        if let Some(text) = text {
            put_text(out, alphabet, text);
        }
    }
    if let Some(postal_code) = &member.postal_code {
        put_code(out, postal_code, None);
    }
    if let Some(address) = &member.address {
        put_text(out, Alphabet::Words, address);
    }
}

/// Reads a membership and the position of the insurer's last word; `None` also when the insurer
/// is the wanted one and says another birth date.
pub(super) fn read<'o>(
    reading: &mut Reading<'o>,
    before: Option<&Member<Packed<'o>>>,
    wanted: Option<Wanted>,
) -> Option<(Membership<Packed<'o>>, Option<u64>)> {
    let insurer = read_insurer(reading)?;
    let flags = reading.octet()?;
    let bits = if flags & PENDING == 0 { 0 } else { reading.octet()? };
    let word = if flags & WORD == 0 { None } else { Some(reading.number()?) };
    let birth = wanted.filter(|(wanted, _)| *wanted == insurer).map(|(_, birth)| birth);
    let member = if flags & MEMBER == 0 {
        None
    } else {
        let seldom = if flags & SELDOM == 0 { 0 } else { reading.octet()? };
        let bits = if seldom & RESTRICTIONS == 0 { 0 } else { reading.octet()? };
        let mut member = match flags & SAME_IDENTITY {
            0 => read_identity(reading, flags, seldom, birth)?,
            _ => identity(before?),
        };
        if birth.is_some_and(|birth| birth != member.birth_date) {
            return None;
        }
        member.restrictions = Restrictions::from_bits(bits);
        let count = reading.count()?;
        member.coverages.reserve_exact(count);
        for _ in 0..count {
            let one = coverage::read(reading, member.coverages.last())?;
            member.coverages.push(one);
        }
        Some(member)
    };
    Some((Membership { insurer, member, pending: Restrictions::from_bits(bits) }, word))
}

fn read_identity<'o>(
    reading: &mut Reading<'o>,
    flags: u8,
    seldom: u8,
    birth: Option<eligibility::day::Day>,
) -> Option<Member<Packed<'o>>> {
    let sex = |bits: u8| Sex::ALL.get(usize::from(bits)).copied();
    let birth_date = reading.day(BIRTHS)?;
    if birth.is_some_and(|birth| birth != birth_date) {
        return None;
    }
    let name = text(reading, Alphabet::Words)?;
    let mut optional = |is: bool, alphabet| match is {
        true => text(reading, alphabet).map(Some),
        false => Some(None),
    };
    let name_kana = optional(seldom & NO_KANA == 0, Alphabet::Kana)?;
    let alias = optional(seldom & ALIAS != 0, Alphabet::Words)?;
    let alias_kana = optional(seldom & ALIAS_KANA != 0, Alphabet::Kana)?;
    let postal_code = if seldom & POSTAL_CODE == 0 { None } else { Some(code(reading, None)?) };
    let address = if seldom & ADDRESS == 0 { None } else { Some(text(reading, Alphabet::Words)?) };
    let sex_on_back = match seldom >> BACK & 3 {
        0 => None,
        one => Some(sex(one - 1)?),
    };
    Some(Member {
        name,
        name_kana,
        alias,
        alias_kana,
        sex: sex(flags >> SEX & 3)?,
        sex_on_back,
        birth_date,
        postal_code,
        address,
        restrictions: Restrictions::NONE,
        coverages: Vec::new(),
    })
}

/// The same person without coverages and restrictions.
const fn identity<'o>(of: &Member<Packed<'o>>) -> Member<Packed<'o>> {
    Member { restrictions: Restrictions::NONE, coverages: Vec::new(), ..*of }
}
