//! How a life is insured: with whom, from when to when, and why it ended.
//!
//! Only what an insurer still keeps is made: what ended more than ten years ago is left out. How a
//! time looks as a coverage is in `coverage`.

use eligibility::code::LossReason;
use eligibility::day::Day;

use super::household::{Role, Seat, Who};
use crate::calendar::{age_on, birthday, ymd};
use crate::dice::{Dice, Purpose};
use crate::insurer::{Book, Region, known};

/// Days for which ended coverages are kept: ten years.
const KEPT: i32 = 3653;
/// 後期 is fed so many days before the 75th birthday.
const AHEAD: i32 = 30;

/// One time under one insurer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) insurer: u32,
    /// Place of the person on whose account it is.
    pub(super) holder: u64,
    /// Which of the holder's accounts; with the holder it makes symbol and number unique.
    pub(super) turn: u64,
    pub(super) from: Day,
    pub(super) lost: Option<(Day, LossReason)>,
    /// 任意継続.
    pub(super) voluntary: bool,
}

impl Span {
    const fn new(insurer: u32, holder: u64, turn: u64, from: Day) -> Self {
        Self { insurer, holder, turn, from, lost: None, voluntary: false }
    }

    const fn until(self, day: Day, reason: LossReason) -> Self {
        Self { lost: Some((day, reason)), ..self }
    }

    fn is_national(&self) -> bool {
        self.insurer < 1_000_000
    }

    /// 船員 and 共済, which by law may go on beside 後期.
    fn may_outlast(&self) -> bool {
        matches!(self.insurer / 1_000_000, 2 | 31..=34)
    }
}

/// What somebody works as, as far as insurance sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    Company,
    BigCompany,
    Office,
    Forces,
    Sea,
    Own,
    Guild,
}
use Work::{BigCompany, Company, Forces, Guild, Office, Own, Sea};

/// Weights by age: below 25, below 60, below 65, below 75.
const WORK: [&[(u32, Work)]; 4] = [
    &[(430, Company), (310, BigCompany), (90, Office), (14, Forces), (1, Sea), (145, Own), (10, Guild)],
    &[(430, Company), (310, BigCompany), (118, Office), (4, Forces), (2, Sea), (130, Own), (26, Guild)],
    &[(400, Company), (230, BigCompany), (80, Office), (2, Sea), (250, Own), (38, Guild)],
    &[(215, Company), (80, BigCompany), (22, Office), (1, Sea), (645, Own), (37, Guild)],
];

/// Who retires has worked as this.
const RETIRED_FROM: &[(u32, Work)] = &[(50, Company), (36, BigCompany), (14, Office)];

/// Where and when lives are looked at.
#[derive(Clone, Copy)]
pub(super) struct Lives<'n> {
    pub(super) seed: u64,
    pub(super) day: Day,
    pub(super) book: &'n Book,
    pub(super) region: &'n Region,
    /// 国保 of the household's municipality.
    pub(super) town: u32,
}

