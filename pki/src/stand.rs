//! Whether a proven certificate stands at a given moment: first expiry with its grace, then
//! revocation. What the card's holder is entitled to is decided elsewhere.

use std::fmt;

use thiserror::Error;

use crate::grace::GraceRule;
use crate::lists::Standing;
use crate::ocsp::{OcspAnswer, OcspStatus};
use crate::prove::{Possession, Proven, TrustView};
use crate::serial::Serial;
use crate::status::{Decision, ListState, OcspOutcome};
use crate::time::UnixTime;

/// Seven days, in seconds.
const A_WEEK: i64 = 7 * 86_400;

/// What to decide where the certificate alone does not: grace, and lists that are missing or old.
/// The default refuses whatever is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandPolicy {
    /// How long eligibility is shown after the certificate's end.
    pub grace: GraceRule,
    /// When no list held speaks of the certificate.
    pub missing: WhenMissing,
    /// When the newest list that does is past its nextUpdate.
    pub stale: WhenStale,
    /// Seconds since its thisUpdate after which a list counts for nothing, whatever it says of
    /// its nextUpdate.
    pub max_age: i64,
}

/// What to do with a certificate of which no list speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WhenMissing {
    /// Refuse with [`StandError::RevocationUnknown`].
    #[default]
    Refuse,
    /// Let it stand; [`Revocation::source`] then says it was not checked.
    Accept,
}

/// What to do when the list is past its nextUpdate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WhenStale {
    /// Refuse with [`StandError::RevocationUnknown`].
    #[default]
    Refuse,
    /// Let it stand for so many seconds after nextUpdate; [`Revocation::stale`] then says so.
    AcceptFor(i64),
}

impl Default for StandPolicy {
    fn default() -> StandPolicy {
        StandPolicy {
            grace: GraceRule::default(),
            missing: WhenMissing::default(),
            stale: WhenStale::default(),
            max_age: A_WEEK,
        }
    }
}

/// Why a proven certificate does not stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum StandError {
    /// Its notBefore lies ahead.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// The certificate and its grace have ended.
    #[error("the certificate and its grace have ended")]
    Expired,
    /// The authority that issued it is no trust anchor any more.
    #[error("the issuer is no trust anchor any more")]
    AnchorWithdrawn,
    /// It has been revoked, for ever.
    #[error("the certificate is revoked")]
    Revoked,
    /// It is on hold (certificateHold) and may come back.
    #[error("the certificate is suspended")]
    Suspended,
    /// Whether it is revoked cannot be said.
    #[error("revocation unknown: {0}")]
    RevocationUnknown(UnknownReason),
}

/// Why nothing can be said about revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum UnknownReason {
    /// No list of that authority is held.
    #[error("no list of the authority is held")]
    NoList,
    /// Lists of that authority are held, but not the one for this certificate.
    #[error("the list for the distribution point is missing")]
    PartitionMissing,
    /// The list is past its nextUpdate.
    #[error("the list is past its next update")]
    PastNextUpdate,
    /// The list is older than the policy's `max_age`.
    #[error("the list is older than allowed")]
    TooOld,
    /// The authority's responder was asked and does not know the certificate.
    #[error("the responder does not know the certificate")]
    NotKnownToResponder,
}

/// Whether the certificate is in its validity or in the grace after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CardState {
    /// Within its validity.
    Good,
    /// Ended, but still good for eligibility and nothing else.
    Grace,
}

/// Where the word on revocation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RevocationSource {
    /// A revocation list.
    Crl,
    /// The authority's responder.
    Ocsp,
    /// Nothing: no list was held, and the policy let the certificate stand.
    Unchecked,
}

/// What is known about revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Revocation {
    /// Where it comes from.
    pub source: RevocationSource,
    /// The moment it speaks of: the list's thisUpdate; the certificate's notBefore if unchecked,
    /// the last moment of which anything is known.
    pub as_of: UnixTime,
    /// The list was past its nextUpdate, and the policy let the certificate stand.
    pub stale: bool,
}

/// A certificate that stands at the moment it was asked for. Only [`stand`] and
/// [`stand_with_answer`] make one.
#[derive(Clone)]
pub struct Verified {
    proven: Proven,
    state: CardState,
    usable_through: i32,
    days_left: i32,
    revocation: Revocation,
}

/// Judges a proven certificate at a moment, by the lists of the view.
///
/// # Errors
/// The first of: not valid yet, expired with its grace, the anchor withdrawn since it was proven,
/// revoked, suspended, revocation unknown.
pub fn stand(
    proven: Proven,
    view: &TrustView,
    now: UnixTime,
    policy: &StandPolicy,
) -> Result<Verified, StandError> {
    stand_with_answer(proven, view, now, policy, OcspOutcome::NotAsked)
}

/// The same, with how asking the authority's responder about it ended. A list that has it as
/// revoked or on hold is not overruled, nor a revocation that is remembered; a remembered hold is, by
/// a newer good word.
///
/// # Errors
/// As [`stand`].
pub fn stand_with_answer(
    proven: Proven,
    view: &TrustView,
    now: UnixTime,
    policy: &StandPolicy,
    responder: OcspOutcome,
) -> Result<Verified, StandError> {
    let today = now.japan_day();
    let usable_through = policy.grace.usable_through(proven.not_after());
    if now < proven.not_before() {
        return Err(StandError::NotYetValid);
    }
    let state = if now <= proven.not_after() { CardState::Good } else { CardState::Grace };
    if state == CardState::Grace && today > usable_through {
        return Err(StandError::Expired);
    }
    if !view.anchors.contains(proven.authority()) {
        return Err(StandError::AnchorWithdrawn);
    }
    let revocation = revocation(&proven, view, now, policy, responder)?;
    let days_left = proven.not_after().japan_day().saturating_sub(today);
    Ok(Verified { proven, state, usable_through, days_left, revocation })
}

