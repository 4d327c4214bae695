//! What one gateway takes, every gateway shows.

use std::thread;

use pki::issuing::{CardAuthority, ListSpec, Municipality, Reason, Revoked};
use pki::{ListNumber, Serial, UnixTime};
use serde_json::{Value, json};

use crate::group::{Database, Group, SOURCE, member, question, until};
use crate::world::World;

fn next_sequence(group: &Group) -> u64 {
    let state = group.gateways[0].client("operator").get(&format!("/v1/feeds/{SOURCE}")).json();
    state["committed_sequence"].as_u64().unwrap() + 1
}

#[test]
fn gateways_answer_alike() {
    let database = Database::new();
    let group = Group::started(&database.url(), 200, 2);
    let [one, two] = &group.gateways[..] else { panic!("two gateways") };
    let first = next_sequence(&group);

    // A record taken at one is shown at the other, and is a duplicate there.
    let line = member(first, "11").to_string();
    let taken = one.client("insurer-06132013").feed(SOURCE, &line).json();
    assert_eq!(taken["accepted"], 1, "{taken}");
    group.wait_even();
    let answer = two.client("review").post("/v1/eligibility/number", &question("11")).json();
    assert_eq!((&answer["status"], &answer["generation"]), (&json!("valid"), &taken["generation"]));
    assert_eq!(two.client("insurer-06132013").feed(SOURCE, &line).json()["duplicates"], 1);

    // A card linked at one is the person's at the other; nobody else gets it.
    let card = one.card_in_state("unlinked");
    let link = |number: &str| {
        let mut body = question(number);
        body["certificate"] = card.query("")["certificate"].clone();
        body
    };
    two.client("insurer-06132013").feed(SOURCE, &member(first + 1, "12").to_string());
    assert_eq!(one.client("portal").post("/v1/links", &link("11")).status, 201);
    assert_eq!(two.client("portal").post("/v1/links", &link("12")).word(), "link_conflict");
    assert_eq!(card.ask(&two.client("reception")).word(), "valid");

    // A quarantined record is dismissed at the other.
    let broken = member(first + 2, "13").to_string().replace("female", "robot");
    assert_eq!(
        one.client("insurer-06132013").feed(SOURCE, &broken).json()["quarantined"].as_array().unwrap().len(),
        1
    );
    group.wait_even();
    let dismiss = format!("/v1/feeds/{SOURCE}/quarantine/{}", first + 2);
    assert!(two.client("operator").post(&dismiss, &json!({"dismiss": true})).status < 300);
    group.wait_even();
    let quarantine = one.client("operator").get(&format!("/v1/feeds/{SOURCE}/quarantine")).json();
    assert!(!quarantine.to_string().contains(&format!("\"sequence\":{}", first + 2)), "{quarantine}");

    let numbers: Vec<_> = ["11", "12", "13", "14"].map(str::to_owned).to_vec();
    let answers = group.answers(&numbers);
    assert_eq!(answers[0], answers[1]);
    until("each is known by name", || {
        let status = one.status();
        status["ledger"]["gateways"].as_object().unwrap().keys().eq(["g1", "g2"])
    });
    let lag = "shikaku_gateway_lag{gateway=\"g2\"} 0";
    until("g2 has told that it is even", || one.admin_get("/metrics").unwrap().1.contains(lag));
}

#[test]
fn a_delivery_held_at_one_makes_all_unsure() {
    let database = Database::new();
    let group = Group::started(&database.url(), 100, 2);
    let [one, two] = &group.gateways[..] else { panic!("two gateways") };
    let first = next_sequence(&group);
    let lines = |from: u64, deleted: bool| -> String {
        let line = |n: u64| match deleted {
            false => member(from + n, &(n + 1).to_string()),
            true => json!({"source": SOURCE, "sequence": from + n, "kind": "member", "deleted": true,
                "link_number": member(1, &(n + 1).to_string())["link_number"]}),
        };
        (0..1100).map(|n| line(n).to_string()).collect::<Vec<_>>().join("\n")
    };
    let feeder = one.client("insurer-06132013");
    assert_eq!(feeder.feed(SOURCE, &lines(first, false)).json()["accepted"], 1100);
    let held = feeder.feed(SOURCE, &lines(first + 1100, true));
    assert_eq!(held.status, 202, "{held:?}");
    let nobody = || two.client("reception").post("/v1/eligibility/number", &question("99999")).json();
    until("the other knows", || nobody()["reason"] == "held_back");
    assert_eq!(nobody()["status"], "unconfirmed");
    let delivery = held.json()["delivery"].as_str().unwrap().to_owned();
    let path = format!("/v1/feeds/{SOURCE}/held/{delivery}");
    assert!(one.client("operator").post(&path, &json!({"release": false})).status < 300);
    until("the other knows that it was dropped", || nobody()["status"] == "not_found");
}

