//! The edges of the numbers: what each type reads, how it is written again, what it refuses.

use std::borrow::Cow;

use eligibility::coverage::Written;
use eligibility::day::{Day, Timestamp};
use eligibility::feed::Source;
use eligibility::number::{
    Branch, CityCode, InstitutionCode, InsurerNumber, LinkNumber, NumberError, NumberKey, Serial, check_digit,
};
use eligibility::query::NumberQuery;
use proptest::prelude::*;

fn written<T: ToString>(read: Result<T, NumberError>) -> Result<String, NumberError> {
    read.map(|number| number.to_string())
}

const FORM: Result<&str, NumberError> = Err(NumberError::Form);
const CHECK: Result<&str, NumberError> = Err(NumberError::CheckDigit);

#[test]
fn insurer_numbers() {
    let table = [
        ("06132013", Ok("06132013")),
        ("138057", Ok("138057")),
        ("00138057", Ok("138057")),
        ("  138057", Ok("138057")),
        ("　　138057", Ok("138057")),
        ("138057  ", Ok("138057")),
        ("\t138057", Ok("138057")),
        ("０６１３２０１３", Ok("06132013")),
        ("０６132013", Ok("06132013")),
        ("010017", Ok("010017")),
        ("00010017", Ok("010017")),
        ("06132031", CHECK),
        ("138075", CHECK),
        ("00000000", FORM),
        ("000000", FORM),
        ("0138057", FORM),
        ("6132013", FORM),
        ("006132013", FORM),
        ("061 32013", FORM),
        ("0613201３x", FORM),
        ("+6132013", FORM),
        ("٠٦١٣٢٠١٣", FORM),
        ("〇六一三二〇一三", FORM),
        ("", FORM),
        (" ", FORM),
    ];
    for (text, expected) in table {
        assert_eq!(written(InsurerNumber::parse(text)), expected.map(str::to_owned), "{text:?}");
    }
    for value in [0, 1, 6_132_014, 100_000_000, u32::MAX] {
        assert_eq!(InsurerNumber::from_value(value), None, "{value}");
    }
}

#[test]
fn branches() {
    for (text, expected) in [
        ("00", Ok("00")),
        ("01", Ok("01")),
        ("99", Ok("99")),
        ("０２", Ok("02")),
        (" 03 ", Ok("03")),
        ("1", FORM),
        ("001", FORM),
        ("-1", FORM),
        ("0x", FORM),
        ("", FORM),
        ("  ", FORM),
    ] {
        assert_eq!(written(Branch::parse(text)), expected.map(str::to_owned), "{text:?}");
    }
    assert_eq!(Branch::from_value(100), None);
}

#[test]
fn institution_and_city_codes() {
    for (text, expected) in [
        ("1312345679", Ok("1312345679")),
        ("0110113719", Ok("0110113719")),
        ("１３１２３４５６７９", Ok("1312345679")),
        ("1312345697", CHECK),
        ("131234567", FORM),
        ("13123456790", FORM),
        (" 131234567", FORM),
        ("13-1234567", FORM),
    ] {
        assert_eq!(written(InstitutionCode::parse(text)), expected.map(str::to_owned), "{text:?}");
    }
    for (text, expected) in [
        ("131016", Ok("131016")),
        ("000001", Ok("000001")),
        ("13101", FORM),
        ("1310160", FORM),
        ("13101x", FORM),
        ("１３", FORM),
        ("１３１０１６", FORM),
    ] {
        assert_eq!(written(CityCode::parse(text)), expected.map(str::to_owned), "{text:?}");
    }
}

#[test]
fn link_numbers_and_serials() {
    let link = |text: &str| LinkNumber::parse(text).map(LinkNumber::reveal);
    for text in ["3050012345678901", "0000000000000000", "9999999999999999"] {
        assert_eq!(link(text).as_deref(), Ok(text));
    }
    for text in
        ["", "305001234567890", "30500123456789012", "305001234567890 ", "-050012345678901", "３３３３３1"]
    {
        assert_eq!(link(text).as_deref(), FORM.as_deref(), "{text:?}");
    }
    assert_eq!(LinkNumber::from_value(10_u64.pow(16)), None);
    for text in ["", "00", "01", " 1", "1 ", "+1", "0x1", "1e3", "１"] {
        assert_eq!(Serial::parse(text), Err(NumberError::Form), "{text:?}");
    }
    assert_eq!(Serial::from_be_bytes(&[]), Serial::parse("0").ok());
    assert_eq!(Serial::from_be_bytes(&[1; 21]), None);
    let mut padded = [0; 40];
    padded[39] = 7;
    assert_eq!(Serial::from_be_bytes(&padded), Serial::parse("7").ok());
}

