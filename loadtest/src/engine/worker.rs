//! A worker: one thread that sends the requests of its institutions when they are due.

use std::collections::{HashMap, VecDeque};
use std::iter::Peekable;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;

use super::desk::Desk;
use super::lane::{Flight, Lane};
use super::wire::Wire;
use super::{BEFORE, Report, Start};
use crate::clock;
use crate::http;
use crate::menu::{Signed, card_request};
use crate::outcome::{Kind, Word};
use crate::plan::{Arrival, Plan, Share};
use crate::tally::{Ended, Tally};
use crate::target::Server;

/// Sockets looked at before it is asked again what is due.
const EVENTS: usize = 32;
/// What is due within so many nanoseconds is waited for without sleeping: waking takes longer.
const SPIN: u64 = 20_000;
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
    /// A worker for a share of the plan.
    ///
    /// # Errors
    /// The system has no epoll to give.
    pub fn new(
        plan: &'r Plan,
        server: &'r Server,
        share: Share,
        (start, timeout): (Start, Duration),
        stock: Receiver<(usize, Signed)>,
        reports: Sender<Report>,
    ) -> std::io::Result<Self> {
        Ok(Self {
            plan,
            server,
            share,
            start,
            timeout: timeout.as_nanos() as u64,
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
        if patience < SPIN { 0 } else { patience }
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

    /// Puts a request on a connection, or in the line for one.
    fn dispatch(&mut self, flight: Flight) {
        let institution = flight.arrival.institution;
        let lane = if flight.arrival.fresh {
            Some(self.spare.pop().unwrap_or_else(|| {
                self.lanes.push(Lane::new(institution, true));
                self.lanes.len() - 1
            }))
        } else {
            self.desks.entry(institution).or_default().idle.pop()
        };
        match lane {
            Some(at) => self.board(at, flight),
            None => {
                self.tally(flight.arrival.phase).waited += 1;
                self.desks.entry(institution).or_default().waiting.push_back(flight);
            }
        }
    }

    /// Puts a request on a lane.
    fn board(&mut self, at: usize, flight: Flight) {
        let phase = flight.arrival.phase;
        let deadline = self.now + self.timeout;
        let Some(lane) = self.lanes.get_mut(at) else { return };
        lane.institution = flight.arrival.institution;
        lane.flights = lane.flights.wrapping_add(1);
        lane.flight = Some(flight);
        self.deadlines.push_back((deadline, at, lane.flights));
        let is_open = lane.wire.as_ref().is_some_and(Wire::is_open);
        if is_open {
            self.send(at);
        } else if lane.opening.is_none() {
            self.dial(at, phase);
        }
    }

    /// Begins to connect a lane.
    fn dial(&mut self, at: usize, phase: usize) {
        let Some(lane) = self.lanes.get_mut(at) else { return };
        let tls = self.plan.institutions.get(lane.institution).and_then(|one| one.tls.as_ref());
        match Wire::connect(self.server, tls) {
            Ok(wire) => {
                lane.connection = lane.connection.wrapping_add(1);
                let flags = EventFlags::IN | EventFlags::OUT;
                let told = epoll::add(&self.epoll, &wire, data(at, lane.connection), flags);
                lane.tells_writable = true;
                lane.opening = Some(clock::instant());
                lane.answered = 0;
                lane.arrived.clear();
                lane.wire = Some(wire);
                self.tally(phase).connected += 1;
                if told.is_err() {
                    self.fail(at, Word::NO_SOCKET);
                }
            }
            Err(word) => self.fail(at, word),
        }
    }

    /// Sends the request of a lane whose connection is open.
    fn send(&mut self, at: usize) {
        self.now = self.start.now();
        let Some(lane) = self.lanes.get_mut(at) else { return };
        let (Some(flight), Some(wire)) = (&mut lane.flight, &mut lane.wire) else { return };
        flight.sent = self.now;
        let item = self.plan.menu.course(flight.arrival.kind).items.get(flight.arrival.item);
        let sent = match (item, &flight.signed) {
            (Some(card), Some(signed)) => {
                card_request(&self.server.host, card, signed, &mut self.scratch);
                wire.send(&self.scratch)
            }
            (Some(item), None) => wire.send(&item.octets),
            (None, _) => Err(Word::OTHER),
        };
        match sent {
            Ok(()) => self.listen(at),
            Err(word) => self.fail(at, word),
        }
    }

    /// Lets the socket tell when it takes octets, if some wait.
    fn listen(&mut self, at: usize) {
        let Some(lane) = self.lanes.get_mut(at) else { return };
        let Some(wire) = &lane.wire else { return };
        let wants = wire.wants_to_write();
        if wants != lane.tells_writable {
            lane.tells_writable = wants;
            let flags = if wants { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
            let _ = epoll::modify(&self.epoll, wire, data(at, lane.connection), flags);
        }
    }

    /// Waits for sockets, and serves those that have something to tell.
    fn wait(&mut self, nanos: u64) {
        let timeout = Timespec { tv_sec: (nanos / SECOND) as i64, tv_nsec: (nanos % SECOND) as i64 };
        let mut events = Vec::with_capacity(EVENTS);
        if epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&timeout)).is_err() {
            return;
        }
        for event in events {
            let (at, connection) = place(event.data);
            let meant =
                self.lanes.get(at).is_some_and(|lane| lane.connection == connection && lane.wire.is_some());
            if meant {
                self.serve(at, event.flags);
            }
        }
        self.board_waiting();
    }

    fn serve(&mut self, at: usize, flags: EventFlags) {
        let Some(lane) = self.lanes.get_mut(at) else { return };
        let Some(wire) = &mut lane.wire else { return };
        let mut outcome = Ok(true);
        if flags.intersects(EventFlags::OUT | EventFlags::ERR | EventFlags::HUP) {
            outcome = wire.flush().map(|()| true);
        }
        if outcome.is_ok() && flags.intersects(EventFlags::IN | EventFlags::HUP) {
            let arrived = lane.arrived.len();
            outcome = wire.read(&mut self.buffer, &mut lane.arrived);
            // Handshakes answer, and TLS may have something to say.
            if wire.wants_to_write() && outcome == Ok(true) {
                outcome = wire.flush().map(|()| true);
            }
            self.octets(at, arrived);
        }
        match outcome {
            Ok(still_open) => {
                self.opened(at);
                self.answered(at, still_open);
            }
            Err(word) => self.fail(at, word),
        }
    }

    fn octets(&mut self, at: usize, before: usize) {
        let Some(lane) = self.lanes.get(at) else { return };
        let more = (lane.arrived.len() - before) as u64;
        let Some(phase) = lane.flight.as_ref().map(|flight| flight.arrival.phase) else { return };
        self.tally(phase).octets += more;
    }

    /// Looks whether a connection has just opened, and sends what waits for it.
    fn opened(&mut self, at: usize) {
        let Some(lane) = self.lanes.get_mut(at) else { return };
        if lane.wire.as_ref().is_some_and(Wire::is_open)
            && let Some(since) = lane.opening.take()
        {
            let phase = lane.flight.as_ref().map_or(BEFORE, |flight| flight.arrival.phase);
            let waits = lane.flight.is_some();
            let took = since.elapsed().as_nanos() as u64;
            self.tally(phase).handshake.record(took);
            if waits {
                self.send(at);
            }
        }
        self.listen(at);
    }

    /// Reads an answer where one is whole.
    fn answered(&mut self, at: usize, still_open: bool) {
        let Some(lane) = self.lanes.get_mut(at) else { return };
        let read = match (&lane.flight, lane.arrived.is_empty()) {
            (_, true) => None,
            (Some(flight), false) => match http::response(&lane.arrived) {
                Ok(None) => None,
                Ok(Some(response)) => {
                    let item = self.plan.menu.course(flight.arrival.kind).items.get(flight.arrival.item);
                    let judged = item.map(|item| item.expected.judge(response.status, &response.body));
                    Some(Ok((judged.unwrap_or((Word::OTHER, false)), response.keeps, response.length)))
                }
                Err(_) => Some(Err(())),
            },
            (None, false) => Some(Err(())),
        };
        match read {
            Some(Ok((judged, keeps, length))) => {
                lane.arrived.drain(..length);
                lane.answered += 1;
                let closes = !keeps || !still_open || lane.once;
                self.finish(at, judged, closes);
            }
            Some(Err(())) => self.fail(at, Word::GARBLED),
            None if !still_open => self.fail(at, Word::CLOSED),
            None => {}
        }
    }

    /// Ends the request of a lane and gives the lane to the next.
    fn finish(&mut self, at: usize, (word, right): (Word, bool), closes: bool) {
        self.now = self.start.now();
        let Some(lane) = self.lanes.get_mut(at) else { return };
        if closes {
            hang_up(&self.epoll, lane);
        }
        if let Some(flight) = lane.flight.take() {
            self.end(&flight, word, right);
        }
        self.free(at);
    }

    fn end(&mut self, flight: &Flight, word: Word, right: bool) {
        let Arrival { at, kind, sort, phase, .. } = flight.arrival;
        let now = self.now;
        let sent = if flight.sent == 0 { now } else { flight.sent };
        let ended = Ended { kind, sort, word, right, latency: now - at.min(now), service: now - sent };
        self.tally(phase).end(&ended);
        self.open -= 1;
    }

    fn free(&mut self, at: usize) {
        let Some(lane) = self.lanes.get(at) else { return };
        if lane.once {
            self.spare.push(at);
            return;
        }
        self.desks.entry(lane.institution).or_default().idle.push(at);
        self.freed.push(lane.institution);
    }

    /// Gives lanes that have become free to requests that wait. Not from within [`Worker::free`]:
    /// where every connection fails at once, that would go as deep as the line is long.
    fn board_waiting(&mut self) {
        while let Some(institution) = self.freed.pop() {
            let desk = self.desks.entry(institution).or_default();
            if desk.waiting.is_empty() {
                continue;
            }
            if let (Some(at), Some(flight)) = (desk.idle.pop(), desk.waiting.pop_front()) {
                self.board(at, flight);
            }
        }
    }

    /// The connection of a lane has failed. A request that met a connection which the server had
    /// closed while it was idle is sent once more, as any client does.
    fn fail(&mut self, at: usize, word: Word) {
        self.now = self.start.now();
        let Some(lane) = self.lanes.get_mut(at) else { return };
        let was_opening = lane.opening.is_some();
        let was_idle = word == Word::CLOSED && lane.answered > 0 && lane.arrived.is_empty();
        hang_up(&self.epoll, lane);
        let Some(flight) = lane.flight.take() else { return };
        if was_idle && !was_opening && !flight.repeated {
            let phase = flight.arrival.phase;
            lane.flight = Some(Flight { repeated: true, ..flight });
            self.tally(phase).repeated += 1;
            self.dial(at, phase);
            return;
        }
        self.end(&flight, word, false);
        self.free(at);
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

/// Closes a lane's connection.
fn hang_up(epoll: &OwnedFd, lane: &mut Lane) {
    if let Some(wire) = lane.wire.take() {
        let _ = epoll::delete(epoll, &wire);
    }
    lane.opening = None;
    lane.arrived.clear();
}

fn data(at: usize, connection: u32) -> EventData {
    EventData::new_u64((u64::from(connection) << 32) | at as u64)
}

fn place(data: EventData) -> (usize, u32) {
    let value = data.u64();
    ((value & 0xFFFF_FFFF) as usize, (value >> 32) as u32)
}
