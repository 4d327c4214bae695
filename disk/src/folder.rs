//! Files of one folder, by name.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{Created, Disk, Opened};

/// A folder on a disk.
#[derive(Clone, Debug)]
pub struct Folder {
    disk: Arc<dyn Disk>,
    path: PathBuf,
}

impl<P: AsRef<Path> + ?Sized> From<&P> for Folder {
    /// On the disk on which this path is.
    fn from(path: &P) -> Self {
        Self { disk: crate::of(path.as_ref()), path: path.as_ref().to_owned() }
    }
}

impl Folder {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the file of this name is.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes the folder, where it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(&self) -> io::Result<()> {
        self.disk.create_folder(&self.path)
    }

    /// The names in it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let paths = self.disk.list(&self.path)?;
        let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(paths.iter().filter_map(name).collect())
    }

    /// Opens a file to be read.
    ///
    /// # Errors
    /// When it is not there, or cannot be opened.
    pub fn open(&self, name: &str) -> io::Result<Box<dyn Opened>> {
        self.disk.open(&self.file(name))
    }

    /// All of a file.
    ///
    /// # Errors
    /// When it is not there, or cannot be read.
    pub fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut octets = Vec::new();
        self.open(name)?.read_to_end(&mut octets)?;
        Ok(octets)
    }

    /// Makes a file, or empties it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(&self, name: &str) -> io::Result<Box<dyn Created>> {
        self.disk.create(&self.file(name))
    }

    /// Writes a file whole: under another name, durable, renamed. Whatever is interrupted, the former
    /// one is there, or this one. The name itself is durable after [`Folder::sync`].
    ///
    /// # Errors
    /// When it cannot be written; the former one is then still there.
    pub fn put(&self, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        let new = Path::new(name).with_extension("new");
        let new = self.path.join(new);
        let mut file = self.disk.create(&new)?;
        parts.iter().try_for_each(|part| file.write_all(part))?;
        file.sync()?;
        self.disk.rename(&new, &self.file(name))
    }

    /// Takes a file away.
    ///
    /// # Errors
    /// When it is not there, or cannot be taken away.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(&self.file(name))
    }

    /// Makes the names in it durable.
    ///
    /// # Errors
    /// When that fails.
    pub fn sync(&self) -> io::Result<()> {
        self.disk.sync_folder(&self.path)
    }
}
