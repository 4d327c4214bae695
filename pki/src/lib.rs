//! Card certificates: profile, chain, revocation, possession.
//!
//! A patient's card shows a user-authentication certificate (利用者証明用電子証明書) and signs a
//! challenge. This crate says whether that proves a card, and whether the card still stands:
//!
//! ```text
//! certificate, challenge, signature ──► prove ──► Proven ──► stand ──► Verified
//!                                         ▲                    ▲
//!            TrustView: anchors, profile ─┘   lists, now, policy
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `der`, `oid`, `extension`, `certificate` | the strict reader, and what is read with it |
//! | `writing` | DER written |
//! | `algorithm` | the table of keys and signature algorithms |
//! | `profile` | what a card's certificate must look like |
//! | `anchors` | the authorities trusted, found by key and never by name alone |
//! | `prove` | profile, then chain, then signature over the challenge |
//! | `seen` | the same for certificates seen before, without reading them again |
//! | `lists` | revocation lists: verified, indexed, remembered |
//! | [`path`] | paths over intermediates, for client certificates |
//! | [`ocsp`] | questions to an authority's responder, and its answers |
//! | `grace`, `stand`, `status` | expiry with its grace, then revocation by one table |
//! | `issuing` (feature) | authorities, cards, lists and TLS certificates for demonstrations and tests |
//!
//! [`Proven`] and [`Verified`] are proofs as types: only [`prove`](prove()) and
//! [`stand`](stand()) make them. No clock is read and nothing is fetched: time and bytes are
//! arguments. A card's path is one step long, as the card authorities are self-signed and issue
//! leaves directly; longer ones are for [`path`]. Nothing here knows of insurance.
//!
//! Certificates and lists are read by one strict reader of our own, because general X.509 parsers
//! are lenient where it matters here (octets behind an extension's value, key usage beyond two
//! octets) and materialise what a list of millions of entries must not.

mod algorithm;
mod anchors;
mod certificate;
mod der;
mod extension;
mod grace;
mod lists;
pub mod ocsp;
mod oid;
pub mod path;
mod profile;
mod prove;
mod seen;
mod serial;
mod stand;
mod status;
mod time;
mod writing;

#[cfg(feature = "issuing")]
pub mod issuing;

pub use anchors::{Anchor, AnchorError, AnchorReason, Anchors, AuthorityId, MOST_ANCHORS, UntrustedReason};
pub use grace::GraceRule;
pub use lists::{Arrival, HeldList, ListError, ListMark, Lists, Remembered, Retention};
pub use oid::OidError;
pub use profile::{CardProfile, PRODUCTION_POLICY, ProfileReason, TEST_POLICY};
pub use prove::{Possession, ProveError, Proven, TrustView, prove, prove_without_possession};
pub use seen::SeenCertificates;
pub use serial::{ListNumber, Serial, SerialError};
pub use stand::{
    CardState, Revocation, RevocationSource, StandError, StandPolicy, UnknownReason, Verified, WhenMissing,
    WhenStale, list_state, stand, stand_with_answer,
};
pub use status::{Decision, ListState, OcspOutcome};
pub use time::UnixTime;
