//! What is to be recorded of one answer or act, gathered while it is made.
//!
//! To record something new: begin an [`Entry`] with a route, a purpose and a class of [`Work`] (new words
//! go into the table of words), say what is known, and hand it to the audit.

use cache::Key;
use eligibility::coverage::{Person, Written};
use eligibility::day::{Day, Timestamp};
use eligibility::decision::{Eligibility, Found};
use eligibility::number::{InstitutionCode, InsurerNumber, LinkNumber, NumberKey};
use eligibility::query::NumberQuery;
use uuid::Uuid;

use super::class::{Class, Work};
use super::confirmation::Confirmation;
use super::exported::RECORDED_AS;
use super::key::Keys;
use super::record::{Mark, Record, Word};
use crate::entitle::Entitled;
use crate::path::Request;
use crate::peer::Role;

/// One record in the making.
#[derive(Clone)]
pub struct Entry {
    record: Record,
    class: Class,
    work: Work,
    /// What the pseudonyms are made of; never written itself.
    person: Option<Vec<u8>>,
    named: Option<Vec<u8>>,
    /// A pseudonym that was made before, and its key.
    marked: Option<(u32, Mark)>,
    confirmation: Option<Confirmation>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({:?}, …)", self.record.route.text())
    }
}

impl Entry {
    /// A question of a desk or a reviewer, its outcome not known yet.
    #[must_use]
    pub fn question(route: &'static str, work: Work, request: Request<'_>) -> Self {
        let for_review = request.peer.has(Role::Review) && !request.peer.has(Role::Reception);
        let purpose = if for_review { "claims review" } else { "treatment" };
        Self::begin(Class::Answers, work, route, purpose, request)
    }

    /// Something done, or looked at, that is no question; its outcome not known yet.
    #[must_use]
    pub fn act(route: &'static str, purpose: &'static str, work: Work, request: Request<'_>) -> Self {
        Self::begin(Class::Acts, work, route, purpose, request)
    }

    fn begin(class: Class, work: Work, route: &str, purpose: &str, request: Request<'_>) -> Self {
        let mut record = Record {
            at: request.now,
            request: request.id.as_u128(),
            trace: Mark(request.trace.unwrap_or_default()),
            peer: Mark(request.peer.fingerprint().as_bytes().first_chunk().copied().unwrap_or_default()),
            role: Word::of(request.peer.role().map(Role::word)),
            route: Word::of(Some(route)),
            purpose: Word::of(Some(purpose)),
            outcome: Word::of(Some("internal")),
            ..Record::default()
        };
        record.ask_about(None);
        Self { record, class, work, person: None, named: None, marked: None, confirmation: None }
    }

    /// Records given out to a user of this machine: of an institution, or of a person known by an insurer.
    pub(super) fn by_user(
        user: u32,
        (at, id): (Timestamp, Uuid),
        institution: u64,
        (insurer, marked): (u32, Option<(u32, Mark)>),
    ) -> Self {
        let mut peer = [0; 16];
        if let Some(end) = peer.last_chunk_mut() {
            *end = user.to_be_bytes();
        }
        let mut record = Record {
            at,
            request: id.as_u128(),
            peer: Mark(peer),
            role: Word::of(Some(Role::Operator.word())),
            route: Word::of(Some("export")),
            purpose: Word::of(Some("disclosure")),
            outcome: Word::of(Some("done")),
            institution,
            insurer,
            ..Record::default()
        };
        record.ask_about(None);
        let (class, work) = RECORDED_AS;
        Self { record, class, work, person: None, named: None, marked, confirmation: None }
    }

    /// Says what came of it.
    #[must_use]
    pub fn outcome(mut self, word: &'static str) -> Self {
        self.refused(word);
        self
    }

    /// Says for which institution.
    #[must_use]
    pub fn institution(mut self, code: InstitutionCode) -> Self {
        self.record.institution = code.value();
        self
    }

    /// Says which insurer is asked, or acts.
    #[must_use]
    pub fn insurer(mut self, number: InsurerNumber) -> Self {
        self.record.insurer = number.value();
        self
    }

    /// Says which day is asked about.
    #[must_use]
    pub fn date(mut self, day: Day) -> Self {
        self.record.ask_about(Some(day));
        self
    }

    /// Says who the person is.
    pub fn is_person(&mut self, link_number: LinkNumber) {
        self.person = Some(by_link(link_number));
    }

