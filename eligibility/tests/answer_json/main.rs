//! The answer as JSON, key by key; the advice that goes with every outcome in `advised.rs`.
//!
//! What is decided stands in `decision_table`.

mod advised;

use eligibility::answer::{Answer, Card, CardState, Occasion, Proof, Revocation, RevocationSource};
use eligibility::code::{CardKind, LimitCategory, LimitKind, LossReason, Relationship, Sex, SpecificDisease};
use eligibility::coverage::{
    Coverage, ElderlyCertificate, LimitCertificate, Member, Restrictions, SpecificDiseaseCertificate,
    Subsidy, Validity,
};
use eligibility::day::{Day, Timestamp};
use eligibility::decision::{Eligibility, EndedBy, Reason, Shown, Status};
use eligibility::number::{Branch, InsurerNumber};
use eligibility::query::Consent;
use serde_json::Value;

fn day(text: &str) -> Day {
    Day::parse(text).expect("a day")
}

fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("an instant")
}

fn insurer() -> InsurerNumber {
    InsurerNumber::parse("06132013").expect("an insurer")
}

fn since(from: &str) -> Validity {
    Validity { from: Some(day(from)), through: None }
}

/// A member with everything that may be null left out.
fn bare_member() -> Member {
    Member {
        name: "見本　花子".into(),
        name_kana: None,
        alias: None,
        alias_kana: None,
        sex: Sex::Unknown,
        sex_on_back: None,
        birth_date: day("1980-02-03"),
        postal_code: None,
        address: None,
        restrictions: Restrictions::NONE,
        coverages: Vec::new(),
    }
}

fn bare_coverage() -> Coverage {
    Coverage {
        symbol: "".into(),
        number: "567".into(),
        branch: None,
        relationship: None,
        card_kind: None,
        insured_name: None,
        qualified_on: day("2024-04-01"),
        disqualified_on: None,
        loss_reason: None,
        validity: Validity::default(),
        copay_percent: None,
        preschool: None,
        issued_on: None,
        elderly: Vec::new(),
        limit_certificates: Vec::new(),
        specific_diseases: Vec::new(),
    }
}

/// The documented example's member and coverage.
fn member() -> Member {
    Member {
        name_kana: Some("ミホン　ハナコ".into()),
        sex: Sex::Male,
        postal_code: Some("100-0001".into()),
        address: Some("見本市一丁目".into()),
        ..bare_member()
    }
}

fn coverage() -> Coverage {
    Coverage {
        symbol: "１２－３４".into(),
        branch: Branch::from_value(1),
        relationship: Some(Relationship::Insured),
        card_kind: CardKind::parse("01"),
        validity: since("2024-04-01"),
        copay_percent: Some(30),
        ..bare_coverage()
    }
}

fn shown<'p>(member: &'p Member, coverage: &'p Coverage) -> Shown<'p> {
    Shown {
        insurer: insurer(),
        member,
        coverage,
        hides_address: false,
        ended_by: None,
        starts_on: None,
        elderly: None,
        limit_certificate: None,
        specific_diseases: Vec::new(),
        subsidies: None,
        as_of: Some(instant("2026-11-21T08:41:00+09:00")),
    }
}

fn eligibility<'p>(status: Status, coverages: Vec<Shown<'p>>) -> Eligibility<'p> {
    Eligibility {
        looks_mistyped: false,
        status,
        reason: None,
        date: day("2026-11-21"),
        coverages,
        newer: None,
        consent: Consent::default(),
        as_of: Some(instant("2026-11-21T08:41:00+09:00")),
    }
}

fn card() -> Card {
    let as_of = instant("2026-11-21T04:00:00+09:00");
    Card {
        state: CardState::Good,
        proof: Proof::Signature,
        not_after: day("2030-02-17"),
        days_left: 1184,
        usable_through: day("2030-05-31"),
        eligibility_only: false,
        revocation: Revocation { source: RevocationSource::Crl, as_of, stale: false },
    }
}

