//! The files in which memory outlives the process: one a shard, and one that names them all.
//!
//! ```text
//! memory                         position, seed, which file each shard is in, where sources stand
//! people-07-000000000000004f     a shard of people as of that position (hexadecimal), and so on:
//! cards-07-…, numbers-07-…       64 of each
//!
//! head    magic, version, kind, shard (16 octets), position, seed, buckets, count, length (8 each),
//!         zeros up to 60, sum of all that
//! body    the segment's octets
//! sums    CRC-32 of each 64 KiB of the body, four octets each, and of these sums
//! ```
//!
//! A file is written under another name, made durable, renamed, and never changed; only when all are
//! there does `memory` name them, itself renamed. So whatever is interrupted, the former ones are
//! there. What is torn, longer, flipped, or of another version is refused as a whole: memory is then
//! made again from the batches.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use disk::Folder;

use crate::key::SHARDS;
use crate::map::Buffer;
use crate::octets::Reading;
use crate::segment::{Kind, Segment};

const MAGIC: &[u8; 8] = b"shikaku\x01";
const HEAD: usize = 64;
const BLOCK: usize = 64 * 1024;
/// Threads that read files together.
const READERS: usize = 4;
/// The file that names all others.
const NAMES: &str = "memory";

/// Why memory cannot be taken from its files.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// There are none yet.
    #[error("there is no memory in this folder")]
    Missing,
    /// These files are missing, are not what they were when written, or are of another version.
    #[error("damaged, missing or of another version: {}", listed(.0))]
    Damaged(Vec<PathBuf>),
    /// A file cannot be read or written.
    #[error("{}: {}", .0.display(), .1)]
    Io(PathBuf, #[source] io::Error),
}

