//! Who may answer for an authority (RFC 6960, 4.2.2.2): the authority itself, or a responder whose
//! certificate the same key has signed and which says it is for this.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::read::{Responder, Response};
use super::{OcspError, is_doubtful};
use crate::algorithm;
use crate::anchors::{Anchor, Claim};
use crate::certificate::Certificate;
use crate::der::{self, Malformed};
use crate::extension::{
    self, AUTHORITY_KEY_IDENTIFIER, AuthorityKey, BASIC_CONSTRAINTS, CERTIFICATE_POLICIES, DIGITAL_SIGNATURE,
    EXTENDED_KEY_USAGE, KEY_USAGE,
};
use crate::lists::Lists;
use crate::profile::read_serial;
use crate::time::UnixTime;

/// id-kp-OCSPSigning, 1.3.6.1.5.5.7.3.9
const OCSP_SIGNING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09];
/// id-pkix-ocsp-nocheck, 1.3.6.1.5.5.7.48.1.5
const NO_CHECK: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x05];
const UNDERSTOOD: [&[u8]; 5] =
    [KEY_USAGE, EXTENDED_KEY_USAGE, BASIC_CONSTRAINTS, CERTIFICATE_POLICIES, NO_CHECK];

/// Finds who signed a response and whether it may. Gives the last second of its validity.
pub(super) fn check(
    response: &Response<'_>,
    anchor: &Anchor,
    lists: &Lists,
    now: UnixTime,
) -> Result<UnixTime, OcspError> {
    if is_named(&response.responder, anchor.name(), anchor.key_octets()) {
        let verdict = verify(response, anchor.key_info());
        // a responder may have its authority's name; then its certificate is in the response
        if verdict.is_ok() || response.certificates.is_empty() {
            return verdict.map(|()| UnixTime(i64::MAX));
        }
    }
    let mut refusal = OcspError::Responder;
    for octets in &response.certificates {
        let Ok(certificate) = Certificate::read(octets) else {
            continue;
        };
        let named = key_octets(certificate.key)
            .is_ok_and(|key| is_named(&response.responder, certificate.subject, key));
        if !named {
            continue;
        }
        match check_delegated(&certificate, anchor, lists, now)
            .and_then(|()| verify(response, certificate.key))
        {
            Ok(()) => return Ok(certificate.not_after),
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

fn verify(response: &Response<'_>, key: &[u8]) -> Result<(), OcspError> {
    algorithm::verify(key, response.algorithm, response.signed, response.signature)
        .map_err(|_| OcspError::Signature)
}

fn is_named(responder: &Responder<'_>, name: &[u8], key: &[u8]) -> bool {
    match responder {
        Responder::Name(named) => *named == name,
        Responder::Key(hash) => *hash == digest(&SHA1_FOR_LEGACY_USE_ONLY, key).as_ref(),
    }
}

fn check_delegated(
    certificate: &Certificate<'_>,
    anchor: &Anchor,
    lists: &Lists,
    now: UnixTime,
) -> Result<(), OcspError> {
    let extensions = &certificate.extensions;
    let value = |id| extensions.find(id).map(|extension| extension.value);
    let purposes = value(EXTENDED_KEY_USAGE).ok_or(OcspError::Responder)?;
    let usage = value(KEY_USAGE).map(extension::key_usage).transpose()?;
    let authority = value(BASIC_CONSTRAINTS).map(extension::is_authority).transpose()?;
    let proper = certificate.version == 2
        && certificate.algorithm == certificate.inner_algorithm
        && !certificate.has_unique_identifiers
        && !extensions.has_duplicates()
        && !extensions.has_unknown_critical(&UNDERSTOOD)
        && authority != Some(true)
        && usage.is_some_and(|usage| usage & DIGITAL_SIGNATURE != 0)
        && names_purpose(purposes, OCSP_SIGNING)?;
    let claim = Claim {
        issuer: certificate.issuer,
        authority: value(AUTHORITY_KEY_IDENTIFIER).map(AuthorityKey::read).transpose()?,
        algorithm: certificate.algorithm,
        signed: certificate.signed,
        signature: certificate.signature,
    };
    if !proper || !anchor.has_signed(&claim) {
        return Err(OcspError::Responder);
    }
    if now < certificate.not_before || now > certificate.not_after {
        return Err(OcspError::ResponderExpired);
    }
    let serial = read_serial(certificate.serial).ok_or(OcspError::Responder)?;
    if lists.is_listed(anchor.id(), serial)
        || (value(NO_CHECK).is_none() && is_doubtful(lists, anchor, serial))
    {
        return Err(OcspError::ResponderRevoked);
    }
    Ok(())
}

fn names_purpose(value: &[u8], purpose: &[u8]) -> Result<bool, Malformed> {
    let mut reader = der::only(value, der::SEQUENCE)?.reader();
    let mut named = false;
    while !reader.is_empty() {
        named |= reader.expect(der::OID)?.content == purpose;
    }
    Ok(named)
}

fn key_octets(info: &[u8]) -> Result<&[u8], Malformed> {
    algorithm::split(info).map(|(_, octets)| octets)
}
