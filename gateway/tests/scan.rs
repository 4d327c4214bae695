//! The strict reader of HTTP/1 heads by itself: however octets come, the verdict is the same; what is
//! refused is refused whole; and what passes is read alike by the library behind.

#![expect(clippy::indexing_slicing, reason = "tests end by panicking")]

use gateway::front::scan::{FIELDS, HEAD_OCTETS, Place, Refused, Scanner, TARGET};
use gateway::refusal::Refusal;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

fn takes_stream(method: &[u8], target: &[u8]) -> bool {
    method == b"POST" && target.starts_with(b"/stream")
}

/// How many octets pass in all, and what is refused behind them, when they come in these pieces.
fn read<'o>(pieces: impl IntoIterator<Item = &'o [u8]>) -> (usize, Option<Refused>, Place) {
    let mut scanner = Scanner::new(takes_stream);
    let (mut held, mut passed) = (Vec::new(), 0);
    for piece in pieces {
        held.extend_from_slice(piece);
        let scan = scanner.scan(&held);
        passed += scan.passed;
        held.drain(..scan.passed);
        if scan.refused.is_some() {
            return (passed, scan.refused, scanner.place());
        }
    }
    (passed, None, scanner.place())
}

fn whole(octets: &[u8]) -> (usize, Option<Refused>, Place) {
    read([octets])
}

const MALFORMED: Refused = Refused::Head(Refusal::MalformedHead);
const LONG: Refused = Refused::Head(Refusal::UriTooLong);
const LARGE: Refused = Refused::Head(Refusal::HeadersTooLarge);
const LENGTH: Refused = Refused::Head(Refusal::LengthRequired);

/// A request of that line and these fields, all lines ending properly.
fn head(line: &str, fields: &[&str]) -> Vec<u8> {
    let lines = [&[line], fields, &["", ""]].concat();
    lines.join("\r\n").into_bytes()
}

fn proper() -> Vec<Vec<u8>> {
    let field = |field: &str| head("POST /v1/x HTTP/1.1", &["host: a", "content-length: 0", field]);
    vec![
        head("GET /openapi.json HTTP/1.1", &["host: localhost:8443"]),
        head("GET /v1/feeds?after=5&x=%E3%81%82 HTTP/1.1", &["Host: [::1]:8443", "accept: */*"]),
        head("DELETE /v1/links/7 HTTP/1.0", &[]),
        head("DELETE /v1/links/7 HTTP/1.0", &["host: a", "connection: keep-alive"]),
        field("user-agent: \u{3042}"),
        field("x: \t blanks around \t "),
        field("x:"),
        field("te: trailers"),
        field("expect: 100-continue"),
        field("upgrade: h2c"),
        [head("POST /v1/x HTTP/1.1", &["host: a", "content-length: 11"]), b"GET / HTTP/".to_vec()].concat(),
        [head("POST /v1/x HTTP/1.1", &["host: a", "Content-Length:2"]), b"{}\r\n".to_vec()].concat(),
        head(&format!("GET /{} HTTP/1.1", "a".repeat(TARGET - 1)), &["host: a"]),
    ]
}

