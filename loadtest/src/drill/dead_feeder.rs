//! An insurer's feeder falls silent. When its word is older than `feed.stale_hours`, nobody is told "not
//! insured" on its account any more; whom it has told of is answered as ever, with the age of what is known.

use std::path::Path;

use super::desk::Desk;
use super::feeder::{Feeder, in_seconds};
use super::house::House;
use super::load::{CARDS, Desks, sampled, steady};
use super::tell::{Tell, unharmed};
use super::{DrillError, Setup};

/// `feed.stale_hours`, as it is unless configured.
const STALE_SECONDS: i64 = 72 * 3600;
/// Nobody has this number.
const NOBODY: u64 = 999_998;

pub(super) fn run(setup: &Setup, folder: &Path, tell: &mut Tell) -> Result<(), DrillError> {
    tell.about("dead-feeder", "an insurer's feeder falls silent until what it said is stale, and comes back");
    let mut house = House::prepare(setup, folder)?;
    let mut feeder = Feeder::join(&house, "訓練健康保険組合", false)?;
    house.start()?;
    let desk = Desk::of(&house, "reception")?;
    let (known, nobody) = (feeder.question(3), feeder.question(NOBODY));
    let members = feeder.members(50, &serde_json::json!({}));
    feeder.feed(&members)?;

    let url = house.url();
    let mix = "card = 37\nnumber = 51";
    let desks = Desks { url: &url, folder: &house.folder, mix, cards: CARDS, shapes: steady(setup.rate) };
    let mut load = desks.start(setup)?;
    let seconds = setup.seconds;
    load.wait(1);
    // Its last word is as old as it may be when the first phase ends.
    let last_word = in_seconds(seconds.cast_signed() - 1 - STALE_SECONDS);
    let mark = feeder.mark(last_word);
    feeder.feed(&[mark])?;
    tell.happens(&format!("the feeder's last word: complete to {last_word}"));
    tell.screen("insured there", &desk.number(&known));
    tell.screen("unknown there", &desk.number(&nobody));
    let both = || [desk.number(&known), desk.number(&nobody)];
    let before = sampled(&mut load, seconds - 1, both);

    load.wait(seconds + 1);
    tell.happens("72 hours without a word");
    let insured = desk.number(&known);
    let unknown = desk.number(&nobody);
    tell.screen("insured there", &insured);
    tell.screen("unknown there", &unknown);
    let during = sampled(&mut load, 2 * seconds, both);

    let mark = feeder.mark(in_seconds(0));
    feeder.feed(&[mark])?;
    tell.happens("the feeder is back, and says that nothing is missing");
    let again = desk.number(&nobody);
    tell.screen("unknown there", &again);
    let after = sampled(&mut load, 3 * seconds, both);

    tell.counts("the desk that asks there", &[before, during.clone(), after.clone()]);
    let run = load.end()?;
    tell.table("all other desks", &run);
    tell.check(insured.word == "valid", "whoever is insured there is answered: valid");
    let as_of = insured.answer["as_of"].as_str().unwrap_or_default().to_owned();
    tell.check(as_of == last_word.to_string(), &format!("that answer says how old it is: {as_of}"));
    tell.check(
        unknown.word == "unconfirmed" && unknown.answer["reason"] == "stale",
        "whoever is not known there is not called uninsured: unconfirmed, stale",
    );
    tell.check(
        !during.contains_key("not_found"),
        "in all that time nobody was told that there is no such person",
    );
    tell.check(
        again.word == "not_found" && !after.contains_key("unconfirmed"),
        "with its word it was over at once",
    );
    unharmed(tell, "all other desks", &run, setup.limit);
    Ok(())
}
