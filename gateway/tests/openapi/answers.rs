//! What desks, strangers and operators are told, held against the description.

use std::collections::BTreeSet;
use std::time::Duration;

use gateway::refusal;
use serde_json::{Value, json};

use crate::document::Holding;
use crate::world::client::{Client, Reply};
use crate::world::{World, client};
use crate::{CLIENTS, DOCUMENT, OCTETS, WORLD, employee, feed, get, post, with};

fn ask_number(client: &Client, query: &Value) -> Reply {
    post(client, "/v1/eligibility/number", "/v1/eligibility/number", query)
}

fn ask_card(client: &Client, query: &Value) -> Reply {
    post(client, "/v1/eligibility/card", "/v1/eligibility/card", query)
}

#[test]
fn the_description_is_served_to_every_caller() {
    for (name, _) in CLIENTS {
        let reply = get(&WORLD.client(name), "/openapi.json", "/openapi.json");
        assert_eq!((reply.status, reply.body.as_slice()), (200, OCTETS), "{name}");
    }
    let nobody = Client::new(WORLD.listen, WORLD.folder.path(), None);
    assert!(nobody.try_send("GET", "/openapi.json", "application/json", b"").is_none());
    assert_eq!(WORLD.client("stranger").post("/openapi.json", &json!({})).header("allow"), Some("GET"));
}

/// The request target and body by which a caller tries an operation without changing anything.
fn attempt(path: &str, operation: &Value, name: &str) -> (String, &'static str, Vec<u8>) {
    let own =
        ["06132013", "138057", "portal", "jlis", "city-131016"].into_iter().find(|own| name.ends_with(own));
    let target =
        path.replace("{source}", own.unwrap_or("06132013")).replace("{name}", "1").replace("{serial}", "1");
    let target = target.replace("{delivery}", "1").replace("{id}", "g1-00000000000000000000000000000000");
    let target = target.replace("{message}", "OQSsiquc01");
    let content = &operation["requestBody"]["content"];
    if content["application/x-ndjson"].is_object() {
        return (target, "application/x-ndjson", b"\n".to_vec());
    }
    let example = DOCUMENT.examples(&content["application/json"]).into_values().next();
    (target, "application/json", example.map_or_else(Vec::new, |body| body.to_string().into_bytes()))
}

#[test]
fn roles_are_as_described() {
    for (path, method, operation) in
        DOCUMENT.operations().into_iter().filter(|(path, ..)| !DOCUMENT.is_admin(path))
    {
        let roles: Vec<_> =
            operation["x-roles"].as_array().unwrap().iter().map(|role| role.as_str().unwrap()).collect();
        for (name, role) in CLIENTS {
            let (target, kind, body) = attempt(path, operation, name);
            let reply = WORLD.client(name).send(&method, &target, kind, &body);
            DOCUMENT.assert_describes(&method, path, &reply);
            let may = roles.is_empty() || roles.contains(&role);
            let refused = reply.status == 403 && reply.word() == "forbidden";
            assert_eq!(refused, !may, "{name}: {method} {target}: {reply:?}");
        }
    }
}

/// The named persons of the demonstration: name, whether by card, question by number.
fn persons() -> Vec<(String, bool, Option<Value>)> {
    let guide = std::fs::read_to_string(WORLD.path("README.md")).unwrap();
    let rows = guide.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map_while(|line| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, _, _, by_card, question] = <[&str; 5]>::try_from(cells).ok()?;
        let question = question.trim_matches('`');
        let question = (!question.is_empty()).then(|| serde_json::from_str(question).unwrap());
        Some((name.to_owned(), !by_card.is_empty(), question))
    })
    .collect()
}

#[test]
fn every_named_person_is_answered_as_described() {
    let consent = json!({"limit_certificate": true, "specific_disease": true, "subsidies": true});
    let mut shown = BTreeSet::new();
    let mut note = |reply: &Reply| {
        let json = reply.json();
        let coverage = &json["coverages"][0];
        for field in ["elderly", "limit_certificate", "subsidies"] {
            if !coverage[field].is_null() {
                shown.insert(field);
            }
        }
        if coverage["specific_diseases"].as_array().is_some_and(|all| !all.is_empty()) {
            shown.insert("specific_diseases");
        }
    };
    for name in ["reception", "review"] {
        let client = WORLD.client(name);
        for (person, by_card, question) in persons() {
            if let Some(question) = question {
                note(&ask_number(&client, &question));
                note(&ask_number(&client, &with(question, "consent", consent.clone())));
            }
            if by_card {
                let challenge = post(&client, "/v1/challenges", "/v1/challenges", &json!({})).json();
                let challenge = challenge["challenges"][0]["challenge"].as_str().unwrap().to_owned();
                let query = WORLD.card(&person).query(&challenge);
                note(&ask_card(&client, &with(query, "consent", consent.clone())));
            }
        }
    }
    assert_eq!(shown.len(), 4, "certificates that were shown: {shown:?}");
}

