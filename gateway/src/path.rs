//! The path of one query, top to bottom.
//!
//! ```text
//! receive ─► parse ─► open ─► prove ─► spend ─► stand ─► entitle ─► find ─► decide ─► encode ─► record
//! (front)             └──────── cards only ─────────┘
//! ```
//!
//! Each step hands its value on and calls no other. Nothing here waits, reads a clock or knows a
//! socket: the whole path runs in a test or a bench. What is left to wait for is handed out: with the
//! reply its audit record, which must be written before the reply may leave; and before the reply, for
//! the few cards of which no list speaks, the question to the authority's responder; and what was known
//! at an instant, for the few who ask for that.

mod card;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eligibility::answer::{Answer, Card, Occasion};
use eligibility::day::Timestamp;
use eligibility::decision::{Status, decide};
use eligibility::number::InstitutionCode;
use eligibility::query::{CardQuery, NumberQuery};
use eligibility::wire::{Text, Wrong};
use pki::{OcspOutcome, Proven, TrustView, UnixTime};

use crate::audit::{Entry, Recording, Work};
use crate::challenge::ChallengeError;
use crate::config::CardProof;
use crate::desk::Desk;
use crate::entitle::Entitled;
use crate::misses::Account;
use crate::past::Past;
use crate::peer::Peer;
use crate::refusal::{Fresh, Refusal};
use crate::trust::{self, Asked, InForce};

/// Who asks, and when: what the front knows of a request.
#[derive(Clone, Copy)]
pub struct Request<'r> {
    /// The caller.
    pub peer: &'r Peer,
    /// Our id of the request.
    pub id: uuid::Uuid,
    /// Wall time at which it was received.
    pub now: Timestamp,
    /// The caller's id of its own trace (W3C `traceparent`).
    pub trace: Option<[u8; 16]>,
}

/// What leaves, once its record is written.
pub struct Reply {
    /// The answer as its wire has it, or why there is none.
    pub outcome: Result<Vec<u8>, Refusal>,
    /// The word for the outcome: a status or a problem's code.
    pub word: &'static str,
    /// The audit record on its way.
    pub recording: Recording,
}

/// What may leave once its record is written, which is left to the caller.
pub struct Unrecorded {
    /// The answer as its wire has it, or why there is none.
    pub outcome: Result<Vec<u8>, Refusal>,
    /// The word for the outcome.
    pub word: &'static str,
    /// What must be recorded first.
    pub entry: Entry,
}

/// What comes of a question by a card.
pub enum CardReply {
    /// The reply.
    Now(Reply),
    /// The slow branch: the responder has to be asked, and the reply is [`card_with_status`]'s.
    NeedsStatus(Box<NeedsStatus>),
}

impl CardReply {
    /// The reply, where there is nothing to wait for.
    #[must_use]
    pub fn now(self) -> Option<Reply> {
        match self {
            Self::Now(reply) => Some(reply),
            Self::NeedsStatus(_) => None,
        }
    }
}

/// A card that is proven, its challenge spent, of which the lists do not say whether it stands.
pub struct NeedsStatus {
    proven: Proven,
    trust: std::sync::Arc<InForce>,
    asked: Asked,
}

impl NeedsStatus {
    /// The question for the responder, and those who ask it.
    #[must_use]
    pub fn into_question(self) -> (Waiting, Asked) {
        (Waiting { proven: self.proven, trust: self.trust }, self.asked)
    }
}

/// The card while the responder is asked.
pub struct Waiting {
    proven: Proven,
    trust: std::sync::Arc<InForce>,
}

impl Waiting {
    /// What was in force when the card was proven.
    #[must_use]
    pub fn trust(&self) -> &InForce {
        &self.trust
    }
}

/// How an answer for this institution is written: as JSON, or as another wire has it.
pub type Encode<'e> = dyn Fn(&Answer<'_>, Option<InstitutionCode>) -> Vec<u8> + 'e;

/// The answer's own JSON.
#[must_use]
pub fn json(answer: &Answer<'_>, _: Option<InstitutionCode>) -> Vec<u8> {
    let mut json = Vec::with_capacity(1024);
    answer.write_to(&mut json);
    json
}

/// A question by a card, answered in JSON.
pub fn card(desk: &Desk, request: Request<'_>, body: &[u8]) -> CardReply {
    card_as(&json, desk, request, body)
}

/// A question by a card, answered as this wire has it.
pub fn card_as(encode: &Encode<'_>, desk: &Desk, request: Request<'_>, body: &[u8]) -> CardReply {
    let mut entry = Entry::question("card", Work::Desk, request);
    match by_card(encode, desk, request, body, &mut entry) {
        Ok(Step::Answered(encoded)) => CardReply::Now(finish(desk, Ok(encoded), entry)),
        Ok(Step::NeedsStatus(needs)) => CardReply::NeedsStatus(needs),
        Err(refusal) => CardReply::Now(finish(desk, Err(refusal), entry)),
    }
}

