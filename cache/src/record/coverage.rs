//! Coverages with their certificates, and subsidies.
//!
//! ```text
//! coverage     mbccckrr 2  r relationship, k card kind 01, c copay (1 none, 2 thirty, 0 another),
//!                          b branch, m the third octet of flags
//!              .lll.dtff   f valid from (1 the day of 取得, 2 another), t through, d loss, l reason
//!              nppiielsn   seldom: kind (another), preschool, issued (1 the day of 取得), n name of
//!                          the insured, e elderly, l limit, s specific disease certificates
//!              symbol, number, 取得日, and what the flags say, in the order of the fields
//! certificate  its flags, and what they say
//! subsidy      city, number of subsidies, each with its flags
//! ```

use eligibility::code::{CardKind, LimitCategory, LimitKind, LossReason, Relationship, SpecificDisease};
use eligibility::coverage::{
    Coverage, ElderlyCertificate, LimitCertificate, SpecificDiseaseCertificate, Subsidy, Validity,
};
use eligibility::day::Day;
use eligibility::number::{Branch, CityCode};

use super::{Cities, put_city, read_city};
use crate::octets::{Reading, put_day, put_number};
use crate::text::{Alphabet, Packed, code, put_code, put_text, text};

/// 1990-01-01: days from then to 2079 take two octets.
const DAYS: i32 = 7305;

const USUAL_KIND: &[u8; 2] = b"01";
const USUAL_COPAY: u8 = 30;

const KIND: u8 = 1 << 2;
const NO_COPAY: u8 = 1 << 3;
const OTHER_COPAY: u8 = 1 << 4;
const BRANCH: u8 = 1 << 5;
const SELDOM: u8 = 1 << 6;

const FROM_DAY: u8 = 1;
const FROM_SAME: u8 = 1 << 1;
const THROUGH: u8 = 1 << 2;
const LOSS: u8 = 1 << 3;
const REASON: u32 = 4;

const OTHER_KIND: u8 = 1;
const PRESCHOOL: u32 = 1;
const ISSUED: u8 = 1 << 3;
const INSURED_NAME: u8 = 1 << 4;
const ELDERLY: u8 = 1 << 5;
const LIMIT: u8 = 1 << 6;
const DISEASE: u8 = 1 << 7;

const fn flag(is: bool, flag: u8) -> u8 {
    if is { flag } else { 0 }
}

/// The place of a member in its book, and one; 0 for none.
fn place<T: PartialEq>(all: &[T], one: Option<T>) -> u8 {
    all.iter().position(|other| Some(other) == one.as_ref()).map_or(0, |at| at as u8 + 1)
}

/// The member at a place; the outer `None` where there is none.
fn member<T: Copy>(all: &[T], place: u8) -> Option<Option<T>> {
    match place {
        0 => Some(None),
        place => all.get(usize::from(place) - 1).map(|one| Some(*one)),
    }
}

fn seldom(one: &Coverage) -> u8 {
    let kind = one.card_kind.is_some_and(|kind| kind.as_bytes() != USUAL_KIND);
    flag(kind, OTHER_KIND)
        | place(&[false, true], one.preschool) << PRESCHOOL
        | flag(one.issued_on.is_some(), ISSUED)
        | flag(one.insured_name.is_some(), INSURED_NAME)
        | flag(!one.elderly.is_empty(), ELDERLY)
        | flag(!one.limit_certificates.is_empty(), LIMIT)
        | flag(!one.specific_diseases.is_empty(), DISEASE)
}

/// Appends a coverage; `before` is the one of the same insurer before it.
pub(super) fn put(out: &mut Vec<u8>, one: &Coverage, before: Option<&Coverage>) {
    let seldom = seldom(one);
    let usual_kind = one.card_kind.is_some_and(|kind| kind.as_bytes() == USUAL_KIND);
    out.push(
        place(Relationship::ALL, one.relationship)
            | flag(usual_kind, KIND)
            | flag(one.copay_percent.is_none(), NO_COPAY)
            | flag(one.copay_percent.is_some_and(|percent| percent != USUAL_COPAY), OTHER_COPAY)
            | flag(one.branch.is_some(), BRANCH)
            | flag(seldom != 0, SELDOM),
    );
    let from_same = one.validity.from == Some(one.qualified_on);
    out.push(
        flag(one.validity.from.is_some() && !from_same, FROM_DAY)
            | flag(from_same, FROM_SAME)
            | flag(one.validity.through.is_some(), THROUGH)
            | flag(one.disqualified_on.is_some(), LOSS)
            | place(LossReason::ALL, one.loss_reason) << REASON,
    );
    if seldom != 0 {
        out.push(seldom);
    }
    put_code(out, &one.symbol, before.map(|before| &*before.symbol));
    put_code(out, &one.number, before.map(|before| &*before.number));
    out.extend(one.branch.map(Branch::value));
    out.extend(one.copay_percent.filter(|percent| *percent != USUAL_COPAY));
    put_day(out, one.qualified_on, DAYS);
    put_days(out, &[one.validity.from.filter(|_| !from_same), one.validity.through, one.disqualified_on]);
    if seldom != 0 {
        put_seldom(out, one);
    }
}

