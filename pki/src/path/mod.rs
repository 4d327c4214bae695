//! Path validation after RFC 5280, section 6, complete: from a leaf over any authorities between to
//! a trust anchor. For the client certificates of institutions, and for cards where an authority
//! stands between; the cards of today have none, and [`crate::prove`] is their shorter way.
//!
//! ```text
//! chain ──► node ──► search ──► walk ──► signatures ──► lists ──► ValidatedClient
//!           read     paths,     6.1:     of the one     of each
//!                    budget     names,   path that      certificate
//!                               policies walks
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `node` | a certificate with every extension that is acted on |
//! | `search`, `budget` | the paths tried, and what one validation may cost |
//! | `walk` | 6.1.2 to 6.1.5 down one path |
//! | `policy` | the valid policies, by the graph of RFC 9618 |
//! | `names`, `dn`, `constraints` | general names, distinguished names, subtrees |
//! | `trust`, `client` | anchors and intermediates; the verdict on a client |
//!
//! # What is refused that the standard would allow
//!
//! | refused | because |
//! |---|---|
//! | issuer and subject names that are equal by 7.1 but not octet by octet | authorities copy their name (4.1.2.4); lenient matching has only ever helped attackers |
//! | an authority without keyUsage | 4.2.1.3 demands it; without it a key may do anything |
//! | an anchor past its validity, without keyCertSign, or against its own path length and name constraints | its certificate is the operator's word on what it vouches for (RFC 5937) |
//! | an authority whose extKeyUsage lacks the purpose | so an authority for servers makes no clients |
//! | a leaf without extKeyUsage clientAuth, or with anyExtendedKeyUsage alone | purposes are said, not guessed |
//! | a leaf without keyUsage, or without digitalSignature in it | TLS clients sign |
//! | a leaf that is an authority, or an anchor itself | an authority's key has other work |
//! | unique identifiers, version 1 | obsolete, and no conforming authority writes them |
//! | an empty issuer; an empty subject without critical alternative names | 4.1.2.4, 4.1.2.6 |
//! | a serial of zero, negative, or beyond 20 octets | 4.1.2.2; revocation is by serial |
//! | DER with more than one spelling, the same extension or policy twice | what is signed has one reading |
//! | critical extensions that are not acted on, issuerAltName among them | nobody would look at them |
//! | key identifiers that are critical | 4.2.1.1 and 4.2.1.2 forbid it |
//! | name constraints on forms other than the five, with minimum or maximum, or non-contiguous masks | a constraint that cannot be applied protects nobody |
//! | under constraints of their form: quoted mailboxes, URIs without a host name, hosts with other characters, UTF-8 mailboxes | they could be compared in two ways |
//! | SHA-1, RSA below 2048 or above 4096 bits or with another exponent than 65537, PSS with other parameters than the three usual sets, curves other than P-256 and P-384, DSA, EdDSA | not needed; each is one more thing to get right |
//! | signature parameters absent where RFC 4055 writes NULL | one spelling |
//! | more than 10 certificates, 6 intermediates, 32 policies or mappings in one, 8192 octets, 10 signature checks, 50 000 comparisons, 32 paths | the other side pays nothing for making it expensive |
//!
//! Accepted, though some verifiers refuse: basicConstraints that is not critical (6.1.4 does not
//! ask), a common name that looks like a host name outside the permitted hosts (names of clients
//! are read from the subject's attributes by rules, never as host names).

mod budget;
mod client;
mod constraints;
pub(crate) mod dn;
mod error;
mod names;
mod node;
mod policy;
mod search;
mod trust;
mod walk;

pub use self::budget::{MOST_CERTIFICATES, MOST_INTERMEDIATES};
pub use self::client::{NameAttribute, PathCertificates, ValidatedClient, validate_client};
pub use self::error::{PathError, PathReason};
pub use self::trust::{PathTrust, PathTrustError};

use crate::oid::{OidError, encode_oid};
use crate::profile::CardProfile;
use crate::stand::{WhenMissing, WhenStale};

/// What a path is validated for, and the inputs that the standard leaves to the user (6.1.1).
#[derive(Clone, Debug)]
pub struct PathPolicy {
    /// What the leaf must be.
    pub purpose: Purpose,
    /// user-initial-policy-set; nothing for any policy.
    pub policies: Option<PolicySet>,
    /// initial-explicit-policy: a path needs a valid policy.
    pub require_explicit_policy: bool,
    /// initial-policy-mapping-inhibit.
    pub inhibit_policy_mapping: bool,
    /// initial-any-policy-inhibit.
    pub inhibit_any_policy: bool,
    /// When no list held speaks of a certificate on the path.
    pub missing: WhenMissing,
    /// When the list that does is past its nextUpdate.
    pub stale: WhenStale,
    /// Seconds since its thisUpdate after which a list counts for nothing.
    pub max_age: i64,
}

/// What a leaf must be.
#[derive(Clone, Debug)]
pub enum Purpose {
    /// A TLS client.
    Client,
    /// A card of that profile.
    Card(CardProfile),
    /// Anything: the path alone is judged.
    Any,
}

/// Certificate policies by their object identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicySet(Vec<Vec<u8>>);

impl PolicySet {
    /// Exactly these, in dotted form.
    ///
    /// # Errors
    /// One of them is no dotted object identifier.
    pub fn of<T: AsRef<str>>(policies: impl IntoIterator<Item = T>) -> Result<PolicySet, OidError> {
        policies
            .into_iter()
            .map(|dotted| encode_oid(dotted.as_ref()))
            .collect::<Result<_, _>>()
            .map(PolicySet)
    }

    fn octets(&self) -> &[Vec<u8>] {
        &self.0
    }
}

impl PathPolicy {
    /// For that purpose: any policy, none required; refuses where revocation is not known.
    pub fn new(purpose: Purpose) -> PathPolicy {
        PathPolicy {
            purpose,
            policies: None,
            require_explicit_policy: false,
            inhibit_policy_mapping: false,
            inhibit_any_policy: false,
            missing: WhenMissing::Refuse,
            stale: WhenStale::Refuse,
            max_age: 7 * 86_400,
        }
    }
}
