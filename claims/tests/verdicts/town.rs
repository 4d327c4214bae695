//! A handful of invented people and claims, written in few words.

use std::collections::BTreeMap;

use claims::{
    Agency, Caller, Claim, DaysSource, Judge, Month, Outcome, People, PointTable, Remarks, Terms, VisitDays,
    Written, WrittenInsurer,
};
use eligibility::code::{CardKind, LossReason, Restriction, Sex};
use eligibility::coverage::{
    Coverage, ElderlyCertificate, Member, Membership, Person, Restrictions, Validity,
};
use eligibility::day::{Day, Timestamp};
use eligibility::decision::{Reach, Reason};
use eligibility::number::{Branch, InsurerNumber, LinkNumber, check_digit};
use eligibility::query::NumberQuery;

/// The insurers by a letter: A and C 健保, B 国保, E 後期, F 船員, G 日雇, H 自衛官.
pub(crate) fn insurer(letter: &str) -> InsurerNumber {
    let body: u64 = match letter {
        "A" => 613_201,
        "B" => 13_805,
        "C" => 3_312_001,
        "E" => 3_913_100,
        "F" => 213_000,
        "G" => 313_000,
        "H" => 713_000,
        other => panic!("no insurer {other}"),
    };
    InsurerNumber::from_value((body * 10 + check_digit(body)) as u32).unwrap()
}

fn letter(number: &str) -> &'static str {
    let letters = ["A", "B", "C", "E", "F", "G", "H"];
    letters.into_iter().find(|letter| insurer(letter).to_string() == number).unwrap()
}

pub(crate) fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

/// A coverage in words: letter, days as `2020-04-01..2026-06-16` (資格喪失日), then any of `death`,
/// `other`, `to2026-06-15` (有効終了日), `copay20`, `elderly20from2026-06-16`, `branch02`, `number8`, `kind07`.
fn coverage(words: &[&str]) -> Coverage {
    let (from, loss) = words[1].split_once("..").unwrap();
    let mut coverage = Coverage {
        symbol: "1".into(),
        number: "7".into(),
        branch: Some(Branch::from_value(1).unwrap()),
        relationship: None,
        card_kind: None,
        insured_name: None,
        qualified_on: day(from),
        disqualified_on: (!loss.is_empty()).then(|| day(loss)),
        loss_reason: None,
        validity: Validity::default(),
        copay_percent: Some(30),
        preschool: None,
        issued_on: None,
        elderly: Vec::new(),
        limit_certificates: Vec::new(),
        specific_diseases: Vec::new(),
    };
    for word in &words[2..] {
        if let Some(percent) = word.strip_prefix("copay") {
            coverage.copay_percent = percent.parse().ok();
        } else if let Some(elderly) = word.strip_prefix("elderly") {
            let (percent, from) = elderly.split_once("from").unwrap();
            coverage.elderly.push(ElderlyCertificate {
                validity: Validity { from: Some(day(from)), through: None },
                copay_percent: percent.parse().ok(),
                issued_on: None,
            });
        } else if let Some(branch) = word.strip_prefix("branch") {
            coverage.branch = Branch::parse(branch).ok();
        } else if let Some(number) = word.strip_prefix("number") {
            coverage.number = number.into();
        } else if let Some(kind) = word.strip_prefix("kind") {
            coverage.card_kind = CardKind::parse(kind);
        } else if let Some(through) = word.strip_prefix("to") {
            coverage.validity.through = Some(day(through));
        } else {
            coverage.loss_reason = Some(match *word {
                "death" => LossReason::Death,
                "other" => LossReason::OtherInsurance,
                unknown => panic!("no word {unknown}"),
            });
        }
    }
    coverage
}

/// A person: coverages in words, one after the other with commas; `closed` closes that insurer.
pub(crate) fn person(words: &str) -> Person {
    let mut person = Person::new(LinkNumber::from_value(3_050_012_345_678_901).unwrap());
    for part in words.split(", ").filter(|part| !part.is_empty()) {
        let (closed, words): (Vec<&str>, Vec<&str>) =
            part.split_whitespace().partition(|word| *word == "closed");
        let membership: &mut Membership = person.membership_mut(insurer(words[0]));
        let member = membership.member.get_or_insert_with(|| Member {
            name: "架空　太郎".into(),
            name_kana: None,
            alias: None,
            alias_kana: None,
            sex: Sex::Unknown,
            sex_on_back: None,
            birth_date: day("1950-02-03"),
            postal_code: None,
            address: None,
            restrictions: Restrictions::NONE,
            coverages: Vec::new(),
        });
        if !closed.is_empty() {
            member.restrictions = member.restrictions.with(Restriction::Closed);
        }
        member.coverages.push(coverage(&words));
    }
    person
}

