//! A model of persons and questions in plain numbers, and the answer counted out day by day.
//!
//! Shares nothing with the crate but the words for a doubt.

use eligibility::decision::Reason;

use super::{LATE_ELDERLY, WINDOW};

#[derive(Clone, Copy, Debug)]
pub(super) struct Spelled {
    pub(super) row: usize,
    pub(super) spelling: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Period {
    pub(super) from: Option<i32>,
    pub(super) through: Option<i32>,
}

#[derive(Clone, Debug)]
pub(super) struct Cover {
    pub(super) symbol: Spelled,
    pub(super) number: Spelled,
    pub(super) branch: Option<u8>,
    pub(super) qualified: i32,
    pub(super) lost: Option<i32>,
    pub(super) valid: Period,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wishes {
    pub(super) hide_address: bool,
    pub(super) card_unusable: bool,
    pub(super) closed: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) insurer: usize,
    pub(super) fed: bool,
    pub(super) birth: usize,
    pub(super) wishes: Wishes,
    pub(super) pending: Wishes,
    pub(super) covers: Vec<Cover>,
}

#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) entries: Vec<Entry>,
    /// One list a city.
    pub(super) subsidies: Vec<Vec<Period>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Hit {
    Unlinked,
    Unknown,
    Nobody,
    One,
    Several,
}

#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) by_card: bool,
    pub(super) hit: Hit,
    pub(super) insurer: usize,
    pub(super) symbol: Spelled,
    pub(super) number: Spelled,
    pub(super) branch: Option<u8>,
    pub(super) birth: usize,
    pub(super) date: i32,
    pub(super) today: i32,
    pub(super) subsidies: bool,
    pub(super) sees_newer: bool,
    /// Of each insurer, and last of the portal.
    pub(super) doubts: [Option<Reason>; 5],
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Listed {
    pub(super) insurer: usize,
    pub(super) cover: usize,
    pub(super) ended_by: Option<&'static str>,
    pub(super) starts_on: Option<i32>,
    pub(super) hides_address: bool,
    pub(super) subsidies: Option<usize>,
    pub(super) as_of: Option<i64>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) status: &'static str,
    pub(super) reason: Option<&'static str>,
    pub(super) coverages: Vec<Listed>,
    pub(super) newer: Option<Vec<Listed>>,
    pub(super) as_of: Option<i64>,
}

/// Every day that matters, and some on either side.
pub(super) const DAYS: std::ops::Range<i32> = -200..WINDOW + 200;

impl Period {
    pub(super) fn has(&self, date: i32) -> bool {
        match (self.from, self.through) {
            (None, None) => true,
            (Some(from), None) => date >= from,
            (None, Some(through)) => date <= through,
            (Some(from), Some(through)) => (from..=through).contains(&date),
        }
    }
}

impl Cover {
    pub(super) fn is_lost_on(&self, date: i32) -> bool {
        self.lost.is_some_and(|lost| date >= lost)
    }

    pub(super) fn has_run_out_on(&self, date: i32) -> bool {
        self.valid.through.is_some_and(|through| date > through)
    }

    pub(super) fn is_over_on(&self, date: i32) -> bool {
        self.is_lost_on(date) || self.has_run_out_on(date)
    }

    pub(super) fn holds(&self, date: i32) -> bool {
        date >= self.qualified && !self.is_lost_on(date) && self.valid.has(date)
    }

    /// The last day on which it was not over.
    pub(super) fn last_day(&self) -> Option<i32> {
        DAYS.rev().find(|date| !self.is_over_on(*date))
    }

    /// The next day on which it will hold.
    pub(super) fn next_day(&self, date: i32) -> Option<i32> {
        (date..DAYS.end).find(|date| self.holds(*date))
    }
}

impl Entry {
    pub(super) fn living(&self) -> Wishes {
        let Wishes { hide_address, card_unusable, closed } = self.pending;
        let own = if self.fed { self.wishes } else { Wishes::default() };
        Wishes {
            hide_address: hide_address || own.hide_address,
            card_unusable: card_unusable || own.card_unusable,
            closed: closed || own.closed,
        }
    }

