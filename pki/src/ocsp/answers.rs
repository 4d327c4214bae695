//! Answers kept until they end, bounded: nothing that cannot be asked for again.

use std::fmt;

use moka::sync::Cache;

use super::{OcspAnswer, Question};
use crate::anchors::AuthorityId;
use crate::serial::Serial;
use crate::time::UnixTime;

/// The newest answer about each of a bounded number of certificates.
pub struct SeenAnswers(Cache<(AuthorityId, Serial), OcspAnswer>);

impl SeenAnswers {
    /// Keeps this many answers at most, of about two hundred octets each.
    pub fn new(most: u64) -> SeenAnswers {
        SeenAnswers(Cache::new(most))
    }

    /// The answer to that question, if one is kept that counts at that moment. Nonces do not
    /// matter: what is kept was judged when it came.
    pub fn find(&self, question: &Question, now: UnixTime) -> Option<OcspAnswer> {
        let key = (question.authority(), question.serial());
        self.0.get(&key).filter(|answer| now <= answer.until())
    }

    /// Keeps an answer, unless a newer one is kept.
    pub fn keep(&self, answer: OcspAnswer) {
        let key = (answer.authority, answer.serial);
        if self.0.get(&key).is_none_or(|kept| kept.this_update <= answer.this_update) {
            self.0.insert(key, answer);
        }
    }
}

impl fmt::Debug for SeenAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SeenAnswers({})", self.0.entry_count())
    }
}
