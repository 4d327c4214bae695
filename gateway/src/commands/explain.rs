//! `shikaku explain`: from which records an answer came, when each was learnt, and which rule decided.
//!
//! Reads the ledger beside a service that may be running. Collecting the records is `chain`'s business,
//! the words are in `words`.

mod chain;
mod words;

use std::path::PathBuf;

use clap::Args;
use disk::Folder;
use eligibility::code::Restriction;
use eligibility::coverage::{Person, Written};
use eligibility::day::{Day, Timestamp};
use eligibility::decision::{Asked, By, Eligibility, Found, decide};
use eligibility::number::LinkNumber;
use eligibility::query::{Circumstances, Consent, NumberQuery, named};
use ledger::{Content, Reader};

use super::CommandError;
use crate::audit::{Audit, Entry, Work};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::desk::Staleness;
use crate::follow;
use crate::intake::Held;
use crate::past::{Past, Today, Wanted};
use crate::path::Request;
use crate::peer::Peer;
use crate::request_id;
use chain::{Link, chain};

/// Folder within the audit's own for what commands look at: a chain of its own, as one process writes each.
const AUDIT: &str = "commands";

/// Shows the records that led to an answer, when each was learnt, and which rule decided
///
/// Reads the ledger, whether the service runs or not. Says of whom and what nothing unless --show. Leaves a
/// record in the folder `commands` of the audit.
#[derive(Args)]
#[command(
    after_help = "Example:\n  shikaku explain --insurer 06132013 --symbol 12-34 --number 567 --birth-date 1980-02-03 --date 2026-07-01 --known-at 2026-08-10T00:00:00+09:00 --config shikaku.toml"
)]
pub(super) struct Explain {
    /// 保険者番号
    #[arg(long)]
    insurer: String,
    /// 記号
    #[arg(long, default_value = "")]
    symbol: String,
    /// 番号
    #[arg(long)]
    number: String,
    /// 枝番
    #[arg(long)]
    branch: Option<String>,
    /// 生年月日
    #[arg(long, value_parser = day)]
    birth_date: Day,
    /// The day asked about; today when absent
    #[arg(long, value_parser = day)]
    date: Option<Day>,
    /// As it was known at this instant (RFC 3339); now when absent
    #[arg(long, value_parser = super::instant)]
    known_at: Option<Timestamp>,
    /// Also show what the records say: personal data
    #[arg(long)]
    show: bool,
    /// The configuration file
    #[arg(long)]
    config: PathBuf,
}

// What was typed is not repeated: it may be a person's.
fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| "is no day: YYYY-MM-DD".to_owned())
}

