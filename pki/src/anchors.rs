//! The trust anchors: the certification authorities for user authentication, read from the
//! operator's files and checked once. Finds the authority that signed something, by key and not by
//! name: all generations carry the same name. Fetching or pinning the files is the caller's.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use thiserror::Error;

use crate::algorithm::{self, Owner, PublicKey};
use crate::certificate::Certificate;
use crate::der::Malformed;
use crate::extension::{
    self, AUTHORITY_KEY_IDENTIFIER, AuthorityKey, BASIC_CONSTRAINTS, CERT_SIGN, CERTIFICATE_POLICIES,
    CRL_SIGN, DISTRIBUTION_POINTS, KEY_USAGE, SUBJECT_KEY_IDENTIFIER,
};
use crate::profile::read_serial;
use crate::serial::Serial;
use crate::time::UnixTime;

/// More anchors than this are refused: a new generation comes every four years or so, and each
/// anchor that fits a leaf may cost a signature check.
pub const MOST_ANCHORS: usize = 32;

/// The extensions of an anchor that may be critical.
const UNDERSTOOD: [&[u8]; 6] = [
    KEY_USAGE,
    BASIC_CONSTRAINTS,
    SUBJECT_KEY_IDENTIFIER,
    AUTHORITY_KEY_IDENTIFIER,
    CERTIFICATE_POLICIES,
    DISTRIBUTION_POINTS,
];

/// One signing key of an authority: SHA-256 of its SubjectPublicKeyInfo.
///
/// Revocation is kept by this, so that a renewed certificate of the same key inherits it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthorityId([u8; 32]);

impl AuthorityId {
    /// The 32 octets of the hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The identity stored earlier as these octets.
    pub fn from_bytes(octets: [u8; 32]) -> AuthorityId {
        AuthorityId(octets)
    }
}

impl fmt::Debug for AuthorityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthorityId({self})")
    }
}

impl fmt::Display for AuthorityId {
    /// The first eight octets in hexadecimal: enough to tell generations apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(8).try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// One trust anchor: a self-signed certificate of an authority, checked.
#[derive(Clone)]
pub struct Anchor {
    id: AuthorityId,
    fingerprint: [u8; 32],
    name: Box<[u8]>,
    key_identifier: Box<[u8]>,
    serial: Serial,
    not_before: UnixTime,
    not_after: UnixTime,
    key: PublicKey,
    /// Its SubjectPublicKeyInfo.
    key_info: Box<[u8]>,
    signs_lists: bool,
}

/// The trust anchors in force. At least one.
#[derive(Clone, Debug)]
pub struct Anchors(Vec<Anchor>);

/// Which certificate cannot be a trust anchor, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("trust anchor {position}: {reason}")]
pub struct AnchorError {
    /// Place in the order given, from 0.
    pub position: usize,
    /// What is wrong with it.
    pub reason: AnchorReason,
}

/// Why a certificate cannot be a trust anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum AnchorReason {
    /// No certificates were given at all.
    #[error("no certificate given")]
    None,
    /// More than [`MOST_ANCHORS`].
    #[error("too many certificates")]
    TooMany,
    /// The same certificate twice.
    #[error("given twice")]
    Duplicate,
    /// The bytes are not a certificate.
    #[error("not a certificate in DER")]
    Malformed,
    /// Not version 3, or its serial number is not a proper one.
    #[error("not a version 3 certificate with a proper serial number")]
    Envelope,
    /// Issuer and subject differ.
    #[error("not self-issued")]
    NotSelfIssued,
    /// The key or the signature algorithm is not in the table.
    #[error("key or algorithm not accepted")]
    Key,
    /// Its own key did not make its signature.
    #[error("signature not made by its own key")]
    Signature,
    /// basicConstraints is absent, not critical, or does not say it is an authority.
    #[error("basicConstraints does not make it an authority")]
    BasicConstraints,
    /// keyUsage is absent, not critical, or lacks keyCertSign.
    #[error("keyUsage does not let it sign certificates")]
    KeyUsage,
    /// subjectKeyIdentifier is absent or unreadable: leaves could not point at it.
    #[error("no subjectKeyIdentifier")]
    KeyIdentifier,
    /// An extension occurs twice, or is critical and not understood.
    #[error("an extension occurs twice or is critical and unknown")]
    Extension,
}

