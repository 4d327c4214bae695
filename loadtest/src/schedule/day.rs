//! The days of clinics and pharmacies: how a day's requests spread over its hours.
//!
//! No hourly figures are published. The shapes are put together from what is known: 274.6 million
//! checks in October 2025 over 25 open days, about a fifth of a day in its busiest hour, a burst of
//! a few minutes at the opening of about three times that hour, pharmacies an hour behind the
//! clinics that send them patients. A planner who has own figures writes them as `knots`.

use super::{Curve, Knot};

/// What kind of day it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// An ordinary weekday.
    Weekday,
    /// Monday: the weekend's illnesses wait at the door.
    Monday,
    /// The first open day after a long holiday.
    AfterHolidays,
    /// The first of a month: insurance is checked anew for everybody who comes regularly.
    FirstOfMonth,
    /// A weekday of pharmacies alone, which follow the clinics.
    Pharmacy,
}

/// The hours of one kind of day.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Which day.
    pub kind: DayKind,
    /// Requests of the whole day against a weekday's.
    pub volume: f64,
    /// Hour of the clock and rate there against the mean of the busiest hour of a weekday.
    pub hours: &'static [(f64, f64)],
    /// Hour of the clock at which doors open, and the burst's height against its surroundings.
    pub opening: (f64, f64),
}

/// Minutes that the burst at the opening takes to fade.
const OPENING_MINUTES: f64 = 6.0;

/// Every kind of day. Hours run from 7 to 20.
pub const PROFILES: &[Profile] = &[
    Profile { kind: DayKind::Weekday, volume: 1.0, hours: WEEKDAY, opening: (9.0, 1.6) },
    Profile { kind: DayKind::Monday, volume: 1.35, hours: WEEKDAY, opening: (9.0, 3.0) },
    Profile { kind: DayKind::AfterHolidays, volume: 1.7, hours: WEEKDAY, opening: (9.0, 3.2) },
    Profile { kind: DayKind::FirstOfMonth, volume: 1.45, hours: WEEKDAY, opening: (8.75, 2.4) },
    Profile { kind: DayKind::Pharmacy, volume: 1.0, hours: PHARMACY, opening: (9.25, 1.2) },
];

const WEEKDAY: &[(f64, f64)] = &[
    (7.0, 0.02),
    (8.0, 0.10),
    (8.5, 0.45),
    (9.0, 0.95),
    (9.5, 1.05),
    (10.5, 0.95),
    (11.5, 0.75),
    (12.5, 0.25),
    (13.5, 0.20),
    (14.5, 0.40),
    (15.5, 0.60),
    (16.5, 0.70),
    (17.5, 0.65),
    (18.5, 0.40),
    (19.5, 0.10),
    (20.0, 0.02),
];

const PHARMACY: &[(f64, f64)] = &[
    (7.0, 0.01),
    (8.5, 0.08),
    (9.5, 0.60),
    (10.5, 1.00),
    (11.5, 1.02),
    (12.5, 0.65),
    (13.5, 0.30),
    (14.5, 0.30),
    (15.5, 0.50),
    (16.5, 0.68),
    (17.5, 0.75),
    (18.5, 0.62),
    (19.5, 0.22),
    (20.0, 0.05),
];

impl DayKind {
    /// Its profile.
    #[must_use]
    pub fn profile(self) -> &'static Profile {
        PROFILES.iter().find(|one| one.kind == self).unwrap_or(&PROFILES[0])
    }

    /// The day from `from` to `to` o'clock, drawn together to `seconds`, with this rate at the peak
    /// of the whole day.
    #[must_use]
    pub fn curve(self, from: f64, to: f64, seconds: f64, peak: f64) -> Option<Curve> {
        let profile = self.profile();
        let mut hours: Vec<f64> = profile.hours.iter().map(|(hour, _)| *hour).collect();
        // The opening's burst falls off along an exponential; straight pieces of a minute follow it.
        hours.extend((0..40).map(|minute| profile.opening.0 + f64::from(minute) / 60.0));
        hours.push(profile.opening.0 - 1e-9);
        hours.extend([from, to]);
        hours.retain(|hour| (from..=to).contains(hour));
        hours.sort_by(f64::total_cmp);
        hours.dedup();
        let knots = hours
            .into_iter()
            .map(|hour| Knot { at: (hour - from) / (to - from) * seconds, rate: profile.rate(hour) })
            .collect();
        let highest = self.highest();
        Curve::new(knots).map(|curve| curve.scaled(peak / highest))
    }

    /// The highest rate of the whole day, against the mean of a weekday's busiest hour.
    #[must_use]
    pub fn highest(self) -> f64 {
        let profile = self.profile();
        let minutes = (7 * 60..=20 * 60).map(|minute| f64::from(minute) / 60.0);
        minutes.map(|hour| profile.rate(hour)).fold(0.0, f64::max)
    }

    /// The whole day's requests for one at the mean rate of a weekday's busiest hour, in seconds of it.
    #[must_use]
    pub fn seconds(self) -> f64 {
        let profile = self.profile();
        (7 * 60..20 * 60).map(|minute| profile.rate((f64::from(minute) + 0.5) / 60.0) * 60.0).sum()
    }
}

impl Profile {
    fn rate(&self, hour: f64) -> f64 {
        let after = self.hours.partition_point(|(at, _)| *at <= hour);
        let before = after.checked_sub(1).and_then(|at| self.hours.get(at));
        let base = match (before, self.hours.get(after)) {
            (Some((a, low)), Some((b, high))) => low + (high - low) * (hour - a) / (b - a),
            (Some((_, last)), None) => *last,
            (None, _) => 0.0,
        };
        let (opens, height) = self.opening;
        let since = (hour - opens) * 60.0;
        let burst = if since < 0.0 { 0.0 } else { (height - 1.0) * (-since / OPENING_MINUTES).exp() };
        self.volume * base * (1.0 + burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_hour_of_a_weekday_has_about_a_fifth_of_it() {
        let profile = DayKind::Weekday.profile();
        let hour =
            |from: f64| (0..60).map(|m| profile.rate(from + (f64::from(m) + 0.5) / 60.0) * 60.0).sum::<f64>();
        let busiest = (0..22).map(|half| hour(8.0 + f64::from(half) / 2.0)).fold(0.0, f64::max);
        let share = busiest / DayKind::Weekday.seconds();
        assert!((0.13..0.22).contains(&share), "{share}");
    }

    #[test]
    fn every_day_reaches_its_peak_at_its_opening_and_pharmacies_come_later() {
        for profile in PROFILES {
            let curve = profile.kind.curve(7.0, 20.0, 1300.0, 500.0).unwrap();
            assert!((curve.peak() - 500.0).abs() < 5.0, "{:?} {}", profile.kind, curve.peak());
            let at = (0..1300)
                .max_by(|a, b| curve.rate(f64::from(*a)).total_cmp(&curve.rate(f64::from(*b))))
                .unwrap();
            let hour = 7.0 + f64::from(at) / 100.0;
            match profile.kind {
                DayKind::Pharmacy => assert!(hour > 10.0, "{hour}"),
                _ => assert!((hour - profile.opening.0).abs() < 0.1, "{:?} {hour}", profile.kind),
            }
        }
        assert!(DayKind::Monday.highest() > 2.0 * DayKind::Weekday.highest() * 0.9);
    }
}
