//! A setting at a city goes wrong, and its next delivery leaves the copayment and the limit certificates of all
//! its people empty. The delivery waits for a person; desks go on with what was good.

use std::path::Path;

use serde_json::json;

use super::desk::{Desk, Said};
use super::feeder::{Feeder, in_seconds};
use super::house::House;
use super::load::{CARDS, Desks, sampled, steady};
use super::tell::{Tell, unharmed};
use super::{DrillError, Setup};

/// People of the city: more than a gate asks for.
const PEOPLE: u64 = 1200;
/// Nobody has this number.
const NOBODY: u64 = 999_998;

pub(super) fn run(setup: &Setup, folder: &Path, tell: &mut Tell) -> Result<(), DrillError> {
    tell.about(
        "emptied-field",
        "a city's delivery leaves copayment and limit certificates of its people empty",
    );
    let mut house = House::prepare(setup, folder)?;
    let mut feeder = Feeder::join(&house, "訓練市国民健康保険", true)?;
    house.start()?;
    let (desk, operator) = (Desk::of(&house, "reception")?, Desk::of(&house, "operator")?);
    let mut records = feeder.members(PEOPLE, &json!({}));
    records.push(feeder.mark(in_seconds(0)));
    feeder.feed(&records)?;
    let (known, nobody) = (feeder.question(7), feeder.question(NOBODY));

    let url = house.url();
    let mix = "card = 37\nnumber = 51";
    let mut load = Desks { url: &url, folder: &house.folder, mix, cards: CARDS, shapes: steady(setup.rate) }
        .start(setup)?;
    let seconds = setup.seconds;
    let both = || [desk.number(&known), desk.number(&nobody)];
    tell.screen("insured there", &desk.number(&known));
    tell.screen("unknown there", &desk.number(&nobody));
    let before = sampled(&mut load, seconds, both);

    let first = feeder.next();
    let emptied =
        feeder.members(PEOPLE, &json!({"copay_percent": null, "elderly": [], "limit_certificates": []}));
    let (status, report) = feeder.deliver(&emptied)?;
    tell.happens(&format!(
        "the city delivers {PEOPLE} people without them: {status}, held: {}",
        report["held"]
    ));
    for reason in report["reasons"].as_array().into_iter().flatten() {
        let field = reason["field"].as_str().unwrap_or_default();
        tell.happens(&format!("  {field}: empty for {} %, {} % allowed", reason["found"], reason["allowed"]));
    }
    let insured = desk.number(&known);
    let unknown = desk.number(&nobody);
    tell.screen("insured there", &insured);
    tell.screen("unknown there", &unknown);
    let during = sampled(&mut load, 2 * seconds, both);

    let dropped = drop_held(&operator, &feeder, &report)?;
    tell.happens(&format!(
        "the operator drops it ({dropped}); the city mends its setting and delivers again"
    ));
    feeder.begin_again(first);
    let mut mended = feeder.members(PEOPLE, &json!({}));
    mended.push(feeder.mark(in_seconds(0)));
    let (taken, _) = feeder.deliver(&mended)?;
    let mended = [desk.number(&known), desk.number(&nobody)];
    tell.screen("unknown there", &mended[1]);
    let after = sampled(&mut load, 3 * seconds, both);

    tell.counts("the desk that asks there", &[before, during.clone(), after]);
    let run = load.end()?;
    tell.table("all other desks", &run);
    tell.check(status == 202, "the delivery was held back as a whole");
    let [was, is] = [&insured, &mended[0]].map(keeps);
    tell.check(was, "meanwhile the certificates of before were shown: nobody's copayment changed");
    tell.check(
        unknown.word == "unconfirmed" && unknown.answer["reason"] == "held_back",
        "unknown people: unconfirmed, held_back",
    );
    tell.check(
        !during.contains_key("not_found"),
        "in all that time nobody was told that there is no such person",
    );
    tell.check(
        taken == 200 && is && mended[1].word == "not_found",
        "with the mended delivery it was over at once",
    );
    unharmed(tell, "all other desks", &run, setup.limit);
    Ok(())
}

/// Whether the answer shows both certificates.
fn keeps(said: &Said) -> bool {
    let shown = &said.answer["coverages"][0];
    said.word == "valid"
        && shown["elderly"]["copay_percent"] == 20
        && shown["limit_certificate"]["category"] == "B03"
}

/// What an operator does; the status of it.
fn drop_held(operator: &Desk, feeder: &Feeder, held: &serde_json::Value) -> Result<u16, DrillError> {
    let delivery = held["delivery"].as_str().unwrap_or_default();
    let path = format!("/v1/feeds/{}/held/{delivery}", feeder.source());
    Ok(operator.post(&path, "application/json", b"{\"release\":false}")?.0)
}
