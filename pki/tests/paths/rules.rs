//! Every rule: proper chains are accepted, and each defect is refused by name and place.

use pki::path::{PathPolicy, PathTrust, Purpose, validate_client};
use pki::{Lists, WhenMissing};

use crate::cases;
use crate::chain::{Chain, NOW, judge, policy};

#[test]
fn each_defect_is_refused_for_what_it_is() {
    let mut wrong = Vec::new();
    for case in cases::all() {
        let verdict = judge(&case.chain.sign(), policy());
        let found = verdict.err().map(|error| (error.at, error.reason));
        if found != case.refused {
            wrong.push(format!("{}: {found:?}, expected {:?}", case.name, case.refused));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_order_of_what_is_sent_does_not_matter_and_strangers_do_no_harm() {
    let signed = Chain::new(3).sign();
    let trust = PathTrust::new([&signed[0]], None::<&[u8]>, policy()).expect("an anchor");
    let junk = b"no certificate".to_vec();
    for order in [[4, 3, 2, 1], [4, 1, 2, 3], [4, 2, 3, 1]] {
        let mut sent: Vec<&Vec<u8>> = order.iter().map(|at| &signed[*at]).collect();
        sent.extend([&junk, &signed[0], &signed[2]]);
        let client = validate_client(&sent, &trust, &Lists::new(), NOW).expect("a client");
        let path: Vec<&Vec<u8>> = client.path().iter().map(|at| sent[*at]).collect();
        assert_eq!(path, [&signed[4], &signed[3], &signed[2], &signed[1]]);
    }
}

#[test]
fn configured_intermediates_need_not_be_sent() {
    let signed = Chain::new(2).sign();
    let trust = |policy| PathTrust::new([&signed[0]], [&signed[1], &signed[2]], policy).expect("trust");
    let client = validate_client(&[&signed[3]], &trust(policy()), &Lists::new(), NOW).expect("a client");
    let attributes = client.subject_attributes();
    assert_eq!(attributes[1].kind, "2.5.4.3");
    assert_eq!(attributes[1].text.as_deref(), Some("clinic"));
    assert_eq!(client.issuer_attributes()[1].text.as_deref(), Some("Authority 2"));
    let strict = trust(PathPolicy::new(Purpose::Client));
    let refused = validate_client(&[&signed[3]], &strict, &Lists::new(), NOW).expect_err("no list is held");
    assert_eq!(refused.at, 2);
    assert_eq!(strict.policy().missing, WhenMissing::Refuse);
}
