//! A card authority: a self-signed certificate of the kind that issues user-authentication
//! certificates, with its key. Every one made here has the same name, as every generation of the
//! real one has: only keys and serials tell them apart.

use std::fmt;

use super::key::{Key, to_pem};
use super::write::{
    COMMON_NAME, COUNTRY, ORGANIZATION, UNIT, bit_string, directory_name, element, extension, integer, name,
    sequence, time,
};
use super::{Defect, IssuingError};
use crate::anchors::sha256;
use crate::certificate::Certificate;
use crate::der;
use crate::extension::{
    BASIC_CONSTRAINTS, DISTRIBUTION_POINTS, KEY_USAGE, SUBJECT_KEY_IDENTIFIER, subject_key_identifier,
};
use crate::profile::read_serial;
use crate::serial::Serial;
use crate::time::UnixTime;

/// The organisation of authorities made here; the real one's is another.
const ORGANIZATION_NAME: &str = "JPKI-TEST";
/// The organisational unit of the service.
const SERVICE: &str = "JPKI for user authentication";
/// The organisational unit that runs it.
const OPERATOR: &str = "Japan Agency for Local Authority Information Systems";

/// How an authority is made.
#[derive(Clone, Copy, Debug)]
pub struct AuthoritySpec<'a> {
    /// Serial number of its certificate.
    pub serial: Serial,
    /// From when it may issue.
    pub not_before: UnixTime,
    /// Until when it may issue.
    pub not_after: UnixTime,
    /// O of its name; nothing for the usual `JPKI-TEST`.
    pub organization: Option<&'a str>,
    /// What is wrong with it; nothing for a proper one.
    pub defect: Option<Defect>,
}

/// An authority that issues card certificates and lists.
pub struct CardAuthority {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Key,
    pub(super) name: Vec<u8>,
    pub(super) serial: Serial,
    pub(super) key_identifier: Vec<u8>,
}

/// A municipality whose cards share a revocation list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Municipality {
    /// Prefecture, in Latin letters: `Tokyo-to`.
    pub prefecture: String,
    /// City, in Latin letters: `Chiyoda-ku`.
    pub city: String,
}

impl Municipality {
    /// The municipality of that prefecture and city.
    pub fn new(prefecture: &str, city: &str) -> Municipality {
        Municipality { prefecture: prefecture.to_owned(), city: city.to_owned() }
    }

    /// DER of the name of its distribution point: O, OU (service), OU (distribution points),
    /// OU (prefecture), CN (city).
    pub fn distribution_point(&self) -> Vec<u8> {
        name(&[
            (ORGANIZATION, ORGANIZATION_NAME),
            (UNIT, SERVICE),
            (UNIT, "CRL Distribution Points"),
            (UNIT, &self.prefecture),
            (COMMON_NAME, &format!("{} CRLDP", self.city)),
        ])
    }
}

impl CardAuthority {
    /// Makes an authority that holds this key.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn new(spec: &AuthoritySpec<'_>, key: Key) -> Result<CardAuthority, IssuingError> {
        let organization = spec.organization.unwrap_or(ORGANIZATION_NAME);
        let name = name(&[(COUNTRY, "JP"), (ORGANIZATION, organization), (UNIT, SERVICE), (UNIT, OPERATOR)]);
        let key_identifier = key_identifier(key.public_octets());
        let signed = sequence(&[
            &element(der::explicit(0), &integer(&[2])),
            &integer(spec.serial.as_bytes()),
            key.signature_identifier(),
            &name,
            &sequence(&[&time(spec.not_before), &time(spec.not_after)]),
            &name,
            &key.public_key_info(),
            &element(
                der::explicit(3),
                &element(der::SEQUENCE, &extensions(&name, &key_identifier, spec.defect)),
            ),
        ]);
        let certificate = seal(&signed, &key, spec.defect)?;
        Ok(CardAuthority { certificate, key, name, serial: spec.serial, key_identifier })
    }

    /// The authority saved as [`CardAuthority::certificate_der`] and [`CardAuthority::key_pem`].
    ///
    /// # Errors
    /// Not a certificate and a key, or not of the same pair.
    pub fn load(certificate_der: &[u8], key_pem: &str) -> Result<CardAuthority, IssuingError> {
        let key = Key::from_pem(key_pem)?;
        let certificate = Certificate::read(certificate_der).map_err(|_| IssuingError::Certificate)?;
        if certificate.key != key.public_key_info() {
            return Err(IssuingError::KeyMismatch);
        }
        let identifier =
            certificate.extensions.find(SUBJECT_KEY_IDENTIFIER).ok_or(IssuingError::Certificate)?;
        let identifier = subject_key_identifier(identifier.value).map_err(|_| IssuingError::Certificate)?;
        Ok(CardAuthority {
            certificate: certificate_der.to_vec(),
            name: certificate.subject.to_vec(),
            serial: read_serial(certificate.serial).ok_or(IssuingError::Certificate)?,
            key_identifier: identifier.to_vec(),
            key,
        })
    }

    /// Its certificate, in DER.
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate
    }

    /// Its certificate, in PEM.
    pub fn certificate_pem(&self) -> String {
        to_pem("CERTIFICATE", &self.certificate)
    }

    /// Its key in PKCS#8, in PEM.
    pub fn key_pem(&self) -> String {
        self.key.to_pem()
    }

    /// DER of its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }
}

