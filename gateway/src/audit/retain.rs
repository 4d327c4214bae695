//! Retention: files whose time has passed are dropped whole; their ends stay.
//!
//! What stays of a file is its head and where it ended, so that the chain can still be followed
//! across it. Records of a file that is dropped cannot be brought back.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use eligibility::day::{Day, Timestamp};

use super::class::Class;
use super::frame::{FILE_HEAD, Fields, FileHead};
use super::key::{KeyId, Keys};
use super::synced::{authentication, is_authentic};
use super::walk::{self, ChainFile, Place, Walk};

/// Said of ends that do not hold.
pub(super) const ENDS: &str = "what retention left of the file is not as it was written";

const MAGIC: [u8; 8] = *b"SKDROPD\0";
/// Octets before the authentication, and with it.
const CLEAR: usize = FILE_HEAD + 80;
const OCTETS: usize = CLEAR + 32;

/// What stays of a dropped file.
///
/// ```text
///   0 128  the file's own head          160  8  number of the frame after its last
/// 128   8  "SKDROPD", 0                 168  8  number of the record after its last
/// 136   8  time of the drop             176 32  hash of its last frame
/// 144   4  key id                       208 32  HMAC-SHA-256 of all before
/// 148   4  0
/// 152   8  octets it had
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) head: FileHead,
    pub(super) at: Timestamp,
    key: KeyId,
    pub(super) place: Place,
    octets: Vec<u8>,
}

impl Ends {
    /// Reads what stayed; `None` when it is not as it was written.
    pub(super) fn read(path: &Path, class: Class) -> io::Result<Option<Self>> {
        let octets = std::fs::read(path)?;
        Ok(Self::of_octets(octets).filter(|ends| ends.head.class == class))
    }

    fn of_octets(octets: Vec<u8>) -> Option<Self> {
        if octets.len() != OCTETS {
            return None;
        }
        let head = FileHead::of_octets(octets.first_chunk()?)?;
        let mut fields = Fields(octets.get(FILE_HEAD..)?);
        let magic: [u8; 8] = fields.take()?;
        let at = Timestamp::from_millis(i64::from_le_bytes(fields.take()?));
        let key = KeyId(u32::from_le_bytes(fields.take()?));
        let [0, 0, 0, 0] = fields.take()? else { return None };
        let end = u64::from_le_bytes(fields.take()?);
        let frame = u64::from_le_bytes(fields.take()?);
        let record = u64::from_le_bytes(fields.take()?);
        let place = Place { end, frame, record, before: fields.take()? };
        (magic == MAGIC).then_some(Self { head, at, key, place, octets })
    }

    /// Whether one who has a sealing secret wrote this; `None` without its key.
    pub(super) fn is_ours(&self, keys: &Keys) -> Option<bool> {
        let sealing = keys.sealed_by(self.key)?;
        let (clear, tag) = self.octets.split_at_checked(CLEAR)?;
        Some(is_authentic(sealing, clear, tag))
    }

    fn write(path: &Path, head: &FileHead, place: Place, at: Timestamp, keys: &Keys) -> io::Result<()> {
        let sealing = keys.current().ok_or_else(|| io::Error::other("no sealing key"))?;
        let mut octets = head.to_octets();
        octets.extend(MAGIC);
        octets.extend(at.millis().to_le_bytes());
        octets.extend(sealing.id.0.to_le_bytes());
        octets.extend([0; 4]);
        octets.extend(place.end.to_le_bytes());
        octets.extend(place.frame.to_le_bytes());
        octets.extend(place.record.to_le_bytes());
        octets.extend(place.before);
        let tag = authentication(sealing, &octets);
        octets.extend(tag.as_ref());
        let beside = path.with_extension("new");
        std::fs::write(&beside, &octets)?;
        File::open(&beside)?.sync_all()?;
        std::fs::rename(beside, path)
    }
}

/// Drops the files of a class that are older than `keep_days`, never the newest. Returns their names.
///
/// A file whose chain cannot be followed to its end stays: dropping it would hide that.
pub(super) fn drop_old(
    folder: &Path,
    class: Class,
    (now, keep_days): (Timestamp, u32),
    keys: &Keys,
) -> io::Result<Vec<PathBuf>> {
    let folder = folder.join(class.word());
    let files = walk::files(&folder)?;
    let first_kept = now.day_in_japan().number().saturating_sub(i32::try_from(keep_days).unwrap_or(i32::MAX));
    let mut dropped = Vec::new();
    for pair in files.windows(2) {
        let [file, next] = pair else { continue };
        if file.dropped || file.day >= Day::from_number(first_kept) {
            continue;
        }
        let Some(end) = end_of(&file.path, &next.path, class) else {
            tracing::error!(
                file = file.name(),
                "audit file is due and does not hold: kept for whoever looks into it"
            );
            continue;
        };
        let (head, place) = end;
        Ends::write(&file.path.with_extension("dropped"), &head, place, now, keys)?;
        std::fs::remove_file(&file.path)?;
        dropped.push(file.path.clone());
    }
    if !dropped.is_empty() {
        File::open(&folder)?.sync_all()?;
    }
    Ok(dropped)
}

/// The head of a file, which retention leaves; else why it cannot be had.
pub(super) fn head_of(file: &ChainFile, class: Class) -> Result<FileHead, String> {
    if file.dropped {
        let ends = Ends::read(&file.path, class).ok().flatten();
        return ends.map(|ends| ends.head).ok_or_else(|| ENDS.to_owned());
    }
    Walk::open(&file.path, class).map(|walk| walk.head).map_err(|fault| fault.to_string())
}

/// Head and end of a file that holds up to where the next one says it ends.
fn end_of(path: &Path, next: &Path, class: Class) -> Option<(FileHead, Place)> {
    let mut octets = [0; FILE_HEAD];
    File::open(next).ok()?.read_exact(&mut octets).ok()?;
    let next = FileHead::of_octets(&octets)?;
    let mut walk = Walk::open(path, class).ok()?;
    while walk.place.end < next.before_end {
        walk.next().ok()??;
    }
    let holds = walk.place.end == next.before_end && walk.place.before == next.before;
    holds.then_some((walk.head, walk.place))
}