fn written(eligibility: &Eligibility<'_>, card: Option<Card>) -> String {
    let occasion = Occasion {
        reference: card.map(|_| "A-17"),
        card,
        generation: 18231,
        answered_at: instant("2026-11-21T09:02:11.120+09:00"),
        known_at: None,
    };
    let answer =
        Answer::of(eligibility, occasion, &|number| (number == insurer()).then_some("見本健康保険組合"));
    let mut buffer = b"\n".to_vec();
    answer.write_to(&mut buffer);
    // It appends, and reads back equal.
    assert_eq!(buffer.first(), Some(&b'\n'));
    assert!(Answer::from_json(&buffer).expect("an answer") == answer);
    String::from_utf8(buffer).expect("UTF-8").trim_start().to_owned()
}

const HEAD: &str = concat!(
    r#"{"status":"valid","code":1,"date":"2026-11-21","reference":"A-17","#,
    r#""card":{"state":"good","proof":"signature","not_after":"2030-02-17","days_left":1184,"#,
    r#""usable_through":"2030-05-31","eligibility_only":false,"#,
    r#""revocation":{"source":"crl","as_of":"2026-11-21T04:00:00+09:00","stale":false}},"#,
);
const COVERAGE: &str = concat!(
    r#"{"insurer_number":"06132013","insurer_name":"見本健康保険組合","symbol":"１２－３４","number":"567","#,
    r#""branch":"01","relationship":"insured","card_kind":"01","name":"見本　花子","#,
    r#""name_kana":"ミホン　ハナコ","alias":null,"alias_kana":null,"sex":"male","sex_on_back":null,"#,
    r#""birth_date":"1980-02-03","postal_code":"100-0001","address":"見本市一丁目","insured_name":null,"#,
    r#""qualified_on":"2024-04-01","disqualified_on":null,"loss_reason":null,"valid_from":"2024-04-01","#,
    r#""valid_through":null,"issued_on":null,"copay_percent":30,"preschool":null,"elderly":null,"#,
    r#""limit_certificate":null,"specific_diseases":[],"subsidies":null,"as_of":"2026-11-21T08:41:00+09:00"}"#,
);
const TAIL: &str = concat!(
    r#""newer":null,"consent":{"limit_certificate":false,"specific_disease":false,"subsidies":false},"#,
    r#""reason":null,"as_of":"2026-11-21T08:41:00+09:00","generation":18231,"#,
    r#""answered_at":"2026-11-21T09:02:11.120+09:00","#,
    r#""advice":{"desk":"資格は有効です。","vendor":null}}"#,
);

#[test]
fn the_documented_answer_is_written_to_the_letter() {
    let (member, coverage) = (member(), coverage());
    let json = written(&eligibility(Status::Valid, vec![shown(&member, &coverage)]), Some(card()));
    assert_eq!(json, format!("{HEAD}\"coverages\":[{COVERAGE}],{TAIL}"));
}

/// The keys of an object, in the order written.
fn keys(json: &str) -> Vec<String> {
    struct Keys(Vec<String>);
    struct Look;
    impl<'de> serde::de::Visitor<'de> for Look {
        type Value = Keys;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut fields: A) -> Result<Keys, A::Error> {
            let mut keys = Vec::new();
            while let Some((key, _)) = fields.next_entry::<String, serde::de::IgnoredAny>()? {
                keys.push(key);
            }
            Ok(Keys(keys))
        }
    }
    impl<'de> serde::Deserialize<'de> for Keys {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(Look)
        }
    }
    serde_json::from_str::<Keys>(json).expect("an object").0
}