/// Why nobody trusted vouches for a certificate or a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum UntrustedReason {
    /// It does not say which key signed it (authorityKeyIdentifier absent or empty).
    #[error("does not name the key that signed it")]
    NoAuthorityKeyIdentifier,
    /// No anchor has that name and that key.
    #[error("issuer is no trust anchor")]
    UnknownIssuer,
    /// The anchor it names did not sign it.
    #[error("signature is not the issuer's")]
    BadSignature,
    /// Issued before the anchor's validity began or after it ended.
    #[error("issued outside the issuer's validity")]
    OutsideIssuerValidity,
}

impl Anchors {
    /// Reads and checks self-signed certificates of authorities, each in DER.
    ///
    /// # Errors
    /// None given, too many, or the first one that cannot be an anchor.
    pub fn from_certificates<T: AsRef<[u8]>>(
        certificates: impl IntoIterator<Item = T>,
    ) -> Result<Anchors, AnchorError> {
        let mut anchors: Vec<Anchor> = Vec::new();
        for (position, bytes) in certificates.into_iter().enumerate() {
            let refuse = |reason| AnchorError { position, reason };
            if position == MOST_ANCHORS {
                return Err(refuse(AnchorReason::TooMany));
            }
            let anchor = Anchor::read(bytes.as_ref()).map_err(refuse)?;
            if anchors.iter().any(|other| other.fingerprint == anchor.fingerprint) {
                return Err(refuse(AnchorReason::Duplicate));
            }
            anchors.push(anchor);
        }
        if anchors.is_empty() {
            return Err(AnchorError { position: 0, reason: AnchorReason::None });
        }
        Ok(Anchors(anchors))
    }

    /// The anchors, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &Anchor> {
        self.0.iter()
    }

    /// Whether a certificate of that key is an anchor.
    pub fn contains(&self, id: AuthorityId) -> bool {
        self.0.iter().any(|anchor| anchor.id == id)
    }

    /// The anchor that signed `signed`: of those with the issuer's name (byte-equal) and the key
    /// that the authority key identifier names, the one whose signature it is.
    pub(crate) fn signer(&self, claim: &Claim<'_>) -> Result<&Anchor, UntrustedReason> {
        let authority = claim.authority.ok_or(UntrustedReason::NoAuthorityKeyIdentifier)?;
        if authority.key_identifier.is_none() && authority.certificate.is_none() {
            return Err(UntrustedReason::NoAuthorityKeyIdentifier);
        }
        let mut refusal = UntrustedReason::UnknownIssuer;
        for anchor in &self.0 {
            if *anchor.name != *claim.issuer || !anchor.is(&authority) {
                continue;
            }
            if anchor.verifies(claim) {
                return Ok(anchor);
            }
            refusal = UntrustedReason::BadSignature;
        }
        Err(refusal)
    }
}

/// What a certificate or a list says about who signed it.
pub(crate) struct Claim<'a> {
    pub(crate) issuer: &'a [u8],
    pub(crate) authority: Option<AuthorityKey<'a>>,
    pub(crate) algorithm: &'a [u8],
    pub(crate) signed: &'a [u8],
    pub(crate) signature: &'a [u8],
}

impl Anchor {
    /// The identity of its key.
    pub fn id(&self) -> AuthorityId {
        self.id
    }

    /// SHA-256 of the whole certificate, to be compared with the one published.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// DER of its name, which leaves carry as issuer.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Its subjectKeyIdentifier.
    pub fn key_identifier(&self) -> &[u8] {
        &self.key_identifier
    }

    /// Its serial number.
    pub fn serial(&self) -> Serial {
        self.serial
    }

    /// From when it may issue.
    pub fn not_before(&self) -> UnixTime {
        self.not_before
    }

    /// Until when it may issue. Leaves issued before live on: see [`crate::prove`].
    pub fn not_after(&self) -> UnixTime {
        self.not_after
    }

