//! One service address with its certificate and the callers that it lets in. Both can be replaced
//! while connections are open; those go on under the certificate they began with.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use pki::UnixTime;

use super::tls::{self, Identity, TlsError};
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
    identity: RwLock<Arc<Identity>>,
}

/// What an entrance is to become: read and found usable, not yet in force.
pub struct Plan {
    cas: ClientCas,
    identity: Identity,
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
        let identity = RwLock::new(Arc::new(tls::server(listener, &clients, names)?));
        Ok(Self { address: listener.address, clients, identity })
    }

    /// Reads it all again; nothing changes yet.
    ///
    /// # Errors
    /// [`EntranceError`] with the file at fault.
    pub fn plan(&self, listener: &Listener) -> Result<Plan, EntranceError> {
        let cas = ClientCas::read(listener)?;
        let identity = tls::server(listener, &self.clients, tls::names(&cas))?;
        Ok(Plan { cas, identity })
    }

    /// Puts what was read in force.
    pub fn replace(&self, plan: Plan, now: UnixTime) {
        self.clients.replace(plan.cas, now);
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(plan.identity);
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

    /// What the next connection meets.
    pub(super) fn identity(&self) -> Arc<Identity> {
        Arc::clone(&self.identity.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// When our own certificate here ends, or the first above it.
    #[must_use]
    pub fn ends(&self) -> UnixTime {
        self.identity.read().unwrap_or_else(PoisonError::into_inner).ends
    }
}
