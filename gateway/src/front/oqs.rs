//! `POST /oqs/v1/{message}`: the messages of reception systems, by content type as XML or as JSON.
//!
//! Holds what HTTP has to do with them: media types, limits, which thread. A message that is refused is
//! answered with a message too, under the problem's HTTP status.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, ACCEPT_CHARSET, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use hyper::{Request, Response, StatusCode};

use super::asked::{guarded, limited, written};
use super::batch;
use super::body::{self, ReplyBody};
use super::routes::Head;
use crate::audit::{Entry, Work};
use crate::gateway::Gateway;
use crate::path::{self, CardReply, Reply};
use crate::peer::{Peer, Role};
use crate::refusal::Refusal;
use crate::wire::xml::{self, Charset, Element, Form, Message, Office, Style};

/// What leaves: octets or a refusal, and the word for it.
struct Answered {
    outcome: Result<Vec<u8>, Refusal>,
    word: &'static str,
    /// The message for the refusal.
    refusal: Vec<u8>,
}

/// Answers one message.
pub(super) async fn reply(
    head: &Head<'_>,
    name: &str,
    request: Request<Incoming>,
) -> (Response<ReplyBody>, &'static str) {
    let mut style = Style::xml(Charset::Utf8);
    let answered = match Message::named(name) {
        None => refused(head, style, Refusal::NoSuchRoute),
        Some(message) => match take(head, message, request, &mut style).await {
            Ok(answered) => answered,
            Err(refusal) => refused(head, style, refusal),
        },
    };
    let Answered { outcome, word, refusal } = answered;
    let kind = media_type(style);
    let response = match outcome {
        Ok(octets) => body::other(StatusCode::OK, kind, octets, head.id),
        Err(problem) => body::refused_as(&problem, kind, refusal, head.id),
    };
    (response, word)
}

const fn media_type(style: Style) -> &'static str {
    match (style.form, style.charset) {
        (Form::Json, _) => "application/json",
        (Form::Xml, Charset::Utf8) => "application/xml; charset=UTF-8",
        (Form::Xml, Charset::ShiftJis) => "application/xml; charset=Shift_JIS",
    }
}

/// What a request's header says of its body: how it is written, and the name of its encoding.
fn media(headers: &HeaderMap) -> Result<(Form, Option<String>), Refusal> {
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(Refusal::UnsupportedMediaType);
    }
    let named = headers.get(CONTENT_TYPE).map_or("application/xml", |value| value.to_str().unwrap_or("?"));
    let mut parts = named.split(';').map(str::trim);
    let form = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "application/xml" | "text/xml" => Form::Xml,
        "application/json" => Form::Json,
        _ => return Err(Refusal::UnsupportedMediaType),
    };
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_owned())
    });
    Ok((form, charset))
}

async fn take(
    head: &Head<'_>,
    message: Message,
    request: Request<Incoming>,
    style: &mut Style,
) -> Result<Answered, Refusal> {
    let (form, charset) = media(request.headers())?;
    style.form = form;
    let _admitted = head.admitted(Work::Desk)?;
    if !head.peer.has(Role::Reception) && !head.peer.has(Role::Review) {
        return Err(Refusal::Forbidden);
    }
    if message == Message::Face {
        return face(head, request, form, style).await;
    }
    let body = match message {
        Message::BulkQuery | Message::BulkRegister => {
            body::read(request.into_body(), batch::OCTETS, batch::WITHIN).await?
        }
        _ => limited(head, request).await?,
    };
    let body = Body { message, form, charset, octets: body };
    Ok(match message {
        Message::Query => query(head, &body, style).await,
        _ => in_bulk(head, body, style).await,
    })
}

/// A message as it was received.
struct Body {
    message: Message,
    form: Form,
    charset: Option<String>,
    octets: Bytes,
}

impl Body {
    fn text(&self, style: &mut Style) -> Result<Cow<'_, str>, Refusal> {
        let (text, charset) = xml::decode(&self.octets, self.charset.as_deref())?;
        match self.form {
            Form::Xml => style.charset = charset,
            Form::Json if charset == Charset::ShiftJis => return Err(xml::Broken::Encoding.into()),
            Form::Json => {}
        }
        Ok(text)
    }

    fn tree<'t>(&self, text: &'t str) -> Result<Element<'t>, Refusal> {
        let read = match self.form {
            Form::Xml => xml::from_xml(text),
            Form::Json => xml::from_json(text),
        };
        read.map_err(Refusal::from)
    }
}

fn office<'o>(gateway: &'o Gateway, request: path::Request<'o>, style: Style) -> Office<'o> {
    Office { desk: &gateway.desk, kept: &gateway.kept, request, style }
}

fn refused(head: &Head<'_>, style: Style, refusal: Refusal) -> Answered {
    let word = refusal.problem().code;
    let message = office(head.gateway, head.request(), style).refusal(None, &refusal);
    Answered { outcome: Err(refusal), word, refusal: message }
}

