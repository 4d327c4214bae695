//! The thread that looks at all connections: what waits for too long is ended, what asks nothing rests.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::Duration;

use super::traffic::{Ended, Traffic};
use crate::config::Service;

/// Looks a limit has: it ends between itself and a quarter more.
const LOOKS: u32 = 4;
/// Bounds of the time between two looks. Between two looks without a step a connection comes to rest.
const LOOK_EVERY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

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
        let (steps, waits) = (self.traffic.steps(), self.traffic.waits());
        if (steps, waits) != (self.steps, self.waits) {
            (self.steps, self.waits, self.looks) = (steps, waits, 0);
            return true;
        }
        self.looks = self.looks.saturating_add(1);
        if waits == Some(Ended::Idle) && self.looks == 1 {
            self.traffic.tell_idle();
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
    use super::super::traffic::Waiting;
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

    #[tokio::test]
    async fn a_connection_rests_between_requests_and_nowhere_else() {
        let (traffic, mut watched) = watched();
        let rests = async |traffic: &Traffic| {
            tokio::time::timeout(Duration::from_millis(10), traffic.rests()).await.is_ok()
        };
        assert!(looks(&mut watched, 3) && !rests(&traffic).await, "nothing was asked yet");
        traffic.wait_for(Waiting::Request);
        traffic.begin();
        assert!(looks(&mut watched, 3) && !rests(&traffic).await, "it is our turn");
        traffic.reply();
        traffic.deliver();
        assert!(looks(&mut watched, 1) && !rests(&traffic).await, "only just answered");
        assert!(looks(&mut watched, 1) && rests(&traffic).await);
        assert!(looks(&mut watched, 1) && !rests(&traffic).await, "said once");
        traffic.step();
        assert!(looks(&mut watched, 2));
        traffic.wait_for(Waiting::Head);
        assert!(!rests(&traffic).await, "a request has come meanwhile");
    }
}
