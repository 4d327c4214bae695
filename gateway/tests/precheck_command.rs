//! `shikaku precheck` as a clinic meets it: what it writes and says offline and by a server, its exit
//! codes, and the report in a browser.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

mod world;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use encoding_rs::SHIFT_JIS;
use population::claim::{self, Form, Institution};
use serde_json::Value;
use world::{World, shikaku};

/// Five claims: of the employee without 枝番, of nobody, of one whose month is broken, of 公費単独, and of
/// an insurer that is not known.
const FILE: &str = "IR,1,13,1,2345679,,架空診療所,202607,00,\r\n\
    RE,1,1112,202606,架空　太郎,1,19800203,,,,,,,A-1\r\nHO,06132013,１２－３４,５６７,1,300\r\nSN,1,01,,,,,,\r\nJD,1,,,1\r\n\
    RE,2,1112,202606,架空　次郎,1,19800203\r\nHO,06132013,１２－３４,９９９９９,1,1200\r\nSN,1,01,,,,,,\r\nJD,1,,,1\r\n\
    RE,3,1112,202613,架空　三郎,1,19800203\r\nHO,06132013,１２－３４,５６７,1,500\r\n\
    RE,4,1212,202606,架空　四郎,1,19800203\r\nKO,12136015,1234566,,1,420,0\r\n\
    RE,5,1112,202606,架空　五郎,1,19800203\r\nHO,77777777,,５６７,1,700\r\nGO,5,3120,99\r\n\u{1A}";

fn write(world: &World, name: &str, octets: &[u8]) -> PathBuf {
    let path = world.path(name);
    std::fs::write(&path, octets).unwrap();
    path
}

fn file(world: &World) -> PathBuf {
    write(world, "RECEIPTC.UKE", &SHIFT_JIS.encode(FILE).0)
}

fn offline(world: &World, files: &[&Path], more: &[&str]) -> (Option<i32>, String, String) {
    run(shikaku().arg("precheck").args(files).arg("--config").arg(world.path("shikaku.toml")).args(more))
}

fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (status.code(), text(stdout), text(stderr))
}

fn verdicts(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("results.ndjson")).unwrap();
    let verdict =
        |line: &str| serde_json::from_str::<Value>(line).unwrap()["verdict"].as_str().unwrap().to_owned();
    text.lines().map(verdict).collect()
}

fn lines(octets: &[u8]) -> Vec<String> {
    SHIFT_JIS.decode(octets).0.lines().map(str::to_owned).collect()
}

