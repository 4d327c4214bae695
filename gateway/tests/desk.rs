//! What a reception desk meets over the wire: every status, every card state, every refusal.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use std::sync::LazyLock;

use serde_json::{Value, json};
use world::World;

/// One gateway for all the tests of this file that change nothing.
static WORLD: LazyLock<World> = LazyLock::new(|| World::started(300));

fn situation(name: &str) -> Value {
    WORLD.question(name)
}

/// The named persons with what the table says of them: name, by number, by card, question.
fn situations() -> Vec<(String, String, String, Option<Value>)> {
    let guide = std::fs::read_to_string(WORLD.path("README.md")).unwrap();
    let rows = guide.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map_while(|line| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        let [name, _, by_number, by_card, question] = <[String; 5]>::try_from(cells).ok()?;
        let question = question.trim_matches('`');
        Some((
            name,
            by_number,
            by_card,
            (!question.is_empty()).then(|| serde_json::from_str(question).unwrap()),
        ))
    })
    .collect()
}

/// The word and the reason in a cell such as "`withheld` (closed)".
fn expected(cell: &str) -> (String, Option<String>) {
    let word = cell.split('`').nth(1).unwrap_or_default().to_owned();
    let reason = cell.split_once('(').map(|(_, reason)| reason.trim_end_matches(')').to_owned());
    (word, reason)
}

#[test]
fn every_named_person_is_answered_as_the_table_says() {
    let desk = WORLD.client("reception");
    let situations = situations();
    assert!(situations.len() >= 20, "{} situations", situations.len());
    let mut seen = std::collections::BTreeSet::new();
    for (name, by_number, by_card, question) in situations {
        if !by_number.is_empty() {
            let reply = desk.post("/v1/eligibility/number", &question.unwrap());
            let (word, reason) = expected(&by_number);
            assert_eq!(reply.word(), word, "{name} by number: {}", reply.json());
            assert_eq!(reply.json()["reason"].as_str(), reason.as_deref(), "{name}");
            seen.insert(word);
        }
        if !by_card.is_empty() {
            let reply = WORLD.card(&name).ask(&desk);
            let (word, reason) = expected(&by_card);
            assert_eq!(reply.word(), word, "{name} by card: {}", reply.json());
            assert_eq!(reply.json()["reason"].as_str(), reason.as_deref(), "{name}");
            seen.insert(word);
        }
    }
    for status in ["valid", "invalid", "invalid_newer", "multiple", "withheld", "not_linked", "unconfirmed"] {
        assert!(seen.contains(status), "no person shows {status}");
    }
}

#[test]
fn nobody_fits_a_wrong_birth_date_or_number() {
    let mut query = situation("employee");
    query["birth_date"] = json!("1901-01-01");
    let desk = WORLD.client("reception");
    let reply = desk.post("/v1/eligibility/number", &query);
    assert_eq!(reply.json()["status"], "not_found");
    assert_eq!(reply.json()["code"], 4);
    let mut unknown = situation("employee");
    unknown["number"] = json!("99999999");
    let other = desk.post("/v1/eligibility/number", &unknown);
    let same = |reply: &world::client::Reply| {
        let mut json = reply.json();
        json["answered_at"] = Value::Null;
        json
    };
    assert_eq!(same(&reply), same(&other), "the two kinds of nobody must look alike");
}

