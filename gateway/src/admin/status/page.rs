//! `/status` for people: the same facts as a plain page, the alarming ones first and marked.

use std::fmt::Write as _;

use eligibility::day::Timestamp;
use eligibility::feed::Source;

use super::{Status, of};
use crate::gateway::{Gateway, Reload};

/// Seconds after which a feed is marked old.
const FEED_OLD: i64 = 26 * 3600;

const HEAD: &str = r#"<!doctype html>
<html lang="ja">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="10">
<title>オンライン資格確認 gateway</title>
<style>
body { font: 16px/1.5 sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1a1a1a; background: #fff }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd; vertical-align: top }
td.n { text-align: right; font-variant-numeric: tabular-nums }
strong.bad { color: #b00020 } .phase { font-size: 2rem }
</style>
</head>
<body>
"#;

/// The page.
pub(in crate::admin) fn page(gateway: &Gateway, now: Timestamp) -> Vec<u8> {
    let status = of(gateway, now);
    let mut page = HEAD.to_owned();
    let phase = match status.phase {
        "serving" => "応答中".to_owned(),
        "starting" => marked("起動中"),
        _ => marked("停止中"),
    };
    let _ = write!(page, "<h1>オンライン資格確認 gateway</h1>\n<p class=\"phase\">{phase}</p>\n");
    facts(&mut page, &status);
    latency(&mut page, gateway);
    feeds(&mut page, &status);
    lists(&mut page, &status);
    let _ = write!(page, "<p>{now} — 機械用は <code>Accept: application/json</code></p>\n</body>\n</html>\n");
    page.into_bytes()
}

fn facts(page: &mut String, status: &Status) {
    let audit = &status.audit;
    let full: Vec<_> = audit.room.iter().filter(|(_, room)| !**room).map(|(name, _)| *name).collect();
    let room =
        if full.is_empty() { "あり".to_owned() } else { marked(&format!("不足: {}", full.join(", "))) };
    let answers = audit.records.get("answers").copied().unwrap_or_default();
    let misses = audit.miss_budgets_used_up;
    let misses = if misses == 0 { misses.to_string() } else { marked(&misses.to_string()) };
    let rows = [
        ("負荷", load(status)),
        ("受付中の処理", classes(status)),
        ("版", format!("{} ({})", escaped(status.build.version), status.build.profile)),
        ("世代 (generation)", status.generation.to_string()),
        ("収載人数 / カード", format!("{} / {}", status.persons, status.serials)),
        ("監査記録 (回答)", answers.to_string()),
        ("監査ディスクの空き", room),
        ("ディスク待ち", format!("{} ms", audit.unsynced_ms)),
        ("資格確認ログの完了時点", audit.confirmations_complete_to.to_string()),
        ("該当なし上限の超過", misses),
        ("設定の再読み込み", reload(status)),
    ];
    page.push_str("<h2>状態</h2>\n<table id=\"facts\">\n");
    for (name, value) in rows {
        let _ = writeln!(page, "<tr><th>{name}</th><td>{value}</td></tr>");
    }
    page.push_str("</table>\n");
}

fn load(status: &Status) -> String {
    let load = &status.load;
    let words = match load.level {
        "calm" => "平常".to_owned(),
        "lower_classes_wait" => marked("下位の処理を停止中"),
        _ => marked("照会の多い端末を順番待ちに"),
    };
    let (callers, handshakes) = (load.callers_waiting, load.handshakes_waiting);
    format!("{words}（待ち {:.1} ms、順番待ち {callers}、接続待ち {handshakes}）", load.delay_ms)
}

fn classes(status: &Status) -> String {
    const NAMES: [(&str, &str); 4] =
        [("desk", "窓口"), ("intake", "登録・連携"), ("batch", "一括"), ("precheck", "事前確認")];
    let open = |word| status.load.classes.get(word).copied().unwrap_or_default();
    let shown = NAMES.map(|(word, name)| if open(word) { name.to_owned() } else { marked(name) });
    shown.join(" &gt; ")
}

fn reload(status: &Status) -> String {
    match &status.reload {
        None => "なし".to_owned(),
        Some(Reload { at, error: None }) => format!("{at} 反映済み"),
        Some(Reload { at, error: Some(error) }) => format!("{at} {}", marked(&format!("反映せず: {error}"))),
    }
}

fn latency(page: &mut String, gateway: &Gateway) {
    page.push_str("<h2>応答 (起動から)</h2>\n<table id=\"routes\">\n<tr><th>経路</th><th>件数</th><th>毎秒 (直近)</th><th>中央値</th><th>99%</th></tr>\n");
    for route in gateway.metrics.routes() {
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{:.1}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            escaped(&route.name),
            route.count,
            route.rate,
            below(route.median),
            below(route.p99)
        );
    }
    page.push_str("</table>\n");
}

/// A bound of the histogram: what is shown is that it was less.
fn below(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "> 5 s".to_owned(), |seconds| format!("≤ {} ms", seconds * 1000.0))
}

fn feeds(page: &mut String, status: &Status) {
    page.push_str("<h2>資格履歴の連携</h2>\n<table id=\"feeds\">\n<tr><th>連携元</th><th>完了時点</th><th>経過</th><th>保留</th></tr>\n");
    let mut feeds: Vec<_> = status.feeds.iter().collect();
    feeds.sort_by_key(|(_, feed)| std::cmp::Reverse(feed.age_seconds.unwrap_or(i64::MAX)));
    for (source, feed) in feeds {
        let at = feed.complete_to.map_or_else(|| "—".to_owned(), |at| at.to_string());
        let age = match feed.age_seconds {
            Some(age) if age <= FEED_OLD => words(age),
            Some(age) => marked(&words(age)),
            // What the gateway says itself is never marked complete.
            None if *source == Source::Gateway.to_string() => "—".to_owned(),
            None => marked("未完了"),
        };
        let waiting =
            if feed.quarantine == 0 { "0".to_owned() } else { marked(&feed.quarantine.to_string()) };
        let source = escaped(source);
        let _ = writeln!(
            page,
            "<tr><td>{source}</td><td>{at}</td><td>{age}</td><td class=\"n\">{waiting}</td></tr>"
        );
    }
    page.push_str("</table>\n");
}

fn lists(page: &mut String, status: &Status) {
    page.push_str("<h2>失効リスト</h2>\n<table id=\"lists\">\n<tr><th>認証局</th><th>発行</th><th>次回</th><th>失効数</th></tr>\n");
    for list in &status.revocation {
        let due = list.next_update.to_string();
        let due = if list.next_update > status.now { due } else { marked(&due) };
        let (authority, issued, revoked) = (escaped(&list.authority), list.this_update, list.revoked);
        let _ = writeln!(
            page,
            "<tr><td>{authority}</td><td>{issued}</td><td>{due}</td><td class=\"n\">{revoked}</td></tr>"
        );
    }
    page.push_str("</table>\n");
}

fn marked(text: &str) -> String {
    format!("<strong class=\"bad\">{}</strong>", escaped(text))
}

fn words(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} 秒"),
        120..7200 => format!("{} 分", seconds / 60),
        _ => format!("{} 時間", seconds / 3600),
    }
}

/// Names may hold anything; markup of theirs stays text.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_stays_text() {
        assert_eq!(
            marked("<a href=\"x\">&"),
            "<strong class=\"bad\">&lt;a href=&quot;x&quot;&gt;&amp;</strong>"
        );
        assert_eq!([words(5), words(600), words(90_000)], ["5 秒", "10 分", "25 時間"]);
    }
}
