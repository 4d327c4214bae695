//! Revocations remembered beyond the lists that told of them: a serial once revoked stays so, though
//! later lists drop it; a hold lasts until a newer list no longer has it. Storing them durably is
//! the caller's.

use std::collections::BTreeMap;

use super::index::{Gather, Index};
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

/// What is remembered of one authority's certificates.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    revoked: Index,
    /// The serials on hold, with thisUpdate of the newest list that said so.
    holds: BTreeMap<Serial, UnixTime>,
}

impl Kept {
    pub(crate) fn is_revoked(&self, serial: Serial) -> bool {
        self.revoked.contains(serial)
    }

    /// thisUpdate of the newest list that had it on hold.
    pub(crate) fn held_since(&self, serial: Serial) -> Option<UnixTime> {
        self.holds.get(&serial).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.revoked.len() + self.holds.len()
    }

    /// These and more revoked ones.
    pub(crate) fn with_revoked(&self, serials: impl IntoIterator<Item = Serial>) -> Kept {
        Kept { revoked: self.revoked.with(serials), holds: self.holds.clone() }
    }

    /// These and `more`, which all belong to the same authority.
    pub(crate) fn with(&self, more: impl IntoIterator<Item = Remembered>) -> Kept {
        let mut holds = self.holds.clone();
        let mut gather = Gather::default();
        for one in more {
            if one.hold {
                let listed_at = holds.entry(one.serial).or_insert(one.listed_at);
                *listed_at = one.listed_at.max(*listed_at);
            } else {
                gather.add(one.serial);
            }
        }
        Kept { revoked: self.revoked.with(gather.finish().iter()), holds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_years_and_four_months_end_with_the_japanese_day() {
        let noon = |year, month, day| UnixTime(Date { year, month, day }.days() * DAY_SECONDS + 3 * 3600);
        let last = Retention::default().kept_until(noon(2026, 10, 31));
        assert_eq!(last.japan_day(), noon(2037, 2, 28).japan_day());
        assert_eq!(UnixTime(last.0 + 1).japan_day(), noon(2037, 3, 1).japan_day());
    }
}
