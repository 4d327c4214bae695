//! Revocations remembered beyond the lists that told of them: a serial once revoked stays so, though
//! later lists drop it; a hold lasts until a newer list no longer has it. Storing them durably is
//! the caller's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::index::Index;
use crate::anchors::AuthorityId;
use crate::serial::Serial;
use crate::time::{DAY_SECONDS, Date, UnixTime};

/// One revocation, as handed out for storing and taken in again after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Remembered {
    /// The authority whose certificate it is.
    pub authority: AuthorityId,
    /// The certificate.
    pub serial: Serial,
    /// When it was revoked or put on hold, as the list says.
    pub revoked_at: UnixTime,
    /// On hold only; false means revoked for ever.
    pub hold: bool,
    /// thisUpdate of the list that said so: only a newer one can release a hold.
    pub listed_at: UnixTime,
}

/// How long revocations are remembered, from the revocation date, in calendar months.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Months after the revocation date.
    pub months: u32,
}

impl Default for Retention {
    /// Ten years and four months: a certificate's longest life and the grace after it.
    fn default() -> Retention {
        Retention { months: 124 }
    }
}

impl Retention {
    /// The last second (end of the day in Japan) for which a revocation of that date is kept.
    pub fn kept_until(&self, revoked_at: UnixTime) -> UnixTime {
        let last = Date::from_days(revoked_at.japan_day()).plus_months(self.months);
        UnixTime((last.days() + 1) * DAY_SECONDS - 9 * 3600 - 1)
    }
}

/// From so many on, what was learned last is gathered into the index, which costs a walk over all of it.
const MOST_RECENT: usize = 4096;

/// What is remembered of one authority's certificates.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    revoked: Arc<Index>,
    /// Revoked too, learned one by one and not yet in the index.
    recent: BTreeSet<Serial>,
    /// The serials on hold, with thisUpdate of the newest list that said so.
    holds: BTreeMap<Serial, UnixTime>,
}

impl Kept {
    pub(crate) fn is_revoked(&self, serial: Serial) -> bool {
        self.revoked.contains(serial) || self.recent.contains(&serial)
    }

    /// thisUpdate of the newest list that had it on hold.
    pub(crate) fn held_since(&self, serial: Serial) -> Option<UnixTime> {
        self.holds.get(&serial).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.revoked.len() + self.recent.len() + self.holds.len()
    }

    /// These and more revoked ones.
    pub(crate) fn with_revoked(&self, serials: impl IntoIterator<Item = Serial>) -> Kept {
        let fresh: Vec<_> = serials.into_iter().filter(|serial| !self.revoked.contains(*serial)).collect();
        let mut kept = self.clone();
        if kept.recent.len() + fresh.len() < MOST_RECENT {
            kept.recent.extend(fresh);
        } else {
            let recent = std::mem::take(&mut kept.recent);
            kept.revoked = Arc::new(self.revoked.with(recent.into_iter().chain(fresh)));
        }
        kept
    }

    /// These without that hold.
    pub(crate) fn without_hold(&self, serial: Serial) -> Kept {
        let mut kept = self.clone();
        kept.holds.remove(&serial);
        kept
    }

    /// These and `more`, which all belong to the same authority.
    pub(crate) fn with(&self, more: impl IntoIterator<Item = Remembered>) -> Kept {
        let mut holds = self.holds.clone();
        let mut revoked = Vec::new();
        for one in more {
            if one.hold {
                let listed_at = holds.entry(one.serial).or_insert(one.listed_at);
                *listed_at = one.listed_at.max(*listed_at);
            } else {
                revoked.push(one.serial);
            }
        }
        Kept { holds, ..self.with_revoked(revoked) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learned_one_by_one_and_in_bulk_is_all_there() {
        let serials = |from: u32, to: u32| (from..to).map(|number| Serial::from_u32(number * 3));
        let mut kept = Kept::default().with_revoked(serials(1, 20_000));
        assert!(kept.recent.is_empty(), "gathered");
        for number in 20_000..20_000 + MOST_RECENT as u32 + 10 {
            kept = kept.with_revoked([Serial::from_u32(number * 3), Serial::from_u32(3)]);
            assert!(kept.recent.len() < MOST_RECENT);
        }
        let last = 20_000 + MOST_RECENT as u32 + 10;
        assert_eq!(kept.len(), last as usize - 1);
        assert!(serials(1, last).all(|serial| kept.is_revoked(serial)));
        assert!(!kept.is_revoked(Serial::from_u32(4)));
    }

    #[test]
    fn ten_years_and_four_months_end_with_the_japanese_day() {
        let noon = |year, month, day| UnixTime(Date { year, month, day }.days() * DAY_SECONDS + 3 * 3600);
        let last = Retention::default().kept_until(noon(2026, 10, 31));
        assert_eq!(last.japan_day(), noon(2037, 2, 28).japan_day());
        assert_eq!(UnixTime(last.0 + 1).japan_day(), noon(2037, 3, 1).japan_day());
    }
}
