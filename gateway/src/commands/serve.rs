//! `shikaku serve`: the service, until it is told to stop.

mod limits;
mod supervisor;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use pki::UnixTime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::CommandError;
use crate::admin;
use crate::audit::PATIENCE;
use crate::config::Config;
use crate::confirmations::Keeper;
use crate::front::{self, Porch, Sockets};
use crate::gateway::Gateway;
use crate::history;
use crate::intake;
use crate::jobs::Worker;
use crate::start::StartError;
use supervisor::Told;

/// How often spent challenges and revocation lists are looked after.
const TEND_EVERY: Duration = Duration::from_secs(5);

/// Between two attempts to reach the ledger's database at the start: at first, and at most.
const LEDGER_WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// Why the service ends by itself.
const DIVERGED: &str = "the ledger's database has another history than was followed from it; a new start \
    makes memory of what it holds now";

/// The signal of a file that may grow no further, on Linux.
const SIGXFSZ: i32 = 25;

/// Serves eligibility queries and feeds
#[derive(Args)]
#[command(after_help = "Example:\n  shikaku serve --config /etc/shikaku/shikaku.toml")]
pub(super) struct Serve {
    /// The configuration file
    #[arg(long)]
    config: PathBuf,
    /// What is logged: error, warn, info, debug
    #[arg(long, default_value = "info")]
    log: String,
}

impl Serve {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let config = Config::read(&self.config).map_err(CommandError::usage)?;
        log_to_stderr(&self.log)?;
        serve(&self.config, &config, || {})
    }
}

/// Structured lines of ours on standard error; of libraries only what they warn of.
pub(super) fn log_to_stderr(level: &str) -> Result<(), CommandError> {
    if !["error", "warn", "info", "debug"].contains(&level) {
        return Err(CommandError::Usage(format!("--log {level:?} is no level: error, warn, info, debug")));
    }
    let filter =
        tracing_subscriber::EnvFilter::new(format!("warn,gateway={level},ledger={level},shikaku={level}"));
    // What a fault of ours was about may be a person's: it is told where it was, not what it said.
    std::panic::set_hook(Box::new(|fault| {
        let at = fault.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, "a fault of ours");
    }));
    // A log that cannot be written must not end the thread that logs.
    tracing_subscriber::fmt()
        .log_internal_errors(false)
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}

/// Serves until SIGTERM or SIGINT, and reads the configuration again on SIGHUP; `ready` is called once desks
/// are answered.
pub(super) fn serve(path: &Path, config: &Config, ready: impl FnOnce()) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CommandError::environment)?;
    let served = runtime.block_on(run(path, config, ready));
    // A start that was broken off may still be reading: nobody waits for it.
    runtime.shutdown_timeout(Duration::from_millis(100));
    served
}

/// What asks the process to do something.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// A file at its limit shall be a failed write, which is reported, and not the end of the process.
    _file_size: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            _file_size: signal(SignalKind::from_raw(SIGXFSZ))?,
        })
    }

    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The whole life, in order: let in, start, serve, drain.
async fn run(path: &Path, config: &Config, ready: impl FnOnce()) -> Result<(), CommandError> {
    let mut signals = Signals::listen().map_err(CommandError::environment)?;
    limits::raise_open_files(config.service.connections);
    let porch = Arc::new(Porch::open(config).map_err(StartError::Porch)?);
    let (stop, stopping) = watch::channel(false);
    let mut serving = JoinSet::new();
    let patience = open_doors(config, &porch, (&stopping, &mut serving))?;

    let mut wait = LEDGER_WAITS.0;
    let gateway = loop {
        let (asked, behind) = (config.clone(), Arc::clone(&porch));
        let mut starting = tokio::task::spawn_blocking(move || Gateway::behind(behind, &asked, patience));
        let started = tokio::select! {
            started = &mut starting => started.map_err(CommandError::environment)?,
            () = signals.stop() => return stopped_early(),
        };
        match started {
            Err(error) if error.may_pass() => {
                tracing::warn!(%error, "waiting for the ledger's database");
                tokio::select! {
                    () = tokio::time::sleep(wait) => wait = (wait * 2).min(LEDGER_WAITS.1),
                    () = signals.stop() => return stopped_early(),
                }
            }
            started => break Arc::new(started?),
        }
    };
    // What the lists say is in the ledger before the first answer rests on it.
    tokio::task::block_in_place(|| gateway.tend());
    porch.load.watch().map_err(CommandError::environment)?;
    let worker = Worker::start(&gateway).map_err(CommandError::environment)?;
    let keeper = Keeper::start(&gateway).map_err(CommandError::environment)?;
    history::start(&gateway, config.history).map_err(CommandError::environment)?;
    if let Some(folder) = &config.feed.folder {
        intake::folder::watch(&gateway, folder).map_err(|error| {
            CommandError::Environment(format!("feed.folder {}: {error}", folder.display()))
        })?;
    }
    porch.begin(Arc::clone(&gateway));
    let memory = &gateway.desk.memory;
    tracing::info!(generation = memory.generation(), persons = memory.persons(), "ready");
    supervisor::tell(Told::Ready);
    ready();

    let ended = serve_until_stopped(&gateway, path, &mut signals).await;
    tracing::info!("stopping: finishing what desks wait for");
    supervisor::tell(Told::Stopping);
    gateway.drain();
    gateway.load.stop();
    let _ = stop.send(true);
    gateway.jobs.stop();
    while serving.join_next().await.is_some() {}
    tokio::task::block_in_place(|| {
        worker.join();
        gateway.tend();
        drop(keeper);
        gateway.ledger.clone().close();
    });
    tracing::info!("stopped");
    ended
}

