//! `POST /v1/eligibility/batch`: number queries line by line, answers line by line in the same order.
//!
//! The lower class: it runs on threads that may wait, and only a few at once, so that desks do not
//! feel it. Each line is its own answer or problem, and leaves its own audit record.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cache::Key;
use eligibility::day::Timestamp;
use eligibility::query::NumberQuery;

use super::past::Pasts;
use crate::audit::Work;
use crate::gateway::Gateway;
use crate::path::{self, Unrecorded};
use crate::peer::Peer;
use crate::refusal::Refusal;
use crate::request_id;

/// Most lines of one batch; more is a pre-check job.
const LINES: usize = 10_000;
/// Largest batch, in octets: its lines at their longest reasonable.
pub(super) const OCTETS: usize = 8 * 1024 * 1024;
/// Time to receive one.
pub(super) const WITHIN: Duration = Duration::from_secs(60);
/// Lines whose records are written together.
const GROUP: usize = 16 * TOGETHER;
/// Lines whose people are looked for together.
const TOGETHER: usize = 32;

/// Answers every line. A batch that is too long is refused before its first answer.
pub(super) async fn answer(
    gateway: &Arc<Gateway>,
    peer: &Arc<Peer>,
    (now, trace): (Timestamp, Option<[u8; 16]>),
    body: Bytes,
) -> Result<Vec<u8>, Refusal> {
    if !gateway.desk.audit.admits(Work::Batch) {
        return Err(Refusal::Overloaded);
    }
    let lines = body.split(|octet| *octet == b'\n').filter(|line| !line.trim_ascii().is_empty());
    if lines.count() > LINES {
        return Err(Refusal::BodyTooLarge);
    }
    let place = gateway.bulk.place().ok_or(Refusal::Overloaded)?;
    let (served, peer) = (Arc::clone(gateway), Arc::clone(peer));
    let answered = place.run(move || answer_lines(&served, &peer, (now, trace), &body));
    answered.await.map_err(|_| Refusal::Internal)?
}

fn answer_lines(
    gateway: &Gateway,
    peer: &Peer,
    (now, trace): (Timestamp, Option<[u8; 16]>),
    body: &[u8],
) -> Result<Vec<u8>, Refusal> {
    let mut answers = Vec::with_capacity(body.len() * 4);
    let lines = body.split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii);
    let lines = lines.filter(|line| !line.is_empty());
    let queries: Vec<_> = lines.map(NumberQuery::from_json).collect();
    let pasts = Pasts::of(gateway, (peer, now), queries.iter().flatten());
    let mut queries = queries.into_iter();
    while !queries.as_slice().is_empty() {
        let mut entries = Vec::with_capacity(GROUP);
        while entries.len() < GROUP && !queries.as_slice().is_empty() {
            let next = queries.as_slice().iter().take(TOGETHER).flatten();
            gateway.desk.memory.view().prefetch(&next.map(Key::Number).collect::<Vec<_>>());
            for query in queries.by_ref().take(TOGETHER) {
                let request = path::Request { peer, id: request_id::next(now), now, trace };
                let asked = query.map_err(Refusal::from).and_then(|query| pasts.with(query));
                let Unrecorded { outcome, word, entry } =
                    path::number_of_batch(&gateway.desk, request, asked);
                gateway.metrics.batched(word);
                answers.extend(outcome.unwrap_or_else(|refusal| refusal.to_json()));
                answers.push(b'\n');
                entries.push(entry);
            }
        }
        if !gateway.desk.audit.record_all(&entries).wait() {
            return Err(Refusal::Overloaded);
        }
    }
    Ok(answers)
}
