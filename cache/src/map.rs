//! Octets outside the heap: given back to the system as soon as nobody reads them, and mapped from
//! files without being copied.
//!
//! The one place with `unsafe`. A mapped file is never changed: it is written under another name and
//! renamed, and taken away by name only, which leaves its octets to those who have mapped it.

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};

use memmap2::{Advice, Mmap, MmapMut};

/// Octets that do not change.
pub(crate) struct Octets {
    room: Room,
    range: Range<usize>,
}

enum Room {
    Heap(Vec<u8>),
    Written(MmapMut),
    Mapped(Mmap),
}

impl Octets {
    /// The octets of a file.
    ///
    /// # Errors
    /// When it cannot be mapped; an empty file cannot.
    pub(crate) fn of_file(file: &File) -> io::Result<Self> {
        #[expect(unsafe_code, reason = "memory is mapped from a file that nobody changes")]
        // SAFETY: files of the base are written whole under another name, renamed and never opened
        // for writing again. Whoever truncates one regardless stops the process, as with any program
        // whose file is cut; no octet read can be undefined otherwise, as all of them are plain `u8`
        // behind bounds, and their sums are compared before they are used.
        let map = unsafe { Mmap::map(file)? };
        let range = 0..map.len();
        Ok(Self { room: Room::Mapped(map), range })
    }

    /// A part of them.
    pub(crate) fn part(self, range: Range<usize>) -> Option<Self> {
        let range = self.range.start.checked_add(range.start)?..self.range.start.checked_add(range.end)?;
        (range.start <= range.end && range.end <= self.range.end).then_some(Self { range, ..self })
    }
}

impl Deref for Octets {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let all: &[u8] = match &self.room {
            Room::Heap(octets) => octets,
            Room::Written(map) => map,
            Room::Mapped(map) => map,
        };
        all.get(self.range.clone()).unwrap_or_default()
    }
}

/// Octets being written, in memory of their own.
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

    pub(crate) fn finish(self) -> Octets {
        let range = 0..self.length;
        match self.room {
            Some(room) => Octets { room: Room::Written(room), range },
            None => Octets { room: Room::Heap(self.heap), range },
        }
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
            assert_eq!(octets.part(4..8).as_deref(), Some(&[9, 9, 0, 0][..]));
        }
    }
}
