//! What a connection is waiting for, and for how long: told by its stream and its requests as they
//! go, looked at by one thread for all connections. Nothing on the way of a request reads a clock or
//! sets a timer for it.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;

use crate::config::Service;
use crate::refusal::Refusal;

/// Looks a limit has: it ends between itself and a quarter more.
const LOOKS: u32 = 4;
/// Bounds of the time between two looks. Between two looks without a step a connection comes to rest.
const LOOK_EVERY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

/// What a connection waits for the other side to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Waiting {
    /// To send the first octet.
    FirstByte,
    /// To send the next request.
    Request,
    /// To send the rest of a head.
    Head,
    /// To send more of a body.
    Body,
    /// To close, all being said.
    Close,
}

/// Why a connection was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Ended {
    FirstByte,
    Idle,
    Head,
    Body,
    Write,
    /// More control frames than there may be.
    Flood,
}

impl Ended {
    /// The word in metrics.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::FirstByte => "first_byte",
            Self::Idle => "idle",
            Self::Head => "head",
            Self::Body => "body",
            Self::Write => "write",
            Self::Flood => "flood",
        }
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Traffic {
    waiting: AtomicU8,
    /// 1 while the other side does not take what is written.
    blocked: AtomicU8,
    /// Whatever brings a connection forward counts one: time begins anew.
    steps: AtomicU32,
    /// Requests handed on; replies handed back; replies whose last octet is on its way.
    began: AtomicU64,
    replied: AtomicU64,
    delivered: AtomicU64,
    refused: OnceLock<(u64, Refusal)>,
    /// The next request has waited too long.
    late: AtomicBool,
    why: OnceLock<Ended>,
    ended: Notify,
    /// It has asked nothing for a while.
    idle: Notify,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            waiting: AtomicU8::new(Waiting::FirstByte as u8),
            blocked: AtomicU8::new(0),
            steps: AtomicU32::new(0),
            began: AtomicU64::new(0),
            replied: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            refused: OnceLock::new(),
            late: AtomicBool::new(false),
            why: OnceLock::new(),
            ended: Notify::new(),
            idle: Notify::new(),
        }
    }
}

