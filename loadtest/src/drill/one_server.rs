//! A balancer sends everything to one of two gateways, the same people's connections too. The one left alone holds
//! it; desks that were moved with a challenge of the other sign once more.

use std::path::Path;

use pki::issuing::CardAuthority;

use super::desk::{Card, Desk};
use super::house::House;
use super::load::{CARDS, Desks};
use super::tell::{Tell, unharmed};
use super::{DrillError, Setup};

pub(super) fn run(setup: &Setup, folder: &Path, tell: &mut Tell) -> Result<(), DrillError> {
    tell.about("one-server", "a balancer sends everything to one of two gateways");
    let mut first = House::prepare(setup, folder)?;
    let mut second = first.twin("second")?;
    first.start()?;
    second.start()?;
    let key = first.text("jpki/user-ca-1-key.pem")?;
    let authority = CardAuthority::load(&std::fs::read(first.file("jpki/user-ca-1.der"))?, &key)?;
    let card = Card::issue(&authority, unlinked(&first)?, Some(super::anchor_change::municipality(&first)?))?;

    let rates = |rates: [f64; 3]| rates.map(|rate| format!("shape = \"constant\"\nrate = {rate}"));
    let (half, seconds) = (setup.rate / 2.0, setup.seconds);
    let mix = "card = 37\nnumber = 51";
    let (one, two) = (first.url(), second.url());
    let one = Desks {
        url: &one,
        folder: &first.folder,
        mix,
        cards: CARDS,
        shapes: rates([half, setup.rate, half]),
    };
    let two =
        Desks { url: &two, folder: &second.folder, mix, cards: CARDS, shapes: rates([half, 0.0, half]) };
    let mut one = one.start(setup)?;
    let two = two.start(setup)?;
    let desk = Desk::of(&first, "reception")?;
    let moved = desk.at(&second)?;
    tell.screen("a desk at the second", &moved.card(&card)?);

    one.wait(seconds);
    let kept = moved.challenge();
    tell.happens("the balancer sends everybody to the first; one desk holds a challenge of the second");
    let refused = desk.signed(&card, &kept)?;
    tell.screen("that desk, at the first", &refused);
    let fresh = refused.answer["challenge"].as_str().unwrap_or_default().to_owned();
    let again = desk.signed(&card, &fresh)?;
    tell.screen("it signs once more", &again);
    let twice = desk.signed(&card, &fresh)?;
    one.wait(2 * seconds);
    tell.happens("the balancer is mended");
    let (one, two) = (one.end()?, two.end()?);
    tell.table("desks at the first gateway", &one);
    tell.table("desks at the second gateway", &two);
    unharmed(tell, "the first gateway", &one, setup.limit);
    let failed: u64 = two.phases.iter().map(|phase| phase.tally.failed + phase.tally.wrong).sum();
    tell.check(failed == 0, "the second gateway: every answer was the right one");
    tell.check(
        refused.word == "challenge_unknown" && again.word == "not_linked" && twice.word == "challenge_used",
        "a challenge is spent at its maker alone: refused elsewhere with a fresh one, taken once",
    );
    Ok(())
}

/// A serial that is linked to nobody.
fn unlinked(house: &House) -> Result<u64, DrillError> {
    let cards = house.text("cards/cards.ndjson")?;
    let used = (4_000_000_000..).find(|serial: &u64| !cards.contains(&serial.to_string()));
    used.ok_or_else(|| DrillError("no serial is free".to_owned()))
}
