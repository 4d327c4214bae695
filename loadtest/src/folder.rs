//! A folder of people, cards and certificates, as `shikaku demo` makes it: who can be asked about,
//! and by whom.

use std::path::{Path, PathBuf};

use eligibility::day::{Day, Timestamp};
use eligibility::feed::{Record, Said};
use population::Population;
use serde::Deserialize;

use crate::target::read;

/// The folder.
pub struct Folder {
    path: PathBuf,
    /// The nation in it, as of the day on which it was made.
    pub population: Population,
    /// The first place that is no named person's: the situations of those are made anew each day.
    pub first: u64,
}

#[derive(Deserialize)]
struct Made {
    people: u64,
    seed: u64,
}

impl Folder {
    /// Opens it.
    ///
    /// # Errors
    /// The file that is missing or makes no sense.
    pub fn open(path: &Path) -> Result<Self, String> {
        let file = path.join("demo.toml");
        let text = read(&file)
            .map_err(|error| format!("{error}; `shikaku demo --prepare-only` makes such a folder"))?;
        let made: Made = toml::from_str(&String::from_utf8_lossy(&text))
            .map_err(|error| format!("{}: {error}", file.display()))?;
        let population = Population::new(made.seed, made.people, made_on(&path.join("feed/portal.ndjson"))?);
        let named = population.situations().iter().map(|one| one.person + 1).max().unwrap_or_default();
        Ok(Self { path: path.to_owned(), population, first: named })
    }

    /// A file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// The day in Japan on which a feed's first mark says it is complete.
fn made_on(feed: &Path) -> Result<Day, String> {
    let mark = |line: &[u8]| match Record::from_json(line).ok()?.said {
        Said::Mark { complete_to, .. } => Some(complete_to),
        _ => None,
    };
    let lines = read(feed)?;
    let at: Option<Timestamp> = lines.split(|octet| *octet == b'\n').find_map(mark);
    at.map(Timestamp::day_in_japan).ok_or_else(|| format!("{}: no mark in it", feed.display()))
}
