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
mod tests;
