//! The audit's secrets: what seals its files, and what persons' pseudonyms are made with.
//!
//! Each is a file of 32 octets that only its owner may read, known by an id made of its content. Of
//! each kind several may be alive: the first writes, all read.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::{digest, hmac};

use super::AuditError;
use crate::config;

/// Octets of a secret.
const SECRET: usize = 32;
/// Octets of a pseudonym.
pub(super) const PSEUDONYM: usize = 16;

/// What a key is called in files: the first octets of a digest of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub(super) u32);

impl KeyId {
    fn of(secret: &[u8; SECRET]) -> Self {
        let digest = digest::digest(&digest::SHA256, &[b"shikaku key id".as_slice(), secret].concat());
        Self(digest.as_ref().first_chunk().map_or(0, |octets| u32::from_le_bytes(*octets)))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A secret that seals files.
#[derive(Clone)]
pub(super) struct Sealing {
    pub(super) id: KeyId,
    pub(super) secret: [u8; SECRET],
}

/// A secret that makes pseudonyms.
#[derive(Clone)]
struct Pseudonym {
    id: KeyId,
    key: hmac::Key,
}

/// Every secret of the audit that is alive.
#[derive(Clone)]
pub struct Keys {
    sealing: Vec<Sealing>,
    pseudonym: Vec<Pseudonym>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl Keys {
    /// Reads the files that the configuration names.
    ///
    /// # Errors
    /// [`AuditError::Key`] with the file and the cure.
    pub fn read(config: &config::Audit) -> Result<Self, AuditError> {
        Ok(Self {
            sealing: all(&config.sealing_keys)?.into_iter().map(sealing).collect(),
            pseudonym: all(&config.pseudonym_keys)?.into_iter().map(pseudonym).collect(),
        })
    }

    /// Only what opens files, for one who proves them and learns no person.
    ///
    /// # Errors
    /// [`AuditError::Key`] with the file and the cure.
    pub fn read_sealing(files: &[PathBuf]) -> Result<Self, AuditError> {
        let secrets = files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { sealing: secrets.into_iter().map(sealing).collect(), pseudonym: Vec::new() })
    }

    /// None at all: chains can be followed, and nothing in them opened.
    #[must_use]
    pub const fn none() -> Self {
        Self { sealing: Vec::new(), pseudonym: Vec::new() }
    }

    /// These, and more that open files.
    #[must_use]
    pub fn and_sealing(mut self, more: Self) -> Self {
        self.sealing.extend(more.sealing);
        self
    }

    /// Whether files can be opened at all.
    #[must_use]
    pub const fn opens(&self) -> bool {
        !self.sealing.is_empty()
    }

    /// The ids of the keys that write: sealing, pseudonym.
    #[must_use]
    pub fn writing(&self) -> [Option<KeyId>; 2] {
        [self.sealing.first().map(|key| key.id), self.pseudonym.first().map(|key| key.id)]
    }

    /// The one that seals what is written now.
    pub(super) fn current(&self) -> Option<&Sealing> {
        self.sealing.first()
    }

    /// The one that sealed a file.
    pub(super) fn sealed_by(&self, id: KeyId) -> Option<&Sealing> {
        self.sealing.iter().find(|key| key.id == id)
    }

    /// What stands for a person in what is written now.
    pub(super) fn pseudonym(&self, person: &[u8]) -> Option<(KeyId, [u8; PSEUDONYM])> {
        self.pseudonym.first().map(|key| (key.id, key.of(person)))
    }

    /// What stands, or stood, for a person under any key.
    pub(super) fn pseudonyms(&self, person: &[u8]) -> Vec<(KeyId, [u8; PSEUDONYM])> {
        self.pseudonym.iter().map(|key| (key.id, key.of(person))).collect()
    }
}

impl Pseudonym {
    fn of(&self, person: &[u8]) -> [u8; PSEUDONYM] {
        hmac::sign(&self.key, person).as_ref().first_chunk().copied().unwrap_or_default()
    }
}

fn sealing(secret: [u8; SECRET]) -> Sealing {
    Sealing { id: KeyId::of(&secret), secret }
}

fn pseudonym(secret: [u8; SECRET]) -> Pseudonym {
    Pseudonym { id: KeyId::of(&secret), key: hmac::Key::new(hmac::HMAC_SHA256, &secret) }
}

fn all(files: &[PathBuf]) -> Result<Vec<[u8; SECRET]>, AuditError> {
    files.iter().map(|file| read(file)).collect()
}

fn read(file: &Path) -> Result<[u8; SECRET], AuditError> {
    let wrong = |why: String| AuditError::Key { path: file.to_owned(), why };
    let mode = std::fs::metadata(file).map_err(|error| wrong(error.to_string()))?.mode();
    if mode & 0o077 != 0 {
        return Err(wrong("may be read by others than its owner".to_owned()));
    }
    let octets = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    <[u8; SECRET]>::try_from(octets.as_slice())
        .map_err(|_| wrong(format!("holds {} octets and not {SECRET}", octets.len())))
}
