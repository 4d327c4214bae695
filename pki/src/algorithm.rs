//! The table of algorithms: which keys may sign, and by which signature algorithms. A new
//! generation of cards is a new row, not new code. Making signatures is not here.
//!
//! Every identifier has one spelling here, compared octet by octet: parameters are NULL or absent
//! as the standards prescribe for writing, and those of PSS are the three usual sets (hash, MGF1
//! with the same hash, salt as long as the hash), so that none can be exchanged for weaker ones.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, UnparsedPublicKey,
    VerificationAlgorithm,
};

use crate::der::{self, Malformed};

/// One signature algorithm with one kind of key.
struct Algorithm {
    /// AlgorithmIdentifiers that the public key may carry, all octets.
    keys: &'static [&'static [u8]],
    /// AlgorithmIdentifier of the signatures, all octets.
    signature: &'static [u8],
    verification: &'static dyn VerificationAlgorithm,
    form: Form,
    /// Whether cards, their authorities and their lists use it.
    card: bool,
}

/// How the public key itself is written.
#[derive(Clone, Copy)]
enum Form {
    /// `RSAPublicKey` of RFC 8017, A.1.1.
    Rsa,
    /// An uncompressed point of so many octets (SEC 1, 2.3.3).
    Point(usize),
}

/// rsaEncryption with NULL (RFC 3279, 2.3.1).
const RSA: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
/// id-RSASSA-PSS without parameters: a key for PSS with any hash (RFC 4055, 1.2).
const PSS: &[u8] = &[0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
/// ecPublicKey on secp256r1 (RFC 5480, 2.1.1).
const P256: &[u8] = &[
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07,
];
/// ecPublicKey on secp384r1 (RFC 5480, 2.1.1).
const P384: &[u8] = &[
    0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00,
    0x22,
];

/// sha256/384/512WithRSAEncryption with NULL (RFC 4055, 5): arcs 11, 12, 13.
const fn pkcs1(arc: u8) -> [u8; 15] {
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, arc, 0x05, 0x00]
}

/// id-RSASSA-PSS with a hash of SHA-2 (arcs 1, 2, 3), MGF1 with the same, and that salt length
/// (RFC 4055, 3.1).
const fn pss(arc: u8, salt: u8) -> [u8; 67] {
    [
        0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x34, 0xa0, 0x0f,
        0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, arc, 0x05, 0x00, 0xa1, 0x1c,
        0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09,
        0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, arc, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, salt,
    ]
}

/// ecdsa-with-SHA256 and -SHA384 without parameters (RFC 5758, 3.2): arcs 2 and 3.
const fn ecdsa(arc: u8) -> [u8; 12] {
    [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, arc]
}

const PKCS1_SHA256: &[u8] = &pkcs1(0x0b);
const PKCS1_SHA384: &[u8] = &pkcs1(0x0c);
const PKCS1_SHA512: &[u8] = &pkcs1(0x0d);
const PSS_SHA256: &[u8] = &pss(1, 32);
const PSS_SHA384: &[u8] = &pss(2, 48);
const PSS_SHA512: &[u8] = &pss(3, 64);
const ECDSA_SHA256: &[u8] = &ecdsa(2);
const ECDSA_SHA384: &[u8] = &ecdsa(3);

const fn row(
    keys: &'static [&'static [u8]],
    signature: &'static [u8],
    verification: &'static dyn VerificationAlgorithm,
    form: Form,
) -> Algorithm {
    Algorithm { keys, signature, verification, form, card: false }
}

/// The same, for cards too.
const fn card(row: Algorithm) -> Algorithm {
    Algorithm { card: true, ..row }
}

const ALGORITHMS: [Algorithm; 10] = [
    card(row(&[RSA], PKCS1_SHA256, &RSA_PKCS1_2048_8192_SHA256, Form::Rsa)),
    card(row(&[P384], ECDSA_SHA384, &ECDSA_P384_SHA384_ASN1, Form::Point(97))),
    row(&[RSA], PKCS1_SHA384, &RSA_PKCS1_2048_8192_SHA384, Form::Rsa),
    row(&[RSA], PKCS1_SHA512, &RSA_PKCS1_2048_8192_SHA512, Form::Rsa),
    row(&[RSA, PSS, PSS_SHA256], PSS_SHA256, &RSA_PSS_2048_8192_SHA256, Form::Rsa),
    row(&[RSA, PSS, PSS_SHA384], PSS_SHA384, &RSA_PSS_2048_8192_SHA384, Form::Rsa),
    row(&[RSA, PSS, PSS_SHA512], PSS_SHA512, &RSA_PSS_2048_8192_SHA512, Form::Rsa),
    row(&[P256], ECDSA_SHA256, &ECDSA_P256_SHA256_ASN1, Form::Point(65)),
    row(&[P256], ECDSA_SHA384, &ECDSA_P256_SHA384_ASN1, Form::Point(65)),
    row(&[P384], ECDSA_SHA256, &ECDSA_P384_SHA256_ASN1, Form::Point(97)),
];

