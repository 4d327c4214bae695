//! The thread that writes: takes what is queued, commits it as one group, makes it visible, then
//! tells those who wait.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use eligibility::day::Timestamp;
use eligibility::feed::{Said, Source};

use crate::batch::{Appended, Batch};
use crate::error::LedgerError;
use crate::group::{Group, Head};
use crate::handle::{Done, Memory, Now, Visible};
use crate::offer::Parcel;
use crate::read::{Filled, fingerprint};
use crate::retire::Shortened;
use crate::seen::LastBatch;
use crate::standing::Standing;
use crate::store::Store;
use crate::turns::Turns;

/// What the thread is asked to do.
pub(crate) enum Job {
    /// Write this, then tell.
    Write(Work, Done),
    /// Look what others wrote.
    Look,
    /// Write what is queued, then end.
    Close,
}

/// What is to be written.
pub(crate) enum Work {
    /// Lines of a delivery, unless it is broken.
    Append(Source, Parcel, Arc<AtomicBool>),
    /// A record of the gateway's own.
    Act(Said),
    /// A source's new epoch.
    OpenEpoch(Source, u32),
    /// Batches without some of their lines.
    Shorten(Vec<Shortened>),
}

impl Work {
    /// Whose turn it needs.
    pub(crate) const fn source(&self) -> Source {
        match self {
            Self::Append(source, ..) | Self::OpenEpoch(source, _) => *source,
            // What the gateway does of itself.
            Self::Act(_) | Self::Shorten(_) => Source::Gateway,
        }
    }

    pub(crate) fn rows(&self) -> usize {
        match self {
            Self::Append(_, parcel, _) => parcel.offers.len(),
            Self::Act(_) | Self::OpenEpoch(..) => 1,
            Self::Shorten(batches) => batches.len(),
        }
    }

    /// Where to say that it failed.
    fn broken(&self) -> Option<Arc<AtomicBool>> {
        match self {
            Self::Append(.., broken) => Some(Arc::clone(broken)),
            Self::Act(_) | Self::OpenEpoch(..) | Self::Shorten(_) => None,
        }
    }
}

/// Outcome of each piece of work of a group.
type Outcomes = Vec<Result<Appended, LedgerError>>;

/// What was committed and made visible.
pub(crate) struct Followed {
    pub(crate) heads: HashMap<Source, Head>,
    pub(crate) position: u64,
    pub(crate) committed_at: Timestamp,
    pub(crate) visible: Visible,
    /// What tells the history up to the position from every other.
    pub(crate) fingerprint: Fingerprint,
}

/// A fingerprint, or what it is made of once it is asked for.
pub(crate) enum Fingerprint {
    Made(Option<[u8; 32]>),
    Of(Batch),
}

impl Followed {
    fn take(&mut self, mut batches: Vec<Batch>, heads: impl IntoIterator<Item = (Source, Head)>) {
        self.heads.extend(heads);
        if batches.is_empty() {
            return;
        }
        (self.visible)(&batches);
        if let Some(last) = batches.pop() {
            self.position = last.position;
            self.committed_at = last.committed_at;
            self.fingerprint = Fingerprint::Of(last);
        }
    }

    /// Takes what others wrote; false where there was nothing.
    fn take_news(&mut self, news: Vec<Filled>) -> bool {
        let any = !news.is_empty();
        let heads: Vec<_> = news.iter().map(|(batch, head)| (batch.source, *head)).collect();
        self.take(news.into_iter().map(|(batch, _)| batch).collect(), heads);
        any
    }

    const fn at(&self) -> (u64, Timestamp) {
        (self.position, self.committed_at)
    }

    fn fingerprint(&self, id: &[u8]) -> Option<[u8; 32]> {
        match &self.fingerprint {
            Fingerprint::Made(made) => *made,
            Fingerprint::Of(batch) => {
                let sequences: Vec<_> =
                    batch.rows.iter().filter_map(|row| Some((row.sequence?, row.hash))).collect();
                Some(fingerprint(id, batch, batch.rows.len() as u64, &sequences))
            }
        }
    }
}

/// The one who writes.
pub(crate) struct Writer<S: ?Sized> {
    pub(crate) followed: Followed,
    pub(crate) last: LastBatch,
    pub(crate) memory: Box<dyn Memory>,
    pub(crate) now: Now,
    pub(crate) group_rows: usize,
    /// Pieces of work taken from the queue before they are written.
    pub(crate) most_waiting: usize,
    pub(crate) poisoned: Option<LedgerError>,
    /// What tells the ledger from every other.
    pub(crate) id: Vec<u8>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) store: Box<S>,
}

