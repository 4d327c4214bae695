//! The numbers that name insurers, institutions, persons, cards and insured cards.
//!
//! Each type can only hold a well-formed value; a number with a check digit is refused without it.
//! [`NumberKey`] is where two spellings of one 記号・番号 meet.

use std::fmt;
use std::str::FromStr;

use crate::fold::is_blank;
use crate::redacted::redacted;

mod key;

pub use key::NumberKey;
pub(crate) use key::is_writable;

/// Why a text is not the number it should be. Says nothing of the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not the right count or kind of characters.
    #[error("has not the form of this number")]
    Form,
    /// The last digit does not agree with the others.
    #[error("the check digit is wrong: one digit was mistyped")]
    CheckDigit,
}

/// The check digit of 保険者番号, 公費負担者番号 and 医療機関コード: modulus 10, weights 2 and 1 from the right,
/// digits of products summed (昭和51年保発第45号 別添; the Luhn rule).
#[must_use]
pub fn check_digit(mut body: u64) -> u64 {
    let (mut sum, mut doubled) = (0, true);
    while body > 0 {
        let digit = body % 10;
        sum += match (doubled, digit) {
            (true, 5..) => digit * 2 - 9,
            (true, _) => digit * 2,
            (false, _) => digit,
        };
        doubled = !doubled;
        body /= 10;
    }
    (10 - sum % 10) % 10
}

/// Whether the last of these ASCII digits is the check digit of those before it; false for what is
/// no row of digits.
///
/// For numbers that are only warned about, because the field is known to write them wrongly:
/// 後期 被保険者番号, 公費負担者番号, 公費受給者番号.
#[must_use]
pub fn has_check_digit(text: &str) -> bool {
    let ascii = text.len() > 1 && text.bytes().all(|b| b.is_ascii_digit());
    ascii && digits(text).is_some_and(|value| check_digit(value / 10) == value % 10)
}

fn checked(value: u64) -> Result<u64, NumberError> {
    (check_digit(value / 10) == value % 10).then_some(value).ok_or(NumberError::CheckDigit)
}

/// ASCII and full-width digits as a value; `None` when anything else is there or it overflows.
fn digits(text: &str) -> Option<u64> {
    text.chars().try_fold(0_u64, |value, c| {
        let digit = match c {
            '0'..='9' => c as u64 - '0' as u64,
            '０'..='９' => c as u64 - '０' as u64,
            _ => return None,
        };
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// 保険者番号: eight digits (法別番号, 都道府県, insurer, check digit), or the six of 国保 and 国保組合.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InsurerNumber(u32);

impl InsurerNumber {
    /// Reads the printed form, also padded on the left to eight places with zeros or blanks.
    ///
    /// # Errors
    /// [`NumberError`] when it is neither six nor eight digits, or the check digit is wrong.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let trimmed = text.trim_matches(is_blank);
        if !matches!(trimmed.chars().count(), 6 | 8) {
            return Err(NumberError::Form);
        }
        let value = digits(trimmed).filter(|value| *value > 0).ok_or(NumberError::Form)?;
        Ok(Self(checked(value)? as u32))
    }

    /// The number with this value, as [`InsurerNumber::value`] gave it.
    #[must_use]
    pub fn from_value(value: u32) -> Option<Self> {
        (value > 0 && value < 100_000_000 && checked(u64::from(value)).is_ok()).then_some(Self(value))
    }

    /// The number whose digits before the check digit have this value.
    #[must_use]
    pub fn from_body(body: u32) -> Option<Self> {
        let value = u64::from(body) * 10 + check_digit(u64::from(body));
        (1..100_000_000).contains(&value).then_some(Self(value as u32))
    }

    /// The digits as one value below 100 000 000.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }

    /// 法別番号, the first two of eight digits; `None` for 国保, which has none.
    #[must_use]
    pub const fn scheme(self) -> Option<u8> {
        match self.0 / 1_000_000 {
            0 => None,
            scheme => Some(scheme as u8),
        }
    }

    /// Whether this is 後期高齢者医療 (法別 39), whose cards bear neither symbol nor branch.
    #[must_use]
    pub const fn is_late_elderly(self) -> bool {
        matches!(self.scheme(), Some(39))
    }

    /// Whether this is 国民健康保険 (a municipality or a 国保組合).
    #[must_use]
    pub const fn is_national(self) -> bool {
        self.scheme().is_none()
    }
}

impl fmt::Display for InsurerNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_national() { write!(f, "{:06}", self.0) } else { write!(f, "{:08}", self.0) }
    }
}

impl fmt::Debug for InsurerNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// 医療機関コード in ten digits: 都道府県, 点数表, 郡市区, institution, check digit over all nine before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstitutionCode(u64);

impl InstitutionCode {
    /// Reads ten digits.
    ///
    /// # Errors
    /// [`NumberError`] when it is not ten digits, or the check digit is wrong.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        if text.chars().count() != 10 {
            return Err(NumberError::Form);
        }
        checked(digits(text).ok_or(NumberError::Form)?).map(Self)
    }

    /// The digits as one value.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl fmt::Display for InstitutionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010}", self.0)
    }
}

