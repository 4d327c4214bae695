//! The decision as a table: each line is a row of the status table or an edge of one.
//!
//! All days lie in 2026 and are written `MM-DD`. An answer is written as its status, its reason, the
//! coverages listed and, after `newer`, those of others. What of a person is shown stands in
//! `shown.rs`; properties over random persons in `decision_oracle.rs`, the JSON in `answer_json`.

mod asking;
mod shown;

use asking::*;
use eligibility::code::Restriction;
use eligibility::decision::{Found, Reason};
use eligibility::feed::Source;
use eligibility::query::Consent;

/// Each day's answer, the same by card and by number.
fn days(who: &Who, table: &[(&str, &str)]) {
    for (date, expected) in table {
        assert_eq!(said(&by_number(date).about(who)), *expected, "by number on {date}");
        assert_eq!(said(&by_card(date).about(who)), *expected, "by card on {date}");
    }
}

#[test]
fn it_holds_from_the_first_day_to_the_day_before_its_loss() {
    days(
        &insured([from("04-01").lost("06-01")]),
        &[
            ("03-31", "invalid: kenpo/567 starts 04-01"),
            ("04-01", "valid: kenpo/567"),
            ("05-31", "valid: kenpo/567"),
            ("06-01", "invalid: kenpo/567 loss"),
            ("06-02", "invalid: kenpo/567 loss"),
        ],
    );
    days(&insured([from("04-01")]), &[("04-01", "valid: kenpo/567"), ("2199-12-31", "valid: kenpo/567")]);
}

#[test]
fn it_holds_from_valid_from_to_valid_through_both_included() {
    days(
        &insured([from("04-01").valid("04-10", "07-31")]),
        &[
            ("03-31", "invalid: kenpo/567 starts 04-10"),
            ("04-01", "invalid: kenpo/567 starts 04-10"),
            ("04-09", "invalid: kenpo/567 starts 04-10"),
            ("04-10", "valid: kenpo/567"),
            ("07-31", "valid: kenpo/567"),
            ("08-01", "invalid: kenpo/567 period"),
        ],
    );
    days(
        &insured([from("04-01").valid("03-01", "")]),
        &[("03-31", "invalid: kenpo/567 starts 04-01"), ("04-01", "valid: kenpo/567")],
    );
}

#[test]
fn the_earlier_of_loss_and_period_ends_it_and_a_loss_once_come_is_named() {
    days(
        &insured([from("04-01").lost("06-15").valid("", "05-31")]),
        &[
            ("05-31", "valid: kenpo/567"),
            ("06-01", "invalid: kenpo/567 period"),
            ("06-14", "invalid: kenpo/567 period"),
            ("06-15", "invalid: kenpo/567 loss"),
        ],
    );
    days(
        &insured([from("04-01").lost("06-01").valid("", "06-30")]),
        &[("05-31", "valid: kenpo/567"), ("06-01", "invalid: kenpo/567 loss")],
    );
    days(&insured([from("04-01").lost("06-01").valid("", "05-31")]), &[("06-01", "invalid: kenpo/567 loss")]);
}

#[test]
fn a_coverage_lost_on_its_first_day_holds_no_day_and_never_begins() {
    days(
        &insured([from("04-01").lost("04-01")]),
        &[("03-31", "invalid"), ("04-01", "invalid: kenpo/567 loss"), ("04-02", "invalid: kenpo/567 loss")],
    );
    days(
        &insured([from("04-01").lost("04-01"), from("05-01")]),
        &[("03-31", "invalid: kenpo/567 starts 05-01")],
    );
}

#[test]
fn in_a_gap_the_last_one_is_named_and_before_all_the_next() {
    days(
        &insured([from("01-01").lost("02-01"), from("09-01"), from("03-01").lost("04-01"), from("11-01")]),
        &[
            ("2025-12-31", "invalid: kenpo/567 starts 01-01"),
            ("01-31", "valid: kenpo/567"),
            ("02-15", "invalid: kenpo/567 loss"),
            ("04-01", "invalid: kenpo/567 loss"),
            ("08-31", "invalid: kenpo/567 loss"),
            ("09-01", "valid: kenpo/567"),
            ("11-01", "valid: kenpo/567, kenpo/567"),
        ],
    );
    let last = by_card("08-31");
    let who = insured([from("01-01").lost("02-01"), from("03-01").lost("04-01")]);
    assert_eq!(last.about(&who).coverages[0].coverage.qualified_on, day("03-01"));
}

