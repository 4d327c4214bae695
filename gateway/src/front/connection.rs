//! One connection: its handshake, the protocol it speaks, its requests, its end.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HOST, HeaderValue, TRANSFER_ENCODING};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use pki::UnixTime;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::body::Delivered;
use super::budget::tenant;
use super::pace::Pace;
use super::strict::Strict;
use super::tls::Identity;
use super::traffic::Traffic;
use super::{Entrance, Porch, body, route, routes, scan};
use crate::clock::Clock;
use crate::metrics::Stage;
use crate::peer::Peer;
use crate::refusal::Refusal;

/// Octets of an HTTP/1 connection that the library reads ahead, and gathers for writing, at most: four
/// heads. What is longer than a head never reaches it.
const BUFFER: usize = 4 * scan::HEAD_OCTETS;
/// Most streams at once on one HTTP/2 connection.
const STREAMS: u32 = 64;
/// Time that a connection which has just come is given for its first request, when all others end.
const LAST_CALL: Duration = Duration::from_secs(1);

/// A stream after its handshake.
type Stream = Box<TlsStream<TcpStream>>;

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failed {
    /// What was said is no TLS, or no certificate that is let in.
    Refused,
    /// It took too long.
    Late,
    /// It was the oldest of too many.
    Dropped,
    /// It was the newest behind too many.
    Shed,
}

impl Failed {
    const fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Late => "late",
            Self::Dropped => "dropped",
            Self::Shed => "shed",
        }
    }
}

/// Who is at the other end, and by which names it may call us.
struct Caller {
    porch: Arc<Porch>,
    peer: Arc<Peer>,
    identity: Arc<Identity>,
    /// It asked for another host in its handshake.
    astray: bool,
    traffic: Arc<Traffic>,
    stop: watch::Receiver<bool>,
}

/// Serves a connection to its end.
pub(super) async fn serve(
    porch: Arc<Porch>,
    entrance: &Entrance,
    (socket, from): (TcpStream, SocketAddr),
    stop: watch::Receiver<bool>,
) {
    let _ = socket.set_nodelay(true);
    let (identity, metrics) = (entrance.identity(), Arc::clone(&porch.metrics));
    let within = Duration::from_secs(porch.limits.handshake_seconds);
    // In a room of its own, which is given back before the connection rests.
    let greeting = Box::pin(greet(&porch, &identity, socket, from.ip()));
    let greeted = tokio::time::timeout(within, greeting).await;
    let stream = match greeted.unwrap_or(Err(Failed::Late)) {
        Ok(stream) => stream,
        Err(failed) => return metrics.handshake(failed.word()),
    };
    let Some(chain) = stream.get_ref().1.peer_certificates() else { return };
    let chain: Vec<_> = chain.iter().map(|one| one.clone().into_owned()).collect();
    let Some(certificate) = chain.first() else { return };
    // A connection that goes on from an earlier one has had no look at its certificate in TLS.
    let now = UnixTime(porch.clock.now().millis() / 1000);
    let Ok(admitted) = entrance.clients().admit(&chain, now) else {
        return metrics.handshake(Failed::Refused.word());
    };
    metrics.handshake("done");
    let peer = Arc::new(Peer::of(certificate, &porch.roles));
    let traffic = porch.watch.connection();
    let astray = stream.get_ref().1.server_name().is_some_and(|name| !identity.names.has(name));
    let caller = Caller { porch, peer, identity, astray, traffic: Arc::clone(&traffic), stop };
    metrics.connections.inc();
    tokio::select! {
        () = speak(Arc::new(caller), stream) => {}
        () = traffic.ended() => {}
        () = entrance.clients().fallen(admitted, &chain) => {
            tracing::warn!("connection closed: its client certificate does not stand any more");
        }
    }
    if let Some(why) = traffic.why() {
        metrics.connections_ended.with_label_values(&[why.word()]).inc();
    }
    metrics.connections.dec();
}

/// The handshake: its first message costs nothing to take; before the rest, which costs, it waits for its
/// turn while there are too many.
async fn greet(
    porch: &Porch,
    identity: &Identity,
    socket: TcpStream,
    from: IpAddr,
) -> Result<Stream, Failed> {
    let greeting = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), socket);
    let greeting = greeting.await.map_err(|_| Failed::Refused)?;
    porch.load.greet(place(from)).await.ok_or(Failed::Shed)?;
    let (began, end) = (Clock::instant(), porch.handshakes.begin());
    tokio::select! {
        stream = greeting.into_stream(Arc::clone(&identity.tls)) => {
            porch.metrics.stage(Stage::Handshake, began.elapsed());
            stream.map(Box::new).map_err(|_| Failed::Refused)
        }
        Ok(()) = end => Err(Failed::Dropped),
    }
}

