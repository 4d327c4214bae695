//! No oracle: that there is no such number, and that there is one with another birth date, look alike in
//! every octet but what each reply has of its own, and in time.
//!
//! A classifier sees the two in pairs, in an order drawn anew for each, on one connection. Its advantage is
//! by how much more often it says "another birth date" where that is so than where it is not. How much of
//! that is chance is known from one kind split in two at random, and that it would see a difference from
//! one that is planted.

#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "times are measured, and tests end by panicking"
)]

mod world;

use std::collections::HashSet;
use std::io::{Read, Write};
use std::time::{Duration, Instant, SystemTime};

use eligibility::day::Timestamp;
use eligibility::number::{InstitutionCode, check_digit, has_check_digit};
use pki::UnixTime;
use pki::issuing::{ClientName, TlsAuthority, Validity};
use population::Population;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use world::World;
use world::client::{Client, Reply};

const PEOPLE: u64 = 2000;
/// Institutions of the one certificate: each may miss 200 times a day with each insurer.
const INSTITUTIONS: u64 = 150;
/// What a classifier may gain.
const ADVANTAGE: f64 = 0.01;

/// An insured person as on paper: insurer, symbol, number, birth date.
struct Known {
    insurer: String,
    symbol: String,
    number: String,
    birth_date: eligibility::day::Day,
}

/// Two questions that find nobody, of equal length, and for whom they are asked.
struct Pair {
    no_such_number: Vec<u8>,
    another_birth_date: Vec<u8>,
}

fn institutions() -> Vec<String> {
    let body = |at: u64| 131_100_000 + at;
    let codes = (0..INSTITUTIONS).map(|at| format!("{}{}", body(at), check_digit(body(at))));
    codes.inspect(|code| assert!(InstitutionCode::parse(code).is_ok(), "{code}")).collect()
}

/// A client of many institutions.
fn client(world: &World) -> Client {
    let text = |file: &str| std::fs::read_to_string(world.path(file)).unwrap();
    let authority = TlsAuthority::load(&text("tls/ca.pem"), &text("tls/ca-key.pem")).unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
    let validity = Validity { not_before: UnixTime(now - 60), not_after: UnixTime(now + 86_400) };
    let name = ClientName {
        organization: Some(institutions().join(" ")),
        unit: Some("reception".to_owned()),
        common_name: "many".to_owned(),
    };
    let identity = authority.client(&name, validity).unwrap();
    std::fs::write(world.path("clients/many.pem"), identity.certificate_pem).unwrap();
    std::fs::write(world.path("clients/many-key.pem"), identity.key_pem).unwrap();
    world.client("many")
}

fn known() -> Vec<Known> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64;
    let population = Population::new(1, PEOPLE, Timestamp::from_millis(now).day_in_japan());
    let residents = (0..PEOPLE).filter_map(|at| population.person(at));
    let questions = residents.flat_map(|resident| resident.questions().collect::<Vec<_>>());
    let known = questions.map(|question| Known {
        insurer: question.insurer.to_string(),
        symbol: question.symbol.to_string(),
        number: question.number.to_string(),
        birth_date: question.birth_date,
    });
    known.filter(|known| known.number.len() >= 5 && known.number.is_ascii()).collect()
}

