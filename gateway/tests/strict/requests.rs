//! Requests that are refused before anything behind the front has seen them: with words, and by
//! closing the connection.

use std::io::{Read, Write};
use std::sync::LazyLock;
use std::time::Duration;

use crate::exchange;
use crate::world::World;
use crate::world::client::Reply;

static WORLD: LazyLock<World> = LazyLock::new(|| World::started(60));

const QUERY: &str =
    r#"{"insurer_number":"06132013","symbol":"12-34","number":"567","birth_date":"1980-02-03"}"#;

fn query(fields: &str) -> String {
    format!(
        "POST /v1/eligibility/number HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{fields}\r\n{QUERY}"
    )
}

/// Every reply on one connection.
fn replies(octets: &[u8]) -> Vec<Reply> {
    let (mut rest, _) = exchange(&mut WORLD.client("reception").connect().unwrap(), octets);
    let mut replies = Vec::new();
    while let Some(mut reply) = Reply::parse(&rest) {
        let length = reply.header("content-length").unwrap().parse().unwrap();
        rest = reply.body.split_off(length);
        replies.push(reply);
    }
    assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    replies
}

fn words(octets: &str) -> Vec<String> {
    replies(octets.as_bytes()).iter().map(|reply| format!("{} {}", reply.status, reply.word())).collect()
}

#[test]
fn what_could_be_read_in_two_ways_is_refused_and_nothing_behind_it_is_read() {
    let length = QUERY.len();
    let smuggled = "GET /v1/feeds HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for fields in [
        format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n"),
        format!("transfer-encoding: chunked\r\ncontent-length: {length}\r\n"),
        format!("content-length: {length}\r\ncontent-length: {length}\r\n"),
        format!("content-length: {length}\r\nContent-Length: 0\r\n"),
        format!("content-length: {length}, {length}\r\n"),
        format!("content-length: +{length}\r\n"),
        format!("content-length: {length}\r\nx: a\r\n b\r\n"),
        format!("content-length: {length}\nx: a\r\n"),
        format!("content-length : {length}\r\n"),
        format!("content-length: {length}\r\nhost: b\r\n"),
        format!("content-length: {length}\r\nx: a\0b\r\n"),
        "transfer-encoding: identity\r\n".to_owned(),
        "transfer-encoding: xchunked\r\n".to_owned(),
        "transfer-encoding: gzip, chunked\r\n".to_owned(),
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n".to_owned(),
    ] {
        let octets = format!("{}{smuggled}", query(&fields));
        assert_eq!(words(&octets), ["400 malformed"], "{fields:?}");
    }
    for line in [
        "GET http://a/openapi.json HTTP/1.1",
        "GET * HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "CONNECT a:443 HTTP/1.1",
        "GET /openapi.json\0 HTTP/1.1",
        "GET /\u{3042} HTTP/1.1",
        "GET /openapi.json HTTP/3.0",
        "GET  /openapi.json HTTP/1.1",
    ] {
        assert_eq!(
            words(&format!("{line}\r\nhost: localhost\r\n\r\n{smuggled}")),
            ["400 malformed"],
            "{line:?}"
        );
    }
    assert_eq!(words("GET /openapi.json HTTP/1.1\nhost: localhost\n\n"), ["400 malformed"]);
    assert_eq!(words("GET /openapi.json HTTP/1.1\r\n\r\n"), ["400 malformed"], "no host");
}

#[test]
fn a_refusal_is_as_any_other_and_comes_in_its_turn() {
    let good = query(&format!("content-length: {}\r\n", QUERY.len()));
    let both = format!("content-length: {}\r\ntransfer-encoding: chunked\r\n", QUERY.len());
    let all = replies(format!("{good}{good}{}{good}", query(&both)).as_bytes());
    let said: Vec<_> = all.iter().map(|reply| (reply.status, reply.word())).collect();
    let valid = || (200, "valid".to_owned());
    assert_eq!(said, [valid(), valid(), (400, "malformed".to_owned())]);
    let refusal = &all[2];
    assert_eq!(refusal.header("cache-control"), Some("no-store"));
    assert_eq!(refusal.header("content-type"), Some("application/problem+json"));
    assert_eq!(refusal.header("connection"), Some("close"));
    assert!(refusal.header("request-id").is_some());
    assert!(refusal.json()["advice"]["vendor"].as_str().unwrap().contains("Content-Length"));
    assert!(WORLD.log().contains("refused by its head"));
    // Nobody else can ask for what stands in the place of a refused request.
    assert_eq!(words("GET / HTTP/1.1\r\nhost: -\r\nconnection: close\r\n\r\n"), ["421 misdirected"]);
}

