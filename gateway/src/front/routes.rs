//! From method and path to the piece of the house that answers.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use uuid::Uuid;

use eligibility::day::Timestamp;

use super::body::{self, ReplyBody};
use super::route::Route;
use super::scan::{FIELDS, HEAD_OCTETS, TARGET};
use super::{acts, asked, fhir, oqs, prechecks};
use crate::audit::{Entry, Work};
use crate::clock::Clock;
use crate::front::load::Admitted;
use crate::gateway::{Gateway, Phase};
use crate::intake;
use crate::jobs::results::Stream;
use crate::path;
use crate::peer::{Peer, Role};
use crate::refusal::Refusal;
use crate::request_id;

/// What this service takes and gives, as OpenAPI.
const DESCRIPTION: &[u8] = include_bytes!("../../openapi.json");

/// What is known of a request before its body.
pub(super) struct Head<'h> {
    pub(super) gateway: &'h Arc<Gateway>,
    pub(super) peer: &'h Arc<Peer>,
    pub(super) id: Uuid,
    pub(super) now: Timestamp,
    pub(super) trace: Option<[u8; 16]>,
}

impl Head<'_> {
    /// The record of an act, its outcome not known yet.
    pub(super) fn act(&self, route: &'static str, purpose: &'static str) -> Entry {
        Entry::act(route, purpose, Work::Intake, self.request())
    }

    /// Whether work of this class may begin now; it is under way until what is given is dropped. Who is
    /// stopping finishes what desks wait for, and begins nothing else.
    pub(super) fn admitted(&self, work: Work) -> Result<Admitted<'_>, Refusal> {
        let gateway = self.gateway;
        if gateway.phase() == Phase::Draining && work != Work::Desk {
            return Err(Refusal::Draining);
        }
        if !gateway.porch.budgets.admits(self.peer) {
            return Err(Refusal::RateLimited);
        }
        let admitted = gateway.load.admit(work).ok_or(Refusal::Overloaded);
        admitted.inspect_err(|_| gateway.metrics.shed(work))
    }

    /// Whether there is room for the records of what is about to be done.
    pub(super) fn has_room(&self, work: Work) -> Result<(), Refusal> {
        let has_room = self.gateway.desk.audit.admits(work);
        if has_room {
            return Ok(());
        }
        self.gateway.metrics.shed(work);
        Err(Refusal::Overloaded)
    }

    pub(super) fn request(&self) -> path::Request<'_> {
        path::Request { peer: self.peer, id: self.id, now: self.now, trace: self.trace }
    }
}

/// Answers a request that was refused by its head alone. The caller is known: it leaves a record.
pub(super) async fn refuse(
    gateway: &Arc<Gateway>,
    peer: &Arc<Peer>,
    refusal: &Refusal,
) -> Response<ReplyBody> {
    let (id, said) = (request_id::next(gateway.clock.now()), refusal.problem().code);
    gateway.metrics.answered("none", said, Duration::ZERO);
    tracing::info!(request = %id, peer = %peer.fingerprint(), outcome = said, "refused by its head");
    let head = Head { gateway, peer, id, now: gateway.clock.now(), trace: None };
    let entry = Entry::act("head", "operation", Work::Desk, head.request()).outcome(said);
    // It is refused whether or not there is room for its record.
    let _ = gateway.desk.audit.record(&entry).written().await;
    body::refused(refusal, id)
}

