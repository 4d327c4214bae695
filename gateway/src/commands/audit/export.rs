//! `shikaku audit export`: who saw what, by institution and time, or of one person.
//!
//! For disclosure to a person, and for the report of a breach: who saw whom, when, to what end. What is given
//! out leaves a record of its own among the acts.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use clap::{Args, ValueEnum};
use eligibility::day::{Day, Timestamp};
use eligibility::number::{InstitutionCode, InsurerNumber};
use uuid::Uuid;

use super::{CommandError, KeyFiles};
use crate::audit::export::{Person, Span, Unread, records};
use crate::audit::{Class, Exported, Keys, Mark, Record};
use crate::clock::Clock;
use crate::config::Config;

/// Gives out audit records as NDJSON: of an institution, a span of time, or one person
///
/// A person is found by what is on paper; records of the same person by card come along.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  shikaku audit export --config shikaku.toml --institution 1312345679 --from 2026-11-01 --to 2026-11-30\n  shikaku audit export --config shikaku.toml --insurer 06132013 --number 567 --birth-date 1980-02-03"
)]
pub(in crate::commands) struct Export {
    #[command(flatten)]
    keys: KeyFiles,
    /// The audit folder, where it is not the configuration's
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Which records
    #[arg(long, value_enum, default_value_t = Kind::Answers)]
    class: Kind,
    /// First day, in Japan
    #[arg(long, value_parser = day)]
    from: Option<Day>,
    /// Last day, in Japan
    #[arg(long, value_parser = day)]
    to: Option<Day>,
    /// Only what this institution asked: ten digits
    #[arg(long, value_parser = institution)]
    institution: Option<InstitutionCode>,
    /// Only one person: 保険者番号
    #[arg(long, value_parser = insurer, requires_all = ["number", "birth_date"])]
    insurer: Option<InsurerNumber>,
    /// Only one person: 番号, without the symbol
    #[arg(long, requires = "insurer")]
    number: Option<String>,
    /// Only one person: 生年月日
    #[arg(long, value_parser = day, requires = "insurer")]
    birth_date: Option<Day>,
    /// File to write; made new, readable by its owner only. Standard output when absent
    #[arg(long)]
    out: Option<PathBuf>,
    /// Files read at once
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// Who asked about whom
    Answers,
    /// What feeders, the portal and operators did
    Acts,
}

fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| "is no day: YYYY-MM-DD".to_owned())
}

// What was typed is not repeated: it may be a person's.
fn institution(text: &str) -> Result<InstitutionCode, String> {
    InstitutionCode::parse(text).map_err(|error| error.to_string())
}

fn insurer(text: &str) -> Result<InsurerNumber, String> {
    InsurerNumber::parse(text).map_err(|error| error.to_string())
}

impl Export {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let (keys, config) = self.keys.read()?;
        let folder = self.dir.clone().or(config.map(|config: Config| config.audit.folder));
        let folder = folder
            .ok_or_else(|| CommandError::Usage("name the folder: --config FILE or --dir DIR".to_owned()))?;
        let class = match self.class {
            Kind::Answers => Class::Answers,
            Kind::Acts => Class::Acts,
        };
        let span = self.span();
        let walk = |each: &(dyn Fn(&Record) + Sync)| {
            records(&folder, class, (span, &keys), self.threads, each).map_err(CommandError::environment)
        };
        let person = self.person(&keys);
        self.note(person.as_ref().and_then(|person| person.mark(&keys))).leave(&folder).map_err(|error| {
            let folder = folder.display();
            CommandError::Environment(format!(
                "{folder}: {error}; nothing was given out: what is given out leaves a record there first"
            ))
        })?;
        let person = person.map(Mutex::new);
        if let Some(person) = &person {
            walk(&|record| lock(person).learn(record))?;
        }
        let person = person.map(|person| person.into_inner().unwrap_or_else(PoisonError::into_inner));
        let out = Mutex::new((self.open()?, 0_u64, Ok(())));
        let unread = walk(&|record| {
            let asked = self.institution.is_none_or(|code| record.institution == code.value());
            if asked && person.as_ref().is_none_or(|person| person.is_in(record)) {
                let mut line = serde_json::to_vec(record).unwrap_or_default();
                line.push(b'\n');
                let (out, count, written) = &mut *lock(&out);
                if written.is_ok() {
                    *written = out.write_all(&line);
                    *count += 1;
                }
            }
        })?;
        let (mut out, count, written) = out.into_inner().unwrap_or_else(PoisonError::into_inner);
        written.and_then(|()| out.flush()).map_err(CommandError::environment)?;
        eprintln!("{count} records");
        complete(&unread)
    }

    /// What is given out, for the audit itself.
    fn note(&self, person: Option<(u32, Mark)>) -> Exported {
        Exported {
            id: Uuid::now_v7(),
            at: Clock::system().now(),
            user: rustix::process::getuid().as_raw(),
            institution: self.institution.map_or(0, |code| code.value()),
            insurer: self.insurer.map_or(0, |number| number.value()),
            person,
        }
    }

    fn span(&self) -> Span {
        let from = self.from.map_or(Timestamp::from_millis(0), Day::starts_at);
        let to = self.to.map_or(Timestamp::from_millis(253_402_268_400_000), |day| day.plus(1).starts_at());
        Span { from, to }
    }

    fn person(&self, keys: &Keys) -> Option<Person> {
        let (insurer, number, birth_date) = (self.insurer?, self.number.as_deref()?, self.birth_date?);
        Some(Person::by_number(insurer, number, birth_date, keys))
    }

    fn open(&self) -> Result<BufWriter<Box<dyn Write + Send>>, CommandError> {
        let Some(path) = &self.out else { return Ok(BufWriter::new(Box::new(std::io::stdout()))) };
        let mut options = std::fs::OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.write(true).create_new(true).open(path);
        let file = file.map_err(|error| CommandError::Environment(format!("{}: {error}", path.display())))?;
        Ok(BufWriter::new(Box::new(file)))
    }
}

/// An export that lacks something says so: 1 where a file did not hold.
fn complete(unread: &[Unread]) -> Result<(), CommandError> {
    for Unread { path, why } in unread {
        eprintln!("shikaku: {}: {why}", path.display());
    }
    if unread.is_empty() {
        return Ok(());
    }
    Err(CommandError::No(format!(
        "{} files were not read to their end: the export is not complete",
        unread.len()
    )))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
