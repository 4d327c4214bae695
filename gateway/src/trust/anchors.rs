//! The trust anchors as files: read, held against the fingerprints pinned in the configuration, and
//! watched for their end.

use std::path::PathBuf;

use eligibility::day::Timestamp;
use pki::{Anchor, AnchorError, Anchors, UnixTime};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::config::{AnchorFile, fingerprint};

/// Why card certificates cannot be judged at all.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A CA file cannot be read or is no certificate in PEM.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A certificate is no card CA.
    #[error("{path}: no trust anchor: {why}")]
    Anchor {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A certificate is another one than the configuration names.
    #[error("{path}: its SHA-256 is {found}, but {pinned} is pinned in card.anchors")]
    Pin {
        /// The file.
        path: PathBuf,
        /// The fingerprint in the configuration.
        pinned: String,
        /// The fingerprint of the certificate.
        found: String,
    },
}

/// Reads all anchors. Two generations may stand side by side.
///
/// # Errors
/// [`TrustError`] with the file at fault.
pub(super) fn read(files: &[AnchorFile]) -> Result<Anchors, TrustError> {
    let mut certificates = Vec::new();
    for file in files {
        let path = file.file();
        let wrong = |why: String| TrustError::File { path: path.to_owned(), why };
        let all: Result<Vec<_>, _> =
            CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?.collect();
        let all = all.map_err(|error| wrong(error.to_string()))?;
        check_pin(file, &all)?;
        if all.is_empty() {
            return Err(wrong("holds no certificate".to_owned()));
        }
        certificates.extend(all.into_iter().map(|certificate| (path, certificate)));
    }
    Anchors::from_certificates(certificates.iter().map(|(_, der)| der)).map_err(|error| {
        let AnchorError { position, reason } = error;
        let path = certificates.get(position).map_or_else(PathBuf::new, |(path, _)| (*path).to_owned());
        TrustError::Anchor { path, why: reason.to_string() }
    })
}

fn check_pin(file: &AnchorFile, certificates: &[CertificateDer<'_>]) -> Result<(), TrustError> {
    let Some(pinned) = file.pin() else { return Ok(()) };
    let path = file.file().to_owned();
    let [certificate] = certificates else {
        let why = format!("holds {} certificates; one is pinned in card.anchors", certificates.len());
        return Err(TrustError::File { path, why });
    };
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate);
    if fingerprint(pinned).is_some_and(|pin| pin.as_slice() == digest.as_ref()) {
        return Ok(());
    }
    Err(TrustError::Pin { path, pinned: pinned.to_owned(), found: hexadecimal(digest.as_ref()) })
}

/// One anchor in force, and how long it still is.
#[derive(Clone, Debug)]
pub struct AnchorState {
    /// The first eight octets of its SHA-256, as it is called in metrics and logs.
    pub name: String,
    /// SHA-256 of the certificate.
    pub fingerprint: String,
    /// Its key, as revocation lists are listed by.
    pub authority: String,
    /// The last second at which it may issue.
    pub not_after: Timestamp,
    /// Days in Japan until then; negative afterwards.
    pub days_left: i32,
}

pub(super) fn states(anchors: &Anchors, now: UnixTime) -> Vec<AnchorState> {
    anchors.iter().map(|anchor| AnchorState::of(anchor, now)).collect()
}

impl AnchorState {
    fn of(anchor: &Anchor, now: UnixTime) -> Self {
        let fingerprint = hexadecimal(anchor.fingerprint());
        Self {
            name: fingerprint.chars().take(16).collect(),
            fingerprint,
            authority: anchor.id().to_string(),
            not_after: Timestamp::from_millis(anchor.not_after().0.saturating_mul(1000)),
            days_left: anchor.not_after().japan_day().saturating_sub(now.japan_day()),
        }
    }

    /// The narrowest of 90, 30, 7, 1 days within which it ends, 0 once it has ended.
    #[must_use]
    pub const fn ends_within(&self) -> Option<i32> {
        match self.days_left {
            i32::MIN..0 => Some(0),
            0..=1 => Some(1),
            2..=7 => Some(7),
            8..=30 => Some(30),
            31..=90 => Some(90),
            _ => None,
        }
    }

    pub(super) fn warn(&self) {
        let Self { name, not_after, days_left, .. } = self;
        match self.ends_within() {
            None => {}
            Some(0) => tracing::error!(anchor = name, %not_after, days_left, "a trust anchor has ended"),
            Some(1 | 7) => {
                tracing::error!(anchor = name, %not_after, days_left, "a trust anchor ends within days");
            }
            Some(_) => tracing::warn!(anchor = name, %not_after, days_left, "a trust anchor ends soon"),
        }
    }
}

pub(super) fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
