//! The stream of a connection as the HTTP library sees it: of HTTP/1 nothing that the scanner has not
//! let pass, of HTTP/2 no flood of control frames, and of both a word to [`Traffic`] on what is
//! waited for.
//!
//! A request that is refused never reaches the library. In its place stands one that says nothing, by
//! its number known to whoever answers; so the refusal comes in its turn, behind the answers before it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::Frames;
use super::pace::Pace;
use super::scan::{Place, Refused, Scanner, TakesStream};
use super::traffic::{Ended, Traffic, Waiting};

/// What stands in the place of a refused request.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nhost: -\r\nconnection: close\r\n\r\n";
/// Octets read at once of a head that came in pieces, or of what nobody wants any more.
const PIECE: usize = 4096;
/// Octets read and thrown away before a connection is closed: a caller that is still sending would
/// lose the refusal otherwise, but shall not send for ever.
const THROWN_AWAY: usize = 4 * 1024 * 1024;

/// A stream, read strictly.
pub(super) struct Strict<S> {
    inner: S,
    traffic: Arc<Traffic>,
    pace: Pace,
    reader: Reader,
}

enum Reader {
    Http1(Http1),
    Http2(Frames),
}

/// What was read of HTTP/1 and is not handed on yet.
struct Http1 {
    scanner: Scanner,
    /// Octets that came in pieces; the first `passed` of them may go on.
    held: Vec<u8>,
    passed: usize,
    /// What is left of the stand-in of a refused request.
    stand_in: &'static [u8],
    end: End,
    thrown_away: usize,
}

/// Whether anything more is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    /// Nothing more goes on; the library is not told, so that it ends what it has begun.
    Deaf,
    /// A body broke off: the library is told that the stream has ended.
    Broken,
}

impl<S> Strict<S> {
    pub(super) fn http1(inner: S, traffic: Arc<Traffic>, pace: Pace, takes_stream: TakesStream) -> Self {
        let http1 = Http1 {
            scanner: Scanner::new(takes_stream),
            held: Vec::new(),
            passed: 0,
            stand_in: &[],
            end: End::Open,
            thrown_away: 0,
        };
        Self { inner, traffic, pace, reader: Reader::Http1(http1) }
    }

    pub(super) fn http2(inner: S, traffic: Arc<Traffic>, pace: Pace) -> Self {
        Self { inner, traffic, pace, reader: Reader::Http2(Frames::default()) }
    }

    /// What is read.
    pub(super) const fn inner(&self) -> &S {
        &self.inner
    }
}

impl Http1 {
    /// Looks at octets that follow those that have passed. Gives how many of them pass.
    fn look(&mut self, octets: &[u8], traffic: &Traffic) -> usize {
        let scan = self.scanner.scan(octets);
        match scan.refused {
            None if self.scanner.place() == Place::Ended => self.end = End::Deaf,
            None => {}
            Some(Refused::Head(refusal)) => {
                traffic.refuse(self.scanner.heads(), refusal);
                self.stand_in = STAND_IN;
                self.end = End::Deaf;
            }
            Some(Refused::Body) => self.end = End::Broken,
        }
        scan.passed
    }

    /// Whether the other side may still be sending what nobody reads.
    fn is_cut_short(&self) -> bool {
        self.end != End::Open || self.scanner.place() == Place::Body
    }

    fn waiting(&self) -> Waiting {
        match (self.end, self.scanner.place()) {
            (End::Open, Place::Body) => Waiting::Body,
            (End::Open, Place::Head) if !self.held.is_empty() => Waiting::Head,
            (End::Open, Place::Head) if self.scanner.heads() == 0 => Waiting::FirstByte,
            _ => Waiting::Request,
        }
    }

    /// Hands on what has passed and is not handed on yet.
    fn hand_on(&mut self, buf: &mut ReadBuf<'_>) {
        let count = self.passed.min(buf.remaining());
        buf.put_slice(self.held.get(..count).unwrap_or_default());
        self.held.drain(..count);
        self.passed -= count;
        if self.passed == 0 {
            let count = self.stand_in.len().min(buf.remaining());
            let (now, later) = self.stand_in.split_at_checked(count).unwrap_or_default();
            buf.put_slice(now);
            self.stand_in = later;
        }
    }

    /// Whether what comes next is a request that nothing of has come.
    fn is_between_requests(&self) -> bool {
        self.held.is_empty() && self.scanner.place() == Place::Head
    }