#[test]
fn sources() {
    for text in ["06132013", "138057", "portal", "jlis", "city-131016"] {
        assert_eq!(Source::parse(text).map(|source| source.to_string()).as_deref(), Some(text));
        assert_eq!(Source::from_ledger(text), Source::parse(text));
    }
    for text in [
        "00138057",
        " 138057",
        "０６１３２０１３",
        "06132014",
        "Portal",
        "gateway",
        "city-",
        "city-13101",
        "city-１３",
        "city-131016 ",
        "jlis/",
        "",
    ] {
        assert_eq!(Source::parse(text), None, "{text:?}");
    }
    assert_eq!(Source::from_ledger("gateway"), Some(Source::Gateway));
}

#[test]
fn insurer_numbers_with_right_check_digits() {
    for text in ["33120015", "34130021", "01010016", "01130012", "138057", "83120071"] {
        assert_eq!(InsurerNumber::parse(text).unwrap().to_string(), text);
    }
    for text in ["83136019", "01234567", "138058"] {
        assert_eq!(InsurerNumber::parse(text), Err(NumberError::CheckDigit), "{text}");
    }
    for text in ["", "0", "000000", "00000000", "1380570", "13805", "013805x7", "138-057"] {
        assert_eq!(InsurerNumber::parse(text), Err(NumberError::Form), "{text}");
    }
}

#[test]
fn one_insurer_however_padded() {
    let printed = InsurerNumber::parse("138057").unwrap();
    for text in ["00138057", "  138057", "１３８０５７", "　　138057"] {
        assert_eq!(InsurerNumber::parse(text), Ok(printed), "{text}");
    }
    assert!(printed.is_national());
    assert_eq!(InsurerNumber::from_value(printed.value()), Some(printed));
    assert_eq!(InsurerNumber::parse("01130012").unwrap().scheme(), Some(1));
    assert!(InsurerNumber::parse("39131156").unwrap().is_late_elderly());
}

#[test]
fn institution_codes_check_over_nine_digits() {
    assert!(InstitutionCode::parse("0110113719").is_ok());
    assert!(InstitutionCode::parse("1312345679").is_ok());
    assert_eq!(InstitutionCode::parse("1312345678"), Err(NumberError::CheckDigit));
    assert_eq!(InstitutionCode::parse("131234567"), Err(NumberError::Form));
}

#[test]
fn serials_of_any_length_go_there_and_back() {
    for text in ["0", "1", "114390001", "4294967296", "1461501637330902918203684832716283019655932542975"] {
        let serial = Serial::parse(text).unwrap();
        assert_eq!(serial.reveal(), text);
        assert_eq!(Serial::from_be_bytes(serial.octets()), Some(serial));
    }
    // 2^160 needs 21 octets.
    for text in ["", "01", "-1", "1.0", "１", "1461501637330902918203684832716283019655932542976"] {
        assert!(Serial::parse(text).is_err(), "{text}");
    }
    assert_eq!(
        Serial::from_be_bytes(&[0, 0x6D1, 0].map(|b: u16| b as u8)).map(|s| s.reveal()),
        Serial::parse("53504").ok().map(|s| s.reveal())
    );
}

#[test]
fn personal_numbers_print_redacted() {
    let printed = format!(
        "{:?} {:?} {:?}",
        LinkNumber::parse("3050012345678901").unwrap(),
        Serial::parse("114390001").unwrap(),
        NumberKey::new(InsurerNumber::parse("138057").unwrap(), "12", "567"),
    );
    assert!(!printed.contains("567") && !printed.contains("114"), "{printed}");
}

#[test]
fn keys_meet_across_spellings() {
    let insurer = InsurerNumber::parse("06132013").unwrap();
    let key = |symbol: &str, number: &str| NumberKey::new(insurer, symbol, number);
    assert_eq!(key("１２－３４", "000567"), key("12-34", "５６７"));
    assert_eq!(key("", "0000"), key("", "0"));
    assert_eq!(key("ab", "1"), key("ＡＢ", "1"));
    assert_ne!(key("0012", "1"), key("12", "1"));
    assert_ne!(key("1", "21"), key("12", "1"));
    assert_ne!(key("12-34", "567"), key("1234", "567"));
    let elderly = InsurerNumber::parse("39131156").unwrap();
    assert_eq!(NumberKey::new(elderly, "x", "01234567"), NumberKey::new(elderly, "", "1234567"));
}

/// A text that knows when it is a number.
struct Counted(Box<str>);

