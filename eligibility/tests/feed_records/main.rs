//! Feed records as JSON: the documented examples here, each refusal by field in `refusals.rs`, what is
//! still seen of a broken line in `broken.rs`. The way there and back stands in `feed_round_trip.rs`,
//! 個人番号 in `my_number_refusal.rs`, numbers by themselves in `numbers.rs`.

mod broken;
mod refusals;

use eligibility::code::{
    CardKind, LimitCategory, LimitKind, Relationship, Restriction, Sex, SpecificDisease,
};
use eligibility::coverage::{Member, Restrictions, Validity};
use eligibility::day::{Day, Timestamp};
use eligibility::feed::{Glimpse, Kind, Record, Said, Source, Subject};
use eligibility::number::{Branch, CityCode, InsurerNumber, LinkNumber, Serial};
use serde_json::Value;

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
