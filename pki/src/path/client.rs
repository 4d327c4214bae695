//! The verdict on a client certificate: a valid path, and nothing on it revoked. What a client may
//! do is decided elsewhere, by the names in its certificate.

use std::fmt;
use std::sync::Arc;

use super::PathPolicy;
use super::budget::MOST_CERTIFICATES;
use super::dn;
use super::error::{PathError, PathReason};
use super::node::{Node, Unread};
use super::search::{Found, Search};
use super::trust::PathTrust;
use crate::anchors::{AuthorityId, sha256};
use crate::der::Malformed;
use crate::lists::{Lists, Standing};
use crate::oid::decode_oid;
use crate::serial::Serial;
use crate::stand::{Revocation, RevocationSource, WhenMissing, check_age};
use crate::time::UnixTime;

/// A client certificate with a valid path that was not revoked when it was asked for. Only
/// [`validate_client`] makes one.
#[derive(Clone)]
pub struct ValidatedClient {
    serial: Serial,
    authority: AuthorityId,
    subject: Box<[u8]>,
    issuer: Box<[u8]>,
    valid_until: UnixTime,
    fingerprint: [u8; 32],
    policies: Vec<String>,
    revocation: Revocation,
    path: Vec<usize>,
    certificates: PathCertificates,
}

/// The certificates of a valid path, to be looked up again in later lists. Cheap to clone.
#[derive(Clone)]
pub struct PathCertificates(Arc<[LookedUp]>);

/// What lists are asked about one certificate.
struct LookedUp {
    issuer: AuthorityId,
    serial: Serial,
    points: Vec<Arc<[u8]>>,
    is_authority: bool,
}

impl PathCertificates {
    /// Whether any of them is revoked or on hold by these lists. That none is, is no proof that the
    /// path stands: lists may be missing or late.
    pub fn is_revoked(&self, lists: &Lists) -> bool {
        let standing = |one: &LookedUp| one.standing(lists);
        self.0
            .iter()
            .map(standing)
            .any(|standing| matches!(standing, Standing::Revoked | Standing::Suspended))
    }
}

impl LookedUp {
    fn of(node: &Node<'_>, issuer: &Node<'_>, place: usize) -> LookedUp {
        LookedUp {
            issuer: id(issuer),
            serial: node.serial,
            points: node.points.iter().map(|name| (*name).into()).collect(),
            is_authority: place > 0,
        }
    }

    fn standing(&self, lists: &Lists) -> Standing {
        lists.standing_of((self.issuer, self.serial), &self.points, self.is_authority, None)
    }
}

/// One attribute of a distinguished name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAttribute {
    /// Its type, dotted: `2.5.4.3` for the common name.
    pub kind: String,
    /// Its value, if it is text.
    pub text: Option<String>,
}

/// Validates a chain as a TLS client sends it: the leaf first, others in any order, each in DER.
/// The configured intermediates are used too.
///
/// Costs at most ten signature checks, whatever is sent.
///
/// # Errors
/// Why there is no valid path, or what is revoked on the one there is.
pub fn validate_client<T: AsRef<[u8]>>(
    chain: &[T],
    trust: &PathTrust,
    lists: &Lists,
    now: UnixTime,
) -> Result<ValidatedClient, PathError> {
    if chain.len() > MOST_CERTIFICATES {
        return Err(PathError { reason: PathReason::TooMany, at: 0, path: Vec::new() });
    }
    let Some(leaf_der) = chain.first() else {
        return Err(PathError { reason: PathReason::Empty, at: 0, path: Vec::new() });
    };
    let anchors = trust.anchors();
    let given = chain.iter().map(AsRef::as_ref);
    let nodes: Vec<_> = given.chain(trust.intermediates()).map(Node::given).collect();
    let found = Search::new(&nodes, &anchors, trust.policy(), now).run()?;
    let (path, anchor) = resolve(&found, &nodes, &anchors).ok_or_else(|| PathError {
        reason: PathReason::Empty,
        at: 0,
        path: found.path.clone(),
    })?;
    let issuers = path.iter().skip(1).copied().chain([anchor]);
    let looked_up = path.iter().zip(issuers).enumerate();
    let certificates: Arc<[LookedUp]> =
        looked_up.map(|(at, (node, issuer))| LookedUp::of(node, issuer, at)).collect();
    let checked = check_revocation(&path, &certificates, trust.policy(), lists, now);
    let revocation = checked.map_err(|(at, reason)| PathError { reason, at, path: found.path.clone() })?;
    let Some(leaf) = path.first() else {
        return Err(PathError { reason: PathReason::Empty, at: 0, path: Vec::new() });
    };
    let ends = path.iter().chain([&anchor]).map(|node| node.certificate.not_after);
    Ok(ValidatedClient {
        serial: leaf.serial,
        authority: id(path.get(1).copied().unwrap_or(anchor)),
        subject: leaf.certificate.subject.into(),
        issuer: leaf.certificate.issuer.into(),
        valid_until: ends.min().unwrap_or(now),
        fingerprint: sha256(leaf_der.as_ref()),
        policies: found.policies.iter().filter_map(|octets| decode_oid(octets)).collect(),
        revocation,
        certificates: PathCertificates(certificates),
        path: found.path,
    })
}

