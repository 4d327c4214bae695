//! Revocation along a path: every certificate below the anchor is looked up in its issuer's list.

use pki::issuing::{CardAuthority, Defect, ListSpec, Reason, Revoked};
use pki::path::{PathError, PathPolicy, PathReason, PathTrust, Purpose, ValidatedClient, validate_client};
use pki::{ListError, Lists, RevocationSource, Serial, UnixTime, UnknownReason, UntrustedReason};

use crate::chain::{Chain, KEY_USAGE, KEYS, NOW, set};

const DAY: i64 = 86_400;

/// Root, two authorities (configured) and a client, and who signs lists.
struct World {
    signed: Vec<Vec<u8>>,
    trust: PathTrust,
}

impl World {
    fn of(chain: &Chain) -> World {
        let signed = chain.sign();
        let policy = PathPolicy::new(Purpose::Client);
        let trust = PathTrust::new([&signed[0]], [&signed[1], &signed[2]], policy).expect("trust");
        World { signed, trust }
    }

    /// A list of the authority at that place, with the serial of the certificate below it or not.
    fn list(&self, at: usize, revoked: Option<Reason>, defect: Defect) -> Vec<u8> {
        let authority = CardAuthority::load(&self.signed[at], &KEYS[at].to_pem()).expect("an authority");
        let serial = Serial::from_bytes(&[at as u8 + 2]).expect("a serial");
        let revoked: Vec<Revoked> =
            revoked.into_iter().map(|reason| Revoked { serial, at: NOW, reason }).collect();
        let spec = ListSpec {
            number: 1.into(),
            this_update: NOW,
            next_update: UnixTime(NOW.0 + DAY),
            partition: None,
            revoked: &revoked,
            defect: Some(defect),
        };
        authority.list(&spec).expect("a list")
    }

    fn arrive(&self, lists: &Lists, list: &[u8]) -> Result<Lists, ListError> {
        lists.arrive_for_clients(list, &self.trust, NOW).map(pki::Arrival::into_lists)
    }

    /// Lists of all three; the one of the authority at a place has what it issued as revoked.
    fn lists(&self, revoked: Option<(usize, Reason)>) -> Lists {
        (0..3).fold(Lists::new(), |lists, at| {
            let reason = revoked.and_then(|(by, reason)| (by == at).then_some(reason));
            self.arrive(&lists, &self.list(at, reason, Defect::KeyIdentifierOnly)).expect("taken")
        })
    }

    fn judge(&self, lists: &Lists, now: UnixTime) -> Result<ValidatedClient, (usize, PathReason)> {
        let verdict = validate_client(&[&self.signed[3]], &self.trust, lists, now);
        verdict.map_err(|PathError { at, reason, .. }| (at, reason))
    }
}

#[test]
fn every_certificate_on_the_path_is_looked_up() {
    let world = World::of(&Chain::new(2));
    let clear = world.lists(None);
    let client = world.judge(&clear, NOW).expect("a client");
    assert_eq!((client.revocation().source, client.revocation().as_of), (RevocationSource::Crl, NOW));
    assert!(!clear.is_listed(client.authority(), client.serial()));
    for (by, at) in [(0, 2), (1, 1), (2, 0)] {
        let revoked = world.lists(Some((by, Reason::KeyCompromise)));
        assert_eq!(world.judge(&revoked, NOW).map(drop), Err((at, PathReason::Revoked)));
        let held = world.lists(Some((by, Reason::Hold)));
        assert_eq!(world.judge(&held, NOW).map(drop), Err((at, PathReason::Suspended)));
    }
    let revoked = world.lists(Some((2, Reason::Superseded)));
    assert!(revoked.is_listed(client.authority(), client.serial()));
}

#[test]
fn a_missing_or_old_list_refuses() {
    let world = World::of(&Chain::new(2));
    let without = (1..3).fold(Lists::new(), |lists, at| {
        world.arrive(&lists, &world.list(at, None, Defect::KeyIdentifierOnly)).expect("taken")
    });
    let unknown = |at, reason| Err((at, PathReason::RevocationUnknown(reason)));
    assert_eq!(world.judge(&without, NOW).map(drop), unknown(2, UnknownReason::NoList));
    let due = UnixTime(NOW.0 + DAY);
    assert!(world.judge(&world.lists(None), due).is_ok());
    let late = world.judge(&world.lists(None), UnixTime(due.0 + 1)).map(drop);
    assert_eq!(late, unknown(2, UnknownReason::PastNextUpdate));
}

#[test]
fn a_list_for_users_says_nothing_of_authorities() {
    let world = World::of(&Chain::new(2));
    let without = (1..3).fold(Lists::new(), |lists, at| {
        world.arrive(&lists, &world.list(at, None, Defect::KeyIdentifierOnly)).expect("taken")
    });
    // the root's list carries all three parts of its key identifier, as it is its own issuer
    let users = world.arrive(&without, &world.list(0, None, Defect::UsersOnly)).expect("taken");
    let refused = world.judge(&users, NOW).map(drop);
    assert_eq!(refused, Err((2, PathReason::RevocationUnknown(UnknownReason::PartitionMissing))));
}

#[test]
fn only_authorities_with_a_path_and_the_right_sign_lists() {
    let refusal = |chain: &Chain, at: usize, defect: Defect| {
        let world = World::of(chain);
        world.arrive(&Lists::new(), &world.list(at, None, defect)).map(drop)
    };
    let proper = Chain::new(2);
    assert_eq!(refusal(&proper, 2, Defect::KeyIdentifierOnly), Ok(()));
    let unsigned = refusal(&proper, 2, Defect::Signature);
    assert_eq!(unsigned, Err(ListError::Untrusted(UntrustedReason::UnknownIssuer)));
    let no_lists =
        proper.clone().with(|chain| set(&mut chain.specs[2], KEY_USAGE, true, vec![3, 2, 2, 0x04]));
    assert_eq!(refusal(&no_lists, 2, Defect::KeyIdentifierOnly), Err(ListError::IssuerMayNotSign));
    let expired = proper.clone().with(|chain| chain.specs[1].not_after = UnixTime(NOW.0 - 1));
    let refused = refusal(&expired, 2, Defect::KeyIdentifierOnly);
    assert_eq!(refused, Err(ListError::Untrusted(UntrustedReason::OutsideIssuerValidity)));
    let forged = proper.with(|chain| chain.specs[1].bad_signature = true);
    let refused = refusal(&forged, 2, Defect::KeyIdentifierOnly);
    assert_eq!(refused, Err(ListError::Untrusted(UntrustedReason::OutsideIssuerValidity)));
}
