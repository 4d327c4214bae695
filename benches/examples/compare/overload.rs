//! Four times what it holds, on ten times the connections: how much of it is answered all the same, how soon,
//! and how soon it is over.

use std::path::Path;

use super::load::Load;
use super::servers::{Folder, Server};
use super::{Failed, told};

/// More cards of the curve than a core checks.
const MANY: u32 = 6_000;

/// Asks by cards that cost the server much and the load little: one core of load could not ask four times
/// what one of the server holds otherwise.
pub(super) fn four_times(programs: &Path, folder: &Folder) -> Result<(), Failed> {
    println!("\nFour times what it holds, by cards with keys on P-384");
    let cards = Load { cards: true, curve: true, ..Load::numbers() };
    let server = Server::gateway(programs, folder, "group")?;
    let most = Load { rate: MANY, seconds: 6, ..cards }.on(programs, folder, &server)?;
    told("as many as it answers", &most);
    let half = Load { rate: (most.rate / 2.0) as u32, seconds: 10, ..cards };
    let before = half.on(programs, folder, &server)?;
    told("at half of that", &before);
    let flood = Load { rate: (most.rate * 4.0) as u32, seconds: 60, connections: 640, ..cards };
    let during = flood.on(programs, folder, &server)?;
    told("4 times, 640 connections, 60 s", &during);
    let good = during.rate - during.wrong as f64 / 60.0;
    println!(
        "{:<34} {:>8.2} of what it holds; p99 of the answered {:.1} ms, {:.1} at what it holds, {:.1} at half",
        "",
        good / most.rate,
        during.answered_p99,
        most.answered_p99,
        before.answered_p99
    );
    told("at half again, at once", &half.on(programs, folder, &server)?);
    Ok(())
}
