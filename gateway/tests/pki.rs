//! `shikaku pki verify` and `shikaku pki rehearse` as an operator meets them.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use std::process::{Command, Output};
use std::sync::LazyLock;

use pki::issuing::{AuthoritySpec, CardAuthority, Defect, Key, KeyKind};
use pki::{Serial, UnixTime};
use serde_json::Value;
use world::{World, shikaku};

static WORLD: LazyLock<World> = LazyLock::new(|| World::prepared(100));

fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// `pki verify` on the demonstration's cards, these arguments behind.
fn verify(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = shikaku();
    command.args(["pki", "verify", "--anchors", WORLD.path("jpki").to_str().unwrap()]);
    command.args(["--crls", WORLD.path("jpki").to_str().unwrap()]);
    run(command.args(["--policy", pki::TEST_POLICY]).args(arguments))
}

fn card(state: &str) -> String {
    let line = WORLD.cards().into_iter().find(|line| line["state"] == state).unwrap();
    WORLD.path(line["certificate"].as_str().unwrap()).display().to_string()
}

#[test]
fn cards_are_judged_as_at_the_desk() {
    let cases = [
        ("good", Some(0), "valid"),
        ("unlinked", Some(0), "valid"),
        ("grace", Some(0), "grace"),
        ("expired", Some(1), "refused expired"),
        ("revoked", Some(1), "refused revoked"),
        ("suspended", Some(1), "refused suspended"),
        ("untrusted", Some(1), "refused unknown_issuer"),
        ("wrong_profile", Some(1), "refused policy"),
    ];
    for (state, code, words) in cases {
        let (ended, stdout, stderr) = verify(&[&card(state)]);
        assert_eq!(ended, code, "{state}: {stdout}{stderr}");
        assert!(stdout.contains(words), "{state}: {stdout}");
        if code == Some(1) {
            assert!(
                stdout.contains("found:") && stdout.contains("wanted:") && stdout.contains("path:"),
                "{stdout}"
            );
        }
    }
    let (ended, stdout, _) = verify(&[&card("good"), &card("revoked")]);
    assert_eq!((ended, stdout.contains(": valid")), (Some(1), true), "one of two: {stdout}");
}

#[test]
fn the_moment_and_the_policies_are_what_was_asked() {
    let json = |arguments: &[&str]| -> Value {
        let (_, stdout, stderr) = verify(&[&["--json"], arguments].concat());
        serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout}{stderr}"))
    };
    let later = json(&["--at", "2099-01-01T00:00:00+09:00", &card("good")]);
    assert_eq!((&later["verdict"], &later["code"]), (&"refused".into(), &"expired".into()));
    assert!(later["found"].as_str().unwrap().starts_with("valid from 20"), "{later}");
    assert_eq!(later["wanted"], "valid at 2099-01-01T00:00:00+09:00");
    assert_eq!(later["at"], 0);
    let good = json(&[&card("good")]);
    assert_eq!(good["verdict"], "valid");
    assert_eq!(good["path"].as_array().unwrap().len(), 2);
    assert!(good["revocation"].as_str().unwrap().starts_with("list of 20"));
    let mut command = shikaku();
    command.args([
        "pki",
        "verify",
        "--json",
        "--anchors",
        WORLD.path("jpki").to_str().unwrap(),
        &card("good"),
    ]);
    let (code, stdout, _) = run(&mut command);
    let production: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &production["code"]), (Some(1), &"test_card".into()));
    assert!(production["wanted"].as_str().unwrap().contains(pki::PRODUCTION_POLICY), "{production}");
    assert!(production["found"].as_str().unwrap().contains(pki::TEST_POLICY));
}

