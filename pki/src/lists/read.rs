//! Reads a revocation list (RFC 5280, 5): its envelope, its extensions, and its entries one after
//! another without gathering them, so that time is linear and memory none. Who signed it and
//! whether it may replace another is decided in the module above.

use thiserror::Error;

use crate::algorithm;
use crate::anchors::{Claim, UntrustedReason};
use crate::der::{self, Element, Malformed, Reader};
use crate::extension::{
    AUTHORITY_KEY_IDENTIFIER, AuthorityKey, CERTIFICATE_ISSUER, DELTA_LIST_INDICATOR, Extensions,
    ISSUING_DISTRIBUTION_POINT, IssuingPoint, LIST_NUMBER, REASON_CODE,
};
use crate::serial::{ListNumber, Serial};
use crate::time::UnixTime;

/// Why a list is refused. The lists held stay as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum ListError {
    /// The bytes are not a revocation list in DER, or an entry is broken.
    #[error("not a revocation list in DER")]
    Malformed,
    /// Not version 2.
    #[error("not a version 2 list")]
    Version,
    /// The two signature algorithms differ or are not accepted.
    #[error("signature algorithm not accepted")]
    Algorithm,
    /// No trust anchor signed it.
    #[error("not signed by a trust anchor: {0}")]
    Untrusted(UntrustedReason),
    /// The anchor that signed it may not sign lists (keyUsage without cRLSign).
    #[error("the issuer may not sign lists")]
    IssuerMayNotSign,
    /// An extension of the list or of an entry occurs twice.
    #[error("an extension occurs twice")]
    DuplicateExtension,
    /// An extension of the list or of an entry is critical and unknown.
    #[error("unknown critical extension")]
    UnknownCriticalExtension,
    /// A delta list: only complete ones are taken.
    #[error("a delta list")]
    Delta,
    /// An indirect list: it speaks for other authorities' certificates.
    #[error("an indirect list")]
    Indirect,
    /// It speaks of part of the reasons only, of certificates other than cards', or of a
    /// distribution point that is not one directoryName.
    #[error("a scope that is not supported")]
    Scope,
    /// It has no CRLNumber, or one above twenty octets.
    #[error("no proper list number")]
    Number,
    /// It has no nextUpdate, or one before its thisUpdate.
    #[error("no proper next update")]
    NextUpdate,
    /// Its thisUpdate lies more than a minute ahead: one of the two clocks is wrong.
    #[error("issued in the future")]
    FromTheFuture,
    /// A list of that scope with a higher number or a later thisUpdate is or was held.
    #[error("older than the list held")]
    Older,
    /// Another list of that scope with the same number is held.
    #[error("list number used before for another list")]
    NumberReused,
}

impl From<Malformed> for ListError {
    fn from(Malformed: Malformed) -> ListError {
        ListError::Malformed
    }
}

/// A list's envelope, borrowed from its bytes, its entries still unread.
pub(crate) struct Envelope<'a> {
    issuer: &'a [u8],
    pub(crate) this_update: UnixTime,
    pub(crate) next_update: Option<UnixTime>,
    /// Content of revokedCertificates.
    pub(crate) entries: &'a [u8],
    extensions: Extensions<'a>,
    algorithm: &'a [u8],
    signed: &'a [u8],
    signature: &'a [u8],
}

/// What the extensions say of the list.
pub(crate) struct Scope<'a> {
    pub(crate) number: ListNumber,
    /// DER name of the distribution point; nothing when it speaks for all of the authority's
    /// certificates.
    pub(crate) point: Option<&'a [u8]>,
    /// It says nothing of authorities' certificates.
    pub(crate) users_only: bool,
}

/// The extensions of a list that are acted on.
const UNDERSTOOD: [&[u8]; 3] = [AUTHORITY_KEY_IDENTIFIER, LIST_NUMBER, ISSUING_DISTRIBUTION_POINT];

