//! What reading a claim file finds wrong, by line, record and column.
//!
//! A finding never holds what was written, only where it stood. Whether it makes a claim unreadable
//! or is a mere warning is said by where it is kept.

use std::fmt;

use serde::{Deserialize, Serialize};

use eligibility::words;

words! {
    /// What is wrong.
    What {
        /// Longer than any record may be.
        TooLong = "record_too_long" => "レコードが長すぎます",
        /// Octets that are no CP932, or text that is plainly UTF-8.
        Encoding = "encoding" => "文字コードがCP932（シフトJIS）ではありません",
        /// No record begins like this.
        UnknownRecord = "unknown_record" => "レコード識別情報が読めません",
        /// A record that must be there is not.
        MissingRecord = "missing_record" => "必要なレコードがありません",
        /// A second record where one may be.
        DuplicateRecord = "duplicate_record" => "同じレコードが重複しています",
        /// Needed and empty.
        Missing = "missing" => "記録がありません",
        /// Not the form that belongs there.
        Form = "form" => "記録の形式が正しくありません",
        /// A well-formed value outside what is possible.
        Range = "range" => "記録できる範囲を超えています",
        /// A 個人番号 was found. Nothing of the claim is kept.
        MyNumber = "my_number_refused" => "個人番号と思われる12桁の番号が記録されています（取り込みません）",
        /// The check digit disagrees with the digits before it.
        CheckDigit = "check_digit" => "検証番号が合いません（番号の誤りの可能性）",
        /// The JD record says that it disagrees with the other records (受診等区分 9).
        DaysDisagree = "days_disagree" => "受診日等レコードが他のレコードの算定日と一致していません（受診等区分9）",
        /// 総件数 or 総合計点数 is not the sum of the claims.
        Totals = "totals" => "総件数または総合計点数がレセプトの合計と一致しません",
        /// The number before this one is not known to the 審査支払機関 written in the file.
        OtherPayer = "other_payer" => "ファイルの審査支払機関と保険者番号の請求先が一致しません",
        /// Something follows the end mark (0x1A).
        AfterEnd = "after_end" => "ファイル終端（EOF）の後に記録があります",
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Line of the file, from 1.
    pub line: u64,
    /// レコード識別情報, such as `HO`; `None` where it could not be read or there are no records.
    pub record: Option<Box<str>>,
    /// Column of the record; 0 is the レコード識別情報 itself.
    pub column: Option<u16>,
    /// Name of the column, or path of the JSON field.
    pub field: Option<Box<str>>,
    /// What is wrong.
    pub what: What,
}

impl Finding {
    /// A finding about a whole line.
    #[must_use]
    pub const fn line(line: u64, what: What) -> Self {
        Self { line, record: None, column: None, field: None, what }
    }

    /// A finding about a record.
    #[must_use]
    pub fn record(line: u64, record: &str, what: What) -> Self {
        Self { record: Some(record.into()), ..Self::line(line, what) }
    }

    /// A finding about a column of a record.
    #[must_use]
    pub fn column(line: u64, record: &str, column: u16, field: &str, what: What) -> Self {
        Self { column: Some(column), field: Some(field.into()), ..Self::record(line, record, what) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}行目", self.line)?;
        if let Some(record) = &self.record {
            write!(f, " {record}レコード")?;
        }
        if let Some(column) = self.column {
            write!(f, " {column}列")?;
        }
        if let Some(field) = &self.field {
            write!(f, "（{field}）")?;
        }
        write!(f, ": {}", self.what.text())
    }
}
