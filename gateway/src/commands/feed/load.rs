//! Taking files into the ledger: those whose records do not hang on each other beside each other.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;

use disk::Folder;
use eligibility::day::Timestamp;
use eligibility::feed::Source;
use indicatif::{ProgressBar, ProgressStyle};

use super::{open, unreadable};
use crate::clock::Clock;
use crate::commands::CommandError;
use crate::config::{Config, InsurerList};
use crate::follow;
use crate::intake::{Admission, Admitted, Held, folder};

/// Files on their way at once: so many share one write to the disk.
const AT_ONCE: usize = 8;

/// Takes files into the ledger, each as one delivery of the source its first record names. Gives what
/// became of each, in the order given.
pub(in crate::commands) fn load(
    config: &Config,
    files: &[PathBuf],
) -> Result<Vec<(PathBuf, Admitted)>, CommandError> {
    let insurers = InsurerList::read(&config.feed.insurers).map_err(CommandError::usage)?;
    let mut stages = Stages::default();
    let mut octets = 0;
    for (at, file) in files.iter().enumerate() {
        let source = source_of(file)?;
        if let Source::Insurer(number) = source
            && !insurers.has(number)
        {
            return Err(CommandError::No(format!("{}: insurer {number} is not in the list", file.display())));
        }
        octets += open(file)?.metadata().map_or(0, |metadata| metadata.len());
        stages.entry(stage(source)).or_default().entry(source).or_default().push(at);
    }
    let followed = follow::from_config(config)?;
    let held = Held::open(Folder::from(&config.held_folder()), followed.ledger.clone());
    let held = held.map_err(CommandError::environment)?;
    let (ledger, memory, gate) = (&followed.ledger, &followed.memory, &config.feed.gate);
    let loading = Loading {
        admission: Admission { ledger, memory, held: &held, gate },
        now: Clock::system().now(),
        files,
        bar: progress(octets),
    };
    let mut admitted = Vec::new();
    for sources in stages.into_values() {
        admitted.extend(loading.all(sources.into_values())?);
    }
    loading.bar.finish_and_clear();
    drop(loading);
    followed.close();
    admitted.sort_by_key(|(at, _)| *at);
    let file = |at: usize| files.get(at).cloned().unwrap_or_default();
    Ok(admitted.into_iter().map(|(at, admitted)| (file(at), admitted)).collect())
}

/// Places of files by source, and those by stage.
type Stages = BTreeMap<u8, BTreeMap<Source, Vec<usize>>>;

/// Renewals follow the links that they renew, and a city's records count for those with a card.
const fn stage(source: Source) -> u8 {
    match source {
        Source::Insurer(_) | Source::Portal => 0,
        Source::Jlis => 1,
        Source::City(_) | Source::Gateway => 2,
    }
}

struct Loading<'l> {
    admission: Admission<'l>,
    now: Timestamp,
    files: &'l [PathBuf],
    bar: ProgressBar,
}

type Loaded = Vec<(usize, Admitted)>;

impl Loading<'_> {
    /// Takes the files of several sources, each source's in order.
    fn all(&self, sources: impl Iterator<Item = Vec<usize>> + Send) -> Result<Loaded, CommandError> {
        let sources = Mutex::new(sources);
        let next = || sources.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || {
            let mut loaded = Loaded::new();
            while let Some(files) = next() {
                for at in files {
                    loaded.push((at, self.one(at)?));
                }
            }
            Ok(loaded)
        };
        let ended = || CommandError::Environment("a thread that loads ended".to_owned());
        thread::scope(|scope| {
            let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
            let loaded = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(ended())));
            loaded.collect::<Result<Vec<_>, _>>().map(|all| all.into_iter().flatten().collect())
        })
    }

    fn one(&self, at: usize) -> Result<Admitted, CommandError> {
        let Some(file) = self.files.get(at) else { return Err(CommandError::No("no such file".to_owned())) };
        let admitted = self
            .admission
            .admit_through(source_of(file)?, file, self.now, |opened: File| self.bar.wrap_read(opened));
        admitted.map_err(|error| CommandError::Environment(format!("{}: {error}", file.display())))
    }
}

fn source_of(file: &Path) -> Result<Source, CommandError> {
    let named = folder::source_of(file).map_err(|error| unreadable(file, &error))?;
    named.ok_or_else(|| {
        CommandError::No(format!("{}: the first line names no source; nothing was loaded", file.display()))
    })
}

/// Of all octets; those of a file that is looked through before count twice.
fn progress(octets: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {eta}");
    ProgressBar::new(octets).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
