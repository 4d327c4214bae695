//! How often a caller may ask for nobody: budgets against guessing numbers.
//!
//! Counted are `not_found` answers, by institution (a reviewer's certificate) and insurer, desks and
//! batches apart. A day's budget is 200, or a twentieth of what was asked within the seven days before.
//! The card path is never counted and never blocked. After a start the counts are learnt again from the
//! audit. Tables are bounded; entries without misses and with little traffic are forgotten first.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use eligibility::day::{Day, Timestamp};
use eligibility::number::{InstitutionCode, InsurerNumber};

use crate::audit::{Record, Work};
use crate::peer::Fingerprint;
use crate::refusal::Refusal;

/// Misses that are always free, a day.
const FREE: u32 = 200;
/// Of what was asked within the last days, one in so many may miss.
const ONE_IN: u64 = 20;
/// Days that are looked back at, and today.
const DAYS: usize = 8;
/// Parts of the table, each under a lock that is held for one count.
const SHARDS: usize = 64;
/// Most entries of a part: 2 million in all, of about 80 octets.
const MOST: usize = 32 * 1024;

/// Whose budget it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Account {
    who: u64,
    insurer: u32,
    /// Batches have a budget of their own.
    batch: bool,
}

/// The budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedUp {
    /// Seconds until the next day begins in Japan.
    pub seconds: u32,
}

impl From<UsedUp> for Refusal {
    fn from(UsedUp { seconds }: UsedUp) -> Self {
        Self::TooManyMisses { seconds }
    }
}

#[derive(Clone, Default)]
struct Tally {
    day: i32,
    misses: u32,
    told: bool,
    /// Questions by day, at the day's number modulo [`DAYS`].
    asked: [u32; DAYS],
}

/// Every budget.
pub struct Misses {
    shards: Box<[Mutex<HashMap<Account, Tally>>]>,
    hasher: foldhash::fast::RandomState,
    used_up: AtomicU64,
}

impl Account {
    /// The budget of this caller for questions to this insurer.
    #[must_use]
    pub fn of(
        institution: Option<InstitutionCode>,
        peer: &Fingerprint,
        insurer: InsurerNumber,
        work: Work,
    ) -> Self {
        let peer = peer.as_bytes().first_chunk().copied().unwrap_or_default();
        Self::new(institution.map_or(0, |code| code.value()), peer, insurer.value(), work != Work::Desk)
    }

    fn new(institution: u64, peer: [u8; 8], insurer: u32, batch: bool) -> Self {
        // Institution codes are ten digits: no certificate's octets meet one.
        let by_peer = u64::from_le_bytes(peer) | 1 << 63;
        Self { who: if institution == 0 { by_peer } else { institution }, insurer, batch }
    }

    fn of_record(record: &Record) -> Option<Self> {
        let batch = match record.route.text()? {
            "number" => false,
            "batch" => true,
            _ => return None,
        };
        let (institution, peer) = (record.institution, record.peer.begin());
        (record.insurer != 0).then(|| Self::new(institution, peer, record.insurer, batch))
    }
}

impl Tally {
    /// Turns to this day: what is too old is forgotten.
    fn turn_to(&mut self, day: i32) {
        if day <= self.day {
            return;
        }
        for passed in (self.day + 1..=day).rev().take(DAYS) {
            if let Some(asked) = self.asked.get_mut(place(passed)) {
                *asked = 0;
            }
        }
        (self.day, self.misses, self.told) = (day, 0, false);
    }

    fn budget(&self) -> u32 {
        let today = self.asked.get(place(self.day)).copied().unwrap_or_default();
        let before = self.asked.iter().map(|asked| u64::from(*asked)).sum::<u64>() - u64::from(today);
        FREE.max(u32::try_from(before / ONE_IN).unwrap_or(u32::MAX))
    }

    fn count(&mut self, day: i32, missed: bool) {
        if let Some(asked) = self.asked.get_mut(place(day)).filter(|_| day > self.day - DAYS as i32) {
            *asked = asked.saturating_add(1);
        }
        self.misses = self.misses.saturating_add(u32::from(missed && day == self.day));
    }

    /// Whether forgetting it changes any budget by much.
    fn matters(&self, day: i32) -> bool {
        (self.day == day && self.misses > 0)
            || self.asked.iter().map(|asked| u64::from(*asked)).sum::<u64>() > u64::from(FREE) * ONE_IN / 4
    }
}

fn place(day: i32) -> usize {
    day.rem_euclid(DAYS as i32) as usize
}

impl Default for Misses {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: Default::default(), used_up: AtomicU64::new(0) }
    }
}