/// The same question once more, with what the responder said: from `stand` on.
pub fn card_with_status(
    encode: &Encode<'_>,
    desk: &Desk,
    request: Request<'_>,
    body: &[u8],
    waiting: Waiting,
    status: OcspOutcome,
) -> Reply {
    let mut entry = Entry::question("card", Work::Desk, request);
    let outcome = CardQuery::from_json(body)
        .map_err(Refusal::from)
        .and_then(|query| standing(encode, desk, request, &query, (waiting.proven, status), &mut entry));
    finish(desk, outcome, entry)
}

enum Step {
    Answered(Encoded),
    NeedsStatus(Box<NeedsStatus>),
}

/// A question by the numbers of an insured card, asked and answered in JSON.
pub fn number(desk: &Desk, request: Request<'_>, body: &[u8]) -> Reply {
    number_as(&json, desk, request, NumberQuery::from_json(body).map_err(Refusal::from))
}

/// A question by the numbers of an insured card, asked and answered as this wire has it. One that
/// could not be read is refused, and leaves its record too.
pub fn number_as(
    encode: &Encode<'_>,
    desk: &Desk,
    request: Request<'_>,
    query: Result<NumberQuery, Refusal>,
) -> Reply {
    let mut entry = Entry::question("number", Work::Desk, request);
    let outcome = query.and_then(|query| by_number(encode, desk, request, (&query, None), &mut entry));
    finish(desk, outcome, entry)
}

/// The slow branch: a question with `known_at`, answered in JSON from what was known at that instant.
pub fn number_then(
    desk: &Desk,
    request: Request<'_>,
    asked: Result<(NumberQuery, Option<&Past>), Refusal>,
) -> Reply {
    let mut entry = Entry::question("number", Work::Batch, request);
    let outcome = asked.and_then(|(query, past)| by_number(&json, desk, request, (&query, past), &mut entry));
    finish(desk, outcome, entry)
}

/// The same question in a batch: its record is left to the caller, who writes many as one group.
pub fn number_of_batch(
    desk: &Desk,
    request: Request<'_>,
    asked: Result<(NumberQuery, Option<&Past>), Refusal>,
) -> Unrecorded {
    of_batch(&json, desk, request, asked)
}

/// The same question in a batch, asked and answered as this wire has it.
pub fn number_of_batch_as(
    encode: &Encode<'_>,
    desk: &Desk,
    request: Request<'_>,
    query: Result<NumberQuery, Refusal>,
) -> Unrecorded {
    of_batch(encode, desk, request, query.map(|query| (query, None)))
}

fn of_batch(
    encode: &Encode<'_>,
    desk: &Desk,
    request: Request<'_>,
    asked: Result<(NumberQuery, Option<&Past>), Refusal>,
) -> Unrecorded {
    let mut entry = Entry::question("batch", Work::Batch, request);
    let outcome =
        asked.and_then(|(query, past)| by_number(encode, desk, request, (&query, past), &mut entry));
    let (outcome, word) = worded(outcome, &mut entry);
    Unrecorded { outcome, word, entry }
}

/// parse ─► open ─► prove ─► spend, and on where nothing has to be waited for.
fn by_card(
    encode: &Encode<'_>,
    desk: &Desk,
    request: Request<'_>,
    body: &[u8],
    entry: &mut Entry,
) -> Result<Step, Refusal> {
    let now = unix(request.now);
    let query = CardQuery::from_json(body)?;
    let certificate = base64("certificate", &query.certificate)?;
    let trust = desk.trust.in_force();
    let proven = match trust.proof {
        CardProof::Signature => signed(desk, &trust.view, request, &query, &certificate)?,
        CardProof::Certificate => {
            desk.trust.certificates().prove_without_possession(&trust.view, &certificate, now)?
        }
    };
    let linked = || cache_serial(&proven).is_some_and(|serial| desk.memory.owner(serial).is_some());
    match trust.status(&proven, &certificate, linked, now) {
        trust::Status::Settled(status) => {
            standing(encode, desk, request, &query, (proven, status), entry).map(Step::Answered)
        }
        trust::Status::Ask(asked) => Ok(Step::NeedsStatus(Box::new(NeedsStatus { proven, trust, asked }))),
    }
}

/// stand ─► entitle ─► find ─► decide ─► record ─► encode, by what is in force now.
fn standing(
    encode: &Encode<'_>,
    desk: &Desk,
    request: Request<'_>,
    query: &CardQuery<'_>,
    (proven, status): (Proven, OcspOutcome),
    entry: &mut Entry,
) -> Result<Encoded, Refusal> {
    let Request { peer, now, .. } = request;
    let trust = desk.trust.in_force();
    let (authority, not_before) = (proven.authority(), proven.not_before());
    let verified = pki::stand_with_answer(proven, &trust.view, unix(now), &trust.stand, status)?;
    desk.trust.count(authority, not_before, unix(now));
    let entitled = Entitled::by_card(&verified, query.identity_check, &query.circumstances, peer, now)?;
    let reference = query.circumstances.reference.as_deref();
    Ok(answer(encode, desk, &entitled, (Some(card::shown(&verified)), reference, None), now, entry))
}

