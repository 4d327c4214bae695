//! What connections need before the gateway behind them has started: addresses, limits, counters. While
//! memory is being made they are let in and told so, instead of finding nobody.

use std::sync::Arc;

use tokio::sync::Notify;

use super::budget::Budgets;
use super::handshakes::Handshakes;
use super::load::Load;
use super::{Entrance, EntranceError, Places, Watch};
use crate::clock::Clock;
use crate::config::{Config, Service};
use crate::gateway::{Gateway, Starting};
use crate::metrics::Metrics;
use crate::peer::RoleRule;

/// Why nobody can be let in.
#[derive(Debug, thiserror::Error)]
pub enum PorchError {
    /// An address cannot be served.
    #[error(transparent)]
    Entrance(#[from] EntranceError),
    /// The system gives no thread.
    #[error("the system gives no thread: {0}")]
    Thread(std::io::Error),
}

/// What all connections share.
pub struct Porch {
    /// What callers' certificates are held against.
    pub clock: Clock,
    /// The service addresses.
    pub entrances: Vec<Arc<Entrance>>,
    /// Which certificates have which role.
    pub roles: Vec<RoleRule>,
    /// Limits of the service.
    pub limits: Service,
    /// Counters and gauges.
    pub metrics: Arc<Metrics>,
    /// How long requests wait, and who is read while they wait too long.
    pub load: Arc<Load>,
    /// How much each institution may ask.
    pub budgets: Budgets,
    /// Handshakes that are under way.
    pub(super) handshakes: Handshakes,
    pub(super) places: Arc<Places>,
    pub(super) watch: Watch,
    /// The gateway, once it has started.
    pub started: Starting,
    begun: Notify,
}

impl Porch {
    /// Reads what every `[[listener]]` names. Nothing listens yet.
    ///
    /// # Errors
    /// [`PorchError`] with the file at fault.
    pub fn open(config: &Config) -> Result<Self, PorchError> {
        let opened = config.listeners.iter().map(|listener| Entrance::open(listener).map(Arc::new));
        Ok(Self {
            clock: Clock::system(),
            entrances: opened.collect::<Result<_, _>>()?,
            roles: config.roles.clone(),
            limits: config.service.clone(),
            metrics: Arc::new(Metrics::new()),
            load: Arc::default(),
            budgets: Budgets::new(config.service.requests_per_institution),
            handshakes: Handshakes::new(config.service.handshakes),
            places: Places::new(&config.service),
            watch: Watch::start(&config.service).map_err(PorchError::Thread)?,
            started: Starting::default(),
            begun: Notify::new(),
        })
    }

    /// From now on callers are answered by this gateway.
    pub fn begin(&self, gateway: Arc<Gateway>) {
        // There is one gateway a process.
        let _ = self.started.set(gateway);
        self.begun.notify_waiters();
    }

    /// Ends when they are.
    pub(super) async fn begun(&self) {
        let begun = self.begun.notified();
        if self.started.get().is_none() {
            begun.await;
        }
    }
}
