//! Texts as they lie in records, and their unpacking.

use std::borrow::Cow;
use std::fmt;

use eligibility::coverage::Written;

use super::{ANY, Alphabet, COMMON, KANA_CHARACTERS, RANGES};
use crate::octets::Reading;

/// A text as it lies in a record, unpacked where it is shown.
#[derive(Clone, Copy)]
pub struct Packed<'o> {
    octets: &'o [u8],
    form: Form,
}

#[derive(Clone, Copy)]
pub(super) enum Form {
    Kana,
    Words,
    /// As many digits, their zero and hyphen of one width, as one value.
    Decimal(Width, u8),
    /// As many digits and hyphens, half an octet each.
    Nibbles(Width, u8),
}

#[derive(Clone, Copy)]
pub(super) enum Width {
    Half,
    Full,
}

impl From<Alphabet> for Form {
    fn from(alphabet: Alphabet) -> Self {
        match alphabet {
            Alphabet::Kana => Self::Kana,
            Alphabet::Words => Self::Words,
        }
    }
}

impl<'o> Packed<'o> {
    pub(super) const fn new(octets: &'o [u8], form: Form) -> Self {
        Self { octets, form }
    }

    /// The text, whole. Octets that nobody packed give some other text.
    pub fn unpacked(self) -> Box<str> {
        self.look(|text| Box::from(text))
    }

    fn put(self, mut take: impl FnMut(char)) -> Option<()> {
        match self.form {
            Form::Kana => each(self.octets, &KANA_CHARACTERS, take),
            Form::Words => each(self.octets, &COMMON, take),
            Form::Decimal(width, length) => {
                let value = Reading::new(self.octets).fixed(self.octets.len())?;
                let mut rest = value;
                let mut digits = [0; 20];
                let digits = digits.get_mut(..usize::from(length))?;
                for digit in digits.iter_mut().rev() {
                    *digit = (rest % 10) as u8;
                    rest /= 10;
                }
                digits.iter().for_each(|digit| take(width.sign(*digit)));
                Some(())
            }
            Form::Nibbles(width, length) => {
                for at in 0..usize::from(length) {
                    let pair = *self.octets.get(at / 2)?;
                    take(width.sign(if at % 2 == 0 { pair >> 4 } else { pair & 0xF }));
                }
                Some(())
            }
        }
    }
}

impl Width {
    /// A digit, or the hyphen.
    const fn sign(self, digit: u8) -> char {
        match (self, digit) {
            (Self::Half, 0..10) => (b'0' + digit) as char,
            (Self::Half, _) => '-',
            (Self::Full, 0) => '０',
            (Self::Full, 1) => '１',
            (Self::Full, 2) => '２',
            (Self::Full, 3) => '３',
            (Self::Full, 4) => '４',
            (Self::Full, 5) => '５',
            (Self::Full, 6) => '６',
            (Self::Full, 7) => '７',
            (Self::Full, 8) => '８',
            (Self::Full, 9) => '９',
            (Self::Full, _) => '－',
        }
    }
}

impl Written for Packed<'_> {
    fn text(&self) -> Cow<'_, str> {
        self.look(|text| Cow::Owned(text.to_owned()))
    }

    fn decimal(&self) -> Option<(u64, usize)> {
        match self.form {
            Form::Decimal(_, length) => {
                Some((Reading::new(self.octets).fixed(self.octets.len())?, usize::from(length)))
            }
            _ => None,
        }
    }

    fn look<R>(&self, look: impl FnOnce(&str) -> R) -> R {
        // An octet makes three octets of UTF-8 at the most, half an octet as well; few texts are long.
        let mut short = [0; 192];
        if self.octets.len() * 6 > short.len() {
            let mut text = String::with_capacity(self.octets.len() * 3);
            let _ = self.put(|c| text.push(c));
            return look(&text);
        }
        let mut length = 0;
        let _ = self.put(|c| {
            if let Some(free) = short.get_mut(length..length + 4) {
                length += c.encode_utf8(free).len();
            }
        });
        look(short.get(..length).and_then(|octets| std::str::from_utf8(octets).ok()).unwrap_or_default())
    }
}

impl fmt::Debug for Packed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Packed(…)")
    }
}

fn each(octets: &[u8], table: &[char; 128], mut take: impl FnMut(char)) -> Option<()> {
    let mut reading = Reading::new(octets);
    while let Some(octet) = reading.octet() {
        take(match octet {
            0..0x80 => table[usize::from(octet)],
            _ => match u16::from_be_bytes([octet, reading.octet()?]) {
                ANY => char::from_u32(reading.fixed(3)? as u32)?,
                code => {
                    let code = u32::from(code & 0x7FFF);
                    let range =
                        RANGES.iter().find(|(_, count, first)| (*first..first + count).contains(&code))?;
                    char::from_u32(code - range.2 + range.0)?
                }
            },
        });
    }
    Some(())
}
