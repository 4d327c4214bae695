//! A server that always answers the same, at once or after a known time: what a generator is
//! measured against.

mod swift;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::clock;
use crate::schedule::Random;

/// How the server answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Every answer takes so long, one after the other on each connection.
    pub delay: Duration,
    /// Everything stands still for `stall` …
    pub stall: Duration,
    /// … every so often; never when zero.
    pub every: Duration,
}

/// An answer of eligibility, as short as can be.
const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 27\r\n\r\n{\"status\":\"valid\",\"code\":1}";

/// A server that goes on until the program ends.
pub struct Constant {
    /// Where it listens.
    pub address: SocketAddr,
}

impl Constant {
    /// Listens and answers: at once by one thread for all, otherwise by a thread a connection.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub fn start(address: SocketAddr, manner: Manner) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        if manner == Manner::default() {
            let swift = swift::Swift::new(listener)?;
            thread::spawn(move || swift.run());
            return Ok(Self { address });
        }
        let began = clock::instant();
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                thread::spawn(move || {
                    // The other side has closed.
                    let _ = serve(socket, manner, began);
                });
            }
        });
        Ok(Self { address })
    }
}

/// Answers one connection in its own time.
fn serve(mut socket: TcpStream, manner: Manner, began: Instant) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut random = Random::of(1, began.elapsed().as_nanos() as u64);
    let mut arrived = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let mut reply = Vec::new();
        if !answer(&mut arrived, &mut reply, &mut random)? {
            match socket.read(&mut buffer)? {
                0 => return Ok(()),
                read => arrived.extend_from_slice(buffer.get(..read).unwrap_or_default()),
            }
            continue;
        }
        thread::sleep(manner.delay);
        if !manner.every.is_zero() {
            let into = began.elapsed().as_nanos() % manner.every.as_nanos().max(1);
            let left = manner.stall.as_nanos().saturating_sub(into);
            thread::sleep(Duration::from_nanos(left as u64));
        }
        socket.write_all(&reply)?;
    }
}

/// Takes one whole request from what arrived and adds its answer; false while some is missing.
fn answer(arrived: &mut Vec<u8>, reply: &mut Vec<u8>, random: &mut Random) -> std::io::Result<bool> {
    if arrived.is_empty() {
        return Ok(false);
    }
    let mut fields = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut fields);
    let httparse::Status::Complete(head) = request.parse(arrived).map_err(std::io::Error::other)? else {
        return Ok(false);
    };
    let length = request.headers.iter().find(|one| one.name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.and_then(|one| std::str::from_utf8(one.value).ok()?.parse().ok()).unwrap_or(0);
    let wants_challenges = request.path == Some("/v1/challenges");
    let Some(body) = arrived.get(head..head + length) else { return Ok(false) };
    if wants_challenges {
        reply.extend_from_slice(challenges(body, random).as_bytes());
    } else {
        reply.extend_from_slice(ANSWER.as_bytes());
    }
    arrived.drain(..head + length);
    Ok(true)
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
