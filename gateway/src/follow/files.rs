//! Memory's files: opened at the start if they are this ledger's, those damaged made good, written
//! behind while serving and looked through, handed to another gateway.
//!
//! ```text
//! memory, people-…, cards-…, numbers-…     the cache's own, every octet summed
//! ledger-00000000000000a3                  the ledger's fingerprint at that position (hexadecimal)
//! ```
//!
//! The fingerprint is written before the files that it belongs to, and looked for by their position:
//! files without it, or with one that this ledger does not have, are of another ledger or of another
//! history of it, and count for nothing.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cache::{BaseError, Reader, Writer};
use disk::Folder;
use ledger::{LedgerError, Opened};

use super::{as_applied, lock, replay};
use crate::background::wait_for_all_others;
use crate::clock::Clock;

/// Copies tried while a gateway replaces the files under them.
const TRIES: usize = 5;

/// Why memory's files cannot be written or handed over.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// They cannot be read or written.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// The fingerprint cannot be read or written.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// They are not this ledger's.
    #[error("{} is the memory of another ledger, or of another history of it", .0.display())]
    Foreign(PathBuf),
}

/// How long another is waited for who is about to leave.
const PATIENCE: Duration = Duration::from_secs(5);

/// Locks the file `FOLDER.lock` beside the folder: a ledger on a server keeps no second process away
/// from the files here.
///
/// # Errors
/// `Open` when another process has it, or it cannot be made.
pub(super) fn alone(folder: &Path) -> Result<File, LedgerError> {
    let mut path = folder.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let failed = |error: &dyn std::fmt::Display| LedgerError::Open {
        place: folder.into(),
        reason: format!("memory's files, whose lock is {}: {error}", path.display()),
    };
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent).map_err(|error| failed(&error))?;
    }
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| failed(&error))?;
    let began = Clock::instant();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) if began.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(fs::TryLockError::WouldBlock) => return Err(failed(&"another process has it")),
            Err(fs::TryLockError::Error(error)) => return Err(failed(&error)),
        }
    }
}

fn fingerprint_name(position: u64) -> String {
    format!("ledger-{position:016x}")
}

/// Memory as its files have it, and how many of them had to be made good first.
pub(super) struct Taken {
    pub(super) writer: Writer,
    pub(super) memory: Reader,
    pub(super) mended: usize,
}

impl Taken {
    /// A memory that begins with nothing.
    pub(super) fn nothing() -> Self {
        let (writer, memory) = cache::empty();
        Self { writer, memory, mended: 0 }
    }
}

/// Takes memory from its files, where there are any and they are this ledger's. Single ones that are
/// damaged are made again of the others and of the ledger.
///
/// # Errors
/// [`LedgerError`] when the ledger itself cannot be read.
pub(super) fn open(folder: &Path, opened: &Opened) -> Result<Option<Taken>, LedgerError> {
    match take(folder, opened) {
        Ok(taken) => Ok(Some(taken)),
        Err(FilesError::Base(BaseError::Missing)) => Ok(None),
        Err(FilesError::Ledger(error)) => Err(error),
        Err(error) => {
            tracing::warn!(%error, "memory's files count for nothing; memory is made of the ledger");
            Ok(None)
        }
    }
}

/// Memory as its files have it, where they are whole and this ledger's; changes nothing, beside a process
/// that may be writing them.
///
/// # Errors
/// [`LedgerError`] when the ledger itself cannot be read.
pub(super) fn beside(
    folder: &Path,
    ledger: &ledger::Reader,
) -> Result<Option<(Writer, Reader)>, LedgerError> {
    let Ok(position) = cache::position(folder) else { return Ok(None) };
    if !is_of(folder, position, ledger)? {
        return Ok(None);
    }
    // One that is being replaced under us is not taken.
    Ok(cache::open(folder).ok().filter(|(_, memory)| memory.generation() == position))
}

fn take(folder: &Path, opened: &Opened) -> Result<Taken, FilesError> {
    if !is_of(folder, cache::position(folder)?, opened.reader())? {
        return Err(FilesError::Foreign(folder.to_owned()));
    }
    let (taken, mended) = match cache::open(folder) {
        Err(error @ BaseError::Damaged(_)) => {
            tracing::warn!(%error, "memory's files are made good");
            let mended = cache::repair(folder, |take| {
                replay::after(opened, 0, |batches| batches.iter().for_each(|batch| take(as_applied(batch))))
                    .map_err(FilesError::from)
            })?;
            (cache::open(folder)?, mended.len())
        }
        taken => (taken?, 0),
    };
    let (writer, memory) = taken;
    Ok(Taken { writer, memory, mended })
}

fn is_of(folder: &Path, position: u64, ledger: &ledger::Reader) -> Result<bool, LedgerError> {
    let kept = Folder::from(folder).read(&fingerprint_name(position)).unwrap_or_default();
    Ok(ledger.fingerprint(position)?.is_some_and(|own| own.as_slice() == kept))
}

/// What is needed to write memory's files.
pub struct Kept {
    folder: PathBuf,
    writer: Arc<Mutex<Writer>>,
    memory: Reader,
    ledger: Mutex<ledger::Reader>,
    _lock: File,
}

impl Kept {
    pub(super) fn new(
        folder: &Path,
        writer: Arc<Mutex<Writer>>,
        memory: Reader,
        (ledger, lock): (ledger::Reader, File),
    ) -> Self {
        Self { folder: folder.to_owned(), writer, memory, ledger: Mutex::new(ledger), _lock: lock }
    }

