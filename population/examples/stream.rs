//! Streams people and says how long it took.
//!
//! ```text
//! cargo run --release -p population --example stream -- [PEOPLE] [OF]
//! ```
//!
//! Makes the first PEOPLE (1 000 000) of a nation of OF (125 000 000), as records and as JSON.

use std::time::{Duration, Instant};

use eligibility::day::Day;
use population::Population;

fn main() {
    let mut words = std::env::args().skip(1).filter_map(|word| word.parse().ok());
    let people: u64 = words.next().unwrap_or(1_000_000);
    let of: u64 = words.next().unwrap_or(125_000_000);
    let population = Population::new(1, of, Day::from_number(20_778));
    let (count, took) = timed(|| population.records(0..people).count());
    println!("{people} people, {count} records in {took:.2?}: {:.0} people/s", rate(people, took));
    let (octets, took) =
        timed(|| population.records(0..people).map(|one| one.to_json().len()).sum::<usize>());
    println!("{octets} octets of JSON in {took:.2?}: {:.0} people/s", rate(people, took));
}

fn rate(people: u64, took: Duration) -> f64 {
    people as f64 / took.as_secs_f64()
}

#[expect(clippy::disallowed_methods, reason = "measures itself")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let result = work();
    (result, begun.elapsed())
}
