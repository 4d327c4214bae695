//! One defect each, for every rule: how it is made, and what it must be refused with.

mod authorities;
mod leaves;
mod names;

use pki::UnixTime;
use pki::path::PathReason;

pub(crate) use self::names::constraints;
use crate::chain::{AKI, Chain, NAMES, NOW, extension, named, remove, seq, set};

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
    let topics = [envelopes(), authorities::all(), leaves::all(), names::directories(), names::forms()];
    topics.into_iter().flatten().collect()
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
            1,
            UnknownCriticalExtension,
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
