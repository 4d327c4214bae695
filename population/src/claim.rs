//! Claims (レセプト) that fit the nation, each with the right answer to a pre-check.
//!
//! Which situation a person is in that month is seen in the coverages; what is written on the claim is
//! chosen so that only one answer can be right, and the answer follows from the choice. Nothing of how
//! a pre-check works is known here. The form of the file is in `uke`.

mod form;
mod uke;

use eligibility::code::{LossReason, Restriction};
use eligibility::coverage::{Coverage, Member};
use eligibility::day::{Day, days_in_month};
use eligibility::number::{Branch, InsurerNumber};

use crate::Population;
use crate::dice::{Dice, Purpose};
use crate::insurer::{InsurerKind, known, number};
use crate::resident::{Resident, Word};

pub use form::Form;
pub use uke::{Institution, write};

/// People looked at on each side for somebody born on the same day on the same card.
const NEIGHBOURS: u64 = 6;

/// The right answer to one claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The verdict's word.
    pub verdict: &'static str,
    /// The word of the rule, with `review`.
    pub rule: Option<&'static str>,
    /// 確認区分.
    pub code: Option<&'static str>,
    /// What a rule forbids to be done automatically.
    pub suggested: Option<&'static str>,
    /// 枝番 that is missing and certain.
    pub branch: Option<Branch>,
    /// Whose each visit day is, or would be, where the answer tells; `None` for nobody's.
    pub days: Vec<(Day, Option<InsurerNumber>)>,
}

impl Answer {
    fn of(verdict: &'static str, code: Option<&'static str>) -> Self {
        Self { verdict, rule: None, code, suggested: None, branch: None, days: Vec::new() }
    }

    fn review(rule: &'static str, code: &'static str) -> Self {
        Self { rule: Some(rule), ..Self::of("review", Some(code)) }
    }
}

/// From what the visit days of a claim can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// A JD record.
    Visits,
    /// The days of its services.
    Services,
    /// Nothing but the month.
    Month,
}

/// One claim, before it is written.
#[derive(Clone, PartialEq, Eq)]
pub struct PlannedClaim {
    /// The right answer.
    pub answer: Answer,
    /// 合計点数.
    pub points: u32,
    pub(crate) month: Day,
    pub(crate) name: Box<str>,
    pub(crate) birth_date: Day,
    /// 保険者番号 as written; `None` for 公費単独.
    pub(crate) insurer: Option<String>,
    pub(crate) symbol: Box<str>,
    pub(crate) number: String,
    pub(crate) branch: Option<Branch>,
    pub(crate) days: Vec<Day>,
    pub(crate) told: Told,
    pub(crate) subsidy: bool,
    pub(crate) limited: bool,
    pub(crate) remark: Option<u8>,
    /// Whether a column is broken.
    pub(crate) broken: bool,
}

impl std::fmt::Debug for PlannedClaim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PlannedClaim({:?}, {:?}, …)", self.answer, self.told)
    }
}

impl Population {
    /// A claim of the person at this place for the month that begins on this day; `None` for the named
    /// persons and for those whom nobody insures. `nth` gives a person several claims.
    #[must_use]
    pub fn claim(&self, place: u64, month: Day, nth: u64) -> Option<PlannedClaim> {
        if place < self.situations_end() {
            return None;
        }
        let resident = self.person(place)?;
        let dice = Dice::of(self.seed() ^ nth, Purpose::Claim, place);
        Planner { nation: self, resident: &resident, month, dice }.plan()
    }
}

/// A coverage with the insurer whose it is.
#[derive(Clone, Copy)]
struct Held<'r> {
    insurer: InsurerNumber,
    member: &'r Member,
    coverage: &'r Coverage,
}

impl<'r> Held<'r> {
    fn all(resident: &'r Resident) -> impl Iterator<Item = Self> {
        resident.words.iter().flat_map(|Word { insurer, member }| {
            member.coverages.iter().map(move |coverage| Self { insurer: *insurer, member, coverage })
        })
    }

