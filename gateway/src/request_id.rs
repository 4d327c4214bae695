//! Ids of requests: UUIDs of version 7, by the time and by chance.
//!
//! Chance is asked of the system for many ids at once: a system call for each would cost more than
//! all else that is done for one.

use std::cell::RefCell;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use eligibility::day::Timestamp;
use uuid::{Builder, Uuid};

/// Octets of chance in an id.
const CHANCE: usize = 10;
/// Ids for which chance is drawn at once.
const IDS: usize = 256;

thread_local! {
    static DRAWN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The next id.
pub(crate) fn next(now: Timestamp) -> Uuid {
    let chance = DRAWN.with_borrow_mut(|drawn| {
        if drawn.len() < CHANCE {
            drawn.resize(CHANCE * IDS, 0);
            if SystemRandom::new().fill(drawn).is_err() {
                drawn.clear();
            }
        }
        let chance = drawn.last_chunk::<CHANCE>().copied();
        drawn.truncate(drawn.len().saturating_sub(CHANCE));
        chance
    });
    match (chance, u64::try_from(now.millis())) {
        (Some(chance), Ok(millis)) => Builder::from_unix_timestamp_millis(millis, &chance).into_uuid(),
        _ => Uuid::now_v7(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_their_time_and_no_two_are_alike() {
        let now = Timestamp::parse("2026-11-21T08:41:00.123+09:00").unwrap();
        let ids: std::collections::HashSet<Uuid> = (0..3 * IDS).map(|_| next(now)).collect();
        assert_eq!(ids.len(), 3 * IDS);
        for id in ids {
            assert_eq!(id.get_version_num(), 7);
            assert_eq!(id.as_u128() >> 80, now.millis() as u128);
        }
    }
}
