//! The card authorities are changed while desks work: a set that would break every card is caught by rehearsal, a
//! file that is not the one it should be is refused at the reload, and the right set is put in force.

use std::path::Path;

use eligibility::day::Timestamp;
use pki::issuing::{AuthoritySpec, CardAuthority, Defect, Key, KeyKind, ListSpec, Municipality};
use pki::{ListNumber, Serial, UnixTime};

use super::desk::{Card, Desk};
use super::house::{House, wait};
use super::load::{CARDS, Desks, steady};
use super::tell::{Tell, unharmed};
use super::{DrillError, Setup};
use crate::clock;
use crate::folder::Folder;

const DAY: i64 = 86_400;
/// A serial of the new authority's.
const NEW_CARD: u64 = 4_100_000_000;
/// The configuration of before, up to where the new anchor goes.
const HELD: &str = "anchors = [\"jpki/user-ca-1.pem\", \"jpki/user-ca-2.pem\"";

pub(super) fn run(setup: &Setup, folder: &Path, tell: &mut Tell) -> Result<(), DrillError> {
    tell.about("anchor-change", "the card authorities are changed while desks work");
    let mut house = House::prepare(setup, folder)?;
    house.start()?;
    let successor = successor(&house)?;
    let place = municipality(&house)?;
    let new_card = Card::issue(&successor, NEW_CARD, Some(place.clone()))?;
    let (url, served) = (house.url(), house.folder.clone());
    let desks =
        Desks { url: &url, folder: &served, mix: "card = 1", cards: CARDS, shapes: steady(setup.rate / 2.0) };
    let short = Setup { seconds: 1, ..setup.clone() };
    // Cards of some days, as the gateway counts them: the counts are written when it stops.
    desks.start(&short)?.end()?;
    house.stop()?;
    house.start()?;

    let desk = Desk::of(&house, "reception")?;
    let mut load = desks.start(setup)?;
    let unknown = desk.card(&new_card)?;
    tell.screen("a card of the new authority", &unknown);
    load.wait(setup.seconds);

    let (broken, words) = rehearse(&house, &["user-ca-3.pem"])?;
    tell.happens(&format!("rehearsed with the new one alone: exit code {broken:?}: {words}"));
    house.configure(
        HELD,
        &format!("{HELD}, {{ file = \"jpki/user-ca-3.pem\", sha256 = \"{}\" }}", "00".repeat(32)),
    )?;
    let wrong = house.reload()?;
    tell.happens(&format!("reloaded with another file than the one that was announced: in force: {wrong}"));
    house.configure(
        &format!(", {{ file = \"jpki/user-ca-3.pem\", sha256 = \"{}\" }}", "00".repeat(32)),
        ", \"jpki/user-ca-3.pem\"",
    )?;
    let (right, words) = rehearse(&house, &["user-ca-1.pem", "user-ca-2.pem", "user-ca-3.pem"])?;
    tell.happens(&format!("rehearsed with all three: exit code {right:?}: {words}"));
    list(&house, &successor, &place)?;
    let taken = house.reload()?;
    tell.happens(&format!("its first list and the right set are there, reloaded: in force: {taken}"));
    // The folder of lists is looked at every few seconds.
    let known = wait(|| desk.card(&new_card).is_ok_and(|said| said.word == "not_linked"));
    tell.screen("a card of the new authority", &desk.card(&new_card)?);
    let run = load.end()?;
    tell.table("desks with cards of the old ones", &run);
    tell.check(broken == Some(1), "the set that breaks every card was caught before it was used");
    tell.check(!wrong, "a file that is not the announced one changes nothing");
    tell.check(right == Some(0) && taken, "the right set would have failed no card, and is in force");
    tell.check(
        unknown.word == "card_untrusted" && known,
        "a card of the new authority is believed from then on",
    );
    unharmed(tell, "cards of the old ones", &run, setup.limit);
    Ok(())
}

/// The first municipality of the nation's cards.
pub(super) fn municipality(house: &House) -> Result<Municipality, DrillError> {
    let cards = Folder::open(&house.folder)?.population.cards();
    let first = cards.first().ok_or_else(|| DrillError("a nation without cards".to_owned()))?;
    Ok(Municipality::new(first.prefecture, first.city))
}

/// A new card authority, its certificate beside the others.
fn successor(house: &House) -> Result<CardAuthority, DrillError> {
    let now = seconds(clock::now());
    let serial = Serial::from_bytes(&[7, 0, 0, 1]).map_err(|error| DrillError(error.to_string()))?;
    let spec = AuthoritySpec {
        serial,
        not_before: UnixTime(now - 800 * DAY),
        not_after: UnixTime(now + 3650 * DAY),
        organization: None,
        defect: None::<Defect>,
    };
    let authority = CardAuthority::new(&spec, Key::generate(KeyKind::Rsa2048)?)?;
    std::fs::write(house.file("jpki/user-ca-3.pem"), authority.certificate_pem())?;
    Ok(authority)
}

/// The authority's list for one municipality, with nobody on it.
fn list(house: &House, authority: &CardAuthority, place: &Municipality) -> Result<(), DrillError> {
    let now = seconds(clock::now());
    let der = authority.list(&ListSpec {
        number: ListNumber::from(now.cast_unsigned()),
        this_update: UnixTime(now - 60),
        next_update: UnixTime(now + DAY),
        partition: Some(&place.distribution_point()),
        revoked: &[],
        defect: None,
    })?;
    std::fs::write(house.file("jpki/user-ca-3.new"), der)?;
    Ok(std::fs::rename(house.file("jpki/user-ca-3.new"), house.file("jpki/user-ca-3.crl"))?)
}

const fn seconds(at: Timestamp) -> i64 {
    at.millis() / 1000
}

/// `pki rehearse` with these anchors: its exit code and last words.
fn rehearse(house: &House, names: &[&str]) -> Result<(Option<i32>, String), DrillError> {
    let set = house.file("set");
    std::fs::create_dir_all(&set)?;
    for name in names {
        std::fs::copy(house.file("jpki").join(name), set.join(name))?;
    }
    let config = house.file("shikaku.toml").display().to_string();
    let (code, said) =
        house.command(&["pki", "rehearse", "--config", &config, "--anchors", &set.display().to_string()])?;
    std::fs::remove_dir_all(&set)?;
    let words = said.lines().find(|line| line.contains("would")).unwrap_or_default();
    Ok((code, words.trim().to_owned()))
}