impl Traffic {
    /// The other side has done something that brings the connection forward.
    pub(super) fn step(&self) {
        // One stream writes it, and a look that is missed is made up for by the next.
        self.steps.store(self.steps.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// What it waits for from now on.
    pub(super) fn wait_for(&self, waiting: Waiting) {
        if self.waiting.swap(waiting as u8, Ordering::Relaxed) != waiting as u8 {
            self.step();
        }
    }

    /// Whether what is written is not taken. Writing what is taken at once brings nothing forward: it
    /// may be the answer to a ping.
    pub(super) fn block(&self, blocked: bool) {
        if self.blocked.load(Ordering::Relaxed) != u8::from(blocked) {
            self.blocked.store(u8::from(blocked), Ordering::Relaxed);
            self.step();
        }
    }

    /// A request is handed on. Gives the refusal, where this is the one that the stream refused.
    pub(super) fn begin(&self) -> Option<Refusal> {
        let number = self.began.fetch_add(1, Ordering::Relaxed);
        if let Some((_, refusal)) = self.refused.get().filter(|(refused, _)| *refused == number) {
            return Some(refusal.clone());
        }
        let is_late = self.late.load(Ordering::Relaxed) && self.late.swap(false, Ordering::Relaxed);
        is_late.then_some(Refusal::Overloaded)
    }

    /// Whether any request was handed on.
    pub(super) fn has_begun(&self) -> bool {
        self.began.load(Ordering::Relaxed) > 0
    }

    /// The next request has waited for so long that it is refused.
    pub(super) fn refuse_next(&self) {
        self.late.store(true, Ordering::Relaxed);
    }

    /// The request behind so many others is refused.
    pub(super) fn refuse(&self, number: u64, refusal: Refusal) {
        // There is one refusal a connection: nothing is read behind it.
        let _ = self.refused.set((number, refusal));
    }

    /// Its reply is handed back.
    pub(super) fn reply(&self) {
        self.replied.fetch_add(1, Ordering::Relaxed);
    }

    /// The last octet of a reply is on its way.
    pub(super) fn deliver(&self) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
        self.step();
    }

    /// Ends when the connection is to be ended.
    pub(super) async fn ended(&self) {
        loop {
            let notified = self.ended.notified();
            if self.why().is_some() {
                return;
            }
            notified.await;
        }
    }

    /// Ends when the connection has been at rest for a while, and still is: every answer is on its way,
    /// and of the next request nothing has come.
    pub(super) async fn rests(&self) {
        loop {
            self.idle.notified().await;
            if self.waits() == Some(Ended::Idle) {
                return;
            }
        }
    }

    /// Why it was ended, if it was.
    pub(super) fn why(&self) -> Option<Ended> {
        self.why.get().copied()
    }

    /// Has the connection ended.
    pub(super) fn end(&self, why: Ended) {
        let _ = self.why.set(why);
        self.ended.notify_waiters();
    }

    /// What it waits for, if for anything of the other side's.
    fn waits(&self) -> Option<Ended> {
        let began = self.began.load(Ordering::Relaxed);
        let (replied, delivered) =
            (self.replied.load(Ordering::Relaxed), self.delivered.load(Ordering::Relaxed));
        let waiting = self.waiting.load(Ordering::Relaxed);
        let is = |one: Waiting| waiting == one as u8;
        if self.blocked.load(Ordering::Relaxed) != 0 || replied > delivered || is(Waiting::Close) {
            Some(Ended::Write)
        } else if is(Waiting::Body) {
            Some(Ended::Body)
        } else if is(Waiting::Head) {
            Some(Ended::Head)
        } else if began > delivered {
            None // it is our turn
        } else if is(Waiting::FirstByte) {
            Some(Ended::FirstByte)
        } else {
            Some(Ended::Idle)
        }
    }
}

/// The thread that looks at all connections.
#[derive(Clone)]
pub struct Watch(Sender<Arc<Traffic>>);

/// Times that the other side is given.
#[derive(Clone, Copy)]
struct Limits {
    first_byte: Duration,
    idle: Duration,
    head: Duration,
    body: Duration,
    write: Duration,
}

/// A connection as it was at the last look.
struct Watched {
    traffic: Arc<Traffic>,
    steps: u32,
    waits: Option<Ended>,
    looks: u32,
}

impl Watch {
    /// Starts the thread. It ends when nobody can hand it a connection any more.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(service: &Service) -> std::io::Result<Self> {
        let seconds = Duration::from_secs;
        let limits = Limits {
            first_byte: seconds(service.first_byte_seconds),
            idle: seconds(service.idle_seconds),
            head: seconds(service.header_seconds),
            body: seconds(service.chunk_seconds),
            write: seconds(service.write_seconds),
        };
        let (watch, connections) = channel();
        std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || look_for_ever(&connections, limits))?;
        Ok(Self(watch))
    }

    /// A new connection, looked at for as long as anybody else holds its traffic.
    pub(super) fn connection(&self) -> Arc<Traffic> {
        let traffic = Arc::new(Traffic::default());
        // The thread lives as long as this.
        let _ = self.0.send(Arc::clone(&traffic));
        traffic
    }
}

fn look_for_ever(connections: &Receiver<Arc<Traffic>>, limits: Limits) {
    let every = limits.look_every();
    let mut watched = Vec::new();
    loop {
        std::thread::sleep(every);
        loop {
            match connections.try_recv() {
                Ok(traffic) => watched.push(Watched { traffic, steps: 0, waits: None, looks: 0 }),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) if watched.is_empty() => return,
                Err(TryRecvError::Disconnected) => break,
            }
        }
        watched.retain_mut(|one| one.look(limits, every));
    }
}