/// What the lists say of a proven certificate at a moment.
///
/// # Errors
/// It is revoked or suspended.
pub fn list_state(
    proven: &Proven,
    view: &TrustView,
    now: UnixTime,
    policy: &StandPolicy,
) -> Result<ListState, StandError> {
    look_up(proven, view, now, policy, None).map(|(state, _)| state)
}

/// The same, and thisUpdate of the list that says so; `good` is when the responder called it good.
fn look_up(
    proven: &Proven,
    view: &TrustView,
    now: UnixTime,
    policy: &StandPolicy,
    good: Option<UnixTime>,
) -> Result<(ListState, Option<UnixTime>), StandError> {
    match view.lists.standing_of((proven.authority(), proven.serial()), proven.points(), false, good) {
        Standing::Revoked => Err(StandError::Revoked),
        Standing::Suspended => Err(StandError::Suspended),
        Standing::Unknown(reason) => Ok((ListState::Unknown(reason), None)),
        Standing::Clear { this_update, next_update } => {
            let state = match check_age((this_update, next_update), now, policy.stale, policy.max_age) {
                Ok(false) => ListState::Fresh,
                Ok(true) => ListState::Late,
                Err(reason) => ListState::Unknown(reason),
            };
            Ok((state, Some(this_update)))
        }
    }
}

fn revocation(
    proven: &Proven,
    view: &TrustView,
    now: UnixTime,
    policy: &StandPolicy,
    responder: OcspOutcome,
) -> Result<Revocation, StandError> {
    // an answer about another certificate, or one that has ended, is none
    let counts = |answer: &OcspAnswer| answer.counts_for(proven.authority(), proven.serial(), now);
    let (responder, answer) = match responder {
        OcspOutcome::Answered(answer) if counts(&answer) => (responder, Some(answer)),
        OcspOutcome::Answered(_) => (OcspOutcome::Unreachable, None),
        OcspOutcome::NotAsked | OcspOutcome::Unreachable => (responder, None),
    };
    let good = answer.filter(|answer| answer.status() == OcspStatus::Good).map(|answer| answer.this_update());
    let (list, this_update) = look_up(proven, view, now, policy, good)?;
    if policy.decide(list, responder) == Decision::Refuse {
        return Err(match (answer.map(|answer| answer.status()), list) {
            (Some(OcspStatus::Revoked), _) => StandError::Revoked,
            (Some(OcspStatus::Suspended), _) => StandError::Suspended,
            (None, ListState::Unknown(reason)) => StandError::RevocationUnknown(reason),
            _ => StandError::RevocationUnknown(UnknownReason::NotKnownToResponder),
        });
    }
    Ok(match (answer, this_update) {
        // the newer of the two words
        (Some(answer), listed) if listed.is_none_or(|listed| listed < answer.this_update()) => {
            Revocation { source: RevocationSource::Ocsp, as_of: answer.this_update(), stale: false }
        }
        (_, Some(as_of)) => {
            let stale = answer.is_none() && list != ListState::Fresh;
            Revocation { source: RevocationSource::Crl, as_of, stale }
        }
        (_, None) => {
            Revocation { source: RevocationSource::Unchecked, as_of: proven.not_before(), stale: false }
        }
    })
}

/// Whether a list of that thisUpdate and nextUpdate is past the latter, if it counts at all.
pub(crate) fn check_age(
    (this_update, next_update): (UnixTime, UnixTime),
    now: UnixTime,
    stale: WhenStale,
    max_age: i64,
) -> Result<bool, UnknownReason> {
    let allowance = match stale {
        WhenStale::Refuse => 0,
        WhenStale::AcceptFor(seconds) => seconds.max(0),
    };
    if now > next_update.plus(allowance) {
        return Err(UnknownReason::PastNextUpdate);
    }
    if now > this_update.plus(max_age) {
        return Err(UnknownReason::TooOld);
    }
    Ok(now > next_update)
}

impl Verified {
    /// The certificate's serial number.
    pub fn serial(&self) -> Serial {
        self.proven.serial()
    }

    /// Whether it is in its validity or in grace.
    pub fn state(&self) -> CardState {
        self.state
    }

    /// The last second of its validity.
    pub fn not_after(&self) -> UnixTime {
        self.proven.not_after()
    }

    /// The day in Japan of [`Verified::not_after`], as days since 1970-01-01.
    pub fn not_after_day(&self) -> i32 {
        self.proven.not_after().japan_day()
    }

    /// The last day in Japan on which it shows eligibility, as days since 1970-01-01.
    pub fn usable_through(&self) -> i32 {
        self.usable_through
    }

    /// Days in Japan from the moment asked to [`Verified::not_after_day`]; negative in grace.
    pub fn days_left(&self) -> i32 {
        self.days_left
    }

    /// In grace: good for eligibility and for nothing else.
    pub fn eligibility_only(&self) -> bool {
        self.state == CardState::Grace
    }

    /// Whether the card itself was shown to take part.
    pub fn possession(&self) -> Possession {
        self.proven.possession()
    }

    /// What is known about revocation.
    pub fn revocation(&self) -> Revocation {
        self.revocation
    }
}

impl fmt::Debug for Verified {
    /// Hides the serial.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("state", &self.state)
            .field("proven", &self.proven)
            .finish_non_exhaustive()
    }
}
