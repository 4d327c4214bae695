//! One head of an HTTP/1 request (RFC 9112, 3 and 5), read line by line as it comes in.

use super::{FIELDS, HEAD_OCTETS, TARGET, TakesStream};
use crate::refusal::Refusal;

/// Longest method, in octets.
const METHOD: usize = 16;
/// Octets of the longest request line beside its target: method, two blanks, version, line end.
const BESIDE_TARGET: usize = METHOD + 12;

/// What is there of a head.
pub(super) enum Came {
    /// A part of it, or nothing.
    Part,
    /// A line end too many behind the request before: so many octets.
    Blank(usize),
    /// All of it: its octets, and what is behind it.
    Whole(usize, Body),
}

/// What is behind a head.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    Length(u64),
    Chunked,
}

/// A head that is not whole yet.
#[derive(Debug)]
pub(super) struct HeadScan {
    /// Where the line begins that is not whole yet, and how far its end was looked for.
    line: usize,
    searched: usize,
    /// Whether a line end may come before it.
    blank: bool,
    request: Option<Request>,
    fields: usize,
    hosts: usize,
    length: Option<u64>,
    chunked: bool,
}

/// What a request line says.
#[derive(Clone, Copy, Debug)]
struct Request {
    /// HTTP/1.1, and not 1.0.
    current: bool,
    takes_stream: bool,
}

const fn malformed() -> Refusal {
    Refusal::MalformedHead
}

impl HeadScan {
    pub(super) const fn new() -> Self {
        Self {
            line: 0,
            searched: 0,
            blank: false,
            request: None,
            fields: 0,
            hosts: 0,
            length: None,
            chunked: false,
        }
    }

    /// The same behind another request, whose body old clients send a line end too many after.
    pub(super) const fn behind_another() -> Self {
        Self { blank: true, ..Self::new() }
    }

    /// Goes on with all octets of the head that are there, from its first one. Each octet is looked at
    /// once, however they come.
    pub(super) fn go_on(&mut self, octets: &[u8], takes_stream: TakesStream) -> Result<Came, Refusal> {
        loop {
            let ahead = octets.get(self.searched..).unwrap_or_default();
            let Some(end) = memchr::memchr(b'\n', ahead).map(|at| self.searched + at) else {
                self.searched = octets.len();
                return self.check_room(octets.len()).map(|()| Came::Part);
            };
            self.check_room(end)?;
            let line = octets.get(self.line..end).and_then(|line| line.strip_suffix(b"\r"));
            let line = line.ok_or_else(malformed)?;
            (self.line, self.searched) = (end + 1, end + 1);
            match (self.request, line) {
                (None, []) if self.blank => return Ok(Came::Blank(end + 1)),
                (None, line) => self.request = Some(Request::read(line, takes_stream)?),
                (Some(request), []) => {
                    let body = self.body(request)?;
                    return Ok(Came::Whole(end + 1, body));
                }
                (Some(_), line) => self.field(line)?,
            }
        }
    }

    fn check_room(&self, octets: usize) -> Result<(), Refusal> {
        if self.request.is_none() && octets > TARGET + BESIDE_TARGET {
            return Err(Refusal::UriTooLong);
        }
        if octets >= HEAD_OCTETS { Err(Refusal::HeadersTooLarge) } else { Ok(()) }
    }

