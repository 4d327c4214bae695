//! What operators and insurers look after: quarantine and held deliveries by command, double memberships,
//! and why an answer was given.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use serde_json::{Value, json};
use world::{World, shikaku};

const SOURCE: &str = "06132013";
const FEED: &str = "/v1/feeds/06132013";

fn member(source: &str, sequence: u64, person: u64, change: &Value) -> String {
    let mut record = json!({
        "source": source, "sequence": sequence, "kind": "member", "link_number": format!("{:016}", 9_500_000_000_000_000 + person),
        "name": "試験　操作", "sex": "female", "birth_date": "1966-06-06", "address": "架空市９", "restrictions": [],
        "coverages": [{"symbol": "操", "number": format!("{person}"), "branch": "01", "qualified_on": "2020-04-01"}],
    });
    for (key, value) in change.as_object().unwrap() {
        record[key] = value.clone();
    }
    record.to_string()
}

fn next(world: &World, source: &str) -> u64 {
    let state = world.client("operator").get(&format!("/v1/feeds/{source}")).json();
    state["committed_sequence"].as_u64().unwrap() + 1
}

/// A command that speaks to the service as this caller: its exit code and what it says.
fn by(world: &World, caller: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let server = format!("https://localhost:{}", world.listen.port());
    let file = |name: String| world.path(&name).to_str().unwrap().to_owned();
    let output = shikaku()
        .args(arguments)
        .args(["--server", &server, "--ca", &file("tls/ca.pem".to_owned())])
        .args([
            "--cert",
            &file(format!("clients/{caller}.pem")),
            "--key",
            &file(format!("clients/{caller}-key.pem")),
        ])
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn operators_look_after_feeds_by_command() {
    let world = World::started(100);
    let feeder = world.client("insurer-06132013");
    let first = next(&world, SOURCE);
    let lines =
        [member(SOURCE, first, 1, &json!({"sex": "x"})), member(SOURCE, first + 1, 2, &json!({"sex": "x"}))];
    feeder.feed(SOURCE, &lines.join("\n"));
    let (code, said) = by(&world, "operator", &["feed", "quarantine", SOURCE]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains(&format!("{first}: unknown_value sex, line 1")) && said.contains("2 quarantined"),
        "{said}"
    );
    let name = first.to_string();
    let (code, said) = by(&world, "operator", &["feed", "quarantine", SOURCE, "--dismiss", &name]);
    assert!(code == Some(0) && said.contains("dismissed") && said.contains("1 quarantined"), "{said}");
    // What a later record makes good is gone as well.
    feeder.feed(SOURCE, &member(SOURCE, first + 2, 2, &json!({})));
    assert!(by(&world, "operator", &["feed", "quarantine", SOURCE]).1.contains("0 quarantined"));
    let (code, said) = by(&world, "insurer-06132013", &["feed", "quarantine", SOURCE, "--dismiss", &name]);
    assert!(code == Some(1) && said.contains("forbidden"), "{said}");

    let all: Vec<_> = (0..1100).map(|n| member(SOURCE, first + 10 + n, 10 + n, &json!({}))).collect();
    feeder.feed(SOURCE, &all.join("\n"));
    let emptied = |from: u64| {
        let lines: Vec<_> =
            (0..1100).map(|n| member(SOURCE, from + n, 10 + n, &json!({"address": null}))).collect();
        feeder.feed(SOURCE, &lines.join("\n")).json()["delivery"].as_str().unwrap().to_owned()
    };
    let held = emptied(first + 2000);
    let (code, said) = by(&world, "operator", &["feed", "held", SOURCE]);
    assert!(
        code == Some(0) && said.contains(&held) && said.contains("emptied address: 100, 10 allowed"),
        "{said}"
    );
    let (_, said) = by(&world, "operator", &["feed", "held", SOURCE, "--drop", &held]);
    assert!(said.contains("dropped") && said.contains("0 held back"), "{said}");
    let held = emptied(first + 4000);
    let (_, said) = by(&world, "operator", &["feed", "held", SOURCE, "--release", &held]);
    assert!(said.contains("released, 1100 accepted, 0 quarantined"), "{said}");
    assert_eq!(by(&world, "operator", &["feed", "held", SOURCE, "--release", &held]).0, Some(1));
    let (code, said) = by(&world, "operator", &["feed", "state", SOURCE]);
    assert!(code == Some(0) && said.contains(&format!("sequence {}", first + 5099)), "{said}");
    assert!(by(&world, "operator", &["feed", "state"]).1.lines().count() > 3);
    let nowhere = shikaku().args(["feed", "state"]).output().unwrap();
    assert_eq!(nowhere.status.code(), Some(2));
}

#[test]
fn an_insurer_sees_its_own_double_memberships() {
    let world = World::started(100);
    let (feeder, path) = (world.client("insurer-06132013"), format!("{FEED}/overlaps"));
    let before = feeder.get(&path).json();
    let with = |from: &str, lost: Option<&str>| json!({"coverages": [{"symbol": "操", "number": "77", "qualified_on": from, "disqualified_on": lost}]});
    let (own, city) = (next(&world, SOURCE), next(&world, "138057"));
    // 国保 that ended as it must, and 国保 that goes on.
    world.client("insurer-138057").feed(
        "138057",
        &[
            member("138057", city, 1, &with("2010-04-01", Some("2024-04-02"))),
            member("138057", city + 1, 2, &with("2010-04-01", None)),
        ]
        .join("\n"),
    );
    feeder.feed(
        SOURCE,
        &[
            member(SOURCE, own, 1, &with("2024-04-01", None)),
            member(SOURCE, own + 1, 2, &with("2024-04-01", None)),
        ]
        .join("\n"),
    );
    let after = feeder.get(&path);
    let shown = after.json();
    assert_eq!(shown["total"].as_u64(), Some(before["total"].as_u64().unwrap() + 1), "{shown}");
    let new = json!({"from": "2024-04-01", "through": null, "other_began": "earlier", "symbol": "操", "number": "77",
        "branch": null, "qualified_on": "2024-04-01", "disqualified_on": null});
    assert!(shown["overlaps"].as_array().unwrap().contains(&new), "{shown}");
    // Nothing of the other insurer, and nobody else sees it.
    assert!(!String::from_utf8_lossy(&after.body).contains("138057"));
    for name in ["insurer-138057", "operator", "review", "reception", "portal"] {
        assert_eq!(world.client(name).get(&path).word(), "forbidden", "{name}");
    }
    assert_eq!(world.client("portal").get("/v1/feeds/portal/overlaps").status, 403);
}

#[test]
fn an_answer_is_explained_by_its_records() {
    let mut world = World::started(100);
    let feeder = world.client("insurer-06132013");
    let first = next(&world, SOURCE);
    let left = json!({"coverages": [{"symbol": "操", "number": "5", "branch": "01", "qualified_on": "2020-04-01", "disqualified_on": "2025-12-31"}]});
    for (at, change) in
        [(0, json!({})), (1, left), (2, json!({"sex": "x", "restrictions": ["hide_address"]}))]
    {
        feeder.feed(SOURCE, &member(SOURCE, first + at, 5, &change));
    }
    let question = json!({"insurer_number": SOURCE, "symbol": "操", "number": "5", "birth_date": "1966-06-06", "date": "2026-01-05"});
    let answer = world.client("review").post("/v1/eligibility/number", &question).json();
    assert_eq!(answer["status"], "invalid");
    let explain = |world: &World, more: &[&str]| {
        let output = shikaku()
            .args([
                "explain",
                "--insurer",
                SOURCE,
                "--symbol",
                "操",
                "--number",
                "5",
                "--birth-date",
                "1966-06-06",
            ])
            .args(["--date", "2026-01-05"])
            .args(more)
            .arg("--config")
            .arg(world.path("shikaku.toml"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    // Beside the service, and after it.
    let said = explain(&world, &[]);
    for words in [
        format!("連番 {first}、"),
        format!("連番 {}、世代 1　← 判定の根拠", first + 1),
        "資格喪失日（coverages[0].disqualified_on）".to_owned(),
        "保留（unknown_value、項目 sex）".to_owned(),
        "閲覧の制限だけは直ちに反映: hide_address".to_owned(),
        "判定: 無効（invalid、資格有効性 2）".to_owned(),
        "ended_by loss".to_owned(),
    ] {
        assert!(said.contains(&words), "{words} is not in {said}");
    }
    for private in ["試験", "架空市", "1966", "9500000000000005", "2025-12-31"] {
        assert!(!said.contains(private), "{private} is in {said}");
    }
    let shown = explain(&world, &["--show"]);
    for private in ["なし → 試験　操作", "なし → 2025-12-31", "9500000000000005"] {
        assert!(shown.contains(private), "{private} is not in {shown}");
    }
    let then = explain(&world, &["--known-at", "2001-01-01T00:00:00Z"]);
    assert!(then.contains("一つもありません") && then.contains("理由 never_fed"), "{then}");
    world.stop();
    assert_eq!(explain(&world, &["--show"]).lines().count(), shown.lines().count());
    // Each look left its record, in a chain of its own.
    let folder = world.path("data/audit/commands");
    let audit = |arguments: &[&str]| {
        let output =
            shikaku().args(arguments).arg("--config").arg(world.path("shikaku.toml")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let folder = folder.to_str().unwrap();
    audit(&["audit", "verify", folder]);
    audit(&["audit", "verify", world.path("data/audit").to_str().unwrap()]);
    let looked = audit(&["audit", "export", "--dir", folder, "--class", "acts"]);
    assert_eq!(looked.matches("\"explain\"").count(), 4, "{looked}");
}
