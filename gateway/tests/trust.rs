//! Trust anchors over the life of a gateway: pinned, added, retired and watched without a restart.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use world::World;

fn hang_up(world: &World) {
    let id = world.process_id().to_string();
    assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
}

/// Waits until the log has it, counted from `from`.
fn wait_for(world: &World, from: usize, words: &str) {
    for _ in 0..200 {
        if world.log()[from..].contains(words) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("no {words:?} in {}", &world.log()[from..]);
}

fn rewrite(world: &World, from: &str, to: &str) {
    let text = std::fs::read_to_string(world.path("shikaku.toml")).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    std::fs::write(world.path("shikaku.toml"), text.replacen(from, to, 1)).unwrap();
}

fn status(world: &World) -> Value {
    serde_json::from_str(&world.admin_get("/status").unwrap().1).unwrap()
}

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
    rewrite(&world, both, &pinned(&first, &second));
    world.start();
    let cards: Vec<_> = world.cards().into_iter().filter(|line| line["state"] == "good").collect();
    let answers = |world: &World| -> Vec<String> {
        let desk = world.client("reception");
        let ask = |line: &Value| world.card(line["name"].as_str().unwrap()).ask(&desk).word();
        cards.iter().take(12).map(ask).collect()
    };
    let trusted = answers(&world);
    assert!(trusted.iter().all(|word| word != "card_untrusted"), "{trusted:?}");
    let shown = status(&world);
    let anchors = shown["anchors"].as_array().unwrap();
    assert_eq!(anchors.len(), 2);
    assert_eq!(anchors[0]["fingerprint"].as_str().unwrap(), first.replace(':', "").to_lowercase());
    assert!(anchors[0]["days_left"].as_i64().unwrap() > 3000);
    assert_eq!(shown["revocation_policy"]["table"][0]["list"], "fresh");
    let metric = format!("shikaku_anchor_days_left{{anchor=\"{}\"}}", anchors[1]["anchor"].as_str().unwrap());
    assert!(world.admin_get("/metrics").unwrap().1.contains(&metric));

    // A fingerprint that is not the file's: refused by name, and nothing changes.
    let from = world.log().len();
    rewrite(&world, &pinned(&first, &second), &pinned(&second, &second));
    hang_up(&world);
    wait_for(&world, from, "what was in force stays so");
    assert!(world.log()[from..].contains("user-ca-1.pem"), "{}", &world.log()[from..]);
    assert_eq!(answers(&world), trusted);

    // A configuration that is none: the same.
    let from = world.log().len();
    rewrite(&world, "[card]", "[cart]");
    hang_up(&world);
    wait_for(&world, from, "what was in force stays so");
    assert_eq!(answers(&world), trusted);
    rewrite(&world, "[cart]", "[card]");

    // The first is retired: its cards are not believed any more, the other's are.
    let from = world.log().len();
    rewrite(&world, &pinned(&second, &second), "anchors = [\"jpki/user-ca-2.pem\"]");
    hang_up(&world);
    wait_for(&world, from, "is in force");
    let retired = answers(&world);
    let untrusted = retired.iter().filter(|word| *word == "card_untrusted").count();
    assert!((1..retired.len()).contains(&untrusted), "{retired:?}");
    assert_eq!(status(&world)["anchors"].as_array().unwrap().len(), 1);
    let gone = format!("shikaku_anchor_days_left{{anchor=\"{}\"}}", anchors[0]["anchor"].as_str().unwrap());
    assert!(!world.admin_get("/metrics").unwrap().1.contains(&gone));

    // And comes back, its revocation lists with it.
    let from = world.log().len();
    rewrite(&world, "anchors = [\"jpki/user-ca-2.pem\"]", both);
    hang_up(&world);
    wait_for(&world, from, "is in force");
    assert_eq!(answers(&world), trusted);
    assert_eq!(world.card_in_state("revoked").ask(&world.client("reception")).word(), "card_revoked");
    assert_eq!(world.stop(), Some(0), "{}", world.log());
}

#[test]
fn a_wrong_pin_keeps_the_gateway_from_starting() {
    let world = World::prepared(60);
    let pin = "00".repeat(32);
    rewrite(
        &world,
        "\"jpki/user-ca-2.pem\"",
        &format!("{{ file = \"jpki/user-ca-2.pem\", sha256 = \"{pin}\" }}"),
    );
    for arguments in [["config", "check"], ["serve", "--config"]] {
        let output = world::shikaku().args(arguments).arg(world.path("shikaku.toml")).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("user-ca-2.pem") && said.contains("pinned"), "{said}");
    }
    rewrite(&world, &pin, "00");
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
