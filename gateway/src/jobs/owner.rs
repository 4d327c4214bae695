//! Whose a job is, and what its owner may be told.

use claims::Caller;
use eligibility::number::InstitutionCode;
use serde::{Deserialize, Serialize};

use crate::peer::{KeptPeer, Peer, Role};

/// Whose a job is: a reviewer's certificate's, or an institution's whichever of its certificates is used.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Owner {
    /// A reviewer, or a desk without an institution, by the fingerprint of the certificate.
    Certificate([u8; 32]),
    /// An institution, by all of its codes, lowest first.
    Institutions(Vec<u64>),
}

impl Owner {
    /// As whom this caller owns jobs; `None` when it may have none.
    pub(super) fn of(peer: &Peer) -> Option<Self> {
        let reviews = peer.has(Role::Review);
        if !reviews && !peer.has(Role::Reception) {
            return None;
        }
        let mut codes: Vec<u64> = peer.institutions().iter().map(|code| code.value()).collect();
        codes.sort_unstable();
        Some(if reviews || codes.is_empty() {
            Self::Certificate(*peer.fingerprint().as_bytes())
        } else {
            Self::Institutions(codes)
        })
    }
}

/// The caller who handed in a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "KeptPeer", into = "KeptPeer")]
pub(super) struct By {
    pub(super) peer: Peer,
    pub(super) owner: Owner,
}

impl By {
    /// `None` when the caller may have no jobs.
    pub(super) fn of(peer: &Peer) -> Option<Self> {
        Some(Self { peer: peer.clone(), owner: Owner::of(peer)? })
    }

    /// As whom claims are judged.
    pub(super) fn caller(&self) -> Caller<'_> {
        if self.peer.has(Role::Review) { Caller::Review } else { Caller::Reception(self.peer.institutions()) }
    }

    /// The institution for which a naming is recorded.
    pub(super) fn institution(&self) -> Option<InstitutionCode> {
        self.peer.institutions().first().copied()
    }
}

impl TryFrom<KeptPeer> for By {
    type Error = &'static str;

    fn try_from(kept: KeptPeer) -> Result<Self, Self::Error> {
        let peer = kept.peer().ok_or("no caller as one was kept")?;
        Self::of(&peer).ok_or("a caller who may have no jobs")
    }
}

impl From<By> for KeptPeer {
    fn from(by: By) -> Self {
        by.peer.keep()
    }
}
