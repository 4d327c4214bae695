//! The one table from what the lists say and what the responder said to a decision. Nothing is
//! looked up here; expiry is not here either.

use crate::ocsp::{OcspAnswer, OcspStatus};
use crate::stand::{StandPolicy, UnknownReason, WhenMissing};

/// What the lists held say of a certificate that none of them has as revoked or on hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListState {
    /// The list is within its nextUpdate and its greatest age.
    Fresh,
    /// Past its nextUpdate, within the allowance that the policy gives.
    Late,
    /// Nothing that counts, and why.
    Unknown(UnknownReason),
}

/// How asking the authority's responder ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OcspOutcome {
    /// Nobody asked.
    #[default]
    NotAsked,
    /// No answer that counts came in time.
    Unreachable,
    /// It answered.
    Answered(OcspAnswer),
}

/// What to do with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It stands.
    Accept,
    /// It stands, and what is said of its revocation tells that this was not known for sure.
    AcceptFlagged,
    /// It does not stand.
    Refuse,
}

impl StandPolicy {
    /// The table:
    ///
    /// | list \ responder | not asked, unreachable | good | unknown | revoked, on hold |
    /// |---|---|---|---|---|
    /// | fresh | accept | accept | refuse | refuse |
    /// | late | flagged | accept | refuse | refuse |
    /// | past its nextUpdate, too old | refuse | accept | refuse | refuse |
    /// | partition missing, no list | `missing`: refuse or flagged | accept | refuse | refuse |
    ///
    /// A certificate that a list has as revoked or on hold never gets here.
    pub fn decide(&self, list: ListState, responder: OcspOutcome) -> Decision {
        use UnknownReason::{NoList, PartitionMissing};
        match (list, responder) {
            (_, OcspOutcome::Answered(answer)) => match answer.status() {
                OcspStatus::Good => Decision::Accept,
                OcspStatus::Revoked | OcspStatus::Suspended | OcspStatus::Unknown => Decision::Refuse,
            },
            (ListState::Fresh, _) => Decision::Accept,
            (ListState::Late, _) => Decision::AcceptFlagged,
            (ListState::Unknown(NoList | PartitionMissing), _) => match self.missing {
                WhenMissing::Accept => Decision::AcceptFlagged,
                WhenMissing::Refuse => Decision::Refuse,
            },
            (ListState::Unknown(_), _) => Decision::Refuse,
        }
    }
}

impl ListState {
    /// Whether an answer of the responder could change what becomes of the certificate: only then
    /// is it worth asking.
    pub fn wants_answer(self) -> bool {
        self != ListState::Fresh
    }
}
