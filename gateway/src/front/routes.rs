//! From method and path to the piece of the house that answers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use eligibility::day::Timestamp;
use eligibility::feed::Source;

use super::batch;
use super::body::{self, Media, ReplyBody};
use super::scan::{FIELDS, HEAD_OCTETS, TARGET};
use super::{fhir, oqs, prechecks};
use crate::audit::{Entry, Work};
use crate::clock::Clock;
use crate::confirmations;
use crate::gateway::{Gateway, Phase};
use crate::intake;
use crate::jobs::results::Stream;
use crate::path::{self, CardReply, Reply};
use crate::peer::{Peer, Role};
use crate::refusal::{Fresh, Refusal};

/// Most challenges of one request.
const CHALLENGES: u32 = 100;

/// What this service takes and gives, as OpenAPI.
const DESCRIPTION: &[u8] = include_bytes!("../../openapi.json");

/// What a request asks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route<'r> {
    Description,
    Oqs(&'r str),
    Capability,
    Submit,
    Challenges,
    Card,
    Number,
    Batch,
    Feeds,
    Feed(&'r str),
    Quarantine(&'r str),
    Dismissal(&'r str, &'r str),
    Held(&'r str),
    HeldOne(&'r str, &'r str),
    Links,
    Link(&'r str),
    Notices,
    Confirmations,
    Prechecks,
    Precheck(&'r str),
    Results(&'r str),
}

impl<'r> Route<'r> {
    fn of(path: &'r str) -> Option<(Self, &'static str)> {
        if path == "/openapi.json" {
            return Some((Self::Description, "GET"));
        }
        if path == "/fhir/metadata" {
            return Some((Self::Capability, "GET"));
        }
        if path == "/fhir/CoverageEligibilityRequest/$submit" {
            return Some((Self::Submit, "POST"));
        }
        if let Some(message) = one_below(path, "/oqs/v1/") {
            return Some((Self::Oqs(message), "POST"));
        }
        let mut parts = path.strip_prefix("/v1/")?.split('/');
        let parts = [parts.next(), parts.next(), parts.next(), parts.next(), parts.next()];
        Some(match parts {
            [Some("challenges"), None, ..] => (Self::Challenges, "POST"),
            [Some("eligibility"), Some("card"), None, ..] => (Self::Card, "POST"),
            [Some("eligibility"), Some("number"), None, ..] => (Self::Number, "POST"),
            [Some("eligibility"), Some("batch"), None, ..] => (Self::Batch, "POST"),
            [Some("feeds"), None, ..] => (Self::Feeds, "GET"),
            [Some("feeds"), Some(source), None, ..] => (Self::Feed(source), "GET, POST"),
            [Some("feeds"), Some(source), Some("quarantine"), None, ..] => (Self::Quarantine(source), "GET"),
            [Some("feeds"), Some(source), Some("quarantine"), Some(name), None] => {
                (Self::Dismissal(source, name), "POST")
            }
            [Some("feeds"), Some(source), Some("held"), None, ..] => (Self::Held(source), "GET"),
            [Some("feeds"), Some(source), Some("held"), Some(delivery), None] => {
                (Self::HeldOne(source, delivery), "GET, POST")
            }
            [Some("links"), None, ..] => (Self::Links, "POST"),
            [Some("links"), Some("notices"), None, ..] => (Self::Notices, "GET"),
            [Some("links"), Some(serial), None, ..] => (Self::Link(serial), "DELETE"),
            [Some("confirmations"), None, ..] => (Self::Confirmations, "GET"),
            [Some("prechecks"), None, ..] => (Self::Prechecks, "POST"),
            [Some("prechecks"), Some(id), None, ..] => (Self::Precheck(id), "GET, DELETE"),
            [Some("prechecks"), Some(id), Some("results"), None, ..] => (Self::Results(id), "GET"),
            _ => return None,
        })
    }

    /// The label in metrics and logs.
    const fn word(self) -> &'static str {
        match self {
            Self::Description => "description",
            Self::Oqs(_) => "oqs",
            Self::Capability | Self::Submit => "fhir",
            Self::Challenges => "challenges",
            Self::Card => "card",
            Self::Number => "number",
            Self::Batch => "batch",
            Self::Feeds => "feeds",
            Self::Feed(_) => "feed",
            Self::Quarantine(_) => "quarantine",
            Self::Dismissal(..) => "dismissal",
            Self::Held(_) | Self::HeldOne(..) => "held",
            Self::Links | Self::Link(_) => "links",
            Self::Notices => "notices",
            Self::Confirmations => "confirmations",
            Self::Prechecks => "prechecks",
            Self::Precheck(_) => "precheck",
            Self::Results(_) => "results",
        }
    }
}

/// Whether a body of unknown length is taken there: it is streamed, and as long as it is.
pub(super) fn takes_stream(method: &[u8], target: &[u8]) -> bool {
    let path = target.split(|octet| *octet == b'?').next().unwrap_or_default();
    let streamed = path == b"/v1/eligibility/batch" || path == b"/v1/prechecks";
    method == b"POST" && (streamed || path.starts_with(b"/v1/feeds/"))
}

/// What stands below this path, where it is one part.
fn one_below<'r>(path: &'r str, above: &str) -> Option<&'r str> {
    path.strip_prefix(above).filter(|rest| !rest.is_empty() && !rest.contains('/'))
}

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

    /// Whether there is room for the records of links and feeds.
    pub(super) fn admitted(&self) -> Result<(), Refusal> {
        if self.gateway.desk.audit.admits(Work::Intake) { Ok(()) } else { Err(Refusal::Overloaded) }
    }

    pub(super) fn request(&self) -> path::Request<'_> {
        path::Request { peer: self.peer, id: self.id, now: self.now, trace: self.trace }
    }
}

/// Answers a request that was refused before anything of it was read.
pub(super) fn refuse(gateway: &Arc<Gateway>, peer: &Arc<Peer>, refusal: &Refusal) -> Response<ReplyBody> {
    let (id, said) = (Uuid::now_v7(), refusal.problem().code);
    gateway.metrics.answered("none", said, Duration::ZERO);
    tracing::info!(request = %id, peer = %peer.fingerprint(), outcome = said, "refused by its head");
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
    let head = Head { gateway, peer, id: Uuid::now_v7(), now: gateway.clock.now(), trace };
    let target = request.uri().path().to_owned();
    let route = route(&request, &target);
    let word = route.as_ref().map_or("none", |route| route.word());
    let (outcome, said) = match route {
        Ok(Route::Oqs(message)) => {
            let (response, said) = oqs::reply(&head, message, request).await;
            note(&head, word, said, began.elapsed());
            return response;
        }
        Ok(route @ (Route::Capability | Route::Submit)) => {
            let (response, said) = match route {
                Route::Submit => fhir::submit(&head, request).await,
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
type Outcome = (Result<Given, Refusal>, Option<&'static str>);

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

/// Refuses while the gateway begins and ends.
pub(super) fn serving(head: &Head<'_>) -> Result<(), Refusal> {
    match head.gateway.phase() {
        Phase::Starting => Err(Refusal::NotReady),
        Phase::Draining => Err(Refusal::Draining),
        Phase::Serving => Ok(()),
    }
}

async fn dispatch(head: &Head<'_>, route: Route<'_>, request: Request<Incoming>) -> Outcome {
    if let Err(refusal) = serving(head) {
        return (Err(refusal), None);
    }
    let Head { gateway, peer, now, .. } = *head;
    match route {
        // Answered in their own form before they come here.
        Route::Oqs(_) | Route::Capability | Route::Submit => plain::<Given>(Err(Refusal::NoSuchRoute)),
        Route::Description => plain(Ok((StatusCode::OK, DESCRIPTION.to_vec()))),
        Route::Card => card(head, request).await,
        Route::Number => number(head, request).await,
        Route::Batch => plain(batch(head, request).await.map(Given::Lines)),
        Route::Challenges => plain(challenges(head, request).await),
        Route::Feeds => plain(intake::api::all(gateway, peer, now)),
        Route::Feed(source) if request.method() == Method::GET => {
            plain(intake::api::one(gateway, peer, source, now))
        }
        Route::Feed(source) => plain(feed(head, source, request).await),
        Route::Quarantine(source) => plain(intake::api::quarantine(gateway, peer, source)),
        Route::Dismissal(source, name) => plain(dismissal(head, (source, name), request).await),
        Route::Held(source) => plain(intake::api::held(gateway, peer, source)),
        Route::HeldOne(source, delivery) if request.method() == Method::GET => {
            plain(intake::api::held_one(gateway, peer, source, delivery))
        }
        Route::HeldOne(source, delivery) => plain(decision(head, (source, delivery), request).await),
        Route::Links => plain(link(head, request).await),
        Route::Link(serial) => plain(unlink(head, serial).await),
        Route::Notices => {
            let notices = match after(request.uri().query()) {
                Ok(after) => intake::links::notices(gateway, peer, after).await,
                Err(refusal) => Err(refusal),
            };
            plain(acted(head, head.act("notices", "card registration"), notices).await)
        }
        Route::Confirmations => plain(own_log(head, request.uri().query()).await),
        Route::Prechecks => plain(prechecks::take(head, request).await),
        Route::Precheck(id) => plain(prechecks::job(head, id, &request).await),
        Route::Results(id) => plain(prechecks::results(head, id, &request)),
    }
}

/// The one parameter that listings take. Others are refused by name, as unknown fields are.
fn after(query: Option<&str>) -> Result<Option<&str>, Refusal> {
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

async fn small_json(head: &Head<'_>, request: Request<Incoming>) -> Result<bytes::Bytes, Refusal> {
    body::check_media(request.headers(), Media::Json)?;
    limited(head, request).await
}

/// The body of one query, of whatever media type.
pub(super) async fn limited(head: &Head<'_>, request: Request<Incoming>) -> Result<bytes::Bytes, Refusal> {
    let limits = &head.gateway.limits;
    body::read(request.into_body(), limits.body_octets, Duration::from_secs(limits.body_seconds)).await
}

async fn asked(head: &Head<'_>, request: Request<Incoming>) -> Result<bytes::Bytes, Refusal> {
    if !head.peer.has(Role::Reception) && !head.peer.has(Role::Review) {
        return Err(Refusal::Forbidden);
    }
    small_json(head, request).await
}

async fn number(head: &Head<'_>, request: Request<Incoming>) -> Outcome {
    let json = match asked(head, request).await {
        Ok(json) => json,
        Err(refusal) => return (Err(refusal), None),
    };
    let replied = guarded(head, "number", || path::number(&head.gateway.desk, head.request(), &json));
    recorded(replied).await
}

async fn card(head: &Head<'_>, request: Request<Incoming>) -> Outcome {
    let json = match asked(head, request).await {
        Ok(json) => json,
        Err(refusal) => return (Err(refusal), None),
    };
    let desk = &head.gateway.desk;
    let needs = match guarded(head, "card", || path::card(desk, head.request(), &json)) {
        Ok(CardReply::Now(reply)) => return recorded(Ok(reply)).await,
        Ok(CardReply::NeedsStatus(needs)) => needs,
        Err(refusal) => return (Err(refusal), None),
    };
    let (waiting, question) = needs.into_question();
    let now = pki::UnixTime(head.now.millis().div_euclid(1000));
    let status = waiting.trust().ask(question, now).await;
    let replied = guarded(head, "card", || {
        path::card_with_status(&path::json, desk, head.request(), &json, waiting, status)
    });
    recorded(replied).await
}

/// A fault of ours must not take the connection, and with it other people's answers, along.
pub(super) fn guarded<T>(
    head: &Head<'_>,
    route: &'static str,
    ask: impl FnOnce() -> T,
) -> Result<T, Refusal> {
    std::panic::catch_unwind(AssertUnwindSafe(ask)).map_err(|_| {
        head.gateway.metrics.panics.inc();
        // What was asked is recorded all the same; the caller learns of the fault whether or not it is.
        let _ = head.gateway.desk.audit.record(&Entry::question(route, Work::Desk, head.request()));
        Refusal::Internal
    })
}

/// The reply, once its record is written.
async fn recorded(replied: Result<Reply, Refusal>) -> Outcome {
    let Reply { outcome, word, recording } = match replied {
        Ok(reply) => reply,
        Err(refusal) => return (Err(refusal), None),
    };
    if !recording.written().await {
        return (Err(Refusal::Overloaded), None);
    }
    (outcome.map(|json| Given::Json(StatusCode::OK, json)), Some(word))
}

async fn batch(head: &Head<'_>, request: Request<Incoming>) -> Result<Vec<u8>, Refusal> {
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

async fn challenges(head: &Head<'_>, request: Request<Incoming>) -> Result<(StatusCode, Vec<u8>), Refusal> {
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

async fn feed(
    head: &Head<'_>,
    source: &str,
    request: Request<Incoming>,
) -> Result<(StatusCode, Vec<u8>), Refusal> {
    head.admitted()?;
    body::check_media(request.headers(), Media::Lines)?;
    let mut entry = head.act("feed", "feeding");
    if let Some(Source::Insurer(number)) = Source::parse(source) {
        entry = entry.insurer(number);
    }
    let delivered = intake::http::deliver(head.gateway, head.peer, source, request.into_body()).await;
    acted(head, entry, delivered).await
}

async fn own_log(head: &Head<'_>, query: Option<&str>) -> Result<(StatusCode, Vec<u8>), Refusal> {
    let page = match after(query) {
        Ok(after) => confirmations::page(head.gateway, head.peer, after).await,
        Err(refusal) => Err(refusal),
    };
    let mut entry = head.act("confirmations", "own log");
    if let Some(code) = head.peer.institutions().first() {
        entry = entry.institution(*code);
    }
    let shown = page.as_ref().map_or(0, |(.., shown)| *shown);
    acted(head, entry.shown(shown), page.map(|(status, json, _)| (status, json))).await
}

async fn link(head: &Head<'_>, request: Request<Incoming>) -> Result<(StatusCode, Vec<u8>), Refusal> {
    head.admitted()?;
    let json = small_json(head, request).await?;
    let mut entry = head.act("link", "card registration");
    let linked = intake::links::link(head.gateway, head.peer, (head.now, &json), &mut entry).await;
    acted(head, entry, linked).await
}

async fn unlink(head: &Head<'_>, serial: &str) -> Result<(StatusCode, Vec<u8>), Refusal> {
    head.admitted()?;
    let mut entry = head.act("unlink", "card registration");
    let unlinked = intake::links::unlink(head.gateway, head.peer, serial, &mut entry).await;
    acted(head, entry, unlinked).await
}

/// What was done, once its record is written too.
async fn acted(
    head: &Head<'_>,
    mut entry: Entry,
    done: Result<(StatusCode, Vec<u8>), Refusal>,
) -> Result<(StatusCode, Vec<u8>), Refusal> {
    entry.refused(done.as_ref().map_or_else(|refusal| refusal.problem().code, |_| "done"));
    if head.gateway.desk.audit.record(&entry).written().await { done } else { Err(Refusal::Overloaded) }
}

async fn by_operator(head: &Head<'_>, request: Request<Incoming>) -> Result<bytes::Bytes, Refusal> {
    if !head.peer.has(Role::Operator) {
        return Err(Refusal::Forbidden);
    }
    small_json(head, request).await
}

async fn dismissal(
    head: &Head<'_>,
    which: (&str, &str),
    request: Request<Incoming>,
) -> Result<(StatusCode, Vec<u8>), Refusal> {
    head.admitted()?;
    let json = by_operator(head, request).await?;
    let dismissed = intake::api::dismiss(head.gateway, head.peer, which, &json).await;
    acted(head, head.act("dismissal", "feed review"), dismissed).await
}

async fn decision(
    head: &Head<'_>,
    which: (&str, &str),
    request: Request<Incoming>,
) -> Result<(StatusCode, Vec<u8>), Refusal> {
    head.admitted()?;
    let json = by_operator(head, request).await?;
    let decided = intake::api::decide(head.gateway, head.peer, which, &json).await;
    acted(head, head.act("held", "feed review"), decided).await
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

    #[test]
    fn paths_lead_to_routes() {
        assert_eq!(Route::of("/v1/eligibility/card"), Some((Route::Card, "POST")));
        assert_eq!(Route::of("/v1/feeds/06132013"), Some((Route::Feed("06132013"), "GET, POST")));
        assert_eq!(
            Route::of("/v1/feeds/06132013/quarantine/7"),
            Some((Route::Dismissal("06132013", "7"), "POST"))
        );
        for path in
            ["/", "/v1", "/v1/", "/v1/eligibility", "/v1/eligibility/card/", "/v1/cards", "/v1/feeds/a/b"]
        {
            assert_eq!(Route::of(path), None, "{path}");
        }
    }
}
