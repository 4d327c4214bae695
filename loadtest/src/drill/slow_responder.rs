//! The revocation service answers slowly, in the hours in which the lists of one authority are missing too. Cards
//! with a list do not notice; the others are turned down within the deadline, and soon at once; numbers go on.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pki::issuing::CardAuthority;
use population::card::CardState;

use super::anchor_change::municipality;
use super::desk::{Card, Desk};
use super::house::{House, free_address, wait};
use super::line::Line;
use super::load::{Desks, steady};
use super::tell::{Tell, count};
use super::{DrillError, Setup};
use crate::folder::Folder;
use crate::outcome::{Kind, Word};
use crate::patients::cards::UNLINKED;
use crate::proxy::Faults;

/// `card.responder.deadline_ms`, as it is unless configured.
const DEADLINE: Duration = Duration::from_millis(1500);
/// `card.responder.pause_seconds` in this drill.
const PAUSE: u64 = 2;

pub(super) fn run(setup: &Setup, folder: &Path, tell: &mut Tell) -> Result<(), DrillError> {
    tell.about(
        "slow-responder",
        "the revocation service answers slowly, and one authority's lists are missing",
    );
    let mut house = House::prepare(setup, folder)?;
    let nation = Folder::open(&house.folder)?;
    let different = (setup.people / 4).clamp(50, 1000);
    let responder = Responder::start(&house, &nation, different)?;
    let address = free_address()?;
    let quick = Line::open(address, responder.address, Faults::default())?;
    second_lists_only(&house)?;
    house.configure(
        "[ledger]",
        &format!(
            "[card.responder]\nurl = \"http://{address}/\"\nunlinked = true\nfailures = 3\npause_seconds = {PAUSE}\n\n[ledger]"
        ),
    )?;
    house.start()?;
    let mut cards = first_cards(&house, &nation)?.into_iter();
    let mut next = || cards.next().ok_or_else(|| DrillError("too few people with a card".to_owned()));

    let url = house.url();
    let mix = "card = 37\nnumber = 51";
    let desks = Desks { url: &url, folder: &house.folder, mix, cards: different, shapes: steady(setup.rate) };
    let mut load = desks.start(setup)?;
    let desk = Desk::of(&house, "reception")?;
    tell.screen("a card without a list", &desk.card(&next()?)?);
    load.wait(setup.seconds);

    quick.cut();
    // Its answers are swallowed: later than any deadline, and the responder itself is not held up by it.
    let slow = Line::open(address, responder.address, Faults { blackhole_after: 1, ..Faults::default() })?;
    tell.happens("the revocation service's answers come later than anybody waits");
    let first = desk.card(&next()?)?;
    tell.screen("a card without a list", &first);
    for _ in 0..2 {
        if !is_paused(&house) {
            desk.card(&next()?)?;
        }
    }
    let paused = wait(|| is_paused(&house));
    let card = next()?;
    // One question at a time tries whether it is mended: this may be the one.
    let later = match desk.card(&card)? {
        tried if tried.took > DEADLINE / 2 => desk.card(&card)?,
        said => said,
    };
    tell.screen("the next, once it is left alone", &later);
    load.wait(2 * setup.seconds);

    slow.cut();
    let mended = Line::open(address, responder.address, Faults::default())?;
    tell.happens("the revocation service is mended");
    let card = next()?;
    let again = wait(|| desk.card(&card).is_ok_and(|said| said.word == "valid"));
    tell.screen("a card without a list", &desk.card(&card)?);
    let run = load.end()?;
    mended.cut();
    tell.table("all desks", &run);

    let unknown = Word::of(b"revocation_unknown");
    let phases: Vec<_> = run.phases.iter().map(|phase| &phase.tally).collect();
    let failed: u64 = phases.iter().map(|tally| tally.failed).sum();
    tell.check(failed == 0, "every query had an answer");
    tell.check(
        phases.first().is_some_and(|tally| count(tally, unknown) == 0),
        "before, no card was turned down for it",
    );
    tell.check(
        first.word == "revocation_unknown" && first.took <= DEADLINE + Duration::from_secs(1),
        "nobody waits longer than the deadline",
    );
    tell.check(paused && later.took < DEADLINE / 2, "after some failures nobody waits at all");
    tell.check(again, "cards are believed again when it answers again");
    for phase in &run.phases {
        let numbers = phase.tally.kinds.get(&Kind::Number).map_or(0.0, |kind| kind.latency.quantile(0.99));
        let words = format!("by number, {}: p99 {:.1} ms", phase.name, numbers * 1e3);
        tell.check(numbers <= setup.limit.as_secs_f64(), &words);
        let longest = phase.tally.kinds.get(&Kind::Card).map_or(0.0, |kind| kind.latency.longest());
        let words = format!("by card, {}: none longer than {:.0} ms", phase.name, longest * 1e3);
        tell.check(longest <= (DEADLINE + setup.limit + Duration::from_secs(1)).as_secs_f64(), &words);
    }
    Ok(())
}