impl Written for Counted {
    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }

    fn decimal(&self) -> Option<(u64, usize)> {
        let narrow =
            |c: char| c.to_digit(10).or_else(|| (c as u32).checked_sub('０' as u32).filter(|n| *n < 10));
        let digits: Option<Vec<u32>> = self.0.chars().map(narrow).collect();
        let digits = digits.filter(|digits| !digits.is_empty())?;
        Some((digits.iter().fold(0, |value, digit| value * 10 + u64::from(*digit)), digits.len()))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn one_wrong_digit_never_passes_the_check(body in 0..10_000_000_u64, place in 0..8_u32, by in 1..10_u64) {
        let right = body * 10 + check_digit(body);
        let digit = right / 10_u64.pow(place) % 10;
        let wrong = right - digit * 10_u64.pow(place) + (digit + by) % 10 * 10_u64.pow(place);
        prop_assert_ne!(check_digit(wrong / 10), wrong % 10);
    }

    #[test]
    fn insurer_numbers_read_as_they_are_written(body in 1..10_000_000_u64) {
        let value = (body * 10 + check_digit(body)) as u32;
        let number = InsurerNumber::from_value(value).expect("a right check digit");
        prop_assert_eq!(InsurerNumber::parse(&number.to_string()), Ok(number));
        prop_assert_eq!(InsurerNumber::parse(&format!("{value:08}")), Ok(number));
        prop_assert_eq!(Source::parse(&number.to_string()), Some(Source::Insurer(number)));
    }

    #[test]
    fn serials_are_counted_as_decimals(value in any::<u128>()) {
        let serial = Serial::parse(&value.to_string()).expect("a serial");
        prop_assert_eq!(Serial::from_be_bytes(&value.to_be_bytes()), Some(serial));
        prop_assert_eq!(serial.reveal(), value.to_string());
    }

    #[test]
    fn a_key_is_the_key_of_its_own_spelling(symbol in "\\PC{0,12}", number in "\\PC{1,12}") {
        let insurer = InsurerNumber::parse("06132013").expect("an insurer");
        let key = NumberKey::new(insurer, &symbol, &number);
        let (folded_symbol, folded_number) = key.spelled().split_once('\u{1F}').expect("both parts");
        prop_assert_eq!(NumberKey::new(insurer, folded_symbol, folded_number), key.clone());
    }

    #[test]
    fn a_key_knows_its_own_spellings(
        elderly: bool,
        one in ("[0-9０-９ーA-cａ－ ｶ-]{0,5}", "[0０]{0,2}[0-2０－ーｶ ]{0,3}"),
        other in ("[0-9０-９ーA-cａ－ ｶ-]{0,5}", "[0０]{0,2}[0-2０－ーｶ ]{0,3}"),
    ) {
        let insurer = if elderly { "39131156" } else { "138057" };
        let insurer = InsurerNumber::parse(insurer).expect("an insurer");
        for (symbol, number) in [&one, &other] {
            let key = NumberKey::new(insurer, &one.0, &one.1);
            let same = key == NumberKey::new(insurer, symbol, number);
            let whole = |text: &String| Box::<str>::from(&**text);
            prop_assert_eq!(key.is_of(insurer, &whole(symbol), &whole(number)), same);
            prop_assert_eq!(key.is_of(insurer, &Counted(whole(symbol)), &Counted(whole(number))), same);
        }
    }

    #[test]
    fn an_instant_that_is_read_can_be_written_and_read_again(
        text in "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt][0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?([Zz]|[+-][01][0-9]:[0-5][0-9])",
    ) {
        if let Some(instant) = Timestamp::parse(&text) {
            prop_assert_eq!(Timestamp::parse(&instant.to_string()), Some(instant), "{}", instant);
        }
    }
}

#[test]
fn instants_at_the_ends_of_the_years_can_be_written_and_read_again() {
    for text in [
        "0000-01-01T00:00:00Z",
        "0000-01-01T00:00:00+10:00",
        "0000-01-01T08:59:59+09:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-30T21:59:59Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59+09:00",
        "9999-12-31T23:59:59-09:00",
        "1969-12-31T23:59:59.9999Z",
        "2016-12-31T23:59:60Z",
    ] {
        if let Some(instant) = Timestamp::parse(text) {
            assert_eq!(Timestamp::parse(&instant.to_string()), Some(instant), "{text} {instant}");
        }
    }
    assert_eq!(Day::LAST.to_string(), "2199-12-31");
}

#[test]
fn numbers_that_are_only_warned_about() {
    use eligibility::number::has_check_digit;
    for text in ["83120071", "01010016", "138057", "1234566"] {
        assert!(has_check_digit(text), "{text}");
    }
    for text in ["83120072", "", "0", "x", "１２３４５６６", "-1234566", "99999999999999999999999"] {
        assert!(!has_check_digit(text), "{text}");
    }
}

#[test]
fn a_late_elderly_number_with_a_wrong_check_digit_is_asked_and_warned_about() {
    let query = |number: &str, insurer: &str| {
        let json =
            format!(r#"{{"insurer_number":"{insurer}","number":"{number}","birth_date":"1940-01-01"}}"#);
        NumberQuery::from_json(json.as_bytes()).unwrap()
    };
    assert!(!query("01234566", "39131156").looks_mistyped());
    assert!(query("01234567", "39131156").looks_mistyped());
    assert!(!query("01234567", "06132013").looks_mistyped());
}
