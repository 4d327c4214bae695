//! On which days of the month a claim's visits were, and how surely that is known.
//!
//! The JD record says it. Without one the day columns of the service records do; without those the
//! days lie somewhere in the month. An in-patient is there on every day of the stay: where the
//! number of days (診療実日数) fills the stay, all of its days are known; else only its bounds are.

use eligibility::day::Day;

use crate::date::Month;
use eligibility::words;

words! {
    /// From what the days are known.
    DaysSource {
        /// 受診日等レコード.
        Jd = "jd" => "受診日等レコード（JD）",
        /// 算定日情報 of service records.
        Services = "services" => "摘要情報の算定日",
        /// 入院 and 退院, or 入院年月日 and 診療実日数.
        Stay = "stay" => "入院期間",
        /// Nothing: only 診療年月.
        Month = "month" => "診療年月のみ",
        /// Given as such, in a claim that is no UKE record.
        Given = "given" => "指定された受診日",
    }
}

/// Days of one month, as bits: bit 0 is the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisitDays {
    month: Month,
    bits: u32,
    exact: bool,
    source: DaysSource,
}

impl VisitDays {
    /// Exactly these days of the month; others are left out, as are days the month has not.
    #[must_use]
    pub fn exactly(month: Month, days: impl IntoIterator<Item = Day>, source: DaysSource) -> Self {
        let bits = days.into_iter().filter_map(|day| bit(month, day)).fold(0, |bits, bit| bits | bit);
        Self { month, bits, exact: true, source }
    }

    /// Some unknown days from this one to that one, as far as they lie in the month.
    #[must_use]
    pub fn within(month: Month, from: Day, through: Day, source: DaysSource) -> Self {
        Self { month, bits: span(month, from, through), exact: false, source }
    }

    /// Some unknown days of the month.
    #[must_use]
    pub fn in_month(month: Month) -> Self {
        Self::within(month, month.first(), month.last(), DaysSource::Month)
    }

    /// The same as [`VisitDays::kept`] gave of days of this month.
    pub(crate) const fn of_kept(month: Month, (bits, exact, source): (u32, bool, DaysSource)) -> Self {
        Self { month, bits, exact, source }
    }

    /// All of it but the month.
    pub(crate) const fn kept(&self) -> (u32, bool, DaysSource) {
        (self.bits, self.exact, self.source)
    }

    /// The month.
    #[must_use]
    pub const fn month(&self) -> Month {
        self.month
    }

    /// Whether each of the days is a visit day; else the visits were on some of them.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        self.exact
    }

    /// From what they are known.
    #[must_use]
    pub const fn source(&self) -> DaysSource {
        self.source
    }

    /// How many days these are.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.bits.count_ones()
    }

    /// The days, first one first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Day> + use<> {
        let Self { month, bits, .. } = *self;
        (0..31).filter(move |at| bits & (1 << at) != 0).map(move |at| month.first().plus(at))
    }

    /// The last of them.
    #[must_use]
    pub fn last(&self) -> Option<Day> {
        self.iter().next_back()
    }
}

/// What the records of one claim say of its days, gathered as they come.
#[derive(Clone, Copy, Default)]
pub(crate) struct Gathered {
    /// JD days with 1 or 2.
    pub(crate) jd: u32,
    /// Days of service records.
    pub(crate) services: u32,
    /// Days between 入院 and 退院 of BU records.
    pub(crate) stay: u32,
    /// 入院年月日.
    pub(crate) admitted_on: Option<Day>,
    /// 診療実日数.
    pub(crate) actual: Option<u32>,
    pub(crate) inpatient: bool,
}

impl Gathered {
    pub(crate) fn resolve(&self, month: Month) -> VisitDays {
        let whole = u32::MAX >> (32 - month.length());
        let known = |bits, source| VisitDays { month, bits, exact: true, source };
        let (jd, services) = (self.jd & whole, self.services & whole);
        if jd != 0 {
            return known(jd, DaysSource::Jd);
        }
        if self.inpatient || self.stay != 0 {
            return self.resolve_stay(month, services, whole);
        }
        if services != 0 { known(services, DaysSource::Services) } else { VisitDays::in_month(month) }
    }

