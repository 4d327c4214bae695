//! Reads an OCSP response (RFC 6960, 4.2.1) strictly. Whether anybody should believe it is judged
//! in the module above.

use super::{NONCE, OcspError, ResponderRefusal};
use crate::der::{self, Element, Malformed, Reader};
use crate::extension::Extensions;
use crate::time::UnixTime;

/// Longer responses are not read: one about one certificate, with the responder's, has about 2 000
/// octets.
const MOST_OCTETS: usize = 32_768;
/// More answers or certificates in one response are not read.
const MOST_SINGLES: usize = 32;
const MOST_CERTIFICATES: usize = 4;

/// id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1
const BASIC: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];

/// A basic response, borrowed from its octets.
pub(super) struct Response<'a> {
    /// tbsResponseData, all its octets.
    pub(super) signed: &'a [u8],
    pub(super) algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
    pub(super) certificates: Vec<&'a [u8]>,
    pub(super) responder: Responder<'a>,
    pub(super) produced_at: UnixTime,
    pub(super) singles: Vec<Single<'a>>,
    pub(super) nonce: Option<&'a [u8]>,
}

/// ResponderID
#[derive(Clone, Copy)]
pub(super) enum Responder<'a> {
    /// DER of its name.
    Name(&'a [u8]),
    /// SHA-1 of its key's octets.
    Key(&'a [u8]),
}

/// SingleResponse
pub(super) struct Single<'a> {
    /// AlgorithmIdentifier, all octets.
    pub(super) hash: &'a [u8],
    pub(super) name_hash: &'a [u8],
    pub(super) key_hash: &'a [u8],
    /// Magnitude of the serial.
    pub(super) serial: &'a [u8],
    pub(super) status: CertStatus,
    pub(super) this_update: UnixTime,
    pub(super) next_update: Option<UnixTime>,
}

#[derive(Clone, Copy)]
pub(super) enum CertStatus {
    Good,
    Revoked { hold: bool, at: UnixTime },
    Unknown,
}

impl<'a> Response<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Response<'a>, OcspError> {
        if bytes.len() > MOST_OCTETS {
            return Err(OcspError::Malformed);
        }
        let mut reader = der::only(bytes, der::SEQUENCE)?.reader();
        check_status(reader.expect(der::ENUMERATED)?.content)?;
        let tagged = reader.expect(der::explicit(0))?;
        reader.end()?;
        let mut outer = der::only(tagged.content, der::SEQUENCE)?.reader();
        if outer.expect(der::OID)?.content != BASIC {
            return Err(OcspError::Type);
        }
        let basic = outer.expect(der::OCTET_STRING)?.content;
        outer.end()?;
        Response::basic(der::only(basic, der::SEQUENCE)?.reader())
    }

    fn basic(mut reader: Reader<'a>) -> Result<Response<'a>, OcspError> {
        let signed = reader.expect(der::SEQUENCE)?;
        let algorithm = reader.expect(der::SEQUENCE)?.whole;
        let signature = reader.expect(der::BIT_STRING)?.octets()?;
        let certificates = match reader.optional(der::explicit(0))? {
            Some(tagged) => certificates(der::only(tagged.content, der::SEQUENCE)?.reader())?,
            None => Vec::new(),
        };
        reader.end()?;
        let mut fields = signed.reader();
        if fields.optional(der::explicit(0))?.is_some() {
            return Err(OcspError::Malformed); // version 1 is the default, and there is no other
        }
        let responder = responder(fields.any()?)?;
        let produced_at = generalized(fields.any()?)?;
        let singles = singles(fields.enter(der::SEQUENCE)?)?;
        let nonce = match fields.optional(der::explicit(1))? {
            Some(tagged) => nonce(&extensions(tagged)?)?,
            None => None,
        };
        fields.end()?;
        let signed = signed.whole;
        Ok(Response { signed, algorithm, signature, certificates, responder, produced_at, singles, nonce })
    }
}

/// Whether two hash identifiers are the same, parameters NULL or absent.
pub(super) fn is_hash(identifier: &[u8], expected: &[u8]) -> bool {
    let kind = |octets| -> Result<&[u8], Malformed> {
        let mut reader = der::only(octets, der::SEQUENCE)?.reader();
        let kind = reader.expect(der::OID)?.content;
        reader.optional(0x05)?;
        reader.end().map(|()| kind)
    };
    matches!((kind(identifier), kind(expected)), (Ok(one), Ok(other)) if one == other)
}