fn by_number(
    encode: &Encode<'_>,
    desk: &Desk,
    request: Request<'_>,
    (query, past): (&NumberQuery, Option<&Past>),
    entry: &mut Entry,
) -> Result<Encoded, Refusal> {
    let Request { peer, now, .. } = request;
    entry.about(query);
    let entitled = Entitled::by_number(query, &desk.insurers, peer, now)?;
    let reference = query.circumstances.reference.as_deref();
    let account = Account::of(entitled.institution(), peer.fingerprint(), query.key.insurer(), entry.work());
    desk.misses.admit(account, now)?;
    // Whoever hands a question in has looked back before, or had no time for it.
    let past = query.known_at.map(|at| past.filter(|past| past.at() == at).ok_or(Refusal::Overloaded));
    let answered = answer(encode, desk, &entitled, (None, reference, past.transpose()?), now, entry);
    desk.misses.count(account, now, answered.word == Status::NotFound.word());
    Ok(answered)
}

/// open ─► prove ─► spend: the challenge is looked at before any signature, and spent only by a right one.
fn signed(
    desk: &Desk,
    trust: &TrustView,
    request: Request<'_>,
    query: &CardQuery<'_>,
    certificate: &[u8],
) -> Result<Proven, Refusal> {
    let needed = |text: &Option<Text<'_>>, field| {
        text.as_deref().map(str::to_owned).ok_or_else(|| Refusal::field(field, Wrong::Missing))
    };
    let challenge = needed(&query.challenge, "challenge")?;
    let signature = base64("signature", &needed(&query.signature, "signature")?)?;
    let challenges = &desk.challenges;
    let refused = |error: ChallengeError| {
        let fresh = challenges.issue(request.peer.fingerprint(), request.now);
        Refusal::challenge(error, fresh.map(|(challenge, expires_at)| Fresh { challenge, expires_at }))
    };
    let open = challenges.open(&challenge, request.peer.fingerprint(), request.now).map_err(refused)?;
    let proven = desk.trust.certificates().prove(
        trust,
        certificate,
        open.as_bytes(),
        &signature,
        unix(request.now),
    )?;
    challenges.spend(open).map_err(refused)?;
    Ok(proven)
}

struct Encoded {
    octets: Vec<u8>,
    word: &'static str,
}

/// find ─► decide ─► encode; the record is written while nobody has seen the answer.
fn answer(
    encode: &Encode<'_>,
    desk: &Desk,
    entitled: &Entitled<'_>,
    (card, reference, past): (Option<Card>, Option<&str>, Option<&Past>),
    now: Timestamp,
    entry: &mut Entry,
) -> Encoded {
    let memory = past.map_or_else(|| desk.memory.view(), Past::view);
    let generation = past.map_or_else(|| memory.generation(), Past::position);
    let found = memory.find(entitled.key());
    let found = found.map(|person| match past {
        Some(past) => past.protected(person),
        None => person,
    });
    let eligibility = decide(found.as_ref(), entitled.asked(), &|source| match past {
        None => desk.reach(&memory, source, now),
        Some(past) => past.reach(&desk.staleness, &memory, source),
    });
    entry.decided(entitled, &found, &eligibility, generation, reference);
    let known_at = past.map(Past::at);
    let occasion = Occasion { reference, card, generation, answered_at: now, known_at };
    let answer = Answer::of(&eligibility, occasion, &|insurer| desk.insurers.name(insurer));
    let octets = encode(&answer, entitled.institution());
    Encoded { octets, word: eligibility.status.word() }
}

fn finish(desk: &Desk, outcome: Result<Encoded, Refusal>, mut entry: Entry) -> Reply {
    let (outcome, word) = worded(outcome, &mut entry);
    Reply { outcome, word, recording: desk.audit.record(&entry) }
}

/// What is sent, and the word for it; a refusal is noted in the record.
fn worded(outcome: Result<Encoded, Refusal>, entry: &mut Entry) -> (Result<Vec<u8>, Refusal>, &'static str) {
    match outcome {
        Ok(Encoded { octets, word }) => (Ok(octets), word),
        Err(refusal) => {
            let word = refusal.problem().code;
            entry.refused(word);
            (Err(refusal), word)
        }
    }
}

fn base64(field: &'static str, text: &str) -> Result<Vec<u8>, Refusal> {
    STANDARD.decode(text).map_err(|_| Refusal::field(field, Wrong::Form))
}

const fn unix(now: Timestamp) -> UnixTime {
    UnixTime(now.millis().div_euclid(1000))
}

fn cache_serial(proven: &Proven) -> Option<eligibility::number::Serial> {
    eligibility::number::Serial::from_be_bytes(proven.serial().as_bytes())
}
