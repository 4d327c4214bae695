//! One defect each, for every rule: how it is made, and what it must be refused with.

use pki::UnixTime;
use pki::path::PathReason;

use crate::chain::{
    AKI, BASIC, CLIENT_AUTH, CONSTRAINTS, Chain, KEY_USAGE, NAMES, NOW, PURPOSES, SERVER_AUTH, basic,
    extension, name, named, oid, purposes, remove, seq, set,
};

/// A chain, and the reason and place (0 for the client) it is refused with; nothing if accepted.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) chain: Chain,
    pub(crate) refused: Option<(usize, PathReason)>,
}

fn refused(name: &'static str, chain: Chain, at: usize, reason: PathReason) -> Case {
    Case { name, chain, refused: Some((at, reason)) }
}

fn accepted(name: &'static str, chain: Chain) -> Case {
    Case { name, chain, refused: None }
}

pub(crate) fn all() -> Vec<Case> {
    [envelopes(), authorities(), leaves(), names(), name_forms()].into_iter().flatten().collect()
}

/// One authority between root (0) and client (2): changes the certificate at that place.
fn one(at: usize, change: impl FnOnce(&mut pki::issuing::CertificateSpec)) -> Chain {
    Chain::new(1).with(|chain| change(&mut chain.specs[at]))
}

fn envelopes() -> Vec<Case> {
    use PathReason::*;
    let unknown = |critical| extension("1.2.3.4", critical, vec![5, 0]);
    let first_second = UnixTime(NOW.0 + 1);
    let last_second = UnixTime(NOW.0 - 1);
    let not_yet = NotYetValid { not_before: first_second, now: NOW };
    let over = Expired { not_after: last_second, now: NOW };
    vec![
        accepted("client below the root", Chain::new(0)),
        accepted("one authority between", Chain::new(1)),
        accepted("six authorities between", Chain::new(6)),
        refused("seven authorities between", Chain::new(7), 6, UnknownIssuer),
        refused("client of version 1", one(2, |spec| spec.version = 0), 0, Version),
        refused("client of version 2", one(2, |spec| spec.version = 1), 0, Version),
        refused("serial zero", one(2, |spec| spec.serial = vec![0]), 0, Serial),
        refused("serial negative", one(2, |spec| spec.serial = vec![0xff]), 0, Serial),
        refused("serial padded", one(2, |spec| spec.serial = vec![0, 1]), 0, Serial),
        refused("serial of 21 octets", one(2, |spec| spec.serial = vec![1; 21]), 0, Serial),
        accepted("serial of 20 octets", one(2, |spec| spec.serial = vec![1; 20])),
        refused(
            "inner algorithm differs",
            one(2, |spec| {
                spec.inner_algorithm = Some(vec![0x30, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]);
            }),
            0,
            AlgorithmMismatch,
        ),
        refused("signature of the client", one(2, |spec| spec.bad_signature = true), 0, BadSignature),
        refused("signature of the authority", one(1, |spec| spec.bad_signature = true), 1, BadSignature),
        refused("client not yet valid", one(2, |spec| spec.not_before = first_second), 0, not_yet),
        refused("client expired", one(2, |spec| spec.not_after = last_second), 0, over),
        refused("authority not yet valid", one(1, |spec| spec.not_before = first_second), 1, not_yet),
        refused("authority expired", one(1, |spec| spec.not_after = last_second), 1, over),
        refused("root expired", one(0, |spec| spec.not_after = last_second), 2, over),
        accepted(
            "client valid for this second",
            one(2, |spec| (spec.not_before, spec.not_after) = (NOW, NOW)),
        ),
        refused(
            "unknown critical extension in the client",
            one(2, |spec| spec.extensions.push(unknown(true))),
            0,
            UnknownCriticalExtension,
        ),
        accepted("unknown extension", one(2, |spec| spec.extensions.push(unknown(false)))),
        refused(
            "unknown critical extension in the authority",
            one(1, |spec| spec.extensions.push(unknown(true))),
            0,
            UnknownIssuer,
        ),
        refused(
            "an extension twice",
            one(2, |spec| {
                let first = spec.extensions[0].clone();
                spec.extensions.push(first);
            }),
            0,
            DuplicateExtension,
        ),
        refused("another issuer's name", one(2, |spec| spec.issuer = named("Nobody")), 0, UnknownIssuer),
        refused(
            "issuer equal but for case",
            one(2, |spec| spec.issuer = named("authority 1")),
            0,
            UnknownIssuer,
        ),
        refused("empty issuer", one(2, |spec| spec.issuer = vec![0x30, 0]), 0, EmptyName),
        refused("empty subject", one(2, |spec| spec.subject = vec![0x30, 0]), 0, EmptyName),
        accepted(
            "empty subject with critical alternative names",
            one(2, |spec| {
                spec.subject = vec![0x30, 0];
                set(spec, NAMES, true, seq(&[&encode_host("a.example.jp")]));
            }),
        ),
        refused(
            "another key identifier",
            one(2, |spec| set(spec, AKI, false, seq(&[&pki::issuing::encode(0x80, &[9; 20])]))),
            0,
            UnknownIssuer,
        ),
        accepted("no key identifiers", one(2, |spec| remove(spec, AKI))),
    ]
}

fn encode_host(host: &str) -> Vec<u8> {
    pki::issuing::encode(0x82, host.as_bytes())
}

