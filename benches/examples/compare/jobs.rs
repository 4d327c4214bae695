//! Numbers while a job of a million claims runs, on the servers' one core.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use gateway::clock::Clock;

use super::load::{Load, Measured};
use super::servers::{Folder, Server};
use super::{Failed, told};

/// Claims of the job.
const CLAIMS: &str = "1000000";

/// Asks at 2 000 a second without the job, beside arithmetic, and beside the job.
pub(super) fn beside(programs: &Path, folder: &Folder) -> Result<(), Failed> {
    println!("\nNumbers beside a job of a million claims, on one core");
    let made = folder.file("claims");
    let month = Clock::system().now().day_in_japan().plus(-31).to_string();
    let mut load = Command::new(programs.join("shikaku-load"));
    load.args(["claims", "--people", super::servers::PEOPLE, "--claims", CLAIMS]);
    load.args(["--month", month.get(..7).unwrap_or_default(), "--out"]).arg(&made);
    if !load.stdout(Stdio::null()).status()?.success() {
        return Err("`shikaku-load claims` failed".into());
    }
    let server = Server::gateway(programs, folder, "group")?;
    let load = Load { rate: 2_000, seconds: 12, ..Load::numbers() };
    median("2000 a second, alone", || load.on(programs, folder, &server))?;
    let spinning = [0, 1].map(spin);
    let both = median("beside arithmetic on both cores", || load.on(programs, folder, &server));
    for mut one in spinning.into_iter().flatten() {
        let _ = one.kill();
        let _ = one.wait();
    }
    both?;
    let upload = folder.upload("review", "/v1/prechecks", &made.join("claims.uke"))?;
    median("while a million claims are checked", || load.on(programs, folder, &server))?;
    let given = upload.wait_with_output()?.stdout;
    let id: serde_json::Value = serde_json::from_slice(&given)?;
    let id = id["id"].as_str().ok_or("no job")?.to_owned();
    let state = folder.curl_get("review", &format!("/v1/prechecks/{id}"))?;
    let state: serde_json::Value = serde_json::from_slice(&state)?;
    println!("{:<34} then the job was {} with {} judged", "", state["state"], state["progress"]["judged"]);
    Ok(())
}

/// Measures three times and tells the one whose p99 is in the middle: single ones depend on when others
/// have the machine.
fn median(name: &str, measure: impl Fn() -> Result<Measured, Failed>) -> Result<(), Failed> {
    let mut all = [measure()?, measure()?, measure()?];
    all.sort_by(|one, other| one.millis(99.0).total_cmp(&other.millis(99.0)));
    told(name, &all[1]);
    Ok(())
}

/// A loop that has what others leave of a core, as jobs have: what the machine itself adds when it is busy.
fn spin(core: usize) -> std::io::Result<Child> {
    let mut spin = Command::new("chrt");
    spin.args(["--idle", "0", "taskset", "-c", &core.to_string(), "sh", "-c", "while :; do :; done"]);
    spin.spawn()
}
