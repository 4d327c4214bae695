//! Ten years of history: what is deleted after them, what stays, and how that is shown.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use eligibility::day::Timestamp;
use eligibility::feed::{Said, Source, Subject};
use eligibility::number::{LinkNumber, Serial};
use gateway::config::KeepHistory;
use gateway::follow::{self, Followed};
use gateway::history;
use ledger::{Batch, Content, Ledger, Offer, Options, Place};
use serde_json::json;
use world::{World, shikaku};

const INSURER: &str = "06132013";
const CITY: &str = "city-131016";

struct Memory(cache::Reader);

impl ledger::Memory for Memory {
    fn last_word(&self, source: Source, subject: Subject) -> Option<u64> {
        self.0.last_word(source, subject)
    }
    fn owner(&self, serial: Serial) -> Option<LinkNumber> {
        self.0.owner(serial)
    }
    fn has_card(&self, person: LinkNumber) -> bool {
        self.0.has_card(person)
    }
}

fn member(sequence: u64, person: u64, name: &str, more: &str) -> String {
    format!(
        r#"{{"source":"{INSURER}","sequence":{sequence},"kind":"member","link_number":"{person:016}","name":"{name}","sex":"male","birth_date":"1980-01-01","restrictions":[],"coverages":[{{"symbol":"古","number":"{person}","qualified_on":"2001-04-01"}}]{more}}}"#
    )
}

fn subsidy(sequence: u64, person: u64, scheme: &str) -> String {
    format!(
        r#"{{"source":"{CITY}","sequence":{sequence},"kind":"subsidy","link_number":"{person:016}","subsidies":[{{"payer_number":"88130018","recipient_number":"1234566","scheme":"{scheme}"}}]}}"#
    )
}