#[test]
fn every_card_state_is_answered_or_refused() {
    let desk = WORLD.client("reception");
    let cases = [
        ("expired", "card_expired"),
        ("revoked", "card_revoked"),
        ("suspended", "card_suspended"),
        ("untrusted", "card_untrusted"),
        ("wrong_profile", "card_wrong_profile"),
        ("unlinked", "not_linked"),
    ];
    for (state, word) in cases {
        let reply = WORLD.card_in_state(state).ask(&desk);
        assert_eq!(reply.word(), word, "{state}: {}", reply.json());
        assert!(reply.json()["advice"]["desk"].as_str().unwrap().chars().count() > 10);
    }
    let good = WORLD.card_in_state("good").ask(&desk).json();
    assert_eq!(good["card"]["state"], "good");
    assert_eq!(good["card"]["proof"], "signature");
    assert_eq!(good["card"]["revocation"]["source"], "crl");
    let grace = WORLD.card_in_state("grace").ask(&desk).json();
    assert_eq!(grace["card"]["state"], "grace");
    assert_eq!(grace["card"]["eligibility_only"], true);
    assert!(grace["card"]["days_left"].as_i64().unwrap() < 0);
}

#[test]
fn challenges_are_bound_fresh_and_spent_once() {
    let desk = WORLD.client("reception");
    let card = WORLD.card_in_state("good");
    let challenge = desk.challenge();
    let query = card.query(&challenge);

    let foreign = WORLD.client("reception-2").post("/v1/eligibility/card", &query);
    assert_eq!(foreign.word(), "challenge_unknown");
    assert!(foreign.json()["challenge"].is_string(), "a fresh one comes along");

    let mut unsigned = query.clone();
    unsigned["signature"] = query["certificate"].clone();
    assert_eq!(desk.post("/v1/eligibility/card", &unsigned).word(), "signature_invalid");
    // A wrong signature does not spend it.
    assert_eq!(desk.post("/v1/eligibility/card", &query).word(), "valid");
    let replayed = desk.post("/v1/eligibility/card", &query);
    assert_eq!(replayed.word(), "challenge_used");
    let fresh = replayed.json()["challenge"].as_str().unwrap().to_owned();
    assert_eq!(desk.post("/v1/eligibility/card", &card.query(&fresh)).word(), "valid");

    assert_eq!(desk.post("/v1/eligibility/card", &card.query("AAAA")).word(), "challenge_unknown");
    let many = desk.post("/v1/challenges", &json!({"count": 100}));
    assert_eq!(many.json()["challenges"].as_array().unwrap().len(), 100);
    assert_eq!(desk.post("/v1/challenges", &json!({"count": 101})).word(), "invalid_field");
}

#[test]
fn of_two_with_one_challenge_one_wins() {
    let desk = WORLD.client("reception");
    let query = WORLD.card_in_state("good").query(&desk.challenge());
    let ask = || {
        let (desk, query) = (desk.clone(), query.clone());
        std::thread::spawn(move || desk.post("/v1/eligibility/card", &query).word())
    };
    let racers: Vec<_> = (0..8).map(|_| ask()).collect();
    let words: Vec<_> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
    assert_eq!(words.iter().filter(|word| *word == "valid").count(), 1, "{words:?}");
    assert_eq!(words.iter().filter(|word| *word == "challenge_used").count(), 7, "{words:?}");
}

