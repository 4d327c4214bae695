//! Listening sockets: our own, or such as whoever started us holds open and hands over (systemd's socket
//! activation), so that no caller is refused while one gateway takes the place of another.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use listenfd::ListenFd;
use tokio::net::TcpSocket;

/// For how long callers at a door that was handed over are left waiting, while memory is being made: the
/// gateway before this one may still let them in, and waiting a moment is better than being refused.
pub(super) const LEFT_WAITING: Duration = Duration::from_secs(10);

/// Connections that the system holds for us until we take them: a country that comes back at once.
const LINE: u32 = 4096;

/// Why a socket cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// It cannot be opened.
    #[error("{key} {address}: {error}; is another gateway running there? choose another address or stop it")]
    Taken {
        /// The key of the configuration.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
    /// What was handed over is no listening socket.
    #[error("a socket that was handed over (LISTEN_FDS): {0}")]
    Handed(std::io::Error),
    /// It was handed over for nothing.
    #[error("{0} was handed over (LISTEN_FDS), but is neither a listener.address nor admin.address")]
    Stray(SocketAddr),
}

/// A listening socket.
pub struct Door {
    /// The socket.
    pub listener: tokio::net::TcpListener,
    /// Whether somebody else holds it open too.
    pub is_shared: bool,
}

/// Sockets that were handed over.
pub struct Sockets(Vec<(SocketAddr, TcpListener)>);

impl Sockets {
    /// Those that were handed to this process.
    ///
    /// # Errors
    /// [`SocketError`] when one is no listening socket.
    pub fn handed() -> Result<Self, SocketError> {
        let mut handed = ListenFd::from_env();
        let mut sockets = Vec::new();
        for at in 0..handed.len() {
            if let Some(listener) = handed.take_tcp_listener(at).map_err(SocketError::Handed)? {
                sockets.push((listener.local_addr().map_err(SocketError::Handed)?, listener));
            }
        }
        Ok(Self(sockets))
    }

    /// The listening socket of this address, and whether it was handed over; a new one if it was not. Asked
    /// within a runtime.
    ///
    /// # Errors
    /// [`SocketError`] when it cannot be opened.
    pub fn take(
        &mut self,
        key: &'static str,
        address: SocketAddr,
    ) -> Result<(TcpListener, bool), SocketError> {
        let taken = |error| SocketError::Taken { key, address, error };
        let handed = self.0.iter().position(|(own, _)| *own == address);
        let (listener, is_shared) = match handed {
            Some(at) => (self.0.swap_remove(at).1, true),
            None => (open(address).map_err(taken)?, false),
        };
        listener.set_nonblocking(true).map_err(taken)?;
        Ok((listener, is_shared))
    }

    /// The same, for the runtime of the caller.
    ///
    /// # Errors
    /// [`SocketError`] when it cannot be opened.
    pub fn door(&mut self, key: &'static str, address: SocketAddr) -> Result<Door, SocketError> {
        let (listener, is_shared) = self.take(key, address)?;
        let listener = tokio::net::TcpListener::from_std(listener);
        let listener = listener.map_err(|error| SocketError::Taken { key, address, error })?;
        Ok(Door { listener, is_shared })
    }

    /// All have been taken.
    ///
    /// # Errors
    /// [`SocketError`] naming one that nobody asked for.
    pub fn all_taken(&self) -> Result<(), SocketError> {
        self.0.first().map_or(Ok(()), |(address, _)| Err(SocketError::Stray(*address)))
    }
}

fn open(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(LINE)?.into_std()
}
