//! The running gateway: what its rooms share, and the one function that wires them in start order.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use crate::audit::export::{Span, records};
use crate::audit::{self, Audit, Class, Keys};
use crate::background::{Background, wait_for_all_others};
use crate::challenge::Challenges;
use crate::clock::Clock;
use crate::config::{self, Config, InsurerList, KeepDays, Service};
use crate::confirmations::Confirmations;
use crate::desk::{Desk, Staleness};
use crate::follow::{self, Followed};
use crate::front::load::Load;
use crate::front::{Entrance, Porch};
use crate::history::kept_since;
use crate::intake::{Admission, Held, Spool};
use crate::jobs::Jobs;
use crate::kept::Kept;
use crate::metrics::Metrics;
use crate::past::{Past, PastError, Today, Wanted};
use crate::peer::RoleRule;
use crate::refusal::Refusal;
use crate::start::StartError;
use crate::trust::Trust;
use disk::Folder;
use eligibility::day::Timestamp;
use eligibility::feed::{ListArrival, Said};
use ledger::{Appended, Ledger, LedgerError};
use pki::{Retention, UnixTime};

/// Most challenges that may be spent and not yet expired.
const MOST_SPENT: usize = 1_000_000;
/// Batches answered at once.
const BATCHES: usize = 2;
/// Clocks of honest machines differ by less.
const CLOCK_TOLERANCE_MS: i64 = 60_000;

/// The gateway, once it has started; until then callers and operators are told so.
pub type Starting = Arc<OnceLock<Arc<Gateway>>>;

/// Where the gateway is in its life, once it has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Answering.
    Serving,
    /// Finishing what is in flight.
    Draining,
}

/// How the configuration was last read again.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Reload {
    /// When.
    pub at: Timestamp,
    /// Why it was not taken over; what was in force has stayed so.
    pub error: Option<String>,
}

/// The running gateway.
pub struct Gateway {
    /// What queries are answered from.
    pub desk: Desk,
    /// The service addresses.
    pub entrances: Vec<Arc<Entrance>>,
    /// Where accepted records go.
    pub ledger: Ledger,
    /// What other gateways say of revocation lists.
    heard: follow::Heard,
    /// For how long revocations are remembered.
    retention: Retention,
    /// Where deliveries wait while they are received.
    pub spool: Spool,
    /// When whole deliveries are held back.
    pub gate: config::Gate,
    /// Claims pre-checks.
    pub jobs: Jobs,
    /// What institutions leave here beside their questions.
    pub kept: Kept,
    /// The only clock.
    pub clock: Clock,
    /// Limits of the service.
    pub limits: Service,
    /// Which certificates have which role.
    pub roles: Vec<RoleRule>,
    /// Counters and gauges.
    pub metrics: Arc<Metrics>,
    /// How long requests wait, and what is left undone then.
    pub load: Arc<Load>,
    /// What connections share.
    pub(crate) porch: Arc<Porch>,
    /// The index of institutions' own answers.
    pub confirmations: Confirmations,
    /// How long audit records are kept.
    keep_days: KeepDays,
    /// How memory was made at the start.
    pub began: follow::Began,
    /// Writes memory's files.
    pub behind: follow::Behind,
    /// Does batches: a few at once, on threads that desks do not feel.
    pub(crate) bulk: Background,
    draining: AtomicBool,
    reload: RwLock<Option<Reload>>,
}

impl Gateway {
    /// Starts everything, with nobody listening.
    ///
    /// # Errors
    /// [`StartError`] naming what is wrong and where.
    pub fn start(config: &Config) -> Result<Self, StartError> {
        Self::behind(Arc::new(Porch::open(config)?), config, audit::PATIENCE)
    }

