//! What insurers and cities say of one person: coverages, certificates, restrictions.
//!
//! These are the records as they are kept in memory and decided upon. How they look in a feed is
//! [`crate::feed`]'s business, how they are shown [`crate::answer`]'s. Their texts are of a type `T`:
//! whole, or packed as whoever keeps them likes, so that only what is shown is ever unpacked.

mod text;

use std::fmt;

use crate::code::{
    CardKind, LimitCategory, LimitKind, LossReason, Relationship, Restriction, Sex, SpecificDisease,
};
use crate::day::Day;
use crate::number::{Branch, CityCode, InsurerNumber, LinkNumber, NumberKey};
use crate::redacted::redacted;

pub use text::Written;

/// First and last day of something, both included; an absent side is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Validity {
    /// 有効開始日.
    pub from: Option<Day>,
    /// 有効終了日, the last day still valid.
    pub through: Option<Day>,
}

impl Validity {
    /// Whether the day lies within.
    #[must_use]
    pub fn holds(&self, day: Day) -> bool {
        self.from.is_none_or(|from| from <= day) && self.through.is_none_or(|through| day <= through)
    }
}

/// 高齢受給者証.
#[derive(Clone, PartialEq, Eq)]
pub struct ElderlyCertificate {
    /// Days on which it is valid.
    pub validity: Validity,
    /// Share the person pays, in percent.
    pub copay_percent: Option<u8>,
    /// 交付日.
    pub issued_on: Option<Day>,
}

/// 限度額適用認定証 and its kin.
#[derive(Clone, PartialEq, Eq)]
pub struct LimitCertificate {
    /// 証区分.
    pub kind: LimitKind,
    /// 適用区分.
    pub category: Option<LimitCategory>,
    /// Days on which it is valid.
    pub validity: Validity,
    /// 長期入院該当日.
    pub long_term_on: Option<Day>,
    /// 交付日.
    pub issued_on: Option<Day>,
}

/// 特定疾病療養受療証.
#[derive(Clone, PartialEq, Eq)]
pub struct SpecificDiseaseCertificate {
    /// 認定疾病区分.
    pub category: SpecificDisease,
    /// Days on which it is valid.
    pub validity: Validity,
    /// 自己負担限度額 in yen a month.
    pub self_pay_yen: Option<u32>,
    /// 交付日.
    pub issued_on: Option<Day>,
}

/// One coverage of one person with one insurer.
#[derive(Clone, PartialEq, Eq)]
pub struct Coverage<T = Box<str>> {
    /// 記号 as the insurer writes it; empty where there is none.
    pub symbol: T,
    /// 番号 as the insurer writes it.
    pub number: T,
    /// 枝番.
    pub branch: Option<Branch>,
    /// 本人 or 家族.
    pub relationship: Option<Relationship>,
    /// 証区分.
    pub card_kind: Option<CardKind>,
    /// 被保険者 (世帯主) 氏名, where the person is not that one.
    pub insured_name: Option<T>,
    /// 資格取得日, the first day covered.
    pub qualified_on: Day,
    /// 資格喪失日, the first day no longer covered.
    pub disqualified_on: Option<Day>,
    /// 資格喪失事由.
    pub loss_reason: Option<LossReason>,
    /// 有効開始日 and 有効終了日 of the card.
    pub validity: Validity,
    /// Share the person pays, in percent.
    pub copay_percent: Option<u8>,
    /// 未就学区分.
    pub preschool: Option<bool>,
    /// 交付日.
    pub issued_on: Option<Day>,
    /// 高齢受給者証, in the order fed.
    pub elderly: Vec<ElderlyCertificate>,
    /// 限度額適用認定証, in the order fed.
    pub limit_certificates: Vec<LimitCertificate>,
    /// 特定疾病療養受療証, in the order fed.
    pub specific_diseases: Vec<SpecificDiseaseCertificate>,
}

impl<T> Coverage<T> {
    /// The first day it can hold.
    #[must_use]
    pub fn starts_on(&self) -> Day {
        self.validity.from.map_or(self.qualified_on, |from| from.max(self.qualified_on))
    }

    /// The last day it can hold; `None` while neither loss nor end is known.
    #[must_use]
    pub fn ends_on(&self) -> Option<Day> {
        let before_loss = self.disqualified_on.map(|loss| loss.plus(-1));
        match (before_loss, self.validity.through) {
            (Some(loss), Some(through)) => Some(loss.min(through)),
            (one, other) => one.or(other),
        }
    }

    /// Whether it holds this day: from 取得日, before 喪失日, within 有効期間.
    #[must_use]
    pub fn holds(&self, day: Day) -> bool {
        self.starts_on() <= day && self.ends_on().is_none_or(|end| day <= end)
    }

    /// Whether it has ended before this day.
    #[must_use]
    pub fn ended_before(&self, day: Day) -> bool {
        self.ends_on().is_some_and(|end| end < day)
    }

    /// Whether a question with this branch may mean it: an omitted branch on either side fits any.
    #[must_use]
    pub fn fits_branch(&self, asked: Option<Branch>) -> bool {
        match (asked, self.branch) {
            (Some(asked), Some(own)) => asked == own,
            _ => true,
        }
    }
}

impl<T: Written> Coverage<T> {
    /// The key under which its symbol and number are found.
    #[must_use]
    pub fn key(&self, insurer: InsurerNumber) -> NumberKey {
        NumberKey::new(insurer, &self.symbol.text(), &self.number.text())
    }

