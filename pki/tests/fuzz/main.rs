//! The fuzz targets' corpora as ordinary tests: each file as it is, cut short at every octet, and
//! with octets turned. A fuzzer runs the same functions in `targets` on inputs of its own.

mod corpus;
mod targets;

use corpus::{files, folder};

/// Runs a target on everything made of its corpus.
fn run(name: &str, target: fn(&[u8])) {
    let all = files(name);
    assert!(!all.is_empty(), "no corpus in {}", folder(name).display());
    for original in &all {
        target(original);
        for end in 0..original.len() {
            target(&original[..end]);
        }
        for at in 0..original.len() {
            for turn in [0x01, 0x80, 0xff] {
                let mut turned = original.clone();
                turned[at] ^= turn;
                target(&turned);
            }
        }
    }
}

#[test]
fn certificates() {
    run("certificate", targets::certificate);
}

#[test]
fn lists() {
    run("list", targets::list);
}

#[test]
fn responses() {
    run("ocsp", targets::ocsp);
}

#[test]
fn challenges() {
    run("challenge", targets::challenge);
}

#[test]
fn what_is_proper_in_the_corpus_is_taken() {
    targets::take_proper_ones();
}
