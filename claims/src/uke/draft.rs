//! A claim while its records come in.
//!
//! The first fault is kept and the claim's other records are passed over.

use eligibility::day::Day;
use eligibility::number::{Branch, check_digit};

use super::Header;
use crate::claim::{Claim, Entry, Remarks, Unreadable, Written, WrittenInsurer};
use crate::date::{self, Month};
use crate::days::{Gathered, bit, span};
use crate::finding::{Finding, What};
use crate::layout::{self, Layout, PointTable};
use crate::record::{Column, Record, columns};

/// The longest 記号 or 番号 in characters (記録条件仕様: 38 octets; the rule of matching takes 40).
const LONGEST: usize = 40;

/// HO, as read.
struct Insurance {
    insurer: WrittenInsurer,
    symbol: Box<str>,
    number: Box<str>,
    points: u64,
}

/// RE, as read.
#[derive(Clone, Copy)]
struct Common {
    table: PointTable,
    month: Month,
    birth_date: Day,
    remarks: Remarks,
}

/// Whether the REs that follow are details of this claim (DPC: 総括レセプト).
#[derive(Clone, Copy, Default)]
struct Parts {
    left: u32,
    within: bool,
}

pub(super) struct Draft {
    line: u64,
    number: Option<u32>,
    header: Header,
    common: Option<Common>,
    insurance: Option<Insurance>,
    branch: Option<Branch>,
    confirmation_line: Option<u64>,
    gathered: Gathered,
    subsidies: u8,
    subsidy_points: Option<u64>,
    limited: bool,
    parts: Parts,
    warnings: Vec<Finding>,
    fault: Option<Finding>,
}

impl Draft {
    fn empty(line: u64, header: Header) -> Self {
        Self {
            line,
            number: None,
            header,
            common: None,
            insurance: None,
            branch: None,
            confirmation_line: None,
            gathered: Gathered::default(),
            subsidies: 0,
            subsidy_points: None,
            limited: false,
            parts: Parts::default(),
            warnings: Vec::new(),
            fault: None,
        }
    }

    /// The claim that this RE begins.
    pub(super) fn start(record: Record<'_>, header: Header) -> Self {
        let mut draft = Self::empty(record.line, header);
        if let Err(fault) = draft.read_common(record) {
            draft.fail(fault);
        }
        draft
    }

    /// A claim whose RE is not there.
    pub(super) fn headless(record: Record<'_>) -> Self {
        let mut draft = Self::empty(record.line, Header::default());
        draft.fail(Finding::record(record.line, "RE", What::MissingRecord));
        draft
    }

    pub(super) const fn has_insurance(&self) -> bool {
        self.insurance.is_some() && !self.parts.within
    }

    pub(super) fn fail(&mut self, finding: Finding) {
        self.fault.get_or_insert(finding);
    }

    /// Who made it, said by its history.
    pub(super) fn head(&mut self, header: Header) {
        if self.header.institution.is_none() {
            self.header = header;
        }
    }

    fn read_common(&mut self, record: Record<'_>) -> Result<(), Finding> {
        let all: [&[u8]; 18] = record.columns();
        let at = |column: Column| all.get(usize::from(column.0)).copied().unwrap_or_default();
        self.number = record.number(layout::NUMBER, at(layout::NUMBER))?;
        let kind = required(record, layout::KIND, at(layout::KIND), |text| <[u8; 4]>::try_from(text).ok())?;
        let unknown = || record.finding(layout::KIND, What::Range);
        let table = kind.first().copied().and_then(PointTable::from_code).ok_or_else(unknown)?;
        let Layout { birth_date, admission, remarks, summary, .. } = table.layout();
        let month = required(record, layout::MONTH, at(layout::MONTH), Month::parse)?;
        let birth_date = required(record, *birth_date, at(*birth_date), date::day)?;
        let remarks = record.fixed(*remarks, at(*remarks), Remarks::parse)?.unwrap_or_default();
        if let Some(column) = *admission {
            self.gathered.admitted_on = record.fixed(column, at(column), date::day)?;
        }
        self.gathered.inpatient = layout::is_inpatient(kind);
        if let Some((summary, details)) = *summary
            && at(summary).trim_ascii() == b"1"
        {
            self.parts.left = record.number(details, at(details))?.unwrap_or(u32::MAX);
        }
        self.common = Some(Common { table, month, birth_date, remarks });
        Ok(())
    }

    /// Whether this RE begins a part of this claim, which then has been noted.
    pub(super) fn takes_part(&mut self, record: Record<'_>) -> bool {
        if self.parts.left == 0 {
            return false;
        }
        let all: [&[u8]; 18] = record.columns();
        let part = !matches!(all.get(16).copied().unwrap_or_default().trim_ascii(), b"0" | b"1");
        if part {
            self.parts = Parts { left: self.parts.left - 1, within: true };
        }
        part
    }

