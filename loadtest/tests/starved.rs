//! A generator that gets no cores says so. In a program of its own: it takes a core from whatever
//! runs beside it.

mod support;

use std::process::{Child, Command, Stdio};

use loadtest::constant::Manner;
use support::{constant, plain, program, run_program};

struct Burner(Child);

impl Drop for Burner {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_starved_generator_says_invalid() {
    let burner = |_| {
        let burn = ["-c", "0", "sh", "-c", "while :; do :; done"];
        Burner(Command::new("taskset").args(burn).stdout(Stdio::null()).spawn().unwrap())
    };
    let _burners: Vec<_> = (0..2).map(burner).collect();
    let folder = tempfile::tempdir().unwrap();
    let mut starved = Command::new("taskset");
    starved.args(["-c", "0", "nice", "-n", "15"]).arg(program().get_program());
    let text = plain(constant(Manner::default()), 3000.0, 2.0, 8).replace("lag_ms=1000", "lag_ms=5");
    let (output, out) = run_program(starved, folder.path(), &text, &[]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("INVALID: the generator was late"), "{said}");
    assert!(said.contains("waited for a core"), "{said}");
    let report = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(report.contains("INVALID: the generator, and not the server, was the limit"));
}
