//! Asking an authority's responder, so that a slow, dead or lying one harms nobody: on a thread of its
//! own, one question a serial at once, few at once in all, a deadline on each, no responder of an
//! authority asked for a while after failures in a row, and answers kept until they end. What an
//! answer means is decided in `pki`; what one tells of a revocation is handed on to be remembered.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use pki::ocsp::{IssuerHash, OcspAnswer, OcspPolicy, OcspStatus, Question, SeenAnswers};
use pki::{AuthorityId, OcspOutcome, Proven, Serial, TrustView, UnixTime};
use tokio::sync::{Semaphore, watch};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::aside::Aside;
use super::fetch::{self, Address};
use super::lock;
use crate::clock::Clock;
use crate::config;

/// Most answers kept, of about 200 octets each.
const MOST_ANSWERS: u64 = 100_000;

/// id-ad-ocsp, 1.3.6.1.5.5.7.48.1
const OCSP_METHOD: &str = "1.3.6.1.5.5.7.48.1";

/// A question on its way: nothing until it has ended.
type Flight = watch::Receiver<Option<OcspOutcome>>;

/// How questions ended, in the order of [`ENDS`].
type Ends = [AtomicU64; 6];

/// The words for how questions end, as labels of a metric.
pub const ENDS: [&str; 6] = ["answered", "unreachable", "refused", "too_late", "too_many", "paused"];

/// How one question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Answered,
    Unreachable,
    /// What came was no answer that counts.
    Refused,
    TooLate,
    TooMany,
    Paused,
}

/// Answers that tell of a revocation, or release a hold, that is not known yet.
pub(super) type Learned = Arc<Mutex<Vec<OcspAnswer>>>;

/// A configured responder. Shared by everybody who asks.
pub struct Responder {
    rules: config::Responder,
    /// Where questions are carried: desks' threads never wait for a responder nor check its signature.
    aside: Aside,
    learned: Learned,
    address: Option<Address>,
    answers: SeenAnswers,
    places: Arc<Semaphore>,
    flights: Mutex<HashMap<(AuthorityId, Serial), Flight>>,
    /// One an authority: what one responder does is not held against another's.
    breakers: Mutex<HashMap<AuthorityId, Breaker>>,
    ends: Ends,
}

/// Failures in a row, and until when nobody is asked because of them.
#[derive(Debug, Default)]
struct Breaker {
    failures: u32,
    until: Option<Instant>,
}

/// A certificate to be asked about.
pub struct Asked {
    question: Question,
    address: Address,
}

impl Responder {
    /// By these rules; nothing is asked yet. What answers tell that is to be remembered goes to `learned`.
    pub(super) fn new(rules: &config::Responder, learned: Learned) -> Self {
        Self {
            aside: Aside::new("responder"),
            learned,
            address: rules.url.as_deref().and_then(Address::parse),
            answers: SeenAnswers::new(MOST_ANSWERS),
            places: Arc::new(Semaphore::new(rules.in_flight)),
            flights: Mutex::default(),
            breakers: Mutex::default(),
            ends: Ends::default(),
            rules: rules.clone(),
        }
    }

    /// Whether these are its rules.
    #[must_use]
    pub fn keeps(&self, rules: &config::Responder) -> bool {
        self.rules == *rules
    }

    /// Whether cards are to be asked about that nobody has linked.
    #[must_use]
    pub const fn asks_unlinked(&self) -> bool {
        self.rules.unlinked
    }

    /// What to ask about a certificate; nothing where it names no responder that may be asked.
    #[must_use]
    pub fn about(&self, proven: &Proven, certificate: &[u8], view: &TrustView) -> Option<Asked> {
        let address = match &self.address {
            Some(address) => address.clone(),
            None => named(certificate).find(|address| {
                self.rules.hosts.iter().any(|host| host.eq_ignore_ascii_case(address.host()))
            })?,
        };
        let mut nonce = [0; 32];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let question = Question::about(proven, view, IssuerHash::Sha1, Some(nonce))?;
        Some(Asked { question, address })
    }

    /// The answer that is kept, if it still counts.
    #[must_use]
    pub fn known(&self, asked: &Asked, now: UnixTime) -> Option<OcspOutcome> {
        self.answers.find(&asked.question, now).map(OcspOutcome::Answered)
    }

