//! The line to the service: HTTPS with a client certificate, one kept connection a worker.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT_CHARSET, CONTENT_TYPE, HOST, RETRY_AFTER};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

/// Time for one message, its connection included.
const WITHIN: Duration = Duration::from_secs(60);
/// Largest answer: a bulk one of ten thousand.
const OCTETS: usize = 64 * 1024 * 1024;

/// Why a message got no answer.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// A file or the address cannot be used.
    #[error("{path}: {why}")]
    Setup {
        /// The file or address.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The service cannot be reached, or broke off.
    #[error("the service cannot be reached: {0}")]
    Broken(String),
}

/// Where the service is, and who we are to it.
#[derive(Clone)]
pub struct Line {
    host: String,
    port: u16,
    name: ServerName<'static>,
    tls: Arc<ClientConfig>,
}

/// What the service said.
pub struct Said {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub octets: Bytes,
    /// Seconds after which to try again.
    pub retry_after: Option<u64>,
}

impl Line {
    /// The service at this URL, trusted by this CA, with this client certificate and key (PEM).
    ///
    /// # Errors
    /// [`LineError::Setup`] naming what cannot be used.
    pub fn new(server: &str, ca: &Path, certificate: &Path, key: &Path) -> Result<Self, LineError> {
        let address = |why: &str| LineError::Setup { path: server.into(), why: why.to_owned() };
        let uri: Uri = server.parse().map_err(|_| address("is no URL"))?;
        let host = uri.host().filter(|_| uri.scheme_str() == Some("https"));
        let host = host.ok_or_else(|| address("is no https:// URL"))?.trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host.clone()).map_err(|_| address("names no host"))?;
        let wrong = |path: &Path, why: String| LineError::Setup { path: path.to_owned(), why };
        let mut roots = RootCertStore::empty();
        for root in certificates(ca)? {
            roots.add(root).map_err(|error| wrong(ca, error.to_string()))?;
        }
        let own = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, error.to_string()))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(ca, error.to_string()))?
            .with_root_certificates(roots)
            .with_client_auth_cert(certificates(certificate)?, own)
            .map_err(|error| wrong(certificate, error.to_string()))?;
        Ok(Self { host, port: uri.port_u16().unwrap_or(443), name, tls: Arc::new(tls) })
    }

    /// A connection, opened with its first message.
    ///
    /// # Errors
    /// [`LineError::Setup`] when the system gives no event loop.
    pub fn connection(&self) -> Result<Connection, LineError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime
            .map_err(|error| LineError::Setup { path: self.host.clone().into(), why: error.to_string() })?;
        Ok(Connection { line: self.clone(), runtime, open: None })
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, LineError> {
    let wrong = |why: String| LineError::Setup { path: path.to_owned(), why };
    let all = CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?;
    let all: Vec<_> = all.collect::<Result<_, _>>().map_err(|error| wrong(error.to_string()))?;
    if all.is_empty() { Err(wrong("holds no certificate in PEM".to_owned())) } else { Ok(all) }
}

/// One connection. Blocks while it waits.
pub struct Connection {
    line: Line,
    runtime: Runtime,
    open: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// Sends one message and waits for what is said to it. `charset` asks for an encoding of the answer
    /// where the message itself does not.
    ///
    /// # Errors
    /// [`LineError::Broken`]; the message may or may not have arrived.
    pub fn post(
        &mut self,
        path: &str,
        kind: &str,
        charset: Option<&str>,
        octets: Bytes,
    ) -> Result<Said, LineError> {
        let Self { line, runtime, open } = self;
        let broken = |error: &dyn std::fmt::Display| LineError::Broken(error.to_string());
        let said = runtime.block_on(async {
            let exchange = async {
                let mut sender = match open.take().filter(|sender| !sender.is_closed()) {
                    Some(sender) => sender,
                    None => connect(line).await?,
                };
                let mut request = Request::builder()
                    .method(Method::POST)
                    .uri(path)
                    .header(HOST, format!("{}:{}", line.host, line.port))
                    .header(CONTENT_TYPE, kind);
                if let Some(charset) = charset {
                    request = request.header(ACCEPT_CHARSET, charset);
                }
                let request = request.body(Full::new(octets)).map_err(|error| broken(&error))?;
                sender.ready().await.map_err(|error| broken(&error))?;
                let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
                let retry_after = response.headers().get(RETRY_AFTER);
                let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
                let status = response.status().as_u16();
                let body = Limited::new(response.into_body(), OCTETS).collect().await;
                let octets = body.map_err(|error| broken(&error))?.to_bytes();
                Ok((Said { status, octets, retry_after }, sender))
            };
            tokio::time::timeout(WITHIN, exchange).await
        });
        let (said, sender) = said.map_err(|_| LineError::Broken("no answer in time".to_owned()))??;
        self.open = Some(sender);
        Ok(said)
    }
}

async fn connect(line: &Line) -> Result<SendRequest<Full<Bytes>>, LineError> {
    let broken = |error: &dyn std::fmt::Display| LineError::Broken(error.to_string());
    let socket = TcpStream::connect((line.host.as_str(), line.port)).await.map_err(|error| broken(&error))?;
    let _ = socket.set_nodelay(true);
    let connector = tokio_rustls::TlsConnector::from(Arc::clone(&line.tls));
    let stream = connector.connect(line.name.clone(), socket).await.map_err(|error| broken(&error))?;
    let (sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    tokio::spawn(async move {
        // How it ended is known to whoever waits for an answer.
        let _ = connection.await;
    });
    Ok(sender)
}
