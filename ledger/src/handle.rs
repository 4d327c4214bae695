//! Opening, starting, the queue before the writer, and closing.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use eligibility::day::Timestamp;
use eligibility::feed::{Said, Source, Subject};
use eligibility::number::{LinkNumber, Serial};

use crate::batch::{Appended, Batch, Told};
use crate::error::LedgerError;
use crate::group::Head;
use crate::offer::Parcel;
use crate::postgres::Postgres;
use crate::read::Reader;
use crate::seen::LastBatch;
use crate::sqlite::Sqlite;
use crate::standing::Standing;
use crate::store::{News, Place, Store};
use crate::writer::{Fingerprint, Followed, Job, Shared, Work, Writer, lock};

/// The most lines one append may hold, and so the most rows of a batch.
pub const MOST_OFFERS: usize = 2_000;

/// Called once with what became of an append, on the writer's thread.
pub type Done = Box<dyn FnOnce(Result<Appended, LedgerError>) + Send>;

/// Called on the writer's thread with the batches of each group, in order, once they are durable and
/// before those who wait for them are told.
pub type Visible = Box<dyn FnMut(&[Batch]) + Send>;

/// Gives the wall time, once a group.
pub type Now = Box<dyn Fn() -> Timestamp + Send>;

/// What memory, which follows the ledger, tells it. Asked on the writer's thread only, when
/// everything committed before is visible.
pub trait Memory: Send {
    /// Position of the source's last accepted word on the subject.
    fn last_word(&self, source: Source, subject: Subject) -> Option<u64>;
    /// The person whose card has this serial.
    fn owner(&self, serial: Serial) -> Option<LinkNumber>;
    /// Whether any card is linked to the person. Subsidies of a person without one are not kept;
    /// a memory that does not say keeps them.
    fn has_card(&self, person: LinkNumber) -> bool {
        let _ = person;
        true
    }
}

/// The sizes and times of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long to wait for another program that holds SQLite's own lock.
    pub busy_timeout: Duration,
    /// Appends that may wait before the writer, and as many that the writer has sorted by source; one
    /// more is refused as [`LedgerError::Full`].
    pub queue: usize,
    /// Lines from which a group takes no further append into its transaction.
    pub group_rows: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { busy_timeout: Duration::from_secs(5), queue: 256, group_rows: 8_000 }
    }
}

/// A ledger that can be read and is not yet written: for the replay.
pub struct Opened {
    pub(crate) place: Place,
    options: Options,
    store: Box<dyn Store>,
    reader: Reader,
    heads: HashMap<Source, Head>,
    position: u64,
    committed_at: Option<Timestamp>,
}

/// A ledger that takes records. Cheap to clone; all clones speak to one writer.
#[derive(Clone)]
pub struct Ledger {
    pub(crate) place: Arc<Place>,
    options: Options,
    queue: Arc<SyncSender<Job>>,
    shared: Arc<Shared>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
    reader: Arc<Mutex<Reader>>,
}

impl Ledger {
    /// Opens the ledger at this place, making it where there is none. Of a file, the file `PATH.lock`
    /// beside it is locked for as long as the ledger lives.
    ///
    /// # Errors
    /// In use, of a newer schema, not a ledger, or not to be opened.
    pub fn open(place: impl Into<Place>, options: Options) -> Result<Opened, LedgerError> {
        let place = place.into();
        let store = engine(&place, &options)?;
        let reader = Reader::open(&place, options.busy_timeout)?;
        let heads = reader.heads()?;
        let (position, committed_at) = reader.last()?.unzip();
        let position = position.unwrap_or(0);
        Ok(Opened { place, options, store, reader, heads, position, committed_at })
    }

    /// Queues lines of this source. `done` is called once they are durable and visible, or have
    /// failed; it is dropped uncalled where this returns an error.
    ///
    /// # Errors
    /// `Full`, `Closed`, `TooLarge` above [`MOST_OFFERS`], `NotItsOwn` for the gateway's name.
    pub fn append(&self, source: Source, lines: impl Into<Parcel>, done: Done) -> Result<(), LedgerError> {
        self.delivery(source).append(lines, done)
    }