    fn is_closed(&self) -> bool {
        self.member.restrictions.has(Restriction::Closed)
    }

    /// What the person pays on this day, in percent.
    fn share(&self, day: Day) -> Option<u8> {
        let certificates = self.coverage.elderly.iter().filter(|one| one.validity.holds(day));
        let latest = certificates.max_by_key(|one| one.validity.from);
        latest.and_then(|one| one.copay_percent).or(self.coverage.copay_percent)
    }
}

/// What a person's month looks like.
#[derive(Clone, Copy)]
enum Month<'r> {
    /// One coverage holds all of it.
    Steady(Held<'r>),
    /// One had ended before or in it, from then on another holds: the last day of the first.
    Moved(Held<'r>, Held<'r>, Day),
    /// One had ended before or in it, from then on nothing holds.
    Left(Held<'r>, Day),
}

struct Planner<'p> {
    nation: &'p Population,
    resident: &'p Resident,
    /// Its first day.
    month: Day,
    dice: Dice,
}

impl Planner<'_> {
    fn plan(mut self) -> Option<PlannedClaim> {
        let month = self.look(self.resident)?;
        let (Month::Steady(written) | Month::Moved(written, ..) | Month::Left(written, _)) = month;
        if written.coverage.branch.is_none() && self.has_twin(written) {
            // Nothing on paper tells them apart.
            return None;
        }
        Some(match month {
            Month::Steady(held) => self.steady(held),
            Month::Moved(from, to, last) => self.moved(from, to, last),
            Month::Left(from, last) => self.left(from, last),
        })
    }

    fn last_day(&self) -> Day {
        let (year, month, _) = self.month.ymd();
        self.month.plus(days_in_month(year, month) as i32 - 1)
    }

    fn all_days(&self) -> impl Iterator<Item = Day> + use<> {
        let (first, last) = (self.month, self.last_day());
        (0..=last.number() - first.number()).map(move |at| first.plus(at))
    }

    /// Which of the plain situations it is; `None` when it is none of them.
    fn look<'r>(&self, resident: &'r Resident) -> Option<Month<'r>> {
        let on = |day: Day| Held::all(resident).filter(move |held| held.coverage.holds(day));
        if let Some(held) = on(self.month).find(|held| self.all_days().all(|day| held.coverage.holds(day)))
            && on(self.month).count() == 1
            && Held::all(resident).all(|other| !ended_shortly(other.coverage, self.month))
        {
            return Some(Month::Steady(held));
        }
        let ended = Held::all(resident).filter(|held| {
            held.coverage.ends_on().is_some_and(|end| end < self.last_day() && end > self.month.plus(-400))
        });
        let from = ended.max_by_key(|held| held.coverage.ends_on())?;
        let last = from.coverage.ends_on()?;
        let after = || self.all_days().filter(|day| *day > last);
        let others = |day: Day| on(day).filter(|other| !std::ptr::eq(other.coverage, from.coverage));
        let fits = |asked: &Held<'_>| asked.coverage.key(asked.insurer) == from.coverage.key(from.insurer);
        if Held::all(resident).filter(fits).count() > 1 {
            return None;
        }
        if after().all(|day| others(day).next().is_none()) {
            return Some(Month::Left(from, last));
        }
        let to = others(self.last_day()).next()?;
        let alone = |day: Day| others(day).count() == 1 && to.coverage.holds(day);
        (to.insurer != from.insurer && after().all(alone)).then_some(Month::Moved(from, to, last))
    }

    /// A claim on this coverage with some days of the month, everything written as it should be.
    fn on(&mut self, held: Held<'_>, days: Vec<Day>, answer: Answer) -> PlannedClaim {
        PlannedClaim {
            answer,
            points: 200 + self.dice.below(4_000) as u32,
            month: self.month,
            name: held.member.name.clone(),
            birth_date: held.member.birth_date,
            insurer: Some(held.insurer.to_string()),
            symbol: held.coverage.symbol.clone(),
            number: held.coverage.number.to_string(),
            branch: held.coverage.branch,
            days,
            told: if self.dice.per_mille(800) { Told::Visits } else { Told::Services },
            subsidy: false,
            limited: false,
            remark: None,
            broken: false,
        }
    }

    /// One to four days between these two, both included.
    fn some_days(&mut self, from: Day, through: Day) -> Vec<Day> {
        let count = 1 + self.dice.below(4);
        let length = through.number() - from.number();
        let mut days: Vec<Day> = (0..count).map(|_| from.plus(self.dice.within(0, length))).collect();
        days.sort_unstable();
        days.dedup();
        days
    }

    fn steady(&mut self, held: Held<'_>) -> PlannedClaim {
        let days = self.some_days(self.month, self.last_day());
        if held.is_closed() {
            return self.on(held, days, Answer::review("restricted", "03"));
        }
        let told = days.iter().map(|day| (*day, Some(held.insurer))).collect();
        let fine = Answer { days: told, ..Answer::of("ok", Some("02")) };
        let mut claim = self.on(held, days, fine);
        match self.dice.below(100) {
            0..20 => self.without_branch(held, &mut claim),
            20..25 => {
                claim.told = Told::Month;
                claim.answer.days = self.all_days().map(|day| (day, Some(held.insurer))).collect();
            }
            // No rule matters while nothing has to move.
            25..30 => (claim.subsidy, claim.limited) = (true, true),
            30..33 => {
                claim.number.push('Z');
                claim.answer = Answer::of("not_found", Some("03"));
            }
            33..35 => {
                (claim.insurer, claim.subsidy) = (None, true);
                claim.answer = Answer::of("skipped", None);
            }
            35..37 => {
                claim.insurer = Some(self.dice.pick(&["77777777", "77777779"]).to_string());
                claim.answer = Answer::review("unknown_insurer", "06");
            }
            37..38 => {
                claim.broken = true;
                claim.answer = Answer::of("unreadable", None);
            }
            38..39 => {
                claim.insurer = Some(number(known::SILENT).to_string());
                claim.answer = Answer::of("unconfirmed", Some("03"));
            }
            _ => {}
        }
        claim
    }

    /// The same without 枝番, which is found again unless the card bears none. Whom nothing else tells
    /// apart keeps it.
    fn without_branch(&self, held: Held<'_>, claim: &mut PlannedClaim) {
        if self.has_twin(held) {
            return;
        }
        claim.branch = None;
        if held.coverage.branch.is_some() && !held.insurer.is_late_elderly() {
            (claim.answer.verdict, claim.answer.code) = ("ok_branch_found", Some("09"));
            claim.answer.branch = held.coverage.branch;
        }
    }

    /// Whether somebody else was born on the same day on the same card.
    fn has_twin(&self, held: Held<'_>) -> bool {
        if held.insurer.is_late_elderly() {
            return false;
        }
        let own = self.resident.index;
        let places = own.saturating_sub(NEIGHBOURS)..=own + NEIGHBOURS;
        let others = places.filter(|place| *place != own).filter_map(|place| self.nation.person(place));
        let key = held.coverage.key(held.insurer);
        let same = |other: &Held<'_>| {
            other.member.birth_date == held.member.birth_date && other.coverage.key(other.insurer) == key
        };
        others.into_iter().any(|other| Held::all(&other).any(|other| same(&other)))
    }

    fn moved(&mut self, from: Held<'_>, to: Held<'_>, last: Day) -> PlannedClaim {
        let whole = last < self.month || self.dice.per_mille(400);
        let mut days = self.some_days(self.month.max(last.plus(1)), self.last_day());
        if !whole {
            days.extend(self.some_days(self.month.max(from.coverage.starts_on()), last));
            days.sort_unstable();
        }
        let mut claim = self.on(from, days, Answer::of("", None));
        if from.is_closed() || to.is_closed() {
            claim.answer = Answer::review("restricted", "03");
            return claim;
        }
        let holder = |day: Day| if day <= last { from } else { to };
        let (verdict, code) = if whole { ("transfer", "04") } else { ("split", "05") };
        match self.dice.below(100) {
            0..10 => claim.subsidy = true,
            10..16 => claim.limited = true,
            16..24 => claim.remark = Some(*self.dice.pick(&[2, 16, 26, 28, 30, 31, 35, 41, 44])),
            24..30 => claim.remark = Some(96),
            // Where both hold the first day, the other one holds the whole month, and it is known after all.
            30..40
                if last >= self.month
                    && from.coverage.holds(self.month)
                    && !to.coverage.holds(self.month) =>
            {
                claim.told = Told::Month;
            }
            _ => {}
        }
        let written = if claim.days.iter().any(|day| *day <= last) || claim.told == Told::Month {
            None
        } else {
            Some(from.share(last))
        };
        let visited: Vec<Day> =
            if claim.told == Told::Month { self.all_days().collect() } else { claim.days.clone() };
        let mut shares = written.into_iter().chain(visited.iter().map(|day| holder(*day).share(*day)));
        let days = visited.iter().map(|day| (*day, Some(holder(*day).insurer))).collect();
        let first = shares.next();
        let differs = shares.any(|share| Some(share) != first);
        let rule = forbidding(&claim, differs, &[from, to]);
        claim.answer = match (rule, claim.told) {
            (Some(rule), Told::Month) => Answer { days, ..Answer::review(rule, "06") },
            (Some(rule), _) => Answer { suggested: Some(verdict), days, ..Answer::review(rule, "06") },
            (None, Told::Month) => Answer { days, ..Answer::review("days_unknown", "03") },
            (None, _) => Answer { days, ..Answer::of(verdict, Some(code)) },
        };
        claim
    }

    fn left(&mut self, from: Held<'_>, last: Day) -> PlannedClaim {
        let mut days = self.some_days(self.month.max(last.plus(1)), self.last_day());
        if last >= self.month && self.dice.per_mille(500) {
            days.extend(self.some_days(self.month.max(from.coverage.starts_on()), last));
            days.sort_unstable();
        }
        let dead =
            from.coverage.disqualified_on.is_some() && from.coverage.loss_reason == Some(LossReason::Death);
        let answer = if from.is_closed() {
            Answer::review("restricted", "03")
        } else {
            let told = |day: &Day| (*day, (*day <= last).then_some(from.insurer));
            let told = days.iter().map(told).collect();
            Answer { days: told, ..Answer::of("lost", Some(if dead { "08" } else { "06" })) }
        };
        self.on(from, days, answer)
    }
}

/// Whether it ended so lately that a claim might still be on it.
fn ended_shortly(coverage: &Coverage, month: Day) -> bool {
    coverage.ends_on().is_some_and(|end| end > month.plus(-400) && end < month.plus(31))
}

/// The rule that forbids to move the claim between these, the first in the order of the rules.
fn forbidding(claim: &PlannedClaim, shares_differ: bool, held: &[Held<'_>]) -> Option<&'static str> {
    let any = |kind| held.iter().any(|held| InsurerKind::of(held.insurer) == kind);
    let limits = |code: u8| matches!(code, 2 | 16 | 26..=35 | 41..=44);
    [
        (claim.subsidy, "subsidy"),
        (claim.limited || claim.remark.is_some_and(limits), "limit"),
        (shares_differ, "copay"),
        (any(InsurerKind::Seafarers), "mariner"),
        (any(InsurerKind::SelfDefence), "self_defence"),
    ]
    .into_iter()
    .find_map(|(forbids, rule)| forbids.then_some(rule))
}
