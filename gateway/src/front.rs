//! The service listener: connections in, requests to the path, replies out.
//!
//! ```text
//! accept ─► tls (peer) ─► http/1 or http/2 by ALPN ─► routes ─► path, intake ─► reply
//! ```
//!
//! Holds connections, deadlines and the drain. What a request means is not known here.

mod batch;
mod body;
mod entrance;
mod fhir;
mod oqs;
mod prechecks;
mod routes;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use pki::UnixTime;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::gateway::Gateway;
use crate::peer::Peer;

pub use entrance::{Entrance, EntranceError, Plan};
pub use tls::TlsError;

/// Pause after a failed accept: when file descriptors run out, spinning helps nobody.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Room for the head of an HTTP/1 request, in octets, and for its fields: more than is let through,
/// so that most that is too much is refused with words and not by closing.
const HEAD_OCTETS: usize = 64 * 1024;
const HEADERS: usize = 256;
/// Most streams at once on one HTTP/2 connection.
const STREAMS: u32 = 64;

/// Serves one listener until `stop` turns true, then drains.
pub async fn serve(
    gateway: Arc<Gateway>,
    listener: TcpListener,
    entrance: Arc<Entrance>,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(gateway.limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        match accepted {
            Ok((socket, _)) => {
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                    gateway.metrics.connections_refused.inc();
                    continue;
                };
                let (gateway, entrance, stop) = (Arc::clone(&gateway), Arc::clone(&entrance), stop.clone());
                connections.spawn(async move {
                    connection(gateway, &entrance, socket, stop).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_secs(gateway.limits.drain_seconds), drained).await.is_err() {
        tracing::warn!(left = connections.len(), "connections left open at the end of the drain");
    }
}

async fn connection(
    gateway: Arc<Gateway>,
    entrance: &Entrance,
    socket: TcpStream,
    mut stop: watch::Receiver<bool>,
) {
    let _ = socket.set_nodelay(true);
    let deadline = Duration::from_secs(gateway.limits.handshake_seconds);
    let acceptor = TlsAcceptor::from(entrance.tls());
    let stream = match tokio::time::timeout(deadline, acceptor.accept(socket)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(_)) | Err(_) => {
            gateway.metrics.handshakes_failed.inc();
            return;
        }
    };
    let Some(chain) = stream.get_ref().1.peer_certificates() else { return };
    let chain: Vec<_> = chain.iter().map(|one| one.clone().into_owned()).collect();
    let Some(certificate) = chain.first() else { return };
    // A connection that goes on from an earlier one has had no look at its certificate in TLS.
    let now = UnixTime(gateway.clock.now().millis() / 1000);
    let Ok(admitted) = entrance.clients().admit(&chain, now) else {
        gateway.metrics.handshakes_failed.inc();
        return;
    };
    let peer = Arc::new(Peer::of(certificate, &gateway.roles));
    gateway.metrics.connections.inc();
    tokio::select! {
        () = speak(&gateway, stream, peer, &mut stop) => {}
        () = entrance.clients().fallen(admitted, &chain) => {
            tracing::warn!("connection closed: its client certificate does not stand any more");
        }
    }
    gateway.metrics.connections.dec();
}

/// Speaks HTTP/1.1 or HTTP/2, as ALPN chose; without ALPN it is HTTP/1.1.
async fn speak(
    gateway: &Arc<Gateway>,
    stream: TlsStream<TcpStream>,
    peer: Arc<Peer>,
    stop: &mut watch::Receiver<bool>,
) {
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let service = service_fn(move |request| {
        let (gateway, peer) = (Arc::clone(gateway), Arc::clone(&peer));
        async move { Ok::<_, std::convert::Infallible>(routes::reply(&gateway, &peer, request).await) }
    });
    let head = Duration::from_secs(gateway.limits.header_seconds);
    let io = TokioIo::new(stream);
    if is_http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(2 * routes::HEADER_OCTETS as u32)
            .max_pending_accept_reset_streams(20)
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10));
        let connection = builder.serve_connection(io, service);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stop.changed() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    } else {
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(head)
            .max_buf_size(HEAD_OCTETS)
            .max_headers(HEADERS);
        let connection = builder.serve_connection(io, service);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stop.changed() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }
}
