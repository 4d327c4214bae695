//! Chains made in code: a root, authorities below it, a client; every part of each can be changed
//! before it is signed.

use std::sync::LazyLock;

use pki::issuing::{CertificateSpec, ExtensionSpec, Key, KeyKind, encode};
use pki::path::{
    PathError, PathPolicy, PathTrust, PathTrustError, Purpose, ValidatedClient, validate_client,
};
use pki::{Lists, UnixTime, WhenMissing};

/// 2026-06-01T00:00:00Z
pub(crate) const NOW: UnixTime = UnixTime(1_780_272_000);
pub(crate) const YEAR: i64 = 365 * 86_400;

pub(crate) const SKI: &str = "2.5.29.14";
pub(crate) const KEY_USAGE: &str = "2.5.29.15";
pub(crate) const NAMES: &str = "2.5.29.17";
pub(crate) const BASIC: &str = "2.5.29.19";
pub(crate) const CONSTRAINTS: &str = "2.5.29.30";
pub(crate) const POLICIES: &str = "2.5.29.32";
pub(crate) const MAPPINGS: &str = "2.5.29.33";
pub(crate) const AKI: &str = "2.5.29.35";
pub(crate) const POLICY_CONSTRAINTS: &str = "2.5.29.36";
pub(crate) const PURPOSES: &str = "2.5.29.37";
pub(crate) const INHIBIT_ANY: &str = "2.5.29.54";

pub(crate) const CLIENT_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];
pub(crate) const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];

/// Keys made once: of the root, of each authority, of the client last.
pub(crate) static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let kinds = [KeyKind::P256, KeyKind::P384, KeyKind::P256, KeyKind::Rsa2048];
    let more = [KeyKind::P256; 8];
    kinds.into_iter().chain(more).map(|kind| Key::generate(kind).expect("a key")).collect()
});

/// Certificates from the root down, each signed by the one before.
#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) specs: Vec<CertificateSpec>,
}

pub(crate) fn seq(parts: &[&[u8]]) -> Vec<u8> {
    encode(0x30, &parts.concat())
}

pub(crate) fn oid(content: &[u8]) -> Vec<u8> {
    encode(6, content)
}

/// A name of one attribute each: country is left out.
pub(crate) fn name(attributes: &[(u8, u8, &str)]) -> Vec<u8> {
    let steps = attributes.iter().map(|(kind, string, text)| {
        let attribute = seq(&[&oid(&[0x55, 4, *kind]), &encode(*string, text.as_bytes())]);
        encode(0x31, &attribute)
    });
    encode(0x30, &steps.collect::<Vec<_>>().concat())
}

/// O=Example, CN=that
pub(crate) fn named(common: &str) -> Vec<u8> {
    name(&[(10, 0x0c, "Example"), (3, 0x0c, common)])
}

pub(crate) fn extension(id: &'static str, critical: bool, value: Vec<u8>) -> ExtensionSpec {
    ExtensionSpec { id, critical, value }
}

pub(crate) fn basic(authority: bool, length: Option<u8>) -> Vec<u8> {
    let flag: &[u8] = if authority { &[1, 1, 0xff] } else { &[] };
    let length = length.map(|length| vec![2, 1, length]).unwrap_or_default();
    seq(&[flag, &length])
}

pub(crate) fn purposes(all: &[&[u8]]) -> Vec<u8> {
    encode(0x30, &all.iter().flat_map(|one| oid(one)).collect::<Vec<_>>())
}

/// certificatePolicies by content octets of their identifiers.
pub(crate) fn policies(all: &[&[u8]]) -> Vec<u8> {
    encode(0x30, &all.iter().flat_map(|one| seq(&[&oid(one)])).collect::<Vec<_>>())
}

pub(crate) fn key_identifier(at: usize) -> Vec<u8> {
    vec![at as u8; 20]
}

fn spec(subject: Vec<u8>, issuer: Vec<u8>, at: usize, extensions: Vec<ExtensionSpec>) -> CertificateSpec {
    CertificateSpec {
        version: 2,
        serial: vec![at as u8 + 1],
        issuer,
        not_before: UnixTime(NOW.0 - YEAR),
        not_after: UnixTime(NOW.0 + YEAR),
        subject,
        extensions,
        inner_algorithm: None,
        bad_signature: false,
    }
}

impl Chain {
    /// Root, that many authorities, client: all proper.
    pub(crate) fn new(authorities: usize) -> Chain {
        let mut specs = Vec::new();
        for at in 0..authorities + 2 {
            let issuer_at = at.saturating_sub(1);
            let label = |at: usize| match at {
                0 => named("Root"),
                at if at == authorities + 1 => named("clinic"),
                at => named(&format!("Authority {at}")),
            };
            let mut extensions = vec![
                extension(SKI, false, encode(4, &key_identifier(at))),
                extension(AKI, false, seq(&[&encode(0x80, &key_identifier(issuer_at))])),
            ];
            extensions.extend(if at == authorities + 1 {
                [
                    extension(KEY_USAGE, true, vec![3, 2, 7, 0x80]),
                    extension(PURPOSES, false, purposes(&[CLIENT_AUTH])),
                ]
            } else {
                [extension(BASIC, true, basic(true, None)), extension(KEY_USAGE, true, vec![3, 2, 1, 0x06])]
            });
            specs.push(spec(label(at), label(issuer_at), at, extensions));
        }
        Chain { specs }
    }

    /// The chain after a change.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Chain)) -> Chain {
        change(&mut self);
        self
    }

    pub(crate) fn leaf(&mut self) -> &mut CertificateSpec {
        self.specs.last_mut().expect("a leaf")
    }

    /// Certificate by certificate in DER, from the root down.
    pub(crate) fn sign(&self) -> Vec<Vec<u8>> {
        let sign = |(at, spec): (usize, &CertificateSpec)| {
            spec.sign(&KEYS[at], &KEYS[at.saturating_sub(1)]).expect("a certificate")
        };
        self.specs.iter().enumerate().map(sign).collect()
    }
}

/// Sets or replaces one extension.
pub(crate) fn set(spec: &mut CertificateSpec, id: &'static str, critical: bool, value: Vec<u8>) {
    remove(spec, id);
    spec.extensions.push(extension(id, critical, value));
}

pub(crate) fn remove(spec: &mut CertificateSpec, id: &str) {
    spec.extensions.retain(|extension| extension.id != id);
}

/// Clients, where lists are not asked for.
pub(crate) fn policy() -> PathPolicy {
    PathPolicy { missing: WhenMissing::Accept, ..PathPolicy::new(Purpose::Client) }
}

/// Judges a signed chain, the root being the anchor.
pub(crate) fn judge(signed: &[Vec<u8>], policy: PathPolicy) -> Result<ValidatedClient, PathError> {
    let (root, rest) = signed.split_first().expect("a root");
    let trust = match PathTrust::new([root], None::<&[u8]>, policy) {
        Err(PathTrustError::Anchor { reason, .. }) => {
            return Err(PathError { reason, at: usize::MAX, path: Vec::new() });
        }
        other => other.expect("an anchor"),
    };
    let sent: Vec<&Vec<u8>> = rest.iter().rev().collect();
    validate_client(&sent, &trust, &Lists::new(), NOW)
}
