//! The path of a query in process: no socket, no runtime, the clock an argument.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use eligibility::day::Timestamp;
use gateway::audit::export::{Span, records};
use gateway::audit::{Class, Keys, Record};
use gateway::config::Config;
use gateway::gateway::Gateway;
use gateway::path::{self, Reply, Request};
use gateway::peer::Peer;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use world::World;

struct Inside {
    world: World,
    gateway: Gateway,
    peer: Peer,
}

impl Inside {
    fn new() -> Self {
        let world = World::prepared(100);
        let config = Config::read(&world.path("shikaku.toml")).unwrap();
        let gateway = Gateway::start(&config).unwrap();
        let certificate = CertificateDer::from_pem_file(world.path("clients/reception.pem")).unwrap();
        let peer = Peer::of(&certificate, &gateway.roles);
        Self { world, gateway, peer }
    }

    fn request(&self, now: Timestamp) -> Request<'_> {
        Request { peer: &self.peer, id: uuid::Uuid::max(), now, trace: None }
    }

    fn word(reply: Reply) -> (&'static str, Value) {
        let Reply { outcome, word, recording } = reply;
        assert!(recording.wait(), "recorded");
        let json = outcome.unwrap_or_else(|refusal| refusal.to_json());
        (word, serde_json::from_slice(&json).unwrap())
    }
}

#[test]
fn a_card_and_a_number_are_answered_at_any_time_given() {
    let inside = Inside::new();
    let desk = &inside.gateway.desk;
    let now = inside.gateway.clock.now();
    let query = json!({"insurer_number": "06132013", "symbol": "12-34", "number": "567", "branch": "00", "birth_date": "1980-02-03"});
    let ask = |at: Timestamp| path::number(desk, inside.request(at), query.to_string().as_bytes());
    assert_eq!(Inside::word(ask(now)).0, "valid");

    // Four days of silence: what was positive stays so, what was negative is no longer sure.
    let later = now.plus_millis(4 * 86_400_000);
    let (word, answer) = Inside::word(ask(later));
    assert_eq!((word, &answer["as_of"]), ("valid", &Inside::word(ask(now)).1["as_of"]));
    let mut nobody = query.clone();
    nobody["birth_date"] = json!("1980-02-04");
    let ask = |at| path::number(desk, inside.request(at), nobody.to_string().as_bytes());
    assert_eq!(Inside::word(ask(now)).0, "not_found");
    let (word, answer) = Inside::word(ask(later));
    assert_eq!((word, answer["reason"].as_str()), ("unconfirmed", Some("stale")));

    let (challenge, expires_at) = desk.challenges.issue(inside.peer.fingerprint(), now).unwrap();
    let card = inside.world.card_in_state("good").query(&challenge).to_string();
    let ask = |at| Inside::word(path::card(desk, inside.request(at), card.as_bytes()).now().unwrap());
    let (word, problem) = ask(expires_at);
    assert_eq!(word, "challenge_expired");
    assert!(problem["challenge"].is_string());
    assert_eq!(ask(expires_at.plus_millis(-1)).0, "valid");
    assert_eq!(ask(now).0, "challenge_used");
}

#[test]
fn an_old_list_refuses_the_card_and_says_so() {
    let inside = Inside::new();
    let desk = &inside.gateway.desk;
    let at = inside.gateway.clock.now().plus_millis(8 * 86_400_000);
    let (challenge, _) = desk.challenges.issue(inside.peer.fingerprint(), at).unwrap();
    let card = inside.world.card_in_state("good").query(&challenge).to_string();
    let (word, problem) = Inside::word(path::card(desk, inside.request(at), card.as_bytes()).now().unwrap());
    assert_eq!(word, "revocation_unknown");
    assert!(problem["advice"]["desk"].as_str().unwrap().contains("カードの不具合ではありません"));
}