    /// Whether it may sign revocation lists (keyUsage cRLSign).
    pub fn signs_lists(&self) -> bool {
        self.signs_lists
    }

    /// Its SubjectPublicKeyInfo, in DER.
    pub(crate) fn key_info(&self) -> &[u8] {
        &self.key_info
    }

    /// Its public key without the wrapping: what responders hash.
    pub(crate) fn key_octets(&self) -> &[u8] {
        algorithm::split(&self.key_info).map(|(_, octets)| octets).unwrap_or_default()
    }

    /// Whether this very key signed it, under this name; a key identifier that is there must agree.
    pub(crate) fn has_signed(&self, claim: &Claim<'_>) -> bool {
        *self.name == *claim.issuer
            && claim.authority.is_none_or(|authority| self.is(&authority))
            && self.verifies(claim)
    }

    fn verifies(&self, claim: &Claim<'_>) -> bool {
        self.key.signs_with(claim.algorithm) && self.key.verifies(claim.signed, claim.signature)
    }

    fn read(bytes: &[u8]) -> Result<Anchor, AnchorReason> {
        let certificate = Certificate::read(bytes).map_err(|Malformed| AnchorReason::Malformed)?;
        let serial = read_serial(certificate.serial).filter(|_| certificate.version == 2);
        if certificate.issuer != certificate.subject {
            return Err(AnchorReason::NotSelfIssued);
        }
        let usage = check_extensions(&certificate)?;
        let key =
            PublicKey::read(certificate.key, Owner::Authority).map_err(|Malformed| AnchorReason::Key)?;
        if certificate.algorithm != certificate.inner_algorithm || !key.signs_with(certificate.algorithm) {
            return Err(AnchorReason::Key);
        }
        if !key.verifies(certificate.signed, certificate.signature) {
            return Err(AnchorReason::Signature);
        }
        let key_identifier = value(&certificate, SUBJECT_KEY_IDENTIFIER, extension::subject_key_identifier);
        Ok(Anchor {
            id: AuthorityId(sha256(certificate.key)),
            fingerprint: sha256(bytes),
            name: certificate.subject.into(),
            key_identifier: key_identifier.ok_or(AnchorReason::KeyIdentifier)?.into(),
            serial: serial.ok_or(AnchorReason::Envelope)?,
            not_before: certificate.not_before,
            not_after: certificate.not_after,
            key,
            key_info: certificate.key.into(),
            signs_lists: usage & CRL_SIGN != 0,
        })
    }

    /// Whether every part of the identifier that is there points at this anchor.
    fn is(&self, authority: &AuthorityKey<'_>) -> bool {
        let key = authority.key_identifier.is_none_or(|identifier| *identifier == *self.key_identifier);
        // the anchor is self-issued: its issuer's name is its own
        let certificate = authority
            .certificate
            .is_none_or(|(issuer, serial)| *issuer == *self.name && *serial == *self.serial.as_bytes());
        key && certificate
    }
}

impl fmt::Debug for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Anchor")
            .field("id", &self.id)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

/// Gives the key usage.
fn check_extensions(certificate: &Certificate<'_>) -> Result<u16, AnchorReason> {
    let extensions = &certificate.extensions;
    if extensions.has_duplicates() || extensions.has_unknown_critical(&UNDERSTOOD) {
        return Err(AnchorReason::Extension);
    }
    let critical = |id| extensions.find(id).is_some_and(|extension| extension.critical);
    let authority = value(certificate, BASIC_CONSTRAINTS, extension::is_authority);
    if !critical(BASIC_CONSTRAINTS) || authority != Some(true) {
        return Err(AnchorReason::BasicConstraints);
    }
    let usage = value(certificate, KEY_USAGE, extension::key_usage).unwrap_or(0);
    if !critical(KEY_USAGE) || usage & CERT_SIGN == 0 {
        return Err(AnchorReason::KeyUsage);
    }
    Ok(usage)
}

fn value<'a, T>(
    certificate: &Certificate<'a>,
    id: &[u8],
    read: impl FnOnce(&'a [u8]) -> Result<T, Malformed>,
) -> Option<T> {
    certificate.extensions.find(id).and_then(|extension| read(extension.value).ok())
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}