/// The certificates of a path, from the leaf upwards, and the anchor above.
fn resolve<'a, 'b>(
    found: &Found,
    nodes: &'b [Result<Node<'a>, Unread<'a>>],
    anchors: &'b [Node<'a>],
) -> Option<(Vec<&'b Node<'a>>, &'b Node<'a>)> {
    let node = |at: &usize| nodes.get(*at).and_then(|node| node.as_ref().ok());
    let path: Option<Vec<_>> = found.path.iter().map(node).collect();
    Some((path?, anchors.get(found.anchor)?))
}

/// Looks up every certificate below the anchor. Gives what is known of the leaf.
fn check_revocation(
    path: &[&Node<'_>],
    certificates: &[LookedUp],
    policy: &PathPolicy,
    lists: &Lists,
    now: UnixTime,
) -> Result<Revocation, (usize, PathReason)> {
    let mut of_leaf = None;
    for (at, (node, one)) in path.iter().zip(certificates).enumerate().rev() {
        of_leaf = Some(judge(one.standing(lists), node, policy, now).map_err(|reason| (at, reason))?);
    }
    of_leaf.ok_or((0, PathReason::Empty))
}

fn judge(
    standing: Standing,
    node: &Node<'_>,
    policy: &PathPolicy,
    now: UnixTime,
) -> Result<Revocation, PathReason> {
    match (standing, policy.missing) {
        (Standing::Revoked, _) => Err(PathReason::Revoked),
        (Standing::Suspended, _) => Err(PathReason::Suspended),
        (Standing::Unknown(reason), WhenMissing::Refuse) => Err(PathReason::RevocationUnknown(reason)),
        (Standing::Unknown(_), WhenMissing::Accept) => Ok(Revocation {
            source: RevocationSource::Unchecked,
            as_of: node.certificate.not_before,
            stale: false,
        }),
        (Standing::Clear { this_update, next_update }, _) => {
            let stale = check_age((this_update, next_update), now, policy.stale, policy.max_age)
                .map_err(PathReason::RevocationUnknown)?;
            Ok(Revocation { source: RevocationSource::Crl, as_of: this_update, stale })
        }
    }
}

fn id(node: &Node<'_>) -> AuthorityId {
    AuthorityId::from_bytes(sha256(node.certificate.key))
}

impl ValidatedClient {
    /// The certificate's serial number.
    pub fn serial(&self) -> Serial {
        self.serial
    }

    /// The key that issued it: with the serial, what [`Lists::is_listed`] asks for.
    pub fn authority(&self) -> AuthorityId {
        self.authority
    }

    /// DER of its subject.
    pub fn subject(&self) -> &[u8] {
        &self.subject
    }

    /// DER of its issuer.
    pub fn issuer(&self) -> &[u8] {
        &self.issuer
    }

    /// The attributes of its subject, in their order.
    pub fn subject_attributes(&self) -> Vec<NameAttribute> {
        attributes(&self.subject)
    }

    /// The attributes of its issuer, in their order.
    pub fn issuer_attributes(&self) -> Vec<NameAttribute> {
        attributes(&self.issuer)
    }

    /// The last second of the shortest validity on its path.
    pub fn valid_until(&self) -> UnixTime {
        self.valid_until
    }

    /// SHA-256 of the certificate.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// The policies valid along the path and among those asked for, dotted.
    pub fn policies(&self) -> &[String] {
        &self.policies
    }

    /// Every certificate on the path: each of them ends it when it is revoked.
    pub fn certificates(&self) -> &PathCertificates {
        &self.certificates
    }

    /// What is known of its revocation.
    pub fn revocation(&self) -> Revocation {
        self.revocation
    }

    /// The path, as in [`PathError::path`].
    pub fn path(&self) -> &[usize] {
        &self.path
    }
}

/// Those that can be read; a name with one that cannot is without any.
fn attributes(name: &[u8]) -> Vec<NameAttribute> {
    let read = |one: &dn::Attribute<'_>| {
        Ok(NameAttribute { kind: decode_oid(one.kind).ok_or(Malformed)?, text: dn::text(&one.value)? })
    };
    let all = dn::attributes(name).and_then(|all| all.iter().map(read).collect::<Result<_, Malformed>>());
    all.unwrap_or_default()
}

impl fmt::Debug for PathCertificates {
    /// Without the serials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PathCertificates({})", self.0.len())
    }
}

impl fmt::Debug for ValidatedClient {
    /// Without the names: a client may be a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValidatedClient").field("path", &self.path).finish_non_exhaustive()
    }
}
