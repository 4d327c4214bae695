//! `report.html`: the results of a run on one page that needs nothing else.
//!
//! The page loads nothing from anywhere and lets nothing be loaded (a content security policy in
//! it says so). Its rows are written as the results come, so making it needs no memory for them.

use std::io::Write;

use eligibility::day::Timestamp;

use crate::error::Error;
use crate::outcome::{DaysShown, Outcome};
use crate::summary::{Summary, Total};
use crate::verdict::{Holder, Verdict};

/// A browser still pages through this many rows with ease; the rest is in the CSV.
const ROWS: u64 = 20_000;

/// What the head of the page says.
#[derive(Clone, Copy, Debug)]
pub struct ReportHead<'h> {
    /// Names of the files.
    pub title: &'h str,
    /// When the check was made.
    pub made_at: Timestamp,
    /// The instant as of which it was judged, where that is not when it was made.
    pub known_at: Option<Timestamp>,
}

/// Writes the page.
///
/// Claims that may go out as they are come only into the sums. Of the others the first 20 000 are
/// listed, and the page says how many are not.
///
/// # Errors
/// [`Error::Io`], and what `results` fails with.
pub fn write_report(
    mut into: impl Write,
    head: ReportHead<'_>,
    summary: &Summary,
    results: impl IntoIterator<Item = Result<Outcome, Error>>,
) -> Result<(), Error> {
    let into = &mut into;
    write_head(into, head)?;
    write_sums(into, summary)?;
    write_notices(into, summary)?;
    write_filter(into, summary)?;
    let mut left_out = 0_u64;
    let mut listed = 0;
    for outcome in results {
        let outcome = outcome?;
        if outcome.verdict.is_fine() {
            continue;
        }
        if listed == ROWS {
            left_out += 1;
        } else {
            write_row(into, &outcome)?;
            listed += 1;
        }
    }
    into.write_all(b"</tbody></table>\n")?;
    if left_out > 0 {
        writeln!(
            into,
            "<p>ほかに{}件あります。すべての結果はCSVまたはNDJSONをご覧ください。</p>",
            grouped(left_out)
        )?;
    }
    writeln!(into, "<script>\n{}</script>\n</body>\n</html>", include_str!("report/filter.js"))?;
    into.flush()?;
    Ok(())
}

fn write_head(into: &mut impl Write, head: ReportHead<'_>) -> std::io::Result<()> {
    let title = escaped(head.title);
    write!(
        into,
        "<!DOCTYPE html>\n<html lang=\"ja\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>レセプト請求前資格確認 {title}</title>\n<style>\n{}</style>\n</head>\n<body>\n\
         <h1>レセプト請求前資格確認の結果</h1>\n<p class=\"made\">{title}　確認日時 {}{}</p>\n",
        include_str!("report/style.css"),
        told_time(head.made_at),
        head.known_at.map_or_else(String::new, |at| format!("　{}時点の情報による", told_time(at))),
    )
}

fn write_sums(into: &mut impl Write, summary: &Summary) -> std::io::Result<()> {
    let figure = |class: &str, name: &str, total: Total| {
        let (claims, points) = (grouped(total.claims), grouped(total.points));
        format!("<div class=\"{class}\">{name}<b>{claims}件</b>{points}点</div>\n")
    };
    write!(into, "<section class=\"figures\">\n{}", figure("all", "全レセプト", summary.all))?;
    into.write_all(figure("stake", "このままでは返戻・変更となるおそれ", summary.at_stake).as_bytes())?;
    into.write_all(figure("payer", "審査支払機関が変わるもの", summary.other_payer).as_bytes())?;
    into.write_all("</section>\n<h2>判定ごとの件数</h2>\n<table id=\"sums\"><thead><tr><th>判定</th><th class=\"n\">件数</th><th class=\"n\">点数</th></tr></thead><tbody>\n".as_bytes())?;
    for (verdict, total) in &summary.verdicts {
        write_sum(into, verdict.word(), verdict.text(), *total)?;
        if *verdict == Verdict::Review {
            for (rule, total) in &summary.rules {
                write_sum(into, "rule", &format!("　{}", rule.text()), *total)?;
            }
        }
    }
    into.write_all(b"</tbody></table>\n")
}

fn write_sum(into: &mut impl Write, class: &str, name: &str, total: Total) -> std::io::Result<()> {
    let (claims, points) = (grouped(total.claims), grouped(total.points));
    writeln!(
        into,
        "<tr class=\"{class}\"><td class=\"v\">{name}</td><td class=\"n\">{claims}</td><td class=\"n\">{points}</td></tr>"
    )
}

