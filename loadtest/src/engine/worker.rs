//! A worker: one thread that sends the requests of its institutions when they are due.

mod traffic;

use std::collections::{HashMap, VecDeque};
use std::iter::Peekable;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use rustix::event::epoll;
use rustix::fd::OwnedFd;

use super::desk::Desk;
use super::lane::{Flight, Lane};
use super::{BEFORE, Report, Start};
use crate::menu::Signed;
use crate::outcome::{Kind, Word};
use crate::plan::{Arrival, Plan, Share};
use crate::tally::Tally;
use crate::target::Server;

/// Sockets looked at before it is asked again what is due.
const EVENTS: usize = 32;
/// What is due within so many nanoseconds is waited for without sleeping, as waking takes longer; so
/// much earlier a sleep ends. The second where signers need the core meanwhile.
const SPIN: (u64, u64) = (100_000, 10_000);
/// Longest sleep, in nanoseconds.
const SLEEP: u64 = 20_000_000;
/// Sleep while something waits for a signature.
const SIGNING: u64 = 200_000;
const SECOND: u64 = 1_000_000_000;

/// One thread that sends.
pub struct Worker<'r> {
    plan: &'r Plan,
    server: &'r Server,
    share: Share,
    start: Start,
    timeout: u64,
    spin: u64,
    stock: Receiver<(usize, Signed)>,
    reports: Sender<Report>,
    epoll: OwnedFd,
    lanes: Vec<Lane>,
    /// Lanes for one request that are free to be used again.
    spare: Vec<usize>,
    desks: HashMap<usize, Desk>,
    /// Institutions of which a lane has become free.
    freed: Vec<usize>,
    /// When which flight of which lane is given up.
    deadlines: VecDeque<(u64, usize, u32)>,
    second: u64,
    tallies: Vec<(usize, Tally)>,
    open: u64,
    unsigned: u64,
    buffer: Vec<u8>,
    scratch: Vec<u8>,
    now: u64,
}

impl<'r> Worker<'r> {
    /// A worker for a share of the plan; `signs`: cards are signed meanwhile.
    ///
    /// # Errors
    /// The system has no epoll to give.
    pub fn new(
        plan: &'r Plan,
        server: &'r Server,
        share: Share,
        (start, timeout, signs): (Start, Duration, bool),
        stock: Receiver<(usize, Signed)>,
        reports: Sender<Report>,
    ) -> std::io::Result<Self> {
        Ok(Self {
            plan,
            server,
            share,
            start,
            timeout: timeout.as_nanos() as u64,
            spin: if signs { SPIN.1 } else { SPIN.0 },
            stock,
            reports,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            lanes: Vec::new(),
            spare: Vec::new(),
            desks: HashMap::new(),
            freed: Vec::new(),
            deadlines: VecDeque::new(),
            second: 0,
            tallies: Vec::new(),
            open: 0,
            unsigned: 0,
            buffer: vec![0; 64 * 1024],
            scratch: Vec::new(),
            now: 0,
        })
    }

    /// Opens every connection of its institutions; returns when all are open or have failed.
    pub fn connect(&mut self) {
        let institutions = self.plan.institutions.iter().enumerate().filter(|(at, _)| self.share.has(*at));
        for (institution, one) in institutions {
            let desk = self.desks.entry(institution).or_default();
            for _ in 0..one.connections {
                desk.idle.push(self.lanes.len());
                self.lanes.push(Lane::new(institution, false));
            }
        }
        // A few at a time: this is no storm.
        for at in 0..self.lanes.len() {
            self.dial(at, BEFORE);
            while self.opening() >= 8 {
                self.wait(SLEEP);
            }
        }
        let mut patience = 500;
        while self.opening() > 0 && patience > 0 {
            self.wait(SLEEP);
            patience -= 1;
        }
    }

    fn opening(&self) -> usize {
        self.lanes.iter().filter(|lane| lane.opening.is_some()).count()
    }

    /// Runs its share of the plan to the end.
    pub fn run(mut self) {
        let plan = self.plan;
        let mut arrivals = plan.arrivals(self.share).peekable();
        // A sleeping thread is woken up to a tenth of this late; 50 µs are the kernel's default.
        let _ = rustix::thread::set_current_timer_slack(std::num::NonZero::new(1000));
        std::thread::sleep(self.start.left(0));
        let ends = (plan.seconds() * 1e9) as u64;
        loop {
            self.now = self.start.now();
            self.roll(false);
            self.take_up(&mut arrivals);
            self.take_stock();
            self.give_up();
            let next = arrivals.peek().map(|next| next.at);
            let over = next.is_none() && self.open == 0 && self.now >= ends;
            if over || (next.is_none() && self.now > ends + self.timeout + SECOND) {
                break;
            }
            self.wait(self.patience(next, ends));
        }
        self.roll(true);
    }

