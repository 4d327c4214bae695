//! A strict reader of HTTP/1 requests, in front of the lenient one: it lets octets pass, or says why
//! not, before anything behind it has seen them. It changes nothing and keeps nothing.
//!
//! ```text
//! head ──► length ──► head ──► …      one message behind the other
//!   │
//!   └────► chunks ──► the end         Transfer-Encoding: only where a body is streamed, and last
//! ```
//!
//! Where two readers could see two different requests there is none: behind this one, lengths are
//! said once, lines end one way, and targets are paths.

mod chunks;
mod head;

use crate::refusal::Refusal;

use chunks::{After, Chunks};
use head::{Body, Came, HeadScan};

/// Most octets of a request's head, line ends among them.
pub const HEAD_OCTETS: usize = 16 * 1024;
/// Most header fields of a request.
pub const FIELDS: usize = 64;
/// Longest request target, in octets.
pub const TARGET: usize = 1024;

/// Whether a body of unknown length is taken: asked with method and target.
pub type TakesStream = fn(&[u8], &[u8]) -> bool;

/// Reads one connection.
#[derive(Debug)]
pub struct Scanner {
    part: Part,
    heads: u64,
    takes_stream: TakesStream,
}

#[derive(Debug)]
enum Part {
    Head(HeadScan),
    /// Octets of a body that are still to come.
    Length(u64),
    Chunks(Chunks),
    /// Nothing more is read of this connection.
    Ended,
}

/// What may go on of the octets that were shown.
#[derive(Debug, PartialEq, Eq)]
pub struct Scan {
    /// So many pass. Those behind them are to be shown again with what comes next.
    pub passed: usize,
    /// What is behind them is refused.
    pub refused: Option<Refused>,
}

/// What is refused.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// A request, before anything of it has passed.
    Head(Refusal),
    /// The rest of a body of which a part has passed.
    Body,
}

/// Where a connection is, between two calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before a head or in one.
    Head,
    /// In a body.
    Body,
    /// Behind the last message.
    Ended,
}

impl Scanner {
    /// At the beginning of a connection.
    #[must_use]
    pub const fn new(takes_stream: TakesStream) -> Self {
        Self { part: Part::Head(HeadScan::new()), heads: 0, takes_stream }
    }

    /// Looks at octets that begin where the last call let pass. After a refusal nothing passes any more.
    pub fn scan(&mut self, octets: &[u8]) -> Scan {
        let mut passed = 0;
        loop {
            let rest = octets.get(passed..).unwrap_or_default();
            let (more, refused) = match self.step(rest) {
                Ok(Step::Passed(0)) => return Scan { passed, refused: None },
                Ok(Step::Passed(more)) => (more, None),
                Ok(Step::Wanting(more)) => return Scan { passed: passed + more, refused: None },
                Err(refused) => (0, Some(refused)),
            };
            passed += more;
            if refused.is_some() {
                self.part = Part::Ended;
                return Scan { passed, refused };
            }
        }
    }

    fn step(&mut self, octets: &[u8]) -> Result<Step, Refused> {
        if octets.is_empty() {
            return Ok(Step::Passed(0));
        }
        match &mut self.part {
            Part::Head(scan) => {
                let (octets, body) = match scan.go_on(octets, self.takes_stream).map_err(Refused::Head)? {
                    Came::Part => return Ok(Step::Passed(0)),
                    Came::Blank(octets) => {
                        self.part = Part::Head(HeadScan::new());
                        return Ok(Step::Passed(octets));
                    }
                    Came::Whole(octets, body) => (octets, body),
                };
                self.heads += 1;
                self.part = match body {
                    Body::Length(0) => Part::Head(HeadScan::behind_another()),
                    Body::Length(length) => Part::Length(length),
                    Body::Chunked => Part::Chunks(Chunks::new()),
                };
                Ok(Step::Passed(octets))
            }
            Part::Length(left) => {
                let taken = octets.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= taken as u64;
                if *left == 0 {
                    self.part = Part::Head(HeadScan::behind_another());
                }
                Ok(Step::Passed(taken))
            }
            Part::Chunks(chunks) => {
                let (passed, after) = chunks.go_on(octets);
                match after {
                    After::More => return Ok(Step::Wanting(passed)),
                    After::Ended => self.part = Part::Ended,
                    After::Broken if passed == 0 => return Err(Refused::Body),
                    After::Broken => {}
                }
                Ok(Step::Passed(passed))
            }
            Part::Ended => Ok(Step::Passed(0)),
        }
    }

    /// Where the connection is.
    #[must_use]
    pub const fn place(&self) -> Place {
        match self.part {
            Part::Head(_) => Place::Head,
            Part::Length(_) | Part::Chunks(_) => Place::Body,
            Part::Ended => Place::Ended,
        }
    }

    /// How many heads have passed.
    #[must_use]
    pub const fn heads(&self) -> u64 {
        self.heads
    }
}

enum Step {
    /// So many pass; there may be more behind them.
    Passed(usize),
    /// So many pass; what is behind them is not whole yet.
    Wanting(usize),
}
