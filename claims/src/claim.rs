//! One claim (レセプト), as far as a pre-check needs it.
//!
//! Names, diagnoses and services are not here: their columns are never read.

use std::fmt;

use eligibility::day::{Day, Timestamp};
use eligibility::number::{Branch, InstitutionCode, InsurerNumber, NumberError, NumberKey};
use eligibility::query::{Circumstances, NumberQuery};

use crate::days::VisitDays;
use crate::finding::{Finding, What};
use crate::layout::PointTable;

/// 審査支払機関: where a claim is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agency {
    /// 社会保険診療報酬支払基金.
    Fund = 1,
    /// 国民健康保険団体連合会.
    Federation = 2,
}

impl Agency {
    /// 審査支払機関コード.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The one with this code.
    #[must_use]
    pub const fn from_code(code: u32) -> Option<Self> {
        match code {
            1 => Some(Self::Fund),
            2 => Some(Self::Federation),
            _ => None,
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Fund => Self::Federation,
            Self::Federation => Self::Fund,
        }
    }

    /// The one that pays for this insurer: 国保 (six digits), 後期 (39) and 退職 (67) go to the
    /// federations, all others to the fund.
    #[must_use]
    pub const fn of(insurer: InsurerNumber) -> Self {
        match insurer.scheme() {
            None | Some(39 | 67) => Self::Federation,
            Some(_) => Self::Fund,
        }
    }

    /// Its name as clerks say it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Fund => "支払基金",
            Self::Federation => "国保連合会",
        }
    }
}

/// 保険者番号 of the HO record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrittenInsurer {
    /// A number that can be one.
    Number(InsurerNumber),
    /// 77777777 or 77777779: the institution could not learn the insurer.
    Unknown(u32),
    /// Digits of the right count with a wrong check digit.
    Mistyped(u32),
}

impl WrittenInsurer {
    /// Reads the printed form, also padded on the left with blanks or zeros.
    pub(crate) fn parse(text: &str) -> Result<Self, What> {
        match InsurerNumber::parse(text) {
            _ if matches!(text, "77777777" | "77777779") => {
                Ok(Self::Unknown(text.parse().unwrap_or_default()))
            }
            Ok(number) => Ok(Self::Number(number)),
            Err(NumberError::Form) => Err(What::Form),
            Err(NumberError::CheckDigit) => {
                let digits = text.chars().filter_map(|c| c.to_digit(10).or_else(|| wide_digit(c)));
                Ok(Self::Mistyped(digits.fold(0, |value: u32, digit| value.wrapping_mul(10) + digit)))
            }
        }
    }
}

fn wide_digit(c: char) -> Option<u32> {
    ('０'..='９').contains(&c).then(|| c as u32 - '０' as u32)
}

impl fmt::Display for WrittenInsurer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Unknown(digits) | Self::Mistyped(digits) if *digits >= 1_000_000 => {
                write!(f, "{digits:08}")
            }
            Self::Unknown(digits) | Self::Mistyped(digits) => write!(f, "{digits:06}"),
        }
    }
}

/// The insurance as the claim has it: HO, and SN of 負担者種別 1.
#[derive(Clone, PartialEq, Eq)]
pub struct Written {
    /// 保険者番号.
    pub insurer: WrittenInsurer,
    /// 記号 as written; empty where there is none.
    pub symbol: Box<str>,
    /// 番号 as written.
    pub number: Box<str>,
    /// 枝番.
    pub branch: Option<Branch>,
    /// 生年月日.
    pub birth_date: Day,
}

impl Written {
    /// The question of whom this insurance means.
    pub(crate) fn query(&self, insurer: InsurerNumber, known_at: Option<Timestamp>) -> NumberQuery {
        NumberQuery {
            key: NumberKey::new(insurer, &self.symbol, &self.number),
            branch: self.branch,
            birth_date: self.birth_date,
            known_at,
            circumstances: Circumstances::default(),
        }
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Written({}, …)", self.insurer)
    }
}

/// レセプト特記事項: a set of two-digit codes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Remarks(u128);

