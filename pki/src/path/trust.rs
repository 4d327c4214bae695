//! What client certificates are trusted by: anchors, and intermediates that the operator holds so
//! that clients need not send them and their lists can be verified.

use thiserror::Error;

use super::budget::MOST_INTERMEDIATES as DEEPEST;
use super::error::PathReason;
use super::node::Node;
use super::search::Search;
use super::{PathPolicy, Purpose};
use crate::algorithm;
use crate::anchors::{AuthorityId, Claim, UntrustedReason, sha256};
use crate::extension::CRL_SIGN;
use crate::time::UnixTime;

/// More anchors, or more intermediates, than this are refused.
const MOST: usize = 32;

/// The anchors and intermediates for client certificates, and what is asked of a path.
#[derive(Clone, Debug)]
pub struct PathTrust {
    anchors: Vec<Box<[u8]>>,
    intermediates: Vec<Box<[u8]>>,
    policy: PathPolicy,
}

/// Which certificate cannot be used, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PathTrustError {
    /// No anchor was given.
    #[error("no trust anchor given")]
    None,
    /// More than 32 anchors or 32 intermediates.
    #[error("too many certificates")]
    TooMany,
    /// An anchor is not usable as one.
    #[error("trust anchor {position}: {reason}")]
    Anchor {
        /// Place in the order given, from 0.
        position: usize,
        /// What is wrong with it.
        reason: PathReason,
    },
    /// An intermediate is not the certificate of an authority.
    #[error("intermediate {position}: {reason}")]
    Intermediate {
        /// Place in the order given, from 0.
        position: usize,
        /// What is wrong with it.
        reason: PathReason,
    },
}

impl PathTrust {
    /// Reads anchors (self-signed) and intermediates, each in DER. Whether an intermediate has a
    /// valid path is judged when it is used.
    ///
    /// # Errors
    /// None or too many given, or the first one that cannot be used.
    pub fn new<A: AsRef<[u8]>, I: AsRef<[u8]>>(
        anchors: impl IntoIterator<Item = A>,
        intermediates: impl IntoIterator<Item = I>,
        policy: PathPolicy,
    ) -> Result<PathTrust, PathTrustError> {
        let mut trust = PathTrust { anchors: Vec::new(), intermediates: Vec::new(), policy };
        for (position, der) in anchors.into_iter().enumerate() {
            check_anchor(der.as_ref()).map_err(|reason| PathTrustError::Anchor { position, reason })?;
            trust.anchors.push(der.as_ref().into());
        }
        for (position, der) in intermediates.into_iter().enumerate() {
            check_authority(der.as_ref())
                .map_err(|reason| PathTrustError::Intermediate { position, reason })?;
            trust.intermediates.push(der.as_ref().into());
        }
        match (trust.anchors.len(), trust.intermediates.len()) {
            (0, _) => Err(PathTrustError::None),
            (1..=MOST, 0..=MOST) => Ok(trust),
            _ => Err(PathTrustError::TooMany),
        }
    }

    /// What is asked of a path.
    pub fn policy(&self) -> &PathPolicy {
        &self.policy
    }

    /// The anchors read again; each could be read when it was taken in.
    pub(super) fn anchors(&self) -> Vec<Node<'_>> {
        self.anchors.iter().filter_map(|der| Node::read(der).ok()).collect()
    }

    pub(super) fn intermediates(&self) -> impl Iterator<Item = &[u8]> {
        self.intermediates.iter().map(|der| &**der)
    }

    /// The authority that signed a list, and whether it may: an anchor, or an intermediate with a
    /// valid path at that moment.
    pub(crate) fn list_signer(
        &self,
        claim: &Claim<'_>,
        now: UnixTime,
    ) -> Result<(AuthorityId, bool), UntrustedReason> {
        let authority = claim.authority.ok_or(UntrustedReason::NoAuthorityKeyIdentifier)?;
        let anchors = self.anchors();
        let others: Vec<Node<'_>> = self.intermediates().filter_map(|der| Node::read(der).ok()).collect();
        let mut refusal = UntrustedReason::UnknownIssuer;
        let named = |node: &&Node<'_>| node.certificate.subject == claim.issuer && node.is(&authority);
        let candidates = anchors.iter().filter(named).map(|node| (node, true));
        for (node, is_anchor) in candidates.chain(others.iter().filter(named).map(|node| (node, false))) {
            let key = node.certificate.key;
            if algorithm::verify(key, claim.algorithm, claim.signed, claim.signature).is_err() {
                refusal = UntrustedReason::BadSignature;
            } else if is_anchor || self.has_path(node.certificate.signed, now) {
                let may_sign = node.key_usage.is_some_and(|usage| usage & CRL_SIGN != 0);
                return Ok((AuthorityId::from_bytes(sha256(key)), may_sign));
            } else {
                refusal = UntrustedReason::OutsideIssuerValidity;
            }
        }
        Err(refusal)
    }

    /// Whether the intermediate with this signed part has a valid path.
    fn has_path(&self, signed: &[u8], now: UnixTime) -> bool {
        let anchors = self.anchors();
        let of_it = |node: &Node<'_>| node.certificate.signed == signed;
        let mut nodes: Vec<_> = self.intermediates().map(Node::given).collect();
        let Some(at) = nodes.iter().position(|node| node.as_ref().is_ok_and(of_it)) else {
            return false;
        };
        nodes.swap(0, at);
        let policy = PathPolicy { purpose: Purpose::Any, ..self.policy.clone() };
        Search::new(&nodes, &anchors, &policy, now).run().is_ok_and(|found| found.path.len() <= DEEPEST)
    }
}

fn check_anchor(der: &[u8]) -> Result<(), PathReason> {
    let node = check_authority(der)?;
    if !node.is_self_issued() {
        return Err(PathReason::UnknownIssuer);
    }
    super::search::verify(&node, &node)
}

fn check_authority(der: &[u8]) -> Result<Node<'_>, PathReason> {
    let node = Node::read(der)?;
    if node.is_authority { Ok(node) } else { Err(PathReason::NotAnAuthority) }
}
