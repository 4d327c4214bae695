//! A strict reader of DER (X.690): one element after another, each length checked against what is
//! there, nothing copied. What the elements mean is not here.
//!
//! Refused, though BER allows it: lengths that are indefinite or longer than needed, booleans
//! other than 00 and FF, integers with needless octets, bits set in the padding of a bit string.
//! So a signed structure has one spelling.

use crate::time::{DAY_SECONDS, Date, UnixTime, month_length};

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;

/// The tag `[number]` of a context, holding other elements.
pub(crate) const fn explicit(number: u8) -> u8 {
    0xa0 | number
}

/// The tag `[number]` of a context, holding plain octets.
pub(crate) const fn implicit(number: u8) -> u8 {
    0x80 | number
}

/// The bytes are not DER, or not the element that belongs here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// One element: its tag, its content, and all its octets.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    pub(crate) whole: &'a [u8],
}

/// Reads elements from the front of what is left.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed) }
    }

    /// The next element, whatever it is.
    pub(crate) fn any(&mut self) -> Result<Element<'a>, Malformed> {
        let [tag, first, after @ ..] = self.rest else {
            return Err(Malformed);
        };
        if tag & 0x1f == 0x1f {
            return Err(Malformed); // tags above 30 occur in no structure read here
        }
        let (length, after) = length(*first, after)?;
        let content = after.get(..length).ok_or(Malformed)?;
        let rest = after.get(length..).ok_or(Malformed)?;
        let whole = self.rest.get(..self.rest.len() - rest.len()).ok_or(Malformed)?;
        self.rest = rest;
        Ok(Element { tag: *tag, content, whole })
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'a>, Malformed> {
        let element = self.any()?;
        if element.tag == tag { Ok(element) } else { Err(Malformed) }
    }

    /// The next element if it has this tag; otherwise nothing is taken.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, Malformed> {
        if self.rest.first() == Some(&tag) { self.any().map(Some) } else { Ok(None) }
    }

    /// A reader of the content of the next element, which must have this tag.
    pub(crate) fn enter(&mut self, tag: u8) -> Result<Reader<'a>, Malformed> {
        self.expect(tag).map(|element| element.reader())
    }
}

impl<'a> Element<'a> {
    /// A reader of the content.
    pub(crate) fn reader(&self) -> Reader<'a> {
        Reader::new(self.content)
    }

    /// The one value of a boolean.
    pub(crate) fn boolean(&self) -> Result<bool, Malformed> {
        match self.content {
            [0x00] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(Malformed),
        }
    }

    /// The magnitude of an integer that is not negative: empty for zero, no leading zeros.
    pub(crate) fn magnitude(&self) -> Result<&'a [u8], Malformed> {
        match self.content {
            [] => Err(Malformed),
            [0x00] => Ok(&[]),
            [0x00, magnitude @ ..] if magnitude.first().is_some_and(|octet| *octet >= 0x80) => Ok(magnitude),
            [0x00, ..] | [0x80..=0xff, ..] => Err(Malformed),
            magnitude => Ok(magnitude),
        }
    }

    /// An integer that is not negative, held at the end of `u32`: where these occur they count
    /// certificates.
    pub(crate) fn small(&self) -> Result<u32, Malformed> {
        let magnitude = self.magnitude()?;
        let value = magnitude.iter().fold(0u32, |value, octet| {
            value.checked_mul(256).map_or(u32::MAX, |value| value | u32::from(*octet))
        });
        Ok(if magnitude.len() > 4 { u32::MAX } else { value })
    }

    /// The octets of a bit string that ends on an octet.
    pub(crate) fn octets(&self) -> Result<&'a [u8], Malformed> {
        match self.content {
            [0x00, octets @ ..] => Ok(octets),
            _ => Err(Malformed),
        }
    }

    /// Up to sixteen named bits; bit 0 of the standard is the highest.
    pub(crate) fn named_bits(&self) -> Result<u16, Malformed> {
        let (padding, bits) = match self.content {
            [unused @ 0..=7, high] => (*unused + 8, u16::from_be_bytes([*high, 0])),
            [unused @ 0..=7, high, low] => (*unused, u16::from_be_bytes([*high, *low])),
            [0x00] => return Ok(0),
            _ => return Err(Malformed),
        };
        let padding = (1u16 << padding) - 1;
        if bits & padding == 0 { Ok(bits) } else { Err(Malformed) }
    }

    /// A time of RFC 5280, 4.1.2.5: UTCTime (years 1950 to 2049) or GeneralizedTime, to the
    /// second and in UTC.
    pub(crate) fn time(&self) -> Result<UnixTime, Malformed> {
        let (year, rest) = match (self.tag, self.content) {
            (UTC_TIME, [year @ .., _, _, _, _, _, _, _, _, _, _, b'Z']) if year.len() == 2 => {
                let year = decimal(year)?;
                (if year < 50 { 2000 + year } else { 1900 + year }, self.content.get(2..12))
            }
            (GENERALIZED_TIME, [year @ .., _, _, _, _, _, _, _, _, _, _, b'Z']) if year.len() == 4 => {
                (decimal(year)?, self.content.get(4..14))
            }
            _ => return Err(Malformed),
        };
        moment(i64::from(year), rest.ok_or(Malformed)?)
    }
}

