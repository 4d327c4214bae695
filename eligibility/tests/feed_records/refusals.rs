//! Each refusal of a record, by its code and field.

use eligibility::feed::Record;
use serde_json::{Value, json};

use super::*;

/// The fault's code and field after the value at this place is replaced, or removed by [`GONE`].
fn refusal(base: &str, place: &str, value: &Value) -> (String, String) {
    let mut json: Value = serde_json::from_str(base).expect("an example");
    let (parent, name) = place.rsplit_once('/').expect("a place");
    let parent = json.pointer_mut(parent).expect("a place in the example");
    match (parent, value) {
        (Value::Object(fields), Value::String(gone)) if gone == GONE => {
            assert!(fields.remove(name).is_some(), "nothing at {place}");
        }
        (Value::Object(fields), value) => drop(fields.insert(name.to_owned(), value.clone())),
        (parent, value) => parent[name.parse::<usize>().expect("an index")] = value.clone(),
    }
    match Record::from_json(json.to_string().as_bytes()) {
        Err(fault) => (fault.code().to_owned(), fault.place().unwrap_or_default().to_owned()),
        Ok(_) => ("accepted".to_owned(), format!("{place} = {value}")),
    }
}

const GONE: &str = "(removed)";

fn refusals(base: &str, table: &[(&str, Value, &str, &str)]) {
    for (place, value, code, field) in table {
        assert_eq!(
            refusal(base, place, value),
            ((*code).to_owned(), (*field).to_owned()),
            "{place} = {value}"
        );
    }
}

#[test]
fn heads_are_refused_by_field() {
    for base in [MEMBER, LINK, RENEWAL, SUBSIDY, MARK] {
        refusals(
            base,
            &[
                ("/source", json!(GONE), "missing_field", "source"),
                ("/source", json!("06132014"), "unknown_value", "source"),
                ("/source", json!("00138057"), "unknown_value", "source"),
                ("/source", json!("city-13101"), "unknown_value", "source"),
                ("/source", json!(6_132_013), "invalid_field", "source"),
                ("/sequence", json!(GONE), "missing_field", "sequence"),
                ("/sequence", json!(0), "out_of_range", "sequence"),
                ("/sequence", json!(9_223_372_036_854_775_808_u64), "out_of_range", "sequence"),
                ("/sequence", json!(-1), "invalid_field", "sequence"),
                ("/sequence", json!(1.5), "invalid_field", "sequence"),
                ("/sequence", json!("7"), "invalid_field", "sequence"),
                ("/epoch", json!(0), "out_of_range", "epoch"),
                ("/epoch", json!(4_294_967_296_u64), "invalid_field", "epoch"),
                ("/kind", json!(GONE), "missing_field", "kind"),
                ("/kind", json!("person"), "unknown_value", "kind"),
                ("/kind", json!("MEMBER"), "unknown_value", "kind"),
                ("/kind", Value::Null, "invalid_field", "kind"),
                ("/recorded_at", json!("2024-04-03"), "invalid_field", "recorded_at"),
                ("/recorded_at", json!("2024-04-03T10:00:00"), "invalid_field", "recorded_at"),
                ("/resolves", json!(1041), "invalid_field", "resolves"),
                ("/resolves", json!(["1041"]), "invalid_field", "resolves[0]"),
                ("/comment", json!("x"), "unknown_field", "comment"),
            ],
        );
    }
}

#[test]
fn a_kind_is_refused_from_a_source_that_does_not_own_it() {
    let owners = [(MEMBER, "06132013"), (LINK, "portal"), (RENEWAL, "jlis"), (SUBSIDY, "city-131016")];
    for (base, owner) in owners {
        for (_, other) in owners.iter().filter(|(_, other)| *other != owner) {
            let refused = refusal(base, "/source", &json!(other));
            assert_eq!(refused, ("unknown_value".to_owned(), "kind".to_owned()), "{other}: {base}");
        }
    }
    for (_, source) in owners {
        let mark = MARK.replace("06132013", source);
        assert_eq!(read(&mark).source.to_string(), source);
    }
    let dismissal = r#"{"source":"gateway","sequence":1,"kind":"dismissal","of":"06132013","name":"1042"}"#;
    assert_eq!(read(dismissal).said.kind(), Kind::Dismissal);
    refusals(
        dismissal,
        &[
            ("/source", json!("06132013"), "unknown_value", "kind"),
            ("/source", json!("portal"), "unknown_value", "kind"),
            ("/of", json!("gateway"), "unknown_value", "of"),
            ("/of", json!("nobody"), "unknown_value", "of"),
            ("/name", json!(GONE), "missing_field", "name"),
        ],
    );
    let own_link = LINK.replace("portal", "gateway");
    assert_eq!(read(&own_link).source, Source::Gateway);
}

