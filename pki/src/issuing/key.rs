//! Keys of authorities and cards: made, saved, loaded, signed with.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use pem::Pem;

use super::IssuingError;
use super::write::{bit_string, sequence};

/// The kinds of key that cards and authorities have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA of 2048 bits, signing PKCS#1 v1.5 with SHA-256: the cards of today. Takes a good part
    /// of a second to make.
    #[default]
    Rsa2048,
    /// ECDSA on P-384, signing with SHA-384: the next cards. Made at once.
    P384,
    /// ECDSA on P-256, signing with SHA-256: authorities and clients of TLS, never cards.
    P256,
}

/// A private key.
pub struct Key {
    pair: Pair,
    pkcs8: Vec<u8>,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    P384(Box<EcdsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
}

const RSA_IDENTIFIER: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
const P384_IDENTIFIER: &[u8] = &[
    0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00,
    0x22,
];
const P256_IDENTIFIER: &[u8] = &[
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07,
];
const RSA_SHA256_IDENTIFIER: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00];
const ECDSA_SHA384_IDENTIFIER: &[u8] =
    &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];

const ECDSA_SHA256_IDENTIFIER: &[u8] =
    &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

/// The label of PKCS#8 in PEM (RFC 7468, 10).
const PEM_LABEL: &str = "PRIVATE KEY";

impl Key {
    /// Makes a new key.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn generate(kind: KeyKind) -> Result<Key, IssuingError> {
        let pkcs8 = match kind {
            KeyKind::Rsa2048 => RsaKeyPair::generate(KeySize::Rsa2048)?.as_der()?.as_ref().to_vec(),
            KeyKind::P384 => {
                EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING)?.to_pkcs8v1()?.as_ref().to_vec()
            }
            KeyKind::P256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?.to_pkcs8v1()?.as_ref().to_vec()
            }
        };
        Key::from_pkcs8(pkcs8)
    }

    /// Reads a key in PKCS#8, in DER.
    ///
    /// # Errors
    /// Neither RSA nor P-384 nor P-256.
    pub fn from_pkcs8(pkcs8: Vec<u8>) -> Result<Key, IssuingError> {
        let point = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, &pkcs8).map(Box::new);
        let pair = RsaKeyPair::from_pkcs8(&pkcs8)
            .map(|pair| Pair::Rsa(Box::new(pair)))
            .or_else(|_| point(&ECDSA_P384_SHA384_ASN1_SIGNING).map(Pair::P384))
            .or_else(|_| point(&ECDSA_P256_SHA256_ASN1_SIGNING).map(Pair::P256))
            .map_err(|_| IssuingError::Key)?;
        Ok(Key { pair, pkcs8 })
    }

    /// Reads a key in PKCS#8, in PEM.
    ///
    /// # Errors
    /// Not PEM of a private key, or neither RSA nor P-384.
    pub fn from_pem(text: &str) -> Result<Key, IssuingError> {
        let block = pem::parse(text).map_err(|_| IssuingError::Pem)?;
        if block.tag() != PEM_LABEL {
            return Err(IssuingError::Pem);
        }
        Key::from_pkcs8(block.into_contents())
    }

    /// The key in PKCS#8, in PEM.
    pub fn to_pem(&self) -> String {
        to_pem(PEM_LABEL, &self.pkcs8)
    }

    /// The kind of key.
    pub fn kind(&self) -> KeyKind {
        match self.pair {
            Pair::Rsa(_) => KeyKind::Rsa2048,
            Pair::P384(_) => KeyKind::P384,
            Pair::P256(_) => KeyKind::P256,
        }
    }

    /// Signs a message by the algorithm of the key's kind.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, IssuingError> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                Ok(signature)
            }
            Pair::P384(pair) | Pair::P256(pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
        }
    }

    /// SubjectPublicKeyInfo of its public half, in DER.
    pub fn public_key_info(&self) -> Vec<u8> {
        let identifier = match self.pair {
            Pair::Rsa(_) => RSA_IDENTIFIER,
            Pair::P384(_) => P384_IDENTIFIER,
            Pair::P256(_) => P256_IDENTIFIER,
        };
        sequence(&[identifier, &bit_string(self.public_octets())])
    }

    /// The public half without its wrapping: what key identifiers are made of.
    pub(super) fn public_octets(&self) -> &[u8] {
        match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_ref(),
            Pair::P384(pair) | Pair::P256(pair) => pair.public_key().as_ref(),
        }
    }

    /// AlgorithmIdentifier of its signatures, in DER.
    pub(super) fn signature_identifier(&self) -> &'static [u8] {
        match self.pair {
            Pair::Rsa(_) => RSA_SHA256_IDENTIFIER,
            Pair::P384(_) => ECDSA_SHA384_IDENTIFIER,
            Pair::P256(_) => ECDSA_SHA256_IDENTIFIER,
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?}, hidden)", self.kind())
    }
}

/// A card's signature over a challenge, by its key in PKCS#8 PEM.
///
/// # Errors
/// As [`Key::from_pem`] and [`Key::sign`].
pub fn sign(key_pem: &str, message: &[u8]) -> Result<Vec<u8>, IssuingError> {
    Key::from_pem(key_pem)?.sign(message)
}

/// The octets in PEM with that label, lines ending in LF.
pub(super) fn to_pem(label: &str, octets: &[u8]) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&Pem::new(label, octets), config)
}