    /// Takes a record of the claim.
    pub(super) fn take(&mut self, record: Record<'_>) {
        if self.fault.is_some() {
            return;
        }
        let read = match record.id {
            "BU" => self.read_stay(record),
            "HO" | "KO" | "SN" | "JD" | "MF" if self.parts.within => Ok(()),
            "HO" => self.read_insurance(record),
            "KO" => self.read_subsidy(record),
            "SN" => self.read_confirmation(record),
            "JD" => self.read_visits(record),
            "MF" => self.read_window(record),
            _ => {
                self.read_service(record);
                Ok(())
            }
        };
        if let Err(fault) = read {
            self.fail(fault);
        }
    }

    fn read_insurance(&mut self, record: Record<'_>) -> Result<(), Finding> {
        let [_, insurer, symbol, number, days, points] = record.columns();
        let text = record.text(layout::INSURER, insurer)?;
        if text.is_empty() {
            return Err(record.finding(layout::INSURER, What::Missing));
        }
        let insurer = WrittenInsurer::parse(&text).map_err(|what| record.finding(layout::INSURER, what))?;
        if matches!(insurer, WrittenInsurer::Mistyped(_)) {
            self.warnings.push(record.finding(layout::INSURER, What::CheckDigit));
        }
        let symbol = written(record, layout::SYMBOL, symbol)?;
        let number = written(record, layout::INSURED_NUMBER, number)?;
        if number.is_empty() {
            return Err(record.finding(layout::INSURED_NUMBER, What::Missing));
        }
        if let Some(column) = self.common.and_then(|common| common.table.layout().actual_days) {
            self.gathered.actual = record.number(column, days)?;
        }
        let points = record.number(layout::POINTS, points)?.unwrap_or(0).into();
        self.insurance = Some(Insurance { insurer, symbol, number, points });
        Ok(())
    }

    fn read_subsidy(&mut self, record: Record<'_>) -> Result<(), Finding> {
        let [_, payer, _, _, _, points] = record.columns();
        // 負担者番号 is only looked at for a slip of the pen: local schemes may have letters in it.
        let payer = date::decimal(record.text(layout::SUBSIDY_PAYER, payer)?.as_bytes());
        if payer.is_some_and(|number| check_digit(u64::from(number / 10)) != u64::from(number % 10)) {
            self.warnings.push(record.finding(layout::SUBSIDY_PAYER, What::CheckDigit));
        }
        let points = record.number(layout::POINTS, points)?.unwrap_or(0);
        self.subsidy_points.get_or_insert(points.into());
        self.subsidies = self.subsidies.saturating_add(1);
        Ok(())
    }

    fn read_confirmation(&mut self, record: Record<'_>) -> Result<(), Finding> {
        let [_, bearer, _, _, _, _, branch] = record.columns();
        if bearer.trim_ascii() != b"1" || self.confirmation_line.is_some() {
            return Ok(());
        }
        self.confirmation_line = Some(record.line);
        let text = record.text(layout::BRANCH, branch)?;
        if !text.is_empty() {
            let branch = Branch::parse(&text).map_err(|_| record.finding(layout::BRANCH, What::Form))?;
            self.branch = Some(branch);
        }
        Ok(())
    }

    fn read_visits(&mut self, record: Record<'_>) -> Result<(), Finding> {
        let mut all = columns(record.octets).skip(1);
        if all.next().unwrap_or_default().trim_ascii() != b"1" {
            return Ok(());
        }
        let length = self.common.map_or(31, |common| common.month.length());
        for (at, column) in (0..31).zip(all).filter(|(_, column)| !column.is_empty()) {
            let what = match column.trim_ascii() {
                b"1" | b"2" if at < length => {
                    self.gathered.jd |= 1 << at;
                    continue;
                }
                b"" => continue,
                b"9" => What::DaysDisagree,
                b"1" | b"2" => What::Range,
                _ => What::Form,
            };
            let place = Column(layout::FIRST_VISIT + at as u16, "受診等区分");
            // Looked through before it is refused: what stands here may be anything.
            record.text(place, column)?;
            let finding = record.finding(place, what);
            if what != What::DaysDisagree {
                return Err(finding);
            }
            self.warnings.push(finding);
        }
        Ok(())
    }

    fn read_window(&mut self, record: Record<'_>) -> Result<(), Finding> {
        let [_, kind] = record.columns();
        self.limited |= record.number(layout::WINDOW, kind)?.unwrap_or(0) != 0;
        Ok(())
    }

