//! What is still seen of a broken line, and what is accepted with a warning.

use super::*;

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