#[test]
fn a_file_is_checked_offline_and_by_a_server_alike() {
    let mut world = World::prepared(300);
    let (path, out) = (file(&world), world.path("out"));
    let (code, said, wrong) = offline(&world, &[&path], &["--out", out.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{said}{wrong}");
    let expected = ["ok_branch_found", "not_found", "unreadable", "skipped", "review"];
    assert_eq!(verdicts(&out), expected);
    assert!(
        said.contains("5 claims") && said.contains("not_found") && said.contains("report.html"),
        "{said}"
    );
    let copy = std::fs::read(out.join("RECEIPTC.filled.UKE")).unwrap();
    let (before, after) = (lines(&std::fs::read(&path).unwrap()), lines(&copy));
    let changed: Vec<_> = before.iter().zip(&after).filter(|(one, other)| one != other).collect();
    assert_eq!(changed, [(&"SN,1,01,,,,,,".to_owned(), &"SN,1,01,,,,00,,".to_owned())]);
    let summary: Value = serde_json::from_slice(&std::fs::read(out.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["all"]["claims"], 5);
    assert_eq!(claims::read_csv(std::fs::File::open(out.join("results.csv")).unwrap()).unwrap().count(), 5);

    world.start();
    let there = world.path("there");
    let pem = |name: &str| world.path(name).to_str().unwrap().to_owned();
    let ask = |who: &str, more: &[&str]| {
        let server = format!("https://localhost:{}", world.listen.port());
        run(shikaku()
            .arg("precheck")
            .arg(&path)
            .args(["--server", &server, "--ca", &pem("tls/ca.pem"), "--out", there.to_str().unwrap()])
            .args([
                "--cert",
                &pem(&format!("clients/{who}.pem")),
                "--key",
                &pem(&format!("clients/{who}-key.pem")),
            ])
            .args(more))
    };
    let (code, said, wrong) = ask("reception", &["--as", "review"]);
    assert_eq!(code, Some(0), "{said}{wrong}");
    assert_eq!(verdicts(&there), expected);
    let reviewed = lines(&std::fs::read(there.join("RECEIPTC.review.UKE")).unwrap());
    assert!(
        reviewed.contains(&"SN,1,09,,,,00,,".to_owned()) && reviewed.contains(&"SN,1,03,,,,,,".to_owned())
    );
    let (code, _, wrong) = ask("portal", &[]);
    assert_eq!((code, wrong.contains("forbidden")), (Some(1), true), "{wrong}");
    // The ledger is the service's while it runs.
    let (code, _, wrong) = offline(&world, &[&path], &["--out", out.to_str().unwrap()]);
    assert_eq!((code, wrong.contains("--server")), (Some(3), true), "{wrong}");
}

#[test]
fn exit_codes_and_errors_say_whose_fault_it_is() {
    let world = World::prepared(60);
    let path = file(&world);
    let out = world.path("out").to_str().unwrap().to_owned();
    let strict = offline(&world, &[&path], &["--out", &out, "--strict"]);
    assert_eq!((strict.0, strict.2.contains("3 claims may not go out")), (Some(1), true), "{}", strict.2);
    let wide: Vec<u8> = FILE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide = write(&world, "wide.UKE", &wide);
    let (code, _, wrong) = offline(&world, &[&wide], &["--out", &out]);
    assert_eq!((code, wrong.contains("wide.UKE") && wrong.contains("CP932")), (Some(1), true), "{wrong}");
    let empty = write(&world, "empty.UKE", b"");
    let (code, _, wrong) = offline(&world, &[&empty], &["--out", &out]);
    assert_eq!((code, wrong.contains("holds no claim")), (Some(1), true), "{wrong}");
    let (code, _, wrong) = offline(&world, &[&world.path("none.UKE")], &[]);
    assert_eq!((code, wrong.contains("none.UKE")), (Some(2), true), "{wrong}");
    assert_eq!(run(shikaku().arg("precheck").arg(&path)).0, Some(2), "neither --config nor --server");
    let other = run(shikaku().arg("precheck").arg(&path).args(["--server", "https://localhost:1"]));
    assert_eq!((other.0, other.2.contains("--ca")), (Some(2), true), "{}", other.2);

    // A number that must not be there is neither copied nor repeated.
    let hidden = FILE.replace("５６７,1,300", "1234-5678-9018,1,300");
    let hidden = write(&world, "hidden.UKE", &SHIFT_JIS.encode(&hidden).0);
    let (code, said, wrong) = offline(&world, &[&hidden], &["--out", &out]);
    assert_eq!((code, wrong.contains("no copy is made")), (Some(0), true), "{wrong}");
    assert!(!world.path("out/hidden.filled.UKE").exists());
    for text in [said, wrong, std::fs::read_to_string(world.path("out/report.html")).unwrap()] {
        assert!(!text.contains("1234-5678-9018"), "{text}");
    }
    // Several files have a folder each.
    let (code, ..) = offline(&world, &[&path, &hidden], &["--out", &out]);
    assert_eq!(code, Some(0));
    assert!(
        world.path("out/RECEIPTC.UKE/report.html").exists()
            && world.path("out/hidden.UKE/report.html").exists()
    );
}

/// A file of one claim that somebody else's insurance takes over, and the day of its last visit.
fn taken_over(world: &World, people: u64) -> PathBuf {
    let made: Value = toml::from_str(&std::fs::read_to_string(world.path("demo.toml")).unwrap()).unwrap();
    let today = gateway::clock::Clock::system().now().day_in_japan();
    let population = population::Population::new(made["seed"].as_u64().unwrap(), people, today);
    let first = |back: i32| today.plus(1 - today.ymd().2 as i32).plus_months(-back);
    let claim = (1..12).find_map(|back| {
        let all = (0..people).filter_map(|place| population.claim(place, first(back), 0));
        let fits = all.into_iter().find(|claim| claim.answer.verdict == "transfer");
        fits.map(|claim| (first(back), claim))
    });
    let (month, claim) = claim.unwrap();
    let code = eligibility::number::InstitutionCode::parse("1312345679").unwrap();
    let maker = Institution { code, form: Form::Medical, agency: 1, services: 1 };
    let mut file = Vec::new();
    claim::write(&mut file, maker, month, std::iter::once(claim)).unwrap();
    write(world, "MOVED.UKE", &file)
}

#[test]
fn what_is_named_offline_leaves_its_record_too() {
    let world = World::prepared(2_000);
    let file = taken_over(&world, 2_000);
    let out = world.path("out");
    let (code, said, wrong) = offline(&world, &[&file], &["--out", out.to_str().unwrap()]);
    assert_eq!((code, verdicts(&out)), (Some(0), vec!["transfer".to_owned()]), "{said}{wrong}");
    let export = |class: &str| {
        let config = world.path("shikaku.toml");
        let mut export = shikaku();
        let (code, said, wrong) =
            run(export.args(["audit", "export", "--class", class, "--config"]).arg(config));
        assert_eq!(code, Some(0), "{wrong}");
        said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>()
    };
    let is = |record: &&Value, route: &str| record["route"] == route && record["role"] == "operator";
    let answers = export("answers");
    let naming = answers.iter().find(|record| is(record, "naming")).unwrap();
    assert_eq!((&naming["outcome"], &naming["shown"]), (&"transfer".into(), &1.into()));
    assert!(export("acts").iter().any(|record| is(&record, "precheck")));
}

/// What the browser makes of a page; `None` where none is installed.
fn browser(page: &Path, arguments: &[&str]) -> Option<String> {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--virtual-time-budget=2000",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .env("HOME", profile.path())
        .output();
    match output {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(String::from_utf8(output.stdout).unwrap())
        }
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
            eprintln!("chromium is not installed: the report was not opened");
            None
        }
    }
}

/// The page with something done to it once it is there.
fn acted_on(page: &Path, script: &str) -> PathBuf {
    let text = std::fs::read_to_string(page).unwrap();
    let path = page.with_extension("acted.html");
    std::fs::write(&path, text.replace("</body>", &format!("<script>{script}</script></body>"))).unwrap();
    path
}

/// The classes of the rows that are seen.
fn rows(dom: &str) -> Vec<&str> {
    let body = dom.split("id=\"claims\"").nth(1).unwrap().split("<tbody>").nth(1).unwrap();
    let rows =
        body.split("<tr class=\"").skip(1).filter(|row| !row.split('>').next().unwrap().contains("hidden"));
    rows.map(|row| row.split('"').next().unwrap()).collect()
}

#[test]
fn the_report_is_read_filtered_and_printed_in_a_browser() {
    let world = World::prepared(60);
    let out = world.path("out");
    assert_eq!(offline(&world, &[&file(&world)], &["--out", out.to_str().unwrap()]).0, Some(0));
    let page = out.join("report.html");
    let Some(dom) = browser(&page, &["--dump-dom"]) else { return };
    assert_eq!(rows(&dom), ["not_found", "unreadable", "review"]);
    assert!(dom.contains("3件を表示"), "the page's own script has run");
    let unticked = "document.querySelector('input[value=review]').click()";
    let dom = browser(&acted_on(&page, unticked), &["--dump-dom"]).unwrap();
    assert_eq!((rows(&dom), dom.contains("2件を表示")), (vec!["not_found", "unreadable"], true));
    let searched = "words.value = '77777777'; words.dispatchEvent(new Event('input'))";
    let dom = browser(&acted_on(&page, searched), &["--dump-dom"]).unwrap();
    assert_eq!((rows(&dom), dom.contains("1件を表示")), (vec!["review"], true));
    for (name, arguments, begins) in [
        ("page.png", "--screenshot", &b"\x89PNG"[..]),
        ("page.pdf", "--no-pdf-header-footer --print-to-pdf", b"%PDF"),
    ] {
        let made = out.join(name);
        let mut arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
        arguments.last_mut().unwrap().push_str(&format!("={}", made.display()));
        arguments.push("--window-size=1280,1000".to_owned());
        browser(&page, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let octets = std::fs::read(&made).unwrap();
        assert!(octets.starts_with(begins) && octets.len() > 10_000, "{name}: {} octets", octets.len());
    }
}
