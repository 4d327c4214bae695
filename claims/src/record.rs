//! One record: its columns, and a column as text or number.
//!
//! Columns are counted from 0, which is the レコード識別情報. A column that is not written is empty:
//! trailing empty columns may be there or not.

use std::borrow::Cow;

use eligibility::my_number;
use encoding_rs::SHIFT_JIS;

use crate::date;
use crate::finding::{Finding, What};

/// The columns of a record and where it stands.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) line: u64,
    /// レコード識別情報 as text, such as `HO`.
    pub(crate) id: &'static str,
    pub(crate) octets: &'a [u8],
}

/// A column that is read: its place and what it is called in findings.
#[derive(Clone, Copy)]
pub(crate) struct Column(pub(crate) u16, pub(crate) &'static str);

impl<'a> Record<'a> {
    /// The first `N` columns, in one pass.
    pub(crate) fn columns<const N: usize>(&self) -> [&'a [u8]; N] {
        let mut all: [&'a [u8]; N] = [&[]; N];
        for (slot, column) in all.iter_mut().zip(columns(self.octets)) {
            *slot = column;
        }
        all
    }

    /// A finding about one of its columns.
    pub(crate) fn finding(&self, column: Column, what: What) -> Finding {
        let Column(at, name) = column;
        Finding::column(self.line, self.id, at, name, what)
    }

    /// A finding about the whole record.
    pub(crate) fn whole(&self, what: What) -> Finding {
        Finding::record(self.line, self.id, what)
    }

    /// The column's text, decoded, without blanks around it.
    pub(crate) fn text(&self, column: Column, octets: &'a [u8]) -> Result<Cow<'a, str>, Finding> {
        let text = decoded(octets).ok_or_else(|| self.finding(column, What::Encoding))?;
        if my_number::is_hidden_in(&text) {
            return Err(self.finding(column, What::MyNumber));
        }
        if text.chars().any(char::is_control) {
            return Err(self.finding(column, What::Form));
        }
        Ok(match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        })
    }

    /// The column as a number of up to nine digits; `None` when it is empty.
    pub(crate) fn number(&self, column: Column, octets: &'a [u8]) -> Result<Option<u32>, Finding> {
        let digits = octets.trim_ascii();
        if digits.is_empty() {
            return Ok(None);
        }
        if let Some(value) = date::decimal(digits) {
            return Ok(Some(value));
        }
        // Not what belongs there: looked through before it is refused, and full-width digits read.
        let text = self.text(column, octets)?;
        let narrow: String = text.chars().map(narrow_digit).collect();
        date::decimal(narrow.as_bytes()).map(Some).ok_or_else(|| self.finding(column, What::Form))
    }

    /// A fixed form read from the column's ASCII octets, such as a date.
    pub(crate) fn fixed<T>(
        &self,
        column: Column,
        octets: &'a [u8],
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, Finding> {
        let trimmed = octets.trim_ascii();
        if trimmed.is_empty() {
            return Ok(None);
        }
        if let Some(value) = read(trimmed) {
            return Ok(Some(value));
        }
        let text = self.text(column, octets)?;
        let narrow: String = text.chars().map(narrow_digit).collect();
        read(narrow.as_bytes()).map(Some).ok_or_else(|| self.finding(column, What::Form))
    }
}

/// All columns of a record's octets.
pub(crate) fn columns(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    octets.split(|octet| *octet == b',')
}

/// CP932 as text. UTF-8 often passes for CP932 too, so what reads as Japanese in UTF-8 is refused;
/// two half-width kana may be the octets of some Latin letter, and are kana.
fn decoded(octets: &[u8]) -> Option<Cow<'_, str>> {
    match std::str::from_utf8(octets) {
        Ok(text) if text.is_ascii() => return Some(Cow::Borrowed(text)),
        Ok(text) if text.chars().any(|c| matches!(c, '\u{3000}'..='\u{FFEF}')) => return None,
        _ => {}
    }
    SHIFT_JIS.decode_without_bom_handling_and_without_replacement(octets)
}

fn narrow_digit(c: char) -> char {
    match c {
        '０'..='９' => char::from(b'0' + (c as u32 - '０' as u32) as u8),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Column = Column(1, "列");

    fn record(octets: &[u8]) -> Record<'_> {
        Record { line: 3, id: "HO", octets }
    }

    #[test]
    fn columns_that_are_not_written_are_empty() {
        let [id, first, second, third] = record(b"HO,1,").columns();
        assert_eq!((id, first, second, third), (&b"HO"[..], &b"1"[..], &b""[..], &b""[..]));
    }

    #[test]
    fn both_widths_are_text_and_numbers() {
        let wide = b"\x82P\x82Q\x81|\x82R"; // １２－３
        assert_eq!(record(wide).text(AT, wide).unwrap(), "１２－３");
        let kana = b"\xB1\xB2 ";
        assert_eq!(record(kana).text(AT, kana).unwrap(), "ｱｲ");
        assert_eq!(record(b"").text(AT, b"\xC2\xB7").unwrap(), "ﾂｷ");
        assert_eq!(record(b"").number(AT, b"\x82P\x82Q").unwrap(), Some(12));
        assert_eq!(record(b"").number(AT, b"  ").unwrap(), None);
        assert_eq!(record(b"").number(AT, b"12a").unwrap_err().what, What::Form);
    }

    #[test]
    fn wrong_octets_and_hidden_numbers_are_refused_without_echo() {
        let what = |octets: &[u8]| record(octets).text(AT, octets).unwrap_err();
        assert_eq!(what("１２".as_bytes()).what, What::Encoding);
        assert_eq!(what(b"\x82").what, What::Encoding);
        assert_eq!(what(b"1\x002").what, What::Form);
        assert_eq!(what(b"1234-5678-9018").what, What::MyNumber);
        let refused = record(b"").number(AT, b"123456789018").unwrap_err();
        assert_eq!(refused.what, What::MyNumber);
        assert_eq!(refused.to_string().matches("123456789018").count(), 0);
        assert!(refused.to_string().starts_with("3行目 HOレコード 1列（列）"), "{refused}");
    }
}