fn put_days(out: &mut Vec<u8>, days: &[Option<Day>]) {
    days.iter().flatten().for_each(|day| put_day(out, *day, DAYS));
}

fn put_seldom(out: &mut Vec<u8>, one: &Coverage) {
    if let Some(kind) = one.card_kind.filter(|kind| kind.as_bytes() != USUAL_KIND) {
        out.extend_from_slice(kind.as_bytes());
    }
    put_days(out, &[one.issued_on]);
    if let Some(name) = &one.insured_name {
        put_text(out, Alphabet::Words, name);
    }
    put_all(out, &one.elderly, |out, one| {
        out.push(days_flags(one.validity, one.issued_on) | flag(one.copay_percent.is_some(), 8));
        put_days(out, &[one.validity.from, one.validity.through, one.issued_on]);
        out.extend(one.copay_percent);
    });
    put_all(out, &one.limit_certificates, |out, one| {
        let flags = flag(one.long_term_on.is_some(), 8) | flag(one.category.is_some(), 16);
        out.push(days_flags(one.validity, one.issued_on) | flags | (one.kind as u8) << 5);
        put_days(out, &[one.validity.from, one.validity.through, one.issued_on, one.long_term_on]);
        if let Some(category) = one.category {
            out.extend_from_slice(category.as_bytes());
        }
    });
    put_all(out, &one.specific_diseases, |out, one| {
        let flags = flag(one.self_pay_yen.is_some(), 8) | (one.category as u8) << 5;
        out.push(days_flags(one.validity, one.issued_on) | flags);
        put_days(out, &[one.validity.from, one.validity.through, one.issued_on]);
        if let Some(yen) = one.self_pay_yen {
            put_number(out, u64::from(yen));
        }
    });
}

/// Appends the number of things and each of them; nothing where there are none.
fn put_all<T>(out: &mut Vec<u8>, all: &[T], put: impl Fn(&mut Vec<u8>, &T)) {
    if !all.is_empty() {
        put_number(out, all.len() as u64);
        all.iter().for_each(|one| put(out, one));
    }
}

const fn days_flags(validity: Validity, issued_on: Option<Day>) -> u8 {
    flag(validity.from.is_some(), 1) | flag(validity.through.is_some(), 2) | flag(issued_on.is_some(), 4)
}

/// A day that is there; the outer `None` where the octets do not suffice.
fn day(reading: &mut Reading<'_>, is: bool) -> Option<Option<Day>> {
    if is { reading.day(DAYS).map(Some) } else { Some(None) }
}

fn octet(reading: &mut Reading<'_>, is: bool) -> Option<Option<u8>> {
    if is { reading.octet().map(Some) } else { Some(None) }
}

/// Reads a coverage; `before` is the one of the same insurer before it.
pub(super) fn read<'o>(
    reading: &mut Reading<'o>,
    before: Option<&Coverage<Packed<'o>>>,
) -> Option<Coverage<Packed<'o>>> {
    let [usual, days] = reading.array()?;
    let seldom = if usual & SELDOM == 0 { 0 } else { reading.octet()? };
    let symbol = code(reading, before.map(|before| before.symbol))?;
    let number = code(reading, before.map(|before| before.number))?;
    let branch = match octet(reading, usual & BRANCH != 0)? {
        Some(branch) => Some(Branch::from_value(branch)?),
        None => None,
    };
    let copay = octet(reading, usual & OTHER_COPAY != 0)?;
    let qualified_on = reading.day(DAYS)?;
    let from = match days & FROM_SAME {
        0 => day(reading, days & FROM_DAY != 0)?,
        _ => Some(qualified_on),
    };
    let through = day(reading, days & THROUGH != 0)?;
    let mut coverage = Coverage {
        symbol,
        number,
        branch,
        relationship: member(Relationship::ALL, usual & 3)?,
        card_kind: if usual & KIND == 0 { None } else { CardKind::parse("01") },
        insured_name: None,
        qualified_on,
        disqualified_on: day(reading, days & LOSS != 0)?,
        loss_reason: member(LossReason::ALL, days >> REASON)?,
        validity: Validity { from, through },
        copay_percent: copay.or((usual & NO_COPAY == 0).then_some(USUAL_COPAY)),
        preschool: None,
        issued_on: None,
        elderly: Vec::new(),
        limit_certificates: Vec::new(),
        specific_diseases: Vec::new(),
    };
    if seldom != 0 {
        read_seldom(reading, seldom, &mut coverage)?;
    }
    Some(coverage)
}

