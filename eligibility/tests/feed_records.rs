//! Feed records as JSON: the documented examples, each refusal by field, and what is still seen of a
//! broken line. The way there and back stands in `feed_round_trip.rs`, 個人番号 in
//! `my_number_refusal.rs`, numbers by themselves in `numbers.rs`.

use eligibility::code::{
    CardKind, LimitCategory, LimitKind, Relationship, Restriction, Sex, SpecificDisease,
};
use eligibility::coverage::{Member, Restrictions, Validity};
use eligibility::day::{Day, Timestamp};
use eligibility::feed::{Glimpse, Kind, Record, Said, Source, Subject};
use eligibility::number::{Branch, CityCode, InsurerNumber, LinkNumber, Serial};
use serde_json::{Value, json};

const MEMBER: &str = r#"{"source":"06132013","sequence":1042,"kind":"member","link_number":"3050012345678901","recorded_at":"2024-04-03T10:00:00+09:00","name":"見本　花子","name_kana":"ミホン　ハナコ","sex":"female","birth_date":"1980-02-03","postal_code":"100-0001","address":"見本市一丁目２－３","restrictions":[],"coverages":[{"symbol":"１２－３４","number":"567","branch":"01","relationship":"insured","card_kind":"01","insured_name":null,"qualified_on":"2024-04-01","disqualified_on":null,"loss_reason":null,"valid_from":"2024-04-01","valid_through":null,"copay_percent":30,"elderly":[{"valid_from":"2024-04-01","valid_through":"2024-07-31","copay_percent":20}],"limit_certificates":[{"kind":"01","category":"A03","valid_from":"2024-04-01","valid_through":"2024-07-31","long_term_on":null}],"specific_diseases":[{"category":"1","valid_from":"2024-04-01","valid_through":"2024-07-31","self_pay_yen":10000}]}]}"#;
const LINK: &str = r#"{"source":"portal","sequence":7,"kind":"link","serial":"114390001","link_number":"3050012345678901","recorded_at":"2024-04-03T10:00:00+09:00"}"#;
const RENEWAL: &str =
    r#"{"source":"jlis","sequence":8,"kind":"renewal","serial":"114390002","previous_serial":"114390001"}"#;
const SUBSIDY: &str = r#"{"source":"city-131016","sequence":3,"kind":"subsidy","link_number":"3050012345678901","recorded_at":"2024-04-03T10:00:00+09:00","subsidies":[{"payer_number":"88130018","recipient_number":"1234566","scheme":"child","copay_percent":0,"valid_from":"2024-04-01","valid_through":"2025-03-31","note":"窓口負担なし"}]}"#;
const MARK: &str =
    r#"{"source":"06132013","sequence":1043,"kind":"mark","complete_to":"2024-04-03T12:00:00+09:00"}"#;

fn read(json: &str) -> Record {
    Record::from_json(json.as_bytes()).unwrap_or_else(|fault| unreachable!("{fault:?} in {json}"))
}

fn day(text: &str) -> Day {
    Day::parse(text).expect("a day")
}

