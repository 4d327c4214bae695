//! TLS for the service: our certificate, and callers known by theirs.
//!
//! Certificates of callers are judged by `pki`'s path validation and not by rustls' own, which takes
//! issuers without keyCertSign and knows distribution points by URL only.

use std::path::PathBuf;
use std::sync::Arc;

use pki::path::{PathError, PathReason};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::aws_lc_rs::kx_group;
use rustls::crypto::{
    CryptoProvider, GetRandomFailed, verify_tls12_signature, verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ProducesTickets;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::ticketer::TicketRotator;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, ServerConfig,
    SignatureScheme, version,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::names::Names;
use crate::config::Listener;
use crate::trust::{ClientCas, Clients};

/// Seconds for which one key makes tickets; it opens them for as long again. A session goes on for an
/// hour at most, and never without a look at its certificate: see [`Clients::admit`].
const TICKET_KEY: u32 = 1800;

/// Why a listener's TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing, unreadable or not what it should be.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Certificate and key do not make a server.
    #[error("listener {address}: {why}")]
    Setup {
        /// The listener.
        address: std::net::SocketAddr,
        /// What is wrong.
        why: String,
    },
}

/// What a listener is known by: its TLS, and the names in its certificate.
pub(super) struct Identity {
    /// What the next connection is met with.
    pub(super) tls: Arc<ServerConfig>,
    pub(super) names: Names,
    /// When the first certificate of our chain ends.
    pub(super) ends: pki::UnixTime,
}

/// The TLS of one listener, for these callers, who are told the `names` of their CAs.
///
/// # Errors
/// [`TlsError`] with the file at fault.
pub(super) fn server(
    listener: &Listener,
    clients: &Arc<Clients>,
    names: Vec<DistinguishedName>,
) -> Result<Identity, TlsError> {
    let setup = |why: String| TlsError::Setup { address: listener.address, why };
    let provider = Arc::new(provider());
    let callers = Callers { clients: Arc::clone(clients), provider: Arc::clone(&provider), names };
    let versions: &[_] =
        if listener.tls12 { &[&version::TLS13, &version::TLS12] } else { &[&version::TLS13] };
    let key = PrivateKeyDer::from_pem_file(&listener.key).map_err(|error| TlsError::File {
        path: listener.key.clone(),
        why: format!("no private key in PEM could be read ({error})"),
    })?;
    let chain = certificates(&listener.certificate)?;
    let own = chain.first().and_then(Names::of).ok_or_else(|| TlsError::File {
        path: listener.certificate.clone(),
        why: "its first certificate names no host or address (subjectAltName)".to_owned(),
    })?;
    let ends = ends(&chain);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| setup(error.to_string()))?
        .with_client_cert_verifier(Arc::new(callers))
        .with_single_cert(chain, key)
        .map_err(|error| setup(error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let tickets = TicketRotator::new(TICKET_KEY, ticket_key).map_err(|error| setup(error.to_string()))?;
    config.ticketer = Arc::new(tickets);
    config.send_tls13_tickets = 1;
    // A request that anybody may send again is not taken before the handshake has ended.
    config.max_early_data_size = 0;
    Ok(Identity { tls: Arc::new(config), names: own, ends })
}

/// When the first of these certificates ends. rustls has read them: none that it takes is without an end.
fn ends(chain: &[CertificateDer<'_>]) -> pki::UnixTime {
    let end = |certificate: &CertificateDer<'_>| {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        Some(pki::UnixTime(certificate.validity().not_after.timestamp()))
    };
    chain.iter().filter_map(end).min().unwrap_or(pki::UnixTime(0))
}

/// The provider with the hybrid of X25519 and ML-KEM first: what is recorded today shall not be read by
/// the machines of tomorrow. Callers that do not have it are met with the usual curves.
fn provider() -> CryptoProvider {
    CryptoProvider {
        kx_groups: vec![kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1],
        ..rustls::crypto::aws_lc_rs::default_provider()
    }
}

fn certificates(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |why: String| TlsError::File { path: path.clone(), why };
    let all: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?.collect();
    let all = all.map_err(|error| wrong(error.to_string()))?;
    if all.is_empty() { Err(wrong("holds no certificate in PEM".to_owned())) } else { Ok(all) }
}

/// rustls' question whether a caller may come in, handed to [`Clients`].
#[derive(Debug)]
struct Callers {
    clients: Arc<Clients>,
    provider: Arc<CryptoProvider>,
    names: Vec<DistinguishedName>,
}

/// The names of CAs, as a server tells callers whose certificates it wants.
#[must_use]
pub(super) fn names(cas: &ClientCas) -> Vec<DistinguishedName> {
    let name = |ca: &CertificateDer<'_>| {
        let (_, ca) = X509Certificate::from_der(ca).ok()?;
        Some(DistinguishedName::from(ca.subject().as_raw().to_vec()))
    };
    cas.anchors().iter().filter_map(name).collect()
}

/// One key for tickets. The provider's own rotate by the half day, which is of no matter here.
#[derive(Debug)]
struct TicketKey(Arc<dyn ProducesTickets>);

fn ticket_key() -> Result<Box<dyn ProducesTickets>, GetRandomFailed> {
    let key = rustls::crypto::aws_lc_rs::Ticketer::new().map_err(|_| GetRandomFailed)?;
    Ok(Box::new(TicketKey(key)))
}

impl ProducesTickets for TicketKey {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        2 * TICKET_KEY
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.0.encrypt(plain)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt(cipher)
    }
}

impl ClientCertVerifier for Callers {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.names
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chain: Vec<_> = [end_entity].into_iter().chain(intermediates).cloned().collect();
        let now = pki::UnixTime(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
        match self.clients.judge(&chain, now) {
            Ok(_) => Ok(ClientCertVerified::assertion()),
            Err(error) => {
                tracing::info!(reason = %error, "client certificate refused");
                Err(Error::InvalidCertificate(alert(error)))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // By the key alone: rustls would not read certificates with critical policies.
        let (_, parsed) = X509Certificate::from_der(certificate)
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let key = SubjectPublicKeyInfoDer::from(parsed.public_key().raw);
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature_with_raw_key(message, &key, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The alert that tells a caller why.
fn alert(error: PathError) -> CertificateError {
    match error.reason {
        PathReason::Malformed => CertificateError::BadEncoding,
        PathReason::Expired { .. } => CertificateError::Expired,
        PathReason::NotYetValid { .. } => CertificateError::NotValidYet,
        PathReason::Revoked | PathReason::Suspended => CertificateError::Revoked,
        PathReason::RevocationUnknown(_) => CertificateError::UnknownRevocationStatus,
        PathReason::UnknownIssuer => CertificateError::UnknownIssuer,
        PathReason::BadSignature => CertificateError::BadSignature,
        PathReason::ExtendedKeyUsage => CertificateError::InvalidPurpose,
        _ => CertificateError::Other(OtherError(Arc::new(error))),
    }
}