#[test]
fn the_one_that_ended_last_is_not_the_one_that_began_last() {
    let who = insured([from("01-01").lost("06-01").number("1"), from("03-01").lost("04-01").number("2")]);
    assert_eq!(said(&by_card("07-01").about(&who)), "invalid: kenpo/1 loss");
    let who = who.with(KOKUHO, [from("02-01").valid("", "06-29").number("3")]);
    assert_eq!(said(&by_card("07-01").about(&who)), "invalid: kokuho/3 period");
}

#[test]
fn overlaps_are_listed_the_latest_first() {
    let line = |who: &Who| said(&by_card("07-01").about(who));
    let one = |qualified: &str, number: &str| from(qualified).number(number);
    let by_qualified = insured([one("01-01", "1"), one("03-01", "2"), one("02-01", "3")]);
    assert_eq!(line(&by_qualified), "valid: kenpo/2, kenpo/3, kenpo/1");
    let by_valid_from = insured([
        one("01-01", "1").valid("", ""),
        one("01-01", "2").valid("02-01", ""),
        one("01-01", "3").valid("03-01", ""),
    ]);
    assert_eq!(line(&by_valid_from), "valid: kenpo/3, kenpo/2, kenpo/1");
    let by_insurer = insured([one("01-01", "1")])
        .with(KOUKI, [one("01-01", "2")])
        .with(KOKUHO, [one("01-01", "3")])
        .with(KYOKAI, [one("01-02", "4")]);
    assert_eq!(line(&by_insurer), "valid: kyokai/4, kokuho/3, kenpo/1, kouki/2");
}

#[test]
fn the_day_of_a_change_from_kokuho_is_held_by_both() {
    let who = nobody_yet().with(KOKUHO, [from("01-01").lost("04-02")]).with(KENPO, [from("04-01")]);
    for (date, expected) in [
        ("03-31", "valid: kokuho/567"),
        ("04-01", "valid: kenpo/567, kokuho/567"),
        ("04-02", "valid: kenpo/567"),
    ] {
        assert_eq!(said(&by_card(date).about(&who)), expected, "{date}");
    }
    assert_eq!(said(&by_number("04-01").about(&who)), "valid: kenpo/567");
}

#[test]
fn the_number_path_lists_the_asked_coverages_alone() {
    let who = insured([from("01-01"), from("02-01").number("8")]).with(KOKUHO, [from("01-01")]);
    assert_eq!(said(&by_number("07-01").about(&who)), "valid: kenpo/567");
    assert_eq!(said(&asking("07-01", KENPO, "12-34", "8", None).about(&who)), "valid: kenpo/8");
    assert_eq!(said(&by_card("07-01").about(&who)), "valid: kenpo/8, kokuho/567, kenpo/567");
}

#[test]
fn a_switched_insurer_is_newer_and_only_review_sees_it() {
    let who = insured([from("01-01").lost("04-01")]).with(KYOKAI, [from("04-01").number("8")]);
    let cases = [
        (by_number("03-31"), "valid: kenpo/567"),
        (by_number("04-01"), "invalid_newer: kenpo/567 loss"),
        (by_number("04-01").review(), "invalid_newer: kenpo/567 loss; newer kyokai/8"),
        (by_number("03-31").review(), "valid: kenpo/567"),
        (by_number("2025-12-31").review(), "invalid: kenpo/567 starts 01-01"),
        (asking("03-31", KYOKAI, "12-34", "8", None), "invalid_newer: kyokai/8 starts 04-01"),
        (by_card("04-01").review(), "valid: kyokai/8"),
    ];
    for (question, expected) in cases {
        assert_eq!(said(&question.about(&who)), expected);
    }
    // A new number at the same insurer is newer too, and several are in the order of answers.
    let who = insured([from("01-01").lost("04-01"), from("04-01").number("9")])
        .with(KOKUHO, [from("05-01").number("7")]);
    assert_eq!(
        said(&by_number("07-01").review().about(&who)),
        "invalid_newer: kenpo/567 loss; newer kokuho/7, kenpo/9"
    );
}

#[test]
fn nobody_and_several_by_number() {
    let twin = |branch: &str| insured([from("01-01").branch(branch)]);
    let (elder, younger) = (twin("01"), twin("02"));
    let people = [&elder, &younger];
    let cases = [
        (by_number("07-01"), "multiple"),
        (by_number("07-01").branch("01"), "valid: kenpo/567"),
        (by_number("07-01").branch("02"), "valid: kenpo/567"),
        (by_number("07-01").branch("03"), "not_found"),
        (by_number("07-01").branch("00"), "not_found"),
        (by_number("2025-01-01"), "multiple"),
        (by_number("07-01").born("1980-02-04"), "not_found"),
        (asking("07-01", KENPO, "12-34", "568", None), "not_found"),
        (asking("07-01", KENPO, "1234", "567", None), "not_found"),
        (asking("07-01", KENPO, "", "567", None), "not_found"),
        (asking("07-01", KYOKAI, "12-34", "567", None), "not_found"),
    ];
    for (question, expected) in cases {
        assert_eq!(question.among(&people), expected);
    }
    // Several is said before anything is withheld, and whatever the source's age.
    let closed = twin("01").closed(KENPO);
    assert_eq!(by_number("07-01").among(&[&closed, &younger]), "multiple");
    assert_eq!(by_number("07-01").doubting(KENPO, Reason::Stale).among(&people), "multiple");
    assert!(by_number("07-01").decide(Found::Several).coverages.is_empty());
}

