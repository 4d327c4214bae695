//! Makes card authorities, card certificates, revocation lists and TLS certificates, for
//! demonstrations and tests: proper ones, and ones with one [`Defect`] each. Never for serving;
//! nothing outside this module needs it.
//!
//! Card certificates, authorities and lists are written out by hand, as the profile needs what
//! general issuing libraries lack: names with two organisational units, critical policies,
//! distribution points that are directory names. TLS certificates are ordinary, and `rcgen`
//! makes them.

mod authority;
mod card;
mod certificate;
mod defect;
mod key;
mod list;
mod tls;
mod write;

use thiserror::Error;

pub use authority::{AuthoritySpec, CardAuthority, Municipality};
pub use card::CardSpec;
pub use certificate::{CertificateSpec, ExtensionSpec, encode};
pub use defect::Defect;
pub use key::{Key, KeyKind, sign};
pub use list::{ListSpec, Reason, Revoked};
pub use tls::{ClientName, TlsAuthority, TlsIdentity, Validity};

/// Why something could not be made or loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IssuingError {
    /// The cryptographic library failed: no random numbers, most likely.
    #[error("the cryptographic library failed")]
    Cryptography,
    /// Not PEM, or PEM of something else.
    #[error("not PEM of the thing expected")]
    Pem,
    /// Not a private key of an accepted kind in PKCS#8.
    #[error("not a private key of an accepted kind in PKCS#8")]
    Key,
    /// Not a certificate, or not one as made here.
    #[error("not a certificate as made here")]
    Certificate,
    /// The key is not the certificate's.
    #[error("the key is not the certificate's")]
    KeyMismatch,
    /// The policy is no object identifier.
    #[error("the policy is not an object identifier in dotted decimal form")]
    Policy,
    /// The TLS certificate could not be made, or its key not be read.
    #[error("the TLS certificate could not be made")]
    Tls,
}

impl From<aws_lc_rs::error::Unspecified> for IssuingError {
    fn from(_: aws_lc_rs::error::Unspecified) -> IssuingError {
        IssuingError::Cryptography
    }
}

impl From<rcgen::Error> for IssuingError {
    fn from(_: rcgen::Error) -> IssuingError {
        IssuingError::Tls
    }
}

impl From<crate::oid::OidError> for IssuingError {
    fn from(_: crate::oid::OidError) -> IssuingError {
        IssuingError::Policy
    }
}
