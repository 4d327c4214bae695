//! Names outside the constraints of the authorities above, form by form.

use pki::path::PathReason;

use super::{Case, accepted, encode_host, one, refused};
use crate::chain::{CONSTRAINTS, Chain, NAMES, name, named, oid, seq, set};

/// nameConstraints of permitted and excluded general names.
pub(crate) fn constraints(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Vec<u8> {
    let side = |tag: u8, names: &[Vec<u8>]| {
        let subtrees: Vec<u8> = names.iter().flat_map(|name| seq(&[name])).collect();
        if names.is_empty() { Vec::new() } else { pki::issuing::encode(tag, &subtrees) }
    };
    seq(&[&side(0xa0, permitted), &side(0xa1, excluded)])
}

fn directory(name: Vec<u8>) -> Vec<u8> {
    pki::issuing::encode(0xa4, &name)
}

/// An authority with these constraints above a client with these alternative names.
fn constrained(permitted: &[Vec<u8>], excluded: &[Vec<u8>], names: &[Vec<u8>]) -> Chain {
    Chain::new(1).with(|chain| {
        set(&mut chain.specs[1], CONSTRAINTS, true, constraints(permitted, excluded));
        if !names.is_empty() {
            set(&mut chain.specs[2], NAMES, false, seq(&[&names.concat()]));
        }
    })
}

pub(super) fn directories() -> Vec<Case> {
    use PathReason::*;
    let example = || directory(name(&[(10, 0x0c, "Example")]));
    let shouted = || directory(name(&[(10, 0x13, "EXAMPLE ")]));
    let other = || directory(name(&[(10, 0x0c, "Other")]));
    let root = |permitted: &[Vec<u8>], excluded: &[Vec<u8>]| {
        Chain::new(1)
            .with(|chain| set(&mut chain.specs[0], CONSTRAINTS, true, constraints(permitted, excluded)))
    };
    let twice = Chain::new(2).with(|chain| {
        set(&mut chain.specs[1], CONSTRAINTS, true, constraints(&[example()], &[]));
        set(&mut chain.specs[2], CONSTRAINTS, true, constraints(&[other()], &[]));
    });
    let of_authority = Chain::new(2).with(|chain| {
        set(&mut chain.specs[1], CONSTRAINTS, true, constraints(&[directory(named("clinic"))], &[]));
    });
    let self_issued = Chain::new(2).with(|chain| {
        chain.specs[2].subject = named("Authority 1");
        chain.specs[3].issuer = named("Authority 1");
        set(&mut chain.specs[1], CONSTRAINTS, true, constraints(&[directory(named("clinic"))], &[]));
    });
    let malformed =
        |value: Vec<u8>| Chain::new(1).with(|chain| set(&mut chain.specs[1], CONSTRAINTS, true, value));
    let with_minimum = seq(&[&pki::issuing::encode(0xa0, &seq(&[&example(), &[0x80, 1, 0]]))]);
    vec![
        accepted("subject permitted", constrained(&[example()], &[], &[])),
        accepted("subject permitted in another spelling", constrained(&[shouted()], &[], &[])),
        refused("subject not permitted", constrained(&[other()], &[], &[]), 0, NameNotPermitted),
        refused("subject excluded", constrained(&[], &[example()], &[]), 0, NameExcluded),
        refused("subject excluded in another spelling", constrained(&[], &[shouted()], &[]), 0, NameExcluded),
        accepted("one of two permitted", constrained(&[other(), example()], &[], &[])),
        refused(
            "permitted and excluded",
            constrained(&[example()], &[directory(named("clinic"))], &[]),
            0,
            NameExcluded,
        ),
        refused("permitted by one authority and not by the next", twice, 0, NameNotPermitted),
        refused("an authority's own name", of_authority, 1, NameNotPermitted),
        accepted("a self-issued authority is exempt", self_issued),
        refused("constraints of the root", root(&[other()], &[]), 1, NameNotPermitted),
        refused(
            "alternative directory name",
            constrained(&[example()], &[], &[other()]),
            0,
            NameNotPermitted,
        ),
        refused("constraints without subtrees", malformed(vec![0x30, 0]), 1, ExtensionValue),
        refused("constraints with a minimum", malformed(with_minimum), 1, ExtensionValue),
        refused(
            "constraint on a registered identifier",
            malformed(constraints(&[], &[vec![0x88, 1, 0x2a]])),
            1,
            ConstraintForm,
        ),
    ]
}

pub(super) fn forms() -> Vec<Case> {
    use PathReason::*;
    let host = |text: &str| encode_host(text);
    let mailbox = |text: &str| pki::issuing::encode(0x81, text.as_bytes());
    let uri = |text: &str| pki::issuing::encode(0x86, text.as_bytes());
    let address = |octets: &[u8]| pki::issuing::encode(0x87, octets);
    let net = || address(&[192, 0, 2, 0, 255, 255, 255, 0]);
    let mut with_mailbox = constrained(&[mailbox("example.jp")], &[], &[]);
    let email = seq(&[
        &oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1]),
        &pki::issuing::encode(0x16, b"a@other.jp"),
    ]);
    with_mailbox.leaf().subject = seq(&[&pki::issuing::encode(0x31, &email)]);
    vec![
        accepted("host permitted", constrained(&[host("example.jp")], &[], &[host("a.example.jp")])),
        refused(
            "host not permitted",
            constrained(&[host("example.jp")], &[], &[host("a.example.com")]),
            0,
            NameNotPermitted,
        ),
        refused(
            "host that only ends alike",
            constrained(&[host("example.jp")], &[], &[host("badexample.jp")]),
            0,
            NameNotPermitted,
        ),
        refused(
            "host excluded",
            constrained(&[], &[host("example.jp")], &[host("A.Example.JP")]),
            0,
            NameExcluded,
        ),
        refused(
            "wildcard over an excluded host",
            constrained(&[], &[host("a.example.jp")], &[host("*.example.jp")]),
            0,
            NameExcluded,
        ),
        refused(
            "second host not permitted",
            constrained(&[host("example.jp")], &[], &[host("example.jp"), host("x.jp")]),
            0,
            NameNotPermitted,
        ),
        accepted("other forms are free", constrained(&[host("example.jp")], &[], &[mailbox("a@other.jp")])),
        accepted("mailbox permitted", constrained(&[mailbox("example.jp")], &[], &[mailbox("a@example.jp")])),
        refused(
            "mailbox not permitted",
            constrained(&[mailbox("example.jp")], &[], &[mailbox("a@x.example.jp")]),
            0,
            NameNotPermitted,
        ),
        refused(
            "mailbox excluded",
            constrained(&[], &[mailbox("a@example.jp")], &[mailbox("a@example.jp")]),
            0,
            NameExcluded,
        ),
        refused(
            "quoted mailbox",
            constrained(&[], &[mailbox("a@example.jp")], &[mailbox("\"a\"@example.jp")]),
            0,
            NameForm,
        ),
        refused("mailbox in the subject", with_mailbox, 0, NameNotPermitted),
        accepted("uri permitted", constrained(&[uri(".example.jp")], &[], &[uri("https://a.example.jp/x")])),
        refused(
            "uri not permitted",
            constrained(&[uri(".example.jp")], &[], &[uri("https://example.com/")]),
            0,
            NameNotPermitted,
        ),
        refused(
            "uri excluded",
            constrained(&[], &[uri("example.jp")], &[uri("https://example.jp/")]),
            0,
            NameExcluded,
        ),
        refused("uri without a host", constrained(&[uri("example.jp")], &[], &[uri("urn:x:y")]), 0, NameForm),
        accepted("address permitted", constrained(&[net()], &[], &[address(&[192, 0, 2, 1])])),
        refused(
            "address not permitted",
            constrained(&[net()], &[], &[address(&[192, 0, 3, 1])]),
            0,
            NameNotPermitted,
        ),
        refused("address excluded", constrained(&[], &[net()], &[address(&[192, 0, 2, 1])]), 0, NameExcluded),
        refused(
            "address of the other family",
            constrained(&[net()], &[], &[address(&[0; 16])]),
            0,
            NameNotPermitted,
        ),
        refused(
            "address of five octets",
            one(2, |spec| set(spec, NAMES, false, seq(&[&address(&[1; 5])]))),
            0,
            ExtensionValue,
        ),
        refused(
            "mask with holes",
            constrained(&[address(&[192, 0, 2, 0, 255, 0, 255, 0])], &[], &[]),
            1,
            ExtensionValue,
        ),
    ]
}
