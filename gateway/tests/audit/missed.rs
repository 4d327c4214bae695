//! Budgets of questions that find nobody, over the wire and over a restart.

use std::time::{Duration, Instant};

use eligibility::number::has_check_digit;
use serde_json::{Value, json};

use crate::world::World;
use crate::world::client::Client;

fn guess(number: u64) -> Value {
    json!({"insurer_number": "06132013", "symbol": "12-34", "number": format!("{}", 7_000_000 + number), "birth_date": "1980-02-03"})
}

fn batch(client: &Client, queries: impl Iterator<Item = Value>) -> Vec<Value> {
    let lines: Vec<_> = queries.map(|query| query.to_string()).collect();
    let reply =
        client.send("POST", "/v1/eligibility/batch", "application/x-ndjson", lines.join("\n").as_bytes());
    let text = String::from_utf8(reply.body).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn who_guesses_is_stopped_and_cards_are_not() {
    let mut world = World::started(100);
    let desk = world.client("reception");
    let answers = batch(&desk, (0..300).map(guess));
    let refused: Vec<_> = answers.iter().filter(|answer| answer["code"] == "too_many_misses").collect();
    assert_eq!(
        (refused.len(), answers.iter().filter(|answer| answer["status"] == "not_found").count()),
        (100, 200)
    );
    // Desks have a budget of their own; it is used up as well.
    let (mut found_nobody, mut last) = (0, None);
    for number in 0..201 {
        let reply = desk.post("/v1/eligibility/number", &guess(number));
        found_nobody += u32::from(reply.word() == "not_found");
        last = Some(reply);
    }
    let last = last.unwrap();
    assert_eq!((found_nobody, last.status, last.word().as_str()), (200, 429, "too_many_misses"));
    let wait: u32 = last.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=86_400 + 300).contains(&wait), "{wait}");
    // Whoever is there is not shown either: the budget is of questions, not of misses alone.
    let employee =
        json!({"insurer_number": "06132013", "symbol": "12-34", "number": "567", "birth_date": "1980-02-03"});
    assert_eq!(desk.post("/v1/eligibility/number", &employee).status, 429);
    // Cards, other insurers and other institutions go on.
    assert_eq!(world.card_in_state("good").ask(&desk).word(), "valid");
    let other =
        json!({"insurer_number": "138057", "symbol": "1", "number": "99999999", "birth_date": "1980-02-03"});
    assert_eq!(desk.post("/v1/eligibility/number", &other).word(), "not_found");
    assert_eq!(world.client("reception-2").post("/v1/eligibility/number", &employee).word(), "valid");
    assert!(world.admin_get("/metrics").unwrap().1.contains("shikaku_miss_budgets_used_up 2"));
    assert!(world.log().contains("miss budget used up"));

    // A restart is no way around it: the audit remembers.
    world.kill();
    world.start();
    let desk = world.client("reception");
    let began = Instant::now();
    while desk.post("/v1/eligibility/number", &employee).status != 429 {
        assert!(began.elapsed() < Duration::from_secs(20), "forgotten");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(world.client("reception-2").post("/v1/eligibility/number", &employee).word(), "valid");
}

/// A reply without what may differ and tells nothing: its time, and the position of memory.
fn blank(body: &[u8]) -> Vec<u8> {
    let answer: Value = serde_json::from_slice(body).unwrap();
    let at = answer["answered_at"].as_str().unwrap().to_owned();
    let generation = format!("\"generation\":{}", answer["generation"]);
    String::from_utf8(body.to_vec()).unwrap().replace(&at, "").replace(&generation, "").into_bytes()
}

#[test]
fn no_such_number_and_a_right_number_look_alike_in_every_octet() {
    let world = World::started(300);
    let guide = std::fs::read_to_string(world.path("README.md")).unwrap();
    let questions: Vec<Value> = guide
        .lines()
        .filter_map(|line| {
            line.starts_with("| ").then(|| serde_json::from_str(line.rsplit('`').nth(1)?).ok()).flatten()
        })
        .collect();
    assert!(questions.len() >= 15, "{}", questions.len());
    let (desk, review) = (world.client("reception"), world.client("review"));
    let mut branches = 0;
    for client in [&desk, &review] {
        for question in &questions {
            let with = |field: &str, value: &str| {
                let mut query = question.clone();
                query[field] = json!(value);
                let reply = client.post("/v1/eligibility/number", &query);
                let names: Vec<_> =
                    reply.headers.iter().map(|(name, value)| (name.clone(), value.len())).collect();
                (reply.status, names, blank(&reply.body), reply.json()["status"].clone())
            };
            // A slip of the finger in a 後期 number is told of, whoever is there: the check digit is right.
            let free =
                (9_876_000_u32..).map(|number| format!("0{number}")).find(|text| has_check_digit(text));
            let nobody = with("number", &free.unwrap());
            assert!(nobody.3 == "not_found" || nobody.3 == "unconfirmed", "{}", nobody.3);
            assert_eq!(with("birth_date", "1901-01-01"), nobody, "a right number with a wrong birth date");
            let other_branch = with("branch", "87");
            // A coverage that was fed without branch fits any.
            if other_branch.3 == nobody.3 {
                assert_eq!(other_branch, nobody, "a right number with a wrong branch");
                branches += 1;
            }
            let other_symbol = with("symbol", "架空");
            // 後期 has no symbols: whatever is written there is ignored.
            if other_symbol.3 == nobody.3 {
                assert_eq!(other_symbol, nobody, "a right number with a wrong symbol");
            }
        }
    }
    assert!(branches >= 10, "{branches}");
}