fn read_seldom<'o>(reading: &mut Reading<'o>, seldom: u8, into: &mut Coverage<Packed<'o>>) -> Option<()> {
    if seldom & OTHER_KIND != 0 {
        into.card_kind = Some(CardKind::parse(std::str::from_utf8(reading.octets(2)?).ok()?)?);
    }
    into.preschool = member(&[false, true], seldom >> PRESCHOOL & 3)?;
    into.issued_on = day(reading, seldom & ISSUED != 0)?;
    if seldom & INSURED_NAME != 0 {
        into.insured_name = Some(text(reading, Alphabet::Words)?);
    }
    into.elderly = read_all(reading, seldom & ELDERLY != 0, read_elderly)?;
    into.limit_certificates = read_all(reading, seldom & LIMIT != 0, read_limit)?;
    into.specific_diseases = read_all(reading, seldom & DISEASE != 0, read_disease)?;
    Some(())
}

fn read_all<'o, T>(
    reading: &mut Reading<'o>,
    are: bool,
    read: impl Fn(&mut Reading<'o>) -> Option<T>,
) -> Option<Vec<T>> {
    let count = if are { reading.count()? } else { 0 };
    (0..count).map(|_| read(reading)).collect()
}

fn read_validity(reading: &mut Reading<'_>, flags: u8) -> Option<(Validity, Option<Day>)> {
    let validity = Validity { from: day(reading, flags & 1 != 0)?, through: day(reading, flags & 2 != 0)? };
    Some((validity, day(reading, flags & 4 != 0)?))
}

fn read_elderly(reading: &mut Reading<'_>) -> Option<ElderlyCertificate> {
    let flags = reading.octet()?;
    let (validity, issued_on) = read_validity(reading, flags)?;
    Some(ElderlyCertificate { validity, issued_on, copay_percent: octet(reading, flags & 8 != 0)? })
}

fn read_limit(reading: &mut Reading<'_>) -> Option<LimitCertificate> {
    let flags = reading.octet()?;
    let (validity, issued_on) = read_validity(reading, flags)?;
    let long_term_on = day(reading, flags & 8 != 0)?;
    let category = match flags & 16 {
        0 => None,
        _ => Some(LimitCategory::parse(std::str::from_utf8(reading.octets(3)?).ok()?)?),
    };
    let kind = *LimitKind::ALL.get(usize::from(flags >> 5))?;
    Some(LimitCertificate { kind, category, validity, long_term_on, issued_on })
}

fn read_disease(reading: &mut Reading<'_>) -> Option<SpecificDiseaseCertificate> {
    let flags = reading.octet()?;
    let (validity, issued_on) = read_validity(reading, flags)?;
    let self_pay_yen = match flags & 8 {
        0 => None,
        _ => Some(u32::try_from(reading.number()?).ok()?),
    };
    let category = *SpecificDisease::ALL.get(usize::from(flags >> 5))?;
    Some(SpecificDiseaseCertificate { category, validity, self_pay_yen, issued_on })
}

/// Appends what cities pay.
pub(super) fn put_subsidies(out: &mut Vec<u8>, all: &[(CityCode, Vec<Subsidy>)]) {
    put_number(out, all.len() as u64);
    for (city, subsidies) in all {
        put_city(out, *city);
        put_number(out, subsidies.len() as u64);
        for one in subsidies {
            let flags = flag(one.copay_percent.is_some(), 8) | flag(one.note.is_some(), 16);
            out.push(days_flags(one.validity, None) | flags);
            put_code(out, &one.payer_number, None);
            put_code(out, &one.recipient_number, None);
            put_text(out, Alphabet::Words, &one.scheme);
            put_days(out, &[one.validity.from, one.validity.through]);
            out.extend(one.copay_percent);
            if let Some(note) = &one.note {
                put_text(out, Alphabet::Words, note);
            }
        }
    }
}

/// What [`put_subsidies`] wrote.
pub(super) fn read_subsidies<'o>(reading: &mut Reading<'o>) -> Option<Cities<Packed<'o>>> {
    let count = reading.count()?;
    let mut all = Vec::with_capacity(count.min(16));
    for _ in 0..count {
        all.push((read_city(reading)?, read_all(reading, true, read_subsidy)?));
    }
    Some(all)
}

fn read_subsidy<'o>(reading: &mut Reading<'o>) -> Option<Subsidy<Packed<'o>>> {
    let flags = reading.octet()?;
    let payer_number = code(reading, None)?;
    let recipient_number = code(reading, None)?;
    let scheme = text(reading, Alphabet::Words)?;
    let (validity, _) = read_validity(reading, flags & 3)?;
    let copay_percent = octet(reading, flags & 8 != 0)?;
    let note = if flags & 16 == 0 { None } else { Some(text(reading, Alphabet::Words)?) };
    Some(Subsidy { payer_number, recipient_number, scheme, copay_percent, validity, note })
}
