//! One question to a responder over plain HTTP/1.1, octets in and octets out. OCSP answers are
//! signed; TLS would add nothing but another thing to fail.
//!
//! The deadline is the caller's, around all of it. Nothing is kept open between questions: few are
//! asked, and a connection left open is one more thing that hangs.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Longest answer read, in octets: one about one certificate has about 2 000.
const MOST_OCTETS: usize = 32 * 1024;

/// Where a responder listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    host: String,
    port: u16,
    /// Path and query.
    target: String,
}

/// Why no octets came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FetchError {
    /// Nobody listens there.
    #[error("no connection")]
    Connect,
    /// The connection broke, or it is no HTTP.
    #[error("no answer")]
    Broken,
    /// Another HTTP status than 200.
    #[error("HTTP status {0}")]
    Status(u16),
    /// Too long, or cut off.
    #[error("answer too long or cut off")]
    Body,
}

impl Address {
    /// Of a URL `http://host[:port]/path`; nothing of any other kind is one.
    #[must_use]
    pub fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let authority = uri.authority()?;
        let plain = uri.scheme_str() == Some("http") && !authority.as_str().contains('@');
        let host = authority.host().to_ascii_lowercase();
        let target = uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        (plain && !host.is_empty()).then(|| Self { host, port: authority.port_u16().unwrap_or(80), target })
    }

    /// The host, in small letters.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// Posts an OCSP request and gives what came back.
pub(super) async fn post(address: &Address, request: Vec<u8>) -> Result<Bytes, FetchError> {
    let Address { host, port, target } = address;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let socket = TcpStream::connect((bare, *port)).await.map_err(|_| FetchError::Connect)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.map_err(|_| FetchError::Broken)?;
    let request = Request::post(target.as_str())
        .header(HOST, format!("{host}:{port}"))
        .header(CONTENT_TYPE, "application/ocsp-request")
        .body(Full::new(Bytes::from(request)))
        .map_err(|_| FetchError::Broken)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|_| FetchError::Broken)?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), MOST_OCTETS).collect().await;
        body.map(|body| body.to_bytes()).map_err(|_| FetchError::Body)
    };
    // The connection is driven here and ends with this call, whichever way that goes.
    let (mut exchange, mut connection) = (std::pin::pin!(exchange), std::pin::pin!(connection));
    tokio::select! {
        outcome = exchange.as_mut() => outcome,
        _ = connection.as_mut() => exchange.await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_urls_are_addresses() {
        let address = Address::parse("http://OCSP.example:8080/a?b").unwrap();
        assert_eq!((address.host(), address.port, address.target.as_str()), ("ocsp.example", 8080, "/a?b"));
        assert_eq!(Address::parse("http://ocsp.example").unwrap().target, "/");
        assert_eq!(Address::parse("http://[::1]:80/").unwrap().port, 80);
        for wrong in
            ["", "ocsp.example", "https://ocsp.example/", "ldap://a/", "http://", "/a", "http://u@h/"]
        {
            assert_eq!(Address::parse(wrong), None, "{wrong}");
        }
    }
}