/// The `count`-th of a row of 個人番号, written in one of the ways they are written.
fn my_number(count: u64) -> (String, String) {
    let body: [u8; 11] =
        std::array::from_fn(|at| (count.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (at * 5)) as u8 % 10);
    let check = eligibility::my_number::check_digit(&body);
    let digits: String = body.iter().chain([&check]).map(|digit| char::from(b'0' + digit)).collect();
    let groups = [&digits[..4], &digits[4..8], &digits[8..]];
    let wide =
        |text: &str| text.chars().map(|c| char::from_u32(c as u32 + 0xFEE0).unwrap()).collect::<String>();
    let written = match count % 6 {
        0 => digits.clone(),
        1 => wide(&digits),
        2 => groups.join("-"),
        3 => groups.map(wide).join("　"),
        4 => format!("様{digits}番"),
        _ => groups.join("ー"),
    };
    (digits, written)
}

#[test]
fn of_100_000_planted_my_numbers_none_enters() {
    let inside = Inside::new();
    let desk = &inside.gateway.desk;
    let now = inside.gateway.clock.now();
    let number = json!({"insurer_number": "06132013", "symbol": "1", "number": "2", "branch": "00", "birth_date": "1980-02-03", "date": "2026-11-21", "institution": "1312345679", "reference": "a"});
    let card = json!({"certificate": "AAAA", "challenge": "AAAA", "signature": "AAAA", "identity_check": "pin", "date": "2026-11-21", "institution": "1312345679", "reference": "a"});
    let record = json!({"source": "06132013", "kind": "member", "link_number": "3050012345678901", "recorded_at": "2024-04-03T10:00:00+09:00", "name": "見本", "name_kana": "ミホン", "alias": "別名", "alias_kana": "ベツメイ", "sex": "male", "sex_on_back": "male", "birth_date": "1980-02-03", "postal_code": "100-0001", "address": "架空市", "coverages": []});
    let fields = |of: &Value, without: &[&str]| -> Vec<String> {
        of.as_object()
            .unwrap()
            .iter()
            .filter(|(name, value)| value.is_string() && !without.contains(&name.as_str()))
            .map(|(name, _)| name.clone())
            .collect()
    };
    let (of_number, of_card, of_record) = (
        fields(&number, &[]),
        fields(&card, &["certificate", "challenge", "signature"]),
        fields(&record, &[]),
    );
    let mut recordings = Vec::new();
    for count in 0..100_000_u64 {
        let (digits, written) = my_number(count);
        let planted = |into: &Value, fields: &[String]| {
            let mut into = into.clone();
            into[fields[count as usize / 4 % fields.len()].as_str()] = json!(written);
            into
        };
        let said = match count % 4 {
            0 | 1 => {
                let reply = path::number(
                    desk,
                    inside.request(now),
                    planted(&number, &of_number).to_string().as_bytes(),
                );
                recordings.push(reply.recording);
                reply.outcome.unwrap_err().to_json()
            }
            2 => {
                let reply =
                    path::card(desk, inside.request(now), planted(&card, &of_card).to_string().as_bytes());
                let reply = reply.now().unwrap();
                recordings.push(reply.recording);
                reply.outcome.unwrap_err().to_json()
            }
            _ => {
                let mut line = planted(&record, &of_record);
                line["sequence"] = json!(count);
                let source = eligibility::feed::Source::parse("06132013").unwrap();
                let offer = ledger::Offer::from_line(source, count, line.to_string().as_bytes());
                offer.refused().expect("refused").to_json()
            }
        };
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains("my_number_refused"), "{said}");
        assert!(!said.contains(&digits) && !said.contains(&written), "{said}");
        if recordings.len() == 10_000 {
            assert!(recordings.drain(..).all(gateway::audit::Recording::wait));
        }
    }
    assert!(recordings.drain(..).all(gateway::audit::Recording::wait));
    assert_eq!(desk.audit.next_record(Class::Answers), 75_000);
    let config = Config::read(&inside.world.path("shikaku.toml")).unwrap();
    let span = Span { from: Timestamp::from_millis(0), to: now.plus_millis(86_400_000) };
    let keys = Keys::read(&config.audit).unwrap();
    let lines = std::sync::Mutex::new(0);
    let look = |record: &Record| {
        let line = serde_json::to_string(record).unwrap();
        assert!(!eligibility::my_number::is_hidden_in(&line), "{line}");
        *lines.lock().unwrap() += 1;
    };
    let unread = records(&config.audit.folder, Class::Answers, (span, &keys), 1, look).unwrap();
    assert_eq!((unread, lines.into_inner().unwrap()), (Vec::new(), 75_000));
}
