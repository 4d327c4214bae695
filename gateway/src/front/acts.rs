//! Acts, each with its record: deliveries, links, decisions of operators, an institution's own log.

use hyper::body::Incoming;
use hyper::{Request, StatusCode};

use eligibility::feed::Source;

use super::asked::small_json;
use super::body::{self, Media};
use super::routes::{Head, after};
use crate::audit::{Entry, Work};
use crate::confirmations;
use crate::intake;
use crate::peer::Role;
use crate::refusal::Refusal;

pub(super) async fn feed(
    head: &Head<'_>,
    source: &str,
    request: Request<Incoming>,
) -> Result<(StatusCode, Vec<u8>), Refusal> {
    head.has_room(Work::Intake)?;
    body::check_media(request.headers(), Media::Lines)?;
    let mut entry = head.act("feed", "feeding");
    if let Some(Source::Insurer(number)) = Source::parse(source) {
        entry = entry.insurer(number);
    }
    let delivered = intake::http::deliver(head.gateway, head.peer, source, request.into_body()).await;
    acted(head, entry, delivered).await
}

pub(super) async fn own_log(head: &Head<'_>, query: Option<&str>) -> Result<(StatusCode, Vec<u8>), Refusal> {
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

pub(super) async fn link(
    head: &Head<'_>,
    request: Request<Incoming>,
) -> Result<(StatusCode, Vec<u8>), Refusal> {
    head.has_room(Work::Intake)?;
    let json = small_json(head, request).await?;
    let mut entry = head.act("link", "card registration");
    let linked = intake::links::link(head.gateway, head.peer, (head.now, &json), &mut entry).await;
    acted(head, entry, linked).await
}

pub(super) async fn unlink(head: &Head<'_>, serial: &str) -> Result<(StatusCode, Vec<u8>), Refusal> {
    head.has_room(Work::Intake)?;
    let mut entry = head.act("unlink", "card registration");
    let unlinked = intake::links::unlink(head.gateway, head.peer, serial, &mut entry).await;
    acted(head, entry, unlinked).await
}

/// What was done, once its record is written too.
pub(super) async fn acted(
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

pub(super) async fn dismissal(
    head: &Head<'_>,
    which: (&str, &str),
    request: Request<Incoming>,
) -> Result<(StatusCode, Vec<u8>), Refusal> {
    head.has_room(Work::Intake)?;
    let json = by_operator(head, request).await?;
    let dismissed = intake::api::dismiss(head.gateway, head.peer, which, &json).await;
    acted(head, head.act("dismissal", "feed review"), dismissed).await
}

pub(super) async fn decision(
    head: &Head<'_>,
    which: (&str, &str),
    request: Request<Incoming>,
) -> Result<(StatusCode, Vec<u8>), Refusal> {
    head.has_room(Work::Intake)?;
    let json = by_operator(head, request).await?;
    let decided = intake::api::decide(head.gateway, head.peer, which, &json).await;
    acted(head, head.act("held", "feed review"), decided).await
}
