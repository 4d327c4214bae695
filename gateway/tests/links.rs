//! Links made by the portal, and revocations that outlive restarts and lists.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki::issuing::{CardAuthority, ListSpec, Municipality, Reason, Revoked};
use pki::{ListNumber, Serial, UnixTime};
use serde_json::{Value, json};
use world::World;

fn request(world: &World, card: &str, person: &Value) -> Value {
    let mut request = person.clone();
    request["certificate"] = json!(STANDARD.encode(&world.card(card).certificate));
    request
}

#[test]
fn a_card_is_linked_asked_unlinked() {
    let mut world = World::started(70);
    let (portal, desk) = (world.client("portal"), world.client("reception"));
    let cards = world.cards();
    let unlinked = cards.iter().find(|card| card["state"] == "unlinked").unwrap();
    let (name, serial) = (unlinked["name"].as_str().unwrap(), unlinked["serial"].as_str().unwrap());
    let employee = world.question("employee");
    let wanted = request(&world, name, &employee);

    assert_eq!(desk.post("/v1/links", &wanted).status, 403);
    let first = portal.post("/v1/links", &wanted);
    assert_eq!((first.status, &first.json()["serial"]), (201, &json!(serial)), "{}", first.json());
    assert_eq!(world.card(name).ask(&desk).word(), "valid");
    let again = portal.post("/v1/links", &wanted);
    assert_eq!((again.status, again.json()), (201, first.json()), "linking again is the same answer");

    let other = request(&world, name, &world.question("dependent-child"));
    assert_eq!(portal.post("/v1/links", &other).word(), "link_conflict");
    let twins = request(&world, name, &world.question("twins-without-branch"));
    assert_eq!(portal.post("/v1/links", &twins).word(), "ambiguous_insured");
    let unusable = request(&world, name, &world.question("card-unusable"));
    assert_eq!(portal.post("/v1/links", &unusable).word(), "link_refused");
    let mut nobody = wanted.clone();
    nobody["birth_date"] = json!("1901-01-01");
    let refused = portal.post("/v1/links", &nobody);
    assert_eq!((refused.status, refused.word().as_str()), (404, "no_such_insured"));
    for (state, word) in
        [("expired", "card_expired"), ("revoked", "card_revoked"), ("untrusted", "card_untrusted")]
    {
        let card = cards.iter().find(|card| card["state"] == state).unwrap()["name"].as_str().unwrap();
        assert_eq!(portal.post("/v1/links", &request(&world, card, &employee)).word(), word);
    }

    // The notices come page by page; the newest is ours.
    let mut cursor = "0".to_owned();
    let mut notices = Vec::new();
    loop {
        let page = portal.get(&format!("/v1/links/notices?after={cursor}")).json();
        notices.extend(page["notices"].as_array().unwrap().clone());
        let next = page["cursor"].as_str().unwrap().to_owned();
        if next == cursor {
            break;
        }
        cursor = next;
    }
    assert_eq!(notices.last().unwrap()["serial"], serial);
    assert_eq!(desk.get("/v1/links/notices").status, 403);

    // What was acknowledged is there after a kill.
    world.kill();
    world.start();
    assert_eq!(world.card(name).ask(&desk).word(), "valid");
    let path = format!("/v1/links/{serial}");
    for _ in 0..2 {
        let gone = portal.send("DELETE", &path, "application/json", b"");
        assert_eq!((gone.status, gone.body.len()), (204, 0));
    }
    assert_eq!(world.card(name).ask(&desk).word(), "not_linked");
    assert_eq!(portal.send("DELETE", "/v1/links/007", "application/json", b"").word(), "invalid_field");
}

/// Signs a list for the partition of this card, `later` seconds after now, and puts it in the folder.
fn publish(world: &World, place: (&str, &str), later: i64, revoked: &[Revoked]) {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64 + later;
    let partition = Municipality::new(place.0, place.1).distribution_point();
    for name in ["user-ca-1", "user-ca-2"] {
        let der = std::fs::read(world.path(&format!("jpki/{name}.der"))).unwrap();
        let key = std::fs::read_to_string(world.path(&format!("jpki/{name}-key.pem"))).unwrap();
        let list = ListSpec {
            number: ListNumber::from(now as u64),
            this_update: UnixTime(now),
            next_update: UnixTime(now + 7 * 86_400),
            partition: Some(&partition),
            revoked,
            defect: None,
        };
        let file = format!("jpki/{name}-{}-{}.crl", place.0, place.1).to_lowercase();
        let signed = CardAuthority::load(&der, &key).unwrap().list(&list).unwrap();
        std::fs::write(world.path(&file), signed).unwrap();
    }
}

#[test]
fn a_revoked_card_stays_so_over_restarts_and_lists_and_a_hold_is_released() {
    const PLACES: [(&str, &str); 3] =
        [("Tokyo-to", "Hibari-ku"), ("Kanagawa-ken", "Wakakusa-shi"), ("Osaka-fu", "Komorebi-shi")];
    let mut world = World::prepared(70);
    let serial = |name: &str| -> Serial {
        let card = world.cards().into_iter().find(|card| card["name"] == name).unwrap();
        card["serial"].as_str().unwrap().parse().unwrap()
    };
    let at = UnixTime(1_760_000_000);
    let revoked = |name: &str, reason| Revoked { serial: serial(name), at, reason };
    let both = [revoked("employee", Reason::KeyCompromise), revoked("dependent-child", Reason::Hold)];
    let word = |world: &World, name: &str| world.card(name).ask(&world.client("reception")).word();

    // The list that is read last is the oldest.
    for (later, place) in (1..).zip(PLACES) {
        publish(&world, place, later, &both);
    }
    world.start();
    assert_eq!(word(&world, "employee"), "card_revoked");
    assert_eq!(word(&world, "dependent-child"), "card_suspended");
    let generation = |world: &World| world.client("operator").get("/v1/feeds").json()["generation"].as_u64();
    let before = generation(&world);
    assert_eq!(world.stop(), Some(0));
    world.start();
    assert_eq!(generation(&world), before, "the same lists again change nothing");
    assert_eq!(world.stop(), Some(0));

    // Newer lists without them, and a restart: the revoked stays, the hold is gone.
    for place in PLACES {
        publish(&world, place, 5, &[]);
    }
    world.start();
    assert_eq!(word(&world, "employee"), "card_revoked");
    assert_eq!(word(&world, "dependent-child"), "valid");
    assert_eq!(world.stop(), Some(0));

    // Older lists are refused, even by a gateway that has just started: what it holds by itself is
    // that the one was revoked and the other once on hold; of any other card it knows nothing.
    for place in PLACES {
        publish(&world, place, -3600, &[]);
    }
    world.start();
    assert_eq!(word(&world, "employee"), "card_revoked");
    assert_eq!(word(&world, "dependent-child"), "card_suspended");
    assert_eq!(word(&world, "dependent-spouse"), "revocation_unknown");
    assert!(world.log().contains("the held one stays"), "{}", world.log());
}