#[test]
fn what_is_absent_is_null_and_no_key_goes_missing() {
    let (member, coverage) = (bare_member(), bare_coverage());
    let bare = Shown { as_of: None, ..shown(&member, &coverage) };
    let json = written(&Eligibility { as_of: None, ..eligibility(Status::Valid, vec![bare]) }, None);
    let start = json.find("\"coverages\":[").expect("coverages") + "\"coverages\":[".len();
    let end = json.find("],\"newer\"").expect("newer");
    assert_eq!(keys(&json[start..end]), keys(COVERAGE));
    // The card alone is left out, and only where there is none.
    let with_card = keys(&format!("{HEAD}{TAIL}"));
    let mut without = with_card.clone();
    without.retain(|key| key != "card");
    without.insert(4, "coverages".to_owned());
    assert_eq!(keys(&json), without);
    let value: Value = serde_json::from_str(&json).expect("JSON");
    let kept = ["insurer_number", "insurer_name", "symbol", "number", "name", "sex", "birth_date"];
    for (key, value) in value["coverages"][0].as_object().expect("a coverage") {
        let is_said = kept.contains(&key.as_str()) || key == "qualified_on" || key == "specific_diseases";
        assert_eq!(value.is_null(), !is_said, "{key}");
    }
    assert!(value["reference"].is_null() && value["as_of"].is_null());
}