/// Opens every listening socket, the operator's first. Callers are let in at once and told to come back
/// until memory is made; at a door that was handed over, which the gateway before this one may still keep,
/// they wait for a while before they are. Gives the time for which that gateway is waited for.
fn open_doors(
    config: &Config,
    porch: &Arc<Porch>,
    (stopping, serving): (&watch::Receiver<bool>, &mut JoinSet<()>),
) -> Result<Duration, CommandError> {
    let mut sockets = Sockets::handed().map_err(CommandError::usage)?;
    let (operators, mut any_shared) =
        sockets.take("admin.address", config.admin.address).map_err(CommandError::environment)?;
    tracing::info!(admin = %config.admin.address, "listening");
    admin::start(operators, Arc::clone(&porch.started)).map_err(CommandError::environment)?;
    for entrance in &porch.entrances {
        let address = entrance.address();
        let door = sockets.door("listener.address", address).map_err(CommandError::environment)?;
        any_shared |= door.is_shared;
        tracing::info!(%address, handed_over = door.is_shared, "listening");
        let (porch, entrance) = (Arc::clone(porch), Arc::clone(entrance));
        serving.spawn(front::serve(porch, door, entrance, stopping.clone()));
    }
    sockets.all_taken().map_err(CommandError::usage)?;
    let drain = Duration::from_secs(config.service.drain_seconds);
    Ok(if any_shared { PATIENCE + drain } else { PATIENCE })
}

fn stopped_early() -> Result<(), CommandError> {
    tracing::info!("stopped before it had started");
    Ok(())
}

/// Ends when it is told to, or when it can go on no more.
async fn serve_until_stopped(
    gateway: &Arc<Gateway>,
    path: &Path,
    signals: &mut Signals,
) -> Result<(), CommandError> {
    let mut tend = tokio::time::interval(TEND_EVERY);
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => return Ok(()),
            _ = signals.interrupt.recv() => return Ok(()),
            _ = signals.hangup.recv() => {
                supervisor::tell(Told::Reloading);
                let (gateway, path) = (Arc::clone(gateway), path.to_owned());
                let _ = tokio::task::spawn_blocking(move || reload(&gateway, &path)).await;
                supervisor::tell(Told::Ready);
            }
            _ = tend.tick() => {
                let gateway = Arc::clone(gateway);
                if gateway.ledger.standing().diverged {
                    return Err(CommandError::Environment(DIVERGED.to_owned()));
                }
                // Reading lists takes a while; a tick that finds one under way waits its turn.
                let _ = tokio::task::spawn_blocking(move || gateway.tend()).await;
            }
        }
    }
}

/// Reads the configuration again; one that cannot be used changes nothing.
fn reload(gateway: &Gateway, path: &Path) {
    match gateway.reload(path) {
        Ok(()) => {
            let now = UnixTime(gateway.clock.now().millis() / 1000);
            let anchors = gateway.desk.trust.anchors(now);
            let names: Vec<_> = anchors.iter().map(|anchor| anchor.name.as_str()).collect();
            tracing::info!(anchors = names.join(" "), "the changed configuration is in force");
        }
        Err(error) => {
            let error = error.to_string();
            tracing::error!(error, "configuration not taken over; what was in force stays so");
        }
    }
}
