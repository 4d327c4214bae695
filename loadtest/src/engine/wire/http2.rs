//! HTTP/2 on a wire, one request at a time: requests are taken, and answers handed on, in the form
//! of HTTP/1.1, so that nothing else of the engine differs.
//!
//! The protocol itself is the `h2` crate's. It is polled whenever octets have come or a request goes
//! out, so it needs no runtime and no timers, and pace and clocks stay the worker's.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::RecvStream;
use h2::client::{Builder, Connection, ResponseFuture, SendRequest};
use http::{Request, Uri};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::outcome::Word;

/// Octets of answers that may be on their way: a batch's come in one piece.
const WINDOW: u32 = 1 << 20;

/// One side of a connection, without a socket.
pub(super) struct Http2 {
    octets: Octets,
    connection: Connection<Octets, Bytes>,
    sender: SendRequest<Bytes>,
    secure: bool,
    answer: Option<Answer>,
}

/// The answer that is waited for.
enum Answer {
    Head(ResponseFuture),
    Body(u16, RecvStream, Vec<u8>),
}

/// What has come and what is to go, in place of a socket.
#[derive(Clone, Default)]
struct Octets(Rc<RefCell<Waiting>>);

#[derive(Default)]
struct Waiting {
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
}

impl Http2 {
    /// Begins: what the protocol opens with waits in [`Http2::outgoing`].
    pub(super) fn start(secure: bool) -> Result<Self, Word> {
        let octets = Octets::default();
        let mut builder = Builder::new();
        builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW).enable_push(false);
        let mut shake = Box::pin(builder.handshake(octets.clone()));
        // Writing into memory never waits, so the first poll is the last.
        let Poll::Ready(Ok((sender, connection))) = shake.as_mut().poll(&mut idle()) else {
            return Err(Word::GARBLED);
        };
        Ok(Self { octets, connection, sender, secure, answer: None })
    }

    /// Takes what shall be sent.
    pub(super) fn outgoing(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.octets.0.borrow_mut().outgoing)
    }

    /// Asks what stands in this HTTP/1.1 request.
    pub(super) fn ask(&mut self, request: &[u8]) -> Result<(), Word> {
        let (head, body) = self.request(request).ok_or(Word::OTHER)?;
        let mut idle = idle();
        if self.sender.poll_ready(&mut idle).map_err(|_| Word::CLOSED)?.is_pending() {
            return Err(Word::CLOSED);
        }
        let (answer, mut stream) =
            self.sender.send_request(head, body.is_empty()).map_err(|_| Word::CLOSED)?;
        if !body.is_empty() {
            stream.send_data(body, true).map_err(|_| Word::CLOSED)?;
        }
        self.answer = Some(Answer::Head(answer));
        self.go_on()
    }

    fn request(&self, octets: &[u8]) -> Option<(Request<()>, Bytes)> {
        let mut fields = [httparse::EMPTY_HEADER; 8];
        let mut head = httparse::Request::new(&mut fields);
        let httparse::Status::Complete(length) = head.parse(octets).ok()? else { return None };
        let mut request = Request::builder().method(head.method?);
        let mut host = "";
        for field in head.headers.iter() {
            if field.name.eq_ignore_ascii_case("host") {
                host = std::str::from_utf8(field.value).ok()?;
            } else {
                request = request.header(field.name, field.value);
            }
        }
        let scheme = if self.secure { "https" } else { "http" };
        let uri = Uri::builder().scheme(scheme).authority(host).path_and_query(head.path?).build().ok()?;
        let body = Bytes::copy_from_slice(octets.get(length..)?);
        Some((request.uri(uri).body(()).ok()?, body))
    }

    /// Takes octets that have come; an answer that is whole goes into `answers`.
    pub(super) fn arrive(&mut self, octets: &[u8], answers: &mut Vec<u8>) -> Result<(), Word> {
        self.octets.0.borrow_mut().incoming.extend_from_slice(octets);
        self.go_on()?;
        self.read(answers)?;
        // Reading has made room, of which the other side is told.
        self.go_on()
    }

    fn go_on(&mut self) -> Result<(), Word> {
        match Pin::new(&mut self.connection).poll(&mut idle()) {
            Poll::Ready(_) => Err(Word::CLOSED),
            Poll::Pending => Ok(()),
        }
    }

    fn read(&mut self, answers: &mut Vec<u8>) -> Result<(), Word> {
        let mut idle = idle();
        if let Some(Answer::Head(head)) = &mut self.answer {
            let Poll::Ready(head) = Pin::new(head).poll(&mut idle) else { return Ok(()) };
            let (head, body) = head.map_err(|_| Word::CLOSED)?.into_parts();
            self.answer = Some(Answer::Body(head.status.as_u16(), body, Vec::new()));
        }
        let Some(Answer::Body(status, stream, body)) = &mut self.answer else { return Ok(()) };
        while let Poll::Ready(piece) = stream.poll_data(&mut idle) {
            let Some(piece) = piece else {
                let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n\r\n", body.len());
                answers.extend_from_slice(head.as_bytes());
                answers.append(body);
                self.answer = None;
                break;
            };
            let piece = piece.map_err(|_| Word::CLOSED)?;
            body.extend_from_slice(&piece);
            let _ = stream.flow_control().release_capacity(piece.len());
        }
        Ok(())
    }
}

/// Nobody is woken: whoever has new octets polls.
fn idle() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

impl AsyncRead for Octets {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let incoming = &mut self.0.borrow_mut().incoming;
        if incoming.is_empty() {
            return Poll::Pending;
        }
        let taken = incoming.len().min(into.remaining());
        into.put_slice(incoming.get(..taken).unwrap_or_default());
        incoming.drain(..taken);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Octets {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().outgoing.extend_from_slice(octets);
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
