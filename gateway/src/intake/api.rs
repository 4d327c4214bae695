//! What feeders and operators see of the feeds: state, quarantine, what is held back; and what
//! operators decide.

use std::sync::Arc;

use eligibility::day::Timestamp;
use eligibility::feed::{Said, Source};
use eligibility::wire::{self, Wrong};
use hyper::StatusCode;
use ledger::{Appended, LedgerError};
use serde::{Deserialize, Serialize};

use super::{HeldDelivery, Report};
use crate::gateway::Gateway;
use crate::peer::{Peer, Role};
use crate::refusal::Refusal;

type Outcome = Result<(StatusCode, Vec<u8>), Refusal>;

/// Where one source stands.
#[derive(Serialize)]
struct FeedState {
    source: String,
    epoch: u32,
    committed_sequence: u64,
    complete_to: Option<Timestamp>,
    age_seconds: Option<i64>,
    quarantine: usize,
    held: Vec<HeldDelivery>,
}

#[derive(Serialize)]
struct FeedStates {
    feeds: Vec<FeedState>,
    generation: u64,
}

#[derive(Serialize)]
struct QuarantinedState {
    name: String,
    sequence: Option<u64>,
    line: u64,
    code: String,
    field: Option<String>,
    committed_at: Timestamp,
}

#[derive(Serialize)]
struct HeldState {
    source: String,
    held: Vec<HeldDelivery>,
}

#[derive(Serialize)]
struct QuarantineState {
    source: String,
    quarantine: Vec<QuarantinedState>,
}

/// `GET /v1/feeds`: every source for the operator, a feeder's own for itself.
pub(crate) fn all(gateway: &Gateway, peer: &Peer, now: Timestamp) -> Outcome {
    let watched = gateway.desk.memory.sources().into_iter();
    let mut feeds: Vec<_> = watched
        .filter(|(source, _)| peer.watches(*source) && *source != Source::Gateway)
        .map(|(source, state)| FeedState::of(gateway, source, Some(&state), now))
        .collect();
    if feeds.is_empty()
        && ![Role::Operator, Role::Insurer, Role::Portal, Role::Jlis, Role::City]
            .iter()
            .any(|role| peer.has(*role))
    {
        return Err(Refusal::Forbidden);
    }
    feeds.sort_by(|a, b| a.source.cmp(&b.source));
    json(&FeedStates { feeds, generation: gateway.desk.memory.generation() })
}

/// `GET /v1/feeds/{source}`: the sequence to resume from.
pub(crate) fn one(gateway: &Gateway, peer: &Peer, source: &str, now: Timestamp) -> Outcome {
    let source = watched(peer, source)?;
    json(&FeedState::of(gateway, source, gateway.desk.memory.source(source).as_ref(), now))
}

