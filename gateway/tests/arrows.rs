//! Which crate may depend on which: read from the manifests as cargo resolves them.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// Our crates, each with those of ours it may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("disk", &[]),
    ("eligibility", &[]),
    ("pki", &[]),
    ("ledger", &["disk", "eligibility"]),
    ("cache", &["disk", "eligibility"]),
    ("claims", &["eligibility"]),
    ("population", &["eligibility", "pki"]),
    ("gateway", &["cache", "claims", "disk", "eligibility", "ledger", "pki", "population"]),
    ("loadtest", &["claims", "eligibility", "pki", "population"]),
    ("benches", &["cache", "claims", "eligibility", "gateway", "ledger", "pki", "population"]),
];

#[test]
fn crates_depend_only_along_the_arrows() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let allowed: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    let packages = metadata["packages"].as_array().unwrap();
    assert_eq!(packages.len(), allowed.len(), "a crate came or went: draw its arrows here");
    for package in packages {
        let name = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let on = dependency["name"].as_str().unwrap();
            if allowed.contains_key(on) && on != name {
                assert!(allowed[name].contains(&on), "{name} must not depend on {on}");
            }
        }
    }
}

#[test]
fn the_terminal_agent_sees_nothing_of_the_service() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/agent");
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for used in text.split("crate::").skip(1) {
            assert!(
                used.starts_with("wire::xml"),
                "{}: crate::{}",
                path.display(),
                used.lines().next().unwrap()
            );
        }
        seen += 1;
    }
    assert!(seen >= 4, "{seen} files");
}
