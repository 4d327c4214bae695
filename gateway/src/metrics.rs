//! What the gateway counts: names, units and labels in one place.
//!
//! Labels are words of ours only (routes, outcomes, sources), so their number is bounded.

mod gauges;

use std::time::{Duration, Instant};

use prometheus::core::Collector as _;
use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};

use crate::audit::Work;
use crate::clock::Clock;

/// The program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// How it was built.
pub const PROFILE: &str = if cfg!(debug_assertions) { "debug" } else { "release" };

/// Upper bounds of the stages' histograms, in seconds.
const STAGE_BUCKETS: [f64; 12] =
    [0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.02, 0.1, 1.0];
/// Upper bounds of the request histogram, in seconds.
const BUCKETS: [f64; 14] =
    [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0];

/// A part of the way of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A TLS handshake, from its turn to its end.
    Handshake,
    /// A query's body, from its head to its last octet.
    Receive,
    /// From there to the answer as it will be sent: parse, prove, find, decide, encode.
    Path,
    /// Waiting for its record to be written.
    Record,
}

impl Stage {
    const ALL: [Self; 4] = [Self::Handshake, Self::Receive, Self::Path, Self::Record];

    const fn word(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Receive => "receive",
            Self::Path => "path",
            Self::Record => "record",
        }
    }
}

/// How one route has answered since the start.
pub struct RouteSeen {
    /// The route.
    pub name: String,
    /// Replies.
    pub count: u64,
    /// Replies a second, since it was last asked.
    pub rate: f64,
    /// Half of them took no longer than so many seconds; `None` beyond the last bound.
    pub median: Option<f64>,
    /// 99 of a hundred took no longer.
    pub p99: Option<f64>,
}

/// The counters and gauges.
pub struct Metrics {
    /// When routes were last asked for, and their counts then.
    seen: std::sync::Mutex<(Instant, std::collections::HashMap<String, u64>)>,
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    /// Connections open now.
    pub connections: IntGauge,
    /// Connections turned away because too many were open.
    pub connections_refused: IntCounter,
    /// Connections ended because the other side did nothing, or too much.
    pub connections_ended: IntCounterVec,
    handshakes: IntCounterVec,
    handshakes_failed: IntCounter,
    /// Failed attempts to take a connection.
    pub accepts_failed: IntCounter,
    /// Requests refused because they had waited too long to be read.
    pub refused_late: IntCounter,
    shed: IntCounterVec,
    stages: [Histogram; 4],
    delay: Gauge,
    level: IntGauge,
    waiting: IntGaugeVec,
    reload_failed: IntGauge,
    /// Requests that hit a fault of ours.
    pub panics: IntCounter,
    generation: IntGauge,
    ledger_lag: IntGauge,
    ledger_away: IntGauge,
    gateway_lag: IntGaugeVec,
    gateway_heard: IntGaugeVec,
    persons: IntGauge,
    serials: IntGauge,
    audit_waiting: IntGauge,
    misses_used_up: IntGauge,
    audit_unsynced: Gauge,
    confirmations_age: Gauge,
    revoked: IntGauge,
    list_age: Gauge,
    list_due: Gauge,
    lists: IntGauge,
    client_list_age: IntGaugeVec,
    client_list_due: IntGaugeVec,
    certificate_days: IntGaugeVec,
    anchor_days: IntGaugeVec,
    responder: IntGaugeVec,
    responder_in_flight: IntGauge,
    responder_paused: IntGauge,
    prechecks: IntGaugeVec,
    prechecked: IntCounterVec,
    rechecked: IntCounter,
    feed_age: IntGaugeVec,
    feed_quarantine: IntGaugeVec,
    feed_held: IntGaugeVec,
    audit_room: IntGaugeVec,
}

