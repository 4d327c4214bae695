//! Trust anchors over the life of a gateway: pinned, added, retired and watched without a restart.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use std::process::Command;

use serde_json::Value;
use world::World;

fn fingerprint(world: &World, name: &str) -> String {
    let output = Command::new("openssl")
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
        .arg(world.path(name))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().rsplit('=').next().unwrap().to_owned()
}

#[test]
fn anchors_are_pinned_retired_and_added_without_a_restart() {
    let mut world = World::prepared(100);
    let both = "anchors = [\"jpki/user-ca-1.pem\", \"jpki/user-ca-2.pem\"]";
    let (first, second) =
        (fingerprint(&world, "jpki/user-ca-1.pem"), fingerprint(&world, "jpki/user-ca-2.pem"));
    let pin = |file: &str, sha256: &str| format!("{{ file = \"jpki/{file}.pem\", sha256 = \"{sha256}\" }}");
    let pinned = |one: &str, other: &str| {
        format!("anchors = [{}, {}]", pin("user-ca-1", one), pin("user-ca-2", other))
    };
    world.rewrite(both, &pinned(&first, &second));
    world.start();
    let cards: Vec<_> = world.cards().into_iter().filter(|line| line["state"] == "good").collect();
    let answers = |world: &World| -> Vec<String> {
        let desk = world.client("reception");
        let ask = |line: &Value| world.card(line["name"].as_str().unwrap()).ask(&desk).word();
        cards.iter().take(12).map(ask).collect()
    };
    let trusted = answers(&world);
    assert!(trusted.iter().all(|word| word != "card_untrusted"), "{trusted:?}");
    let shown = world.status();
    let anchors = shown["anchors"].as_array().unwrap();
    assert_eq!(anchors.len(), 2);
    assert_eq!(anchors[0]["fingerprint"].as_str().unwrap(), first.replace(':', "").to_lowercase());
    assert!(anchors[0]["days_left"].as_i64().unwrap() > 3000);
    assert_eq!(shown["revocation_policy"]["table"][0]["list"], "fresh");
    let metric = format!("shikaku_anchor_days_left{{anchor=\"{}\"}}", anchors[1]["anchor"].as_str().unwrap());
    assert!(world.admin_get("/metrics").unwrap().1.contains(&metric));

    // A fingerprint that is not the file's: refused by name, and nothing changes.
    let from = world.log().len();
    world.rewrite(&pinned(&first, &second), &pinned(&second, &second));
    world.hang_up();
    world.wait_for(from, "what was in force stays so");
    assert!(world.log()[from..].contains("user-ca-1.pem"), "{}", &world.log()[from..]);
    assert_eq!(answers(&world), trusted);

    // A configuration that is none: the same.
    let from = world.log().len();
    world.rewrite("[card]", "[cart]");
    world.hang_up();
    world.wait_for(from, "what was in force stays so");
    assert_eq!(answers(&world), trusted);
    world.rewrite("[cart]", "[card]");

    // The first is retired: its cards are not believed any more, the other's are.
    let from = world.log().len();
    world.rewrite(&pinned(&second, &second), "anchors = [\"jpki/user-ca-2.pem\"]");
    world.hang_up();
    world.wait_for(from, "is in force");
    let retired = answers(&world);
    let untrusted = retired.iter().filter(|word| *word == "card_untrusted").count();
    assert!((1..retired.len()).contains(&untrusted), "{retired:?}");
    assert_eq!(world.status()["anchors"].as_array().unwrap().len(), 1);
    let gone = format!("shikaku_anchor_days_left{{anchor=\"{}\"}}", anchors[0]["anchor"].as_str().unwrap());
    assert!(!world.admin_get("/metrics").unwrap().1.contains(&gone));

    // And comes back, its revocation lists with it.
    let from = world.log().len();
    world.rewrite("anchors = [\"jpki/user-ca-2.pem\"]", both);
    world.hang_up();
    world.wait_for(from, "is in force");
    assert_eq!(answers(&world), trusted);
    assert_eq!(world.card_in_state("revoked").ask(&world.client("reception")).word(), "card_revoked");
    assert_eq!(world.stop(), Some(0), "{}", world.log());
}

#[test]
fn a_wrong_pin_keeps_the_gateway_from_starting() {
    let world = World::prepared(60);
    let pin = "00".repeat(32);
    world.rewrite(
        "\"jpki/user-ca-2.pem\"",
        &format!("{{ file = \"jpki/user-ca-2.pem\", sha256 = \"{pin}\" }}"),
    );
    for arguments in [["config", "check"], ["serve", "--config"]] {
        let output = world::shikaku().args(arguments).arg(world.path("shikaku.toml")).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("user-ca-2.pem") && said.contains("pinned"), "{said}");
    }
    world.rewrite(&pin, "00");
    let output = world::shikaku().args(["config", "check"]).arg(world.path("shikaku.toml")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("card.anchors.sha256"));
}

