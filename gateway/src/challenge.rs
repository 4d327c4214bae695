//! Challenges for cards to sign: issued to one peer, short-lived, spent once, only here.
//!
//! A challenge is an authenticated string, so issuing keeps nothing. What is kept are the spent
//! ones until they would have expired anyway; that set is bounded, and when it is full no new
//! challenge is issued. The key lives as long as the process: after a restart, and at another
//! gateway, a challenge is unknown.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dashmap::DashMap;
use eligibility::day::Timestamp;

use crate::peer::Fingerprint;

const NONCE: usize = 16;
const EXPIRY: usize = 8;
const BODY: usize = NONCE + EXPIRY;
const TAG: usize = 32;

/// Issues challenges and knows which were spent.
pub struct Challenges {
    key: hmac::Key,
    random: SystemRandom,
    lifetime_ms: i64,
    most_spent: usize,
    /// Nonce of each spent challenge, with the time it expires.
    spent: DashMap<[u8; NONCE], Timestamp, foldhash::fast::RandomState>,
}

/// Why a challenge does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeError {
    /// Not made by this process for this peer.
    Unknown,
    /// Its time is over.
    Expired,
    /// It was spent before.
    Used,
}

/// A challenge that was issued to this peer, is fresh, and was not spent when looked at.
pub struct Open {
    text: String,
    nonce: [u8; NONCE],
    expires_at: Timestamp,
}

impl Open {
    /// The octets that the card signs: the challenge as issued, in ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

/// The proof that a challenge was spent by this request and no other.
pub struct Spent(());

impl Challenges {
    /// A new issuer with a key of its own.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn new(lifetime_ms: i64, most_spent: usize) -> Result<Self, aws_lc_rs::error::Unspecified> {
        let random = SystemRandom::new();
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &random)?;
        Ok(Self { key, random, lifetime_ms, most_spent, spent: DashMap::default() })
    }

    /// A challenge for this peer, with its end. `None` while the set of spent ones is full.
    pub fn issue(&self, peer: &Fingerprint, now: Timestamp) -> Option<(String, Timestamp)> {
        if self.spent.len() >= self.most_spent {
            return None;
        }
        let expires_at = now.plus_millis(self.lifetime_ms);
        let mut octets = [0; BODY + TAG];
        let (body, tag) = octets.split_at_mut(BODY);
        let (nonce, expiry) = body.split_at_mut(NONCE);
        self.random.fill(nonce).ok()?;
        expiry.copy_from_slice(&expires_at.millis().to_be_bytes());
        tag.copy_from_slice(self.tag(peer, body).as_ref());
        Some((URL_SAFE_NO_PAD.encode(octets), expires_at))
    }

    /// Opens a challenge that a card has signed. Costs one MAC, no signature check.
    ///
    /// # Errors
    /// [`ChallengeError`] when it is not this peer's, not fresh, or spent.
    pub fn open(&self, text: &str, peer: &Fingerprint, now: Timestamp) -> Result<Open, ChallengeError> {
        let mut octets = [0; BODY + TAG];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut octets);
        if length != Ok(BODY + TAG) {
            return Err(ChallengeError::Unknown);
        }
        let (body, tag) = octets.split_at(BODY);
        // Compares in constant time.
        hmac::verify(&self.key, &authenticated(peer, body), tag).map_err(|_| ChallengeError::Unknown)?;
        let (nonce, expiry) = body.split_at(NONCE);
        let (Ok(nonce), Ok(expiry)) = (nonce.try_into(), expiry.try_into()) else {
            return Err(ChallengeError::Unknown);
        };
        let expires_at = Timestamp::from_millis(i64::from_be_bytes(expiry));
        if now >= expires_at {
            return Err(ChallengeError::Expired);
        }
        if self.spent.contains_key(&nonce) {
            return Err(ChallengeError::Used);
        }
        Ok(Open { text: text.to_owned(), nonce, expires_at })
    }

    /// Spends it. Of two requests with the same challenge one wins.
    ///
    /// # Errors
    /// [`ChallengeError::Used`] for the other.
    pub fn spend(&self, open: Open) -> Result<Spent, ChallengeError> {
        match self.spent.insert(open.nonce, open.expires_at) {
            None => Ok(Spent(())),
            Some(_) => Err(ChallengeError::Used),
        }
    }

    /// Forgets spent challenges whose time is over. Called every few seconds.
    pub fn forget_expired(&self, now: Timestamp) {
        self.spent.retain(|_, expires_at| *expires_at > now);
    }

    fn tag(&self, peer: &Fingerprint, body: &[u8]) -> hmac::Tag {
        hmac::sign(&self.key, &authenticated(peer, body))
    }
}

/// What the MAC covers: what it is for, to whom it was given, nonce and end.
fn authenticated(peer: &Fingerprint, body: &[u8]) -> Vec<u8> {
    [b"card possession\0".as_slice(), peer.as_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting() -> (Challenges, Fingerprint, Timestamp) {
        (
            Challenges::new(120_000, 10).unwrap(),
            Fingerprint::of(b"reception"),
            Timestamp::from_millis(1_000_000),
        )
    }

    #[test]
    fn opens_for_its_peer_while_fresh_and_is_spent_once() {
        let (challenges, peer, now) = setting();
        let (text, expires_at) = challenges.issue(&peer, now).unwrap();
        assert_eq!(expires_at, now.plus_millis(120_000));
        let open = challenges.open(&text, &peer, expires_at.plus_millis(-1)).unwrap();
        let again = challenges.open(&text, &peer, now).unwrap();
        assert_eq!(open.as_bytes(), text.as_bytes());
        assert!(challenges.spend(open).is_ok());
        assert_eq!(challenges.spend(again).err(), Some(ChallengeError::Used));
        assert_eq!(challenges.open(&text, &peer, now).err(), Some(ChallengeError::Used));
        challenges.forget_expired(expires_at);
        assert_eq!(challenges.open(&text, &peer, expires_at).err(), Some(ChallengeError::Expired));
    }

    #[test]
    fn is_unknown_to_another_peer_another_process_and_when_altered() {
        let (challenges, peer, now) = setting();
        let (text, _) = challenges.issue(&peer, now).unwrap();
        let other = Fingerprint::of(b"another desk");
        assert_eq!(challenges.open(&text, &other, now).err(), Some(ChallengeError::Unknown));
        let restarted = Challenges::new(120_000, 10).unwrap();
        assert_eq!(restarted.open(&text, &peer, now).err(), Some(ChallengeError::Unknown));
        for at in 0..text.len() {
            let mut altered = text.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(challenges.open(&altered, &peer, now).err(), Some(ChallengeError::Unknown), "{at}");
        }
        for text in ["", "x", &text[1..], &format!("{text}A")] {
            assert_eq!(challenges.open(text, &peer, now).err(), Some(ChallengeError::Unknown));
        }
    }

    #[test]
    fn none_is_issued_while_the_spent_set_is_full() {
        let (challenges, peer, now) = setting();
        let issued: Vec<_> = (0..10).map(|_| challenges.issue(&peer, now).unwrap().0).collect();
        for text in issued {
            challenges.spend(challenges.open(&text, &peer, now).unwrap()).ok().unwrap();
        }
        assert!(challenges.issue(&peer, now).is_none());
        challenges.forget_expired(now.plus_millis(120_000));
        assert!(challenges.issue(&peer, now).is_some());
    }
}