impl Limits {
    fn look_every(&self) -> Duration {
        let shortest = self.first_byte.min(self.idle).min(self.head).min(self.body).min(self.write);
        (shortest / LOOKS).clamp(LOOK_EVERY.0, LOOK_EVERY.1)
    }

    const fn of(&self, why: Ended) -> Duration {
        match why {
            Ended::FirstByte => self.first_byte,
            Ended::Idle => self.idle,
            Ended::Head => self.head,
            Ended::Body => self.body,
            Ended::Write | Ended::Flood => self.write,
        }
    }
}

impl Watched {
    /// False when there is nothing more to look at.
    fn look(&mut self, limits: Limits, every: Duration) -> bool {
        if Arc::strong_count(&self.traffic) == 1 {
            return false;
        }
        let (steps, waits) = (self.traffic.steps.load(Ordering::Relaxed), self.traffic.waits());
        if (steps, waits) != (self.steps, self.waits) {
            (self.steps, self.waits, self.looks) = (steps, waits, 0);
            return true;
        }
        self.looks = self.looks.saturating_add(1);
        if waits == Some(Ended::Idle) && self.looks == 1 {
            self.traffic.idle.notify_one();
        }
        match waits {
            Some(why) if every * self.looks >= limits.of(why) => {
                self.traffic.end(why);
                false
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const LIMITS: Limits =
        Limits { first_byte: SECOND, idle: SECOND, head: SECOND, body: SECOND, write: SECOND };

    fn watched() -> (Arc<Traffic>, Watched) {
        let traffic = Arc::new(Traffic::default());
        let watched = Watched { traffic: Arc::clone(&traffic), steps: 0, waits: None, looks: 0 };
        (traffic, watched)
    }

    /// Looks so often, a quarter of a second apart; whether it goes on.
    fn looks(watched: &mut Watched, count: usize) -> bool {
        (0..count).all(|_| watched.look(LIMITS, SECOND / 4))
    }

    #[test]
    fn silence_ends_in_whatever_a_connection_waits() {
        type Set = fn(&Traffic);
        let cases: [(Set, Ended); 6] = [
            (|_| {}, Ended::FirstByte),
            (|traffic| traffic.wait_for(Waiting::Request), Ended::Idle),
            (|traffic| traffic.wait_for(Waiting::Head), Ended::Head),
            (
                |traffic| {
                    traffic.begin();
                    traffic.wait_for(Waiting::Body);
                },
                Ended::Body,
            ),
            (|traffic| traffic.block(true), Ended::Write),
            (
                |traffic| {
                    traffic.wait_for(Waiting::Request);
                    traffic.begin();
                    traffic.reply();
                },
                Ended::Write,
            ),
        ];
        for (set, overdue) in cases {
            let (traffic, mut watched) = watched();
            set(&traffic);
            assert!(looks(&mut watched, 4) && !looks(&mut watched, 1), "{overdue:?}");
            assert_eq!(traffic.why(), Some(overdue));
        }
    }

    #[test]
    fn what_goes_forward_goes_on_and_our_own_work_takes_its_time() {
        let (traffic, mut watched) = watched();
        for _ in 0..50 {
            traffic.step();
            assert!(looks(&mut watched, 4));
        }
        traffic.wait_for(Waiting::Request);
        traffic.begin();
        assert!(looks(&mut watched, 100), "it is our turn");
        traffic.reply();
        traffic.deliver();
        assert!(looks(&mut watched, 4) && !looks(&mut watched, 1));
        let (traffic, mut other) = self::watched();
        drop(traffic);
        assert!(!looks(&mut other, 1), "gone");
    }

    #[test]
    fn the_one_refused_request_is_known_by_its_number() {
        let traffic = Traffic::default();
        assert_eq!(traffic.begin(), None);
        traffic.refuse(2, Refusal::LengthRequired);
        assert_eq!(traffic.begin(), None);
        assert_eq!(traffic.begin(), Some(Refusal::LengthRequired));
    }
}