impl fmt::Debug for InstitutionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// 市町村コード: six digits, the code by which a city feeds its subsidies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CityCode(u32);

impl CityCode {
    /// Reads six ASCII digits.
    ///
    /// # Errors
    /// [`NumberError::Form`] for anything else.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        if text.len() != 6 || !text.is_ascii() {
            return Err(NumberError::Form);
        }
        digits(text).map(|value| Self(value as u32)).ok_or(NumberError::Form)
    }
}

impl fmt::Display for CityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl fmt::Debug for CityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// 紐付番号: sixteen digits that join a card's serial with what insurers say of the person.
/// Never leaves the side of the feeds; prints redacted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkNumber(u64);

impl LinkNumber {
    /// Reads sixteen ASCII digits.
    ///
    /// # Errors
    /// [`NumberError::Form`] for anything else.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        if text.len() != 16 || !text.is_ascii() {
            return Err(NumberError::Form);
        }
        digits(text).map(Self).ok_or(NumberError::Form)
    }

    /// The number with this value; `None` above sixteen digits.
    #[must_use]
    pub fn from_value(value: u64) -> Option<Self> {
        (value < 10_u64.pow(16)).then_some(Self(value))
    }

    /// The digits as one value.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// The sixteen digits, for the feeds' own wire.
    #[must_use]
    pub fn reveal(self) -> String {
        format!("{:016}", self.0)
    }
}

redacted!(LinkNumber = "LinkNumber(…)", Serial = "Serial(…)");

/// Serial number of a card's user-authentication certificate: one space over all card CAs.
/// Held as the big-endian magnitude of RFC 5280's 20 octets at the most; prints redacted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial([u8; 20]);

impl Serial {
    /// Reads the decimal form without leading zeros.
    ///
    /// # Errors
    /// [`NumberError::Form`] for anything else, or above 20 octets.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let decimal = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !decimal || (text.len() > 1 && text.starts_with('0')) {
            return Err(NumberError::Form);
        }
        let mut octets = [0_u8; 20];
        for digit in text.bytes().map(|b| u32::from(b - b'0')) {
            let carry = octets.iter_mut().rev().fold(digit, |carry, octet| {
                let value = u32::from(*octet) * 10 + carry;
                *octet = value as u8;
                value >> 8
            });
            if carry != 0 {
                return Err(NumberError::Form);
            }
        }
        Ok(Self(octets))
    }

    /// The serial with this big-endian magnitude; `None` above 20 octets.
    #[must_use]
    pub fn from_be_bytes(bytes: &[u8]) -> Option<Self> {
        let zeros = bytes.iter().take_while(|b| **b == 0).count();
        let magnitude = bytes.get(zeros..)?;
        let mut octets = [0; 20];
        let start = octets.len().checked_sub(magnitude.len())?;
        octets.get_mut(start..)?.copy_from_slice(magnitude);
        Some(Self(octets))
    }

    /// All 20 octets, big-endian.
    #[must_use]
    pub const fn octets(&self) -> &[u8; 20] {
        &self.0
    }

    /// The decimal form, for the feeds' and the portal's own wire.
    #[must_use]
    pub fn reveal(&self) -> String {
        // Cards of today have serials of four octets.
        if let ([0, 0, 0, 0], low) = self.0.split_at(4)
            && let Ok(low) = low.try_into()
        {
            return u128::from_be_bytes(low).to_string();
        }
        let mut rest = self.0;
        let mut text = Vec::new();
        while text.is_empty() || rest != [0; 20] {
            let remainder = rest.iter_mut().fold(0_u32, |carry, octet| {
                let value = carry << 8 | u32::from(*octet);
                *octet = (value / 10) as u8;
                value % 10
            });
            text.push(b'0' + remainder as u8);
        }
        text.iter().rev().map(|digit| char::from(*digit)).collect()
    }
}

/// 枝番: two digits that tell the members of a family apart under one symbol and number. `00` is one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Branch(u8);

impl Branch {
    /// Reads two digits of either width, blanks around them apart.
    ///
    /// # Errors
    /// [`NumberError::Form`] for anything else.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let trimmed = text.trim_matches(is_blank);
        if trimmed.chars().count() != 2 {
            return Err(NumberError::Form);
        }
        digits(trimmed).map(|value| Self(value as u8)).ok_or(NumberError::Form)
    }

    /// The two digits as a value below 100.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }

    /// The branch with this value; `None` from 100.
    #[must_use]
    pub fn from_value(value: u8) -> Option<Self> {
        (value < 100).then_some(Self(value))
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.0)
    }
}

impl FromStr for Branch {
    type Err = NumberError;
    fn from_str(text: &str) -> Result<Self, NumberError> {
        Self::parse(text)
    }
}
