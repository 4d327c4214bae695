//! `/status`: where the gateway stands, as one JSON document, or a page for people, without personal data.

mod page;
mod policy;

use std::collections::BTreeMap;

use eligibility::day::Timestamp;
use serde::Serialize;

use crate::audit::{Class, Work};
use crate::gateway::{Gateway, Reload};
use crate::metrics::{PROFILE, VERSION};

pub(super) use page::page;

#[derive(Serialize)]
struct Status {
    phase: &'static str,
    load: Load,
    generation: u64,
    persons: usize,
    serials: usize,
    began: crate::follow::Began,
    ledger: Ledger,
    /// Position up to which memory's files are written.
    saved: u64,
    feeds: BTreeMap<String, Feed>,
    revocation: Vec<List>,
    /// When each listener's own certificate ends.
    certificates: BTreeMap<String, Timestamp>,
    /// The lists of each listener's client CAs.
    client_revocation: BTreeMap<String, Vec<List>>,
    revocation_policy: policy::Policy,
    anchors: Vec<Anchor>,
    responder: Option<Responder>,
    audit: Audit,
    build: Build,
    /// How the configuration was last read again, if it was.
    reload: Option<Reload>,
    now: Timestamp,
}

/// How far the gateways that share the ledger follow it; where nobody shares it there is none but this.
#[derive(Serialize)]
struct Ledger {
    position: u64,
    /// Batches that are committed and not yet visible here.
    lag: u64,
    /// Why the database cannot be reached.
    away: Option<String>,
    gateways: BTreeMap<String, Follower>,
}

#[derive(Serialize)]
struct Follower {
    position: u64,
    lag: u64,
    /// How long ago it said so.
    heard_seconds: u64,
}

/// How long requests wait, and what is left undone.
#[derive(Serialize)]
struct Load {
    level: &'static str,
    /// Age of the oldest request that is not answered.
    delay_ms: f64,
    callers_waiting: usize,
    handshakes_waiting: usize,
    /// Whether each class of work may begin now, for want of time or of room for its records.
    classes: BTreeMap<&'static str, bool>,
}

/// How far the record of answers is.
#[derive(Serialize)]
struct Audit {
    /// Records there ever were, by class.
    records: BTreeMap<&'static str, u64>,
    /// The keys that write: sealing, pseudonym.
    sealing_key: Option<String>,
    pseudonym_key: Option<String>,
    unsynced_ms: u128,
    /// Whether each class of work finds room on the disk.
    room: BTreeMap<&'static str, bool>,
    /// Every answer that left before is in institutions' own log.
    confirmations_complete_to: Timestamp,
    miss_budgets_used_up: u64,
}

#[derive(Serialize)]
struct Feed {
    committed_sequence: u64,
    complete_to: Option<Timestamp>,
    age_seconds: Option<i64>,
    quarantine: usize,
    /// Deliveries held back.
    held: usize,
}

#[derive(Serialize)]
struct List {
    authority: String,
    number: String,
    this_update: Timestamp,
    next_update: Timestamp,
    age_seconds: i64,
    revoked: usize,
}

#[derive(Serialize)]
struct Anchor {
    anchor: String,
    fingerprint: String,
    authority: String,
    not_after: Timestamp,
    days_left: i32,
    /// The narrowest of 90, 30, 7, 1 days within which it ends; 0 when it has.
    ends_within: Option<i32>,
}

