//! How long a card still shows eligibility after its certificate has ended: three more months, by
//! one of two readings of "three months". Revocation is not here.

use crate::time::{Date, UnixTime};

/// Months of grace after the certificate's end.
const GRACE_MONTHS: u32 = 3;

/// From where the three months are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GraceRule {
    /// From the end of the month in which the certificate ends: notAfter on 2026-08-20 is usable
    /// through 2026-11-30.
    #[default]
    MonthEndPlus3,
    /// From the day on which the certificate ends: notAfter on 2026-08-20 is usable through
    /// 2026-11-20; the last day of the month where it has no such day.
    ExpiryPlus3,
}

impl GraceRule {
    /// The last day in Japan (days since 1970-01-01) on which a card with this notAfter shows
    /// eligibility.
    pub fn usable_through(self, not_after: UnixTime) -> i32 {
        let end = Date::from_days(not_after.japan_day());
        let last = match self {
            GraceRule::MonthEndPlus3 => Date { day: 1, ..end }.plus_months(GRACE_MONTHS).month_end(),
            GraceRule::ExpiryPlus3 => end.plus_months(GRACE_MONTHS),
        };
        i32::try_from(last.days()).unwrap_or(i32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i64, month: u32, day: u32) -> i32 {
        Date { year, month, day }.days() as i32
    }

    /// 23:59:59 in Japan on that day, as certificates end.
    fn end_of(days: i32) -> UnixTime {
        UnixTime(i64::from(days) * 86_400 + 15 * 3600 - 1)
    }

    #[test]
    fn three_months_by_both_rules() {
        let table = [
            (day(2026, 8, 20), day(2026, 11, 30), day(2026, 11, 20)),
            (day(2026, 8, 31), day(2026, 11, 30), day(2026, 11, 30)),
            (day(2026, 11, 30), day(2027, 2, 28), day(2027, 2, 28)),
            (day(2027, 11, 30), day(2028, 2, 29), day(2028, 2, 29)),
            (day(2027, 11, 28), day(2028, 2, 29), day(2028, 2, 28)),
            (day(2026, 10, 31), day(2027, 1, 31), day(2027, 1, 31)),
            (day(2026, 12, 1), day(2027, 3, 31), day(2027, 3, 1)),
            (day(2028, 2, 29), day(2028, 5, 31), day(2028, 5, 29)),
            (day(2026, 1, 31), day(2026, 4, 30), day(2026, 4, 30)),
            (day(2099, 11, 30), day(2100, 2, 28), day(2100, 2, 28)),
        ];
        for (end, by_month, by_day) in table {
            assert_eq!(
                GraceRule::MonthEndPlus3.usable_through(end_of(end)),
                by_month,
                "{:?}",
                Date::from_days(end)
            );
            assert_eq!(
                GraceRule::ExpiryPlus3.usable_through(end_of(end)),
                by_day,
                "{:?}",
                Date::from_days(end)
            );
        }
    }

    #[test]
    fn the_day_is_the_japanese_one() {
        let last_second = end_of(day(2026, 8, 31));
        let next = UnixTime(last_second.0 + 1);
        assert_eq!(GraceRule::MonthEndPlus3.usable_through(last_second), day(2026, 11, 30));
        assert_eq!(GraceRule::MonthEndPlus3.usable_through(next), day(2026, 12, 31));
    }
}
