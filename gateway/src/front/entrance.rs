//! One service address with its certificate and the callers that it lets in. Both can be replaced
//! while connections are open; those go on under the certificate they began with.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use pki::UnixTime;
use rustls::ServerConfig;

use super::tls::{self, Tls, TlsError};
use crate::config::Listener;
use crate::trust::{ClientCas, Clients, ClientsError};

/// Why an address cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum EntranceError {
    /// Its callers cannot be judged.
    #[error(transparent)]
    Clients(#[from] ClientsError),
    /// Its certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A service address.
pub struct Entrance {
    address: SocketAddr,
    clients: Arc<Clients>,
    tls: RwLock<Tls>,
}

/// What an entrance is to become: read and found usable, not yet in force.
pub struct Plan {
    cas: ClientCas,
    tls: Tls,
}

impl Entrance {
    /// Reads everything that a `[[listener]]` names. Nothing listens yet.
    ///
    /// # Errors
    /// [`EntranceError`] with the file at fault.
    pub fn open(listener: &Listener) -> Result<Self, EntranceError> {
        let cas = ClientCas::read(listener)?;
        let names = tls::names(&cas);
        let clients = Arc::new(Clients::new(cas));
        let tls = RwLock::new(tls::server(listener, &clients, names)?);
        Ok(Self { address: listener.address, clients, tls })
    }

    /// Reads it all again; nothing changes yet.
    ///
    /// # Errors
    /// [`EntranceError`] with the file at fault.
    pub fn plan(&self, listener: &Listener) -> Result<Plan, EntranceError> {
        let cas = ClientCas::read(listener)?;
        let tls = tls::server(listener, &self.clients, tls::names(&cas))?;
        Ok(Plan { cas, tls })
    }

    /// Puts what was read in force.
    pub fn replace(&self, plan: Plan, now: UnixTime) {
        self.clients.replace(plan.cas, now);
        *self.tls.write().unwrap_or_else(PoisonError::into_inner) = plan.tls;
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whom it lets in.
    #[must_use]
    pub const fn clients(&self) -> &Arc<Clients> {
        &self.clients
    }

    /// The TLS of the next connection.
    #[must_use]
    pub fn tls(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.tls.read().unwrap_or_else(PoisonError::into_inner).config)
    }

    /// When our own certificate here ends, or the first above it.
    #[must_use]
    pub fn ends(&self) -> UnixTime {
        self.tls.read().unwrap_or_else(PoisonError::into_inner).ends
    }
}
