//! Every way a request is refused, and the one door by which refusals leave.
//!
//! One table turns a refusal into HTTP status, code, title and advice. Nothing of what was sent is
//! repeated, but the caller's own field names.

mod table;

use eligibility::wire::{Fault, Wrong};
use serde::Serialize;

use crate::challenge::ChallengeError;

pub use table::{ALL, Problem};

/// A request that is not answered with what it asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each stands under its code, documented in the table")]
pub enum Refusal {
    Malformed { column: usize },
    MalformedHead,
    Forbidden,
    InstitutionMismatch,
    NoSuchRoute,
    MethodNotAllowed { allow: &'static str },
    UnsupportedMediaType,
    LengthRequired,
    BodyTooLarge,
    Misdirected,
    UriTooLong,
    HeadersTooLarge,
    InvalidField { field: String, wrong: Wrong },
    MyNumberRefused { field: String },
    CardExpired,
    CardRevoked,
    CardSuspended,
    CardUntrusted { why: String },
    CardWrongProfile { why: String },
    SignatureInvalid,
    ChallengeUnknown { fresh: Option<Fresh> },
    ChallengeExpired { fresh: Option<Fresh> },
    ChallengeUsed { fresh: Option<Fresh> },
    RevocationUnknown { why: String },
    NoSuchInsured,
    AmbiguousInsured,
    LinkConflict,
    LinkRefused,
    TooManyMisses { seconds: u32 },
    RateLimited,
    NoSuchJob,
    NoResults,
    NotReady,
    Overloaded,
    Draining,
    Internal,
}

/// A fresh challenge that goes with a refused one, so that a client signs and sends once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fresh {
    /// The challenge.
    pub challenge: String,
    /// Its end.
    pub expires_at: eligibility::day::Timestamp,
}

impl Refusal {
    /// A fault of the named field.
    #[must_use]
    pub fn field(field: impl Into<String>, wrong: Wrong) -> Self {
        Self::InvalidField { field: field.into(), wrong }
    }

    /// A challenge that did not open or could not be spent.
    #[must_use]
    pub const fn challenge(error: ChallengeError, fresh: Option<Fresh>) -> Self {
        match error {
            ChallengeError::Unknown => Self::ChallengeUnknown { fresh },
            ChallengeError::Expired => Self::ChallengeExpired { fresh },
            ChallengeError::Used => Self::ChallengeUsed { fresh },
        }
    }