impl fmt::Debug for CardAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardAuthority").field("key", &self.key).finish_non_exhaustive()
    }
}

fn extensions(name: &[u8], key_identifier: &[u8], defect: Option<Defect>) -> Vec<u8> {
    let usage: &[u8] = match defect {
        Some(Defect::MayNotSignCertificates) => &[der::BIT_STRING, 2, 1, 0x02],
        Some(Defect::MayNotSignLists) => &[der::BIT_STRING, 2, 2, 0x04],
        _ => &[der::BIT_STRING, 2, 1, 0x06],
    };
    let authority: &[u8] = match defect {
        Some(Defect::NotAnAuthority) => &[0x30, 0x00],
        _ => &[0x30, 0x03, 0x01, 0x01, 0xff],
    };
    let mut all = vec![
        extension(KEY_USAGE, true, usage),
        extension(BASIC_CONSTRAINTS, true, authority),
        extension(SUBJECT_KEY_IDENTIFIER, false, &element(der::OCTET_STRING, key_identifier)),
        extension(DISTRIBUTION_POINTS, false, &distribution_points(name)),
    ];
    match defect {
        Some(Defect::UnknownCriticalExtension) => all.push(unknown_extension(true)),
        Some(Defect::DuplicateExtension) => all.push(extension(KEY_USAGE, true, usage)),
        Some(Defect::NoKeyIdentifier) => {
            all.remove(2);
        }
        _ => {}
    }
    all.concat()
}

/// cRLDistributionPoints of one point: fullName, one directoryName.
pub(super) fn distribution_points(name: &[u8]) -> Vec<u8> {
    let full = element(der::explicit(0), &directory_name(name));
    sequence(&[&sequence(&[&element(der::explicit(0), &full)])])
}

/// An extension that nobody knows (an arc for examples).
pub(super) fn unknown_extension(critical: bool) -> Vec<u8> {
    extension(&[0x2a, 0x03, 0x04], critical, &[0x05, 0x00])
}

/// The first 160 bits of SHA-256 of the public key (RFC 7093, 2, method 1).
pub(super) fn key_identifier(public_octets: &[u8]) -> Vec<u8> {
    sha256(public_octets).into_iter().take(20).collect()
}

/// The signed part with its algorithm and signature.
pub(super) fn seal(signed: &[u8], key: &Key, defect: Option<Defect>) -> Result<Vec<u8>, IssuingError> {
    let mut signature = key.sign(signed)?;
    if let (Some(Defect::Signature), Some(last)) = (defect, signature.last_mut()) {
        *last ^= 1;
    }
    // sha384WithRSAEncryption, which nobody here uses
    let other: &[u8] =
        &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c, 0x05, 0x00];
    let algorithm = match defect {
        Some(Defect::AlgorithmMismatch) => other,
        _ => key.signature_identifier(),
    };
    Ok(sequence(&[signed, algorithm, &bit_string(&signature)]))
}
