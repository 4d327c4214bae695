//! How the fields of `member` and `subsidy` records are read: each value of its type, or the fault.

use crate::code::Restriction;
use crate::coverage::{Restrictions, Validity};
use crate::day::Day;
use crate::fold::widen_kana;
use crate::wire::{Fault, Text, Wrong};

/// Longest name, alias or scheme, in characters.
pub(super) const NAME_LENGTH: usize = 100;
/// Longest address or note, in characters.
pub(super) const ADDRESS_LENGTH: usize = 200;
/// Most coverages of one person with one insurer, and most certificates of one coverage.
pub(super) const MOST: usize = 100;

pub(super) fn text(field: &str, text: Option<&Text<'_>>, most: usize) -> Result<Option<Box<str>>, Fault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    // Control characters are below 0x20, 0x7F, and those that begin with 0xC2: few texts need a closer look.
    let plain = !text.as_bytes().iter().any(|octet| matches!(octet, 0..0x20 | 0x7F | 0xC2));
    if text.len() > most && text.chars().count() > most || !plain && text.chars().any(char::is_control) {
        return Err(Fault::field(field, Wrong::Range));
    }
    Ok(Some(Box::from(&**text)))
}

pub(super) fn kana(field: &str, kana: Option<&Text<'_>>) -> Result<Option<Box<str>>, Fault> {
    Ok(text(field, kana, NAME_LENGTH)?.map(|kana| widen_kana(&kana).into()))
}

pub(super) fn word<T>(
    field: &str,
    text: Option<&Text<'_>>,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Fault> {
    text.map(|text| read(text).ok_or_else(|| Fault::field(field, Wrong::NotInBook))).transpose()
}

pub(super) fn postal_code(code: Option<&Text<'_>>) -> Result<Option<Box<str>>, Fault> {
    let Some(code) = code.filter(|code| !code.is_empty()) else { return Ok(None) };
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    match code.split_once('-') {
        Some((area, rest)) if digits(area, 3) && digits(rest, 4) => Ok(Some(Box::from(&**code))),
        None if digits(code, 7) => {
            let (area, rest) = code.split_at(3);
            Ok(Some(format!("{area}-{rest}").into()))
        }
        _ => Err(Fault::field("postal_code", Wrong::Form)),
    }
}

pub(super) fn restrictions(words: &[Text<'_>]) -> Result<Restrictions, Fault> {
    words.iter().enumerate().try_fold(Restrictions::NONE, |all, (at, word)| {
        let unknown = || Fault::field(format!("restrictions[{at}]"), Wrong::NotInBook);
        Ok(all.with(Restriction::from_word(word).ok_or_else(unknown)?))
    })
}

pub(super) fn validity(from: Option<Day>, through: Option<Day>) -> Result<Validity, Fault> {
    match (from, through) {
        (Some(from), Some(through)) if through < from => Err(Fault::field("valid_through", Wrong::Range)),
        _ => Ok(Validity { from, through }),
    }
}

pub(super) fn percent(percent: Option<u8>) -> Result<Option<u8>, Fault> {
    match percent {
        Some(101..) => Err(Fault::field("copay_percent", Wrong::Range)),
        percent => Ok(percent),
    }
}

pub(super) fn all<W, T>(
    field: &str,
    wires: &[W],
    read: impl Fn(&W) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    if wires.len() > MOST {
        return Err(Fault::field(field, Wrong::Range));
    }
    let each = wires.iter().enumerate();
    each.map(|(at, wire)| read(wire).map_err(|fault| fault.within(&format!("{field}[{at}]")))).collect()
}
