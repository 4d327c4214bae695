//! Reading request bodies within their limits of size and time, and writing replies.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER,
};
use hyper::{Request, Response, StatusCode};
use uuid::Uuid;

use super::traffic::Traffic;
use crate::clock::Clock;
use crate::config::Service;
use crate::jobs::api::Kind;
use crate::jobs::results::Stream;
use crate::refusal::Refusal;

/// The body of every reply: whole, or results as they are read.
pub(super) type ReplyBody = Either<Full<Bytes>, Stream>;

/// Octets of a reply that are handed over at once: over HTTP/2 the next are asked for when there is a
/// window for them, and not kept for a caller that gives none.
const PIECE: usize = 16 * 1024;

/// A reply's body that tells when its last octet has been handed over.
pub(super) struct Delivered {
    body: ReplyBody,
    /// Of the body, and not handed over yet.
    rest: Bytes,
    traffic: Arc<Traffic>,
}

impl Delivered {
    pub(super) const fn new(body: ReplyBody, traffic: Arc<Traffic>) -> Self {
        Self { body, rest: Bytes::new(), traffic }
    }
}

impl Drop for Delivered {
    fn drop(&mut self) {
        self.traffic.deliver();
    }
}

impl Body for Delivered {
    type Data = Bytes;
    type Error = <ReplyBody as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.rest.is_empty() {
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)?) else {
                return Poll::Ready(None);
            };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            }
        }
        // What is made while it is sent goes forward piece by piece.
        self.traffic.step();
        let piece = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut whole = SizeHint::new();
        whole.set_lower(hint.lower() + rest);
        hint.upper().into_iter().for_each(|upper| whole.set_upper(upper + rest));
        whole
    }
}

/// What kinds of body a route takes.
#[derive(Clone, Copy)]
pub(super) enum Media {
    /// `application/json`.
    Json,
    /// One JSON record a line, under any of the names in use; also without a name.
    Lines,
}

/// The media type that a request names, in small letters; refuses bodies that are compressed.
fn essence(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(Refusal::UnsupportedMediaType);
    }
    let named = headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
    Ok(named.map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()))
}

/// Which kind of claim file a body is said to be.
pub(super) fn claim_file(headers: &HeaderMap) -> Result<Kind, Refusal> {
    match essence(headers)?.as_deref() {
        Some("application/vnd.jp.uke") => Ok(Kind::Uke),
        Some("application/x-ndjson" | "application/ndjson" | "application/jsonl") => Ok(Kind::Ndjson),
        _ => Err(Refusal::UnsupportedMediaType),
    }
}

/// Refuses bodies that are compressed or of another kind.
pub(super) fn check_media(headers: &HeaderMap, media: Media) -> Result<(), Refusal> {
    let essence = essence(headers)?;
    let fits = match (media, essence.as_deref()) {
        (Media::Json, Some("application/json")) => true,
        (Media::Lines, kind) => matches!(
            kind,
            None | Some(
                "application/x-ndjson"
                    | "application/ndjson"
                    | "application/jsonl"
                    | "application/json"
                    | "application/octet-stream"
                    | "text/plain"
            )
        ),
        (Media::Json, _) => false,
    };
    if fits { Ok(()) } else { Err(Refusal::UnsupportedMediaType) }
}

/// Reads a whole body.
pub(super) async fn read(body: Incoming, octets: usize, within: Duration) -> Result<Bytes, Refusal> {
    if body.size_hint().lower() > octets as u64 {
        return Err(Refusal::BodyTooLarge);
    }
    let mut whole = std::pin::pin!(Limited::new(body, octets).collect());
    // Nearly all come with their head: for those no timer is set.
    let first = std::future::poll_fn(|cx| Poll::Ready(whole.as_mut().poll(cx))).await;
    let whole = match first {
        Poll::Ready(whole) => Ok(whole),
        Poll::Pending => tokio::time::timeout(within, whole).await,
    };
    match whole {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::BodyTooLarge),
        // Cut off or too slow: nobody waits for this answer any more.
        Ok(Err(_)) | Err(_) => Err(Refusal::Malformed { column: 0 }),
    }
}

/// A body that is read piece by piece, as long as it keeps coming.
pub(crate) struct Arriving {
    body: Incoming,
    silence: Duration,
    least: u64,
    octets: u64,
    waited: Duration,
}

/// Time that a body may dribble before it must have kept its pace.
const GRACE: Duration = Duration::from_secs(10);

