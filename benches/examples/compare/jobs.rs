//! Numbers while a job of a million claims runs, on the servers' one core.

use std::path::Path;
use std::process::{Command, Stdio};

use gateway::clock::Clock;

use super::load::Load;
use super::servers::{Folder, Server};
use super::{Failed, told};

/// Claims of the job.
const CLAIMS: &str = "1000000";

/// Asks at 2 000 a second without the job and beside it.
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
    let alone = load.on(programs, folder, &server)?;
    told("2000 a second, alone", &alone);
    let upload = folder.upload("review", "/v1/prechecks", &made.join("claims.uke"))?;
    let beside = load.on(programs, folder, &server)?;
    told("while a million claims are checked", &beside);
    let given = upload.wait_with_output()?.stdout;
    let id: serde_json::Value = serde_json::from_slice(&given)?;
    let id = id["id"].as_str().ok_or("no job")?.to_owned();
    let state = folder.curl_get("review", &format!("/v1/prechecks/{id}"))?;
    let state: serde_json::Value = serde_json::from_slice(&state)?;
    println!("{:<34} then the job was {} with {} judged", "", state["state"], state["progress"]["judged"]);
    Ok(())
}
