//! The path of a query in process: no socket, no runtime, the clock an argument.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use eligibility::day::Timestamp;
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
        Request { peer: &self.peer, id: uuid::Uuid::from_u128(1), now }
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
    let ask = |at| Inside::word(path::card(desk, inside.request(at), card.as_bytes()));
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
    let (word, problem) = Inside::word(path::card(desk, inside.request(at), card.as_bytes()));
    assert_eq!(word, "revocation_unknown");
    assert!(problem["advice"]["desk"].as_str().unwrap().contains("カードの不具合ではありません"));
}
