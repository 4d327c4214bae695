//! Results on their way out, as they stand: a file may be larger than memory, so it is sent as it is
//! read, by a thread of the lowest class.

use std::collections::HashMap;
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use claims::{CsvWriter, Outcome};
use hyper::body::{Body, Frame};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::Job;
use super::folder::{LATER, RESULTS};
use super::state::State;
use crate::background::lowest;

/// Octets of one chunk.
const CHUNK: usize = 64 * 1024;
/// Chunks between the thread and the connection.
const CHUNKS: usize = 8;

/// In which form results are given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// One result a line.
    Ndjson,
    /// One row a result.
    Csv,
}

impl Format {
    /// Its media type.
    pub(crate) const fn media(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// The body of such a reply.
pub(crate) struct Stream(mpsc::Receiver<io::Result<Bytes>>);

impl Body for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(context).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}

/// Begins to send a job's results; the place is held until the last of them is sent.
pub(super) fn send(
    job: Arc<Job>,
    state: State,
    format: Format,
    place: OwnedSemaphorePermit,
) -> io::Result<Stream> {
    let (chunks, stream) = mpsc::channel(CHUNKS);
    lowest("precheck results", move || {
        let mut out = Out { chunks: &chunks, chunk: Vec::with_capacity(CHUNK) };
        let written = write(&job, &state, format, &mut out).and_then(|()| out.flush());
        if let Err(error) = written {
            // The connection breaks off: half of the results must not pass for all of them.
            let _ = chunks.blocking_send(Err(error));
        }
        drop(place);
    })?;
    Ok(Stream(stream))
}

fn write(job: &Job, state: &State, format: Format, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Ndjson => each(job, state, |line| out.write_all(line)),
        Format::Csv => {
            let mut rows = CsvWriter::new(out)?;
            each(job, state, |line| {
                let outcome = Outcome::from_json(line).ok_or_else(|| io::Error::other("no result"))?;
                rows.write(&outcome)
            })?;
            rows.finish().map(drop)
        }
    }
}

/// Every result in the order of the file, each as it was last judged.
fn each(job: &Job, state: &State, mut give: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let changed = changed(job, state.reached.later)?;
    let mut results = job.folder.read(RESULTS, 0, state.reached.results)?;
    let mut later = match changed.is_empty() {
        true => None,
        false => Some(job.folder.read(LATER, 0, u64::MAX)?),
    };
    let mut line = Vec::new();
    loop {
        line.clear();
        if results.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if let (Some(at), Some(later)) = (number(&line).and_then(|number| changed.get(&number)), &mut later) {
            later.get_mut().set_limit(u64::MAX);
            later.get_mut().get_mut().seek(SeekFrom::Start(*at))?;
            let mut fresh = io::BufReader::with_capacity(4096, later.get_mut().by_ref());
            line.clear();
            fresh.read_until(b'\n', &mut line)?;
        }
        give(&line)?;
    }
}

/// Where the last word on each changed line stands.
fn changed(job: &Job, octets: u64) -> io::Result<HashMap<u64, u64>> {
    let mut places = HashMap::new();
    if octets == 0 {
        return Ok(places);
    }
    let mut later = job.folder.read(LATER, 0, octets)?;
    let (mut line, mut at) = (Vec::new(), 0);
    loop {
        line.clear();
        let read = later.read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(places);
        }
        places.extend(number(&line).map(|number| (number, at)));
        at += read as u64;
    }
}

/// The line of the claim: what a result begins with.
fn number(result: &[u8]) -> Option<u64> {
    let digits = result.strip_prefix(b"{\"line\":")?;
    let end = digits.iter().position(|octet| !octet.is_ascii_digit())?;
    std::str::from_utf8(digits.get(..end)?).ok()?.parse().ok()
}

/// Writes into the connection's queue; waits while it is full.
struct Out<'c> {
    chunks: &'c mpsc::Sender<io::Result<Bytes>>,
    chunk: Vec<u8>,
}

impl Write for Out<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(octets);
        if self.chunk.len() >= CHUNK {
            self.flush()?;
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        if chunk.is_empty() {
            return Ok(());
        }
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the caller has gone");
        self.chunks.blocking_send(Ok(Bytes::from(chunk))).map_err(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_begins_with_its_line() {
        assert_eq!(number(b"{\"line\":12,\"claim\":null}"), Some(12));
        assert_eq!(number(b"{\"claim\":1}"), None);
        assert_eq!(number(b"{\"line\":"), None);
    }
}
