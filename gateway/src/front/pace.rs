//! When a connection is read: always, but while too much is asked, when it has asked nothing for a while
//! or has its turn.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::load::{Load, QUIET, Turn};

/// Looks of waiting after which what was sent has waited too long for an answer to be fresh.
const STALE: u64 = 5;

/// The pace of one connection.
pub(super) struct Pace {
    load: Arc<Load>,
    tenant: u64,
    /// The look in which it last asked something.
    asked: Option<u64>,
    /// It may be read up to this look.
    until: u64,
    /// Since when it has waited for its turn.
    waiting: Option<(u64, oneshot::Receiver<Turn>)>,
    /// Whether what is read next has waited.
    stale: bool,
}

impl Pace {
    pub(super) const fn new(load: Arc<Load>, tenant: u64) -> Self {
        Self { load, tenant, asked: None, until: 0, waiting: None, stale: false }
    }

    /// Ready when it may be read.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.waiting.is_none() {
            let tick = self.load.tick();
            let is_quiet = self.asked.is_none_or(|asked| tick.saturating_sub(asked) >= QUIET);
            if self.load.reads_all() || tick < self.until || is_quiet {
                return Poll::Ready(());
            }
            self.waiting = Some((tick, self.load.turn(self.tenant)));
        }
        let Some((since, turn)) = &mut self.waiting else { return Poll::Ready(()) };
        match Pin::new(turn).poll(cx) {
            Poll::Ready(Ok(Turn::Take { until })) => self.until = until,
            Poll::Ready(Ok(Turn::Late) | Err(_)) => {}
            Poll::Pending if self.load.reads_all() => {}
            Poll::Pending => return Poll::Pending,
        }
        self.stale = self.load.tick().saturating_sub(*since) >= STALE;
        self.waiting = None;
        Poll::Ready(())
    }

    /// A request has come.
    pub(super) fn asked(&mut self) {
        self.asked = Some(self.load.tick());
    }

    /// Whether what was there to be read, if anything was, had waited too long.
    pub(super) fn take_stale(&mut self, was_there: bool) -> bool {
        std::mem::take(&mut self.stale) && was_there
    }
}
