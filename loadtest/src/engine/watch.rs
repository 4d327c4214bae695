//! How a thread of ours fares: how long it ran, and how long it waited for a core.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

/// Running totals of a thread, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// On a core.
    pub ran: u64,
    /// Ready to run, and waiting for a core.
    pub waited: u64,
}

/// The kernel's own count of the thread that opened it.
#[derive(Debug)]
pub struct WatchFile(Option<File>);

impl WatchFile {
    /// Of the calling thread.
    #[must_use]
    pub fn own() -> Self {
        let thread = rustix::thread::gettid().as_raw_nonzero();
        Self(File::open(format!("/proc/self/task/{thread}/schedstat")).ok())
    }

    /// Its totals; nothing where the kernel does not count.
    #[must_use]
    pub fn read(&self) -> Option<Watch> {
        let mut text = [0; 96];
        let length = self.0.as_ref()?.read_at(&mut text, 0).ok()?;
        let text = std::str::from_utf8(text.get(..length)?).ok()?;
        let mut words = text.split_whitespace().map(str::parse);
        Some(Watch { ran: words.next()?.ok()?, waited: words.next()?.ok()? })
    }
}
