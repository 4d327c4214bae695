//! Everybody by card in this memory, beside the two plain designs: a `DashMap` of boxed people, and
//! Redis with one hash a person. Octets a person and finds a second of each.
//!
//! ```text
//! cargo bench -p benches --bench beside -- [PEOPLE]
//! ```
//!
//! Redis is Debian's `redis-server`, started here on a socket of its own; where it is not installed
//! the bench says so. It is asked once at a time, as a desk would, and fifty at a time.
#![expect(clippy::disallowed_methods, reason = "measures itself")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cache::{Batch, Key, Row, empty};
use dashmap::DashMap;
use eligibility::coverage::Person;
use eligibility::day::{Day, Timestamp};
use eligibility::decision::Found;
use eligibility::feed::{Record, Said, Source};
use eligibility::number::Serial;
use population::Population;

const PEOPLE: u64 = 200_000;
const PEOPLE_IN_TESTS: u64 = 500;
const ROUNDS: usize = 5;
/// Says that what follows is a number of people and the folder of their memory.
const OPENED: &str = "--opened";

fn population(people: u64) -> Population {
    Population::new(1, people, Day::from_number(20_778))
}

/// Files of a nation's memory. They are measured in a process of their own: in this one the heap is
/// full of room that others would fill without growing.
fn save(people: u64, folder: &Path) {
    let (mut writer, _) = empty();
    let mut sorted: BTreeMap<Source, Vec<Record>> = BTreeMap::new();
    for record in population(people).records(0..people) {
        sorted.entry(record.source).or_default().push(record);
    }
    for (position, (source, records)) in (1..).zip(&sorted) {
        writer.apply(Batch {
            position,
            source: *source,
            epoch: 1,
            committed_at: Timestamp::from_millis(0),
            committed_sequence: 1,
            rows: records.iter().map(Row::Accepted).collect(),
        });
    }
    writer.save(folder).expect("a folder to write into");
}

/// The cards of those who have one, in no order.
fn cards(people: u64) -> Vec<Serial> {
    let population = population(people);
    let card = |record: Record| match record.said {
        Said::Link { serial, .. } => Some(serial),
        _ => None,
    };
    let mut serials: Vec<_> = population.records(0..people).filter_map(card).collect();
    let mut place = 12_345_usize;
    for at in (1..serials.len()).rev() {
        place = place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        serials.swap(at, (place >> 33) % (at + 1));
    }
    serials
}

fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

fn rate(serials: &[Serial], find: impl Fn(&Serial) -> bool) -> f64 {
    let begun = Instant::now();
    let found = (0..ROUNDS).map(|_| serials.iter().filter(|serial| find(black_box(serial))).count());
    black_box(found.sum::<usize>());
    (serials.len() * ROUNDS) as f64 / begun.elapsed().as_secs_f64()
}

fn say(design: &str, octets: f64, rate: f64) {
    println!("{design:<28} {octets:8.0} octets a person {rate:12.0} finds/s");
}

