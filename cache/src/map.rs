//! Octets outside the heap, in large pages where the system has them, given back to it as soon as
//! nobody reads them.
//!
//! Files are read into such memory and not mapped: of a file's pages a find would spend half its time
//! on finding where they are, and whoever cut a mapped file would stop the process.

use std::io::{self, Read};
use std::ops::Deref;

use memmap2::{Advice, MmapMut};

/// Octets that do not change.
pub(crate) struct Octets {
    room: Room,
    length: usize,
}

enum Room {
    Heap(Vec<u8>),
    Own(MmapMut),
}

impl Deref for Octets {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let all: &[u8] = match &self.room {
            Room::Heap(octets) => octets,
            Room::Own(map) => map,
        };
        all.get(..self.length).unwrap_or_default()
    }
}

/// Octets being written, in memory of their own.
#[derive(Default)]
pub(crate) struct Buffer {
    room: Option<MmapMut>,
    heap: Vec<u8>,
    length: usize,
}

impl Buffer {
    /// With room for so many.
    pub(crate) fn new(octets: usize) -> Self {
        // Where the system has no room outside the heap, the heap says so in its own way.
        let room = MmapMut::map_anon(octets.max(1)).ok();
        if let Some(room) = &room {
            // Large pages halve the time of a find; without them it works as well.
            let _ = room.advise(Advice::HugePage);
        }
        Self { room, heap: Vec::new(), length: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.length
    }

    /// Appends octets.
    pub(crate) fn put(&mut self, octets: &[u8]) {
        let end = self.length + octets.len();
        match self.room.as_mut().and_then(|room| room.get_mut(self.length..end)) {
            Some(place) => place.copy_from_slice(octets),
            None => {
                self.leave();
                self.heap.extend_from_slice(octets);
            }
        }
        self.length = end;
    }

    /// Puts other octets in place of some already there.
    pub(crate) fn set(&mut self, at: usize, octets: &[u8]) {
        let all = self.room.as_deref_mut().unwrap_or(&mut self.heap);
        if let Some(place) = all.get_mut(at..at + octets.len()) {
            place.copy_from_slice(octets);
        }
    }

    /// Goes on in the heap: more came than was said.
    fn leave(&mut self) {
        if let Some(room) = self.room.take() {
            self.heap = room.get(..self.length).unwrap_or_default().to_vec();
        }
    }

    /// Appends so many octets of a file, and gives them back to be looked at.
    ///
    /// # Errors
    /// When they cannot be read, or end before.
    pub(crate) fn read(&mut self, from: &mut impl Read, octets: usize) -> io::Result<&[u8]> {
        let start = self.length;
        let end = start + octets;
        if self.room.as_ref().is_none_or(|room| room.len() < end) {
            self.leave();
            self.heap.resize(end, 0);
        }
        let all = self.room.as_deref_mut().unwrap_or(&mut self.heap);
        let place = all.get_mut(start..end).unwrap_or_default();
        from.read_exact(place)?;
        self.length = end;
        Ok(place)
    }

    pub(crate) fn finish(self) -> Octets {
        let room = self.room.map_or(Room::Heap(self.heap), Room::Own);
        Octets { room, length: self.length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_there_even_beyond_what_was_said() {
        for room in [1, 10, 5000, 100_000] {
            let mut buffer = Buffer::new(room);
            let mut expected = Vec::new();
            for round in 0..2000_u32 {
                buffer.put(&round.to_le_bytes());
                expected.extend_from_slice(&round.to_le_bytes());
            }
            buffer.set(4, &[9, 9]);
            expected[4..6].copy_from_slice(&[9, 9]);
            let octets = buffer.finish();
            assert!(*octets == *expected, "{room}");
            let mut again = Buffer::new(room);
            for part in expected.chunks(3000) {
                assert!(again.read(&mut &*part, part.len()).unwrap() == part);
            }
            assert!(*again.finish() == *expected, "{room}");
        }
    }
}
