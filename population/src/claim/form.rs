//! Which 記録条件仕様 a claim file follows, and in what the books differ.

use eligibility::number::InstitutionCode;

/// A book of 記録条件仕様.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// 医科, out-patients.
    Medical,
    /// DPC: 医科, in-patients by 診断群分類.
    Dpc,
    /// 歯科.
    Dental,
    /// 調剤.
    Pharmacy,
    /// 訪問看護, billed in yen.
    Nursing,
}

/// Columns of RE, counted from 0.
pub(super) struct Places {
    pub(super) birth_date: usize,
    pub(super) remarks: usize,
    /// カルテ番号等, where the book has it.
    pub(super) chart: usize,
    pub(super) count: usize,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 5] = [Self::Medical, Self::Dpc, Self::Dental, Self::Pharmacy, Self::Nursing];

    /// The form of an institution's files by its 点数表, the third digit of its code: 医科 unless it
    /// is another's.
    #[must_use]
    pub fn of(institution: InstitutionCode) -> Self {
        let code = institution.to_string();
        let fits = |form: &Self| form.table() == code.as_bytes().get(2).copied().unwrap_or_default();
        Self::ALL.into_iter().find(fits).unwrap_or(Self::Medical)
    }

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Medical => "medical",
            Self::Dpc => "dpc",
            Self::Dental => "dental",
            Self::Pharmacy => "pharmacy",
            Self::Nursing => "nursing",
        }
    }

    /// 点数表コード, an ASCII digit.
    #[must_use]
    pub const fn table(self) -> u8 {
        match self {
            Self::Medical | Self::Dpc => b'1',
            Self::Dental => b'3',
            Self::Pharmacy => b'4',
            Self::Nursing => b'6',
        }
    }

    /// レセプト種別: by whom it is paid, by how many, and whether the person is 高齢受給者 or 後期.
    pub(super) fn kind(self, payer: u8, payers: u8, old: bool) -> String {
        let whose = match (self, old) {
            (Self::Dpc, false) => 1,
            (Self::Dpc, true) => 7,
            (_, false) => 2,
            (_, true) => 8,
        };
        format!("{}{payer}{payers}{whose}", char::from(self.table()))
    }

    pub(super) const fn places(self) -> Places {
        match self {
            Self::Medical | Self::Dpc => Places { birth_date: 6, remarks: 11, chart: 13, count: 38 },
            Self::Dental => Places { birth_date: 6, remarks: 13, chart: 14, count: 26 },
            Self::Pharmacy => Places { birth_date: 6, remarks: 8, chart: usize::MAX, count: 15 },
            Self::Nursing => Places { birth_date: 7, remarks: 11, chart: usize::MAX, count: 15 },
        }
    }

    /// Columns of HO.
    pub(super) const fn insurance_columns(self) -> usize {
        match self {
            Self::Medical | Self::Dpc => 15,
            Self::Dental | Self::Pharmacy | Self::Nursing => 13,
        }
    }

    /// Columns of KO.
    pub(super) const fn subsidy_columns(self) -> usize {
        match self {
            Self::Medical | Self::Dpc => 12,
            Self::Dental | Self::Pharmacy | Self::Nursing => 9,
        }
    }

    /// These points as HO and KO have them: yen in 訪問看護.
    pub(super) const fn billed(self, points: u32) -> u32 {
        match self {
            Self::Nursing => points * 10,
            _ => points,
        }
    }
}