/// Answers one request.
pub(super) async fn reply(
    gateway: &Arc<Gateway>,
    peer: &Arc<Peer>,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let began = Clock::instant();
    let trace = trace(request.headers());
    let now = gateway.clock.now();
    let head = Head { gateway, peer, id: request_id::next(now), now, trace };
    let target = request.uri().path().to_owned();
    let route = route(&request, &target);
    let word = route.as_ref().map_or("none", |route| route.word());
    let (outcome, said) = match route {
        Ok(Route::Oqs(message)) => {
            let (response, said) = Box::pin(oqs::reply(&head, message, request)).await;
            note(&head, word, said, began.elapsed());
            return response;
        }
        Ok(route @ (Route::Capability | Route::Submit)) => {
            let (response, said) = match route {
                Route::Submit => Box::pin(fhir::submit(&head, request)).await,
                _ => fhir::metadata(&head),
            };
            note(&head, word, said, began.elapsed());
            return response;
        }
        Ok(route) => dispatch(&head, route, request).await,
        Err(refusal) => (Err(refusal), None),
    };
    let said = match (&outcome, said) {
        (_, Some(said)) => said,
        (Ok(_), None) => "ok",
        (Err(refusal), None) => refusal.problem().code,
    };
    note(&head, word, said, began.elapsed());
    match outcome {
        Ok(Given::Json(status, json)) => body::json(status, json, head.id),
        Ok(Given::Fixed(json)) => body::fixed(json, head.id),
        Ok(Given::Lines(lines)) => body::lines(StatusCode::OK, lines, head.id),
        Ok(Given::Results(kind, stream)) => body::results(kind, stream, head.id),
        Ok(Given::Elsewhere(location)) => body::elsewhere(&location, head.id),
        Err(refusal) => body::refused(&refusal, head.id),
    }
}

