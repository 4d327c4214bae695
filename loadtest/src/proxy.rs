//! A TCP proxy with faults, to put between a client and a server.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, sleep_until};

use crate::schedule::Random;

/// What the proxy does to what passes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Every piece is late by so much …
    pub latency: Duration,
    /// … and by chance up to so much more.
    pub jitter: Duration,
    /// Octets a second in each direction; 0: as many as go.
    pub bandwidth: u64,
    /// Longest piece passed on at once; 0: any.
    pub slice: usize,
    /// A connection is reset after so many octets of answers; 0: never.
    pub reset_after: u64,
    /// After so many octets of answers nothing passes any more; 0: never.
    pub blackhole_after: u64,
    /// After so many octets of requests that direction is closed, the other stays open; 0: never.
    pub half_close_after: u64,
}

/// A proxy that listens.
pub struct Proxy {
    listener: TcpListener,
    to: SocketAddr,
    faults: Faults,
}

impl Proxy {
    /// Listens.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn bind(listen: SocketAddr, to: SocketAddr, faults: Faults) -> std::io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(listen).await?, to, faults })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// As the system has it.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Passes connections on for ever.
    pub async fn run(self) {
        let mut number = 0;
        loop {
            let Ok((socket, _)) = self.listener.accept().await else {
                sleep(Duration::from_millis(50)).await;
                continue;
            };
            number += 1;
            let (to, faults) = (self.to, self.faults);
            tokio::spawn(async move {
                // The other side has closed, or cannot be reached: nothing is left to pass on.
                let _ = pass(socket, to, faults, number).await;
            });
        }
    }
}

/// Why a direction ends.
enum End {
    /// Its sender has closed.
    Closed,
    /// The connection shall be reset.
    Reset,
}

async fn pass(client: TcpStream, to: SocketAddr, faults: Faults, number: u64) -> std::io::Result<()> {
    let server = TcpStream::connect(to).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let up = Direction { faults, random: Random::of(number, 1), is_answer: false };
    let down = Direction { faults, random: Random::of(number, 2), is_answer: true };
    let asked = tokio::spawn(async move { up.pass(from_client, to_server).await });
    let (answered, to_client) = down.pass(from_server, to_client).await;
    if matches!(answered, End::Reset) {
        // With linger zero closing sends RST; dropping this half would send FIN before.
        to_client.as_ref().set_zero_linger()?;
        to_client.forget();
        asked.abort();
    } else {
        drop(to_client);
    }
    let _ = asked.await;
    Ok(())
}

struct Direction {
    faults: Faults,
    random: Random,
    is_answer: bool,
}

impl Direction {
    async fn pass(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> (End, OwnedWriteHalf) {
        let mut buffer = vec![0; 64 * 1024];
        let mut passed: u64 = 0;
        let most = if self.faults.slice == 0 { buffer.len() } else { self.faults.slice.min(buffer.len()) };
        let begun = Instant::now();
        loop {
            let Some(room) = buffer.get_mut(..most) else { return (End::Closed, to) };
            let read = match from.read(room).await {
                Ok(0) | Err(_) => {
                    let _ = to.shutdown().await;
                    return (End::Closed, to);
                }
                Ok(read) => read,
            };
            self.wait(begun, passed + read as u64).await;
            let reached = |limit: u64| limit > 0 && passed + read as u64 > limit;
            if self.is_answer && reached(self.faults.reset_after) {
                return (End::Reset, to);
            }
            if self.is_answer && reached(self.faults.blackhole_after) {
                std::future::pending::<()>().await;
            }
            if !self.is_answer && reached(self.faults.half_close_after) {
                let _ = to.shutdown().await;
                return (End::Closed, to);
            }
            if to.write_all(room.get(..read).unwrap_or_default()).await.is_err() {
                return (End::Closed, to);
            }
            passed += read as u64;
        }
    }

    /// Waits as long as this piece is late.
    async fn wait(&mut self, begun: Instant, octets: u64) {
        let jitter = self.faults.jitter.mul_f64(self.random.unit());
        let late = self.faults.latency + jitter;
        if !late.is_zero() {
            sleep(late).await;
        }
        if self.faults.bandwidth > 0 {
            sleep_until(begun + Duration::from_secs_f64(octets as f64 / self.faults.bandwidth as f64)).await;
        }
    }
}
