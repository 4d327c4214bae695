//! A file comes in: read while it arrives, and only what a check uses of each claim is kept.
//!
//! The connection hands its octets to a thread of the lowest class through a small queue, so a slow
//! disk slows the sender and nobody else. What is kept is durable before the caller is told.

use std::io::{self, Read, Write};

use bytes::Bytes;
use claims::{Claims, Error};
use eligibility::day::Timestamp;
use eligibility::wire::Wrong;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::folder::{CLAIMS, JobFolder, sync_folder};
use super::output::Output;
use super::owner::By;
use super::run::STRETCH;
use super::state::State;
use super::work::lowest;
use super::{Job, Jobs};
use crate::background::give_way;
use crate::front::Arriving;
use crate::refusal::Refusal;

/// Chunks between the connection and the thread.
const CHUNKS: usize = 16;

/// What kind of file the caller says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// UKE or HEN, in CP932.
    Uke,
    /// One claim a line.
    Ndjson,
}

/// Receives a file and makes a job of it.
pub(super) async fn receive(
    jobs: &Jobs,
    id: Uuid,
    by: By,
    now: Timestamp,
    (kind, body): (Kind, Arriving),
) -> Result<(), Refusal> {
    let (chunks, arriving) = mpsc::channel(CHUNKS);
    let (done, outcome) = oneshot::channel();
    let path = jobs.config.folder.join(id.simple().to_string());
    lowest("precheck file", move || {
        let _ = done.send(keep(JobFolder::make(path), kind, Chunks::of(arriving), by, now));
    })
    .map_err(failed)?;
    let forwarded = forward(body, &chunks, jobs.config.upload_octets).await;
    if forwarded.is_err() {
        // The reader must not take the end of the queue for the end of the file.
        let _ = chunks.send(None).await;
    }
    drop(chunks);
    let kept = outcome.await.map_err(|_| Refusal::Internal)?;
    forwarded?;
    let (folder, state) = kept.map_err(|error| match error {
        Error::Encoding => Refusal::field("body", Wrong::Form),
        Error::Io(error) => failed(error),
        _ => Refusal::Internal,
    })?;
    jobs.add(Job::new(id, folder, state));
    Ok(())
}

fn failed(error: io::Error) -> Refusal {
    tracing::error!(%error, "pre-check not taken");
    Refusal::Overloaded
}

/// Hands on what arrives. A reader that has ended says why itself.
async fn forward(mut body: Arriving, chunks: &mpsc::Sender<Option<Bytes>>, most: u64) -> Result<(), Refusal> {
    let mut octets = 0_u64;
    while let Some(chunk) = body.next().await? {
        octets += chunk.len() as u64;
        if octets > most {
            return Err(Refusal::BodyTooLarge);
        }
        if chunks.send(Some(chunk)).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Reads the file to its end and keeps its claims; leaves nothing behind when it fails.
fn keep(
    folder: io::Result<JobFolder>,
    kind: Kind,
    file: Chunks,
    by: By,
    now: Timestamp,
) -> Result<(JobFolder, State), Error> {
    let folder = folder?;
    match keep_claims(&folder, kind, file, by, now) {
        Ok(state) => Ok((folder, state)),
        Err(error) => {
            folder.discard();
            Err(error)
        }
    }
}

fn keep_claims(folder: &JobFolder, kind: Kind, file: Chunks, by: By, now: Timestamp) -> Result<State, Error> {
    let mut claims = match kind {
        Kind::Uke => Claims::uke(file)?,
        Kind::Ndjson => Claims::ndjson(file),
    };
    let mut kept = Output::open(folder, CLAIMS, 0)?;
    let (mut count, mut line) = (0_u64, Vec::new());
    while let Some(entry) = claims.next()? {
        line.clear();
        entry.keep(&mut line)?;
        kept.write_all(&line)?;
        count += 1;
        if count.is_multiple_of(STRETCH) {
            give_way();
        }
    }
    kept.sync()?;
    let state = State::new(by, now, count, claims.notices());
    folder.save(&state)?;
    folder.parent().map_or(Ok(()), sync_folder)?;
    Ok(state)
}

/// The octets as they arrive.
struct Chunks {
    chunks: mpsc::Receiver<Option<Bytes>>,
    chunk: Bytes,
}

impl Chunks {
    const fn of(chunks: mpsc::Receiver<Option<Bytes>>) -> Self {
        Self { chunks, chunk: Bytes::new() }
    }
}

impl Read for Chunks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.chunks.blocking_recv() {
                Some(Some(chunk)) => self.chunk = chunk,
                Some(None) => return Err(io::Error::other("the file was cut off")),
                None => return Ok(0),
            }
        }
        let chunk = self.chunk.split_to(into.len().min(self.chunk.len()));
        into.iter_mut().zip(&chunk).for_each(|(slot, octet)| *slot = *octet);
        Ok(chunk.len())
    }
}
