//! The insurers of the nation: numbers with right check digits, invented names, who feeds.
//!
//! Holds the types; which insurers there are is in `book`, whom they insure in `nation`.

mod book;

use eligibility::number::{InsurerNumber, check_digit};

pub(crate) use book::{Book, Region, Town};

/// What sort of insurer it is (法別番号).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InsurerKind {
    /// 01 全国健康保険協会管掌健康保険, one a prefecture.
    Association,
    /// 02 船員保険.
    Seafarers,
    /// 06 組合管掌健康保険.
    Society,
    /// 07 自衛官等の療養の給付.
    SelfDefence,
    /// 31-34 共済組合.
    MutualAid,
    /// 39 後期高齢者医療広域連合, one a prefecture.
    LateElderly,
    /// 市町村国保.
    Municipal,
    /// 国保組合.
    NationalSociety,
}

impl InsurerKind {
    /// The sort that a number tells: 法別番号, or the third of six digits (3: 国保組合).
    #[must_use]
    pub const fn of(number: InsurerNumber) -> Self {
        match number.scheme() {
            Some(1) => Self::Association,
            Some(2) => Self::Seafarers,
            Some(7) => Self::SelfDefence,
            Some(31..=34) => Self::MutualAid,
            Some(39) => Self::LateElderly,
            Some(_) => Self::Society,
            None if number.value() / 1000 % 10 == 3 => Self::NationalSociety,
            None => Self::Municipal,
        }
    }
}

/// One insurer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insurer {
    /// 保険者番号.
    pub number: InsurerNumber,
    /// Invented name.
    pub name: Box<str>,
    /// Its sort.
    pub kind: InsurerKind,
    /// Whether it feeds at all. One of every nation's insurers is in the list and silent.
    pub feeds: bool,
}

/// Insurers that named situations speak of; every nation has them.
pub(crate) mod known {
    /// 健保組合.
    pub(crate) const SOCIETY: u32 = 6_132_013;
    /// Another 健保組合.
    pub(crate) const OTHER_SOCIETY: u32 = 6_270_011;
    /// The 健保組合 that has never fed.
    pub(crate) const SILENT: u32 = 6_270_128;
    /// 協会けんぽ, branch of 東京.
    pub(crate) const ASSOCIATION: u32 = 1_130_012;
    /// 国保 of a ward in 東京.
    pub(crate) const WARD: u32 = 138_057;
    /// 国保 of a town in 神奈川.
    pub(crate) const TOWN: u32 = 148_015;
    /// 国保組合.
    pub(crate) const NATIONAL_SOCIETY: u32 = 133_306;
    /// 後期高齢者医療広域連合 of 東京.
    pub(crate) const LATE_ELDERLY: u32 = 39_131_156;
    /// 国家公務員共済.
    pub(crate) const MUTUAL_AID: u32 = 31_130_016;
    /// 船員保険.
    pub(crate) const SEAFARERS: u32 = 2_130_011;
    /// 自衛官.
    pub(crate) const SELF_DEFENCE: u32 = 7_130_016;
}

/// The number with this value, whose check digit the caller vouches for.
pub(crate) fn number(value: u32) -> InsurerNumber {
    InsurerNumber::from_value(value).expect("a number of the book, with its check digit")
}

/// The value whose digits before the check digit are these.
pub(crate) fn with_check_digit(body: u32) -> u32 {
    body * 10 + check_digit(u64::from(body)) as u32
}

/// The list as CSV with a header, as the gateway's configuration takes it.
pub(crate) fn csv(all: &[Insurer]) -> String {
    let mut text = String::from("insurer_number,name\n");
    for one in all {
        text.push_str(&format!("{},{}\n", one.number, one.name));
    }
    text
}
