//! A short run against a real gateway: every answer is the expected one.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests end by panicking")]

mod support;

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use loadtest::result::RunResult;
use loadtest::{clock, outcome};
use support::{program, run_program, shikaku};

struct Gateway {
    folder: tempfile::TempDir,
    listen: String,
    admin: String,
    process: Child,
}

impl Gateway {
    fn start(people: &str) -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let (folder, listen, admin) = (tempfile::tempdir().unwrap(), free(), free());
        let process = Command::new(shikaku())
            .args(["demo", "--people", people, "--listen", &listen, "--admin", &admin, "--dir"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut gateway = Self { folder, listen, admin, process };
        let began = clock::instant();
        while !gateway.is_ready() {
            assert!(gateway.process.try_wait().unwrap().is_none(), "the gateway has ended");
            assert!(began.elapsed() < Duration::from_secs(120), "the gateway is not ready");
            std::thread::sleep(Duration::from_millis(100));
        }
        gateway
    }

    fn is_ready(&self) -> bool {
        let page = format!("http://{}/readyz", self.admin);
        let curl = Command::new("curl")
            .args(["-s", "-o", "/dev/null", "-w", "%{http_code}", &page])
            .output()
            .unwrap();
        curl.stdout == b"200"
    }

    fn scenario(&self, mix: &str, phases: &str) -> String {
        format!(
            "name='real'\nobjectives=['wrong == 0', 'errors == 0']\n[target]\nurl='https://{}'\nfolder='{}'\nmetrics='http://{}/metrics'\n\
             [institutions]\nhospitals=1\nclinics=5\ndental=3\npharmacies=3\nconnections=4\n[mix]\n{mix}\n\
             [cards]\ndifferent=80\nrsa_keys=2\n[numbers]\ndifferent=600\n[generator]\nlag_ms=1000\ntimeout=30\n{phases}",
            self.listen,
            self.folder.path().display(),
            self.admin
        )
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const PHASES: &str = "[[phases]]\nname='steady'\nshape='constant'\nrate=60\nseconds=5\n\
                      [[phases]]\nname='anew'\nshape='constant'\nrate=15\nseconds=2\nfresh=1\n";

/// Callers who send slowly, never read, say nothing, or come and go.
fn neighbours() -> String {
    let one = |kind| format!("[[disturbances]]\nkind='{kind}'\nconnections=3\nfrom=1\nseconds=5\n");
    ["slow_sender", "slow_reader", "flood", "handshakes"].map(one).concat()
}

/// A run in which every answer is the expected one, and what it said. Where the machine stands still for a
/// moment, the gateway leaves batches and pre-checks undone: then it is made again.
fn undisturbed(text: &str, arguments: &[&str]) -> (String, RunResult) {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let (output, out) = run_program(program(), folder.path(), text, arguments);
        let said = String::from_utf8(output.stdout).unwrap();
        if !said.contains(" overloaded ") {
            assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
            return (said, RunResult::read(&out.join("result.json")).unwrap());
        }
    }
    panic!("refused as too much in each of five runs");
}

#[test]
fn every_answer_of_a_real_gateway_is_the_expected_one() {
    let gateway = Gateway::start("4000");
    let mix = "card=40\nnumber=50\nbatch=3\nbatch_lines=40\nchallenge=2\nplain=2\npath='/openapi.json'\n\
               precheck=3\nprecheck_claims=20";
    let text = gateway.scenario(mix, &format!("{PHASES}{}", neighbours()));
    let (said, result) = undisturbed(&text, &[]);
    let all = result.judged().0;
    assert_eq!((all.due, all.failed, all.wrong), (all.ended, 0, 0), "{said}");
    for kind in outcome::Kind::ALL {
        assert!(all.kinds.contains_key(&kind), "{kind:?} was not asked: {said}");
    }
    let words: Vec<&str> = all.answers.iter().map(|one| one.word.text()).collect();
    for word in ["valid", "invalid_newer", "not_linked", "ok"] {
        assert!(words.contains(&word), "{word}: {said}");
    }
    assert_eq!(result.signing.when, "in the run");
    assert!(all.handshake.count() >= 15 && result.before.handshake.count() >= 15);
    let seen = result
        .seconds
        .iter()
        .any(|one| one.server.get("shikaku_requests_total").is_some_and(|sum| *sum > 0.0));
    assert!(seen, "the server's metrics are in the result");
    let before = text.replace("[cards]", "[cards]\nsigning='before'");
    let (_, result) = undisturbed(&before, &["--scale", "0.5"]);
    assert_eq!((result.signing.when.as_str(), result.judged().0.unsigned), ("before the run", 0));
    let second = text.replace("[target]", "[target]\nhttp2=true");
    let (_, result) = undisturbed(&second, &["--scale", "0.6"]);
    let all = result.judged().0;
    assert_eq!((all.due, all.failed, all.wrong), (all.ended, 0, 0));
    assert!(result.seconds.iter().any(|one| one.server.contains_key("shikaku_requests_total")));
}

#[test]
fn capacity_is_found_and_answered() {
    let gateway = Gateway::start("1000");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.toml");
    let text = gateway.scenario("number=1", PHASES).replace("'wrong == 0'", "'p99 <= 2s', 'wrong == 0'");
    std::fs::write(&file, text).unwrap();
    let process = gateway.process.id().to_string();
    let out = folder.path().join("capacity");
    let output = program()
        .arg("capacity")
        .arg(&file)
        .args([
            "--from",
            "20",
            "--to",
            "80",
            "--seconds",
            "1",
            "--repeats",
            "1",
            "--peak",
            "40",
            "--server-process",
            &process,
            "--out",
        ])
        .arg(&out)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("one machine holds at least 80 requests a second"), "{said}");
    assert!(said.contains("2.00 times your peak"), "{said}");
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("capacity.json")).unwrap()).unwrap();
    assert_eq!(json["capacity"]["limit"], "none");
    assert!(
        json["capacity"]["trials"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["server_cores"].as_f64().is_some())
    );
    let shares = std::fs::read_to_string(out.join("shares.csv")).unwrap();
    let sum: f64 =
        shares.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().parse::<f64>().unwrap()).sum();
    assert!((sum - 1.0).abs() < 0.001, "{sum}");
    assert!(std::fs::read_to_string(out.join("capacity.html")).unwrap().contains("<svg"));
}

#[test]
fn a_server_that_is_not_there_is_an_answer_of_no_and_not_a_crash() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let result = support::run_here(&support::plain(nobody, 100.0, 1.0, 2));
    let all = result.judged().0;
    assert_eq!((all.failed, all.ended), (all.due, all.due));
    assert!(all.answers.iter().all(|one| one.word == outcome::Word::REFUSED), "{:?}", all.answers);
    if !result.verdict.valid {
        panic!("{:?}", result.verdict);
    }
}
