//! Exports leave a record of their own. The command that gives records out cannot write into the chain,
//! which the running gateway holds: it leaves a note beside it before the first record is given, and the
//! gateway writes what the note says into the chain, now or when it next starts.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use eligibility::day::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::class::Work;
use super::entry::Entry;
use super::record::Mark;
use super::{Audit, Class};

/// The folder of notes, in the audit's.
const FOLDER: &str = "exports";

/// What was given out, to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exported {
    /// Its id, as a request's.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// The user of this machine who ran the command.
    pub user: u32,
    /// Records of this institution alone; 0 for all.
    pub institution: u64,
    /// Records of one person alone, known by this insurer; 0 for all.
    pub insurer: u32,
    /// That person's pseudonym, and the key of it.
    pub person: Option<(u32, Mark)>,
}

impl Exported {
    /// Leaves the note. It is on the disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written: then nothing may be given out.
    pub fn leave(&self, folder: &Path) -> io::Result<()> {
        let folder = folder.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let beside = folder.join(format!("{}.new", self.id));
        let mut file = fs::File::create_new(&beside)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        fs::rename(&beside, folder.join(format!("{}.json", self.id)))?;
        fs::File::open(&folder)?.sync_all()
    }

    fn entry(&self) -> Entry {
        Entry::by_user(self.user, (self.at, self.id), self.institution, (self.insurer, self.person))
    }
}

impl Audit {
    /// Writes the notes that exports have left into the chain. Blocks.
    pub fn take_exports(&self) {
        let Ok(notes) = fs::read_dir(self.folder().join(FOLDER)) else { return };
        for path in notes.flatten().map(|entry| entry.path()) {
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let read = fs::read(&path).and_then(|octets| Ok(serde_json::from_slice::<Exported>(&octets)?));
            match read {
                // One that is written twice, after a crash between the two, has one id.
                Ok(note) if self.record(&note.entry()).wait() => {
                    if let Err(error) = fs::remove_file(&path) {
                        tracing::error!(%error, note = %path.display(), "the note of an export stays");
                    }
                }
                Ok(_) => return,
                Err(error) => {
                    // It is kept for whoever looks into it, and not read again.
                    let aside = fs::rename(&path, path.with_extension("unreadable"));
                    tracing::error!(%error, aside = aside.is_ok(), note = %path.display(), "no note of an export");
                }
            }
        }
    }
}

/// The class of these records, and their class of work.
pub(super) const RECORDED_AS: (Class, Work) = (Class::Acts, Work::Desk);
