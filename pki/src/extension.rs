//! The extensions of certificates and lists that this crate acts on, read strictly from their DER
//! values (RFC 5280, 4.2 and 5.2). Which of them must be there, and what they must say, is decided
//! elsewhere.

use crate::der::{self, Malformed, Reader};

pub(crate) const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x0e];
pub(crate) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
pub(crate) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
pub(crate) const LIST_NUMBER: &[u8] = &[0x55, 0x1d, 0x14];
pub(crate) const REASON_CODE: &[u8] = &[0x55, 0x1d, 0x15];
pub(crate) const DELTA_LIST_INDICATOR: &[u8] = &[0x55, 0x1d, 0x1b];
pub(crate) const ISSUING_DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 0x1c];
pub(crate) const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1d, 0x1d];
pub(crate) const DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 0x1f];
pub(crate) const CERTIFICATE_POLICIES: &[u8] = &[0x55, 0x1d, 0x20];
pub(crate) const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x23];
pub(crate) const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];

/// id-kp-clientAuth, 1.3.6.1.5.5.7.3.2
pub(crate) const CLIENT_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];

/// keyUsage bit 0.
pub(crate) const DIGITAL_SIGNATURE: u16 = 0x8000;
/// keyUsage bit 5.
pub(crate) const CERT_SIGN: u16 = 0x0400;
/// keyUsage bit 6.
pub(crate) const CRL_SIGN: u16 = 0x0200;

/// `GeneralName`: directoryName.
const DIRECTORY_NAME: u8 = der::explicit(4);

/// More extensions than this are not read: the fullest profile has eleven.
const MOST_EXTENSIONS: usize = 32;
/// More distribution points than this are not read: a card has one.
const MOST_POINTS: usize = 4;

/// One extension as it stands: identifier (content octets of the OID), criticality, DER value.
#[derive(Clone, Copy)]
pub(crate) struct Extension<'a> {
    pub(crate) id: &'a [u8],
    pub(crate) critical: bool,
    pub(crate) value: &'a [u8],
}

/// The extensions of one certificate, list or list entry, in their order.
pub(crate) struct Extensions<'a>(Vec<Extension<'a>>);

impl<'a> Extensions<'a> {
    pub(crate) fn none() -> Extensions<'a> {
        Extensions(Vec::new())
    }

    /// Reads the elements of `SEQUENCE OF Extension`; an empty sequence is malformed.
    pub(crate) fn read(mut reader: Reader<'a>) -> Result<Extensions<'a>, Malformed> {
        let mut extensions = Vec::with_capacity(12);
        while !reader.is_empty() {
            if extensions.len() == MOST_EXTENSIONS {
                return Err(Malformed);
            }
            extensions.push(Extension::read(reader.enter(der::SEQUENCE)?)?);
        }
        if extensions.is_empty() { Err(Malformed) } else { Ok(Extensions(extensions)) }
    }

    pub(crate) fn find(&self, id: &[u8]) -> Option<&Extension<'a>> {
        self.0.iter().find(|extension| extension.id == id)
    }

    pub(crate) fn has_duplicates(&self) -> bool {
        let earlier = |at: usize| self.0.iter().take(at);
        self.0.iter().enumerate().any(|(at, one)| earlier(at).any(|other| other.id == one.id))
    }

    /// Whether a critical extension is none of `known`.
    pub(crate) fn has_unknown_critical(&self, known: &[&[u8]]) -> bool {
        self.0.iter().any(|extension| extension.critical && !known.contains(&extension.id))
    }
}

impl<'a> Extension<'a> {
    fn read(mut reader: Reader<'a>) -> Result<Extension<'a>, Malformed> {
        let id = reader.expect(der::OID)?.content;
        let critical = match reader.optional(der::BOOLEAN)? {
            Some(element) => element.boolean()?,
            None => false,
        };
        let value = reader.expect(der::OCTET_STRING)?.content;
        reader.end()?;
        Ok(Extension { id, critical, value })
    }
}

/// keyUsage (4.2.1.3): the named bits, bit 0 highest.
pub(crate) fn key_usage(value: &[u8]) -> Result<u16, Malformed> {
    der::only(value, der::BIT_STRING)?.named_bits()
}

/// basicConstraints (4.2.1.9): whether the subject is a certification authority.
pub(crate) fn is_authority(value: &[u8]) -> Result<bool, Malformed> {
    basic_constraints(value).map(|(authority, _)| authority)
}

/// basicConstraints (4.2.1.9): cA and pathLenConstraint. A length without cA has no meaning and is
/// read over.
pub(crate) fn basic_constraints(value: &[u8]) -> Result<(bool, Option<u32>), Malformed> {
    let mut reader = der::only(value, der::SEQUENCE)?.reader();
    let authority = match reader.optional(der::BOOLEAN)? {
        Some(element) => element.boolean()?,
        None => false,
    };
    let length = reader.optional(der::INTEGER)?.map(|length| length.small()).transpose()?;
    reader.end()?;
    Ok((authority, length))
}

/// extKeyUsage (4.2.1.12): whether the purposes are clientAuth and nothing else.
pub(crate) fn is_client_auth_only(value: &[u8]) -> Result<bool, Malformed> {
    let mut reader = der::only(value, der::SEQUENCE)?.reader();
    let purpose = reader.expect(der::OID)?.content;
    let mut alone = true;
    while !reader.is_empty() {
        reader.expect(der::OID)?;
        alone = false;
    }
    Ok(alone && purpose == CLIENT_AUTH)
}

/// certificatePolicies (4.2.1.4): the policies' OIDs as content octets; at least one.
pub(crate) fn policies(value: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let mut reader = der::only(value, der::SEQUENCE)?.reader();
    let mut policies = Vec::with_capacity(1);
    while !reader.is_empty() {
        let mut policy = reader.enter(der::SEQUENCE)?;
        policies.push(policy.expect(der::OID)?.content);
        policy.optional(der::SEQUENCE)?;
        policy.end()?;
    }
    if policies.is_empty() { Err(Malformed) } else { Ok(policies) }
}

/// subjectKeyIdentifier (4.2.1.2).
pub(crate) fn subject_key_identifier(value: &[u8]) -> Result<&[u8], Malformed> {
    Ok(der::only(value, der::OCTET_STRING)?.content)
}

/// authorityKeyIdentifier (4.2.1.1): who signed, by key and/or by issuer and serial.
#[derive(Clone, Copy)]
pub(crate) struct AuthorityKey<'a> {
    pub(crate) key_identifier: Option<&'a [u8]>,
    /// The issuer's issuer (DER of the one directoryName) and the issuer's serial (magnitude).
    pub(crate) certificate: Option<(&'a [u8], &'a [u8])>,
}

