//! The form of a claim file: 医科, as it is sent to the 審査支払機関. CP932, CR LF, a final 0x1A.
//!
//! Columns as in 記録条件仕様（医科用）: trailing empty ones are written.

use std::io::{self, Write};

use eligibility::day::Day;
use eligibility::number::InstitutionCode;
use encoding_rs::SHIFT_JIS;

use super::{PlannedClaim, Told};

/// Who makes the claims.
#[derive(Clone, Copy, Debug)]
pub struct Institution {
    /// 医療機関コード, ten digits.
    pub code: InstitutionCode,
    /// 審査支払機関: 1 支払基金, 2 国保連合会.
    pub agency: u8,
    /// Service records of each claim: real ones have about twenty.
    pub services: u32,
}

/// Writes a file of these claims and gives how many there were.
///
/// # Errors
/// What the writer says.
pub fn write(
    into: &mut impl Write,
    institution: Institution,
    month: Day,
    claims: impl Iterator<Item = PlannedClaim>,
) -> io::Result<u64> {
    let mut record = Records { into, text: String::with_capacity(4096) };
    let code = institution.code.to_string();
    let (prefecture, rest) = code.split_at(2);
    let (table, number) = rest.split_at(1);
    let sent = compact_month(month.plus_months(1));
    record.line(&format!(
        "IR,{},{prefecture},{table},{number},,架空診療所,{sent},00,03-0000-0000",
        institution.agency
    ))?;
    let (mut count, mut counted, mut points) = (0, 0_u64, 0_u64);
    for claim in claims {
        count += 1;
        if !claim.broken {
            counted += u64::from(claim.insurer.is_some()) + u64::from(claim.subsidy);
            points += u64::from(claim.points);
        }
        record.claim(&claim, count, institution.services)?;
    }
    record.line(&format!("GO,{counted},{points},99"))?;
    record.into.write_all(b"\x1A")?;
    Ok(count)
}

struct Records<'w, W> {
    into: &'w mut W,
    text: String,
}

impl<W: Write> Records<'_, W> {
    fn line(&mut self, record: &str) -> io::Result<()> {
        self.text.push_str(record);
        self.text.push_str("\r\n");
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.write_all(&SHIFT_JIS.encode(&self.text).0)?;
        self.text.clear();
        Ok(())
    }

    fn claim(&mut self, claim: &PlannedClaim, number: u64, services: u32) -> io::Result<()> {
        let month = compact_month(claim.month);
        // A month that the calendar has not.
        let month = if claim.broken { format!("{}13", &month[..4]) } else { month };
        let remark = claim.remark.map_or(String::new(), |code| format!("{code:02}"));
        let payers = 1 + u8::from(claim.subsidy && claim.insurer.is_some());
        let kind = match &claim.insurer {
            None => format!("12{payers}2"),
            Some(insurer) if insurer.starts_with("39") => format!("13{payers}8"),
            Some(_) => format!("11{payers}2"),
        };
        self.row(
            38,
            &format!(
                "RE,{number},{kind},{month},{},1,{},,,,,{remark},,A-{number}",
                claim.name,
                compact(claim.birth_date)
            ),
        );
        let visits = claim.days.len();
        if let Some(insurer) = &claim.insurer {
            let PlannedClaim { symbol, number, points, .. } = claim;
            self.row(15, &format!("HO,{insurer:>8},{symbol},{number},{visits},{points}"));
        }
        if claim.subsidy {
            self.row(12, &format!("KO,54136015,1234567,,{visits},{},0", claim.points));
        }
        if claim.insurer.is_some() {
            let branch = claim.branch.map_or(String::new(), |branch| branch.to_string());
            self.row(9, &format!("SN,1,01,,,,{branch}"));
        }
        if claim.told == Told::Visits {
            self.row(33, &format!("JD,1,{}", marks(&claim.days)));
        }
        self.row(33, if claim.limited { "MF,01" } else { "MF,00" });
        self.row(8, &format!("SY,8830417,{},1,,,01", compact(claim.month)));
        self.row(8, "SY,4659007,20260401,1,8002");
        for service in 0..services {
            let id = if service % 3 == 2 { "IY" } else { "SI" };
            let days = if claim.told == Told::Month { String::new() } else { marks(&claim.days) };
            self.row(44, &format!("{id},{},1,11{service:03}0110,,291,1,,,,,,,{days}", 11 + service % 80));
        }
        self.flush()
    }

    /// A record of so many columns, the last ones empty.
    fn row(&mut self, columns: usize, record: &str) {
        let written = record.bytes().filter(|octet| *octet == b',').count() + 1;
        self.text.push_str(record);
        self.text.extend(std::iter::repeat_n(',', columns.saturating_sub(written)));
        self.text.push_str("\r\n");
    }
}

/// 31 columns with a 1 for each of these days, without the empty ones at the end.
fn marks(days: &[Day]) -> String {
    let mut text = String::with_capacity(64);
    let mut at = 1;
    for day in days {
        let (_, _, of_month) = day.ymd();
        (at..of_month).for_each(|_| text.push(','));
        text.push('1');
        at = of_month;
    }
    text
}

fn compact(day: Day) -> String {
    let (year, month, day) = day.ymd();
    format!("{year:04}{month:02}{day:02}")
}

fn compact_month(day: Day) -> String {
    let (year, month, _) = day.ymd();
    format!("{year:04}{month:02}")
}
