//! One message in, one message out, over the desk and what is kept.
//!
//! Queries go the path of every query; here they are only read and written.

use std::cell::Cell;

use eligibility::answer::{Answer, CoverageShown};
use eligibility::my_number;
use eligibility::number::{Branch, InstitutionCode, InsurerNumber, NumberKey};
use eligibility::wire::Wrong;
use uuid::Uuid;

use super::Message;
use super::book::Origin;
use super::out::{Form, Out};
use super::read::{self, Request};
use super::tree::{self, Element};
use super::twin;
use super::write::{self, Count, End, Heading, QUERY, Sent, Style};
use crate::audit::{Entry, Work};
use crate::desk::Desk;
use crate::entitle;
use crate::kept::{CardOf, Kept, KeptError};
use crate::path::{self, CardReply, Reply, Unrecorded, Waiting};
use crate::refusal::Refusal;

/// Most items of one bulk message.
const ITEMS: usize = 10_000;
/// Items whose records are written together.
const GROUP: usize = 500;

/// The elements of a registration, in the order of its answer.
const REGISTRATION: [&str; 5] = [
    "ReferenceNumber",
    "InsurerNumber",
    "InsuredCardSymbol",
    "InsuredIdentificationNumber",
    "InsuredBranchNumber",
];

/// What a message is answered with.
#[derive(Clone, Copy)]
pub struct Office<'o> {
    /// Where queries are answered.
    pub desk: &'o Desk,
    /// What institutions left here.
    pub kept: &'o Kept,
    /// Who sent the message, and when.
    pub request: path::Request<'o>,
    /// How to write.
    pub style: Style,
}

/// What was fetched: the message, and the outcome of each item for the metrics.
pub struct Fetched {
    /// The message.
    pub octets: Vec<u8>,
    /// A word for each item.
    pub words: Vec<&'static str>,
}