    /// Asks, or waits for the answer to the same question already on its way. Takes no longer than
    /// the deadline; the question goes on when whoever waits goes away.
    pub async fn ask(self: &Arc<Self>, asked: Asked, view: &TrustView, now: UnixTime) -> OcspOutcome {
        if let Some(known) = self.known(&asked, now) {
            return known;
        }
        let Some(mut flight) = self.flight(asked, view, now) else { return OcspOutcome::Unreachable };
        let landed = flight.wait_for(Option::is_some).await;
        landed.ok().and_then(|outcome| *outcome).unwrap_or(OcspOutcome::Unreachable)
    }

    /// The flight under way for the same serial, or a new one, if there may be one.
    fn flight(self: &Arc<Self>, asked: Asked, view: &TrustView, now: UnixTime) -> Option<Flight> {
        let key = (asked.question.authority(), asked.question.serial());
        let mut flights = lock(&self.flights);
        if let Some(flight) = flights.get(&key) {
            return Some(flight.clone());
        }
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.ended(End::TooMany);
            return None;
        };
        if !self.breakers().entry(key.0).or_default().lets_through(Clock::instant(), self.pause()) {
            self.ended(End::Paused);
            return None;
        }
        let (land, flight) = watch::channel(None);
        let (this, view) = (Arc::clone(self), view.clone());
        let carried = self.aside.spawn(async move {
            let outcome = this.fetch(&asked, &view, now).await;
            lock(&this.flights).remove(&key);
            let _ = land.send(Some(outcome));
            drop(place);
        });
        if !carried {
            self.ended(End::Unreachable);
            return None;
        }
        flights.insert(key, flight.clone());
        Some(flight)
    }

    async fn fetch(&self, asked: &Asked, view: &TrustView, now: UnixTime) -> OcspOutcome {
        let authority = asked.question.authority();
        let deadline = Duration::from_millis(self.rules.deadline_ms);
        let fetched =
            tokio::time::timeout(deadline, fetch::post(&asked.address, asked.question.request())).await;
        let octets = match fetched {
            Err(_) => return self.failed(authority, End::TooLate, "no answer in time"),
            Ok(Err(error)) => return self.failed(authority, End::Unreachable, &error.to_string()),
            Ok(Ok(octets)) => octets,
        };
        let policy = OcspPolicy {
            max_age: i64::from(self.rules.max_age_hours) * 3600,
            require_nonce: self.rules.require_nonce,
        };
        match asked.question.judge(&octets, view, now, &policy) {
            Ok(answer) => {
                self.answers.keep(answer);
                if tells_news(&answer, view) {
                    lock(&self.learned).push(answer);
                }
                self.breakers().entry(authority).or_default().succeeded();
                self.ended(End::Answered);
                OcspOutcome::Answered(answer)
            }
            Err(error) => self.failed(authority, End::Refused, &error.to_string()),
        }
    }

    fn failed(&self, authority: AuthorityId, end: End, why: &str) -> OcspOutcome {
        self.ended(end);
        let mut breakers = self.breakers();
        let breaker = breakers.entry(authority).or_default();
        if breaker.failed(Clock::instant(), self.rules.failures, self.pause()) {
            tracing::warn!(%authority, why, seconds = self.rules.pause_seconds, "responder not asked for a while");
        } else {
            tracing::debug!(%authority, why, "responder gave no answer");
        }
        OcspOutcome::Unreachable
    }

    fn breakers(&self) -> MutexGuard<'_, HashMap<AuthorityId, Breaker>> {
        lock(&self.breakers)
    }

    const fn pause(&self) -> Duration {
        Duration::from_secs(self.rules.pause_seconds)
    }

    fn ended(&self, end: End) {
        if let Some(count) = self.ends.get(end as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many questions ended in each way of [`ENDS`].
    #[must_use]
    pub fn ends(&self) -> [u64; 6] {
        self.ends.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// Questions on their way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.rules.in_flight.saturating_sub(self.places.available_permits())
    }

    /// Whether any authority's responder is not asked at the moment because of failures in a row.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        let now = Clock::instant();
        self.breakers().values().any(|breaker| breaker.until.is_some_and(|until| now < until))
    }
}