impl Lives<'_> {
    /// The times of the person who sits there, latest first.
    pub(super) fn of(&self, seat: &Seat) -> Vec<Span> {
        let mut spans = if self.depends(seat) { self.shared(seat) } else { self.own(seat.own) };
        if self.turns_75(seat.own) {
            self.grow_old(seat.own, &mut spans);
        }
        let kept = self.day.plus(-KEPT);
        spans.retain(|span| span.lost.is_none_or(|(lost, _)| lost > kept));
        spans
    }

    fn turns_75(&self, who: Who) -> bool {
        birthday(who.birth, 75) <= self.day.plus(AHEAD)
    }

    /// Whether somebody is on the account of the household's first person.
    fn depends(&self, seat: &Seat) -> bool {
        let mut dice = Dice::of(self.seed, Purpose::Depends, seat.own.place);
        match seat.role {
            Role::First | Role::GrownChild | Role::Grandparent => false,
            Role::Child(_) => age_on(seat.own.birth, self.day) < 18 || dice.per_mille(750),
            Role::Spouse => !self.turns_75(seat.own) && !self.turns_75(seat.first) && dice.per_mille(480),
        }
    }

    /// The first person's times, as a dependent (or member of the 国保 household) shares them.
    fn shared(&self, seat: &Seat) -> Vec<Span> {
        let begins = match seat.role {
            Role::Child(_) => seat.own.birth,
            _ => birthday(seat.own.birth, 20),
        };
        let share = |span: Span| {
            let forces = span.insurer == self.region.self_defence;
            let insurer = if forces { self.region.mutual_aid[0] } else { span.insurer };
            let lost = span.lost.map(|(lost, reason)| match reason {
                LossReason::Death => (lost, LossReason::Other),
                reason => (lost, reason),
            });
            Span { insurer, lost, from: span.from.max(begins), ..span }
        };
        let lasts = |span: &Span| span.lost.is_none_or(|(lost, _)| lost > span.from);
        self.own(seat.first).into_iter().map(share).filter(lasts).collect()
    }

    /// The times of somebody on an account of their own, up to 75.
    fn own(&self, who: Who) -> Vec<Span> {
        let mut dice = Dice::of(self.seed, Purpose::Life, who.place);
        let old = self.turns_75(who);
        let end = if old { birthday(who.birth, 75) } else { self.day };
        let adult = birthday(who.birth, 18);
        let age = age_on(who.birth, self.day).min(74);
        let work = self.work(age, &mut dice);
        let retired = age >= 65 && work == Own;
        let from =
            if retired { birthday(who.birth, dice.within(60, 65)) } else { end.plus(-dice.within(20, 5500)) };
        let now = Span::new(self.insurer(work, &mut dice), who.place, 0, from.min(end.plus(-20)).max(adult));
        let mut spans = vec![now];
        if !old {
            self.end(who, &mut spans, &mut dice);
        }
        if now.from > self.day.plus(-KEPT) && dice.per_mille(if retired { 900 } else { 560 }) {
            self.before(now, adult, retired, &mut spans, &mut dice);
        }
        spans
    }

    fn work(&self, age: i32, dice: &mut Dice) -> Work {
        let [young, grown, elder, old] = WORK;
        *dice.weighted(match age {
            ..25 => young,
            25..60 => grown,
            60..65 => elder,
            _ => old,
        })
    }

    fn insurer(&self, work: Work, dice: &mut Dice) -> u32 {
        match work {
            Company => self.region.association,
            BigCompany => self.book.society(dice),
            Office => self.book.mutual_aid(self.region, dice),
            Forces => self.region.self_defence,
            Sea => known::SEAFARERS,
            Own => self.town,
            Guild => self.region.national_society,
        }
    }

    /// What was before: another employer, 国保 in between, another municipality, 任意継続.
    fn before(&self, now: Span, adult: Day, retired: bool, spans: &mut Vec<Span>, dice: &mut Dice) {
        let work = if retired { *dice.weighted(RETIRED_FROM) } else { self.work(40, dice) };
        let insurer = match work {
            Own if now.insurer == self.town => self.region.town(dice).insurer,
            work => self.insurer(work, dice),
        };
        let before = Span::new(insurer, now.holder, 1, now.from);
        if insurer == now.insurer && before.is_national() {
            return;
        }
        let mut until = now.from;
        if retired && dice.per_mille(150) && insurer != self.region.self_defence {
            let months = if dice.per_mille(600) { 24 } else { dice.within(2, 23) };
            until = now.from.plus_months(-months);
            let voluntary = Span { voluntary: true, turn: 2, ..before };
            spans.push(Span { from: until, ..voluntary }.until(now.from, LossReason::OtherInsurance));
        }
        let (lost, reason) = match (before.is_national(), now.is_national()) {
            // 国保 is lost the day after the new membership begins (国民健康保険法 8条).
            (true, false) => (now.from.plus(1), LossReason::OtherInsurance),
            (true, true) => (now.from, LossReason::Other),
            (false, false) if dice.per_mille(150) => (until.plus(-dice.within(1, 120)), LossReason::Other),
            _ => (until, LossReason::OtherInsurance),
        };
        let from = lost.plus(-dice.within(100, 4000)).max(adult);
        if lost <= from {
            return;
        }
        let late_report = now.from > self.day.plus(-60) && dice.per_mille(60);
        let before = Span { from, ..before };
        spans.push(if late_report { before } else { before.until(lost, reason) });
    }

    /// Some have lost what they had, and some will change.
    fn end(&self, who: Who, spans: &mut Vec<Span>, dice: &mut Dice) {
        let Some(now) = spans.first_mut() else { return };
        let old = age_on(who.birth, self.day) >= 65;
        let days = self.day.number() - now.from.number();
        let (ago, reason) = match dice.below(1000) {
            0..17 => (dice.within(0, 2500), LossReason::PublicAssistance),
            17..18 => (dice.within(0, 150), LossReason::Death),
            18..23 if old => (dice.within(0, 150), LossReason::Death),
            23..31 => (dice.within(0, 120), LossReason::Other),
            31..38 if now.is_national() && !old => {
                let hired = self.next_april();
                *now = now.until(hired.plus(1), LossReason::OtherInsurance);
                let new = Span::new(self.region.association, who.place, 3, hired);
                spans.insert(0, new);
                return;
            }
            _ => return,
        };
        if ago < days {
            *now = now.until(self.day.plus(-ago), reason);
        }
    }

    fn next_april(&self) -> Day {
        let (year, month, _) = self.day.ymd();
        ymd(if month < 4 { year } else { year + 1 }, 4, 1)
    }

    /// At 75 every other membership ends, but for 船員 and some of 共済, and 後期 begins.
    fn grow_old(&self, who: Who, spans: &mut Vec<Span>) {
        let late = birthday(who.birth, 75);
        let mut dice = Dice::of(self.seed, Purpose::Life, u64::MAX - who.place);
        let outlasts = dice.per_mille(200);
        spans.retain(|span| span.from < late);
        for span in spans.iter_mut() {
            let lasts = span.lost.is_none_or(|(lost, _)| lost > late);
            let sea = span.insurer == known::SEAFARERS;
            if lasts && !(span.may_outlast() && (sea || outlasts)) {
                *span = span.until(late, LossReason::OtherInsurance);
            }
        }
        let new = Span::new(self.region.late_elderly, who.place, 0, late);
        let died = self.day.plus(-dice.within(0, 200));
        let dead = dice.per_mille(14) && died > late;
        spans.insert(0, if dead { new.until(died, LossReason::Death) } else { new });
    }
}
