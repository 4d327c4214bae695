//! What happens on the lanes of a worker: connect, send, read, end.

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;

use super::{EVENTS, SECOND, Worker};
use crate::clock;
use crate::engine::BEFORE;
use crate::engine::lane::{Flight, Lane};
use crate::engine::wire::Wire;
use crate::http;
use crate::menu::card_request;
use crate::outcome::Word;
use crate::plan::Arrival;
use crate::tally::Ended;

impl Worker<'_> {
    /// Puts a request on a connection, or in the line for one.
    pub(super) fn dispatch(&mut self, flight: Flight) {
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
    pub(super) fn dial(&mut self, at: usize, phase: usize) {
        let Some(lane) = self.lanes.get_mut(at) else { return };
        let tls = self.plan.institutions.get(lane.institution).and_then(|one| one.tls.as_ref());
        match Wire::connect(self.server, tls) {
            Ok(wire) => {
                lane.connection = lane.connection.wrapping_add(1);
                let flags = EventFlags::IN | EventFlags::OUT;
                let told = epoll::add(&self.epoll, &wire, data(at, lane.connection), flags);
                lane.tells_writable = true;
                lane.opening = Some(clock::instant());
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
    pub(super) fn wait(&mut self, nanos: u64) {
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
                let closes = !keeps || !still_open || lane.once;
                self.finish(at, judged, closes);
            }
            Some(Err(())) => self.fail(at, Word::GARBLED),
            None if !still_open => self.fail(at, Word::CLOSED),
            None => {}
        }
    }

    /// Ends the request of a lane and gives the lane to the next.
    pub(super) fn finish(&mut self, at: usize, (word, right): (Word, bool), closes: bool) {
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

    pub(super) fn end(&mut self, flight: &Flight, word: Word, right: bool) {
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
        let was_idle = word == Word::CLOSED && lane.arrived.is_empty();
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