fn write_notices(into: &mut impl Write, summary: &Summary) -> std::io::Result<()> {
    if summary.notices.is_empty() {
        return Ok(());
    }
    into.write_all("<h2>ファイルについての注意</h2>\n<ul>\n".as_bytes())?;
    for notice in summary.notices.iter().take(50) {
        writeln!(into, "<li>{}</li>", escaped(&notice.to_string()))?;
    }
    let more = summary.notices.len().saturating_sub(50) as u64 + summary.notices_dropped;
    if more > 0 {
        writeln!(into, "<li>ほかに{}件</li>", grouped(more))?;
    }
    into.write_all(b"</ul>\n")
}

fn write_filter(into: &mut impl Write, summary: &Summary) -> std::io::Result<()> {
    into.write_all(
        "<h2>確認が必要なレセプト</h2>\n<fieldset id=\"filter\"><legend>表示する判定</legend>\n".as_bytes(),
    )?;
    for (verdict, total) in summary.verdicts.iter().filter(|(verdict, _)| !verdict.is_fine()) {
        let (word, text, claims) = (verdict.word(), verdict.text(), grouped(total.claims));
        writeln!(
            into,
            "<label><input type=\"checkbox\" value=\"{word}\" checked> {text}（{claims}）</label>"
        )?;
    }
    into.write_all(
        "<label>語句 <input type=\"search\" id=\"words\"></label> <span id=\"count\"></span> \
         <button type=\"button\" id=\"print\">印刷</button>\n</fieldset>\n\
         <table id=\"claims\"><thead><tr><th class=\"n\">番号</th><th>判定</th><th>記載の保険</th>\
         <th>受診日と保険</th><th>理由</th><th class=\"n\">点数</th></tr></thead><tbody>\n"
            .as_bytes(),
    )
}

fn write_row(into: &mut impl Write, outcome: &Outcome) -> std::io::Result<()> {
    let number = outcome.claim.map_or_else(|| "－".to_owned(), |number| number.to_string());
    let code = outcome.code.map_or_else(String::new, |code| {
        format!("<br><small>確認区分 {} {}</small>", code.word(), code.text())
    });
    let suggested =
        outcome.suggested.map_or_else(String::new, |one| format!("<br><small>候補: {}</small>", one.text()));
    write!(
        into,
        "<tr class=\"{}\"><td class=\"n\">{number}<br><small>{}行目</small></td><td class=\"v\">{}{code}{suggested}</td><td>",
        outcome.verdict.word(),
        outcome.line,
        outcome.verdict.text(),
    )?;
    if let Some(written) = &outcome.written {
        let branch = written.branch.map_or_else(|| "－".to_owned(), |branch| branch.0.to_string());
        let (insurer, symbol, number) =
            (escaped(&written.insurer_number), escaped(&written.symbol), escaped(&written.number));
        write!(
            into,
            "{insurer}<br>{symbol}・{number}（枝番 {branch}）<br><small>{}生</small>",
            written.birth_date
        )?;
    }
    into.write_all(b"</td><td>")?;
    if outcome.days.is_empty() {
        into.write_all("－".as_bytes())?;
    }
    for days in &outcome.days {
        write_days(into, outcome, days)?;
    }
    into.write_all(b"</td><td><ol>")?;
    for reason in &outcome.reason {
        write!(into, "<li>{}</li>", escaped(&reason.text))?;
    }
    for warning in &outcome.warnings {
        write!(into, "<li><small>{}</small></li>", escaped(&warning.to_string()))?;
    }
    writeln!(into, "</ol></td><td class=\"n\">{}</td></tr>", grouped(outcome.points))
}

fn write_days(into: &mut impl Write, outcome: &Outcome, days: &DaysShown) -> std::io::Result<()> {
    let coverage = days.coverage.and_then(|at| outcome.coverages.get(at));
    let whose = match (days.holder, coverage) {
        (Holder::Other, Some(one)) => {
            let branch = one.branch.map_or_else(String::new, |branch| format!(" 枝番 {}", branch.0));
            format!(
                "{} {}・{}{branch}",
                escaped(&one.insurer_number),
                escaped(&one.symbol),
                escaped(&one.number)
            )
        }
        (holder, _) => holder.text().to_owned(),
    };
    let dates = match (days.known, days.dates.as_slice()) {
        (false, [first, .., last]) => format!("{first}～{last}のいずれか"),
        (_, dates) => dates.iter().map(|day| day.ymd().2.to_string()).collect::<Vec<_>>().join("、") + "日",
    };
    write!(into, "<div><b>{whose}</b><br>{dates}</div>")
}

/// A moment in Japan as clerks write it, to the minute.
fn told_time(at: Timestamp) -> String {
    let day = at.day_in_japan();
    let minutes = (at.millis() - day.starts_at().millis()) / 60_000;
    let (year, month, day) = day.ymd();
    format!("{year}年{month}月{day}日 {}:{:02}", minutes / 60, minutes % 60)
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_markup_is_text() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(escaped("<b>&\"'"), "&lt;b&gt;&amp;&quot;&#39;");
        assert_eq!(told_time(Timestamp::from_millis(1_782_000_000_000)), "2026年6月21日 9:00");
    }
}
