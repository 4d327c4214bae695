//! The routes of claims pre-checks: from a request to what `jobs` does, and back.

use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};

use super::body::{self, Arriving};
use super::routes::{Given, Head};
use crate::jobs;
use crate::peer::Role;
use crate::refusal::Refusal;

/// `POST /v1/prechecks`.
pub(super) async fn take(head: &Head<'_>, request: Request<Incoming>) -> Result<Given, Refusal> {
    if !head.peer.has(Role::Reception) && !head.peer.has(Role::Review) {
        return Err(Refusal::Forbidden);
    }
    let kind = body::claim_file(request.headers())?;
    let body = Arriving::new(request.into_body(), &head.gateway.limits);
    let taken = jobs::api::take(head.gateway, head.request(), kind, body).await?;
    Ok(Given::Json(StatusCode::ACCEPTED, taken))
}

/// `GET` and `DELETE /v1/prechecks/{id}`.
pub(super) async fn job(head: &Head<'_>, id: &str, request: &Request<Incoming>) -> Result<Given, Refusal> {
    let (gateway, peer) = (head.gateway, head.peer);
    let asked = if request.method() == Method::DELETE {
        let cancelled = jobs::api::cancel(gateway, peer, id).await?;
        cancelled.map(|()| Given::Json(StatusCode::NO_CONTENT, Vec::new()))
    } else {
        jobs::api::show(gateway, peer, id)?.map(|json| Given::Json(StatusCode::OK, json))
    };
    Ok(asked.or_elsewhere(|address| Given::Elsewhere(address + target(request))))
}

/// `GET /v1/prechecks/{id}/results`.
pub(super) fn results(head: &Head<'_>, id: &str, request: &Request<Incoming>) -> Result<Given, Refusal> {
    let format = jobs::api::format(request.uri().query())?;
    let asked = jobs::api::results(head.gateway, head.peer, id, format)?;
    let given = asked.map(|stream| Given::Results(format.media(), stream));
    Ok(given.or_elsewhere(|address| Given::Elsewhere(address + target(request))))
}

fn target(request: &Request<Incoming>) -> &str {
    request.uri().path_and_query().map_or("/", |target| target.as_str())
}
