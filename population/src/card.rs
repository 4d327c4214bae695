//! The plan of the demonstration cards: which certificates to make, and in which state.
//!
//! No keys are made here and nothing is signed.

use std::fmt;

use eligibility::day::{Day, Timestamp};
use eligibility::number::LinkNumber;

use crate::calendar::birthday;

/// The state in which a card shall be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CardState {
    /// Good and linked.
    Good,
    /// Expired and within its grace.
    Grace,
    /// Expired and beyond any grace.
    Expired,
    /// On its authority's list.
    Revoked,
    /// On its authority's list as held (certificateHold).
    Suspended,
    /// Good and linked to nobody.
    Unlinked,
    /// Signed by an authority of the right name that nobody trusts.
    Untrusted,
    /// Of a right authority, and not a user-authentication certificate.
    WrongProfile,
}

impl CardState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Good,
        Self::Grace,
        Self::Expired,
        Self::Revoked,
        Self::Suspended,
        Self::Unlinked,
        Self::Untrusted,
        Self::WrongProfile,
    ];

    /// The word for it in `cards.ndjson`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Grace => "grace",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
            Self::Unlinked => "unlinked",
            Self::Untrusted => "untrusted",
            Self::WrongProfile => "wrong_profile",
        }
    }

    /// The problem code with which the card path refuses it; `None` where it answers.
    #[must_use]
    pub const fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Good | Self::Grace | Self::Unlinked => None,
            Self::Expired => Some("card_expired"),
            Self::Revoked => Some("card_revoked"),
            Self::Suspended => Some("card_suspended"),
            Self::Untrusted => Some("card_untrusted"),
            Self::WrongProfile => Some("card_wrong_profile"),
        }
    }
}

/// Which of the two card authorities of byte-equal name signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Authority {
    /// The older one.
    First,
    /// The newer one.
    Second,
}

/// The card's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CardKey {
    /// RSA of 2048 bits, today's cards.
    Rsa2048,
    /// ECDSA on P-384, the next cards.
    P384,
}

/// One card to be made.
#[derive(Clone, PartialEq, Eq)]
pub struct CardPlan {
    /// Name of its files, without ending: the situation's, or `person-NN`.
    pub name: Box<str>,
    /// The person's place among the people.
    pub person: u64,
    /// Serial of the certificate.
    pub serial: u64,
    /// 紐付番号; `None` when the serial is linked to nobody.
    pub link_number: Option<LinkNumber>,
    /// The state in which it shall be found.
    pub state: CardState,
    /// First instant of the certificate.
    pub not_before: Timestamp,
    /// Last instant of the certificate.
    pub not_after: Timestamp,
    /// For revoked and suspended cards: the day it went on the list.
    pub revoked_on: Option<Day>,
    /// Who signs. For an untrusted card: whom the signer pretends to be.
    pub authority: Authority,
    /// Kind of key.
    pub key: CardKey,
    /// Prefecture of the revocation list's partition, in Latin letters.
    pub prefecture: &'static str,
    /// Municipality of the revocation list's partition, in Latin letters.
    pub city: &'static str,
}

impl fmt::Debug for CardPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardPlan({}, {}, …)", self.name, self.state.word())
    }
}

/// First and last instant of a certificate in this state, seen from this day.
///
/// Certificates end with the fifth birthday after issue (23:59:59 in Japan). Those in grace and
/// beyond it end on a day of their own, as when the card itself ends first: they shall stay so.
pub(crate) fn lifetime(state: CardState, birth: Day, day: Day, number: u64) -> (Timestamp, Timestamp) {
    let (from, last) = match state {
        CardState::Grace => (day.plus(-20 - 1700), day.plus(-20)),
        CardState::Expired => (day.plus(-400 - 1700), day.plus(-400)),
        _ => {
            let soon = day.plus(60);
            let years = crate::calendar::age_on(birth, soon) + 1 + (number % 4) as i32;
            let from = birthday(birth, years - 5).plus(1 + (number * 37 % 200) as i32);
            // A child's first certificate is no older than the child.
            (from.max(birth.plus(1)).min(day.plus(-1)), birthday(birth, years))
        }
    };
    let issued = from.starts_at().plus_millis(10 * 3_600_000);
    (issued, last.plus(1).starts_at().plus_millis(-1000))
}

/// Partitions of the revocation lists; a card's is chosen by its person.
pub(crate) const PARTITIONS: &[(&str, &str)] =
    &[("Tokyo-to", "Hibari-ku"), ("Kanagawa-ken", "Wakakusa-shi"), ("Osaka-fu", "Komorebi-shi")];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::ymd;

    #[test]
    fn certificates_stand_as_their_state_says() {
        let day = ymd(2026, 11, 21);
        for number in 0..40 {
            let birth = day.plus(-(number as i32) * 1000 - 30);
            for state in CardState::ALL {
                let (from, to) = lifetime(state, birth, day, number);
                let (now, grace) = (day.starts_at(), day.plus_months(-3).starts_at());
                assert!(from < now && from < to, "{state:?} {number}");
                match state {
                    CardState::Grace => assert!(to < now && grace < to),
                    CardState::Expired => assert!(to < grace),
                    _ => assert!(day.plus(59).starts_at() < to && to < day.plus(5 * 366).starts_at()),
                }
            }
        }
        let (_, to) = lifetime(CardState::Good, ymd(1980, 2, 17), day, 3);
        assert_eq!(to.to_string(), "2030-02-17T23:59:59+09:00");
    }
}
