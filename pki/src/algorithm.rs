//! The table of algorithms: which keys a card or an authority may have, and which one signature
//! algorithm goes with each. A new generation of cards is a new row, not new code. Making
//! signatures is not here.

use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_ASN1, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
};

use crate::der::{self, Malformed};

/// One kind of key with the signature algorithm it is used with.
struct Algorithm {
    /// AlgorithmIdentifier of the public key, all octets.
    key: &'static [u8],
    /// AlgorithmIdentifier of the signatures made with it, all octets.
    signature: &'static [u8],
    verification: &'static dyn VerificationAlgorithm,
    form: Form,
}

/// How the public key itself is written.
enum Form {
    /// `RSAPublicKey` of RFC 8017, A.1.1.
    Rsa,
    /// An uncompressed point of so many octets (SEC 1, 2.3.3).
    Point(usize),
}

const ALGORITHMS: [Algorithm; 2] = [
    // rsaEncryption; sha256WithRSAEncryption, both with NULL parameters (RFC 4055, 5)
    Algorithm {
        key: &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00],
        signature: &[
            0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00,
        ],
        verification: &RSA_PKCS1_2048_8192_SHA256,
        form: Form::Rsa,
    },
    // ecPublicKey on secp384r1; ecdsa-with-SHA384 without parameters (RFC 5480, 2.1.1; RFC 5758, 3.2)
    Algorithm {
        key: &[
            0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04,
            0x00, 0x22,
        ],
        signature: &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03],
        verification: &ECDSA_P384_SHA384_ASN1,
        form: Form::Point(97),
    },
];

/// Whose key it is: an authority's may be longer than a card's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Card,
    Authority,
}

/// 65537, the one public exponent in use.
const EXPONENT: &[u8] = &[1, 0, 1];

/// Whether the octets are the AlgorithmIdentifier of a signature in the table.
pub(crate) fn is_known_signature(identifier: &[u8]) -> bool {
    ALGORITHMS.iter().any(|algorithm| algorithm.signature == identifier)
}

/// A public key that may sign, and the one algorithm it signs with.
#[derive(Clone, Debug)]
pub(crate) struct PublicKey {
    signature: &'static [u8],
    parsed: ParsedPublicKey,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo; anything outside the table or the owner's sizes is refused.
    pub(crate) fn read(info: &[u8], owner: Owner) -> Result<PublicKey, Malformed> {
        let mut reader = der::only(info, der::SEQUENCE)?.reader();
        let identifier = reader.expect(der::SEQUENCE)?.whole;
        let octets = reader.expect(der::BIT_STRING)?.octets()?;
        reader.end()?;
        let algorithm = ALGORITHMS.iter().find(|algorithm| algorithm.key == identifier).ok_or(Malformed)?;
        match algorithm.form {
            Form::Rsa => check_rsa(octets, owner)?,
            Form::Point(length) if octets.len() == length && octets.first() == Some(&4) => {}
            Form::Point(_) => return Err(Malformed),
        }
        let parsed = ParsedPublicKey::new(algorithm.verification, octets).map_err(|_| Malformed)?;
        Ok(PublicKey { signature: algorithm.signature, parsed })
    }

    /// Whether the AlgorithmIdentifier is the one of this key's signatures.
    pub(crate) fn signs_with(&self, identifier: &[u8]) -> bool {
        self.signature == identifier
    }

    /// Whether the signature over the message is this key's.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }
}

fn check_rsa(octets: &[u8], owner: Owner) -> Result<(), Malformed> {
    let mut reader = der::only(octets, der::SEQUENCE)?.reader();
    let modulus = reader.expect(der::INTEGER)?.magnitude()?;
    let exponent = reader.expect(der::INTEGER)?.magnitude()?;
    reader.end()?;
    let full = modulus.first().is_some_and(|octet| *octet >= 0x80);
    let sized = match owner {
        Owner::Card => modulus.len() == 256,
        Owner::Authority => matches!(modulus.len(), 256 | 384 | 512),
    };
    if full && sized && exponent == EXPONENT { Ok(()) } else { Err(Malformed) }
}
