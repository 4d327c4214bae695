//! The table: people, claim, verdict. Days are of June 2026; A to H are insurers (see `town`).

use claims::Caller;
use eligibility::decision::Reason;

use super::town::{Town, insurer, judged, shown};

/// One row: what is tried, people, claim, expected.
type Row = (&'static str, &'static [&'static str], &'static str, &'static str);

fn check(rows: &[Row], prepare: impl Fn(&mut Town)) {
    for (name, people, claim, expected) in rows {
        let mut town = Town::of(people);
        prepare(&mut town);
        assert_eq!(shown(&judged(&town, claim, Caller::Review, "2026-07-01")), *expected, "{name}");
    }
}

#[test]
fn verdicts_without_a_person() {
    check(
        &[
            ("公費単独", &["A 2020-04-01.."], "- 3", "skipped"),
            ("insurer unknown", &["A 2020-04-01.."], "77777777 3", "review unknown_insurer 06"),
            ("the other number for it", &["A 2020-04-01.."], "77777779 3", "review unknown_insurer 06"),
            ("mistyped insurer", &["A 2020-04-01.."], "mistyped 3", "not_found 03"),
            ("nobody", &[], "A 3", "not_found 03"),
            ("another number", &["A 2020-04-01.."], "A 3 number8", "not_found 03"),
            ("another birth date", &["A 2020-04-01.."], "A 3 born1950-02-04", "not_found 03"),
            ("another branch", &["A 2020-04-01.."], "A 3 branch02", "not_found 03"),
        ],
        |_| {},
    );
    check(&[("stale source", &[], "A 3", "unconfirmed 03")], |town| {
        town.doubt.insert(insurer("A"), Reason::Stale);
    });
    check(&[("another source is stale", &[], "A 3", "not_found 03")], |town| {
        town.doubt.insert(insurer("B"), Reason::Stale);
    });
}

#[test]
fn several_persons() {
    const TWIN: &str = "A 2020-04-01.. branch02";
    check(
        &[
            ("twins, both insured", &["A 2020-04-01..", TWIN], "A 3", "ok 02"),
            ("twins told apart", &["A 2020-04-01..", TWIN], "A 3 branch02", "ok 02 | A 3 => 1"),
            (
                "one of them not",
                &["A 2020-04-01..", "A 2020-04-01..2026-06-01 branch02"],
                "A 3",
                "review multiple 03",
            ),
            (
                "one of them closed",
                &["A 2020-04-01..", "A 2020-04-01.. branch02 closed"],
                "A 3",
                "review multiple 03",
            ),
        ],
        |_| {},
    );
}

#[test]
fn closed_records() {
    const MOVED: &[&str] = &["A 2020-04-01..2026-06-16, C 2026-06-16.. closed"];
    check(
        &[
            ("the written one", &["A 2020-04-01.. closed"], "A 3", "review restricted 03"),
            ("the right one", MOVED, "A 20", "review restricted 03"),
            ("no day of it", MOVED, "A 3 branch01", "ok 02 | A 3 => 1"),
            (
                "one that no day needs",
                &["A 2020-04-01.., C 2026-06-16.. closed"],
                "A 20 branch01",
                "ok 02 | A 20 => 1",
            ),
        ],
        |_| {},
    );
}

#[test]
fn fine_claims() {
    check(
        &[
            ("all days", &["A 2020-04-01.."], "A 3 10 branch01", "ok 02 | A 3 10 => 1"),
            ("first and last day", &["A 2026-06-03..2026-06-11"], "A 3 10 branch01", "ok 02 | A 3 10 => 1"),
            ("last valid day", &["A 2020-04-01.. to2026-06-10"], "A 10 branch01", "ok 02 | A 10 => 1"),
            ("branch found", &["A 2020-04-01.."], "A 3", "ok_branch_found 09 branch 01 | A 3 => 1"),
            ("no branch fed", &["A 2020-04-01.. branch-"], "A 3", "ok 02 | A 3 => 1"),
            (
                "branch changed within",
                &["A 2020-04-01..2026-06-05, A 2026-06-05.. branch02"],
                "A 3 9",
                "ok 02 | A 3 9 => 1",
            ),
            (
                "branch changed before",
                &["A 2020-04-01..2026-06-01, A 2026-06-01.. branch02"],
                "A 3 9",
                "ok_branch_found 09 branch 02 | A 3 9 => 1",
            ),
            ("後期 has no branch", &["E 2025-02-03.. branch-"], "E 3 payer2", "ok 02 | E 3 => 2"),
            (
                "a newer one does not matter",
                &["A 2020-04-01.., C 2026-06-01.."],
                "A 3 branch01",
                "ok 02 | A 3 => 1",
            ),
            ("a rule does not matter", &["A 2020-04-01.."], "A 3 KO MF x28 branch01", "ok 02 | A 3 => 1"),
            ("only the month", &["A 2020-04-01.."], "A month branch01", "ok 02 | A? 30d => 1"),
            ("sent to the wrong agency", &["B 2020-04-01.."], "B 3 branch01 payer1", "ok 02 | B 3 => 2"),
        ],
        |_| {},
    );
}

#[test]
fn lost_claims() {
    check(
        &[
            ("lost before", &["A 2020-04-01..2026-06-01"], "A 3", "lost 06 | nobody 3"),
            ("lost within", &["A 2020-04-01..2026-06-05 other"], "A 3 9", "lost 06 | A 3 | nobody 9"),
            ("the loss day itself", &["A 2020-04-01..2026-06-03"], "A 3", "lost 06 | nobody 3"),
            ("by death", &["A 2020-04-01..2026-06-05 death"], "A 3 9", "lost 08 | A 3 | nobody 9"),
            (
                "by death, and another loss",
                &["A 2020-04-01..2026-06-05 death, C 2026-06-09..2026-06-10 other"],
                "A 3 9 12",
                "lost 06 | A 3 | C 9 | nobody 12",
            ),
            ("not yet begun", &["A 2026-06-05.."], "A 3", "lost 06 | nobody 3"),
            ("expired", &["A 2020-04-01.. to2026-06-02"], "A 3", "lost 06 | nobody 3"),
            (
                "a gap",
                &["A 2020-04-01..2026-06-05, C 2026-06-08.."],
                "A 3 6 9",
                "lost 06 | A 3 | nobody 6 | C 9",
            ),
            ("a rule comes later", &["A 2020-04-01..2026-06-01"], "A 3 KO", "lost 06 | nobody 3"),
            (
                "only the month, all of it lost",
                &["A 2020-04-01..2026-06-01"],
                "A month",
                "lost 06 | nobody? 30d",
            ),
        ],
        |_| {},
    );
    check(&[("stale source", &["A 2020-04-01..2026-06-01"], "A 3", "unconfirmed 03 | nobody 3")], |town| {
        town.doubt.insert(insurer("A"), Reason::NeverFed);
    });
}

#[test]
fn moved_claims() {
    let joined: &[&str] = &["A 2020-04-01..2026-06-16 other, C 2026-06-16.."];
    let rows: &[Row] = &[
        ("one other", joined, "A 20 25", "transfer 04 | C 20 25 => 1"),
        (
            "to the other agency",
            &["A 2020-04-01..2026-06-16, B 2026-06-16.."],
            "A 20",
            "transfer 04 | B 20 => 2",
        ),
        ("two", joined, "A 3 20", "split 05 | A 3 | C 20 => 1"),
        (
            "two others",
            &["A 2020-04-01..2026-06-01, C 2026-06-01..2026-06-16, B 2026-06-16.."],
            "A 3 20",
            "split 05 | C 3 | B 20 => 2",
        ),
        (
            "the latest 取得日 of several",
            &["A 2020-04-01..2026-06-01, C 2021-04-01.., B 2022-04-01.."],
            "A 3",
            "transfer 04 | B 3 => 2",
        ),
        (
            "the written one first, though older",
            &["A 2020-04-01..2026-06-10, C 2026-06-01.."],
            "A 3 20",
            "split 05 | A 3 | C 20 => 1",
        ),
        (
            "new number, same insurer",
            &["A 2020-04-01..2026-06-16, A 2026-06-16.. number8"],
            "A 20",
            "transfer 04 | A 20 => 1",
        ),
        (
            "only the month, another holds all of it",
            &["A 2020-04-01..2026-06-02, C 2026-06-01.."],
            "A month",
            "transfer 04 | C? 30d => 1",
        ),
    ];
    check(rows, |_| {});
    check(&rows[..4], |town| {
        // A positive answer stays positive.
        town.doubt.insert(insurer("A"), Reason::Stale);
    });
}

#[test]
fn forbidden_moves() {
    const JOINED: &[&str] = &["A 2020-04-01..2026-06-16 other, C 2026-06-16.."];
    check(
        &[
            ("公費", JOINED, "A 20 KO", "review subsidy 06 suggests transfer | C 20 => 1"),
            ("公費, two insurers", JOINED, "A 3 20 KO", "review subsidy 06 suggests split | A 3 | C 20 => 1"),
            ("高額", JOINED, "A 20 MF", "review limit 06 suggests transfer | C 20 => 1"),
            ("区ア", JOINED, "A 20 x26", "review limit 06 suggests transfer | C 20 => 1"),
            ("多オ", JOINED, "A 20 x35", "review limit 06 suggests transfer | C 20 => 1"),
            ("区カ", JOINED, "A 20 x41", "review limit 06 suggests transfer | C 20 => 1"),
            ("多キ", JOINED, "A 20 x44", "review limit 06 suggests transfer | C 20 => 1"),
            ("長", JOINED, "A 20 x02", "review limit 06 suggests transfer | C 20 => 1"),
            ("長２", JOINED, "A 20 x16", "review limit 06 suggests transfer | C 20 => 1"),
            ("other 特記事項", JOINED, "A 20 x36 x40 x45 x01 x96", "transfer 04 | C 20 => 1"),
            ("特定疾病", JOINED, "A 20 disease", "review specific_disease 06 suggests transfer | C 20 => 1"),
            (
                "copay",
                &["A 2020-04-01..2026-06-16 copay20, C 2026-06-16.."],
                "A 3 20",
                "review copay 06 suggests split | A 3 | C 20 => 1",
            ),
            (
                "copay, no day left",
                &["A 2020-04-01..2026-06-16 copay20, C 2026-06-16.."],
                "A 20",
                "review copay 06 suggests transfer | C 20 => 1",
            ),
            (
                "copay of one unknown",
                &["A 2020-04-01..2026-06-16 copay-, C 2026-06-16.."],
                "A 20",
                "review copay 06 suggests transfer | C 20 => 1",
            ),
            (
                "copay of both unknown",
                &["A 2020-04-01..2026-06-16 copay-, C 2026-06-16.. copay-"],
                "A 20",
                "transfer 04 | C 20 => 1",
            ),
            (
                "高齢受給者証 levels it",
                &["A 2020-04-01..2026-06-16 elderly20from2025-08-01, C 2026-06-16.. elderly20from2026-06-16"],
                "A 3 20",
                "split 05 | A 3 | C 20 => 1",
            ),
            (
                "高齢受給者証 of one",
                &["A 2020-04-01..2026-06-16 elderly20from2025-08-01, C 2026-06-16.."],
                "A 3 20",
                "review copay 06 suggests split | A 3 | C 20 => 1",
            ),
            (
                "高齢受給者証 begins between the days",
                &["A 2020-04-01..2026-06-01, C 2026-06-01.. elderly20from2026-06-10"],
                "A 3 20",
                "review copay 06 suggests transfer | C 3 20 => 1",
            ),
            (
                "from 船員",
                &["F 2020-04-01..2026-06-16, C 2026-06-16.."],
                "F 20",
                "review mariner 06 suggests transfer | C 20 => 1",
            ),
            (
                "to 船員",
                &["A 2020-04-01..2026-06-16, F 2026-06-16.."],
                "A 20",
                "review mariner 06 suggests transfer | F 20 => 1",
            ),
            (
                "to 日雇",
                &["A 2020-04-01..2026-06-16, G 2026-06-16.."],
                "A 20",
                "review day_labour 06 suggests transfer | G 20 => 1",
            ),
            (
                "to 自衛官",
                &["A 2020-04-01..2026-06-16, H 2026-06-16.."],
                "A 20",
                "review self_defence 06 suggests transfer | H 20 => 1",
            ),
            (
                "証区分 07",
                &["A 2020-04-01..2026-06-16, C 2026-06-16.. kind07"],
                "A 20",
                "review self_defence 06 suggests transfer | C 20 => 1",
            ),
            (
                "the first rule decides",
                JOINED,
                "A 20 KO MF x02",
                "review subsidy 06 suggests transfer | C 20 => 1",
            ),
            ("only the month", JOINED, "A month", "review days_unknown 03 | A? 15d | C? 15d"),
            (
                "only the month, part of it nobody's",
                &["A 2020-04-01..2026-06-16 other"],
                "A month",
                "review days_unknown 03 | A? 15d | nobody? 15d",
            ),
            ("only the month, and a rule", JOINED, "A month KO", "review subsidy 06 | A? 15d | C? 15d"),
        ],
        |_| {},
    );
}