    /// A delivery of this source, which may be appended part by part without waiting for each.
    #[must_use]
    pub fn delivery(&self, source: Source) -> Delivery {
        Delivery { ledger: self.clone(), source, broken: Arc::default() }
    }

    /// Queues an act of the gateway itself (a link, a dismissal), numbered by the ledger. A link of
    /// another person's card is told to `done` as `LinkConflict` and leaves no trace.
    ///
    /// # Errors
    /// `Full`, `Closed`, `NotItsOwn` for what only others can say.
    pub fn act(&self, said: Said, done: Done) -> Result<(), LedgerError> {
        if !Source::Gateway.owns(said.kind()) {
            return Err(LedgerError::NotItsOwn);
        }
        self.queue(Work::Act(said), done)
    }

    /// Queues the opening of a new epoch for a restored source, whose numbering starts again. An
    /// epoch not later than the present one is told to `done` as `EpochNotLater`.
    ///
    /// # Errors
    /// `Full`, `Closed`, `NotItsOwn` for the gateway, which is never restored.
    pub fn open_epoch(&self, source: Source, epoch: u32, done: Done) -> Result<(), LedgerError> {
        if source == Source::Gateway {
            return Err(LedgerError::NotItsOwn);
        }
        self.queue(Work::OpenEpoch(source, epoch), done)
    }

    pub(crate) fn queue(&self, work: Work, done: Done) -> Result<(), LedgerError> {
        self.queue.try_send(Job::Write(work, done)).map_err(|error| match error {
            TrySendError::Full(_) => LedgerError::Full,
            TrySendError::Disconnected(_) => LedgerError::Closed,
        })
    }

    /// How this gateway and those that share the ledger stand.
    #[must_use]
    pub fn standing(&self) -> Arc<Standing> {
        self.shared.standing()
    }

    /// Whether other gateways may write to it too.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(*self.place, Place::Server(_))
    }

    /// Whether another gateway holds deliveries of this source back.
    #[must_use]
    pub fn holds_elsewhere(&self, source: Source) -> bool {
        self.shared.standing().held.contains_key(&source)
    }

    /// Has the others told of which sources this gateway holds deliveries back, and how many.
    pub fn tell_held(&self, held: HashMap<Source, u64>) {
        *lock(&self.shared.held) = held;
        // Full: it is told with the next look.
        let _ = self.queue.try_send(Job::Look);
    }

    /// The batches after this position, in order: see [`Reader::read`]. One caller at a time; a
    /// long replay takes a [`Ledger::reader`] of its own.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn read(&self, after: u64, most: usize) -> Result<Vec<Batch>, LedgerError> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner).read(after, most)
    }

    /// What a source said of a subject, newest first: see [`Reader::history`].
    ///
    /// # Errors
    /// As [`Reader::history`].
    pub fn history(
        &self,
        source: Source,
        subject: Subject,
        last_word: u64,
        most: usize,
    ) -> Result<Vec<Told>, LedgerError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.history(source, subject, last_word, most)
    }

    /// How many records were read of a source since its last accepted mark.
    ///
    /// # Errors
    /// As [`Reader::since_mark`].
    pub fn since_mark(&self, source: Source) -> Result<u64, LedgerError> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner).since_mark(source)
    }

    /// A reader with a connection of its own.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn reader(&self) -> Result<Reader, LedgerError> {
        Reader::open(&self.place, self.options.busy_timeout)
    }

    /// Writes what is queued, ends the writer and waits for it. Later appends of other clones are
    /// refused as `Closed`.
    pub fn close(self) {
        // A queue without receiver has no writer either.
        let _ = self.queue.send(Job::Close);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the ledger's writer had panicked");
        }
    }
}

/// Parts of one delivery, in order. Once one has failed all behind it are refused as `Interrupted`:
/// were they taken, what is missing could not be delivered again.
#[derive(Clone, Debug)]
pub struct Delivery {
    ledger: Ledger,
    source: Source,
    broken: Arc<AtomicBool>,
}

