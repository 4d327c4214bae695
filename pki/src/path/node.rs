//! A certificate read for its place in a path: envelope and every extension that validation acts
//! on. What the values must say is judged in `walk`.

use super::constraints::Constraints;
use super::error::PathReason;
use super::names::GeneralName;
use crate::algorithm;
use crate::certificate::Certificate;
use crate::der::{self, Malformed};
use crate::extension::{
    self, AUTHORITY_KEY_IDENTIFIER, AuthorityKey, BASIC_CONSTRAINTS, CERTIFICATE_POLICIES,
    DISTRIBUTION_POINTS, EXTENDED_KEY_USAGE, KEY_USAGE, SUBJECT_KEY_IDENTIFIER,
};
use crate::profile::read_serial;
use crate::serial::Serial;

const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];
const POLICY_MAPPINGS: &[u8] = &[0x55, 0x1d, 0x21];
const POLICY_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x24];
const INHIBIT_ANY_POLICY: &[u8] = &[0x55, 0x1d, 0x36];

/// The extensions acted on, which may therefore be critical.
const UNDERSTOOD: [&[u8]; 10] = [
    KEY_USAGE,
    EXTENDED_KEY_USAGE,
    BASIC_CONSTRAINTS,
    SUBJECT_ALTERNATIVE_NAME,
    NAME_CONSTRAINTS,
    CERTIFICATE_POLICIES,
    POLICY_MAPPINGS,
    POLICY_CONSTRAINTS,
    INHIBIT_ANY_POLICY,
    DISTRIBUTION_POINTS,
];

/// Policies or mappings beyond this number in one certificate are not read.
const MOST_POLICIES: usize = 32;

/// Issuer's policy and the subject's that stands for it.
pub(super) type Mapping<'a> = (&'a [u8], &'a [u8]);

/// A certificate with its extensions' values.
pub(super) struct Node<'a> {
    pub(super) certificate: Certificate<'a>,
    pub(super) serial: Serial,
    pub(super) is_authority: bool,
    pub(super) path_length: Option<u32>,
    pub(super) key_usage: Option<u16>,
    /// Content octets of the purposes' OIDs.
    pub(super) purposes: Option<Vec<&'a [u8]>>,
    pub(super) names: Vec<GeneralName<'a>>,
    pub(super) constraints: Option<Constraints<'a>>,
    pub(super) policies: Option<Vec<&'a [u8]>>,
    pub(super) mappings: Vec<Mapping<'a>>,
    pub(super) require_policy: Option<u32>,
    pub(super) inhibit_mapping: Option<u32>,
    pub(super) inhibit_any: Option<u32>,
    pub(super) authority_key: Option<AuthorityKey<'a>>,
    pub(super) key_identifier: Option<&'a [u8]>,
    /// DER names of its distribution points.
    pub(super) points: Vec<&'a [u8]>,
}

/// A certificate that cannot have a place in a path.
pub(super) struct Unread<'a> {
    pub(super) reason: PathReason,
    /// DER of its subject, where that much can be read.
    subject: Option<&'a [u8]>,
}

impl Unread<'_> {
    /// Whether this may be the certificate that signed `other`, had it only been readable.
    pub(super) fn may_have_issued(&self, other: &Node<'_>) -> bool {
        self.subject.is_none_or(|subject| subject == other.certificate.issuer)
    }
}

impl<'a> Node<'a> {
    /// Reads a certificate that somebody gave, or says why it has no place in a path.
    pub(super) fn given(bytes: &'a [u8]) -> Result<Node<'a>, Unread<'a>> {
        Node::read(bytes).map_err(|reason| {
            let subject = Certificate::read(bytes).ok().map(|certificate| certificate.subject);
            Unread { reason, subject }
        })
    }

