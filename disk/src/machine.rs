//! The machine's own disk.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::{Created, Disk, Opened};

/// The machine's own disk.
#[derive(Debug)]
pub(crate) struct Machine;

impl Disk for Machine {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
    }

    fn open(&self, file: &Path) -> io::Result<Box<dyn Opened>> {
        Ok(Box::new(File::open(file)?))
    }

    fn create(&self, file: &Path) -> io::Result<Box<dyn Created>> {
        Ok(Box::new(File::create(file)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        fs::remove_file(file)
    }

    fn renew(&self, file: &Path) -> io::Result<()> {
        let file = File::options().read(true).write(true).open(file)?;
        let mut octets = vec![0; 1 << 20];
        let mut at = 0;
        loop {
            let some = file.read_at(&mut octets, at)?;
            if some == 0 {
                return file.sync_all();
            }
            file.write_all_at(octets.get(..some).unwrap_or_default(), at)?;
            at += some as u64;
        }
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

impl Opened for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

impl Created for File {
    fn sync(&self) -> io::Result<()> {
        self.sync_all()
    }
}
