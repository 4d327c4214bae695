//! Serial numbers of certificates and numbers of lists: whole numbers of up to twenty octets.
//! How they are found in a certificate or a list is not here.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Most octets of a serial or list number (RFC 5280, 4.1.2.2 and 5.2.3).
const MOST_OCTETS: usize = 20;

/// A whole number of at most twenty octets, big-endian, right-aligned in its array: equal numbers
/// are equal arrays, and the arrays sort as the numbers do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Magnitude([u8; MOST_OCTETS]);

impl Magnitude {
    const ZERO: Magnitude = Magnitude([0; MOST_OCTETS]);

    fn from_bytes(bytes: &[u8]) -> Option<Magnitude> {
        let leading = bytes.iter().take_while(|octet| **octet == 0).count();
        let digits = bytes.get(leading..)?;
        let start = MOST_OCTETS.checked_sub(digits.len())?;
        let mut octets = [0; MOST_OCTETS];
        octets.get_mut(start..)?.copy_from_slice(digits);
        Some(Magnitude(octets))
    }

    fn as_bytes(&self) -> &[u8] {
        let leading = self.0.iter().take_while(|octet| **octet == 0).count();
        self.0.get(leading..).unwrap_or_default()
    }

    /// Times ten and `digit` more; nothing when twenty octets do not hold it.
    fn append(mut self, digit: u8) -> Option<Magnitude> {
        let mut carry = u16::from(digit);
        for octet in self.0.iter_mut().rev() {
            let product = u16::from(*octet) * 10 + carry;
            *octet = (product & 0xff) as u8;
            carry = product >> 8;
        }
        (carry == 0).then_some(self)
    }

    /// Divides by 10^9 in place and gives the remainder.
    fn split_billion(&mut self) -> u32 {
        let mut remainder: u64 = 0;
        for octet in &mut self.0 {
            let dividend = (remainder << 8) | u64::from(*octet);
            *octet = (dividend / 1_000_000_000) as u8;
            remainder = dividend % 1_000_000_000;
        }
        remainder as u32
    }
}

impl fmt::Display for Magnitude {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = *self;
        let mut groups = Vec::with_capacity(6);
        while rest != Magnitude::ZERO {
            groups.push(rest.split_billion());
        }
        write!(f, "{}", groups.pop().unwrap_or(0))?;
        groups.iter().rev().try_for_each(|group| write!(f, "{group:09}"))
    }
}

/// The serial number of a card certificate: a positive whole number of 1..=20 octets.
///
/// `Display` is decimal without leading zeros, which is how serials are spoken and stored.
/// `Debug` hides the number: it points at a person's card.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(Magnitude);

/// Why something is no serial number. Never quotes the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SerialError {
    /// Zero, or no digits or octets at all.
    #[error("a serial number is positive")]
    NotPositive,
    /// More than twenty octets.
    #[error("a serial number has at most 20 octets")]
    TooLong,
    /// Something other than the digits 0-9, or a leading zero.
    #[error("a serial number is written in decimal digits without leading zeros")]
    NotDecimal,
}

impl Serial {
    /// Reads a big-endian magnitude; leading zero octets are dropped.
    ///
    /// # Errors
    /// Zero, or more than twenty octets.
    pub fn from_bytes(bytes: &[u8]) -> Result<Serial, SerialError> {
        let magnitude = Magnitude::from_bytes(bytes).ok_or(SerialError::TooLong)?;
        if magnitude == Magnitude::ZERO {
            return Err(SerialError::NotPositive);
        }
        Ok(Serial(magnitude))
    }

    /// The big-endian magnitude, 1..=20 octets, no leading zeros.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The number, when four octets hold it.
    pub(crate) fn as_u32(&self) -> Option<u32> {
        let (high, low) = self.0.0.split_last_chunk::<4>()?;
        high.iter().all(|octet| *octet == 0).then(|| u32::from_be_bytes(*low))
    }

    /// The serial of that number; zero, which is none, is kept out by the caller.
    pub(crate) fn from_u32(number: u32) -> Serial {
        let mut octets = [0; MOST_OCTETS];
        if let Some(low) = octets.last_chunk_mut::<4>() {
            *low = number.to_be_bytes();
        }
        Serial(Magnitude(octets))
    }
}

impl FromStr for Serial {
    type Err = SerialError;

    fn from_str(text: &str) -> Result<Serial, SerialError> {
        if text.is_empty() || text == "0" {
            return Err(SerialError::NotPositive);
        }
        if text.starts_with('0') || !text.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(SerialError::NotDecimal);
        }
        text.bytes()
            .try_fold(Magnitude::ZERO, |number, digit| number.append(digit - b'0'))
            .map(Serial)
            .ok_or(SerialError::TooLong)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Serial(hidden)")
    }
}

/// The number of a revocation list (CRLNumber, RFC 5280, 5.2.3): grows with each list of a scope.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListNumber(Magnitude);

impl ListNumber {
    /// Reads a big-endian magnitude; nothing when it has more than twenty octets.
    pub fn from_bytes(bytes: &[u8]) -> Option<ListNumber> {
        Magnitude::from_bytes(bytes).map(ListNumber)
    }

    /// The big-endian magnitude without leading zeros; empty for zero.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<u64> for ListNumber {
    fn from(number: u64) -> ListNumber {
        let mut octets = [0; MOST_OCTETS];
        if let Some(low) = octets.last_chunk_mut::<8>() {
            *low = number.to_be_bytes();
        }
        ListNumber(Magnitude(octets))
    }
}

impl fmt::Display for ListNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ListNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ListNumber({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_read_and_print_the_same() {
        for text in ["1", "255", "256", "114390001", "4294967295", "4294967296", "1000000000"] {
            let serial: Serial = text.parse().expect("a serial");
            assert_eq!(serial.to_string(), text);
            assert_eq!(Serial::from_bytes(serial.as_bytes()), Ok(serial));
            assert_eq!(serial.as_u32(), text.parse().ok(), "{text}");
        }
        let largest = Serial::from_bytes(&[0xff; 20]).expect("twenty octets");
        assert_eq!(largest.to_string(), "1461501637330902918203684832716283019655932542975");
        assert_eq!(largest.to_string().parse(), Ok(largest));
    }

    #[test]
    fn what_is_no_serial_is_refused() {
        let parse = |text: &str| text.parse::<Serial>();
        assert_eq!(parse(""), Err(SerialError::NotPositive));
        assert_eq!(parse("0"), Err(SerialError::NotPositive));
        assert_eq!(parse("01"), Err(SerialError::NotDecimal));
        assert_eq!(parse("+1"), Err(SerialError::NotDecimal));
        assert_eq!(parse("１"), Err(SerialError::NotDecimal));
        let one_more = "1461501637330902918203684832716283019655932542976";
        assert_eq!(parse(one_more), Err(SerialError::TooLong));
        assert_eq!(Serial::from_bytes(&[]), Err(SerialError::NotPositive));
        assert_eq!(Serial::from_bytes(&[0, 0]), Err(SerialError::NotPositive));
        assert_eq!(Serial::from_bytes(&[1; 21]), Err(SerialError::TooLong));
    }

    #[test]
    fn serials_sort_as_numbers_and_debug_hides_them() {
        let small: Serial = "9".parse().expect("a serial");
        let large: Serial = "10".parse().expect("a serial");
        assert!(small < large);
        assert_eq!(format!("{large:?}"), "Serial(hidden)");
        assert_eq!(ListNumber::from(0).to_string(), "0");
        assert!(ListNumber::from(255) < ListNumber::from(256));
    }
}
