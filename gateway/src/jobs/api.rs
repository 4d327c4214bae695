//! `/v1/prechecks`: hand in a file, ask how far it is, take the results, cancel.

use std::sync::Arc;

use claims::Summary;
use eligibility::day::Timestamp;
use eligibility::wire::Wrong;
use serde::Serialize;
use uuid::Uuid;

use super::owner::{By, Owner};
use super::receive::receive;
use super::results::{self, Format, Stream};
use super::state::Phase;
use super::{Job, Jobs};
use crate::audit::{Entry, Work};
use crate::front::Arriving;
use crate::gateway::Gateway;
use crate::path::Request;
use crate::peer::Peer;
use crate::refusal::Refusal;

pub(crate) use super::receive::Kind;

/// What becomes of a request about one job.
pub(crate) enum Asked<T> {
    /// It is answered here.
    Here(T),
    /// The job is another gateway's, whose address this is.
    Elsewhere(String),
}

impl<T> Asked<T> {
    /// The same with another answer.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Asked<U> {
        match self {
            Self::Here(answer) => Asked::Here(change(answer)),
            Self::Elsewhere(address) => Asked::Elsewhere(address),
        }
    }

    /// The answer, or what is made of the other gateway's address.
    pub(crate) fn or_elsewhere(self, send: impl FnOnce(String) -> T) -> T {
        match self {
            Self::Here(answer) => answer,
            Self::Elsewhere(address) => send(address),
        }
    }
}

#[derive(Serialize)]
struct Taken {
    id: String,
}

/// Where a job stands.
#[derive(Serialize)]
struct JobState {
    id: String,
    state: &'static str,
    progress: Progress,
    summary: Summary,
    /// Results that may still change when more is known.
    provisional: u64,
    /// Results that have changed since the end.
    changed: u64,
    created_at: Timestamp,
    finished_at: Option<Timestamp>,
    changed_at: Option<Timestamp>,
    /// When it is forgotten.
    kept_until: Timestamp,
}

#[derive(Serialize)]
struct Progress {
    claims: u64,
    judged: u64,
}

/// `POST /v1/prechecks`.
pub(crate) async fn take(
    gateway: &Gateway,
    request: Request<'_>,
    kind: Kind,
    body: Arriving,
) -> Result<Vec<u8>, Refusal> {
    let jobs = &gateway.jobs;
    let by = By::of(request.peer).ok_or(Refusal::Forbidden)?;
    let audit = &gateway.desk.audit;
    if !jobs.has_room(&by.owner) || !audit.admits(Work::Precheck) {
        return Err(Refusal::Overloaded);
    }
    let _place = Arc::clone(&jobs.receiving).try_acquire_owned().map_err(|_| Refusal::Overloaded)?;
    let mut entry = Entry::act("precheck", "claims review", Work::Precheck, request).outcome("done");
    if let Some(institution) = by.institution() {
        entry = entry.institution(institution);
    }
    if !audit.record(&entry).written().await {
        return Err(Refusal::Overloaded);
    }
    receive(jobs, request.id, by, request.now, (kind, body)).await?;
    Ok(serde_json::to_vec(&Taken { id: jobs.name(request.id) }).unwrap_or_default())
}

/// `GET /v1/prechecks/{id}`.
pub(crate) fn show(gateway: &Gateway, peer: &Peer, id: &str) -> Result<Asked<Vec<u8>>, Refusal> {
    gateway.jobs.asked(peer, id, |job| {
        let shown = gateway.jobs.shown(&job);
        Ok(serde_json::to_vec(&shown).unwrap_or_default())
    })
}

/// `GET /v1/prechecks/{id}/results`.
pub(crate) fn results(
    gateway: &Gateway,
    peer: &Peer,
    id: &str,
    format: Format,
) -> Result<Asked<Stream>, Refusal> {
    gateway.jobs.asked(peer, id, |job| {
        let state = job.state();
        if state.phase != Phase::Done {
            return Err(Refusal::NoResults);
        }
        let place = Arc::clone(&gateway.jobs.sending).try_acquire_owned().map_err(|_| Refusal::Overloaded)?;
        results::send(job, state, format, place).map_err(|_| Refusal::Overloaded)
    })
}

/// `DELETE /v1/prechecks/{id}`: what was read and found goes, whether it has ended or not.
pub(crate) async fn cancel(gateway: &Gateway, peer: &Peer, id: &str) -> Result<Asked<()>, Refusal> {
    match gateway.jobs.asked(peer, id, Ok)? {
        Asked::Elsewhere(address) => Ok(Asked::Elsewhere(address)),
        Asked::Here(job) => {
            let cancelled = tokio::task::spawn_blocking(move || job.cancel()).await;
            cancelled.map(Asked::Here).map_err(|_| Refusal::Internal)
        }
    }
}

/// The form that is asked for: `format=ndjson`, which is also what is meant by nothing, or `format=csv`.
pub(crate) fn format(query: Option<&str>) -> Result<Format, Refusal> {
    match query {
        None | Some("format=ndjson") => Ok(Format::Ndjson),
        Some("format=csv") => Ok(Format::Csv),
        Some(query) if query.starts_with("format=") => Err(Refusal::field("format", Wrong::NotInBook)),
        Some(_) => Err(Refusal::field("query", Wrong::Unknown)),
    }
}

impl Jobs {
    /// The job that this caller means by the name. Another's job and none look the same.
    fn asked<T>(
        &self,
        peer: &Peer,
        name: &str,
        answer: impl FnOnce(Arc<Job>) -> Result<T, Refusal>,
    ) -> Result<Asked<T>, Refusal> {
        let owner = Owner::of(peer).ok_or(Refusal::Forbidden)?;
        let (gateway, id) = name.split_once('-').ok_or(Refusal::NoSuchJob)?;
        if let Some(address) = self.config.gateways.get(gateway) {
            return Ok(Asked::Elsewhere(address.clone()));
        }
        let id =
            Uuid::try_parse(id).ok().filter(|id| gateway == self.config.gateway && name == self.name(*id));
        let job = id.and_then(|id| self.find(id, &owner)).ok_or(Refusal::NoSuchJob)?;
        answer(job).map(Asked::Here)
    }

    /// How a job is called outside: by its gateway and its id.
    fn name(&self, id: Uuid) -> String {
        format!("{}-{}", self.config.gateway, id.simple())
    }

    fn shown(&self, job: &Job) -> JobState {
        let state = job.state();
        JobState {
            id: self.name(job.id),
            state: state.phase.word(),
            progress: Progress { claims: state.claims, judged: state.reached.claims },
            summary: state.summary(),
            provisional: state.provisional,
            changed: state.changed,
            created_at: state.created_at,
            finished_at: state.finished_at,
            changed_at: state.changed_at,
            kept_until: state.created_at.plus_millis(i64::from(self.config.keep_days) * 86_400_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_is_asked_for_by_name() {
        assert_eq!(format(None), Ok(Format::Ndjson));
        assert_eq!(format(Some("format=csv")), Ok(Format::Csv));
        for query in ["format=xml", "format=csv&x=1", "x=1", "", "format"] {
            assert!(format(Some(query)).is_err(), "{query}");
        }
    }
}
