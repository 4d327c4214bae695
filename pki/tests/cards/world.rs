//! The world the tests share: two authorities of equal name, keys made once, one card, moments.

use std::sync::LazyLock;

use pki::issuing::{
    AuthoritySpec, CardAuthority, CardSpec, Defect, Key, KeyKind, ListSpec, Municipality, Reason, Revoked,
};
use pki::{Anchors, CardProfile, Lists, ProveError, Proven, Serial, TrustView, UnixTime, prove};

pub(crate) const DAY: i64 = 86_400;
/// 2025-10-01T00:00:00Z
pub(crate) const ISSUED: UnixTime = UnixTime(1_759_276_800);
/// 2026-08-20T14:59:59Z, the last second of that day in Japan.
pub(crate) const NOT_AFTER: UnixTime = UnixTime(1_787_237_999);
/// 2026-06-01T00:00:00Z
pub(crate) const NOW: UnixTime = UnixTime(1_780_272_000);
pub(crate) const CHALLENGE: &[u8] = b"a challenge as issued";

pub(crate) struct World {
    pub(crate) first: CardAuthority,
    pub(crate) second: CardAuthority,
    pub(crate) card_key: Key,
    pub(crate) other_key: Key,
    pub(crate) next_key: Key,
}

pub(crate) static WORLD: LazyLock<World> = LazyLock::new(|| {
    let key = |kind| Key::generate(kind).expect("a key");
    World {
        first: authority("20170569", key(KeyKind::Rsa2048)),
        second: authority("114390022", key(KeyKind::Rsa2048)),
        card_key: key(KeyKind::Rsa2048),
        other_key: key(KeyKind::Rsa2048),
        next_key: key(KeyKind::P384),
    }
});

pub(crate) fn serial(text: &str) -> Serial {
    text.parse().expect("a serial")
}

pub(crate) fn authority_spec(number: &str) -> AuthoritySpec<'static> {
    let not_before = UnixTime(ISSUED.0 - 1000 * DAY);
    let not_after = UnixTime(ISSUED.0 + 2000 * DAY);
    AuthoritySpec { serial: serial(number), not_before, not_after, organization: None, defect: None }
}

pub(crate) fn authority(number: &str, key: Key) -> CardAuthority {
    CardAuthority::new(&authority_spec(number), key).expect("an authority")
}

pub(crate) fn chiyoda() -> Municipality {
    Municipality::new("Tokyo-to", "Chiyoda-ku")
}

pub(crate) fn card() -> CardSpec {
    CardSpec { municipality: Some(chiyoda()), ..CardSpec::new(serial("117800001"), ISSUED, NOT_AFTER) }
}

pub(crate) fn with_defect(defect: Defect) -> CardSpec {
    CardSpec { defect: Some(defect), ..card() }
}

pub(crate) fn anchors() -> Anchors {
    let both = [WORLD.first.certificate_der(), WORLD.second.certificate_der()];
    Anchors::from_certificates(both).expect("anchors")
}

pub(crate) fn view() -> TrustView {
    TrustView::new(anchors(), CardProfile::production().and_test_cards())
}

pub(crate) fn issue(spec: &CardSpec) -> Vec<u8> {
    WORLD.first.issue(spec, &WORLD.card_key).expect("a certificate")
}

/// Proves with the card's own signature over the challenge.
pub(crate) fn shown(view: &TrustView, certificate: &[u8]) -> Result<Proven, ProveError> {
    static SIGNATURE: LazyLock<Vec<u8>> =
        LazyLock::new(|| WORLD.card_key.sign(CHALLENGE).expect("a signature"));
    prove(view, certificate, CHALLENGE, &SIGNATURE)
}

/// A list of the card's municipality, issued so many days after the card, due a day later.
pub(crate) fn list<'a>(number: u64, point: Option<&'a [u8]>, revoked: &'a [Revoked]) -> ListSpec<'a> {
    let this_update = UnixTime(ISSUED.0 + number as i64 * DAY);
    ListSpec {
        number: number.into(),
        this_update,
        next_update: UnixTime(this_update.0 + DAY),
        partition: point,
        revoked,
        defect: None,
    }
}

pub(crate) fn sign_list(spec: &ListSpec<'_>) -> Vec<u8> {
    WORLD.first.list(spec).expect("a list")
}

pub(crate) fn revoked(number: &str, reason: Reason) -> Revoked {
    Revoked { serial: serial(number), at: UnixTime(ISSUED.0 + DAY / 2), reason }
}

/// Lists that hold the given one of the card's municipality.
pub(crate) fn lists(lists: &Lists, number: u64, revoked: &[Revoked]) -> Lists {
    let point = chiyoda().distribution_point();
    let der = sign_list(&list(number, Some(&point), revoked));
    lists.with(&der, &anchors(), UnixTime(ISSUED.0 + 1000 * DAY)).expect("a list that is taken")
}
