//! Japan's calendar day and the instants around it.
//!
//! Holds [`Day`] and [`Timestamp`]. Does not read a clock: time is an argument everywhere.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Japan Standard Time is UTC+9 all year, without daylight saving (明治二十八年勅令第百六十七号).
const JAPAN_OFFSET_MS: i64 = 9 * 3600 * 1000;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// A day of the Gregorian calendar as counted in Japan, as days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Day(i32);

impl Day {
    /// The first day a written date may name: 1850-01-01 (nobody insured was born before).
    pub const FIRST: Self = Self(-43_829);
    /// The last day a written date may name: 2199-12-31.
    pub const LAST: Self = Self(84_005);

    /// The day with this count of days since 1970-01-01.
    #[must_use]
    pub const fn from_number(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }

    /// The day of this year, month (1-12) and day of month; `None` where the calendar has none,
    /// or outside [`Day::FIRST`]..=[`Day::LAST`].
    #[must_use]
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        if !(1850..=2199).contains(&year) || day == 0 || day > days_in_month(year, month) {
            return None;
        }
        // Days from civil (H. Hinnant, chrono-compatible low-level date algorithms): years begin in March.
        let y = if month <= 2 { year - 1 } else { year };
        let era = y.div_euclid(400);
        let year_of_era = y.rem_euclid(400);
        let month_from_march = (month as i32 + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + day as i32 - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Some(Self(era * 146_097 + day_of_era - 719_468))
    }

    /// Year, month (1-12) and day of month.
    #[must_use]
    pub const fn ymd(self) -> (i32, u32, u32) {
        let z = self.0 as i64 + 719_468;
        let era = z.div_euclid(146_097);
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let mp = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * mp + 2) / 5 + 1;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        (year as i32, month as u32, day as u32)
    }

    /// Reads `YYYY-MM-DD` and nothing else: ASCII digits, both zeros, a day the calendar has.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else {
            return None;
        };
        let year = decimal(&[y1, y2, y3, y4])?;
        Self::from_ymd(year as i32, decimal(&[m1, m2])?, decimal(&[d1, d2])?)
    }

    /// Reads `YYYYMMDD`, the form of claim files and of the XML messages.
    #[must_use]
    pub fn parse_compact(text: &str) -> Option<Self> {
        let &[y1, y2, y3, y4, m1, m2, d1, d2] = text.as_bytes() else {
            return None;
        };
        let year = decimal(&[y1, y2, y3, y4])?;
        Self::from_ymd(year as i32, decimal(&[m1, m2])?, decimal(&[d1, d2])?)
    }

    /// The day this many days later (earlier when negative).
    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// The same day of month this many months later, or that month's last day where it is shorter.
    #[must_use]
    pub fn plus_months(self, months: i32) -> Self {
        let (year, month, day) = self.ymd();
        let count = year * 12 + month as i32 - 1 + months;
        let (year, month) = (count.div_euclid(12), count.rem_euclid(12) as u32 + 1);
        Self::from_ymd(year, month, day.min(days_in_month(year, month))).unwrap_or(Self::LAST)
    }

    /// Midnight in Japan with which this day begins.
    #[must_use]
    pub const fn starts_at(self) -> Timestamp {
        Timestamp(self.0 as i64 * DAY_MS - JAPAN_OFFSET_MS)
    }
}

/// Length of a month; 0 for a month that is none.
#[must_use]
pub const fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 0,
    }
}

fn decimal(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + u32::from(digit - b'0')))
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Day {
    /// Its ten octets as they are written: answers are full of days.
    const fn octets(self) -> [u8; 10] {
        let (year, month, day) = self.ymd();
        let year = year as u32;
        [
            digit(year / 1000),
            digit(year / 100),
            digit(year / 10),
            digit(year),
            b'-',
            digit(month / 10),
            digit(month),
            b'-',
            digit(day / 10),
            digit(day),
        ]
    }
}

const fn digit(number: u32) -> u8 {
    b'0' + (number % 10) as u8
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.octets()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Ten characters cannot hide a 個人番号.
        crate::wire::formed(deserializer, Self::parse, "a day is YYYY-MM-DD")
    }
}

/// An instant, in milliseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 in Japan's time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant this many milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 with any offset, years 0000 to 9999 in Japan; a leap second counts as the
    /// second before it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_plain(text).or_else(|| Self::parse_any(text))
    }

    /// Reads the form that nearly all have: whole seconds, and hours and minutes from UTC.
    fn parse_plain(text: &str) -> Option<Self> {
        let (day, rest) = text.split_at_checked(10)?;
        let below = |digits: [u8; 2], limit| decimal(&digits).filter(|value| *value < limit).map(i64::from);
        let &[b'T', h1, h2, b':', m1, m2, b':', s1, s2, ref zone @ ..] = rest.as_bytes() else { return None };
        let (hour, minute, second) = (below([h1, h2], 24)?, below([m1, m2], 60)?, below([s1, s2], 60)?);
        let ahead = match *zone {
            [b'Z'] => 0,
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let minutes = below([h1, h2], 24)? * 60 + below([m1, m2], 60)?;
                if sign == b'+' { minutes } else { -minutes }
            }
            _ => return None,
        };
        let seconds =
            i64::from(Day::parse(day)?.number()) * 86_400 + hour * 3600 + (minute - ahead) * 60 + second;
        Some(Self(seconds * 1000))
    }

    fn parse_any(text: &str) -> Option<Self> {
        // jiff also takes annotations, blanks and short forms that RFC 3339 has not.
        let strict = text.len() >= 20
            && text.is_ascii()
            && matches!(text.as_bytes().get(10), Some(b'T' | b't'))
            && matches!(text.as_bytes().get(16), Some(b':'))
            && !text.contains(['[', ' ', ',']);
        if !strict {
            return None;
        }
        let instant = Self(jiff::Timestamp::from_str(text).ok()?.as_millisecond());
        // What lies outside in Japan's time could not be written again.
        (0..=9999).contains(&instant.day_in_japan().ymd().0).then_some(instant)
    }

    /// The day in Japan at this instant.
    #[must_use]
    pub const fn day_in_japan(self) -> Day {
        Day((self.0 + JAPAN_OFFSET_MS).div_euclid(DAY_MS) as i32)
    }

    /// The instant this many milliseconds later.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (octets, length) = self.octets();
        f.write_str(octets.get(..length).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default())
    }
}

