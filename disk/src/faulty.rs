//! A disk that fails on purpose, and what is left of it after a crash.
//!
//! ```text
//! code under test ─► Disk    ─┐                 ┌─► the operation, or a part of it, in a folder
//! SQLite          ─► sqlite  ─┴─► count, decide ┤
//!                                               └─► model: what of it is durable
//! ```
//!
//! What is readable is in real files below a root; what is durable only the model knows. Every
//! operation that changes anything is counted, and one of them can be made to fail, or to be the last.

mod model;
mod sqlite;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::{Created, Disk, Opened};
use model::{Inode, Model};

/// Operations for which a full disk stays full.
const FULL_FOR: u64 = 24;

/// What befalls an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process ends in the midst of it: neither it nor any after it is done.
    Kill,
    /// It fails, halfway.
    Fail,
    /// There is no room: it and some after it that need any fail.
    Full,
}

/// How the process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself or by a signal: the system still has all that was written.
    Process,
    /// With the power: what was not durable may be gone.
    Power,
}

/// A disk below a folder. Clones are the same disk.
#[derive(Clone, Debug)]
pub struct Faulty(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    root: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    model: Model,
    random: StdRng,
    /// Operations so far.
    done: u64,
    /// Which of them were syncs, of what.
    syncs: Vec<(u64, PathBuf)>,
    fault: Option<(u64, Fault)>,
    /// What befell whom.
    struck: Option<String>,
    dead: bool,
}

/// Every faulty disk that is alive. A file is on the one below whose root it is.
static DISKS: Mutex<Vec<Weak<Inner>>> = Mutex::new(Vec::new());

/// The faulty disk on which this path is.
pub(crate) fn disk_of(path: &Path) -> Option<Faulty> {
    let disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
    disks.iter().filter_map(Weak::upgrade).find(|disk| path.starts_with(&disk.root)).map(Faulty)
}

/// What is asked of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Needs room.
    Create,
    Write,
    /// Needs none.
    Truncate,
    Sync,
    Rename,
    Remove,
    SyncFolder,
}

impl Faulty {
    /// A disk whose files are below this folder, all of them durable.
    ///
    /// # Errors
    /// When the folder cannot be found.
    pub fn new(root: &Path, seed: u64) -> io::Result<Self> {
        let state = State {
            model: Model::default(),
            random: StdRng::seed_from_u64(seed),
            done: 0,
            syncs: Vec::new(),
            fault: None,
            struck: None,
            dead: false,
        };
        let inner = Arc::new(Inner { root: root.canonicalize()?, state: Mutex::new(state) });
        sqlite::begin();
        let mut disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
        disks.retain(|disk| disk.strong_count() > 0);
        disks.push(Arc::downgrade(&inner));
        Ok(Self(inner))
    }

    /// The folder, without links on the way: only by this name its files are known.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.0.root
    }

    /// Lets this befall the operation with this number, from 1, among those to come.
    pub fn strike(&self, after: u64, fault: Fault) {
        let mut state = self.0.state();
        state.fault = Some((state.done + after, fault));
        state.struck = None;
    }

    /// Operations so far.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.0.state().done
    }

    /// Which operations so far were syncs of the file of this name.
    #[must_use]
    pub fn syncs(&self, name: &str) -> Vec<u64> {
        let state = self.0.state();
        state.syncs.iter().filter(|(_, path)| path.ends_with(name)).map(|(number, _)| *number).collect()
    }

    /// What was struck, in words; `None` while nothing was.
    #[must_use]
    pub fn struck(&self) -> Option<String> {
        self.0.state().struck.clone()
    }

    /// Whether the process is over: nothing can be done until [`Faulty::restart`].
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.0.state().dead
    }

    /// Ends the process: nothing can be done any more until [`Faulty::restart`].
    pub fn kill(&self) {
        self.0.state().dead = true;
    }

    /// The disk as the next process finds it, without faults. Nothing of the former process may have a
    /// file open.
    ///
    /// # Errors
    /// When the files cannot be put as they are to be.
    pub fn restart(&self, end: End) -> io::Result<()> {
        let mut state = self.0.state();
        let State { model, random, .. } = &mut *state;
        if end == End::Power {
            let left = model.settle(random);
            clear(&self.0.root)?;
            for (path, octets) in left {
                fs::write(path, octets)?;
            }
        }
        (state.fault, state.dead) = (None, false);
        Ok(())
    }
}

/// Takes away all files, and no folder.
fn clear(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { clear(&path)? } else { fs::remove_file(path)? }
    }
    Ok(())
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything can be done at all.
    fn alive(&self) -> io::Result<()> {
        if self.state().dead { Err(gone()) } else { Ok(()) }
    }
}