/// Why a signature is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Refused {
    /// No row of the table has this signature algorithm with this kind of key.
    Algorithm,
    /// The key is broken, or of a size or exponent that is not accepted.
    Key,
    /// The signature is not this key's over this message.
    Signature,
}

/// Verifies a signature by the algorithm it names, with a key as certificates carry it
/// (SubjectPublicKeyInfo).
pub(crate) fn verify(
    key_info: &[u8],
    identifier: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), Refused> {
    let (kind, octets) = split(key_info).map_err(|Malformed| Refused::Key)?;
    let fits = |row: &&Algorithm| row.signature == identifier && row.keys.contains(&kind);
    let row = ALGORITHMS.iter().find(fits).ok_or(Refused::Algorithm)?;
    row.form.check(octets, Owner::Authority).map_err(|Malformed| Refused::Key)?;
    let key = UnparsedPublicKey::new(row.verification, octets);
    key.verify(message, signature).map_err(|_| Refused::Signature)
}

/// Whether a certificate's key is of a kind and size that some row accepts.
pub(crate) fn is_usable_key(key_info: &[u8]) -> bool {
    split(key_info).is_ok_and(|(kind, octets)| {
        let rows = ALGORITHMS.iter().filter(|row| row.keys.contains(&kind));
        rows.map(|row| row.form).next().is_some_and(|form| form.check(octets, Owner::Authority).is_ok())
    })
}

/// The AlgorithmIdentifier and the key's octets in a SubjectPublicKeyInfo.
pub(crate) fn split(info: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let mut reader = der::only(info, der::SEQUENCE)?.reader();
    let identifier = reader.expect(der::SEQUENCE)?.whole;
    let octets = reader.expect(der::BIT_STRING)?.octets()?;
    reader.end()?;
    Ok((identifier, octets))
}

/// Whose key it is: an authority's may be longer than a card's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Card,
    Authority,
}

/// 65537, the one public exponent in use.
const EXPONENT: &[u8] = &[1, 0, 1];

/// Whether the octets are the AlgorithmIdentifier of a signature that cards use.
pub(crate) fn is_card_signature(identifier: &[u8]) -> bool {
    ALGORITHMS.iter().any(|row| row.card && row.signature == identifier)
}

/// Whether the octets are the AlgorithmIdentifier of a signature in the table.
pub(crate) fn is_known_signature(identifier: &[u8]) -> bool {
    ALGORITHMS.iter().any(|row| row.signature == identifier)
}

/// The public key of a card or of a card authority, and the one algorithm it signs with.
#[derive(Clone, Debug)]
pub(crate) struct PublicKey {
    signature: &'static [u8],
    parsed: ParsedPublicKey,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo; anything outside the cards' rows or the owner's sizes is
    /// refused.
    pub(crate) fn read(info: &[u8], owner: Owner) -> Result<PublicKey, Malformed> {
        let (kind, octets) = split(info)?;
        let fits = |row: &&Algorithm| row.card && row.keys.contains(&kind);
        let row = ALGORITHMS.iter().find(fits).ok_or(Malformed)?;
        row.form.check(octets, owner)?;
        let parsed = ParsedPublicKey::new(row.verification, octets).map_err(|_| Malformed)?;
        Ok(PublicKey { signature: row.signature, parsed })
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

impl Form {
    fn check(self, octets: &[u8], owner: Owner) -> Result<(), Malformed> {
        match self {
            Form::Rsa => check_rsa(octets, owner),
            Form::Point(length) if octets.len() == length && octets.first() == Some(&4) => Ok(()),
            Form::Point(_) => Err(Malformed),
        }
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

#[cfg(test)]
mod vectors;
