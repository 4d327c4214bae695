//! Files that are broken by accident or on purpose: the rest goes on, nothing is echoed.

use claims::{Claims, Entry, Error, What};
use eligibility::my_number;

use super::files::{file, lines, notices, read};

const IR: &str = "IR,1,13,1,2345679,,架空診療所,202607,00,";
const RE: &str = "RE,1,1112,202606,架空,1,19800203,,,,,,,";
const HO: &str = "HO,06132013,1,2,1,300,,,,,,,,,";

/// The faults of the broken claim that these records make, between two good ones.
fn faults(records: &[&str]) -> Vec<String> {
    let mut all = vec![IR, RE, HO];
    all.extend_from_slice(records);
    all.extend_from_slice(&["RE,9,1112,202606,架空,1,19800203,,,", HO, "GO,9,9,99"]);
    let lines = lines(&file(&all));
    assert!(lines.first().unwrap().starts_with("2 #1 "), "{lines:?}");
    assert!(lines.last().unwrap().contains(" #9 "), "{lines:?}");
    lines[1..lines.len() - 1].to_vec()
}

#[test]
fn each_fault_names_line_record_and_column() {
    let cases: &[(&[&str], &str)] = &[
        (
            &["RE,2,1112,202613,架空,1,19800203", HO],
            "4 unreadable: 4行目 REレコード 3列（診療年月）: 記録の形式が正しくありません",
        ),
        (
            &["RE,2,1112,202606,架空,1,", HO],
            "4 unreadable: 4行目 REレコード 6列（生年月日）: 記録がありません",
        ),
        (
            &["RE,2,112,202606,架空,1,19800203", HO],
            "4 unreadable: 4行目 REレコード 2列（レセプト種別）: 記録の形式が正しくありません",
        ),
        (
            &["RE,2,9112,202606,架空,1,19800203", HO],
            "4 unreadable: 4行目 REレコード 2列（レセプト種別）: 記録できる範囲を超えています",
        ),
        (
            &["RE,2,1112,202606,架空,1,19800203,,,,,2X", HO],
            "4 unreadable: 4行目 REレコード 11列（レセプト特記事項）: 記録の形式が正しくありません",
        ),
        (
            &[RE, "HO,0613201,1,2"],
            "4 unreadable: 5行目 HOレコード 1列（保険者番号）: 記録の形式が正しくありません",
        ),
        (&[RE, "HO,,1,2"], "4 unreadable: 5行目 HOレコード 1列（保険者番号）: 記録がありません"),
        (&[RE, "HO,06132013,1,"], "4 unreadable: 5行目 HOレコード 3列（番号）: 記録がありません"),
        (
            &[RE, "HO,06132013,1,2\u{0}3"],
            "4 unreadable: 5行目 HOレコード 3列（番号）: 記録の形式が正しくありません",
        ),
        (
            &[RE, "HO,06132013,1,2,1,x"],
            "4 unreadable: 5行目 HOレコード 5列（合計点数）: 記録の形式が正しくありません",
        ),
        (
            &[RE, HO, "SN,1,01,,,,123,,"],
            "4 unreadable: 6行目 SNレコード 6列（枝番）: 記録の形式が正しくありません",
        ),
        (
            &[RE, HO, "JD,1,,,3"],
            "4 unreadable: 6行目 JDレコード 4列（受診等区分）: 記録の形式が正しくありません",
        ),
        (
            &[RE, HO, "JD,1,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,1"],
            "4 unreadable: 6行目 JDレコード 32列（受診等区分）: 記録できる範囲を超えています",
        ),
        (
            &[RE, HO, "MF,XX"],
            "4 unreadable: 6行目 MFレコード 1列（窓口負担額区分）: 記録の形式が正しくありません",
        ),
        (&[RE, HO, "s1,11"], "4 unreadable: 6行目: レコード識別情報が読めません"),
        (&[RE, "SY,1"], "4 unreadable: 4行目 HOレコード: 必要なレコードがありません"),
        (&[HO], "4 unreadable: 4行目 REレコード: 必要なレコードがありません"),
    ];
    for (records, expected) in cases {
        assert_eq!(faults(records), [*expected]);
    }
}

#[test]
fn what_is_odd_is_only_a_warning() {
    let octets = file(&[
        IR,
        "RE,1,1112,202606,架空,1,19800203",
        "HO,06132014,1,2",
        "KO,83136019,1111111,,1,677",
        "JD,1,1,9",
    ]);
    let (entries, _) = read(&octets);
    let [Entry::Claim(claim)] = entries.as_slice() else { panic!("{entries:?}") };
    let warnings: Vec<String> = claim.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "3行目 HOレコード 1列（保険者番号）: 検証番号が合いません（番号の誤りの可能性）",
            "4行目 KOレコード 1列（負担者番号）: 検証番号が合いません（番号の誤りの可能性）",
            "5行目 JDレコード 3列（受診等区分）: 受診日等レコードが他のレコードの算定日と一致していません（受診等区分9）",
        ]
    );
}