/// Redis on a socket of its own, ended with the bench.
struct Redis {
    server: Child,
    stream: BufReader<UnixStream>,
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Redis {
    fn start(folder: &Path) -> Option<Self> {
        let socket = folder.join("redis");
        let mut server = Command::new("redis-server");
        server.args(["--port", "0", "--save", "", "--appendonly", "no", "--loglevel", "warning"]);
        let server =
            server.arg("--unixsocket").arg(&socket).current_dir(folder).stdout(Stdio::null()).spawn().ok()?;
        for _ in 0..200 {
            if let Ok(stream) = UnixStream::connect(&socket) {
                return Some(Self { server, stream: BufReader::new(stream) });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }

    fn send(&mut self, commands: &[Vec<&[u8]>]) {
        let mut octets = Vec::new();
        for command in commands {
            octets.extend(format!("*{}\r\n", command.len()).bytes());
            for word in command {
                octets.extend(format!("${}\r\n", word.len()).bytes());
                octets.extend_from_slice(word);
                octets.extend_from_slice(b"\r\n");
            }
        }
        self.stream.get_mut().write_all(&octets).expect("Redis listens");
    }

    /// The texts of one reply, of lists those of their members.
    fn reply(&mut self) -> Vec<Vec<u8>> {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("Redis answers");
        let count = |line: &str| line.get(1..).and_then(|n| n.trim().parse::<i64>().ok()).unwrap_or(-1);
        match line.as_bytes().first() {
            Some(b'*') => (0..count(&line).max(0)).flat_map(|_| self.reply()).collect(),
            Some(b'$') if count(&line) >= 0 => {
                let mut text = vec![0; count(&line) as usize + 2];
                self.stream.read_exact(&mut text).expect("Redis answers");
                text.truncate(text.len() - 2);
                vec![text]
            }
            _ => vec![line.into_bytes()],
        }
    }

    fn used(&mut self) -> f64 {
        self.send(&[vec![b"INFO", b"memory"]]);
        let info = self.reply().concat();
        let info = String::from_utf8_lossy(&info).into_owned();
        let used = info.lines().find_map(|line| line.strip_prefix("used_memory_rss:"));
        used.and_then(|used| used.trim().parse().ok()).unwrap_or(0.0)
    }

    /// One hash a person, and the way from the card to it.
    fn keep(&mut self, serial: &Serial, person: &Person) {
        let link = person.link_number.reveal();
        let mut fields: Vec<Vec<u8>> = vec![b"HSET".to_vec(), link.clone().into_bytes()];
        for membership in &person.memberships {
            let Some(member) = &membership.member else { continue };
            let insurer = membership.insurer;
            let mut put =
                |name: String, text: &str| fields.extend([name.into_bytes(), text.as_bytes().to_vec()]);
            put(format!("{insurer}.name"), &member.name);
            put(format!("{insurer}.kana"), member.name_kana.as_deref().unwrap_or_default());
            put(format!("{insurer}.birth"), &member.birth_date.to_string());
            for (at, one) in member.coverages.iter().enumerate() {
                put(format!("{insurer}.{at}.number"), &format!("{} {}", one.symbol, one.number));
                put(
                    format!("{insurer}.{at}.days"),
                    &format!("{} {:?}", one.qualified_on, one.disqualified_on),
                );
            }
        }
        let set: Vec<&[u8]> = vec![b"SET", serial.octets(), link.as_bytes()];
        self.send(&[fields.iter().map(Vec::as_slice).collect(), set]);
        let _ = (self.reply(), self.reply());
    }

    /// Finds people by their cards, so many questions on the way at once.
    fn find(&mut self, serials: &[Serial], at_once: usize) -> f64 {
        let begun = Instant::now();
        for some in serials.chunks(at_once) {
            self.send(
                &some.iter().map(|serial| vec![b"GET".as_slice(), serial.octets()]).collect::<Vec<_>>(),
            );
            let links: Vec<_> = some.iter().map(|_| self.reply().concat()).collect();
            self.send(&links.iter().map(|link| vec![b"HGETALL".as_slice(), link]).collect::<Vec<_>>());
            links.iter().for_each(|_| drop(black_box(self.reply())));
        }
        serials.len() as f64 / begun.elapsed().as_secs_f64()
    }
}

fn main() {
    let words: Vec<_> = std::env::args().skip(1).collect();
    if let [word, people, folder] = words.as_slice()
        && word == OPENED
    {
        return measure(people.parse().expect("people"), Path::new(folder));
    }
    let has = |word: &str| words.iter().any(|other| other == word);
    let in_test = has("--test") || !has("--bench");
    let people = words.iter().find_map(|word| word.parse().ok());
    let people = people.unwrap_or(if in_test { PEOPLE_IN_TESTS } else { PEOPLE });
    let folder = tempfile::tempdir().expect("a folder");
    save(people, folder.path());
    let program = std::env::current_exe().expect("this program");
    let mut other = Command::new(program);
    let ended = other.args([OPENED, &people.to_string()]).arg(folder.path()).status();
    assert!(ended.is_ok_and(|status| status.success()), "the measure failed");
}

fn measure(people: u64, folder: &Path) {
    let (_writer, memory) = cache::open(folder).expect("a memory just saved");
    let serials = cards(people);
    let each = |octets: f64| octets / people as f64;
    let sizes = memory.sizes();
    let own = sizes.records + sizes.places + sizes.cards + sizes.numbers + sizes.changes;
    let view = memory.view();
    say(
        "this memory",
        each(own as f64),
        rate(&serials, |one| matches!(view.find(&Key::Card(*one)), Found::One(_))),
    );

    let before = resident();
    let plain: DashMap<Serial, Arc<Person>> = DashMap::new();
    for serial in &serials {
        if let Found::One(person) = memory.find(&Key::Card(*serial)) {
            plain.insert(*serial, person);
        }
    }
    let grown = resident().saturating_sub(before);
    say(
        "DashMap<serial, Arc<person>>",
        each(grown as f64),
        rate(&serials, |one| plain.get(one).map(|one| Arc::clone(&one)).is_some()),
    );

    let Some(mut redis) = Redis::start(folder) else {
        return println!("Redis                        is not installed: apt-get install redis-server");
    };
    let before = redis.used();
    for (serial, person) in serials.iter().filter_map(|one| Some((one, Arc::clone(&*plain.get(one)?)))) {
        redis.keep(serial, &person);
    }
    let octets = each(redis.used() - before);
    let asked = serials.get(..20_000).unwrap_or(&serials);
    say("Redis, one at a time", octets, redis.find(asked, 1));
    say("Redis, fifty at a time", octets, redis.find(&serials, 50));
}
