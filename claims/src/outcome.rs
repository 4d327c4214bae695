//! The result of one claim, and its JSON in both directions.
//!
//! A result bears the numbers of insurances and no name: it goes to those whose claim it is.

use std::borrow::Cow;
use std::fmt;

use eligibility::code::LossReason;
use eligibility::coverage::{Coverage, Written as Text};
use eligibility::day::{Day, Timestamp};
use eligibility::number::{Branch, InsurerNumber};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::claim::{Agency, Written};
use crate::date::Month;
use crate::days::DaysSource;
use crate::finding::Finding;
use crate::verdict::{Confirmation, Holder, ReasonCode, Rule, Suggested, Verdict};

/// The result of one claim.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Line of the claim's RE record, or of its JSON.
    pub line: u64,
    /// レセプト番号.
    pub claim: Option<u32>,
    /// What would become of it.
    pub verdict: Verdict,
    /// With `review`: why.
    pub rule: Option<Rule>,
    /// 確認区分 that the 審査支払機関 would set.
    pub code: Option<Confirmation>,
    /// With a rule that forbids a move: the move.
    pub suggested: Option<Suggested>,
    /// The insurance on the claim.
    pub written: Option<WrittenShown>,
    /// 診療年月.
    pub month: Option<Month>,
    /// From what the days are known.
    pub days_from: Option<DaysSource>,
    /// Whose each day is.
    pub days: Vec<DaysShown>,
    /// The coverages that the days and reasons speak of.
    pub coverages: Vec<CoverageShown>,
    /// Where the claim goes, and where it should.
    pub payer: Payers,
    /// Why, in the order in which one would tell it.
    pub reason: Vec<Reason>,
    /// The time up to which the insurers concerned have told us everything; `None` when one of them
    /// has never said.
    pub as_of: Option<Timestamp>,
    /// 点数 of the claim.
    pub points: u64,
    /// 枝番 that was missing and is certain.
    pub branch: Option<ShownBranch>,
    /// Line of the SN record in which 枝番 and 確認区分 stand.
    pub confirmation_line: Option<u64>,
    /// Whether it names a coverage other than the written one.
    pub named: bool,
    /// What makes the claim unreadable.
    pub fault: Option<Finding>,
    /// What is odd about its records.
    pub warnings: Vec<Finding>,
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outcome(line {}, {}, …)", self.line, self.verdict.word())
    }
}

impl Outcome {
    /// Appends the result and a line end.
    pub fn write_json(&self, into: &mut Vec<u8>) {
        eligibility::wire::write_to(self, into);
        into.push(b'\n');
    }

    /// Reads a result as it was written.
    #[must_use]
    pub fn from_json(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }
}

/// The insurance on the claim.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenShown {
    /// 保険者番号 in its printed form.
    pub insurer_number: Box<str>,
    /// 記号.
    pub symbol: Box<str>,
    /// 番号.
    pub number: Box<str>,
    /// 枝番.
    pub branch: Option<ShownBranch>,
    /// 生年月日.
    pub birth_date: Day,
}

impl From<&Written> for WrittenShown {
    fn from(written: &Written) -> Self {
        Self {
            insurer_number: written.insurer.to_string().into(),
            symbol: written.symbol.clone(),
            number: written.number.clone(),
            branch: written.branch.map(ShownBranch),
            birth_date: written.birth_date,
        }
    }
}

/// Days with one holder.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaysShown {
    /// Whose they are.
    pub holder: Holder,
    /// Place in `coverages`; `None` for nobody's, and where the coverage may not be named.
    pub coverage: Option<usize>,
    /// Whether there was a visit on each of the days; else on some of them.
    pub known: bool,
    /// The days.
    pub dates: Vec<Day>,
}

/// A coverage, as far as a claim needs it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageShown {
    /// Whether it is the one on the claim.
    pub written: bool,
    /// 保険者番号 in its printed form.
    pub insurer_number: Box<str>,
    /// 記号 as the insurer writes it.
    pub symbol: Box<str>,
    /// 番号 as the insurer writes it.
    pub number: Box<str>,
    /// 枝番.
    pub branch: Option<ShownBranch>,
    /// 資格取得日.
    pub qualified_on: Day,
    /// 資格喪失日.
    pub disqualified_on: Option<Day>,
    /// 資格喪失事由.
    pub loss_reason: Option<LossReason>,
    /// 有効開始日.
    pub valid_from: Option<Day>,
    /// 有効終了日.
    pub valid_through: Option<Day>,
    /// Share the person pays, in percent.
    pub copay_percent: Option<u8>,
    /// 審査支払機関コード of its insurer.
    pub payer: u8,
    /// How far its insurer's word reaches.
    pub as_of: Option<Timestamp>,
}

impl CoverageShown {
    pub(crate) fn of<T: Text>(
        insurer: InsurerNumber,
        coverage: &Coverage<T>,
        written: bool,
        as_of: Option<Timestamp>,
    ) -> Self {
        Self {
            written,
            insurer_number: insurer.to_string().into(),
            symbol: coverage.symbol.text().into(),
            number: coverage.number.text().into(),
            branch: coverage.branch.map(ShownBranch),
            qualified_on: coverage.qualified_on,
            disqualified_on: coverage.disqualified_on,
            loss_reason: coverage.loss_reason,
            valid_from: coverage.validity.from,
            valid_through: coverage.validity.through,
            copay_percent: coverage.copay_percent,
            payer: Agency::of(insurer).code(),
            as_of,
        }
    }
}

/// 審査支払機関コード of the file, and of the right insurer where that is known and may be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Payers {
    /// To which the claim goes.
    pub written: Option<u8>,
    /// To which it should go; of a split claim the other one, if any part goes there.
    pub right: Option<u8>,
}

/// A link of the reason chain.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// For programs.
    pub code: ReasonCode,
    /// For clerks.
    pub text: Cow<'static, str>,
}

impl Reason {
    /// The code with its own text.
    #[must_use]
    pub const fn plain(code: ReasonCode) -> Self {
        Self { code, text: Cow::Borrowed(code.text()) }
    }

    /// The code with a text that says more.
    #[must_use]
    pub const fn told(code: ReasonCode, text: String) -> Self {
        Self { code, text: Cow::Owned(text) }
    }
}

/// 枝番, two digits on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ShownBranch(pub Branch);

impl Serialize for ShownBranch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ShownBranch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Branch::parse(&text).map(Self).map_err(|_| serde::de::Error::custom("a branch is two digits"))
    }
}

/// Personal data prints as fixed words.
macro_rules! redacted {
    ($($type:ty = $words:literal),+ $(,)?) => {
        $(impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($words)
            }
        })+
    };
}

pub(crate) use redacted;

redacted! {
    WrittenShown = "WrittenShown(…)",
    DaysShown = "DaysShown(…)",
    CoverageShown = "CoverageShown(…)",
    Reason = "Reason(…)",
    ShownBranch = "ShownBranch(…)",
}
