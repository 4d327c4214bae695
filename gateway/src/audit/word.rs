//! The words of fixed records: each has a number for ever.
//!
//! To record a new word, append it here. Nothing is ever removed or moved: files of many years are
//! read by this table.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Every word, by its number. Number 0 says that there is none.
pub(super) static WORDS: &[&str] = &[
    "",
    // roles
    "reception",
    "review",
    "insurer",
    "portal",
    "jlis",
    "city",
    "operator",
    // routes
    "card",
    "number",
    "batch",
    "link",
    "unlink",
    "notices",
    "feed",
    "dismissal",
    "confirmations",
    "precheck",
    "naming",
    "export",
    "retention",
    "reload",
    // purposes
    "treatment",
    "claims review",
    "card registration",
    "feeding",
    "operation",
    "own log",
    "disclosure",
    // identity checks
    "pin",
    "face",
    "visual",
    "device_biometric",
    // outcomes of answers
    "valid",
    "invalid",
    "invalid_newer",
    "not_found",
    "multiple",
    "withheld",
    "not_linked",
    "unconfirmed",
    // reasons
    "closed",
    "card_unusable",
    "stale",
    "held_back",
    "never_fed",
    "person_not_fed",
    // refusals
    "malformed",
    "forbidden",
    "institution_mismatch",
    "no_such_route",
    "method_not_allowed",
    "unsupported_media_type",
    "body_too_large",
    "uri_too_long",
    "headers_too_large",
    "invalid_field",
    "my_number_refused",
    "card_expired",
    "card_revoked",
    "card_suspended",
    "card_untrusted",
    "card_wrong_profile",
    "signature_invalid",
    "challenge_unknown",
    "challenge_expired",
    "challenge_used",
    "revocation_unknown",
    "no_such_insured",
    "ambiguous_insured",
    "link_conflict",
    "link_refused",
    "not_ready",
    "overloaded",
    "draining",
    "internal",
    "too_many_misses",
    "rate_limited",
    "length_required",
    // outcomes of acts
    "done",
    // verdicts of the pre-check
    "ok",
    "ok_branch_found",
    "transfer",
    "split",
    "lost",
    "unreadable",
    "skipped",
    // messages of reception systems that are no single question
    "bulk message",
    "bulk fetch",
    "registration",
    // refusals of the pre-check
    "no_such_job",
    "no_results",
    // refused before anything of a request was read
    "head",
    "misdirected",
];

static NUMBERS: LazyLock<HashMap<&'static str, u16, foldhash::fast::RandomState>> =
    LazyLock::new(|| WORDS.iter().zip(0..).map(|(word, number)| (*word, number)).collect());

/// The number of a word. A word that the table lacks is recorded as [`UNKNOWN`], which a test keeps
/// from happening.
pub(super) fn number(word: &str) -> u16 {
    NUMBERS.get(word).copied().unwrap_or(UNKNOWN)
}

/// What stands for a word that the table lacks.
pub(super) const UNKNOWN: u16 = u16::MAX;

/// The word of a number; `None` for 0.
pub(super) fn word(number: u16) -> Option<&'static str> {
    if number == 0 { None } else { Some(WORDS.get(usize::from(number)).copied().unwrap_or("?")) }
}

#[cfg(test)]
mod tests {
    use eligibility::code::IdentityCheck;
    use eligibility::decision::{Reason, Status};

    use super::*;
    use crate::peer::Role;
    use crate::refusal;

    #[test]
    fn every_word_that_is_recorded_has_a_number() {
        let roles = Role::ALL.iter().map(|role| role.word());
        let checks = IdentityCheck::ALL.iter().map(|check| check.word());
        let statuses = Status::ALL.iter().map(|status| status.word());
        let reasons = Reason::ALL.iter().map(|reason| reason.word());
        let problems = refusal::ALL.iter().map(|problem| problem.code);
        let messages = crate::wire::xml::Message::ALL.iter().filter_map(|message| message.act());
        for said in roles.chain(checks).chain(statuses).chain(reasons).chain(problems).chain(messages) {
            assert_eq!(word(number(said)), Some(said));
        }
        assert_eq!((number(""), word(0), number("no such word")), (0, None, UNKNOWN));
    }

    #[test]
    fn the_table_only_grows() {
        assert_eq!(NUMBERS.len(), WORDS.len(), "a word stands twice");
        assert_eq!((WORDS[1], WORDS[33], WORDS[80]), ("reception", "valid", "ok"));
    }
}
