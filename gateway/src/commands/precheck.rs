//! `shikaku precheck`: checks claim files before they are sent, against a configuration's own ledger
//! or against a server, and writes the results beside each other.
//!
//! Reading and judging is the business of `claims`; what is written is in `files`, talking to a server
//! in `remote`.

mod files;
mod remote;

use std::fs::File;
use std::io::{self, BufReader};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ::claims::{Caller, Claims, CopyFor, Error, Outcome, Summary, Terms, precheck, read_results};
use clap::{Args, ValueEnum};
use disk::Folder;
use eligibility::day::Timestamp;
use indicatif::{ProgressBar, ProgressStyle};

use super::CommandError;
use super::remote::Server;
use crate::audit::{Audit, Entry, Work};
use crate::clock::Clock;
use crate::config::{Config, InsurerList};
use crate::desk::Staleness;
use crate::follow::{self, Followed};
use crate::intake::Held;
use crate::jobs::{Known, Namings};
use crate::past::{Past, Today, Wanted};
use crate::path::Request;
use crate::peer::Peer;
use crate::request_id;
use files::{Files, failed};

/// Checks claim files (UKE, HEN or NDJSON) before they are sent
///
/// Of each file are written: results.ndjson, results.csv, summary.json, report.html, and a copy in which
/// missing branch numbers (枝番) that are certain are filled in. With several files each has a folder of
/// its own.
#[derive(Args)]
#[command(
    after_help = "Ends with 0 when every claim has its verdict, with 1 when a file is no claim file or holds no claim.\n\nExamples:\n  shikaku precheck RECEIPTC.UKE --config shikaku.toml --out checked\n  shikaku precheck RECEIPTC.UKE --server https://localhost:8443 --ca ca.pem --cert clinic.pem --key clinic-key.pem"
)]
pub(super) struct Precheck {
    /// Claim files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Check against the ledger of this configuration, while its service is stopped
    #[arg(long, required_unless_present = "server", conflicts_with = "server")]
    config: Option<PathBuf>,
    #[command(flatten)]
    server: Server,
    /// Judge as it was known at this instant (RFC 3339); for reviewers
    #[arg(long, value_name = "INSTANT", value_parser = super::instant)]
    known_at: Option<Timestamp>,
    /// Folder for what is written
    #[arg(long, default_value = "precheck")]
    out: PathBuf,
    /// For whom the copy is: a reviewer's also has 確認区分 (02-09)
    #[arg(long = "as", value_enum, default_value_t = Whom::Institution)]
    whom: Whom,
    /// End with 1 also when a claim may not go out as it is
    #[arg(long)]
    strict: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Whom {
    Institution,
    Review,
}

impl From<Whom> for CopyFor {
    fn from(whom: Whom) -> Self {
        match whom {
            Whom::Institution => Self::Institution,
            Whom::Review => Self::Review,
        }
    }
}

impl Precheck {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        // Every file is there before the first is checked: it may take a while.
        for file in &self.files {
            open(file)?;
        }
        let at_stake = match &self.config {
            Some(config) => {
                let offline = Offline::open(config, self.known_at)?;
                let at_stake = self.check_each(|file, files| offline.check(file, files))?;
                offline.followed.close();
                at_stake
            }
            None => self.check_each(|file, files| {
                self.server.run(async |calls| calls.check(file, files, self.known_at).await)
            })?,
        };
        if self.strict && at_stake > 0 {
            return Err(CommandError::No(format!("{at_stake} claims may not go out as they are")));
        }
        Ok(())
    }

    /// Checks file by file; how many claims may not go out as they are.
    fn check_each(
        &self,
        mut check: impl FnMut(&Path, &Files) -> Result<Summary, CommandError>,
    ) -> Result<u64, CommandError> {
        let mut at_stake = 0;
        for (file, files) in self.files.iter().zip(Files::of(&self.out, &self.files)?) {
            let summary = check(file, &files)?;
            self.finish(file, &files, &summary)?;
            at_stake += summary.at_stake.claims;
        }
        Ok(at_stake)
    }

    /// Everything that is made of the results, once they are there.
    fn finish(&self, file: &Path, files: &Files, summary: &Summary) -> Result<(), CommandError> {
        files.write_csv()?;
        files.write_summary(summary)?;
        files.write_report(file, summary, (Clock::system().now(), self.known_at))?;
        let copied = files.write_copy(file, self.whom.into())?;
        print(file, files, summary, copied);
        if summary.all.claims == 0 {
            return Err(CommandError::No(format!("{}: holds no claim", file.display())));
        }
        Ok(())
    }
}

/// The people of a configuration's ledger.
struct Offline {
    followed: Followed,
    insurers: InsurerList,
    staleness: Staleness,
    held: Held,
    /// Where each naming leaves its record, as in the service.
    audit: Audit,
    console: Peer,
    now: Timestamp,
    known_at: Option<Timestamp>,
}

impl Offline {
    fn open(config: &Path, known_at: Option<Timestamp>) -> Result<Self, CommandError> {
        let config = Config::read(config).map_err(CommandError::usage)?;
        let insurers = InsurerList::read(&config.feed.insurers).map_err(CommandError::usage)?;
        let followed = follow::from_config(&config).map_err(|error| {
            CommandError::Environment(format!("{error}; ask a service that is running with --server"))
        })?;
        let staleness = Staleness::of(&config.feed);
        let held = Held::open(Folder::from(&config.held_folder()), followed.ledger.clone());
        let held = held.map_err(CommandError::environment)?;
        let audit = Audit::open(&config.audit).map_err(CommandError::environment)?;
        let (console, now) = (Peer::console(), Clock::system().now());
        if known_at.is_some_and(|at| at > now) {
            return Err(CommandError::Usage("--known-at lies in the future".to_owned()));
        }
        Ok(Self { followed, insurers, staleness, held, audit, console, now, known_at })
    }

