//! The watched folder: feed files that are put there are deliveries like any other.
//!
//! ```text
//! NAME.ndjson ─► NAME.ndjson.done      or  NAME.ndjson.rejected, of which nothing was taken
//!                NAME.ndjson.report.json   what became of it, as the API would answer
//! ```
//!
//! A file is taken once it has been as it is for two looks: whoever writes slowly does better to write
//! under another name, and to rename. A file that was taken before a crash is taken again: its records
//! are duplicates then.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use disk::Folder;
use eligibility::feed::Source;
use eligibility::wire;
use serde::Serialize;

use super::{Admitted, HeldBack, Report};
use crate::background::wait_for_all_others;
use crate::gateway::{Gateway, Phase};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Watches the folder, on a thread of the lowest priority, until the gateway drains.
///
/// # Errors
/// When the folder cannot be made, or the system gives no thread.
pub fn watch(gateway: &Arc<Gateway>, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let (gateway, folder) = (Arc::clone(gateway), folder.to_owned());
    let run = move || {
        wait_for_all_others();
        let mut seen = HashMap::new();
        let busy = Busy::default();
        while gateway.phase() != Phase::Draining {
            if let Err(error) = look(&gateway, &folder, &mut seen, &busy) {
                tracing::error!(%error, "feed.folder cannot be looked at");
            }
            std::thread::sleep(LOOK_EVERY);
        }
    };
    std::thread::Builder::new().name("folder".to_owned()).spawn(run).map(drop)
}

/// Size and time of files at the look before.
type Seen = HashMap<PathBuf, (u64, SystemTime)>;

/// Sources whose files are being taken.
type Busy = Arc<Mutex<HashSet<Source>>>;

fn look(gateway: &Arc<Gateway>, folder: &Path, seen: &mut Seen, busy: &Busy) -> io::Result<()> {
    let mut now = Seen::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|extension| extension == "ndjson") {
            let metadata = entry.metadata()?;
            now.insert(entry.path(), (metadata.len(), metadata.modified()?));
        }
    }
    let mut quiet: Vec<_> = now.iter().filter(|(path, is)| seen.get(*path) == Some(is)).collect();
    quiet.sort();
    let mut sources: HashMap<Source, Vec<PathBuf>> = HashMap::new();
    for (path, _) in quiet {
        match source_of(path) {
            Ok(Some(source)) => sources.entry(source).or_default().push(path.clone()),
            Ok(None) => conclude(path, &rejected("the first line names no source")),
            Err(error) => later(&error),
        }
    }
    *seen = now;
    for (source, files) in sources {
        take_all(gateway, source, files, busy)?;
    }
    Ok(())
}

/// Takes a source's files, in order, on a thread of their own: however many they are, other sources do
/// not wait for them.
fn take_all(gateway: &Arc<Gateway>, source: Source, files: Vec<PathBuf>, busy: &Busy) -> io::Result<()> {
    let Some(taking) = Taking::of(source, busy) else { return Ok(()) };
    let gateway = Arc::clone(gateway);
    let run = move || {
        wait_for_all_others();
        files.iter().for_each(|path| take(&gateway, taking.source, path));
    };
    std::thread::Builder::new().name("delivery".to_owned()).spawn(run).map(drop)
}

/// A source is among the busy ones as long as this lives.
struct Taking {
    source: Source,
    busy: Busy,
}

impl Taking {
    fn of(source: Source, busy: &Busy) -> Option<Self> {
        let new = busy.lock().unwrap_or_else(PoisonError::into_inner).insert(source);
        new.then(|| Self { source, busy: Arc::clone(busy) })
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.source);
    }
}

/// Why a file is no delivery.
#[derive(Serialize)]
struct Rejected {
    error: String,
}

/// What the report beside a file says.
#[derive(Serialize)]
#[serde(untagged)]
enum Said {
    Taken(Report),
    Held(HeldBack),
    Rejected(Rejected),
}

fn rejected(error: impl Into<String>) -> Said {
    Said::Rejected(Rejected { error: error.into() })
}

fn later(error: &dyn std::fmt::Display) {
    tracing::warn!(%error, "a file of feed.folder could not be taken, and is tried again");
}

fn take(gateway: &Gateway, source: Source, path: &Path) {
    if let Source::Insurer(number) = source
        && !gateway.desk.insurers.has(number)
    {
        return conclude(path, &rejected(format!("insurer {number} is not in the list")));
    }
    let turn = gateway.spool.turn(source);
    let _turn = turn.blocking_lock();
    match gateway.admission().admit(source, path, gateway.clock.now()) {
        Ok(Admitted::Committed(report)) => conclude(path, &Said::Taken(report)),
        Ok(Admitted::Held(held)) => conclude(path, &Said::Held(HeldBack::of(held))),
        Err(error) => later(&error),
    }
}

/// Says beside the file what became of it, and puts it out of the way.
fn conclude(path: &Path, said: &Said) {
    let nothing = match said {
        Said::Taken(report) => {
            report.accepted == 0 && report.duplicates == 0 && !report.quarantined.is_empty()
        }
        Said::Held(_) => false,
        Said::Rejected(_) => true,
    };
    let word = if nothing { "rejected" } else { "done" };
    let renamed = put_away(path, word, said);
    match renamed {
        Ok(()) => tracing::info!(word, "a file of feed.folder"),
        Err(error) => tracing::error!(%error, "a file of feed.folder was taken, and cannot be renamed"),
    }
}

/// The report is there, whole, before the file has its last name; that name is durable.
fn put_away(path: &Path, word: &str, said: &Said) -> io::Result<()> {
    let folder = Folder::from(path.parent().unwrap_or(path));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    folder.put(&format!("{name}.report.json"), &[&serde_json::to_vec_pretty(said)?])?;
    let mut last = path.as_os_str().to_owned();
    last.push(format!(".{word}"));
    fs::rename(path, last)?;
    folder.sync()
}

/// The source that the first record of a feed file names.
///
/// # Errors
/// When the file cannot be read.
pub fn source_of(file: &Path) -> io::Result<Option<Source>> {
    #[derive(serde::Deserialize)]
    struct SourceOnly<'a> {
        #[serde(borrow)]
        source: wire::Text<'a>,
    }
    let mut first = Vec::new();
    let mut lines = BufReader::new(fs::File::open(file)?);
    while first.trim_ascii().is_empty() {
        first.clear();
        if lines.read_until(b'\n', &mut first)? == 0 {
            break;
        }
    }
    let named = serde_json::from_slice::<SourceOnly<'_>>(&first).ok();
    Ok(named.and_then(|named| Source::parse(&named.source)))
}