/// What was delivered when; in order.
fn deliveries() -> Vec<(&'static str, &'static str, Vec<String>)> {
    let link =
        r#"{"source":"portal","sequence":1,"kind":"link","serial":"71","link_number":"0000000000000001"}"#;
    let moved = r#"{"source":"jlis","sequence":1,"kind":"renewal","serial":"72","previous_serial":"71"}"#;
    let gone = r#"{"source":"portal","sequence":2,"kind":"link","serial":"71","deleted":true}"#;
    let mark = format!(
        r#"{{"source":"{INSURER}","sequence":90,"kind":"mark","complete_to":"2013-06-01T00:00:00+09:00"}}"#
    );
    vec![
        ("2013-01-01", "portal", vec![link.to_owned()]),
        (
            "2013-01-02",
            INSURER,
            vec![member(1, 1, "一", ""), member(2, 2, "二", ""), member(3, 3, "三", r#","surplus":1"#)],
        ),
        ("2013-02-01", CITY, vec![subsidy(1, 1, "旧")]),
        (
            "2013-03-01",
            INSURER,
            vec![member(4, 1, "一の二", ""), member(5, 1, "一の三", r#","name_kana":"ナ\u304B""#)],
        ),
        ("2013-04-01", CITY, vec![subsidy(2, 1, "新")]),
        ("2013-05-01", "jlis", vec![moved.to_owned()]),
        ("2013-05-02", "portal", vec![gone.to_owned()]),
        ("2013-06-01", INSURER, vec![member(6, 3, "三の二", ""), mark]),
        ("2020-01-01", INSURER, vec![member(100, 1, "一の四", ""), member(101, 3, "三の三", "")]),
        ("2025-01-01", INSURER, vec![member(102, 1, "一の五", ""), member(103, 4, "四", r#","surplus":1"#)]),
    ]
}

/// Makes a ledger that was written over the years.
fn write(path: &std::path::Path) {
    let (writer, memory) = cache::empty();
    let (writer, clock) = (Arc::new(Mutex::new(writer)), Arc::new(Mutex::new(Timestamp::default())));
    let opened = Ledger::open(path, Options::default()).unwrap();
    let (shown, time) = (Arc::clone(&writer), Arc::clone(&clock));
    let visible = move |batches: &[Batch]| follow::apply(&mut shown.lock().unwrap(), batches);
    let ledger = opened
        .start(Box::new(Memory(memory)), Box::new(visible), Box::new(move || *time.lock().unwrap()))
        .unwrap();
    for (day, source, lines) in deliveries() {
        *clock.lock().unwrap() = Timestamp::parse(&format!("{day}T09:00:00+09:00")).unwrap();
        deliver(&ledger, source, &lines);
    }
    ledger.close();
}

fn deliver(ledger: &Ledger, source: &str, lines: &[String]) -> ledger::Appended {
    let source = Source::from_ledger(source).unwrap();
    let offers: Vec<_> =
        lines.iter().zip(1..).map(|(line, at)| Offer::from_line(source, at, line.as_bytes())).collect();
    let (done, outcome) = channel();
    ledger.append(source, offers, Box::new(move |outcome| drop(done.send(outcome)))).unwrap();
    outcome.recv().unwrap().unwrap()
}

/// The names and schemes that the ledger still holds.
fn names(followed: &Followed) -> Vec<String> {
    let rows = followed.ledger.read(0, 1000).unwrap().into_iter().flat_map(|batch| batch.rows);
    let said = rows.filter_map(|row| match row.content {
        Content::Accepted(record) => match record.said {
            Said::Member { member: Some(member), .. } => Some(member.name.to_string()),
            Said::Subsidy { subsidies: Some(all), .. } => Some(all[0].scheme.to_string()),
            _ => None,
        },
        Content::Refused(refused) => Some(format!("refused line {}", refused.line)),
    });
    said.collect()
}

#[test]
fn what_was_kept_for_long_enough_goes_and_nothing_else_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (path, files) = (folder.path().join("ledger"), folder.path().join("memory"));
    write(&path);
    let followed = follow::start(&Place::from(&path), &files).unwrap();
    let (keep, at) = (KeepHistory::default(), |text: &str| Timestamp::parse(text).unwrap());
    let delete = |followed: &Followed, now: &str| {
        history::delete(&followed.ledger, &followed.memory, &keep, at(now), 30).unwrap()
    };
    assert_eq!(delete(&followed, "2022-12-01T00:00:00+09:00"), []);

    let deleted = delete(&followed, "2024-01-01T00:00:00+09:00");
    let told: Vec<_> = deleted.iter().map(|one| (one.of.word(), one.rows)).collect();
    assert_eq!(told, [("member", 3), ("subsidy", 1)]);
    let left = ["二", "一の三", "新", "三の二", "一の四", "三の三", "一の五", "refused line 2"];
    assert_eq!(names(&followed), left);
    // Two days later another month is not due; what is read again is known, and nothing is new.
    assert_eq!(delete(&followed, "2024-01-03T00:00:00+09:00"), []);
    let again = deliver(&followed.ledger, INSURER, &[member(1, 1, "一", ""), member(4, 1, "一の二", "")]);
    assert_eq!((again.duplicates, again.accepted, again.quarantined.len()), (2, 0, 0));

    // After the next years more has gone, and the same memory is made of what is left.
    let later = delete(&followed, "2031-01-01T00:00:00+09:00");
    assert_eq!(later.iter().map(|one| one.rows).collect::<Vec<_>>(), [2]);
    assert_eq!(names(&followed), ["二", "新", "一の四", "三の三", "一の五", "refused line 2"]);
    let scanned = history::scan(&followed.ledger.reader().unwrap()).unwrap();
    assert!(scanned.holds() && scanned.left.len() == 2, "{scanned:?}");
    let sum = followed.memory.view().sum();
    followed.close();
    std::fs::remove_dir_all(&files).unwrap();
    assert_eq!(follow::start(&Place::from(&path), &files).unwrap().memory.view().sum(), sum);
}

#[test]
fn a_scan_finds_what_was_not_deleted_and_what_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, files) = (folder.path().join("ledger"), folder.path().join("memory"));
    write(&path);
    let followed = follow::start(&Place::from(&path), &files).unwrap();
    let recorded = |before: &str, state: [u8; 32]| {
        let (before, position) = (Timestamp::parse(before).unwrap(), followed.memory.generation());
        let of = eligibility::feed::Kind::Member;
        let deletion = eligibility::feed::Deletion { of, before, rows: 3, position, state };
        let (done, outcome) = channel();
        let tell = Box::new(move |outcome| drop(done.send(outcome)));
        followed.ledger.act(Said::Deletion(Box::new(deletion)), tell).unwrap();
        outcome.recv().unwrap().unwrap();
    };
    // Recorded, and cut short before anything went.
    recorded("2013-12-31T00:00:00+09:00", followed.memory.view().sum());
    let reader = followed.ledger.reader().unwrap();
    let scanned = history::scan(&reader).unwrap();
    assert_eq!((scanned.left[0].1, scanned.changed.len(), scanned.holds()), (3, 0, false));
    history::finish(&followed.ledger, &followed.memory).unwrap();
    assert!(history::scan(&reader).unwrap().holds());
    recorded("2013-12-31T00:00:00+09:00", [7; 32]);
    let scanned = history::scan(&reader).unwrap();
    assert_eq!((scanned.changed.len(), scanned.holds()), (1, false));
}

#[test]
fn nobody_looks_back_beyond_what_is_kept() {
    let mut world = World::prepared(60);
    std::fs::remove_dir_all(world.path("data/memory")).unwrap();
    for file in ["data/ledger.sqlite", "data/ledger.sqlite-wal", "data/ledger.sqlite-shm"] {
        let _ = std::fs::remove_file(world.path(file));
    }
    write(&world.path("data/ledger.sqlite"));
    let run = |world: &World, command: &str| {
        let output = shikaku()
            .args(["history", command, "--config"])
            .arg(world.path("shikaku.toml"))
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    assert!(run(&world, "scan").1.contains("nothing was ever deleted"));
    let (code, said) = run(&world, "delete");
    assert!(code == Some(0) && said.contains("rows that were replaced before"), "{said}");
    assert!(run(&world, "delete").1.contains("nothing is due"));
    let (code, said) = run(&world, "scan");
    assert!(code == Some(0) && said.contains("member: 0 rows left") && said.contains("unchanged"), "{said}");
    world.start();
    assert_eq!(run(&world, "scan").0, Some(0), "beside the service");
    let review = world.client("review");
    let ask = |at: &str| {
        let question = json!({"insurer_number": INSURER, "symbol": "古", "number": "1", "birth_date": "1980-01-01", "known_at": at});
        review.post("/v1/eligibility/number", &question)
    };
    let refused = ask("2013-02-01T00:00:00+09:00");
    assert_eq!((refused.status, &refused.json()["field"]), (422, &json!("known_at")));
    assert!(
        refused.json()["detail"].as_str().unwrap().contains("history is kept since 20"),
        "{}",
        refused.json()
    );
    let job =
        review.send("POST", "/v1/prechecks?known_at=2013-02-01T00:00:00Z", "application/x-ndjson", b"{}\n");
    assert_eq!((job.status, &job.json()["field"]), (422, &json!("known_at")));
    let names = ["2017-01-01T00:00:00+09:00", "2021-01-01T00:00:00+09:00", "2026-01-01T00:00:00+09:00"];
    let names =
        names.map(|at| ask(at).json()["coverages"][0]["name"].as_str().unwrap_or_default().to_owned());
    assert_eq!(names, ["一の三", "一の四", "一の五"]);
}
