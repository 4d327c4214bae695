//! Restarts from memory's files: the same answers without the ledger being read again; single files
//! that are damaged are made good; those of another ledger count for nothing; they are handed from one
//! gateway to another.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use serde_json::{Value, json};
use world::{World, shikaku};

/// A demonstration whose gateway writes memory's files each second.
fn world() -> World {
    let world = World::prepared(300);
    let path = world.path("shikaku.toml");
    let config = fs::read_to_string(&path).unwrap();
    fs::write(path, config.replace("save_seconds = 60", "save_seconds = 1")).unwrap();
    world
}

fn status(world: &World) -> Value {
    serde_json::from_str(&world.admin_get("/status").unwrap().1).unwrap()
}

/// Position up to which memory came from files, and batches of the ledger read after that.
fn began(world: &World) -> (u64, u64) {
    let status = status(world);
    let of = |key: &str| status["began"][key].as_u64().unwrap();
    (of("from_files"), of("followed"))
}

fn feed(world: &World, number: &str) -> u64 {
    let feeder = world.client("insurer-06132013");
    let sequence = feeder.get("/v1/feeds/06132013").json()["committed_sequence"].as_u64().unwrap() + 1;
    let record = json!({
        "source": "06132013", "sequence": sequence, "kind": "member",
        "link_number": format!("{:016}", 9_200_000_000_000_000 + sequence),
        "name": "試験　花子", "sex": "female", "birth_date": "1990-05-05",
        "coverages": [{"symbol": "R", "number": number, "qualified_on": "2020-04-01"}],
    });
    feeder.feed("06132013", &record.to_string()).json()["generation"].as_u64().unwrap()
}

/// Everything that the answers to some questions say but the time.
fn answers(world: &World) -> Vec<Value> {
    let client = world.client("review");
    let question = |number: &str| json!({"insurer_number": "06132013", "symbol": "R", "number": number, "birth_date": "1990-05-05"});
    let numbers =
        ["1", "2", "3"].map(|number| client.post("/v1/eligibility/number", &question(number)).json());
    let mut all = numbers.to_vec();
    for state in ["good", "revoked", "unlinked"] {
        all.push(world.card_in_state(state).ask(&world.client("reception")).json());
    }
    all.push(world.client("operator").get("/v1/feeds").json());
    for one in &mut all {
        for time in ["answered_at", "feeds"] {
            one.as_object_mut().unwrap().remove(time);
        }
    }
    all
}

