//! The service listener: connections in, requests to the path, replies out.
//!
//! ```text
//! accept ─► places ─► tls (peer) ─► strict ─┬─ scan ───► http/1 ─┬─► routes ─► path, intake ─► reply
//!                                           └─ frames ─► http/2 ─┘
//!                          watch: ends whoever keeps us waiting
//! ```
//!
//! Holds connections, deadlines and the drain. What a request means is not known here.

mod acts;
mod asked;
mod batch;
mod body;
mod entrance;
mod fhir;
mod frames;
mod oqs;
mod past;
mod places;
mod prechecks;
mod route;
mod routes;
pub mod scan;
mod strict;
mod tls;
mod traffic;

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, TRANSFER_ENCODING};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use pki::UnixTime;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::gateway::Gateway;
use crate::peer::Peer;
use body::Delivered;
use strict::Strict;
use traffic::Traffic;

pub use entrance::{Entrance, EntranceError, Plan};
pub use places::Places;
pub use tls::TlsError;
pub use traffic::Watch;

/// Pause after a failed accept: when file descriptors run out, spinning helps nobody.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Octets of an HTTP/1 connection that the library reads ahead, and gathers for writing, at most: four
/// heads. What is longer than a head never reaches it.
const BUFFER: usize = 4 * scan::HEAD_OCTETS;
/// Most streams at once on one HTTP/2 connection.
const STREAMS: u32 = 64;

/// Serves one listener until `stop` turns true, then drains.
pub async fn serve(
    gateway: Arc<Gateway>,
    listener: TcpListener,
    entrance: Arc<Entrance>,
    (places, watch): (Arc<Places>, Watch),
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        match accepted {
            Ok((socket, from)) => {
                let Some(place) = places.take(from.ip()) else {
                    gateway.metrics.connections_refused.inc();
                    continue;
                };
                let (gateway, entrance, stop) = (Arc::clone(&gateway), Arc::clone(&entrance), stop.clone());
                let watch = watch.clone();
                connections.spawn(async move {
                    connection(gateway, &entrance, socket, (&watch, stop)).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::select! {
                    () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                    _ = stop.changed() => break,
                }
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
    (watch, mut stop): (&Watch, watch::Receiver<bool>),
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
    let traffic = watch.connection();
    gateway.metrics.connections.inc();
    tokio::select! {
        () = speak(&gateway, stream, (&peer, &traffic), &mut stop) => {}
        () = traffic.ended() => {}
        () = entrance.clients().fallen(admitted, &chain) => {
            tracing::warn!("connection closed: its client certificate does not stand any more");
        }
    }
    if let Some(why) = traffic.why() {
        gateway.metrics.connections_ended.with_label_values(&[why.word()]).inc();
    }
    gateway.metrics.connections.dec();
}

/// Speaks HTTP/1.1 or HTTP/2, as ALPN chose; without ALPN it is HTTP/1.1.
async fn speak(
    gateway: &Arc<Gateway>,
    stream: TlsStream<TcpStream>,
    (peer, traffic): (&Arc<Peer>, &Arc<Traffic>),
    stop: &mut watch::Receiver<bool>,
) {
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let service = service_fn(move |request| {
        let (gateway, peer, traffic) = (Arc::clone(gateway), Arc::clone(peer), Arc::clone(traffic));
        async move { Ok::<_, std::convert::Infallible>(answer(&gateway, &peer, traffic, request).await) }
    });
    if is_http2 {
        let io = TokioIo::new(Strict::http2(stream, Arc::clone(traffic)));
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(2 * scan::HEAD_OCTETS as u32)
            .max_pending_accept_reset_streams(20)
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10));
        let mut connection = std::pin::pin!(builder.serve_connection(io, service));
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stop.changed() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    } else {
        let io = TokioIo::new(Strict::http1(stream, Arc::clone(traffic), route::takes_stream));
        let mut builder = http1::Builder::new();
        // The watch keeps the time of heads, and of everything else.
        builder.header_read_timeout(None).max_buf_size(BUFFER);
        let mut connection = std::pin::pin!(builder.serve_connection(io, service));
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stop.changed() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }
}

async fn answer(
    gateway: &Arc<Gateway>,
    peer: &Arc<Peer>,
    traffic: Arc<Traffic>,
    request: Request<Incoming>,
) -> Response<Delivered> {
    // Behind a body in chunks nothing is read any more.
    let last = request.version() < Version::HTTP_2 && request.headers().contains_key(TRANSFER_ENCODING);
    let mut response = match traffic.begin() {
        Some(refusal) => routes::refuse(gateway, peer, &refusal),
        None => routes::reply(gateway, peer, request).await,
    };
    if last {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    traffic.reply();
    response.map(|body| Delivered::new(body, traffic))
}