fn listed(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Where a segment is filed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Filed {
    pub(crate) kind: Kind,
    pub(crate) shard: usize,
    /// The position as of which it was written.
    pub(crate) position: u64,
}

impl Filed {
    fn name(self) -> String {
        let kind = match self.kind {
            Kind::People => "people",
            Kind::Cards => "cards",
            Kind::Numbers => "numbers",
        };
        format!("{kind}-{:02}-{:016x}", self.shard, self.position)
    }

    pub(crate) fn path(self, folder: &Path) -> PathBuf {
        folder.join(self.name())
    }

    pub(crate) fn is_in(self, folder: &Path) -> bool {
        self.path(folder).exists()
    }

    fn damaged(self, folder: &Path) -> BaseError {
        BaseError::Damaged(vec![self.path(folder)])
    }

    fn head(self, seed: u64, segment: (u64, u64, usize)) -> [u8; HEAD] {
        let (buckets, count, length) = segment;
        let mut head = [0; HEAD];
        head[..8].copy_from_slice(MAGIC);
        head[8] = self.kind as u8;
        head[9] = self.shard as u8;
        for (at, value) in (16..).step_by(8).zip([self.position, seed, buckets, count, length as u64]) {
            head[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        let sum = crc32fast::hash(&head[..HEAD - 4]);
        head[HEAD - 4..].copy_from_slice(&sum.to_le_bytes());
        head
    }
}

fn sums(body: &[u8]) -> Vec<u8> {
    let mut sums: Vec<u8> =
        body.chunks(BLOCK).flat_map(|block| crc32fast::hash(block).to_le_bytes()).collect();
    sums.extend_from_slice(&crc32fast::hash(&sums).to_le_bytes());
    sums
}

fn head_of(filed: Filed, seed: u64, segment: &Segment) -> [u8; HEAD] {
    filed.head(seed, (segment.buckets, segment.count, segment.octets().len()))
}

/// Writes a segment.
pub(crate) fn write(folder: &Path, filed: Filed, seed: u64, segment: &Segment) -> Result<(), BaseError> {
    let body = segment.octets();
    put(folder, &filed.name(), &[&head_of(filed, seed, segment), body, &sums(body)])
}

/// Whether the file is what [`write`] made of this segment, to the last octet.
pub(crate) fn holds(folder: &Path, filed: Filed, seed: u64, segment: &Segment) -> bool {
    let compare = || -> io::Result<bool> {
        let mut file = Folder::from(folder).open(&filed.name())?;
        let body = segment.octets();
        let mut block = vec![0; BLOCK];
        for part in [&head_of(filed, seed, segment), body, &sums(body)] {
            for expected in part.chunks(BLOCK) {
                let read = &mut block[..expected.len()];
                file.read_exact(read)?;
                if read != expected {
                    return Ok(false);
                }
            }
        }
        Ok(file.read(&mut block)? == 0)
    };
    compare().unwrap_or(false)
}

/// Reads a segment whose every octet is as it was written.
pub(crate) fn read(folder: &Path, filed: Filed, seed: u64) -> Result<Segment, BaseError> {
    read_into(room(folder, filed), folder, filed, seed)
}

/// Room for what is in the file.
fn room(folder: &Path, filed: Filed) -> Buffer {
    Buffer::new(std::fs::metadata(filed.path(folder)).map_or(0, |file| file.len() as usize))
}

fn read_into(body: Buffer, folder: &Path, filed: Filed, seed: u64) -> Result<Segment, BaseError> {
    let path = filed.path(folder);
    let io = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => filed.damaged(folder),
        _ => BaseError::Io(path.clone(), error),
    };
    let mut file = Folder::from(folder).open(&filed.name()).map_err(io)?;
    let length = file.length().map_err(io)?;
    checked(&mut file, length, body, filed, seed).map_err(io)?.ok_or_else(|| filed.damaged(folder))
}

fn checked(
    file: &mut impl Read,
    in_all: u64,
    mut body: Buffer,
    filed: Filed,
    seed: u64,
) -> io::Result<Option<Segment>> {
    let mut head = [0; HEAD];
    file.read_exact(&mut head)?;
    let mut numbers = Reading::new(&head[32..56]);
    let mut number = || numbers.array().map_or(0, u64::from_le_bytes);
    let (buckets, count, length) = (number(), number(), number());
    let of_sums = length.div_ceil(BLOCK as u64).saturating_mul(4).saturating_add(4);
    // The length is believed only when it is the file's.
    let fits = (HEAD as u64).checked_add(length).and_then(|octets| octets.checked_add(of_sums));
    let length = length as usize;
    if fits != Some(in_all) || head != filed.head(seed, (buckets, count, length)) {
        return Ok(None);
    }
    let mut sums = Vec::with_capacity(of_sums as usize);
    for start in (0..length).step_by(BLOCK) {
        let block = body.read(file, BLOCK.min(length - start))?;
        sums.extend_from_slice(&crc32fast::hash(block).to_le_bytes());
    }
    sums.extend_from_slice(&crc32fast::hash(&sums).to_le_bytes());
    let mut written = Vec::with_capacity(sums.len());
    file.read_to_end(&mut written)?;
    if written != sums {
        return Ok(None);
    }
    Ok(Segment::of_file(filed.kind, body.finish(), buckets, count, filed.position))
}

/// Writes a file whole.
fn put(folder: &Path, name: &str, parts: &[&[u8]]) -> Result<(), BaseError> {
    Folder::from(folder).put(name, parts).map_err(|error| BaseError::Io(folder.join(name), error))
}

fn sync(folder: &Path) -> Result<(), BaseError> {
    Folder::from(folder).sync().map_err(|error| BaseError::Io(folder.to_owned(), error))
}

pub(crate) fn make(folder: &Path) -> Result<(), BaseError> {
    Folder::from(folder).make().map_err(|error| BaseError::Io(folder.to_owned(), error))
}

/// What `memory` says.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// Position of the last batch in the files.
    pub(crate) position: u64,
    pub(crate) seed: u64,
    pub(crate) persons: u64,
    pub(crate) serials: u64,
    /// Positions in the names of people's files, cards' and numbers', by shard.
    pub(crate) files: [Vec<u64>; 3],
    /// Where sources stand, as `source` has written it.
    pub(crate) books: Vec<u8>,
}

/// The kinds in the order of [`Names::files`].
pub(crate) const KINDS: [Kind; 3] = [Kind::People, Kind::Cards, Kind::Numbers];

impl Names {
    /// Every file named.
    pub(crate) fn all(&self) -> impl Iterator<Item = Filed> {
        KINDS.iter().zip(&self.files).flat_map(|(kind, files)| {
            let each = files.iter().enumerate();
            each.map(|(shard, position)| Filed { kind: *kind, shard, position: *position })
        })
    }

    /// Makes these the files that hold, and takes away those they replace.
    pub(crate) fn put(&self, folder: &Path) -> Result<(), BaseError> {
        let mut octets = MAGIC.to_vec();
        for value in [self.position, self.seed, self.persons, self.serials] {
            octets.extend_from_slice(&value.to_le_bytes());
        }
        for position in self.files.iter().flatten() {
            octets.extend_from_slice(&position.to_le_bytes());
        }
        octets.extend_from_slice(&self.books);
        octets.extend_from_slice(&crc32fast::hash(&octets).to_le_bytes());
        // The files come before the name of them.
        sync(folder)?;
        put(folder, NAMES, &[&octets])?;
        sync(folder)?;
        self.sweep(folder);
        Ok(())
    }

    /// Reads them.
    pub(crate) fn read(folder: &Path) -> Result<Self, BaseError> {
        let path = folder.join(NAMES);
        let octets = Folder::from(folder).read(NAMES).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => BaseError::Missing,
            _ => BaseError::Io(path.clone(), error),
        })?;
        Self::checked(&octets).ok_or_else(|| Self::damaged(folder))
    }

    /// What says that the file of names cannot be used.
    pub(crate) fn damaged(folder: &Path) -> BaseError {
        BaseError::Damaged(vec![folder.join(NAMES)])
    }

    /// Reads every segment named, in that order. Summing is what takes the time, and goes as well on
    /// several threads.
    pub(crate) fn segments(&self, folder: &Path) -> Result<Vec<Segment>, BaseError> {
        // Room for all of them comes first: what lies side by side untouched gets large pages across
        // the borders of shards, which by themselves may be smaller than one.
        let mut all: Vec<_> = self.all().map(|filed| (filed, room(folder, filed), None)).collect();
        let share = all.len().div_ceil(READERS);
        std::thread::scope(|scope| {
            for some in all.chunks_mut(share) {
                scope.spawn(move || {
                    for (filed, room, segment) in some {
                        *segment = read_into(std::mem::take(room), folder, *filed, self.seed).ok();
                    }
                });
            }
        });
        let damaged = all.iter().filter(|(.., segment)| segment.is_none());
        let damaged: Vec<_> = damaged.map(|(filed, ..)| filed.path(folder)).collect();
        match damaged.is_empty() {
            true => Ok(all.into_iter().filter_map(|(.., segment)| segment).collect()),
            false => Err(BaseError::Damaged(damaged)),
        }
    }

    fn checked(octets: &[u8]) -> Option<Self> {
        let (said, sum) = octets.split_last_chunk()?;
        if crc32fast::hash(said) != u32::from_le_bytes(*sum) {
            return None;
        }
        let mut reading = Reading::new(said.strip_prefix(MAGIC)?);
        let mut number = || reading.array().map(u64::from_le_bytes);
        let (position, seed, persons, serials) = (number()?, number()?, number()?, number()?);
        let mut files = || (0..SHARDS).map(|_| number()).collect::<Option<Vec<_>>>();
        let files = [files()?, files()?, files()?];
        Some(Self { position, seed, persons, serials, files, books: reading.rest().to_vec() })
    }

    /// Takes away what is not named. What cannot be taken away now is so the next time.
    fn sweep(&self, folder: &Path) {
        let named: std::collections::HashSet<_> = self.all().map(Filed::name).collect();
        let folder = Folder::from(folder);
        for name in folder.names().into_iter().flatten() {
            let ours = ["people-", "cards-", "numbers-"].iter().any(|kind| name.starts_with(kind));
            if ours && !named.contains(&name) {
                let _ = folder.remove(&name);
            }
        }
    }
}

/// Position of the last batch in the files of this folder. Looks at none but the one that names them.
///
/// # Errors
/// [`BaseError`] when there is none, or it is damaged.
pub fn position(folder: &Path) -> Result<u64, BaseError> {
    Names::read(folder).map(|names| names.position)
}

/// Copies memory to another folder, every octet checked on the way. Gives its position.
///
/// # Errors
/// [`BaseError`] when what is there is not whole, or cannot be written.
pub fn copy(from: &Path, to: &Path) -> Result<u64, BaseError> {
    make(to)?;
    let names = Names::read(from)?;
    for filed in names.all() {
        let segment = read(from, filed, names.seed)?;
        write(to, filed, names.seed, &segment)?;
    }
    names.put(to)?;
    Ok(names.position)
}

#[cfg(test)]
mod tests;
