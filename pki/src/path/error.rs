//! Why a certificate has no valid path.

use thiserror::Error;

use crate::profile::ProfileReason;
use crate::stand::UnknownReason;
use crate::time::UnixTime;

/// Why a certificate is refused, and where on which path.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("certificate {at} of the path: {reason}")]
pub struct PathError {
    /// What is wrong.
    pub reason: PathReason,
    /// The certificate that it is wrong with: 0 for the leaf, then upwards; the length of
    /// [`PathError::path`] for the trust anchor.
    pub at: usize,
    /// The path tried: from the leaf upwards, the places of the certificates in the chain as
    /// given, behind them those of the configured intermediates. Without the anchor.
    pub path: Vec<usize>,
}

/// What is wrong with a certificate or its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum PathReason {
    /// No certificate was given.
    #[error("no certificate given")]
    Empty,
    /// More than [`super::MOST_CERTIFICATES`] were given.
    #[error("too many certificates given")]
    TooMany,
    /// Not a certificate in DER.
    #[error("not a certificate in DER")]
    Malformed,
    /// Not version 3.
    #[error("not a version 3 certificate")]
    Version,
    /// The serial number is zero, negative, padded or longer than twenty octets.
    #[error("serial number not positive or longer than 20 octets")]
    Serial,
    /// The signed part names another signature algorithm than the signature itself.
    #[error("the two signature algorithms differ")]
    AlgorithmMismatch,
    /// The obsolete unique identifiers are present.
    #[error("unique identifiers present")]
    UniqueIdentifier,
    /// The issuer is empty, or the subject of an authority or of a certificate without critical
    /// alternative names is.
    #[error("empty name")]
    EmptyName,
    /// An extension occurs more than once.
    #[error("an extension occurs twice")]
    DuplicateExtension,
    /// An extension is critical that is not understood here.
    #[error("unknown critical extension")]
    UnknownCriticalExtension,
    /// The value of an understood extension cannot be read.
    #[error("an extension's value cannot be read")]
    ExtensionValue,
    /// The key is of a kind, size or exponent that is not accepted.
    #[error("public key not accepted")]
    Key,
    /// No path leads to a trust anchor, and no certificate that cannot be read may be the missing part
    /// of one: of such a one the reason is said, at its place.
    #[error("no path to a trust anchor")]
    UnknownIssuer,
    /// The issuer's key does not use the algorithm that the signature names.
    #[error("signature algorithm not accepted with the issuer's key")]
    SignatureAlgorithm,
    /// The issuer did not make the signature.
    #[error("signature is not the issuer's")]
    BadSignature,
    /// Its validity begins later.
    #[error("valid only from {} on, now is {}", not_before.0, now.0)]
    NotYetValid {
        /// First valid second.
        not_before: UnixTime,
        /// The moment asked for.
        now: UnixTime,
    },
    /// Its validity has ended.
    #[error("valid until {}, now is {}", not_after.0, now.0)]
    Expired {
        /// Last valid second.
        not_after: UnixTime,
        /// The moment asked for.
        now: UnixTime,
    },
    /// An issuer whose basicConstraints does not make it an authority.
    #[error("an issuer that is no authority")]
    NotAnAuthority,
    /// An issuer whose keyUsage is absent or lacks keyCertSign.
    #[error("an issuer that may not sign certificates")]
    MayNotSignCertificates,
    /// An authority below one whose pathLenConstraint, or what is left of it, is zero.
    #[error("an authority below one that allows no more of them")]
    PathLength,
    /// extKeyUsage does not allow what is asked; on the leaf it must be there.
    #[error("extKeyUsage does not allow it")]
    ExtendedKeyUsage,
    /// keyUsage of the leaf is absent or lacks digitalSignature.
    #[error("keyUsage does not allow signatures")]
    KeyUsage,
    /// The leaf is a certification authority.
    #[error("certificate of a certification authority")]
    Authority,
    /// A name lies in no permitted subtree of its form.
    #[error("a name outside the permitted subtrees")]
    NameNotPermitted,
    /// A name lies in an excluded subtree.
    #[error("a name in an excluded subtree")]
    NameExcluded,
    /// A name cannot be compared with the constraints of its form.
    #[error("a name that cannot be compared with the constraints")]
    NameForm,
    /// A constraint of a form that is not kept here.
    #[error("a name constraint of a form that is not supported")]
    ConstraintForm,
    /// A policy is required, and none is valid along the path.
    #[error("no valid certificate policy")]
    Policy,
    /// anyPolicy is mapped, or more than is read.
    #[error("a policy mapping that is not allowed")]
    PolicyMapping,
    /// The search has cost more than is spent on one certificate.
    #[error("too expensive")]
    Budget,
    /// Revoked, for ever.
    #[error("revoked")]
    Revoked,
    /// On hold.
    #[error("suspended")]
    Suspended,
    /// Whether it is revoked cannot be said.
    #[error("revocation unknown: {0}")]
    RevocationUnknown(UnknownReason),
    /// Not a card's certificate, where a card's was asked for.
    #[error("not a card's user-authentication certificate: {0}")]
    Card(ProfileReason),
}
