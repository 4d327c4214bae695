//! Scenario files: whom to ask, what, when, and what must hold. TOML; unknown keys are refused.

mod mix;
mod objective;
mod phase;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::outcome::Sort;

pub use mix::Mix;
pub use objective::{Measure, Objective};
pub use phase::{Phase, PhaseSpec, Shape};

/// A scenario as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name, for reports.
    pub name: String,
    /// What it shows, in one or two sentences.
    #[serde(default)]
    pub about: String,
    /// What all chance is drawn from.
    #[serde(default = "one")]
    pub seed: u64,
    /// Whom to ask.
    pub target: Target,
    /// Who asks.
    #[serde(default)]
    pub institutions: Institutions,
    /// What is asked.
    pub mix: Mix,
    /// Sorts of cards.
    #[serde(default)]
    pub cards: Cards,
    /// Sorts of questions by number.
    #[serde(default)]
    pub numbers: Numbers,
    /// How the generator works.
    #[serde(default)]
    pub generator: Generator,
    /// What must hold over all phases that are not a warm-up.
    #[serde(default)]
    pub objectives: Vec<Objective>,
    /// The phases, one after the other.
    pub phases: Vec<PhaseSpec>,
    /// What disturbs meanwhile.
    #[serde(default)]
    pub disturbances: Vec<Disturbance>,
}

/// Whom to ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `https://HOST:PORT`, or `http://` for a server without TLS.
    pub url: String,
    /// A folder as `shikaku demo` makes it: authorities, client certificates, cards, people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The server's CA, PEM; the folder's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Client certificate, PEM, with its key beside; for a server without such a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientFiles>,
    /// Whether connections may go on from earlier ones (TLS resumption).
    #[serde(default)]
    pub resumption: bool,
    /// Whether requests go by HTTP/2, on each connection one at a time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub http2: bool,
    /// `http://HOST:PORT/metrics`, read every second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<String>,
    /// The metrics to keep, summed over their labels.
    #[serde(default = "watched", skip_serializing_if = "Vec::is_empty")]
    pub watch: Vec<String>,
}

/// Files of a client certificate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientFiles {
    /// Certificate, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
}

/// How many institutions of each kind ask, each with a certificate and connections of its own.
/// With none the folder's `reception` asks alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Institutions {
    /// 病院
    pub hospitals: u32,
    /// 診療所
    pub clinics: u32,
    /// 歯科診療所
    pub dental: u32,
    /// 薬局
    pub pharmacies: u32,
    /// Connections of a hospital; others have a quarter, but at least one.
    pub connections: u32,
}

impl Default for Institutions {
    fn default() -> Self {
        Self { hospitals: 0, clinics: 0, dental: 0, pharmacies: 0, connections: 16 }
    }
}

/// When challenges are fetched and signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signing {
    /// In the run, a little ahead of each request, as at a desk.
    #[default]
    InTheRun,
    /// All before the run: the server's challenges must live long enough.
    Before,
}

/// The cards that are laid on readers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cards {
    /// When challenges are fetched and signed.
    pub signing: Signing,
    /// How many different cards.
    pub different: u32,
    /// RSA keys that the cards share, as one takes a tenth of a second to make; 0: every card has a
    /// P-384 key of its own.
    pub rsa_keys: u32,
    /// Shares of sorts.
    pub shares: BTreeMap<Sort, f64>,
}

impl Default for Cards {
    fn default() -> Self {
        let shares = [
            (Sort::Good, 93.0),
            (Sort::Grace, 3.0),
            (Sort::Expired, 1.5),
            (Sort::Revoked, 0.5),
            (Sort::Unlinked, 2.0),
        ];
        Self { signing: Signing::default(), different: 2000, rsa_keys: 16, shares: shares.into() }
    }
}

/// The questions by number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Numbers {
    /// How many different questions.
    pub different: u32,
    /// Shares of sorts.
    pub shares: BTreeMap<Sort, f64>,
}

impl Default for Numbers {
    fn default() -> Self {
        let shares = [(Sort::Good, 94.0), (Sort::Switched, 5.0), (Sort::Mistyped, 1.0)];
        Self { different: 10_000, shares: shares.into() }
    }
}

/// How the generator works, and from when on it is the limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Generator {
    /// Threads that send; as many as there are cores when 0.
    pub workers: u32,
    /// Threads that fetch challenges and sign.
    pub signers: u32,
    /// Seconds after which an answer is not waited for any more.
    pub timeout: f64,
    /// The 99th percentile of its lag, in milliseconds, from which on the run is invalid.
    pub lag_ms: f64,
}

impl Default for Generator {
    fn default() -> Self {
        Self { workers: 1, signers: 1, timeout: 10.0, lag_ms: 5.0 }
    }
}

/// What disturbs the server while it is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disturbance {
    /// What is done.
    pub kind: DisturbanceKind,
    /// Connections that do it.
    pub connections: u32,
    /// Seconds into the run.
    #[serde(default)]
    pub from: f64,
    /// For so many seconds.
    pub seconds: f64,
}

/// Ways to disturb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisturbanceKind {
    /// Sends a request an octet every tenth of a second.
    SlowSender,
    /// Asks on and on and never reads.
    SlowReader,
    /// Connects and says nothing.
    Flood,
    /// Connects, shakes hands, and begins anew.
    Handshakes,
}

/// OU of the client certificates that institutions get.
pub const UNIT: &str = "reception";

