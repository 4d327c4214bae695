//! Asking an authority's responder about one certificate (OCSP, RFC 6960): request octets out,
//! response octets in. Nothing is fetched here; deadlines, retries and the circuit breaker belong to
//! whoever carries the octets.
//!
//! ```text
//! Proven ──► Question::about ──► request ──► (the caller's connection)
//!                 │                                   │
//!                 └────────────► judge ◄── response ──┘ ──► OcspAnswer ──► stand_with_answer
//! ```
//!
//! An answer counts only when it is signed by the authority itself, or by a responder that the same
//! authority has certified for this (extKeyUsage OCSPSigning); when it is about this very
//! certificate; when it is fresh; and when a nonce that comes back is the one sent.

mod answers;
mod read;
mod responder;

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use thiserror::Error;

use self::read::{CertStatus, Response, Single};
use crate::anchors::{Anchor, AuthorityId};
use crate::der::Malformed;
use crate::lists::{Lists, Remembered};
use crate::prove::{Proven, TrustView};
use crate::serial::Serial;
use crate::time::UnixTime;
use crate::writing::{element, integer, sequence};

pub use self::answers::SeenAnswers;

/// Seconds by which the responder's clock and ours may differ.
const CLOCK_TOLERANCE: i64 = 60;
/// id-pkix-ocsp-nonce, 1.3.6.1.5.5.7.48.1.2
const NONCE: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02];
/// AlgorithmIdentifiers of SHA-1 and SHA-256, with NULL as everybody writes them here.
const SHA1_IDENTIFIER: &[u8] = &[0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00];
const SHA256_IDENTIFIER: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00];

/// The hash that a question names the issuer by. It protects nothing: responders that know only
/// SHA-1 are still common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IssuerHash {
    /// SHA-1, which every responder knows (RFC 5019).
    #[default]
    Sha1,
    /// SHA-256.
    Sha256,
}

/// What is asked of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OcspPolicy {
    /// Seconds since its thisUpdate after which an answer counts for nothing, whatever it says of
    /// its nextUpdate.
    pub max_age: i64,
    /// Refuse an answer without the nonce that was sent. Responders that sign ahead never have it.
    pub require_nonce: bool,
}

impl Default for OcspPolicy {
    /// A day; the nonce is not required.
    fn default() -> OcspPolicy {
        OcspPolicy { max_age: 86_400, require_nonce: false }
    }
}

/// One certificate to ask about.
#[derive(Clone)]
pub struct Question {
    authority: AuthorityId,
    serial: Serial,
    hash: IssuerHash,
    name_hash: Vec<u8>,
    key_hash: Vec<u8>,
    nonce: Option<[u8; 32]>,
}

/// What a responder says of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OcspStatus {
    /// Not revoked.
    Good,
    /// Revoked for ever.
    Revoked,
    /// On hold.
    Suspended,
    /// The responder does not know it.
    Unknown,
}

/// An answer that counts. Only [`Question::judge`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OcspAnswer {
    authority: AuthorityId,
    serial: Serial,
    status: OcspStatus,
    this_update: UnixTime,
    until: UnixTime,
    /// Of a certificate that is revoked or on hold.
    revoked_at: Option<UnixTime>,
}

impl OcspAnswer {
    /// What it says.
    pub fn status(&self) -> OcspStatus {
        self.status
    }

    /// The moment it speaks of.
    pub fn this_update(&self) -> UnixTime {
        self.this_update
    }

    /// The last second it counts: the earliest of its nextUpdate, its greatest age, and the end of
    /// the responder's certificate.
    pub fn until(&self) -> UnixTime {
        self.until
    }

    /// The key that issued the certificate it is about.
    pub fn authority(&self) -> AuthorityId {
        self.authority
    }

    /// The certificate it is about.
    pub fn serial(&self) -> Serial {
        self.serial
    }

    /// The revocation or hold that it tells of, to be remembered as if a list had told of it.
    pub fn remembered(&self) -> Option<Remembered> {
        let hold = self.status == OcspStatus::Suspended;
        let (authority, serial, listed_at) = (self.authority, self.serial, self.this_update);
        self.revoked_at.map(|revoked_at| Remembered { authority, serial, revoked_at, hold, listed_at })
    }

