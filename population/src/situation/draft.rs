//! The words in which the rows of situations are written. Makes no choice of its own.

use eligibility::code::{
    CardKind, LimitCategory, LimitKind, LossReason, Relationship, Restriction, Sex, SpecificDisease,
};
use eligibility::coverage::{
    Coverage, ElderlyCertificate, LimitCertificate, Member, Restrictions, SpecificDiseaseCertificate,
    Subsidy, Validity,
};
use eligibility::day::Day;
use eligibility::decision::{Reason, Status};
use eligibility::number::{Branch, check_digit};

use super::Expected;
use crate::calendar::end_of_july;
use crate::card::{CardKey, CardState};
use crate::insurer;
use crate::resident::{Question, Word};

/// 記号 of the employer for whom most named persons work.
pub(super) const FIRM: &str = "１２－３４";

/// Whose situation it is.
#[derive(Clone, Copy)]
pub(super) enum Who {
    /// A person of its own.
    New,
    /// The person of the situation with this name.
    As(&'static str),
}

#[derive(Clone, Copy)]
pub(super) struct CardDraft {
    pub(super) state: CardState,
    pub(super) key: CardKey,
    pub(super) renewed: bool,
}

/// A row being written.
pub(super) struct Draft {
    pub(super) name: &'static str,
    pub(super) desk: &'static str,
    pub(super) who: Who,
    pub(super) person: Member,
    pub(super) birth: Day,
    pub(super) words: Vec<Word>,
    pub(super) subsidies: Vec<Subsidy>,
    pub(super) card: Option<CardDraft>,
    pub(super) by_number: Option<Expected>,
    pub(super) by_card: Option<Expected>,
    question: Option<Question>,
}

/// A situation of a person of its own. All named persons are called 見本, so that nobody takes them
/// for somebody.
pub(super) fn row(
    name: &'static str,
    given: (&str, &str),
    sex: Sex,
    birth: Day,
    desk: &'static str,
) -> Draft {
    let person = Member {
        name: format!("見本　{}", given.0).into(),
        name_kana: Some(format!("ミホン　{}", given.1).into()),
        alias: None,
        alias_kana: None,
        sex,
        sex_on_back: None,
        birth_date: birth,
        postal_code: Some("150-0099".into()),
        address: Some("東京都ひばり区木洩町１丁目２－３".into()),
        restrictions: Restrictions::NONE,
        coverages: Vec::new(),
    };
    Draft {
        name,
        desk,
        who: Who::New,
        person,
        birth,
        words: Vec::new(),
        subsidies: Vec::new(),
        card: None,
        by_number: None,
        by_card: None,
        question: None,
    }
}

/// Another situation of a person who is there already.
pub(super) fn again(name: &'static str, of: &'static str, asked: Question, desk: &'static str) -> Draft {
    let blank = row(name, ("", ""), Sex::Unknown, asked.birth_date, desk);
    Draft { who: Who::As(of), question: Some(asked), ..blank }
}

/// A question as typed.
pub(super) fn question(insurer: u32, symbol: &str, number: &str, branch: Option<u8>, birth: Day) -> Question {
    Question {
        insurer: insurer::number(insurer),
        symbol: symbol.into(),
        number: number.into(),
        branch: branch.and_then(Branch::from_value),
        birth_date: birth,
    }
}

impl Draft {
    /// An insurer's word: these coverages.
    pub(super) fn at(mut self, insurer: u32, coverages: impl IntoIterator<Item = Cover>) -> Self {
        let coverages = coverages.into_iter().map(|cover| cover.0).collect();
        let member = Member { coverages, ..self.person.clone() };
        self.words.push(Word { insurer: insurer::number(insurer), member });
        self
    }

    /// Changes what the last insurer says of the person.
    pub(super) fn said(mut self, change: impl FnOnce(&mut Member)) -> Self {
        if let Some(word) = self.words.last_mut() {
            change(&mut word.member);
        }
        self
    }

    /// The last insurer asks for this restriction.
    pub(super) fn restricted(self, restriction: Restriction) -> Self {
        self.said(|member| member.restrictions = member.restrictions.with(restriction))
    }

    pub(super) fn subsidy(mut self, subsidy: Subsidy) -> Self {
        self.subsidies.push(subsidy);
        self
    }

    /// Asks something else than the first insurer's first coverage.
    pub(super) fn asked(mut self, question: Question) -> Self {
        self.question = Some(question);
        self
    }

    /// What the question by number should be answered.
    pub(super) fn by_number(mut self, status: Status) -> Self {
        self.by_number = Some(Expected::Answer(status, None));
        self
    }

    /// The same, with a reason.
    pub(super) fn by_number_for(mut self, status: Status, reason: Reason) -> Self {
        self.by_number = Some(Expected::Answer(status, Some(reason)));
        self
    }