    pub(super) fn covers(&self) -> impl Iterator<Item = (usize, &Cover)> {
        self.covers.iter().enumerate().filter(|_| self.fed)
    }

    pub(super) fn has_ended(&self, today: i32) -> bool {
        self.covers().all(|(_, cover)| cover.is_over_on(today))
    }

    pub(super) fn last_day(&self) -> Option<i32> {
        self.covers().filter_map(|(_, cover)| cover.last_day()).max()
    }
}

pub(super) type Named<'m> = (&'m Entry, usize, &'m Cover);

pub(super) struct Oracle<'m> {
    pub(super) model: &'m Model,
    pub(super) question: &'m Question,
}

impl<'m> Oracle<'m> {
    pub(super) fn answer(&self) -> Outcome {
        let Question { by_card, hit, insurer, .. } = *self.question;
        if !by_card {
            return match hit {
                Hit::Several => self.outcome("multiple", None, Vec::new(), Some(insurer)),
                Hit::One => self.number(),
                _ => self.negative("not_found", Vec::new(), insurer),
            };
        }
        match hit {
            Hit::Unlinked | Hit::Nobody => self.negative("not_linked", Vec::new(), 4),
            Hit::One if self.model.entries.iter().any(|entry| entry.fed) => self.card(),
            _ => self.outcome("unconfirmed", Some("person_not_fed"), Vec::new(), Some(4)),
        }
    }

    pub(super) fn card(&self) -> Outcome {
        if self.card_is_unusable() {
            return self.outcome("withheld", Some("card_unusable"), Vec::new(), None);
        }
        let date = self.question.date;
        let all = self.in_order(|_| true);
        let open = self.in_order(|entry| !entry.living().closed);
        let holding: Vec<_> = open.iter().copied().filter(|(_, _, cover)| cover.holds(date)).collect();
        if let Some((first, ..)) = holding.first() {
            let hangs_on = first.insurer;
            return self.outcome("valid", None, self.list(&holding), Some(hangs_on));
        }
        let open_entry = self.model.entries.iter().find(|entry| entry.fed && !entry.living().closed);
        let held = all.iter().any(|(_, _, cover)| cover.holds(date));
        match open_entry {
            Some(entry) if !held => {
                let listed = self.last_or_next(&open);
                let hangs_on = listed.first().map_or(entry.insurer, |one| one.insurer);
                self.negative("invalid", listed, hangs_on)
            }
            _ => self.outcome("withheld", Some("closed"), Vec::new(), None),
        }
    }

    pub(super) fn number(&self) -> Outcome {
        let Question { insurer, date, .. } = *self.question;
        let asked = self.in_order(|entry| entry.insurer == insurer);
        let asked: Vec<_> = asked.into_iter().filter(|one| self.is_asked(one)).collect();
        let Some((entry, ..)) = asked.first() else {
            return self.negative("not_found", Vec::new(), insurer);
        };
        if entry.living().closed {
            return self.outcome("withheld", Some("closed"), Vec::new(), Some(insurer));
        }
        let holding: Vec<_> = asked.iter().copied().filter(|(_, _, cover)| cover.holds(date)).collect();
        if !holding.is_empty() {
            return self.outcome("valid", None, self.list(&holding), Some(insurer));
        }
        let listed = self.last_or_next(&asked);
        if !self.in_order(|_| true).iter().any(|(_, _, cover)| cover.holds(date)) {
            return self.negative("invalid", listed, insurer);
        }
        let mut others = self.in_order(|entry| !entry.living().closed);
        others.retain(|(_, _, cover)| cover.holds(date));
        let newer = self.question.sees_newer.then(|| self.list(&others));
        Outcome { newer, ..self.outcome("invalid_newer", None, listed, Some(insurer)) }
    }

    pub(super) fn is_asked(&self, (entry, _, cover): &Named<'_>) -> bool {
        let question = self.question;
        let symbol = entry.insurer == LATE_ELDERLY || cover.symbol.row == question.symbol.row;
        let branch = match (question.branch, cover.branch) {
            (None, _) | (_, None) => true,
            (Some(asked), Some(own)) => asked == own,
        };
        symbol && branch && cover.number.row == question.number.row && entry.birth == question.birth
    }

