//! TLS for the service: our certificate, and callers known by theirs.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, version};

use crate::config::Listener;

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
    /// Certificate and key, or the CAs, do not make a server.
    #[error("listener {address}: {why}")]
    Setup {
        /// The listener.
        address: std::net::SocketAddr,
        /// What is wrong.
        why: String,
    },
}

/// The TLS configuration of one listener.
///
/// # Errors
/// [`TlsError`] with the file at fault.
pub fn server(listener: &Listener) -> Result<Arc<ServerConfig>, TlsError> {
    let setup = |why: String| TlsError::Setup { address: listener.address, why };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut cas = RootCertStore::empty();
    for path in &listener.client_cas {
        for ca in certificates(path)? {
            cas.add(ca).map_err(|error| TlsError::File { path: path.clone(), why: error.to_string() })?;
        }
    }
    let callers = WebPkiClientVerifier::builder_with_provider(Arc::new(cas), Arc::clone(&provider))
        .build()
        .map_err(|error| setup(error.to_string()))?;
    let versions: &[_] =
        if listener.tls12 { &[&version::TLS13, &version::TLS12] } else { &[&version::TLS13] };
    let key = PrivateKeyDer::from_pem_file(&listener.key).map_err(|error| TlsError::File {
        path: listener.key.clone(),
        why: format!("no private key in PEM could be read ({error})"),
    })?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| setup(error.to_string()))?
        .with_client_cert_verifier(callers)
        .with_single_cert(certificates(&listener.certificate)?, key)
        .map_err(|error| setup(error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |why: String| TlsError::File { path: path.clone(), why };
    let all: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?.collect();
    let all = all.map_err(|error| wrong(error.to_string()))?;
    if all.is_empty() { Err(wrong("holds no certificate in PEM".to_owned())) } else { Ok(all) }
}