    fn resolve_stay(&self, month: Month, services: u32, whole: u32) -> VisitDays {
        let known = |bits, source| VisitDays { month, bits, exact: true, source };
        let admitted = self.admitted_on.map_or(0, |day| span(month, day, month.last()));
        let bounds = [self.stay & whole, admitted].into_iter().find(|bits| *bits != 0).unwrap_or(whole);
        let Some(actual) = self.actual.filter(|actual| *actual > 0) else {
            return match (services, self.stay & whole) {
                (0, 0) => VisitDays { month, bits: bounds, exact: false, source: DaysSource::Month },
                (0, stay) => known(stay, DaysSource::Stay),
                (services, _) => known(services, DaysSource::Services),
            };
        };
        // Services on fewer days than the stay has: on the days between them the patient was there too,
        // unless away and back within the month.
        let spanned = filled(services);
        [(services, DaysSource::Services), (spanned, DaysSource::Stay), (bounds, DaysSource::Stay)]
            .into_iter()
            .find(|(bits, _)| bits.count_ones() == actual)
            .or((services.count_ones() > actual).then_some((services, DaysSource::Services)))
            .map_or_else(
                || {
                    let source = if bounds == whole { DaysSource::Month } else { DaysSource::Stay };
                    VisitDays { month, bits: bounds | services, exact: false, source }
                },
                |(bits, source)| known(bits, source),
            )
    }
}

/// The bit of this day in the month.
pub(crate) fn bit(month: Month, day: Day) -> Option<u32> {
    let at = u32::try_from(day.number() - month.first().number()).ok()?;
    (at < month.length()).then(|| 1 << at)
}

/// The bits of all days of the month from this one to that one.
pub(crate) fn span(month: Month, from: Day, through: Day) -> u32 {
    let at = |day: Day| i64::from(day.number()) - i64::from(month.first().number());
    let (from, through) = (at(from).max(0), at(through).min(i64::from(month.length()) - 1));
    if from > through {
        return 0;
    }
    // Both lie within 0..=30 here.
    (u32::MAX >> (31 - through)) & (u32::MAX << from)
}

/// All bits from the lowest to the highest.
const fn filled(bits: u32) -> u32 {
    if bits == 0 {
        return 0;
    }
    (u32::MAX >> bits.leading_zeros()) & (u32::MAX << bits.trailing_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    fn shown(days: VisitDays) -> String {
        let days_of_month: Vec<String> = days.iter().map(|day| day.ymd().2.to_string()).collect();
        let list = if days.count() > 6 {
            format!("{}..{}", days_of_month[0], days_of_month[days_of_month.len() - 1])
        } else {
            days_of_month.join(" ")
        };
        format!("{} {} {list}", days.source().word(), if days.is_exact() { "exact" } else { "within" })
    }

    #[test]
    fn days_come_from_the_surest_record() {
        let month = Month::parse(b"202606").unwrap();
        let out = Gathered::default();
        let stay = Gathered { inpatient: true, ..out };
        let admitted = Gathered { admitted_on: Some(day("2026-06-21")), ..stay };
        let cases = [
            ("out-patient, JD", Gathered { jd: 0b101, services: 0b111, ..out }, "jd exact 1 3"),
            ("out-patient, services", Gathered { services: 0b110, ..out }, "services exact 2 3"),
            ("out-patient, nothing", out, "month within 1..30"),
            ("out-patient, a day that June has not", Gathered { jd: 1 << 30, ..out }, "month within 1..30"),
            ("in-patient, JD", Gathered { jd: 0b11, ..stay }, "jd exact 1 2"),
            ("whole month", Gathered { actual: Some(30), ..stay }, "stay exact 1..30"),
            ("to the month's end", Gathered { actual: Some(10), ..admitted }, "stay exact 21..30"),
            ("left before", Gathered { actual: Some(4), ..admitted }, "stay within 21..30"),
            ("earlier admission", Gathered { actual: Some(4), ..stay }, "month within 1..30"),
            (
                "a service on each day",
                Gathered { services: 0b111, actual: Some(3), ..stay },
                "services exact 1 2 3",
            ),
            (
                "first and last service",
                Gathered { services: 0b1001, actual: Some(4), ..stay },
                "stay exact 1 2 3 4",
            ),
            (
                "services with a gap",
                Gathered { services: 0b1001, actual: Some(3), ..stay },
                "month within 1..30",
            ),
            ("no count", Gathered { services: 0b1001, ..stay }, "services exact 1 4"),
            ("BU", Gathered { stay: 0b111, ..out }, "stay exact 1 2 3"),
            ("BU and count", Gathered { stay: 0b111, actual: Some(2), ..out }, "stay within 1 2 3"),
        ];
        for (name, gathered, expected) in cases {
            assert_eq!(shown(gathered.resolve(month)), expected, "{name}");
        }
    }

    #[test]
    fn days_outside_the_month_are_left_out() {
        let month = Month::parse(b"202602").unwrap();
        let given = [day("2026-01-31"), day("2026-02-28"), day("2026-03-01")];
        assert_eq!(shown(VisitDays::exactly(month, given, DaysSource::Given)), "given exact 28");
        assert_eq!(span(month, day("2025-12-01"), day("2026-02-02")), 0b11);
        assert_eq!(span(month, day("2026-03-01"), day("2026-04-01")), 0);
    }
}