#[derive(Serialize)]
struct Responder {
    /// Not asked for a while, after failures in a row.
    paused: bool,
    in_flight: usize,
    /// Questions by how they ended.
    questions: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct Build {
    version: &'static str,
    profile: &'static str,
}

pub(super) fn json(gateway: &Gateway, now: Timestamp) -> Vec<u8> {
    serde_json::to_vec_pretty(&of(gateway, now)).unwrap_or_default()
}

fn of(gateway: &Gateway, now: Timestamp) -> Status {
    let memory = &gateway.desk.memory;
    let feeds = memory.sources().into_iter().map(|(source, state)| {
        let feed = Feed {
            committed_sequence: state.committed_sequence,
            complete_to: state.complete_to,
            age_seconds: state.complete_to.map(|at| (now.millis() - at.millis()) / 1000),
            quarantine: state.quarantine.len(),
            held: gateway.desk.held.of(source).len(),
        };
        (source.to_string(), feed)
    });
    Status {
        phase: match gateway.phase() {
            crate::gateway::Phase::Serving => "serving",
            crate::gateway::Phase::Draining => "draining",
        },
        load: load(gateway),
        generation: memory.generation(),
        persons: memory.persons(),
        serials: memory.serials(),
        began: gateway.began,
        ledger: ledger(gateway),
        saved: gateway.behind.saved(),
        feeds: feeds.collect(),
        revocation: lists(&gateway.desk.trust.in_force().view.lists, now),
        certificates: gateway
            .entrances
            .iter()
            .map(|entrance| (entrance.address().to_string(), at(entrance.ends())))
            .collect(),
        client_revocation: gateway
            .entrances
            .iter()
            .map(|entrance| (entrance.address().to_string(), lists(&entrance.clients().lists(), now)))
            .collect(),
        revocation_policy: policy::of(&gateway.desk.trust.in_force().stand),
        anchors: anchors(gateway, now),
        responder: gateway.desk.trust.in_force().responder.as_ref().map(|responder| Responder {
            paused: responder.is_paused(),
            in_flight: responder.in_flight(),
            questions: crate::trust::ENDS.into_iter().zip(responder.ends()).collect(),
        }),
        audit: audit(gateway),
        build: Build { version: VERSION, profile: PROFILE },
        reload: gateway.reloaded(),
        now,
    }
}

fn ledger(gateway: &Gateway) -> Ledger {
    let position = gateway.desk.memory.generation();
    let standing = gateway.ledger.standing();
    let last = standing.last.max(position);
    let gateways = standing.gateways.iter().map(|other| {
        let follower = Follower {
            position: other.position,
            lag: last.saturating_sub(other.position),
            heard_seconds: other.heard.as_secs(),
        };
        (other.name.clone(), follower)
    });
    Ledger { position, lag: last - position, away: standing.away.clone(), gateways: gateways.collect() }
}

fn load(gateway: &Gateway) -> Load {
    let (load, audit) = (&gateway.load, &gateway.desk.audit);
    let (callers_waiting, handshakes_waiting) = load.waiting();
    let open = |work: Work| (work.word(), load.admit(work).is_some() && audit.admits(work));
    Load {
        level: load.level().word(),
        delay_ms: load.delay().as_micros() as f64 / 1000.0,
        callers_waiting,
        handshakes_waiting,
        classes: Work::ALL.into_iter().map(open).collect(),
    }
}

fn audit(gateway: &Gateway) -> Audit {
    let audit = &gateway.desk.audit;
    let [sealing, pseudonym] = audit.keys().writing();
    Audit {
        records: Class::ALL.into_iter().map(|class| (class.word(), audit.next_record(class))).collect(),
        sealing_key: sealing.map(|id| id.to_string()),
        pseudonym_key: pseudonym.map(|id| id.to_string()),
        unsynced_ms: audit.unsynced_for().as_millis(),
        room: audit.rooms().into_iter().collect(),
        confirmations_complete_to: gateway.confirmations.complete_to(),
        miss_budgets_used_up: gateway.desk.misses.used_up(),
    }
}

fn anchors(gateway: &Gateway, now: Timestamp) -> Vec<Anchor> {
    let states = gateway.desk.trust.anchors(pki::UnixTime(now.millis().div_euclid(1000)));
    let anchor = |state: crate::trust::AnchorState| Anchor {
        ends_within: state.ends_within(),
        anchor: state.name,
        fingerprint: state.fingerprint,
        authority: state.authority,
        not_after: state.not_after,
        days_left: state.days_left,
    };
    states.into_iter().map(anchor).collect()
}

const fn at(time: pki::UnixTime) -> Timestamp {
    Timestamp::from_millis(time.0.saturating_mul(1000))
}

fn lists(held: &pki::Lists, now: Timestamp) -> Vec<List> {
    let lists = held.iter().map(|list| List {
        authority: list
            .mark
            .authority
            .as_bytes()
            .iter()
            .take(8)
            .map(|octet| format!("{octet:02x}"))
            .collect(),
        number: list.mark.number.to_string(),
        this_update: at(list.mark.this_update),
        next_update: at(list.next_update),
        age_seconds: now.millis() / 1000 - list.mark.this_update.0,
        revoked: list.revoked,
    });
    lists.collect()
}
