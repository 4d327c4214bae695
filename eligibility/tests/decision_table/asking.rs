//! Short words for persons and questions, so that a line of the table stays a line.

use eligibility::code::Restriction;
use eligibility::coverage::{
    Coverage, ElderlyCertificate, LimitCertificate, Member, Membership, Person, Restrictions,
    SpecificDiseaseCertificate, Subsidy, Validity,
};
use eligibility::day::{Day, Timestamp};
use eligibility::decision::{Asked, By, Eligibility, Found, Reach, Reason, Shown, decide};
use eligibility::feed::Source;
use eligibility::number::{Branch, CityCode, InsurerNumber, LinkNumber};
use eligibility::query::{Consent, NumberQuery};

pub(super) const TODAY: &str = "07-01";
pub(super) const BORN: &str = "1980-02-03";

/// A health insurance society, asked unless a line says otherwise.
pub(super) const KENPO: &str = "06132013";
pub(super) const KYOKAI: &str = "01130012";
pub(super) const KOKUHO: &str = "138057";
/// 後期: no symbol, no branch.
pub(super) const KOUKI: &str = "39131156";

pub(super) fn day(text: &str) -> Day {
    let text = if text.len() == 5 { format!("2026-{text}") } else { text.to_owned() };
    Day::parse(&text).expect("a day")
}

pub(super) fn insurer(number: &str) -> InsurerNumber {
    InsurerNumber::parse(number).expect("an insurer")
}

pub(super) fn source(name: &str) -> Source {
    Source::parse(name).expect("a source")
}

pub(super) fn validity(from: &str, through: &str) -> Validity {
    let side = |text: &str| (!text.is_empty()).then(|| day(text));
    Validity { from: side(from), through: side(through) }
}

/// Coverage 12-34/`number` from this day.
pub(super) fn from(qualified_on: &str) -> Cover {
    Cover(Coverage {
        symbol: "１２－３４".into(),
        number: "567".into(),
        branch: None,
        relationship: None,
        card_kind: None,
        insured_name: None,
        qualified_on: day(qualified_on),
        disqualified_on: None,
        loss_reason: None,
        validity: Validity::default(),
        copay_percent: None,
        preschool: None,
        issued_on: None,
        elderly: Vec::new(),
        limit_certificates: Vec::new(),
        specific_diseases: Vec::new(),
    })
}

#[derive(Clone)]
pub(super) struct Cover(Coverage);

impl Cover {
    pub(super) fn lost(mut self, on: &str) -> Self {
        self.0.disqualified_on = Some(day(on));
        self
    }

    pub(super) fn valid(mut self, from: &str, through: &str) -> Self {
        self.0.validity = validity(from, through);
        self
    }

    pub(super) fn symbol(mut self, symbol: &str) -> Self {
        self.0.symbol = symbol.into();
        self
    }

    pub(super) fn number(mut self, number: &str) -> Self {
        self.0.number = number.into();
        self
    }

    pub(super) fn branch(mut self, branch: &str) -> Self {
        self.0.branch = Branch::parse(branch).ok();
        self
    }

    pub(super) fn elderly(mut self, from: &str, through: &str, copay_percent: u8) -> Self {
        let certificate = ElderlyCertificate {
            validity: validity(from, through),
            copay_percent: Some(copay_percent),
            issued_on: None,
        };
        self.0.elderly.push(certificate);
        self
    }

    pub(super) fn limit(mut self, from: &str, through: &str, category: &str) -> Self {
        let certificate = LimitCertificate {
            kind: eligibility::code::LimitKind::Limit,
            category: eligibility::code::LimitCategory::parse(category),
            validity: validity(from, through),
            long_term_on: None,
            issued_on: None,
        };
        self.0.limit_certificates.push(certificate);
        self
    }

    pub(super) fn disease(mut self, from: &str, through: &str, self_pay_yen: u32) -> Self {
        let certificate = SpecificDiseaseCertificate {
            category: eligibility::code::SpecificDisease::Dialysis,
            validity: validity(from, through),
            self_pay_yen: Some(self_pay_yen),
            issued_on: None,
        };
        self.0.specific_diseases.push(certificate);
        self
    }
}

#[derive(Clone)]
pub(super) struct Who(Person);

/// A person of whom nothing is said.
pub(super) fn nobody_yet() -> Who {
    Who(Person::new(LinkNumber::from_value(3_050_012_345_678_901).expect("sixteen digits")))
}

/// A person with these coverages at KENPO.
pub(super) fn insured<const N: usize>(coverages: [Cover; N]) -> Who {
    nobody_yet().with(KENPO, coverages)
}

impl Who {
    pub(super) fn with<const N: usize>(mut self, at: &str, coverages: [Cover; N]) -> Self {
        self.0.membership_mut(insurer(at)).member = Some(Member {
            name: "見本　一郎".into(),
            name_kana: None,
            alias: None,
            alias_kana: None,
            sex: eligibility::code::Sex::Male,
            sex_on_back: None,
            birth_date: day(BORN),
            postal_code: Some("100-0001".into()),
            address: Some("見本市一丁目".into()),
            restrictions: Restrictions::NONE,
            coverages: coverages.into_iter().map(|cover| cover.0).collect(),
        });
        self
    }

    pub(super) fn member(&mut self, at: &str) -> &mut Member {
        self.0.membership_mut(insurer(at)).member.as_mut().expect("fed")
    }

    pub(super) fn born(mut self, at: &str, on: &str) -> Self {
        self.member(at).birth_date = day(on);
        self
    }

    pub(super) fn restricted(mut self, at: &str, restriction: Restriction) -> Self {
        let member = self.member(at);
        member.restrictions = member.restrictions.with(restriction);
        self
    }

