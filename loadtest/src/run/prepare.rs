//! What is made before a run: requests, cards, institutions, the plan.

use std::path::Path;

use crate::folder::Folder;
use crate::institutions::{self, Institution};
use crate::menu::{Course, Expected, Item};
use crate::outcome::Sort;
use crate::patients::cards::Wallet;
use crate::patients::claims;
use crate::patients::numbers::Questions;
use crate::plan::{Menu, Plan};
use crate::scenario::Scenario;
use crate::target::Server;
use crate::{clock, http};

/// Everything a run needs.
pub struct Prepared {
    /// Every request with its instant.
    pub plan: Plan,
    /// The cards that sign; empty where none is shown.
    pub wallet: Wallet,
    /// Whom to ask.
    pub server: Server,
    /// Threads that send.
    pub workers: usize,
}

impl Prepared {
    /// Prepares a run of so many generators.
    ///
    /// # Errors
    /// What is wrong with the scenario or its folder.
    pub fn make(
        scenario: &Scenario,
        beside: &Path,
        generators: usize,
        mut tell: impl FnMut(&str),
    ) -> Result<Self, String> {
        let now = clock::now();
        let today = now.day_in_japan();
        let phases = scenario.phases(beside)?;
        let target = &scenario.target;
        let server = Server { http2: target.http2, ..Server::of(&target.url)? };
        let folder = target.folder.as_ref().map(|folder| Folder::open(&beside.join(folder))).transpose()?;
        tell("institutions");
        let institutions = institutions::of(scenario, folder.as_ref(), server.name.is_some(), now)?;
        let mix = &scenario.mix;
        let mut menu = Menu::default();
        let mut wallet = Wallet::default();
        if let Some(folder) = &folder {
            if mix.number > 0.0 || mix.batch > 0.0 {
                tell("questions by number");
                let questions = Questions::draw(folder, scenario.seed, today, &scenario.numbers);
                menu.number = questions.singly(&server.host);
                menu.batch = questions.in_batches(&server.host, mix);
            }
            if mix.card > 0.0 {
                tell("cards");
                wallet = Wallet::issue(folder, scenario.seed, today, &scenario.cards)?;
                menu.card = wallet.course.clone();
            }
        }
        menu.challenge = one(http::post(&server.host, "/v1/challenges", "application/json", b"{}"));
        if let Some(path) = &mix.path {
            menu.plain = one(http::get(&server.host, path));
        }
        let workers = workers(scenario);
        let institutions = enough(institutions, workers * generators);
        if let Some(folder) = folder.as_ref().filter(|_| mix.precheck > 0.0) {
            tell("claims");
            menu.precheck = claims::files(folder, &institutions, today, &server.host, mix)?;
        }
        Ok(Self { plan: Plan::new(phases, menu, mix, institutions, scenario.seed), wallet, server, workers })
    }
}

fn one(request: Vec<u8>) -> Course {
    let mut course = Course::default();
    course.add(Sort::Several, 1.0, vec![Item { octets: request.into(), expected: Expected::Anything }]);
    course
}

fn workers(scenario: &Scenario) -> usize {
    match scenario.generator.workers {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        workers => workers as usize,
    }
}

/// Cuts institutions in parts until every thread has one.
fn enough(mut all: Vec<Institution>, threads: usize) -> Vec<Institution> {
    let parts = threads.div_ceil(all.len().max(1));
    if parts > 1 {
        let part = |one: &Institution| Institution {
            connections: one.connections.div_ceil(parts as u32),
            weight: one.weight / parts as f64,
            ..one.clone()
        };
        all = all.iter().flat_map(|one| std::iter::repeat_n(part(one), parts)).collect();
    }
    all
}
