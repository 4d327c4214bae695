//! Claims as NDJSON: one claim a line, for systems that hold no UKE file, and for claims that are
//! kept to be checked again.

use std::io::Read;

use eligibility::day::Day;
use eligibility::number::{Branch, InstitutionCode};
use eligibility::wire::{self, Fault, Text, Wrong};
use serde::{Deserialize, Serialize};

use crate::claim::{Agency, Claim, Entry, Remarks, Unreadable, Written, WrittenInsurer};
use crate::date::Month;
use crate::days::{DaysSource, VisitDays};
use crate::error::Error;
use crate::finding::{Finding, What};
use crate::layout::PointTable;
use crate::lines::Lines;
use crate::notices::Notices;

/// A claim's line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wire<'a> {
    #[serde(default)]
    claim: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<PointTable>,
    #[serde(borrow, default)]
    institution: Option<Text<'a>>,
    #[serde(default)]
    payer: Option<u8>,
    month: Month,
    #[serde(borrow, default)]
    insurer_number: Option<Text<'a>>,
    #[serde(borrow, default)]
    symbol: Option<Text<'a>>,
    #[serde(borrow, default)]
    number: Option<Text<'a>>,
    #[serde(borrow, default)]
    branch: Option<Text<'a>>,
    #[serde(default)]
    birth_date: Option<Day>,
    /// Each of the visit days; absent when only a span or the month is known.
    #[serde(default)]
    days: Option<Vec<Day>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Day>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    through: Option<Day>,
    #[serde(default)]
    points: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    subsidies: u8,
    #[serde(default, skip_serializing_if = "is_false")]
    limited: bool,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<Text<'a>>,
    #[serde(default, skip_serializing_if = "is_false")]
    specific_disease: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
const fn is_zero(count: &u8) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Claim {
    /// Reads a claim; `line` is where it stood.
    ///
    /// Fields: `month` (`YYYY-MM`) is required; `claim`, `table` (default `medical`), `institution`,
    /// `payer` (1 or 2), `insurer_number` (absent: 公費単独), `symbol`, `number`, `branch`,
    /// `birth_date`, `days` (or `from` and `through`, between which the unknown days lie), `points`,
    /// `subsidies` (count of 公費), `limited`, `remarks` (特記事項), `specific_disease`.
    ///
    /// # Errors
    /// The [`Finding`] with the field's name, never what stands in it.
    pub fn from_json(json: &[u8], line: u64) -> Result<Self, Finding> {
        let wire: Wire<'_> = wire::read(json).map_err(|fault| found(line, fault))?;
        Self::of_wire(&wire, line)
    }

    pub(crate) fn of_wire(wire: &Wire<'_>, line: u64) -> Result<Self, Finding> {
        let wrong = |field: &str, what| Finding { field: Some(field.into()), ..Finding::line(line, what) };
        let form = |field| wrong(field, What::Form);
        let mut warnings = Vec::new();
        let written = written(wire, &wrong)?;
        if matches!(written, Some(Written { insurer: WrittenInsurer::Mistyped(_), .. })) {
            warnings.push(wrong("insurer_number", What::CheckDigit));
        }
        let institution = match wire.institution.as_deref().map(InstitutionCode::parse).transpose() {
            Ok(institution) => institution,
            Err(eligibility::number::NumberError::CheckDigit) => {
                warnings.push(wrong("institution", What::CheckDigit));
                None
            }
            Err(eligibility::number::NumberError::Form) => return Err(form("institution")),
        };
        let agency = wire.payer.map(|code| Agency::from_code(code.into()).ok_or_else(|| form("payer")));
        let remarks = wire.remarks.iter().try_fold(Remarks::default(), |all, code| {
            let code = (code.len() == 2).then(|| code.parse().ok()).flatten();
            code.map(|code| all.with(code)).ok_or_else(|| form("remarks"))
        })?;
        Ok(Self {
            line,
            number: wire.claim,
            table: wire.table.unwrap_or(PointTable::Medical),
            institution,
            agency: agency.transpose()?,
            written,
            days: days(wire),
            points: wire.points,
            subsidies: wire.subsidies,
            limited: wire.limited,
            remarks,
            specific_disease: wire.specific_disease,
            confirmation_line: None,
            warnings,
        })
    }

    /// Writes the claim, without line end.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&Wire::of(self)).unwrap_or_default()
    }
}