#[test]
fn certificates_and_subsidies_are_written_with_all_their_keys() {
    let (member, coverage) = (member(), coverage());
    let validity = Validity { from: Some(day("2024-04-01")), through: Some(day("2024-07-31")) };
    let elderly = ElderlyCertificate { validity, copay_percent: Some(20), issued_on: None };
    let limit = LimitCertificate {
        kind: LimitKind::LimitAndReduction,
        category: LimitCategory::parse("A05"),
        validity,
        long_term_on: Some(day("2024-05-01")),
        issued_on: None,
    };
    let disease = SpecificDiseaseCertificate {
        category: SpecificDisease::Dialysis,
        validity,
        self_pay_yen: Some(10_000),
        issued_on: Some(day("2024-03-20")),
    };
    let subsidy = Subsidy {
        payer_number: "88130018".into(),
        recipient_number: "1234566".into(),
        scheme: "child".into(),
        copay_percent: Some(0),
        validity,
        note: None,
    };
    let full = Shown {
        elderly: Some(&elderly),
        limit_certificate: Some(&limit),
        specific_diseases: vec![&disease],
        subsidies: Some(vec![&subsidy]),
        ..shown(&member, &coverage)
    };
    let json = written(&eligibility(Status::Valid, vec![full]), None);
    let dates = r#""valid_from":"2024-04-01","valid_through":"2024-07-31""#;
    for part in [
        format!(r#""elderly":{{{dates},"copay_percent":20,"issued_on":null}},"#),
        format!(
            r#""limit_certificate":{{"kind":"02","category":"A05",{dates},"long_term_on":"2024-05-01","issued_on":null}},"#
        ),
        format!(
            r#""specific_diseases":[{{"category":"1",{dates},"self_pay_yen":10000,"issued_on":"2024-03-20"}}],"#
        ),
        format!(
            r#""subsidies":[{{"payer_number":"88130018","recipient_number":"1234566","scheme":"child","copay_percent":0,{dates},"note":null}}],"#
        ),
    ] {
        assert!(json.contains(&part), "{part}\n{json}");
    }
    let none = Shown { subsidies: Some(Vec::new()), ..shown(&member, &coverage) };
    assert!(written(&eligibility(Status::Valid, vec![none]), None).contains(r#""subsidies":[],"#));
}

#[test]
fn a_hidden_address_is_null_with_its_postal_code() {
    let (member, coverage) = (member(), coverage());
    let hidden = Shown { hides_address: true, ..shown(&member, &coverage) };
    let newer = Some(vec![hidden.clone()]);
    let json = written(&Eligibility { newer, ..eligibility(Status::InvalidNewer, vec![hidden]) }, None);
    assert_eq!(json.matches(r#""postal_code":null,"address":null,"#).count(), 2);
    assert!(!json.contains("見本市") && !json.contains("100-0001"));
}

#[test]
fn negative_answers_say_what_ended_or_when_it_starts() {
    let (member, coverage) = (member(), coverage());
    let ended = Shown { ended_by: Some(EndedBy::Loss), ..shown(&member, &coverage) };
    let json = written(&eligibility(Status::Invalid, vec![ended]), None);
    assert!(
        json.contains(r#""as_of":"2026-11-21T08:41:00+09:00","ended_by":"loss"}],"newer":null"#),
        "{json}"
    );
    let starts = Shown { starts_on: Some(day("2027-04-01")), ..shown(&member, &coverage) };
    let json = written(&eligibility(Status::Invalid, vec![starts]), None);
    assert!(json.contains(r#""as_of":"2026-11-21T08:41:00+09:00","starts_on":"2027-04-01"}],"#), "{json}");
    let newer = Some(Vec::new());
    let json = written(&Eligibility { newer, ..eligibility(Status::InvalidNewer, Vec::new()) }, None);
    assert!(json.starts_with(r#"{"status":"invalid_newer","code":3,"#) && json.contains(r#""newer":[],"#));
}

#[test]
fn each_status_has_its_word_and_code() {
    let table = [
        (Status::Valid, "valid", "1"),
        (Status::Invalid, "invalid", "2"),
        (Status::InvalidNewer, "invalid_newer", "3"),
        (Status::NotFound, "not_found", "4"),
        (Status::Multiple, "multiple", "5"),
        (Status::Withheld, "withheld", "null"),
        (Status::NotLinked, "not_linked", "null"),
        (Status::Unconfirmed, "unconfirmed", "null"),
    ];
    assert_eq!(table.map(|(status, ..)| status).as_slice(), Status::ALL);
    for (status, word, code) in table {
        let json = written(&eligibility(status, Vec::new()), None);
        assert!(json.starts_with(&format!(r#"{{"status":"{word}","code":{code},"date":"#)), "{json}");
    }
    let reasons = ["closed", "card_unusable", "stale", "held_back", "never_fed", "person_not_fed"];
    assert_eq!(Reason::ALL.iter().map(|reason| reason.word()).collect::<Vec<_>>(), reasons);
    for (reason, word) in Reason::ALL.iter().zip(reasons) {
        let reason = Some(*reason);
        let json = written(&Eligibility { reason, ..eligibility(Status::Unconfirmed, Vec::new()) }, None);
        assert!(json.contains(&format!(r#""reason":"{word}","as_of""#)), "{json}");
    }
}

#[test]
fn fields_added_later_are_ignored_by_readers() {
    let (member, coverage) = (member(), coverage());
    let json = written(&eligibility(Status::Valid, vec![shown(&member, &coverage)]), Some(card()));
    let grown = json.replace("{\"", "{\"added\":{\"since\":[1]},\"");
    let (old, new) = (Answer::from_json(json.as_bytes()), Answer::from_json(grown.as_bytes()));
    assert!(old.expect("an answer") == new.expect("an answer"));
}

#[test]
fn nothing_of_the_person_is_printed() {
    let (member, mut coverage) = (member(), coverage());
    coverage.specific_diseases.push(SpecificDiseaseCertificate {
        category: SpecificDisease::Hiv,
        validity: since("2024-04-01"),
        self_pay_yen: Some(10_000),
        issued_on: None,
    });
    let subsidy = Subsidy {
        payer_number: "88130018".into(),
        recipient_number: "1234566".into(),
        scheme: "child".into(),
        copay_percent: None,
        validity: Validity::default(),
        note: None,
    };
    let full = Shown {
        specific_diseases: coverage.specific_diseases.iter().collect(),
        subsidies: Some(vec![&subsidy]),
        ..shown(&member, &coverage)
    };
    let decided = eligibility(Status::Valid, vec![full]);
    let occasion = Occasion {
        reference: Some("A-17"),
        card: None,
        generation: 1,
        answered_at: instant("2026-11-21T00:00:00Z"),
        known_at: None,
    };
    let answer = Answer::of(&decided, occasion, &|_| None);
    let printed = format!("{decided:?} {answer:?} {occasion:?} {:?} {coverage:?}", answer.coverages);
    for secret in ["見本", "ミホン", "567", "1980", "100-0001", "Hiv", "88130018", "1234566", "A-17", "１２"]
    {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}
