//! What is looked at only when somebody asks: gauges brought up to date, and the text of all.

use eligibility::day::Timestamp;
use prometheus::{Encoder as _, TextEncoder};

use super::Metrics;
use crate::gateway::Gateway;

impl Metrics {
    /// The Prometheus text, gauges brought up to date.
    #[must_use]
    pub fn text(&self, gateway: &Gateway, now: Timestamp) -> Vec<u8> {
        let memory = &gateway.desk.memory;
        self.generation.set(memory.generation() as i64);
        self.persons.set(memory.persons() as i64);
        self.ledger(gateway);
        self.serials.set(memory.serials() as i64);
        self.audit_waiting.set(gateway.desk.audit.waiting() as i64);
        self.audit_unsynced.set(gateway.desk.audit.unsynced_for().as_secs_f64());
        for (work, admits) in gateway.desk.audit.rooms() {
            self.audit_room.with_label_values(&[work]).set(i64::from(admits));
        }
        self.misses_used_up.set(gateway.desk.misses.used_up() as i64);
        self.delay.set(gateway.load.delay().as_secs_f64());
        self.level.set(gateway.load.level() as i64);
        let (reading, greeting) = gateway.load.waiting();
        self.waiting.with_label_values(&["reading"]).set(reading as i64);
        self.waiting.with_label_values(&["greeting"]).set(greeting as i64);
        self.reload_failed.set(gateway.reloaded().is_some_and(|reload| reload.error.is_some()).into());
        let complete_to = gateway.confirmations.complete_to();
        self.confirmations_age.set((now.millis() - complete_to.millis()) as f64 / 1000.0);
        self.trust(gateway, now);
        for (state, jobs) in gateway.jobs.phases() {
            self.prechecks.with_label_values(&[state]).set(jobs as i64);
        }
        for (source, state) in memory.sources() {
            let source_word = source.to_string();
            if let Some(at) = state.complete_to {
                self.feed_age.with_label_values(&[&source_word]).set((now.millis() - at.millis()) / 1000);
            }
            self.feed_quarantine.with_label_values(&[&source_word]).set(state.quarantine.len() as i64);
            self.feed_held.with_label_values(&[&source_word]).set(gateway.desk.held.of(source).len() as i64);
        }
        let mut text = Vec::new();
        // Writing to memory cannot fail.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        text
    }

    fn ledger(&self, gateway: &Gateway) {
        let standing = gateway.ledger.standing();
        let generation = gateway.desk.memory.generation();
        self.ledger_lag.set(standing.last.saturating_sub(generation) as i64);
        self.ledger_away.set(i64::from(standing.away.is_some()));
        // One that was taken away shall not be warned of.
        self.gateway_lag.reset();
        self.gateway_heard.reset();
        for other in &standing.gateways {
            let lag = standing.last.saturating_sub(other.position);
            self.gateway_lag.with_label_values(&[&other.name]).set(lag as i64);
            self.gateway_heard.with_label_values(&[&other.name]).set(other.heard.as_secs() as i64);
        }
    }

    fn trust(&self, gateway: &Gateway, now: Timestamp) {
        let seconds = now.millis().div_euclid(1000);
        let trust = &gateway.desk.trust;
        let held = trust.in_force();
        let lists = || held.view.lists.iter();
        let oldest = lists().map(|list| list.mark.this_update.0).min();
        self.list_age.set(oldest.map_or(f64::NAN, |at| (seconds - at) as f64));
        let first_due = lists().map(|list| list.next_update.0).min();
        self.list_due.set(first_due.map_or(f64::NAN, |at| (at - seconds) as f64));
        self.lists.set(lists().count() as i64);
        self.revoked.set(lists().map(|list| list.revoked as i64).sum());
        for entrance in &gateway.entrances {
            let (lists, listener) = (entrance.clients().lists(), entrance.address().to_string());
            let days = (entrance.ends().0 - seconds).div_euclid(86_400);
            self.certificate_days.with_label_values(&[&listener]).set(days);
            if let Some(at) = lists.iter().map(|list| list.mark.this_update.0).min() {
                self.client_list_age.with_label_values(&[&listener]).set(seconds - at);
            }
            if let Some(at) = lists.iter().map(|list| list.next_update.0).min() {
                self.client_list_due.with_label_values(&[&listener]).set(at - seconds);
            }
        }
        if let Some(responder) = &held.responder {
            for (word, count) in crate::trust::ENDS.iter().zip(responder.ends()) {
                self.responder.with_label_values(&[word]).set(count as i64);
            }
            self.responder_in_flight.set(responder.in_flight() as i64);
            self.responder_paused.set(i64::from(responder.is_paused()));
        }
        // An anchor that was retired shall not be warned of.
        self.anchor_days.reset();
        for anchor in trust.anchors(pki::UnixTime(seconds)) {
            self.anchor_days.with_label_values(&[&anchor.name]).set(i64::from(anchor.days_left));
        }
    }
}
