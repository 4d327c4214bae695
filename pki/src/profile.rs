//! The profile of the user-authentication certificate on a card (利用者証明用電子証明書): what a leaf
//! must look like before anybody asks who signed it. The chain, the signature over the challenge
//! and the passing of time are not here.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::algorithm::{self, Owner, PublicKey};
use crate::certificate::Certificate;
use crate::der::Malformed;
use crate::extension::{
    self, AUTHORITY_KEY_IDENTIFIER, AuthorityKey, BASIC_CONSTRAINTS, CERTIFICATE_POLICIES, DIGITAL_SIGNATURE,
    DISTRIBUTION_POINTS, EXTENDED_KEY_USAGE, Extensions, KEY_USAGE,
};
use crate::oid::{OidError, encode_oid};
use crate::serial::Serial;

/// Policy of production user-authentication certificates.
pub const PRODUCTION_POLICY: &str = "1.2.392.200149.8.5.1.3.30";
/// Policy of user-authentication certificates on test cards.
pub const TEST_POLICY: &str = "1.2.392.200149.8.5.1.0.30";

/// The extensions acted on, which may therefore be critical.
const UNDERSTOOD: [&[u8]; 6] = [
    KEY_USAGE,
    EXTENDED_KEY_USAGE,
    CERTIFICATE_POLICIES,
    BASIC_CONSTRAINTS,
    AUTHORITY_KEY_IDENTIFIER,
    DISTRIBUTION_POINTS,
];

/// Which card certificates are accepted at all: the certificate policies, by dotted OID.
///
/// The default accepts production cards only.
#[derive(Clone, PartialEq, Eq)]
pub struct CardProfile {
    /// Dotted form and content octets of each accepted policy.
    policies: Arc<[(String, Vec<u8>)]>,
}

/// Why a certificate is not a card's user-authentication certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum ProfileReason {
    /// Not version 3.
    #[error("not a version 3 certificate")]
    Version,
    /// The serial number is zero, negative, padded or longer than twenty octets.
    #[error("serial number not positive or longer than 20 octets")]
    Serial,
    /// Not signed with sha256WithRSAEncryption or ecdsa-with-SHA384.
    #[error("signature algorithm not accepted")]
    SignatureAlgorithm,
    /// The signed part names another signature algorithm than the signature itself.
    #[error("the two signature algorithms differ")]
    AlgorithmMismatch,
    /// The validity ends before it begins.
    #[error("validity ends before it begins")]
    Validity,
    /// The obsolete unique identifiers of issuer or subject are present.
    #[error("unique identifiers present")]
    UniqueIdentifier,
    /// An extension occurs more than once.
    #[error("an extension occurs twice")]
    DuplicateExtension,
    /// An extension is critical that is not understood here.
    #[error("unknown critical extension")]
    UnknownCriticalExtension,
    /// The value of an understood extension cannot be read.
    #[error("an extension's value cannot be read")]
    ExtensionValue,
    /// keyUsage is absent, not critical, or not digitalSignature alone.
    #[error("keyUsage is not critical digitalSignature alone")]
    KeyUsage,
    /// extKeyUsage is absent or not clientAuth alone.
    #[error("extKeyUsage is not clientAuth alone")]
    ExtendedKeyUsage,
    /// certificatePolicies is absent, not critical, or names a policy that is not accepted.
    #[error("certificate policy not accepted")]
    Policy,
    /// A test card, where test cards have not been switched on.
    #[error("certificate of a test card")]
    TestCard,
    /// basicConstraints says the subject is a certification authority.
    #[error("certificate of a certification authority")]
    Authority,
    /// The key is neither RSA of 2048 bits with exponent 65537 nor a point of P-384.
    #[error("public key not accepted")]
    PublicKey,
}

impl CardProfile {
    /// Production cards only.
    pub fn production() -> CardProfile {
        let none = CardProfile { policies: Arc::default() };
        none.with(PRODUCTION_POLICY)
    }

    /// The same and test cards too: for rehearsals and demonstrations, never in production.
    #[must_use]
    pub fn and_test_cards(self) -> CardProfile {
        self.with(TEST_POLICY)
    }

    /// Exactly these policies.
    ///
    /// # Errors
    /// One of them is no dotted object identifier.
    pub fn accepting<T: AsRef<str>>(policies: impl IntoIterator<Item = T>) -> Result<CardProfile, OidError> {
        let pair = |text: T| Ok((text.as_ref().to_owned(), encode_oid(text.as_ref())?));
        Ok(CardProfile { policies: policies.into_iter().map(pair).collect::<Result<_, _>>()? })
    }

    /// The accepted policies in dotted form.
    pub fn policies(&self) -> impl Iterator<Item = &str> {
        self.policies.iter().map(|(dotted, _)| dotted.as_str())
    }

    fn with(self, policy: &str) -> CardProfile {
        let known = self.policies.iter().any(|(dotted, _)| dotted == policy);
        match (known, encode_oid(policy)) {
            (false, Ok(octets)) => {
                let one = (policy.to_owned(), octets);
                CardProfile { policies: self.policies.iter().cloned().chain([one]).collect() }
            }
            _ => self,
        }
    }

