//! The operator's listener: plain HTTP on its own thread, so that it answers when the desks' does not.

mod status;

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, VARY};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};

use crate::gateway::{Gateway, Phase, Starting};

/// Longest time for the head of a request.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// Starts the thread. It lives as long as the process. Until the gateway has started its answers say so.
///
/// # Errors
/// When no thread can be made.
pub fn start(listener: TcpListener, gateway: Starting) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new()
        .name("admin".to_owned())
        .spawn(move || runtime.block_on(accept(listener, gateway)))?;
    Ok(())
}

async fn accept(listener: TcpListener, gateway: Starting) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let gateway = Arc::clone(&gateway);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let html = wants_html(request.headers());
                let reply = reply(request.method(), request.uri().path(), html, gateway.get());
                async move { Ok::<_, Infallible>(reply) }
            });
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
            let _ = builder.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

/// Whether a person asks: a browser names HTML, and programs that want JSON do not.
fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|kind| kind.split(';').next().unwrap_or_default().trim() == "text/html")
}

fn reply(method: &Method, path: &str, html: bool, gateway: Option<&Arc<Gateway>>) -> Response<Full<Bytes>> {
    const TEXT: &str = "text/plain; charset=utf-8";
    if !matches!(path, "/livez" | "/readyz" | "/metrics" | "/status") {
        let paths = "there are /livez, /readyz, /metrics and /status\n";
        return response(StatusCode::NOT_FOUND, TEXT, paths.into());
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut response = response(StatusCode::METHOD_NOT_ALLOWED, TEXT, "allowed here: GET\n".into());
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        return response;
    }
    let starting = || response(StatusCode::SERVICE_UNAVAILABLE, TEXT, "starting\n".into());
    match (path, gateway) {
        ("/livez", _) => response(StatusCode::OK, TEXT, "ok\n".into()),
        (_, None) => starting(),
        ("/readyz", Some(gateway)) => match gateway.phase() {
            Phase::Serving => response(StatusCode::OK, TEXT, "ready\n".into()),
            Phase::Draining => response(StatusCode::SERVICE_UNAVAILABLE, TEXT, "draining\n".into()),
        },
        ("/metrics", Some(gateway)) => {
            let text = gateway.metrics.text(gateway, gateway.clock.now());
            response(StatusCode::OK, "text/plain; version=0.0.4", text)
        }
        (_, Some(gateway)) => {
            let now = gateway.clock.now();
            let mut response = if html {
                response(StatusCode::OK, "text/html; charset=utf-8", status::page(gateway, now))
            } else {
                response(StatusCode::OK, "application/json", status::json(gateway, now))
            };
            response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
            response
        }
    }
}

fn response(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