fn improper() -> Vec<(Vec<u8>, Refused)> {
    let line = |line: &str| (head(line, &["host: a"]), MALFORMED);
    let post = |fields: &[&str]| head("POST /v1/x HTTP/1.1", &[&["host: a"], fields].concat());
    let field = |field: &str| (post(&["content-length: 0", field]), MALFORMED);
    let raw = |text: &str| (text.as_bytes().to_vec(), MALFORMED);
    let two = |one: &str, other: &str| (post(&[one, other]), MALFORMED);
    let fields = |count: usize| {
        let lines: Vec<_> = (1..count).map(|at| format!("x-{at}: 1")).collect();
        head(
            "GET / HTTP/1.1",
            &[&["host: a"][..], &lines.iter().map(String::as_str).collect::<Vec<_>>()].concat(),
        )
    };
    assert_eq!(whole(&fields(FIELDS)).1, None);
    vec![
        // request lines
        line("GET  / HTTP/1.1"),
        line("GET / HTTP/1.1 "),
        line(" GET / HTTP/1.1"),
        line("GET\t/ HTTP/1.1"),
        line("GET /"),
        line("/ HTTP/1.1"),
        line("GET / HTTP/1.2"),
        line("GET / HTTP/2.0"),
        line("GET / http/1.1"),
        line("GET / HTTP/1.1x"),
        line("G(T / HTTP/1.1"),
        line("AVERYLONGMETHODNAME / HTTP/1.1"),
        line("PRI * HTTP/2.0"),
        // targets
        line("OPTIONS * HTTP/1.1"),
        line("CONNECT a:443 HTTP/1.1"),
        line("GET https://a/ HTTP/1.1"),
        line("GET a HTTP/1.1"),
        line("GET /\u{3042} HTTP/1.1"),
        line("GET /\0 HTTP/1.1"),
        line("GET /%00 HTTP/1.1"),
        line("GET /%zz HTTP/1.1"),
        line("GET /%4 HTTP/1.1"),
        line("GET /a#b HTTP/1.1"),
        line("GET /a\\b HTTP/1.1"),
        line("GET /<a> HTTP/1.1"),
        line("GET /\u{7f} HTTP/1.1"),
        // line ends
        raw("GET / HTTP/1.1\nhost: a\n\n"),
        raw("GET / HTTP/1.1\r\nhost: a\n\r\n"),
        raw("GET / HTTP/1.1\r\nhost: a\r\n\n"),
        raw("GET / HTTP/1.1\rhost: a\r\r\r\n"),
        raw("\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n"),
        // fields
        field("x: a\r\n b"),
        field("x: a\r\n\tb"),
        field(" x: a"),
        field("x : a"),
        field("x\t: a"),
        field(": a"),
        field("x"),
        field("x: a\0b"),
        field("x: a\rb"),
        field("x: a\u{b}b"),
        field("x(y): a"),
        field("\u{e9}: a"),
        // hosts
        (head("GET / HTTP/1.1", &[]), MALFORMED),
        two("content-length: 0", "host: a"),
        (head("GET / HTTP/1.1", &["host:"]), MALFORMED),
        (head("GET / HTTP/1.1", &["host: a b"]), MALFORMED),
        (head("GET / HTTP/1.1", &["host: u@a"]), MALFORMED),
        (head("GET / HTTP/1.1", &["host: a/b"]), MALFORMED),
        // lengths
        two("content-length: 5", "content-length: 5"),
        two("content-length: 5", "Content-Length: 6"),
        (post(&["content-length: 5, 5"]), MALFORMED),
        (post(&["content-length: +5"]), MALFORMED),
        (post(&["content-length: -5"]), MALFORMED),
        (post(&["content-length: 0x5"]), MALFORMED),
        (post(&["content-length: 5 5"]), MALFORMED),
        (post(&["content-length:"]), MALFORMED),
        (post(&["content-length: \u{ff15}"]), MALFORMED),
        (post(&["content-length: 18446744073709551621"]), MALFORMED),
        two("content-length: 5", "transfer-encoding: chunked"),
        two("transfer-encoding: chunked", "content-length: 5"),
        // Transfer-Encoding and its variants
        (post(&["transfer-encoding: chunked"]), LENGTH),
        (post(&["Transfer-Encoding: CHUNKED"]), LENGTH),
        two("transfer-encoding: chunked", "transfer-encoding: chunked"),
        two("transfer-encoding: chunked", "transfer-encoding: identity"),
        (post(&["transfer-encoding: identity"]), MALFORMED),
        (post(&["transfer-encoding: gzip, chunked"]), MALFORMED),
        (post(&["transfer-encoding: chunked, chunked"]), MALFORMED),
        (post(&["transfer-encoding: xchunked"]), MALFORMED),
        (post(&["transfer-encoding: \"chunked\""]), MALFORMED),
        (post(&["transfer-encoding:"]), MALFORMED),
        (post(&["transfer-encoding: chunked;q=1"]), MALFORMED),
        (head("POST /stream HTTP/1.0", &["host: a", "transfer-encoding: chunked"]), MALFORMED),
        (head("GET /stream HTTP/1.1", &["host: a", "transfer-encoding: chunked"]), LENGTH),
        // sizes
        (head(&format!("GET /{} HTTP/1.1", "a".repeat(TARGET)), &["host: a"]), LONG),
        (format!("GET /{}", "a".repeat(100 * TARGET)).into_bytes(), LONG),
        ("A".repeat(100 * TARGET).into_bytes(), LONG),
        (fields(FIELDS + 1), LARGE),
        (fields(100 * FIELDS), LARGE),
        (post(&[&format!("x: {}", "a".repeat(HEAD_OCTETS))]), LARGE),
        (format!("GET / HTTP/1.1\r\nhost: {}", "a".repeat(2 * HEAD_OCTETS)).into_bytes(), LARGE),
    ]
}

#[test]
fn proper_requests_pass_whole_and_one_behind_the_other() {
    for one in proper() {
        assert_eq!(whole(&one), (one.len(), None, Place::Head), "{}", String::from_utf8_lossy(&one));
    }
    let all = proper().concat();
    assert_eq!(whole(&all), (all.len(), None, Place::Head));
}