    /// How long nothing needs to be done but to listen.
    fn patience(&self, next: Option<u64>, ends: u64) -> u64 {
        let mut until = self.now + if self.unsigned > 0 { SIGNING } else { SLEEP };
        until = until.min((self.second + 1) * SECOND);
        if let Some(next) = next {
            until = until.min(next);
        } else if ends > self.now {
            until = until.min(ends);
        }
        if let Some((deadline, ..)) = self.deadlines.front() {
            until = until.min(*deadline);
        }
        let patience = until.saturating_sub(self.start.now());
        patience.saturating_sub(self.spin)
    }

    /// Takes up everything that is due.
    fn take_up(&mut self, arrivals: &mut Peekable<impl Iterator<Item = Arrival>>) {
        while let Some(arrival) = arrivals.next_if(|next| next.at <= self.now) {
            self.now = self.start.now();
            let lag = self.now - arrival.at;
            let tally = self.tally(arrival.phase);
            tally.due += 1;
            tally.lag.record(lag);
            self.open += 1;
            if arrival.kind != Kind::Card {
                self.dispatch(Flight { arrival, signed: None, sent: 0, repeated: false });
                continue;
            }
            let desk = self.desks.entry(arrival.institution).or_default();
            let mut signed = desk.stock.pop_front();
            if signed.is_none() {
                self.take_stock();
                signed = self.desks.entry(arrival.institution).or_default().stock.pop_front();
            }
            match signed {
                Some(signed) => self.dispatch_card(arrival, signed),
                None => {
                    self.tally(arrival.phase).unsigned += 1;
                    self.unsigned += 1;
                    self.desks.entry(arrival.institution).or_default().unsigned.push_back(arrival);
                }
            }
        }
    }

    fn dispatch_card(&mut self, arrival: Arrival, signed: Signed) {
        let arrival = Arrival { item: signed.card, sort: signed.sort, ..arrival };
        self.dispatch(Flight { arrival, signed: Some(signed), sent: 0, repeated: false });
    }

    /// Takes signed cards from the signers, first for requests that wait for them.
    fn take_stock(&mut self) {
        while let Ok((institution, signed)) = self.stock.try_recv() {
            let desk = self.desks.entry(institution).or_default();
            match desk.unsigned.pop_front() {
                Some(arrival) => {
                    self.unsigned -= 1;
                    self.dispatch_card(arrival, signed);
                }
                None => desk.stock.push_back(signed),
            }
        }
    }

    /// Gives up what has taken too long.
    fn give_up(&mut self) {
        while let Some(&(deadline, at, flights)) = self.deadlines.front() {
            if deadline > self.now {
                break;
            }
            self.deadlines.pop_front();
            let lane = self.lanes.get(at);
            if lane.is_some_and(|lane| lane.flights == flights && lane.flight.is_some()) {
                self.finish(at, (Word::TIMEOUT, false), true);
            }
        }
    }

    /// Gives up what has waited too long for a connection or a signature.
    fn give_up_waiting(&mut self) {
        let (now, timeout) = (self.now, self.timeout);
        let late = |arrival: &Arrival| arrival.at + timeout <= now;
        let mut ended = Vec::new();
        for desk in self.desks.values_mut() {
            while desk.waiting.front().is_some_and(|flight| late(&flight.arrival)) {
                ended.extend(desk.waiting.pop_front().map(|flight| (flight, Word::TIMEOUT)));
            }
            while desk.unsigned.front().is_some_and(late) {
                self.unsigned -= 1;
                let flight = |arrival| Flight { arrival, signed: None, sent: 0, repeated: false };
                ended.extend(desk.unsigned.pop_front().map(|arrival| (flight(arrival), Word::UNSIGNED)));
            }
        }
        for (flight, word) in ended {
            self.end(&flight, word, false);
        }
    }

    fn tally(&mut self, phase: usize) -> &mut Tally {
        let at = match self.tallies.iter().position(|(of, _)| *of == phase) {
            Some(at) => at,
            None => {
                self.tallies.push((phase, Tally::default()));
                self.tallies.len() - 1
            }
        };
        &mut self.tallies[at].1
    }

    /// Reports each second that has passed.
    fn roll(&mut self, last: bool) {
        let second = self.now / SECOND;
        if second == self.second && !last {
            return;
        }
        self.give_up_waiting();
        let tallies = std::mem::take(&mut self.tallies);
        // Whoever collects has ended when the run is broken off.
        let _ = self.reports.send(Report { second: self.second, tallies, open: self.open, last });
        self.second = second;
    }
}
