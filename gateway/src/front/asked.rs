//! Questions of desks: challenges, card, number, batch.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use eligibility::query::NumberQuery;
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use serde::{Deserialize, Serialize};

use super::body::{self, Media};
use super::routes::{Given, Head, Outcome};
use super::{batch, past};
use crate::audit::{Entry, Recording, Work};
use crate::clock::Clock;
use crate::metrics::Stage;
use crate::path::{self, CardReply, Reply};
use crate::peer::Role;
use crate::refusal::{Fresh, Refusal};

/// Most challenges of one request.
const CHALLENGES: u32 = 100;

pub(super) async fn small_json(head: &Head<'_>, request: Request<Incoming>) -> Result<bytes::Bytes, Refusal> {
    body::check_media(request.headers(), Media::Json)?;
    limited(head, request).await
}

/// The body of one query, of whatever media type.
pub(super) async fn limited(head: &Head<'_>, request: Request<Incoming>) -> Result<bytes::Bytes, Refusal> {
    let (limits, began) = (&head.gateway.limits, Clock::instant());
    let within = Duration::from_secs(limits.body_seconds);
    let read = body::read(request.into_body(), limits.body_octets, within).await;
    head.gateway.metrics.stage(Stage::Receive, began.elapsed());
    read
}

async fn asked(head: &Head<'_>, request: Request<Incoming>) -> Result<bytes::Bytes, Refusal> {
    if !head.peer.has(Role::Reception) && !head.peer.has(Role::Review) {
        return Err(Refusal::Forbidden);
    }
    small_json(head, request).await
}

pub(super) async fn number(head: &Head<'_>, request: Request<Incoming>) -> Outcome {
    let json = match asked(head, request).await {
        Ok(json) => json,
        Err(refusal) => return (Err(refusal), None),
    };
    let (desk, load) = (&head.gateway.desk, &head.gateway.load);
    let begun = load.begin();
    let query = match caught(head, "number", || NumberQuery::from_json(&json).map_err(Refusal::from)) {
        Ok(query) => query,
        Err(refusal) => return (Err(refusal), None),
    };
    let replied = match query {
        Ok(query) if query.known_at.is_some() => {
            // Looking back is no measure of how long desks wait.
            drop(begun);
            let past = past::looked_up(head, &query).await;
            let asked = past.as_ref().map(|past| (query, past.as_ref())).map_err(Refusal::clone);
            guarded(head, "number", || path::number_then(desk, head.request(), asked))
        }
        query => guarded(head, "number", || path::number_as(&path::json, desk, head.request(), query)),
    };
    recorded(head, replied).await
}

pub(super) async fn card(head: &Head<'_>, request: Request<Incoming>) -> Outcome {
    let json = match asked(head, request).await {
        Ok(json) => json,
        Err(refusal) => return (Err(refusal), None),
    };
    let (desk, load) = (&head.gateway.desk, &head.gateway.load);
    let begun = load.begin();
    let needs = match guarded(head, "card", || path::card(desk, head.request(), &json)) {
        Ok(CardReply::Now(reply)) => return recorded(head, Ok(reply)).await,
        Ok(CardReply::NeedsStatus(needs)) => needs,
        Err(refusal) => return (Err(refusal), None),
    };
    // The responder's time is not ours.
    drop(begun);
    let (waiting, question) = needs.into_question();
    let now = pki::UnixTime(head.now.millis().div_euclid(1000));
    let status = waiting.trust().ask(question, now).await;
    let _begun = load.begin();
    let replied = guarded(head, "card", || {
        path::card_with_status(&path::json, desk, head.request(), &json, waiting, status)
    });
    recorded(head, replied).await
}

/// Asks along the path, as [`caught`], and measures how long that takes.
pub(super) fn guarded<T>(
    head: &Head<'_>,
    route: &'static str,
    ask: impl FnOnce() -> T,
) -> Result<T, Refusal> {
    let began = Clock::instant();
    let asked = caught(head, route, ask);
    head.gateway.metrics.stage(Stage::Path, began.elapsed());
    asked
}