    fn read<S: AsyncRead + Unpin>(
        &mut self,
        inner: &mut S,
        (traffic, pace): (&Traffic, &mut Pace),
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.passed > 0 || !self.stand_in.is_empty() {
                self.hand_on(buf);
                return Poll::Ready(Ok(()));
            }
            match self.end {
                End::Open => {}
                End::Broken => return Poll::Ready(Ok(())),
                End::Deaf => return self.throw_away(inner, cx),
            }
            if self.is_between_requests() {
                ready!(pace.poll(cx));
            }
            let (before, heads) = (buf.filled().len(), self.scanner.heads());
            let came = if self.held.is_empty() {
                // As nearly all comes: looked at where the library will read it.
                self.read_in_place(inner, traffic, cx, buf)
            } else {
                self.read_piece(inner, traffic, cx)
            };
            if pace.take_stale(came.is_ready()) {
                traffic.refuse_next();
            }
            if self.scanner.heads() != heads {
                pace.asked();
            }
            match came {
                Poll::Pending => {
                    traffic.wait_for(self.waiting());
                    return Poll::Pending;
                }
                Poll::Ready(Ok(0)) => return Poll::Ready(Ok(())),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(_)) if buf.filled().len() > before => {
                    traffic.step();
                    return Poll::Ready(Ok(()));
                }
                // The beginning of a head: time goes on from its first octet.
                Poll::Ready(Ok(_)) => {}
            }
        }
    }

    /// Reads into the library's buffer and takes back what may not pass yet. Gives how many octets came.
    fn read_in_place<S: AsyncRead + Unpin>(
        &mut self,
        inner: &mut S,
        traffic: &Traffic,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        let before = buf.filled().len();
        ready!(Pin::new(inner).poll_read(cx, buf))?;
        let came = buf.filled().get(before..).unwrap_or_default();
        let (count, passed) = (came.len(), self.look(came, traffic));
        if self.end == End::Open {
            self.held.extend_from_slice(came.get(passed..).unwrap_or_default());
        }
        buf.set_filled(before + passed);
        Poll::Ready(Ok(count))
    }

    /// Reads behind what is held. Gives how many octets came.
    fn read_piece<S: AsyncRead + Unpin>(
        &mut self,
        inner: &mut S,
        traffic: &Traffic,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut piece = [0; PIECE];
        let mut piece = ReadBuf::new(&mut piece);
        ready!(Pin::new(inner).poll_read(cx, &mut piece))?;
        let count = piece.filled().len();
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(piece.filled());
        self.passed = self.look(&held, traffic);
        if self.end != End::Open {
            held.truncate(self.passed);
        }
        self.held = held;
        Poll::Ready(Ok(count))
    }

    /// Reads what nobody wants any more; ends with the stream, or when it has become too much.
    fn throw_away<S: AsyncRead + Unpin>(
        &mut self,
        inner: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let mut piece = [0; PIECE];
        while self.thrown_away < THROWN_AWAY {
            let mut piece = ReadBuf::new(&mut piece);
            ready!(Pin::new(&mut *inner).poll_read(cx, &mut piece))?;
            match piece.filled().len() {
                0 => return Poll::Ready(Ok(())),
                count => self.thrown_away += count,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Strict<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { inner, traffic, pace, reader } = self.get_mut();
        let frames = match reader {
            Reader::Http1(http1) => return http1.read(inner, (traffic, pace), cx, buf),
            Reader::Http2(frames) => frames,
        };
        ready!(pace.poll(cx));
        let before = buf.filled().len();
        let read = Pin::new(inner).poll_read(cx, buf);
        let is_stale = pace.take_stale(read.is_ready());
        ready!(read)?;
        let came = frames.see(buf.filled().get(before..).unwrap_or_default());
        traffic.wait_for(Waiting::Request);
        if came.asked {
            pace.asked();
            if is_stale {
                traffic.refuse_next();
            }
        }
        if came.flood {
            traffic.end(Ended::Flood);
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        if came.progress {
            traffic.step();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Strict<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.inner).poll_write(cx, octets);
        self.traffic.block(wrote.is_pending());
        wrote
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.inner).poll_write_vectored(cx, parts);
        self.traffic.block(wrote.is_pending());
        wrote
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        if flushed.is_pending() {
            self.traffic.block(true);
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { inner, traffic, reader, .. } = self.get_mut();
        traffic.wait_for(Waiting::Close);
        ready!(Pin::new(&mut *inner).poll_shutdown(cx))?;
        // Who is still sending hears why before the connection is gone.
        match reader {
            Reader::Http1(http1) if http1.is_cut_short() => http1.throw_away(inner, cx),
            _ => Poll::Ready(Ok(())),
        }
    }
}
