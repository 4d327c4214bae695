//! The writing end of one chain: one file open, each group a frame.
//!
//! A start never writes into a file of another start: it begins its own, which says how far the one
//! before holds. So nothing that a crash tore is ever cut away or written over.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use eligibility::day::{Day, Timestamp};

use super::class::Class;
use super::frame::{FileHead, FrameHead, Seal, hash};
use super::key::{KeyId, Keys, Sealing};
use super::retain;
use super::synced::{Found, Synced};
use super::walk::{self, ChainFile, Fault, Place, Walk};

/// The writing end.
pub(super) struct Chain {
    class: Class,
    folder: PathBuf,
    id: [u8; 16],
    /// Where the chain stands; `end` counts the octets of the last file.
    place: Place,
    /// Day and part of the last file.
    last: (Day, u32),
    open: Option<Open>,
    /// Files written to since the last sync.
    dirty: Vec<Arc<File>>,
    /// A file was made since the last sync.
    made: bool,
    frame: Vec<u8>,
}

/// The file of this start.
struct Open {
    file: Arc<File>,
    key: KeyId,
    seal: Seal,
    seals: u64,
}

/// Records of one class that are written together.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) octets: Vec<u8>,
    pub(super) count: u32,
    pub(super) times: Option<(Timestamp, Timestamp)>,
}

impl Lines {
    /// Counts a record that was written into `octets`.
    pub(super) fn counted(&mut self, at: Timestamp) {
        self.count += 1;
        let (first, last) = self.times.unwrap_or((at, at));
        self.times = Some((first.min(at), last.max(at)));
    }

    /// None, in the memory of before.
    pub(super) fn clear(&mut self) {
        self.octets.clear();
        (self.count, self.times) = (0, None);
    }

    pub(super) fn absorb(&mut self, other: &Self) {
        self.octets.extend(&other.octets);
        self.count += other.count;
        if let Some((first, last)) = other.times {
            let (own_first, own_last) = self.times.unwrap_or((first, last));
            self.times = Some((own_first.min(first), own_last.max(last)));
        }
    }
}

/// What a sync has to do, taken while nobody writes.
pub(super) struct Unsynced {
    folder: PathBuf,
    files: Vec<Arc<File>>,
    made: bool,
    mark: Synced,
}

impl Unsynced {
    /// Makes it durable, then says so beside the chain.
    pub(super) fn sync(self, keys: &Keys) -> io::Result<()> {
        for file in &self.files {
            file.sync_data()?;
        }
        if self.made {
            File::open(&self.folder)?.sync_all()?;
        }
        keys.current().map_or(Ok(()), |sealing| self.mark.write(&self.folder, sealing))
    }
}

impl Chain {
    /// Finds the end of the chain in this folder, which is made where there is none.
    pub(super) fn resume(folder: &Path, class: Class, keys: &Keys) -> io::Result<Self> {
        let folder = folder.join(class.word());
        std::fs::create_dir_all(&folder)?;
        let mut chain = Self {
            class,
            id: [0; 16],
            place: Place { end: 0, frame: 0, record: 0, before: [0; 32] },
            last: (Day::FIRST, 0),
            open: None,
            dirty: Vec::new(),
            made: false,
            frame: Vec::new(),
            folder,
        };
        SystemRandom::new().fill(&mut chain.id).map_err(|_| io::Error::other("no randomness"))?;
        chain.find_end(keys)?;
        // Kept elsewhere, in a log of its own, this line shows a chain that is later cut.
        let (class, record) = (class.word(), chain.place.record);
        let hash = chain.place.before.map(|octet| format!("{octet:02x}")).concat();
        tracing::info!(class, record, hash, "audit chain goes on");
        Ok(chain)
    }

    const fn mark(&self) -> Synced {
        let (day, part) = self.last;
        Synced { class: self.class, chain: self.id, day, part, place: self.place }
    }