    /// Writes them as of now. Nobody waits for it but those who write to memory, twice for a moment.
    ///
    /// # Errors
    /// [`FilesError`]; the former ones are then still whole.
    pub fn save(&self) -> Result<u64, FilesError> {
        let (position, snapshot) = {
            let writer = lock(&self.writer);
            (self.memory.generation(), writer.snapshot())
        };
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(fingerprint) = ledger.fingerprint(position)? else { return Ok(position) };
        put_fingerprint(&self.folder, position, &fingerprint)?;
        snapshot.write(&self.folder, |written| lock(&self.writer).adopt(written))?;
        sweep(&self.folder, position);
        Ok(position)
    }

    /// As [`Kept::save`]; a failure is logged, and costs time at the next start.
    pub fn save_or_warn(&self) -> Option<u64> {
        let saved = self.save();
        if let Err(error) = &saved {
            tracing::warn!(%error, "memory's files could not be written; the next start reads more of the ledger");
        }
        saved.ok()
    }

    /// Looks at one of the files, at each of them in turn, and writes it again where it is not what
    /// memory has.
    fn mend(&self, turn: usize) {
        let snapshot = lock(&self.writer).snapshot();
        match snapshot.mend(&self.folder, turn) {
            Ok(None) => {}
            Ok(Some(file)) => {
                tracing::warn!(file = %file.display(), "a damaged file of memory was written again")
            }
            Err(error) => tracing::warn!(%error, "a damaged file of memory could not be written again"),
        }
    }

    /// Writes them behind: on a thread that waits for all others, after each pause in which anything
    /// was changed; one of those already written is looked at in each pause. `saved` is the position up to which they are written.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn behind(self, pause: Duration, saved: u64) -> io::Result<Behind> {
        let (stop, stopped) = channel::<()>();
        let saved = Arc::new(AtomicU64::new(saved));
        let last = Arc::clone(&saved);
        let run = move || {
            wait_for_all_others();
            let (mut wait, mut turn) = (Duration::ZERO, 0);
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let began = Clock::instant();
                if self.memory.generation() != last.load(Ordering::Relaxed)
                    && let Some(position) = self.save_or_warn()
                {
                    last.store(position, Ordering::Relaxed);
                }
                self.mend(turn);
                turn += 1;
                // A nation takes long to write: at least as much time is left to others.
                wait = pause.max(began.elapsed());
            }
        };
        std::thread::Builder::new().name("memory".to_owned()).spawn(run)?;
        Ok(Behind { _stop: stop, saved })
    }
}

/// The thread that writes memory's files; it ends when this is dropped and it is done with what it does.
pub struct Behind {
    _stop: Sender<()>,
    saved: Arc<AtomicU64>,
}

impl Behind {
    /// Position up to which the files are written.
    #[must_use]
    pub fn saved(&self) -> u64 {
        self.saved.load(Ordering::Relaxed)
    }
}

fn put_fingerprint(folder: &Path, position: u64, fingerprint: &[u8]) -> Result<(), FilesError> {
    let name = fingerprint_name(position);
    let put = || {
        let folder = Folder::from(folder);
        folder.make()?;
        let mut file = folder.create(&name)?;
        file.write_all(fingerprint)?;
        file.sync()
    };
    put().map_err(|error| FilesError::Io { path: folder.join(&name), error })
}

/// Takes away the fingerprints of files that are gone.
fn sweep(folder: &Path, position: u64) {
    let (folder, kept) = (Folder::from(folder), fingerprint_name(position));
    for name in folder.names().into_iter().flatten() {
        if name.starts_with("ledger-") && name != kept {
            let _ = folder.remove(&name);
        }
    }
}

/// Copies memory's files to another folder, every octet checked on the way; a gateway may be serving
/// and writing them. Gives their position.
///
/// # Errors
/// [`FilesError`] when what is there is not whole, or cannot be written.
pub fn hand_over(from: &Path, to: &Path) -> Result<u64, FilesError> {
    for _ in 1..TRIES {
        match copy(from, to) {
            // Replaced in the midst.
            Err(FilesError::Base(BaseError::Io(_, error)) | FilesError::Io { error, .. })
                if error.kind() == io::ErrorKind::NotFound => {}
            done => return done,
        }
    }
    copy(from, to)
}

fn copy(from: &Path, to: &Path) -> Result<u64, FilesError> {
    let position = cache::copy(from, to)?;
    let name = fingerprint_name(position);
    let fingerprint =
        Folder::from(from).read(&name).map_err(|error| FilesError::Io { path: from.join(&name), error })?;
    put_fingerprint(to, position, &fingerprint)?;
    sweep(to, position);
    Ok(position)
}

/// Puts handed-over files in place of a gateway's own, if they are whole and of its ledger, which is
/// `ledger` at the position of its last batch. Gives their position.
///
/// # Errors
/// [`FilesError`]; the own ones are then as they were.
pub fn take_over(from: &Path, folder: &Path, ledger: &ledger::Reader) -> Result<u64, FilesError> {
    let _alone = alone(folder)?;
    let arriving = folder.with_extension("arriving");
    let failed = |error| FilesError::Io { path: arriving.clone(), error };
    let clear = |path: &Path| match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    clear(&arriving).map_err(failed)?;
    let position = copy(from, &arriving)?;
    if !is_of(&arriving, position, ledger)? {
        clear(&arriving).map_err(failed)?;
        return Err(FilesError::Foreign(from.to_owned()));
    }
    clear(folder).and_then(|()| fs::rename(&arriving, folder)).map_err(failed)?;
    Ok(position)
}
