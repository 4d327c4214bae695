//! The little of HTTP/1.1 that a client needs: requests as octets, responses as they arrive.

use std::borrow::Cow;

/// Most header fields of a response.
const FIELDS: usize = 64;

/// Writes a request with a body.
#[must_use]
pub fn post(host: &str, path: &str, media: &str, body: &[u8]) -> Vec<u8> {
    let mut request = post_head(host, path, media, body.len());
    request.extend_from_slice(body);
    request
}

/// Writes the head of a request whose body has this length.
#[must_use]
pub fn post_head(host: &str, path: &str, media: &str, length: usize) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: {media}\r\ncontent-length: {length}\r\n\r\n"
    )
    .into_bytes()
}

/// Writes a request without a body.
#[must_use]
pub fn get(host: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n").into_bytes()
}

/// A whole response.
#[derive(Debug, PartialEq, Eq)]
pub struct Response<'b> {
    /// Status code.
    pub status: u16,
    /// Body, chunks joined.
    pub body: Cow<'b, [u8]>,
    /// Whether the connection stays open.
    pub keeps: bool,
    /// Octets it took of the buffer.
    pub length: usize,
}

/// What arrived is no HTTP/1.1 response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an HTTP/1.1 response")]
pub struct Garbled;

/// Reads a response from the start of what arrived; `None` while some of it is missing.
///
/// # Errors
/// [`Garbled`], also for bodies that end with the connection: they could not be told from cut ones.
pub fn response(arrived: &[u8]) -> Result<Option<Response<'_>>, Garbled> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut head = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(start) = head.parse(arrived).map_err(|_| Garbled)? else {
        return Ok(None);
    };
    let status = head.code.ok_or(Garbled)?;
    let mut length = None;
    let mut chunked = false;
    let mut keeps = head.version == Some(1);
    for field in head.headers.iter() {
        if field.name.eq_ignore_ascii_case("content-length") {
            length = Some(
                std::str::from_utf8(field.value).ok().and_then(|text| text.parse().ok()).ok_or(Garbled)?,
            );
        } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = field.value.eq_ignore_ascii_case(b"chunked");
        } else if field.name.eq_ignore_ascii_case("connection") {
            keeps &= !field.value.eq_ignore_ascii_case(b"close");
        }
    }
    let rest = arrived.get(start..).unwrap_or_default();
    if chunked {
        let Some((body, used)) = chunks(rest)? else { return Ok(None) };
        return Ok(Some(Response { status, body: Cow::Owned(body), keeps, length: start + used }));
    }
    let length: usize = match length {
        Some(length) => length,
        None if matches!(status, 204 | 304) => 0,
        None => return Err(Garbled),
    };
    let Some(body) = rest.get(..length) else { return Ok(None) };
    Ok(Some(Response { status, body: Cow::Borrowed(body), keeps, length: start + length }))
}

/// The joined chunks and the octets they took.
fn chunks(rest: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Garbled> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let here = rest.get(at..).unwrap_or_default();
        let size = httparse::parse_chunk_size(here).map_err(|_| Garbled)?;
        let httparse::Status::Complete((line, size)) = size else { return Ok(None) };
        let size = usize::try_from(size).map_err(|_| Garbled)?;
        let Some(chunk) = here.get(line..line + size) else { return Ok(None) };
        match here.get(line + size..line + size + 2) {
            Some(b"\r\n") => {}
            Some(_) => return Err(Garbled),
            None => return Ok(None),
        }
        body.extend_from_slice(chunk);
        at += line + size + 2;
        if size == 0 {
            return Ok(Some((body, at)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fed octet by octet, a response is there with its last octet and not before.
    fn at_its_end(text: &str) -> Response<'_> {
        for end in 0..text.len() {
            assert_eq!(response(&text.as_bytes()[..end]), Ok(None), "{end}");
        }
        response(text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn responses_end_where_they_end() {
        let plain = at_its_end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        assert_eq!((plain.status, &*plain.body, plain.keeps), (200, &b"hello"[..], true));
        let chunked = at_its_end(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n5;x=1\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
        );
        assert_eq!((&*chunked.body, chunked.keeps), (&b"hello!"[..], false));
        let none = at_its_end("HTTP/1.1 204 No Content\r\n\r\n");
        assert!(none.body.is_empty());
        let two = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nxHTTP/1.1";
        assert_eq!(response(two.as_bytes()).unwrap().unwrap().length, two.len() - 8);
    }

    #[test]
    fn what_is_no_response_is_garbled() {
        for text in [
            "SSH-2.0-OpenSSH\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n",
        ] {
            assert_eq!(response(text.as_bytes()), Err(Garbled), "{text}");
        }
    }
}