    fn find_end(&mut self, keys: &Keys) -> io::Result<()> {
        let mark = match Synced::read(&self.folder, keys)? {
            Found::Nothing => None,
            Found::Mark(mark) => Some(mark),
            Found::Unreadable => {
                tracing::error!(class = self.class.word(), "the mark beside the audit chain is not ours");
                None
            }
        };
        let mut files = walk::files(&self.folder)?;
        while let Some(file) = files.pop() {
            self.last = self.last.max((file.day, file.part));
            if self.take_end(&file, mark.as_ref(), keys)? {
                break;
            }
        }
        if let Some(mark) = mark.filter(|mark| mark.place.frame > self.place.frame) {
            let (found, synced) = (self.place.frame, mark.place.frame);
            tracing::error!(
                class = self.class.word(),
                found,
                synced,
                "the audit chain is shorter than it was: frames are missing"
            );
            // The gap stays visible: numbers are never given twice.
            self.place.frame = mark.place.frame;
            self.place.record = mark.place.record;
            self.id = mark.chain;
        }
        if mark.is_none() && self.last.1 == 0 {
            // A chain without a mark is one whose mark was taken away.
            keys.current().map_or(Ok(()), |sealing| self.mark().write(&self.folder, sealing))?;
        }
        Ok(())
    }

    /// Takes the end of this file for the chain's; false when nothing in it holds.
    fn take_end(&mut self, file: &ChainFile, mark: Option<&Synced>, keys: &Keys) -> io::Result<bool> {
        if file.dropped {
            let Some(ends) = retain::Ends::read(&file.path, self.class)? else { return Ok(false) };
            self.id = ends.head.chain;
            self.place = ends.place;
            return Ok(true);
        }
        let mut walk = match Walk::open(&file.path, self.class) {
            Ok(walk) => walk,
            Err(Fault::Read(error)) => return Err(error),
            Err(_) => return self.set_aside(file).map(|()| false),
        };
        let begin = walk.place;
        if let Some(mark) = mark.filter(|mark| (mark.day, mark.part) == (file.day, file.part)) {
            let octets = std::fs::metadata(&file.path)?.len();
            if mark.place.end <= octets && walk.go_to(mark.place).is_err() {
                return Err(io::Error::other("audit file cannot be sought"));
            }
        }
        let seal = keys.sealed_by(walk.head.key).and_then(|key| Seal::new(key, &walk.head.salt));
        let mut place = walk.place;
        let torn = loop {
            match walk.next() {
                Ok(Some(mut frame)) => {
                    let sealed = seal.as_ref().map(|seal| seal.open(&frame.head, &mut frame.body).is_some());
                    if sealed == Some(false) {
                        break true;
                    }
                    place = walk.place;
                }
                Ok(None) => break false,
                Err(Fault::Read(error)) => return Err(error),
                Err(_) => break true,
            }
        };
        if torn {
            let octets = std::fs::metadata(&file.path)?.len().saturating_sub(place.end);
            let (class, name) = (self.class.word(), file.name());
            tracing::warn!(
                class,
                file = name,
                octets,
                "the audit file ends in a torn frame; the next file says so"
            );
        }
        if place == begin {
            return self.set_aside(file).map(|()| false);
        }
        // The next file says that this one holds so far: the power must not take its end away.
        File::open(&file.path)?.sync_data()?;
        self.id = walk.head.chain;
        self.place = place;
        Ok(true)
    }

    /// Keeps a file of which nothing holds out of the chain's way.
    fn set_aside(&self, file: &ChainFile) -> io::Result<()> {
        let (class, name) = (self.class.word(), file.name());
        tracing::warn!(class, file = name, "nothing in the audit file holds; it is set aside as .torn");
        std::fs::rename(&file.path, file.path.with_extension("torn"))
    }

