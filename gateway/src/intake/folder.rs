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

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use eligibility::feed::Source;
use eligibility::wire;
use serde::Serialize;

use super::{Admitted, DeliverError, HeldBack, Report};
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
        while gateway.phase() != Phase::Draining {
            if let Err(error) = look(&gateway, &folder, &mut seen) {
                tracing::error!(%error, "feed.folder cannot be looked at");
            }
            std::thread::sleep(LOOK_EVERY);
        }
    };
    std::thread::Builder::new().name("folder".to_owned()).spawn(run).map(drop)
}

/// Size and time of files at the look before.
type Seen = HashMap<PathBuf, (u64, SystemTime)>;

fn look(gateway: &Gateway, folder: &Path, seen: &mut Seen) -> io::Result<()> {
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
    for (path, _) in quiet {
        take(gateway, path);
    }
    *seen = now;
    Ok(())
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

fn take(gateway: &Gateway, path: &Path) {
    let said = match admit(gateway, path) {
        Ok(Admitted::Committed(report)) => Said::Taken(report),
        Ok(Admitted::Held(held)) => Said::Held(HeldBack::of(held)),
        Err(Failure::Later(error)) => {
            tracing::warn!(%error, "a file of feed.folder could not be taken, and is tried again");
            return;
        }
        Err(Failure::Never(error)) => Said::Rejected(Rejected { error }),
    };
    let nothing = match &said {
        Said::Taken(report) => {
            report.accepted == 0 && report.duplicates == 0 && !report.quarantined.is_empty()
        }
        Said::Held(_) => false,
        Said::Rejected(_) => true,
    };
    let word = if nothing { "rejected" } else { "done" };
    let beside = |end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let report = serde_json::to_vec_pretty(&said).unwrap_or_default();
    let renamed = fs::write(beside(".report.json"), report)
        .and_then(|()| fs::rename(path, beside(&format!(".{word}"))));
    match renamed {
        Ok(()) => tracing::info!(word, "a file of feed.folder"),
        Err(error) => tracing::error!(%error, "a file of feed.folder was taken, and cannot be renamed"),
    }
}

enum Failure {
    /// It is a delivery, and the ledger does not take it now.
    Later(DeliverError),
    /// It is none.
    Never(String),
}

fn admit(gateway: &Gateway, path: &Path) -> Result<Admitted, Failure> {
    let named = source_of(path).map_err(|error| Failure::Later(error.into()))?;
    let source = named.ok_or_else(|| Failure::Never("the first line names no source".to_owned()))?;
    if let Source::Insurer(number) = source
        && !gateway.desk.insurers.has(number)
    {
        return Err(Failure::Never(format!("insurer {number} is not in the list")));
    }
    let turn = gateway.spool.turn(source);
    let _turn = turn.blocking_lock();
    gateway.admission().admit(source, path, gateway.clock.now()).map_err(Failure::Later)
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
