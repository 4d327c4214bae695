//! What one audit record says.

use aws_lc_rs::hmac;
use cache::Key;
use eligibility::coverage::Person;
use eligibility::day::{Day, Timestamp};
use eligibility::decision::{Eligibility, Found};
use eligibility::number::{InstitutionCode, LinkNumber};
use serde::Serialize;

use crate::entitle::Entitled;
use crate::path::Request;
use crate::peer::{Fingerprint, Role};

/// One record: who asked when, for what, and what came of it.
#[derive(Clone, Debug)]
pub struct Entry {
    at: Timestamp,
    request: uuid::Uuid,
    peer: Fingerprint,
    role: Option<Role>,
    route: &'static str,
    institution: Option<u64>,
    identity_check: Option<&'static str>,
    date: Option<Day>,
    /// What the pseudonym is made of; never written itself.
    person: Option<Vec<u8>>,
    outcome: &'static str,
    reason: Option<&'static str>,
    shown: usize,
    generation: Option<u64>,
}

#[derive(Serialize)]
struct Line<'a> {
    at: Timestamp,
    request: uuid::Uuid,
    peer: String,
    role: Option<&'a str>,
    route: &'a str,
    institution: Option<String>,
    identity_check: Option<&'a str>,
    date: Option<Day>,
    person: Option<String>,
    outcome: &'a str,
    reason: Option<&'a str>,
    shown: usize,
    generation: Option<u64>,
}

impl Entry {
    /// A record that knows no outcome yet.
    #[must_use]
    pub fn begin(route: &'static str, request: Request<'_>) -> Self {
        Self {
            at: request.now,
            request: request.id,
            peer: *request.peer.fingerprint(),
            role: request.peer.role(),
            route,
            institution: None,
            identity_check: None,
            date: None,
            person: None,
            outcome: "internal",
            reason: None,
            shown: 0,
            generation: None,
        }
    }

    /// Fills in what was decided.
    pub fn decided<T>(
        &mut self,
        entitled: &Entitled<'_>,
        found: &Found<Person<T>>,
        eligibility: &Eligibility<'_, T>,
        generation: u64,
    ) {
        self.institution = entitled.institution().map(|code| code.value());
        self.identity_check = entitled.identity_check().map(|check| check.word());
        self.date = Some(eligibility.date);
        self.person = Some(person(found, entitled.key()));
        self.outcome = eligibility.status.word();
        self.reason = eligibility.reason.map(|reason| reason.word());
        self.shown = eligibility.coverages.len() + eligibility.newer.as_ref().map_or(0, Vec::len);
        self.generation = Some(generation);
    }

    /// Fills in which person was named to whom, of which claim.
    pub fn named(
        &mut self,
        institution: Option<InstitutionCode>,
        person: Option<LinkNumber>,
        last_visit: Option<Day>,
        verdict: &'static str,
        shown: usize,
    ) {
        self.institution = institution.map(InstitutionCode::value);
        self.person = person.map(|link| [b"L".as_slice(), &link.value().to_be_bytes()].concat());
        self.date = last_visit;
        self.outcome = verdict;
        self.shown = shown;
    }

    /// Fills in why nothing was decided.
    pub const fn refused(&mut self, code: &'static str) {
        self.outcome = code;
    }

    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The line of the file, its end included.
    pub(super) fn to_line(&self, pseudonym: &hmac::Key) -> Vec<u8> {
        let line = Line {
            at: self.at,
            request: self.request,
            peer: self.peer.to_string(),
            role: self.role.map(Role::word),
            route: self.route,
            institution: self.institution.map(|code| format!("{code:010}")),
            identity_check: self.identity_check,
            date: self.date,
            person: self.person.as_deref().map(|person| hexadecimal(&hmac::sign(pseudonym, person))),
            outcome: self.outcome,
            reason: self.reason,
            shown: self.shown,
            generation: self.generation,
        };
        let mut octets = serde_json::to_vec(&line).unwrap_or_default();
        octets.push(b'\n');
        octets
    }
}

/// What identifies the person: the 紐付番号 where one is known, else what was asked by.
fn person<T>(found: &Found<Person<T>>, key: &Key<'_>) -> Vec<u8> {
    match (found, key) {
        (Found::One(person), _) => [b"L".as_slice(), &person.link_number.value().to_be_bytes()].concat(),
        (_, Key::Card(serial)) => [b"S".as_slice(), serial.octets()].concat(),
        (_, Key::Number(query)) => {
            let insurer = query.key.insurer().value().to_be_bytes();
            let birth = query.birth_date.number().to_be_bytes();
            [b"N".as_slice(), &insurer, &birth, query.key.spelled().as_bytes()].concat()
        }
    }
}

fn hexadecimal(tag: &hmac::Tag) -> String {
    tag.as_ref().iter().take(16).map(|octet| format!("{octet:02x}")).collect()
}