    pub(super) fn read(bytes: &'a [u8]) -> Result<Node<'a>, PathReason> {
        let certificate = Certificate::read(bytes).map_err(|Malformed| PathReason::Malformed)?;
        check_envelope(&certificate)?;
        let value = Values(&certificate);
        let (is_authority, path_length) =
            value.of(BASIC_CONSTRAINTS, extension::basic_constraints)?.unwrap_or((false, None));
        let (require_policy, inhibit_mapping) =
            value.of(POLICY_CONSTRAINTS, policy_constraints)?.unwrap_or((None, None));
        let constraints = value.of(NAME_CONSTRAINTS, Constraints::read)?;
        if constraints.as_ref().is_some_and(Constraints::is_foreign) {
            return Err(PathReason::ConstraintForm);
        }
        let names = value.of(SUBJECT_ALTERNATIVE_NAME, GeneralName::read_all)?.unwrap_or_default();
        check_subject(&certificate, is_authority, &names)?;
        Ok(Node {
            serial: read_serial(certificate.serial).ok_or(PathReason::Serial)?,
            is_authority,
            path_length,
            key_usage: value.of(KEY_USAGE, extension::key_usage)?,
            purposes: value.of(EXTENDED_KEY_USAGE, purposes)?,
            names,
            constraints,
            policies: value.of(CERTIFICATE_POLICIES, policies)?,
            mappings: value.of(POLICY_MAPPINGS, mappings)?.unwrap_or_default(),
            require_policy,
            inhibit_mapping,
            inhibit_any: value.of(INHIBIT_ANY_POLICY, small_integer)?,
            authority_key: value.of(AUTHORITY_KEY_IDENTIFIER, AuthorityKey::read)?,
            key_identifier: value.of(SUBJECT_KEY_IDENTIFIER, extension::subject_key_identifier)?,
            points: value.of(DISTRIBUTION_POINTS, extension::distribution_points)?.unwrap_or_default(),
            certificate,
        })
    }

    /// Whether the two names are the same octets.
    pub(super) fn is_self_issued(&self) -> bool {
        self.certificate.issuer == self.certificate.subject
    }

    /// Whether this may be the certificate that signed `other`: by name, and by every part of the
    /// authority key identifier that is there.
    pub(super) fn may_have_issued(&self, other: &Node<'_>) -> bool {
        let authority = other.authority_key.as_ref();
        self.certificate.subject == other.certificate.issuer && authority.is_none_or(|key| self.is(key))
    }

    /// Whether the identifier points at this certificate.
    pub(super) fn is(&self, authority: &AuthorityKey<'_>) -> bool {
        let key = match (authority.key_identifier, self.key_identifier) {
            (Some(theirs), Some(ours)) => theirs == ours,
            _ => true,
        };
        let certificate = authority.certificate.is_none_or(|(issuer, serial)| {
            issuer == self.certificate.issuer && serial == self.serial.as_bytes()
        });
        key && certificate
    }
}

struct Values<'a, 'b>(&'b Certificate<'a>);

impl<'a> Values<'a, '_> {
    fn of<T>(
        &self,
        id: &[u8],
        read: impl FnOnce(&'a [u8]) -> Result<T, Malformed>,
    ) -> Result<Option<T>, PathReason> {
        let Some(extension) = self.0.extensions.find(id) else {
            return Ok(None);
        };
        read(extension.value).map(Some).map_err(|Malformed| PathReason::ExtensionValue)
    }
}

fn check_envelope(certificate: &Certificate<'_>) -> Result<(), PathReason> {
    if certificate.version != 2 {
        return Err(PathReason::Version);
    }
    if certificate.algorithm != certificate.inner_algorithm {
        return Err(PathReason::AlgorithmMismatch);
    }
    if certificate.has_unique_identifiers {
        return Err(PathReason::UniqueIdentifier);
    }
    if certificate.extensions.has_duplicates() {
        return Err(PathReason::DuplicateExtension);
    }
    if certificate.extensions.has_unknown_critical(&UNDERSTOOD) {
        return Err(PathReason::UnknownCriticalExtension);
    }
    if !algorithm::is_usable_key(certificate.key) {
        return Err(PathReason::Key);
    }
    Ok(())
}

/// RFC 5280, 4.1.2.4 and 4.1.2.6.
fn check_subject(
    certificate: &Certificate<'_>,
    is_authority: bool,
    names: &[GeneralName<'_>],
) -> Result<(), PathReason> {
    let empty = |name: &[u8]| name == [0x30, 0x00];
    let alternative = certificate.extensions.find(SUBJECT_ALTERNATIVE_NAME);
    let named_otherwise = !names.is_empty() && alternative.is_some_and(|extension| extension.critical);
    if empty(certificate.issuer) || (empty(certificate.subject) && (is_authority || !named_otherwise)) {
        return Err(PathReason::EmptyName);
    }
    Ok(())
}

/// extKeyUsage: the purposes; at least one.
fn purposes(value: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let mut reader = der::only(value, der::SEQUENCE)?.reader();
    let mut purposes = Vec::with_capacity(2);
    while !reader.is_empty() {
        purposes.push(reader.expect(der::OID)?.content);
    }
    if purposes.is_empty() { Err(Malformed) } else { Ok(purposes) }
}

/// certificatePolicies, none of them twice.
fn policies(value: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let policies = extension::policies(value)?;
    let earlier = |at: usize| policies.iter().take(at);
    let twice = policies.len() > MOST_POLICIES
        || policies.iter().enumerate().any(|(at, one)| earlier(at).any(|other| other == one));
    if twice { Err(Malformed) } else { Ok(policies) }
}

/// policyMappings (4.2.1.5); at least one.
fn mappings(value: &[u8]) -> Result<Vec<Mapping<'_>>, Malformed> {
    let mut reader = der::only(value, der::SEQUENCE)?.reader();
    let mut mappings = Vec::new();
    while !reader.is_empty() {
        let mut pair = reader.enter(der::SEQUENCE)?;
        mappings.push((pair.expect(der::OID)?.content, pair.expect(der::OID)?.content));
        pair.end()?;
    }
    if mappings.is_empty() || mappings.len() > MOST_POLICIES { Err(Malformed) } else { Ok(mappings) }
}

/// policyConstraints (4.2.1.11): requireExplicitPolicy, inhibitPolicyMapping; at least one.
fn policy_constraints(value: &[u8]) -> Result<(Option<u32>, Option<u32>), Malformed> {
    let mut reader = der::only(value, der::SEQUENCE)?.reader();
    let mut skip = |number| {
        reader.optional(der::implicit(number)).and_then(|one| one.map(|one| one.small()).transpose())
    };
    let (require, inhibit) = (skip(0)?, skip(1)?);
    reader.end()?;
    if require.is_none() && inhibit.is_none() { Err(Malformed) } else { Ok((require, inhibit)) }
}

fn small_integer(value: &[u8]) -> Result<u32, Malformed> {
    der::only(value, der::INTEGER)?.small()
}