/// A claim of June 2026 in words: letter of the insurer, visit days, then any of `month` (days
/// unknown), `KO`, `MF`, `disease`, `x28` (特記事項), `branch01`, `number8`, `born1980-01-01`, `payer2`, `-` (公費単独).
pub(crate) fn claim(words: &str) -> Claim {
    let month = Month::parse(b"202606").unwrap();
    let mut claim = Claim {
        line: 2,
        number: Some(1),
        table: PointTable::Medical,
        institution: eligibility::number::InstitutionCode::parse("1312345679").ok(),
        agency: Some(Agency::Fund),
        written: None,
        days: VisitDays::in_month(month),
        points: 100,
        subsidies: 0,
        limited: false,
        remarks: Remarks::default(),
        specific_disease: false,
        confirmation_line: Some(4),
        warnings: Vec::new(),
    };
    let mut days = Vec::new();
    let mut written = Written {
        insurer: WrittenInsurer::Unknown(77_777_777),
        symbol: "１".into(),
        number: "７".into(),
        branch: None,
        birth_date: day("1950-02-03"),
    };
    for (at, word) in words.split_whitespace().enumerate() {
        match word {
            "-" | "month" => {}
            "KO" => claim.subsidies += 1,
            "MF" => claim.limited = true,
            "disease" => claim.specific_disease = true,
            "77777777" | "77777779" => written.insurer = WrittenInsurer::Unknown(word.parse().unwrap()),
            "mistyped" => written.insurer = WrittenInsurer::Mistyped(6_132_014),
            _ if at == 0 => written.insurer = WrittenInsurer::Number(insurer(word)),
            _ if word.starts_with('x') => claim.remarks = claim.remarks.with(word[1..].parse().unwrap()),
            _ if word.starts_with("branch") => written.branch = Branch::parse(&word[6..]).ok(),
            _ if word.starts_with("number") => written.number = word[6..].into(),
            _ if word.starts_with("born") => written.birth_date = day(&word[4..]),
            _ if word.starts_with("payer") => claim.agency = Agency::from_code(word[5..].parse().unwrap()),
            _ => days.push(month.first().plus(word.parse::<i32>().unwrap() - 1)),
        }
    }
    if !days.is_empty() {
        claim.days = VisitDays::exactly(month, days, DaysSource::Jd);
    }
    claim.written = (!words.starts_with('-')).then_some(written);
    claim
}

/// People, and the insurers that are in doubt.
#[derive(Default)]
pub(crate) struct Town {
    pub(crate) people: Vec<Person>,
    pub(crate) doubt: BTreeMap<InsurerNumber, Reason>,
}

impl Town {
    pub(crate) fn of(people: &[&str]) -> Self {
        Self { people: people.iter().map(|words| person(words)).collect(), doubt: BTreeMap::new() }
    }
}

pub(crate) const AS_OF: i64 = 1_782_000_000_000;

impl<'t> People for &'t Town {
    type Text = Box<str>;
    type Person = &'t Person;

    fn fitting(&self, _: &NumberQuery, found: &mut Vec<&'t Person>) {
        found.extend(&self.people);
    }

    fn reach(&self, insurer: InsurerNumber) -> Reach {
        let as_of = Some(Timestamp::from_millis(AS_OF + i64::from(insurer.value())));
        Reach { as_of, doubt: self.doubt.get(&insurer).copied() }
    }
}

pub(crate) fn judged(town: &Town, words: &str, caller: Caller<'_>, today: &str) -> Outcome {
    let terms = Terms { caller, today: day(today), known_at: None };
    Judge::new(&town, terms).judge_claim(&claim(words))
}

/// A result in one line: verdict, rule, 確認区分, what is suggested, whose the days are, the right payer.
pub(crate) fn shown(outcome: &Outcome) -> String {
    let mut text = outcome.verdict.word().to_owned();
    text += &outcome.rule.map_or(String::new(), |rule| format!(" {}", rule.word()));
    text += &outcome.code.map_or(String::new(), |code| format!(" {}", code.word()));
    text += &outcome.suggested.map_or(String::new(), |suggested| format!(" suggests {}", suggested.word()));
    text += &outcome.branch.map_or(String::new(), |branch| format!(" branch {}", branch.0));
    for days in &outcome.days {
        let insurer = days.coverage.and_then(|at| outcome.coverages.get(at));
        let whose = insurer.map_or("?", |coverage| letter(&coverage.insurer_number));
        let whose = if days.holder == claims::Holder::Nobody { "nobody" } else { whose };
        let dates: Vec<String> = days.dates.iter().map(|day| day.ymd().2.to_string()).collect();
        let dates = if dates.len() > 8 { format!("{}d", dates.len()) } else { dates.join(" ") };
        text += &format!(" | {whose}{} {dates}", if days.known { "" } else { "?" });
    }
    text += &outcome.payer.right.map_or(String::new(), |right| format!(" => {right}"));
    text
}
