//! The loop: requests out of their folder, over the line, answers into theirs.
//!
//! One thread looks, several work, each with a connection of its own. What fails for now is tried again
//! with growing pauses, for as long as the request lies there.

use std::collections::HashSet;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use bytes::Bytes;

use super::folder::{Folders, Request, Taken};
use super::line::{Connection, Line, LineError, Said};

/// How often the folder is looked at while nothing waits.
const LOOK: Duration = Duration::from_millis(100);
/// Pauses after failures: the first, doubled each time, up to the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// How to watch.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// Connections at once.
    pub connections: usize,
    /// End when nothing waits any more, instead of waiting for more.
    pub once: bool,
}

/// Requests that are queued or under way, so that none is sent twice.
#[derive(Default)]
struct Busy(Mutex<HashSet<String>>);

impl Busy {
    fn names(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches the folders; returns only with `once`, or when the folder cannot be read.
///
/// # Errors
/// When the folder of requests cannot be read, or no connection can be prepared.
pub fn watch(folders: &Folders, line: &Line, how: Watch) -> io::Result<()> {
    let busy = Busy::default();
    let (queue, next) = sync_channel::<String>(how.connections * 64);
    let next = Mutex::new(next);
    let mut connections = Vec::new();
    for _ in 0..how.connections.max(1) {
        connections.push(line.connection().map_err(io::Error::other)?);
    }
    thread::scope(|threads| {
        for mut connection in connections {
            let (busy, next) = (&busy, &next);
            threads.spawn(move || work(folders, &mut connection, busy, next));
        }
        look(folders, &busy, &queue, how.once)
            // The queue ends here, and with it the workers.
            .inspect(|()| drop(queue))
    })
}

fn look(folders: &Folders, busy: &Busy, queue: &SyncSender<String>, once: bool) -> io::Result<()> {
    loop {
        let waiting = folders.waiting()?;
        let is_empty = waiting.is_empty();
        for name in waiting {
            if busy.names().insert(name.clone()) && queue.send(name).is_err() {
                return Ok(());
            }
        }
        if once && is_empty && busy.names().is_empty() {
            return Ok(());
        }
        thread::sleep(LOOK);
    }
}

fn work(folders: &Folders, connection: &mut Connection, busy: &Busy, next: &Mutex<Receiver<String>>) {
    let mut pause = PAUSE.0;
    loop {
        let name = next.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(name) = name else { return };
        while let Err(wait) = answer(folders, connection, &name) {
            thread::sleep(wait.unwrap_or(pause).min(PAUSE.1));
            pause = (pause * 2).min(PAUSE.1);
        }
        pause = PAUSE.0;
        busy.names().remove(&name);
    }
}

/// Seconds that a desk waits for an answer at most. A refusal that holds longer (the day's misses are used
/// up) is told instead.
const DESK_WAITS: u64 = 60;

/// Sends one request and puts its answer there. `Err` when it has to be tried again, with the pause that
/// the service asked for.
fn answer(folders: &Folders, connection: &mut Connection, name: &str) -> Result<(), Option<Duration>> {
    let again = |error: &dyn std::fmt::Display| {
        tracing::warn!(file = name, %error, "to be tried again");
        None
    };
    let request = match folders.take(name).map_err(|error| again(&error))? {
        Taken::Request(request) => request,
        Taken::NotYet => return Ok(()),
        Taken::Aside => {
            tracing::warn!(file = name, "moved aside: see the note beside it");
            return Ok(());
        }
    };
    let Said { status, octets, retry_after } = sent(connection, &request).map_err(|error| again(&error))?;
    match status {
        // The service's own words are the answer, a refusal of what was asked among them.
        200 | 403 | 409 | 422 => folders.answer(&request, &octets).map_err(|error| again(&error)),
        429 if retry_after.is_some_and(|seconds| seconds > DESK_WAITS) => {
            folders.answer(&request, &octets).map_err(|error| again(&error))
        }
        400 | 404 | 405 | 413 | 415 => {
            let why = format!("サービスが受け付けませんでした (refused by the service, HTTP {status})");
            folders.aside(name, &why).map(drop).map_err(|error| again(&error))
        }
        _ => {
            again(&format_args!("HTTP {status}"));
            Err(retry_after.map(Duration::from_secs))
        }
    }
}

fn sent(connection: &mut Connection, request: &Request) -> Result<Said, LineError> {
    let path = format!("/oqs/v1/{}req", request.message.name());
    connection.post(&path, "application/xml", None, Bytes::copy_from_slice(&request.octets))
}
