//! The files of a result.

use std::path::Path;

use super::CommandError;
use crate::report;
use crate::result::RunResult;

/// Writes `result.json`, `report.html`, `seconds.csv` and `percentiles.csv`.
pub(super) fn all(result: &RunResult, folder: &Path) -> Result<(), CommandError> {
    std::fs::create_dir_all(folder).map_err(|error| CommandError::file(folder, error))?;
    let json = serde_json::to_vec(result).map_err(|error| CommandError::file(folder, error))?;
    let files = [
        ("result.json", json),
        ("report.html", report::html(result).into_bytes()),
        ("seconds.csv", report::seconds_csv(result).into_bytes()),
        ("percentiles.csv", report::percentiles_csv(result).into_bytes()),
    ];
    for (name, octets) in files {
        let path = folder.join(name);
        std::fs::write(&path, octets).map_err(|error| CommandError::file(&path, error))?;
    }
    eprintln!("written: {}", folder.join("report.html").display());
    Ok(())
}
