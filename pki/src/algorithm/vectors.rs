//! The Wycheproof vectors for every row of the table, through the call that certificates go
//! through: all that are valid are accepted, everything else is refused. Vectors of algorithms
//! outside the table are refused under every row.

use wycheproof::TestResult;
use wycheproof::{ecdsa, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

use super::{
    ALGORITHMS, ECDSA_SHA256, ECDSA_SHA384, Owner, PKCS1_SHA256, PKCS1_SHA384, PKCS1_SHA512, PSS_SHA256,
    PSS_SHA384, PSS_SHA512, PublicKey, Refused, is_usable_key, verify,
};

/// Vectors seen: accepted, refused, and refused for their key alone.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    accepted: usize,
    refused: usize,
    key: usize,
}

impl Count {
    /// One vector under the row it is meant for.
    fn expect(
        &mut self,
        result: &TestResult,
        key: &[u8],
        identifier: &[u8],
        message: &[u8],
        signature: &[u8],
    ) {
        let verdict = verify(key, identifier, message, signature);
        match (is_usable_key(key), result) {
            (false, _) => {
                assert_eq!(verdict, Err(Refused::Key));
                self.key += 1;
            }
            (true, TestResult::Valid) => {
                assert_eq!(verdict, Ok(()));
                self.accepted += 1;
            }
            // nothing that is merely acceptable is accepted
            (true, _) => {
                assert_eq!(verdict, Err(Refused::Signature));
                self.refused += 1;
            }
        }
        let of_card = |key: PublicKey| key.signs_with(identifier) && key.verifies(message, signature);
        if PublicKey::read(key, Owner::Authority).is_ok_and(of_card) {
            assert_eq!(*result, TestResult::Valid);
        }
    }
}

/// A vector of another algorithm: a signature that is good under that one is good under no row.
/// (The bad ones may be: among them are signatures made with the wrong hash.)
fn foreign(result: &TestResult, key: &[u8], message: &[u8], signature: &[u8]) {
    for row in &ALGORITHMS {
        let refused = verify(key, row.signature, message, signature).is_err();
        assert!(refused || *result != TestResult::Valid);
    }
}

#[test]
fn rsa_pkcs1() {
    use pkcs1::TestName::*;
    let mut count = Count::default();
    for name in pkcs1::TestName::all() {
        let identifier = match name {
            Rsa2048Sha256 | Rsa3072Sha256 | Rsa4096Sha256 | Rsa8192Sha256 => Some(PKCS1_SHA256),
            Rsa2048Sha384 | Rsa3072Sha384 | Rsa4096Sha384 | Rsa8192Sha384 => Some(PKCS1_SHA384),
            Rsa2048Sha512 | Rsa3072Sha512 | Rsa4096Sha512 | Rsa8192Sha512 => Some(PKCS1_SHA512),
            _ => None,
        };
        for group in pkcs1::TestSet::load(name).expect("vectors").test_groups {
            for test in group.tests {
                match identifier {
                    Some(identifier) => {
                        count.expect(&test.result, &group.der, identifier, &test.msg, &test.sig)
                    }
                    None => foreign(&test.result, &group.der, &test.msg, &test.sig),
                }
            }
        }
    }
    // of the keys refused, those of 8192 bits and those whose exponent is not 65537
    assert_eq!(count, Count { accepted: 63, refused: 2262, key: 781 });
}

#[test]
fn rsa_pss() {
    use wycheproof::HashFunction::{Sha2_256, Sha2_384, Sha2_512};
    let mut count = Count::default();
    for name in pss::TestName::all() {
        for group in pss::TestSet::load(name).expect("vectors").test_groups {
            let identifier = match (group.hash, group.mgf_hash, group.salt_size) {
                (Sha2_256, Some(Sha2_256), 32) => Some(PSS_SHA256),
                (Sha2_384, Some(Sha2_384), 48) => Some(PSS_SHA384),
                (Sha2_512, Some(Sha2_512), 64) => Some(PSS_SHA512),
                _ => None,
            };
            for test in group.tests {
                match identifier {
                    Some(identifier) => {
                        count.expect(&test.result, &group.der, identifier, &test.msg, &test.sig)
                    }
                    None => foreign(&test.result, &group.der, &test.msg, &test.sig),
                }
            }
        }
    }
    assert_eq!(count, Count { accepted: 775, refused: 411, key: 0 });
}

#[test]
fn ecdsa_on_p256_and_p384() {
    use ecdsa::TestName::*;
    let mut count = Count::default();
    for name in ecdsa::TestName::all() {
        let identifier = match name {
            EcdsaSecp256r1Sha256 | EcdsaSecp384r1Sha256 => Some(ECDSA_SHA256),
            EcdsaSecp384r1Sha384 => Some(ECDSA_SHA384),
            _ => None,
        };
        for group in ecdsa::TestSet::load(name).expect("vectors").test_groups {
            for test in group.tests {
                match identifier {
                    Some(identifier) => {
                        count.expect(&test.result, &group.der, identifier, &test.msg, &test.sig)
                    }
                    None => foreign(&test.result, &group.der, &test.msg, &test.sig),
                }
            }
        }
    }
    assert_eq!(count, Count { accepted: 530, refused: 930, key: 0 });
}