impl Arriving {
    /// A body that may be silent for so long, and must bring so many octets a second on the whole.
    pub(crate) fn new(body: Incoming, service: &Service) -> Self {
        let silence = Duration::from_secs(service.chunk_seconds);
        let least = service.least_octets_per_second;
        Self { body, silence, least, octets: 0, waited: Duration::ZERO }
    }

    /// The next piece; `None` behind the last.
    ///
    /// # Errors
    /// [`Refusal`] when it breaks off, or comes too slowly. Only the time that we wait counts.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        const BROKEN: Refusal = Refusal::Malformed { column: 0 };
        let began = Clock::instant();
        let piece = match tokio::time::timeout(self.silence, self.body.frame()).await {
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) | Err(_) => return Err(BROKEN),
        };
        self.waited += began.elapsed();
        self.octets += piece.len() as u64;
        let due = self.waited.saturating_sub(GRACE).as_secs().saturating_mul(self.least);
        if self.octets < due { Err(BROKEN) } else { Ok(Some(piece)) }
    }
}

/// A reply with JSON.
pub(super) fn json(status: StatusCode, body: Vec<u8>, id: Uuid) -> Response<ReplyBody> {
    with_headers(status, "application/json", body, id)
}

/// A reply with JSON that is always the same.
pub(super) fn fixed(json: &'static [u8], id: Uuid) -> Response<ReplyBody> {
    headed(StatusCode::OK, "application/json", Either::Left(Full::new(Bytes::from_static(json))), id)
}

/// A reply with one JSON document a line.
pub(super) fn lines(status: StatusCode, body: Vec<u8>, id: Uuid) -> Response<ReplyBody> {
    with_headers(status, "application/x-ndjson", body, id)
}

/// A reply on a wire of its own media type.
pub(super) fn other(status: StatusCode, kind: &'static str, body: Vec<u8>, id: Uuid) -> Response<ReplyBody> {
    with_headers(status, kind, body, id)
}

/// A reply that refuses.
pub(super) fn refused(refusal: &Refusal, id: Uuid) -> Response<ReplyBody> {
    refused_as(refusal, "application/problem+json", refusal.to_json(), id)
}

/// Octets of a body that is read only so that the connection can go on behind a refusal.
const UNREAD: usize = 64 * 1024;
/// Time for them.
const UNREAD_WITHIN: Duration = Duration::from_millis(200);

/// A reply that refuses what nobody has looked at.
pub(super) async fn refused_unread(request: Request<Incoming>, refusal: &Refusal) -> Response<ReplyBody> {
    // What cannot be read to its end closes the connection.
    let _ = read(request.into_body(), UNREAD, UNREAD_WITHIN).await;
    refused(refusal, Uuid::now_v7())
}

/// A reply that refuses on a wire of its own media type.
pub(super) fn refused_as(
    refusal: &Refusal,
    kind: &'static str,
    body: Vec<u8>,
    id: Uuid,
) -> Response<ReplyBody> {
    let status = StatusCode::from_u16(refusal.problem().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = with_headers(status, kind, body, id);
    let jitter = id.as_bytes().last().copied().unwrap_or_default();
    if let Some(seconds) = refusal.retry_after(jitter) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Refusal::MethodNotAllowed { allow } = refusal {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    }
    response
}

/// A reply with results.
pub(super) fn results(kind: &'static str, stream: Stream, id: Uuid) -> Response<ReplyBody> {
    headed(StatusCode::OK, kind, Either::Right(stream), id)
}

/// A reply that sends the caller to another gateway.
pub(super) fn elsewhere(location: &str, id: Uuid) -> Response<ReplyBody> {
    let mut response = with_headers(StatusCode::TEMPORARY_REDIRECT, "application/json", b"{}".to_vec(), id);
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn with_headers(status: StatusCode, kind: &'static str, body: Vec<u8>, id: Uuid) -> Response<ReplyBody> {
    headed(status, kind, Either::Left(Full::new(Bytes::from(body))), id)
}

fn headed(status: StatusCode, kind: &'static str, body: ReplyBody, id: Uuid) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if status != StatusCode::NO_CONTENT {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let mut text = Uuid::encode_buffer();
    if let Ok(id) = HeaderValue::from_str(id.as_hyphenated().encode_lower(&mut text)) {
        headers.insert("request-id", id);
    }
    response
}