    fn accepts(&self, policy: &[u8]) -> bool {
        self.policies.iter().any(|(_, octets)| octets == policy)
    }

    /// Judges a certificate against the profile and hands on what the later steps need.
    pub(crate) fn check<'a>(&self, certificate: &Certificate<'a>) -> Result<Leaf<'a>, ProfileReason> {
        check_envelope(certificate)?;
        let extensions = &certificate.extensions;
        if extensions.has_duplicates() {
            return Err(ProfileReason::DuplicateExtension);
        }
        if extensions.has_unknown_critical(&UNDERSTOOD) {
            return Err(ProfileReason::UnknownCriticalExtension);
        }
        check_usage(extensions)?;
        self.check_policies(extensions)?;
        let key =
            PublicKey::read(certificate.key, Owner::Card).map_err(|Malformed| ProfileReason::PublicKey)?;
        Ok(Leaf {
            serial: read_serial(certificate.serial).ok_or(ProfileReason::Serial)?,
            key,
            authority: value(extensions, AUTHORITY_KEY_IDENTIFIER, AuthorityKey::read)?,
            points: value(extensions, DISTRIBUTION_POINTS, extension::distribution_points)?
                .unwrap_or_default(),
        })
    }

    fn check_policies(&self, extensions: &Extensions<'_>) -> Result<(), ProfileReason> {
        let critical = extensions.find(CERTIFICATE_POLICIES).is_some_and(|extension| extension.critical);
        let policies = value(extensions, CERTIFICATE_POLICIES, extension::policies)?.unwrap_or_default();
        if critical && !policies.is_empty() && policies.iter().all(|policy| self.accepts(policy)) {
            return Ok(());
        }
        let of_test_card = critical && encode_oid(TEST_POLICY).is_ok_and(|test| policies == [test]);
        Err(if of_test_card { ProfileReason::TestCard } else { ProfileReason::Policy })
    }
}

impl Default for CardProfile {
    fn default() -> CardProfile {
        CardProfile::production()
    }
}

impl fmt::Debug for CardProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.policies()).finish()
    }
}

/// What is known of a leaf that keeps the profile.
pub(crate) struct Leaf<'a> {
    pub(crate) serial: Serial,
    pub(crate) key: PublicKey,
    pub(crate) authority: Option<AuthorityKey<'a>>,
    /// DER names of its distribution points.
    pub(crate) points: Vec<&'a [u8]>,
}

/// The serial of the content octets of an INTEGER; nothing when it is no proper serial.
pub(crate) fn read_serial(content: &[u8]) -> Option<Serial> {
    let element = crate::der::Element { tag: crate::der::INTEGER, content, whole: content };
    Serial::from_bytes(element.magnitude().ok()?).ok()
}

fn check_envelope(certificate: &Certificate<'_>) -> Result<(), ProfileReason> {
    if certificate.version != 2 {
        return Err(ProfileReason::Version);
    }
    if certificate.algorithm != certificate.inner_algorithm {
        return Err(ProfileReason::AlgorithmMismatch);
    }
    if !algorithm::is_card_signature(certificate.algorithm) {
        return Err(ProfileReason::SignatureAlgorithm);
    }
    if certificate.not_after < certificate.not_before {
        return Err(ProfileReason::Validity);
    }
    if certificate.has_unique_identifiers {
        return Err(ProfileReason::UniqueIdentifier);
    }
    Ok(())
}

fn check_usage(extensions: &Extensions<'_>) -> Result<(), ProfileReason> {
    let critical = extensions.find(KEY_USAGE).is_some_and(|extension| extension.critical);
    if !critical || value(extensions, KEY_USAGE, extension::key_usage)? != Some(DIGITAL_SIGNATURE) {
        return Err(ProfileReason::KeyUsage);
    }
    if value(extensions, EXTENDED_KEY_USAGE, extension::is_client_auth_only)? != Some(true) {
        return Err(ProfileReason::ExtendedKeyUsage);
    }
    if value(extensions, BASIC_CONSTRAINTS, extension::is_authority)? == Some(true) {
        return Err(ProfileReason::Authority);
    }
    Ok(())
}

/// The value of an extension, if it is there.
fn value<'a, T>(
    extensions: &Extensions<'a>,
    id: &[u8],
    read: impl FnOnce(&'a [u8]) -> Result<T, Malformed>,
) -> Result<Option<T>, ProfileReason> {
    let Some(extension) = extensions.find(id) else {
        return Ok(None);
    };
    read(extension.value).map(Some).map_err(|Malformed| ProfileReason::ExtensionValue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_cards_are_an_explicit_choice() {
        let policies = |profile: &CardProfile| profile.policies().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(policies(&CardProfile::default()), [PRODUCTION_POLICY]);
        let both = CardProfile::production().and_test_cards().and_test_cards();
        assert_eq!(policies(&both), [PRODUCTION_POLICY, TEST_POLICY]);
        assert_eq!(CardProfile::accepting(["1.x"]), Err(OidError));
    }
}