/// So many pairs, each institution within its budget of misses.
fn pairs(known: &[Known], count: usize, random: &mut StdRng) -> Vec<Pair> {
    let (codes, mut spent) = (institutions(), std::collections::HashMap::<_, u32>::new());
    let numbers: HashSet<_> = known.iter().map(|one| (&one.insurer, &one.number)).collect();
    let births: HashSet<_> = known.iter().map(|one| (&one.insurer, &one.number, one.birth_date)).collect();
    let mut pairs = Vec::with_capacity(count);
    while pairs.len() < count {
        let one = &known[random.random_range(0..known.len())];
        let code = &codes[random.random_range(0..codes.len())];
        let used = spent.entry((code, &one.insurer)).or_default();
        let (number, birth_date) = (
            one.number.bytes().map(|_| char::from(random.random_range(b'1'..=b'9'))).collect::<String>(),
            one.birth_date.plus(random.random_range(1..300)),
        );
        // Whether a number has a typing error anybody can tell who has it; advice speaks of it.
        let is_typed = has_check_digit(&number) == has_check_digit(&one.number);
        let free = is_typed && !numbers.contains(&(&one.insurer, &number));
        if *used >= 198 || !free || births.contains(&(&one.insurer, &one.number, birth_date)) {
            continue;
        }
        *used += 2;
        let ask = |number: &str| {
            let body = json!({
                "insurer_number": one.insurer, "symbol": one.symbol, "number": number,
                "birth_date": birth_date.to_string(), "institution": code, "reference": "A-17",
            })
            .to_string();
            let head = format!(
                "POST /v1/eligibility/number HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            [head.into_bytes(), body.into_bytes()].concat()
        };
        pairs.push(Pair { no_such_number: ask(&number), another_birth_date: ask(&one.number) });
    }
    pairs
}

type Stream = rustls::StreamOwned<rustls::ClientConnection, std::net::TcpStream>;

/// One question, its reply, and how long it took.
fn ask(stream: &mut Stream, request: &[u8], buffer: &mut [u8]) -> (usize, Duration) {
    let began = Instant::now();
    stream.write_all(request).unwrap();
    let mut have = 0;
    loop {
        have += stream.read(&mut buffer[have..]).unwrap();
        let Some(end) = buffer[..have].windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&buffer[..end]).unwrap();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        if have >= end + 4 + length.unwrap().parse::<usize>().unwrap() {
            return (have, began.elapsed());
        }
    }
}

/// What of a reply is not its own: all but the ids and times of the request. A time is written shorter when
/// its milliseconds are none.
fn common(octets: &[u8]) -> (usize, Vec<(String, String)>, serde_json::Value) {
    let reply = Reply::parse(octets).unwrap();
    assert_eq!(reply.word(), "not_found", "{reply:?}");
    let mut body = reply.json();
    let time = body["answered_at"].take().as_str().unwrap().len();
    let length: usize = reply.header("content-length").unwrap().parse().unwrap();
    let own = ["request-id", "date", "content-length"];
    let mut headers: Vec<_> = reply.headers.clone();
    headers.retain(|(name, _)| !own.contains(&name.as_str()));
    headers.push(("octets beside the time".to_owned(), (length - time).to_string()));
    (octets.len() - time, headers, body)
}

/// By how much more often the second kind is taken for what it is than the first: with the border that
/// parts one half best, seen in the other half, and the other way round.
fn advantage(first: &[u64], second: &[u64]) -> f64 {
    fn halves(all: &[u64]) -> [Vec<u64>; 2] {
        [0, 1].map(|half| all.iter().skip(half).step_by(2).copied().collect())
    }
    fn share_above(all: &[u64], border: u64) -> f64 {
        all.iter().filter(|one| **one > border).count() as f64 / all.len() as f64
    }
    let (first, second) = (halves(first), halves(second));
    let seen = [(0, 1), (1, 0)].map(|(learn, look)| {
        let mut borders = [first[learn].clone(), second[learn].clone()].concat();
        borders.sort_unstable();
        let gain =
            |of: usize, border: u64| share_above(&second[of], border) - share_above(&first[of], border);
        let borders = (1..64).map(|part| borders[borders.len() * part / 64]);
        let best = borders.max_by(|a, b| gain(learn, *a).abs().total_cmp(&gain(learn, *b).abs())).unwrap();
        gain(look, best) * gain(learn, best).signum()
    });
    (seen[0] + seen[1]) / 2.0
}

/// What chance makes of it, at the most: three standard deviations.
fn chance(first: usize, second: usize) -> f64 {
    3.0 * 0.5 * (1.0 / first as f64 + 1.0 / second as f64).sqrt()
}

