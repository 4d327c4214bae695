//! What a connection is waiting for: told by its stream and its requests as they go, looked at by the
//! [`super::lookout`]. Nothing on the way of a request reads a clock or sets a timer for it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::refusal::Refusal;

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

    /// How often it was brought forward.
    pub(super) fn steps(&self) -> u32 {
        self.steps.load(Ordering::Relaxed)
    }

    /// It has asked nothing for a while.
    pub(super) fn tell_idle(&self) {
        self.idle.notify_one();
    }

    /// What it waits for, if for anything of the other side's.
    pub(super) fn waits(&self) -> Option<Ended> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_refused_request_is_known_by_its_number() {
        let traffic = Traffic::default();
        assert_eq!(traffic.begin(), None);
        traffic.refuse(2, Refusal::LengthRequired);
        assert_eq!(traffic.begin(), None);
        assert_eq!(traffic.begin(), Some(Refusal::LengthRequired));
    }
}
