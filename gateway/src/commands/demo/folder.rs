//! The demonstration's folder: files written whole, secrets for the owner only.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use crate::commands::CommandError;

/// A folder that is made as it is written to.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self, CommandError> {
        fs::create_dir_all(path).map_err(|error| failed(path, &error))?;
        Ok(Self(path.to_owned()))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The file's content; `None` where there is none.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, CommandError> {
        let path = self.path(name);
        match fs::read(&path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path, &error)),
        }
    }

    /// As [`Folder::read`], for text.
    pub(super) fn read_text(&self, name: &str) -> Result<Option<String>, CommandError> {
        let content = self.read(name)?;
        content.map(String::from_utf8).transpose().map_err(|_| {
            CommandError::Usage(format!(
                "{}: is no text; remove the folder to begin anew",
                self.path(name).display()
            ))
        })
    }

    /// Writes a file whole: readers see the old content or the new.
    pub(super) fn write(&self, name: &str, content: &[u8]) -> Result<PathBuf, CommandError> {
        self.put(name, content, 0o644)
    }

    /// As [`Folder::write`], readable by the owner only.
    pub(super) fn write_private(&self, name: &str, content: &[u8]) -> Result<PathBuf, CommandError> {
        self.put(name, content, 0o600)
    }

    /// Appends to a file.
    pub(super) fn append(&self, name: &str, content: &[u8]) -> Result<(), CommandError> {
        let path = self.path(name);
        let append = || {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::OpenOptions::new().append(true).create(true).open(&path)?.write_all(content)
        };
        append().map_err(|error| failed(&path, &error))
    }

    /// Makes a random secret where there is none yet.
    pub(super) fn write_secret(&self, name: &str, octets: usize) -> Result<(), CommandError> {
        if self.read(name)?.is_some() {
            return Ok(());
        }
        let mut secret = vec![0; octets];
        SystemRandom::new()
            .fill(&mut secret)
            .map_err(|_| CommandError::Environment("the system gives no randomness".to_owned()))?;
        self.write_private(name, &secret).map(drop)
    }

    fn put(&self, name: &str, content: &[u8], mode: u32) -> Result<PathBuf, CommandError> {
        let path = self.path(name);
        let beside = self.path(&format!("{name}.new"));
        let put = || {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            let mut options = fs::OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(mode).open(&beside)?.write_all(content)?;
            fs::rename(&beside, &path)
        };
        put().map_err(|error| failed(&path, &error))?;
        Ok(path)
    }
}

fn failed(path: &Path, error: &io::Error) -> CommandError {
    CommandError::Environment(format!("{}: {error}", path.display()))
}
