//! What the frames of an HTTP/2 connection cost: control frames are free in measure, and their number
//! is bound to the requests that come with them. The frames themselves are read elsewhere.
//!
//! The library behind ends floods of resets, continuations and empty data by itself; it goes on
//! answering pings, settings and window updates for ever.

/// The client's connection preface (RFC 9113, 3.4).
const PREFACE: usize = 24;
/// A frame's header (4.1).
const HEADER: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;

/// Control frames that a connection may have sent before its first request, and at any time beyond
/// what its requests have earned.
const FREE: u32 = 1000;
/// Control frames that go with one request: windows of what it is answered, a ping now and then.
const A_REQUEST: u32 = 16;

/// Reads one connection.
#[derive(Debug)]
pub(super) struct Frames {
    /// Octets of the preface or of a frame's payload that are still to come.
    skip: usize,
    header: [u8; HEADER],
    /// How many octets of the header are there.
    have: usize,
    /// Control frames that may still come.
    credit: u32,
}

/// What came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Came {
    /// A request began or went on: headers, or data that is not empty.
    pub(super) progress: bool,
    /// A request began.
    pub(super) asked: bool,
    /// More control frames than there may be.
    pub(super) flood: bool,
}

impl Default for Frames {
    fn default() -> Self {
        Self { skip: PREFACE, header: [0; HEADER], have: 0, credit: FREE }
    }
}

impl Frames {
    /// Takes note of octets that came in.
    pub(super) fn see(&mut self, mut octets: &[u8]) -> Came {
        let mut came = Came::default();
        while !octets.is_empty() {
            let skipped = self.skip.min(octets.len());
            octets = octets.get(skipped..).unwrap_or_default();
            self.skip -= skipped;
            if self.skip > 0 {
                break;
            }
            let wanted = HEADER - self.have;
            let taken = octets.get(..wanted.min(octets.len())).unwrap_or_default();
            if let Some(place) = self.header.get_mut(self.have..self.have + taken.len()) {
                place.copy_from_slice(taken);
            }
            self.have += taken.len();
            octets = octets.get(taken.len()..).unwrap_or_default();
            if self.have == HEADER {
                self.have = 0;
                self.frame(&mut came);
            }
        }
        came
    }

    fn frame(&mut self, came: &mut Came) {
        let [high, middle, low, kind, ..] = self.header;
        self.skip = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        match kind {
            DATA if self.skip > 0 => came.progress = true,
            HEADERS => {
                (came.progress, came.asked) = (true, true);
                self.credit = self.credit.saturating_add(A_REQUEST).min(FREE);
            }
            CONTINUATION => {}
            _ => match self.credit.checked_sub(1) {
                Some(left) => self.credit = left,
                None => came.flood = true,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: [u8; 17] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

    fn begun() -> Frames {
        let mut frames = Frames::default();
        assert_eq!(frames.see(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Came::default());
        frames
    }

    #[test]
    fn control_frames_are_counted_however_they_come() {
        for piece in [1, 3, 17, 1000] {
            let mut frames = begun();
            let pings = PING.repeat(FREE as usize);
            assert!(pings.chunks(piece).all(|octets| frames.see(octets) == Came::default()), "{piece}");
            assert!(PING.chunks(piece).any(|octets| frames.see(octets).flood), "{piece}");
        }
    }

    #[test]
    fn requests_earn_control_frames() {
        let mut frames = begun();
        let headers = [0, 0, 3, 1, 4, 0, 0, 0, 1, 0x82, 0x86, 0x84];
        for _ in 0..10_000 {
            assert!(frames.see(&headers).progress);
            let came = frames.see(&PING.repeat(A_REQUEST as usize));
            assert_eq!(came, Came::default());
        }
        assert!(frames.see(&PING.repeat(FREE as usize + 1)).flood, "none are saved up");
    }

    #[test]
    fn empty_data_is_no_progress_and_long_frames_are_passed_over() {
        let mut frames = begun();
        let mut data = vec![0, 0x40, 0, 0, 0, 0, 0, 0, 1];
        data.extend([6; 0x4000]);
        assert_eq!(frames.see(&data), Came { progress: true, ..Came::default() });
        assert_eq!(frames.credit, FREE);
        assert_eq!(frames.see(&[0, 0, 0, 0, 0, 0, 0, 0, 1]), Came::default());
        assert_eq!(frames.credit, FREE - 1);
    }
}
