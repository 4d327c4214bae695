//! The framing of a body in chunks (RFC 9112, 7.1), read line by line: sizes in plain hexadecimal, no
//! extensions, no trailers. Nobody who talks to this service needs either, and each has been a way to
//! say two things at once.

/// Digits of a chunk's size; 16 MiB in one chunk are more than anybody sends.
const DIGITS: usize = 7;

/// Where in the chunks a body is.
#[derive(Debug)]
pub(super) enum Chunks {
    Size,
    /// Octets of the chunk that are still to come.
    Data(usize),
    EndOfChunk,
    EndOfBody,
}

/// What came of octets that were shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// The body goes on.
    More,
    /// The body has ended with those that pass.
    Ended,
    /// What is behind those that pass is not as the standard has it, or more than is needed.
    Broken,
}

impl Chunks {
    pub(super) const fn new() -> Self {
        Self::Size
    }

    const fn of_size(size: usize) -> Self {
        if size == 0 { Self::EndOfBody } else { Self::Data(size) }
    }

    /// Gives how many octets pass.
    pub(super) fn go_on(&mut self, octets: &[u8]) -> (usize, After) {
        let mut passed = 0;
        loop {
            let rest = octets.get(passed..).unwrap_or_default();
            match self {
                Self::Data(left) => {
                    let taken = rest.len().min(*left);
                    passed += taken;
                    *left -= taken;
                    if *left > 0 {
                        return (passed, After::More);
                    }
                    *self = Self::EndOfChunk;
                }
                Self::Size | Self::EndOfChunk | Self::EndOfBody => {
                    let line = match line(rest) {
                        Ok(Some(line)) => line,
                        Ok(None) => return (passed, After::More),
                        Err(Broken) => return (passed, After::Broken),
                    };
                    let next = match (&*self, line) {
                        (Self::EndOfBody, []) => return (passed + 2, After::Ended),
                        (Self::EndOfChunk, []) => Ok(Self::Size),
                        (Self::Size, digits) => size(digits).map(Self::of_size),
                        _ => Err(Broken),
                    };
                    let Ok(next) = next else { return (passed, After::Broken) };
                    *self = next;
                    passed += line.len() + 2;
                }
            }
        }
    }
}

struct Broken;

/// A whole line without its end; nothing while it is not whole.
fn line(octets: &[u8]) -> Result<Option<&[u8]>, Broken> {
    let end = octets.iter().take(DIGITS + 2).position(|octet| *octet == b'\n');
    match end {
        Some(end) => match octets.get(..end).and_then(|line| line.strip_suffix(b"\r")) {
            Some(line) => Ok(Some(line)),
            None => Err(Broken),
        },
        None if octets.len() >= DIGITS + 2 => Err(Broken),
        None => Ok(None),
    }
}

fn size(digits: &[u8]) -> Result<usize, Broken> {
    let text = std::str::from_utf8(digits).map_err(|_| Broken)?;
    if !(1..=DIGITS).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(Broken);
    }
    usize::from_str_radix(text, 16).map_err(|_| Broken)
}
