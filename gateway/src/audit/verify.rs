//! Proof that a chain holds, or the first record at which it does not.
//!
//! Without keys the hashes are followed; with them every frame is opened too, so that nobody without
//! the secret can have written it.

use std::fmt;
use std::path::Path;

use eligibility::day::Timestamp;

use super::class::Class;
use super::frame::{Seal, TAG};
use super::key::Keys;
use super::record::RECORD;
use super::retain::{self, ENDS, Ends};
use super::synced::{Found, Synced};
use super::walk::{self, ChainFile, Fault, Frame, Place, Walk};

/// A chain that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holds {
    /// The class.
    pub class: Class,
    /// Files, those dropped by retention among them.
    pub files: usize,
    /// Files of which retention has left the ends.
    pub dropped: usize,
    /// Frames that are there.
    pub frames: u64,
    /// Records that are there.
    pub records: u64,
    /// Times of the first and the last record that are there.
    pub times: Option<(Timestamp, Timestamp)>,
    /// Whether keys have opened all of it.
    pub opened: bool,
    /// What is no breach and yet worth knowing.
    pub notes: Vec<String>,
}

/// The first place at which a chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The class.
    pub class: Class,
    /// The file.
    pub file: String,
    /// Number of the first record that cannot be relied on.
    pub record: u64,
    /// Number of its frame.
    pub frame: u64,
    /// Time of the last record that can.
    pub after: Option<Timestamp>,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for Holds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, frames, records, .. } = self;
        write!(f, "{}: holds: {records} records in {frames} frames of {files} files", self.class.word())?;
        if self.dropped > 0 {
            write!(f, ", {} of them dropped by retention", self.dropped)?;
        }
        if let Some((first, last)) = self.times {
            write!(f, ", {first} to {last}")?;
        }
        if !self.opened {
            f.write_str("; hashes followed, not opened: no key given")?;
        }
        self.notes.iter().try_for_each(|note| write!(f, "\n  {note}"))
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, record, frame, why, .. } = self;
        write!(f, "{}: broken at record {record} (frame {frame}, {file}", self.class.word())?;
        if let Some(after) = self.after {
            write!(f, ", after {after}")?;
        }
        write!(f, "): {why}")
    }
}

/// Proves one chain of an audit folder.
///
/// # Errors
/// [`Broken`] with the first record that cannot be relied on.
pub fn verify(folder: &Path, class: Class, keys: &Keys) -> Result<Holds, Box<Broken>> {
    let folder = folder.join(class.word());
    let mut proof = Proof {
        keys,
        class,
        place: None,
        chain: [0; 16],
        mark: None,
        holds: Holds {
            class,
            files: 0,
            dropped: 0,
            frames: 0,
            records: 0,
            times: None,
            opened: keys.opens(),
            notes: Vec::new(),
        },
    };
    proof.run(&folder)?;
    Ok(proof.holds)
}

struct Proof<'k> {
    keys: &'k Keys,
    class: Class,
    /// What the next frame must follow from; `None` before the first file.
    place: Option<Place>,
    chain: [u8; 16],
    mark: Option<Synced>,
    holds: Holds,
}

