//! Where `openssl verify` and this crate disagree: on the chains of one defect each, and on chains
//! mutated by rule and by chance. Every class of disagreement stands in `disagreements.txt` with
//! its reason, and the file must be exact: nothing missing, nothing left over.

use std::collections::{BTreeMap, BTreeSet};

use pki::issuing::CertificateSpec;

use crate::cases::{self, constraints};
use crate::chain::{CONSTRAINTS, Chain, NAMES, POLICIES, YEAR, judge, named, policies, policy, seq, set};
use crate::openssl;

/// `name | ours | openssl | reason` a line; `#` starts a comment.
const EXPLAINED: &str = include_str!("disagreements.txt");

/// Mutated chains judged by both.
const MUTATED: usize = 400;

fn explained() -> BTreeSet<String> {
    let lines = EXPLAINED.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (class, reason) = line.rsplit_once(" | ").expect("a reason");
            assert!(reason.len() > 10, "explain: {line}");
            class.to_owned()
        })
        .collect()
}

/// How the two judge, where they disagree.
fn disagreement(folder: &std::path::Path, signed: &[Vec<u8>]) -> Option<String> {
    let ours = judge(signed, policy());
    let theirs = openssl::accepts(folder, signed, &[]);
    match (ours, theirs) {
        (Ok(_), false) => Some("accepted | refused".to_owned()),
        (Err(error), true) => {
            let reason = format!("{:?}", error.reason);
            let reason = reason.split([' ', '(']).next().unwrap_or_default().to_owned();
            Some(format!("{reason} | accepted"))
        }
        _ => None,
    }
}

#[test]
fn every_disagreement_is_explained_and_nothing_else_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases::all() {
        if let Some(verdicts) = disagreement(folder.path(), &case.chain.sign()) {
            *found.entry(format!("{} | {verdicts}", case.name)).or_default() += 1;
        }
    }
    for seed in 0..MUTATED {
        if let Some(verdicts) = disagreement(folder.path(), &mutated(seed as u64).sign()) {
            *found.entry(format!("mutated | {verdicts}")).or_default() += 1;
        }
    }
    let explained = explained();
    let classes: BTreeSet<String> = found.keys().cloned().collect();
    let missing: Vec<_> = classes.difference(&explained).collect();
    let left_over: Vec<_> = explained.difference(&classes).collect();
    assert!(missing.is_empty() && left_over.is_empty(), "missing {missing:#?}, left over {left_over:#?}");
}

/// The proper chain that is mutated: everything that validation acts on is in it.
fn rich() -> Chain {
    Chain::new(2).with(|chain| {
        let host = |text: &str| pki::issuing::encode(0x82, text.as_bytes());
        let example = pki::issuing::encode(0xa4, &crate::chain::name(&[(10, 0x0c, "Example")]));
        set(
            &mut chain.specs[1],
            CONSTRAINTS,
            true,
            constraints(&[example, host("example.jp")], &[host("x.example.jp")]),
        );
        set(&mut chain.specs[3], NAMES, false, seq(&[&host("a.example.jp")]));
        for spec in &mut chain.specs[1..] {
            set(spec, POLICIES, false, policies(&[&[0x2a, 3, 4]]));
        }
    })
}

/// splitmix64
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) as usize >> 1
}

fn mutated(seed: u64) -> Chain {
    let mut state = seed;
    let mut chain = rich();
    for _ in 0..1 + seed % 2 {
        let at = 1 + next(&mut state) % 3;
        mutate(&mut chain.specs[at], &mut state);
    }
    chain
}

fn mutate(spec: &mut CertificateSpec, state: &mut u64) {
    let extension = next(state) % spec.extensions.len();
    match next(state) % 12 {
        0 => spec.extensions[extension].critical ^= true,
        1 => drop(spec.extensions.remove(extension)),
        2 => spec.extensions.push(spec.extensions[extension].clone()),
        3 => spec.serial = vec![next(state) as u8, next(state) as u8],
        4 => spec.not_after = pki::UnixTime(spec.not_after.0 - 2 * YEAR),
        5 => spec.not_before = pki::UnixTime(spec.not_before.0 + 2 * YEAR),
        6 => spec.subject = named("Somebody"),
        7 => spec.bad_signature = true,
        _ => {
            let value = &mut spec.extensions[extension].value;
            let at = next(state) % value.len();
            value[at] ^= 1 << (next(state) % 8);
        }
    }
}