    /// Whether it is about that certificate, and counts at that moment.
    pub fn counts_for(&self, authority: AuthorityId, serial: Serial, now: UnixTime) -> bool {
        (self.authority, self.serial) == (authority, serial) && now <= self.until.plus(CLOCK_TOLERANCE)
    }
}

/// Why a response is no answer. None of them says anything of the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum OcspError {
    /// Not an OCSP response in DER, or longer than is read.
    #[error("not an OCSP response in DER")]
    Malformed,
    /// The responder refused to answer, with this status.
    #[error("the responder did not answer: {0}")]
    Refused(ResponderRefusal),
    /// The response is of a type other than basic.
    #[error("not a basic response")]
    Type,
    /// An extension is critical and not understood, or occurs twice.
    #[error("unknown critical extension")]
    Extension,
    /// Signed neither by the authority nor by a responder it has certified.
    #[error("signed by nobody who may answer")]
    Responder,
    /// The responder's certificate is not valid now.
    #[error("the responder's certificate is not valid now")]
    ResponderExpired,
    /// The responder's certificate is revoked, or that cannot be said.
    #[error("the responder's certificate is revoked or cannot be checked")]
    ResponderRevoked,
    /// The signature is not the responder's.
    #[error("signature is not the responder's")]
    Signature,
    /// It says nothing of this certificate, or two things.
    #[error("not about this certificate")]
    OtherCertificate,
    /// It speaks of a moment ahead of our clock.
    #[error("issued in the future")]
    FromTheFuture,
    /// It is past its nextUpdate or older than allowed.
    #[error("too old")]
    TooOld,
    /// It has another nonce than the one sent, or none where one is required.
    #[error("not the nonce that was sent")]
    Nonce,
}

/// OCSPResponseStatus, other than successful (RFC 6960, 4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum ResponderRefusal {
    /// malformedRequest
    #[error("malformed request")]
    MalformedRequest,
    /// internalError
    #[error("internal error")]
    InternalError,
    /// tryLater
    #[error("try later")]
    TryLater,
    /// sigRequired
    #[error("signature required")]
    SignatureRequired,
    /// unauthorized: not for this caller, or not its certificate
    #[error("unauthorized")]
    Unauthorized,
    /// A status that the standard does not have.
    #[error("unknown status")]
    Other,
}

impl Question {
    /// About a proven card; nothing when its authority is no anchor of the view any more. The
    /// nonce, if any, must be random and used once.
    pub fn about(
        proven: &Proven,
        view: &TrustView,
        hash: IssuerHash,
        nonce: Option<[u8; 32]>,
    ) -> Option<Question> {
        let anchor = view.anchors.iter().find(|anchor| anchor.id() == proven.authority())?;
        Some(Question {
            authority: anchor.id(),
            serial: proven.serial(),
            hash,
            name_hash: hash.of(anchor.name()),
            key_hash: hash.of(anchor.key_octets()),
            nonce,
        })
    }

    /// The authority of the certificate asked about.
    pub fn authority(&self) -> AuthorityId {
        self.authority
    }

    /// The serial number asked about.
    pub fn serial(&self) -> Serial {
        self.serial
    }

    /// The request in DER, to be sent as `application/ocsp-request`.
    pub fn request(&self) -> Vec<u8> {
        let identifier = match self.hash {
            IssuerHash::Sha1 => SHA1_IDENTIFIER,
            IssuerHash::Sha256 => SHA256_IDENTIFIER,
        };
        let octets = |content: &[u8]| element(crate::der::OCTET_STRING, content);
        let certificate = sequence(&[
            identifier,
            &octets(&self.name_hash),
            &octets(&self.key_hash),
            &integer(self.serial.as_bytes()),
        ]);
        let list = sequence(&[&sequence(&[&certificate])]);
        let extensions = self.nonce.map(|nonce| {
            let value = octets(&octets(&nonce));
            let extension = sequence(&[&element(crate::der::OID, NONCE), &value]);
            element(crate::der::explicit(2), &sequence(&[&extension]))
        });
        sequence(&[&sequence(&[&list, &extensions.unwrap_or_default()])])
    }