#[test]
fn sizes_are_refused_with_words_up_to_any_size() {
    let target = |length: usize| {
        words(&format!(
            "GET /{} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
            "a".repeat(length - 1)
        ))
    };
    assert_eq!(target(1023), ["404 no_such_route"]);
    assert_eq!(target(1024), ["404 no_such_route"]);
    assert_eq!(target(1025), ["414 uri_too_long"]);
    assert_eq!(target(102_400), ["414 uri_too_long"]);
    let fields = |count: usize| {
        let fields: String = (2..count).map(|at| format!("x-{at}: 1\r\n")).collect();
        words(&format!("GET /v1/x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{fields}\r\n"))
    };
    assert_eq!(fields(63), ["404 no_such_route"]);
    assert_eq!(fields(64), ["404 no_such_route"]);
    assert_eq!(fields(65), ["431 headers_too_large"]);
    assert_eq!(fields(6400), ["431 headers_too_large"]);
    let octets = |length: usize| {
        let head = "GET /v1/x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx: ";
        words(&format!("{head}{}\r\n\r\n", "a".repeat(length - head.len() - 4)))
    };
    assert_eq!(octets(16 * 1024 - 1), ["404 no_such_route"]);
    assert_eq!(octets(16 * 1024), ["404 no_such_route"]);
    assert_eq!(octets(16 * 1024 + 1), ["431 headers_too_large"]);
    assert_eq!(octets(1_600_000), ["431 headers_too_large"]);
}

#[test]
fn bodies_have_a_length_and_no_compression() {
    let chunked = |path: &str, kind: &str, body: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        )
    };
    let json = "application/json";
    for path in ["/v1/eligibility/number", "/v1/eligibility/card", "/v1/challenges", "/v1/links", "/v1/none"]
    {
        assert_eq!(words(&chunked(path, json, QUERY)), ["411 length_required"], "{path}");
    }
    // Where a body is streamed it is taken, and is the last on its connection.
    let batch = chunked("/v1/eligibility/batch", "application/x-ndjson", QUERY);
    let smuggled = "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let (read, _) =
        exchange(&mut WORLD.client("reception").connect().unwrap(), format!("{batch}{smuggled}").as_bytes());
    let reply = Reply::parse(&read).unwrap();
    assert_eq!((reply.status, reply.header("connection")), (200, Some("close")));
    assert_eq!(String::from_utf8_lossy(&read).matches("HTTP/1.1").count(), 1);
    for broken in ["3;x=y\r\n{}\n\r\n0\r\n\r\n", "3\r\n{}\n\r\n0\r\nx: y\r\n\r\n", "zz\r\n"] {
        let head =
            "POST /v1/eligibility/batch HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
        let said = words(&format!("{head}{broken}"));
        assert!(said.iter().all(|word| word == "400 malformed") && said.len() <= 1, "{broken:?}: {said:?}");
    }
    let compressed =
        query(&format!("content-length: {}\r\nconnection: close\r\ncontent-encoding: gzip\r\n", QUERY.len()));
    assert_eq!(words(&compressed), ["415 unsupported_media_type"]);
    let large = "POST /v1/eligibility/number HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000000000\r\n\r\n{";
    assert_eq!(words(large), ["413 body_too_large"]);
}

#[test]
fn a_request_may_come_octet_by_octet() {
    let mut stream = WORLD.client("reception").connect().unwrap();
    let octets = query(&format!("content-length: {}\r\n", QUERY.len()));
    for octet in octets.as_bytes() {
        stream.write_all(&[*octet]).unwrap();
        stream.flush().unwrap();
    }
    let mut buffer = [0; 4096];
    let count = stream.read(&mut buffer).unwrap();
    assert_eq!(Reply::parse(&buffer[..count]).unwrap().word(), "valid");
    // And several at once, in the order asked.
    stream.write_all(octets.repeat(3).as_bytes()).unwrap();
    let mut read = Vec::new();
    while read.windows(8).filter(|window| window == b"HTTP/1.1").count() < 3 {
        let count = stream.read(&mut buffer).unwrap();
        read.extend_from_slice(&buffer[..count]);
    }
}