impl Remarks {
    /// Reads up to five codes of two digits, one after the other.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > 10 {
            return None;
        }
        text.chunks(2).try_fold(Self::default(), |all, code| match code {
            b"  " | b" " => Some(all),
            [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some(all.with((tens - b'0') * 10 + (ones - b'0'))),
            _ => None,
        })
    }

    /// The set with this code too; codes above 99 are none.
    #[must_use]
    pub const fn with(self, code: u8) -> Self {
        if code < 100 { Self(self.0 | 1 << code) } else { self }
    }

    /// Whether the code is in it.
    #[must_use]
    pub const fn has(self, code: u8) -> bool {
        code < 100 && self.0 & (1 << code) != 0
    }

    /// Its codes, lowest first.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..100).filter(move |code| self.has(*code))
    }
}

impl fmt::Debug for Remarks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// One claim.
#[derive(Clone, PartialEq, Eq)]
pub struct Claim {
    /// Line of its RE record, from 1.
    pub line: u64,
    /// レセプト番号.
    pub number: Option<u32>,
    /// 点数表.
    pub table: PointTable,
    /// 医療機関コード in ten digits; `None` where the file has none that can be one.
    pub institution: Option<InstitutionCode>,
    /// 審査支払機関 to which the file goes.
    pub agency: Option<Agency>,
    /// The insurance; `None` for 公費単独.
    pub written: Option<Written>,
    /// Days of the visits.
    pub days: VisitDays,
    /// 合計点数 of the insurance, else of the first 公費. 訪問看護 bills in yen: counted at 10 yen a point.
    pub points: u64,
    /// How many KO records it has.
    pub subsidies: u8,
    /// Whether 窓口負担額区分 (MF) is other than 00: 高額療養費 was given at the window.
    pub limited: bool,
    /// レセプト特記事項.
    pub remarks: Remarks,
    /// Whether it says that a 特定疾病療養受療証 was used, beyond 特記事項 02 and 16.
    pub specific_disease: bool,
    /// Line of the SN record of 負担者種別 1, where 枝番 and 確認区分 stand.
    pub confirmation_line: Option<u64>,
    /// What is odd, and does not hinder the check.
    pub warnings: Vec<Finding>,
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claim(line {}, {:?}, …)", self.line, self.days)
    }
}

impl Claim {
    /// The question of whom its insurance means; `None` where it has none, or none that can be one.
    #[must_use]
    pub fn query(&self) -> Option<NumberQuery> {
        let written = self.written.as_ref()?;
        match written.insurer {
            WrittenInsurer::Number(insurer) => Some(written.query(insurer, None)),
            WrittenInsurer::Unknown(_) | WrittenInsurer::Mistyped(_) => None,
        }
    }
}

/// A claim whose records break the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Line of its RE record, or of the first record that should have had one before it.
    pub line: u64,
    /// レセプト番号, where it could be read.
    pub number: Option<u32>,
    /// The first thing that is wrong.
    pub fault: Finding,
}

/// What stands in a file, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A claim.
    Claim(Claim),
    /// A claim that could not be read.
    Unreadable(Unreadable),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insurers_go_to_their_agency() {
        let agency = |text: &str| Agency::of(InsurerNumber::parse(text).unwrap());
        assert_eq!(agency("  138057"), Agency::Federation);
        assert_eq!(agency("00138057"), Agency::Federation);
        assert_eq!(agency("06132013"), Agency::Fund);
        assert_eq!(agency("33120015"), Agency::Fund);
    }

    #[test]
    fn an_insurer_is_read_with_its_oddities() {
        let shown = |text: &str| WrittenInsurer::parse(text).map(|insurer| format!("{insurer:?} {insurer}"));
        assert_eq!(shown("77777777").unwrap(), "Unknown(77777777) 77777777");
        assert_eq!(shown("77777779").unwrap(), "Unknown(77777779) 77777779");
        assert_eq!(shown("138058").unwrap(), "Mistyped(138058) 138058");
        assert_eq!(shown("01234567").unwrap(), "Mistyped(1234567) 01234567");
        assert_eq!(shown("１３８０５７").unwrap(), "Number(138057) 138057");
        assert_eq!(shown("1234567"), Err(What::Form));
        assert_eq!(shown(""), Err(What::Form));
    }

    #[test]
    fn remarks_are_pairs_of_digits() {
        let codes = |text: &[u8]| Remarks::parse(text).map(|set| set.iter().collect::<Vec<_>>());
        assert_eq!(codes(b""), Some(vec![]));
        assert_eq!(codes(b"2802"), Some(vec![2, 28]));
        assert_eq!(codes(b"28  "), Some(vec![28]));
        assert_eq!(codes(b"280"), None);
        assert_eq!(codes(b"AB"), None);
        assert_eq!(codes(b"010203040506"), None);
    }
}