    fn check(&self, file: &Path, files: &Files) -> Result<Summary, CommandError> {
        let past = self.known_at.map(|at| self.look_back(file, at)).transpose()?;
        let opened = open(file)?;
        let bar = progress(file, opened.metadata().map_or(0, |metadata| metadata.len()));
        let mut results = files.results()?;
        let summary = self.judge(bar.wrap_read(opened), past.as_ref(), &mut results);
        bar.finish_and_clear();
        let summary = summary.map_err(|error| not_checked(file, error))?;
        results.into_inner().map_err(|error| failed(&files.folder, error.error()))?;
        Ok(summary)
    }

    /// Judges every claim, as a job of the service does: with a record of the job, and of each naming.
    fn judge(
        &self,
        file: impl io::Read,
        past: Option<&Past>,
        results: &mut impl io::Write,
    ) -> Result<Summary, Error> {
        let Self { followed, insurers, staleness, held, audit, console, now, known_at } = self;
        let (now, id) = (*now, request_id::next(*now));
        let request = Request { peer: console, id, now, trace: None };
        let mut job = Entry::act("precheck", "claims review", Work::Precheck, request).outcome("done");
        job.known_at(*known_at);
        if !audit.record(&job).wait() {
            return Err(io::Error::other("the audit takes no records").into());
        }
        let known = Known { memory: followed.memory.view(), past: None, held, insurers, staleness, now };
        let known = &match past {
            Some(past) => known.then(past),
            None => known,
        };
        // Who has the ledger may see all that is in it.
        let terms = Terms { caller: Caller::Review, today: now.day_in_japan(), known_at: *known_at };
        let mut namings = Namings::of(audit, console, id, now);
        namings.known_at = *known_at;
        let mut line = Vec::with_capacity(2048);
        let summary = precheck(file, &known, terms, |judged| {
            namings.note(judged.entry, judged.outcome, judged.found)?;
            line.clear();
            judged.outcome.write_json(&mut line);
            results.write_all(&line)?;
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        namings.wait()?;
        Ok(summary)
    }
}

impl Offline {
    /// What was known at an instant of those for whom the file's claims ask.
    fn look_back(&self, file: &Path, at: Timestamp) -> Result<Past, CommandError> {
        let mut wanted = Wanted::default();
        let wrong = |error| not_checked(file, error);
        let mut claims = Claims::open(open(file)?).map_err(wrong)?;
        while let Some(entry) = claims.next().map_err(wrong)? {
            if let ::claims::Entry::Claim(claim) = entry {
                claim.query().iter().for_each(|query| wanted.add(query));
            }
        }
        let memory = &self.followed.memory.view();
        let today = Today { memory, held: &self.held, day: self.now.day_in_japan() };
        let ledger = self.followed.ledger.reader().map_err(CommandError::environment)?;
        Past::of(&ledger, &today, at, &wanted).map_err(super::not_looked_back)
    }
}

fn not_checked(file: &Path, error: Error) -> CommandError {
    match error {
        Error::Encoding => CommandError::No(format!(
            "{}: is not in CP932 (Shift_JIS), as claim files are; export it again from the claim computer",
            file.display()
        )),
        error => CommandError::Environment(format!("{}: {error}", file.display())),
    }
}

fn open(file: &Path) -> Result<File, CommandError> {
    let unreadable = |error| CommandError::Usage(format!("{}: cannot be read: {error}", file.display()));
    let opened = File::open(file).map_err(unreadable)?;
    if opened.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(CommandError::Usage(format!("{}: is a folder", file.display())));
    }
    Ok(opened)
}

/// A bar over octets; nothing where nobody watches.
fn progress(file: &Path, octets: u64) -> ProgressBar {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let style = ProgressStyle::with_template("{msg:24} {wide_bar} {bytes}/{total_bytes} {eta}");
    ProgressBar::new(octets)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(name)
}

fn print(file: &Path, files: &Files, summary: &Summary, copied: Option<u64>) {
    let (all, stake) = (summary.all, summary.at_stake);
    println!("{}: {} claims, {} points", file.display(), all.claims, all.points);
    for (verdict, total) in &summary.verdicts {
        println!(
            "  {:<16} {:>9} claims {:>12} points  {}",
            verdict.word(),
            total.claims,
            total.points,
            verdict.text()
        );
    }
    println!("  at stake         {:>9} claims {:>12} points", stake.claims, stake.points);
    for notice in &summary.notices {
        println!("  {notice}");
    }
    if let Some(changed) = copied {
        println!("  {changed} records filled in the copy");
    }
    println!("  {}", files.folder.join("report.html").display());
}

/// The results of a file as they stand in its folder.
fn stored(path: &Path) -> Result<impl Iterator<Item = Result<Outcome, Error>>, CommandError> {
    let file = File::open(path).map_err(|error| failed(path, &error))?;
    Ok(read_results(BufReader::with_capacity(1 << 18, file)))
}