#[test]
fn a_connection_that_has_rested_is_served_as_before() {
    let mut stream = WORLD.client("reception").connect().unwrap();
    let octets = query(&format!("content-length: {}\r\n", QUERY.len()));
    let (head, rest) = octets.split_at(40);
    // Longer than the time between two looks at it, whole and in the middle of a head.
    let rested = Duration::from_millis(1300);
    let mut buffer = [0; 4096];
    for pieces in [&[octets.as_str()][..], &[&octets], &[head, rest], &[&octets]] {
        for piece in pieces {
            stream.write_all(piece.as_bytes()).unwrap();
            stream.flush().unwrap();
            std::thread::sleep(rested);
        }
        let count = stream.read(&mut buffer).unwrap();
        assert_eq!(Reply::parse(&buffer[..count]).unwrap().word(), "valid");
    }
}

#[test]
fn a_request_for_another_host_is_sent_away() {
    let get = |host: &str| words(&format!("GET /v1/x HTTP/1.1\r\n{host}connection: close\r\n\r\n"));
    for host in ["localhost", "LOCALHOST:1", "127.0.0.1", &WORLD.listen.to_string()] {
        assert_eq!(get(&format!("host: {host}\r\n")), ["404 no_such_route"], "{host}");
    }
    for host in ["example.jp", "localhost.example.jp", "127.0.0.2", "[::1]:8443", "a"] {
        assert_eq!(get(&format!("host: {host}\r\n")), ["421 misdirected"], "{host}");
    }
    // One that was greeted under another name is at the wrong place whatever it asks for.
    let mut astray = WORLD.client("reception").connect_as("example.jp");
    let asked = b"GET /v1/x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let (octets, _) = exchange(&mut astray, asked);
    assert!(octets.is_empty() || Reply::parse(&octets).unwrap().status == 421);
    // Over HTTP/2 the host is the authority.
    let said = |authority: &str| {
        let url = format!("https://{authority}:{}/v1/x", WORLD.listen.port());
        let output = std::process::Command::new("curl")
            .args(["-sk", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}"])
            .args(["--connect-to", &format!("::127.0.0.1:{}", WORLD.listen.port())])
            .args(["--cert", WORLD.path("clients/reception.pem").to_str().unwrap()])
            .args(["--key", WORLD.path("clients/reception-key.pem").to_str().unwrap()])
            .arg(url)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(said("localhost"), "2 404");
    assert_eq!(said("example.jp"), "2 421");
}

#[test]
fn what_is_refused_by_its_head_leaves_a_record() {
    let mut world = World::started(60);
    let client = world.client("reception");
    let both = "POST /v1/challenges HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}";
    assert_eq!(client.raw(both.as_bytes()).unwrap().status, 400);
    assert_eq!(client.raw(b"GET /v1/x HTTP/1.1\r\nhost: elsewhere\r\n\r\n").unwrap().status, 421);
    assert_eq!(world.stop(), Some(0));
    let output = crate::world::shikaku()
        .args(["audit", "export", "--class", "acts", "--config"])
        .arg(world.path("shikaku.toml"))
        .output()
        .unwrap();
    let acts = String::from_utf8(output.stdout).unwrap();
    for outcome in ["malformed", "misdirected"] {
        let found = acts.lines().any(|line| line.contains("\"head\"") && line.contains(outcome));
        assert!(found, "{outcome}: {acts}");
    }
}

#[test]
fn nothing_that_is_sent_breaks_a_line_of_the_log() {
    let world = World::started(60);
    let client = world.client("reception");
    for evil in ["a%0d%0a{}", "%1b[2J", "\u{202e}\u{2028}", "\"}", "%00"] {
        let escaped: String =
            evil.bytes().map(|octet| if octet < 128 { char::from(octet) } else { '?' }).collect();
        let target = escaped.replace(['"', '}', '{', '['], "'");
        let trace = format!("00-{}-{}-01", "f".repeat(32), evil.chars().take(3).collect::<String>());
        let body = serde_json::json!({"insurer_number": evil, "number": evil, "birth_date": evil, "reference": evil});
        let body = body.to_string();
        let head = format!(
            "POST /v1/eligibility/number?{target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ntraceparent: {trace}\r\nuser-agent: {evil}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        assert!(client.raw(head.as_bytes()).is_some_and(|reply| reply.status >= 400), "{evil:?}");
    }
    let log = world.log();
    assert!(log.lines().count() > 5);
    for line in log.lines() {
        let read: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|_| panic!("no line: {line}"));
        assert!(read["timestamp"].is_string() && !line.contains("202e") && !line.contains("2J"), "{line}");
    }
}
