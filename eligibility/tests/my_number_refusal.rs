//! A 個人番号 is refused in every text of every record and question that is read.
//!
//! The places are found by walking examples in which every field is set, so that a field added
//! later is covered once it stands in its example.

use eligibility::feed::Record;
use eligibility::my_number::check_digit;
use eligibility::query::{CardQuery, NumberQuery};
use eligibility::wire::Fault;
use serde_json::{Value, json};

/// Eleven digits and their check digit.
const BODY: [u8; 11] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1];

fn disguises() -> Vec<String> {
    let digits: String =
        BODY.iter().chain([&check_digit(&BODY)]).map(|digit| char::from(b'0' + digit)).collect();
    let wide = |text: &str| -> String {
        let wide = |c: char| char::from_u32(c as u32 - '0' as u32 + '０' as u32).unwrap_or(c);
        text.chars().map(|c| if c.is_ascii_digit() { wide(c) } else { c }).collect()
    };
    let grouped = |by: &str| [&digits[..4], &digits[4..8], &digits[8..]].join(by);
    vec![
        digits.clone(),
        wide(&digits),
        grouped("-"),
        grouped(" "),
        grouped("　"),
        wide(&grouped("－")),
        format!("様{digits}"),
        format!("備考：{} 以上", wide(&grouped("‐"))),
    ]
}

fn records() -> Vec<Value> {
    let head = |mut record: Value, source: &str, kind: &str| {
        record["source"] = source.into();
        record["kind"] = kind.into();
        record["sequence"] = 1.into();
        record["recorded_at"] = "2024-04-03T10:00:00+09:00".into();
        record
    };
    let member = json!({
        "link_number": "3050012345678901", "name": "見本", "name_kana": "ミホン", "alias": "別名",
        "alias_kana": "ベツメイ", "sex": "male", "sex_on_back": "unknown", "birth_date": "1980-02-03",
        "postal_code": "100-0001", "address": "見本市", "restrictions": ["hide_address", "closed"],
        "coverages": [{
            "symbol": "12-34", "number": "567", "branch": "01", "relationship": "dependent", "card_kind": "01",
            "insured_name": "見本", "qualified_on": "2024-04-01", "disqualified_on": "2025-04-01",
            "loss_reason": "03", "valid_from": "2024-04-01", "valid_through": "2025-03-31",
            "issued_on": "2024-04-01",
            "elderly": [{
                "valid_from": "2024-04-01", "valid_through": "2025-03-31", "issued_on": "2024-04-01",
            }],
            "limit_certificates": [{
                "kind": "01", "category": "A03", "valid_from": "2024-04-01", "valid_through": "2025-03-31",
                "long_term_on": "2024-04-01", "issued_on": "2024-04-01",
            }],
            "specific_diseases": [{
                "category": "1", "valid_from": "2024-04-01", "valid_through": "2025-03-31",
                "issued_on": "2024-04-01",
            }],
        }],
    });
    let mut unrestricted = member.clone();
    unrestricted["restrictions"] = json!([]);
    let link = json!({"serial": "114390001", "link_number": "3050012345678901"});
    let renewal = json!({"serial": "114390002", "previous_serial": "114390001"});
    let subsidy = json!({
        "link_number": "3050012345678901",
        "subsidies": [{
            "payer_number": "88130018", "recipient_number": "1234566", "scheme": "child",
            "valid_from": "2024-04-01", "valid_through": "2025-03-31", "note": "なし",
        }],
    });
    vec![
        head(member, "06132013", "member"),
        head(unrestricted, "06132013", "member"),
        head(link, "portal", "link"),
        head(renewal, "jlis", "renewal"),
        head(subsidy, "city-131016", "subsidy"),
        head(json!({"complete_to": "2024-04-03T12:00:00+09:00"}), "06132013", "mark"),
        head(json!({"of": "06132013", "name": "1042"}), "gateway", "dismissal"),
    ]
}

fn number_query() -> Value {
    json!({
        "insurer_number": "06132013", "symbol": "12-34", "number": "567", "branch": "01",
        "birth_date": "1980-02-03", "known_at": "2024-04-03T10:00:00+09:00", "date": "2024-04-03",
        "institution": "1312345679", "reference": "A-17",
    })
}

fn card_query() -> Value {
    json!({
        "certificate": "MII=", "challenge": "abc", "signature": "xyz=", "identity_check": "pin",
        "date": "2024-04-03", "institution": "1312345679", "reference": "A-17",
    })
}

