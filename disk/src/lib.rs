//! The disk as the house writes to it.
//!
//! What must outlive the process or the power goes through a [`Folder`], and so through a [`Disk`]:
//! the machine's own, or one of which a test lets any single operation fail. SQLite writes by itself;
//! feature `faulty` gives it a file system with the same faults.
//!
//! | file | holds |
//! |---|---|
//! | `folder` | files of one folder, by name; how one is replaced durably |
//! | `machine` | the machine's own disk |
//! | `faulty` | a disk that fails on purpose, and what is left of it after a crash |

#[cfg(feature = "faulty")]
pub mod faulty;
mod folder;
mod machine;

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use folder::Folder;
use machine::Machine;

/// The disk on which this path is: the machine's own, unless a test has put another below it.
#[must_use]
pub fn of(path: &Path) -> Arc<dyn Disk> {
    #[cfg(feature = "faulty")]
    if let Some(disk) = faulty::disk_of(path) {
        return Arc::new(disk);
    }
    let _ = path;
    Arc::new(Machine)
}

/// Makes the log of a SQLite database durable, before it is opened, as an earlier process left it. What that
/// could not sync can be read all the same and would count from now on, but a loss of power would end the log
/// before it, and what is left of the log would be written over a database that is further.
///
/// # Errors
/// As [`Disk::renew`].
pub fn renew_log(database: &Path) -> io::Result<()> {
    let mut log = OsString::from(database);
    log.push("-wal");
    let log = Path::new(&log);
    if log.metadata().is_ok_and(|log| log.len() > 0) { of(log).renew(log) } else { Ok(()) }
}

/// What can be done on a disk. Each of these is one operation that may fail, or be the last.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Makes a folder and those above it, where they are not there.
    ///
    /// # Errors
    /// As [`std::fs::create_dir_all`].
    fn create_folder(&self, folder: &Path) -> io::Result<()>;
    /// What is in a folder.
    ///
    /// # Errors
    /// As [`std::fs::read_dir`].
    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;
    /// Opens a file to be read.
    ///
    /// # Errors
    /// As [`std::fs::File::open`].
    fn open(&self, file: &Path) -> io::Result<Box<dyn Opened>>;
    /// Makes a file, or empties it, to be written and read again.
    ///
    /// # Errors
    /// As [`std::fs::File::create`].
    fn create(&self, file: &Path) -> io::Result<Box<dyn Created>>;
    /// Gives a file another name, in place of one that has it.
    ///
    /// # Errors
    /// As [`std::fs::rename`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Takes a file away.
    ///
    /// # Errors
    /// As [`std::fs::remove_file`].
    fn remove(&self, file: &Path) -> io::Result<()>;
    /// Writes what can be read of a file over itself and makes it durable. Where an earlier sync of it
    /// failed, what was to be durable can be read and is on no disk, and another sync alone changes nothing.
    ///
    /// # Errors
    /// When it cannot be read, written or made durable.
    fn renew(&self, file: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// As [`std::fs::File::sync_all`].
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// A file being read.
pub trait Opened: Read + Send {
    /// Octets in it.
    ///
    /// # Errors
    /// As [`std::fs::File::metadata`].
    fn length(&self) -> io::Result<u64>;
}

/// A file being written.
pub trait Created: Write + Send {
    /// Makes what was written durable. After an error nobody knows what is: the file is good for
    /// nothing, and doing it again proves nothing.
    ///
    /// # Errors
    /// As [`std::fs::File::sync_all`].
    fn sync(&self) -> io::Result<()>;
}
