//! A carrier's line fault: a part of the sites is cut off, all of their connections with it; then all are back at
//! once, each with a new handshake. Those who were not cut off must not feel it.

use std::path::Path;

use super::house::{House, free_address};
use super::line::Line;
use super::load::{CARDS, Desks, steady};
use super::tell::{Tell, count, unharmed};
use super::{DrillError, Setup};
use crate::outcome::Word;
use crate::proxy::Faults;

pub(super) fn run(setup: &Setup, folder: &Path, tell: &mut Tell) -> Result<(), DrillError> {
    tell.about("line-fault", "a carrier's line fault cuts half of the sites off; then all are back at once");
    let mut house = House::prepare(setup, folder)?;
    house.start()?;
    let address = free_address()?;
    let carrier = Line::open(address, house.listen, Faults::default())?;

    let (near, far) = (house.url(), format!("https://{address}"));
    let (rate, seconds) = (setup.rate / 2.0, setup.seconds);
    // Two sites a query a second: all of them come back within half of the phase.
    let [before, during, _] = steady(rate);
    let back = format!(
        "shape = \"storm\"\nbase = {rate}\nsites = {:.0}\nwithin = {:.1}\nfresh = 1.0",
        setup.rate * 2.0,
        seconds as f64 / 2.0
    );
    let near = Desks {
        url: &near,
        folder: &house.folder,
        mix: "card = 37\nnumber = 51",
        cards: CARDS,
        shapes: steady(rate),
    };
    // A card needs a challenge, which those cut off cannot fetch: they ask by number.
    let far = Desks {
        url: &far,
        folder: &house.folder,
        mix: "number = 1",
        cards: CARDS,
        shapes: [before, during, back],
    };
    let near = near.start(setup)?;
    let mut far = far.start(setup)?;

    far.wait(seconds);
    carrier.cut();
    tell.happens("the line is cut");
    far.wait(2 * seconds - 1);
    let carrier = Line::open(address, house.listen, Faults::default())?;
    tell.happens("the line is mended: everybody is back, each with a new connection");
    let (near, far) = (near.end()?, far.end()?);
    carrier.cut();
    tell.table("desks on other lines", &near);
    tell.table("desks on the cut line", &far);
    unharmed(tell, "desks on other lines", &near, setup.limit);
    if let [before, during, after] = far.phases.as_slice() {
        let answered =
            |words: &[&[u8]]| words.iter().map(|word| count(&during.tally, Word::of(word))).sum::<u64>();
        let refused = answered(&[b"overloaded", b"not_ready", b"internal"]);
        tell.check(before.tally.failed == 0, "the cut line, before: every query was answered");
        tell.check(
            during.tally.failed > 0 && refused == 0,
            "during: no connection, and no word of ours that says otherwise",
        );
        let lost = after.tally.failed + after.tally.wrong;
        let words =
            format!("after: all {} that came back were answered rightly ({lost} were not)", after.tally.due);
        tell.check(lost == 0, &words);
    }
    Ok(())
}