#[test]
fn bad_requests_are_refused_by_name() {
    let desk = WORLD.client("reception");
    let good = situation("employee");
    let with = |field: &str, value: Value| {
        let mut query = good.clone();
        query[field] = value;
        query.to_string()
    };
    let cases = [
        ("{".to_owned(), "malformed", None),
        ("[]".to_owned(), "malformed", None),
        ("\u{FEFF}{}".to_owned(), "malformed", None),
        ("{}".to_owned(), "invalid_field", Some("insurer_number")),
        (with("insurer_nr", json!(1)), "invalid_field", Some("insurer_nr")),
        (with("insurer_number", json!("06132014")), "invalid_field", Some("insurer_number")),
        (with("insurer_number", json!("01990009")), "invalid_field", Some("insurer_number")),
        (with("birth_date", json!("1980-02-30")), "invalid_field", Some("birth_date")),
        (with("date", json!("1999-12-31")), "invalid_field", Some("date")),
        (with("date", json!("2199-01-01")), "invalid_field", Some("date")),
        (with("institution", json!("1312345678")), "invalid_field", Some("institution")),
        (with("institution", json!("1411234568")), "institution_mismatch", None),
        (with("known_at", json!("2026-01-01T00:00:00Z")), "forbidden", None),
        (with("reference", json!("x".repeat(65))), "invalid_field", Some("reference")),
        (with("reference", json!("1234-5678-9018")), "my_number_refused", Some("reference")),
        (with("number", json!("123456789018")), "my_number_refused", Some("number")),
        ("[".repeat(10_000), "malformed", None),
    ];
    for (body, code, field) in cases {
        let reply = desk.send("POST", "/v1/eligibility/number", "application/json", body.as_bytes());
        assert_eq!(reply.word(), code, "{body:.200}: {}", reply.json());
        assert_eq!(reply.json()["field"].as_str(), field, "{body:.200}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        assert!(!String::from_utf8_lossy(&reply.body).contains("9018"));
    }
    let mut card = WORLD.card_in_state("good").query(&desk.challenge());
    card["identity_check"] = json!("guess");
    assert_eq!(desk.post("/v1/eligibility/card", &card).json()["field"], "identity_check");
    card["identity_check"] = json!("pin");
    card["certificate"] = json!("?");
    assert_eq!(desk.post("/v1/eligibility/card", &card).json()["field"], "certificate");
}

#[test]
fn routes_methods_media_and_sizes_are_kept_to() {
    let desk = WORLD.client("reception");
    assert_eq!(desk.get("/v1/nothing").word(), "no_such_route");
    let wrong = desk.get("/v1/eligibility/number");
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("POST")));
    assert_eq!(desk.send("OPTIONS", "/v1/challenges", "application/json", b"").status, 405);
    let form = desk.send("POST", "/v1/challenges", "application/x-www-form-urlencoded", b"{}");
    assert_eq!((form.status, form.word().as_str()), (415, "unsupported_media_type"));
    let large = desk.send("POST", "/v1/eligibility/number", "application/json", &vec![b' '; 16 * 1024 + 1]);
    assert_eq!((large.status, large.word().as_str()), (413, "body_too_large"));
    let long = desk.get(&format!("/v1/{}", "x".repeat(1100)));
    assert_eq!((long.status, long.word().as_str()), (414, "uri_too_long"));
    let with = |headers: &str| {
        let reply = desk.raw(
            format!("GET /v1/feeds HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n")
                .as_bytes(),
        );
        reply.map(|reply| (reply.status, reply.word())).unwrap()
    };
    let refused = (431, "headers_too_large".to_owned());
    assert_eq!(with(&(0..100).map(|n| format!("x-{n}: 1\r\n")).collect::<String>()), refused);
    assert_eq!(with(&format!("x: {}\r\n", "y".repeat(17_000))), refused);
    assert_eq!(with("x: y\r\n"), (403, "forbidden".to_owned()));
    for reply in [desk.get("/v1/nothing"), desk.post("/v1/challenges", &json!({}))] {
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert!(reply.header("request-id").is_some_and(|id| id.len() == 36));
    }
}

#[test]
fn a_batch_is_answered_line_by_line_in_order() {
    let desk = WORLD.client("reception");
    let mut lines = Vec::new();
    for count in 0..300 {
        let mut query = situation(if count % 3 == 0 { "employee" } else { "twins-without-branch" });
        query["reference"] = json!(count.to_string());
        lines.push(if count % 7 == 6 { "{".to_owned() } else { query.to_string() });
    }
    let send =
        |lines: &str| desk.send("POST", "/v1/eligibility/batch", "application/x-ndjson", lines.as_bytes());
    let reply = send(&lines.join("\n"));
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/x-ndjson")));
    let text = String::from_utf8(reply.body).unwrap();
    let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 300);
    for (count, answer) in answers.iter().enumerate() {
        if count % 7 == 6 {
            assert_eq!(answer["code"], "malformed");
        } else {
            assert_eq!(answer["reference"], count.to_string());
            assert_eq!(answer["status"], if count % 3 == 0 { "valid" } else { "multiple" });
        }
    }
    let many = vec!["{}"; 10_001].join("\n");
    assert_eq!(send(&many).word(), "body_too_large");
    assert_eq!(WORLD.client("portal").post("/v1/eligibility/batch", &json!({})).status, 403);
}