#[test]
fn improper_requests_are_refused_for_what_they_are_and_nothing_of_them_passes() {
    let before = &proper()[0];
    for (octets, refused) in improper() {
        let text = String::from_utf8_lossy(&octets[..octets.len().min(200)]).into_owned();
        let found = whole(&octets);
        assert_eq!(found, (0, Some(refused), Place::Ended), "{text:?}");
        let behind = [&before[..], &octets].concat();
        // One line end too many is forgiven behind a request.
        let forgiven = if octets.starts_with(b"\r\n") { 2 } else { 0 };
        assert_eq!(whole(&behind).0, before.len() + forgiven, "{text:?}");
    }
}

#[test]
fn bodies_in_chunks_pass_where_they_may_and_end_the_connection() {
    let head = head("POST /stream HTTP/1.1", &["host: a", "transfer-encoding: chunked"]);
    let with = |body: &str| [&head[..], body.as_bytes()].concat();
    for body in ["0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "00003\r\nabc\r\nA\r\n0123456789\r\n000\r\n\r\n"] {
        let octets = with(body);
        assert_eq!(whole(&octets), (octets.len(), None, Place::Ended), "{body:?}");
        // What comes behind does not exist.
        let more = [&octets[..], &proper()[0]].concat();
        assert_eq!(whole(&more), (octets.len(), None, Place::Ended));
    }
    for body in [
        "3\nabc\r\n0\r\n\r\n",
        "3\r\nabc0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "3;x=y\r\nabc\r\n0\r\n\r\n",
        "3 \r\nabc\r\n0\r\n\r\n",
        " 3\r\nabc\r\n0\r\n\r\n",
        "+3\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "-1\r\nabc\r\n0\r\n\r\n",
        "g\r\nabc\r\n0\r\n\r\n",
        "\r\nabc\r\n0\r\n\r\n",
        "100000000\r\n",
        "00000003\r\nabc",
        "0\r\nx: y\r\n\r\n",
        "0\r\ncontent-length: 5\r\n\r\n",
        "0\r\n\n",
    ] {
        let (passed, refused, place) = whole(&with(body));
        assert_eq!((refused, place), (Some(Refused::Body), Place::Ended), "{body:?}");
        assert!(passed < with(body).len());
    }
}

#[test]
fn however_octets_come_the_verdict_is_the_same() {
    let mut random = StdRng::seed_from_u64(11);
    let chunked = head("POST /stream HTTP/1.1", &["host: a", "transfer-encoding: chunked"]);
    let mut cases: Vec<Vec<u8>> = proper();
    cases.extend(improper().into_iter().map(|(octets, _)| octets));
    cases.push([&chunked[..], b"3\r\nabc\r\n0\r\n\r\n"].concat());
    cases.push([&chunked[..], b"3\r\nabc\r\n0\r\nx: y\r\n\r\n"].concat());
    for octets in cases {
        let expected = whole(&octets);
        if octets.len() < 4000 {
            assert_eq!(read(octets.chunks(1)), expected, "{}", String::from_utf8_lossy(&octets));
        }
        for _ in 0..20 {
            let (mut rest, mut pieces) = (&octets[..], Vec::new());
            while !rest.is_empty() {
                let (piece, more) = rest.split_at(random.random_range(1..=rest.len()));
                pieces.push(piece);
                rest = more;
            }
            assert_eq!(read(pieces), expected, "{}", String::from_utf8_lossy(&octets));
        }
    }
}

#[test]
fn nothing_that_is_turned_by_chance_is_read_twice_or_panics() {
    let mut random = StdRng::seed_from_u64(12);
    let seeds: Vec<_> =
        proper().into_iter().chain(improper().into_iter().map(|(octets, _)| octets)).collect();
    for _ in 0..30_000 {
        let mut octets = seeds[random.random_range(0..seeds.len())].clone();
        octets.truncate(3000);
        for _ in 0..random.random_range(1..6) {
            let at = random.random_range(0..octets.len());
            match random.random_range(0..4) {
                0 => octets[at] = random.random(),
                1 => drop(octets.remove(at)),
                2 => octets.insert(at, b" \r\n:;,\0chunked0"[random.random_range(0..15)]),
                _ => {
                    let piece = octets[at..(at + 20).min(octets.len())].to_vec();
                    octets.splice(at..at, piece);
                }
            }
            if octets.is_empty() {
                octets.push(b'G');
            }
        }
        let expected = whole(&octets);
        assert_eq!(read(octets.chunks(7)), expected, "{}", String::from_utf8_lossy(&octets));
        // Of what passed as a head, no line ends in another way, and no length is said twice.
        let passed = &octets[..expected.0];
        if let Some(end) = passed.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&passed[..end]).to_ascii_lowercase();
            assert!(text.split("\r\n").all(|line| !line.contains(['\n', '\r', '\0'])), "{text:?}");
            let lengths =
                text.matches("\r\ncontent-length:").count() + text.matches("\r\ntransfer-encoding:").count();
            assert!(lengths <= 1, "{text:?}");
        }
    }
}
