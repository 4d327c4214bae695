//! A file in lines: streamed through one buffer, whatever the length of the lines.
//!
//! Knows of line ends and of the end mark, and of nothing that stands in a line.

use std::io::{self, Read};

use memchr::memchr;

/// Octets in the buffer, and so the longest line that is kept whole. The longest record of any
/// 記録条件仕様 (a dental SS or a 症状詳記) stays below 4 KiB.
const BUFFER: usize = 64 * 1024;

/// The end mark of claim files.
pub(crate) const END: u8 = 0x1A;

/// A line, or a part of one that is longer than the buffer.
#[derive(Clone, Copy)]
pub(crate) struct Piece<'a> {
    /// Number of the line, from 1.
    pub(crate) line: u64,
    /// Its octets with its line end.
    pub(crate) octets: &'a [u8],
    /// Whether the line begins here.
    pub(crate) first: bool,
    /// Whether the line ends here.
    pub(crate) last: bool,
}

impl<'a> Piece<'a> {
    /// The octets without CR LF, LF or a lone CR at the end.
    pub(crate) fn content(&self) -> &'a [u8] {
        let octets = self.octets.strip_suffix(b"\n").unwrap_or(self.octets);
        octets.strip_suffix(b"\r").unwrap_or(octets)
    }
}

/// The lines of a reader.
pub(crate) struct Lines<R> {
    reader: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    line: u64,
    within: bool,
    drained: bool,
    octets: u64,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        let buffer = vec![0; BUFFER].into_boxed_slice();
        Self { reader, buffer, start: 0, end: 0, line: 0, within: false, drained: false, octets: 0 }
    }

    /// Octets given out so far.
    pub(crate) const fn octets(&self) -> u64 {
        self.octets
    }

    /// Number of the last line given out.
    pub(crate) const fn line(&self) -> u64 {
        self.line
    }

    /// What the file begins with, without taking it.
    pub(crate) fn peek(&mut self) -> io::Result<&[u8]> {
        while !self.drained && self.end - self.start < 4 {
            self.fill()?;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    /// The next line or part of one.
    pub(crate) fn next(&mut self) -> io::Result<Option<Piece<'_>>> {
        let mut searched = self.start;
        let (until, last) = loop {
            let unread = self.buffer.get(searched..self.end).unwrap_or_default();
            if let Some(at) = memchr(b'\n', unread) {
                break (searched + at + 1, true);
            }
            let full = self.end - self.start == self.buffer.len();
            if self.drained || full {
                break (self.end, self.drained);
            }
            let held = self.end - self.start;
            self.fill()?;
            searched = self.start + held;
        };
        if until == self.start {
            return Ok(None);
        }
        let octets = self.buffer.get(self.start..until).unwrap_or_default();
        let first = !self.within;
        self.line += u64::from(first);
        self.within = !last;
        self.octets += octets.len() as u64;
        self.start = until;
        Ok(Some(Piece { line: self.line, octets, first, last }))
    }

    /// Reads more behind what is held, which moves to the front.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        loop {
            match self.reader.read(room) {
                Ok(read) => {
                    self.drained = read == 0;
                    self.end += read;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one octet at a time.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let (Some(slot), Some((first, rest))) = (into.first_mut(), self.0.split_first()) else {
                return Ok(0);
            };
            *slot = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn contents(reader: impl Read) -> Vec<(u64, Vec<u8>)> {
        let mut lines = Lines::new(reader);
        let mut all = Vec::new();
        while let Some(piece) = lines.next().unwrap() {
            all.push((piece.line, piece.content().to_vec()));
        }
        all
    }

    #[test]
    fn every_kind_of_line_end_ends_a_line() {
        let expected: Vec<(u64, Vec<u8>)> =
            vec![(1, b"IR,1".to_vec()), (2, b"RE".to_vec()), (3, Vec::new()), (4, b"\x1A".to_vec())];
        assert_eq!(contents(&b"IR,1\r\nRE\n\r\n\x1A"[..]), expected);
        assert_eq!(contents(Drip(b"IR,1\r\nRE\n\r\n\x1A")), expected);
        assert_eq!(contents(&b""[..]), vec![]);
    }

    #[test]
    fn a_line_longer_than_the_buffer_comes_in_parts_and_keeps_its_number() {
        let mut file = vec![b'x'; 3 * BUFFER];
        file.extend_from_slice(b"\nnext\n");
        let mut lines = Lines::new(&file[..]);
        let (mut octets, mut parts) = (0, Vec::new());
        while let Some(piece) = lines.next().unwrap() {
            octets += piece.octets.len();
            parts.push((piece.line, piece.first, piece.last));
        }
        assert_eq!(octets, file.len());
        assert_eq!(parts.first(), Some(&(1, true, false)));
        assert_eq!(parts.last(), Some(&(2, true, true)));
        assert_eq!(parts.iter().filter(|(line, first, _)| *line == 1 && *first).count(), 1);
    }
}