    /// Holds a good card, which should be answered so.
    pub(super) fn by_card(self, status: Status) -> Self {
        self.card(CardState::Good, Expected::Answer(status, None))
    }

    /// The same, with a reason.
    pub(super) fn by_card_for(self, status: Status, reason: Reason) -> Self {
        self.card(CardState::Good, Expected::Answer(status, Some(reason)))
    }

    /// Holds a card that is refused.
    pub(super) fn refused(self, state: CardState) -> Self {
        let expected = Expected::Refused(state.refusal().unwrap_or_default());
        self.card(state, expected)
    }

    pub(super) fn card(mut self, state: CardState, expected: Expected) -> Self {
        self.card = Some(CardDraft { state, key: CardKey::Rsa2048, renewed: false });
        self.by_card = Some(expected);
        self
    }

    /// Changes the card.
    pub(super) fn with_card(mut self, change: impl FnOnce(&mut CardDraft)) -> Self {
        self.card.as_mut().map(change);
        self
    }

    /// The question by number, where one shows the situation.
    pub(super) fn question(&self) -> Option<Question> {
        self.by_number?;
        let own = || {
            let word = self.words.first()?;
            let coverage = word.member.coverages.first()?;
            Some(Question {
                insurer: word.insurer,
                symbol: coverage.symbol.clone(),
                number: coverage.number.clone(),
                branch: coverage.branch,
                birth_date: word.member.birth_date,
            })
        };
        self.question.clone().or_else(own)
    }
}

/// A number of seven or eight digits with its check digit.
pub(super) fn number_text(body: u64) -> Box<str> {
    format!("{body}{}", check_digit(body)).into()
}

/// A coverage being written.
pub(super) struct Cover(Coverage);

/// 本人's ordinary coverage with a share of 30 %.
pub(super) fn cover(symbol: &str, number: &str, branch: Option<u8>, from: Day) -> Cover {
    Cover(Coverage {
        symbol: symbol.into(),
        number: number.into(),
        branch: branch.and_then(Branch::from_value),
        relationship: Some(Relationship::Insured),
        card_kind: CardKind::parse("01"),
        insured_name: None,
        qualified_on: from,
        disqualified_on: None,
        loss_reason: None,
        validity: Validity { from: Some(from), through: None },
        copay_percent: Some(30),
        preschool: None,
        issued_on: Some(from.plus(7)),
        elderly: Vec::new(),
        limit_certificates: Vec::new(),
        specific_diseases: Vec::new(),
    })
}

impl Cover {
    pub(super) fn with(mut self, change: impl FnOnce(&mut Coverage)) -> Self {
        change(&mut self.0);
        self
    }

    pub(super) fn lost(self, on: Day, reason: LossReason) -> Self {
        self.with(|cover| (cover.disqualified_on, cover.loss_reason) = (Some(on), Some(reason)))
    }

    pub(super) fn valid(self, validity: Validity) -> Self {
        self.with(|cover| cover.validity = validity)
    }

    /// A card that runs to the end of July, as those of 国保 and 後期 do.
    pub(super) fn yearly(self, day: Day) -> Self {
        self.with(|cover| {
            cover.validity.through = Some(end_of_july(day.max(cover.qualified_on)));
        })
    }

    pub(super) fn kind(self, kind: &str) -> Self {
        self.with(|cover| cover.card_kind = CardKind::parse(kind))
    }

    pub(super) fn copay(self, percent: u8) -> Self {
        self.with(|cover| cover.copay_percent = Some(percent))
    }

    pub(super) fn dependent_of(self, insured: &str) -> Self {
        self.with(|cover| {
            cover.relationship = Some(Relationship::Dependent);
            cover.insured_name = Some(insured.into());
        })
    }

    pub(super) fn elderly(self, validity: Validity, copay: u8) -> Self {
        let issued_on = validity.from.map(|from| from.plus(-14));
        let certificate = ElderlyCertificate { validity, copay_percent: Some(copay), issued_on };
        self.with(|cover| cover.elderly.push(certificate))
    }

    pub(super) fn limit(self, kind: LimitKind, category: &str, validity: Validity) -> Self {
        let (category, issued_on) = (LimitCategory::parse(category), validity.from);
        let certificate = LimitCertificate { kind, category, validity, long_term_on: None, issued_on };
        self.with(|cover| cover.limit_certificates.push(certificate))
    }

    pub(super) fn disease(self, category: SpecificDisease, from: Day, self_pay_yen: u32) -> Self {
        self.with(|cover| {
            cover.specific_diseases.push(SpecificDiseaseCertificate {
                category,
                validity: Validity { from: Some(from), through: None },
                self_pay_yen: Some(self_pay_yen),
                issued_on: Some(from),
            });
        })
    }
}
