//! Card certificates: leaves with the exact profile of the user-authentication certificate, and
//! leaves with one defect each.

use super::authority::{distribution_points, key_identifier, seal, unknown_extension};
use super::write::{
    COMMON_NAME, COUNTRY, ORGANIZATION, UNIT, bit_string, directory_name, element, extension, integer, name,
    oid, sequence, time,
};
use super::{CardAuthority, Defect, IssuingError, Key, Municipality};
use crate::der;
use crate::extension::{
    AUTHORITY_KEY_IDENTIFIER, BASIC_CONSTRAINTS, CERTIFICATE_POLICIES, CLIENT_AUTH, DISTRIBUTION_POINTS,
    EXTENDED_KEY_USAGE, KEY_USAGE, SUBJECT_KEY_IDENTIFIER,
};
use crate::profile::TEST_POLICY;
use crate::serial::Serial;
use crate::time::UnixTime;

/// issuerAltName
const ISSUER_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x12];
/// authorityInfoAccess, 1.3.6.1.5.5.7.1.1
const AUTHORITY_INFORMATION: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01];
/// id-ad-ocsp, 1.3.6.1.5.5.7.48.1
const OCSP: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01];
/// id-qt-cps, 1.3.6.1.5.5.7.2.1
const CPS: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x02, 0x01];
/// id-kp-serverAuth, 1.3.6.1.5.5.7.3.1
const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];

/// `GeneralName`: uniformResourceIdentifier.
const URI: u8 = der::implicit(6);

/// How a card certificate is made.
#[derive(Clone, Debug)]
pub struct CardSpec {
    /// Its serial number.
    pub serial: Serial,
    /// From when it is valid.
    pub not_before: UnixTime,
    /// Its last valid second: 23:59:59 in Japan on real cards.
    pub not_after: UnixTime,
    /// CN of its subject: 23 digits and capitals, which say nothing of the holder.
    pub subject: String,
    /// Its certificate policy, dotted: [`TEST_POLICY`] unless told otherwise.
    pub policy: String,
    /// Whose list speaks of it; nothing for no distribution point.
    pub municipality: Option<Municipality>,
    /// What is wrong with it; nothing for a proper one.
    pub defect: Option<Defect>,
}

impl CardSpec {
    /// A proper test card of that serial and validity, its subject made from the serial, without
    /// distribution point.
    pub fn new(serial: Serial, not_before: UnixTime, not_after: UnixTime) -> CardSpec {
        let digits = serial.to_string();
        let tail: String = digits.chars().rev().take(21).collect::<Vec<_>>().into_iter().rev().collect();
        CardSpec {
            serial,
            not_before,
            not_after,
            subject: format!("{tail:0>21}TA"),
            policy: TEST_POLICY.to_owned(),
            municipality: None,
            defect: None,
        }
    }
}

impl CardAuthority {
    /// Issues a certificate, in DER, for the holder of this key. Keys may be shared between cards
    /// where making one for each would take too long.
    ///
    /// # Errors
    /// The policy is no dotted object identifier, or the system gives no random numbers.
    pub fn issue(&self, spec: &CardSpec, key: &Key) -> Result<Vec<u8>, IssuingError> {
        let subject = name(&[(COUNTRY, "JP"), (COMMON_NAME, &spec.subject)]);
        let other_name = name(&[(COUNTRY, "JP"), (ORGANIZATION, "another")]);
        let issuer = if spec.defect == Some(Defect::IssuerName) { &other_name } else { &self.name };
        let signed = sequence(&[
            &self.version(spec.defect),
            &serial(spec),
            self.inner_algorithm(spec.defect),
            issuer,
            &validity(spec),
            &subject,
            &public_key(key, spec.defect),
            &unique_identifier(spec.defect),
            &element(der::explicit(3), &element(der::SEQUENCE, &self.extensions(spec, key)?)),
        ]);
        seal(&signed, &self.key, spec.defect)
    }

    fn version(&self, defect: Option<Defect>) -> Vec<u8> {
        match defect {
            Some(Defect::Version) => Vec::new(),
            _ => element(der::explicit(0), &integer(&[2])),
        }
    }