    /// Whether that is this key.
    #[must_use]
    pub fn has_key(&self, insurer: InsurerNumber, key: &NumberKey) -> bool {
        key.is_of(insurer, &self.symbol, &self.number)
    }
}

impl<T> fmt::Debug for Coverage<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Coverage({}..{:?}, …)", self.starts_on(), self.ends_on())
    }
}

/// The restrictions that stand for one person with one insurer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Restrictions(u8);

impl Restrictions {
    /// No restriction.
    pub const NONE: Self = Self(0);

    /// The set as bits, one a member of [`Restriction::ALL`] in its order.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set with these bits; unknown ones are dropped.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 0b111)
    }

    /// Whether this one stands.
    #[must_use]
    pub const fn has(self, restriction: Restriction) -> bool {
        self.0 & (1 << restriction as u8) != 0
    }

    /// The set with this one added.
    #[must_use]
    pub const fn with(self, restriction: Restriction) -> Self {
        Self(self.0 | 1 << restriction as u8)
    }

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Its members, in the order of the book.
    pub fn iter(self) -> impl Iterator<Item = Restriction> {
        Restriction::ALL.iter().copied().filter(move |restriction| self.has(*restriction))
    }
}

/// Everything one insurer says of one person.
#[derive(Clone, PartialEq, Eq)]
pub struct Member<T = Box<str>> {
    /// 氏名.
    pub name: T,
    /// 氏名カナ, full-width.
    pub name_kana: Option<T>,
    /// 氏名その他 (通称名).
    pub alias: Option<T>,
    /// 氏名その他カナ.
    pub alias_kana: Option<T>,
    /// 性別 on the face of the card.
    pub sex: Sex,
    /// 性別 on the back, where it is kept there.
    pub sex_on_back: Option<Sex>,
    /// 生年月日 as this insurer has it.
    pub birth_date: Day,
    /// 郵便番号.
    pub postal_code: Option<T>,
    /// 住所 as this insurer has it.
    pub address: Option<T>,
    /// Restrictions of this insurer.
    pub restrictions: Restrictions,
    /// Coverages, in the order fed.
    pub coverages: Vec<Coverage<T>>,
}

impl<T> fmt::Debug for Member<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({} coverages, …)", self.coverages.len())
    }
}

/// 医療費助成 or 公費 that a city pays for a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Subsidy<T = Box<str>> {
    /// 公費負担者番号.
    pub payer_number: T,
    /// 公費受給者番号.
    pub recipient_number: T,
    /// Name of the scheme, the city's own word.
    pub scheme: T,
    /// Share the person pays, in percent.
    pub copay_percent: Option<u8>,
    /// Days on which it is valid.
    pub validity: Validity,
    /// Remark for the desk.
    pub note: Option<T>,
}

impl<T> fmt::Debug for Subsidy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subsidy(…)")
    }
}

redacted! {
    ElderlyCertificate = "ElderlyCertificate(…)",
    LimitCertificate = "LimitCertificate(…)",
    SpecificDiseaseCertificate = "SpecificDiseaseCertificate(…)",
}

/// One insurer's place in a person: what it said, and what it asked to keep from view in records
/// that were not accepted (such a wish takes effect at once).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership<T = Box<str>> {
    /// The insurer.
    pub insurer: InsurerNumber,
    /// Its last accepted word; `None` when it has none or withdrew it.
    pub member: Option<Member<T>>,
    /// Restrictions read from records in quarantine or on hold.
    pub pending: Restrictions,
}

impl<T> Membership<T> {
    /// The restrictions in force, pending ones included.
    #[must_use]
    pub fn restrictions(&self) -> Restrictions {
        self.member.as_ref().map_or(Restrictions::NONE, |member| member.restrictions).and(self.pending)
    }

    /// Its coverages; none when the insurer has no living word.
    #[must_use]
    pub fn coverages(&self) -> &[Coverage<T>] {
        self.member.as_ref().map_or(&[], |member| &member.coverages)
    }
}

/// One person, as all sources together describe them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person<T = Box<str>> {
    /// 紐付番号.
    pub link_number: LinkNumber,
    /// One entry an insurer, in order of insurer number.
    pub memberships: Vec<Membership<T>>,
    /// One entry a city that feeds this person, in order of city code.
    pub subsidies: Vec<(CityCode, Vec<Subsidy<T>>)>,
}

impl<T> Person<T> {
    /// A person of whom nothing is said yet.
    #[must_use]
    pub const fn new(link_number: LinkNumber) -> Self {
        Self { link_number, memberships: Vec::new(), subsidies: Vec::new() }
    }

    /// Whether any insurer has a living word on the person.
    #[must_use]
    pub fn is_fed(&self) -> bool {
        self.memberships.iter().any(|membership| membership.member.is_some())
    }

    /// This insurer's entry.
    #[must_use]
    pub fn membership(&self, insurer: InsurerNumber) -> Option<&Membership<T>> {
        self.memberships.iter().find(|membership| membership.insurer == insurer)
    }

    /// This insurer's entry, made if it is not there.
    pub fn membership_mut(&mut self, insurer: InsurerNumber) -> &mut Membership<T> {
        let at = match self.memberships.binary_search_by_key(&insurer, |membership| membership.insurer) {
            Ok(at) => at,
            Err(at) => {
                self.memberships
                    .insert(at, Membership { insurer, member: None, pending: Restrictions::NONE });
                at
            }
        };
        &mut self.memberships[at]
    }
}