#[test]
fn roles_come_from_the_certificate() {
    let query = situation("employee");
    for name in ["stranger", "portal", "jlis", "city-131016", "operator", "insurer-06132013"] {
        let reply = WORLD.client(name).post("/v1/eligibility/number", &query);
        assert_eq!((reply.status, reply.word().as_str()), (403, "forbidden"), "{name}");
    }
    assert_eq!(WORLD.client("stranger").get("/v1/feeds").status, 403);
    assert_eq!(WORLD.client("reception").get("/v1/feeds").status, 403);
    assert_eq!(WORLD.client("review").post("/v1/eligibility/number", &query).word(), "valid");
    let nobody = world::client::Client::new(WORLD.listen, WORLD.folder.path(), None);
    assert!(nobody.try_send("POST", "/v1/challenges", "application/json", b"{}").is_none());
}

#[test]
fn only_a_reviewer_sees_the_other_insurer() {
    let by_number = |status: &str| {
        let row = situations().into_iter().find(|(_, by_number, ..)| expected(by_number).0 == status);
        row.unwrap().3.unwrap()
    };
    let query = by_number("invalid_newer");
    let desk = WORLD.client("reception").post("/v1/eligibility/number", &query).json();
    assert_eq!((desk["code"].as_u64(), &desk["newer"]), (Some(3), &Value::Null));
    let review = WORLD.client("review").post("/v1/eligibility/number", &query).json();
    assert!(!review["newer"].as_array().unwrap().is_empty());
}

#[test]
fn every_answer_leaves_a_record_without_personal_data() {
    let desk = WORLD.client("reception");
    let query = situation("employee");
    let reply = desk.post("/v1/eligibility/number", &query);
    let id = reply.header("request-id").unwrap().to_owned();
    // The record is in the kernel before the answer leaves: no waiting here.
    let output =
        world::shikaku().args(["audit", "export", "--config"]).arg(WORLD.path("shikaku.toml")).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let line = text.lines().find(|line| line.contains(&id)).expect("a record of this answer");
    let record: Value = serde_json::from_str(line).unwrap();
    assert_eq!(record["outcome"], "valid");
    assert_eq!(record["institution"], "1312345679");
    assert_eq!(record["person"].as_str().unwrap().len(), 32);
    let shown = reply.json()["coverages"][0].clone();
    for field in ["name", "name_kana", "birth_date", "address"] {
        let private = shown[field].as_str().unwrap();
        assert!(!text.contains(private) && !WORLD.log().contains(private), "{field}");
    }
}

#[test]
fn the_operators_pages_tell_where_it_stands() {
    assert_eq!(WORLD.admin_get("/livez").unwrap(), (200, "ok\n".to_owned()));
    assert_eq!(WORLD.admin_get("/readyz").unwrap().0, 200);
    let status: Value = serde_json::from_str(&WORLD.admin_get("/status").unwrap().1).unwrap();
    assert_eq!(status["phase"], "serving");
    assert!(status["generation"].as_u64().unwrap() > 0);
    assert!(status["feeds"]["06132013"]["age_seconds"].as_i64().unwrap() < 3600);
    assert!(status["revocation"].as_array().unwrap().len() >= 2);
    let metrics = WORLD.admin_get("/metrics").unwrap().1;
    for name in ["shikaku_generation", "shikaku_feed_age_seconds{source=\"06132013\"}", "shikaku_persons"] {
        assert!(metrics.contains(name), "{name}");
    }
    assert_eq!(WORLD.admin_get("/else").unwrap().0, 404);
}
