//! Backup while feeds come in, and what comes back of it.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::world::World;
use crate::{ops, said};

const SOURCE: &str = "06132013";

/// One of the scripts, with the program under test.
fn script(name: &str, arguments: &[&Path]) -> Output {
    Command::new(ops(name)).args(arguments).env("SHIKAKU", env!("CARGO_BIN_EXE_shikaku")).output().unwrap()
}

/// A person whom the test feeds.
fn member(sequence: u64) -> String {
    json!({
        "source": SOURCE, "sequence": sequence, "kind": "member",
        "link_number": format!("{:016}", 9_400_000_000_000_000 + sequence),
        "name": "試験　花子", "sex": "female", "birth_date": "1990-05-05",
        "coverages": [{"symbol": "B", "number": format!("{sequence}"), "qualified_on": "2020-04-01"}],
    })
    .to_string()
}

fn committed(world: &World) -> u64 {
    let state = world.client("insurer-06132013").get(&format!("/v1/feeds/{SOURCE}")).json();
    state["committed_sequence"].as_u64().unwrap()
}

fn status_of(world: &World, number: u64) -> Value {
    let question = json!({"insurer_number": SOURCE, "symbol": "B", "number": format!("{number}"), "birth_date": "1990-05-05"});
    world.client("reception").post("/v1/eligibility/number", &question).json()["status"].clone()
}

/// Feeds one person after the other while the backup runs; what was acknowledged before it began.
fn backed_up(world: &World, folder: &Path, more: &[&Path]) -> u64 {
    let began = committed(world);
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicU64::new(began));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let next = acknowledged.load(Ordering::Relaxed) + 1;
                let reply = world.client("insurer-06132013").feed(SOURCE, &member(next));
                assert_eq!(reply.json()["accepted"], 1, "{reply:?}");
                acknowledged.store(next, Ordering::Relaxed);
            }
        });
        while acknowledged.load(Ordering::Relaxed) < began + 5 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let before = acknowledged.load(Ordering::Relaxed);
        let config = world.path("shikaku.toml");
        let output = script("backup", &[&[config.as_path(), folder], more].concat());
        stop.store(true, Ordering::Relaxed);
        assert!(output.status.success(), "{}", said(&output));
        before
    })
}

/// The same configuration and keys on an empty machine.
fn empty_machine(world: &World) {
    std::fs::rename(world.path("data"), world.path("lost")).unwrap();
    std::fs::create_dir(world.path("data")).unwrap();
}

#[test]
fn a_backup_taken_while_serving_comes_back_with_every_acknowledged_record() {
    let mut world = World::prepared(100);
    world.rewrite("save_seconds = 60", "save_seconds = 1");
    world.start();
    let first = committed(&world) + 1;
    assert_eq!(world.card_in_state("good").ask(&world.client("reception")).word(), "valid");
    let folder = world.path("backup");
    let last = backed_up(&world, &folder, &[]);
    assert!(last > first);
    let config = world.path("shikaku.toml");
    assert_eq!(script("backup", &[&config, &folder]).status.code(), Some(2), "it is there already");
    assert_eq!(script("restore", &[&folder, &config]).status.code(), Some(2), "over data that is there");
    world.kill();
    empty_machine(&world);

    // One octet is another: nothing is put anywhere.
    let victim = folder.join("ledger.sqlite");
    let whole = std::fs::read(&victim).unwrap();
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    std::fs::write(&victim, changed).unwrap();
    let refused = script("restore", &[&folder, &config]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("ledger.sqlite") && !world.path("data/ledger.sqlite").exists());
    std::fs::write(&victim, whole).unwrap();

    let restored = script("restore", &[&folder, &config]);
    assert!(restored.status.success(), "{}", said(&restored));
    assert!(said(&restored).contains("answers"), "the audit was proven: {}", said(&restored));
    world.start();
    let reached = committed(&world);
    assert!(reached >= last, "{reached} of {last} acknowledged before the backup");
    for number in [first, last, reached] {
        assert_eq!(status_of(&world, number), "valid", "{number} of {reached}");
    }
    assert!(world.status()["began"]["from_files"].as_u64().unwrap() > 0, "memory's files came too");
    // The feeder sends again from what it is told, and goes on.
    let reply =
        world.client("insurer-06132013").feed(SOURCE, &[member(reached), member(reached + 1)].join("\n"));
    assert_eq!((&reply.json()["accepted"], &reply.json()["duplicates"]), (&json!(1), &json!(1)));
}

#[test]
fn a_sealed_backup_is_one_file_that_its_key_alone_opens() {
    let home = tempfile::tempdir().unwrap();
    let gpg = |arguments: &[&str]| {
        let output = Command::new("gpg")
            .env("GNUPGHOME", home.path())
            .arg("--batch")
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", said(&output));
        output.stdout
    };
    gpg(&["--passphrase", "", "--quick-generate-key", "backup@example.jp", "ed25519", "cert"]);
    let shown = String::from_utf8(gpg(&["--with-colons", "--list-keys"])).unwrap();
    let fingerprint =
        shown.lines().find_map(|line| line.strip_prefix("fpr:::::::::")).unwrap().trim_end_matches(':');
    gpg(&["--passphrase", "", "--quick-add-key", fingerprint, "cv25519", "encr"]);
    let world = World::started(60);
    let (key, folder) = (world.path("backup-key.asc"), world.path("sealed"));
    std::fs::write(&key, gpg(&["--armor", "--export", fingerprint])).unwrap();
    backed_up(&world, &folder, &[Path::new("--seal"), &key]);
    assert!(!folder.exists(), "nothing in the clear is left");
    let file = world.path("sealed.tar.gpg").display().to_string();
    let opened = gpg(&["--quiet", "--decrypt", &file]);
    let tar = world.path("opened.tar");
    std::fs::write(&tar, opened).unwrap();
    let listed = Command::new("tar").arg("-tf").arg(&tar).output().unwrap();
    for name in ["./ledger.sqlite", "./kept.sqlite", "./audit/answers/", "./SHA256SUMS"] {
        assert!(said(&listed).contains(name), "{name}: {}", said(&listed));
    }
    // The kept keys are not among it.
    assert!(!said(&listed).contains("secrets"), "{}", said(&listed));
    let ended = Command::new("gpgconf").env("GNUPGHOME", home.path()).args(["--kill", "all"]).status();
    assert!(ended.unwrap().success());
}