impl Metrics {
    /// All of them, at zero.
    ///
    /// # Panics
    /// Never: the names are distinct and well-formed, which every test that starts a gateway shows.
    #[must_use]
    pub fn new() -> Self {
        let registry = Registry::new();
        macro_rules! register {
            ($metric:expr) => {{
                let metric = $metric.expect("a well-formed metric");
                registry.register(Box::new(metric.clone())).expect("a name of its own");
                metric
            }};
        }
        let requests = Opts::new("shikaku_requests_total", "Requests answered, by route and outcome.");
        let seconds = HistogramOpts::new("shikaku_request_seconds", "Time from head to reply, by route.");
        let ended = Opts::new(
            "shikaku_connections_ended_total",
            "Connections ended because a caller kept us waiting, or sent more control frames than there may be.",
        );
        let handshakes = Opts::new(
            "shikaku_handshakes_total",
            "TLS handshakes by how they ended: done, refused, late, dropped (the oldest of too many), shed (the \
             newest behind too many).",
        );
        let shed =
            Opts::new("shikaku_shed_total", "Requests refused for want of room or time, by class of work.");
        let stages = HistogramOpts::new("shikaku_stage_seconds", "Time of each part of a request's way.");
        let stages = register!(HistogramVec::new(stages.buckets(STAGE_BUCKETS.to_vec()), &["stage"]));
        let waiting = Opts::new("shikaku_callers_waiting", "Callers that wait to be greeted or read.");
        let build = Opts::new("shikaku_build_info", "1; the labels say which program this is.");
        let build = register!(IntGaugeVec::new(build, &["version", "profile"]));
        build.with_label_values(&[VERSION, PROFILE]).set(1);
        let client_age = Opts::new(
            "shikaku_client_list_age_seconds",
            "Age of the oldest revocation list of a listener's client CAs: warn above 93600, alarm above 172800.",
        );
        let client_due = Opts::new(
            "shikaku_client_list_due_seconds",
            "Seconds until the first of those lists is past its next update: warn below 21600, alarm below 0.",
        );
        let certificate_days = Opts::new(
            "shikaku_certificate_days_left",
            "Days until a listener's own certificate ends: plan below 30, hurry below 7.",
        );
        let anchor_days = Opts::new(
            "shikaku_anchor_days_left",
            "Days until a trust anchor ends: plan below 90, hurry below 30, alarm below 7.",
        );
        let responder = Opts::new(
            "shikaku_responder_questions",
            "Questions to the responder since the configuration was read, by how they ended.",
        );
        let prechecks = Opts::new("shikaku_prechecks", "Claims pre-checks that are kept, by state.");
        let prechecked = Opts::new("shikaku_precheck_claims_total", "Claims judged, by verdict.");
        let feed_age = Opts::new("shikaku_feed_age_seconds", "Age of what a source is complete to.");
        let gateway_lag = Opts::new(
            "shikaku_gateway_lag",
            "Batches committed and not yet visible at a gateway that shares the ledger.",
        );
        let gateway_heard = Opts::new(
            "shikaku_gateway_heard_seconds",
            "Seconds since a gateway that shares the ledger was heard of: alarm above 30.",
        );
        let quarantine = Opts::new("shikaku_feed_quarantined", "Records of a source in quarantine.");
        let held = Opts::new("shikaku_feed_held", "Deliveries of a source that are held back.");
        let room = Opts::new(
            "shikaku_audit_room",
            "1 while the audit's disk has room for the records of this work, 0 while it is refused.",
        );
        Self {
            requests: register!(IntCounterVec::new(requests, &["route", "outcome"])),
            seconds: register!(HistogramVec::new(seconds.buckets(BUCKETS.to_vec()), &["route"])),
            connections: register!(IntGauge::new("shikaku_connections", "Connections open now.")),
            connections_refused: register!(IntCounter::new(
                "shikaku_connections_refused_total",
                "Connections turned away because too many were open, in all or from one address."
            )),
            connections_ended: register!(IntCounterVec::new(ended, &["why"])),
            handshakes: register!(IntCounterVec::new(handshakes, &["outcome"])),
            handshakes_failed: register!(IntCounter::new(
                "shikaku_handshakes_failed_total",
                "TLS handshakes that failed or took too long."
            )),
            accepts_failed: register!(IntCounter::new(
                "shikaku_accepts_failed_total",
                "Failed attempts to take a connection: no file descriptors are left, as a rule."
            )),
            refused_late: register!(IntCounter::new(
                "shikaku_refused_late_total",
                "Requests refused because they had waited too long to be read."
            )),
            shed: register!(IntCounterVec::new(shed, &["class"])),
            stages: Stage::ALL.map(|stage| stages.with_label_values(&[stage.word()])),
            delay: register!(Gauge::new(
                "shikaku_queue_delay_seconds",
                "For how long the oldest request has waited: alarm when above 0.02 for a minute."
            )),
            level: register!(IntGauge::new(
                "shikaku_overload_level",
                "0 all is done, 1 lower classes wait, 2 noisy callers wait too."
            )),
            waiting: register!(IntGaugeVec::new(waiting, &["for"])),
            reload_failed: register!(IntGauge::new(
                "shikaku_reload_failed",
                "1 while the configuration that was last read again could not be taken over: alarm."
            )),
            panics: register!(IntCounter::new("shikaku_panics_total", "Requests that hit a fault of ours.")),
            generation: register!(IntGauge::new("shikaku_generation", "Position of the last visible batch.")),
            ledger_lag: register!(IntGauge::new(
                "shikaku_ledger_lag",
                "Batches committed and not yet visible here: warn when above 0 for 10 s."
            )),
            ledger_away: register!(IntGauge::new(
                "shikaku_ledger_away",
                "1 while the ledger's database cannot be reached: deliveries are refused, answers grow old."
            )),
            gateway_lag: register!(IntGaugeVec::new(gateway_lag, &["gateway"])),
            gateway_heard: register!(IntGaugeVec::new(gateway_heard, &["gateway"])),
            persons: register!(IntGauge::new("shikaku_persons", "Persons in memory.")),
            serials: register!(IntGauge::new("shikaku_serials", "Linked card serials in memory.")),
            audit_waiting: register!(IntGauge::new(
                "shikaku_audit_waiting",
                "Audit records not yet written."
            )),
            misses_used_up: register!(IntGauge::new(
                "shikaku_miss_budgets_used_up",
                "Budgets of questions that found nobody, used up since the start: alarm when it grows."
            )),
            audit_unsynced: register!(Gauge::new(
                "shikaku_audit_unsynced_seconds",
                "Age of the oldest audit record that is not known to be on the disk: alarm above 1."
            )),
            confirmations_age: register!(Gauge::new(
                "shikaku_confirmations_age_seconds",
                "Age of what institutions' own log is complete to: warn above 10."
            )),
            revoked: register!(IntGauge::new(
                "shikaku_revoked_serials",
                "Revoked serials on the lists held."
            )),
            list_age: register!(Gauge::new(
                "shikaku_revocation_list_age_seconds",
                "Age of the oldest revocation list held: warn above 93600 (a daily list is late), alarm above 172800."
            )),
            list_due: register!(Gauge::new(
                "shikaku_revocation_list_due_seconds",
                "Seconds until the first of the revocation lists held is past its next update: warn below \
                 21600, alarm below 0."
            )),
            lists: register!(IntGauge::new(
                "shikaku_revocation_lists",
                "Revocation lists held: alarm when it falls."
            )),
            client_list_age: register!(IntGaugeVec::new(client_age, &["listener"])),
            client_list_due: register!(IntGaugeVec::new(client_due, &["listener"])),
            certificate_days: register!(IntGaugeVec::new(certificate_days, &["listener"])),
            anchor_days: register!(IntGaugeVec::new(anchor_days, &["anchor"])),
            responder: register!(IntGaugeVec::new(responder, &["outcome"])),
            responder_in_flight: register!(IntGauge::new(
                "shikaku_responder_in_flight",
                "Questions to the responder on their way."
            )),
            responder_paused: register!(IntGauge::new(
                "shikaku_responder_paused",
                "1 while the responder is not asked, after failures in a row: alarm after 5 minutes."
            )),
            prechecks: register!(IntGaugeVec::new(prechecks, &["state"])),
            prechecked: register!(IntCounterVec::new(prechecked, &["verdict"])),
            rechecked: register!(IntCounter::new(
                "shikaku_precheck_changed_total",
                "Results of pre-checks that changed when more became known."
            )),
            feed_age: register!(IntGaugeVec::new(feed_age, &["source"])),
            feed_quarantine: register!(IntGaugeVec::new(quarantine, &["source"])),
            feed_held: register!(IntGaugeVec::new(held, &["source"])),
            audit_room: register!(IntGaugeVec::new(room, &["work"])),
            registry,
            seen: std::sync::Mutex::new((Clock::instant(), std::collections::HashMap::new())),
        }
    }

