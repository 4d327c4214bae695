//! A thousand questions, each asked on every wire.

use eligibility::day::Day;
use gateway::wire::xml::{self, Charset};
use std::collections::BTreeMap;

use crate::facts::assert_same;
use crate::inside::{Inside, Sheet};

/// Every question of the nation, its birth date or its day wrong now and then.
fn sheets(inside: &Inside) -> impl Iterator<Item = Sheet> + '_ {
    let today = inside.now.day_in_japan();
    let questions = (0..).map_while(|index| inside.population.person(index)).flat_map(|person| {
        let questions: Vec<_> = person.questions().collect();
        questions
    });
    questions.enumerate().map(move |(at, mut question)| {
        if at % 11 == 3 {
            question.birth_date = question.birth_date.plus(1);
        }
        let date = match at % 5 {
            1 => today.plus(-700),
            2 => Day::parse("2001-02-03").unwrap(),
            3 => today.plus(60),
            _ => today,
        };
        Sheet { question, date, wants_limit: at % 3 != 0 }
    })
}

#[test]
fn a_thousand_questions_have_the_same_answer_on_every_wire() {
    let inside = Inside::new(900);
    let mut statuses = BTreeMap::new();
    let mut shown = BTreeMap::new();
    for sheet in sheets(&inside).take(1000) {
        let json = inside.by_json(&sheet);
        let octets = inside.by_xml(&sheet, Charset::Utf8);
        let (text, _) = xml::decode(&octets, None).unwrap();
        let utf8 = xml::from_xml(&text).unwrap();
        let octets = inside.by_twin(&sheet);
        let twin_text = std::str::from_utf8(&octets).unwrap();
        let twin = xml::from_json(twin_text).unwrap();
        let fhir = inside.by_fhir(&sheet);
        assert_same(&json, &[("XML", &utf8), ("twin", &twin)], &fhir);
        // Shift_JIS says the same, but for characters that it lacks.
        let octets = inside.by_xml(&sheet, Charset::ShiftJis);
        let (sjis, charset) = xml::decode(&octets, None).unwrap();
        assert_eq!(charset, Charset::ShiftJis);
        let again = Charset::ShiftJis.encode(
            text.replace("UTF-8", "Shift_JIS")
                .replace("<CharacterCodeIdentifier>0", "<CharacterCodeIdentifier>1"),
        );
        assert_eq!(xml::decode(&again, None).unwrap().0, sjis);
        *statuses.entry(json["status"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        for field in ["elderly", "limit_certificate", "alias", "insured_name", "disqualified_on", "branch"] {
            if !json["coverages"][0][field].is_null() {
                *shown.entry(field).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(statuses.values().sum::<i32>(), 1000, "{statuses:?}");
    for status in ["valid", "invalid", "not_found"] {
        assert!(statuses.contains_key(status), "{status} did not come up: {statuses:?}");
    }
    assert!(shown.len() >= 4, "too little was shown: {shown:?}");
}
