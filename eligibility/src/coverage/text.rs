//! Texts of records as their keeper holds them, and the records with their texts held otherwise.

use std::borrow::Cow;

use super::{Coverage, Member, Membership, Person, Subsidy};

/// A text of a record, whole or packed.
pub trait Written {
    /// The text.
    fn text(&self) -> Cow<'_, str>;

    /// Value and length of a text of digits alone, of either width, where its keeper knows them.
    fn decimal(&self) -> Option<(u64, usize)> {
        None
    }

    /// Looks at the text without keeping it.
    fn look<R>(&self, look: impl FnOnce(&str) -> R) -> R {
        look(&self.text())
    }
}

impl Written for Box<str> {
    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl<T> Coverage<T> {
    /// The same with each text made another.
    pub fn map<U>(self, text: &impl Fn(T) -> U) -> Coverage<U> {
        Coverage {
            symbol: text(self.symbol),
            number: text(self.number),
            branch: self.branch,
            relationship: self.relationship,
            card_kind: self.card_kind,
            insured_name: self.insured_name.map(text),
            qualified_on: self.qualified_on,
            disqualified_on: self.disqualified_on,
            loss_reason: self.loss_reason,
            validity: self.validity,
            copay_percent: self.copay_percent,
            preschool: self.preschool,
            issued_on: self.issued_on,
            elderly: self.elderly,
            limit_certificates: self.limit_certificates,
            specific_diseases: self.specific_diseases,
        }
    }
}

impl<T> Member<T> {
    /// The same with each text made another.
    pub fn map<U>(self, text: &impl Fn(T) -> U) -> Member<U> {
        Member {
            name: text(self.name),
            name_kana: self.name_kana.map(text),
            alias: self.alias.map(text),
            alias_kana: self.alias_kana.map(text),
            sex: self.sex,
            sex_on_back: self.sex_on_back,
            birth_date: self.birth_date,
            postal_code: self.postal_code.map(text),
            address: self.address.map(text),
            restrictions: self.restrictions,
            coverages: self.coverages.into_iter().map(|one| one.map(text)).collect(),
        }
    }
}

impl<T> Membership<T> {
    /// The same with each text made another.
    pub fn map<U>(self, text: &impl Fn(T) -> U) -> Membership<U> {
        let member = self.member.map(|member| member.map(text));
        Membership { insurer: self.insurer, member, pending: self.pending }
    }
}

impl<T> Subsidy<T> {
    /// The same with each text made another.
    pub fn map<U>(self, text: &impl Fn(T) -> U) -> Subsidy<U> {
        Subsidy {
            payer_number: text(self.payer_number),
            recipient_number: text(self.recipient_number),
            scheme: text(self.scheme),
            copay_percent: self.copay_percent,
            validity: self.validity,
            note: self.note.map(text),
        }
    }
}

impl<T> Person<T> {
    /// The same with each text made another.
    pub fn map<U>(self, text: &impl Fn(T) -> U) -> Person<U> {
        let subsidies = |all: Vec<Subsidy<T>>| all.into_iter().map(|one| one.map(text)).collect();
        Person {
            link_number: self.link_number,
            memberships: self.memberships.into_iter().map(|one| one.map(text)).collect(),
            subsidies: self.subsidies.into_iter().map(|(city, all)| (city, subsidies(all))).collect(),
        }
    }
}