    /// Writes one frame. After an error nothing of it is there.
    pub(super) fn append(&mut self, lines: &Lines, keys: &Keys) -> io::Result<()> {
        let Some((first_at, last_at)) = lines.times else { return Ok(()) };
        let sealing = keys.current().ok_or_else(|| io::Error::other("no sealing key"))?;
        let day = first_at.day_in_japan().max(self.last.0);
        self.frame.clear();
        let mut place = self.place;
        let is_current = |open: &Open| day == self.last.0 && open.key == sealing.id;
        let mut begun = None;
        if !self.open.as_ref().is_some_and(is_current) {
            let part = if day == self.last.0 { self.last.1 + 1 } else { 1 };
            begun = Some((self.begin(day, part, sealing)?, (day, part)));
            place.before = hash(&self.frame);
            place.end = 0;
        }
        let open = match &mut begun {
            Some((open, _)) => open,
            None => self.open.as_mut().ok_or_else(|| io::Error::other("no audit file is open"))?,
        };
        let head = FrameHead {
            class: self.class,
            octets: 0,
            count: lines.count,
            number: place.frame,
            first_record: place.record,
            first_at,
            last_at,
            key: sealing.id,
            seals: open.seals,
            before: place.before,
        };
        // A sealed frame that does not get to the disk has used its nonce up all the same.
        open.seals += 1;
        let sealed = open.seal.seal(head, &lines.octets, &mut self.frame);
        let before = sealed.ok_or_else(|| io::Error::other("the group is too large"))?;
        if let Err(error) = (&*open.file).write_all(&self.frame) {
            match begun {
                // Half a file must not stay: nobody could tell it from a torn one.
                Some((_, (day, part))) => std::fs::remove_file(self.folder.join(walk::name(day, part)))?,
                None => self.cut_back()?,
            }
            return Err(error);
        }
        let end = place.end + self.frame.len() as u64;
        self.place =
            Place { end, frame: place.frame + 1, record: place.record + u64::from(lines.count), before };
        if let Some((open, last)) = begun {
            self.open = Some(open);
            self.last = last;
            self.made = true;
        }
        self.touch();
        Ok(())
    }

    /// Makes the next file, its head at the beginning of the frame to come.
    fn begin(&mut self, day: Day, part: u32, sealing: &Sealing) -> io::Result<Open> {
        let mut salt = [0; 16];
        SystemRandom::new().fill(&mut salt).map_err(|_| io::Error::other("no randomness"))?;
        let head = FileHead {
            class: self.class,
            day,
            part,
            key: sealing.id,
            salt,
            chain: self.id,
            first_frame: self.place.frame,
            first_record: self.place.record,
            before: self.place.before,
            before_end: self.place.end,
        };
        self.frame.extend(head.to_octets());
        let path = self.folder.join(walk::name(day, part));
        let seal = Seal::new(sealing, &salt).ok_or_else(|| io::Error::other("no key of the file"))?;
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        Ok(Open { file: Arc::new(file), key: sealing.id, seal, seals: 0 })
    }

    /// After a failed write: half a frame must not stay in the way of the next.
    fn cut_back(&mut self) -> io::Result<()> {
        let Some(open) = &self.open else { return Ok(()) };
        let cut = open.file.set_len(self.place.end);
        if cut.is_err() {
            // The next file says how far this one holds.
            self.open = None;
        }
        cut
    }

    fn touch(&mut self) {
        let Some(open) = &self.open else { return };
        if !self.dirty.last().is_some_and(|last| Arc::ptr_eq(last, &open.file)) {
            self.dirty.push(Arc::clone(&open.file));
        }
    }

    /// What has to be synced; `None` when nothing was written.
    pub(super) fn unsynced(&mut self) -> Option<Unsynced> {
        if self.dirty.is_empty() {
            return None;
        }
        let mark = self.mark();
        let made = std::mem::take(&mut self.made);
        Some(Unsynced { folder: self.folder.clone(), files: std::mem::take(&mut self.dirty), made, mark })
    }

    /// Writes no more into the open file: the disk may have lost some of it.
    pub(super) fn leave_file(&mut self) {
        self.open = None;
    }

    /// Number of the next record.
    pub(super) const fn next_record(&self) -> u64 {
        self.place.record
    }
}