impl Delivery {
    /// Queues the next part: see [`Ledger::append`].
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub fn append(&self, lines: impl Into<Parcel>, done: Done) -> Result<(), LedgerError> {
        let parcel = lines.into();
        let queued = if parcel.offers.len() > MOST_OFFERS {
            Err(LedgerError::TooLarge { most: MOST_OFFERS })
        } else if self.source == Source::Gateway {
            Err(LedgerError::NotItsOwn)
        } else {
            self.ledger.queue(Work::Append(self.source, parcel, Arc::clone(&self.broken)), done)
        };
        if queued.is_err() {
            self.broken.store(true, Ordering::Relaxed);
        }
        queued
    }
}

impl Opened {
    /// The batches after this position, in order: see [`Reader::read`].
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn read(&self, after: u64, most: usize) -> Result<Vec<Batch>, LedgerError> {
        self.reader.read(after, most)
    }

    /// The reader over what is there: everything [`Reader`] can be asked before the start.
    #[must_use]
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Another reader, with a connection of its own.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn another_reader(&self) -> Result<Reader, LedgerError> {
        Reader::open(&self.place, self.options.busy_timeout)
    }

    /// Position of the last batch; 0 while there is none.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// When the last batch was committed: the clock must not be earlier.
    #[must_use]
    pub const fn committed_at(&self) -> Option<Timestamp> {
        self.committed_at
    }

    /// Starts the writer. `memory` must have followed the replay to its end.
    ///
    /// # Errors
    /// `Open` when the system gives no thread.
    pub fn start(self, memory: Box<dyn Memory>, visible: Visible, now: Now) -> Result<Ledger, LedgerError> {
        let Self { place, options, mut store, reader, heads, position, committed_at } = self;
        let (queue, jobs): (_, Receiver<Job>) = sync_channel(options.queue.max(1));
        let queue = Arc::new(queue);
        let shared = Arc::<Shared>::default();
        let fingerprint = match store.is_shared() {
            true => reader.fingerprint(position)?,
            false => None,
        };
        store.listen(looking(Arc::downgrade(&queue), Arc::clone(&shared)));
        let writer = Writer {
            store,
            followed: Followed {
                heads,
                position,
                committed_at: committed_at.unwrap_or(Timestamp::from_millis(i64::MIN)),
                visible,
                fingerprint: Fingerprint::Made(fingerprint),
            },
            id: reader.id()?,
            shared: Arc::clone(&shared),
            last: LastBatch::default(),
            memory,
            now,
            group_rows: options.group_rows.max(1),
            most_waiting: options.queue.max(1),
            poisoned: None,
        };
        let spawned = std::thread::Builder::new().name("ledger".to_owned()).spawn(move || writer.run(&jobs));
        let thread =
            spawned.map_err(|error| LedgerError::Open { place: place.clone(), reason: error.to_string() })?;
        Ok(Ledger {
            place: place.into(),
            options,
            queue,
            shared,
            thread: Arc::new(Mutex::new(Some(thread))),
            reader: Arc::new(Mutex::new(reader)),
        })
    }
}

/// The engine at this place, to be written to.
pub(crate) fn engine(place: &Place, options: &Options) -> Result<Box<dyn Store>, LedgerError> {
    Ok(match place {
        Place::File(path) => Box::new(Sqlite::open(path, options.busy_timeout)?),
        Place::Server(server) => Box::new(Postgres::open(server)?),
    })
}

/// Has the writer look what others wrote, unless it is told so already.
fn looking(queue: Weak<SyncSender<Job>>, shared: Arc<Shared>) -> News {
    Box::new(move || {
        // Whoever only looks keeps no ledger open.
        let Some(queue) = queue.upgrade() else { return };
        if !shared.looks.swap(true, Ordering::AcqRel) && queue.try_send(Job::Look).is_err() {
            // Full: the writer looks before it writes, and is told again a second later.
            shared.looks.store(false, Ordering::Release);
        }
    })
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened({} at {})", self.place, self.position)
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ledger({})", self.place)
    }
}
