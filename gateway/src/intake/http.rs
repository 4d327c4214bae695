//! `POST /v1/feeds/{source}`: received whole into the spool, then delivered.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use eligibility::feed::Source;
use eligibility::wire::Wrong;
use hyper::StatusCode;
use hyper::body::Incoming;
use ledger::LedgerError;
use serde::Serialize;
use uuid::Uuid;

use super::{Admitted, DeliverError, HeldBack};
use crate::background::behind_all_others;
use crate::front::Arriving;
use crate::gateway::Gateway;
use crate::peer::Peer;
use crate::refusal::Refusal;

/// Takes one delivery. Nothing of a connection that drops before its end is committed.
pub(crate) async fn deliver(
    gateway: &Arc<Gateway>,
    peer: &Peer,
    source: &str,
    body: Incoming,
) -> Result<(StatusCode, Vec<u8>), Refusal> {
    let source = own_source(gateway, peer, source)?;
    let spooled = receive(gateway, body).await?;
    let turn = gateway.spool.turn(source);
    let _turn = turn.lock().await;
    let gateway = Arc::clone(gateway);
    let now = gateway.clock.now();
    let admit = move || gateway.admission().admit(source, &spooled.path, now);
    let admitted = behind_all_others("delivery", admit).await.map_err(spool_failed)?;
    Ok(match admitted.ok_or(Refusal::Internal)?.map_err(refused)? {
        Admitted::Committed(report) => (StatusCode::OK, to_json(&report)),
        Admitted::Held(held) => (StatusCode::ACCEPTED, to_json(&HeldBack::of(held))),
    })
}

/// The source, if it is this caller's to feed.
pub(super) fn own_source(gateway: &Gateway, peer: &Peer, name: &str) -> Result<Source, Refusal> {
    let source = Source::parse(name).ok_or(Refusal::field("source", Wrong::NotInBook))?;
    if !peer.feeds(source) {
        return Err(Refusal::Forbidden);
    }
    match source {
        Source::Insurer(number) if !gateway.desk.insurers.has(number) => {
            Err(Refusal::field("source", Wrong::NotInBook))
        }
        _ => Ok(source),
    }
}

/// A delivery in the spool; gone when dropped.
struct Spooled {
    path: PathBuf,
    file: File,
}

impl Drop for Spooled {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn receive(gateway: &Gateway, body: Incoming) -> Result<Spooled, Refusal> {
    let (path, file) = gateway.spool.file(Uuid::now_v7()).map_err(spool_failed)?;
    let mut spooled = Spooled { path, file };
    let mut arriving = Arriving::new(body, &gateway.limits);
    let mut octets = 0_u64;
    while let Some(chunk) = arriving.next().await? {
        octets += chunk.len() as u64;
        if octets > gateway.spool.most_octets {
            return Err(Refusal::BodyTooLarge);
        }
        // The page cache takes it. Nothing is promised by having received it: before a delivery is
        // acknowledged its records are durable in the ledger, or all of it is in the folder of held ones.
        spooled.file.write_all(&chunk).map_err(spool_failed)?;
    }
    Ok(spooled)
}

fn spool_failed(error: std::io::Error) -> Refusal {
    tracing::error!(%error, "spool not writable; deliveries are refused");
    Refusal::Overloaded
}

/// What a caller is told when the ledger does not take something. Nobody may take it for an
/// acknowledgement: a full disk or queue passes, a poisoned ledger is mended by a restart.
pub(super) fn refused(error: impl Into<DeliverError>) -> Refusal {
    let error = error.into();
    tracing::error!(%error, "not taken by the ledger");
    match error {
        DeliverError::Ledger(LedgerError::Closed) => Refusal::Draining,
        DeliverError::Ledger(LedgerError::LinkConflict) => Refusal::LinkConflict,
        DeliverError::NotOldest | DeliverError::Begun => Refusal::field("delivery", Wrong::Range),
        DeliverError::Ledger(LedgerError::Away { .. } | LedgerError::Diverged { .. }) => Refusal::NotReady,
        DeliverError::Ledger(_) | DeliverError::Read(_) => Refusal::Overloaded,
    }
}

fn to_json(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).unwrap_or_default()
}