    /// Starts everything behind the listeners: audit, trust, ledger, memory. Waits for as long as `patience`
    /// for a gateway that is stopping.
    ///
    /// # Errors
    /// [`StartError`] naming what is wrong and where.
    pub fn behind(porch: Arc<Porch>, config: &Config, patience: Duration) -> Result<Self, StartError> {
        let clock = Clock::system();
        // Everything that can be wrong with the configuration is found before anything is opened.
        let insurers = InsurerList::read(&config.feed.insurers)?;
        let audit = Audit::open_within(&config.audit, patience)?;
        let now = clock.now();
        let entrances = &porch.entrances;
        let followed = follow::from_config(config)?;
        check_clock(now, &followed)?;
        let seconds = UnixTime(now.millis() / 1000);
        let retention = Retention { months: config.card.revoked_kept_months };
        let remembered = followed.lists.into_remembered(seconds, &retention);
        let trust = Trust::open(&config.card, remembered.clone(), seconds)?;
        entrances.iter().for_each(|entrance| entrance.clients().begin(remembered.clone(), seconds));
        let spool = Spool::open(&config.feed)
            .map_err(|error| StartError::Spool { path: config.feed.spool.clone(), error })?;
        let held = Held::open(Folder::from(&config.held_folder()), followed.ledger.clone())
            .map_err(|error| StartError::Spool { path: config.held_folder(), error })?;
        let jobs = Jobs::open(&config.precheck)
            .map_err(|error| StartError::Prechecks { path: config.precheck.folder.clone(), error })?;
        let path = config.feed.spool.with_file_name("kept.sqlite");
        let kept = Kept::open(&path).map_err(|error| StartError::Kept { path, error })?;
        let pause = Duration::from_secs(config.memory.save_seconds);
        let behind = followed.files.behind(pause, followed.began.from_files).map_err(StartError::Thread)?;
        let challenges = Challenges::new(i64::from(config.card.challenge_seconds) * 1000, MOST_SPENT)
            .map_err(|_| StartError::Randomness)?;
        let desk = Desk {
            challenges,
            trust,
            memory: followed.memory,
            held,
            insurers,
            staleness: Staleness::of(&config.feed),
            audit,
            misses: Arc::default(),
        };
        learn_misses(&desk, now);
        Ok(Self {
            confirmations: Confirmations::new(&config.audit.folder),
            keep_days: config.audit.keep_days.clone(),
            desk,
            entrances: entrances.clone(),
            ledger: followed.ledger,
            heard: followed.heard,
            retention,
            spool,
            gate: config.feed.gate.clone(),
            jobs,
            kept,
            clock,
            limits: porch.limits.clone(),
            roles: porch.roles.clone(),
            metrics: Arc::clone(&porch.metrics),
            load: Arc::clone(&porch.load),
            porch,
            began: followed.began,
            behind,
            bulk: Background::start("batch", BATCHES).map_err(StartError::Thread)?,
            draining: AtomicBool::new(false),
            reload: RwLock::default(),
        })
    }

    /// Where it is in its life.
    #[must_use]
    pub fn phase(&self) -> Phase {
        if self.draining.load(Ordering::Relaxed) { Phase::Draining } else { Phase::Serving }
    }

    /// From now on only desks are answered, on the connections that there are.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// How the configuration was last read again, if it was.
    #[must_use]
    pub fn reloaded(&self) -> Option<Reload> {
        self.reload.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What must be done every few seconds: spent challenges, revocation lists.
    pub fn tend(self: &Arc<Self>) {
        let now = self.clock.now();
        let seconds = UnixTime(now.millis() / 1000);
        self.desk.challenges.forget_expired(now);
        let heard = self.heard.take();
        if !heard.is_empty() && self.ledger.is_shared() {
            self.desk.trust.hear(&heard, seconds);
            self.entrances.iter().for_each(|one| one.clients().hear(&heard, seconds, &self.retention));
        }
        self.desk.trust.refresh(seconds);
        self.desk.trust.warn_of_ends(seconds);
        self.desk.trust.keep_counts(seconds, self.phase() == Phase::Draining);
        let keep = |list: &ListArrival| {
            let kept = self.act(Said::List(Box::new(list.clone())));
            if let Err(error) = &kept {
                tracing::error!(%error, "revocations not yet in the ledger; they count, and are handed over again");
            }
            kept.is_ok()
        };
        self.desk.trust.save(keep);
        for entrance in &self.entrances {
            entrance.clients().refresh(seconds);
            entrance.clients().save(keep);
        }
    }

    /// Drops what the audit has kept long enough. Slow; a thread of its own calls it once a day.
    pub fn retire(&self, now: Timestamp) {
        self.desk.audit.drop_old(now, &self.keep_days);
    }

    /// Reads the configuration again and puts `[card]`, every `[[listener]]` and the audit's keys of it in
    /// force, if all of them can be used; else what was in force stays so. What came of it is kept. What
    /// needs a start of its own is named in the log.
    ///
    /// # Errors
    /// [`StartError`] with the file at fault.
    pub fn reload(&self, path: &Path) -> Result<(), StartError> {
        let taken = Config::read(path).map_err(StartError::Config).and_then(|config| self.take_over(&config));
        let error = taken.as_ref().err().map(ToString::to_string);
        let reload = Reload { at: self.clock.now(), error };
        *self.reload.write().unwrap_or_else(PoisonError::into_inner) = Some(reload);
        taken
    }

    fn take_over(&self, config: &Config) -> Result<(), StartError> {
        let now = UnixTime(self.clock.now().millis() / 1000);
        let mut plans = Vec::new();
        for entrance in &self.entrances {
            let mut listeners = config.listeners.iter();
            match listeners.find(|listener| listener.address == entrance.address()) {
                Some(listener) => plans.push((entrance, entrance.plan(listener)?)),
                None => {
                    tracing::warn!(address = %entrance.address(), "no [[listener]] any more; served until the next start");
                }
            }
        }
        if config.listeners.len() > plans.len() {
            tracing::warn!(key = "listener.address", "takes effect with the next start");
        }
        let keys = Keys::read(&config.audit)?;
        self.desk.trust.reload(&config.card, now)?;
        self.desk.audit.change_keys(keys);
        plans.into_iter().for_each(|(entrance, plan)| entrance.replace(plan, now));
        Ok(())
    }

    /// What deliveries are admitted with.
    #[must_use]
    pub const fn admission(&self) -> Admission<'_> {
        Admission { ledger: &self.ledger, memory: &self.desk.memory, held: &self.desk.held, gate: &self.gate }
    }

