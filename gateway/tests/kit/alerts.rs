//! Alert rules, their tests, their runbooks, and the metrics that they and the dashboard look at.

use std::collections::BTreeSet;
use std::process::Command;

use crate::world::World;
use crate::{ops, read, root, run, said};

fn alerts() -> BTreeSet<String> {
    let rules = read(&ops("alerts.yml"));
    let names = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    names.map(str::to_owned).collect()
}

#[test]
fn rules_scrape_and_the_tests_of_the_rules_hold() {
    for (what, which, file) in [
        ("check", "rules", "alerts.yml"),
        ("test", "rules", "alerts.test.yml"),
        ("check", "config", "prometheus.yml"),
    ] {
        let output = run(Command::new("promtool").args([what, which]).arg(ops(file)));
        assert!(output.status.success(), "{file}: {}", said(&output));
    }
    assert!(read(&ops("prometheus.yml")).contains("rule_files:\n  - alerts.yml"));
    let tests = read(&ops("alerts.test.yml"));
    for name in alerts() {
        for kind in ["raised", "quiet"] {
            assert!(
                tests.contains(&format!("- name: {name}, {kind}\n")),
                "{name} is never {kind} in its tests"
            );
        }
    }
}

#[test]
fn every_alert_has_its_runbook_and_the_other_way_round() {
    let pages = std::fs::read_dir(ops("runbooks")).unwrap().map(|entry| entry.unwrap().path());
    let pages: BTreeSet<_> =
        pages.map(|page| page.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(pages, alerts());
    let screens =
        read(&root().join("eligibility/src/advice.rs")) + &read(&root().join("gateway/src/refusal/table.rs"));
    for name in pages {
        let page = read(&ops("runbooks").join(&name).with_extension("md"));
        let parts = ["The desk sees", "Why", "First look", "Cure", "Over when"];
        let places: Vec<_> = parts.iter().map(|part| page.find(&format!("\n**{part}** "))).collect();
        assert!(page.starts_with(&format!("# {name}\n")) && places.is_sorted(), "{name}: {places:?}");
        assert!(places.iter().all(Option::is_some), "{name} lacks a part: {places:?}");
        // What stands in 「」 is on the screen word for word.
        for quoted in page.split('「').skip(1).map(|rest| rest.split('」').next().unwrap()) {
            assert!(screens.contains(quoted), "{name}: no desk ever sees 「{quoted}」");
        }
    }
}

/// Every name of ours in a text, without the endings of a histogram's parts.
fn metrics(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c == '_';
    let names = text.split(|c| !is_part(c)).filter(|word| word.starts_with("shikaku_"));
    let base = |name: &str| {
        let end = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        end.unwrap_or(name).to_owned()
    };
    names.map(base).collect()
}

/// Every label that a text asks of one of our metrics, with the metric.
fn labels(text: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("shikaku_") {
        let rest = &text[at..];
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let Some(inner) = rest.strip_prefix('{').and_then(|rest| rest.split('}').next()) else { continue };
        let asked = inner.split(',').filter_map(|one| one.split(['=', '!']).next());
        found.extend(asked.map(|label| (name.to_owned(), label.trim().to_owned())));
    }
    found
}

#[test]
fn every_alert_and_panel_looks_at_a_metric_that_is_there() {
    let world = World::started(100);
    let desk = world.client("reception");
    assert_eq!(world.card_in_state("good").ask(&desk).status, 200);
    desk.post("/v1/eligibility/number", &serde_json::json!({}));
    let scraped = world.admin_get("/metrics").unwrap().1;
    let declared = metrics(&(read(&root().join("gateway/src/metrics.rs")) + &scraped));
    for file in ["alerts.yml", "alerts.test.yml", "dashboard.json"] {
        let text = read(&ops(file)).replace("\\\"", "\"");
        let asked = metrics(&text);
        assert!(asked.len() > 15, "{file}: {asked:?}");
        assert_eq!(asked.difference(&declared).collect::<Vec<_>>(), Vec::<&String>::new(), "{file}");
        // Prometheus itself adds the first two.
        for (metric, label) in labels(&text) {
            let shown: Vec<_> =
                scraped.lines().filter(|line| line.starts_with(&format!("{metric}{{"))).collect();
            let has = shown.is_empty() || shown.iter().any(|line| line.contains(&format!("{label}=\"")));
            assert!(has || ["instance", "job"].contains(&label.as_str()), "{file}: {metric} has no {label}");
        }
    }
    for route in ["card", "number"] {
        assert!(
            scraped.contains(&format!("shikaku_request_seconds_count{{route=\"{route}\"}}")),
            "{scraped}"
        );
    }
    assert!(serde_json::from_str::<serde_json::Value>(&read(&ops("dashboard.json"))).is_ok());
}