fn authorities() -> Vec<Case> {
    use PathReason::*;
    let length = |at: usize, count: usize, most| {
        Chain::new(count).with(|chain| set(&mut chain.specs[at], BASIC, true, basic(true, Some(most))))
    };
    let self_issued = |count| {
        Chain::new(2).with(|chain| {
            set(&mut chain.specs[count], BASIC, true, basic(true, Some(0)));
            // the second authority has the first one's name
            chain.specs[2].subject = named("Authority 1");
            chain.specs[3].issuer = named("Authority 1");
        })
    };
    vec![
        refused("authority without basicConstraints", one(1, |spec| remove(spec, BASIC)), 1, NotAnAuthority),
        refused(
            "authority that says it is none",
            one(1, |spec| set(spec, BASIC, true, basic(false, None))),
            1,
            NotAnAuthority,
        ),
        accepted("basicConstraints not critical", one(1, |spec| set(spec, BASIC, false, basic(true, None)))),
        refused(
            "authority without keyUsage",
            one(1, |spec| remove(spec, KEY_USAGE)),
            1,
            MayNotSignCertificates,
        ),
        refused(
            "authority for lists only",
            one(1, |spec| set(spec, KEY_USAGE, true, vec![3, 2, 1, 0x02])),
            1,
            MayNotSignCertificates,
        ),
        refused(
            "root for lists only",
            one(0, |spec| set(spec, KEY_USAGE, true, vec![3, 2, 1, 0x02])),
            2,
            MayNotSignCertificates,
        ),
        accepted("path length kept", length(1, 1, 0)),
        refused("path length exceeded by one", length(1, 2, 0), 1, PathLength),
        refused("path length exceeded further down", length(1, 3, 1), 1, PathLength),
        refused("path length of the root", length(0, 1, 0), 1, PathLength),
        accepted("self-issued authorities are not counted", self_issued(1)),
        refused(
            "authority for servers",
            one(1, |spec| set(spec, PURPOSES, false, purposes(&[SERVER_AUTH]))),
            1,
            ExtendedKeyUsage,
        ),
        accepted(
            "authority for clients",
            one(1, |spec| set(spec, PURPOSES, false, purposes(&[SERVER_AUTH, CLIENT_AUTH]))),
        ),
        refused(
            "authority with a broken basicConstraints",
            one(1, |spec| set(spec, BASIC, true, vec![0x30, 3, 1, 1, 1])),
            0,
            UnknownIssuer,
        ),
        refused(
            "authority with an empty subject",
            one(1, |spec| spec.subject = vec![0x30, 0]),
            0,
            UnknownIssuer,
        ),
    ]
}

fn leaves() -> Vec<Case> {
    use PathReason::*;
    let any: &[u8] = &[0x55, 0x1d, 0x25, 0];
    vec![
        refused(
            "client for servers",
            one(2, |spec| set(spec, PURPOSES, false, purposes(&[SERVER_AUTH]))),
            0,
            ExtendedKeyUsage,
        ),
        refused("client without purposes", one(2, |spec| remove(spec, PURPOSES)), 0, ExtendedKeyUsage),
        refused(
            "client for any purpose",
            one(2, |spec| set(spec, PURPOSES, false, purposes(&[any]))),
            0,
            ExtendedKeyUsage,
        ),
        accepted(
            "client and server",
            one(2, |spec| set(spec, PURPOSES, true, purposes(&[SERVER_AUTH, CLIENT_AUTH]))),
        ),
        refused("client without keyUsage", one(2, |spec| remove(spec, KEY_USAGE)), 0, KeyUsage),
        refused(
            "client that may only encipher",
            one(2, |spec| set(spec, KEY_USAGE, true, vec![3, 2, 5, 0x20])),
            0,
            KeyUsage,
        ),
        refused(
            "client that is an authority",
            one(2, |spec| set(spec, BASIC, true, basic(true, None))),
            0,
            Authority,
        ),
        accepted(
            "client that says it is no authority",
            one(2, |spec| set(spec, BASIC, true, basic(false, None))),
        ),
        refused(
            "octets behind keyUsage",
            one(2, |spec| set(spec, KEY_USAGE, true, vec![3, 2, 7, 0x80, 0])),
            0,
            ExtensionValue,
        ),
        refused(
            "bits set in the padding of keyUsage",
            one(2, |spec| set(spec, KEY_USAGE, true, vec![3, 2, 7, 0x81])),
            0,
            ExtensionValue,
        ),
        refused(
            "purposes empty",
            one(2, |spec| set(spec, PURPOSES, false, vec![0x30, 0])),
            0,
            ExtensionValue,
        ),
        refused(
            "alternative names empty",
            one(2, |spec| set(spec, NAMES, false, vec![0x30, 0])),
            0,
            ExtensionValue,
        ),
    ]
}

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

fn names() -> Vec<Case> {
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
        refused("constraints without subtrees", malformed(vec![0x30, 0]), 0, UnknownIssuer),
        refused("constraints with a minimum", malformed(with_minimum), 0, UnknownIssuer),
        refused(
            "constraint on a registered identifier",
            malformed(constraints(&[], &[vec![0x88, 1, 0x2a]])),
            0,
            UnknownIssuer,
        ),
    ]
}

fn name_forms() -> Vec<Case> {
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
            0,
            UnknownIssuer,
        ),
    ]
}
