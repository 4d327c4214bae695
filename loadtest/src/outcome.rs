//! How requests end: what they were, what was expected, what came back.

use serde::{Deserialize, Serialize};

/// What a request asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `POST /v1/eligibility/card`.
    Card,
    /// `POST /v1/eligibility/number`.
    Number,
    /// `POST /v1/eligibility/batch`.
    Batch,
    /// `POST /v1/challenges`, of one challenge, as a request of its own.
    Challenge,
    /// `GET` of a path of the scenario.
    Plain,
    /// `POST /v1/prechecks` of a claim file.
    Precheck,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Card, Self::Number, Self::Batch, Self::Challenge, Self::Plain, Self::Precheck];

    /// Its word in files and reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Number => "number",
            Self::Batch => "batch",
            Self::Challenge => "challenge",
            Self::Plain => "plain",
            Self::Precheck => "precheck",
        }
    }
}

/// Whose request it is: what makes its answer different from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Cards: good and linked. Numbers: the insurance of today.
    Good,
    /// A card that has expired and is in its grace.
    Grace,
    /// A card beyond its grace.
    Expired,
    /// A card on a revocation list.
    Revoked,
    /// A card that is linked to nobody.
    Unlinked,
    /// A person who has changed insurer, asked for by the old numbers.
    Switched,
    /// A number with a typing error.
    Mistyped,
    /// A batch of numbers, a file of claims, or a request without a person.
    Several,
}

impl Sort {
    /// Every sort.
    pub const ALL: [Self; 8] = [
        Self::Good,
        Self::Grace,
        Self::Expired,
        Self::Revoked,
        Self::Unlinked,
        Self::Switched,
        Self::Mistyped,
        Self::Several,
    ];

    /// Its word in files and reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Grace => "grace",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Unlinked => "unlinked",
            Self::Switched => "switched",
            Self::Mistyped => "mistyped",
            Self::Several => "several",
        }
    }
}

/// The words by which answers are told apart: statuses, problem codes, and what happens without an
/// answer.
const WORDS: &[&str] = &[
    "other",
    "ok",
    "valid",
    "invalid",
    "invalid_newer",
    "not_found",
    "multiple",
    "withheld",
    "not_linked",
    "unconfirmed",
    "malformed",
    "forbidden",
    "institution_mismatch",
    "no_such_route",
    "method_not_allowed",
    "unsupported_media_type",
    "length_required",
    "misdirected",
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
    "no_such_job",
    "no_results",
    "too_many_misses",
    "rate_limited",
    "not_ready",
    "overloaded",
    "draining",
    "internal",
    "lines_differ",
    "timeout",
    "refused",
    "closed",
    "tls",
    "garbled",
    "no_socket",
    "unsigned",
];

/// One of the words by which answers are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(u8);

impl Word {
    /// Any word that is none of ours.
    pub const OTHER: Self = Self(0);
    /// An answer without a word of its own.
    pub const OK: Self = Self(1);
    /// The word for an answer that took longer than the scenario waits.
    pub const TIMEOUT: Self = Self::named("timeout");
    /// The connection was not taken.
    pub const REFUSED: Self = Self::named("refused");
    /// The connection ended before the answer.
    pub const CLOSED: Self = Self::named("closed");
    /// TLS failed.
    pub const TLS: Self = Self::named("tls");
    /// The answer is not HTTP.
    pub const GARBLED: Self = Self::named("garbled");
    /// This machine has no more sockets, files or ports.
    pub const NO_SOCKET: Self = Self::named("no_socket");
    /// No signature was ready before the run ended.
    pub const UNSIGNED: Self = Self::named("unsigned");
    /// Some line of a batch was not answered as it should be.
    pub const LINES_DIFFER: Self = Self::named("lines_differ");

    /// How many there are.
    pub const COUNT: usize = WORDS.len();

    /// The word of that spelling; [`Word::OTHER`] where it is none.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        let at = WORDS.iter().position(|word| word.as_bytes() == text);
        Self(at.map_or(0, |at| at as u8))
    }

    const fn named(text: &str) -> Self {
        let mut at = 0;
        while at < WORDS.len() {
            if same(WORDS[at].as_bytes(), text.as_bytes()) {
                return Self(at as u8);
            }
            at += 1;
        }
        Self::OTHER
    }

    /// Its spelling.
    #[must_use]
    pub fn text(self) -> &'static str {
        WORDS.get(usize::from(self.0)).copied().unwrap_or("other")
    }

    /// Its place in the list.
    #[must_use]
    pub const fn at(self) -> usize {
        self.0 as usize
    }

    /// The word at this place.
    #[must_use]
    pub fn from_place(at: usize) -> Self {
        if at < WORDS.len() { Self(at as u8) } else { Self::OTHER }
    }

    /// Whether no answer, or none that is worth anything, came back.
    #[must_use]
    pub fn is_failure(self) -> bool {
        const FAILURES: &[&str] = &[
            "other",
            "not_ready",
            "overloaded",
            "draining",
            "internal",
            "rate_limited",
            "too_many_misses",
            "timeout",
            "refused",
            "closed",
            "tls",
            "garbled",
            "no_socket",
            "unsigned",
        ];
        FAILURES.contains(&self.text())
    }
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Finds the word in a JSON answer: `status` of an answer, `code` of a problem.
#[must_use]
pub fn word_of(http: u16, body: &[u8]) -> Word {
    let field: &[u8] = if http < 300 { b"\"status\"" } else { b"\"code\"" };
    match string_after(body, field) {
        Some(text) => Word::of(text),
        None if http < 300 => Word::OK,
        None => Word::OTHER,
    }
}

/// The string that stands after this name, where it is one.
fn string_after<'b>(body: &'b [u8], name: &[u8]) -> Option<&'b [u8]> {
    let after = body.get(memchr::memmem::find(body, name)? + name.len()..)?;
    let value = after.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    value.get(..memchr::memchr(b'"', value)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_words_are_in_the_list() {
        let own = [
            Word::TIMEOUT,
            Word::REFUSED,
            Word::CLOSED,
            Word::TLS,
            Word::GARBLED,
            Word::NO_SOCKET,
            Word::UNSIGNED,
            Word::LINES_DIFFER,
        ];
        assert!(own.iter().all(|word| *word != Word::OTHER));
    }

    #[test]
    fn words_are_found_in_answers_and_problems() {
        assert_eq!(word_of(200, br#"{"status":"valid","code":1}"#).text(), "valid");
        assert_eq!(word_of(200, br#"{ "status" : "not_found" }"#).text(), "not_found");
        let problem = br#"{"type":"about:blank","status":422,"code":"card_expired"}"#;
        assert_eq!(word_of(422, problem).text(), "card_expired");
        assert_eq!(word_of(201, br#"{"challenges":[]}"#), Word::OK);
        assert_eq!(word_of(200, br#"{"status":"new"}"#), Word::OTHER);
        assert_eq!(word_of(502, b"<html>"), Word::OTHER);
        assert!(Word::OTHER.is_failure() && !Word::of(b"card_expired").is_failure());
    }
}