#[test]
fn a_challenge_counts_once_in_all() {
    let database = Database::new();
    let group = Group::started(&database.url(), 100, 3);
    let card = group.gateways[0].card_in_state("good");
    let desks: Vec<_> = group.gateways.iter().map(|world| world.client("reception")).collect();
    let challenge = desks[0].challenge();
    let query = card.query(&challenge);
    let words: Vec<(u16, Value)> = thread::scope(|scope| {
        let asked: Vec<_> = (0..12)
            .map(|n| {
                let (desk, query) = (&desks[n % 3], &query);
                scope.spawn(move || {
                    let reply = desk.post("/v1/eligibility/card", query);
                    (reply.status, reply.json())
                })
            })
            .collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(words.iter().filter(|(status, _)| *status == 200).count(), 1, "{words:?}");
    let refused = |word: &str| words.iter().filter(|(_, json)| json["code"] == word).count();
    assert_eq!((refused("challenge_used"), refused("challenge_unknown")), (3, 8), "{words:?}");
    // Each refusal carries a fresh one of the gateway that refused.
    let fresh = words.iter().find(|(_, json)| json["code"] == "challenge_unknown").unwrap();
    let fresh = fresh.1["challenge"].to_string();
    assert!(fresh.len() > 20, "{fresh}");
}

/// Signs lists for everybody's partitions with this card on them, and puts them in one gateway's folder.
fn revoke(world: &World, card: &str) {
    const PLACES: [(&str, &str); 3] =
        [("Tokyo-to", "Hibari-ku"), ("Kanagawa-ken", "Wakakusa-shi"), ("Osaka-fu", "Komorebi-shi")];
    let card = world.cards().into_iter().find(|one| one["name"] == card).unwrap();
    let serial: Serial = card["serial"].as_str().unwrap().parse().unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64 + 1;
    let revoked = [Revoked { serial, at: UnixTime(1_760_000_000), reason: Reason::KeyCompromise }];
    for (place, name) in PLACES.iter().flat_map(|place| [(place, "user-ca-1"), (place, "user-ca-2")]) {
        let der = std::fs::read(world.path(&format!("jpki/{name}.der"))).unwrap();
        let key = std::fs::read_to_string(world.path(&format!("jpki/{name}-key.pem"))).unwrap();
        let partition = Municipality::new(place.0, place.1).distribution_point();
        let list = ListSpec {
            number: ListNumber::from(now as u64),
            this_update: UnixTime(now),
            next_update: UnixTime(now + 7 * 86_400),
            partition: Some(&partition),
            revoked: &revoked,
            defect: None,
        };
        let file = format!("jpki/{name}-{}-{}.crl", place.0, place.1).to_lowercase();
        std::fs::write(world.path(&file), CardAuthority::load(&der, &key).unwrap().list(&list).unwrap())
            .unwrap();
    }
}

#[test]
fn a_card_that_one_gateway_knows_revoked_is_refused_by_all() {
    let database = Database::new();
    let group = Group::started(&database.url(), 100, 3);
    let word = |world: &World| world.card("employee").ask(&world.client("reception")).word();
    assert!(group.gateways.iter().all(|world| word(world) == "valid"));
    let began = std::time::Instant::now();
    revoke(&group.gateways[1], "employee");
    until("refused by all", || group.gateways.iter().all(|world| word(world) == "card_revoked"));
    // Each looks after its lists every five seconds, and after what the others say.
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}
