//! Cards over an authority between: the path, and the card's own profile on the leaf.

use pki::path::{PathPolicy, PathReason, PathTrust, Purpose, validate_client};
use pki::{CardProfile, Lists, PRODUCTION_POLICY, ProfileReason, TEST_POLICY, WhenMissing};

use crate::chain::{
    BASIC, CLIENT_AUTH, Chain, KEY_USAGE, KEYS, NOW, POLICIES, PURPOSES, SERVER_AUTH, YEAR, basic, extension,
    judge, policies, purposes, remove, set,
};

/// Contents of 1.2.392.200149.8.5.1.3.30 and of the same for test cards, ...0.30.
const PRODUCTION: &[u8] = &[0x2a, 0x83, 0x08, 0x8c, 0x9b, 0x55, 8, 5, 1, 3, 30];
const TEST: &[u8] = &[0x2a, 0x83, 0x08, 0x8c, 0x9b, 0x55, 8, 5, 1, 0, 30];

fn cards(profile: CardProfile) -> PathPolicy {
    PathPolicy { missing: WhenMissing::Accept, ..PathPolicy::new(Purpose::Card(profile)) }
}

/// Root, one authority, and a card below it whose policy the authority carries too.
fn chain() -> Chain {
    Chain::new(1).with(|chain| {
        set(&mut chain.specs[1], POLICIES, false, policies(&[PRODUCTION]));
        set(chain.leaf(), POLICIES, true, policies(&[PRODUCTION]));
    })
}

/// The authority has a P-384 key and the card one of RSA, as cards may.
fn sign(chain: &Chain) -> Vec<Vec<u8>> {
    let keys = [(0, 0), (1, 0), (3, 1)];
    let sign = |(spec, (own, issuer)): (&pki::issuing::CertificateSpec, (usize, usize))| {
        spec.sign(&KEYS[own], &KEYS[issuer]).expect("a certificate")
    };
    chain.specs.iter().zip(keys).map(sign).collect()
}

fn verdict(chain: &Chain, profile: CardProfile) -> Result<Vec<String>, (usize, PathReason)> {
    let judged = judge(&sign(chain), cards(profile));
    judged.map(|card| card.policies().to_vec()).map_err(|error| (error.at, error.reason))
}

fn refused(change: impl FnOnce(&mut pki::issuing::CertificateSpec)) -> (usize, PathReason) {
    let mut chain = chain();
    change(chain.leaf());
    verdict(&chain, CardProfile::production()).expect_err("a defect")
}

#[test]
fn a_card_below_an_authority_is_accepted_with_its_policy() {
    assert_eq!(verdict(&chain(), CardProfile::production()), Ok(vec![PRODUCTION_POLICY.to_owned()]));
}

#[test]
fn the_leaf_is_held_to_the_profile_of_cards() {
    let card = |reason| (0, PathReason::Card(reason));
    let both = vec![3, 2, 6, 0xc0];
    for (found, reason) in [
        (refused(|leaf| leaf.not_after.0 = leaf.not_before.0 - 1), ProfileReason::Validity),
        (refused(|leaf| remove(leaf, KEY_USAGE)), ProfileReason::KeyUsage),
        (refused(|leaf| set(leaf, KEY_USAGE, false, vec![3, 2, 7, 0x80])), ProfileReason::KeyUsage),
        (refused(|leaf| set(leaf, KEY_USAGE, true, both)), ProfileReason::KeyUsage),
        (refused(|leaf| remove(leaf, PURPOSES)), ProfileReason::ExtendedKeyUsage),
        (
            refused(|leaf| set(leaf, PURPOSES, false, purposes(&[CLIENT_AUTH, SERVER_AUTH]))),
            ProfileReason::ExtendedKeyUsage,
        ),
        (refused(|leaf| remove(leaf, POLICIES)), ProfileReason::Policy),
        (refused(|leaf| set(leaf, POLICIES, false, policies(&[PRODUCTION]))), ProfileReason::Policy),
        (refused(|leaf| set(leaf, POLICIES, true, policies(&[&[0x2a, 3, 4]]))), ProfileReason::Policy),
        (refused(|leaf| set(leaf, POLICIES, true, policies(&[TEST]))), ProfileReason::TestCard),
        (refused(|leaf| set(leaf, BASIC, false, basic(true, None))), ProfileReason::Authority),
    ] {
        assert_eq!(found, card(reason));
    }
    // what no certificate may be is said before anybody asks whether it is a card
    assert_eq!(refused(|leaf| leaf.version = 0), (0, PathReason::Version));
    assert_eq!(refused(|leaf| leaf.serial = vec![0]), (0, PathReason::Serial));
    let unknown = refused(|leaf| leaf.extensions.push(extension("1.2.3.4", true, vec![5, 0])));
    assert_eq!(unknown, (0, PathReason::UnknownCriticalExtension));
}

#[test]
fn test_cards_need_to_be_switched_on() {
    let test = chain().with(|chain| {
        set(&mut chain.specs[1], POLICIES, false, policies(&[TEST]));
        set(chain.leaf(), POLICIES, true, policies(&[TEST]));
    });
    let both = CardProfile::production().and_test_cards();
    assert_eq!(verdict(&test, both), Ok(vec![TEST_POLICY.to_owned()]));
    let refused = verdict(&test, CardProfile::production());
    assert_eq!(refused, Err((0, PathReason::Card(ProfileReason::TestCard))));
}

#[test]
fn the_path_above_is_held_to_its_own_rules() {
    let above = |change: fn(&mut pki::issuing::CertificateSpec)| {
        let mut chain = chain();
        change(&mut chain.specs[1]);
        verdict(&chain, CardProfile::production())
    };
    let servers = above(|spec| set(spec, PURPOSES, false, purposes(&[SERVER_AUTH])));
    assert_eq!(servers, Err((1, PathReason::ExtendedKeyUsage)));
    assert_eq!(above(|spec| remove(spec, BASIC)), Err((1, PathReason::NotAnAuthority)));
    assert_eq!(above(|spec| spec.bad_signature = true), Err((1, PathReason::BadSignature)));
    let ended = above(|spec| spec.not_after.0 = NOW.0 - 1);
    assert!(matches!(ended, Err((1, PathReason::Expired { .. }))), "{ended:?}");
    // a path ends with the card: the months of grace after it are the desk's rule, not the path's
    let mut grace = chain();
    grace.leaf().not_before.0 -= 2 * YEAR;
    grace.leaf().not_after.0 = NOW.0 - 1;
    let expired = verdict(&grace, CardProfile::production());
    assert!(matches!(expired, Err((0, PathReason::Expired { .. }))), "{expired:?}");
}

#[test]
fn a_card_that_is_no_card_costs_no_signature_and_clients_are_no_cards() {
    let signed = Chain::new(1).sign();
    let trust = PathTrust::new([&signed[0]], [&signed[1]], cards(CardProfile::production())).expect("trust");
    let error = validate_client(&[&signed[2]], &trust, &Lists::new(), NOW).expect_err("a client");
    assert!(matches!(error.reason, PathReason::Card(_)), "{error:?}");
    assert_eq!(error.path, [0]);
}