#[test]
fn clients_and_whole_paths_are_judged_too() {
    let anchors = WORLD.path("tls/ca.pem").display().to_string();
    let client = WORLD.path("clients/reception.pem").display().to_string();
    let server = WORLD.path("tls/server.pem").display().to_string();
    let verify =
        |arguments: &[&str]| run(shikaku().args(["pki", "verify", "--anchors", &anchors]).args(arguments));
    assert_eq!(verify(&["--profile", "client", &client]).0, Some(0));
    assert_eq!(verify(&["--profile", "any", &client, &server]).0, Some(0));
    let (code, stdout, _) = verify(&["--profile", "client", &server]);
    assert_eq!(code, Some(1));
    assert!(
        stdout.contains("refused extended_key_usage") && stdout.contains("extKeyUsage serverAuth"),
        "{stdout}"
    );
    let (code, stdout, _) = verify(&["--profile", "any", "--require-explicit-policy", &client]);
    assert_eq!((code, stdout.contains("refused policy")), (Some(1), true), "{stdout}");

    // Several in one file: each is judged.
    let both = WORLD.path("both.pem");
    let text = |path: &str| std::fs::read_to_string(path).unwrap();
    std::fs::write(&both, text(&client) + &text(&server)).unwrap();
    let (code, stdout, _) = verify(&["--profile", "client", both.to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(stdout.contains("both.pem#1: valid") && stdout.contains("both.pem#2: refused"), "{stdout}");
}

#[test]
fn wrong_usage_is_no_refusal() {
    let good = card("good");
    for (arguments, named) in [
        (&["nowhere.der"][..], "nowhere.der"),
        (&["--at", "yesterday", &good], "yesterday"),
        (&["--profile", "king", &good], "king"),
        (&["--policy", "one.two", &good], "--policy"),
        (&[], "CERT"),
    ] {
        let (code, _, stderr) = verify(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(named), "{arguments:?}: {stderr}");
    }
    let (code, stdout, _) = verify(&[WORLD.path("shikaku.toml").to_str().unwrap()]);
    assert_eq!((code, stdout.contains("refused malformed")), (Some(1), true));
    let empty = tempfile::tempdir().unwrap();
    let mut command = shikaku();
    let (code, _, stderr) = run(command.args(["pki", "verify", "--anchors"]).arg(empty.path()).arg(&good));
    assert_eq!((code, stderr.contains("holds no certificate")), (Some(2), true), "{stderr}");
}

#[test]
fn a_set_of_anchors_that_breaks_cards_is_caught_before_it_is_used() {
    let mut world = World::started(100);
    let rehearse = |world: &World, anchors: &std::path::Path| {
        let mut command = shikaku();
        command.args(["pki", "rehearse", "--config"]).arg(world.path("shikaku.toml"));
        run(command.arg("--anchors").arg(anchors))
    };
    let held = tempfile::tempdir().unwrap();
    for name in ["user-ca-1.pem", "user-ca-2.pem"] {
        std::fs::copy(world.path("jpki").join(name), held.path().join(name)).unwrap();
    }
    let (code, _, stderr) = rehearse(&world, held.path());
    assert_eq!((code, stderr.contains("no card has been counted")), (Some(1), true), "{stderr}");

    let desk = world.client("reception");
    for _ in 0..3 {
        assert_eq!(world.card_in_state("good").ask(&desk).word(), "valid");
    }
    assert_eq!(world.card_in_state("revoked").ask(&desk).word(), "card_revoked");
    world.stop();
    let (code, stdout, stderr) = rehearse(&world, held.path());
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("3 cards from") && stdout.contains(": 0 would fail"), "{stdout}");

    // Another key under the same name: every card would fail.
    let other = tempfile::tempdir().unwrap();
    let now = UnixTime(1_790_000_000);
    let year = 365 * 86_400;
    let spec = AuthoritySpec {
        serial: Serial::from_bytes(&[77]).unwrap(),
        not_before: UnixTime(now.0 - 20 * year),
        not_after: UnixTime(now.0 + 20 * year),
        organization: None,
        defect: None::<Defect>,
    };
    let stranger = CardAuthority::new(&spec, Key::generate(KeyKind::P384).unwrap()).unwrap();
    std::fs::write(other.path().join("new.pem"), stranger.certificate_pem()).unwrap();
    let (code, stdout, stderr) = rehearse(&world, other.path());
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    assert!(stdout.contains("3 cards of authority") && stdout.contains("would FAIL"), "{stdout}");
    assert!(stderr.contains("3 cards would fail"), "{stderr}");

    // The same key in a renewed certificate that begins today: what it issued before would fail.
    let key = std::fs::read_to_string(world.path("jpki/user-ca-1-key.pem")).unwrap();
    let key_2 = std::fs::read_to_string(world.path("jpki/user-ca-2-key.pem")).unwrap();
    let renewed = tempfile::tempdir().unwrap();
    for (name, key) in [("1.pem", key), ("2.pem", key_2)] {
        let spec = AuthoritySpec { not_before: now, ..spec };
        let authority = CardAuthority::new(&spec, Key::from_pem(&key).unwrap()).unwrap();
        std::fs::write(renewed.path().join(name), authority.certificate_pem()).unwrap();
    }
    let (code, stdout, _) = rehearse(&world, renewed.path());
    assert_eq!(code, Some(1), "{stdout}");
    assert!(stdout.contains("outside the validity"), "{stdout}");

    // The file says nothing of anybody.
    let kept = std::fs::read_to_string(world.path("data/issuers.json")).unwrap();
    for line in world.cards() {
        assert!(!kept.contains(line["serial"].as_str().unwrap()));
    }
}

#[test]
fn names_and_constraints_are_both_shown_and_an_unreadable_authority_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").current_dir(folder.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let authority =
        "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n";
    let sections = format!(
        "[req]\ndistinguished_name=n\n[n]\n[root]\n{authority}[middle]\n{authority}authorityKeyIdentifier=keyid\n\
         nameConstraints=critical,permitted;DNS:example.jp,excluded;DNS:closed.example.jp\n\
         [leaf]\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\nauthorityKeyIdentifier=keyid\n\
         subjectAltName=DNS:desk.closed.example.jp\n"
    );
    std::fs::write(folder.path().join("x.cnf"), sections).unwrap();
    for (name, issuer) in [("root", None), ("middle", Some("root")), ("leaf", Some("middle"))] {
        let (key, out, subject) = (format!("{name}.key"), format!("{name}.pem"), format!("/CN={name}"));
        let mut arguments = vec!["req", "-x509", "-config", "x.cnf", "-extensions", name, "-subj", &subject];
        arguments.extend([
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            &key,
            "-out",
            &out,
        ]);
        let (ca, ca_key) = (format!("{}.pem", issuer.unwrap_or("")), format!("{}.key", issuer.unwrap_or("")));
        if issuer.is_some() {
            arguments.extend(["-CA", &ca, "-CAkey", &ca_key]);
        }
        openssl(&arguments);
    }
    let verify = |intermediates: &str| {
        let mut command = shikaku();
        command.args(["pki", "verify", "--json", "--profile", "client", "--anchors", &path("root.pem")]);
        let (code, stdout, stderr) = run(command.args(["--intermediates", intermediates, &path("leaf.pem")]));
        assert_eq!(code, Some(1), "{stdout}{stderr}");
        serde_json::from_str::<Value>(&stdout).unwrap()
    };
    let refused = verify(&path("middle.pem"));
    assert_eq!(refused["code"], "name_excluded", "{refused}");
    let (found, wanted) = (refused["found"].as_str().unwrap(), refused["wanted"].as_str().unwrap());
    assert!(found.contains("CN=leaf") && found.contains("desk.closed.example.jp"), "{found}");
    assert!(wanted.contains("permitted") && wanted.contains("example.jp"), "{wanted}");
    assert!(
        wanted.contains("excluded") && wanted.contains("closed.example.jp") && wanted.contains("CN=middle")
    );

    std::fs::write(folder.path().join("broken.der"), b"no certificate").unwrap();
    let broken = verify(&path("broken.der"));
    assert_eq!((&broken["code"], &broken["at"]), (&"malformed".into(), &1.into()), "{broken}");
    assert_eq!(broken["path"].as_array().unwrap().len(), 2, "{broken}");
}
