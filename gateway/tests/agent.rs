//! The terminal agent: the program between two folders and a real gateway, killed and starved.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]
#![expect(clippy::disallowed_methods, reason = "waiting by the clock for another process")]

mod world;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gateway::wire::xml;
use rand::RngExt;
use world::{World, shikaku};

const QUERY: &str = include_str!("golden/OQSsiquc01req.xml");

/// Questions about the named employee: thousands about nobody would use up the day's misses.
fn query(file: &str) -> String {
    let text = QUERY.replace("  138057", "06132013").replace("架空-１", "12-34").replace("0567", "567");
    let text = text.replace(">01<", ">00<").replace("19500203", "19800203");
    let text =
        text.replace("    <QualificationConfirmationDate>20261121</QualificationConfirmationDate>\n", "");
    text.replace("20261121090211120-1", file)
}

struct Office {
    world: World,
    folder: tempfile::TempDir,
}

impl Office {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["req", "res", "face"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { world: World::prepared(60), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn line(&self, command: &mut Command) {
        let file = |name: &str| self.world.path(name);
        command
            .args(["--server", &format!("https://localhost:{}", self.world.listen.port())])
            .arg("--ca")
            .arg(file("tls/ca.pem"))
            .arg("--client")
            .arg(file("clients/reception.pem"))
            .arg("--client-key")
            .arg(file("clients/reception-key.pem"));
    }

    fn agent(&self) -> Command {
        let mut command = shikaku();
        command.arg("agent");
        for name in ["req", "res", "face"] {
            command.arg(format!("--{name}")).arg(self.path(name));
        }
        self.line(&mut command);
        command.stderr(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn start(&self) -> Running {
        Running(self.agent().spawn().unwrap())
    }

    /// Leaves a request as claim computers do: under its own name once it is whole.
    fn put(&self, name: &str, text: &str) {
        let part = self.path("req").join(format!("{name}.tmp"));
        std::fs::write(&part, text).unwrap();
        std::fs::rename(part, self.path("req").join(name)).unwrap();
    }

    fn put_many(&self, count: usize) {
        for number in 0..count {
            self.put(&format!("OQSsiquc01req_{number}.xml"), &query(&format!("file-{number}")));
        }
    }

    fn files(&self, folder: &str) -> BTreeSet<String> {
        let all = std::fs::read_dir(self.path(folder)).unwrap();
        let names = all.map(|one| one.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.starts_with(".shikaku")).collect()
    }

    fn assert_each_is_answered_once(&self, count: usize) {
        assert_eq!(self.files("req"), BTreeSet::new());
        let expected: BTreeSet<_> = (0..count).map(|number| format!("OQSsiquc01res_{number}.xml")).collect();
        assert_eq!(self.files("res"), expected);
        for number in 0..count {
            let octets = std::fs::read(self.path(&format!("res/OQSsiquc01res_{number}.xml"))).unwrap();
            let (text, _) = xml::decode(&octets, None).unwrap();
            xml::from_xml(&text).unwrap();
            assert!(text.contains(&format!("<ArbitraryFileIdentifier>file-{number}</")), "{text}");
        }
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "not so in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn thousands_that_wait_are_answered_each_once_though_the_agent_is_killed() {
    const FILES: usize = 3000;
    let mut office = Office::new();
    office.put_many(FILES);
    office.world.start();
    let mut killed = 0;
    while !office.files("req").is_empty() && killed < 40 {
        let mut agent = office.start();
        std::thread::sleep(Duration::from_millis(rand::rng().random_range(60..400)));
        agent.0.kill().unwrap();
        agent.0.wait().unwrap();
        killed += 1;
        // At every moment each request is a request, a finished answer, or an answer.
        let held = office.files("req").len()
            + office.files("res").iter().filter(|name| !name.ends_with(".part")).count();
        assert!(held >= FILES, "{held} after {killed} kills");
    }
    assert!(killed > 1, "it was over before it could be killed");
    assert!(office.agent().arg("--once").status().unwrap().success());
    office.assert_each_is_answered_once(FILES);
}

#[test]
fn the_service_may_come_later_and_go_in_between() {
    let mut office = Office::new();
    office.put("OQSsiquc01req_0.xml", &query("file-0"));
    let _agent = office.start();
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(office.files("req").len(), 1, "kept while nobody answers");
    office.world.start();
    until("answered", || office.files("req").is_empty() && office.files("res").len() == 1);
    office.world.kill();
    office.put("OQSsiquc01req_1.xml", &query("file-1"));
    std::thread::sleep(Duration::from_millis(300));
    office.world.start();
    until("answered again", || office.files("req").is_empty() && office.files("res").len() == 2);
    office.assert_each_is_answered_once(2);
}

#[test]
fn what_cannot_be_read_goes_aside_and_refusals_are_answers() {
    let mut office = Office::new();
    office.world.start();
    office.put("OQSsiquc01req_bad.xml", "<!DOCTYPE XmlMsg><XmlMsg></XmlMsg>");
    office.put("OQSsixyz01req_1.xml", "<XmlMsg></XmlMsg>");
    office.put("OQSsiquc01req_no.xml", &QUERY.replace("  138057", "06132014"));
    office.put("PMHsimsm01req_1.xml", "another system's");
    std::fs::write(office.path("req/OQSsiquc01req_half.xml"), "<XmlMsg>").unwrap();
    let _agent = office.start();
    until("moved", || office.files("res").len() == 1 && office.path("req/unreadable").exists());
    until("all moved", || office.files("req/unreadable").len() == 4);
    let aside = office.files("req/unreadable");
    let expected = [
        "OQSsiquc01req_bad.xml",
        "OQSsiquc01req_bad.xml.txt",
        "OQSsixyz01req_1.xml",
        "OQSsixyz01req_1.xml.txt",
    ];
    assert_eq!(aside, expected.map(str::to_owned).into());
    // A request goes a moment after its answer has come.
    until("taken", || !office.path("req/OQSsiquc01req_no.xml").exists());
    let left = ["OQSsiquc01req_half.xml", "PMHsimsm01req_1.xml", "unreadable"];
    assert_eq!(office.files("req"), left.map(str::to_owned).into());
    let answer = std::fs::read_to_string(office.path("res/OQSsiquc01res_no.xml")).unwrap();
    assert!(answer.contains("<ErrorCode>invalid_field<"), "{answer}");
    // The rest of the half one comes.
    std::fs::write(office.path("req/OQSsiquc01req_half.xml"), QUERY).unwrap();
    until("answered", || office.files("res").len() == 2);
}

fn left(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|one| one.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_card_leaves_a_face_file() {
    let mut office = Office::new();
    office.world.start();
    let lay = |card: &str, encoding: &str| {
        let file = |suffix: &str| office.world.path(&format!("cards/{card}.{suffix}"));
        let mut command = shikaku();
        command.args(["agent", "card", "--encoding", encoding, "--certificate"]).arg(file("der"));
        command.arg("--key").arg(file("key.pem")).arg("--face").arg(office.path("face"));
        office.line(&mut command);
        command.output().unwrap()
    };
    for (count, encoding) in [(1, "UTF-8"), (2, "Shift_JIS")] {
        let output = lay("employee", encoding);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let path = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
        assert!(path.exists());
        let octets = std::fs::read(&path).unwrap();
        let (text, charset) = xml::decode(&octets, None).unwrap();
        assert_eq!(charset.name(), encoding);
        assert!(text.contains("<QualificationValidity>1<"), "{text}");
        let names = left(&office.path("face"));
        assert_eq!(names.len(), count, "{names:?}");
        assert!(names.iter().all(|name| name.starts_with("OQSsiquc01res_face_1312345679")), "{names:?}");
    }
    let revoked = office.world.cards().into_iter().find(|card| card["state"] == "revoked").unwrap();
    let output = lay(revoked["name"].as_str().unwrap(), "UTF-8");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("失効"), "{output:?}");
    assert_eq!(left(&office.path("face")).len(), 2);
}