    /// Counts one reply.
    pub fn answered(&self, route: &str, outcome: &str, took: Duration) {
        self.requests.with_label_values(&[route, outcome]).inc();
        self.seconds.with_label_values(&[route]).observe(took.as_secs_f64());
    }

    /// Counts one handshake by how it ended.
    pub fn handshake(&self, outcome: &str) {
        self.handshakes.with_label_values(&[outcome]).inc();
        self.handshakes_failed.inc_by(u64::from(outcome != "done"));
    }

    /// Counts the time of one part of a request's way.
    pub fn stage(&self, stage: Stage, took: Duration) {
        if let Some(histogram) = self.stages.get(stage as usize) {
            histogram.observe(took.as_secs_f64());
        }
    }

    /// Counts one request refused for want of room or time.
    pub fn shed(&self, work: Work) {
        self.shed.with_label_values(&[work.word()]).inc();
    }

    /// How each route has answered so far, with the rate since this was last asked.
    #[must_use]
    pub fn routes(&self) -> Vec<RouteSeen> {
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let since = seen.0.elapsed().as_secs_f64().max(0.001);
        let mut routes = Vec::new();
        let mut counts = std::collections::HashMap::new();
        for metric in self.seconds.collect().iter().flat_map(|family| family.get_metric()) {
            let name = metric.get_label().first().map(|label| label.value().to_owned()).unwrap_or_default();
            let histogram = metric.get_histogram();
            let count = histogram.get_sample_count();
            let below = |part: f64| {
                let wanted = (count as f64 * part).ceil() as u64;
                let mut buckets = histogram.get_bucket().iter();
                buckets.find(|bucket| bucket.cumulative_count() >= wanted).map(|bucket| bucket.upper_bound())
            };
            let before = seen.1.get(&name).copied().unwrap_or_default();
            let rate = count.saturating_sub(before) as f64 / since;
            counts.insert(name.clone(), count);
            routes.push(RouteSeen { name, count, rate, median: below(0.5), p99: below(0.99) });
        }
        *seen = (Clock::instant(), counts);
        routes.sort_by(|a, b| a.name.cmp(&b.name));
        routes
    }

    /// Counts one line of a batch.
    pub fn batched(&self, outcome: &str) {
        self.requests.with_label_values(&["batch line", outcome]).inc();
    }

    /// Counts one claim of a pre-check.
    pub fn prechecked(&self, verdict: &str) {
        self.prechecked.with_label_values(&[verdict]).inc();
    }

    /// Counts results of pre-checks that changed.
    pub fn rechecked(&self, results: u64) {
        self.rechecked.inc_by(results);
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
