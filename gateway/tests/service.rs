//! The service as a whole: protocols, callers that are none, and stopping without cutting anybody off.

#![expect(clippy::disallowed_methods, reason = "certificates are made for now")]

mod world;

use std::io::{Read, Write};
use std::process::Command;
use std::time::{Duration, SystemTime};

use pki::UnixTime;
use pki::issuing::{ClientName, TlsAuthority, Validity};
use serde_json::json;
use world::client::{Client, Reply};
use world::{World, shikaku};

const QUERY: &str =
    r#"{"insurer_number":"06132013","symbol":"12-34","number":"567","birth_date":"1980-02-03"}"#;

#[test]
fn http_1_and_2_give_the_same_answer() {
    let world = World::started(60);
    let ask = |version: &str| {
        let output = Command::new("curl")
            .args([
                "-s",
                version,
                "-w",
                "\n%{http_version} %{http_code}",
                "-H",
                "content-type: application/json",
            ])
            .args(["--cacert", world.path("tls/ca.pem").to_str().unwrap()])
            .args(["--cert", world.path("clients/reception.pem").to_str().unwrap()])
            .args(["--key", world.path("clients/reception-key.pem").to_str().unwrap()])
            .args(["-d", QUERY, &format!("https://{}/v1/eligibility/number", world.listen)])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, spoken) = text.rsplit_once('\n').unwrap();
        let mut answer: serde_json::Value = serde_json::from_str(body).unwrap();
        answer["answered_at"] = json!(null);
        (spoken.to_owned(), answer)
    };
    let (spoken, first) = ask("--http1.1");
    assert_eq!(spoken, "1.1 200");
    let (spoken, second) = ask("--http2");
    assert_eq!(spoken, "2 200");
    assert_eq!(first, second);
    assert_eq!(first["status"], "valid");
}

#[test]
fn a_caller_of_another_authority_is_not_let_in() {
    let world = World::started(60);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
    let validity = Validity { not_before: UnixTime(now - 60), not_after: UnixTime(now + 3600) };
    let name = ClientName {
        organization: Some("1312345679".to_owned()),
        unit: Some("reception".to_owned()),
        common_name: "reception".to_owned(),
    };
    // Of the same name as the right one, with the subject of a right client.
    let identity = TlsAuthority::new("Shikaku Demo CA", validity).unwrap().client(&name, validity).unwrap();
    std::fs::write(world.path("clients/foreign.pem"), identity.certificate_pem).unwrap();
    std::fs::write(world.path("clients/foreign-key.pem"), identity.key_pem).unwrap();
    let foreign = Client::new(world.listen, world.folder.path(), Some("foreign"));
    assert!(foreign.try_send("POST", "/v1/challenges", "application/json", b"{}").is_none());
    assert_eq!(world.client("reception").post("/v1/challenges", &json!({})).status, 201);
    let plain = world::client::plain(world.listen, "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert!(plain.is_none(), "no plain HTTP here");
}

#[test]
fn a_stop_lets_requests_in_flight_finish() {
    let mut world = World::started(60);
    let mut stream = world.client("reception").connect().unwrap();
    let head = format!(
        "POST /v1/eligibility/number HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        QUERY.len()
    );
    let (beginning, rest) = QUERY.split_at(20);
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(beginning.as_bytes()).unwrap();
    stream.flush().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let stopping = std::thread::spawn(move || (world.stop(), world));
    std::thread::sleep(Duration::from_millis(300));
    stream.write_all(rest.as_bytes()).unwrap();
    let mut octets = Vec::new();
    let _ = stream.read_to_end(&mut octets);
    let reply = Reply::parse(&octets).unwrap();
    assert_eq!((reply.status, reply.word().as_str()), (200, "valid"));
    let (code, world) = stopping.join().unwrap();
    assert_eq!(code, Some(0), "{}", world.log());
    assert!(world.admin_get("/readyz").is_none());
}

#[test]
fn the_status_page_shows_in_a_browser() {
    let world = World::started(60);
    world.client("reception").send("POST", "/v1/eligibility/number", "application/json", QUERY.as_bytes());
    let profile = tempfile::tempdir().unwrap();
    let dom = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("http://{}/status", world.admin))
        .output()
        .expect("chromium is installed by ops/test");
    let dom = String::from_utf8(dom.stdout).unwrap();
    let facts = [
        "応答中",
        "<table id=\"facts\">",
        "<td>number</td>",
        "06132013",
        "失効リスト",
        "平常",
        "窓口 &gt; 登録・連携",
    ];
    for shown in facts {
        assert!(dom.contains(shown), "{shown}: {dom}");
    }
    assert!(dom.contains("<td>gateway</td><td>—</td><td>—</td>") && !dom.contains("未完了"), "{dom}");
    // A program that names no HTML gets the document.
    let json: serde_json::Value = serde_json::from_str(&world.admin_get("/status").unwrap().1).unwrap();
    assert_eq!(json["phase"], "serving");
    assert!(json["audit"]["records"]["answers"].as_u64().unwrap() >= 1);
}

#[test]
fn a_full_audit_disk_withholds_answers_and_loses_none() {
    let world = World::started(60);
    let desk = world.client("reception");
    assert_eq!(
        desk.send("POST", "/v1/eligibility/number", "application/json", QUERY.as_bytes()).word(),
        "valid"
    );
    // A file that may grow no further stands for a full disk.
    let process = world.process_id().to_string();
    let limit = |octets: &str| {
        Command::new("prlimit").args(["--pid", &process, &format!("--fsize={octets}")]).status().unwrap()
    };
    assert!(limit("1:unlimited").success());
    let reply = desk.send_once("POST", "/v1/eligibility/number", "application/json", QUERY.as_bytes());
    assert_eq!((reply.status, reply.word().as_str()), (503, "overloaded"), "{:?}", reply.json());
    assert!(reply.header("retry-after").is_some());
    assert!(limit("unlimited").success());
    assert_eq!(
        desk.send("POST", "/v1/eligibility/number", "application/json", QUERY.as_bytes()).word(),
        "valid"
    );
    let verified = shikaku()
        .args(["audit", "verify"])
        .arg(world.path("data/audit"))
        .arg("--config")
        .arg(world.path("shikaku.toml"))
        .output()
        .unwrap();
    let said = String::from_utf8(verified.stdout).unwrap();
    assert!(verified.status.success() && said.contains("answers: holds: 2 records"), "{said}");
}
