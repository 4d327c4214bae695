//! Certificates of any shape, for chains with intermediates: every field as it is given, right or
//! wrong, and the extensions by their octets.

use super::authority::seal;
use super::write::{bit_string, element, integer, oid, sequence, time};
use super::{IssuingError, Key};
use crate::der;
use crate::time::UnixTime;

/// How a certificate is made.
#[derive(Clone, Debug)]
pub struct CertificateSpec {
    /// 2 for version 3; 0 leaves the version out.
    pub version: u8,
    /// Content octets of the serial number.
    pub serial: Vec<u8>,
    /// DER of the issuer's name.
    pub issuer: Vec<u8>,
    /// From when it is valid.
    pub not_before: UnixTime,
    /// Its last valid second.
    pub not_after: UnixTime,
    /// DER of the subject's name.
    pub subject: Vec<u8>,
    /// Its extensions, in their order; none leaves the field out.
    pub extensions: Vec<ExtensionSpec>,
    /// AlgorithmIdentifier in the signed part; nothing for the right one.
    pub inner_algorithm: Option<Vec<u8>>,
    /// One bit of the signature is turned.
    pub bad_signature: bool,
}

/// One extension.
#[derive(Clone, Debug)]
pub struct ExtensionSpec {
    /// Its identifier, dotted.
    pub id: &'static str,
    /// Whether it is critical.
    pub critical: bool,
    /// Its value, in DER.
    pub value: Vec<u8>,
}

/// One element of DER.
pub fn encode(tag: u8, content: &[u8]) -> Vec<u8> {
    element(tag, content)
}

impl CertificateSpec {
    /// The certificate in DER, for the holder of `key`, signed by `signer`.
    ///
    /// # Errors
    /// An extension's identifier is none, or the system gives no random numbers.
    pub fn sign(&self, key: &Key, signer: &Key) -> Result<Vec<u8>, IssuingError> {
        let mut extensions = Vec::new();
        for extension in &self.extensions {
            let critical: &[u8] = if extension.critical { &[0x01, 0x01, 0xff] } else { &[] };
            let value = element(der::OCTET_STRING, &extension.value);
            extensions.extend(sequence(&[&oid(extension.id)?, critical, &value]));
        }
        if !extensions.is_empty() {
            extensions = element(der::explicit(3), &element(der::SEQUENCE, &extensions));
        }
        let version = match self.version {
            0 => Vec::new(),
            number => element(der::explicit(0), &integer(&[number])),
        };
        let signed = sequence(&[
            &version,
            &element(der::INTEGER, &self.serial),
            self.inner_algorithm.as_deref().unwrap_or(signer.signature_identifier()),
            &self.issuer,
            &sequence(&[&time(self.not_before), &time(self.not_after)]),
            &self.subject,
            &key.public_key_info(),
            &extensions,
        ]);
        if !self.bad_signature {
            return seal(&signed, signer, None);
        }
        let signature = signer.sign(&[&signed[..], b"something else"].concat())?;
        Ok(sequence(&[&signed, signer.signature_identifier(), &bit_string(&signature)]))
    }
}