#[test]
fn an_anchor_about_to_end_is_warned_of_once_a_day() {
    use pki::UnixTime;
    let world = World::prepared(60);
    let config = gateway::config::Config::read(&world.path("shikaku.toml")).unwrap();
    let gateway = gateway::gateway::Gateway::start(&config).unwrap();
    let now = gateway.clock.now().millis() / 1000;
    let end = gateway.desk.trust.anchors(UnixTime(now))[0].not_after.millis() / 1000;
    for (days, within) in [
        (91, None),
        (90, Some(90)),
        (31, Some(90)),
        (30, Some(30)),
        (7, Some(7)),
        (2, Some(7)),
        (1, Some(1)),
        (0, Some(1)),
        (-1, Some(0)),
    ] {
        let states = gateway.desk.trust.anchors(UnixTime(end - days * 86_400));
        assert_eq!((i64::from(states[0].days_left), states[0].ends_within()), (days, within));
    }
}

#[test]
fn a_clock_behind_what_was_seen_keeps_the_gateway_from_starting() {
    use eligibility::day::Timestamp;
    use eligibility::feed::{ListArrival, Said};
    use gateway::gateway::Gateway;
    let world = World::prepared(60);
    let config = gateway::config::Config::read(&world.path("shikaku.toml")).unwrap();
    // Half a minute is what the clocks of honest machines differ by; a day is not.
    for ahead in [0, 30, 86_400] {
        let gateway = Gateway::start(&config).unwrap();
        let this_update = Timestamp::from_millis((gateway.clock.now().millis() / 1000 + ahead) * 1000);
        let list = ListArrival {
            authority: [7; 32],
            partition: None,
            number: Some(Box::from([1])),
            this_update,
            revoked: Vec::new(),
            released: Vec::new(),
        };
        gateway.act(Said::List(Box::new(list))).unwrap();
        gateway.ledger.clone().close();
    }
    let output =
        world::shikaku().args(["serve", "--config"]).arg(world.path("shikaku.toml")).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("a revocation list was issued at") && said.contains("set the clock"), "{said}");
}

#[test]
fn a_clock_that_steps_while_serving_lets_nobody_in_who_was_out() {
    use eligibility::day::Timestamp;
    let world = World::prepared(100);
    let config = gateway::config::Config::read(&world.path("shikaku.toml")).unwrap();
    let gateway = std::sync::Arc::new(gateway::gateway::Gateway::start(&config).unwrap());
    let certificate = rustls_pem(&world.path("clients/reception.pem"));
    let peer = gateway::peer::Peer::of(&certificate, &gateway.roles);
    let word = |state: &str| {
        let now: Timestamp = gateway.clock.now();
        let (challenge, _) = gateway.desk.challenges.issue(peer.fingerprint(), now).unwrap();
        let card = world.card_in_state(state).query(&challenge).to_string();
        let request = gateway::path::Request { peer: &peer, id: uuid::Uuid::max(), now, trace: None };
        gateway::path::card(&gateway.desk, request, card.as_bytes()).now().unwrap().word
    };
    const DAY: i64 = 86_400_000;
    assert_eq!((word("good"), word("revoked"), word("grace")), ("valid", "card_revoked", "valid"));
    // Back by a day: what is known of revocations stays known, and what was committed stays in order.
    gateway.clock.set_ahead(-DAY);
    gateway.tend();
    assert_eq!((word("good"), word("revoked")), ("valid", "card_revoked"));
    // Ahead by eight days: the lists are past their end, and nothing is let in by them.
    gateway.clock.set_ahead(8 * DAY);
    gateway.tend();
    assert_eq!((word("good"), word("revoked")), ("revocation_unknown", "card_revoked"));
    gateway.clock.set_ahead(4000 * DAY);
    assert_eq!(word("grace"), "card_expired");
    gateway.clock.set_ahead(0);
    gateway.tend();
    assert_eq!(word("good"), "valid");
}

fn rustls_pem(path: &std::path::Path) -> rustls::pki_types::CertificateDer<'static> {
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::CertificateDer::from_pem_file(path).unwrap()
}

#[test]
fn grace_ends_by_the_reading_that_is_configured() {
    use gateway::config::{Config, Grace};
    let world = World::prepared(100);
    let mut config = Config::read(&world.path("shikaku.toml")).unwrap();
    let card = world.card_in_state("good");
    let mut ends = Vec::new();
    for grace in [Grace::MonthEndPlus3, Grace::ExpiryPlus3] {
        config.card.grace = grace;
        config.ledger.url = format!("sqlite:{}", world.path(&format!("{grace:?}.sqlite")).display());
        let gateway = gateway::gateway::Gateway::start(&config).unwrap();
        let trust = gateway.desk.trust.in_force();
        // The lists held are of today, and the end of the card is years ahead.
        let for_ever = i64::MAX / 4;
        let stale = pki::WhenStale::AcceptFor(for_ever);
        let policy = pki::StandPolicy { stale, max_age: for_ever, ..trust.stand };
        let proven = pki::prove_without_possession(&trust.view, &card.certificate).unwrap();
        let stands = |day: i64| {
            let moment = pki::UnixTime(proven.not_after().0 + day * 86_400);
            pki::stand(proven.clone(), &trust.view, moment, &policy).is_ok()
        };
        let last = (0..200).take_while(|day| stands(*day)).last().unwrap();
        assert!(!stands(last + 1) && !stands(last + 100));
        ends.push(last);
    }
    assert!((91..=123).contains(&ends[0]) && (89..=92).contains(&ends[1]) && ends[0] >= ends[1], "{ends:?}");
}
