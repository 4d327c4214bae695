//! A certificate or list changed anywhere is another one: every bit turned, one at a time.

use pki::{Lists, UnixTime, prove_without_possession};

use crate::world::{DAY, ISSUED, anchors, card, chiyoda, issue, list, revoked, sign_list, view};
use pki::issuing::Reason;

#[test]
fn no_bit_of_a_certificate_can_be_turned() {
    let view = view();
    let mut certificate = issue(&card());
    assert!(prove_without_possession(&view, &certificate).is_ok());
    for at in 0..certificate.len() {
        for bit in 0..8 {
            certificate[at] ^= 1 << bit;
            assert!(prove_without_possession(&view, &certificate).is_err(), "octet {at}, bit {bit}");
            certificate[at] ^= 1 << bit;
        }
    }
}

#[test]
fn no_bit_of_a_list_can_be_turned() {
    let (anchors, point, now) = (anchors(), chiyoda().distribution_point(), UnixTime(ISSUED.0 + 9 * DAY));
    let entries = [revoked("7", Reason::KeyCompromise), revoked("117800001", Reason::Hold)];
    let mut der = sign_list(&list(1, Some(&point), &entries));
    assert!(Lists::new().with(&der, &anchors, now).is_ok());
    for at in 0..der.len() {
        for bit in 0..8 {
            der[at] ^= 1 << bit;
            assert!(Lists::new().with(&der, &anchors, now).is_err(), "octet {at}, bit {bit}");
            der[at] ^= 1 << bit;
        }
    }
}
