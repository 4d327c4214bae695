//! Every incident drill in short: the house behaves, and what desks saw is told.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod support;

use support::{program, shikaku};

/// Holds a drill with a small nation and few desks; what it printed.
fn held(name: &str) -> String {
    let mut drill = program();
    drill.args(["drill", name, "--people", "1000", "--seconds", "2", "--rate", "20", "--limit-ms", "5000"]);
    let output = drill.arg("--gateway").arg(shikaku()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for told in ["before", "during", "after", "p99", "the house behaved"] {
        assert!(said.contains(told), "{told}: {said}");
    }
    said
}

#[test]
fn a_line_fault_and_everybody_back() {
    let said = held("line-fault");
    assert!(said.contains("desks on the cut line") && said.contains("the line is cut"), "{said}");
}

#[test]
fn a_slow_responder() {
    let said = held("slow-responder");
    assert!(said.contains("「カードの失効情報がまだ届いていないため"), "{said}");
}

#[test]
fn everything_to_one_server() {
    assert!(held("one-server").contains("challenge_unknown"));
}

#[test]
fn a_dead_feeder() {
    let said = held("dead-feeder");
    assert!(said.contains("資格がないという意味ではありません") && said.contains("unconfirmed"), "{said}");
}

#[test]
fn an_emptied_field() {
    let said = held("emptied-field");
    assert!(said.contains("点検しているため") && said.contains("coverages.limit_certificates"), "{said}");
}

#[test]
fn a_change_of_anchors() {
    assert!(held("anchor-change").contains("would FAIL"));
}

#[test]
fn a_drill_without_a_gateway_says_what_is_missing() {
    let output = program().args(["drill", "line-fault", "--gateway", "/nowhere/shikaku"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--gateway"), "{output:?}");
}
