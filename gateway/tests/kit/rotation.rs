//! `rotation.md` on a running gateway: its own certificate, and a new card authority by rehearsal and reload.

use std::path::Path;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki::issuing::{AuthoritySpec, CardAuthority, CardSpec, Key, KeyKind, TlsAuthority, Validity};
use pki::{Serial, UnixTime};
use serde_json::json;

use crate::said;
use crate::world::{World, shikaku};

const DAY: i64 = 86_400;

fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64
}

/// The value of the one sample whose line begins so.
fn metric(world: &World, begins: &str) -> i64 {
    let text = world.admin_get("/metrics").unwrap().1;
    let line =
        text.lines().find(|line| line.starts_with(begins)).unwrap_or_else(|| panic!("no {begins}: {text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// SIGHUP; whether the changed configuration is in force.
fn reload(world: &World) -> bool {
    let from = world.log().len();
    world.hang_up();
    world.wait_for(from, "in force");
    world.log()[from..].contains("is in force")
}

#[test]
fn a_certificate_about_to_end_shows_and_is_renewed_while_serving() {
    let world = World::started(60);
    let text = |file: &str| std::fs::read_to_string(world.path(file)).unwrap();
    let authority = TlsAuthority::load(&text("tls/ca.pem"), &text("tls/ca-key.pem")).unwrap();
    assert!(metric(&world, "shikaku_certificate_days_left") > 7000);
    for days in [5, 400] {
        let validity =
            Validity { not_before: UnixTime(now() - 60), not_after: UnixTime(now() + days * DAY + 600) };
        let server = authority.server(validity).unwrap();
        std::fs::write(world.path("tls/server-key.pem"), &server.key_pem).unwrap();
        std::fs::write(world.path("tls/server.pem"), &server.certificate_pem).unwrap();
        assert!(reload(&world), "{}", world.log());
        assert_eq!(metric(&world, "shikaku_certificate_days_left"), days);
        assert_eq!(world.client("reception").post("/v1/challenges", &json!({})).status, 201);
    }
    assert!(world.status()["certificates"][world.listen.to_string()].is_string());
}

/// A new card authority as a file, and a card of it.
fn successor(world: &World) -> (Vec<u8>, Key) {
    let spec = AuthoritySpec {
        serial: Serial::from_bytes(&[6, 0xd1, 0x80, 9]).unwrap(),
        not_before: UnixTime(now() - DAY),
        not_after: UnixTime(now() + 3650 * DAY),
        organization: None,
        defect: None,
    };
    let authority = CardAuthority::new(&spec, Key::generate(KeyKind::P384).unwrap()).unwrap();
    std::fs::write(world.path("jpki/user-ca-3.pem"), authority.certificate_pem()).unwrap();
    let card = Key::generate(KeyKind::P384).unwrap();
    let serial = Serial::from_bytes(&9_999_999_u64.to_be_bytes()).unwrap();
    let spec = CardSpec::new(serial, UnixTime(now() - 3600), UnixTime(now() + 1000 * DAY));
    (authority.issue(&spec, &card).unwrap(), card)
}

fn rehearse(world: &World, names: &[&str]) -> (Option<i32>, String) {
    let set = tempfile::tempdir().unwrap();
    for name in names {
        std::fs::copy(world.path("jpki").join(name), set.path().join(name)).unwrap();
    }
    let config = world.path("shikaku.toml");
    let arguments: [&Path; 5] =
        ["pki", "rehearse", "--config", config.to_str().unwrap(), "--anchors"].map(Path::new);
    let output = shikaku().args(arguments).arg(set.path()).output().unwrap();
    (output.status.code(), said(&output))
}

#[test]
fn a_new_card_authority_is_rehearsed_and_put_in_force_while_serving() {
    let mut world = World::started(100);
    let (certificate, key) = successor(&world);
    let desk = world.client("reception");
    let ask_new = |world: &World| {
        let challenge = desk.challenge();
        let mut query = world.card_in_state("good").query(&challenge);
        query["certificate"] = json!(STANDARD.encode(&certificate));
        query["signature"] =
            json!(STANDARD.encode(pki::issuing::sign(&key.to_pem(), challenge.as_bytes()).unwrap()));
        desk.post("/v1/eligibility/card", &query).word()
    };
    let ask_old = |world: &World| world.card_in_state("good").ask(&desk).word();
    assert_eq!((ask_old(&world).as_str(), ask_new(&world).as_str()), ("valid", "card_untrusted"));
    // Cards are counted, and the counts written when the gateway stops.
    assert_eq!(world.stop(), Some(0));
    world.start();

    // A set without the old ones would break every card: said before anything is changed.
    let (code, told) = rehearse(&world, &["user-ca-3.pem"]);
    assert!(code == Some(1) && told.contains("would FAIL"), "{told}");
    let (code, told) = rehearse(&world, &["user-ca-1.pem", "user-ca-2.pem", "user-ca-3.pem"]);
    assert!(code == Some(0) && told.contains("0 would fail"), "{told}");

    let before = "anchors = [\"jpki/user-ca-1.pem\", \"jpki/user-ca-2.pem\"";
    world.rewrite(before, &format!("{before}, \"jpki/user-ca-3.pem\""));
    assert!(reload(&world), "{}", world.log());
    assert_eq!(ask_old(&world), "valid");
    // Its lists have not come yet: refused for that, and no more for its issuer.
    assert_eq!(ask_new(&world), "revocation_unknown");

    // Back: the former configuration and SIGHUP.
    world.rewrite(", \"jpki/user-ca-3.pem\"", "");
    assert!(reload(&world), "{}", world.log());
    assert_eq!((ask_old(&world).as_str(), ask_new(&world).as_str()), ("valid", "card_untrusted"));
}
