//! What is left of a disk when the power goes.
//!
//! Files keep what was made durable, and of what was written since any part, torn at sectors. Names
//! are durable when their folder was; those changed since are the former or the new ones. What a
//! failed sync was to make durable stays readable, and never is durable: as on Linux, where the pages
//! count as written after the error was told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rand::RngExt as _;
use rand::rngs::StdRng;

/// Octets that a disk writes wholly or not at all.
const SECTOR: usize = 512;

/// A file, under whatever name.
pub(crate) type Inode = usize;

/// A change that is not durable.
#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, octets: Vec<u8> },
    Length(usize),
}

#[derive(Default, Debug)]
struct Content {
    durable: Vec<u8>,
    since: Vec<Change>,
}

/// Files and names, as far as they are durable, and what changed since.
#[derive(Default, Debug)]
pub(crate) struct Model {
    contents: Vec<Content>,
    names: BTreeMap<PathBuf, Inode>,
    durable: BTreeMap<PathBuf, Inode>,
}

impl Model {
    /// The file of this name; one that the model has not seen made is durable as it is.
    pub(crate) fn inode(&mut self, path: &Path) -> Inode {
        if let Some(inode) = self.names.get(path) {
            return *inode;
        }
        let inode = self.add(std::fs::read(path).unwrap_or_default());
        self.names.insert(path.to_owned(), inode);
        self.durable.insert(path.to_owned(), inode);
        inode
    }

    fn add(&mut self, durable: Vec<u8>) -> Inode {
        self.contents.push(Content { durable, since: Vec::new() });
        self.contents.len() - 1
    }

    /// A file is made, or an existing one emptied.
    pub(crate) fn create(&mut self, path: &Path, exists: bool) -> Inode {
        if exists {
            let inode = self.inode(path);
            self.truncate(inode, 0);
            return inode;
        }
        let inode = self.add(Vec::new());
        self.names.insert(path.to_owned(), inode);
        inode
    }

    pub(crate) fn write(&mut self, inode: Inode, at: usize, octets: &[u8]) {
        self.change(inode, Change::Write { at, octets: octets.to_vec() });
    }

    pub(crate) fn truncate(&mut self, inode: Inode, length: usize) {
        self.change(inode, Change::Length(length));
    }

    fn change(&mut self, inode: Inode, change: Change) {
        if let Some(content) = self.contents.get_mut(inode) {
            content.since.push(change);
        }
    }

    /// What was written of a file is durable.
    pub(crate) fn sync(&mut self, inode: Inode) {
        if let Some(content) = self.contents.get_mut(inode) {
            for change in std::mem::take(&mut content.since) {
                change.apply(&mut content.durable);
            }
        }
    }

    /// What was written of a file was to become durable, and did not.
    pub(crate) fn fail_sync(&mut self, inode: Inode) {
        if let Some(content) = self.contents.get_mut(inode) {
            content.since.clear();
        }
    }

    pub(crate) fn rename(&mut self, from: &Path, to: &Path) {
        let inode = self.inode(from);
        self.names.remove(from);
        self.names.insert(to.to_owned(), inode);
    }

    pub(crate) fn remove(&mut self, path: &Path) {
        self.inode(path);
        self.names.remove(path);
    }

    /// The names in a folder are durable.
    pub(crate) fn sync_folder(&mut self, folder: &Path) {
        self.durable.retain(|path, _| path.parent() != Some(folder));
        let now = self.names.iter().filter(|(path, _)| path.parent() == Some(folder));
        self.durable.extend(now.map(|(path, inode)| (path.clone(), *inode)));
    }

    /// The power goes: what files there are afterwards, with what in them; everything is durable then.
    pub(crate) fn settle(&mut self, random: &mut StdRng) -> BTreeMap<PathBuf, Vec<u8>> {
        let paths: BTreeSet<PathBuf> = self.names.keys().chain(self.durable.keys()).cloned().collect();
        let mut left = BTreeMap::new();
        for path in paths {
            let names = if random.random() { &self.names } else { &self.durable };
            if let Some(content) = names.get(&path).and_then(|inode| self.contents.get(*inode)) {
                left.insert(path, content.settled(random));
            }
        }
        *self = Self::default();
        for (path, octets) in &left {
            let inode = self.add(octets.clone());
            self.names.insert(path.clone(), inode);
            self.durable.insert(path.clone(), inode);
        }
        left
    }
}

impl Content {
    /// A file's octets after the power went: all that is durable, and any part of the rest.
    fn settled(&self, random: &mut StdRng) -> Vec<u8> {
        let mut octets = self.durable.clone();
        // Often nothing, often everything: the whole ways are the likely ones.
        let share = match random.random_range(0..4) {
            0 => 0.0,
            1 => 1.0,
            _ => random.random_range(0.0..1.0),
        };
        for change in &self.since {
            if !random.random_bool(share) {
                continue;
            }
            match change {
                Change::Write { at, octets: written } if share < 1.0 && random.random_bool(0.3) => {
                    let sectors = written.len().div_ceil(SECTOR);
                    let torn = (random.random_range(0..=sectors) * SECTOR).min(written.len());
                    let some = written.get(..torn).unwrap_or_default().to_vec();
                    Change::Write { at: *at, octets: some }.apply(&mut octets);
                }
                change => change.clone().apply(&mut octets),
            }
        }
        octets
    }
}

impl Change {
    fn apply(self, octets: &mut Vec<u8>) {
        match self {
            Self::Length(length) => octets.resize(length, 0),
            Self::Write { at, octets: written } => {
                let end = at + written.len();
                if octets.len() < end {
                    octets.resize(end, 0);
                }
                if let Some(place) = octets.get_mut(at..end) {
                    place.copy_from_slice(&written);
                }
            }
        }
    }
}
