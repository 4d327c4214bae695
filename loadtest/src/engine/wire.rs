//! One connection: socket, TLS, and octets that could not be sent yet.

mod http2;

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustls::{ClientConfig, ClientConnection};

use crate::outcome::Word;
use crate::target::Server;
use http2::Http2;

/// A connection.
pub(super) struct Wire {
    socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// Plain octets that the socket did not take.
    unsent: Vec<u8>,
    connecting: bool,
    http2: Option<Box<Http2>>,
}

impl Wire {
    /// Begins to connect.
    pub(super) fn connect(server: &Server, tls: Option<&Arc<ClientConfig>>) -> Result<Self, Word> {
        let family = if server.address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)
            .map_err(|error| word(&error.into()))?;
        match rustix::net::connect(&socket, &server.address) {
            Ok(()) | Err(rustix::io::Errno::INPROGRESS) => {}
            Err(error) => return Err(word(&error.into())),
        }
        let tls = match (&server.name, tls) {
            (Some(name), Some(config)) => {
                let protocols = if server.http2 { vec![b"h2".to_vec()] } else { Vec::new() };
                let session = ClientConnection::new_with_alpn(Arc::clone(config), name.clone(), protocols);
                Some(Box::new(session.map_err(|_| Word::TLS)?))
            }
            _ => None,
        };
        let http2 = server.http2.then(|| Http2::start(tls.is_some())).transpose()?.map(Box::new);
        Ok(Self { socket: TcpStream::from(socket), tls, unsent: Vec::new(), connecting: true, http2 })
    }

    /// Whether requests can be sent.
    pub(super) fn is_open(&self) -> bool {
        !self.connecting && self.tls.as_ref().is_none_or(|tls| !tls.is_handshaking())
    }

    /// Whether the socket shall tell when it takes octets.
    pub(super) fn wants_to_write(&self) -> bool {
        self.connecting || !self.unsent.is_empty() || self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Sends a request, or as much of it as goes.
    pub(super) fn send(&mut self, request: &[u8]) -> Result<(), Word> {
        match &mut self.http2 {
            Some(http2) => {
                http2.ask(request)?;
                let octets = http2.outgoing();
                self.put(&octets)
            }
            None => self.put(request),
        }
    }

    fn put(&mut self, octets: &[u8]) -> Result<(), Word> {
        match &mut self.tls {
            Some(tls) => {
                tls.writer().write_all(octets).map_err(|_| Word::TLS)?;
                self.flush()
            }
            None => {
                let sent = match self.socket.write(octets) {
                    Ok(sent) => sent,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                    Err(error) => return Err(word(&error)),
                };
                self.unsent.extend_from_slice(octets.get(sent..).unwrap_or_default());
                Ok(())
            }
        }
    }

    /// Sends what waits.
    pub(super) fn flush(&mut self) -> Result<(), Word> {
        if std::mem::take(&mut self.connecting) {
            if let Ok(Some(error)) = self.socket.take_error() {
                return Err(word(&error));
            }
            let _ = self.socket.set_nodelay(true);
        }
        loop {
            let done = match &mut self.tls {
                Some(tls) if tls.wants_write() => tls.write_tls(&mut self.socket),
                None if !self.unsent.is_empty() => {
                    let sent = self.socket.write(&self.unsent);
                    sent.inspect(|sent| drop(self.unsent.drain(..*sent)))
                }
                _ => return Ok(()),
            };
            match done {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(word(&error)),
            }
        }
    }

    /// Reads what has arrived. `Ok(false)`: the other side has closed.
    pub(super) fn read(&mut self, buffer: &mut [u8], into: &mut Vec<u8>) -> Result<bool, Word> {
        let Some(mut http2) = self.http2.take() else { return self.take(buffer, into) };
        let mut octets = Vec::new();
        let open = self.take(buffer, &mut octets)?;
        let read = if octets.is_empty() { Ok(()) } else { http2.arrive(&octets, into) };
        let outgoing = http2.outgoing();
        self.http2 = Some(http2);
        if self.is_open() {
            self.put(&outgoing)?;
        }
        // An answer that is whole counts, whatever the connection says after it.
        read.map(|()| open).or_else(|word| if into.is_empty() { Err(word) } else { Ok(false) })
    }

    fn take(&mut self, buffer: &mut [u8], into: &mut Vec<u8>) -> Result<bool, Word> {
        let Some(tls) = &mut self.tls else {
            return match self.socket.read(buffer) {
                Ok(0) => Ok(false),
                Ok(read) => {
                    into.extend_from_slice(buffer.get(..read).unwrap_or_default());
                    Ok(true)
                }
                Err(error) if would_wait(&error) => Ok(true),
                Err(error) => Err(word(&error)),
            };
        };
        let open = match tls.read_tls(&mut self.socket) {
            Ok(read) => read > 0,
            Err(error) if would_wait(&error) => return Ok(true),
            Err(error) => return Err(word(&error)),
        };
        let state = match tls.process_new_packets() {
            Ok(state) => state,
            Err(_) => {
                // The alert that says why is sent; whether it arrives is not ours to know.
                let _ = tls.write_tls(&mut self.socket);
                return Err(Word::TLS);
            }
        };
        let mut left = state.plaintext_bytes_to_read();
        while left > 0 {
            let read = tls.reader().read(buffer).map_err(|_| Word::CLOSED)?;
            into.extend_from_slice(buffer.get(..read).unwrap_or_default());
            left = left.saturating_sub(read.max(1));
        }
        Ok(open && !state.peer_has_closed())
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn would_wait(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// The word for what the system says.
fn word(error: &io::Error) -> Word {
    const NO_FILES: i32 = 24;
    const NO_FILES_AT_ALL: i32 = 23;
    const NO_BUFFERS: i32 = 105;
    match error.raw_os_error() {
        Some(NO_FILES | NO_FILES_AT_ALL | NO_BUFFERS) => Word::NO_SOCKET,
        _ => match error.kind() {
            io::ErrorKind::ConnectionRefused => Word::REFUSED,
            io::ErrorKind::AddrNotAvailable => Word::NO_SOCKET,
            _ => Word::CLOSED,
        },
    }
}
