//! A ledger in a folder of its own, a memory that follows it, and lines to feed it with.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use eligibility::day::Timestamp;
use eligibility::feed::{Said, Source, Subject};
use eligibility::number::{LinkNumber, Serial};
use ledger::{
    Access, Appended, Batch, Content, Ledger, LedgerError, Memory, Offer, Opened, Options, Place, migrate,
};
use tempfile::TempDir;

/// What was made visible, and what memory makes of it.
#[derive(Default)]
pub(crate) struct Followed {
    pub(crate) batches: Vec<Batch>,
    words: HashMap<(Source, Subject), u64>,
    owners: HashMap<Serial, LinkNumber>,
}

impl Followed {
    pub(crate) fn follow(&mut self, batches: &[Batch]) {
        for batch in batches {
            for row in &batch.rows {
                let Content::Accepted(record) = &row.content else { continue };
                if let Some(subject) = record.said.subject() {
                    self.words.insert((batch.source, subject), batch.position);
                }
                match &record.said {
                    Said::Link { serial, link_number: Some(link) } => {
                        self.owners.insert(*serial, *link);
                    }
                    Said::Link { serial, link_number: None } => {
                        self.owners.remove(serial);
                    }
                    Said::Renewal { serial, previous_serial } => {
                        if let Some(owner) = self.owners.get(previous_serial).copied() {
                            self.owners.insert(*serial, owner);
                        }
                    }
                    _ => {}
                }
            }
            self.batches.push(batch.clone());
        }
    }

    pub(crate) fn last_word(&self, source: Source, subject: Subject) -> Option<u64> {
        self.words.get(&(source, subject)).copied()
    }
}

struct Remembers(Arc<Mutex<Followed>>);

impl Memory for Remembers {
    fn last_word(&self, source: Source, subject: Subject) -> Option<u64> {
        self.0.lock().unwrap().last_word(source, subject)
    }
    fn owner(&self, serial: Serial) -> Option<LinkNumber> {
        self.0.lock().unwrap().owners.get(&serial).copied()
    }
    fn has_card(&self, person: LinkNumber) -> bool {
        self.0.lock().unwrap().owners.values().any(|owner| *owner == person)
    }
}

/// What stands beneath the ledger.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// Makes a test of each engine of each of these functions.
macro_rules! over_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name(crate::support::Engine::Sqlite) })+
        }
        mod postgres {
            $(#[test] fn $name() { super::$name(crate::support::Engine::Postgres) })+
        }
    };
}
pub(crate) use over_both;

/// A database on the tests' server, as a gateway of this name sees it.
pub(crate) fn server(url: &str, gateway: &str) -> Place {
    Place::of_url(url, &Access { gateway: gateway.to_owned(), ..Access::default() }).unwrap()
}

/// Opens a ledger. A program that another test has just begun holds a copy of every lock of this process
/// until it runs: for so long a file that was closed is in use.
pub(crate) fn open(place: impl Into<Place>) -> Result<Opened, LedgerError> {
    let place = place.into();
    for _ in 0..200 {
        match Ledger::open(place.clone(), Options::default()) {
            Err(LedgerError::InUse { .. }) => std::thread::sleep(std::time::Duration::from_millis(5)),
            opened => return opened,
        }
    }
    Ledger::open(place, Options::default())
}

/// A running ledger.
pub(crate) struct House {
    pub(crate) place: Place,
    pub(crate) folder: TempDir,
    pub(crate) followed: Arc<Mutex<Followed>>,
    pub(crate) clock: Arc<AtomicI64>,
    pub(crate) ledger: Option<Ledger>,
}

/// The instant at which every test begins.
pub(crate) const NOW: &str = "2026-11-21T09:00:00+09:00";

impl House {
    /// In a file.
    pub(crate) fn new() -> Self {
        Self::on(Engine::Sqlite)
    }

    /// On this engine, empty.
    pub(crate) fn on(engine: Engine) -> Self {
        let folder = TempDir::new().unwrap();
        let place = match engine {
            Engine::Sqlite => Place::from(&folder.path().join("ledger.sqlite")),
            Engine::Postgres => server(&crate::server::shared().database(), "one"),
        };
        migrate(&place).unwrap();
        Self::at(folder, place)
    }

    /// At this place.
    pub(crate) fn at(folder: TempDir, place: Place) -> Self {
        let mut house = Self {
            folder,
            place,
            followed: Arc::default(),
            clock: Arc::new(AtomicI64::new(Timestamp::parse(NOW).unwrap().millis())),
            ledger: None,
        };
        house.open();
        house
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.sqlite")
    }