#[test]
fn members_are_refused_by_field() {
    let long = "字".repeat(101);
    refusals(
        MEMBER,
        &[
            ("/link_number", json!(GONE), "missing_field", "link_number"),
            ("/link_number", json!("305001234567890"), "invalid_field", "link_number"),
            ("/link_number", json!("30500123456789012"), "invalid_field", "link_number"),
            ("/link_number", json!("305001234567890x"), "invalid_field", "link_number"),
            ("/link_number", json!("３０５００１２３４５６７８９０１"), "invalid_field", "link_number"),
            ("/name", json!(GONE), "missing_field", "name"),
            ("/name", Value::Null, "missing_field", "name"),
            ("/name", json!(""), "missing_field", "name"),
            ("/name", json!(long), "out_of_range", "name"),
            ("/name", json!("見本\n花子"), "out_of_range", "name"),
            ("/name", json!(["見本"]), "invalid_field", "name"),
            ("/name_kana", json!(long), "out_of_range", "name_kana"),
            ("/alias", json!(5), "invalid_field", "alias"),
            ("/alias_kana", json!("\u{0}"), "out_of_range", "alias_kana"),
            ("/sex", json!(GONE), "missing_field", "sex"),
            ("/sex", json!("1"), "unknown_value", "sex"),
            ("/sex_on_back", json!("other"), "unknown_value", "sex_on_back"),
            ("/birth_date", json!(GONE), "missing_field", "birth_date"),
            ("/birth_date", Value::Null, "missing_field", "birth_date"),
            ("/birth_date", json!("1981-02-29"), "invalid_field", "birth_date"),
            ("/birth_date", json!("19800203"), "invalid_field", "birth_date"),
            ("/birth_date", json!("1849-12-31"), "invalid_field", "birth_date"),
            ("/postal_code", json!("1000-001"), "invalid_field", "postal_code"),
            ("/postal_code", json!("１００－０００１"), "invalid_field", "postal_code"),
            ("/address", json!("字".repeat(201)), "out_of_range", "address"),
            ("/restrictions", json!(["secret"]), "unknown_value", "restrictions[0]"),
            ("/restrictions", json!(["closed", "Closed"]), "unknown_value", "restrictions[1]"),
            ("/restrictions", json!("closed"), "invalid_field", "restrictions"),
            ("/deleted", json!("true"), "invalid_field", "deleted"),
            ("/coverages", json!(GONE), "missing_field", "coverages"),
            ("/coverages", json!({}), "invalid_field", "coverages"),
            ("/coverages", json!(["x"]), "invalid_field", "coverages[0]"),
            ("/subsidies", json!([]), "unknown_field", "subsidies"),
        ],
    );
}

#[test]
fn coverages_are_refused_by_field() {
    let at = |field: &str| format!("coverages[0].{field}");
    let table = [
        ("number", json!(GONE), "missing_field"),
        ("number", json!(""), "invalid_field"),
        ("number", json!(" － "), "invalid_field"),
        ("number", json!("1".repeat(41)), "invalid_field"),
        ("number", json!("1\u{1F}2"), "invalid_field"),
        ("number", json!(567), "invalid_field"),
        ("symbol", json!("字".repeat(41)), "invalid_field"),
        ("symbol", json!("\t"), "invalid_field"),
        ("branch", json!("1"), "invalid_field"),
        ("branch", json!("001"), "invalid_field"),
        ("branch", json!("AB"), "invalid_field"),
        ("branch", json!(1), "invalid_field"),
        ("relationship", json!("self"), "unknown_value"),
        ("card_kind", json!("1"), "unknown_value"),
        ("card_kind", json!("a1"), "unknown_value"),
        ("card_kind", json!("０１"), "unknown_value"),
        ("insured_name", json!("字".repeat(101)), "out_of_range"),
        ("qualified_on", json!(GONE), "missing_field"),
        ("qualified_on", Value::Null, "invalid_field"),
        ("qualified_on", json!("2024-04-31"), "invalid_field"),
        ("qualified_on", json!("2024-4-1"), "invalid_field"),
        ("qualified_on", json!("2200-01-01"), "invalid_field"),
        ("disqualified_on", json!("2023-02-29"), "invalid_field"),
        ("disqualified_on", json!("2024-03-31"), "out_of_range"),
        ("disqualified_on", json!(""), "invalid_field"),
        ("loss_reason", json!("04"), "unknown_value"),
        ("loss_reason", json!("1"), "unknown_value"),
        ("valid_from", json!("2024-13-01"), "invalid_field"),
        ("valid_through", json!("2024-03-31"), "out_of_range"),
        ("copay_percent", json!(101), "out_of_range"),
        ("copay_percent", json!(256), "invalid_field"),
        ("copay_percent", json!("30"), "invalid_field"),
        ("preschool", json!(1), "invalid_field"),
        ("issued_on", json!("2024-02-30"), "invalid_field"),
        ("elderly", Value::Null, "invalid_field"),
        ("copay", json!(30), "unknown_field"),
    ];
    for (field, value, code) in &table {
        refusals(MEMBER, &[(&format!("/coverages/0/{field}"), value.clone(), code, &at(field))]);
    }
}

