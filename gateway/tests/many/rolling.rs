//! Gateways restarted one after the other behind a balancer: no desk is left without an answer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use serde_json::Value;

use crate::balancer::Balancer;
use crate::group::{Database, Group, until};
use crate::world::Card;
use crate::world::client::Client;

/// Asks with a card as a terminal does: a refusal that carries a fresh challenge is signed once more, and a
/// connection that ends without an answer, or is put off, is tried once more.
fn ask(desk: &Client, card: &Card, challenge: &mut Option<String>) -> Result<(), String> {
    let mut told = String::new();
    for _ in 0..2 {
        let asked = match challenge.take() {
            Some(challenge) => challenge,
            None => fresh(desk).or_else(|| fresh(desk)).ok_or("no challenge")?,
        };
        let body = card.query(&asked).to_string();
        let reply = desk.try_send("POST", "/v1/eligibility/card", "application/json", body.as_bytes());
        told = match reply {
            Some(reply) if reply.status == 200 => return Ok(()),
            Some(reply) => {
                *challenge = reply.json()["challenge"].as_str().map(str::to_owned);
                reply.word()
            }
            None => "no answer".to_owned(),
        };
    }
    Err(told)
}

fn fresh(desk: &Client) -> Option<String> {
    let reply = desk.try_send("POST", "/v1/challenges", "application/json", b"{}")?;
    let json: Value = (reply.status == 201).then(|| reply.json())?;
    json["challenges"][0]["challenge"].as_str().map(str::to_owned)
}

#[test]
fn a_rolling_restart_fails_no_desk() {
    let database = Database::new();
    let mut group = Group::started(&database.url(), 100, 2);
    let balancer = Balancer::before(&group);
    let card = group.gateways[0].card_in_state("good");
    let folder = group.gateways[0].folder.path().to_owned();
    let (stop, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let failed: Vec<String> = thread::scope(|scope| {
        let desks: Vec<_> = (0..4)
            .map(|_| {
                let desk = Client::new(balancer.address, &folder, Some("reception"));
                let (card, stop, answered) = (&card, &stop, &answered);
                scope.spawn(move || {
                    let mut failed = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        // As a terminal has it: the challenge is fetched before the card is laid down.
                        let mut challenge = fresh(&desk);
                        match ask(&desk, card, &mut challenge) {
                            Ok(()) => drop(answered.fetch_add(1, Ordering::Relaxed)),
                            Err(why) => failed.push(why),
                        }
                    }
                    failed
                })
            })
            .collect();
        let more = || {
            let before = answered.load(Ordering::Relaxed);
            until("desks are answered", || answered.load(Ordering::Relaxed) > before + 50);
        };
        more();
        for world in &mut group.gateways {
            assert_eq!(world.stop(), Some(0));
            more();
            world.start();
            more();
        }
        stop.store(true, Ordering::Relaxed);
        desks.into_iter().flat_map(|desk| desk.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "{} of {}: {failed:?}", failed.len(), answered.load(Ordering::Relaxed));
}

#[test]
fn a_caller_that_is_moved_signs_once_more() {
    let database = Database::new();
    let mut group = Group::started(&database.url(), 100, 2);
    let balancer = Balancer::before(&group);
    let desk = Client::new(balancer.address, group.gateways[0].folder.path(), Some("reception"));
    let card = group.gateways[0].card_in_state("good");
    let challenge = desk.challenge();
    // Kept together: the gateway that made it takes it.
    let first = desk.post("/v1/eligibility/card", &card.query(&desk.challenge()));
    assert_eq!(first.word(), "valid");
    let made = group.gateways.iter().position(|world| {
        let direct = world.client("reception").post("/v1/eligibility/card", &card.query(&challenge));
        direct.word() == "valid"
    });
    let made = made.expect("one of them made it");
    let challenge = desk.challenge();
    group.gateways[made].kill();
    until("the balancer moves the caller", || fresh(&desk).is_some());
    let moved = desk.post("/v1/eligibility/card", &card.query(&challenge));
    assert_eq!(moved.word(), "challenge_unknown");
    let fresh = moved.json()["challenge"].as_str().unwrap().to_owned();
    assert_eq!(desk.post("/v1/eligibility/card", &card.query(&fresh)).word(), "valid");
    // And the one that begins again knows nothing of those of before.
    group.gateways[made].start();
    let back = group.gateways[made].client("reception").post("/v1/eligibility/card", &card.query(&challenge));
    assert_eq!(back.word(), "challenge_unknown");
}
