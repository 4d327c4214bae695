//! `GET /v1/confirmations`: an institution's own answers, for import into its own system (資格確認ログ取込).
//!
//! ```text
//! audit/confirmations/*.audit ─► catch up (a thread of its own) ─► index.sqlite: institution, number ─► place
//!                 ▲──────────────── page: opened where the index says ◄───────────────┘
//! ```
//!
//! What was answered lies in the audit's sealed files alone. The index says where; it holds no personal
//! data, and is made anew from the files where it is missing or broken.

mod index;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use eligibility::day::{Day, Timestamp};
use eligibility::wire::Wrong;
use hyper::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;

use crate::audit::confirmed::{Opened, Spot};
use crate::background::wait_for_all_others;
use crate::gateway::Gateway;
use crate::peer::{Peer, Role};
use crate::refusal::Refusal;
use index::{Index, IndexError};

/// Most answers of one page.
const PAGE: usize = 1000;
/// Pages read at once: they wait for the disk, desks must not wait for them.
const AT_ONCE: usize = 4;
/// How often the index catches up.
const EVERY: Duration = Duration::from_millis(200);

/// The index, and up to when it is complete.
pub struct Confirmations {
    path: PathBuf,
    /// Every answer that left before is in the index; milliseconds.
    complete_to: AtomicI64,
    places: Semaphore,
}

#[derive(Serialize)]
struct Page<'p> {
    confirmations: &'p [Box<RawValue>],
    /// Where to go on; the same as asked with when there is nothing more.
    cursor: String,
    complete_to: Timestamp,
}

impl Confirmations {
    /// Of an audit folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            path: folder.join("confirmations.sqlite"),
            complete_to: AtomicI64::new(0),
            places: Semaphore::new(AT_ONCE),
        }
    }

    /// Up to when it is complete.
    #[must_use]
    pub fn complete_to(&self) -> Timestamp {
        Timestamp::from_millis(self.complete_to.load(Ordering::Relaxed))
    }
}

/// `GET /v1/confirmations?after=CURSOR`. Also how many answers are on the page.
pub(crate) async fn page(
    gateway: &Arc<Gateway>,
    peer: &Peer,
    after: Option<&str>,
) -> Result<(StatusCode, Vec<u8>, usize), Refusal> {
    if !peer.has(Role::Reception) {
        return Err(Refusal::Forbidden);
    }
    let after = after.map_or(Ok(0), |cursor| {
        cursor.parse::<i64>().ok().filter(|at| *at >= 0).ok_or(Refusal::field("after", Wrong::Form))
    })?;
    // Until the index has caught up once, it may be missing, or be made anew.
    if gateway.confirmations.complete_to().millis() == 0 {
        return Err(Refusal::NotReady);
    }
    let _place = gateway.confirmations.places.try_acquire().map_err(|_| Refusal::Overloaded)?;
    let codes: Vec<_> = peer.institutions().iter().map(|code| code.value()).collect();
    let gateway = Arc::clone(gateway);
    let read = tokio::task::spawn_blocking(move || {
        // What is complete is said of the time before the index was looked at.
        let complete_to = gateway.confirmations.complete_to();
        let spots = Index::read(&gateway.confirmations.path)?.page(&codes, after, PAGE)?;
        let cursor = spots.last().map_or(after, |spot| spot.number as i64 + 1);
        let confirmations = open(&gateway, &spots)?;
        let page = Page { confirmations: &confirmations, cursor: cursor.to_string(), complete_to };
        Ok::<_, IndexError>((serde_json::to_vec(&page).unwrap_or_default(), confirmations.len()))
    });
    let (json, count) = read.await.map_err(|_| Refusal::Internal)?.map_err(|error| {
        tracing::error!(%error, "confirmations not read");
        Refusal::Overloaded
    })?;
    Ok((StatusCode::OK, json, count))
}

/// What the files say at these places. One that retention has dropped meanwhile is left out.
fn open(gateway: &Gateway, spots: &[Spot]) -> Result<Vec<Box<RawValue>>, IndexError> {
    let (folder, keys) = (gateway.desk.audit.folder(), gateway.desk.audit.keys());
    let mut files: HashMap<(Day, u32), Option<Opened>> = HashMap::new();
    let mut found = Vec::with_capacity(spots.len());
    for spot in spots {
        let file = files
            .entry((spot.day, spot.part))
            .or_insert_with(|| Opened::open(folder, (spot.day, spot.part), &keys));
        let Some(file) = file else { continue };
        let json = file.read(spot).ok_or(IndexError::Place)?;
        found.push(RawValue::from_string(json).map_err(|_| IndexError::Place)?);
    }
    Ok(found)
}

/// The thread that keeps the index, and lets old files go.
pub struct Keeper {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts it.
    ///
    /// # Errors
    /// When no thread can be made.
    pub fn start(gateway: &Arc<Gateway>) -> std::io::Result<Self> {
        let (gateway, stop) = (Arc::clone(gateway), Arc::new(AtomicBool::new(false)));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("confirmations".to_owned()).spawn(move || {
            wait_for_all_others();
            keep(&gateway, &stopped);
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn keep(gateway: &Gateway, stop: &AtomicBool) {
    let confirmations = &gateway.confirmations;
    let dropped_on: Mutex<Option<Day>> = Mutex::default();
    let mut index = None;
    loop {
        let stopping = stop.load(Ordering::Acquire);
        let now = gateway.clock.now();
        gateway.desk.audit.take_exports();
        let caught_up = catch_up(gateway, &mut index);
        match caught_up {
            Ok(()) => confirmations.complete_to.store(now.millis(), Ordering::Relaxed),
            Err(error) => {
                tracing::error!(%error, "confirmations not indexed; tried again");
                index = None;
            }
        }
        if stopping {
            return;
        }
        let today = now.day_in_japan();
        let is_new = dropped_on.lock().unwrap_or_else(PoisonError::into_inner).replace(today) != Some(today);
        if is_new {
            gateway.retire(now);
        }
        std::thread::park_timeout(EVERY);
    }
}

fn catch_up(gateway: &Gateway, index: &mut Option<Index>) -> Result<(), IndexError> {
    let audit = &gateway.desk.audit;
    let index = match index {
        Some(index) => index,
        None => index.insert(Index::open(&gateway.confirmations.path)?),
    };
    index.follow(audit.folder(), &audit.keys())
}
