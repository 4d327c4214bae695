//! Links made through the API (初回紐づけ): `POST /v1/links`, `DELETE /v1/links/{serial}`, and the notices.
//!
//! The portal has seen the PIN; the certificate is judged as on the card path. A link is a ledger
//! record of the gateway's own, and takes effect with the next answer.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cache::Key;
use eligibility::coverage::Person;
use eligibility::day::Timestamp;
use eligibility::decision::{Found, may_be_linked};
use eligibility::feed::{Said, Source};
use eligibility::link::LinkQuery;
use eligibility::number::{LinkNumber, Serial};
use eligibility::wire::Wrong;
use hyper::StatusCode;
use ledger::{Content, LedgerError};
use pki::UnixTime;
use serde::Serialize;

use super::api::act;
use super::http::refused;
use crate::audit::Entry;
use crate::desk::Desk;
use crate::gateway::Gateway;
use crate::peer::{Peer, Role};
use crate::refusal::Refusal;
use crate::trust::Status;

type Outcome = Result<(StatusCode, Vec<u8>), Refusal>;

/// Batches looked through for one page of notices.
const BATCHES: usize = 50;

#[derive(Serialize)]
struct Linked {
    link_number: String,
    serial: String,
}

#[derive(Serialize)]
struct Notices {
    notices: Vec<Notice>,
    /// Where to go on; the same as asked with when there is nothing more.
    cursor: String,
}

#[derive(Serialize)]
struct Notice {
    serial: String,
    link_number: String,
    linked_at: Timestamp,
}

/// `POST /v1/links`.
pub(crate) async fn link(
    gateway: &Arc<Gateway>,
    peer: &Peer,
    (now, body): (Timestamp, &[u8]),
    entry: &mut Entry,
) -> Outcome {
    portal(peer)?;
    let query = LinkQuery::from_json(body)?;
    entry.about(&query.person);
    let (serial, link_number) = wanted(&gateway.desk, now, &query).await?;
    entry.is_person(link_number);
    match gateway.desk.memory.owner(serial) {
        Some(owner) if owner == link_number => {}
        Some(_) => return Err(Refusal::LinkConflict),
        None => {
            let said = Said::Link { serial, link_number: Some(link_number) };
            act(gateway, said).await.map_err(refused)?;
        }
    }
    let linked = Linked { link_number: link_number.reveal(), serial: serial.reveal() };
    Ok((StatusCode::CREATED, serde_json::to_vec(&linked).unwrap_or_default()))
}

/// prove ─► stand ─► find: the card, and the one person it may be linked to.
async fn wanted(desk: &Desk, now: Timestamp, query: &LinkQuery<'_>) -> Result<(Serial, LinkNumber), Refusal> {
    let certificate =
        STANDARD.decode(&*query.certificate).map_err(|_| Refusal::field("certificate", Wrong::Form))?;
    if !desk.insurers.has(query.person.key.insurer()) {
        return Err(Refusal::field("insurer_number", Wrong::NotInBook));
    }
    let trust = desk.trust.in_force();
    let proven = pki::prove_without_possession(&trust.view, &certificate)?;
    let seconds = UnixTime(now.millis().div_euclid(1000));
    // A card that is being linked is one nobody has linked.
    let status = match trust.status(&proven, &certificate, || false, seconds) {
        Status::Settled(status) => status,
        Status::Ask(asked) => trust.ask(asked, seconds).await,
    };
    let verified = pki::stand_with_answer(proven, &trust.view, seconds, &trust.stand, status)?;
    let serial = Serial::from_be_bytes(verified.serial().as_bytes()).ok_or(Refusal::Internal)?;
    let person: Arc<Person> = match desk.memory.find(&Key::Number(&query.person)) {
        Found::One(person) => person,
        Found::Several => return Err(Refusal::AmbiguousInsured),
        Found::Unlinked | Found::Unknown | Found::Nobody => return Err(Refusal::NoSuchInsured),
    };
    if !may_be_linked(&person, now.day_in_japan()) {
        return Err(Refusal::LinkRefused);
    }
    Ok((serial, person.link_number))
}

/// `DELETE /v1/links/{serial}`: also when there is none.
pub(crate) async fn unlink(gateway: &Arc<Gateway>, peer: &Peer, serial: &str, entry: &mut Entry) -> Outcome {
    portal(peer)?;
    let serial = Serial::parse(serial).map_err(|error| Refusal::field("serial", error.into()))?;
    if let Some(owner) = gateway.desk.memory.owner(serial) {
        entry.is_person(owner);
        act(gateway, Said::Link { serial, link_number: None }).await.map_err(refused)?;
    }
    Ok((StatusCode::NO_CONTENT, Vec::new()))
}

/// `GET /v1/links/notices?after=CURSOR`: the links that were completed, for the portal to tell their
/// persons.
pub(crate) async fn notices(gateway: &Arc<Gateway>, peer: &Peer, after: Option<&str>) -> Outcome {
    portal(peer)?;
    let after =
        after.map_or(Ok(0), |cursor| cursor.parse().map_err(|_| Refusal::field("after", Wrong::Form)))?;
    let gateway = Arc::clone(gateway);
    let read = tokio::task::spawn_blocking(move || completed(&gateway, after)).await;
    let notices = read.map_err(|_| Refusal::Internal)?.map_err(refused)?;
    Ok((StatusCode::OK, serde_json::to_vec(&notices).unwrap_or_default()))
}

fn completed(gateway: &Gateway, after: u64) -> Result<Notices, LedgerError> {
    let reader = gateway.ledger.reader()?;
    let mut batches = Vec::new();
    let mut cursor = u64::MAX;
    for source in [Source::Portal, Source::Gateway] {
        let read = reader.read_source(source, after, BATCHES)?;
        // A full page ends there; what the other source has behind it belongs to the next one.
        if read.len() == BATCHES {
            cursor = read.last().map_or(cursor, |last| cursor.min(last.position));
        }
        batches.extend(read);
    }
    batches.retain(|batch| batch.position <= cursor);
    batches.sort_by_key(|batch| batch.position);
    let last = batches.last().map_or(after, |last| last.position);
    let mut notices = Vec::new();
    for batch in batches {
        for row in batch.rows {
            if let Content::Accepted(record) = row.content
                && let Said::Link { serial, link_number: Some(link_number) } = record.said
            {
                let (serial, link_number) = (serial.reveal(), link_number.reveal());
                notices.push(Notice { serial, link_number, linked_at: batch.committed_at });
            }
        }
    }
    Ok(Notices { notices, cursor: last.to_string() })
}

fn portal(peer: &Peer) -> Result<(), Refusal> {
    if peer.has(Role::Portal) { Ok(()) } else { Err(Refusal::Forbidden) }
}