/// What the writer and those who ask it share.
#[derive(Default)]
pub(crate) struct Shared {
    /// Whether it was told to look and has not yet begun.
    pub(crate) looks: AtomicBool,
    /// Exchanged as a whole: desks look at it, and wait for nobody.
    pub(crate) standing: RwLock<Arc<Standing>>,
    /// What this gateway holds back.
    pub(crate) held: Mutex<HashMap<Source, u64>>,
}

impl Shared {
    pub(crate) fn standing(&self) -> Arc<Standing> {
        Arc::clone(&self.standing.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn stands(&self, standing: Standing) {
        *self.standing.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(standing);
    }
}

/// Nothing under these locks is left half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: Store + ?Sized> Writer<S> {
    /// Works until the queue is closed.
    pub(crate) fn run(mut self, queue: &Receiver<Job>) {
        let mut turns = Turns::default();
        let mut closing = false;
        while !closing || turns.len() > 0 {
            let mut looks = false;
            let mut next = if turns.len() > 0 || closing {
                queue.try_recv().ok()
            } else {
                // Without anybody who could ask there is nothing to do any more.
                let Ok(first) = queue.recv() else { return };
                Some(first)
            };
            while let Some(job) = next.take() {
                match job {
                    Job::Write(_, done) if closing => tell(done, Err(LedgerError::Closed)),
                    Job::Write(work, done) => turns.put(work, done),
                    Job::Look => looks = true,
                    Job::Close => closing = true,
                }
                // The queue is what holds those back who are too fast.
                if turns.len() < self.most_waiting {
                    next = queue.try_recv().ok();
                }
            }
            let (works, dones) = turns.group(self.group_rows);
            self.serve(works, dones);
            if looks {
                self.look();
            }
        }
        // Whatever slipped in behind the closing.
        while let Ok(job) = queue.try_recv() {
            if let Job::Write(_, done) = job {
                tell(done, Err(LedgerError::Closed));
            }
        }
    }

    /// Commits a group, shows it, and tells those who wait for it.
    pub(crate) fn serve(&mut self, works: Vec<Work>, dones: Vec<Done>) {
        if works.is_empty() {
            return;
        }
        let broken: Vec<_> = works.iter().filter_map(Work::broken).collect();
        match self.commit(works) {
            Ok(outcomes) => {
                for (done, outcome) in dones.into_iter().zip(outcomes) {
                    tell(done, outcome);
                }
            }
            Err(error) => {
                broken.iter().for_each(|one| one.store(true, Ordering::Relaxed));
                for done in dones {
                    tell(done, Err(error.clone()));
                }
            }
        }
    }

    fn commit(&mut self, works: Vec<Work>) -> Result<Outcomes, LedgerError> {
        if let Some(poisoned) = &self.poisoned {
            return Err(poisoned.clone());
        }
        self.write(works).map_err(|error| self.recover(error))
    }

    /// Follows the others, and tells them how far this gateway is.
    fn look(&mut self) {
        self.shared.looks.store(false, Ordering::Release);
        if self.poisoned.is_some() {
            return;
        }
        let looked = self.follow().and_then(|()| {
            let held = lock(&self.shared.held).clone();
            self.store.share(self.followed.position, &held)
        });
        match looked {
            Ok(None) => {}
            Ok(Some(standing)) => self.shared.stands(standing),
            Err(error) => {
                let diverged = matches!(error, LedgerError::Diverged { .. });
                let away = Some(error.to_string());
                self.shared.stands(Standing { away, diverged, ..Standing::clone(&self.shared.standing()) });
                if !matches!(error, LedgerError::Away { .. }) {
                    self.recover(error);
                }
            }
        }
    }

    /// Makes visible what others committed.
    fn follow(&mut self) -> Result<(), LedgerError> {
        if self.store.is_new_connection() {
            let position = self.followed.position;
            let own = self.followed.fingerprint(&self.id);
            if own.is_some() && self.store.fingerprint(position)? != own {
                return Err(LedgerError::Diverged { position });
            }
        }
        while self.followed.take_news(self.store.news(self.followed.at())?) {}
        Ok(())
    }

    fn write(&mut self, works: Vec<Work>) -> Result<Outcomes, LedgerError> {
        if self.store.is_shared() {
            // However much it is: nobody waits for it yet.
            self.follow()?;
        }
        let mut transaction = self.store.begin()?;
        while self.followed.take_news(transaction.news(self.followed.at())?) {}
        let committed_at = (self.now)().max(self.followed.committed_at);
        let at = (self.followed.position, committed_at);
        let heads = &self.followed.heads;
        let mut group = Group::new(&mut *transaction, self.memory.as_ref(), &mut self.last, heads, at);
        let (mut outcomes, mut shortened) = (Vec::with_capacity(works.len()), Vec::new());
        for work in works {
            outcomes.push(match work {
                Work::Append(_, _, broken) if broken.load(Ordering::Relaxed) => Err(LedgerError::Interrupted),
                Work::Append(source, parcel, _) => Ok(group.append(source, parcel)?),
                Work::Act(said) => group.act(said)?,
                Work::OpenEpoch(source, epoch) => group.open_epoch(source, epoch)?,
                Work::Shorten(batches) => {
                    shortened.extend(batches);
                    Ok(Appended::default())
                }
            });
        }
        let (batches, heads) = group.put()?;
        let is_shortened = !shortened.is_empty();
        for Shortened { position, pack } in shortened {
            transaction.replace(position, pack)?;
        }
        if !batches.is_empty() || is_shortened {
            transaction.commit()?;
        }
        self.followed.take(batches, heads);
        Ok(outcomes)
    }

    /// After a failure: nothing of the group may stay, else the file cannot be trusted.
    fn recover(&mut self, error: LedgerError) -> LedgerError {
        let error = if self.store.is_whole() {
            error
        } else {
            LedgerError::Poisoned { reason: format!("{error}, and the rollback failed") }
        };
        if matches!(
            error,
            LedgerError::Poisoned { .. } | LedgerError::Diverged { .. } | LedgerError::Corrupt { .. }
        ) {
            tracing::error!(%error, "the ledger takes no more records until a restart");
            self.poisoned = Some(error.clone());
        } else {
            tracing::warn!(%error, "records could not be written");
        }
        error
    }
}

/// Tells one who waits. What goes wrong at his side is not the ledger's concern.
fn tell(done: Done, outcome: Result<Appended, LedgerError>) {
    if catch_unwind(AssertUnwindSafe(|| done(outcome))).is_err() {
        tracing::error!("the callback of an append panicked");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use eligibility::number::{LinkNumber, Serial};
    use tempfile::TempDir;

    use rusqlite::Connection;

    use super::*;
    use crate::offer::Offer;
    use crate::sqlite::Sqlite;

    struct Blank;

    impl Memory for Blank {
        fn last_word(&self, _: Source, _: eligibility::feed::Subject) -> Option<u64> {
            None
        }
        fn owner(&self, _: Serial) -> Option<LinkNumber> {
            None
        }
    }

    fn writer(folder: &TempDir) -> Writer<Sqlite> {
        let path = folder.path().join("ledger");
        Writer {
            store: Box::new(Sqlite::open(&path, std::time::Duration::ZERO).unwrap()),
            followed: Followed {
                heads: HashMap::new(),
                position: 0,
                committed_at: Timestamp::from_millis(0),
                visible: Box::new(|_| {}),
                fingerprint: Fingerprint::Made(None),
            },
            id: Vec::new(),
            shared: Arc::default(),
            last: LastBatch::default(),
            memory: Box::new(Blank),
            now: Box::new(|| Timestamp::from_millis(1)),
            group_rows: 1,
            most_waiting: 1,
            poisoned: None,
        }
    }

    /// Lines that no record is: their refusals are small and many.
    fn lines(from: u64, count: u64) -> Vec<Offer> {
        let line =
            |n| format!(r#"{{"source":"portal","sequence":{n},"kind":"link","serial":"{n}","deleted":1}}"#);
        (from..from + count).map(|n| Offer::from_line(Source::Portal, n, line(n).as_bytes())).collect()
    }

    fn append_of(offers: Vec<Offer>) -> Work {
        Work::Append(Source::Portal, offers.into(), Arc::default())
    }

    fn append(writer: &mut Writer<Sqlite>, offers: Vec<Offer>) -> Result<Appended, LedgerError> {
        let (told, outcome) = channel();
        let done: Done = Box::new(move |appended| told.send(appended).unwrap());
        writer.serve(vec![append_of(offers)], vec![done]);
        outcome.recv().unwrap()
    }

    fn limit(writer: &Writer<Sqlite>, pages: u32) {
        writer.store.connection.pragma_update(None, "max_page_count", pages).unwrap();
    }

    fn rows(writer: &Writer<Sqlite>) -> (u64, u64) {
        let count = |table: &str| {
            let sql = format!("SELECT count(*) FROM {table}");
            writer.store.connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap() as u64
        };
        let rows = writer
            .store
            .connection
            .query_row("SELECT total(rows) FROM batch", [], |row| row.get::<_, f64>(0));
        assert_eq!(count("pack"), count("batch"));
        (rows.unwrap() as u64, count("batch"))
    }

    #[test]
    fn a_full_disk_is_told_and_works_again_with_room() {
        let folder = TempDir::new().unwrap();
        let mut writer = writer(&folder);
        assert_eq!(append(&mut writer, lines(1, 10)).unwrap().committed_sequence, 10);
        limit(&writer, 1);
        assert_eq!(append(&mut writer, lines(11, 2_000)), Err(LedgerError::DiskFull));
        assert_eq!((rows(&writer), writer.followed.position), ((10, 1), 1));
        limit(&writer, 1_000_000);
        let appended = append(&mut writer, lines(5, 1_000)).unwrap();
        assert_eq!((appended.duplicates, appended.committed_sequence, appended.generation), (6, 1_004, 2));
    }

    #[test]
    fn nothing_behind_a_failed_part_of_a_delivery_counts() {
        let folder = TempDir::new().unwrap();
        let mut writer = writer(&folder);
        let broken = Arc::<AtomicBool>::default();
        let part = |lines: Vec<Offer>| Work::Append(Source::Portal, lines.into(), Arc::clone(&broken));
        let (told, outcomes) = channel();
        let tell = || -> Done {
            let told = told.clone();
            Box::new(move |outcome| told.send(outcome.map(|appended| appended.committed_sequence)).unwrap())
        };
        limit(&writer, 1);
        writer.serve(vec![part(lines(1, 2_000))], vec![tell()]);
        limit(&writer, 1_000_000);
        writer.serve(vec![part(lines(2_001, 10)), append_of(lines(1, 5))], vec![tell(), tell()]);
        let outcomes: Vec<_> = outcomes.try_iter().collect();
        assert_eq!(outcomes, [Err(LedgerError::DiskFull), Err(LedgerError::Interrupted), Ok(5)]);
        assert_eq!(rows(&writer), (5, 1));
    }

    #[test]
    fn what_is_not_committed_leaves_nothing() {
        let folder = TempDir::new().unwrap();
        let mut writer = writer(&folder);
        append(&mut writer, lines(1, 1)).unwrap();
        {
            let Writer { store, followed: Followed { heads, .. }, last, memory, .. } = &mut writer;
            let mut transaction = store.begin().unwrap();
            let at = (1, Timestamp::from_millis(1));
            let mut group = Group::new(&mut *transaction, memory.as_ref(), last, heads, at);
            assert_eq!(group.append(Source::Portal, lines(2, 5).into()).unwrap().generation, 2);
            assert_eq!(group.put().unwrap().0.len(), 1);
        }
        assert_eq!(rows(&writer), (1, 1));
        assert_eq!(append(&mut writer, lines(2, 5)).unwrap().generation, 2);
    }

    #[test]
    fn a_failure_that_is_not_understood_ends_all_writing() {
        let folder = TempDir::new().unwrap();
        let mut writer = writer(&folder);
        writer.store.connection.execute("DROP TABLE quarantine", []).unwrap();
        let first = append(&mut writer, lines(1, 1));
        assert!(matches!(first, Err(LedgerError::Poisoned { .. })));
        writer.store.connection.execute_batch("CREATE TABLE quarantine (a, b, c, d, e)").unwrap();
        assert_eq!(append(&mut writer, lines(1, 1)), first);
        assert_eq!(rows(&writer), (0, 0));
    }

    #[test]
    fn another_program_that_locks_the_file_is_waited_out() {
        let folder = TempDir::new().unwrap();
        let mut writer = writer(&folder);
        let other = Connection::open(folder.path().join("ledger")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert_eq!(append(&mut writer, lines(1, 1)), Err(LedgerError::Busy));
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(append(&mut writer, lines(1, 1)).unwrap().committed_sequence, 1);
    }

    #[test]
    fn a_callback_that_panics_harms_nobody() {
        let folder = TempDir::new().unwrap();
        let mut writer = writer(&folder);
        writer.serve(vec![append_of(Vec::new())], vec![Box::new(|_| panic!("at the caller's side"))]);
        assert!(append(&mut writer, lines(1, 1)).is_ok());
    }
}
