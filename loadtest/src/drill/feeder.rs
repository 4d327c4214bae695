//! An insurer of the drill's own, with people whom nobody else knows.

use eligibility::day::Timestamp;
use eligibility::number::check_digit;
use serde_json::{Value, json};

use super::DrillError;
use super::desk::Desk;
use super::house::House;
use crate::clock;

/// The feeder of one insurer.
pub(super) struct Feeder {
    desk: Desk,
    source: String,
    next: u64,
}

impl Feeder {
    /// Enters a new insurer into the list of a gateway that does not serve yet. `city`: a 国民健康保険, whose
    /// numbers have six digits.
    pub(super) fn join(house: &House, name: &str, city: bool) -> Result<Self, DrillError> {
        let list = house.text("insurers.csv")?;
        let (first, width) = if city { (13_800, 6) } else { (613_700, 8) };
        let numbers = (first..).map(|body| format!("{:0width$}", body * 10 + check_digit(body)));
        let source = numbers.take(100).find(|number| !list.contains(number.as_str()));
        let source = source.ok_or_else(|| DrillError("no insurer number is free".to_owned()))?;
        std::fs::write(house.file("insurers.csv"), format!("{}\n{source},{name}\n", list.trim_end()))?;
        Ok(Self { desk: Desk::new(house, "insurer", &source)?, source, next: 1 })
    }

    /// So many people, each with `change` in its coverage.
    pub(super) fn members(&mut self, people: u64, change: &Value) -> Vec<Value> {
        let first = self.next;
        self.next += people;
        (0..people).map(|person| self.member(first + person, person, change)).collect()
    }

    fn member(&self, sequence: u64, person: u64, change: &Value) -> Value {
        let mut coverage = json!({
            "symbol": "訓練", "number": format!("{}", person + 1), "qualified_on": "2020-04-01", "copay_percent": 30,
            "elderly": [{"valid_from": "2020-04-01", "valid_through": "2035-03-31", "copay_percent": 20}],
            "limit_certificates": [
                {"kind": "01", "category": "B03", "valid_from": "2020-04-01", "valid_through": "2035-03-31"}],
        });
        if let (Some(coverage), Some(change)) = (coverage.as_object_mut(), change.as_object()) {
            coverage.extend(change.clone());
        }
        json!({
            "source": self.source, "sequence": sequence, "kind": "member",
            "link_number": format!("{:016}", 9_500_000_000_000_000 + person),
            "name": "訓練　花子", "sex": "female", "birth_date": "1950-05-05", "coverages": [coverage],
        })
    }

    /// The word that all is told up to this time.
    pub(super) fn mark(&mut self, complete_to: Timestamp) -> Value {
        self.next += 1;
        json!({"source": self.source, "sequence": self.next - 1, "kind": "mark", "complete_to": complete_to.to_string()})
    }

    /// Sends records as one delivery: status and report.
    pub(super) fn deliver(&self, records: &[Value]) -> Result<(u16, Value), DrillError> {
        let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
        self.desk.post(&format!("/v1/feeds/{}", self.source), "application/x-ndjson", lines.as_bytes())
    }

    /// Sends records that are to be taken as they are.
    pub(super) fn feed(&self, records: &[Value]) -> Result<(), DrillError> {
        let (status, report) = self.deliver(records)?;
        let taken = status == 200 && report["quarantined"].as_array().is_none_or(Vec::is_empty);
        if taken { Ok(()) } else { Err(DrillError(format!("the feed was not taken: {status} {report}"))) }
    }

    /// The next delivery begins with this sequence again.
    pub(super) fn begin_again(&mut self, sequence: u64) {
        self.next = sequence;
    }

    /// The sequence that comes next.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// The source's path below `/v1/feeds/`.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// What a desk asks about its person of that number; a number beyond all of them is nobody's.
    pub(super) fn question(&self, person: u64) -> Value {
        json!({
            "insurer_number": self.source, "symbol": "訓練", "number": format!("{}", person + 1),
            "birth_date": "1950-05-05", "consent": {"limit_certificate": true},
        })
    }
}

/// Now, and so many seconds.
pub(super) fn in_seconds(seconds: i64) -> Timestamp {
    clock::now().plus_millis(seconds * 1000)
}
