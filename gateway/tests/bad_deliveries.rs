//! Bad deliveries, each with the one verdict that it must get: what is wrong stays out by name, what is
//! right goes in, and what looks wrong as a whole waits for an operator.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use serde_json::{Value, json};
use world::World;

const SOURCE: &str = "06132013";
/// Persons of a delivery that is weighed as a whole.
const PERSONS: u64 = 1100;

/// What must become of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Records accepted, lines skipped as read before, and the codes of those in quarantine.
    Read(u64, u64, &'static [&'static str]),
    /// Held back by these gates.
    Held(&'static [&'static str]),
}
use Verdict::{Held, Read};

/// A row of the table: what is bad, the delivery that begins after this sequence, and the verdict.
type Row = (&'static str, fn(u64) -> Vec<u8>, Verdict);

fn member(sequence: u64, change: Value) -> Value {
    let mut record = json!({
        "source": SOURCE, "sequence": sequence, "kind": "member",
        "link_number": format!("{:016}", 9_400_000_000_000_000 + sequence % 10_000),
        "name": "試験　太郎", "name_kana": "シケン　タロウ", "sex": "male", "birth_date": "1980-02-03",
        "address": "架空市１", "restrictions": [],
        "coverages": [{"symbol": "悪－１", "number": format!("{sequence}"), "branch": "01", "qualified_on": "2020-04-01", "copay_percent": 30}],
    });
    merge(&mut record, change);
    record
}

/// Puts other values into a record; `coverage` are those of its coverage.
fn merge(record: &mut Value, change: Value) {
    for (key, value) in change.as_object().unwrap() {
        match key.as_str() {
            "coverage" => merge(&mut record["coverages"][0], value.clone()),
            _ => record[key] = value.clone(),
        }
    }
}

fn line(sequence: u64, change: Value) -> Vec<u8> {
    member(sequence, change).to_string().into_bytes()
}

fn lines(all: &[Vec<u8>]) -> Vec<u8> {
    all.join(&b'\n')
}

fn good(sequence: u64) -> Vec<u8> {
    line(sequence, json!({}))
}

fn mark(sequence: u64, complete_to: &str, records: Option<u64>) -> Vec<u8> {
    let mut mark =
        json!({"source": SOURCE, "sequence": sequence, "kind": "mark", "complete_to": complete_to});
    if let Some(records) = records {
        mark["records"] = json!(records);
    }
    mark.to_string().into_bytes()
}

/// A whole delivery of the persons of these tests.
fn whole(from: u64, change: &Value) -> Vec<u8> {
    let record = |person: u64| {
        let link = json!({"link_number": format!("{:016}", 9_500_000_000_000_000 + person)});
        let mut record = member(from + person, link);
        merge(&mut record, change.clone());
        record.to_string().into_bytes()
    };
    lines(&(1..=PERSONS).map(record).collect::<Vec<_>>())
}

/// A 個人番号 with a right check digit.
const MY_NUMBER: &str = "123456789018";

#[rustfmt::skip]
const TABLE: &[Row] = &[
    ("empty",                        |_| Vec::new(), Read(0, 0, &[])),
    ("blank lines",                  |_| b"\n \n\r\n".to_vec(), Read(0, 0, &[])),
    ("no JSON",                      |_| b"sequence;kind;name".to_vec(), Read(0, 0, &["malformed"])),
    ("cut off in the last line",     |n| { let mut all = lines(&[good(n + 1), good(n + 2)]); all.truncate(all.len() - 9); all }, Read(1, 0, &["malformed"])),
    ("CP932 in a name",              |n| with_octets(line(n + 1, json!({"name": "@@"})), b"\x8e\x8e\x8c\xb1"), Read(0, 0, &["malformed"])),
    ("EUC-JP in a name",             |n| with_octets(line(n + 1, json!({"name": "@@"})), b"\xbb\xee\xb8\xb3"), Read(0, 0, &["malformed"])),
    ("UTF-16",                       |n| good(n + 1).into_iter().flat_map(|octet| [octet, 0]).collect(), Read(0, 0, &["malformed"])),
    ("a byte order mark",            |n| [b"\xef\xbb\xbf".to_vec(), lines(&[good(n + 1), good(n + 2)])].concat(), Read(1, 0, &["malformed"])),
    ("lines that end as in Windows", |n| [good(n + 1), good(n + 2)].join(&b"\r\n"[..]), Read(2, 0, &[])),
    ("a NUL in a line",              |n| with_octets(line(n + 1, json!({"name": "@@"})), b"\0"), Read(0, 0, &["malformed"])),
    ("a line of 10 MB",              |n| lines(&[line(n + 1, json!({"name": "長".repeat(3_500_000)})), good(n + 2)]), Read(1, 0, &["malformed"])),
    ("brackets a hundred thousand deep", |n| lines(&[b"[".repeat(100_000), good(n + 1)]), Read(1, 0, &["malformed"])),
    ("nested deep within a record",  |n| with_octets(line(n + 1, json!({"name": "@@"})), &[b"\",\"alias\":".to_vec(), b"{\"a\":".repeat(5000), b"1".to_vec(), b"}".repeat(5000), b",\"x\":\"".to_vec()].concat()), Read(0, 0, &["invalid_field"])),
    ("a list around the records",    |n| [b"[".to_vec(), good(n + 1), b"]".to_vec()].concat(), Read(0, 0, &["malformed"])),
    ("two records in a line",        |n| [good(n + 1), good(n + 2)].concat(), Read(0, 0, &["malformed"])),
    ("an unknown field",             |n| line(n + 1, json!({"shoe_size": 27})), Read(0, 0, &["unknown_field"])),
    ("a field is missing",           |n| line(n + 1, json!({"name": null})), Read(0, 0, &["missing_field"])),
    ("a number for a text",          |n| line(n + 1, json!({"name": 5})), Read(0, 0, &["invalid_field"])),
    ("another insurer's record",     |n| lines(&[good(n + 1), line(n + 2, json!({"source": "138057"}))]), Read(1, 0, &["foreign_source"])),
    ("a record of the portal",       |n| json!({"source": SOURCE, "sequence": n + 1, "kind": "link", "serial": "114390001", "link_number": "3050012345678901"}).to_string().into_bytes(), Read(0, 0, &["unknown_value"])),
    ("an act of the gateway",        |n| json!({"source": "gateway", "sequence": n + 1, "kind": "dismissal", "of": SOURCE, "name": "1"}).to_string().into_bytes(), Read(0, 0, &["foreign_source"])),
    ("a source with a wrong check digit", |n| line(n + 1, json!({"source": "06132014"})), Read(0, 0, &["unknown_value"])),
    ("reordered",                    |n| lines(&[good(n + 2), good(n + 1), good(n + 3)]), Read(2, 0, &["out_of_order"])),
    ("each line twice",              |n| lines(&[good(n + 1), good(n + 1), good(n + 2), good(n + 2)]), Read(2, 2, &[])),
    ("a sequence with two contents", |n| lines(&[good(n + 1), line(n + 1, json!({"name": "別人"}))]), Read(1, 0, &["sequence_reused"])),
    ("older than what was read",     |n| lines(&[good(n - 25)]), Read(0, 0, &["out_of_order"])),
    ("sequence 0",                   |_| line(0, json!({})), Read(0, 0, &["out_of_range"])),
    ("a negative sequence",          |n| line(n + 1, json!({"sequence": -1})), Read(0, 0, &["invalid_field"])),
    ("a sequence that no counter holds", |n| line(n + 1, json!({"sequence": 1_u64 << 63})), Read(0, 0, &["out_of_range"])),
    ("an epoch that nobody opened",  |n| line(n + 1, json!({"epoch": 2})), Read(0, 0, &["wrong_epoch"])),
    ("a mark in the future",         |n| mark(n + 1, "2199-01-01T00:00:00+09:00", None), Read(0, 0, &["future_mark"])),
    ("a mark that counts otherwise", |n| lines(&[mark(n + 1, "2026-11-01T00:00:00+09:00", None), good(n + 2), mark(n + 3, "2026-11-02T00:00:00+09:00", Some(2))]), Read(2, 0, &["count_mismatch"])),
    ("a mark that goes backward",    |n| mark(n + 1, "2020-01-01T00:00:00+09:00", None), Read(1, 0, &[])),
    ("30 February",                  |n| line(n + 1, json!({"birth_date": "1980-02-30"})), Read(0, 0, &["invalid_field"])),
    ("a date of an era",             |n| line(n + 1, json!({"birth_date": "S55.02.03"})), Read(0, 0, &["invalid_field"])),
    ("it ends before it begins",     |n| line(n + 1, json!({"coverage": {"valid_from": "2026-04-01", "valid_through": "2025-03-31"}})), Read(0, 0, &["out_of_range"])),
    ("a sex that no book has",       |n| line(n + 1, json!({"sex": "x"})), Read(0, 0, &["unknown_value"])),
    ("a restriction that no book has", |n| line(n + 1, json!({"restrictions": ["secret"]})), Read(0, 0, &["unknown_value"])),
    ("a share above the whole",      |n| line(n + 1, json!({"coverage": {"copay_percent": 101}})), Read(0, 0, &["out_of_range"])),
    ("control characters in a name", |n| line(n + 1, json!({"name": "試\u{1b}験"})), Read(0, 0, &["out_of_range"])),
    ("a name without end",           |n| line(n + 1, json!({"name": "長".repeat(101)})), Read(0, 0, &["out_of_range"])),
    ("more coverages than anybody has", |n| line(n + 1, json!({"coverages": vec![json!({"number": "1", "qualified_on": "2020-04-01"}); 101]})), Read(0, 0, &["out_of_range"])),
    ("a 個人番号 in every text",      |n| lines(&my_numbers(n)), Read(0, 0, &["my_number_refused"; 9])),
    ("half-width kana",              |n| line(n + 1, json!({"name_kana": "ｼｹﾝ ﾀﾛｳ"})), Read(1, 0, &[])),
    ("full-width digits",            |n| line(n + 1, json!({"coverage": {"number": "１２３４５"}})), Read(1, 0, &[])),
    // As a whole. What was fed before is of the same persons.
    ("deletions without end",        |n| whole(n, &json!({"deleted": true})), Held(&["losses"])),
    ("everybody lost the coverage",  |n| whole(n, &json!({"coverage": {"disqualified_on": "2026-10-01", "loss_reason": "01"}})), Held(&["losses"])),
    ("a field emptied for a city",   |n| whole(n, &json!({"address": null})), Held(&["emptied address"])),
    ("the burden ratio is missing",  |n| whole(n, &json!({"coverage": {"copay_percent": null}})), Held(&["emptied coverages.copay_percent"])),
    ("a part is missing",            |n| lines(&[mark(n, "2026-11-03T00:00:00+09:00", None), whole(n, &json!({})), mark(n + PERSONS + 1, "2026-11-04T00:00:00+09:00", Some(PERSONS + 1))]), Held(&["count"])),
    ("the delivery of another day within", |n| lines(&[mark(n, "2026-11-03T00:00:00+09:00", None), whole(n, &json!({})), good(n + PERSONS + 1), mark(n + PERSONS + 2, "2026-11-04T00:00:00+09:00", Some(PERSONS))]), Held(&["count"])),
];

fn with_octets(line: Vec<u8>, octets: &[u8]) -> Vec<u8> {
    let at = line.windows(2).position(|two| two == b"@@").unwrap();
    [&line[..at], octets, &line[at + 2..]].concat()
}

/// A record for each text field, with the number in it, half- and full-width, whole and in groups.
/// In full-width digits.
fn wide(digits: &str) -> String {
    digits.chars().map(|c| char::from_u32(c as u32 - 0x30 + 0xFF10).unwrap()).collect()
}

fn my_numbers(after: u64) -> Vec<Vec<u8>> {
    let wide = wide(MY_NUMBER);
    let changes = [
        json!({"name": MY_NUMBER}),
        json!({"name_kana": wide}),
        json!({"alias": "1234-5678-9018"}),
        json!({"alias_kana": format!("番号 {MY_NUMBER}")}),
        json!({"address": "架空市 1234 5678 9018"}),
        json!({"coverage": {"symbol": wide}}),
        json!({"coverage": {"number": MY_NUMBER}}),
        json!({"coverage": {"insured_name": "１２３４－５６７８－９０１８"}}),
        json!({"postal_code": MY_NUMBER}),
    ];
    (after + 1..).zip(changes).map(|(sequence, change)| line(sequence, change)).collect()
}

fn verdict(reply: &Value) -> (Option<(u64, u64)>, Vec<String>) {
    let texts =
        |list: &Value, text: &dyn Fn(&Value) -> String| list.as_array().unwrap().iter().map(text).collect();
    if reply["held"] == true {
        let gate = |one: &Value| match one["field"].as_str() {
            Some(field) => format!("{} {field}", one["gate"].as_str().unwrap()),
            None => one["gate"].as_str().unwrap().to_owned(),
        };
        return (None, texts(&reply["reasons"], &gate));
    }
    let codes = texts(&reply["quarantined"], &|one| one["code"].as_str().unwrap().to_owned());
    (Some((reply["accepted"].as_u64().unwrap(), reply["duplicates"].as_u64().unwrap())), codes)
}

#[test]
fn every_bad_delivery_gets_its_one_verdict() {
    assert!(TABLE.len() >= 40);
    let world = World::started(100);
    let (feeder, operator) = (world.client("insurer-06132013"), world.client("operator"));
    let path = format!("/v1/feeds/{SOURCE}");
    let committed = || feeder.get(&path).json()["committed_sequence"].as_u64().unwrap();
    let send = |body: &[u8]| feeder.send("POST", &path, "application/x-ndjson", body).json();
    let before = send(&whole(committed(), &json!({})));
    assert_eq!(before["accepted"], PERSONS, "{before}");
    let mut wrong = Vec::new();
    for (what, delivery, expected) in TABLE {
        let after = committed() + 20;
        let reply = send(&delivery(after));
        let expected = match expected {
            Read(accepted, duplicates, codes) => (Some((*accepted, *duplicates)), *codes),
            Held(gates) => (None, *gates),
        };
        if verdict(&reply) != (expected.0, expected.1.iter().map(|one| (*one).to_owned()).collect()) {
            wrong.push(format!("{what}: {reply}"));
        }
        if reply["held"] == true {
            let held = format!("{path}/held/{}", reply["delivery"].as_str().unwrap());
            assert_eq!(operator.post(&held, &json!({"release": false})).status, 200, "{what}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let log = world.log().replace(['-', ' '], "");
    assert!(!log.contains(MY_NUMBER) && !log.contains(&wide(MY_NUMBER)), "a number was logged");

    // The same insurer goes on as if nothing had been.
    let good = send(&good(committed() + 1));
    assert_eq!(good["accepted"], 1);
}
