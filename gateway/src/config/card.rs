//! `[card]`: whom cards are believed from, how they are judged, and whom to ask when lists do not say.

use std::path::{Path, PathBuf};

use pki::{StandPolicy, WhenMissing, WhenStale};
use serde::{Deserialize, Serialize};

/// How a card proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardProof {
    /// It signs a challenge.
    #[default]
    Signature,
    /// Its certificate alone is taken; answers say so.
    Certificate,
}

/// How long an expired card still gives eligibility.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Grace {
    /// To the end of the third month after the month of expiry.
    #[default]
    #[serde(rename = "month_end_plus_3")]
    MonthEndPlus3,
    /// To the same day three months later.
    #[serde(rename = "expiry_plus_3")]
    ExpiryPlus3,
}

/// Card certificates. Everything but `lists`, `issuers`, `challenge_seconds` and
/// `revoked_kept_months` is taken over from the changed file on SIGHUP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Folder with the revocation lists (`*.crl`, DER), looked at again every few seconds.
    pub lists: PathBuf,
    /// Certificate policies taken; the production one when empty.
    #[serde(default)]
    pub policies: Vec<String>,
    /// How a card proves itself.
    #[serde(default)]
    pub proof: CardProof,
    /// How long an expired card still gives eligibility.
    #[serde(default)]
    pub grace: Grace,
    /// Seconds a challenge lives.
    #[serde(default = "default_challenge_seconds")]
    pub challenge_seconds: u32,
    /// Months for which a revocation is remembered, from its date; a certificate's longest life and grace.
    #[serde(default = "default_revoked_kept_months")]
    pub revoked_kept_months: u32,
    /// File that counts by which authorities the cards of the last weeks were issued, for rehearsing
    /// a change of anchors; nothing is counted without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuers: Option<PathBuf>,
    /// The card CAs.
    pub anchors: Vec<AnchorFile>,
    /// What to do where the lists do not say.
    #[serde(default)]
    pub revocation: RevocationRules,
    /// Whom to ask then; nobody when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responder: Option<Responder>,
}

const fn default_challenge_seconds() -> u32 {
    120
}

const fn default_revoked_kept_months() -> u32 {
    124
}

/// Trust anchors in a PEM file: its path, or path and fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a path, or { file = \"…\", sha256 = \"…\" }")]
pub enum AnchorFile {
    /// Whatever certificates the file holds.
    Path(PathBuf),
    /// The one certificate with that fingerprint.
    Pinned(PinnedAnchor),
}

/// A trust anchor whose fingerprint was compared with the published one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedAnchor {
    /// PEM file with this certificate alone.
    pub file: PathBuf,
    /// SHA-256 of the certificate in hexadecimal, with or without colons.
    pub sha256: String,
}

impl AnchorFile {
    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        match self {
            Self::Path(path) => path,
            Self::Pinned(pinned) => &pinned.file,
        }
    }

    /// The fingerprint that is pinned.
    #[must_use]
    pub fn pin(&self) -> Option<&str> {
        match self {
            Self::Path(_) => None,
            Self::Pinned(pinned) => Some(&pinned.sha256),
        }
    }

    pub(super) fn file_mut(&mut self) -> &mut PathBuf {
        match self {
            Self::Path(path) => path,
            Self::Pinned(pinned) => &mut pinned.file,
        }
    }
}

/// The octets of a fingerprint written in hexadecimal, colons between them or not.
#[must_use]
pub fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text.bytes().filter(|octet| *octet != b':').collect();
    let mut octets = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
        let pair =
            std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|d| d.is_ascii_hexdigit()))?;
        *octet = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(octets)
}

/// What is decided where no list says that a certificate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// It is refused.
    #[default]
    Refuse,
    /// It stands, and the answer's `revocation` says that this was not known.
    AcceptFlagged,
}

/// What to do where the lists do not say whether a certificate stands. Refusal where nothing is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RevocationRules {
    /// No list is held of the authority or of the certificate's distribution point.
    pub missing: Unknown,
    /// Hours past its next update for which a list still counts, flagged; none when 0.
    pub late_hours: u32,
    /// Hours after its date beyond which a list counts for nothing, whatever it says.
    pub max_age_hours: u32,
}

