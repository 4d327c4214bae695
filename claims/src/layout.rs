//! Which column of which record holds what, by 点数表: the only place that knows column numbers.
//!
//! Only columns that a pre-check uses are named here; no other column is ever looked at.
//!
//! | 点数表 | source of the layout |
//! |---|---|
//! | 医科 | 記録条件仕様（医科用）, columns as in yokenzan/receiptisan `digitalized_receipt/record.rb` and hangilc/myclinic-ts `packages/rezept` |
//! | DPC | 記録条件仕様（DPC用）: RE to MF as 医科, with レセプト総括区分 and 明細情報数 in RE 16 and 17; BU from a public Erlang reader of the book (iryokikan_in_03) |
//! | 歯科 | 記録条件仕様（歯科用）令和8年6月版, transcribed field by field in a public dental claim builder |
//! | 調剤 | 電子レセプトの作成手引き（調剤）, columns as in sosuke-hirayama/uke-parser `uke_parser_chozai.rb`; SN, JD and MF as in every other book |
//! | 訪問看護 | 記録条件仕様（訪問看護用）令和6年6月版, as a public home-nursing claim builder writes it |
//! | 返戻 | 返戻ファイルに係る記録条件仕様: HI first, HG last, HR within a claim; lines of the 履歴管理ブロック have three columns before the record |

use crate::record::Column;
use eligibility::words;

words! {
    /// 点数表: which kind of institution makes the claim, and so which layout it has.
    PointTable {
        /// 医科, DPC among it.
        Medical = "medical" => "医科",
        /// 歯科.
        Dental = "dental" => "歯科",
        /// 調剤.
        Pharmacy = "pharmacy" => "調剤",
        /// 訪問看護, whose amounts are yen.
        Nursing = "nursing" => "訪問看護",
    }
}

impl PointTable {
    /// The table with this code (点数表コード), which is also the first digit of レセプト種別.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            b'1' => Some(Self::Medical),
            b'3' => Some(Self::Dental),
            b'4' => Some(Self::Pharmacy),
            b'6' => Some(Self::Nursing),
            _ => None,
        }
    }

    pub(crate) const fn layout(self) -> &'static Layout {
        match self {
            Self::Medical => &MEDICAL,
            Self::Dental => &DENTAL,
            Self::Pharmacy => &PHARMACY,
            Self::Nursing => &NURSING,
        }
    }
}

/// What differs between the layouts.
pub(crate) struct Layout {
    pub(crate) birth_date: Column,
    pub(crate) admission: Option<Column>,
    pub(crate) remarks: Column,
    pub(crate) summary: Option<(Column, Column)>,
    /// 診療実日数 in HO.
    pub(crate) actual_days: Option<Column>,
    /// First of the 31 day columns of a record that lists services by day.
    pub(crate) first_day: fn(&str) -> Option<u16>,
    /// Column of a record that bears the day of one service.
    pub(crate) service_day: fn(&str) -> Option<u16>,
}

const MEDICAL: Layout = Layout {
    birth_date: Column(6, "生年月日"),
    admission: Some(Column(8, "入院年月日")),
    remarks: Column(11, "レセプト特記事項"),
    summary: Some((Column(16, "レセプト総括区分"), Column(17, "明細情報数"))),
    actual_days: Some(Column(4, "診療実日数")),
    first_day: |id| match id {
        "SI" | "IY" => Some(13),
        "TO" => Some(17),
        _ => None,
    },
    service_day: |_| None,
};

const DENTAL: Layout = Layout {
    birth_date: Column(6, "生年月日"),
    admission: Some(Column(8, "入院年月日")),
    remarks: Column(13, "レセプト特記事項"),
    summary: None,
    actual_days: Some(Column(4, "診療実日数")),
    first_day: |id| match id {
        "SS" => Some(78),
        "SI" => Some(7),
        "IY" => Some(8),
        "TO" => Some(14),
        _ => None,
    },
    service_day: |_| None,
};

const PHARMACY: Layout = Layout {
    birth_date: Column(6, "生年月日"),
    admission: None,
    remarks: Column(8, "レセプト特記事項"),
    summary: None,
    actual_days: None,
    first_day: |_| None,
    service_day: |id| match id {
        // 調剤月日.
        "CZ" => Some(3),
        _ => None,
    },
};

const NURSING: Layout = Layout {
    birth_date: Column(7, "生年月日"),
    admission: None,
    remarks: Column(11, "レセプト特記事項"),
    summary: None,
    actual_days: None,
    first_day: |_| None,
    service_day: |id| match id {
        // 算定年月日.
        "KA" => Some(1),
        _ => None,
    },
};

// What stands in the same column of every layout.

pub(crate) const NUMBER: Column = Column(1, "レセプト番号");
pub(crate) const KIND: Column = Column(2, "レセプト種別");
pub(crate) const MONTH: Column = Column(3, "診療年月");
pub(crate) const INSURER: Column = Column(1, "保険者番号");
pub(crate) const SYMBOL: Column = Column(2, "記号");
pub(crate) const INSURED_NUMBER: Column = Column(3, "番号");
/// 合計点数 in HO and KO.
pub(crate) const POINTS: Column = Column(5, "合計点数");
pub(crate) const SUBSIDY_PAYER: Column = Column(1, "負担者番号");
/// 枝番 in SN.
pub(crate) const BRANCH: Column = Column(6, "枝番");
/// The first of the 31 days in JD.
pub(crate) const FIRST_VISIT: u16 = 2;
pub(crate) const WINDOW: Column = Column(1, "窓口負担額区分");
pub(crate) const AGENCY: Column = Column(1, "審査支払機関");
/// 都道府県, 点数表 and 医療機関コード, which together make the ten-digit code.
pub(crate) const INSTITUTION: Column = Column(4, "医療機関コード");
pub(crate) const CLAIM_COUNT: Column = Column(1, "総件数");
pub(crate) const POINT_SUM: Column = Column(2, "総合計点数");
/// 今回入院年月日 and 今回退院年月日 in BU.
pub(crate) const STAY: (Column, Column) = (Column(2, "今回入院年月日"), Column(3, "今回退院年月日"));

/// Columns before the record in lines of the 履歴管理ブロック of returned claims.
pub(crate) const HISTORY_COLUMNS: usize = 3;

/// The レセプト種別 of in-patients ends in an odd digit, in 医科 and 歯科.
pub(crate) const fn is_inpatient(kind: [u8; 4]) -> bool {
    matches!(kind, [b'1' | b'3', .., b'1' | b'3' | b'5' | b'7' | b'9'])
}

/// レコード識別情報 that we read, as text; `None` for others.
pub(crate) const fn known_id(octets: [u8; 2]) -> Option<&'static str> {
    Some(match &octets {
        b"SI" => "SI",
        b"IY" => "IY",
        b"TO" => "TO",
        b"SS" => "SS",
        b"RE" => "RE",
        b"HO" => "HO",
        b"KO" => "KO",
        b"SN" => "SN",
        b"JD" => "JD",
        b"MF" => "MF",
        b"IR" => "IR",
        b"UK" => "UK",
        b"YK" => "YK",
        b"HM" => "HM",
        b"GO" => "GO",
        b"HI" => "HI",
        b"HG" => "HG",
        b"BU" => "BU",
        b"KA" => "KA",
        b"CZ" => "CZ",
        _ => return None,
    })
}
