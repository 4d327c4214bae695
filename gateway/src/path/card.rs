//! What is shown of a card that stands, and why another is refused.

use eligibility::answer::{Card, CardState, Proof, Revocation, RevocationSource};
use eligibility::day::{Day, Timestamp};
use pki::Verified;

use crate::refusal::Refusal;

/// The card as its answer shows it.
pub(super) fn shown(verified: &Verified) -> Card {
    let revocation = verified.revocation();
    Card {
        state: match verified.state() {
            pki::CardState::Good => CardState::Good,
            pki::CardState::Grace => CardState::Grace,
        },
        proof: match verified.possession() {
            pki::Possession::Signature => Proof::Signature,
            pki::Possession::CertificateOnly => Proof::Certificate,
        },
        not_after: Day::from_number(verified.not_after_day()),
        days_left: verified.days_left(),
        usable_through: Day::from_number(verified.usable_through()),
        eligibility_only: verified.eligibility_only(),
        revocation: Revocation {
            source: match revocation.source {
                pki::RevocationSource::Crl => RevocationSource::Crl,
                pki::RevocationSource::Ocsp => RevocationSource::Ocsp,
                pki::RevocationSource::Unchecked => RevocationSource::Unchecked,
            },
            as_of: Timestamp::from_millis(revocation.as_of.0.saturating_mul(1000)),
            stale: revocation.stale,
        },
    }
}

impl From<pki::ProveError> for Refusal {
    fn from(error: pki::ProveError) -> Self {
        let why = error.to_string();
        match error {
            pki::ProveError::Malformed | pki::ProveError::WrongProfile(_) => Self::CardWrongProfile { why },
            pki::ProveError::Untrusted(_) => Self::CardUntrusted { why },
            pki::ProveError::SignatureInvalid => Self::SignatureInvalid,
        }
    }
}

impl From<pki::StandError> for Refusal {
    fn from(error: pki::StandError) -> Self {
        let why = error.to_string();
        match error {
            pki::StandError::NotYetValid | pki::StandError::AnchorWithdrawn => Self::CardUntrusted { why },
            pki::StandError::Expired => Self::CardExpired,
            pki::StandError::Revoked => Self::CardRevoked,
            pki::StandError::Suspended => Self::CardSuspended,
            pki::StandError::RevocationUnknown(_) => Self::RevocationUnknown { why },
        }
    }
}
