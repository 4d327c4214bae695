//! Result files: parts add up to the whole, unlike runs are not compared, reports open in a browser.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod support;

use std::path::Path;
use std::process::Command;

use loadtest::constant::Manner;
use loadtest::result::RunResult;
use support::{constant, plain, program, run_program};

fn read(folder: &Path) -> RunResult {
    RunResult::read(&folder.join("result.json")).unwrap()
}

#[test]
fn the_parts_of_several_generators_are_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let text = plain(constant(Manner::default()), 300.0, 2.0, 6);
    let (whole, whole_out) = run_program(program(), folder.path(), &text, &[]);
    assert!(whole.status.success(), "{whole:?}");
    // As on two machines: both begin at the agreed time.
    let start = loadtest::clock::now().plus_millis(2500).to_string();
    let part = |part| run_program(program(), folder.path(), &text, &["--part", part, "--start-at", &start]).1;
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(|| part("2/2"));
        (part("1/2"), other.join().unwrap())
    });
    let merge = |files: &[&Path]| {
        let files = files.iter().map(|one| one.join("result.json"));
        program().arg("merge").args(files).arg("--out").arg(folder.path().join("sum")).output().unwrap()
    };
    assert!(merge(&[&first, &second]).status.success());
    let (sum, whole) = (read(&folder.path().join("sum")), read(&whole_out));
    assert_eq!(sum.judged().0.due, whole.judged().0.due);
    assert_eq!((&read(&first).conditions.began, &read(&second).conditions.began), (&start, &start));
    assert!(read(&first).judged().0.due < whole.judged().0.due);
    assert_eq!(sum.judged().0.ended, sum.seconds.iter().map(|one| one.ended).sum::<u64>());
    let twice = merge(&[&first, &first]);
    assert_eq!(twice.status.code(), Some(2));
    assert!(String::from_utf8(merge(&[&first]).stderr).unwrap().contains("missing parts: 2/2"));
}

#[test]
fn like_runs_are_compared_and_unlike_ones_refused() {
    let folder = tempfile::tempdir().unwrap();
    let address = constant(Manner::default());
    let out = |name: &str, text: &str, more: &[&str]| {
        let place = folder.path().join(name);
        std::fs::create_dir(&place).unwrap();
        let (output, out) = run_program(program(), &place, text, more);
        assert!(output.status.success(), "{output:?}");
        out.join("result.json")
    };
    let text = plain(address, 200.0, 1.0, 4);
    let (one, two) = (out("one", &text, &[]), out("two", &text, &[]));
    let faster = out("faster", &text, &["--scale", "1.5"]);
    let slow = plain(constant(Manner { delay: support::millis(20), ..Manner::default() }), 200.0, 1.0, 4);
    let slow = out("slow", &slow, &[]);
    let compare = |a: &Path, b: &Path| {
        program().arg("compare").args([a, b]).args(["--tolerance", "5"]).output().unwrap()
    };
    assert!(compare(&one, &two).status.code().is_some_and(|code| code < 2));
    let unlike = compare(&one, &faster);
    assert_eq!(unlike.status.code(), Some(2));
    assert!(String::from_utf8(unlike.stderr).unwrap().contains("scenario, phases"));
    let worse = compare(&one, &slow);
    assert_eq!(worse.status.code(), Some(1));
    assert!(String::from_utf8(worse.stdout).unwrap().contains("WORSE"));
}

#[test]
fn a_run_can_be_watched_by_prometheus_and_by_lines() {
    let folder = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = plain(constant(Manner::default()), 200.0, 4.0, 4);
    let page = std::thread::spawn(move || {
        let mut seen = String::new();
        for _ in 0..60 {
            std::thread::sleep(support::millis(100));
            let url = format!("http://{free}/metrics");
            let curl = Command::new("curl").args(["-s", &url]).output().unwrap();
            seen = String::from_utf8(curl.stdout).unwrap();
            if seen.lines().any(|line| line.starts_with("shikaku_load_ended_total ") && !line.ends_with(" 0"))
            {
                break;
            }
        }
        seen
    });
    let (output, _) = run_program(program(), folder.path(), &text, &["--prometheus", &free.to_string()]);
    let lines = String::from_utf8(output.stderr).unwrap();
    assert!(
        lines.lines().filter(|line| line.contains("s, ") && line.contains("/s due")).count() >= 3,
        "{lines}"
    );
    let page = page.join().unwrap();
    for name in
        ["shikaku_load_ended_total", "shikaku_load_latency_p99_seconds", "shikaku_load_lag_p99_seconds"]
    {
        assert!(page.contains(&format!("\n{name} ")), "{name}: {page}");
    }
}

#[test]
fn the_report_opens_in_a_browser_and_needs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let text = plain(constant(Manner::default()), 300.0, 2.0, 6).replace("name='plain'", "name='a <b> & c'");
    let (_, out) = run_program(program(), folder.path(), &text, &[]);
    let report = out.join("report.html");
    let page = std::fs::read_to_string(&report).unwrap();
    for outside in ["http-equiv", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    let image = folder.path().join("report.png");
    let browser = |action: &str| {
        Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--window-size=960,3200",
            ])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg(action)
            .arg(format!("file://{}", report.display()))
            .output()
            .unwrap()
    };
    let dom = String::from_utf8(browser("--dump-dom").stdout).unwrap();
    assert!(dom.contains("<title>a &lt;b&gt; &amp; c: load report</title>"), "{dom}");
    assert_eq!(dom.matches("<svg").count(), 7, "a plot is missing");
    assert!(dom.matches("<polyline").count() >= 14);
    assert!(dom.trim_end().ends_with("</body></html>"));
    browser(&format!("--screenshot={}", image.display()));
    // An empty page of this size is some 15 kB as PNG.
    assert!(std::fs::metadata(&image).unwrap().len() > 60_000);
}