    /// Says by which numbers the person was named.
    pub fn about(&mut self, query: &NumberQuery) {
        self.record.insurer = query.key.insurer().value();
        self.named = Some(by_number(&query.key, query.birth_date));
    }

    /// Says how many coverages were shown.
    #[must_use]
    pub fn shown(mut self, count: usize) -> Self {
        self.record.shown = u16::try_from(count).unwrap_or(u16::MAX);
        self
    }

    /// Fills in what was decided of a question.
    pub(crate) fn decided<T: Written>(
        &mut self,
        entitled: &Entitled<'_>,
        found: &Found<Person<T>>,
        eligibility: &Eligibility<'_, T>,
        generation: u64,
        reference: Option<&str>,
    ) {
        let shown = eligibility.coverages.len() + eligibility.newer.as_ref().map_or(0, Vec::len);
        self.record.institution = entitled.institution().map_or(0, |code| code.value());
        self.record.identity_check = Word::of(entitled.identity_check().map(|check| check.word()));
        self.record.ask_about(Some(eligibility.date));
        self.record.outcome = Word::of(Some(eligibility.status.word()));
        self.record.reason = Word::of(eligibility.reason.map(|reason| reason.word()));
        self.record.shown = u16::try_from(shown).unwrap_or(u16::MAX);
        self.record.generation = generation;
        self.person = match (found, entitled.key()) {
            (Found::One(person), _) => Some(by_link(person.link_number)),
            (_, Key::Card(serial)) => Some([b"S".as_slice(), serial.octets()].concat()),
            (_, Key::Number(_)) => None,
        };
        let first = eligibility.coverages.first();
        self.named = match (entitled.key(), first) {
            // Said when it was asked.
            (Key::Number(_), _) if self.named.is_some() => self.named.take(),
            (Key::Number(query), _) => Some(by_number(&query.key, query.birth_date)),
            (Key::Card(_), Some(shown)) => {
                Some(by_number(&shown.coverage.key(shown.insurer), shown.member.birth_date))
            }
            (Key::Card(_), None) => None,
        };
        self.record.insurer = match (entitled.key(), first) {
            (Key::Number(query), _) => query.key.insurer().value(),
            (Key::Card(_), first) => first.map_or(0, |shown| shown.insurer.value()),
        };
        let route = self.record.route.text().unwrap_or_default();
        self.confirmation = entitled.institution().map(|institution| {
            let at = (self.record.at, self.record.request);
            Confirmation::of(institution, at, route, entitled.key(), eligibility, reference)
        });
    }

    /// Fills in why nothing was decided.
    pub fn refused(&mut self, code: &'static str) {
        self.record.outcome = Word::of(Some(code));
    }

    /// The class of work it is part of.
    #[must_use]
    pub const fn work(&self) -> Work {
        self.work
    }

    pub(super) const fn class(&self) -> Class {
        self.class
    }

    /// The record as it is written, persons under their pseudonyms.
    pub(super) fn sealed_by(&self, keys: &Keys) -> Record {
        let mark = |person: &Option<Vec<u8>>| {
            person.as_deref().and_then(|person| keys.pseudonym(person)).map(|(id, mark)| (id.0, Mark(mark)))
        };
        let (person, named) = (mark(&self.person), mark(&self.named).or(self.marked));
        Record {
            person: person.map_or(Mark::default(), |(_, mark)| mark),
            named: named.map_or(Mark::default(), |(_, mark)| mark),
            pseudonym_key: person.or(named).map_or(0, |(id, _)| id),
            ..self.record
        }
    }

    pub(super) const fn confirmation(&self) -> Option<&Confirmation> {
        self.confirmation.as_ref()
    }
}

fn by_link(link_number: LinkNumber) -> Vec<u8> {
    [b"L".as_slice(), &link_number.value().to_be_bytes()].concat()
}

/// What names a person on paper, without the symbol, which a person who asks may not have at hand.
pub(super) fn by_number(key: &NumberKey, birth_date: Day) -> Vec<u8> {
    let number = key.spelled().rsplit('\u{1F}').next().unwrap_or_default();
    let (insurer, birth) = (key.insurer().value().to_be_bytes(), birth_date.number().to_be_bytes());
    [b"N".as_slice(), &insurer, &birth, number.as_bytes()].concat()
}