/// Waits until memory's files are written up to this position.
fn wait_saved(world: &World, position: u64) {
    let mut looked = 0;
    while status(world)["saved"].as_u64().unwrap() < position {
        looked += 1;
        assert!(looked < 600, "never written: {}", world.log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_killed_gateway_begins_with_its_files_and_follows_the_rest() {
    let mut world = world();
    world.start();
    feed(&world, "1");
    let position = feed(&world, "2");
    wait_saved(&world, position);
    // One more batch, of which the files may not know.
    let last = feed(&world, "3");
    let before = answers(&world);
    world.kill();
    world.start();
    let (from_files, followed) = began(&world);
    assert!(from_files >= position && from_files + followed == last, "{from_files} {followed} {last}");
    assert_eq!(answers(&world), before);

    // What was saved in the meantime is enough: nothing is read of the ledger.
    wait_saved(&world, last);
    world.kill();
    world.start();
    assert_eq!(began(&world), (last, 0));
    assert_eq!(answers(&world), before);
}

/// The newest file whose name begins so.
fn file(world: &World, begin: &str) -> PathBuf {
    let names = fs::read_dir(world.path("data/memory")).unwrap().flatten().map(|entry| entry.path());
    names.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(begin)).max().unwrap()
}

fn flip(path: &Path) {
    let mut octets = fs::read(path).unwrap();
    let middle = octets.len() / 2;
    octets[middle] ^= 1;
    fs::write(path, octets).unwrap();
}

fn flip_all(world: &World, begins: &[&str]) {
    begins.iter().for_each(|begin| flip(&file(world, begin)));
}

#[test]
fn damaged_files_are_made_good_and_those_of_another_ledger_count_for_nothing() {
    let mut world = world();
    world.start();
    let last = feed(&world, "1");
    wait_saved(&world, last);
    let before = answers(&world);
    world.kill();
    type Harm<'h> = &'h dyn Fn(&World);
    // What is done to them, and from which position memory then comes with how many made good.
    let harms: [(&str, Harm<'_>, (u64, u64)); 5] = [
        ("flipped octets", &|world| flip_all(world, &["people-07", "cards-11"]), (last, 2)),
        (
            "a torn and a missing file",
            &|world| {
                fs::write(file(world, "numbers-00"), b"shikaku").unwrap();
                fs::remove_file(file(world, "people-50")).unwrap();
            },
            (last, 2),
        ),
        ("the file of names", &|world| flip_all(world, &["memory"]), (0, 0)),
        ("another history", &|world| flip_all(world, &["ledger-"]), (0, 0)),
        ("no fingerprint", &|world| fs::remove_file(file(world, "ledger-")).unwrap(), (0, 0)),
    ];
    for (what, harm, (from_files, mended)) in harms {
        harm(&world);
        world.start();
        assert_eq!(began(&world), (from_files, last - from_files), "{what}");
        assert_eq!(status(&world)["began"]["mended"], mended, "{what}");
        assert_eq!(answers(&world), before, "{what}");
        wait_saved(&world, last);
        world.kill();
        world.start();
        assert_eq!(began(&world), (last, 0), "{what}: not mended");
        assert_eq!(status(&world)["began"]["mended"], 0, "{what}");
        world.kill();
    }
}

#[test]
fn a_file_damaged_while_serving_is_written_again() {
    let mut world = world();
    world.start();
    wait_saved(&world, feed(&world, "1"));
    // The one that is looked at next lies somewhere: harm the whole first kind, and wait for one.
    let people: Vec<_> = (0..64).map(|shard| file(&world, &format!("people-{shard:02}"))).collect();
    let whole: Vec<_> = people.iter().map(|path| fs::read(path).unwrap()).collect();
    people.iter().for_each(|path| flip(path));
    let mut looked = 0;
    while people.iter().zip(&whole).all(|(path, whole)| fs::read(path).unwrap() != *whole) {
        looked += 1;
        assert!(looked < 600, "never written again: {}", world.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(world.log().contains("written again"));
}

#[test]
fn files_are_handed_over_to_the_same_ledger_only() {
    let mut world = world();
    world.start();
    let last = feed(&world, "1");
    wait_saved(&world, last);
    let before = answers(&world);
    let run = |world: &World, arguments: &[&str]| -> Output {
        let config = world.path("shikaku.toml");
        shikaku().args(["store"]).args(arguments).arg("--config").arg(config).output().unwrap()
    };
    let out = world.path("handover").to_str().unwrap().to_owned();
    let exported = run(&world, &["export", "--out", &out]);
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    world.kill();

    // Another gateway with the same ledger and no memory of its own.
    fs::remove_dir_all(world.path("data/memory")).unwrap();
    assert!(run(&world, &["import", &out]).status.success());
    world.start();
    assert_eq!((began(&world), answers(&world)), ((last, 0), before));
    world.kill();

    let other = World::prepared(300);
    let refused = run(&other, &["import", &out]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another ledger"));
    let victim = fs::read_dir(&out)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.file_name().unwrap().to_str().unwrap().starts_with("cards-"));
    let victim = victim.unwrap();
    let octets = fs::read(&victim).unwrap();
    fs::write(&victim, &octets[..octets.len() - 1]).unwrap();
    assert_eq!(run(&world, &["import", &out]).status.code(), Some(1), "torn");
    world.start();
    assert_eq!(began(&world), (last, 0), "a refused import changes nothing");
}
