//! The bare server: hyper over the same TLS, the same answer to everything.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, version};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::Failed;

/// Serves until it is killed: `ADDRESS FOLDER FILE`, the answer's body in the file.
pub(super) fn serve(arguments: &mut impl Iterator<Item = String>) -> Result<(), Failed> {
    let mut next = || arguments.next().ok_or("bare ADDRESS FOLDER FILE");
    let (address, folder, file): (SocketAddr, PathBuf, PathBuf) =
        (next()?.parse()?, next()?.into(), next()?.into());
    let body = Bytes::from(std::fs::read(file)?);
    let acceptor = TlsAcceptor::from(Arc::new(tls(&folder)?));
    // As the gateway: a thread a core, of which `taskset` leaves one.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        tokio::spawn(async move {
            loop {
                if let Ok((socket, _)) = listener.accept().await {
                    tokio::spawn(connection(acceptor.clone(), socket, body.clone()));
                }
            }
        })
        .await?;
        Ok(())
    })
}

async fn connection(acceptor: TlsAcceptor, socket: TcpStream, body: Bytes) {
    let _ = socket.set_nodelay(true);
    let Ok(stream) = acceptor.accept(socket).await else { return };
    let service = service_fn(move |request: Request<Incoming>| {
        let body = body.clone();
        async move {
            let _ = request.into_body().collect().await;
            let mut response = Response::new(Full::new(body));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            let id = "019a0000-0000-7000-8000-000000000000";
            headers.insert("request-id", HeaderValue::from_static(id));
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// TLS as the gateway has it, callers judged by rustls' own verifier.
fn tls(folder: &Path) -> Result<ServerConfig, Failed> {
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups =
        vec![kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];
    let provider = Arc::new(provider);
    let mut roots = RootCertStore::empty();
    for ca in CertificateDer::pem_file_iter(folder.join("tls/ca.pem"))? {
        roots.add(ca?)?;
    }
    let callers =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build()?;
    let chain = CertificateDer::pem_file_iter(folder.join("tls/server.pem"))?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(folder.join("tls/server-key.pem"))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])?
        .with_client_cert_verifier(callers)
        .with_single_cert(chain, key)?;
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.send_tls13_tickets = 1;
    Ok(config)
}