    fn field(&mut self, line: &[u8]) -> Result<(), Refusal> {
        let colon = memchr::memchr(b':', line).ok_or_else(malformed)?;
        let (name, value) = line.split_at_checked(colon).ok_or_else(malformed)?;
        let value = trimmed(value.get(1..).unwrap_or_default());
        // A line that goes on the one before begins with a blank, which no name has.
        if !is_all(name, NAME) || name.is_empty() || !is_all(value, TEXT) {
            return Err(malformed());
        }
        self.fields += 1;
        if self.fields > FIELDS {
            return Err(Refusal::HeadersTooLarge);
        }
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => {
                self.hosts += 1;
                if value.is_empty() || !is_all(value, HOST) { Err(malformed()) } else { Ok(()) }
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                let first = self.length.is_none();
                self.length = Some(length(value).filter(|_| first).ok_or_else(malformed)?);
                Ok(())
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                let proper = value.eq_ignore_ascii_case(b"chunked") && !self.chunked;
                self.chunked = true;
                if proper { Ok(()) } else { Err(malformed()) }
            }
            _ => Ok(()),
        }
    }

    fn body(&self, request: Request) -> Result<Body, Refusal> {
        let hosts = if request.current { self.hosts == 1 } else { self.hosts <= 1 };
        match (self.length, self.chunked) {
            _ if !hosts => Err(malformed()),
            (Some(_), true) => Err(malformed()),
            (None, true) if !request.current => Err(malformed()),
            (None, true) if !request.takes_stream => Err(Refusal::LengthRequired),
            (None, true) => Ok(Body::Chunked),
            (length, false) => Ok(Body::Length(length.unwrap_or(0))),
        }
    }
}

impl Request {
    fn read(line: &[u8], takes_stream: TakesStream) -> Result<Self, Refusal> {
        let mut parts = line.split(|octet| *octet == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed());
        };
        if method.is_empty() || method.len() > METHOD || !is_all(method, NAME) {
            return Err(malformed());
        }
        if target.len() > TARGET {
            return Err(Refusal::UriTooLong);
        }
        if target.first() != Some(&b'/') || !is_all(target, PATH) || !is_escaped_properly(target) {
            return Err(malformed());
        }
        let current = match version {
            b"HTTP/1.1" => true,
            b"HTTP/1.0" => false,
            _ => return Err(malformed()),
        };
        Ok(Self { current, takes_stream: takes_stream(method, target) })
    }
}

/// Without the blanks and tabs around it; nothing else is taken away.
fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Digits and nothing else, of a length that anybody could send.
fn length(value: &[u8]) -> Option<u64> {
    let plain = (1..=18).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    plain.then(|| value.iter().fold(0, |length, digit| length * 10 + u64::from(digit - b'0')))
}

/// Two digits behind each percent sign, and no octet that ends text somewhere.
fn is_escaped_properly(target: &[u8]) -> bool {
    let mut escapes = memchr::memchr_iter(b'%', target);
    escapes.all(|at| match target.get(at + 1..at + 3) {
        Some(digits) => digits.iter().all(u8::is_ascii_hexdigit) && digits != b"00",
        None => false,
    })
}

/// In a method or a field's name (RFC 9110, 5.6.2).
const NAME: u8 = 1;
/// In a field's value: visible, blank, tab, or beyond ASCII (5.5).
const TEXT: u8 = 2;
/// In a target that is a path with a query (RFC 3986, 3.3 and 3.4).
const PATH: u8 = 4;
/// In a host and its port (3.2.2).
const HOST: u8 = 8;

const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let one = octet as u8;
        let unreserved = one.is_ascii_alphanumeric() || matches!(one, b'-' | b'.' | b'_' | b'~');
        let delimiter =
            matches!(one, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=');
        let token = one.is_ascii_alphanumeric()
            || matches!(one, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.')
            || matches!(one, b'^' | b'_' | b'`' | b'|' | b'~');
        let text = one >= 0x80 || one == b'\t' || (one >= 0x20 && one != 0x7f);
        let path = unreserved || delimiter || matches!(one, b'%' | b':' | b'@' | b'/' | b'?');
        let host = unreserved || delimiter || matches!(one, b'%' | b':' | b'[' | b']');
        classes[octet] = token as u8 * NAME + text as u8 * TEXT + path as u8 * PATH + host as u8 * HOST;
        octet += 1;
    }
    classes
}

/// Whether every octet is of that class. Without a branch for each: heads are short and proper.
fn is_all(octets: &[u8], class: u8) -> bool {
    let all = |all: u8, octet: &u8| all & CLASSES.get(usize::from(*octet)).copied().unwrap_or(0);
    octets.iter().fold(class, all) == class
}