    pub(super) fn closed(self, at: &str) -> Self {
        self.restricted(at, Restriction::Closed)
    }

    pub(super) fn unusable(self, at: &str) -> Self {
        self.restricted(at, Restriction::CardUnusable)
    }

    /// A restriction that a record in quarantine asks for.
    pub(super) fn pending(mut self, at: &str, restriction: Restriction) -> Self {
        let membership: &mut Membership = self.0.membership_mut(insurer(at));
        membership.pending = membership.pending.with(restriction);
        self
    }

    pub(super) fn withdrawn(mut self, at: &str) -> Self {
        self.0.membership_mut(insurer(at)).member = None;
        self
    }

    pub(super) fn subsidy(mut self, periods: &[(&str, &str)]) -> Self {
        let subsidies = periods.iter().map(|(from, through)| Subsidy {
            payer_number: "88130018".into(),
            recipient_number: "1234566".into(),
            scheme: "child".into(),
            copay_percent: Some(0),
            validity: validity(from, through),
            note: None,
        });
        self.0.subsidies.push((CityCode::parse("131016").expect("a city"), subsidies.collect()));
        self
    }
}

/// A question, and what we know of the sources.
pub(super) struct Question {
    pub(super) query: Option<NumberQuery>,
    pub(super) date: Day,
    pub(super) consent: Consent,
    pub(super) sees_newer: bool,
    pub(super) doubts: Vec<(Source, Reason)>,
}

pub(super) fn by_card(date: &str) -> Question {
    let consent = Consent::default();
    Question { query: None, date: day(date), consent, sees_newer: false, doubts: Vec::new() }
}

/// Asks for 12-34/567 of KENPO.
pub(super) fn by_number(date: &str) -> Question {
    asking(date, KENPO, "12-34", "567", None)
}

pub(super) fn asking(
    date: &str,
    insurer: &str,
    symbol: &str,
    number: &str,
    branch: Option<&str>,
) -> Question {
    let json = serde_json::json!({
        "insurer_number": insurer, "symbol": symbol, "number": number, "branch": branch, "birth_date": BORN,
    });
    let query = NumberQuery::from_json(json.to_string().as_bytes()).expect("a question");
    Question { query: Some(query), ..by_card(date) }
}

impl Question {
    pub(super) fn branch(mut self, branch: &str) -> Self {
        self.query.as_mut().expect("a number query").branch = Branch::parse(branch).ok();
        self
    }

    pub(super) fn born(mut self, on: &str) -> Self {
        self.query.as_mut().expect("a number query").birth_date = day(on);
        self
    }

    pub(super) fn review(mut self) -> Self {
        self.sees_newer = true;
        self
    }

    pub(super) fn doubting(mut self, name: &str, why: Reason) -> Self {
        self.doubts.push((source(name), why));
        self
    }

    pub(super) fn consenting(mut self) -> Self {
        self.consent = Consent { limit_certificate: true, specific_disease: true, subsidies: true };
        self
    }

    pub(super) fn decide<'p>(&self, found: Found<&'p Person>) -> Eligibility<'p> {
        let asked = Asked {
            by: self.query.as_ref().map_or(By::Card, By::Number),
            date: self.date,
            today: day(TODAY),
            consent: self.consent,
            sees_newer: self.sees_newer,
        };
        let doubt = |source| self.doubts.iter().find(|(of, _)| *of == source).map(|(_, why)| *why);
        decide(found, &asked, &|source| Reach { as_of: Some(clock(source)), doubt: doubt(source) })
    }

    /// Asks about one person: the card's, or the one that the numbers may fit.
    pub(super) fn about<'p>(&self, who: &'p Who) -> Eligibility<'p> {
        self.decide(Found::One(&who.0))
    }

    /// Asks by number among several persons: those fit of whom a coverage is asked.
    pub(super) fn among(&self, people: &[&Who]) -> String {
        let query = self.query.as_ref().expect("a number query");
        let fits = |person: &Person| {
            let insurer = query.key.insurer();
            let member = person.membership(insurer).and_then(|entry| entry.member.as_ref());
            member.is_some_and(|member| query.asked(insurer, member).next().is_some())
        };
        let fitting: Vec<_> = people.iter().map(|who| &who.0).filter(|person| fits(person)).collect();
        said(&self.decide(match fitting.as_slice() {
            [] => Found::Nobody,
            [one] => Found::One(*one),
            _ => Found::Several,
        }))
    }
}

/// A time of its own for each source.
pub(super) fn clock(source: Source) -> Timestamp {
    Timestamp::from_millis(match source {
        Source::Insurer(number) => i64::from(number.value()),
        Source::Portal => 1,
        _ => 2,
    })
}

pub(super) fn said(eligibility: &Eligibility<'_>) -> String {
    let one = |shown: &Shown<'_>| {
        let insurer = match shown.insurer.to_string().as_str() {
            KENPO => "kenpo",
            KYOKAI => "kyokai",
            KOKUHO => "kokuho",
            _ => "kouki",
        };
        let ended = shown.ended_by.map(|by| format!(" {}", by.word())).unwrap_or_default();
        let starts = shown.starts_on.map(|day| format!(" starts {}", &day.to_string()[5..]));
        format!("{insurer}/{}{ended}{}", shown.coverage.number, starts.unwrap_or_default())
    };
    let all = |shown: &[Shown<'_>]| shown.iter().map(one).collect::<Vec<_>>().join(", ");
    let mut text = eligibility.status.word().to_owned();
    if let Some(reason) = eligibility.reason {
        text += &format!(" {}", reason.word());
    }
    if !eligibility.coverages.is_empty() {
        text += &format!(": {}", all(&eligibility.coverages));
    }
    if let Some(newer) = &eligibility.newer {
        text += &format!("; newer {}", all(newer));
    }
    text
}