    pub(crate) fn replay(opened: &Opened) -> Vec<Batch> {
        let mut all: Vec<Batch> = Vec::new();
        loop {
            let batches = opened.read(all.len() as u64, 3).unwrap();
            if batches.is_empty() {
                return all;
            }
            all.extend(batches);
        }
    }

    /// Opens, replays into a fresh memory, starts.
    pub(crate) fn open(&mut self) {
        let opened = open(self.place.clone()).unwrap();
        let mut followed = Followed::default();
        followed.follow(&Self::replay(&opened));
        self.followed = Arc::new(Mutex::new(followed));
        let (follower, clock) = (Arc::clone(&self.followed), Arc::clone(&self.clock));
        let ledger = opened.start(
            Box::new(Remembers(Arc::clone(&self.followed))),
            Box::new(move |batches| follower.lock().unwrap().follow(batches)),
            Box::new(move || Timestamp::from_millis(clock.load(Ordering::Relaxed))),
        );
        self.ledger = Some(ledger.unwrap());
    }

    pub(crate) fn reopen(&mut self) {
        self.ledger.take().unwrap().close();
        self.open();
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        self.ledger.as_ref().unwrap()
    }

    pub(crate) fn feed<L: AsRef<[u8]>>(&self, source: Source, lines: &[L]) -> Appended {
        self.try_feed(source, lines).unwrap()
    }

    pub(crate) fn try_feed<L: AsRef<[u8]>>(
        &self,
        source: Source,
        lines: &[L],
    ) -> Result<Appended, LedgerError> {
        let offer = |(at, line): (usize, &L)| Offer::from_line(source, at as u64 + 1, line.as_ref());
        let offers: Vec<_> = lines.iter().enumerate().map(offer).collect();
        let (told, outcome) = channel();
        let done = Box::new(move |appended| told.send(appended).unwrap());
        self.ledger().append(source, offers, done).unwrap();
        outcome.recv().unwrap()
    }

    pub(crate) fn act(&self, said: Said) -> Result<Appended, LedgerError> {
        let (told, outcome) = channel();
        self.ledger().act(said, Box::new(move |appended| told.send(appended).unwrap())).unwrap();
        outcome.recv().unwrap()
    }

    pub(crate) fn open_epoch(&self, source: Source, epoch: u32) -> Result<Appended, LedgerError> {
        let (told, outcome) = channel();
        let done = Box::new(move |appended| told.send(appended).unwrap());
        self.ledger().open_epoch(source, epoch, done).unwrap();
        outcome.recv().unwrap()
    }
}

pub(crate) fn insurer() -> Source {
    Source::parse("06132013").unwrap()
}

pub(crate) fn city() -> Source {
    Source::parse("city-131016").unwrap()
}

/// A member record; `rest` is put behind its fields.
pub(crate) fn member(sequence: u64, link: u64, name: &str, rest: &str) -> String {
    format!(
        r#"{{"source":"06132013","sequence":{sequence},"kind":"member","link_number":"{link:016}","name":"{name}","sex":"male","birth_date":"1980-02-03","restrictions":[],"coverages":[{{"symbol":"12","number":"{sequence}","qualified_on":"2024-04-01"}}]{rest}}}"#
    )
}

pub(crate) fn mark(source: Source, sequence: u64, complete_to: &str, records: Option<u64>) -> String {
    let records = records.map(|records| format!(r#","records":{records}"#)).unwrap_or_default();
    format!(
        r#"{{"source":"{source}","sequence":{sequence},"kind":"mark","complete_to":"{complete_to}"{records}}}"#
    )
}

pub(crate) fn link(sequence: u64, serial: u64, link: Option<u64>) -> String {
    let rest = match link {
        Some(link) => format!(r#""link_number":"{link:016}""#),
        None => r#""deleted":true"#.to_owned(),
    };
    format!(r#"{{"source":"portal","sequence":{sequence},"kind":"link","serial":"{serial}",{rest}}}"#)
}

pub(crate) fn renewal(sequence: u64, serial: u64, previous: u64) -> String {
    format!(
        r#"{{"source":"jlis","sequence":{sequence},"kind":"renewal","serial":"{serial}","previous_serial":"{previous}"}}"#
    )
}

pub(crate) fn person(link: u64) -> Subject {
    Subject::Person(LinkNumber::from_value(link).unwrap())
}
