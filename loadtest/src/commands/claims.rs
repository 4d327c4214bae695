//! `shikaku-load claims`: claim files that fit a nation, each claim with its right answer.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use eligibility::day::Day;
use eligibility::number::{InstitutionCode, check_digit};
use indicatif::{ProgressBar, ProgressStyle};
use population::Population;
use population::claim::{Form, Institution, PlannedClaim, write};
use serde::Serialize;

use super::CommandError;
use crate::clock;

/// Octets written at once.
const BUFFER: usize = 1 << 20;

/// Writes claim files (UKE) that fit an invented nation, with the right answer to each claim
///
/// The nation is that of `shikaku-load population` with the same people, seed and day. Two files are
/// written: claims.uke, and answers.ndjson with one line a claim, in the same order.
#[derive(Args)]
#[command(
    after_help = "Example:\n  shikaku-load claims --people 1000000 --month 2026-10 --out claims\n  shikaku precheck claims/claims.uke --config shikaku.toml"
)]
pub(super) struct ClaimsCommand {
    /// How many people the nation has
    #[arg(long)]
    people: u64,
    /// What the nation is drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The day as of which the nation is, YYYY-MM-DD; today in Japan when absent
    #[arg(long, value_parser = super::population::day)]
    day: Option<Day>,
    /// The month of the claims, YYYY-MM
    #[arg(long, value_parser = month)]
    month: Day,
    /// How many claims; one a person when absent
    #[arg(long)]
    claims: Option<u64>,
    /// The form of the file
    #[arg(long, value_enum, default_value_t = Kind::Medical)]
    form: Kind,
    /// The institution that makes them: its third digit is the 点数表 of the form; an invented one when absent
    #[arg(long, value_parser = institution)]
    institution: Option<InstitutionCode>,
    /// Service records of each claim
    #[arg(long, default_value_t = 20)]
    services: u32,
    /// The folder
    #[arg(long)]
    out: PathBuf,
}

/// Which 記録条件仕様 the file follows.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// 医科
    Medical,
    /// DPC
    Dpc,
    /// 歯科
    Dental,
    /// 調剤
    Pharmacy,
    /// 訪問看護
    Nursing,
}

impl From<Kind> for Form {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Medical => Self::Medical,
            Kind::Dpc => Self::Dpc,
            Kind::Dental => Self::Dental,
            Kind::Pharmacy => Self::Pharmacy,
            Kind::Nursing => Self::Nursing,
        }
    }
}

fn month(text: &str) -> Result<Day, String> {
    let first = (text.len() == 7).then(|| Day::parse(&format!("{text}-01"))).flatten();
    first.ok_or_else(|| "a month is YYYY-MM".to_owned())
}

fn institution(text: &str) -> Result<InstitutionCode, String> {
    InstitutionCode::parse(text).map_err(|error| error.to_string())
}

/// One line of the answers.
#[derive(Serialize)]
struct Line {
    claim: u64,
    verdict: &'static str,
    rule: Option<&'static str>,
    code: Option<&'static str>,
    suggested: Option<&'static str>,
    branch: Option<String>,
    /// Day and insurer; no insurer for nobody's.
    days: Vec<(Day, Option<String>)>,
}

impl Line {
    fn of(claim: u64, planned: &PlannedClaim) -> Self {
        let answer = &planned.answer;
        let days = answer.days.iter();
        Self {
            claim,
            verdict: answer.verdict,
            rule: answer.rule,
            code: answer.code,
            suggested: answer.suggested,
            branch: answer.branch.map(|branch| branch.to_string()),
            days: days.map(|(day, insurer)| (*day, insurer.map(|one| one.to_string()))).collect(),
        }
    }
}

impl ClaimsCommand {
    /// Who makes the claims, of the form's 点数表.
    fn maker(&self) -> Result<Institution, CommandError> {
        let form = Form::from(self.form);
        let table = u64::from(form.table() - b'0');
        let body = 131_234_567 + (table - 1) * 1_000_000;
        let invented = || InstitutionCode::parse(&format!("{body}{}", check_digit(body)));
        let code = self.institution.map_or_else(invented, Ok);
        let code = code.map_err(|error| CommandError::Usage(format!("--institution: {error}")))?;
        if Form::of(code).table() != form.table() {
            return Err(CommandError::Usage(format!(
                "--institution {code}: its third digit is not {table}, the 点数表 of --form {}",
                form.word()
            )));
        }
        Ok(Institution { code, form, agency: 1, services: self.services })
    }

    pub(super) fn run(&self) -> Result<(), CommandError> {
        let institution = self.maker()?;
        let day = self.day.unwrap_or_else(|| clock::now().day_in_japan());
        let population = Population::new(self.seed, self.people, day);
        let wanted = self.claims.unwrap_or(population.people());
        fs::create_dir_all(&self.out).map_err(|error| CommandError::file(&self.out, error))?;
        let (claims, answers) = (self.out.join("claims.uke"), self.out.join("answers.ndjson"));
        let (mut file, mut right) = (create(&claims)?, create(&answers)?);
        let bar = ProgressBar::new(wanted);
        let style =
            ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} claims, {per_sec}, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(200));
        let mut failed = Ok(());
        let mut number = 0;
        let planned = (0..).flat_map(|nth| (0..population.people()).map(move |place| (place, nth)));
        let planned = planned
            .filter_map(|(place, nth)| population.claim(place, self.month, nth))
            .take(usize::try_from(wanted).unwrap_or(usize::MAX));
        let noted = planned.inspect(|claim| {
            number += 1;
            bar.inc(1);
            if failed.is_ok() {
                failed = serde_json::to_writer(&mut right, &Line::of(number, claim))
                    .map_err(Into::into)
                    .and_then(|()| right.write_all(b"\n"));
            }
        });
        let count = write(&mut file, institution, self.month, noted)
            .and_then(|count| file.flush().map(|()| count))
            .map_err(|error| CommandError::file(&claims, error))?;
        failed.and_then(|()| right.flush()).map_err(|error| CommandError::file(&answers, error))?;
        bar.finish_and_clear();
        let octets = fs::metadata(&claims).map_or(0, |metadata| metadata.len());
        println!("{}: {count} claims, {octets} octets; answers in {}", claims.display(), answers.display());
        Ok(())
    }
}

fn create(path: &Path) -> Result<BufWriter<File>, CommandError> {
    let file = File::create(path).map_err(|error| CommandError::file(path, error))?;
    Ok(BufWriter::with_capacity(BUFFER, file))
}