/// Whether an answer tells of a revocation or a hold that the lists and memory do not have, or ends a
/// hold that only memory has.
fn tells_news(answer: &OcspAnswer, view: &TrustView) -> bool {
    let (authority, serial) = (answer.authority(), answer.serial());
    match answer.status() {
        OcspStatus::Revoked => !view.lists.is_revoked(authority, serial),
        OcspStatus::Suspended => !view.lists.is_listed(authority, serial),
        OcspStatus::Good => {
            view.lists.hold_remembered(authority, serial).is_some_and(|since| since < answer.this_update())
        }
        OcspStatus::Unknown => false,
    }
}

impl Breaker {
    /// After the pause one question is let through at a time, until one is answered.
    fn lets_through(&mut self, now: Instant, pause: Duration) -> bool {
        match self.until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                self.until = Some(now + pause);
                true
            }
        }
    }

    /// Whether this failure begins a pause.
    fn failed(&mut self, now: Instant, most: u32, pause: Duration) -> bool {
        self.failures = self.failures.saturating_add(1);
        let begins = self.failures >= most;
        if begins {
            self.until = Some(now + pause);
        }
        begins
    }

    const fn succeeded(&mut self) {
        self.failures = 0;
        self.until = None;
    }
}

/// The responders that a certificate names (authorityInfoAccess).
fn named(certificate: &[u8]) -> impl Iterator<Item = Address> {
    let parsed = X509Certificate::from_der(certificate).ok();
    let urls = parsed.into_iter().flat_map(|(_, certificate)| {
        let access =
            certificate.extensions().iter().filter_map(|extension| match extension.parsed_extension() {
                ParsedExtension::AuthorityInfoAccess(access) => Some(&access.accessdescs),
                _ => None,
            });
        let responders = access.flatten().filter(|one| one.access_method.to_id_string() == OCSP_METHOD);
        let urls = responders.filter_map(|one| match &one.access_location {
            GeneralName::URI(url) => Address::parse(url),
            _ => None,
        });
        urls.collect::<Vec<_>>()
    });
    urls.collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_pause_and_one_question_probes() {
        let (began, pause) = (Clock::instant(), Duration::from_secs(30));
        let mut breaker = Breaker::default();
        assert!(!breaker.failed(began, 3, pause) && !breaker.failed(began, 3, pause));
        breaker.succeeded();
        assert!(!breaker.failed(began, 3, pause) && !breaker.failed(began, 3, pause));
        assert!(breaker.lets_through(began, pause));
        assert!(breaker.failed(began, 3, pause));
        assert!(!breaker.lets_through(began + pause / 2, pause));
        assert!(breaker.lets_through(began + pause, pause), "the probe");
        assert!(!breaker.lets_through(began + pause, pause), "and nobody beside it");
        assert!(breaker.failed(began + pause, 3, pause));
        assert!(breaker.lets_through(began + pause * 2, pause));
        breaker.succeeded();
        assert!(breaker.lets_through(began + pause * 2, pause));
    }

    #[test]
    fn a_certificate_names_a_responder_and_only_listed_hosts_are_asked() {
        use pki::issuing::{AuthoritySpec, CardAuthority, CardSpec, Key, KeyKind};
        let serial = |number: u8| Serial::from_bytes(&[number]).unwrap();
        let (from, until) = (UnixTime(1_700_000_000), UnixTime(1_900_000_000));
        let spec = AuthoritySpec {
            serial: serial(1),
            not_before: from,
            not_after: until,
            organization: None,
            defect: None,
        };
        let authority = CardAuthority::new(&spec, Key::generate(KeyKind::P384).unwrap()).unwrap();
        let key = Key::generate(KeyKind::P384).unwrap();
        let card = authority.issue(&CardSpec::new(serial(2), from, until), &key).unwrap();
        let anchors = pki::Anchors::from_certificates([authority.certificate_der()]).unwrap();
        let view = TrustView::new(anchors, pki::CardProfile::production().and_test_cards());
        let proven = pki::prove_without_possession(&view, &card).unwrap();
        let asked = |rules: &str| {
            let rules: config::Responder = toml::from_str(rules).unwrap();
            Responder::new(&rules, Learned::default())
                .about(&proven, &card, &view)
                .map(|asked| asked.address.host().to_owned())
        };
        let named = "test-ocspauthnorm.jpki.go.jp";
        assert_eq!(asked(&format!("hosts = [\"{}\"]", named.to_uppercase())).as_deref(), Some(named));
        assert_eq!(asked("hosts = [\"jpki.go.jp\", \"ocsp.example\"]"), None);
        assert_eq!(asked("url = \"http://own.example/\"").as_deref(), Some("own.example"));
    }
}
