//! The envelope of an X.509 certificate, read strictly and borrowed from its bytes (RFC 5280,
//! 4.1). Nothing is judged here: whether it is a card's or an authority's, and whether anybody
//! should believe it, is decided by `profile`, `anchors` and `prove`.

use crate::der::{self, Malformed, Reader};
use crate::extension::Extensions;
use crate::time::UnixTime;

/// Longer certificates are not read. A card's has about 1 600 octets; the bound keeps what a
/// caller may make us read and hash small.
const MOST_OCTETS: usize = 8192;

/// A certificate's fields, in the order of the standard.
pub(crate) struct Certificate<'a> {
    /// The signed part, all its octets.
    pub(crate) signed: &'a [u8],
    /// 0 for v1, 2 for v3.
    pub(crate) version: u8,
    /// Content octets of the serial's INTEGER, unchecked.
    pub(crate) serial: &'a [u8],
    /// The AlgorithmIdentifier inside the signed part, all its octets.
    pub(crate) inner_algorithm: &'a [u8],
    /// DER of the issuer's name.
    pub(crate) issuer: &'a [u8],
    pub(crate) not_before: UnixTime,
    pub(crate) not_after: UnixTime,
    /// DER of the subject's name.
    pub(crate) subject: &'a [u8],
    /// The SubjectPublicKeyInfo, all its octets.
    pub(crate) key: &'a [u8],
    pub(crate) has_unique_identifiers: bool,
    pub(crate) extensions: Extensions<'a>,
    /// The AlgorithmIdentifier beside the signature, all its octets.
    pub(crate) algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
}

impl<'a> Certificate<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Certificate<'a>, Malformed> {
        if bytes.len() > MOST_OCTETS {
            return Err(Malformed);
        }
        let mut reader = der::only(bytes, der::SEQUENCE)?.reader();
        let signed = reader.expect(der::SEQUENCE)?;
        let algorithm = reader.expect(der::SEQUENCE)?.whole;
        let signature = reader.expect(der::BIT_STRING)?.octets()?;
        reader.end()?;
        let mut fields = signed.reader();
        let version = version(&mut fields)?;
        let serial = fields.expect(der::INTEGER)?.content;
        let inner_algorithm = fields.expect(der::SEQUENCE)?.whole;
        let issuer = fields.expect(der::SEQUENCE)?.whole;
        let mut validity = fields.enter(der::SEQUENCE)?;
        let (not_before, not_after) = (validity.any()?.time()?, validity.any()?.time()?);
        validity.end()?;
        let subject = fields.expect(der::SEQUENCE)?.whole;
        let key = fields.expect(der::SEQUENCE)?.whole;
        let issuer_identifier = fields.optional(der::implicit(1))?;
        let subject_identifier = fields.optional(der::implicit(2))?;
        let extensions = extensions(&mut fields)?;
        fields.end()?;
        Ok(Certificate {
            signed: signed.whole,
            version,
            serial,
            inner_algorithm,
            issuer,
            not_before,
            not_after,
            subject,
            key,
            has_unique_identifiers: issuer_identifier.is_some() || subject_identifier.is_some(),
            extensions,
            algorithm,
            signature,
        })
    }
}

/// `[0] EXPLICIT INTEGER DEFAULT v1`.
fn version(fields: &mut Reader<'_>) -> Result<u8, Malformed> {
    let Some(tagged) = fields.optional(der::explicit(0))? else {
        return Ok(0);
    };
    match der::only(tagged.content, der::INTEGER)?.content {
        [version] => Ok(*version),
        _ => Err(Malformed),
    }
}

/// `[3] EXPLICIT SEQUENCE OF Extension OPTIONAL`.
fn extensions<'a>(fields: &mut Reader<'a>) -> Result<Extensions<'a>, Malformed> {
    match fields.optional(der::explicit(3))? {
        Some(tagged) => Extensions::read(der::only(tagged.content, der::SEQUENCE)?.reader()),
        None => Ok(Extensions::none()),
    }
}