    /// Latest 取得日, latest 有効開始日, lowest insurer number, and then as fed.
    pub(super) fn in_order(&self, of: impl Fn(&Entry) -> bool) -> Vec<Named<'m>> {
        let mut all = Vec::new();
        for entry in self.model.entries.iter().filter(|entry| of(entry)) {
            all.extend(entry.covers().map(|(at, cover)| (entry, at, cover)));
        }
        // No 有効開始日 is earlier than any.
        let rank = |cover: &Cover| (-cover.qualified, cover.valid.from.map_or(i32::MAX, |from| -from));
        all.sort_by_key(|(entry, at, cover)| (rank(cover), entry.insurer, *at));
        all
    }

    pub(super) fn list(&self, named: &[Named<'_>]) -> Vec<Listed> {
        let date = self.question.date;
        let lists = &self.model.subsidies;
        let holding = lists.iter().flatten().filter(|period| period.has(date)).count();
        let one = |(entry, at, _): &Named<'_>| Listed {
            insurer: entry.insurer,
            cover: *at,
            ended_by: None,
            starts_on: None,
            hides_address: self.address_is_hidden(),
            subsidies: (self.question.subsidies && !lists.is_empty()).then_some(holding),
            as_of: Some(entry.insurer as i64),
        };
        named.iter().map(one).collect()
    }

    pub(super) fn last_or_next(&self, named: &[Named<'_>]) -> Vec<Listed> {
        let date = self.question.date;
        let over: Vec<_> = named.iter().copied().filter(|(_, _, cover)| cover.is_over_on(date)).collect();
        let latest = over.iter().map(|(_, _, cover)| cover.last_day()).max();
        if let Some(one) = over.iter().find(|(_, _, cover)| Some(cover.last_day()) == latest) {
            let ended_by = if one.2.is_lost_on(date) { "loss" } else { "period" };
            let listed = self.list(&[*one]).into_iter();
            return listed.map(|one| Listed { ended_by: Some(ended_by), ..one }).collect();
        }
        let soonest = named.iter().filter_map(|(_, _, cover)| cover.next_day(date)).min();
        let next = named.iter().find(|(_, _, cover)| soonest.is_some() && cover.next_day(date) == soonest);
        let listed = next.map(|one| self.list(&[*one])).unwrap_or_default().into_iter();
        listed.map(|one| Listed { starts_on: soonest, ..one }).collect()
    }

    pub(super) fn address_is_hidden(&self) -> bool {
        self.card_is_unusable() || self.model.entries.iter().any(|entry| entry.living().hide_address)
    }

    pub(super) fn card_is_unusable(&self) -> bool {
        let entries = &self.model.entries;
        if entries.iter().any(|entry| entry.pending.card_unusable) {
            return true;
        }
        let mut counted: Vec<_> =
            entries.iter().filter(|entry| !entry.has_ended(self.question.today)).collect();
        if counted.is_empty() {
            let latest = entries.iter().map(Entry::last_day).max().flatten();
            counted = entries.iter().filter(|entry| entry.last_day() == latest).collect();
        }
        counted.iter().any(|entry| entry.living().card_unusable)
    }

    pub(super) fn negative(&self, status: &'static str, coverages: Vec<Listed>, hangs_on: usize) -> Outcome {
        match self.question.doubts[hangs_on] {
            Some(why) => self.outcome("unconfirmed", Some(why.word()), coverages, Some(hangs_on)),
            None => self.outcome(status, None, coverages, Some(hangs_on)),
        }
    }

    pub(super) fn outcome(
        &self,
        status: &'static str,
        reason: Option<&'static str>,
        coverages: Vec<Listed>,
        hangs_on: Option<usize>,
    ) -> Outcome {
        Outcome { status, reason, coverages, newer: None, as_of: hangs_on.map(|at| at as i64) }
    }
}