/// `GET /v1/feeds/{source}/quarantine`: the records that wait for a better word.
pub(crate) fn quarantine(gateway: &Gateway, peer: &Peer, source: &str) -> Outcome {
    let source = watched(peer, source)?;
    let state = gateway.desk.memory.source(source);
    let open = state.iter().flat_map(|state| state.quarantine.iter());
    let quarantine = open.map(|one| QuarantinedState {
        name: one.name.to_string(),
        sequence: one.sequence,
        line: one.line,
        code: one.code.to_string(),
        field: one.field.as_deref().map(str::to_owned),
        committed_at: one.committed_at,
    });
    json(&QuarantineState { source: source.to_string(), quarantine: quarantine.collect() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dismiss {
    dismiss: bool,
}

/// `POST /v1/feeds/{source}/quarantine/{name}`: an operator dismisses one.
pub(crate) async fn dismiss(
    gateway: &Arc<Gateway>,
    peer: &Peer,
    (source, name): (&str, &str),
    asked: &[u8],
) -> Outcome {
    let Dismiss { dismiss } = wire::read(asked)?;
    if !dismiss {
        return Err(Refusal::field("dismiss", Wrong::Range));
    }
    let of = watched(peer, source)?;
    let state = gateway.desk.memory.source(of);
    if !state.is_some_and(|state| state.quarantine.iter().any(|one| &*one.name == name)) {
        return Err(Refusal::field("sequence", Wrong::NotInBook));
    }
    act(gateway, Said::Dismissal { of, name: name.into() }).await.map_err(super::http::refused)?;
    quarantine(gateway, peer, source)
}

/// `GET /v1/feeds/{source}/held`: the deliveries that wait for an operator, oldest first.
pub(crate) fn held(gateway: &Gateway, peer: &Peer, source: &str) -> Outcome {
    let source = watched(peer, source)?;
    json(&HeldState { source: source.to_string(), held: gateway.desk.held.of(source) })
}

/// `GET /v1/feeds/{source}/held/{delivery}`: one of them.
pub(crate) fn held_one(gateway: &Gateway, peer: &Peer, source: &str, delivery: &str) -> Outcome {
    json(&find_held(gateway, watched(peer, source)?, delivery)?)
}

fn find_held(gateway: &Gateway, source: Source, delivery: &str) -> Result<HeldDelivery, Refusal> {
    let held = gateway.desk.held.of(source).into_iter().find(|one| one.delivery == delivery);
    held.ok_or(Refusal::field("delivery", Wrong::NotInBook))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decide {
    release: bool,
}

/// What an operator decided, and of a released delivery what became of it.
#[derive(Serialize)]
struct Decided {
    released: bool,
    #[serde(flatten)]
    report: Option<Report>,
}

/// `POST /v1/feeds/{source}/held/{delivery}`: an operator releases or drops one.
pub(crate) async fn decide(
    gateway: &Arc<Gateway>,
    peer: &Peer,
    (source, delivery): (&str, &str),
    asked: &[u8],
) -> Outcome {
    let Decide { release } = wire::read(asked)?;
    let source = watched(peer, source)?;
    let turn = gateway.spool.turn(source);
    let _turn = turn.lock().await;
    find_held(gateway, source, delivery)?;
    let (gateway, delivery) = (Arc::clone(gateway), delivery.to_owned());
    let decided = tokio::task::spawn_blocking(move || {
        let admission = gateway.admission();
        if release {
            admission.release(source, &delivery).map(Some)
        } else {
            admission.drop(source, &delivery).map(|()| None)
        }
    });
    let report = decided.await.map_err(|_| Refusal::Internal)?.map_err(super::http::refused)?;
    json(&Decided { released: release, report })
}

/// Writes an act of the gateway's own, off the threads that answer.
pub(super) async fn act(gateway: &Arc<Gateway>, said: Said) -> Result<Appended, LedgerError> {
    let gateway = Arc::clone(gateway);
    tokio::task::spawn_blocking(move || gateway.act(said)).await.unwrap_or(Err(LedgerError::Closed))
}

fn watched(peer: &Peer, source: &str) -> Result<Source, Refusal> {
    let source = Source::parse(source).ok_or(Refusal::field("source", Wrong::NotInBook))?;
    if peer.watches(source) { Ok(source) } else { Err(Refusal::Forbidden) }
}

fn json(document: &impl Serialize) -> Outcome {
    Ok((StatusCode::OK, serde_json::to_vec(document).unwrap_or_default()))
}

impl FeedState {
    fn of(gateway: &Gateway, source: Source, state: Option<&cache::SourceState>, now: Timestamp) -> Self {
        let held = gateway.desk.held.of(source);
        let complete_to = state.and_then(|state| state.complete_to);
        Self {
            source: source.to_string(),
            epoch: state.map_or(1, |state| state.epoch),
            committed_sequence: state.map_or(0, |state| state.committed_sequence),
            complete_to,
            age_seconds: complete_to.map(|at| (now.millis() - at.millis()) / 1000),
            quarantine: state.map_or(0, |state| state.quarantine.len()),
            held,
        }
    }
}