    /// Its row of the table.
    #[must_use]
    pub const fn problem(&self) -> &'static Problem {
        match self {
            Self::Malformed { .. } | Self::MalformedHead => &table::MALFORMED,
            Self::Forbidden => &table::FORBIDDEN,
            Self::InstitutionMismatch => &table::INSTITUTION_MISMATCH,
            Self::NoSuchRoute => &table::NO_SUCH_ROUTE,
            Self::MethodNotAllowed { .. } => &table::METHOD_NOT_ALLOWED,
            Self::UnsupportedMediaType => &table::UNSUPPORTED_MEDIA_TYPE,
            Self::LengthRequired => &table::LENGTH_REQUIRED,
            Self::BodyTooLarge => &table::BODY_TOO_LARGE,
            Self::Misdirected => &table::MISDIRECTED,
            Self::UriTooLong => &table::URI_TOO_LONG,
            Self::HeadersTooLarge => &table::HEADERS_TOO_LARGE,
            Self::InvalidField { .. } => &table::INVALID_FIELD,
            Self::MyNumberRefused { .. } => &table::MY_NUMBER_REFUSED,
            Self::CardExpired => &table::CARD_EXPIRED,
            Self::CardRevoked => &table::CARD_REVOKED,
            Self::CardSuspended => &table::CARD_SUSPENDED,
            Self::CardUntrusted { .. } => &table::CARD_UNTRUSTED,
            Self::CardWrongProfile { .. } => &table::CARD_WRONG_PROFILE,
            Self::SignatureInvalid => &table::SIGNATURE_INVALID,
            Self::ChallengeUnknown { .. } => &table::CHALLENGE_UNKNOWN,
            Self::ChallengeExpired { .. } => &table::CHALLENGE_EXPIRED,
            Self::ChallengeUsed { .. } => &table::CHALLENGE_USED,
            Self::RevocationUnknown { .. } => &table::REVOCATION_UNKNOWN,
            Self::NoSuchInsured => &table::NO_SUCH_INSURED,
            Self::AmbiguousInsured => &table::AMBIGUOUS_INSURED,
            Self::LinkConflict => &table::LINK_CONFLICT,
            Self::LinkRefused => &table::LINK_REFUSED,
            Self::TooManyMisses { .. } => &table::TOO_MANY_MISSES,
            Self::RateLimited => &table::RATE_LIMITED,
            Self::NoSuchJob => &table::NO_SUCH_JOB,
            Self::NoResults => &table::NO_RESULTS,
            Self::NotReady => &table::NOT_READY,
            Self::Overloaded => &table::OVERLOADED,
            Self::Draining => &table::DRAINING,
            Self::Internal => &table::INTERNAL,
        }
    }

    /// Seconds after which trying again makes sense; `jitter` spreads the callers.
    #[must_use]
    pub fn retry_after(&self, jitter: u8) -> Option<u32> {
        let spread = u32::from(jitter) % 5;
        match self {
            Self::NotReady | Self::Draining => Some(2 + spread),
            Self::Overloaded | Self::NoResults | Self::RateLimited => Some(1 + spread),
            Self::TooManyMisses { seconds } => Some(seconds + 60 * spread),
            _ => None,
        }
    }

    /// The `application/problem+json` document (RFC 9457).
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let problem = self.problem();
        let document = Document {
            type_: format!("urn:shikaku:problem:{}", problem.code),
            title: problem.title,
            status: problem.status,
            code: problem.code,
            detail: self.detail(),
            field: self.place(),
            fresh: self.fresh(),
            advice: AdviceOf { desk: problem.desk, vendor: problem.vendor },
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }

    fn place(&self) -> Option<&str> {
        match self {
            Self::InvalidField { field, .. } | Self::MyNumberRefused { field } => {
                (!field.is_empty()).then_some(field)
            }
            _ => None,
        }
    }

    fn fresh(&self) -> Option<&Fresh> {
        match self {
            Self::ChallengeUnknown { fresh }
            | Self::ChallengeExpired { fresh }
            | Self::ChallengeUsed { fresh } => fresh.as_ref(),
            _ => None,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::MalformedHead => {
                "the request line, a header field or the length of the body is not well-formed".to_owned()
            }
            Self::Malformed { column: 0 } => "the body is not a JSON object of this request".to_owned(),
            Self::Malformed { column } => format!("the body is not JSON from column {column} on"),
            Self::InvalidField { field, wrong } => format!("{field}: {}", wrong.words()),
            Self::MyNumberRefused { field } if field.is_empty() => {
                "a field name looks like a 個人番号".to_owned()
            }
            Self::MyNumberRefused { field } => format!("{field}: looks like a 個人番号; nothing was kept"),
            Self::CardUntrusted { why }
            | Self::CardWrongProfile { why }
            | Self::RevocationUnknown { why } => why.clone(),
            Self::MethodNotAllowed { allow } => format!("allowed here: {allow}"),
            _ => self.problem().title.to_owned(),
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Malformed { column } => Self::Malformed { column },
            Fault::Field { field, wrong } => Self::InvalidField { field, wrong },
            Fault::MyNumber { field } => Self::MyNumberRefused { field },
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    type_: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    fresh: Option<&'a Fresh>,
    advice: AdviceOf,
}

#[derive(Serialize)]
struct AdviceOf {
    desk: &'static str,
    vendor: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_field_and_what_to_do() {
        let refusal = Refusal::field("branch", Wrong::Form);
        let document: serde_json::Value = serde_json::from_slice(&refusal.to_json()).unwrap();
        assert_eq!(document["status"], 422);
        assert_eq!(document["code"], "invalid_field");
        assert_eq!(document["field"], "branch");
        assert!(document["advice"]["desk"].as_str().unwrap().contains("入力"));
    }

    #[test]
    fn a_refused_challenge_carries_a_fresh_one() {
        let fresh = Fresh { challenge: "abc".to_owned(), expires_at: Default::default() };
        let refusal = Refusal::challenge(ChallengeError::Used, Some(fresh));
        let document: serde_json::Value = serde_json::from_slice(&refusal.to_json()).unwrap();
        assert_eq!(document["code"], "challenge_used");
        assert_eq!(document["challenge"], "abc");
    }

    #[test]
    fn every_problem_has_words_for_desk_and_vendor() {
        for problem in ALL {
            assert!(!problem.desk.is_empty() && !problem.vendor.is_empty() && !problem.title.is_empty());
            assert!((400..600).contains(&problem.status), "{}", problem.code);
        }
    }
}
