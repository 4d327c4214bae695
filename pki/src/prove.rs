//! From a card's certificate and signature to a proof: the profile, then the chain, then the
//! signature over the challenge. Whether the certificate still stands at some moment (expiry,
//! revocation) is the next step, in `stand`.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::algorithm::PublicKey;
use crate::anchors::{Anchors, AuthorityId, Claim, UntrustedReason};
use crate::certificate::Certificate;
use crate::der::Malformed;
use crate::lists::Lists;
use crate::profile::{CardProfile, ProfileReason};
use crate::serial::Serial;
use crate::time::UnixTime;

/// What is trusted at one moment: an immutable snapshot, to be shared in an `Arc` and replaced
/// whole when a list or an anchor arrives.
#[derive(Clone, Debug)]
pub struct TrustView {
    /// The authorities that may issue cards.
    pub anchors: Arc<Anchors>,
    /// The revocation lists held.
    pub lists: Lists,
    /// Which certificates count as cards.
    pub profile: CardProfile,
}

impl TrustView {
    /// A view of these anchors and this profile that holds no list yet.
    pub fn new(anchors: Anchors, profile: CardProfile) -> TrustView {
        TrustView { anchors: Arc::new(anchors), lists: Lists::new(), profile }
    }

    /// The same view with other lists.
    #[must_use]
    pub fn with_lists(&self, lists: Lists) -> TrustView {
        TrustView { anchors: Arc::clone(&self.anchors), lists, profile: self.profile.clone() }
    }
}

/// How far it is shown that the card itself took part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Possession {
    /// The card's key signed the challenge.
    Signature,
    /// Only the certificate was shown, which anybody can read off a card.
    CertificateOnly,
}

/// A certificate that keeps the profile and that a trust anchor issued, with the possession shown.
/// Only [`prove`] and [`prove_without_possession`] make one.
#[derive(Clone)]
pub struct Proven {
    serial: Serial,
    authority: AuthorityId,
    not_before: UnixTime,
    not_after: UnixTime,
    points: Vec<Arc<[u8]>>,
    possession: Possession,
}

/// Why a certificate or signature proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum ProveError {
    /// The bytes are not a certificate in DER.
    #[error("not a certificate in DER")]
    Malformed,
    /// A certificate, but not a card's user-authentication certificate.
    #[error("not a card's user-authentication certificate: {0}")]
    WrongProfile(ProfileReason),
    /// It has the profile, but no trust anchor issued it.
    #[error("not issued by a trust anchor: {0}")]
    Untrusted(UntrustedReason),
    /// The certificate's key did not sign the message.
    #[error("the card did not sign the message")]
    SignatureInvalid,
}

/// Proves that a card whose certificate this is signed the message.
///
/// The signature is RSA PKCS#1 v1.5 with SHA-256 or ECDSA P-384 with SHA-384 (DER): the key in
/// the certificate decides. Costs at most one signature check for each anchor of the same name
/// and key identifier, and one for the message. An anchor whose own validity has ended still
/// vouches for what it issued before: cards in grace outlive it.
///
/// # Errors
/// The first that fails of: the bytes, the profile, the chain, the signature.
pub fn prove(
    view: &TrustView,
    certificate_der: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<Proven, ProveError> {
    check(view, certificate_der)?.signed(message, signature)
}

/// The same without a signature: shows that such a card exists, not that it is here.
///
/// # Errors
/// As [`prove`], except for the signature.
pub fn prove_without_possession(view: &TrustView, certificate_der: &[u8]) -> Result<Proven, ProveError> {
    check(view, certificate_der).map(|checked| checked.proven)
}

/// A certificate whose profile and chain are good, before its key is used.
#[derive(Clone)]
pub(crate) struct Checked {
    /// With [`Possession::CertificateOnly`].
    pub(crate) proven: Proven,
    pub(crate) key: PublicKey,
    /// The last second of the shorter of the certificate's and the anchor's validity.
    pub(crate) until: UnixTime,
}

impl Checked {
    /// The proof, if the certificate's key signed the message.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8]) -> Result<Proven, ProveError> {
        if !self.key.verifies(message, signature) {
            return Err(ProveError::SignatureInvalid);
        }
        Ok(Proven { possession: Possession::Signature, ..self.proven.clone() })
    }
}

pub(crate) fn check(view: &TrustView, certificate_der: &[u8]) -> Result<Checked, ProveError> {
    let certificate = Certificate::read(certificate_der).map_err(|Malformed| ProveError::Malformed)?;
    let leaf = view.profile.check(&certificate).map_err(ProveError::WrongProfile)?;
    let claim = Claim {
        issuer: certificate.issuer,
        authority: leaf.authority,
        algorithm: certificate.algorithm,
        signed: certificate.signed,
        signature: certificate.signature,
    };
    let anchor = view.anchors.signer(&claim).map_err(ProveError::Untrusted)?;
    if certificate.not_before < anchor.not_before() || certificate.not_before > anchor.not_after() {
        return Err(ProveError::Untrusted(UntrustedReason::OutsideIssuerValidity));
    }
    let proven = Proven {
        serial: leaf.serial,
        authority: anchor.id(),
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        points: leaf.points.iter().map(|name| Arc::from(*name)).collect(),
        possession: Possession::CertificateOnly,
    };
    Ok(Checked { proven, key: leaf.key, until: certificate.not_after.min(anchor.not_after()) })
}

impl Proven {
    /// The certificate's serial number.
    pub fn serial(&self) -> Serial {
        self.serial
    }

    /// The key that issued the certificate.
    pub fn authority(&self) -> AuthorityId {
        self.authority
    }

    /// From when the certificate is valid.
    pub fn not_before(&self) -> UnixTime {
        self.not_before
    }

    /// The last second at which the certificate is valid.
    pub fn not_after(&self) -> UnixTime {
        self.not_after
    }

    /// Whether the card itself was shown to take part.
    pub fn possession(&self) -> Possession {
        self.possession
    }

    /// DER names of the distribution points whose lists speak of this certificate.
    pub(crate) fn points(&self) -> &[Arc<[u8]>] {
        &self.points
    }
}

impl fmt::Debug for Proven {
    /// Hides the serial and the distribution point, which tells where the holder lives.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proven").field("possession", &self.possession).finish_non_exhaustive()
    }
}