#[test]
fn a_file_says_what_is_wrong_with_it_as_a_whole() {
    let cases: &[(Vec<u8>, &[&str])] = &[
        (file(&[RE, HO, "GO,1,300,99"]), &["1行目 IRレコード: 必要なレコードがありません"]),
        (file(&[IR, RE, HO]), &["4行目 GOレコード: 必要なレコードがありません"]),
        (
            file(&[IR, RE, HO, "GO,2,300,99"]),
            &["4行目 GOレコード: 総件数または総合計点数がレセプトの合計と一致しません"],
        ),
        (
            file(&[IR, RE, HO, "GO,1,301,99"]),
            &["4行目 GOレコード: 総件数または総合計点数がレセプトの合計と一致しません"],
        ),
        (file(&[IR, RE, HO, "GO,,,01"]), &[]),
        (file(&[IR, RE, HO, "GO,1,300,99"]), &[]),
        (file(&[IR, "SI,1", RE, HO, "GO,1,300,99"]), &["2行目 SIレコード: 必要なレコードがありません"]),
        (
            [file(&[IR, RE, HO, "GO,1,300,99"]), b"more".to_vec()].concat(),
            &["5行目: ファイル終端（EOF）の後に記録があります"],
        ),
        ([file(&[IR, RE, HO, "GO,1,300,99"]), b"\r\n\x1A\r\n".to_vec()].concat(), &[]),
    ];
    for (octets, expected) in cases {
        assert_eq!(notices(octets), *expected);
    }
}

#[test]
fn a_line_of_ten_megabytes_spoils_its_claim_alone() {
    let mut octets = file(&[IR, RE, HO]);
    octets.pop();
    octets.extend_from_slice(b"RE,2,1112,202606,,1,19800203\r\nHO,06132013,1,2\r\nSI,");
    octets.extend(std::iter::repeat_n(b'1', 10 << 20));
    octets.extend_from_slice(b"\r\n");
    octets.extend_from_slice(&file(&["RE,3,1112,202606,,1,19800203", HO, "GO,3,900,99"]));
    let lines = lines(&octets);
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1], "4 unreadable: 6行目: レコードが長すぎます");
    assert!(lines[2].starts_with("7 #3 "), "{}", lines[2]);
}

#[test]
fn ten_thousand_broken_claims_do_not_hide_the_good_one() {
    let mut octets = file(&[IR]);
    octets.pop();
    for number in 0..10_000 {
        let broken =
            ["RE,x", "RE,1,1112,209913,,1,1", "HO,1,1,1", "S", "RE,1,1112,202606,,1,19800203\r\nHO,\x00"];
        octets.extend_from_slice(broken[number % broken.len()].as_bytes());
        octets.extend_from_slice(b"\r\n");
    }
    octets.extend_from_slice(&file(&["RE,7,1112,202606,,1,19800203", HO, "GO,1,300,99"]));
    let lines = lines(&octets);
    assert!(lines.last().unwrap().contains(" #7 "), "{:?}", lines.last());
    assert!(lines.len() > 5_900);
}

#[test]
fn a_file_in_another_encoding_is_refused_or_its_claims_are() {
    let utf8 = "IR,1,13,1,2345679,,架空,202607,00,\r\nRE,1,1112,202606,架空,1,19800203\r\nHO,06132013,１２,３４\r\nGO,1,0,99\r\n";
    assert_eq!(
        lines(utf8.as_bytes()),
        ["2 unreadable: 3行目 HOレコード 2列（記号）: 文字コードがCP932（シフトJIS）ではありません"]
    );
    let marked = format!("\u{FEFF}{utf8}");
    assert!(matches!(Claims::open(marked.as_bytes()), Err(Error::Encoding)));
    let wide: Vec<u8> = utf8.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(matches!(Claims::open(&wide[..]), Err(Error::Encoding)));
}

#[test]
fn a_my_number_is_refused_in_every_column_that_is_read() {
    let body = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1];
    let digits: String =
        body.iter().chain([&my_number::check_digit(&body)]).map(|digit| char::from(b'0' + digit)).collect();
    let split = format!("{}-{}-{}", &digits[..4], &digits[4..8], &digits[8..]);
    let wide: String = digits.chars().map(|c| char::from_u32(c as u32 - 48 + '０' as u32).unwrap()).collect();
    let places: &[(&str, &[usize])] = &[
        ("RE,1,1112,202606,x,1,19800203,,20260601,,,28,,", &[1, 2, 3, 6, 8, 11]),
        ("HO,06132013,1,2,1,300,,,,,,,,,", &[1, 2, 3, 4, 5]),
        ("KO,54136015,1234567,,1,300,,", &[1, 5]),
        ("SN,1,01,,,,02,,", &[6]),
        ("JD,1,1,1,,,,", &[2, 3, 30]),
        ("MF,00,,", &[1]),
    ];
    for (at, (_, columns)) in places.iter().enumerate() {
        for column in *columns {
            for number in [&digits, &split, &wide] {
                let mut records: Vec<String> =
                    places.iter().map(|(record, _)| (*record).to_owned()).collect();
                let mut split: Vec<&str> = records[at].split(',').collect();
                split.resize(split.len().max(column + 1), "");
                split[*column] = number;
                records[at] = split.join(",");
                let mut all = vec![IR];
                all.extend(records.iter().map(String::as_str));
                let (entries, notices) = read(&file(&all));
                let [Entry::Unreadable(unreadable)] = entries.as_slice() else {
                    panic!("{} {column}: {entries:?}", records[at])
                };
                assert_eq!(unreadable.fault.what, What::MyNumber, "{} {column}", records[at]);
                assert_eq!(unreadable.fault.line, 2 + at as u64);
                let said = format!("{entries:?} {notices:?} {}", unreadable.fault);
                assert!(!said.contains(&digits) && !said.contains(number.as_str()));
            }
        }
    }
    let json = format!(r#"{{"month":"2026-06","insurer_number":"06132013","number":"{split}"}}"#);
    assert_eq!(
        lines(json.as_bytes()),
        ["1 unreadable: 1行目（number）: 個人番号と思われる12桁の番号が記録されています（取り込みません）"]
    );
}
