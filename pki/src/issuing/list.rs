//! Revocation lists, signed by a card authority: proper ones, and ones with one defect each.

use super::authority::{seal, unknown_extension};
use super::write::{directory_name, element, extension, integer, sequence, time};
use super::{CardAuthority, Defect, IssuingError};
use crate::der;
use crate::extension::{
    CERTIFICATE_ISSUER, DELTA_LIST_INDICATOR, ISSUING_DISTRIBUTION_POINT, LIST_NUMBER, REASON_CODE,
};
use crate::serial::{ListNumber, Serial};
use crate::time::UnixTime;

/// Why a certificate was revoked (RFC 5280, 5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No reason given: destroyed before it was handed out.
    Unspecified,
    /// The card's key is known to somebody else.
    KeyCompromise,
    /// The authority's key is known to somebody else.
    AuthorityCompromise,
    /// The holder's circumstances changed.
    AffiliationChanged,
    /// Renewed.
    Superseded,
    /// Not needed any more.
    CessationOfOperation,
    /// Suspended; may come back.
    Hold,
    /// Back from suspension; proper in delta lists only.
    Remove,
}

impl Reason {
    /// CRLReason; nothing where the extension is left out.
    fn code(self) -> Option<u8> {
        match self {
            Reason::Unspecified => None,
            Reason::KeyCompromise => Some(1),
            Reason::AuthorityCompromise => Some(2),
            Reason::AffiliationChanged => Some(3),
            Reason::Superseded => Some(4),
            Reason::CessationOfOperation => Some(5),
            Reason::Hold => Some(6),
            Reason::Remove => Some(8),
        }
    }
}

/// One revoked certificate.
#[derive(Clone, Copy, Debug)]
pub struct Revoked {
    /// The certificate.
    pub serial: Serial,
    /// When it was revoked.
    pub at: UnixTime,
    /// Why.
    pub reason: Reason,
}

/// How a list is made.
#[derive(Clone, Debug)]
pub struct ListSpec<'a> {
    /// CRLNumber.
    pub number: ListNumber,
    /// When it is issued.
    pub this_update: UnixTime,
    /// When the next one is due.
    pub next_update: UnixTime,
    /// DER name of its distribution point ([`super::Municipality::distribution_point`]); nothing
    /// for a list of all the authority's certificates.
    pub partition: Option<&'a [u8]>,
    /// The revoked certificates.
    pub revoked: &'a [Revoked],
    /// What is wrong with it; nothing for a proper one.
    pub defect: Option<Defect>,
}

impl CardAuthority {
    /// Signs a revocation list, in DER.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn list(&self, spec: &ListSpec<'_>) -> Result<Vec<u8>, IssuingError> {
        let mut entries = Vec::new();
        for revoked in spec.revoked {
            entries.extend_from_slice(&entry(revoked, spec.defect));
        }
        let entries = if spec.revoked.is_empty() { Vec::new() } else { element(der::SEQUENCE, &entries) };
        let signed = sequence(&[
            if spec.defect == Some(Defect::Version) { &[] } else { &[der::INTEGER, 1, 1] },
            self.key.signature_identifier(),
            &self.name,
            &time(spec.this_update),
            &if spec.defect == Some(Defect::NoNextUpdate) { Vec::new() } else { time(spec.next_update) },
            &entries,
            &element(der::explicit(0), &element(der::SEQUENCE, &self.list_extensions(spec))),
        ]);
        seal(&signed, &self.key, spec.defect)
    }

    fn list_extensions(&self, spec: &ListSpec<'_>) -> Vec<u8> {
        let number = extension(LIST_NUMBER, false, &integer(spec.number.as_bytes()));
        let mut all = vec![self.authority_key(spec.defect)];
        if spec.defect != Some(Defect::NoNumber) {
            all.push(number.clone());
        }
        all.extend(issuing_point(spec));
        all.extend(match spec.defect {
            Some(Defect::Delta) => Some(extension(DELTA_LIST_INDICATOR, true, &integer(&[1]))),
            Some(Defect::UnknownCriticalExtension) => Some(unknown_extension(true)),
            Some(Defect::UnknownExtension) => Some(unknown_extension(false)),
            Some(Defect::DuplicateExtension) => Some(number),
            _ => None,
        });
        all.concat()
    }
}

/// issuingDistributionPoint, where there is anything to say.
fn issuing_point(spec: &ListSpec<'_>) -> Option<Vec<u8>> {
    let name = spec.partition.map(directory_name);
    let names = match spec.defect {
        Some(Defect::PointOfOtherForm) => Some(element(der::implicit(6), b"http://localhost/list")),
        _ => name,
    };
    let full = |names: Vec<u8>| element(der::explicit(0), &element(der::explicit(0), &names));
    let point = names.map(full);
    let flag = |number: u8| element(der::implicit(number), &[0xff]);
    let scope = match spec.defect {
        Some(Defect::UsersOnly) => Some(flag(1)),
        Some(Defect::AuthoritiesOnly) => Some(flag(2)),
        Some(Defect::SomeReasonsOnly) => Some(element(der::implicit(3), &[6, 0x40])),
        Some(Defect::Indirect) => Some(flag(4)),
        Some(Defect::AttributesOnly) => Some(flag(5)),
        _ => None,
    };
    if point.is_none() && scope.is_none() {
        return None;
    }
    let value = sequence(&[&point.unwrap_or_default(), &scope.unwrap_or_default()]);
    Some(extension(ISSUING_DISTRIBUTION_POINT, true, &value))
}

fn entry(revoked: &Revoked, defect: Option<Defect>) -> Vec<u8> {
    let reason = |code: u8| extension(REASON_CODE, false, &[der::ENUMERATED, 1, code]);
    let mut extensions = revoked.reason.code().map(reason).unwrap_or_default();
    extensions.extend(match defect {
        Some(Defect::EntryUnknownCriticalExtension) => unknown_extension(true),
        Some(Defect::EntryOfOtherIssuer) => extension(CERTIFICATE_ISSUER, true, &[0x30, 0x00]),
        Some(Defect::EntryDuplicateExtension) => [reason(1), reason(6)].concat(),
        _ => Vec::new(),
    });
    let extensions = if extensions.is_empty() { Vec::new() } else { element(der::SEQUENCE, &extensions) };
    let serial = match defect {
        Some(Defect::ZeroSerial) => integer(&[]),
        _ => integer(revoked.serial.as_bytes()),
    };
    sequence(&[&serial, &time(revoked.at), &extensions])
}