/// The one element that the bytes are, with this tag and nothing behind it.
pub(crate) fn only(bytes: &[u8], tag: u8) -> Result<Element<'_>, Malformed> {
    let mut reader = Reader::new(bytes);
    let element = reader.expect(tag)?;
    reader.end()?;
    Ok(element)
}

/// The length that starts with octet `first`, and what follows it.
fn length(first: u8, after: &[u8]) -> Result<(usize, &[u8]), Malformed> {
    if first < 0x80 {
        return Ok((usize::from(first), after));
    }
    let count = usize::from(first & 0x7f);
    if !(1..=4).contains(&count) {
        return Err(Malformed);
    }
    let octets = after.get(..count).ok_or(Malformed)?;
    let value = octets.iter().fold(0u32, |value, octet| (value << 8) | u32::from(*octet));
    let needless = octets.first() == Some(&0) || value < 0x80;
    let rest = after.get(count..).ok_or(Malformed)?;
    if needless { Err(Malformed) } else { Ok((value as usize, rest)) }
}

fn decimal(digits: &[u8]) -> Result<u32, Malformed> {
    digits.iter().try_fold(0u32, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')).ok_or(Malformed)
    })
}

/// The instant of ten digits MMDDHHMMSS in that year.
fn moment(year: i64, digits: &[u8]) -> Result<UnixTime, Malformed> {
    let mut pairs = digits.chunks(2).map(decimal);
    let mut pair = || pairs.next().unwrap_or(Err(Malformed));
    let (month, day, hour, minute, second) = (pair()?, pair()?, pair()?, pair()?, pair()?);
    let real = (1..=12).contains(&month)
        && (1..=month_length(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !real {
        return Err(Malformed);
    }
    let date = Date { year, month, day };
    let of_day = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    Ok(UnixTime(date.days() * DAY_SECONDS + of_day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: u8, content: &[u8]) -> Element<'_> {
        Element { tag, content, whole: content }
    }

    #[test]
    fn lengths_have_one_spelling() {
        let refused: [&[u8]; 9] = [
            &[],
            &[0x30],
            &[0x30, 0x80],
            &[0x30, 0x01],
            &[0x30, 0x81, 0x01, 0x00],
            &[0x30, 0x82, 0x00, 0x80],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x85, 0x01, 0x00, 0x00, 0x00, 0x00],
            &[0x1f, 0x01, 0x00],
        ];
        for bytes in refused {
            assert!(Reader::new(bytes).any().is_err(), "{bytes:02x?}");
        }
        assert!(only(&[0x30, 0x00], SEQUENCE).is_ok());
        assert!(only(&[0x30, 0x00, 0x00], SEQUENCE).is_err());
    }

    #[test]
    fn integers_booleans_and_bits_have_one_spelling() {
        assert_eq!(element(INTEGER, &[0]).magnitude(), Ok(&[][..]));
        assert_eq!(element(INTEGER, &[0, 0x80]).magnitude(), Ok(&[0x80][..]));
        for refused in [&[][..], &[0x80], &[0, 0x7f], &[0, 0]] {
            assert_eq!(element(INTEGER, refused).magnitude(), Err(Malformed), "{refused:02x?}");
        }
        assert_eq!(element(BOOLEAN, &[1]).boolean(), Err(Malformed));
        assert_eq!(element(BIT_STRING, &[7, 0x80]).named_bits(), Ok(0x8000));
        assert_eq!(element(BIT_STRING, &[7, 0x80, 0x80]).named_bits(), Ok(0x8080));
        assert_eq!(element(BIT_STRING, &[0]).named_bits(), Ok(0));
        for refused in [&[][..], &[1], &[8, 0], &[7, 0xc0], &[7, 0x80, 0xc0], &[0, 1, 2, 3]] {
            assert_eq!(element(BIT_STRING, refused).named_bits(), Err(Malformed), "{refused:02x?}");
        }
    }

    #[test]
    fn times_are_read_to_the_second() {
        let read = |tag, text: &str| element(tag, text.as_bytes()).time().map(|time| time.0);
        assert_eq!(read(UTC_TIME, "700101000000Z"), Ok(0));
        assert_eq!(read(UTC_TIME, "300217145959Z"), Ok(1_897_570_799));
        assert_eq!(read(UTC_TIME, "491231235959Z"), read(GENERALIZED_TIME, "20491231235959Z"));
        assert_eq!(read(UTC_TIME, "500101000000Z"), read(GENERALIZED_TIME, "19500101000000Z"));
        let refused =
            ["", "Z", "300230000000Z", "301301000000Z", "300101240000Z", "300101006000Z", "3001010000Z"];
        for text in refused {
            assert_eq!(read(UTC_TIME, text), Err(Malformed), "{text}");
        }
        assert_eq!(read(GENERALIZED_TIME, "20300101000000+0900"), Err(Malformed));
        assert_eq!(read(GENERALIZED_TIME, "2030010100000.Z"), Err(Malformed));
    }
}
