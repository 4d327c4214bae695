//! The thread that appends audit lines: one write for all that wait, one sync a short while later.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use eligibility::day::{Day, Timestamp};
use tokio::sync::oneshot;

/// Most lines written in one go.
const GROUP: usize = 1024;
/// Most lines that may wait; beyond it the answer is refused.
const QUEUE: usize = 16 * 1024;
/// How long a written line may stay out of the disk.
const SYNC_AFTER: Duration = Duration::from_millis(50);

struct Waiting {
    at: Timestamp,
    line: Vec<u8>,
    done: oneshot::Sender<bool>,
}

pub(super) struct Writer {
    queue: Option<SyncSender<Waiting>>,
    waiting: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        // Learn now, not at the first answer, that the folder cannot be written.
        let probe = folder.join(".writable");
        File::create(&probe)?;
        std::fs::remove_file(&probe)?;
        let (queue, lines) = sync_channel(QUEUE);
        let waiting = Arc::new(AtomicUsize::new(0));
        let mut files = Files { folder: folder.to_owned(), open: None };
        let left = Arc::clone(&waiting);
        let thread = std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || run(&lines, &mut files, &left))?;
        Ok(Self { queue: Some(queue), waiting, thread: Some(thread) })
    }

    pub(super) fn take(&self, at: Timestamp, line: Vec<u8>, done: oneshot::Sender<bool>) {
        let Some(queue) = &self.queue else { return };
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // A full queue drops `done`, which tells the caller that nothing was written.
        if queue.try_send(Waiting { at, line, done }).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(lines: &Receiver<Waiting>, files: &mut Files, waiting: &AtomicUsize) {
    let mut group = Vec::with_capacity(GROUP);
    let mut dirty = false;
    loop {
        let first = if dirty {
            lines.recv_timeout(SYNC_AFTER)
        } else {
            lines.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        match first {
            Ok(first) => group.push(first),
            Err(RecvTimeoutError::Timeout) => {
                files.sync();
                dirty = false;
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
        group.extend(lines.try_iter().take(GROUP - 1));
        let written = files.append(&group);
        if let Err(error) = &written {
            tracing::error!(%error, "audit record not written; answers are refused");
        }
        waiting.fetch_sub(group.len(), Ordering::Relaxed);
        for one in group.drain(..) {
            let _ = one.done.send(written.is_ok());
        }
        dirty = true;
    }
    files.sync();
}

/// One file a day, opened when its day begins.
struct Files {
    folder: PathBuf,
    open: Option<(Day, File, u64)>,
}

impl Files {
    fn append(&mut self, group: &[Waiting]) -> io::Result<()> {
        let Some(first) = group.first() else { return Ok(()) };
        // A group spans no more than moments; its first line names the file.
        let day = first.at.day_in_japan();
        let (file, length) = self.of(day)?;
        let octets: Vec<u8> = group.iter().flat_map(|one| one.line.iter().copied()).collect();
        if let Err(error) = file.write_all(&octets) {
            // Half a line must not stay: what follows would run into it.
            file.set_len(*length)?;
            return Err(error);
        }
        *length += octets.len() as u64;
        Ok(())
    }

    fn of(&mut self, day: Day) -> io::Result<(&mut File, &mut u64)> {
        if self.open.as_ref().is_none_or(|(open, ..)| *open != day) {
            self.sync();
            let path = self.folder.join(format!("{day}.ndjson"));
            let file = OpenOptions::new().append(true).create(true).open(path)?;
            let length = file.metadata()?.len();
            self.open = Some((day, file, length));
        }
        match &mut self.open {
            Some((_, file, length)) => Ok((file, length)),
            None => Err(io::Error::other("no audit file is open")),
        }
    }

    fn sync(&self) {
        if let Some((day, file, _)) = &self.open
            && let Err(error) = file.sync_data()
        {
            tracing::error!(%error, %day, "audit file not synced");
        }
    }
}
