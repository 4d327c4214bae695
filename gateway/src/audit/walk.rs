//! Reading a chain: its files in order, and of each file frame after frame.
//!
//! A walk follows numbers and hashes; what a frame says is opened by [`Seal`]. It stops at the first
//! octet that does not follow from what lies before.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use eligibility::day::Day;

use super::class::Class;
use super::frame::{FILE_HEAD, FRAME_HEAD, FileHead, FrameHead, Hash, hash};

/// Octets read at once.
const BUFFER: usize = 256 * 1024;

/// One file of a chain, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ChainFile {
    pub(super) day: Day,
    /// Its number within the day, from 1.
    pub(super) part: u32,
    /// Whether retention has left only its ends.
    pub(super) dropped: bool,
    pub(super) path: PathBuf,
}

/// `2026-11-21-0001.audit`.
pub(super) fn name(day: Day, part: u32) -> String {
    format!("{day}-{part:04}.audit")
}

impl ChainFile {
    fn of(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let (stem, dropped) = match name.rsplit_once('.')? {
            (stem, "audit") => (stem, false),
            (stem, "dropped") => (stem, true),
            _ => return None,
        };
        let (day, part) = stem.rsplit_once('-')?;
        Some(Self { day: Day::parse(day)?, part: part.parse().ok()?, dropped, path: path.clone() })
    }

    /// Its name, for messages.
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// The files of a chain, oldest first; none when there is no folder. Of one that retention was dropping when
/// a crash came, the whole file.
pub(super) fn files(folder: &Path) -> io::Result<Vec<ChainFile>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        files.extend(ChainFile::of(entry?.path()));
    }
    files.sort();
    files.dedup_by(|ends, whole| (ends.day, ends.part) == (whole.day, whole.part));
    Ok(files)
}

/// The files of a chain, and the one behind them that has no whole head: it is being begun, or a crash came
/// before that was done. It holds no record.
pub(super) fn begun(folder: &Path) -> io::Result<(Vec<ChainFile>, Option<ChainFile>)> {
    let mut files = files(folder)?;
    let last = files.last().filter(|file| !file.dropped);
    let octets = last.map(|file| file.path.metadata()).transpose()?.map(|file| file.len());
    let unbegun = octets.filter(|octets| *octets < FILE_HEAD as u64).and_then(|_| files.pop());
    Ok((files, unbegun))
}

/// A frame as it lies in its file.
pub(super) struct Frame {
    pub(super) head: FrameHead,
    /// Its sealed body.
    pub(super) body: Vec<u8>,
}

/// Where a walk stands: what the next frame must follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Octets of the file that hold.
    pub(super) end: u64,
    /// Number of the next frame.
    pub(super) frame: u64,
    /// Number of the next record.
    pub(super) record: u64,
    /// Hash of what lies before.
    pub(super) before: Hash,
}

/// Why a walk cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It does not begin as an audit file of its chain does.
    #[error("is no audit file of this class")]
    Head,
    /// The file ends within a frame.
    #[error("ends within the frame")]
    Torn,
    /// There is no head of a frame where one must be.
    #[error("no frame begins here")]
    NoFrame,
    /// The frame is not the one that follows.
    #[error("is frame {0}, out of order")]
    Order(u64),
    /// The frame does not carry the hash of what lies before it.
    #[error("does not follow from what lies before: that was altered, removed or put in another place")]
    Chain,
}

/// A walk through one file.
pub(super) struct Walk {
    reader: BufReader<File>,
    pub(super) head: FileHead,
    class: Class,
    pub(super) place: Place,
}

impl Walk {
    /// From the beginning of the file.
    pub(super) fn open(path: &Path, class: Class) -> Result<Self, Fault> {
        let mut reader = BufReader::with_capacity(BUFFER, File::open(path)?);
        let mut octets = [0; FILE_HEAD];
        let whole = fill(&mut reader, &mut octets)? == FILE_HEAD;
        let head = FileHead::of_octets(&octets).filter(|head| whole && head.class == class);
        let head = head.ok_or(Fault::Head)?;
        let place = Place {
            end: FILE_HEAD as u64,
            frame: head.first_frame,
            record: head.first_record,
            before: hash(&octets),
        };
        Ok(Self { reader, head, class, place })
    }

    /// Goes to a place in this file where a frame is known to begin.
    pub(super) fn go_to(&mut self, place: Place) -> Result<(), Fault> {
        self.reader.seek(SeekFrom::Start(place.end))?;
        self.place = place;
        Ok(())
    }

    /// The next frame; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, Fault> {
        let mut octets = [0; FRAME_HEAD];
        match fill(&mut self.reader, &mut octets)? {
            0 => return Ok(None),
            FRAME_HEAD => {}
            _ => return Err(Fault::Torn),
        }
        let head = FrameHead::of_octets(&octets).filter(|head| head.class == self.class);
        let head = head.ok_or(Fault::NoFrame)?;
        if head.number != self.place.frame || head.first_record != self.place.record {
            return Err(Fault::Order(head.number));
        }
        if head.before != self.place.before {
            return Err(Fault::Chain);
        }
        let mut whole = octets.to_vec();
        whole.resize(FRAME_HEAD + head.octets as usize, 0);
        let body = whole.get_mut(FRAME_HEAD..).unwrap_or_default();
        if fill(&mut self.reader, body)? < head.octets as usize {
            return Err(Fault::Torn);
        }
        let hash = hash(&whole);
        let at = self.place.end;
        self.place = Place {
            end: at + whole.len() as u64,
            frame: head.number + 1,
            record: head.first_record + u64::from(head.count),
            before: hash,
        };
        Ok(Some(Frame { head, body: whole.split_off(FRAME_HEAD) }))
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(reader: &mut impl Read, mut buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while !buffer.is_empty() {
        match reader.read(buffer) {
            Ok(0) => break,
            Ok(read) => {
                filled += read;
                buffer = buffer.get_mut(read..).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
