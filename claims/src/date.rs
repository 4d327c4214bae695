//! Months and days as claim files write them: western, or 和暦 with the era's digit in older files.
//!
//! Files made before the spring of 2020 write GYYMM and GYYMMDD (年号区分コード: 1 明治 … 5 令和).

use std::fmt;

use eligibility::day::{Day, days_in_month};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// 診療年月: a month of the calendar, as its first day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(Day);

impl Month {
    /// The month of this year with this number (1-12).
    #[must_use]
    pub fn from_ym(year: i32, month: u32) -> Option<Self> {
        Day::from_ymd(year, month, 1).map(Self)
    }

    /// The month that holds this day.
    #[must_use]
    pub fn of(day: Day) -> Self {
        let (_, _, of_month) = day.ymd();
        Self(day.plus(1 - of_month as i32))
    }

    /// Its first day.
    #[must_use]
    pub const fn first(self) -> Day {
        self.0
    }

    /// Its last day.
    #[must_use]
    pub fn last(self) -> Day {
        self.0.plus(self.length() as i32 - 1)
    }

    /// Its length in days.
    #[must_use]
    pub const fn length(self) -> u32 {
        let (year, month, _) = self.0.ymd();
        days_in_month(year, month)
    }

    /// Reads `YYYYMM` or `GYYMM`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let number = decimal(text)?;
        match text.len() {
            6 => Self::from_ym((number / 100) as i32, number % 100),
            5 => Self::from_ym(western(number / 10_000, number / 100 % 100)?, number % 100),
            _ => None,
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, _) = self.0.ymd();
        write!(f, "{year:04}-{month:02}")
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = eligibility::wire::Text::deserialize(deserializer)?;
        let day = (text.len() == 7).then(|| Day::parse(&format!("{}-01", &*text))).flatten();
        day.map(Self).ok_or_else(|| serde::de::Error::custom("a month is YYYY-MM"))
    }
}

/// Reads `YYYYMMDD` or `GYYMMDD`.
pub(crate) fn day(text: &[u8]) -> Option<Day> {
    let number = decimal(text)?;
    let (month, day) = (number / 100 % 100, number % 100);
    match text.len() {
        8 => Day::from_ymd((number / 10_000) as i32, month, day),
        7 => Day::from_ymd(western(number / 1_000_000, number / 10_000 % 100)?, month, day),
        _ => None,
    }
}

/// The western year of this year of an era. An era's years are counted on past its end, as older
/// systems did (平成32年).
const fn western(era: u32, year: u32) -> Option<i32> {
    let before = match era {
        1 => 1867,
        2 => 1911,
        3 => 1925,
        4 => 1988,
        5 => 2018,
        _ => return None,
    };
    if year == 0 { None } else { Some(before + year as i32) }
}

/// One to nine ASCII digits as a value.
pub(crate) fn decimal(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter()
        .try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + u32::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_months_are_western_or_of_an_era() {
        let days = [
            ("19800203", Some("1980-02-03")),
            ("3550203", Some("1980-02-03")),
            ("4010108", Some("1989-01-08")),
            ("5010501", Some("2019-05-01")),
            ("1450729", Some("1912-07-29")),
            ("2150101", Some("1926-01-01")),
            ("3000101", None),
            ("6010101", None),
            ("19800230", None),
            ("1980023", None),
            ("1980-2-3", None),
            ("", None),
        ];
        for (text, expected) in days {
            assert_eq!(day(text.as_bytes()).map(|day| day.to_string()).as_deref(), expected, "{text}");
        }
        let months = [("202610", Some("2026-10")), ("50810", Some("2026-10")), ("43104", Some("2019-04"))];
        for (text, expected) in months {
            assert_eq!(Month::parse(text.as_bytes()).map(|month| month.to_string()).as_deref(), expected);
        }
        for text in ["202613", "202600", "20261", "2026101", "ABCDEF", ""] {
            assert_eq!(Month::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_month_knows_its_days() {
        let month = Month::parse(b"202402").unwrap();
        assert_eq!((month.length(), month.last().to_string().as_str()), (29, "2024-02-29"));
        assert_eq!(Month::of(Day::parse("2024-02-29").unwrap()), month);
        let json = serde_json::to_string(&month).unwrap();
        assert_eq!(json, "\"2024-02\"");
        assert_eq!(serde_json::from_str::<Month>(&json).unwrap(), month);
        assert!(serde_json::from_str::<Month>("\"2024-02-01\"").is_err());
    }
}