impl Default for RevocationRules {
    fn default() -> Self {
        Self { missing: Unknown::Refuse, late_hours: 0, max_age_hours: 168 }
    }
}

impl RevocationRules {
    /// When no list speaks of a certificate.
    #[must_use]
    pub const fn when_missing(&self) -> WhenMissing {
        match self.missing {
            Unknown::Refuse => WhenMissing::Refuse,
            Unknown::AcceptFlagged => WhenMissing::Accept,
        }
    }

    /// When the list is past its next update.
    #[must_use]
    pub fn when_stale(&self) -> WhenStale {
        match self.late_hours {
            0 => WhenStale::Refuse,
            hours => WhenStale::AcceptFor(i64::from(hours) * 3600),
        }
    }

    /// Seconds after its date beyond which a list counts for nothing.
    #[must_use]
    pub fn max_age(&self) -> i64 {
        i64::from(self.max_age_hours) * 3600
    }
}

impl Card {
    /// How a proven card is judged.
    #[must_use]
    pub fn stand(&self) -> StandPolicy {
        StandPolicy {
            grace: self.grace.into(),
            missing: self.revocation.when_missing(),
            stale: self.revocation.when_stale(),
            max_age: self.revocation.max_age(),
        }
    }
}

impl From<Grace> for pki::GraceRule {
    fn from(grace: Grace) -> Self {
        match grace {
            Grace::MonthEndPlus3 => Self::MonthEndPlus3,
            Grace::ExpiryPlus3 => Self::ExpiryPlus3,
        }
    }
}

/// An authority's responder (OCSP over HTTP), asked about what the lists do not cover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Responder {
    /// `http://host[:port]/path`; the address that the certificate names when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Hosts that a certificate may name: no other is ever connected to.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Also ask about cards whose serial nobody has linked.
    #[serde(default)]
    pub unlinked: bool,
    /// Milliseconds from the question to the last octet of the answer.
    #[serde(default = "default_deadline_ms")]
    pub deadline_ms: u64,
    /// Most questions at once; more are not asked.
    #[serde(default = "default_in_flight")]
    pub in_flight: usize,
    /// Failures in a row after which nobody is asked for a while.
    #[serde(default = "default_failures")]
    pub failures: u32,
    /// Seconds of that while.
    #[serde(default = "default_pause_seconds")]
    pub pause_seconds: u64,
    /// Hours beyond which an answer counts for nothing, whatever it says.
    #[serde(default = "default_answer_hours")]
    pub max_age_hours: u32,
    /// Refuse answers without the nonce that was sent.
    #[serde(default)]
    pub require_nonce: bool,
}

const fn default_deadline_ms() -> u64 {
    1500
}

const fn default_in_flight() -> usize {
    32
}

const fn default_failures() -> u32 {
    5
}

const fn default_pause_seconds() -> u64 {
    30
}

const fn default_answer_hours() -> u32 {
    24
}

impl Responder {
    /// What is wrong with it: the key and why.
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        let none = |zero: bool| zero.then(|| "must be greater than zero".to_owned());
        let unusable = self.url.as_deref().filter(|url| crate::trust::Address::parse(url).is_none());
        let nobody = self.url.is_none() && self.hosts.is_empty();
        [
            ("card.responder.url", unusable.map(|_| "must be http://host[:port]/path".to_owned())),
            (
                "card.responder",
                nobody.then(|| "name a url, or the hosts that certificates may name".to_owned()),
            ),
            ("card.responder.deadline_ms", none(self.deadline_ms == 0)),
            ("card.responder.in_flight", none(self.in_flight == 0)),
            ("card.responder.failures", none(self.failures == 0)),
            ("card.responder.max_age_hours", none(self.max_age_hours == 0)),
        ]
        .into_iter()
        .find_map(|(key, why)| why.map(|why| (key, why)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_openssl_prints_them() {
        let plain = "00ff".repeat(16);
        let colons = ["00:ff"; 16].join(":").to_uppercase();
        assert_eq!(fingerprint(&plain), fingerprint(&colons));
        assert!(fingerprint(&plain).is_some());
        for wrong in ["", "00", &"0".repeat(63), &"g0".repeat(32), &"+f".repeat(32)] {
            assert_eq!(fingerprint(wrong), None, "{wrong}");
        }
    }
}