impl Explain {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let config = Config::read(&self.config).map_err(CommandError::usage)?;
        let now = Clock::system().now();
        let at = self.known_at.unwrap_or(now);
        if at > now {
            return Err(CommandError::Usage("--known-at lies in the future".to_owned()));
        }
        let query = self.query()?;
        let place = config.ledger_place().map_err(CommandError::usage)?;
        let failed = |error| CommandError::Environment(format!("ledger {place}: {error}"));
        let (ledger, memory) = follow::beside(&place, &config.memory_folder()).map_err(failed)?;
        let memory = memory.view();
        let held = Held::beside(Folder::from(&config.held_folder())).map_err(CommandError::environment)?;
        let today = Today { memory: &memory, held: &held, day: now.day_in_japan() };
        let past = Past::of(&ledger, &today, at, &Wanted::of(&query)).map_err(super::not_looked_back)?;
        self.record(&config, &query, &past, now)?;
        let told = self.tell(&ledger, &memory, &past, (&query, &Staleness::of(&config.feed)));
        told.map_err(failed)
    }

    fn query(&self) -> Result<NumberQuery, CommandError> {
        let (key, branch) = named(&self.insurer, &self.symbol, &self.number, self.branch.as_deref())
            .map_err(|fault| CommandError::Usage(format!("--{}: not valid", option(fault.place()))))?;
        let circumstances = Circumstances { date: self.date, ..Circumstances::default() };
        Ok(NumberQuery { key, branch, birth_date: self.birth_date, known_at: self.known_at, circumstances })
    }

    /// Leaves the record without which nothing is shown.
    fn record(
        &self,
        config: &Config,
        query: &NumberQuery,
        past: &Past,
        now: Timestamp,
    ) -> Result<(), CommandError> {
        let folder = config.audit.folder.join(AUDIT);
        let audit = Audit::open(&config::Audit { folder, ..config.audit.clone() });
        let audit = audit.map_err(CommandError::environment)?;
        let peer = &Peer::console();
        let request = Request { peer, id: request_id::next(now), now, trace: None };
        let mut entry = Entry::act("explain", "operation", Work::Batch, request).outcome("done");
        entry.about(query);
        if let [person] = past.met() {
            entry.is_person(*person);
        }
        if audit.record(&entry.shown(past.met().len())).wait() {
            return Ok(());
        }
        Err(CommandError::Environment("the audit takes no record, so nothing is shown".to_owned()))
    }

    fn tell(
        &self,
        ledger: &Reader,
        memory: &cache::View,
        past: &Past,
        (query, staleness): (&NumberQuery, &Staleness),
    ) -> Result<(), ledger::LedgerError> {
        let today = Clock::system().now().day_in_japan();
        let date = self.date.unwrap_or(today);
        let view = past.view();
        let found = view.find(&cache::Key::Number(query)).map(|person| past.protected(person));
        let by = By::Number(query);
        let asked = Asked { by, date, today, consent: Consent::default(), sees_newer: true };
        let reach = |source| past.reach(staleness, &view, source);
        let eligibility = decide(found.as_ref(), &asked, &reach);
        println!(
            "照会日 {date}、基準時 {}（この時までに受領した記録、受付番号 {} まで）",
            past.at(),
            past.position()
        );
        for (number, person) in past.met().iter().enumerate() {
            println!("\n対象者 {}{}", number + 1, self.shown(|| format!("（紐付番号 {}）", person.reveal())));
            let chain = chain(ledger, memory, (*person, query.key.insurer()), past.position())?;
            let decided = deciding(&found, &eligibility, *person, &chain);
            for (at, link) in chain.iter().enumerate() {
                self.tell_link(at + 1, link, decided == Some(at));
            }
        }
        if past.met().is_empty() {
            println!("\nこの番号と生年月日の方についての記録は、この時までに一つもありません。");
        }
        println!("\n判定: {}", words::status(&eligibility));
        words::rule(&eligibility).iter().for_each(|line| println!("  {line}"));
        Ok(())
    }

    fn tell_link(&self, number: usize, link: &Link, decided: bool) {
        let Link { position, committed_at, source, epoch, row, changes, .. } = link;
        let sequence = row.sequence.map_or("なし".to_owned(), |sequence| sequence.to_string());
        let mark = if decided { "　← 判定の根拠" } else { "" };
        println!(
            "  {number}. {committed_at} 受領（受付番号 {position}） {source} 連番 {sequence}、世代 {epoch}{mark}"
        );
        match &row.content {
            Content::Accepted(record) => {
                println!("     {} を反映: {}", record.said.kind().word(), words::summary(changes));
                for change in changes {
                    let values = self.shown(|| format!(": {} → {}", change.before, change.after));
                    println!("       {}（{}）{values}", words::label(&change.field), change.field);
                }
            }
            Content::Refused(refused) => {
                let field = refused.field.as_deref().unwrap_or("-");
                println!("     保留（{}、項目 {field}）: 内容は反映しない", refused.code);
                let protect: Vec<_> = refused.protect.iter().map(Restriction::word).collect();
                if !protect.is_empty() {
                    println!("     閲覧の制限だけは直ちに反映: {}", protect.join("、"));
                }
            }
        }
    }

    fn shown(&self, text: impl FnOnce() -> String) -> String {
        if self.show { text() } else { String::new() }
    }
}

fn option(field: Option<&str>) -> &str {
    match field {
        Some("insurer_number") | None => "insurer",
        Some(field) => field,
    }
}

/// The place in the chain of the record on which the answer about this person rests: the last accepted
/// word of the insurer whose coverage is shown, or that was asked.
fn deciding<T: Written>(
    found: &Found<Person<T>>,
    eligibility: &Eligibility<'_, T>,
    person: LinkNumber,
    chain: &[Link],
) -> Option<usize> {
    let Found::One(one) = found else { return None };
    let shown = eligibility.coverages.first().map(|shown| shown.insurer);
    let insurer = shown.map(eligibility::feed::Source::Insurer);
    let rests = |link: &Link| link.is_accepted() && insurer.is_none_or(|insurer| link.source == insurer);
    (one.link_number == person).then(|| chain.iter().rposition(rests)).flatten()
}
