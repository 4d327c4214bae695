//! Calls to a running service, by a command with a certificate of its own.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HOST, LOCATION};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::CommandError;

/// Octets of one chunk of a file.
const CHUNK: usize = 256 * 1024;
/// How often a service that is busy is asked again.
pub(super) const TRIES: u32 = 20;

/// A running service, and who calls it.
#[derive(Args)]
pub(super) struct Server {
    /// The running service's address, such as https://localhost:8443
    #[arg(long, requires_all = ["ca", "cert", "key"])]
    server: Option<String>,
    /// PEM file: the CA of the server's certificate
    #[arg(long)]
    ca: Option<PathBuf>,
    /// PEM file: the caller's certificate
    #[arg(long)]
    cert: Option<PathBuf>,
    /// PEM file: the caller's private key
    #[arg(long)]
    key: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
}

impl Server {
    /// Runs calls to the service.
    pub(super) fn run<T>(
        &self,
        calls: impl AsyncFnOnce(Calls) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        let address = self.server.clone();
        let address =
            address.ok_or_else(|| CommandError::Usage("name the service: --server URL".to_owned()))?;
        let calls = calls(Calls { tls: self.tls()?, address });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(CommandError::environment)?;
        runtime.block_on(calls)
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, CommandError> {
        let wrong = |path: &Path, error: &dyn std::fmt::Display| {
            CommandError::Usage(format!("{}: {error}", path.display()))
        };
        // Clap has seen to it that all three are there.
        let [ca, cert, key] = [&self.ca, &self.cert, &self.key].map(|path| path.clone().unwrap_or_default());
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_file_iter(&ca).map_err(|error| wrong(&ca, &error))? {
            let root = root.map_err(|error| wrong(&ca, &error))?;
            roots.add(root).map_err(|error| wrong(&ca, &error))?;
        }
        let chain = CertificateDer::pem_file_iter(&cert).map_err(|error| wrong(&cert, &error))?;
        let chain = chain.collect::<Result<Vec<_>, _>>().map_err(|error| wrong(&cert, &error))?;
        let own = PrivateKeyDer::from_pem_file(&key).map_err(|error| wrong(&key, &error))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(CommandError::environment)?;
        let config = builder.with_root_certificates(roots).with_client_auth_cert(chain, own);
        config.map(Arc::new).map_err(|error| wrong(&cert, &error))
    }
}

/// Requests to the service, each on a connection of its own.
pub(super) struct Calls {
    tls: Arc<ClientConfig>,
    /// `https://host:port`.
    pub(super) address: String,
}

impl Calls {
    /// What is said to this, sent as JSON.
    pub(super) async fn post<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        json: &serde_json::Value,
    ) -> Result<T, CommandError> {
        let body = FileBody::of(std::io::Cursor::new(json.to_string()));
        let reply = self.call(Method::POST, path, Some("application/json"), body).await?;
        self.json(reply, StatusCode::OK).await
    }

    /// What stands there.
    pub(super) async fn show<T: serde::de::DeserializeOwned>(
        &mut self,
        path: &str,
    ) -> Result<T, CommandError> {
        let reply = self.get(path).await?;
        self.json(reply, StatusCode::OK).await
    }

    /// Asks, where the service is busy again and again; goes where it is sent, and stays there.
    pub(super) async fn get(&mut self, path: &str) -> Result<Response<Incoming>, CommandError> {
        for _ in 0..TRIES {
            let reply = self.call(Method::GET, path, None, FileBody::of(std::io::empty())).await?;
            match reply.status() {
                StatusCode::SERVICE_UNAVAILABLE => pause(&reply).await,
                StatusCode::TEMPORARY_REDIRECT => {
                    let location = reply.headers().get(LOCATION).and_then(|location| location.to_str().ok());
                    let elsewhere = location.and_then(|location| location.strip_suffix(path));
                    self.address = elsewhere.ok_or_else(|| self.broken(&"sent to nowhere"))?.to_owned();
                }
                _ => return Ok(reply),
            }
        }
        Err(CommandError::Environment(format!("{}: is busy; try again later", self.address)))
    }

    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        kind: Option<&str>,
        body: FileBody,
    ) -> Result<Response<Incoming>, CommandError> {
        let wrong = || {
            CommandError::Usage(format!("--server {}: is no address such as https://host:8443", self.address))
        };
        let uri: Uri = self.address.parse().map_err(|_| wrong())?;
        let host = uri.host().filter(|_| uri.scheme_str() == Some("https")).ok_or_else(wrong)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().unwrap_or(443);
        let name = ServerName::try_from(bare.clone()).map_err(|_| wrong())?;
        let socket = TcpStream::connect((bare.as_str(), port)).await.map_err(|error| self.broken(&error))?;
        let tls = TlsConnector::from(Arc::clone(&self.tls)).connect(name, socket).await;
        let io = TokioIo::new(tls.map_err(|error| self.broken(&error))?);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(io).await.map_err(|error| self.broken(&error))?;
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path).header(HOST, format!("{host}:{port}"));
        if let Some(kind) = kind {
            request = request.header(CONTENT_TYPE, kind);
        }
        let request = request.body(body).map_err(|error| self.broken(&error))?;
        sender.send_request(request).await.map_err(|error| self.broken(&error))
    }

    pub(super) async fn json<T: serde::de::DeserializeOwned>(
        &self,
        reply: Response<Incoming>,
        wanted: StatusCode,
    ) -> Result<T, CommandError> {
        if reply.status() != wanted {
            return Err(self.refused(reply).await);
        }
        let body = reply.into_body().collect().await.map_err(|error| self.broken(&error))?;
        serde_json::from_slice(&body.to_bytes()).map_err(|_| self.broken(&"another answer than expected"))
    }

    pub(super) async fn refused(&self, reply: Response<Incoming>) -> CommandError {
        let status = reply.status();
        let body = reply.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let said = serde_json::from_slice::<Problem>(&body)
            .map_or_else(|_| status.to_string(), |problem| format!("{} ({})", problem.detail, problem.code));
        let said = format!("{}: {said}", self.address);
        if status.is_client_error() { CommandError::No(said) } else { CommandError::Environment(said) }
    }

    pub(super) fn broken(&self, error: &dyn std::fmt::Display) -> CommandError {
        CommandError::Environment(format!("{}: {error}", self.address))
    }
}

/// Waits as long as the service asks to.
pub(super) async fn pause(reply: &Response<Incoming>) {
    let asked =
        reply.headers().get(hyper::header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    tokio::time::sleep(Duration::from_secs(asked.unwrap_or(2).min(30))).await;
}

/// A file as it is sent: read a chunk at a time, however large it is.
pub(super) struct FileBody {
    file: Box<dyn Read + Send>,
}

impl FileBody {
    /// What this reader gives.
    pub(super) fn of(file: impl Read + Send + 'static) -> Self {
        Self { file: Box::new(file) }
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
        let mut chunk = vec![0; CHUNK];
        Poll::Ready(match self.file.read(&mut chunk) {
            Ok(0) => None,
            Ok(read) => {
                chunk.truncate(read);
                Some(Ok(Frame::data(chunk.into())))
            }
            Err(error) => Some(Err(error)),
        })
    }
}
