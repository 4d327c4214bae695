//! What operators are handed: the example configuration and the systemd unit, beside the program.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use gateway::config::Config;
use toml::{Table, Value};
use world::shikaku;

fn ops(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ops").join(name)
}

fn example() -> String {
    std::fs::read_to_string(ops("shikaku.example.toml")).unwrap()
}

/// The key of a line, and whether the line shows a default that is not set.
fn key(line: &str) -> Option<(&str, bool)> {
    let set = line.strip_prefix('#').unwrap_or(line);
    let (key, _) = set.split_once(" = ")?;
    let is_key =
        !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    is_key.then_some((key, set.len() < line.len()))
}

/// The example with every default set in words.
fn spelled_out() -> String {
    let lines = example();
    let lines = lines.lines().map(|line| match key(line) {
        Some((_, true)) => line.trim_start_matches('#'),
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Every key of a configuration, by its place.
fn places(table: &Table, within: &str, found: &mut BTreeSet<String>) {
    for (name, value) in table {
        let place = format!("{within}{name}");
        match value {
            Value::Table(inner) => places(inner, &format!("{place}."), found),
            Value::Array(all) => {
                all.iter()
                    .filter_map(Value::as_table)
                    .for_each(|one| places(one, &format!("{place}."), found));
            }
            _ => {}
        }
        found.insert(place);
    }
}

fn keys(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    places(&text.parse().unwrap(), "", &mut found);
    found
}

#[test]
fn the_example_names_every_key_and_every_default_as_it_is() {
    let config = Config::read(&ops("shikaku.example.toml")).unwrap();
    let output = shikaku().args(["config", "show"]).arg(ops("shikaku.example.toml")).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(shown, config.to_toml());
    assert_eq!(keys(&spelled_out()), keys(&shown));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shikaku.toml");
    std::fs::write(&path, spelled_out()).unwrap();
    assert_eq!(Config::read(&path).unwrap(), config);
    assert!(example().lines().filter_map(key).any(|(_, is_default)| is_default));
}

#[test]
fn every_key_of_the_example_has_its_comment() {
    let text = example();
    for pair in text.lines().collect::<Vec<_>>().windows(2) {
        if key(pair[1]).is_some() || pair[1].starts_with("[[listener") {
            assert!(pair[0].starts_with("# "), "without comment: {}", pair[1]);
        }
    }
    assert!(text.lines().all(|line| line.chars().count() <= 112), "a line that is too long");
}

/// The value of a setting of the unit.
fn setting(unit: &str, name: &str) -> String {
    let mut values = unit.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    values.next_back().unwrap_or_else(|| panic!("{name} is not set")).to_owned()
}

#[test]
fn unit_and_example_fit_each_other_and_the_program() {
    let unit = std::fs::read_to_string(ops("shikaku.service")).unwrap();
    let start = setting(&unit, "ExecStart");
    let arguments: Vec<_> = start.split(' ').skip(1).collect();
    assert_eq!(arguments[..3], ["serve", "--config", "/etc/shikaku/shikaku.toml"]);
    let run = |arguments: &[&str]| shikaku().args(arguments).arg("--help").output().unwrap().status.code();
    assert_eq!(run(&arguments), Some(0));
    assert_eq!(run(&["serve", "--unheard-of"]), Some(2), "help does not hide wrong arguments");

    let config = Config::read(&ops("shikaku.example.toml")).unwrap();
    let number = |name: &str| setting(&unit, name).parse::<usize>().unwrap();
    assert!(number("LimitNOFILE") >= config.service.connections + 1000);
    assert!(number("TimeoutStopSec") as u64 > config.service.drain_seconds);
    assert_eq!(number("LimitCORE"), 0);
    assert_eq!(number("RestartPreventExitStatus"), 2);
    assert_eq!(setting(&unit, "Type"), "notify");
    let socket = std::fs::read_to_string(ops("shikaku.socket")).unwrap();
    let handed: Vec<_> = socket.lines().filter_map(|line| line.strip_prefix("ListenStream=")).collect();
    let served = config.listeners.iter().map(|listener| listener.address.to_string());
    let wanted: Vec<_> = served.chain([config.admin.address.to_string()]).collect();
    assert_eq!(handed, wanted, "every socket that is handed over is asked for");
    let state = Path::new("/var/lib").join(setting(&unit, "StateDirectory"));
    for written in [
        config.ledger.path().unwrap(),
        &config.memory_folder(),
        config.feed.folder.as_ref().unwrap(),
        &config.feed.spool,
        &config.audit.folder,
    ] {
        assert!(written.starts_with(&state), "{} cannot be written", written.display());
    }
}

#[test]
fn the_unit_is_sound_and_tight() {
    let analyze =
        |arguments: &[&str], unit: &Path| Command::new("systemd-analyze").args(arguments).arg(unit).output();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("shikaku.service");
    let unit = std::fs::read_to_string(ops("shikaku.service")).unwrap();
    // It looks for the program, which is not installed here.
    std::fs::write(&copy, unit.replace("/usr/local/bin/shikaku", env!("CARGO_BIN_EXE_shikaku"))).unwrap();
    std::fs::copy(ops("shikaku.socket"), folder.path().join("shikaku.socket")).unwrap();
    let Ok(verified) = analyze(&["verify", "--man=no"], &copy) else {
        return eprintln!("systemd-analyze is not installed: the unit was not verified");
    };
    // Of a key that it does not know it only speaks.
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && !said.contains("shikaku.service:"), "{said}");
    // Exposure 2.0 of 10 at the most.
    let judged = analyze(&["security", "--offline=true", "--no-pager", "--threshold=20"], &copy).unwrap();
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));
}
