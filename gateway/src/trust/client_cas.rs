//! The CAs of one listener's client certificates as files, and the rules by which those are judged.

use std::path::{Path, PathBuf};

use pki::path::{PathPolicy, PathTrust, PathTrustError, Purpose};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::config::{Listener, RevocationRules};

/// Why a listener cannot judge its callers.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}")]
pub struct ClientsError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub why: String,
}

/// The CAs of one listener, and what is asked of those whom they certify.
#[derive(Debug)]
pub struct ClientCas {
    trust: PathTrust,
    anchors: Vec<CertificateDer<'static>>,
    intermediates: Vec<CertificateDer<'static>>,
    lists: Option<PathBuf>,
    rules: RevocationRules,
}

impl PartialEq for ClientCas {
    /// `trust` is made of the rest.
    fn eq(&self, other: &Self) -> bool {
        (&self.anchors, &self.intermediates) == (&other.anchors, &other.intermediates)
            && (&self.lists, &self.rules) == (&other.lists, &other.rules)
    }
}

/// Certificates with the files that they come from.
type Filed = Vec<(PathBuf, CertificateDer<'static>)>;

impl ClientCas {
    /// Reads the CAs. Those that are not self-signed are taken as intermediates, which need a path to
    /// one that is.
    ///
    /// # Errors
    /// [`ClientsError`] with the file at fault.
    pub fn read(listener: &Listener) -> Result<Self, ClientsError> {
        let (anchors, intermediates) = files(&listener.client_cas)?;
        let (lists, rules) = (listener.client_crls.clone(), listener.client_revocation.clone());
        let missing = if lists.is_some() { rules.when_missing() } else { pki::WhenMissing::Accept };
        let policy = PathPolicy {
            missing,
            stale: rules.when_stale(),
            max_age: rules.max_age(),
            ..PathPolicy::new(Purpose::Client)
        };
        let ders = |all: &Filed| -> Vec<_> { all.iter().map(|(_, ca)| ca.clone()).collect() };
        let trust = PathTrust::new(ders(&anchors), ders(&intermediates), policy).map_err(|error| {
            let at = match error {
                PathTrustError::Anchor { position, .. } => anchors.get(position),
                PathTrustError::Intermediate { position, .. } => intermediates.get(position),
                PathTrustError::None | PathTrustError::TooMany => None,
            };
            let path = at.map(|(path, _)| path.clone()).or_else(|| listener.client_cas.first().cloned());
            ClientsError { path: path.unwrap_or_default(), why: format!("no CA of clients: {error}") }
        })?;
        Ok(Self { trust, anchors: ders(&anchors), intermediates: ders(&intermediates), lists, rules })
    }

    /// What paths are judged by.
    pub(super) const fn trust(&self) -> &PathTrust {
        &self.trust
    }

    /// The certificates of the trust anchors.
    pub(crate) fn anchors(&self) -> &[CertificateDer<'static>] {
        &self.anchors
    }

    /// The folder of their revocation lists, if certificates are looked up.
    pub(super) fn lists(&self) -> Option<&Path> {
        self.lists.as_deref()
    }
}

/// Anchors, and intermediates.
fn files(paths: &[PathBuf]) -> Result<(Filed, Filed), ClientsError> {
    let (mut anchors, mut intermediates) = (Vec::new(), Vec::new());
    for path in paths {
        let wrong = |why: String| ClientsError { path: path.clone(), why };
        let before = anchors.len() + intermediates.len();
        for ca in CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))? {
            let ca = ca.map_err(|error| wrong(error.to_string()))?;
            let place = if is_self_issued(&ca) { &mut anchors } else { &mut intermediates };
            place.push((path.clone(), ca));
        }
        if anchors.len() + intermediates.len() == before {
            return Err(wrong("holds no certificate in PEM".to_owned()));
        }
    }
    Ok((anchors, intermediates))
}

fn is_self_issued(certificate: &[u8]) -> bool {
    // One that cannot be read is refused as an anchor, with its reason.
    X509Certificate::from_der(certificate)
        .map_or(true, |(_, ca)| ca.subject().as_raw() == ca.issuer().as_raw())
}
