//! A caller of our own: an octet that goes the way of all others, from a socket through the runtime to a
//! task. What it waits is what everybody waits before being read.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt as _;

use crate::clock::Clock;

/// The sending end.
pub(super) struct Probe {
    line: UnixStream,
    began: Instant,
    /// When the octet that is on its way was sent, in nanoseconds since the beginning.
    sent: Option<u64>,
    /// When the last one arrived.
    arrived: Arc<AtomicU64>,
}

impl Probe {
    /// Puts the receiving end into the runtime of the caller.
    pub(super) fn start() -> io::Result<Self> {
        let (line, far) = UnixStream::pair()?;
        line.set_nonblocking(true)?;
        far.set_nonblocking(true)?;
        let mut far = tokio::net::UnixStream::from_std(far)?;
        let (began, arrived) = (Clock::instant(), Arc::new(AtomicU64::new(0)));
        let stamp = Arc::clone(&arrived);
        tokio::spawn(async move {
            let mut octet = [0];
            while let Ok(1..) = far.read(&mut octet).await {
                stamp.store(began.elapsed().as_nanos() as u64, Ordering::Release);
            }
        });
        Ok(Self { line, began, sent: None, arrived })
    }

    /// How long the last octet took, or how long the one that is on its way has taken; sends the next.
    pub(super) fn delay(&mut self) -> Duration {
        let now = self.began.elapsed().as_nanos() as u64;
        let arrived = self.arrived.load(Ordering::Acquire);
        let (delay, under_way) = match self.sent {
            None => (0, false),
            Some(sent) if arrived >= sent => (arrived - sent, false),
            Some(sent) => (now - sent, true),
        };
        if !under_way {
            self.sent = Some(self.began.elapsed().as_nanos() as u64);
            if self.line.write(&[0]).is_err() {
                self.sent = None;
            }
        }
        Duration::from_nanos(delay)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        // The far end reads the end of the line.
        let _ = self.line.shutdown(std::net::Shutdown::Both);
        let _ = self.line.read(&mut [0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_that_is_held_up_is_seen() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut probe = runtime.block_on(async { Probe::start() }).unwrap();
        let wait =
            |millis| runtime.block_on(async { tokio::time::sleep(Duration::from_millis(millis)).await });
        assert_eq!(probe.delay(), Duration::ZERO, "nothing is known yet");
        // Nobody runs the runtime: the octet waits.
        std::thread::sleep(Duration::from_millis(30));
        assert!(probe.delay() >= Duration::from_millis(30));
        wait(1);
        assert!(probe.delay() >= Duration::from_millis(30), "how long it took in the end");
        wait(20);
        assert!(probe.delay() < Duration::from_millis(20));
    }
}
