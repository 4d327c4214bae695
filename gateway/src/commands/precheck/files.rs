//! What a check of one file leaves: results in two forms, sums, the report, the copy.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use ::claims::{CopyFor, CsvWriter, Error, ReportHead, Summary, copy, write_report};
use eligibility::day::Timestamp;

use super::{CommandError, open, stored};

/// Octets written at once.
const BUFFER: usize = 1 << 18;

/// The folder of one file's results.
pub(super) struct Files {
    pub(super) folder: PathBuf,
}

impl Files {
    /// The folders of these files: the one that is named, or one within it for each of several.
    pub(super) fn of(out: &Path, files: &[PathBuf]) -> Result<Vec<Self>, CommandError> {
        let mut taken = BTreeSet::new();
        let folder = |file: &PathBuf| {
            if files.len() == 1 {
                return out.to_owned();
            }
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let numbered = (2..).map(|number| format!("{name}-{number}"));
            let free = std::iter::once(name.clone()).chain(numbered).find(|name| taken.insert(name.clone()));
            out.join(free.unwrap_or(name))
        };
        let folders: Vec<PathBuf> = files.iter().map(folder).collect();
        folders
            .into_iter()
            .map(|folder| {
                fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
                Ok(Self { folder })
            })
            .collect()
    }

    /// Where the results are.
    pub(super) fn results_path(&self) -> PathBuf {
        self.folder.join("results.ndjson")
    }

    /// The results, to be written.
    pub(super) fn results(&self) -> Result<BufWriter<File>, CommandError> {
        create(&self.results_path())
    }

    /// `results.csv`, of the results that are there.
    pub(super) fn write_csv(&self) -> Result<(), CommandError> {
        let path = self.folder.join("results.csv");
        let write = || -> Result<(), Error> {
            let mut rows = CsvWriter::new(BufWriter::with_capacity(BUFFER, File::create(&path)?))?;
            for outcome in stored(&self.results_path()).map_err(io::Error::other)? {
                rows.write(&outcome?)?;
            }
            rows.finish()?.flush()?;
            Ok(())
        };
        write().map_err(|error| spoiled(&path, &error))
    }

    /// `summary.json`.
    pub(super) fn write_summary(&self, summary: &Summary) -> Result<(), CommandError> {
        let path = self.folder.join("summary.json");
        let json = serde_json::to_vec_pretty(summary).unwrap_or_default();
        fs::write(&path, json).map_err(|error| failed(&path, &error))
    }

    /// `report.html`, of the results that are there.
    pub(super) fn write_report(
        &self,
        file: &Path,
        summary: &Summary,
        (made_at, known_at): (Timestamp, Option<Timestamp>),
    ) -> Result<(), CommandError> {
        let path = self.folder.join("report.html");
        let title = file.file_name().unwrap_or_default().to_string_lossy();
        let head = ReportHead { title: &title, made_at, known_at };
        write_report(create(&path)?, head, summary, stored(&self.results_path())?)
            .map_err(|error| spoiled(&path, &error))
    }

    /// The copy with its records filled in; how many there were. None of a file that holds no records,
    /// nor of one in which a 個人番号 was found.
    pub(super) fn write_copy(&self, file: &Path, whom: CopyFor) -> Result<Option<u64>, CommandError> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if !is_uke(file)? {
            return Ok(None);
        }
        let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, "UKE"));
        let kind = match whom {
            CopyFor::Institution => "filled",
            CopyFor::Review => "review",
        };
        let path = self.folder.join(format!("{stem}.{kind}.{extension}"));
        let copied = copy(open(file)?, stored(&self.results_path())?, whom, create(&path)?);
        match copied {
            Ok(changed) => Ok(Some(changed)),
            Err(error) => {
                let _ = fs::remove_file(&path);
                if let Error::MyNumber { line } = error {
                    eprintln!(
                        "{}: line {line} holds what looks like a 個人番号: no copy is made; remove it and check again",
                        file.display()
                    );
                    return Ok(None);
                }
                Err(spoiled(&path, &error))
            }
        }
    }
}

/// Whether a file begins as UKE does.
pub(super) fn is_uke(file: &Path) -> Result<bool, CommandError> {
    let mut first = [0; 64];
    let read = io::Read::read(&mut open(file)?, &mut first).map_err(|error| failed(file, &error))?;
    Ok(!first.get(..read).unwrap_or_default().trim_ascii_start().starts_with(b"{"))
}

fn create(path: &Path) -> Result<BufWriter<File>, CommandError> {
    let file = File::create(path).map_err(|error| failed(path, &error))?;
    Ok(BufWriter::with_capacity(BUFFER, file))
}

pub(super) fn failed(path: &Path, error: &io::Error) -> CommandError {
    CommandError::Environment(format!("{}: {error}", path.display()))
}

fn spoiled(path: &Path, error: &Error) -> CommandError {
    CommandError::Environment(format!("{}: {error}", path.display()))
}
