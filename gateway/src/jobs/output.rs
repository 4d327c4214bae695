//! A file that is written behind what counts of it, and made durable before it counts.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use claims::Outcome;

use super::folder::JobFolder;

/// A file being written.
pub(super) struct Output {
    file: BufWriter<File>,
    octets: u64,
    line: Vec<u8>,
}

impl Output {
    /// Goes on behind so many octets.
    pub(super) fn open(folder: &JobFolder, name: &str, octets: u64) -> io::Result<Self> {
        let file = BufWriter::with_capacity(256 * 1024, folder.append(name, octets)?);
        Ok(Self { file, octets, line: Vec::with_capacity(2048) })
    }

    /// Writes a result.
    pub(super) fn result(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.line(|line| outcome.write_json(line))
    }

    /// Writes a result that may change, with its claim as it was kept.
    pub(super) fn provisional(&mut self, outcome: &Outcome, kept: &[u8]) -> io::Result<()> {
        self.line(|pair| {
            outcome.write_json(pair);
            pair.pop();
            pair.push(b'\t');
            pair.extend_from_slice(kept);
        })
    }

    fn line(&mut self, make: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        make(&mut line);
        let written = self.write_all(&line);
        self.line = line;
        written
    }

    /// Makes it durable; gives its length in octets.
    pub(super) fn sync(mut self) -> io::Result<u64> {
        self.file.flush()?;
        self.file.get_ref().sync_data()?;
        Ok(self.octets)
    }
}

impl Write for Output {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let written = self.file.write(octets)?;
        self.octets += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