    fn read_stay(&mut self, record: Record<'_>) -> Result<(), Finding> {
        let Some(month) = self.common.map(|common| common.month) else { return Ok(()) };
        let [_, _, from, through] = record.columns();
        let (first, last) = layout::STAY;
        if let Some(from) = record.fixed(first, from, date::day)? {
            let through = record.fixed(last, through, date::day)?.unwrap_or(month.last());
            self.gathered.stay |= span(month, from, through);
        }
        Ok(())
    }

    /// The days of a service; what cannot be read says nothing, as these only stand in for JD.
    fn read_service(&mut self, record: Record<'_>) {
        let Some(Common { table, month, .. }) = self.common.filter(|_| self.gathered.jd == 0) else { return };
        let Layout { first_day, service_day, .. } = table.layout();
        if let Some(first) = first_day(record.id) {
            self.gathered.services |= counted_days(record.octets, first.into());
        } else if let Some(at) = service_day(record.id) {
            let day = columns(record.octets).nth(at.into()).and_then(date::day);
            self.gathered.services |= day.and_then(|day| bit(month, day)).unwrap_or(0);
        }
    }

    /// The claim, with how many it counts in GO and its points there; `None` when that is unknown.
    pub(super) fn finish(self) -> (Entry, Option<(u64, u64)>) {
        let missing = || Finding::record(self.line, "HO", What::MissingRecord);
        let empty = self.insurance.is_none() && self.subsidies == 0;
        let fault = self.fault.or_else(|| empty.then(missing));
        let (None, Some(common)) = (&fault, self.common) else {
            let fault = fault.unwrap_or(Finding::record(self.line, "RE", What::MissingRecord));
            return (Entry::Unreadable(Unreadable { line: self.line, number: self.number, fault }), None);
        };
        let Common { table, month, birth_date, remarks } = common;
        let counted = u64::from(self.insurance.is_some()) + u64::from(self.subsidies);
        let billed =
            self.insurance.as_ref().map(|insurance| insurance.points).or(self.subsidy_points).unwrap_or(0);
        let written = self.insurance.map(|Insurance { insurer, symbol, number, .. }| Written {
            insurer,
            symbol,
            number,
            branch: self.branch,
            birth_date,
        });
        let points = if table == PointTable::Nursing { billed / 10 } else { billed };
        let claim = Claim {
            line: self.line,
            number: self.number,
            table,
            institution: self.header.institution,
            agency: self.header.agency,
            written,
            days: self.gathered.resolve(month),
            points,
            subsidies: self.subsidies,
            limited: self.limited,
            remarks,
            specific_disease: false,
            confirmation_line: self.confirmation_line,
            warnings: self.warnings,
        };
        (Entry::Claim(claim), Some((counted, billed)))
    }
}

/// The days with a count above zero in the 31 columns from this one: eight octets at once where it
/// goes, as most of a file are these.
fn counted_days(octets: &[u8], first: usize) -> u32 {
    let mut rest = octets;
    let mut before = first;
    while let Some((eight, behind)) = rest.split_first_chunk() {
        let commas = commas(*eight);
        if commas >= before {
            break;
        }
        (before, rest) = (before - commas, behind);
    }
    while before > 0 {
        let Some((octet, behind)) = rest.split_first() else { return 0 };
        (before, rest) = (before - usize::from(*octet == b','), behind);
    }
    let (mut day, mut days) = (0, 0_u32);
    while day < 31 {
        if let Some((b",,,,,,,,", behind)) = rest.split_first_chunk() {
            (day, rest) = (day + 8, behind);
            continue;
        }
        match rest.split_first() {
            Some((b',', behind)) => (day, rest) = (day + 1, behind),
            Some((octet, behind)) => {
                days |= u32::from(matches!(octet, b'1'..=b'9')) << day;
                rest = behind;
            }
            None => break,
        }
    }
    days
}

/// How many of eight octets are commas.
const fn commas(octets: [u8; 8]) -> usize {
    const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    // An octet of the difference is 0 where there is a comma; then its high bit stays unset.
    let other = u64::from_ne_bytes(octets) ^ u64::from_ne_bytes([b','; 8]);
    let set = ((other & LOW) + LOW) | other | LOW;
    set.count_zeros() as usize
}

/// A column that must be there.
fn required<T>(
    record: Record<'_>,
    column: Column,
    octets: &[u8],
    read: impl Fn(&[u8]) -> Option<T>,
) -> Result<T, Finding> {
    record.fixed(column, octets, read)?.ok_or_else(|| record.finding(column, What::Missing))
}

/// 記号 or 番号 as written.
fn written(record: Record<'_>, column: Column, octets: &[u8]) -> Result<Box<str>, Finding> {
    let text = record.text(column, octets)?;
    if text.chars().count() > LONGEST {
        return Err(record.finding(column, What::Range));
    }
    Ok(text.into())
}