    fn inner_algorithm(&self, defect: Option<Defect>) -> &'static [u8] {
        match defect {
            // sha1WithRSAEncryption
            Some(Defect::InnerAlgorithm) => {
                &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00]
            }
            _ => self.key.signature_identifier(),
        }
    }

    fn extensions(&self, spec: &CardSpec, key: &Key) -> Result<Vec<u8>, IssuingError> {
        let subject_key = element(der::OCTET_STRING, &key_identifier(key.public_octets()));
        let mut all = vec![
            key_usage(spec.defect),
            extended_key_usage(spec.defect),
            policies(spec)?,
            extension(ISSUER_ALTERNATIVE_NAME, false, &japanese_name()),
            distribution_point(spec),
            extension(AUTHORITY_INFORMATION, false, &responder()),
            self.authority_key(spec.defect),
            extension(SUBJECT_KEY_IDENTIFIER, false, &subject_key),
        ];
        all.extend(match spec.defect {
            Some(Defect::AuthorityCertificate) => {
                Some(extension(BASIC_CONSTRAINTS, true, &[0x30, 0x03, 0x01, 0x01, 0xff]))
            }
            Some(Defect::EmptyBasicConstraints) => Some(extension(BASIC_CONSTRAINTS, true, &[0x30, 0x00])),
            Some(Defect::UnknownCriticalExtension) => Some(unknown_extension(true)),
            Some(Defect::UnknownExtension) => Some(unknown_extension(false)),
            Some(Defect::DuplicateExtension) => Some(extension(SUBJECT_KEY_IDENTIFIER, false, &subject_key)),
            _ => None,
        });
        Ok(all.concat())
    }

    /// authorityKeyIdentifier with all three parts.
    pub(super) fn authority_key(&self, defect: Option<Defect>) -> Vec<u8> {
        let mut identifier = self.key_identifier.clone();
        if let (Some(Defect::OtherKeyIdentifier), Some(first)) = (defect, identifier.first_mut()) {
            *first ^= 1;
        }
        let key = element(der::implicit(0), &identifier);
        let issuer = element(der::explicit(1), &directory_name(&self.name));
        let other_serial: &[u8] = &[0x7f, 0x7f, 0x7f];
        let serial =
            if defect == Some(Defect::OtherIssuerSerial) { other_serial } else { self.serial.as_bytes() };
        let mut serial = integer(serial);
        if let Some(tag) = serial.first_mut() {
            *tag = der::implicit(2);
        }
        let value = match defect {
            Some(Defect::NoAuthorityKey) => return Vec::new(),
            Some(Defect::EmptyAuthorityKey) => sequence(&[]),
            Some(Defect::KeyIdentifierOnly) => sequence(&[&key]),
            Some(Defect::IssuerAndSerialOnly) => sequence(&[&issuer, &serial]),
            _ => sequence(&[&key, &issuer, &serial]),
        };
        extension(AUTHORITY_KEY_IDENTIFIER, false, &value)
    }
}

fn serial(spec: &CardSpec) -> Vec<u8> {
    match spec.defect {
        Some(Defect::ZeroSerial) => integer(&[]),
        Some(Defect::NegativeSerial) => element(der::INTEGER, &[0xff]),
        Some(Defect::LongSerial) => element(der::INTEGER, &[1; 21]),
        _ => integer(spec.serial.as_bytes()),
    }
}

fn validity(spec: &CardSpec) -> Vec<u8> {
    let (from, to) = (time(spec.not_before), time(spec.not_after));
    if spec.defect == Some(Defect::Validity) { sequence(&[&to, &from]) } else { sequence(&[&from, &to]) }
}

fn unique_identifier(defect: Option<Defect>) -> Vec<u8> {
    match defect {
        Some(Defect::UniqueIdentifier) => element(der::implicit(1), &[0, 1]),
        _ => Vec::new(),
    }
}

