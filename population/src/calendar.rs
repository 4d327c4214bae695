//! Days on which insurance law lets things begin and end. Knows no persons.

use eligibility::coverage::Validity;
use eligibility::day::Day;

/// The day of this year, month and day of month; the month's last where it is shorter.
pub(crate) fn ymd(year: i32, month: u32, day: u32) -> Day {
    let first = Day::from_ymd(year, month, 1).unwrap_or(Day::FIRST);
    let length = eligibility::day::days_in_month(year, month);
    first.plus(day.min(length) as i32 - 1)
}

/// Completed years on this day. A year completes at the end of the day before the birthday, so it
/// counts from the birthday on; who is born on 29 February, from 1 March in other years.
pub(crate) fn age_on(birth: Day, day: Day) -> i32 {
    let ((born, birth_month, birth_day), (year, month, of_month)) = (birth.ymd(), day.ymd());
    year - born - i32::from((month, of_month) < (birth_month, birth_day))
}

/// The birthday on which this many years are completed.
pub(crate) fn birthday(birth: Day, years: i32) -> Day {
    let (year, month, day) = birth.ymd();
    match (month, day) {
        (2, 29) if eligibility::day::days_in_month(year + years, 2) == 28 => ymd(year + years, 3, 1),
        _ => ymd(year + years, month, day),
    }
}

/// The next year's worth of days that begins on the first of this month: 国保 and 限度額 run from August.
pub(crate) fn year_from(month: u32, day: Day) -> Validity {
    let (year, now, _) = day.ymd();
    let begins = if now < month { year - 1 } else { year };
    let from = ymd(begins, month, 1);
    Validity { from: Some(from), through: Some(from.plus_months(12).plus(-1)) }
}

/// 高齢受給者証: from the month after the 70th birthday (born on the first: from that month),
/// until the day before the 75th.
pub(crate) fn elderly_from(birth: Day) -> Day {
    let (year, month, day) = birthday(birth, 70).ymd();
    let first = ymd(year, month, 1);
    if day == 1 { first } else { first.plus_months(1) }
}

/// The last day of a yearly card of 国保 or 後期 that is good on this day.
pub(crate) fn end_of_july(day: Day) -> Day {
    let (year, month, _) = day.ymd();
    ymd(if month < 8 { year } else { year + 1 }, 7, 31)
}

/// The first of April with which the school year begins before whose end this many years are
/// completed (who is born on 1 April completes them the day before).
pub(crate) fn april_after(birth: Day, years: i32) -> Day {
    let (year, month, of_month) = birth.ymd();
    let early = (month, of_month) <= (4, 1);
    ymd(year + years + i32::from(!early), 4, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elderly_certificates_begin_with_a_month() {
        assert_eq!(elderly_from(ymd(1955, 4, 1)), ymd(2025, 4, 1));
        assert_eq!(elderly_from(ymd(1955, 4, 2)), ymd(2025, 5, 1));
        assert_eq!(elderly_from(ymd(1955, 12, 31)), ymd(2026, 1, 1));
    }

    #[test]
    fn ages_turn_on_the_birthday() {
        let birth = ymd(1950, 6, 15);
        assert_eq!(age_on(birth, ymd(2025, 6, 14)), 74);
        assert_eq!(age_on(birth, birthday(birth, 75)), 75);
        assert_eq!(birthday(ymd(1948, 2, 29), 75), ymd(2023, 3, 1));
        assert_eq!(birthday(ymd(1948, 2, 29), 76), ymd(2024, 2, 29));
    }

    #[test]
    fn school_years_begin_in_april() {
        assert_eq!(april_after(ymd(2019, 4, 1), 6), ymd(2025, 4, 1));
        assert_eq!(april_after(ymd(2019, 4, 2), 6), ymd(2026, 4, 1));
        assert_eq!(april_after(ymd(2019, 12, 31), 6), ymd(2026, 4, 1));
    }

    #[test]
    fn years_run_from_august() {
        assert_eq!(end_of_july(ymd(2026, 7, 31)), ymd(2026, 7, 31));
        assert_eq!(end_of_july(ymd(2026, 8, 1)), ymd(2027, 7, 31));
        let year = year_from(8, ymd(2026, 7, 31));
        assert_eq!((year.from, year.through), (Some(ymd(2025, 8, 1)), Some(ymd(2026, 7, 31))));
        assert_eq!(year_from(8, ymd(2026, 8, 1)).from, Some(ymd(2026, 8, 1)));
    }
}
