//! Whatever bytes come, there is an answer and no panic.

use std::sync::LazyLock;

use pki::issuing::Reason;
use pki::{Anchors, Lists, TrustView, UnixTime, prove};
use proptest::prelude::*;

use crate::world::{self, CHALLENGE, DAY, ISSUED, WORLD, card, chiyoda, issue, list, revoked, sign_list};

static VIEW: LazyLock<TrustView> = LazyLock::new(world::view);
static CERTIFICATE: LazyLock<Vec<u8>> = LazyLock::new(|| issue(&card()));
static LIST: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let point = chiyoda().distribution_point();
    let entries = [revoked("7", Reason::Superseded), revoked("4294967296", Reason::Hold)];
    sign_list(&list(1, Some(&point), &entries))
});

/// Octets replaced, then a piece cut out, then a piece put in.
fn mutated(original: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let length = original.len();
    let changes = prop::collection::vec((0..length, any::<u8>()), 0..8);
    let cut = (0..length, 0..16usize);
    let more = (0..length, prop::collection::vec(any::<u8>(), 0..16));
    (changes, cut, more).prop_map(move |(changes, (from, count), (at, octets))| {
        let mut bytes = original.to_vec();
        for (at, octet) in changes {
            bytes[at] = octet;
        }
        let to = bytes.len().min(from + count);
        bytes.drain(from..to);
        let at = at.min(bytes.len());
        bytes.splice(at..at, octets);
        bytes
    })
}

/// A list's entries and extensions are read only after its signature: sign the broken ones too.
fn signed_again(mut bytes: Vec<u8>) -> Vec<u8> {
    let header = |octet: Option<&u8>| if octet == Some(&0x82) { 4 } else { 2 };
    let outer = header(bytes.get(1));
    let end = match (bytes.get(outer + 1), bytes.get(outer + 2), bytes.get(outer + 3)) {
        (Some(0x82), Some(high), Some(low)) => outer + 4 + usize::from(u16::from_be_bytes([*high, *low])),
        _ => return bytes,
    };
    let Some(signed) = bytes.get(outer..end) else {
        return bytes;
    };
    let signature = world_key().sign(signed).expect("a signature");
    let at = bytes.len().saturating_sub(signature.len());
    bytes.truncate(at);
    bytes.extend(signature);
    bytes
}

fn world_key() -> pki::issuing::Key {
    pki::issuing::Key::from_pem(&WORLD.first.key_pem()).expect("a key")
}

#[test]
fn signing_again_reaches_what_is_signed() {
    assert_eq!(signed_again(LIST.clone()), *LIST); // RSA signatures are deterministic
}

fn take(bytes: &[u8]) {
    let lists = Lists::new();
    let now = UnixTime(ISSUED.0 + 2 * DAY);
    if let Ok(arrival) = lists.arrive(bytes, &VIEW.anchors, now) {
        arrival.newly_revoked().for_each(drop);
        arrival.released().for_each(drop);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(prove(&VIEW, &bytes, CHALLENGE, &bytes).is_err());
        prop_assert!(Anchors::from_certificates([&bytes]).is_err());
        take(&bytes);
    }

    #[test]
    fn on_a_changed_certificate(bytes in mutated(&CERTIFICATE)) {
        let taken = prove(&VIEW, &bytes, CHALLENGE, &[]).is_ok();
        prop_assert!(!taken);
        prop_assert!(Anchors::from_certificates([&bytes]).is_err());
    }

    #[test]
    fn on_a_changed_list(bytes in mutated(&LIST)) {
        take(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_a_changed_list_signed_again(changes in prop::collection::vec((0..LIST.len(), any::<u8>()), 1..4)) {
        let mut bytes = LIST.clone();
        for (at, octet) in changes {
            bytes[at] = octet;
        }
        take(&signed_again(bytes));
    }
}
