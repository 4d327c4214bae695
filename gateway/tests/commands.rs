//! The commands as an operator meets them: exit codes, and errors that name the place and the cure.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use world::{World, free_address, shikaku};

fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (
        status.code(),
        String::from_utf8_lossy(&stdout).into_owned(),
        String::from_utf8_lossy(&stderr).into_owned(),
    )
}

fn edited(world: &World, from: &str, to: &str) -> std::path::PathBuf {
    let text = std::fs::read_to_string(world.path("shikaku.toml")).unwrap();
    assert!(text.contains(from), "{from}");
    let path = world.path("edited.toml");
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    path
}

fn check(path: &Path) -> (Option<i32>, String) {
    let (code, _, stderr) = run(shikaku().args(["config", "check"]).arg(path));
    (code, stderr)
}

#[test]
fn more_connections_than_the_machine_has_memory_for_are_refused() {
    let world = World::prepared(60);
    let (code, said) = check(&edited(&world, "connections = 20000", "connections = 1000000000"));
    assert_eq!(code, Some(2));
    assert!(said.contains("service.connections") && said.contains("lower it"), "{said}");
    assert_eq!(check(&edited(&world, "connections = 20000", "connections = 30000")).0, Some(0));
}

#[test]
fn a_configuration_is_shown_as_understood_and_the_print_is_a_fixed_point() {
    let world = World::prepared(60);
    let (code, shown, _) = run(shikaku().args(["config", "show"]).arg(world.path("shikaku.toml")));
    assert_eq!(code, Some(0));
    let printed = world.path("printed.toml");
    std::fs::write(&printed, &shown).unwrap();
    let (_, again, _) = run(shikaku().args(["config", "show"]).arg(&printed));
    assert_eq!(shown, again);
    assert_eq!(check(&printed).0, Some(0));
}

#[test]
fn a_wrong_configuration_is_refused_by_name() {
    let world = World::prepared(60);
    let cases = [
        ("[ledger]", "[leger]", "leger"),
        ("url = ", "ulr = ", "ulr"),
        ("sqlite:", "oracle:", "ledger.url"),
        ("challenge_seconds = 120", "challenge_seconds = 0", "card.challenge_seconds"),
        ("challenge_seconds = 120", "challenge_seconds = \"soon\"", "challenge_seconds"),
        ("connections = 20000", "connections = 0", "service.connections"),
        ("stale_hours = 72", "stale_hours = 0", "feed.stale_hours"),
        ("role = \"reception\"", "role = \"king\"", "king"),
        ("client_cas = [\"tls/ca.pem\"]", "client_cas = []", "client_cas"),
        ("tls/server-key.pem", "tls/nothing.pem", "tls/nothing.pem"),
        ("insurers.csv", "nothing.csv", "nothing.csv"),
    ];
    for (from, to, named) in cases {
        let (code, stderr) = check(&edited(&world, from, to));
        assert_eq!(code, Some(2), "{to}: {stderr}");
        assert!(stderr.contains(named), "{to}: {stderr}");
    }
    let (code, stderr) = check(Path::new("nowhere/shikaku.toml"));
    assert_eq!((code, stderr.contains("nowhere/shikaku.toml")), (Some(2), true), "{stderr}");
}

#[test]
fn an_unreadable_key_and_a_taken_port_are_named() {
    let world = World::prepared(60);
    let serve = |config: &Path| run(shikaku().args(["serve", "--config"]).arg(config));
    std::fs::write(world.path("tls/empty.pem"), "").unwrap();
    let (code, _, stderr) = serve(&edited(&world, "tls/server-key.pem", "tls/empty.pem"));
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("tls/empty.pem"), "{stderr}");

    let taken = std::net::TcpListener::bind(world.listen).unwrap();
    let (code, _, stderr) = serve(&world.path("shikaku.toml"));
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains(&world.listen.to_string()) && stderr.contains("another"), "{stderr}");
    drop(taken);

    std::fs::remove_file(world.path("secrets/pseudonym.key")).unwrap();
    let (code, _, stderr) = serve(&world.path("shikaku.toml"));
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("pseudonym.key") && stderr.contains("umask 077"), "{stderr}");
}

#[test]
fn a_ledger_has_one_owner() {
    let mut world = World::prepared(60);
    world.start();
    let load = run(shikaku()
        .args(["feed", "load"])
        .arg(world.path("feed/portal.ndjson"))
        .arg("--config")
        .arg(world.path("shikaku.toml")));
    assert_eq!(load.0, Some(3), "{}", load.2);
    assert!(load.2.contains("in use"), "{}", load.2);
    assert_eq!(world.stop(), Some(0), "{}", world.log());
}

#[test]
fn feeds_are_verified_and_loaded_without_the_service() {
    let world = World::prepared(60);
    let feed = world.path("feed/06132013.ndjson");
    let (code, stdout, _) = run(shikaku().args(["feed", "verify"]).arg(&feed));
    assert_eq!((code, stdout.as_str()), (Some(0), "every line is a record\n"));
    let broken = world.path("broken.ndjson");
    let text = std::fs::read_to_string(&feed).unwrap();
    std::fs::write(&broken, format!("{}\n{{\"kind\":\"member\"}}\n", text.lines().next().unwrap())).unwrap();
    let (code, stdout, stderr) = run(shikaku().args(["feed", "verify"]).arg(&broken));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stdout.contains(":2: missing_field"), "{stdout}");

    let (code, stdout, stderr) =
        run(shikaku().args(["feed", "load"]).arg(&feed).arg("--config").arg(world.path("shikaku.toml")));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("0 accepted") && stdout.contains("0 quarantined"), "{stdout}");
}

#[test]
fn secrets_are_readable_by_their_owner_only() {
    let world = World::prepared(60);
    for name in [
        "secrets/pseudonym.key",
        "secrets/audit.key",
        "tls/server-key.pem",
        "clients/reception-key.pem",
        "jpki/user-ca-1-key.pem",
    ] {
        let mode = std::fs::metadata(world.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}

#[test]
fn a_demonstration_is_used_again_and_stays_fresh() {
    let mut world = World::prepared(60);
    world.start();
    let ask = |world: &World| world.card_in_state("good").ask(&world.client("reception"));
    let first = ask(&world).json();
    assert_eq!(first["status"], "valid");
    assert_eq!(world.stop(), Some(0));
    world.listen = free_address();
    assert!(world.demo(9999).status.success(), "its own number of people stays");
    world.start();
    let second = ask(&world).json();
    assert_eq!(second["status"], "valid");
    assert!(second["as_of"].as_str() > first["as_of"].as_str(), "a fresh mark");
    assert!(second["card"]["revocation"]["as_of"].as_str() >= first["card"]["revocation"]["as_of"].as_str());
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in ["demo", "serve", "config", "audit", "feed", "card", "agent", "pki"] {
        let (code, stdout, _) = run(shikaku().args([command, "--help"]));
        assert_eq!(code, Some(0));
        assert!(stdout.contains("Example:"), "{command}");
    }
    assert_eq!(run(shikaku().arg("fly")).0, Some(2));
}

#[test]
fn a_challenge_that_begins_with_a_hyphen_is_signed() {
    let world = World::prepared(60);
    let (code, stdout, stderr) = run(shikaku()
        .args(["card", "sign", "--challenge", "-fQ8ONlft7vr8ZeOdvSd7", "--certificate"])
        .arg(world.path("cards/employee.der"))
        .arg("--key")
        .arg(world.path("cards/employee.key.pem")));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("\"challenge\":\"-fQ8ONlft7vr8ZeOdvSd7\""), "{stdout}");
}