fn member_of(record: &Record) -> &Member {
    match &record.said {
        Said::Member { member: Some(member), .. } => member,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn the_member_example_reads() {
    let record = read(MEMBER);
    assert_eq!(record.source, Source::Insurer(InsurerNumber::parse("06132013").unwrap()));
    assert_eq!((record.sequence, record.epoch, record.resolves.len()), (1042, 1, 0));
    assert_eq!(record.recorded_at, Timestamp::parse("2024-04-03T01:00:00Z"));
    let member = member_of(&record);
    assert_eq!((&*member.name, member.name_kana.as_deref()), ("見本　花子", Some("ミホン　ハナコ")));
    assert_eq!((member.sex, member.birth_date), (Sex::Female, day("1980-02-03")));
    assert_eq!(member.postal_code.as_deref(), Some("100-0001"));
    assert_eq!(member.restrictions, Restrictions::NONE);
    assert_eq!((&member.alias, &member.alias_kana, member.sex_on_back), (&None, &None, None));
    let [coverage] = member.coverages.as_slice() else { unreachable!() };
    assert_eq!((&*coverage.symbol, &*coverage.number), ("１２－３４", "567"));
    assert_eq!(coverage.branch, Branch::from_value(1));
    assert_eq!(coverage.relationship, Some(Relationship::Insured));
    assert_eq!(coverage.card_kind, CardKind::parse("01"));
    assert_eq!((coverage.qualified_on, coverage.disqualified_on), (day("2024-04-01"), None));
    assert_eq!(coverage.validity, Validity { from: Some(day("2024-04-01")), through: None });
    assert_eq!((coverage.copay_percent, coverage.preschool, coverage.issued_on), (Some(30), None, None));
    assert_eq!(coverage.elderly[0].copay_percent, Some(20));
    assert_eq!(coverage.limit_certificates[0].kind, LimitKind::Limit);
    assert_eq!(coverage.limit_certificates[0].category, LimitCategory::parse("A03"));
    assert_eq!(coverage.specific_diseases[0].category, SpecificDisease::Dialysis);
    assert_eq!(coverage.specific_diseases[0].self_pay_yen, Some(10_000));
}

#[test]
fn the_other_examples_read() {
    let link_number = LinkNumber::parse("3050012345678901").unwrap();
    let serial = |text| Serial::parse(text).unwrap();
    let link = read(LINK);
    assert_eq!(link.source, Source::Portal);
    assert_eq!(link.said, Said::Link { serial: serial("114390001"), link_number: Some(link_number) });
    let renewal = read(RENEWAL);
    assert_eq!(renewal.source, Source::Jlis);
    let (new, old) = (serial("114390002"), serial("114390001"));
    assert_eq!(renewal.said, Said::Renewal { serial: new, previous_serial: old });
    let subsidy = read(SUBSIDY);
    assert_eq!(subsidy.source, Source::City(CityCode::parse("131016").unwrap()));
    let Said::Subsidy { subsidies: Some(subsidies), .. } = &subsidy.said else { unreachable!() };
    assert_eq!((&*subsidies[0].scheme, subsidies[0].copay_percent), ("child", Some(0)));
    assert_eq!(subsidies[0].note.as_deref(), Some("窓口負担なし"));
    let complete_to = Timestamp::parse("2024-04-03T12:00:00+09:00").unwrap();
    assert_eq!(read(MARK).said, Said::Mark { complete_to, records: None });
}

#[test]
fn what_may_be_left_out_is_none_and_so_is_null_and_empty() {
    let bare = r#"{"source":"138057","sequence":1,"kind":"member","link_number":"3050012345678901","name":"見本","sex":"unknown","birth_date":"1980-02-03","coverages":[{"number":"1","qualified_on":"2024-04-01"}]}"#;
    let mut nulls: Value = serde_json::from_str(bare).unwrap();
    for field in ["recorded_at", "name_kana", "alias", "alias_kana", "sex_on_back", "postal_code", "address"]
    {
        nulls[field] = Value::Null;
    }
    for field in ["symbol", "branch", "relationship", "card_kind", "insured_name", "disqualified_on"] {
        nulls["coverages"][0][field] = Value::Null;
    }
    for field in ["loss_reason", "valid_from", "valid_through", "copay_percent", "preschool", "issued_on"] {
        nulls["coverages"][0][field] = Value::Null;
    }
    assert_eq!(read(&nulls.to_string()), read(bare));
    for field in ["name_kana", "alias", "alias_kana", "postal_code", "address"] {
        nulls[field] = "".into();
    }
    for field in ["symbol", "branch", "insured_name"] {
        nulls["coverages"][0][field] = "".into();
    }
    assert_eq!(read(&nulls.to_string()), read(bare));
    assert_eq!(member_of(&read(bare)).coverages[0].symbol, "".into());
}

#[test]
fn a_word_can_be_withdrawn() {
    let withdrawn = |json: &str| {
        let mut json: Value = serde_json::from_str(json).unwrap();
        json["deleted"] = true.into();
        read(&json.to_string()).said
    };
    assert!(matches!(withdrawn(MEMBER), Said::Member { member: None, .. }));
    assert!(matches!(withdrawn(SUBSIDY), Said::Subsidy { subsidies: None, .. }));
    assert!(matches!(withdrawn(LINK), Said::Link { link_number: None, .. }));
    let short = r#"{"source":"portal","sequence":7,"kind":"link","serial":"114390001","deleted":true}"#;
    assert_eq!(withdrawn(LINK), read(short).said);
    let short = r#"{"source":"06132013","sequence":7,"kind":"member","link_number":"3050012345678901","deleted":true}"#;
    assert_eq!(withdrawn(MEMBER), read(short).said);
}

#[test]
fn half_width_kana_is_kept_full_width() {
    let mut json: Value = serde_json::from_str(MEMBER).unwrap();
    json["name_kana"] = "ﾐﾎﾝ ﾊﾞｰﾊﾞﾗ".into();
    json["alias_kana"] = "ﾊﾟﾋﾟｳﾞｧｰｼﾞﾆｱ･ﾔﾖ".into();
    let record = read(&json.to_string());
    assert_eq!(member_of(&record).name_kana.as_deref(), Some("ミホン バーバラ"));
    assert_eq!(member_of(&record).alias_kana.as_deref(), Some("パピヴァージニア・ヤヨ"));
    // Symbols, numbers and names stay as the insurer writes them.
    json["name"] = "ﾊﾅｺ".into();
    json["coverages"][0]["symbol"] = "ｱ-1".into();
    let record = read(&json.to_string());
    assert_eq!(&*member_of(&record).name, "ﾊﾅｺ");
    assert_eq!(&*member_of(&record).coverages[0].symbol, "ｱ-1");
}

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

#[test]
fn a_broken_line_is_still_seen() {
    let person = Some(Subject::Person(LinkNumber::parse("3050012345678901").unwrap()));
    let closed = Restrictions::NONE.with(Restriction::Closed);
    let both = closed.with(Restriction::HideAddress);
    let glimpse = |line: &str| {
        assert!(Record::from_json(line.as_bytes()).is_err(), "{line}");
        Glimpse::of(line.as_bytes())
    };
    let broken = MEMBER
        .replace("1980-02-03", "1980-02-30")
        .replace("\"restrictions\":[]", "\"epoch\":2,\"restrictions\":[\"closed\"]");
    let seen = glimpse(&broken);
    assert_eq!(seen.source, Source::parse("06132013"));
    assert_eq!((seen.sequence, seen.epoch, seen.kind), (Some(1042), Some(2), Some(Kind::Member)));
    assert_eq!((seen.subject, seen.protect), (person, closed));
    let cases = [
        // The readable restrictions of a list count, whatever else stands in it.
        ("\"restrictions\":[]", "\"restrictions\":[\"hide_address\",7,\"x\",\"closed\"]", both),
        (
            "\"restrictions\":[]",
            "\"x\":{\"restrictions\":[\"hide_address\"]},\"restrictions\":[\"closed\"]",
            closed,
        ),
        ("\"restrictions\":[]", "\"restrictions\":\"closed\"", Restrictions::NONE),
        ("\"name\":\"見本　花子\"", "\"name\":\"123456789018\"", Restrictions::NONE),
    ];
    for (from, to, protect) in cases {
        let seen = glimpse(&MEMBER.replace(from, to));
        assert_eq!((seen.sequence, seen.subject, seen.protect), (Some(1042), person, protect), "{to}");
    }
    assert_eq!(glimpse(&MEMBER.replace("3050012345678901", "305")).subject, None);
    assert_eq!(glimpse(&MEMBER.replace("1042", "0")).sequence, None);
    assert_eq!(glimpse(&MEMBER.replace("1042", "\"1042\"")).sequence, None);
    assert_eq!(glimpse(&MEMBER.replace("06132013", "06132014")).source, None);
    assert_eq!(glimpse(&MEMBER.replace("\"member\"", "\"person\"")).subject, person);
    assert_eq!(Glimpse::of(&MEMBER.as_bytes()[..MEMBER.len() - 1]), Glimpse::default());
    assert_eq!(Glimpse::of(b"[1042]"), Glimpse::default());
    let card = Some(Subject::Card(Serial::parse("114390001").unwrap()));
    assert_eq!(glimpse(&LINK.replace("3050012345678901", "1")).subject, card);
    assert_eq!(glimpse(&RENEWAL.replace("114390001", "-")).kind, Some(Kind::Renewal));
}

#[test]
fn a_broken_line_in_another_encoding_is_still_seen() {
    let json =
        MEMBER.replace("見本　花子", "@").replace("\"restrictions\":[]", "\"restrictions\":[\"closed\"]");
    // 見本 in CP932.
    let name = [0x8C, 0xA9, 0x96, 0x7B];
    let line: Vec<u8> =
        json.bytes().flat_map(|octet| if octet == b'@' { name.to_vec() } else { vec![octet] }).collect();
    assert!(Record::from_json(&line).is_err());
    let seen = Glimpse::of(&line);
    assert_eq!(seen.sequence, Some(1042));
    assert!(seen.protect.has(Restriction::Closed) && seen.subject.is_some());
}

#[test]
fn wrong_check_digits_of_subsidies_and_late_elderly_are_accepted_with_a_warning() {
    let warned = |json: &str| -> Vec<String> {
        let warnings = Record::from_json(json.as_bytes()).unwrap().warnings();
        warnings.iter().map(|fault| format!("{} {}", fault.code(), fault.place().unwrap())).collect()
    };
    let subsidy = r#"{"source":"city-131016","sequence":3,"kind":"subsidy","link_number":"3050012345678901","subsidies":[{"payer_number":"88130018","recipient_number":"1234566","scheme":"child"}]}"#;
    assert_eq!(warned(subsidy), ["check_digit subsidies[0].payer_number"; 0]);
    assert_eq!(warned(&subsidy.replace("88130018", "88130017")), ["check_digit subsidies[0].payer_number"]);
    assert_eq!(warned(&subsidy.replace("1234566", "1234567")), ["check_digit subsidies[0].recipient_number"]);
    let elderly = r#"{"source":"39131156","sequence":3,"kind":"member","link_number":"3050012345678901","name":"見本","sex":"male","birth_date":"1940-01-01","coverages":[{"number":"01234567","qualified_on":"2020-01-01"}]}"#;
    assert_eq!(warned(elderly), ["check_digit coverages[0].number"]);
    assert_eq!(warned(&elderly.replace("01234567", "01234566")), ["check_digit coverages[0].number"; 0]);
}
