//! `shikaku serve`: the service, until it is told to stop.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clap::Args;
use pki::UnixTime;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::CommandError;
use crate::admin;
use crate::config::Config;
use crate::confirmations::Keeper;
use crate::front::{self, Places, Watch};
use crate::gateway::Gateway;
use crate::intake;
use crate::jobs::Worker;

/// How often spent challenges and revocation lists are looked after.
const TEND_EVERY: Duration = Duration::from_secs(5);

/// Between two attempts to reach the ledger's database at the start: at first, and at most.
const LEDGER_WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

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

/// Serves until SIGTERM or SIGINT, and takes over changed `[card]` and `[[listener]]` on SIGHUP; `ready` is called once the listeners are open.
pub(super) fn serve(path: &Path, config: &Config, ready: impl FnOnce()) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CommandError::environment)?;
    runtime.block_on(run(path, config, ready))
}

async fn run(path: &Path, config: &Config, ready: impl FnOnce()) -> Result<(), CommandError> {
    let started: admin::Starting = Arc::new(OnceLock::new());
    let admin = admin::start(config.admin.address, Arc::clone(&started))
        .map_err(|error| taken("admin.address", config.admin.address, &error))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(CommandError::environment)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(CommandError::environment)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(CommandError::environment)?;

    // A file at its limit shall be a failed write, which is reported, and not the end of the process.
    let _file_size = signal(SignalKind::from_raw(SIGXFSZ)).map_err(CommandError::environment)?;

    let mut wait = LEDGER_WAITS.0;
    let gateway = loop {
        match tokio::task::block_in_place(|| Gateway::start(config)) {
            Err(error) if error.may_pass() => {
                tracing::warn!(%error, "waiting for the ledger's database");
                tokio::select! {
                    _ = terminate.recv() => return Ok(()),
                    _ = interrupt.recv() => return Ok(()),
                    () = tokio::time::sleep(wait) => wait = (wait * 2).min(LEDGER_WAITS.1),
                }
            }
            started => break Arc::new(started?),
        }
    };
    // What the lists say is in the ledger before the first answer rests on it.
    tokio::task::block_in_place(|| gateway.tend());
    let worker = Worker::start(&gateway).map_err(CommandError::environment)?;
    let (stop, stopping) = watch::channel(false);
    let mut serving = tokio::task::JoinSet::new();
    let places = Places::new(&gateway.limits);
    let watch = Watch::start(&gateway.limits).map_err(CommandError::environment)?;
    for entrance in &gateway.entrances {
        let address = entrance.address();
        let listener =
            TcpListener::bind(address).await.map_err(|error| taken("listener.address", address, &error))?;
        let bound = listener.local_addr().unwrap_or(address);
        tracing::info!(%bound, "serving");
        serving.spawn(front::serve(
            Arc::clone(&gateway),
            listener,
            Arc::clone(entrance),
            (Arc::clone(&places), watch.clone()),
            stopping.clone(),
        ));
    }
    tracing::info!(%admin, generation = gateway.desk.memory.generation(), persons = gateway.desk.memory.persons(), "ready");
    let keeper = Keeper::start(&gateway).map_err(CommandError::environment)?;
    if let Some(folder) = &config.feed.folder {
        intake::folder::watch(&gateway, folder).map_err(|error| {
            CommandError::Environment(format!("feed.folder {}: {error}", folder.display()))
        })?;
    }
    let _ = started.set(Arc::clone(&gateway));
    ready();

    let mut tend = tokio::time::interval(TEND_EVERY);
    let ended = loop {
        tokio::select! {
            _ = terminate.recv() => break Ok(()),
            _ = interrupt.recv() => break Ok(()),
            _ = hangup.recv() => {
                let (gateway, path) = (Arc::clone(&gateway), path.to_owned());
                let _ = tokio::task::spawn_blocking(move || reload(&gateway, &path)).await;
            }
            _ = tend.tick() => {
                let gateway = Arc::clone(&gateway);
                if gateway.ledger.standing().diverged {
                    break Err(CommandError::Environment("the ledger's database has another history than was followed from it; \
                        a new start makes memory of what it holds now".to_owned()));
                }
                // Reading lists takes a while; a tick that finds one under way waits its turn.
                let _ = tokio::task::spawn_blocking(move || gateway.tend()).await;
            }
        }
    };
    tracing::info!("stopping: no new requests, finishing those in flight");
    gateway.drain();
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

/// Reads the configuration again and puts its `[card]` and `[[listener]]` in force; one that cannot be
/// used changes nothing.
fn reload(gateway: &Gateway, path: &Path) {
    let read = Config::read(path).map_err(|error| error.to_string());
    match read.and_then(|config| gateway.reload(&config).map_err(|error| error.to_string())) {
        Ok(()) => {
            let now = UnixTime(gateway.clock.now().millis() / 1000);
            let anchors = gateway.desk.trust.anchors(now);
            let names: Vec<_> = anchors.iter().map(|anchor| anchor.name.as_str()).collect();
            tracing::info!(anchors = names.join(" "), "the changed configuration is in force");
        }
        Err(error) => tracing::error!(error, "configuration not taken over; what was in force stays so"),
    }
}

fn taken(key: &str, address: SocketAddr, error: &std::io::Error) -> CommandError {
    CommandError::Environment(format!(
        "{key} {address}: {error}; is another gateway running there? choose another address or stop it"
    ))
}