#[test]
fn every_card_is_answered_as_described() {
    let desk = WORLD.client("reception");
    for line in WORLD.cards() {
        ask_card(&desk, &WORLD.card(line["name"].as_str().unwrap()).query(&desk.challenge()));
    }
}

#[test]
fn batches_are_answered_as_described() {
    let path = "/v1/eligibility/batch";
    let ask = |lines: &str| {
        let reply = WORLD.client("review").send("POST", path, "application/x-ndjson", lines.as_bytes());
        DOCUMENT.assert_describes("POST", path, &reply);
        reply
    };
    let mut lines: Vec<_> =
        persons().into_iter().filter_map(|(.., question)| Some(question?.to_string())).collect();
    lines.extend(["{".to_owned(), "{}".to_owned(), String::new()]);
    lines.push(with(employee(), "number", json!("123456789018")).to_string());
    lines.push(with(employee(), "institution", json!("1312345679")).to_string());
    lines.push(with(employee(), "known_at", json!("2026-01-01T00:00:00Z")).to_string());
    let reply = ask(&lines.join("\r\n"));
    let answers = String::from_utf8(reply.body).unwrap();
    assert_eq!((reply.status, answers.lines().count()), (200, lines.len() - 1));
    assert_eq!(ask("").status, 200);
    assert_eq!(ask(&"{}\n".repeat(10_001)).word(), "body_too_large");
}

#[test]
fn every_spelling_that_is_taken_is_described() {
    let desk = WORLD.client("reception");
    let spellings = [
        ("insurer_number", json!("０６１３２０１３")),
        ("insurer_number", json!("\u{3000}06132013 ")),
        ("symbol", json!("１２―３４")),
        ("symbol", Value::Null),
        ("number", json!("０００５６７")),
        ("branch", json!("")),
        ("branch", Value::Null),
        ("branch", json!(" ００")),
        ("date", Value::Null),
        ("date", json!("2026-01-31")),
        ("institution", json!("1312345679")),
        ("institution", Value::Null),
        ("consent", Value::Null),
        ("consent", json!({})),
        ("reference", Value::Null),
        ("reference", json!("受付　１７")),
        ("known_at", Value::Null),
    ];
    for (field, value) in spellings {
        let reply = ask_number(&desk, &with(employee(), field, value.clone()));
        assert_eq!(reply.status, 200, "{field} {value}: {:?}", reply.json());
    }
    let national = json!({"insurer_number": "00138057", "number": "1", "birth_date": "1980-02-03"});
    assert_eq!(ask_number(&desk, &national).status, 200);
    assert_eq!(ask_number(&desk, &with(national, "insurer_number", json!("  138057"))).status, 200);
}

#[test]
fn a_request_that_the_description_forbids_is_refused() {
    let desk = WORLD.client("reception");
    let schema = json!({"$ref": "#/components/schemas/NumberQuery"});
    let validator = DOCUMENT.validator(&schema, Holding::Open);
    let wrong = [
        ("insurer_number", json!("0613201")),
        ("insurer_number", json!(6132013)),
        ("symbol", json!("x".repeat(41))),
        ("number", json!("")),
        ("branch", json!("1")),
        ("birth_date", json!("1980-02-30")),
        ("birth_date", json!("1849-12-31")),
        ("birth_date", json!("昭和55年2月3日")),
        ("date", json!("2026-11-21T00:00:00Z")),
        ("known_at", json!("2026-11-21")),
        ("institution", json!("131234567")),
        ("consent", json!({"all": true})),
        ("consent", json!({"subsidies": null})),
        ("reference", json!("x".repeat(65))),
        ("reference", json!("a\tb")),
        ("sex", json!("male")),
    ];
    for (field, value) in wrong {
        let query = with(employee(), field, value);
        assert!(!validator.is_valid(&query), "let through by the description: {query}");
        assert_eq!(ask_number(&desk, &query).word(), "invalid_field", "{query}");
    }
}

