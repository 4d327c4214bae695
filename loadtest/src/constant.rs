//! A server that always answers the same, at once or after a known time: what a generator is
//! measured against.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::clock;
use crate::schedule::Random;

/// How the server answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Every answer takes so long, one after the other on each connection.
    pub delay: Duration,
    /// Everything stands still for `stall` …
    pub stall: Duration,
    /// … every so often; never when zero.
    pub every: Duration,
}

/// Octets of a card query's answer.
const ANSWER: &str = "{\"status\":\"valid\",\"code\":1}";

/// A server that goes on until the program ends.
pub struct Constant {
    /// Where it listens.
    pub address: SocketAddr,
    /// Requests answered.
    pub answered: Arc<AtomicU64>,
}

impl Constant {
    /// Listens and answers, a thread a connection.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub fn start(address: SocketAddr, manner: Manner) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let answered = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&answered);
        let began = clock::instant();
        thread::spawn(move || {
            for (number, socket) in listener.incoming().flatten().enumerate() {
                let count = Arc::clone(&count);
                thread::spawn(move || {
                    let mut random = Random::of(number as u64, 1);
                    // The other side has closed.
                    let _ = answer(socket, manner, began, &mut random, &count);
                });
            }
        });
        Ok(Self { address, answered })
    }
}

fn answer(
    mut socket: TcpStream,
    manner: Manner,
    began: std::time::Instant,
    random: &mut Random,
    count: &AtomicU64,
) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let ready = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{ANSWER}", ANSWER.len());
    let mut arrived = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let mut fields = [httparse::EMPTY_HEADER; 32];
        let mut request = httparse::Request::new(&mut fields);
        let parsed = request.parse(&arrived).map_err(std::io::Error::other)?;
        let whole = match parsed {
            httparse::Status::Partial => None,
            httparse::Status::Complete(head) => {
                let length =
                    request.headers.iter().find(|one| one.name.eq_ignore_ascii_case("content-length"));
                let length: usize =
                    length.and_then(|one| std::str::from_utf8(one.value).ok()?.parse().ok()).unwrap_or(0);
                let wants_challenges = request.path == Some("/v1/challenges");
                (arrived.len() >= head + length).then_some((head, length, wants_challenges))
            }
        };
        let Some((head, length, wants_challenges)) = whole else {
            match socket.read(&mut buffer)? {
                0 => return Ok(()),
                read => arrived.extend_from_slice(buffer.get(..read).unwrap_or_default()),
            }
            continue;
        };
        if !manner.delay.is_zero() {
            thread::sleep(manner.delay);
        }
        if !manner.every.is_zero() {
            let into = began.elapsed().as_nanos() % manner.every.as_nanos().max(1);
            let left = manner.stall.as_nanos().saturating_sub(into);
            thread::sleep(Duration::from_nanos(left as u64));
        }
        if wants_challenges {
            let body = arrived.get(head..head + length).unwrap_or_default();
            socket.write_all(challenges(body, random).as_bytes())?;
        } else {
            socket.write_all(ready.as_bytes())?;
        }
        count.fetch_add(1, Ordering::Relaxed);
        arrived.drain(..head + length);
    }
}

/// So many challenges as `{"count":n}` asks for.
fn challenges(body: &[u8], random: &mut Random) -> String {
    let digits: String = String::from_utf8_lossy(body).chars().filter(char::is_ascii_digit).take(3).collect();
    let count: u32 = digits.parse().unwrap_or(1).clamp(1, 100);
    // As long as a gateway's: 56 octets in base64url.
    let one = |_| {
        let text: String = (0..5).map(|_| format!("{:015x}", random.bits() >> 4)).collect();
        format!("{{\"challenge\":\"{text}\",\"expires_at\":\"2099-01-01T00:00:00+09:00\"}}")
    };
    let body = format!("{{\"challenges\":[{}]}}", (0..count).map(one).collect::<Vec<_>>().join(","));
    format!("HTTP/1.1 201 Created\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}