#[test]
fn a_branch_left_out_on_either_side_fits_any_and_00_is_one() {
    let none = insured([from("01-01")]);
    let zero = insured([from("01-01").branch("00")]);
    let one = insured([from("01-01").branch("01")]);
    let cases = [
        (by_number("07-01"), [true, true, true]),
        (by_number("07-01").branch("00"), [true, true, false]),
        (by_number("07-01").branch("01"), [true, false, true]),
        (by_number("07-01").branch("99"), [true, false, false]),
    ];
    for (question, fits) in cases {
        let answers = [&none, &zero, &one].map(|who| question.among(&[who]) == "valid: kenpo/567");
        assert_eq!(answers, fits, "{:?}", question.query.as_ref().map(|query| query.branch));
    }
    // One person with two branches in time: the branch asked decides which coverage is.
    let who = insured([from("01-01").lost("04-01").branch("01"), from("04-01").branch("02")]);
    let review = |branch: &str| said(&by_number("07-01").branch(branch).review().about(&who));
    assert_eq!(review("01"), "invalid_newer: kenpo/567 loss; newer kenpo/567");
    assert_eq!(review("02"), "valid: kenpo/567");
}

#[test]
fn symbols_and_numbers_meet_across_spellings() {
    let who = insured([from("01-01").symbol("１２ー３４").number("０００567")]);
    for (symbol, number, expected) in [
        ("12-34", "567", "valid: kenpo/０００567"),
        ("１２－３４", "0567", "valid: kenpo/０００567"),
        (" 12 - 34 ", "５６７", "valid: kenpo/０００567"),
        ("12.34", "567", "not_found"),
        ("0012-34", "567", "not_found"),
        ("12-34", "5670", "not_found"),
    ] {
        assert_eq!(
            asking("07-01", KENPO, symbol, number, None).among(&[&who]),
            expected,
            "{symbol}/{number}"
        );
    }
    let late = nobody_yet().with(KOUKI, [from("01-01").symbol("").number("01234567")]);
    for symbol in ["", "anything"] {
        assert_eq!(asking("07-01", KOUKI, symbol, "1234567", None).among(&[&late]), "valid: kouki/01234567");
    }
    let zeros = insured([from("01-01").symbol("").number("000")]);
    assert_eq!(asking("07-01", KENPO, "", "0", None).among(&[&zeros]), "valid: kenpo/000");
}

#[test]
fn the_birth_date_is_the_asked_insurers_own() {
    let who = insured([from("01-01")]).with(KOKUHO, [from("01-01")]).born(KOKUHO, "1980-02-04");
    let kokuho = || asking("07-01", KOKUHO, "12-34", "567", None);
    assert_eq!(by_number("07-01").among(&[&who]), "valid: kenpo/567");
    assert_eq!(by_number("07-01").born("1980-02-04").among(&[&who]), "not_found");
    assert_eq!(kokuho().among(&[&who]), "not_found");
    assert_eq!(kokuho().born("1980-02-04").among(&[&who]), "valid: kokuho/567");
    // Each coverage shows its own insurer's data.
    let answer = by_card("07-01").about(&who);
    let born: Vec<_> = answer.coverages.iter().map(|shown| shown.member.birth_date).collect();
    assert_eq!(born, [day("1980-02-04"), day(BORN)]);
}

#[test]
fn a_person_whom_the_numbers_do_not_fit_is_not_found_whatever_an_index_says() {
    let who = insured([from("01-01")]).with(KOKUHO, [from("01-01")]);
    let cases = [
        by_number("07-01").born("1980-02-04"),
        by_number("07-01").born("1980-02-04").review(),
        asking("07-01", KENPO, "12-34", "8", None).review(),
        asking("07-01", KYOKAI, "12-34", "567", None).review(),
    ];
    for question in cases {
        assert_eq!(said(&question.about(&who)), "not_found");
        assert_eq!(said(&question.about(&who.clone().closed(KENPO))), "not_found");
        assert_eq!(said(&question.about(&who.clone().withdrawn(KENPO))), "not_found");
    }
}