#[test]
fn every_refusal_that_can_be_provoked_is_described() {
    let (desk, operator) = (WORLD.client("reception"), WORLD.client("operator"));
    let card = WORLD.card_in_state("good");
    let challenge = desk.challenge();
    let query = card.query(&challenge);
    let mut replies = vec![
        ask_number(&desk, &json!([])),
        ask_number(&desk, &json!({})),
        ask_number(&desk, &with(employee(), "institution", json!("1411234568"))),
        ask_number(&desk, &with(employee(), "known_at", json!("2026-01-01T00:00:00Z"))),
        ask_number(&WORLD.client("review"), &with(employee(), "known_at", json!("2026-01-01T00:00:00Z"))),
        ask_number(&desk, &with(employee(), "number", json!("1234-5678-9018"))),
        ask_number(&desk, &with(employee(), "reference", json!(" ".repeat(17_000)))),
        ask_card(&desk, &with(query.clone(), "certificate", json!("AAAA"))),
        ask_card(&desk, &with(query.clone(), "signature", query["certificate"].clone())),
        ask_card(&desk, &with(query.clone(), "signature", Value::Null)),
        ask_card(&desk, &with(query.clone(), "identity_check", json!("smile"))),
        ask_card(&WORLD.client("reception-2"), &query),
        ask_card(&desk, &query),
        ask_card(&desk, &query),
        post(&desk, "/v1/challenges", "/v1/challenges", &json!({"count": 101})),
        post(&desk, "/v1/challenges", "/v1/challenges", &json!({"count": 100})),
        get(&desk, "any other", "/v1/nothing"),
        get(&desk, "any other", &format!("/v1/{}", "x".repeat(1100))),
        get(&operator, "/v1/feeds/{source}", "/v1/feeds/gateway"),
        get(&operator, "/v1/feeds/{source}", "/v1/feeds/06270128"),
        get(&operator, "/v1/feeds/{source}/quarantine", "/v1/feeds/1/quarantine"),
        feed(&WORLD.client("insurer-06132013"), "138057", "{}"),
    ];
    for (path, method, kind, body) in [
        ("/v1/eligibility/number", "PUT", "application/json", "{}"),
        ("/v1/eligibility/number", "POST", "text/xml", "<a/>"),
        ("/v1/eligibility/card", "POST", "application/json", "{\"certificate\":\"\u{1}"),
    ] {
        let reply = desk.send(method, path, kind, body.as_bytes());
        DOCUMENT.assert_describes("POST", path, &reply);
        replies.push(reply);
    }
    let headers: String = (0..100).map(|n| format!("x-{n}: 1\r\n")).collect();
    let many = desk
        .raw(
            format!("GET /v1/feeds HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n")
                .as_bytes(),
        )
        .unwrap();
    DOCUMENT.assert_describes("GET", "/v1/feeds", &many);
    replies.push(many);
    let unmeasured = "POST /v1/challenges HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    let unmeasured = desk.raw(unmeasured.as_bytes()).unwrap();
    DOCUMENT.assert_describes("POST", "/v1/challenges", &unmeasured);
    replies.push(unmeasured);
    let astray = desk.raw(b"GET /v1/feeds HTTP/1.1\r\nhost: elsewhere\r\nconnection: close\r\n\r\n").unwrap();
    DOCUMENT.assert_describes("GET", "/v1/feeds", &astray);
    replies.push(astray);
    for state in ["expired", "revoked", "suspended", "untrusted", "wrong_profile"] {
        replies.push(ask_card(&desk, &WORLD.card_in_state(state).query(&desk.challenge())));
    }
    let unaided = unaided();
    let expired = unaided.client("reception").challenge();
    std::thread::sleep(Duration::from_millis(1200));
    for challenge in [expired, unaided.client("reception").challenge()] {
        replies
            .push(ask_card(&unaided.client("reception"), &unaided.card_in_state("good").query(&challenge)));
    }
    let guesser = unaided.client("reception-2");
    let guess = with(employee(), "number", json!("7654321"));
    replies.extend((0..=200).map(|_| ask_number(&guesser, &guess)));
    let met: BTreeSet<_> = replies.iter().filter(|one| one.status >= 400).map(Reply::word).collect();
    // What a test cannot bring about at will, or not here: a start, a stop, a full disk, a bound that is not
    // set, a fault of ours.
    let rare = ["not_ready", "overloaded", "draining", "rate_limited", "internal"];
    let others = [
        "no_such_insured",
        "ambiguous_insured",
        "link_conflict",
        "link_refused",
        "no_such_job",
        "no_results",
    ];
    for code in refusal::ALL.iter().map(|problem| problem.code) {
        let elsewhere = rare.contains(&code) || others.contains(&code) || code == "forbidden";
        assert!(met.contains(code) || elsewhere, "{code} was not met: {met:?}");
    }
}

/// A gateway without revocation lists, whose challenges live a second.
fn unaided() -> World {
    let mut world = World::prepared(60);
    for entry in std::fs::read_dir(world.path("jpki")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "crl") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let text = std::fs::read_to_string(world.path("shikaku.toml")).unwrap();
    let text = text.replace("challenge_seconds = 120", "challenge_seconds = 1");
    std::fs::write(world.path("shikaku.toml"), text).unwrap();
    world.start();
    world
}

#[test]
fn the_operators_pages_are_as_described() {
    for (path, method, operation) in
        DOCUMENT.operations().into_iter().filter(|(path, ..)| DOCUMENT.is_admin(path))
    {
        assert_eq!((method.as_str(), &operation["security"]), ("GET", &json!([])), "{path}");
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let reply = client::plain(WORLD.admin, &request).unwrap();
        assert_eq!(reply.status, 200, "{path}");
        DOCUMENT.assert_describes("GET", path, &reply);
    }
    assert_eq!(DOCUMENT.operations().iter().filter(|(path, ..)| DOCUMENT.is_admin(path)).count(), 4);
}