impl<'a> AuthorityKey<'a> {
    pub(crate) fn read(value: &'a [u8]) -> Result<AuthorityKey<'a>, Malformed> {
        let mut reader = der::only(value, der::SEQUENCE)?.reader();
        let key_identifier = reader.optional(der::implicit(0))?.map(|element| element.content);
        let issuer = reader.optional(der::explicit(1))?;
        let serial = reader.optional(der::implicit(2))?;
        reader.end()?;
        let certificate = match (issuer, serial) {
            (Some(issuer), Some(serial)) => Some((one_directory_name(issuer.reader())?, serial.magnitude()?)),
            (None, None) => None,
            _ => return Err(Malformed), // both or neither (RFC 5280, appendix A.2)
        };
        Ok(AuthorityKey { key_identifier, certificate })
    }
}

/// The DER of the name in `GeneralNames`, which must be one directoryName.
fn one_directory_name(mut names: Reader<'_>) -> Result<&[u8], Malformed> {
    let name = names.expect(DIRECTORY_NAME)?.content;
    names.end()?;
    der::only(name, der::SEQUENCE)?;
    Ok(name)
}

/// cRLDistributionPoints (4.2.1.13): the DER names of the points that are one directoryName.
///
/// Points of other forms (URI, relative name), points for some reasons only, and points whose
/// list another authority signs are passed over: no list held here can answer for them.
pub(crate) fn distribution_points(value: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let mut reader = der::only(value, der::SEQUENCE)?.reader();
    let mut names = Vec::with_capacity(1);
    let mut count = 0;
    while !reader.is_empty() {
        count += 1;
        if count > MOST_POINTS {
            return Err(Malformed);
        }
        let mut point = reader.enter(der::SEQUENCE)?;
        let name = point.optional(der::explicit(0))?;
        let reasons = point.optional(der::implicit(1))?;
        let other_issuer = point.optional(der::explicit(2))?;
        point.end()?;
        if let (Some(name), None, None) = (name, reasons, other_issuer) {
            names.extend(full_directory_name(name.reader())?);
        }
    }
    Ok(names)
}

/// The DER name of a `DistributionPointName` that is a fullName of one directoryName; nothing for
/// the other forms.
fn full_directory_name(mut point: Reader<'_>) -> Result<Option<&[u8]>, Malformed> {
    let full = point.optional(der::explicit(0))?;
    if full.is_none() {
        point.expect(der::explicit(1))?;
    }
    point.end()?;
    Ok(full.and_then(|names| one_directory_name(names.reader()).ok()))
}

/// issuingDistributionPoint (5.2.5): for which certificates a list speaks.
pub(crate) struct IssuingPoint<'a> {
    /// Nothing: no point named. `Some(None)`: a point of a form that is not understood here.
    pub(crate) point: Option<Option<&'a [u8]>>,
    /// The list speaks of users' certificates only.
    pub(crate) users_only: bool,
    /// The list speaks of authorities', attribute or not all certificates, or not of all reasons.
    pub(crate) partial: bool,
    pub(crate) indirect: bool,
}

impl<'a> IssuingPoint<'a> {
    pub(crate) fn read(value: &'a [u8]) -> Result<IssuingPoint<'a>, Malformed> {
        let mut reader = der::only(value, der::SEQUENCE)?.reader();
        let point = match reader.optional(der::explicit(0))? {
            Some(point) => Some(full_directory_name(point.reader())?),
            None => None,
        };
        let users_only = flag(&mut reader, 1)?;
        let authorities_only = flag(&mut reader, 2)?;
        let some_reasons = reader.optional(der::implicit(3))?.is_some();
        let indirect = flag(&mut reader, 4)?;
        let attributes_only = flag(&mut reader, 5)?;
        reader.end()?;
        let partial = authorities_only || some_reasons || attributes_only;
        Ok(IssuingPoint { point, users_only, partial, indirect })
    }
}

/// An optional boolean `[number]`, false when absent.
fn flag(reader: &mut Reader<'_>, number: u8) -> Result<bool, Malformed> {
    match reader.optional(der::implicit(number))? {
        Some(element) => element.boolean(),
        None => Ok(false),
    }
}
