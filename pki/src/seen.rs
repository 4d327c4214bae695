//! Certificates seen before: a bounded memory of which ones kept the profile and had a good chain,
//! with their keys ready to use, so that a card that comes again costs one signature check. Holds
//! nothing that cannot be found out again; expiry and revocation are judged anew each time.

use std::fmt;
use std::sync::Arc;

use moka::sync::Cache;

use crate::anchors::{Anchors, sha256};
use crate::profile::CardProfile;
use crate::prove::{self, Checked, ProveError, Proven, TrustView};
use crate::time::UnixTime;

/// Certificates whose profile and chain have been found good, by the SHA-256 of their octets.
///
/// A verdict is used under the very anchors and the profile it was found with, and until the
/// earlier end of the certificate and of its anchor; after that, and after either has been
/// replaced in the view, it is found out again. Only proven certificates are kept: a refused one
/// is refused at full price each time.
pub struct SeenCertificates {
    verdicts: Cache<[u8; 32], Arc<Verdict>>,
}

struct Verdict {
    checked: Checked,
    anchors: Arc<Anchors>,
    profile: CardProfile,
}

impl Verdict {
    fn holds(&self, view: &TrustView, now: UnixTime) -> bool {
        now <= self.checked.until && Arc::ptr_eq(&self.anchors, &view.anchors) && self.profile == view.profile
    }
}

impl SeenCertificates {
    /// Keeps this many certificates at most, of about three thousand octets each. When it is full,
    /// those asked for often stay.
    pub fn new(most: u64) -> SeenCertificates {
        SeenCertificates { verdicts: Cache::new(most) }
    }

    /// As [`prove`](crate::prove()): the same answer for the same arguments.
    ///
    /// # Errors
    /// As [`prove`](crate::prove()).
    pub fn prove(
        &self,
        view: &TrustView,
        certificate_der: &[u8],
        message: &[u8],
        signature: &[u8],
        now: UnixTime,
    ) -> Result<Proven, ProveError> {
        self.answer(view, certificate_der, now, |checked| checked.signed(message, signature))
    }

    /// As [`prove_without_possession`](crate::prove_without_possession): the same answer for the
    /// same arguments.
    ///
    /// # Errors
    /// As [`prove_without_possession`](crate::prove_without_possession).
    pub fn prove_without_possession(
        &self,
        view: &TrustView,
        certificate_der: &[u8],
        now: UnixTime,
    ) -> Result<Proven, ProveError> {
        self.answer(view, certificate_der, now, |checked| Ok(checked.proven.clone()))
    }

    /// About how many certificates it holds.
    pub fn len(&self) -> u64 {
        self.verdicts.run_pending_tasks();
        self.verdicts.entry_count()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn answer(
        &self,
        view: &TrustView,
        certificate_der: &[u8],
        now: UnixTime,
        last_step: impl FnOnce(&Checked) -> Result<Proven, ProveError>,
    ) -> Result<Proven, ProveError> {
        let fingerprint = sha256(certificate_der);
        if let Some(verdict) = self.verdicts.get(&fingerprint).filter(|verdict| verdict.holds(view, now)) {
            return last_step(&verdict.checked);
        }
        let checked = prove::check(view, certificate_der)?;
        let proven = last_step(&checked)?;
        if now <= checked.until {
            let (anchors, profile) = (Arc::clone(&view.anchors), view.profile.clone());
            self.verdicts.insert(fingerprint, Arc::new(Verdict { checked, anchors, profile }));
        }
        Ok(proven)
    }
}

impl fmt::Debug for SeenCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SeenCertificates({})", self.verdicts.entry_count())
    }
}
