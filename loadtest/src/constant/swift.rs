//! Answers at once, one thread for all connections: so that the server is not the limit when a
//! generator is measured.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;

use super::answer;
use crate::schedule::Random;

/// The listener's place among the sockets.
const LISTENER: u64 = u64::MAX;
const EVENTS: usize = 64;

pub(super) struct Swift {
    listener: TcpListener,
    epoll: OwnedFd,
    connections: Vec<Option<Connection>>,
    random: Random,
}

struct Connection {
    socket: TcpStream,
    arrived: Vec<u8>,
}

impl Swift {
    pub(super) fn new(listener: TcpListener) -> std::io::Result<Self> {
        listener.set_nonblocking(true)?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        Ok(Self { listener, epoll, connections: Vec::new(), random: Random::of(1, 1) })
    }

    pub(super) fn run(mut self) {
        let mut buffer = vec![0; 64 * 1024];
        let mut events = Vec::with_capacity(EVENTS);
        loop {
            events.clear();
            if epoll::wait(&self.epoll, spare_capacity(&mut events), None).is_err() {
                continue;
            }
            for event in &events {
                match event.data.u64() {
                    LISTENER => self.accept(),
                    at => self.serve(at as usize, &mut buffer),
                }
            }
        }
    }

    fn accept(&mut self) {
        while let Ok((socket, _)) = self.listener.accept() {
            // Answers are short: what a socket does not take at once is a caller who does not read.
            let ready = socket.set_nonblocking(true).and_then(|()| socket.set_nodelay(true));
            let at = self.connections.iter().position(Option::is_none).unwrap_or(self.connections.len());
            let told = epoll::add(&self.epoll, &socket, EventData::new_u64(at as u64), EventFlags::IN);
            if ready.is_err() || told.is_err() {
                continue;
            }
            if at == self.connections.len() {
                self.connections.push(None);
            }
            if let Some(place) = self.connections.get_mut(at) {
                *place = Some(Connection { socket, arrived: Vec::new() });
            }
        }
    }

    fn serve(&mut self, at: usize, buffer: &mut [u8]) {
        let Some(place) = self.connections.get_mut(at) else { return };
        let Some(connection) = place else { return };
        let goes_on = match connection.socket.read(buffer) {
            Ok(0) | Err(_) => false,
            Ok(read) => {
                connection.arrived.extend_from_slice(buffer.get(..read).unwrap_or_default());
                connection.reply(&mut self.random).is_ok()
            }
        };
        if !goes_on {
            // Closing takes it from the epoll.
            *place = None;
        }
    }
}

impl Connection {
    fn reply(&mut self, random: &mut Random) -> std::io::Result<()> {
        let mut reply = Vec::with_capacity(128);
        while answer(&mut self.arrived, &mut reply, random)? {}
        if reply.is_empty() { Ok(()) } else { self.socket.write_all(&reply) }
    }
}
