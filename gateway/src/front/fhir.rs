//! `POST /fhir/CoverageEligibilityRequest/$submit` and `GET /fhir/metadata`.
//!
//! Holds what HTTP has to do with them. What is refused is answered with an OperationOutcome, under the
//! problem's HTTP status.

use eligibility::answer::Answer;
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use hyper::{Request, Response, StatusCode};

use super::asked::{guarded, limited, written};
use super::body::{self, ReplyBody};
use super::routes::Head;
use crate::audit::Work;
use crate::path::{self, Reply};
use crate::peer::Role;
use crate::refusal::Refusal;
use crate::wire::fhir;

const MEDIA: &str = "application/fhir+json";

/// The CapabilityStatement.
pub(super) fn metadata(head: &Head<'_>) -> (Response<ReplyBody>, &'static str) {
    (body::other(StatusCode::OK, MEDIA, fhir::capability(), head.id), "ok")
}

/// Answers one request for eligibility.
pub(super) async fn submit(
    head: &Head<'_>,
    request: Request<Incoming>,
) -> (Response<ReplyBody>, &'static str) {
    match answered(head, request).await {
        Ok((octets, word)) => (body::other(StatusCode::OK, MEDIA, octets, head.id), word),
        Err(refusal) => {
            let outcome = fhir::outcome(&refusal);
            (body::refused_as(&refusal, MEDIA, outcome, head.id), refusal.problem().code)
        }
    }
}

async fn answered(head: &Head<'_>, request: Request<Incoming>) -> Result<(Vec<u8>, &'static str), Refusal> {
    check_media(request.headers())?;
    let _admitted = head.admitted(Work::Desk)?;
    if !head.peer.has(Role::Reception) && !head.peer.has(Role::Review) {
        return Err(Refusal::Forbidden);
    }
    let json = limited(head, request).await?;
    let _begun = head.gateway.load.begin();
    let reply = guarded(head, "number", || match fhir::Asked::from_json(&json) {
        Ok(asked) => {
            let encode = |answer: &Answer<'_>, _| fhir::response(answer, &asked);
            path::number_as(&encode, &head.gateway.desk, head.request(), Ok(asked.query.clone()))
        }
        Err(refusal) => path::number_as(&path::json, &head.gateway.desk, head.request(), Err(refusal)),
    })?;
    let Reply { outcome, word, recording } = reply;
    if !written(head, recording).await {
        return Err(Refusal::Overloaded);
    }
    outcome.map(|octets| (octets, word))
}

fn check_media(headers: &HeaderMap) -> Result<(), Refusal> {
    let plain = headers.get(CONTENT_ENCODING).is_none_or(|coding| coding == "identity");
    let named = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = named.split(';').next().unwrap_or_default().trim();
    let fits = [MEDIA, "application/json"].iter().any(|taken| essence.eq_ignore_ascii_case(taken));
    if plain && fits { Ok(()) } else { Err(Refusal::UnsupportedMediaType) }
}
