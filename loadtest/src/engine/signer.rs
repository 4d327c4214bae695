//! Signers: threads that fetch challenges and sign them ahead of the requests that need them, or
//! all of them before the run.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use super::Start;
use crate::client::{Client, Reply};
use crate::clock;
use crate::histogram::Durations;
use crate::http;
use crate::menu::Signed;
use crate::outcome::{Kind, Sort};
use crate::patients::cards::Wallet;
use crate::plan::{Plan, Share};
use crate::target::Server;

/// Most challenges fetched by one request.
const MOST: usize = 100;
/// Requests due within such a window are signed for together.
const WINDOW: u64 = 250_000_000;
/// So long before its window a challenge is fetched, that of the first ones before the start.
pub const AHEAD: Duration = Duration::from_millis(1500);
/// By so much a signer in the run goes behind those who send.
const NICE: i32 = 5;
/// Pause after a challenge was refused.
const PAUSE: Duration = Duration::from_millis(50);
/// So often a refused fetch is tried again.
const TRIES: u32 = 100;

/// Where signed cards go: one end a worker.
pub type Stocks = Vec<Sender<(usize, Signed)>>;

/// A thread that signs.
pub struct Signer<'r> {
    /// What is due.
    pub plan: &'r Plan,
    /// The cards.
    pub wallet: &'r Wallet,
    /// Whom to ask for challenges.
    pub server: &'r Server,
    /// The part of the plan that this process has.
    pub share: Share,
    /// This signer, and how many there are.
    pub own: (usize, usize),
    /// Where signed cards go.
    pub stocks: Stocks,
    /// When the run begins; `None` to sign all of it now.
    pub start: Option<Start>,
    /// How long to wait for the server.
    pub timeout: Duration,
    /// Set to end it early.
    pub stop: &'r AtomicBool,
}

/// What signing took.
#[derive(Clone, Debug, Default)]
pub struct Signing {
    /// Signatures made.
    pub signed: u64,
    /// Nanoseconds spent signing.
    pub busy: u64,
    /// Fetching challenges, a request of up to a hundred each.
    pub fetches: Durations,
    /// Fetches that were refused or failed.
    pub refused: u64,
}

#[derive(Deserialize)]
struct Challenges {
    challenges: Vec<Challenge>,
}

#[derive(Deserialize)]
struct Challenge {
    challenge: String,
}

/// Cards of one institution that sign together.
type Batch = (usize, Vec<(usize, Sort)>);

impl Signer<'_> {
    /// Signs for the plan.
    ///
    /// # Errors
    /// When the server gives no challenges, in words.
    pub fn run(mut self) -> Result<Signing, String> {
        if self.start.is_some() {
            // Of this thread alone: where cores are scarce, sending goes before signing ahead.
            let own = rustix::process::getpriority_process(None).unwrap_or_default();
            let _ = rustix::process::setpriority_process(None, own + NICE);
        }
        let mut signing = Signing::default();
        let mut clients: HashMap<usize, Client> = HashMap::new();
        let plan = self.plan;
        let mut cards = plan.arrivals(self.share).filter(|one| one.kind == Kind::Card).peekable();
        let mut count = 0;
        while let Some(first) = cards.peek() {
            let window = first.at / WINDOW;
            let mut batches: Vec<Batch> = Vec::new();
            while let Some(card) = cards.next_if(|one| one.at / WINDOW == window) {
                let room = batches.iter_mut().find(|(who, all)| *who == card.institution && all.len() < MOST);
                match room {
                    Some((_, all)) => all.push((card.item, card.sort)),
                    None => batches.push((card.institution, vec![(card.item, card.sort)])),
                }
            }
            if let Some(start) = self.start {
                thread::sleep(start.left(window * WINDOW).saturating_sub(AHEAD));
            }
            for batch in batches {
                count += 1;
                if count % self.own.1 != self.own.0 {
                    continue;
                }
                if self.stop.load(Ordering::Relaxed) {
                    return Ok(signing);
                }
                self.sign(batch, &mut clients, &mut signing)?;
            }
        }
        Ok(signing)
    }

    fn sign(
        &mut self,
        (institution, cards): Batch,
        clients: &mut HashMap<usize, Client>,
        signing: &mut Signing,
    ) -> Result<(), String> {
        let challenges = self.fetch(institution, cards.len(), clients, signing)?;
        let began = clock::instant();
        for ((card, sort), one) in cards.into_iter().zip(challenges) {
            let tail = self.wallet.sign(card, &one.challenge)?;
            signing.signed += 1;
            let worker = self.share.thread(0, self.stocks.len().max(1)).thread_of(institution);
            if let Some(stock) = self.stocks.get(worker) {
                // A worker that has ended needs none.
                let _ = stock.send((institution, Signed { card, sort, tail }));
            }
        }
        signing.busy += began.elapsed().as_nanos() as u64;
        Ok(())
    }

    fn fetch(
        &self,
        institution: usize,
        count: usize,
        clients: &mut HashMap<usize, Client>,
        signing: &mut Signing,
    ) -> Result<Vec<Challenge>, String> {
        let body = format!("{{\"count\":{count}}}");
        let request = http::post(&self.server.host, "/v1/challenges", "application/json", body.as_bytes());
        let mut why = String::new();
        for _ in 0..TRIES {
            let began = clock::instant();
            match self.exchange(institution, &request, clients) {
                Ok((201, body)) => {
                    signing.fetches.record(began.elapsed().as_nanos() as u64);
                    let read: Challenges =
                        serde_json::from_slice(&body).map_err(|error| format!("challenges: {error}"))?;
                    return Ok(read.challenges);
                }
                Ok((status, _)) => why = format!("status {status}"),
                Err(error) => {
                    why = error.to_string();
                    clients.remove(&institution);
                }
            }
            signing.refused += 1;
            if self.stop.load(Ordering::Relaxed) {
                return Ok(Vec::new());
            }
            thread::sleep(PAUSE);
        }
        Err(format!("no challenges from {}: {why}", self.server.host))
    }

    fn exchange(
        &self,
        institution: usize,
        request: &[u8],
        clients: &mut HashMap<usize, Client>,
    ) -> io::Result<Reply> {
        let tls: Option<&Arc<_>> = self.plan.institutions.get(institution).and_then(|one| one.tls.as_ref());
        let client = match clients.entry(institution) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(Client::connect(self.server, tls, self.timeout)?)
            }
        };
        client.exchange(request)
    }
}