fn public_key(key: &Key, defect: Option<Defect>) -> Vec<u8> {
    let rsa = |modulus: &[u8], exponent: &[u8]| {
        let identifier: &[u8] =
            &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
        sequence(&[identifier, &bit_string(&sequence(&[&integer(modulus), &integer(exponent)]))])
    };
    let point = |curve: &[u8], octets: &[u8]| {
        let kind: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
        sequence(&[&sequence(&[kind, curve]), &bit_string(octets)])
    };
    match defect {
        Some(Defect::RsaExponent3) => rsa(&[0xff; 256], &[3]),
        Some(Defect::Rsa1024) => rsa(&[0xff; 128], &[1, 0, 1]),
        Some(Defect::Rsa4096) => rsa(&[0xff; 512], &[1, 0, 1]),
        Some(Defect::CurveP256) => {
            point(&[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], &[4; 65])
        }
        Some(Defect::PointOffCurve) => point(&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22], &[4; 97]),
        _ => key.public_key_info(),
    }
}

fn key_usage(defect: Option<Defect>) -> Vec<u8> {
    let digital_signature: &[u8] = &[der::BIT_STRING, 2, 7, 0x80];
    match defect {
        Some(Defect::NoKeyUsage) => Vec::new(),
        Some(Defect::KeyUsageNotCritical) => extension(KEY_USAGE, false, digital_signature),
        Some(Defect::KeyUsageMore) => extension(KEY_USAGE, true, &[der::BIT_STRING, 2, 6, 0xc0]),
        Some(Defect::KeyUsageOther) => extension(KEY_USAGE, true, &[der::BIT_STRING, 2, 6, 0x40]),
        Some(Defect::ExtensionValue) => extension(KEY_USAGE, true, &[der::BIT_STRING, 2, 7, 0x80, 0x00]),
        _ => extension(KEY_USAGE, true, digital_signature),
    }
}

fn extended_key_usage(defect: Option<Defect>) -> Vec<u8> {
    let purpose = |octets| element(der::OID, octets);
    let purposes = match defect {
        Some(Defect::NoExtendedKeyUsage) => return Vec::new(),
        Some(Defect::ExtendedKeyUsageOther) => purpose(SERVER_AUTH),
        Some(Defect::ExtendedKeyUsageMore) => [purpose(CLIENT_AUTH), purpose(SERVER_AUTH)].concat(),
        _ => purpose(CLIENT_AUTH),
    };
    extension(EXTENDED_KEY_USAGE, false, &element(der::SEQUENCE, &purposes))
}

fn policies(spec: &CardSpec) -> Result<Vec<u8>, IssuingError> {
    let page = element(0x16, b"http://www.jpki.go.jp/cps.html"); // IA5String
    let qualifier = sequence(&[&element(der::OID, CPS), &page]);
    let policy = sequence(&[&oid(&spec.policy)?, &sequence(&[&qualifier])]);
    let second = sequence(&[&oid("1.2.392.200149.8.5.1.1.20")?]);
    Ok(match spec.defect {
        Some(Defect::NoPolicy) => Vec::new(),
        Some(Defect::PolicyNotCritical) => extension(CERTIFICATE_POLICIES, false, &sequence(&[&policy])),
        Some(Defect::SecondPolicy) => extension(CERTIFICATE_POLICIES, true, &sequence(&[&policy, &second])),
        _ => extension(CERTIFICATE_POLICIES, true, &sequence(&[&policy])),
    })
}

fn distribution_point(spec: &CardSpec) -> Vec<u8> {
    match &spec.municipality {
        Some(municipality) => {
            extension(DISTRIBUTION_POINTS, false, &distribution_points(&municipality.distribution_point()))
        }
        None => Vec::new(),
    }
}

/// `GeneralNames` with the Japanese names of the service.
fn japanese_name() -> Vec<u8> {
    let name = name(&[
        (COUNTRY, "JP"),
        (ORGANIZATION, "公的個人認証サービス"),
        (UNIT, "公的個人認証サービス利用者証明用"),
        (UNIT, "地方公共団体情報システム機構"),
    ]);
    sequence(&[&directory_name(&name)])
}

/// authorityInfoAccess: the OCSP responder of test cards.
fn responder() -> Vec<u8> {
    let address = element(URI, b"http://test-ocspauthnorm.jpki.go.jp");
    sequence(&[&sequence(&[&element(der::OID, OCSP), &address])])
}
