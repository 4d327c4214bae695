//! A plain client that waits: for challenges and metrics, never for what is measured.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::http;
use crate::target::Server;

/// A connection that keeps open.
pub struct Client {
    stream: Box<dyn Stream>,
    arrived: Vec<u8>,
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// Status and body.
pub type Reply = (u16, Vec<u8>);

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// As the system or TLS has it.
    pub fn connect(server: &Server, tls: Option<&Arc<ClientConfig>>, timeout: Duration) -> io::Result<Self> {
        let socket = TcpStream::connect_timeout(&server.address, timeout)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(timeout))?;
        socket.set_write_timeout(Some(timeout))?;
        let stream: Box<dyn Stream> = match (&server.name, tls) {
            (Some(name), Some(tls)) => {
                let session = ClientConnection::new(Arc::clone(tls), name.clone());
                Box::new(StreamOwned::new(session.map_err(io::Error::other)?, socket))
            }
            _ => Box::new(socket),
        };
        Ok(Self { stream, arrived: Vec::new() })
    }

    /// Sends octets and waits for nothing; TLS shakes hands first.
    ///
    /// # Errors
    /// As the system or TLS has it.
    pub fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets)?;
        self.stream.flush()
    }

    /// Sends a request and waits for its response. After an error the connection is of no more use.
    ///
    /// # Errors
    /// As the system or TLS has it, or no response.
    pub fn exchange(&mut self, request: &[u8]) -> io::Result<Reply> {
        self.stream.write_all(request)?;
        self.stream.flush()?;
        let mut buffer = [0; 16 * 1024];
        loop {
            let done = http::response(&self.arrived).map_err(io::Error::other)?;
            let done = done.map(|response| ((response.status, response.body.into_owned()), response.length));
            if let Some((reply, length)) = done {
                self.arrived.drain(..length);
                return Ok(reply);
            }
            match self.stream.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => self.arrived.extend_from_slice(buffer.get(..read).unwrap_or_default()),
            }
        }
    }
}