/// What is given out.
pub(super) enum Given {
    Json(StatusCode, Vec<u8>),
    Lines(Vec<u8>),
    /// JSON that is always the same: no caller makes a copy of it.
    Fixed(&'static [u8]),
    /// Results of a media type.
    Results(&'static str, Stream),
    /// The address at which another gateway answers.
    Elsewhere(String),
}

impl From<(StatusCode, Vec<u8>)> for Given {
    fn from((status, json): (StatusCode, Vec<u8>)) -> Self {
        Self::Json(status, json)
    }
}

/// An answer, or why there is none; beside it the word for it, where it is not the refusal's own.
pub(super) type Outcome = (Result<Given, Refusal>, Option<&'static str>);

/// An outcome whose word is the usual one.
fn plain<T: Into<Given>>(outcome: Result<T, Refusal>) -> Outcome {
    (outcome.map(Into::into), None)
}

fn note(head: &Head<'_>, route: &str, outcome: &str, took: Duration) {
    head.gateway.metrics.answered(route, outcome, took);
    let role = head.peer.role().map_or("none", Role::word);
    let micros = took.as_micros() as u64;
    let trace = head.trace.map(|id| format!("{:032x}", u128::from_be_bytes(id)));
    let trace = trace.as_deref().unwrap_or_default();
    if outcome == "internal" {
        tracing::error!(request = %head.id, trace, route, role, peer = %head.peer.fingerprint(), outcome, micros, "failed");
    } else {
        tracing::debug!(request = %head.id, trace, route, role, peer = %head.peer.fingerprint(), outcome, micros, "answered");
    }
}

/// The caller's trace id in W3C `traceparent`; anything else than its one form is no trace.
fn trace(headers: &hyper::HeaderMap) -> Option<[u8; 16]> {
    let text = headers.get("traceparent")?.to_str().ok().filter(|text| text.len() == 55)?;
    let mut parts = text.split('-');
    let (version, id) = (parts.next()?, parts.next().filter(|id| id.len() == 32)?);
    let is_lower = id.bytes().all(|octet| octet.is_ascii_digit() || (b'a'..=b'f').contains(&octet));
    let id = u128::from_str_radix(id, 16).ok().filter(|id| is_lower && *id != 0)?;
    (version == "00").then_some(id.to_be_bytes())
}

fn route<'r>(request: &Request<Incoming>, path: &'r str) -> Result<Route<'r>, Refusal> {
    if request.uri().path_and_query().map_or(0, |target| target.as_str().len()) > TARGET {
        return Err(Refusal::UriTooLong);
    }
    let octets: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if request.headers().len() > FIELDS || octets > HEAD_OCTETS {
        return Err(Refusal::HeadersTooLarge);
    }
    let (route, allow) = Route::of(path).ok_or(Refusal::NoSuchRoute)?;
    let method = request.method();
    if !allow.split(", ").any(|allowed| method.as_str() == allowed) {
        return Err(Refusal::MethodNotAllowed { allow });
    }
    Ok(route)
}

async fn dispatch(head: &Head<'_>, route: Route<'_>, request: Request<Incoming>) -> Outcome {
    let _admitted = match head.admitted(route.work()) {
        Ok(admitted) => admitted,
        Err(refusal) => return (Err(refusal), None),
    };
    match route {
        Route::Card => asked::card(head, request).await,
        Route::Number => asked::number(head, request).await,
        // Apart, so that a desk's question does not carry the room that these need.
        route => Box::pin(others(head, route, request)).await,
    }
}

/// All routes but the questions of desks.
async fn others(head: &Head<'_>, route: Route<'_>, request: Request<Incoming>) -> Outcome {
    let Head { gateway, peer, now, .. } = *head;
    match route {
        // Answered in their own form, or by the desk, before they come here.
        Route::Oqs(_) | Route::Capability | Route::Submit | Route::Card | Route::Number => {
            plain::<Given>(Err(Refusal::NoSuchRoute))
        }
        Route::Description => plain(Ok(Given::Fixed(DESCRIPTION))),
        Route::Batch => plain(asked::batch(head, request).await.map(Given::Lines)),
        Route::Challenges => plain(asked::challenges(head, request).await),
        Route::Feeds => plain(intake::api::all(gateway, peer, now)),
        Route::Feed(source) if request.method() == Method::GET => {
            plain(intake::api::one(gateway, peer, source, now))
        }
        Route::Feed(source) => plain(acts::feed(head, source, request).await),
        Route::Quarantine(source) => plain(intake::api::quarantine(gateway, peer, source)),
        Route::Dismissal(source, name) => plain(acts::dismissal(head, (source, name), request).await),
        Route::Held(source) => plain(intake::api::held(gateway, peer, source)),
        Route::HeldOne(source, delivery) if request.method() == Method::GET => {
            plain(intake::api::held_one(gateway, peer, source, delivery))
        }
        Route::HeldOne(source, delivery) => plain(acts::decision(head, (source, delivery), request).await),
        Route::Links => plain(acts::link(head, request).await),
        Route::Link(serial) => plain(acts::unlink(head, serial).await),
        Route::Notices => {
            let notices = match after(request.uri().query()) {
                Ok(after) => intake::links::notices(gateway, peer, after).await,
                Err(refusal) => Err(refusal),
            };
            plain(acts::acted(head, head.act("notices", "card registration"), notices).await)
        }
        Route::Confirmations => plain(acts::own_log(head, request.uri().query()).await),
        Route::Prechecks => plain(prechecks::take(head, request).await),
        Route::Precheck(id) => plain(prechecks::job(head, id, &request).await),
        Route::Results(id) => plain(prechecks::results(head, id, &request)),
    }
}

/// The one parameter that listings take. Others are refused by name, as unknown fields are.
pub(super) fn after(query: Option<&str>) -> Result<Option<&str>, Refusal> {
    let mut after = None;
    for parameter in query.into_iter().flat_map(|query| query.split('&')) {
        match parameter.split_once('=') {
            Some(("after", cursor)) if after.is_none() => after = Some(cursor),
            Some(("after", _)) => return Err(Refusal::field("after", eligibility::wire::Wrong::Form)),
            _ => return Err(Refusal::field("query", eligibility::wire::Wrong::Unknown)),
        }
    }
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_take_one_parameter() {
        assert_eq!(after(None), Ok(None));
        assert_eq!(after(Some("after=5")), Ok(Some("5")));
        for query in ["x=1&after=5", "after=5&x=1", "after=5&after=6", "after", ""] {
            assert!(after(Some(query)).is_err(), "{query}");
        }
    }
}