/// Whether the gateway says that it leaves its responder alone.
fn is_paused(house: &House) -> bool {
    let metrics = house.page("/metrics").map(|(_, text)| String::from_utf8_lossy(&text).into_owned());
    metrics.is_ok_and(|text| text.lines().any(|line| line == "shikaku_responder_paused 1"))
}

/// The lists of the second authority alone.
fn second_lists_only(house: &House) -> Result<(), DrillError> {
    let folder = house.file("lists");
    std::fs::create_dir(&folder)?;
    for entry in std::fs::read_dir(house.file("jpki"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("user-ca-2-") {
            std::fs::copy(&path, folder.join(name))?;
        }
    }
    house.configure("lists = \"jpki\"", "lists = \"lists\"")
}

/// Cards of the first authority for named people, whom the load leaves out.
fn first_cards(house: &House, nation: &Folder) -> Result<Vec<Card>, DrillError> {
    let key = house.text("jpki/user-ca-1-key.pem")?;
    let authority = CardAuthority::load(&std::fs::read(house.file("jpki/user-ca-1.der"))?, &key)?;
    let place = municipality(house)?;
    let plans = nation.population.cards();
    let good = plans.iter().filter(|plan| plan.state == CardState::Good).take(6);
    good.map(|plan| Card::issue(&authority, plan.serial, Some(place.clone()))).collect()
}

/// `openssl ocsp` for the first authority, to which every card is good, the desks' unlinked ones too.
struct Responder {
    address: std::net::SocketAddr,
    process: Child,
}

impl Responder {
    fn start(house: &House, nation: &Folder, cards: u64) -> Result<Self, DrillError> {
        let people = (0..nation.population.people()).filter_map(|place| nation.population.person(place));
        let linked = people.filter_map(|person| person.card).map(|card| card.serial);
        let named = nation.population.cards().into_iter().map(|plan| plan.serial);
        // A few more are issued than asked for, as every sort has at least one.
        let mut serials: Vec<_> = linked.chain(named).chain(UNLINKED..UNLINKED + 2 * cards).collect();
        serials.sort_unstable();
        serials.dedup();
        let line = |serial: u64| {
            let hex = format!("{serial:X}");
            let even = if hex.len() % 2 == 1 { "0" } else { "" };
            format!("V\t400101000000Z\t\t{even}{hex}\tunknown\t/CN={serial}\n")
        };
        std::fs::write(house.file("index.txt"), serials.into_iter().map(line).collect::<String>())?;
        let address = free_address()?;
        let process = Command::new("openssl")
            .current_dir(&house.folder)
            .args([
                "ocsp",
                "-index",
                "index.txt",
                "-CA",
                "jpki/user-ca-1.pem",
                "-rsigner",
                "jpki/user-ca-1.pem",
            ])
            .args(["-rkey", "jpki/user-ca-1-key.pem", "-ndays", "1", "-port", &address.port().to_string()])
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(house.file("ocsp.log"))?)
            .spawn()
            .map_err(|error| DrillError(format!("openssl: {error}")))?;
        let responder = Self { address, process };
        let listens = || house.text("ocsp.log").is_ok_and(|log| log.contains("waiting for OCSP"));
        if wait(listens) { Ok(responder) } else { Err(DrillError("openssl ocsp does not listen".to_owned())) }
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