const fn one() -> u64 {
    1
}

fn watched() -> Vec<String> {
    [
        "shikaku_connections",
        "shikaku_requests_total",
        "shikaku_handshakes_failed_total",
        "shikaku_audit_waiting",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Refuses keys of phases that nobody reads: their shape is flattened, where serde lets any pass.
fn known_keys(text: &str, scenario: &Scenario) -> Result<(), String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let written = table.get("phases").and_then(toml::Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (at, (phase, spec)) in written.iter().zip(&scenario.phases).enumerate() {
        let known = toml::Table::try_from(spec).map_err(|error| error.to_string())?;
        let mut keys = phase.as_table().into_iter().flatten().map(|(key, _)| key);
        if let Some(key) = keys.find(|key| !known.contains_key(*key)) {
            return Err(format!("phases[{at}]: unknown key `{key}`"));
        }
    }
    Ok(())
}

impl Scenario {
    /// Reads a scenario file. Paths in it are relative to it.
    ///
    /// # Errors
    /// What is wrong, with file and place.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Reads a scenario.
    ///
    /// # Errors
    /// What is wrong, with its place.
    pub fn parse(text: &str) -> Result<Self, String> {
        let scenario: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        known_keys(text, &scenario)?;
        scenario.check()?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), String> {
        if self.phases.is_empty() {
            return Err("phases: at least one".to_owned());
        }
        let shares = |what: &str, all: &mut dyn Iterator<Item = f64>| {
            let all: Vec<f64> = all.collect();
            let sound = all.iter().all(|share| share.is_finite() && *share >= 0.0);
            if sound && all.iter().sum::<f64>() > 0.0 {
                return Ok(());
            }
            Err(format!("{what}: shares are not negative, and one of them is above 0"))
        };
        let mix = &self.mix;
        shares("mix", &mut mix.shares().into_iter())?;
        shares("cards.shares", &mut self.cards.shares.values().copied())?;
        shares("numbers.shares", &mut self.numbers.shares.values().copied())?;
        let fits = |what: &str, given: &BTreeMap<Sort, f64>, known: &BTreeMap<Sort, f64>| match given
            .keys()
            .find(|sort| !known.contains_key(sort))
        {
            Some(sort) => Err(format!("{what}: {} is no sort of theirs", sort.word())),
            None => Ok(()),
        };
        fits("cards.shares", &self.cards.shares, &Cards::default().shares)?;
        fits("numbers.shares", &self.numbers.shares, &Numbers::default().shares)?;
        mix.check(self.target.folder.is_some())?;
        let generator = &self.generator;
        if !(generator.timeout > 0.0 && generator.timeout <= 120.0) {
            return Err("generator.timeout: above 0, at most 120 seconds".to_owned());
        }
        Ok(())
    }

    /// Its phases with their curves, in order of time.
    ///
    /// # Errors
    /// A phase that makes no sense, or a recording that cannot be read.
    pub fn phases(&self, beside: &Path) -> Result<Vec<Phase>, String> {
        let mut starts = 0.0;
        let mut phases = Vec::new();
        for (at, spec) in self.phases.iter().enumerate() {
            let seed = crate::schedule::mix(self.seed ^ ((at as u64) << 32));
            let phase =
                spec.resolve(starts, seed, beside).map_err(|error| format!("phases[{at}]: {error}"))?;
            starts += phase.schedule.duration().as_secs_f64();
            phases.push(phase);
        }
        Ok(phases)
    }

    /// The same scenario, its rates times `by`.
    #[must_use]
    pub fn scaled(&self, by: f64) -> Self {
        let phases = self.phases.iter().map(|phase| phase.scaled(by)).collect();
        Self { phases, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "name='a'\ntarget={url='http://127.0.0.1:1'}\nmix={plain=1,path='/'}\n\
                         [[phases]]\nname='x'\nshape='constant'\nrate=10\nseconds=2\n";

    #[test]
    fn what_makes_no_sense_is_refused_by_its_place() {
        assert!(Scenario::parse(LEAST).is_ok());
        for (from, to, place) in [
            ("name='a'", "nam='a'", "nam"),
            ("seconds=2", "seconds=2\nsecond=3", "second"),
            ("path='/'", "path='x'", "mix.path"),
            ("plain=1", "card=1", "target.folder"),
            ("plain=1", "plain=-1", "mix"),
            ("rate=10\n", "", "rate"),
            ("mix=", "generator={timeout=0}\nmix=", "generator.timeout"),
            ("mix=", "cards={shares={switched=1}}\nmix=", "cards.shares"),
            ("mix=", "objectives=['p99 < 5 parsecs']\nmix=", "parsecs"),
        ] {
            let text = LEAST.replace(from, to);
            let error = Scenario::parse(&text).and_then(|one| one.phases(Path::new(".")).map(|_| one));
            assert!(error.as_ref().is_err_and(|error| error.contains(place)), "{to}: {error:?}");
        }
    }

    #[test]
    fn phases_follow_each_other() {
        let text = format!("{LEAST}[[phases]]\nname='y'\nshape='ramp'\nfrom=10\nto=20\nseconds=4\n");
        let phases = Scenario::parse(&text).unwrap().phases(Path::new(".")).unwrap();
        assert_eq!(phases.iter().map(|one| one.starts).collect::<Vec<_>>(), [0.0, 2.0]);
        assert_eq!(phases[1].schedule.expected(), 60.0);
    }
}
