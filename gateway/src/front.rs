//! The service listener: connections in, requests to the path, replies out.
//!
//! ```text
//! accept ─► places ─► tls (peer) ─► strict ─┬─ scan ───► http/1 ─┬─► routes ─► path, intake ─► reply
//!                       │            pace   └─ frames ─► http/2 ─┘
//!                       └── load: who is greeted and read while too much is asked
//!                           watch: ends whoever keeps us waiting
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `porch` | what connections share, before and after the gateway behind them has started |
//! | `entrance`, `tls`, `names` | an address: its certificate, its names, whom it lets in |
//! | `sockets` | listening sockets, our own or handed over by whoever started us |
//! | `places`, `handshakes`, `budget` | bounds: connections, handshakes at once, requests of an institution |
//! | [`load`], `pace` | how long requests wait, and what is left undone then |
//! | `connection` | one connection from handshake to end |
//! | `strict`, [`scan`], `frames`, `traffic` | reading strictly, and in time |
//! | `route`, `routes`, `asked`, `acts`, … | from method and path to the piece of the house that answers |
//!
//! Holds connections, deadlines and the drain. What a request means is not known here.

mod acts;
mod asked;
mod batch;
mod body;
mod budget;
mod connection;
mod entrance;
mod fhir;
mod frames;
mod handshakes;
pub mod load;
mod lookout;
mod names;
mod oqs;
mod pace;
mod past;
mod places;
mod porch;
mod prechecks;
mod route;
mod routes;
pub mod scan;
mod sockets;
mod strict;
mod tls;
mod traffic;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) use body::Arriving;
pub use entrance::{Entrance, EntranceError, Plan};
pub use lookout::Watch;
pub use places::Places;
pub use porch::{Porch, PorchError};
pub use sockets::{Door, SocketError, Sockets};
pub use tls::TlsError;

/// Pause after a failed accept: when file descriptors run out, spinning helps nobody.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves one listener until `stop` turns true, then drains.
pub async fn serve(porch: Arc<Porch>, door: Door, entrance: Arc<Entrance>, mut stop: watch::Receiver<bool>) {
    let Door { listener, is_shared } = door;
    let mut connections = JoinSet::new();
    let stopping = stop.clone();
    let let_in = |accepted, connections: &mut JoinSet<()>| {
        let_in(&porch, &entrance, accepted, &stopping, connections);
    };
    if is_shared {
        tokio::select! {
            () = porch.begun() => {}
            () = tokio::time::sleep(sockets::LEFT_WAITING) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        match accepted {
            Ok(accepted) => let_in(accepted, &mut connections),
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                porch.metrics.accepts_failed.inc();
                tokio::select! {
                    () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                    _ = stop.wait_for(|stop| *stop) => break,
                }
            }
        }
    }
    if !is_shared {
        // Who is in the line already is let in; behind a shared door stands somebody else.
        while let Ok(Ok(accepted)) = tokio::time::timeout(Duration::ZERO, listener.accept()).await {
            let_in(accepted, &mut connections);
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_secs(porch.limits.drain_seconds), drained).await.is_err() {
        tracing::warn!(left = connections.len(), "connections left open at the end of the drain");
    }
}

fn let_in(
    porch: &Arc<Porch>,
    entrance: &Arc<Entrance>,
    (socket, from): (TcpStream, std::net::SocketAddr),
    stop: &watch::Receiver<bool>,
    connections: &mut JoinSet<()>,
) {
    let Some(place) = porch.places.take(from.ip()) else {
        porch.metrics.connections_refused.inc();
        return;
    };
    let (porch, entrance, stop) = (Arc::clone(porch), Arc::clone(entrance), stop.clone());
    connections.spawn(async move {
        connection::serve(porch, &entrance, (socket, from), stop).await;
        drop(place);
    });
}