async fn query(head: &Head<'_>, body: &Body, style: &mut Style) -> Answered {
    let begun = head.gateway.load.begin();
    let asked = guarded(head, "number", || {
        let text = body.text(style);
        let tree = text.as_ref().map_err(Refusal::clone).and_then(|text| body.tree(text));
        let office = office(head.gateway, head.request(), *style);
        let reply = office.query(tree.as_ref().map_err(Refusal::clone));
        let refusal = reply.outcome.as_ref().err();
        let refusal = refusal.map(|refusal| office.refusal(tree.as_ref().ok(), refusal)).unwrap_or_default();
        (reply, refusal)
    });
    let (reply, refusal) = match asked {
        Ok(asked) => asked,
        Err(internal) => return refused(head, *style, internal),
    };
    let Reply { outcome, word, recording } = reply;
    let written = written(head, recording).await;
    drop(begun);
    if !written {
        return refused(head, *style, Refusal::Overloaded);
    }
    Answered { outcome, word, refusal }
}

/// What goes to disk, or is long: in the lower class, on threads that may wait.
async fn in_bulk(head: &Head<'_>, body: Body, style: &mut Style) -> Answered {
    let (gateway, peer) = (Arc::clone(head.gateway), Arc::clone(head.peer));
    let (request, mut wanted) = (Owned { peer, id: head.id, now: head.now, trace: head.trace }, *style);
    let mut answer = move |has_place| {
        let answered = on_disk(&gateway, &request, &body, &mut wanted, has_place);
        (answered, wanted)
    };
    let admitted = head.admitted(Work::Batch).is_ok();
    let done = match head.gateway.bulk.place().filter(|_| admitted) {
        Some(place) => place.run(move || answer(true)).await.map_err(drop),
        None => tokio::task::spawn_blocking(move || answer(false)).await.map_err(drop),
    };
    match done {
        Ok((answered, wanted)) => {
            *style = wanted;
            answered
        }
        Err(()) => {
            head.gateway.metrics.panics.inc();
            refused(head, *style, Refusal::Internal)
        }
    }
}

/// A request that goes to another thread.
struct Owned {
    peer: Arc<Peer>,
    id: uuid::Uuid,
    now: eligibility::day::Timestamp,
    trace: Option<[u8; 16]>,
}

impl Owned {
    fn request(&self) -> path::Request<'_> {
        path::Request { peer: &self.peer, id: self.id, now: self.now, trace: self.trace }
    }
}

fn on_disk(gateway: &Gateway, owned: &Owned, body: &Body, style: &mut Style, has_place: bool) -> Answered {
    let text = body.text(style);
    let office = office(gateway, owned.request(), *style);
    let tree = text.as_ref().map_err(Refusal::clone).and_then(|text| body.tree(text));
    let outcome = match (&tree, &text) {
        (Ok(root), Ok(text)) => match body.message {
            Message::Register => office.register(root),
            Message::BulkQuery | Message::BulkRegister => office.receive(body.message, root, text),
            _ if !has_place => Ok(office.under_way(root)),
            _ => office.fetch(body.message, root).map(|fetched| {
                fetched.words.iter().for_each(|word| gateway.metrics.batched(word));
                fetched.octets
            }),
        },
        (Err(refusal), _) | (_, Err(refusal)) => Err(refusal.clone()),
    };
    let mut entry =
        Entry::act(body.message.act().unwrap_or_default(), "treatment", Work::Batch, owned.request());
    entry.refused(outcome.as_ref().map_or_else(|refusal| refusal.problem().code, |_| "done"));
    let written = gateway.desk.audit.record(&entry).wait();
    let outcome = if written { outcome } else { Err(Refusal::Overloaded) };
    let word = outcome.as_ref().map_or_else(|refusal| refusal.problem().code, |_| "ok");
    let refusal = outcome.as_ref().err().map(|refusal| office.refusal(tree.as_ref().ok(), refusal));
    Answered { outcome, word, refusal: refusal.unwrap_or_default() }
}

/// The answer that a card reader would leave. It is asked for as JSON; the answer is XML unless
/// `Accept` names JSON, in the encoding that `Accept-Charset` names.
async fn face(
    head: &Head<'_>,
    request: Request<Incoming>,
    form: Form,
    style: &mut Style,
) -> Result<Answered, Refusal> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    style.form = if header(ACCEPT).starts_with("application/json") { Form::Json } else { Form::Xml };
    style.charset = Charset::named(header(ACCEPT_CHARSET)).unwrap_or_default();
    if form != Form::Json {
        return Err(Refusal::UnsupportedMediaType);
    }
    let json = limited(head, request).await?;
    let office = office(head.gateway, head.request(), *style);
    let reply = match guarded(head, "card", || office.face(&json))? {
        CardReply::Now(reply) => reply,
        CardReply::NeedsStatus(needs) => {
            let (waiting, question) = needs.into_question();
            let status =
                waiting.trust().ask(question, pki::UnixTime(head.now.millis().div_euclid(1000))).await;
            guarded(head, "card", || office.face_with_status(&json, waiting, status))?
        }
    };
    let Reply { outcome, word, recording } = reply;
    if !written(head, recording).await {
        return Err(Refusal::Overloaded);
    }
    let refusal = outcome.as_ref().err().map(|refusal| office.refusal(None, refusal)).unwrap_or_default();
    Ok(Answered { outcome, word, refusal })
}
