//! Reading confirmations again: what came since, and one at its place.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use eligibility::day::Day;

use super::class::Class;
use super::confirmation::each;
use super::frame::{FILE_HEAD, FRAME_HEAD, FileHead, FrameHead, Seal};
use super::key::Keys;
use super::walk::{self, Fault, Place, Walk};
use crate::background::give_way;

/// Where one confirmation lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Whose it is.
    pub institution: u64,
    /// Its number in the chain.
    pub number: u64,
    /// The file's day.
    pub day: Day,
    /// The file's number within the day.
    pub part: u32,
    /// Where its frame begins.
    pub octet: u64,
    /// How many lie before it in the frame.
    pub ordinal: u32,
}

/// How far a chain has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The file's day.
    pub day: Day,
    /// The file's number within the day.
    pub part: u32,
    /// Octets of it that were read.
    pub octet: u64,
    /// Number of the next frame.
    pub frame: u64,
    /// Number of the next record.
    pub record: u64,
    /// Hash of what was read last.
    pub before: [u8; 32],
}

/// What was written since, `most` or a frame more, and how far that is.
///
/// # Errors
/// When a file cannot be read. One that does not hold is left at that place, which is logged.
pub fn since(
    folder: &Path,
    keys: &Keys,
    progress: Option<&Progress>,
    most: usize,
) -> io::Result<(Vec<Spot>, Option<Progress>)> {
    let mut files = walk::files(&folder.join(Class::Confirmations.word()))?;
    let from = progress.map_or((Day::from_number(i32::MIN), 0), |at| (at.day, at.part));
    files.retain(|file| !file.dropped && (file.day, file.part) >= from);
    let (mut spots, mut reached) = (Vec::new(), progress.copied());
    for (at, file) in files.iter().enumerate() {
        let is_last = at + 1 == files.len();
        let mut walk = match Walk::open(&file.path, Class::Confirmations) {
            Ok(walk) => walk,
            Err(Fault::Read(error)) => return Err(error),
            // Its head is being written, or it was torn at birth.
            Err(_) => continue,
        };
        if let Some(at) = progress.filter(|at| (at.day, at.part) == (file.day, file.part)) {
            let place = Place { end: at.octet, frame: at.frame, record: at.record, before: at.before };
            walk.go_to(place).map_err(io::Error::other)?;
        }
        let seal = keys.sealed_by(walk.head.key).and_then(|key| Seal::new(key, &walk.head.salt));
        loop {
            give_way();
            let octet = walk.place.end;
            let mut frame = match walk.next() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(Fault::Read(error)) => return Err(error),
                // The last frame may be on its way; one that is not the last was torn, or altered.
                Err(_) if is_last => break,
                Err(fault) => {
                    tracing::warn!(file = file.name(), octet, %fault, "confirmations are read no further in this file");
                    break;
                }
            };
            let opened = seal.as_ref().and_then(|seal| seal.open(&frame.head, &mut frame.body));
            let first = frame.head.first_record;
            spots.extend(each(opened.unwrap_or_default()).zip(0..).map(|((institution, _), ordinal)| Spot {
                institution,
                number: first + u64::from(ordinal),
                day: file.day,
                part: file.part,
                octet,
                ordinal,
            }));
            let Place { end, frame, record, before } = walk.place;
            reached = Some(Progress { day: file.day, part: file.part, octet: end, frame, record, before });
            if spots.len() >= most {
                return Ok((spots, reached));
            }
        }
    }
    Ok((spots, reached))
}

/// A file of confirmations, opened to read some of them.
pub struct Opened {
    file: File,
    seal: Seal,
}

impl Opened {
    /// `None` when the file is gone, or its key.
    #[must_use]
    pub fn open(folder: &Path, (day, part): (Day, u32), keys: &Keys) -> Option<Self> {
        let path = folder.join(Class::Confirmations.word()).join(walk::name(day, part));
        let file = File::open(path).ok()?;
        let mut octets = [0; FILE_HEAD];
        file.read_exact_at(&mut octets, 0).ok()?;
        let head = FileHead::of_octets(&octets)?;
        let seal = Seal::new(keys.sealed_by(head.key)?, &head.salt)?;
        Some(Self { file, seal })
    }

    /// The JSON of one confirmation; `None` when it is not there, or not this institution's.
    #[must_use]
    pub fn read(&self, spot: &Spot) -> Option<String> {
        let mut octets = [0; FRAME_HEAD];
        self.file.read_exact_at(&mut octets, spot.octet).ok()?;
        let head = FrameHead::of_octets(&octets)?;
        let mut body = vec![0; head.octets as usize];
        self.file.read_exact_at(&mut body, spot.octet + FRAME_HEAD as u64).ok()?;
        let records = self.seal.open(&head, &mut body)?;
        let (institution, json) = each(records).nth(spot.ordinal as usize)?;
        let same =
            institution == spot.institution && head.first_record + u64::from(spot.ordinal) == spot.number;
        String::from_utf8(json.to_vec()).ok().filter(|_| same)
    }
}