impl<'a> Envelope<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Envelope<'a>, ListError> {
        let mut reader = der::only(bytes, der::SEQUENCE)?.reader();
        let signed = reader.expect(der::SEQUENCE)?;
        let algorithm = reader.expect(der::SEQUENCE)?.whole;
        let signature = reader.expect(der::BIT_STRING)?.octets()?;
        reader.end()?;
        let mut fields = signed.reader();
        let version = fields.optional(der::INTEGER)?.ok_or(ListError::Version)?;
        if version.content != [1] {
            return Err(ListError::Version);
        }
        if fields.expect(der::SEQUENCE)?.whole != algorithm || !algorithm::is_known_signature(algorithm) {
            return Err(ListError::Algorithm);
        }
        let issuer = fields.expect(der::SEQUENCE)?.whole;
        let this_update = fields.any()?.time()?;
        let next_update = optional_time(&mut fields)?;
        let entries = fields.optional(der::SEQUENCE)?.map_or(&[][..], |element| element.content);
        let extensions = match fields.optional(der::explicit(0))? {
            Some(tagged) => Extensions::read(der::only(tagged.content, der::SEQUENCE)?.reader())?,
            None => Extensions::none(),
        };
        fields.end()?;
        let signed = signed.whole;
        Ok(Envelope { issuer, this_update, next_update, entries, extensions, algorithm, signed, signature })
    }

    /// Who the list says signed it.
    pub(crate) fn claim(&self) -> Result<Claim<'a>, ListError> {
        let authority = match self.extensions.find(AUTHORITY_KEY_IDENTIFIER) {
            Some(extension) => Some(AuthorityKey::read(extension.value)?),
            None => None,
        };
        Ok(Claim {
            issuer: self.issuer,
            authority,
            algorithm: self.algorithm,
            signed: self.signed,
            signature: self.signature,
        })
    }

    /// Of which certificates it speaks. Kinds of lists that are not taken are refused by name.
    pub(crate) fn scope(&self) -> Result<Scope<'a>, ListError> {
        let extensions = &self.extensions;
        if extensions.has_duplicates() {
            return Err(ListError::DuplicateExtension);
        }
        if extensions.find(DELTA_LIST_INDICATOR).is_some() {
            return Err(ListError::Delta);
        }
        if extensions.has_unknown_critical(&UNDERSTOOD) {
            return Err(ListError::UnknownCriticalExtension);
        }
        let number = extensions.find(LIST_NUMBER).ok_or(ListError::Number)?;
        let number = der::only(number.value, der::INTEGER)?.magnitude()?;
        let number = ListNumber::from_bytes(number).ok_or(ListError::Number)?;
        let (point, users_only) = self.point()?;
        Ok(Scope { number, point, users_only })
    }

    /// The distribution point if there is one, and whether the list is for users only.
    fn point(&self) -> Result<(Option<&'a [u8]>, bool), ListError> {
        let Some(extension) = self.extensions.find(ISSUING_DISTRIBUTION_POINT) else {
            return Ok((None, false));
        };
        let issuing = IssuingPoint::read(extension.value)?;
        if issuing.indirect {
            return Err(ListError::Indirect);
        }
        if issuing.partial {
            return Err(ListError::Scope);
        }
        match issuing.point {
            None => Ok((None, issuing.users_only)),
            Some(Some(name)) => Ok((Some(name), issuing.users_only)),
            Some(None) => Err(ListError::Scope),
        }
    }
}

fn optional_time(fields: &mut Reader<'_>) -> Result<Option<UnixTime>, Malformed> {
    let utc = fields.optional(der::UTC_TIME)?;
    let time = if utc.is_some() { utc } else { fields.optional(der::GENERALIZED_TIME)? };
    time.map(|element| element.time()).transpose()
}

/// What an entry does to its serial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Revoked for ever, whatever the reason.
    Revoke,
    /// certificateHold.
    Hold,
    /// removeFromCRL: as if it were not listed.
    Remove,
}

impl Effect {
    /// By the code of CRLReason (RFC 5280, 5.3.1); codes that are not assigned revoke.
    fn of_reason(code: u8) -> Effect {
        match code {
            6 => Effect::Hold,
            8 => Effect::Remove,
            _ => Effect::Revoke,
        }
    }
}

/// One entry of a list.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) serial: Serial,
    pub(crate) revoked_at: UnixTime,
    pub(crate) effect: Effect,
}

/// Walks the content of revokedCertificates; ends at the first broken entry.
pub(crate) struct Entries<'a>(Reader<'a>);

impl<'a> Entries<'a> {
    pub(crate) fn new(content: &'a [u8]) -> Entries<'a> {
        Entries(Reader::new(content))
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, ListError>;

    fn next(&mut self) -> Option<Result<Entry, ListError>> {
        if self.0.is_empty() {
            return None;
        }
        let entry = self.0.enter(der::SEQUENCE).map_err(ListError::from).and_then(entry);
        if entry.is_err() {
            self.0 = Reader::new(&[]);
        }
        Some(entry)
    }
}

fn entry(mut fields: Reader<'_>) -> Result<Entry, ListError> {
    let serial =
        Serial::from_bytes(fields.expect(der::INTEGER)?.magnitude()?).map_err(|_| ListError::Malformed)?;
    let revoked_at = fields.any()?.time()?;
    let effect = match fields.optional(der::SEQUENCE)? {
        None => Effect::Revoke,
        // the reason alone, in its one spelling: nearly every entry, so nothing is gathered for it
        Some(Element {
            content: [0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01, reason],
            ..
        }) => Effect::of_reason(*reason),
        Some(extensions) => effect(&Extensions::read(extensions.reader())?)?,
    };
    fields.end()?;
    Ok(Entry { serial, revoked_at, effect })
}

fn effect(extensions: &Extensions<'_>) -> Result<Effect, ListError> {
    if extensions.has_duplicates() {
        return Err(ListError::DuplicateExtension);
    }
    if extensions.find(CERTIFICATE_ISSUER).is_some() {
        return Err(ListError::Indirect);
    }
    if extensions.has_unknown_critical(&[REASON_CODE]) {
        return Err(ListError::UnknownCriticalExtension);
    }
    let Some(reason) = extensions.find(REASON_CODE) else {
        return Ok(Effect::Revoke);
    };
    match der::only(reason.value, der::ENUMERATED)?.content {
        [reason] => Ok(Effect::of_reason(*reason)),
        _ => Err(ListError::Malformed),
    }
}
