//! Which double memberships the law explains, as a table.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests end by panicking")]

use std::cmp::Ordering;

use eligibility::coverage::{Membership, Person, Restrictions};
use eligibility::feed::{Record, Said};
use eligibility::number::{InsurerNumber, LinkNumber};
use eligibility::overlap::overlaps;

const CITY: u32 = 13_805;
const GUILD: u32 = 13_303;
const RETIRED: u32 = 6_713_001;
const COMPANY: u32 = 613_201;
const KYOKAI: u32 = 113_001;
const SEAMEN: u32 = 213_001;
const STATE: u32 = 3_113_001;
const SCHOOL_RETIRED: u32 = 7_513_001;
const ELDERLY: u32 = 3_913_001;

/// From when, and since when no more.
type Days<'d> = (&'d str, Option<&'d str>);
/// A case, its two coverages, and the days of both that are shown.
type Case<'c> = (&'c str, u32, Days<'c>, u32, Days<'c>, Option<Days<'c>>);

fn membership(body: u32, days: &[Days<'_>], restrictions: &str) -> Membership {
    let insurer = InsurerNumber::from_body(body).unwrap();
    let coverage = |(from, lost): &Days<'_>| {
        let lost = lost.map_or("null".to_owned(), |lost| format!("\"{lost}\""));
        format!(r#"{{"symbol":"記","number":"1","qualified_on":"{from}","disqualified_on":{lost}}}"#)
    };
    let coverages: Vec<_> = days.iter().map(coverage).collect();
    let line = format!(
        r#"{{"source":"{insurer}","sequence":1,"kind":"member","link_number":"0000000000000001","name":"試験","sex":"male","birth_date":"1980-01-01","restrictions":[{restrictions}],"coverages":[{}]}}"#,
        coverages.join(",")
    );
    let Said::Member { member, .. } = Record::from_json(line.as_bytes()).unwrap().said else { panic!() };
    Membership { insurer, member: member.map(|member| *member), pending: Restrictions::NONE }
}

fn person(memberships: Vec<Membership>) -> Person {
    let mut person = Person::new(LinkNumber::from_value(1).unwrap());
    person.memberships = memberships;
    person.memberships.sort_by_key(|one| one.insurer);
    person
}

/// What an insurer is shown of both.
fn seen_by(person: &Person, body: u32) -> Vec<(String, Option<String>, Ordering)> {
    let all = overlaps(person, InsurerNumber::from_body(body).unwrap());
    all.map(|one| (one.from.to_string(), one.through.map(|day| day.to_string()), one.other_began)).collect()
}

#[test]
fn what_the_law_does_not_explain_is_shown_to_both() {
    let ended = |from: &'static str, lost: &'static str| (from, Some(lost));
    let table: [Case<'_>; 15] = [
        (
            "one after the other",
            COMPANY,
            ended("2020-04-01", "2024-04-01"),
            KYOKAI,
            ("2024-04-01", None),
            None,
        ),
        (
            "国保 is lost the day after",
            CITY,
            ended("2020-04-01", "2024-04-02"),
            COMPANY,
            ("2024-04-01", None),
            None,
        ),
        ("so is 国保組合", GUILD, ended("2020-04-01", "2024-04-02"), KYOKAI, ("2024-04-01", None), None),
        ("and 退職", RETIRED, ended("2020-04-01", "2024-04-02"), KYOKAI, ("2024-04-01", None), None),
        (
            "two days are one too many",
            CITY,
            ended("2020-04-01", "2024-04-03"),
            COMPANY,
            ("2024-04-01", None),
            Some(("2024-04-01", Some("2024-04-02"))),
        ),
        (
            "社保 is lost at once",
            COMPANY,
            ended("2020-04-01", "2024-04-02"),
            CITY,
            ("2024-04-01", None),
            Some(("2024-04-01", Some("2024-04-01"))),
        ),
        (
            "so is 社保 before 社保",
            COMPANY,
            ended("2020-04-01", "2024-04-02"),
            KYOKAI,
            ("2024-04-01", None),
            Some(("2024-04-01", Some("2024-04-01"))),
        ),
        (
            "国保 ends when 国保 begins",
            GUILD,
            ended("2020-04-01", "2024-04-02"),
            CITY,
            ("2024-04-01", None),
            Some(("2024-04-01", Some("2024-04-01"))),
        ),
        (
            "the loss was never told",
            CITY,
            ("2020-04-01", None),
            COMPANY,
            ("2024-04-01", None),
            Some(("2024-04-01", None)),
        ),
        ("船員 stays beside 後期", SEAMEN, ("2020-04-01", None), ELDERLY, ("2024-04-01", None), None),
        ("a 共済 too", STATE, ("2020-04-01", None), ELDERLY, ("2024-04-01", None), None),
        ("and its 特例退職", SCHOOL_RETIRED, ("2020-04-01", None), ELDERLY, ("2024-04-01", None), None),
        (
            "others do not",
            COMPANY,
            ("2020-04-01", None),
            ELDERLY,
            ("2024-04-01", None),
            Some(("2024-04-01", None)),
        ),
        (
            "lost before it began",
            COMPANY,
            ended("2024-05-01", "2024-05-01"),
            KYOKAI,
            ("2020-04-01", None),
            None,
        ),
        (
            "within the other",
            COMPANY,
            ended("2022-01-01", "2022-02-01"),
            KYOKAI,
            ("2020-04-01", None),
            Some(("2022-01-01", Some("2022-01-31"))),
        ),
    ];
    for (case, one, own, other, theirs, expected) in table {
        let person = person(vec![membership(one, &[own], ""), membership(other, &[theirs], "")]);
        let days = expected.map(|(from, through)| (from.to_owned(), through.map(str::to_owned)));
        for (body, began) in [(one, theirs.0.cmp(own.0)), (other, own.0.cmp(theirs.0))] {
            let expected: Vec<_> =
                days.clone().into_iter().map(|(from, through)| (from, through, began)).collect();
            assert_eq!(seen_by(&person, body), expected, "{case}, as {body} sees it");
        }
    }
}

#[test]
fn only_what_is_surely_the_persons_counts() {
    let open = [("2020-04-01", None)];
    let closed = person(vec![membership(COMPANY, &open, ""), membership(KYOKAI, &open, "\"closed\"")]);
    assert_eq!((seen_by(&closed, COMPANY).len(), seen_by(&closed, KYOKAI).len()), (0, 1));
    // Its own coverages beside each other, and those of others among themselves, are not its business.
    let twice = [("2020-04-01", None), ("2021-04-01", None)];
    let own = person(vec![
        membership(COMPANY, &twice, ""),
        membership(KYOKAI, &open, ""),
        membership(CITY, &open, ""),
    ]);
    assert_eq!((seen_by(&own, COMPANY).len(), seen_by(&own, ELDERLY).len()), (4, 0));
    let alone = person(vec![membership(COMPANY, &twice, "")]);
    assert_eq!(seen_by(&alone, COMPANY), []);
}