#[test]
fn certificates_are_refused_by_field() {
    let table = [
        ("elderly", "valid_through", json!("2024-03-31"), "out_of_range"),
        ("elderly", "valid_from", json!("2024-02-30"), "invalid_field"),
        ("elderly", "copay_percent", json!(200), "out_of_range"),
        ("elderly", "issued_on", json!("x"), "invalid_field"),
        ("elderly", "kind", json!("01"), "unknown_field"),
        ("limit_certificates", "kind", json!(GONE), "missing_field"),
        ("limit_certificates", "kind", json!("04"), "unknown_value"),
        ("limit_certificates", "category", json!("A3"), "unknown_value"),
        ("limit_certificates", "category", json!("ア"), "unknown_value"),
        ("limit_certificates", "valid_through", json!("2024-03-31"), "out_of_range"),
        ("limit_certificates", "long_term_on", json!("2024-02-30"), "invalid_field"),
        ("limit_certificates", "copay_percent", json!(30), "unknown_field"),
        ("specific_diseases", "category", json!(GONE), "missing_field"),
        ("specific_diseases", "category", json!("4"), "unknown_value"),
        ("specific_diseases", "valid_through", json!("2024-03-31"), "out_of_range"),
        ("specific_diseases", "self_pay_yen", json!(-1), "invalid_field"),
        ("specific_diseases", "self_pay_yen", json!(4_294_967_296_u64), "invalid_field"),
    ];
    for (list, field, value, code) in &table {
        let place = format!("/coverages/0/{list}/0/{field}");
        refusals(MEMBER, &[(&place, value.clone(), code, &format!("coverages[0].{list}[0].{field}"))]);
    }
}

#[test]
fn links_renewals_subsidies_and_marks_are_refused_by_field() {
    refusals(
        LINK,
        &[
            ("/serial", json!(GONE), "missing_field", "serial"),
            ("/serial", json!("0114390001"), "invalid_field", "serial"),
            ("/serial", json!("6D18006"), "invalid_field", "serial"),
            ("/serial", json!(114_390_001), "invalid_field", "serial"),
            ("/link_number", json!(GONE), "missing_field", "link_number"),
            ("/link_number", json!("1"), "invalid_field", "link_number"),
            ("/name", json!("見本"), "unknown_field", "name"),
        ],
    );
    refusals(
        RENEWAL,
        &[
            ("/serial", json!(""), "invalid_field", "serial"),
            ("/previous_serial", json!(GONE), "missing_field", "previous_serial"),
            ("/previous_serial", json!("-1"), "invalid_field", "previous_serial"),
            ("/link_number", json!("3050012345678901"), "unknown_field", "link_number"),
        ],
    );
    refusals(
        SUBSIDY,
        &[
            ("/link_number", json!("1"), "invalid_field", "link_number"),
            ("/subsidies", json!(GONE), "missing_field", "subsidies"),
            ("/subsidies/0/payer_number", json!("8813001"), "invalid_field", "subsidies[0].payer_number"),
            (
                "/subsidies/0/recipient_number",
                json!("12345667"),
                "invalid_field",
                "subsidies[0].recipient_number",
            ),
            ("/subsidies/0/scheme", json!(GONE), "missing_field", "subsidies[0].scheme"),
            ("/subsidies/0/copay_percent", json!(101), "out_of_range", "subsidies[0].copay_percent"),
            ("/subsidies/0/valid_through", json!("2024-03-31"), "out_of_range", "subsidies[0].valid_through"),
            ("/subsidies/0/note", json!("字".repeat(201)), "out_of_range", "subsidies[0].note"),
            ("/subsidies/0/name", json!("x"), "unknown_field", "subsidies[0].name"),
        ],
    );
    refusals(
        MARK,
        &[
            ("/complete_to", json!(GONE), "missing_field", "complete_to"),
            ("/complete_to", json!("2024-04-03T25:00:00Z"), "invalid_field", "complete_to"),
            ("/records", json!(-1), "invalid_field", "records"),
            ("/link_number", json!("3050012345678901"), "unknown_field", "link_number"),
        ],
    );
    // Only warned about: the check digits of payers and recipients.
    for (from, to) in [("88130018", "88130019"), ("1234566", "1234567")] {
        read(&SUBSIDY.replace(from, to));
    }
}

