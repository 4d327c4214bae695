//! Which route a path is, and its methods.

use crate::audit::Work;

/// What a request asks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'r> {
    Description,
    Oqs(&'r str),
    Capability,
    Submit,
    Challenges,
    Card,
    Number,
    Batch,
    Feeds,
    Feed(&'r str),
    Quarantine(&'r str),
    Dismissal(&'r str, &'r str),
    Held(&'r str),
    HeldOne(&'r str, &'r str),
    Overlaps(&'r str),
    Links,
    Link(&'r str),
    Notices,
    Confirmations,
    Prechecks,
    Precheck(&'r str),
    Results(&'r str),
}

impl<'r> Route<'r> {
    pub(super) fn of(path: &'r str) -> Option<(Self, &'static str)> {
        if path == "/openapi.json" {
            return Some((Self::Description, "GET"));
        }
        if path == "/fhir/metadata" {
            return Some((Self::Capability, "GET"));
        }
        if path == "/fhir/CoverageEligibilityRequest/$submit" {
            return Some((Self::Submit, "POST"));
        }
        if let Some(message) = one_below(path, "/oqs/v1/") {
            return Some((Self::Oqs(message), "POST"));
        }
        let mut parts = path.strip_prefix("/v1/")?.split('/');
        let parts = [parts.next(), parts.next(), parts.next(), parts.next(), parts.next()];
        Some(match parts {
            [Some("challenges"), None, ..] => (Self::Challenges, "POST"),
            [Some("eligibility"), Some("card"), None, ..] => (Self::Card, "POST"),
            [Some("eligibility"), Some("number"), None, ..] => (Self::Number, "POST"),
            [Some("eligibility"), Some("batch"), None, ..] => (Self::Batch, "POST"),
            [Some("feeds"), None, ..] => (Self::Feeds, "GET"),
            [Some("feeds"), Some(source), None, ..] => (Self::Feed(source), "GET, POST"),
            [Some("feeds"), Some(source), Some("quarantine"), None, ..] => (Self::Quarantine(source), "GET"),
            [Some("feeds"), Some(source), Some("quarantine"), Some(name), None] => {
                (Self::Dismissal(source, name), "POST")
            }
            [Some("feeds"), Some(source), Some("held"), None, ..] => (Self::Held(source), "GET"),
            [Some("feeds"), Some(source), Some("held"), Some(delivery), None] => {
                (Self::HeldOne(source, delivery), "GET, POST")
            }
            [Some("feeds"), Some(source), Some("overlaps"), None, ..] => (Self::Overlaps(source), "GET"),
            [Some("links"), None, ..] => (Self::Links, "POST"),
            [Some("links"), Some("notices"), None, ..] => (Self::Notices, "GET"),
            [Some("links"), Some(serial), None, ..] => (Self::Link(serial), "DELETE"),
            [Some("confirmations"), None, ..] => (Self::Confirmations, "GET"),
            [Some("prechecks"), None, ..] => (Self::Prechecks, "POST"),
            [Some("prechecks"), Some(id), None, ..] => (Self::Precheck(id), "GET, DELETE"),
            [Some("prechecks"), Some(id), Some("results"), None, ..] => (Self::Results(id), "GET"),
            _ => return None,
        })
    }

    /// The class of work that it is part of.
    pub(super) const fn work(self) -> Work {
        match self {
            Self::Description
            | Self::Oqs(_)
            | Self::Capability
            | Self::Submit
            | Self::Challenges
            | Self::Card
            | Self::Number => Work::Desk,
            Self::Feeds
            | Self::Feed(_)
            | Self::Quarantine(_)
            | Self::Dismissal(..)
            | Self::Held(_)
            | Self::HeldOne(..)
            | Self::Links
            | Self::Link(_)
            | Self::Notices => Work::Intake,
            Self::Batch | Self::Confirmations | Self::Overlaps(_) => Work::Batch,
            Self::Prechecks | Self::Precheck(_) | Self::Results(_) => Work::Precheck,
        }
    }

    /// The label in metrics and logs.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Description => "description",
            Self::Oqs(_) => "oqs",
            Self::Capability | Self::Submit => "fhir",
            Self::Challenges => "challenges",
            Self::Card => "card",
            Self::Number => "number",
            Self::Batch => "batch",
            Self::Feeds => "feeds",
            Self::Feed(_) => "feed",
            Self::Quarantine(_) => "quarantine",
            Self::Dismissal(..) => "dismissal",
            Self::Held(_) | Self::HeldOne(..) => "held",
            Self::Overlaps(_) => "overlaps",
            Self::Links | Self::Link(_) => "links",
            Self::Notices => "notices",
            Self::Confirmations => "confirmations",
            Self::Prechecks => "prechecks",
            Self::Precheck(_) => "precheck",
            Self::Results(_) => "results",
        }
    }
}

/// Whether a body of unknown length is taken there: it is streamed, and as long as it is.
pub(super) fn takes_stream(method: &[u8], target: &[u8]) -> bool {
    let path = target.split(|octet| *octet == b'?').next().unwrap_or_default();
    let streamed = path == b"/v1/eligibility/batch" || path == b"/v1/prechecks";
    method == b"POST" && (streamed || path.starts_with(b"/v1/feeds/"))
}

/// What stands below this path, where it is one part.
fn one_below<'r>(path: &'r str, above: &str) -> Option<&'r str> {
    path.strip_prefix(above).filter(|rest| !rest.is_empty() && !rest.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_routes() {
        assert_eq!(Route::of("/v1/eligibility/card"), Some((Route::Card, "POST")));
        assert_eq!(Route::of("/v1/feeds/06132013"), Some((Route::Feed("06132013"), "GET, POST")));
        assert_eq!(
            Route::of("/v1/feeds/06132013/quarantine/7"),
            Some((Route::Dismissal("06132013", "7"), "POST"))
        );
        for path in
            ["/", "/v1", "/v1/", "/v1/eligibility", "/v1/eligibility/card/", "/v1/cards", "/v1/feeds/a/b"]
        {
            assert_eq!(Route::of(path), None, "{path}");
        }
    }
}
