//! Reading records again: by time, institution and person.
//!
//! For a person two walks are made. The first finds the pseudonyms under which answers to the numbers
//! on paper were recorded; the second gives every record of them, those by card included.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use eligibility::day::{Day, Timestamp};
use eligibility::number::{InsurerNumber, NumberKey};

use super::class::Class;
use super::entry::by_number;
use super::frame::Seal;
use super::key::Keys;
use super::record::{Mark, RECORD, Record};
use super::retain;
use super::synced::{Found, Synced};
use super::walk::{self, ChainFile, Fault, Walk};

/// Records taken between these instants, the second not included.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// From here on.
    pub from: Timestamp,
    /// Up to here.
    pub to: Timestamp,
}

impl Span {
    /// Whether a frame of these times, or a record, may lie within.
    fn meets(&self, first: Timestamp, last: Timestamp) -> bool {
        first < self.to && last >= self.from
    }
}

/// A file that could not be read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub why: String,
}

/// The pseudonyms of one person.
#[derive(Clone, Debug, Default)]
pub struct Person {
    named: HashSet<(u32, Mark)>,
    person: HashSet<(u32, Mark)>,
}

impl Person {
    /// One known by what is on paper.
    #[must_use]
    pub fn by_number(insurer: InsurerNumber, number: &str, birth_date: Day, keys: &Keys) -> Self {
        let said = by_number(&NumberKey::new(insurer, "", number), birth_date);
        let named = keys.pseudonyms(&said).into_iter().map(|(id, mark)| (id.0, Mark(mark))).collect();
        Self { named, person: HashSet::new() }
    }

    /// The pseudonym by what is on paper, under the key that writes now.
    #[must_use]
    pub fn mark(&self, keys: &Keys) -> Option<(u32, Mark)> {
        let [_, writing] = keys.writing();
        self.named.iter().find(|(id, _)| writing.is_some_and(|key| key.0 == *id)).copied()
    }

    /// Learns under which pseudonym the person was found, when the record is about these numbers.
    pub fn learn(&mut self, record: &Record) {
        if record.person.is_some() && self.named.contains(&(record.pseudonym_key, record.named)) {
            self.person.insert((record.pseudonym_key, record.person));
        }
    }

    /// Whether the record is about the person, or about these numbers.
    #[must_use]
    pub fn is_in(&self, record: &Record) -> bool {
        self.named.contains(&(record.pseudonym_key, record.named))
            || self.person.contains(&(record.pseudonym_key, record.person))
    }
}

/// Calls `each` with every record of a class within the span: files in order where `threads` is 1, else
/// several at once. Returns the files that could not be read to their end.
///
/// # Errors
/// When the folder cannot be read.
pub fn records<E>(
    folder: &Path,
    class: Class,
    (span, keys): (Span, &Keys),
    threads: usize,
    each: E,
) -> io::Result<Vec<Unread>>
where
    E: Fn(&Record) + Sync,
{
    let folder = folder.join(class.word());
    // A group around midnight lies in one file.
    let days = span.from.day_in_japan().plus(-1)..=span.to.day_in_japan().plus(1);
    let synced = match Synced::read(&folder, keys)? {
        Found::Mark(mark) => mark.place.frame,
        Found::Nothing | Found::Unreadable => u64::MAX,
    };
    let (files, _) = walk::begun(&folder)?;
    let ends = (1..=files.len()).map(|next| match files.get(next).map(|next| retain::head_of(next, class)) {
        Some(Ok(head)) => End::At(head.before_end),
        Some(Err(_)) => End::Unknown,
        None => End::Behind(synced),
    });
    let mut files: Vec<_> = files.iter().zip(ends).collect();
    files.retain(|(file, _)| !file.dropped && days.contains(&file.day));
    let (next, unread) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let read = || {
        while let Some((file, end)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(why) = read_file((file, *end), class, (span, keys), &each) {
                let one = Unread { path: file.path.clone(), why };
                unread.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(one);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.max(1) {
            scope.spawn(read);
        }
        read();
    });
    Ok(unread.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// Where the records of a file end.
#[derive(Clone, Copy)]
enum End {
    /// At this octet, as the next file says; what lies behind was torn.
    At(u64),
    /// In the last file, with any frame from this on, which may be torn or on its way.
    Behind(u64),
    /// The next file does not say.
    Unknown,
}

fn read_file(
    (file, end): (&ChainFile, End),
    class: Class,
    (span, keys): (Span, &Keys),
    each: &impl Fn(&Record),
) -> Result<(), String> {
    let mut walk = Walk::open(&file.path, class).map_err(|fault| fault.to_string())?;
    let seal = keys.sealed_by(walk.head.key).and_then(|key| Seal::new(key, &walk.head.salt));
    let seal = seal.ok_or_else(|| format!("sealed with key {}, which was not given", walk.head.key))?;
    loop {
        let (octet, number) = (walk.place.end, walk.place.frame);
        if matches!(end, End::At(end) if end == octet) {
            return Ok(());
        }
        let may_be_torn = matches!(end, End::Behind(frame) if number >= frame);
        let mut frame = match walk.next() {
            Ok(Some(frame)) => frame,
            Ok(None) if matches!(end, End::At(_)) => {
                return Err(format!("ends before frame {number}, and the next file follows a later one"));
            }
            Ok(None) => return Ok(()),
            Err(fault) if may_be_torn && !matches!(fault, Fault::Read(_)) => return Ok(()),
            Err(fault) => return Err(format!("frame {number} {fault}")),
        };
        if !span.meets(frame.head.first_at, frame.head.last_at) {
            continue;
        }
        let Some(opened) = seal.open(&frame.head, &mut frame.body) else {
            return if may_be_torn { Ok(()) } else { Err(format!("frame {number} is not as it was sealed")) };
        };
        for record in opened.chunks_exact(RECORD).filter_map(Record::of_octets) {
            if span.meets(record.at, record.at) {
                each(&record);
            }
        }
    }
}
