//! Where every spelling of one 記号・番号 meets: folded for comparing, and what a spelling may look like.

use std::fmt;

use super::InsurerNumber;
use crate::coverage::Written;
use crate::fold::{fold, is_blank, is_hyphen};

/// The key under which every spelling of one 記号・番号 of one insurer meets.
///
/// An index may be made over it, but an index never decides: the record found is compared.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NumberKey {
    insurer: InsurerNumber,
    /// Folded symbol, U+001F, folded number.
    spelled: Box<str>,
}

impl NumberKey {
    /// The key of a symbol and a number as anybody may write them.
    /// 後期 cards bear no symbol, so theirs is left out whatever it says.
    #[must_use]
    pub fn new(insurer: InsurerNumber, symbol: &str, number: &str) -> Self {
        let mut spelled = String::with_capacity(symbol.len() + number.len() + 1);
        if !insurer.is_late_elderly() {
            fold(symbol, |c| spelled.push(c));
        }
        spelled.push('\u{1F}');
        let start = spelled.len();
        fold(number, |c| spelled.push(c));
        let written = spelled.len() - start;
        let zeros = spelled.bytes().skip(start).take_while(|b| *b == b'0').count();
        let surplus = if zeros == written { zeros.saturating_sub(1) } else { zeros };
        spelled.replace_range(start..start + surplus, "");
        Self { insurer, spelled: spelled.into_boxed_str() }
    }

    /// Whether this is the key of that symbol and number, without making it.
    #[must_use]
    pub fn is_of(&self, insurer: InsurerNumber, symbol: &impl Written, number: &impl Written) -> bool {
        let Some((own_symbol, own_number)) = self.spelled.split_once('\u{1F}') else { return false };
        insurer == self.insurer
            && is_spelled(number, own_number, true)
            && (insurer.is_late_elderly() || is_spelled(symbol, own_symbol, false))
    }

    /// The insurer.
    #[must_use]
    pub const fn insurer(&self) -> InsurerNumber {
        self.insurer
    }

    /// The folded spelling: symbol, U+001F, number.
    #[must_use]
    pub fn spelled(&self) -> &str {
        &self.spelled
    }
}

/// Whether `folded` is the comparable form of a text, of which leading zeros may be left out.
fn is_spelled(text: &impl Written, folded: &str, without_zeros: bool) -> bool {
    match text.decimal() {
        Some((value, length)) => {
            folded.bytes().all(|octet| octet.is_ascii_digit())
                && folded.parse() == Ok(value)
                && (without_zeros || folded.len() == length)
        }
        None => text.look(|text| folds_to(text, folded, without_zeros)),
    }
}

/// Whether `folded` is the comparable form of `text`, of which leading zeros may be left out; all
/// zeros keep one.
fn folds_to(text: &str, folded: &str, without_zeros: bool) -> bool {
    let mut rest = folded.chars();
    let (mut same, mut zero, mut begun) = (true, false, !without_zeros);
    fold(text, |c| {
        if c == '0' && !begun {
            zero = true;
        } else {
            begun = true;
            same = same && rest.next() == Some(c);
        }
    });
    if zero && !begun { folded == "0" } else { same && rest.next().is_none() }
}

impl fmt::Debug for NumberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NumberKey({}, …)", self.insurer)
    }
}

/// Whether a symbol or number can be one at all: up to 40 printable characters, and, where
/// `required`, something left once blanks and hyphens are gone.
pub(crate) fn is_writable(text: &str, required: bool) -> bool {
    text.chars().count() <= 40
        && !text.chars().any(|c| c.is_control())
        && !(required && text.chars().all(|c| is_blank(c) || is_hyphen(c)))
}