/// A fault of ours must not take the connection, and with it other people's answers, along.
fn caught<T>(head: &Head<'_>, route: &'static str, ask: impl FnOnce() -> T) -> Result<T, Refusal> {
    std::panic::catch_unwind(AssertUnwindSafe(ask)).map_err(|_| {
        head.gateway.metrics.panics.inc();
        // What was asked is recorded all the same; the caller learns of the fault whether or not it is.
        head.gateway.desk.audit.record(&Entry::question(route, Work::Desk, head.request())).leave();
        Refusal::Internal
    })
}

/// The reply, once its record is written.
async fn recorded(head: &Head<'_>, replied: Result<Reply, Refusal>) -> Outcome {
    let Reply { outcome, word, recording } = match replied {
        Ok(reply) => reply,
        Err(refusal) => return (Err(refusal), None),
    };
    if !written(head, recording).await {
        return (Err(Refusal::Overloaded), None);
    }
    (outcome.map(|json| Given::Json(StatusCode::OK, json)), Some(word))
}

/// Waits for a record; whether it is written.
pub(super) async fn written(head: &Head<'_>, recording: Recording) -> bool {
    let began = Clock::instant();
    let written = recording.written().await;
    head.gateway.metrics.stage(Stage::Record, began.elapsed());
    written
}

pub(super) async fn batch(head: &Head<'_>, request: Request<Incoming>) -> Result<Vec<u8>, Refusal> {
    if !head.peer.has(Role::Reception) && !head.peer.has(Role::Review) {
        return Err(Refusal::Forbidden);
    }
    body::check_media(request.headers(), Media::Lines)?;
    let lines = body::read(request.into_body(), batch::OCTETS, batch::WITHIN).await?;
    batch::answer(head.gateway, head.peer, (head.now, head.trace), lines).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChallengesAsked {
    #[serde(default = "one")]
    count: u32,
}

const fn one() -> u32 {
    1
}

#[derive(Serialize)]
struct ChallengesIssued {
    challenges: Vec<Fresh>,
}

pub(super) async fn challenges(
    head: &Head<'_>,
    request: Request<Incoming>,
) -> Result<(StatusCode, Vec<u8>), Refusal> {
    if !head.peer.has(Role::Reception) && !head.peer.has(Role::Review) && !head.peer.has(Role::Portal) {
        return Err(Refusal::Forbidden);
    }
    let json = small_json(head, request).await?;
    let asked: ChallengesAsked = eligibility::wire::read(&json)?;
    if !(1..=CHALLENGES).contains(&asked.count) {
        return Err(Refusal::field("count", eligibility::wire::Wrong::Range));
    }
    let issue = |_| {
        let issued = head.gateway.desk.challenges.issue(head.peer.fingerprint(), head.now);
        issued.map(|(challenge, expires_at)| Fresh { challenge, expires_at }).ok_or(Refusal::Overloaded)
    };
    let challenges = (0..asked.count).map(issue).collect::<Result<Vec<_>, _>>()?;
    Ok((StatusCode::CREATED, serde_json::to_vec(&ChallengesIssued { challenges }).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::*;
    use crate::gateway::Gateway;
    use crate::peer::Peer;

    #[test]
    fn a_fault_of_ours_is_counted_recorded_and_tells_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let made = crate::commands::demo::Made { people: 60, seed: 1 };
        let prepared = crate::commands::demo::prepare(folder.path(), made, nowhere, nowhere).unwrap();
        let gateway = Arc::new(Gateway::start(&prepared.config).unwrap());
        let peer = Arc::new(Peer::of(b"", &[]));
        let now = gateway.clock.now();
        let head = Head { gateway: &gateway, peer: &peer, id: Uuid::now_v7(), now, trace: None };
        let fault = guarded(&head, "number", || -> Refusal { panic!("見本　花子") });
        assert_eq!(fault, Err(Refusal::Internal));
        assert_eq!(gateway.metrics.panics.get(), 1);
        assert_eq!(gateway.desk.audit.next_record(crate::audit::Class::Answers), 1);
        let said = String::from_utf8(Refusal::Internal.to_json()).unwrap();
        assert!(said.contains("\"internal\"") && !said.contains("花子"), "{said}");
    }
}