impl Proof<'_> {
    fn run(&mut self, folder: &Path) -> Result<(), Box<Broken>> {
        let unreadable = |proof: &Self, error: std::io::Error| proof.broken("", &error.to_string());
        // The mark first: what is written meanwhile lies behind it.
        let mark = Synced::read(folder, self.keys).map_err(|error| unreadable(self, error))?;
        let (files, unbegun) = walk::begun(folder).map_err(|error| unreadable(self, error))?;
        match mark {
            Found::Mark(mark) => self.mark = Some(mark),
            Found::Nothing if files.is_empty() => {}
            Found::Nothing => {
                return Err(self.broken("synced", "the mark of how far the chain was on the disk is missing"));
            }
            Found::Unreadable => {
                return Err(self.broken("synced", "is not as any of the given keys has written it"));
            }
        }
        for (at, file) in files.iter().enumerate() {
            let next = files.get(at + 1).map(|next| {
                let head = retain::head_of(next, self.class);
                head.map(|head| head.before_end).map_err(|why| self.broken(&next.name(), &why))
            });
            let next = next.transpose()?;
            self.holds.files += 1;
            if file.dropped {
                self.dropped(file)?;
            } else {
                self.file(file, next)?;
            }
        }
        if let Some(file) = unbegun {
            self.holds
                .notes
                .push(format!("{}: was not yet begun when a crash came, or is being begun", file.name()));
        }
        let place = self.place.map_or(0, |place| place.frame);
        if let Some(mark) = self.mark.filter(|mark| mark.place.frame > place) {
            let last = mark.place.record.saturating_sub(1);
            let why = format!("records up to {last} were on the disk and are missing");
            return Err(self.broken(files.last().map_or("", |_| "end of the last file"), &why));
        }
        Ok(())
    }

    fn dropped(&mut self, file: &ChainFile) -> Result<(), Box<Broken>> {
        let ends = Ends::read(&file.path, self.class).ok().flatten();
        let ends = ends.ok_or_else(|| self.broken(&file.name(), ENDS))?;
        if self.keys.opens() && ends.is_ours(self.keys) != Some(true) {
            return Err(self.broken(&file.name(), ENDS));
        }
        self.follows(&ends.head, file)?;
        self.place = Some(ends.place);
        self.holds.dropped += 1;
        Ok(())
    }

    /// Whether a file is the one that follows.
    fn follows(&mut self, head: &super::frame::FileHead, file: &ChainFile) -> Result<(), Box<Broken>> {
        let name = file.name();
        if (head.day, head.part) != (file.day, file.part) {
            return Err(
                self.broken(&name, &format!("is the file {}, renamed", walk::name(head.day, head.part)))
            );
        }
        let Some(place) = self.place else {
            self.chain = head.chain;
            if head.first_frame > 0 || head.before != [0; 32] {
                return Err(
                    self.broken(&name, "is not the first of its chain: the files before it are missing")
                );
            }
            return Ok(());
        };
        if head.chain != self.chain {
            return Err(self.broken(&name, "belongs to another chain"));
        }
        if head.first_frame != place.frame || head.first_record != place.record {
            let why = format!("begins with record {}: those before it are missing", head.first_record);
            return Err(self.broken(&name, &why));
        }
        if head.before != place.before {
            return Err(self.broken(&name, "does not follow from the file before: one of them was altered"));
        }
        Ok(())
    }

    fn file(&mut self, file: &ChainFile, end: Option<u64>) -> Result<(), Box<Broken>> {
        let name = file.name();
        let mut walk = match Walk::open(&file.path, self.class) {
            Ok(walk) => walk,
            Err(fault) => return Err(self.broken(&name, &fault.to_string())),
        };
        self.follows(&walk.head, file)?;
        let seal = self.keys.sealed_by(walk.head.key).and_then(|key| Seal::new(key, &walk.head.salt));
        if self.keys.opens() && seal.is_none() {
            let why = format!("was sealed with key {}, which was not given", walk.head.key);
            return Err(self.broken(&name, &why));
        }
        self.place = Some(walk.place);
        while end != Some(walk.place.end) {
            let frame = match walk.next() {
                Ok(None) if end.is_none() => break,
                Ok(None) => {
                    Err("the file ends here, and the next one follows something later: records are missing"
                        .to_owned())
                }
                Ok(Some(mut frame)) => self.opened(seal.as_ref(), &mut frame).map(|()| frame),
                Err(fault) => Err(self.words(&fault)),
            };
            match frame {
                Ok(frame) => self.count(&frame),
                Err(_) if end.is_none() && self.is_past_mark() => {
                    let torn = file.path.metadata().map_or(0, |file| file.len()) - self.end();
                    let note =
                        format!("{name}: {torn} octets after the last sync are torn, or being written");
                    self.holds.notes.push(note);
                    return Ok(());
                }
                Err(why) => return Err(self.broken(&name, &why)),
            }
            self.place = Some(walk.place);
            self.meets_mark(&walk, &name)?;
        }
        let torn = file.path.metadata().map_or(0, |file| file.len()).saturating_sub(walk.place.end);
        if torn > 0 {
            self.holds.notes.push(format!("{name}: {torn} octets at its end were torn by a crash"));
        }
        Ok(())
    }

    fn opened(&self, seal: Option<&Seal>, frame: &mut Frame) -> Result<(), String> {
        let fixed = self.class != Class::Confirmations;
        if fixed && frame.body.len() != frame.head.count as usize * RECORD + TAG {
            return Err("holds another number of records than it says".to_owned());
        }
        let Some(seal) = seal else { return Ok(()) };
        let records = seal.open(&frame.head, &mut frame.body);
        records.map(drop).ok_or_else(|| "is not as it was sealed: it was altered".to_owned())
    }

    fn words(&self, fault: &Fault) -> String {
        let blurred = matches!(fault, Fault::Chain) && !self.keys.opens();
        let hint =
            if blurred { "; the altered one may be the frame before (give a key to know)" } else { "" };
        format!("{fault}{hint}")
    }

    fn count(&mut self, frame: &Frame) {
        self.holds.frames += 1;
        self.holds.records += u64::from(frame.head.count);
        let (first, last) = (frame.head.first_at, frame.head.last_at);
        let first = self.holds.times.map_or(first, |(earliest, _)| earliest);
        self.holds.times = Some((first, last));
    }

    fn meets_mark(&self, walk: &Walk, name: &str) -> Result<(), Box<Broken>> {
        let Some(mark) = self.mark.filter(|mark| mark.place.frame == walk.place.frame) else { return Ok(()) };
        if mark.chain != walk.head.chain || mark.place.before != walk.place.before {
            return Err(self.broken(name, "is not what was on the disk at the last sync"));
        }
        Ok(())
    }

    fn is_past_mark(&self) -> bool {
        let frame = self.place.map_or(0, |place| place.frame);
        self.mark.is_some_and(|mark| frame >= mark.place.frame)
    }

    fn end(&self) -> u64 {
        self.place.map_or(0, |place| place.end)
    }

    fn broken(&self, file: &str, why: &str) -> Box<Broken> {
        Box::new(Broken {
            class: self.class,
            file: file.to_owned(),
            record: self.place.map_or(0, |place| place.record),
            frame: self.place.map_or(0, |place| place.frame),
            after: self.holds.times.map(|(_, last)| last),
            why: why.to_owned(),
        })
    }
}
