//! Prints what a ledger costs: octets a row on disk, rows a second written, replayed and read again
//! as duplicates. `cargo run --release -p ledger --example measure -- [ROWS]`

use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Instant;

use eligibility::day::Timestamp;
use eligibility::feed::{Source, Subject};
use eligibility::number::{LinkNumber, Serial};
use ledger::{Appended, Ledger, MOST_OFFERS, Memory, Offer, Options};
use rusqlite::Connection;

struct Blank;

impl Memory for Blank {
    fn last_word(&self, _: Source, _: Subject) -> Option<u64> {
        None
    }
    fn owner(&self, _: Serial) -> Option<LinkNumber> {
        None
    }
}

fn line(n: u64) -> String {
    format!(
        r#"{{"source":"06132013","sequence":{n},"kind":"member","link_number":"{n:016}","recorded_at":"2024-04-03T10:00:00+09:00","name":"見本　太郎{n}","name_kana":"ミホン　タロウ","sex":"male","birth_date":"1980-02-03","postal_code":"100-0001","address":"東京都千代田区千代田１－{n}","restrictions":[],"coverages":[{{"symbol":"１２－３４","number":"{n}","branch":"01","relationship":"insured","card_kind":"01","insured_name":null,"qualified_on":"2024-04-01","disqualified_on":null,"loss_reason":null,"valid_from":"2024-04-01","valid_through":null,"copay_percent":30}}]}}"#
    )
}

fn feed(ledger: &Ledger, source: Source, lines: &[String]) -> Result<Appended, Box<dyn std::error::Error>> {
    let offers: Vec<_> =
        (1..).zip(lines).map(|(at, line)| Offer::from_line(source, at, line.as_bytes())).collect();
    let (told, outcome) = channel();
    ledger.append(source, offers, Box::new(move |appended| drop(told.send(appended))))?;
    Ok(outcome.recv()??)
}

/// The floor: what SQLite alone takes to write the same octets, four batches a transaction.
#[expect(clippy::disallowed_methods, reason = "a measurement needs a clock, and no gateway is near")]
fn bare(path: &Path, rows: u64) -> Result<f64, Box<dyn std::error::Error>> {
    let connection = Connection::open(path)?;
    let packs: Vec<(Vec<u8>, Vec<u8>)> = connection
        .prepare("SELECT stubs, bodies FROM pack")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut other = Connection::open(path.with_extension("bare"))?;
    other.pragma_update(None, "page_size", 16_384)?;
    other.pragma_update(None, "journal_mode", "WAL")?;
    other.pragma_update(None, "synchronous", "FULL")?;
    other.execute("CREATE TABLE pack (position INTEGER PRIMARY KEY, stubs BLOB, bodies BLOB)", [])?;
    let start = Instant::now();
    for some in packs.chunks(4) {
        let transaction = other.transaction()?;
        for (stubs, bodies) in some {
            let mut insert =
                transaction.prepare_cached("INSERT INTO pack (stubs, bodies) VALUES (?1, ?2)")?;
            insert.execute((stubs, bodies))?;
        }
        transaction.commit()?;
    }
    Ok(rows as f64 / start.elapsed().as_secs_f64())
}

#[expect(clippy::disallowed_methods, reason = "a measurement needs a clock, and no gateway is near")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rows: u64 = std::env::args().nth(1).map_or(Ok(200_000), |text| text.parse())?;
    let source = Source::parse("06132013").ok_or("no source")?;
    let folder = tempfile::TempDir::new_in(".")?;
    let path = folder.path().join("ledger");
    let lines: Vec<_> = (1..=rows).map(line).collect();
    let octets: usize = lines.iter().map(String::len).sum();
    let per_second = |since: Instant| rows as f64 / since.elapsed().as_secs_f64();

    let opened = Ledger::open(&path, Options::default())?;
    let now = Box::new(|| Timestamp::from_millis(0));
    let ledger = opened.start(Box::new(Blank), Box::new(|_| {}), now)?;
    let start = Instant::now();
    let offers: Vec<_> = lines.iter().map(|line| Offer::from_line(source, 1, line.as_bytes())).collect();
    println!("read and hashed   {:>9.0} rows/s", per_second(start));
    drop(offers);
    let start = Instant::now();
    for chunk in lines.chunks(MOST_OFFERS) {
        feed(&ledger, source, chunk)?;
    }
    println!("read and written  {:>9.0} rows/s, each {MOST_OFFERS} synced", per_second(start));
    let start = Instant::now();
    for chunk in lines.chunks(MOST_OFFERS) {
        feed(&ledger, source, chunk)?;
    }
    println!("read again        {:>9.0} rows/s, all duplicates", per_second(start));
    ledger.close();

    let opened = Ledger::open(&path, Options::default())?;
    let start = Instant::now();
    let mut after = 0;
    while let Some(last) = opened.read(after, 64)?.last() {
        after = last.position;
    }
    println!("replayed          {:>9.0} rows/s", per_second(start));
    drop(opened);
    // What a checkpoint has not yet moved over counts as well.
    let files = std::fs::read_dir(folder.path())?.flatten();
    let size: u64 = files.filter_map(|file| Some(file.metadata().ok()?.len())).sum();
    println!("bare inserts      {:>9.0} rows/s, the same packs and syncs", bare(&path, rows)?);
    println!("a line            {:>9.0} octets", octets as f64 / rows as f64);
    println!("a row on disk     {:>9.0} octets", size as f64 / rows as f64);
    Ok(())
}
