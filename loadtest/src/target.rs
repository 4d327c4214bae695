//! Whom to ask: address, host, and the trust in its certificate.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

/// A server, resolved.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its address.
    pub address: SocketAddr,
    /// What stands in `host`.
    pub host: String,
    /// Its name in TLS; `None` without TLS.
    pub name: Option<ServerName<'static>>,
    /// Whether the engine asks it by HTTP/2.
    pub http2: bool,
}

impl Server {
    /// Reads `https://HOST:PORT` or `http://HOST:PORT`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of(url: &str) -> Result<Self, String> {
        let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            _ => return Err(format!("{url}: neither https:// nor http://")),
        };
        let authority = rest.split('/').next().unwrap_or_default();
        let with_port = match authority.rsplit_once(':') {
            Some((_, port)) if port.parse::<u16>().is_ok() => authority.to_owned(),
            _ => format!("{authority}:{}", if secure { 443 } else { 80 }),
        };
        let mut found = with_port.to_socket_addrs().map_err(|error| format!("{url}: {error}"))?;
        let address = found.next().ok_or_else(|| format!("{url}: no address"))?;
        let host = with_port.rsplit_once(':').map_or(authority, |(host, _)| host);
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
        let name = name.map_err(|_| format!("{url}: not a name that TLS knows"))?;
        Ok(Self { address, host: authority.to_owned(), name: secure.then_some(name), http2: false })
    }
}

/// A client certificate with its key, both PEM.
#[derive(Clone)]
pub struct ClientPem {
    /// The certificate.
    pub certificate: Vec<u8>,
    /// The key.
    pub key: Vec<u8>,
}

impl ClientPem {
    /// Reads both files.
    ///
    /// # Errors
    /// The file that cannot be read.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, String> {
        Ok(Self { certificate: read(certificate)?, key: read(key)? })
    }
}

/// Reads a file.
///
/// # Errors
/// Its name and why not.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The TLS of one client.
///
/// # Errors
/// The certificate or key that does not do.
pub fn tls(ca: &Path, client: Option<&ClientPem>, resumption: bool) -> Result<Arc<ClientConfig>, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", ca.display());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&read(ca)?) {
        roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    let mut config = match client {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem.certificate).collect();
            let chain = chain.map_err(|error| format!("client certificate: {error}"))?;
            let key =
                PrivateKeyDer::from_pem_slice(&pem.key).map_err(|error| format!("client key: {error}"))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| format!("client certificate: {error}"))?
        }
    };
    if !resumption {
        config.resumption = Resumption::disabled();
    }
    Ok(Arc::new(config))
}