fn check_status(content: &[u8]) -> Result<(), OcspError> {
    let refusal = match content {
        [0] => return Ok(()),
        [1] => ResponderRefusal::MalformedRequest,
        [2] => ResponderRefusal::InternalError,
        [3] => ResponderRefusal::TryLater,
        [5] => ResponderRefusal::SignatureRequired,
        [6] => ResponderRefusal::Unauthorized,
        [_] => ResponderRefusal::Other,
        _ => return Err(OcspError::Malformed),
    };
    Err(OcspError::Refused(refusal))
}

fn certificates(mut reader: Reader<'_>) -> Result<Vec<&[u8]>, Malformed> {
    let mut all = Vec::new();
    while !reader.is_empty() {
        all.push(reader.expect(der::SEQUENCE)?.whole);
    }
    if all.len() > MOST_CERTIFICATES { Err(Malformed) } else { Ok(all) }
}

fn responder(element: Element<'_>) -> Result<Responder<'_>, Malformed> {
    if element.tag == der::explicit(1) {
        Ok(Responder::Name(der::only(element.content, der::SEQUENCE)?.whole))
    } else if element.tag == der::explicit(2) {
        Ok(Responder::Key(der::only(element.content, der::OCTET_STRING)?.content))
    } else {
        Err(Malformed)
    }
}

fn singles(mut reader: Reader<'_>) -> Result<Vec<Single<'_>>, OcspError> {
    let mut all = Vec::new();
    while !reader.is_empty() {
        if all.len() == MOST_SINGLES {
            return Err(OcspError::Malformed);
        }
        all.push(single(reader.enter(der::SEQUENCE)?)?);
    }
    Ok(all)
}

fn single(mut fields: Reader<'_>) -> Result<Single<'_>, OcspError> {
    let mut id = fields.enter(der::SEQUENCE)?;
    let hash = id.expect(der::SEQUENCE)?.whole;
    let name_hash = id.expect(der::OCTET_STRING)?.content;
    let key_hash = id.expect(der::OCTET_STRING)?.content;
    let serial = id.expect(der::INTEGER)?.magnitude()?;
    id.end()?;
    let status = status(fields.any()?)?;
    let this_update = generalized(fields.any()?)?;
    let next_update = match fields.optional(der::explicit(0))? {
        Some(tagged) => Some(generalized(der::only(tagged.content, der::GENERALIZED_TIME)?)?),
        None => None,
    };
    if let Some(tagged) = fields.optional(der::explicit(1))? {
        extensions(tagged)?;
    }
    fields.end()?;
    Ok(Single { hash, name_hash, key_hash, serial, status, this_update, next_update })
}

fn status(element: Element<'_>) -> Result<CertStatus, Malformed> {
    match (element.tag, element.content) {
        (0x80, []) => Ok(CertStatus::Good),
        (0x82, []) => Ok(CertStatus::Unknown),
        (0xa1, _) => {
            let mut fields = element.reader();
            let at = generalized(fields.any()?)?;
            let reason = match fields.optional(der::explicit(0))? {
                Some(tagged) => der::only(tagged.content, der::ENUMERATED)?.content,
                None => &[],
            };
            fields.end()?;
            Ok(CertStatus::Revoked { hold: reason == [6], at })
        }
        _ => Err(Malformed),
    }
}

/// Times here are GeneralizedTime only.
fn generalized(element: Element<'_>) -> Result<UnixTime, Malformed> {
    if element.tag == der::GENERALIZED_TIME { element.time() } else { Err(Malformed) }
}

/// None of them may be critical but the nonce.
fn extensions(tagged: Element<'_>) -> Result<Extensions<'_>, OcspError> {
    let extensions = Extensions::read(der::only(tagged.content, der::SEQUENCE)?.reader())?;
    if extensions.has_duplicates() || extensions.has_unknown_critical(&[NONCE]) {
        return Err(OcspError::Extension);
    }
    Ok(extensions)
}

fn nonce<'a>(extensions: &Extensions<'a>) -> Result<Option<&'a [u8]>, Malformed> {
    let nonce = extensions.find(NONCE);
    nonce.map(|nonce| der::only(nonce.value, der::OCTET_STRING).map(|octets| octets.content)).transpose()
}