#[test]
fn too_many_of_anything_are_refused() {
    let many = |value: &Value| Value::Array(vec![value.clone(); 101]);
    let member: Value = serde_json::from_str(MEMBER).unwrap();
    let coverage = &member["coverages"][0];
    refusals(MEMBER, &[("/coverages", many(coverage), "out_of_range", "coverages")]);
    for list in ["elderly", "limit_certificates", "specific_diseases"] {
        let place = format!("/coverages/0/{list}");
        let field = format!("coverages[0].{list}");
        refusals(MEMBER, &[(&place, many(&coverage[list][0]), "out_of_range", &field)]);
    }
    let subsidy: Value = serde_json::from_str(SUBSIDY).unwrap();
    refusals(SUBSIDY, &[("/subsidies", many(&subsidy["subsidies"][0]), "out_of_range", "subsidies")]);
}

#[test]
fn what_is_no_object_is_malformed_at_every_depth() {
    let malformed = |line: &[u8]| match Record::from_json(line) {
        Err(fault) => fault.code() == "malformed",
        Ok(_) => false,
    };
    for line in ["", " ", "null", "7", "\"member\"", "[]", "[\"member\"]", "{", "{\"kind\":\"mark\"}{}"] {
        assert!(malformed(line.as_bytes()), "{line}");
    }
    assert!(malformed(format!("{MARK}x").as_bytes()));
    assert!(malformed(&MARK.as_bytes()[..MARK.len() - 1]));
    assert!(malformed(&MEMBER.replace("見本　花子", "見本\u{1}花子").into_bytes()));
    let mut wrong_encoding = MEMBER.replace("見本　花子", "@").into_bytes();
    let at = wrong_encoding.iter().position(|octet| *octet == b'@').unwrap();
    wrong_encoding[at] = 0x8C;
    assert!(malformed(&wrong_encoding));
    let deep = format!("{{\"kind\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(Record::from_json(deep.as_bytes()).is_err());
    // Fields go by name: a list in their order is no object.
    let positions = [
        ("/coverages/0", json!(["12-34", "567", "01", null, null, null, "2024-04-01"]), "coverages[0]"),
        ("/coverages/0/elderly/0", json!(["2024-04-01"]), "coverages[0].elderly[0]"),
        ("/coverages/0/limit_certificates/0", json!(["01"]), "coverages[0].limit_certificates[0]"),
        ("/coverages/0/specific_diseases/0", json!(["1"]), "coverages[0].specific_diseases[0]"),
    ];
    for (place, list, field) in positions {
        refusals(MEMBER, &[(place, list, "invalid_field", field)]);
    }
    let list = json!(["88130018", "1234566", "child"]);
    refusals(SUBSIDY, &[("/subsidies/0", list, "invalid_field", "subsidies[0]")]);
}

#[test]
fn a_field_given_twice_is_refused() {
    for (json, field) in [
        (MARK.replacen("\"sequence\":1043", "\"sequence\":1043,\"sequence\":1044", 1), "sequence"),
        (MEMBER.replacen("\"name\":", "\"name\":\"x\",\"name\":", 1), "name"),
        (
            MEMBER.replacen("\"restrictions\":[]", "\"restrictions\":[\"closed\"],\"restrictions\":[]", 1),
            "restrictions",
        ),
        (MEMBER.replacen("\"branch\":", "\"branch\":null,\"branch\":", 1), "coverages[0].branch"),
    ] {
        let fault = Record::from_json(json.as_bytes()).unwrap_err();
        assert_eq!((fault.code(), fault.place()), ("invalid_field", Some(field)));
    }
}
