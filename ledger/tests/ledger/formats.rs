//! What is on disk: the first version's file opens for ever, packs give back what was received and
//! nothing else, small batches and large.

use eligibility::coverage::Restrictions;
use eligibility::feed::{Kind, Record, Said};
use ledger::{Batch, Content, LedgerError};
use proptest::prelude::*;
use rusqlite::Connection;

use crate::support::{House, insurer, link, member, open, person};

/// Made by the first version: every kind of record, and refusals with and without a sequence.
const FIRST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ledger-1.sqlite");

/// Accepted and refused rows of each batch, with the refused ones' names and codes.
fn outline(batches: &[Batch]) -> Vec<(usize, Vec<(String, String)>)> {
    let refused = |batch: &Batch| {
        let rows = batch.rows.iter();
        let named = rows.filter_map(|row| match &row.content {
            Content::Refused(refused) => Some((row.name(), refused.code.to_string())),
            Content::Accepted(_) => None,
        });
        named.collect::<Vec<_>>()
    };
    batches.iter().map(|batch| (batch.rows.len(), refused(batch))).collect()
}

#[test]
fn the_first_version_is_read_and_goes_on() {
    let mut house = House::new();
    house.ledger.take().unwrap().close();
    std::fs::remove_file(house.path()).unwrap();
    std::fs::copy(FIRST, house.path()).unwrap();
    house.open();
    let first = house.followed.lock().unwrap().batches.clone();
    let named = |all: &[(&str, &str)]| -> Vec<_> {
        all.iter().map(|(name, code)| ((*name).to_owned(), (*code).to_owned())).collect()
    };
    let of = |code: &str| {
        let rows = first.iter().flat_map(|batch| &batch.rows);
        let row =
            rows.into_iter().find(|row| matches!(&row.content, Content::Refused(one) if &*one.code == code));
        row.unwrap().name()
    };
    let expected = [
        (2, named(&[])),
        (5, named(&[("12", "missing_field"), (&of("malformed"), "malformed"), ("5", "out_of_order")])),
        (1, named(&[])),
        (2, named(&[("4", "no_card")])),
        (2, named(&[(&of("wrong_epoch"), "wrong_epoch")])),
        (1, named(&[])),
        (1, named(&[])),
        (1, named(&[])),
        (0, named(&[])),
        (1, named(&[])),
    ];
    assert_eq!(outline(&first), expected);
    let Content::Accepted(Record { said: Said::Member { member: Some(member), .. }, .. }) =
        &first[1].rows[0].content
    else {
        panic!("{first:?}");
    };
    assert_eq!((&*member.name, member.name_kana.as_deref()), ("見本　太郎", Some("ミホン　タロウ")));
    assert!(member.restrictions != Restrictions::NONE && member.coverages[0].limit_certificates.len() == 1);

    // What it read before is known again, and new batches stand beside the old ones.
    let again = house.feed(insurer(), &["no record".to_owned(), r#"{"source":"06132013","sequence":14,"kind":"member","link_number":"3050012345678901","deleted":true}"#.to_owned()]);
    assert_eq!((again.duplicates, again.generation), (1, 11), "a refused line is of its epoch");
    let lines = [
        r#"{"source":"portal","sequence":8,"kind":"link","serial":"114390009","deleted":true}"#.to_owned(),
        link(9, 77, Some(5)),
    ];
    let portal = house.feed(eligibility::feed::Source::Portal, &lines);
    assert_eq!((portal.duplicates, portal.accepted), (1, 1));
    house.reopen();
    let all = house.followed.lock().unwrap().batches.clone();
    assert_eq!((&all[..10], all.len()), (first.as_slice(), 12));
    let history = house.ledger().history(insurer(), person(3_050_012_345_678_901), 10, 9).unwrap();
    assert_eq!(history.len(), 3);
    let reader = house.ledger().reader().unwrap();
    let acts = |kind| reader.acts(kind, 0, 9).unwrap().iter().map(|batch| batch.position).collect::<Vec<_>>();
    assert_eq!((acts(Kind::List), acts(Kind::Dismissal), acts(Kind::Link)), (vec![8], vec![6], vec![]));
}

#[test]
fn a_fingerprint_is_of_one_ledger_and_one_history() {
    let (one, other) = (House::new(), House::new());
    for house in [&one, &other] {
        house.feed(insurer(), &[member(1, 1, "a", ""), "broken".to_owned()]);
    }
    let of = |house: &House, position| house.ledger().reader().unwrap().fingerprint(position).unwrap();
    assert!(of(&one, 1).is_some() && of(&one, 1) == of(&one, 1));
    assert_ne!(of(&one, 1), of(&other, 1));
    assert_eq!((of(&one, 0), of(&one, 2)), (None, None));
    // The file as it was, and then another history.
    let copy = one.folder.path().join("copy");
    Connection::open(one.path()).unwrap().execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    one.feed(insurer(), &[member(2, 1, "b", "")]);
    let before = of(&one, 2);
    let mut restored = one;
    restored.ledger.take().unwrap().close();
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let _ = std::fs::remove_file(restored.folder.path().join(name));
    }
    std::fs::rename(copy, restored.path()).unwrap();
    restored.open();
    restored.feed(insurer(), &[member(2, 1, "c", "")]);
    assert!(of(&restored, 2).is_some() && of(&restored, 2) != before);
}

#[test]
fn no_octet_of_a_pack_can_change_unseen() {
    let mut house = House::new();
    house.feed(insurer(), &[member(1, 1, "aaaa", ""), "broken".to_owned(), member(2, 2, "b", "")]);
    let whole = house.followed.lock().unwrap().batches.clone();
    house.ledger.take().unwrap().close();
    let connection = Connection::open(house.path()).unwrap();
    for column in ["stubs", "bodies"] {
        let octets: Vec<u8> =
            connection.query_row(&format!("SELECT {column} FROM pack"), [], |row| row.get(0)).unwrap();
        for at in 0..octets.len() {
            let mut other = octets.clone();
            other[at] ^= 1 << (at % 8);
            connection.execute(&format!("UPDATE pack SET {column} = ?1"), [&other]).unwrap();
            let opened = open(&house.path()).unwrap();
            match opened.read(0, 9) {
                Ok(batches) => assert_eq!(batches, whole, "{column} {at}"),
                Err(error) => assert!(matches!(error, LedgerError::Corrupt { position: 1, .. }), "{error}"),
            }
        }
        connection.execute(&format!("UPDATE pack SET {column} = ?1"), [&octets]).unwrap();
    }
}

/// A member line with or without each of its optional fields.
fn line() -> impl Strategy<Value = String> {
    let fields = [
        r#""recorded_at":"2024-04-03T10:00:00+09:00""#,
        r#""resolves":[3,4]"#,
        r#""name_kana":"ミホン　タロウ""#,
        r#""alias":"\u9ad8\u6a4b""#,
        r#""alias_kana":"ﾀｶﾊｼ""#,
        r#""sex_on_back":"female""#,
        r#""postal_code":"1000001""#,
        r#""address":"架空市１－２ "#,
        r#""restrictions":["closed","hide_address"]"#,
    ];
    let coverage = [
        r#""symbol":"１２－３４""#,
        r#""branch":"00""#,
        r#""relationship":"dependent""#,
        r#""card_kind":"05""#,
        r#""insured_name":"見本　一郎""#,
        r#""disqualified_on":"2025-04-01""#,
        r#""loss_reason":"99""#,
        r#""valid_from":"2024-04-01""#,
        r#""valid_through":"2026-03-31""#,
        r#""copay_percent":0"#,
        r#""preschool":false"#,
        r#""issued_on":"2024-04-02""#,
        r#""elderly":[{"valid_from":"2024-04-01","copay_percent":20},{"issued_on":"2024-04-02"}]"#,
        r#""limit_certificates":[{"kind":"01","category":"A03","valid_through":"2025-07-31","long_term_on":"2024-06-01"}]"#,
        r#""specific_diseases":[{"category":"1","valid_from":"2024-04-01","self_pay_yen":10000}]"#,
    ];
    let some = |of: &'static [&'static str]| prop::sample::subsequence(of, 0..=of.len());
    (some(fields.to_vec().leak()), prop::collection::vec(some(coverage.to_vec().leak()), 0..4), "[ァ-ヶ一-龠a-z]{1,9}").prop_map(
        |(fields, coverages, name)| {
            let coverages: Vec<_> = coverages
                .iter()
                .map(|some| {
                    let rest: String = some.iter().map(|field| format!(",{field}")).collect();
                    format!(r#"{{"number":"5","qualified_on":"2024-04-01"{rest}}}"#)
                })
                .collect();
            let fields: String = fields
                .iter()
                .map(|field| if field.ends_with(' ') { format!(",{field}\"") } else { format!(",{field}") })
                .collect();
            format!(
                r#""kind":"member","link_number":"3050012345678901","name":"{name}","sex":"male","birth_date":"1980-02-03","coverages":[{}]{fields}}}"#,
                coverages.join(",")
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn every_record_comes_back(batches in prop::collection::vec(prop::collection::vec(line(), 1..30), 1..4)) {
        let mut house = House::new();
        let mut records = Vec::new();
        for lines in &batches {
            let lines: Vec<_> = (records.len() as u64 + 1..)
                .zip(lines)
                .map(|(sequence, rest)| format!(r#"{{"source":"06132013","sequence":{sequence},{rest}"#))
                .collect();
            records.extend(lines.iter().map(|line| Record::from_json(line.as_bytes()).unwrap()));
            prop_assert_eq!(house.feed(insurer(), &lines).accepted, lines.len() as u64);
        }
        house.reopen();
        let followed = house.followed.lock().unwrap();
        let rows = followed.batches.iter().flat_map(|batch| &batch.rows);
        let read: Vec<_> = rows.map(|row| row.content.clone()).collect();
        let expected: Vec<_> = records.into_iter().map(Content::Accepted).collect();
        prop_assert_eq!(read, expected);
    }
}
