//! The files of one job.
//!
//! ```text
//! state.json        where it stands; replaced as a whole, and the last word on how much of the others counts
//! claims            what was read of each claim, a line each; gone at the end
//! results           a result a line, in the order of the file
//! later             results that changed since, each in the place of an earlier one of the same line
//! provisional.N     results that may change, each with its claim behind a tab
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::state::{State, VERSION};

const STATE: &str = "state.json";
pub(super) const CLAIMS: &str = "claims";
pub(super) const RESULTS: &str = "results";
pub(super) const LATER: &str = "later";

/// Octets read at once.
const BUFFER: usize = 256 * 1024;

/// The name of the provisional results of a round.
pub(super) fn provisional(round: u64) -> String {
    format!("provisional.{round}")
}

/// The folder of one job.
#[derive(Clone, Debug)]
pub(super) struct JobFolder(PathBuf);

impl JobFolder {
    pub(super) const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// A folder that is not there yet.
    pub(super) fn make(path: PathBuf) -> io::Result<Self> {
        fs::DirBuilder::new().create(&path)?;
        Ok(Self(path))
    }

    /// The folder of all jobs.
    pub(super) fn parent(&self) -> Option<&Path> {
        self.0.parent()
    }

    /// Where its job stands; `None` when there is no state: the file was never received whole.
    pub(super) fn state(&self) -> io::Result<Option<State>> {
        let json = match fs::read(self.0.join(STATE)) {
            Ok(json) => json,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let state: State = serde_json::from_slice(&json)?;
        if state.version == VERSION { Ok(Some(state)) } else { Err(io::Error::other("of another version")) }
    }

    /// Makes this the state, durably: the files it counts on must be synced before.
    pub(super) fn save(&self, state: &State) -> io::Result<()> {
        let beside = self.0.join("state.new");
        let mut file = private().truncate(true).open(&beside)?;
        file.write_all(&serde_json::to_vec(state)?)?;
        file.sync_all()?;
        fs::rename(&beside, self.0.join(STATE))?;
        sync_folder(&self.0)
    }

    /// Opens a file for writing behind its first so many octets; what a crash left behind them goes.
    pub(super) fn append(&self, name: &str, octets: u64) -> io::Result<File> {
        let mut file = private().open(self.0.join(name))?;
        file.set_len(octets)?;
        file.seek(SeekFrom::Start(octets))?;
        Ok(file)
    }

    /// The octets of a file from one place up to another.
    pub(super) fn read(&self, name: &str, from: u64, up_to: u64) -> io::Result<BufReader<io::Take<File>>> {
        let mut file = File::open(self.0.join(name))?;
        file.seek(SeekFrom::Start(from))?;
        Ok(BufReader::with_capacity(BUFFER, file.take(up_to.saturating_sub(from))))
    }

    /// Removes a file, also when there is none.
    pub(super) fn remove(&self, name: &str) {
        let removed = fs::remove_file(self.0.join(name));
        if let Err(error) = removed.as_ref()
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, name, "file of a pre-check not removed");
        }
    }

    /// Removes everything but the state.
    pub(super) fn empty(&self, round: u64) {
        for name in [CLAIMS, RESULTS, LATER, &provisional(round)] {
            self.remove(name);
        }
    }

    /// Removes all of it.
    pub(super) fn discard(&self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "folder of a pre-check not removed");
        }
    }
}

/// Files of the owner alone: they hold numbers of insured persons.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

/// Makes renames and new names of a folder durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