    /// Judges a response to it.
    ///
    /// Costs at most one signature check for the response and one for each certificate of a
    /// responder in it, of which four are read.
    ///
    /// # Errors
    /// Why it is no answer.
    pub fn judge(
        &self,
        response: &[u8],
        view: &TrustView,
        now: UnixTime,
        policy: &OcspPolicy,
    ) -> Result<OcspAnswer, OcspError> {
        let response = Response::read(response)?;
        let anchor = view.anchors.iter().find(|anchor| anchor.id() == self.authority);
        let anchor = anchor.ok_or(OcspError::Responder)?;
        let signer_until = responder::check(&response, anchor, &view.lists, now)?;
        self.check_nonce(&response, policy)?;
        let single = self.find(&response)?;
        let until = check_fresh(single, &response, now, policy)?;
        let status = match single.status {
            CertStatus::Good => OcspStatus::Good,
            CertStatus::Revoked { hold: true, .. } => OcspStatus::Suspended,
            CertStatus::Revoked { hold: false, .. } => OcspStatus::Revoked,
            CertStatus::Unknown => OcspStatus::Unknown,
        };
        let revoked_at = match single.status {
            CertStatus::Revoked { at, .. } => Some(at),
            CertStatus::Good | CertStatus::Unknown => None,
        };
        let (authority, serial, until) = (self.authority, self.serial, until.min(signer_until));
        Ok(OcspAnswer { authority, serial, status, this_update: single.this_update, until, revoked_at })
    }

    fn check_nonce(&self, response: &Response<'_>, policy: &OcspPolicy) -> Result<(), OcspError> {
        match (&self.nonce, response.nonce) {
            (Some(sent), Some(come)) => verify_slices_are_equal(sent, come).map_err(|_| OcspError::Nonce),
            (Some(_), None) if policy.require_nonce => Err(OcspError::Nonce),
            _ => Ok(()),
        }
    }

    /// The one thing that is said of this certificate.
    fn find<'r, 'a>(&self, response: &'r Response<'a>) -> Result<&'r Single<'a>, OcspError> {
        let hash = match self.hash {
            IssuerHash::Sha1 => SHA1_IDENTIFIER,
            IssuerHash::Sha256 => SHA256_IDENTIFIER,
        };
        let mut about = response.singles.iter().filter(|single| {
            read::is_hash(single.hash, hash)
                && single.name_hash == self.name_hash
                && single.key_hash == self.key_hash
                && single.serial == self.serial.as_bytes()
        });
        match (about.next(), about.next()) {
            (Some(single), None) => Ok(single),
            _ => Err(OcspError::OtherCertificate),
        }
    }
}

impl IssuerHash {
    fn of(self, octets: &[u8]) -> Vec<u8> {
        match self {
            IssuerHash::Sha1 => digest(&SHA1_FOR_LEGACY_USE_ONLY, octets),
            IssuerHash::Sha256 => digest(&SHA256, octets),
        }
        .as_ref()
        .to_vec()
    }
}

/// Gives the last second for which it counts.
fn check_fresh(
    single: &Single<'_>,
    response: &Response<'_>,
    now: UnixTime,
    policy: &OcspPolicy,
) -> Result<UnixTime, OcspError> {
    let ahead = now.plus(CLOCK_TOLERANCE);
    if single.this_update > ahead || response.produced_at > ahead {
        return Err(OcspError::FromTheFuture);
    }
    let oldest = single.this_update.plus(policy.max_age);
    let until = single.next_update.map_or(oldest, |next| next.min(oldest));
    if until < single.this_update || now > until.plus(CLOCK_TOLERANCE) {
        return Err(OcspError::TooOld);
    }
    Ok(until)
}

impl fmt::Debug for Question {
    /// Hides the serial.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").field("authority", &self.authority).finish_non_exhaustive()
    }
}

impl From<Malformed> for OcspError {
    fn from(Malformed: Malformed) -> OcspError {
        OcspError::Malformed
    }
}

/// Whether any list says that the responder's certificate is revoked, or none says it is not.
pub(crate) fn is_doubtful(lists: &Lists, anchor: &Anchor, serial: Serial) -> bool {
    use crate::lists::Standing;
    !matches!(lists.standing(anchor.id(), serial, &[]), Standing::Clear { .. })
}