impl Misses {
    /// Whether one more question may be answered.
    ///
    /// # Errors
    /// [`UsedUp`] until the day ends in Japan.
    pub fn admit(&self, account: Account, now: Timestamp) -> Result<(), UsedUp> {
        let today = now.day_in_japan();
        self.with(account, today, |tally| {
            let budget = tally.budget();
            if tally.misses < budget {
                return Ok(());
            }
            if !std::mem::replace(&mut tally.told, true) {
                self.used_up.fetch_add(1, Ordering::Relaxed);
                let (who, insurer, batch) = (account.who(), account.insurer, account.batch);
                tracing::error!(
                    who,
                    insurer,
                    batch,
                    budget,
                    "miss budget used up: somebody may be guessing numbers"
                );
            }
            let millis = today.plus(1).starts_at().millis() - now.millis();
            Err(UsedUp { seconds: u32::try_from(millis / 1000 + 1).unwrap_or(u32::MAX) })
        })
        .unwrap_or(Ok(()))
    }

    /// Counts an answer.
    pub fn count(&self, account: Account, now: Timestamp, missed: bool) {
        let today = now.day_in_japan();
        self.with(account, today, |tally| tally.count(today.number(), missed));
    }

    /// Counts an answer of before the start, as it was recorded.
    pub fn learn(&self, record: &Record, now: Timestamp) {
        let Some(account) = Account::of_record(record) else { return };
        let outcome = record.outcome.text().and_then(eligibility::decision::Status::from_word);
        let Some(status) = outcome else { return };
        let missed = status == eligibility::decision::Status::NotFound;
        let day = record.at.day_in_japan().number();
        self.with(account, now.day_in_japan(), |tally| tally.count(day, missed));
    }

    /// How many budgets were used up since the start.
    #[must_use]
    pub fn used_up(&self) -> u64 {
        self.used_up.load(Ordering::Relaxed)
    }

    fn with<T>(&self, account: Account, today: Day, on: impl FnOnce(&mut Tally) -> T) -> Option<T> {
        let at = self.hasher.hash_one(account) as usize % SHARDS;
        let mut shard = self.shards.get(at)?.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= MOST && !shard.contains_key(&account) {
            shard.retain(|_, tally| tally.matters(today.number()));
            if shard.len() >= MOST {
                return None;
            }
        }
        let tally = shard.entry(account).or_default();
        tally.turn_to(today.number());
        Some(on(tally))
    }
}

impl Account {
    /// For the log: the institution's code, or the beginning of a certificate's fingerprint.
    fn who(self) -> String {
        if self.who >> 63 == 0 {
            format!("{:010}", self.who)
        } else {
            format!("certificate {:016x}", self.who.swap_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(batch: bool) -> Account {
        Account::new(1_312_345_679, [0; 8], 6_132_013, batch)
    }

    fn at(day: i64) -> Timestamp {
        Timestamp::from_millis(1_795_219_200_000 + day * 86_400_000)
    }

    fn miss(misses: &Misses, account: Account, day: i64) -> bool {
        let admitted = misses.admit(account, at(day)).is_ok();
        if admitted {
            misses.count(account, at(day), true);
        }
        admitted
    }

    #[test]
    fn a_guesser_is_stopped_after_two_hundred_until_the_next_day() {
        let misses = Misses::default();
        let mut free = 0;
        while miss(&misses, account(false), 0) {
            free += 1;
        }
        assert_eq!(free, 200);
        assert!(miss(&misses, account(true), 0), "batches have their own");
        let other = Account { insurer: 138_057, ..account(false) };
        assert!(miss(&misses, other, 0), "and every insurer");
        let used_up = misses.admit(account(false), at(0)).unwrap_err();
        // 09:00 in Japan: fifteen hours are left.
        assert_eq!((used_up.seconds, misses.used_up()), (54_001, 1));
        assert!(miss(&misses, account(false), 1));
    }

    #[test]
    fn who_asks_much_may_miss_a_twentieth() {
        let misses = Misses::default();
        for day in 0..7 {
            (0..1000).for_each(|_| misses.count(account(false), at(day), false));
        }
        let free = (0..).take_while(|_| miss(&misses, account(false), 7)).count();
        assert_eq!(free, 350);
        // A week later nothing of it counts any more.
        let free = (0..).take_while(|_| miss(&misses, account(false), 15)).count();
        assert_eq!(free, 200);
    }

    #[test]
    fn a_full_table_forgets_what_matters_least() {
        let misses = Misses::default();
        (0..150).for_each(|_| misses.count(account(false), at(0), true));
        for who in 0..3_000_000 {
            misses.count(Account { who, insurer: 1, batch: false }, at(0), false);
        }
        let kept: usize = misses.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(kept <= SHARDS * MOST, "{kept}");
        let free = (0..).take_while(|_| miss(&misses, account(false), 0)).count();
        assert_eq!(free, 50, "what was missed is not forgotten");
    }
}
