//! Instants and Japanese calendar days: seconds since 1970, the day they fall on in Japan, and
//! the month arithmetic that the rules about expiry need. Reads no clock: time is an argument.

/// An instant: seconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX time).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub i64);

/// Japan Standard Time is nine hours ahead of UTC and has no summer time.
const JAPAN_OFFSET: i64 = 9 * 3600;
pub(crate) const DAY_SECONDS: i64 = 86_400;

impl UnixTime {
    /// The calendar day in Japan, as days since 1970-01-01; held at the ends of `i32` for
    /// instants beyond them.
    pub fn japan_day(self) -> i32 {
        let day = self.0.saturating_add(JAPAN_OFFSET).div_euclid(DAY_SECONDS);
        i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX })
    }

    /// This instant and `seconds` more, held at the ends of the range.
    pub(crate) fn plus(self, seconds: i64) -> UnixTime {
        UnixTime(self.0.saturating_add(seconds))
    }
}

/// A date of the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    /// 1..=12
    pub(crate) month: u32,
    /// 1..=31
    pub(crate) day: u32,
}

impl Date {
    /// The date that lies `days` days after 1970-01-01. Years are counted from March, so that the
    /// leap day is the last of its year, in eras of 400 years (146 097 days).
    pub(crate) fn from_days(days: i32) -> Date {
        let shifted = i64::from(days) + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Date { year, month: month as u32, day: day as u32 }
    }

    /// Days since 1970-01-01; the opposite of [`Date::from_days`].
    pub(crate) fn days(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month = i64::from(self.month);
        let from_march = if month > 2 { month - 3 } else { month + 9 };
        let of_year = (153 * from_march + 2) / 5 + i64::from(self.day) - 1;
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        era * 146_097 + of_era - 719_468
    }

    /// The same day `months` later; the last of that month where it is shorter.
    pub(crate) fn plus_months(self, months: u32) -> Date {
        let counted = self.year * 12 + i64::from(self.month - 1) + i64::from(months);
        let year = counted.div_euclid(12);
        let month = counted.rem_euclid(12) as u32 + 1;
        Date { year, month, day: self.day.min(month_length(year, month)) }
    }

    /// The last day of this date's month.
    pub(crate) fn month_end(self) -> Date {
        Date { day: month_length(self.year, self.month), ..self }
    }
}

/// Number of days of `month` (1..=12) in `year`.
pub(crate) fn month_length(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree_over_eight_centuries() {
        for days in -146_097..146_097 {
            let date = Date::from_days(days);
            assert_eq!(date.days(), i64::from(days));
            assert!((1..=month_length(date.year, date.month)).contains(&date.day), "{date:?}");
        }
        assert_eq!(Date::from_days(0), Date { year: 1970, month: 1, day: 1 });
        assert_eq!(Date { year: 2026, month: 8, day: 20 }.days(), 20_685);
    }

    #[test]
    fn the_japanese_day_turns_at_fifteen_hours_utc() {
        assert_eq!(UnixTime(15 * 3600 - 1).japan_day(), 0);
        assert_eq!(UnixTime(15 * 3600).japan_day(), 1);
        assert_eq!(UnixTime(-9 * 3600 - 1).japan_day(), -1);
        assert_eq!(UnixTime(i64::MAX).japan_day(), i32::MAX);
        assert_eq!(UnixTime(i64::MIN).japan_day(), i32::MIN);
    }
}