/// Calls with every copy of `message` in which one string is replaced, or one added to a list of strings.
fn planted(message: &Value, text: &str, each: &mut dyn FnMut(&str, &Value)) {
    let mut places = Vec::new();
    walk(message, String::new(), &mut places);
    assert!(!places.is_empty());
    for place in places {
        let mut copy = message.clone();
        match copy.pointer_mut(&place) {
            Some(Value::Array(list)) => list.push(text.into()),
            Some(value) => *value = text.into(),
            None => unreachable!("{place}"),
        }
        each(&place, &copy);
    }
}

fn walk(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::String(_) => places.push(place),
        Value::Array(list) => {
            if list.iter().all(Value::is_string) {
                places.push(place.clone());
            }
            list.iter().enumerate().for_each(|(at, value)| walk(value, format!("{place}/{at}"), places));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| walk(value, format!("{place}/{name}"), places));
        }
        _ => {}
    }
}

/// Holds that the message is refused for the 個人番号 at its place, in words without its digits.
fn refused(read: Result<(), Fault>, place: &str, text: &str) {
    let fault = read.expect_err(place);
    assert_eq!(fault.code(), "my_number_refused", "{place}");
    let named = fault.place().unwrap_or_default();
    let dotted = format!("/{}", named.replace(['.', '['], "/").replace(']', ""));
    assert!(dotted.starts_with(place), "{named} is not {place}");
    let words = format!("{fault:?}");
    for digits in ["1234", "１２３４", text] {
        assert!(!words.contains(digits), "{place}");
    }
}

#[test]
fn in_every_text_of_every_record() {
    for record in records() {
        Record::from_json(record.to_string().as_bytes()).expect("an example");
        for text in disguises() {
            planted(&record, &text, &mut |place, copy| {
                let line = copy.to_string();
                refused(Record::from_json(line.as_bytes()).map(drop), place, &text);
                let escaped = line.replace(&text, &escaped(&text));
                refused(Record::from_json(escaped.as_bytes()).map(drop), place, &text);
            });
        }
    }
}

/// The text as JSON escapes alone.
fn escaped(text: &str) -> String {
    text.chars().map(|c| format!("\\u{:04x}", c as u32)).collect()
}

#[test]
fn in_every_text_of_every_number_question() {
    NumberQuery::from_json(number_query().to_string().as_bytes()).expect("an example");
    for text in disguises() {
        planted(&number_query(), &text, &mut |place, copy| {
            refused(NumberQuery::from_json(copy.to_string().as_bytes()).map(drop), place, &text);
        });
    }
}

#[test]
fn in_every_text_of_a_card_question_but_the_opaque_ones() {
    CardQuery::from_json(card_query().to_string().as_bytes()).map(drop).expect("an example");
    for text in disguises() {
        planted(&card_query(), &text, &mut |place, copy| {
            let json = copy.to_string();
            let read = CardQuery::from_json(json.as_bytes()).map(drop);
            if matches!(place, "/certificate" | "/challenge" | "/signature") {
                assert_eq!(read, Ok(()), "{place}");
            } else {
                refused(read, place, &text);
            }
        });
    }
}

#[test]
fn in_a_field_s_name_and_where_no_text_belongs() {
    for text in disguises() {
        let mut record = records()[0].clone();
        record[&text] = 1.into();
        let fault = Record::from_json(record.to_string().as_bytes()).unwrap_err();
        assert_eq!((fault.code(), fault.place()), ("my_number_refused", None), "{text}");
        for field in ["sequence", "epoch", "resolves", "deleted"] {
            let mut record = records()[0].clone();
            record[field] = text.clone().into();
            let fault = Record::from_json(record.to_string().as_bytes()).unwrap_err();
            assert_eq!(fault.place(), Some(field));
            assert!(!format!("{fault:?}").contains(&text));
        }
    }
}

#[test]
fn twelve_digits_without_the_check_digit_pass() {
    let number = |text: &str| {
        let mut query = number_query();
        query["number"] = text.into();
        NumberQuery::from_json(query.to_string().as_bytes()).map(drop)
    };
    let right = check_digit(&BODY);
    for last in (0..10).filter(|last| *last != right) {
        assert_eq!(number(&format!("12345678901{last}")), Ok(()));
    }
    assert_eq!(number(&format!("12345678901{right}0")), Ok(()));
    assert!(number(&format!("12345678901{right}")).is_err());
}
