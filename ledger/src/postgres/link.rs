//! The connection that writes and listens, made again whenever it is lost.
//!
//! A task holds it. Between two attempts lies a pause that grows to some seconds and is drawn by lot,
//! so that a server that comes back is not met by all gateways at once.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio_postgres::{AsyncMessage, Client};

use super::server::Server;
use super::{away, failed, schema};
use crate::error::LedgerError;
use crate::store::News;

/// Between two looks for news of which no word came.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// News that come closer than this are taken together.
const TOGETHER: Duration = Duration::from_millis(10);
/// The first pause after a lost connection, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// The connection, while there is one.
pub(super) struct Link {
    shared: Arc<Shared>,
    task: AbortHandle,
}

#[derive(Default)]
struct Shared {
    /// The connection, or why there is none.
    state: Mutex<State>,
    /// How often there was a new one.
    made: AtomicU64,
    /// Whether the server warned of something.
    warned: AtomicBool,
    heard: Notify,
    news: OnceLock<News>,
}

#[derive(Default)]
struct State {
    client: Option<Arc<Client>>,
    connection: Option<AbortHandle>,
    reason: String,
}

impl Link {
    /// Connects, and stays connected from then on.
    pub(super) fn open(server: &Server) -> Result<Self, LedgerError> {
        let shared = Arc::<Shared>::default();
        let (tell, first) = sync_channel(1);
        let task = server.handle()?.spawn(stay(server.clone(), Arc::clone(&shared), tell));
        let link = Self { shared, task: task.abort_handle() };
        first.recv().unwrap_or(Err(LedgerError::Closed))?;
        Ok(link)
    }

    /// Has `news` called whenever others may have written, from now on.
    pub(super) fn tell(&self, news: News) {
        let _ = self.shared.news.set(news);
        self.shared.heard.notify_one();
    }

    /// The connection.
    pub(super) fn client(&self) -> Result<Arc<Client>, LedgerError> {
        let state = self.shared.state();
        state.client.clone().filter(|client| !client.is_closed()).ok_or_else(|| away(&state.reason))
    }

    /// How often there was a new connection.
    pub(super) fn made(&self) -> u64 {
        self.shared.made.load(Ordering::Acquire)
    }

    /// Whether the server warned of something since this was last asked.
    pub(super) fn was_warned(&self) -> bool {
        self.shared.warned.swap(false, Ordering::AcqRel)
    }

    /// Ends the connection: it cannot be known what the server still does with it.
    pub(super) fn lose(&self, error: &LedgerError) {
        self.shared.lose(error);
        self.shared.heard.notify_one();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
        self.shared.lose(&LedgerError::Closed);
    }
}

impl Shared {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lose(&self, error: &LedgerError) {
        let mut state = self.state();
        state.reason = match error {
            LedgerError::Away { reason } => reason.clone(),
            other => other.to_string(),
        };
        state.client = None;
        if let Some(connection) = state.connection.take() {
            connection.abort();
        }
    }

    fn hear(&self, message: &AsyncMessage) {
        match message {
            AsyncMessage::Notification(_) => self.heard.notify_one(),
            AsyncMessage::Notice(notice) if notice.severity() == "WARNING" => {
                self.warned.store(true, Ordering::Release);
            }
            _ => {}
        }
    }

    async fn connect(self: &Arc<Self>, server: &Server) -> Result<Arc<Client>, LedgerError> {
        let hearing = Arc::clone(self);
        let (client, connection) = server.clone().connect(move |message| hearing.hear(&message)).await?;
        schema::check(&client, server).await?;
        client.batch_execute("LISTEN shikaku").await.map_err(|error| failed(&error))?;
        let client = Arc::new(client);
        *self.state() = State {
            client: Some(Arc::clone(&client)),
            connection: Some(connection),
            reason: "the connection was lost".to_owned(),
        };
        self.made.fetch_add(1, Ordering::AcqRel);
        Ok(client)
    }

    fn tell(&self) {
        if let Some(news) = self.news.get() {
            news();
        }
    }
}

async fn stay(server: Server, shared: Arc<Shared>, first: SyncSender<Result<(), LedgerError>>) {
    let mut pause = PAUSES.0;
    loop {
        match shared.connect(&server).await {
            Ok(client) => {
                let _ = first.try_send(Ok(()));
                pause = PAUSES.0;
                while !client.is_closed() && shared.state().client.is_some() {
                    shared.tell();
                    tokio::time::sleep(TOGETHER).await;
                    let _ = tokio::time::timeout(LOOK_EVERY, shared.heard.notified()).await;
                }
                let lost = away(&shared.state().reason);
                shared.lose(&lost);
                tracing::warn!(%server, error = %lost, "no connection to the ledger's database");
            }
            Err(error) => {
                shared.lose(&error);
                if first.try_send(Err(error.clone())).is_ok() {
                    return;
                }
                tracing::warn!(%server, %error, "the ledger's database cannot be reached");
            }
        }
        // Whoever looks sees that there is none.
        shared.tell();
        tokio::time::sleep(by_lot(pause)).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Something between half of it and one and a half.
fn by_lot(pause: Duration) -> Duration {
    let mut lot = [128];
    // Without randomness: the middle.
    let _ = aws_lc_rs::rand::fill(&mut lot);
    let [lot] = lot;
    pause / 2 + pause * u32::from(lot) / 256
}
