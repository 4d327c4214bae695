//! Hostile chains: made to be expensive, they cost no more than the budget.

use pki::issuing::encode;
use pki::path::{PathReason, PathTrust, validate_client};
use pki::{Lists, issuing::CertificateSpec};

use crate::cases::constraints;
use crate::chain::{AKI, CONSTRAINTS, Chain, KEYS, NAMES, NOW, judge, named, policy, remove, seq, set};

/// Authorities that all have one name and so may all have issued one another, each certified by a
/// key that is not in the chain.
#[test]
fn a_maze_of_one_name_ends() {
    let root = Chain::new(0).sign();
    let mut sent: Vec<Vec<u8>> = Vec::new();
    for at in 0..9 {
        let mut spec: CertificateSpec = Chain::new(1).specs[1].clone();
        spec.subject = named("Root");
        spec.issuer = named("Root");
        spec.serial = vec![at as u8 + 1];
        remove(&mut spec, AKI);
        sent.push(spec.sign(&KEYS[at + 1], &KEYS[11]).expect("a certificate"));
    }
    let mut leaf = Chain::new(0).specs[1].clone();
    remove(&mut leaf, AKI);
    sent.insert(0, leaf.sign(&KEYS[10], &KEYS[11]).expect("a certificate"));
    let trust = PathTrust::new([&root[0]], None::<&[u8]>, policy()).expect("an anchor");
    let refused = validate_client(&sent, &trust, &Lists::new(), NOW).expect_err("nobody trusted signed");
    assert_eq!(refused.reason, PathReason::Budget);
}

#[test]
fn names_against_constraints_are_counted() {
    let host = |at: usize| encode(0x82, format!("h{at}.jp").as_bytes());
    let many: Vec<Vec<u8>> = (0..400).map(host).collect();
    let chain = Chain::new(1).with(|chain| {
        set(&mut chain.specs[1], CONSTRAINTS, true, constraints(&[], &many));
        let names: Vec<Vec<u8>> = (1000..1400).map(host).collect();
        set(&mut chain.specs[2], NAMES, false, seq(&[&names.concat()]));
    });
    let refused = judge(&chain.sign(), policy()).expect_err("160 000 comparisons");
    assert_eq!(refused.reason, PathReason::Budget);
}

#[test]
fn more_certificates_than_a_chain_needs_are_not_read() {
    let signed = Chain::new(1).sign();
    let trust = PathTrust::new([&signed[0]], None::<&[u8]>, policy()).expect("an anchor");
    let mut sent = vec![&signed[2], &signed[1]];
    sent.resize(10, &signed[1]);
    assert!(validate_client(&sent, &trust, &Lists::new(), NOW).is_ok());
    sent.push(&signed[1]);
    let refused = validate_client(&sent, &trust, &Lists::new(), NOW).expect_err("eleven");
    assert_eq!(refused.reason, PathReason::TooMany);
    let none: [&[u8]; 0] = [];
    let refused = validate_client(&none, &trust, &Lists::new(), NOW).expect_err("nothing");
    assert_eq!(refused.reason, PathReason::Empty);
}