    /// Whether history reaches back to this instant.
    ///
    /// # Errors
    /// [`Refusal`] where it does not, or the ledger cannot be read.
    pub fn reaches_back(&self, at: Timestamp) -> Result<(), Refusal> {
        let since = self.ledger.reader().and_then(|ledger| kept_since(&ledger));
        match since.map_err(not_looked_back)? {
            Some(since) if at < since => Err(Refusal::NotKept { since }),
            _ => Ok(()),
        }
    }

    /// What was known at an instant of those who are wanted. Takes as long as reading all that their
    /// insurers delivered.
    ///
    /// # Errors
    /// [`Refusal`] where the ledger cannot be read, or does not reach back so far.
    pub fn look_back(&self, at: Timestamp, wanted: &Wanted) -> Result<Past, Refusal> {
        let memory = &self.desk.memory.view();
        let today = Today { memory, held: &self.desk.held, day: self.clock.now().day_in_japan() };
        let reader = self.ledger.reader().map_err(PastError::from);
        reader.and_then(|ledger| Past::of(&ledger, &today, at, wanted)).map_err(|error| match error {
            PastError::NotKept { since } => Refusal::NotKept { since },
            PastError::Ledger(error) => not_looked_back(error),
        })
    }

    /// Writes an act of the gateway's own and waits until it is durable and visible. Blocks.
    ///
    /// # Errors
    /// [`LedgerError`], also when the act contradicts what the ledger holds.
    pub fn act(&self, said: Said) -> Result<Appended, LedgerError> {
        let (done, outcome) = sync_channel(1);
        self.ledger.act(said, Box::new(move |outcome| drop(done.send(outcome))))?;
        outcome.recv().unwrap_or(Err(LedgerError::Closed))
    }
}

fn not_looked_back(error: LedgerError) -> Refusal {
    tracing::error!(%error, "the ledger could not be looked back into");
    Refusal::Internal
}

/// A clock that lies behind what was seen would call ended what is good, and good what is over.
fn check_clock(now: Timestamp, followed: &Followed) -> Result<(), StartError> {
    let complete = followed.memory.sources().into_iter().filter_map(|(_, state)| state.complete_to).max();
    let list = followed.lists.newest_list().map(|at| Timestamp::from_millis(at.0.saturating_mul(1000)));
    let seen = [
        ("the ledger was written at", followed.written),
        ("a revocation list was issued at", list),
        ("a source was complete to", complete),
    ];
    let newest = seen.into_iter().filter_map(|(what, at)| at.map(|at| (at, what))).max();
    match newest.filter(|(at, _)| at.millis() > now.millis() + CLOCK_TOLERANCE_MS) {
        Some((seen, what)) => Err(StartError::Clock { now, what, seen }),
        None => Ok(()),
    }
}

/// Learns from the audit how often callers asked for nobody before this start, beside all else: until it
/// is done, counts are those since the start.
fn learn_misses(desk: &Desk, now: Timestamp) {
    const WEEK: i64 = 7 * 86_400_000;
    let (misses, keys) = (Arc::clone(&desk.misses), desk.audit.keys());
    let folder = desk.audit.folder().to_owned();
    let learn = move || {
        wait_for_all_others();
        let today = now.day_in_japan().starts_at();
        // Today first: it decides who has used a budget up.
        for span in [Span { from: today, to: now }, Span { from: today.plus_millis(-WEEK), to: today }] {
            let read = records(&folder, Class::Answers, (span, &keys), 1, |record| misses.learn(record, now));
            match read {
                Ok(unread) if unread.is_empty() => {}
                Ok(unread) => {
                    tracing::warn!(files = unread.len(), "misses of before not learnt from every audit file")
                }
                Err(error) => tracing::warn!(%error, "misses of before not learnt"),
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("misses".to_owned()).spawn(learn) {
        tracing::warn!(%error, "misses of before not learnt");
    }
}
