//! CSV, summary and report.

use claims::{
    Caller, CsvWriter, Outcome, ReportHead, Row, Rule, Summary, Total, Verdict, read_csv, read_results,
    write_report,
};
use eligibility::day::Timestamp;

use super::copies::results;
use super::town::{Town, judged};

pub(crate) fn outcomes() -> Vec<Outcome> {
    let joined = "A 2020-04-01..2026-06-16 other, B 2026-06-16..";
    let judge = |people: &[&str], claim: &str| judged(&Town::of(people), claim, Caller::Review, "2026-07-01");
    let mut all = vec![
        judge(&["A 2020-04-01.."], "A 3"),
        judge(&[joined], "A 3 20"),
        judge(&[joined], "A 20 KO"),
        judge(&[joined], "A month"),
        judge(&[], "A 3"),
        judge(&["A 2020-04-01..2026-06-02 death"], "A 3"),
        judge(&[], "- 3"),
    ];
    let (mut broken, _) =
        results(&Town::default(), b"IR,1,13,1,2345679\r\nRE,1,1112,202606,X,1,19500203\r\nHO,<b>,=1\r\n");
    all.append(&mut broken);
    all
}

#[test]
fn rows_are_read_as_they_were_written() {
    let outcomes = outcomes();
    let mut writer = CsvWriter::new(Vec::new()).unwrap();
    for outcome in &outcomes {
        writer.write(outcome).unwrap();
    }
    let octets = writer.finish().unwrap();
    assert!(octets.starts_with(b"\xEF\xBB\xBFline,claim,month,verdict,rule,code,"));
    let rows: Vec<Row> = read_csv(&octets[..]).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows, outcomes.iter().map(Row::from).collect::<Vec<_>>());
    assert_eq!(rows[1].days, "written: 2026-06-03; 138057 1 7 (01): 2026-06-20");
    assert_eq!(rows[3].days, "written: 2026-06-01..2026-06-15; 138057 1 7 (01): 2026-06-16..2026-06-30");
    assert_eq!((rows[2].rule, rows[2].payer_right), (Some(Rule::Subsidy), Some(2)));
    assert!(read_csv(&b"line,verdict\n1,none\n"[..]).unwrap().next().unwrap().is_err());
}

#[test]
fn no_field_is_a_formula() {
    let mut outcome = outcomes().remove(0);
    let written = outcome.written.as_mut().unwrap();
    (written.symbol, written.number) = ("=1+1".into(), "'@x".into());
    let mut writer = CsvWriter::new(Vec::new()).unwrap();
    writer.write(&outcome).unwrap();
    let octets = writer.finish().unwrap();
    assert!(String::from_utf8_lossy(&octets).contains(",'=1+1,''@x,"));
    let row = read_csv(&octets[..]).unwrap().next().unwrap().unwrap();
    assert_eq!((row.symbol.as_str(), row.number.as_str()), ("=1+1", "'@x"));
}

#[test]
fn a_summary_counts_claims_and_points() {
    let mut summary = Summary::default();
    outcomes().iter().for_each(|outcome| summary.add(outcome));
    assert_eq!(summary.all, Total { claims: 8, points: 700 });
    assert_eq!(summary.at_stake, Total { claims: 6, points: 500 });
    assert_eq!(summary.verdicts[&Verdict::Review], Total { claims: 2, points: 200 });
    assert_eq!(summary.rules[&Rule::DaysUnknown], Total { claims: 1, points: 100 });
    assert_eq!(summary.other_payer, Total { claims: 2, points: 200 });
    let json = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<Summary>(&json).unwrap(), summary);
}

#[test]
fn a_report_stands_alone() {
    let outcomes = outcomes();
    let mut summary = Summary::default();
    outcomes.iter().for_each(|outcome| summary.add(outcome));
    let mut json = Vec::new();
    outcomes.iter().for_each(|outcome| outcome.write_json(&mut json));
    let made_at = Timestamp::from_millis(1_782_000_000_000);
    let known_at = Timestamp::parse("2026-06-01T09:30:00+09:00");
    let head = ReportHead { title: "RECEIPTC.UKE <1>", made_at, known_at };
    let mut page = Vec::new();
    write_report(&mut page, head, &summary, read_results(&json[..])).unwrap();
    let page = String::from_utf8(page).unwrap();
    for part in [
        "RECEIPTC.UKE &lt;1&gt;",
        "2026年6月1日 9:30時点の情報による",
        "<tr class=\"split\">",
        "<tr class=\"unreadable\">",
        "全レセプト<b>8件</b>700点",
        "保険者138057の資格が有効です。",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for foreign in [
        "http://",
        "https://",
        "src=",
        "href=",
        "url(",
        "@import",
        "<1>",
        "<tr class=\"ok_branch_found\"><td class=\"n\">",
    ] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert_eq!(page.matches("<tr class=\"lost\"").count(), 2);
    let broken = [&json[..], b"{}\n"].concat();
    assert!(write_report(Vec::new(), head, &summary, read_results(&broken[..])).is_err());
}
