//! What an institution may fetch again of one of its own answers.

use cache::Key;
use eligibility::coverage::Written;
use eligibility::day::{Day, Timestamp};
use eligibility::decision::{Eligibility, Status};
use eligibility::number::InstitutionCode;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::frame::Fields;

/// One answer in an institution's own log. Numbers are those shown, else those asked, folded.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The institution.
    #[serde(skip)]
    pub of: u64,
    /// When it was answered.
    pub at: Timestamp,
    /// Our id of the request.
    pub request: Uuid,
    /// The institution, in ten digits.
    pub institution: Box<str>,
    /// The caller's own id.
    pub reference: Option<Box<str>>,
    /// `card`, `number` or `batch`.
    pub route: Box<str>,
    /// 保険者番号.
    pub insurer_number: Option<Box<str>>,
    /// 記号.
    pub symbol: Option<Box<str>>,
    /// 番号.
    pub number: Option<Box<str>>,
    /// 枝番.
    pub branch: Option<Box<str>>,
    /// The day asked about.
    pub date: Day,
    /// What was answered.
    pub status: Status,
}

impl std::fmt::Debug for Confirmation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Confirmation(…)")
    }
}

/// Insurer, symbol, number, branch.
type Numbers = [Option<Box<str>>; 4];

impl Confirmation {
    pub(super) fn of<T: Written>(
        institution: InstitutionCode,
        (at, request): (Timestamp, u128),
        route: &str,
        key: &Key<'_>,
        eligibility: &Eligibility<'_, T>,
        reference: Option<&str>,
    ) -> Self {
        let [insurer_number, symbol, number, branch] = numbers(key, eligibility);
        Self {
            of: institution.value(),
            at,
            request: Uuid::from_u128(request),
            institution: format!("{:010}", institution.value()).into(),
            reference: reference.map(Into::into),
            route: route.into(),
            insurer_number,
            symbol,
            number,
            branch,
            date: eligibility.date,
            status: eligibility.status,
        }
    }

    /// Octets that follow, institution, JSON.
    pub(super) fn write_to(&self, out: &mut Vec<u8>) {
        let begin = out.len();
        out.extend([0; 4]);
        out.extend(self.of.to_le_bytes());
        eligibility::wire::write_to(self, out);
        let octets = u32::try_from(out.len() - begin - 4).unwrap_or(u32::MAX);
        if let Some(place) = out.get_mut(begin..).and_then(<[u8]>::first_chunk_mut) {
            *place = octets.to_le_bytes();
        }
    }
}

/// What the desk saw, else what it asked by.
fn numbers<T: Written>(key: &Key<'_>, eligibility: &Eligibility<'_, T>) -> Numbers {
    if let Some(shown) = eligibility.coverages.first() {
        let coverage = shown.coverage;
        let branch = coverage.branch.map(|branch| branch.to_string().into());
        let insurer = shown.insurer.to_string().into();
        let text = |written: &T| Some(written.text().into());
        return [Some(insurer), text(&coverage.symbol), text(&coverage.number), branch];
    }
    let Key::Number(query) = key else { return Numbers::default() };
    let (symbol, number) = query.key.spelled().split_once('\u{1F}').unwrap_or_default();
    let branch = query.branch.map(|branch| branch.to_string().into());
    [Some(query.key.insurer().to_string().into()), Some(symbol.into()), Some(number.into()), branch]
}
/// Institution and JSON of each confirmation in a frame's records.
pub(super) fn each(mut records: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    std::iter::from_fn(move || {
        let mut fields = Fields(records);
        let octets = usize::try_from(u32::from_le_bytes(fields.take()?)).ok()?;
        let (record, rest) = fields.0.split_at_checked(octets)?;
        records = rest;
        let mut fields = Fields(record);
        Some((u64::from_le_bytes(fields.take()?), fields.0))
    })
}