/// Where somebody comes from, as a number: addresses take turns.
fn place(from: IpAddr) -> u64 {
    match from.to_canonical() {
        IpAddr::V4(address) => u64::from(u32::from(address)),
        // A site has at least a /64 of its own.
        IpAddr::V6(address) => (u128::from(address) >> 64) as u64,
    }
}

/// Speaks HTTP/1.1 or HTTP/2, as ALPN chose; without ALPN it is HTTP/1.1.
async fn speak(caller: Arc<Caller>, stream: Stream) {
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let traffic = Arc::clone(&caller.traffic);
    let pace = Pace::new(Arc::clone(&caller.porch.load), tenant(&caller.peer));
    let mut stop = caller.stop.clone();
    let service = service_fn(move |request| {
        let caller = Arc::clone(&caller);
        async move { Ok::<_, std::convert::Infallible>(answer(&caller, request).await) }
    });
    // The two libraries' connections have no common type.
    macro_rules! finish {
        ($connection:ident) => {{
            if !traffic.has_begun() {
                tokio::select! {
                    _ = $connection.as_mut() => return,
                    () = tokio::time::sleep(LAST_CALL) => {}
                }
            }
            $connection.as_mut().graceful_shutdown();
            let _ = $connection.await;
        }};
    }
    if is_http2 {
        let io = TokioIo::new(Strict::http2(stream, Arc::clone(&traffic), pace));
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(2 * scan::HEAD_OCTETS as u32)
            .max_pending_accept_reset_streams(20)
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10));
        let mut connection = Box::pin(builder.serve_connection(io, service));
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stop.wait_for(|stop| *stop) => {}
        }
        finish!(connection);
    } else {
        let mut io = Box::new(Strict::http1(stream, Arc::clone(&traffic), pace, route::takes_stream));
        let mut builder = http1::Builder::new();
        // The watch keeps the time of heads, and of everything else.
        builder.header_read_timeout(None).max_buf_size(BUFFER);
        loop {
            let mut connection = Box::pin(builder.serve_connection(TokioIo::new(io), service.clone()));
            let rests = tokio::select! {
                _ = connection.as_mut() => return,
                _ = stop.wait_for(|stop| *stop) => false,
                () = traffic.rests() => true,
            };
            if !rests {
                return finish!(connection);
            }
            // The library's buffers take more than all the rest. At rest there is nothing in them.
            io = Pin::into_inner(connection).into_parts().io.into_inner();
            tokio::select! {
                _ = io.inner().get_ref().0.readable() => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        let _ = io.shutdown().await;
    }
}

async fn answer(caller: &Caller, request: Request<Incoming>) -> Response<Delivered> {
    let Caller { porch, peer, traffic, .. } = caller;
    let is_http1 = request.version() < Version::HTTP_2;
    // Behind a body in chunks nothing is read any more, and when all connections end, this one does.
    let chunked = request.headers().contains_key(TRANSFER_ENCODING);
    let last = is_http1 && (chunked || *caller.stop.borrow());
    let refused = traffic.begin().or_else(|| caller.is_astray(&request).then_some(Refusal::Misdirected));
    let mut response = match (refused, porch.started.get()) {
        (Some(Refusal::Overloaded), _) => {
            porch.metrics.refused_late.inc();
            body::refused_unread(request, &Refusal::Overloaded).await
        }
        (Some(refusal), Some(gateway)) => routes::refuse(gateway, peer, &refusal).await,
        (Some(refusal), None) => body::refused_unread(request, &refusal).await,
        (None, None) => body::refused_unread(request, &Refusal::NotReady).await,
        (None, Some(gateway)) => routes::reply(gateway, peer, request).await,
    };
    if last {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    traffic.reply();
    response.map(|body| Delivered::new(body, Arc::clone(traffic)))
}

impl Caller {
    /// Whether a request is for a host that this is not. Old clients that name none are at home.
    fn is_astray(&self, request: &Request<Incoming>) -> bool {
        let names = &self.identity.names;
        let host = request.headers().get(HOST).map(|host| host.to_str().unwrap_or_default());
        let authority = request.uri().authority().map(|authority| authority.as_str());
        self.astray || [host, authority].into_iter().flatten().any(|name| !names.has(name))
    }
}