impl<'a> Wire<'a> {
    pub(crate) fn of(claim: &'a Claim) -> Self {
        let written = claim.written.as_ref();
        let span = (!claim.days.is_exact() && claim.days.source() != DaysSource::Month)
            .then(|| (claim.days.iter().next(), claim.days.last()));
        Self {
            claim: claim.number,
            table: (claim.table != PointTable::Medical).then_some(claim.table),
            institution: claim.institution.map(|code| code.to_string().into()),
            payer: claim.agency.map(Agency::code),
            month: claim.days.month(),
            insurer_number: written.map(|written| written.insurer.to_string().into()),
            symbol: written.map(|written| Text::from(&*written.symbol)),
            number: written.map(|written| Text::from(&*written.number)),
            branch: written.and_then(|written| written.branch).map(|branch| branch.to_string().into()),
            birth_date: written.map(|written| written.birth_date),
            days: claim.days.is_exact().then(|| claim.days.iter().collect()),
            from: span.and_then(|(from, _)| from),
            through: span.and_then(|(_, through)| through),
            points: claim.points,
            subsidies: claim.subsidies,
            limited: claim.limited,
            remarks: claim.remarks.iter().map(|code| format!("{code:02}").into()).collect(),
            specific_disease: claim.specific_disease,
        }
    }
}

fn written(wire: &Wire<'_>, wrong: &impl Fn(&str, What) -> Finding) -> Result<Option<Written>, Finding> {
    let Some(insurer) = wire.insurer_number.as_deref() else { return Ok(None) };
    let insurer = WrittenInsurer::parse(insurer.trim()).map_err(|what| wrong("insurer_number", what))?;
    let text = |field: &str, text: Option<&Text<'_>>| {
        let text = text.map_or("", |text| text.trim());
        if text.chars().any(char::is_control) {
            return Err(wrong(field, What::Form));
        }
        if text.chars().count() > 40 {
            return Err(wrong(field, What::Range));
        }
        Ok(Box::from(text))
    };
    let number: Box<str> = text("number", wire.number.as_ref())?;
    if number.is_empty() {
        return Err(wrong("number", What::Missing));
    }
    let branch = wire.branch.as_deref().filter(|branch| !branch.is_empty());
    Ok(Some(Written {
        insurer,
        symbol: text("symbol", wire.symbol.as_ref())?,
        number,
        branch: branch.map(Branch::parse).transpose().map_err(|_| wrong("branch", What::Form))?,
        birth_date: wire.birth_date.ok_or_else(|| wrong("birth_date", What::Missing))?,
    }))
}

fn days(wire: &Wire<'_>) -> VisitDays {
    let month = wire.month;
    match (&wire.days, wire.from, wire.through) {
        (Some(days), _, _) if !days.is_empty() => {
            let exact = VisitDays::exactly(month, days.iter().copied(), DaysSource::Given);
            if exact.count() == 0 { VisitDays::in_month(month) } else { exact }
        }
        (_, None, None) => VisitDays::in_month(month),
        (_, from, through) => {
            let (from, through) = (from.unwrap_or(month.first()), through.unwrap_or(month.last()));
            let within = VisitDays::within(month, from, through, DaysSource::Stay);
            if within.count() == 0 { VisitDays::in_month(month) } else { within }
        }
    }
}

fn found(line: u64, fault: Fault) -> Finding {
    let what = match &fault {
        Fault::MyNumber { .. } => What::MyNumber,
        Fault::Field { wrong: Wrong::Missing, .. } => What::Missing,
        Fault::Field { wrong: Wrong::Range, .. } => What::Range,
        Fault::Malformed { .. } | Fault::Field { .. } => What::Form,
    };
    Finding { field: fault.place().map(Into::into), ..Finding::line(line, what) }
}

/// Reads claims one line after the other.
pub(crate) struct Reader<R> {
    lines: Lines<R>,
    notices: Notices,
}

impl<R: Read> Reader<R> {
    pub(crate) fn new(lines: Lines<R>) -> Self {
        Self { lines, notices: Notices::default() }
    }

    pub(crate) const fn lines(&self) -> &Lines<R> {
        &self.lines
    }

    pub(crate) const fn notices(&self) -> &Notices {
        &self.notices
    }

    pub(crate) fn next(&mut self) -> Result<Option<Entry>, Error> {
        while let Some(piece) = self.lines.next()? {
            let line = piece.line;
            let unreadable = |fault| Entry::Unreadable(Unreadable { line, number: None, fault });
            if !(piece.first && piece.last) {
                if piece.first {
                    return Ok(Some(unreadable(Finding::line(line, What::TooLong))));
                }
                continue;
            }
            let content = piece.content();
            if !content.trim_ascii().is_empty() {
                let read = Claim::from_json(content, line);
                return Ok(Some(read.map_or_else(unreadable, Entry::Claim)));
            }
        }
        Ok(None)
    }
}