fn probe(count: usize) {
    let mut world = World::prepared(PEOPLE);
    let client = client(&world);
    world.start();
    let mut random = StdRng::seed_from_u64(7);
    let pairs = pairs(&known(), count / 2, &mut random);
    let mut stream = client.connect().unwrap();
    stream.sock.set_nodelay(true).unwrap();
    let mut buffers = [vec![0; 16 * 1024], vec![0; 16 * 1024]];
    let mut times = [Vec::with_capacity(count / 2), Vec::with_capacity(count / 2)];
    for (at, pair) in pairs.iter().enumerate() {
        let mut lengths = [0, 0];
        let first = usize::from(random.random_bool(0.5));
        for kind in [first, 1 - first] {
            let request = [&pair.no_such_number, &pair.another_birth_date][kind];
            let (length, took) = ask(&mut stream, request, &mut buffers[kind]);
            lengths[kind] = length;
            // The first ones find everything cold.
            if at >= 200 {
                times[kind].push(took.as_nanos() as u64);
            }
        }
        let [one, other] = [0, 1].map(|kind| common(&buffers[kind][..lengths[kind]]));
        assert_eq!(one, other);
    }
    // However many institutions ask, what is counted has no more labels for it.
    let metrics = world.admin_get("/metrics").unwrap().1;
    assert!(!institutions().iter().any(|code| metrics.contains(code)));
    assert!(metrics.lines().count() < 1500, "{} lines", metrics.lines().count());
    let [absent, present] = &times;
    let bound = ADVANTAGE + chance(absent.len(), present.len());
    let seen = advantage(absent, present);
    // One kind against itself, parted at random.
    let mut parted = [Vec::new(), Vec::new()];
    absent.iter().for_each(|time| parted[usize::from(random.random_bool(0.5))].push(*time));
    let nothing = advantage(&parted[0], &parted[1]);
    // And with a difference that is there.
    let mut sorted = absent.clone();
    sorted.sort_unstable();
    let spread = sorted[sorted.len() * 3 / 4] - sorted[sorted.len() / 4];
    let planted: Vec<_> = present.iter().map(|time| time + spread / 3).collect();
    let planted = advantage(absent, &planted);
    println!(
        "{count} probes, median {} µs, middle half within {} µs: advantage {:.2} % (chance alone up to {:.2} %); of \
         one kind against itself {:.2} %; with {} ns planted {:.1} %",
        sorted[sorted.len() / 2] / 1000,
        spread / 1000,
        seen * 100.0,
        (bound - ADVANTAGE) * 100.0,
        nothing * 100.0,
        spread / 3,
        planted * 100.0
    );
    assert!(planted > bound, "a difference of {} ns is not seen: {planted}", spread / 3);
    assert!(nothing < ADVANTAGE + chance(parted[0].len(), parted[1].len()), "{nothing} by chance");
    assert!(seen < bound, "the two are told apart by time: {seen} of {bound}");
}

#[test]
fn nobody_learns_by_octets_or_time_whether_there_is_such_a_number() {
    probe(12_000);
}

#[test]
#[ignore = "the long run: 100 000 probes, a minute of a quiet machine"]
fn nobody_learns_it_from_a_hundred_thousand_probes() {
    probe(100_000);
}

#[test]
fn a_classifier_sees_what_is_there_and_nothing_else() {
    let mut random = StdRng::seed_from_u64(3);
    let mut draw = |add: u64| -> Vec<u64> {
        (0..20_000).map(|_| 1000 + add + (0..8).map(|_| random.random_range(0..100)).sum::<u64>()).collect()
    };
    let (one, same, other) = (draw(0), draw(0), draw(20));
    assert!(advantage(&one, &same).abs() < 0.02);
    assert!(advantage(&one, &other) > 0.05);
    assert!(advantage(&other, &one) > 0.05, "whichever is slower");
}
