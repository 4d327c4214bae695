//! Writing back: nothing but the SN record changes.

use std::ops::ControlFlow;

use claims::{Caller, CopyFor, Error, Outcome, Summary, Terms, copy, precheck};
use proptest::prelude::*;

use super::town::{Town, day};

const FILE: &[&str] = &[
    "IR,1,13,1,2345679,,X,202607,00,",
    // Its branch is certain.
    "RE,1,1112,202606,X,1,19500203,,,,,,,A-17",
    "HO,06132013,1,7,1,300,,,,,,,,,",
    "SN,1,01,,,,,,",
    "JD,1,,,1",
    // The same, with trailing columns left out and a 公費 SN before it.
    "RE,2,1112,202606,X,1,19500203",
    "HO,06132013,1,7,1,300",
    "SN,2,01,,,,,1234567,",
    "SN,1,01",
    "JD,1,,,1",
    // Has one.
    "RE,3,1112,202606,X,1,19500203",
    "HO,06132013,1,7,1,300",
    "SN,1,01,,,,01,,",
    "JD,1,,,1",
    // Moves away.
    "RE,4,1112,202606,X,1,19500203",
    "HO,06132013,1,8,1,300",
    "SN,1,01,,,,,,",
    "JD,1,,,,,,,,,,,,,,,,,,,,1",
    // Has no SN.
    "RE,5,1112,202606,X,1,19500203",
    "HO,06132013,1,7,1,300",
    "GO,5,1500,99",
];

fn joined(records: &[&str]) -> Vec<u8> {
    let mut octets = records.join("\r\n").into_bytes();
    octets.extend_from_slice(b"\r\n\x1A");
    octets
}

fn town() -> Town {
    Town::of(&["A 2020-04-01.. branch02", "A 2020-04-01..2026-06-16 number8, C 2026-06-16.."])
}

pub(crate) fn results(town: &Town, file: &[u8]) -> (Vec<Outcome>, Summary) {
    let terms = Terms { caller: Caller::Review, today: day("2026-07-10"), known_at: None };
    let mut all = Vec::new();
    let summary = precheck(file, &town, terms, |judged| {
        all.push(judged.outcome.clone());
        Ok::<_, Error>(ControlFlow::Continue(()))
    });
    (all, summary.unwrap())
}

fn copied(file: &[u8], results: Vec<Outcome>, whom: CopyFor) -> Result<(Vec<u8>, u64), Error> {
    let mut octets = Vec::new();
    copy(file, results.into_iter().map(Ok), whom, &mut octets).map(|changed| (octets, changed))
}

/// The records that differ.
fn differing<'f>(before: &'f [u8], after: &'f [u8]) -> Vec<(String, String)> {
    let lines = |octets: &'f [u8]| {
        octets.split(|octet| *octet == b'\n').map(|line| String::from_utf8_lossy(line).trim_end().to_owned())
    };
    assert_eq!(lines(before).count(), lines(after).count());
    lines(before).zip(lines(after)).filter(|(one, other)| one != other).collect()
}

#[test]
fn an_institution_gets_its_branches_and_nothing_else() {
    let file = joined(FILE);
    let (results, _) = results(&town(), &file);
    let verdicts: Vec<&str> = results.iter().map(|outcome| outcome.verdict.word()).collect();
    // 8 belongs to the second person, whose 枝番 is 01.
    assert_eq!(verdicts, ["ok_branch_found", "ok_branch_found", "not_found", "transfer", "ok_branch_found"]);
    let (octets, changed) = copied(&file, results, CopyFor::Institution).unwrap();
    assert_eq!(changed, 2);
    let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    assert_eq!(
        differing(&file, &octets),
        [pair("SN,1,01,,,,,,", "SN,1,01,,,,02,,"), pair("SN,1,01", "SN,1,01,,,,02")]
    );
}

#[test]
fn a_reviewer_gets_the_confirmation_too() {
    let file = joined(FILE);
    let (results, _) = results(&town(), &file);
    let (octets, changed) = copied(&file, results, CopyFor::Review).unwrap();
    assert_eq!(changed, 4);
    let after: Vec<String> = differing(&file, &octets).into_iter().map(|(_, after)| after).collect();
    assert_eq!(after, ["SN,1,09,,,,02,,", "SN,1,09,,,,02", "SN,1,03,,,,01,,", "SN,1,04,,,,,,"]);
}

#[test]
fn a_copy_of_another_file_or_of_a_my_number_is_not_made() {
    let file = joined(FILE);
    let (of_file, _) = results(&town(), &file);
    let shifted = joined(&FILE[1..]);
    assert!(matches!(
        copied(&shifted, of_file.clone(), CopyFor::Institution),
        Err(Error::OtherFile { line: 4 })
    ));
    assert!(matches!(copied(b"", of_file, CopyFor::Institution), Err(Error::OtherFile { line: 4 })));
    let hidden = joined(&[FILE[0], "RE,9,1112,202606,X,1,19500203", "HO,06132013,1,1234-5678-9018"]);
    let (results, _) = results(&town(), &hidden);
    assert!(matches!(copied(&hidden, results, CopyFor::Institution), Err(Error::MyNumber { line: 3 })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn what_is_not_to_change_stays_octet_by_octet(
        picks in prop::collection::vec((0..FILE.len(), prop::collection::vec(any::<u8>(), 0..6)), 0..60),
        ends in prop::collection::vec(prop::sample::select(vec!["\r\n", "\n", "\r\n\r\n", "\x1A\r\n", ",\r\n"]), 60),
    ) {
        let mut file = Vec::new();
        for ((pick, noise), end) in picks.iter().zip(&ends) {
            file.extend_from_slice(FILE[*pick].as_bytes());
            if pick % 3 == 0 {
                file.extend_from_slice(noise);
            }
            file.extend_from_slice(end.as_bytes());
        }
        // With nobody to be found nothing is filled in: the copy is the file.
        let (none, _) = results(&Town::default(), &file);
        match copied(&file, none, CopyFor::Institution) {
            Ok((octets, changed)) => prop_assert_eq!((octets, changed), (file.clone(), 0)),
            Err(error) => {
                let refused = matches!(error, Error::MyNumber { .. });
                prop_assert!(refused);
            }
        }
        let (some, _) = results(&town(), &file);
        if let Ok((octets, changed)) = copied(&file, some, CopyFor::Review) {
            let differing = differing(&file, &octets);
            prop_assert_eq!(differing.len() as u64, changed);
            prop_assert!(differing.iter().all(|(before, after)| before.starts_with("SN,1") && after.starts_with("SN,1")));
        }
    }
}