fn gone() -> io::Error {
    io::Error::other("the process has ended")
}

impl State {
    /// Counts an operation. An error says how much of it is done before it fails, as a share.
    fn count(&mut self, asked: Asked, path: &Path) -> Result<(), (f64, io::Error)> {
        if self.dead {
            return Err((0.0, gone()));
        }
        self.done += 1;
        if asked == Asked::Sync {
            self.syncs.push((self.done, path.to_owned()));
        }
        let Some((at, fault)) = self.fault.filter(|(at, _)| *at <= self.done) else { return Ok(()) };
        let needs_room = matches!(asked, Asked::Create | Asked::Write);
        let error = match fault {
            Fault::Kill => {
                self.dead = true;
                gone()
            }
            Fault::Fail if self.done == at => io::Error::other("input or output failed"),
            Fault::Full if self.done < at + FULL_FOR && needs_room => ErrorKind::StorageFull.into(),
            Fault::Fail | Fault::Full => return Ok(()),
        };
        self.struck.get_or_insert_with(|| format!("{fault:?} at {asked:?} of {}", path.display()));
        Err((self.random.random_range(0.0..1.0), error))
    }

    /// Counts an operation that is done or not.
    fn whole(&mut self, asked: Asked, path: &Path) -> io::Result<()> {
        self.count(asked, path).map_err(|(_, error)| error)
    }

    /// Counts a write, and notes those octets of it that are written before it fails.
    fn write<'o>(
        &mut self,
        (inode, path): (Inode, &Path),
        at: usize,
        octets: &'o [u8],
    ) -> (&'o [u8], io::Result<()>) {
        let counted = self.count(Asked::Write, path);
        let share = counted.as_ref().err().map_or(1.0, |(share, _)| *share);
        let some = octets.get(..(octets.len() as f64 * share) as usize).unwrap_or_default();
        self.model.write(inode, at, some);
        (some, counted.map_err(|(_, error)| error))
    }

    /// Makes a file durable, or has it fail.
    fn sync(&mut self, inode: Inode, path: &Path) -> io::Result<()> {
        let synced = self.whole(Asked::Sync, path);
        match &synced {
            Ok(()) => self.model.sync(inode),
            Err(_) if self.dead => {}
            Err(_) => self.model.fail_sync(inode),
        }
        synced
    }
}

impl Disk for Faulty {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        // Made once, before anything is kept there.
        self.0.alive()?;
        fs::create_dir_all(folder)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        self.0.alive()?;
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
    }

    fn open(&self, file: &Path) -> io::Result<Box<dyn Opened>> {
        self.0.alive()?;
        Ok(Box::new(Reading { disk: self.clone(), file: File::open(file)? }))
    }

    fn create(&self, file: &Path) -> io::Result<Box<dyn Created>> {
        let mut state = self.0.state();
        state.whole(Asked::Create, file)?;
        let inode = state.model.create(file, file.exists());
        drop(state);
        let open = File::create(file)?;
        Ok(Box::new(Writing { disk: self.clone(), path: file.to_owned(), file: open, inode, at: 0 }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.0.state();
        state.whole(Asked::Rename, to)?;
        fs::rename(from, to)?;
        state.model.rename(from, to);
        Ok(())
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        let mut state = self.0.state();
        state.whole(Asked::Remove, file)?;
        if file.exists() {
            state.model.inode(file);
        }
        fs::remove_file(file)?;
        state.model.remove(file);
        Ok(())
    }

    fn renew(&self, file: &Path) -> io::Result<()> {
        let mut state = self.0.state();
        let octets = fs::read(file)?;
        let inode = state.model.inode(file);
        state.write((inode, file), 0, &octets).1?;
        state.sync(inode, file)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.0.state();
        state.whole(Asked::SyncFolder, folder)?;
        state.model.sync_folder(folder);
        Ok(())
    }
}

struct Reading {
    disk: Faulty,
    file: File,
}

impl Read for Reading {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        self.disk.0.alive()?;
        self.file.read(octets)
    }
}

impl Opened for Reading {
    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }
}

struct Writing {
    disk: Faulty,
    path: PathBuf,
    file: File,
    inode: Inode,
    at: usize,
}

impl Write for Writing {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.0.state();
        let (some, written) = state.write((self.inode, &self.path), self.at, octets);
        self.file.write_all(some)?;
        self.at += some.len();
        written.map(|()| octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Created for Writing {
    fn sync(&self) -> io::Result<()> {
        self.disk.0.state().sync(self.inode, &self.path)
    }
}
