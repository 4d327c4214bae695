//! Results as CSV, one row a claim, for spreadsheets; read back as the rows that they are.
//!
//! The file begins with the mark of UTF-8, without which spreadsheets in Japan take it for CP932. A
//! field that a spreadsheet would take for a formula has an apostrophe before it.

use std::borrow::Cow;
use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::outcome::{CoverageShown, Outcome};
use crate::verdict::{Holder, Rule, Suggested, Verdict};

const MARK: &[u8] = b"\xEF\xBB\xBF";

/// One row.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Line of the claim's RE record.
    pub line: u64,
    /// レセプト番号.
    pub claim: Option<u32>,
    /// 診療年月.
    pub month: String,
    /// What would become of it.
    pub verdict: Verdict,
    /// With `review`: why.
    pub rule: Option<Rule>,
    /// 確認区分.
    pub code: String,
    /// With a rule that forbids a move: the move.
    pub suggested: Option<Suggested>,
    /// 保険者番号 on the claim.
    pub insurer_number: String,
    /// 記号 on the claim.
    pub symbol: String,
    /// 番号 on the claim.
    pub number: String,
    /// 枝番 on the claim.
    pub branch: String,
    /// 生年月日.
    pub birth_date: String,
    /// 枝番 that was missing and is certain.
    pub found_branch: String,
    /// 点数.
    pub points: u64,
    /// 審査支払機関 to which the claim goes.
    pub payer_written: Option<u8>,
    /// 審査支払機関 to which it should go.
    pub payer_right: Option<u8>,
    /// Whose the days are: holder, coverage and dates, between semicolons.
    pub days: String,
    /// The reasons in words.
    pub reason: String,
    /// The codes of the reasons, between blanks.
    pub reason_codes: String,
    /// The time up to which the insurers concerned have told us everything.
    pub as_of: String,
    /// Oddities of the records, between semicolons.
    pub warnings: String,
}

crate::outcome::redacted! { Row = "Row(…)" }

impl From<&Outcome> for Row {
    fn from(outcome: &Outcome) -> Self {
        let written = outcome.written.as_ref();
        let text = |field: Option<&str>| field.unwrap_or_default().to_owned();
        let reasons = outcome.reason.iter();
        Self {
            line: outcome.line,
            claim: outcome.claim,
            month: outcome.month.map_or_else(String::new, |month| month.to_string()),
            verdict: outcome.verdict,
            rule: outcome.rule,
            code: outcome.code.map_or_else(String::new, |code| code.word().to_owned()),
            suggested: outcome.suggested,
            insurer_number: text(written.map(|written| &*written.insurer_number)),
            symbol: text(written.map(|written| &*written.symbol)),
            number: text(written.map(|written| &*written.number)),
            branch: written
                .and_then(|written| written.branch)
                .map_or_else(String::new, |branch| branch.0.to_string()),
            birth_date: written.map_or_else(String::new, |written| written.birth_date.to_string()),
            found_branch: outcome.branch.map_or_else(String::new, |branch| branch.0.to_string()),
            points: outcome.points,
            payer_written: outcome.payer.written,
            payer_right: outcome.payer.right,
            days: days(outcome),
            reason: reasons.clone().map(|reason| &*reason.text).collect(),
            reason_codes: reasons.map(|reason| reason.code.word()).collect::<Vec<_>>().join(" "),
            as_of: outcome.as_of.map_or_else(String::new, |as_of| as_of.to_string()),
            warnings: outcome.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        }
    }
}

fn days(outcome: &Outcome) -> String {
    let mut parts = Vec::with_capacity(outcome.days.len());
    for days in &outcome.days {
        let coverage = days.coverage.and_then(|at| outcome.coverages.get(at));
        let whose = match (days.holder, coverage) {
            (Holder::Other, Some(coverage)) => card(coverage),
            (holder, _) => holder.word().to_owned(),
        };
        let dates = match (days.known, days.dates.as_slice()) {
            (false, [first, .., last]) => format!("{first}..{last}"),
            (_, dates) => dates.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        };
        parts.push(format!("{whose}: {dates}"));
    }
    parts.join("; ")
}

fn card(coverage: &CoverageShown) -> String {
    let branch = coverage.branch.map_or_else(String::new, |branch| format!(" ({})", branch.0));
    format!("{} {} {}{branch}", coverage.insurer_number, coverage.symbol, coverage.number)
}

/// Writes results as rows.
pub struct CsvWriter<W: Write> {
    rows: csv::Writer<W>,
}

impl<W: Write> CsvWriter<W> {
    /// Begins the file.
    ///
    /// # Errors
    /// What the writer says.
    pub fn new(mut into: W) -> io::Result<Self> {
        into.write_all(MARK)?;
        Ok(Self { rows: csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(into) })
    }

    /// Writes a result.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&mut self, outcome: &Outcome) -> io::Result<()> {
        let mut row = Row::from(outcome);
        row.each_text(guarded);
        self.rows.serialize(row).map_err(io::Error::other)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// What the writer says.
    pub fn finish(self) -> io::Result<W> {
        self.rows
            .into_inner()
            .map_err(|error| io::Error::new(error.error().kind(), "rows could not be written"))
    }
}

/// Reads rows as they were written.
///
/// # Errors
/// [`Error::Result`] with the first line that is no row, or [`Error::Io`].
pub fn read_csv(reader: impl Read) -> Result<impl Iterator<Item = Result<Row, Error>>, Error> {
    let mut reader = io::BufReader::new(reader);
    if reader.fill_buf()?.starts_with(MARK) {
        reader.consume(MARK.len());
    }
    let rows = csv::Reader::from_reader(reader).into_deserialize::<Row>();
    Ok(rows.enumerate().map(|(at, row)| match row {
        Ok(mut row) => {
            row.each_text(bared);
            Ok(row)
        }
        Err(_) => Err(Error::Result { line: at as u64 + 2 }),
    }))
}

impl Row {
    /// The fields in which letters of the claim or of an insurer stand.
    fn each_text(&mut self, change: fn(&str) -> Cow<'_, str>) {
        for field in [&mut self.symbol, &mut self.number, &mut self.days] {
            if let Cow::Owned(changed) = change(field) {
                *field = changed;
            }
        }
    }
}

fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'', '＝', '＋', '－', '＠'])
}

fn guarded(text: &str) -> Cow<'_, str> {
    if is_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

fn bared(text: &str) -> Cow<'_, str> {
    match text.strip_prefix('\'') {
        Some(bare) if is_formula(bare) => Cow::Owned(bare.to_owned()),
        _ => Cow::Borrowed(text),
    }
}
