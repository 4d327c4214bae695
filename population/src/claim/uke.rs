//! The form of a claim file, as it is sent to the 審査支払機関. CP932, CR LF, a final 0x1A.
//!
//! Columns as in 記録条件仕様 of each 点数表: trailing empty ones are written where their number is
//! known. What the books differ in is [`Form`]'s.

use std::io::{self, Write};

use eligibility::day::Day;
use eligibility::number::InstitutionCode;
use encoding_rs::SHIFT_JIS;

use super::form::Form;
use super::{PlannedClaim, Told};

/// Who makes the claims.
#[derive(Clone, Copy, Debug)]
pub struct Institution {
    /// 医療機関コード, ten digits, of which the third is the form's 点数表.
    pub code: InstitutionCode,
    /// Which 記録条件仕様 its files follow.
    pub form: Form,
    /// 審査支払機関: 1 支払基金, 2 国保連合会.
    pub agency: u8,
    /// Service records of each claim: real ones of 医科 have about twenty.
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
    let Institution { form, .. } = institution;
    let mut record = Records { into, form, text: String::with_capacity(4096) };
    record.head(institution, month)?;
    let (mut count, mut counted, mut points) = (0, 0_u64, 0_u64);
    for claim in claims {
        count += 1;
        if !claim.broken {
            counted += u64::from(claim.insurer.is_some()) + u64::from(claim.subsidy);
            points += u64::from(claim.points);
        }
        record.claim(&claim, count, institution.services)?;
    }
    if form != Form::Nursing {
        record.line(&format!("GO,{counted},{points},99"))?;
    }
    record.into.write_all(b"\x1A")?;
    Ok(count)
}

struct Records<'w, W> {
    into: &'w mut W,
    form: Form,
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

    /// Who sends the file, and for which month.
    fn head(&mut self, institution: Institution, month: Day) -> io::Result<()> {
        let code = institution.code.to_string();
        let (prefecture, rest) = code.split_at(2);
        let (table, number) = rest.split_at(1);
        let sent = compact_month(month.plus_months(1));
        let maker = format!("{},{prefecture},{table},{number}", institution.agency);
        match self.form {
            Form::Medical | Form::Dpc => self.line(&format!("IR,{maker},,架空診療所,{sent},00,03-0000-0000")),
            Form::Dental => {
                self.line(&format!("UK,{maker},,架空歯科,{sent},,00"))?;
                self.line(&format!("IR,{maker},,{sent},,"))
            }
            Form::Pharmacy => self.line(&format!("YK,{maker},架空薬局,{sent},00,")),
            Form::Nursing => {
                self.line(&format!("HM,{maker},架空ステーション,{sent},"))?;
                self.line("GO")
            }
        }
    }

    fn claim(&mut self, claim: &PlannedClaim, number: u64, services: u32) -> io::Result<()> {
        self.common(claim, number);
        let visits = claim.days.len();
        let PlannedClaim { symbol, number, .. } = claim;
        let billed = self.form.billed(claim.points);
        if let Some(insurer) = &claim.insurer {
            let columns = self.form.insurance_columns();
            self.row(columns, &format!("HO,{insurer:>8},{symbol},{number},{visits},{billed}"));
        }
        if claim.subsidy {
            let columns = self.form.subsidy_columns();
            self.row(columns, &format!("KO,54136015,1234567,,{visits},{billed},0"));
        }
        if claim.insurer.is_some() {
            let branch = claim.branch.map_or(String::new(), |branch| branch.to_string());
            self.row(9, &format!("SN,1,01,,,,{branch}"));
        }
        if claim.told == Told::Visits {
            self.row(33, &format!("JD,1,{}", marks(&claim.days)));
        }
        self.row(33, if claim.limited { "MF,01" } else { "MF,00" });
        let days: &[Day] = if claim.told == Told::Month { &[] } else { &claim.days };
        match self.form {
            Form::Medical => self.medical_services(claim.month, days, services),
            Form::Dpc => self.stays(days),
            Form::Dental => self.dental_services(days, services),
            Form::Pharmacy => self.dispensings(days),
            Form::Nursing => self.visits(days),
        }
        self.flush()
    }

    /// RE.
    fn common(&mut self, claim: &PlannedClaim, number: u64) {
        let month = compact_month(claim.month);
        // A month that the calendar has not.
        let month = if claim.broken { format!("{}13", &month[..4]) } else { month };
        let payers = 1 + u8::from(claim.subsidy && claim.insurer.is_some());
        let kind = match &claim.insurer {
            None => self.form.kind(2, payers, false),
            Some(insurer) if insurer.starts_with("39") => self.form.kind(3, payers, true),
            Some(_) => self.form.kind(1, payers, false),
        };
        let places = self.form.places();
        let mut columns = vec![String::new(); places.count];
        let written = [
            (0, "RE".to_owned()),
            (1, number.to_string()),
            (2, kind),
            (3, month),
            (4, claim.name.to_string()),
            (places.birth_date - 1, "1".to_owned()),
            (places.birth_date, compact(claim.birth_date)),
            (places.remarks, claim.remark.map_or(String::new(), |code| format!("{code:02}"))),
            (places.chart, format!("A-{number}")),
        ];
        for (at, text) in written {
            if let Some(column) = columns.get_mut(at) {
                *column = text;
            }
        }
        self.row(places.count, &columns.join(","));
    }

    fn medical_services(&mut self, month: Day, days: &[Day], services: u32) {
        self.row(8, &format!("SY,8830417,{},1,,,01,", compact(month)));
        self.row(8, "SY,4659007,20260401,1,8002");
        let days = marks(days);
        for service in 0..services {
            let id = if service % 3 == 2 { "IY" } else { "SI" };
            self.row(44, &format!("{id},{},1,11{service:03}0110,,291,1,,,,,,,{days}", 11 + service % 80));
        }
    }

    /// BU: each stay from its first day to its last.
    fn stays(&mut self, days: &[Day]) {
        for stay in days.chunk_by(|one, next| *next == one.plus(1)) {
            if let [first, ..] = stay {
                let last = first.plus(stay.len() as i32 - 1);
                self.row(9, &format!("BU,040081xx97x00x,{},{},1", compact(*first), compact(last)));
            }
        }
    }

    fn dental_services(&mut self, days: &[Day], services: u32) {
        let days = marks(days);
        self.row(109, &format!("SS,80,1,309000110{}34,2,{days}", ",".repeat(73)));
        for service in 1..services {
            self.row(38, &format!("SI,{},1,11{service:03}0110,,291,1,{days}", 11 + service % 80));
        }
    }

    /// CZ: what was handed over on each day.
    fn dispensings(&mut self, days: &[Day]) {
        for day in days {
            let day = compact(*day);
            self.row(6, &format!("CZ,1,{day},{day},1,7"));
        }
    }

    /// KA: what was done on each day.
    fn visits(&mut self, days: &[Day]) {
        for day in days {
            self.row(9, &format!("KA,{},1,510000110,1,5550,03,01,01", compact(*day)));
        }
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