impl Office<'_> {
    /// One query by number.
    #[must_use]
    pub fn query(&self, root: Result<&Element<'_>, Refusal>) -> Reply {
        let read = root.and_then(|root| {
            let asked = Request::of(root)?;
            let info = asked.query()?;
            let query = asked.number_query(info)?;
            Ok((asked, info, query))
        });
        let (asked, query) = match read {
            Ok((asked, info, query)) => (Some((asked, info)), Ok(query)),
            Err(refusal) => (None, Err(refusal)),
        };
        let encode = |answer: &Answer<'_>, institution| {
            let (asked, info) =
                (asked.as_ref().map(|(asked, _)| asked), asked.as_ref().map(|(_, info)| *info));
            let identifier = asked.and_then(|asked| asked.identifier);
            self.answer(answer, institution, identifier, Origin::Number, info)
        };
        path::number_as(&encode, self.desk, self.request, query)
    }

    /// One query by card, whose body is the JSON of a card query.
    #[must_use]
    pub fn face(&self, json: &[u8]) -> CardReply {
        path::card_as(
            &|answer, institution| self.read_by_card(answer, institution),
            self.desk,
            self.request,
            json,
        )
    }

    /// The same once more, with what the responder said.
    #[must_use]
    pub fn face_with_status(&self, json: &[u8], waiting: Waiting, status: pki::OcspOutcome) -> Reply {
        let encode = |answer: &Answer<'_>, institution| self.read_by_card(answer, institution);
        path::card_with_status(&encode, self.desk, self.request, json, waiting, status)
    }

    fn read_by_card(&self, answer: &Answer<'_>, institution: Option<InstitutionCode>) -> Vec<u8> {
        self.answer(answer, institution, answer.reference.as_deref(), Origin::Card, None)
    }

    fn answer(
        &self,
        answer: &Answer<'_>,
        institution: Option<InstitutionCode>,
        identifier: Option<&str>,
        origin: Origin,
        info: Option<&Element<'_>>,
    ) -> Vec<u8> {
        let sent = Sent { institution, identifier, origin, info };
        write::answer(self.style, answer, &sent, &|one| self.reference_of(institution, one))
    }

    /// The institution's own number for the person of a coverage that is shown.
    fn reference_of(&self, institution: Option<InstitutionCode>, one: &CoverageShown<'_>) -> Option<String> {
        let insurer = InsurerNumber::parse(&one.insurer_number).ok()?;
        let key = NumberKey::new(insurer, &one.symbol, &one.number);
        let branch = one.branch.as_deref().and_then(|branch| Branch::parse(branch).ok());
        self.kept.reference(CardOf::new(institution?, &key, branch))
    }

    /// One registration. Blocks.
    ///
    /// # Errors
    /// [`Refusal`] when it is not kept.
    pub fn register(&self, root: &Element<'_>) -> Result<Vec<u8>, Refusal> {
        let asked = Request::of(root)?;
        let institution = self.institution(&asked)?;
        let info = asked.registration()?;
        let (key, branch, number) = read::registration(info)?;
        self.kept.register(&[(CardOf::new(institution, &key, branch), number)]).map_err(failed)?;
        Ok(self.style.message(&self.heading(&asked, institution), &End::Done, None, |out| {
            write::echo(out, "ReferenceNumberRegistrationInfo", info, &REGISTRATION);
            write::refused(out, None);
        }))
    }

    /// A bulk message: it is kept until it is fetched; registrations count at once. Blocks.
    ///
    /// # Errors
    /// [`Refusal`] when it is not kept.
    pub fn receive(&self, message: Message, root: &Element<'_>, text: &str) -> Result<Vec<u8>, Refusal> {
        let asked = Request::of(root)?;
        let institution = self.institution(&asked)?;
        let (items, name) = match message {
            Message::BulkRegister => (asked.registrations(), "ReferenceNumberRegistrationInfo"),
            _ => (asked.queries(), "QualificationConfirmSearchInfo"),
        };
        match items.len() {
            0 => return Err(Refusal::field(name, Wrong::Missing)),
            1..=ITEMS => {}
            _ => return Err(Refusal::BodyTooLarge),
        }
        // It is kept as it was sent, with what no element of the tree holds.
        if my_number::is_hidden_in(text) {
            return Err(Refusal::MyNumberRefused { field: String::new() });
        }
        if message == Message::BulkRegister {
            let good = items.iter().filter_map(|info| read::registration(info).ok());
            let good: Vec<_> =
                good.map(|(key, branch, number)| (CardOf::new(institution, &key, branch), number)).collect();
            self.kept.register(&good).map_err(failed)?;
        }
        let received = self.kept.receive(institution, message.kind(), text, self.request.now);
        let count = Count { reception: received.map_err(failed)?, processed: None };
        Ok(self.style.message(&self.heading(&asked, institution), &End::Done, Some(&count), |_| {}))
    }

    /// What a bulk message comes to. Blocks.
    ///
    /// # Errors
    /// [`Refusal`], also where the number is not one of the institution's.
    pub fn fetch(&self, message: Message, root: &Element<'_>) -> Result<Fetched, Refusal> {
        let asked = Request::of(root)?;
        let institution = self.institution(&asked)?;
        let number = asked.reception()?;
        let waiting = self.kept.waiting(institution, number).map_err(failed)?;
        let unknown = || Refusal::field("ReceptionNumber", Wrong::NotInBook);
        let waiting = waiting.filter(|waiting| waiting.kind == message.kind()).ok_or_else(unknown)?;
        let kept = if waiting.body.starts_with('{') { twin::from_json } else { tree::from_xml };
        let kept = kept(&waiting.body).map_err(Refusal::from)?;
        let sent = Request::of(&kept)?;
        let (name, pieces) = match message {
            Message::BulkRegisterFetch => ("BulkRegistrationUnit", self.registered(&sent)),
            _ => ("BulkConfirmUnit", self.answered(&sent)?),
        };
        let well = pieces.iter().filter(|piece| piece.well).count();
        let count = Count { reception: number.to_owned(), processed: Some((pieces.len(), well)) };
        let (texts, words): (Vec<_>, Vec<_>) =
            pieces.into_iter().map(|piece| (piece.text, piece.word)).unzip();
        let octets =
            self.style.message(&self.heading(&asked, institution), &End::Done, Some(&count), |out| {
                out.repeated(name, &texts);
            });
        Ok(Fetched { octets, words })
    }

    /// That a bulk message cannot be looked at just now: to be fetched again.
    #[must_use]
    pub fn under_way(&self, root: &Element<'_>) -> Vec<u8> {
        let asked = Request::of(root).ok();
        let heading = self.heading_of(asked.as_ref(), None);
        let reception = asked.and_then(|asked| asked.reception().ok()).unwrap_or_default().to_owned();
        let count = Count { reception, processed: None };
        self.style.message(&heading, &End::UnderWay, Some(&count), |_| {})
    }

    fn registered(&self, sent: &Request<'_>) -> Vec<Piece> {
        let all = sent.registrations().into_iter().map(|info| {
            let refusal = read::registration(info).err();
            let mut out = Out::new(self.style.form);
            write::echo(&mut out, "ReferenceNumberRegistrationInfo", info, &REGISTRATION);
            write::refused(&mut out, refusal.as_ref());
            let word = refusal.as_ref().map_or("registered", |refusal| refusal.problem().code);
            Piece { text: out.into_text(), well: refusal.is_none(), word }
        });
        all.collect()
    }

    fn answered(&self, sent: &Request<'_>) -> Result<Vec<Piece>, Refusal> {
        if !self.desk.audit.admits(Work::Batch) {
            return Err(Refusal::Overloaded);
        }
        let mut pieces = Vec::new();
        for group in sent.queries().chunks(GROUP) {
            let (answered, entries): (Vec<_>, Vec<_>) =
                group.iter().map(|info| self.piece(sent, info)).unzip();
            if !self.desk.audit.record_all(&entries).wait() {
                return Err(Refusal::Overloaded);
            }
            pieces.extend(answered);
        }
        Ok(pieces)
    }

    fn piece(&self, sent: &Request<'_>, info: &Element<'_>) -> (Piece, Entry) {
        let begun = || {
            let mut out = Out::new(self.style.form);
            write::echo(&mut out, "QualificationConfirmSearchInfo", info, &QUERY);
            out
        };
        let well = Cell::new(false);
        let encode = |answer: &Answer<'_>, institution| {
            let mut out = begun();
            write::unit(&mut out, answer, &|one| self.reference_of(institution, one));
            well.set(answer.code.is_some());
            out.into_text().into_bytes()
        };
        let request = path::Request { id: Uuid::now_v7(), ..self.request };
        let Unrecorded { outcome, word, entry } =
            path::number_of_batch_as(&encode, self.desk, request, sent.number_query(info));
        let text = match outcome {
            Ok(text) => String::from_utf8(text).unwrap_or_default(),
            Err(refusal) => {
                let mut out = begun();
                write::refused(&mut out, Some(&refusal));
                out.into_text()
            }
        };
        (Piece { text, well: well.get(), word }, entry)
    }

    /// The message that says why there is no other.
    #[must_use]
    pub fn refusal(&self, root: Option<&Element<'_>>, refusal: &Refusal) -> Vec<u8> {
        let asked = root.and_then(|root| Request::of(root).ok());
        let heading = self.heading_of(asked.as_ref(), asked.as_ref().and_then(|asked| asked.institution));
        self.style.message(&heading, &End::Failed(refusal), None, |_| {})
    }

    fn institution(&self, asked: &Request<'_>) -> Result<InstitutionCode, Refusal> {
        entitle::institution(asked.institution, self.request.peer)?.ok_or(Refusal::Forbidden)
    }

    fn heading<'h>(&self, asked: &Request<'h>, institution: InstitutionCode) -> Heading<'h> {
        self.heading_of(Some(asked), Some(institution))
    }

    fn heading_of<'h>(
        &self,
        asked: Option<&Request<'h>>,
        institution: Option<InstitutionCode>,
    ) -> Heading<'h> {
        Heading {
            at: self.request.now,
            date: asked.and_then(|asked| asked.date),
            institution,
            identifier: asked.and_then(|asked| asked.identifier),
            origin: None,
        }
    }
}

/// What one item of a bulk message comes to.
struct Piece {
    text: String,
    well: bool,
    word: &'static str,
}

fn failed(error: KeptError) -> Refusal {
    if !matches!(error, KeptError::Full) {
        tracing::error!(%error, "what an institution left cannot be kept or read");
    }
    Refusal::Overloaded
}

impl Style {
    /// As a message of this encoding asks to be answered.
    #[must_use]
    pub const fn xml(charset: super::Charset) -> Self {
        Self { form: Form::Xml, charset }
    }

    /// The JSON twin.
    pub const JSON: Self = Self { form: Form::Json, charset: super::Charset::Utf8 };
}