impl Timestamp {
    /// Its octets as they are written, and how many: milliseconds only where there are some.
    fn octets(self) -> ([u8; 29], usize) {
        let in_japan = (self.0 + JAPAN_OFFSET_MS).rem_euclid(DAY_MS) as u32;
        let (seconds, millis) = (in_japan / 1000, in_japan % 1000);
        let (minutes, hours) = (seconds / 60, seconds / 3600);
        let mut octets = *b"0000-00-00T00:00:00.000+09:00";
        let mut put = |at: usize, digits: &[u8]| {
            octets.iter_mut().skip(at).zip(digits).for_each(|(slot, digit)| *slot = *digit);
        };
        put(0, &self.day_in_japan().octets());
        put(11, &[digit(hours / 10), digit(hours)]);
        put(14, &[digit(minutes % 60 / 10), digit(minutes % 60)]);
        put(17, &[digit(seconds % 60 / 10), digit(seconds % 60)]);
        if millis == 0 {
            put(19, b"+09:00");
            return (octets, 25);
        }
        put(20, &[digit(millis / 100), digit(millis / 10), digit(millis)]);
        (octets, 29)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (octets, length) = self.octets();
        let text = octets.get(..length).and_then(|text| std::str::from_utf8(text).ok());
        serializer.serialize_str(text.unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // No run of digits in it is longer than the nine of a fraction.
        crate::wire::formed(deserializer, Self::parse, "a time is RFC 3339")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_1970_and_back() {
        assert_eq!(Day::parse("1970-01-01"), Some(Day::from_number(0)));
        assert_eq!(Day::parse("2000-03-01"), Some(Day::from_number(11_017)));
        assert_eq!(Day::from_ymd(1850, 1, 1), Some(Day::FIRST));
        assert_eq!(Day::from_ymd(2199, 12, 31), Some(Day::LAST));
        for number in Day::FIRST.number()..=Day::LAST.number() {
            let day = Day::from_number(number);
            let (y, m, d) = day.ymd();
            assert_eq!(Day::from_ymd(y, m, d), Some(day));
        }
    }

    #[test]
    fn only_real_days_in_the_one_form_are_read() {
        for text in [
            "2026-02-29",
            "2023-13-01",
            "2023-00-10",
            "2023-04-31",
            "2023-4-01",
            "２０２３-04-01",
            "2023/04/01",
            "20230401",
            "+023-04-01",
            "2023-04-01 ",
            "9999-01-01",
            "1900-02-29",
            "",
        ] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
        assert!(Day::parse("2024-02-29").is_some());
        assert!(Day::parse("2000-02-29").is_some());
        assert_eq!(Day::parse_compact("20240229"), Day::parse("2024-02-29"));
    }

    #[test]
    fn the_day_changes_at_midnight_in_japan() {
        let before = Timestamp::parse("2026-11-20T14:59:59.999Z").unwrap();
        assert_eq!(before.day_in_japan().to_string(), "2026-11-20");
        assert_eq!(before.plus_millis(1).day_in_japan().to_string(), "2026-11-21");
        assert_eq!(before.plus_millis(1), Day::parse("2026-11-21").unwrap().starts_at());
    }

    #[test]
    fn instants_are_written_in_japan_time_and_read_in_any() {
        let text = "2026-11-21T09:02:11.120+09:00";
        assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        assert_eq!(Timestamp::parse("2026-11-21T00:02:11.12Z"), Timestamp::parse(text));
        assert_eq!(Timestamp::from_millis(0).to_string(), "1970-01-01T09:00:00+09:00");
        for text in [
            "2026-11-21",
            "2026-11-21T09:02",
            "2026-11-21 09:02:11Z",
            "2026-11-21T25:00:00Z",
            "2026-11-21T09:02:11",
            "2026-11-21T09:02:11+09:00[Asia/Tokyo]",
            "20261121T090211Z",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn both_ways_of_reading_an_instant_agree() {
        let mut plain = 0;
        for day in ["1850-01-01", "2199-12-31", "2024-02-29", "2023-02-29", "1970-01-01", "2026-1-01"] {
            for time in ["00:00:00", "23:59:59", "24:00:00", "12:60:00", "12:30:60", "1:30:00", "12:30:0x"] {
                for zone in ["Z", "+09:00", "-00:00", "-23:59", "+23:59", "+09:60", "+0900", "z", "", "+9:00"]
                {
                    let text = format!("{day}T{time}{zone}");
                    if let Some(instant) = Timestamp::parse_plain(&text) {
                        plain += 1;
                        assert_eq!(Timestamp::parse_any(&text), Some(instant), "{text}");
                    }
                }
            }
        }
        assert_eq!(plain, 4 * 2 * 5);
    }

    #[test]
    fn months_are_clamped_to_their_length() {
        let day = Day::parse("2024-11-30").unwrap();
        assert_eq!(day.plus_months(3).to_string(), "2025-02-28");
        assert_eq!(day.plus_months(-12).to_string(), "2023-11-30");
    }
}
