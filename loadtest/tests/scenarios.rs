//! The scenarios that are shipped: each is read, has a plan, and can be looked at without a server.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod support;

use std::path::PathBuf;

use loadtest::scenario::Scenario;
use loadtest::schedule::PROFILES;
use support::program;

fn shipped() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let all = std::fs::read_dir(folder).unwrap().map(|one| one.unwrap().path());
    all.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect()
}

#[test]
fn every_shipped_scenario_is_sound_and_named_after_its_file() {
    let all = shipped();
    assert!(all.len() >= 12, "{}", all.len());
    for path in &all {
        let scenario = Scenario::read(path).unwrap();
        assert_eq!(scenario.name, path.file_stem().unwrap().to_str().unwrap());
        assert!(scenario.about.ends_with('.'), "{}", scenario.name);
        let phases = scenario.phases(path.parent().unwrap()).unwrap();
        assert!(
            phases.iter().map(|one| one.schedule.instants().count()).sum::<usize>() > 300,
            "{}",
            scenario.name
        );
        let judged =
            !scenario.objectives.is_empty() || scenario.phases.iter().any(|one| !one.objectives.is_empty());
        assert!(judged, "{} has no objective", scenario.name);
        let again = toml::to_string(&scenario).unwrap();
        assert_eq!(Scenario::parse(&again).unwrap(), scenario);
    }
}

#[test]
fn every_kind_of_day_has_one() {
    let texts: String = shipped().iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for profile in PROFILES {
        let word = serde_json::to_string(&profile.kind).unwrap();
        assert!(texts.contains(&format!("day = {word}")), "{word}");
    }
}

#[test]
fn a_dry_run_prints_the_schedule_and_asks_nobody() {
    for path in shipped() {
        let output = program().arg("run").arg(&path).arg("--dry-run").output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}", path.display());
        assert!(said.contains("requests  peak") && said.contains("first at"), "{said}");
    }
}

#[test]
fn more_connections_than_files_are_refused_with_the_cure() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("many.toml");
    std::fs::write(&file, support::plain(([127, 0, 0, 1], 1).into(), 10.0, 1.0, 500)).unwrap();
    let mut limited = std::process::Command::new("prlimit");
    let output =
        limited.arg("--nofile=256:256").arg(program().get_program()).arg("run").arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stderr).unwrap().contains("`ulimit -n 1128`"));
}

#[test]
fn a_scenario_with_a_fault_ends_with_2_and_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.toml");
    std::fs::write(
        &file,
        "name='x'\ntarget={url='http://127.0.0.1:1'}\nmix={plain=1,path='/'}\nphase=1\nphases=[]\n",
    )
    .unwrap();
    let output = program().arg("run").arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("bad.toml") && said.contains("`phase`"), "{said}");
}
