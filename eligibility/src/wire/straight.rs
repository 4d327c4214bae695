//! JSON written straight into memory, octet for octet as `serde_json` writes it.
//!
//! An answer has some fifty fields whose names are known when it is compiled; the library looks through
//! each of them for characters to escape, every time. Here names are copied, and strings are looked
//! through at once. What our answers do not have (maps, fractions) is left to the library.

use std::fmt::{self, Display, Write as _};

use serde::Serialize;
use serde::ser::{Impossible, SerializeSeq, SerializeStruct, Serializer};

/// Appends a value's JSON.
pub fn write_to<T: Serialize>(value: &T, into: &mut Vec<u8>) {
    let begin = into.len();
    if value.serialize(Straight(into)).is_err() {
        into.truncate(begin);
        // Writing our own types to memory cannot fail.
        let _ = serde_json::to_writer(into, value);
    }
}

/// A value that is left to the library.
#[derive(Debug)]
struct Left;

impl Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("left to serde_json")
    }
}

impl std::error::Error for Left {}

impl serde::ser::Error for Left {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

struct Straight<'b>(&'b mut Vec<u8>);

impl Straight<'_> {
    fn unsigned(self, mut value: u64) {
        let mut digits = [0; 20];
        let mut written = 0;
        for slot in digits.iter_mut().rev() {
            *slot = b'0' + (value % 10) as u8;
            written += 1;
            value /= 10;
            if value == 0 {
                break;
            }
        }
        self.0.extend_from_slice(digits.get(digits.len() - written..).unwrap_or_default());
    }

    fn text(self, text: &str) -> Result<(), Left> {
        // Without a branch in the loop, so that many octets are looked at together.
        let escape = |any: bool, octet: &u8| any | (*octet < 0x20) | (*octet == b'"') | (*octet == b'\\');
        if text.as_bytes().iter().fold(false, escape) {
            return serde_json::to_writer(self.0, text).map_err(|_| Left);
        }
        self.0.push(b'"');
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(b'"');
        Ok(())
    }
}

/// What is left to the library.
macro_rules! left {
    ($($name:ident($($argument:ty),*) -> $ok:ty;)+) => {
        $(fn $name(self, $(_: $argument),*) -> Result<$ok, Left> {
            Err(Left)
        })+
    };
}

/// Whole numbers, by the widest.
macro_rules! whole {
    ($($name:ident: $type:ty),+) => {
        $(fn $name(self, value: $type) -> Result<(), Left> {
            let value = i128::from(value);
            if value < 0 {
                self.0.push(b'-');
            }
            self.unsigned(value.unsigned_abs() as u64);
            Ok(())
        })+
    };
}

impl<'b> Serializer for Straight<'b> {
    type Ok = ();
    type Error = Left;
    type SerializeSeq = Members<'b>;
    type SerializeStruct = Members<'b>;
    type SerializeTuple = Impossible<(), Left>;
    type SerializeTupleStruct = Impossible<(), Left>;
    type SerializeTupleVariant = Impossible<(), Left>;
    type SerializeMap = Impossible<(), Left>;
    type SerializeStructVariant = Impossible<(), Left>;

    whole! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64
    }

    left! {
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_bool(self, value: bool) -> Result<(), Left> {
        self.0.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Left> {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Left> {
        self.text(value)
    }

    fn serialize_none(self) -> Result<(), Left> {
        self.serialize_unit()
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Left> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Left> {
        self.0.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, word: &'static str) -> Result<(), Left> {
        self.text(word)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<(), Left> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Left> {
        Err(Left)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Members<'b>, Left> {
        self.0.push(b'[');
        Ok(Members { into: self.0, first: true })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'b>, Left> {
        self.0.push(b'{');
        Ok(Members { into: self.0, first: true })
    }

    fn collect_str<T: ?Sized + Display>(self, value: &T) -> Result<(), Left> {
        let mut text = Short::default();
        match write!(text, "{value}") {
            Ok(()) => self.text(text.text()),
            Err(fmt::Error) => self.text(&value.to_string()),
        }
    }
}

/// A short text that needs no memory of its own.
#[derive(Default)]
struct Short {
    octets: [u8; 32],
    length: usize,
}

impl Short {
    fn text(&self) -> &str {
        let octets = self.octets.get(..self.length).unwrap_or_default();
        std::str::from_utf8(octets).unwrap_or_default()
    }
}

impl fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.octets.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// The members of a list or an object.
struct Members<'b> {
    into: &'b mut Vec<u8>,
    first: bool,
}

impl Members<'_> {
    fn next(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.into.push(b',');
        }
    }
}

impl SerializeSeq for Members<'_> {
    type Ok = ();
    type Error = Left;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Left> {
        self.next();
        value.serialize(Straight(self.into))
    }

    fn end(self) -> Result<(), Left> {
        self.into.push(b']');
        Ok(())
    }
}

impl SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = Left;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), Left> {
        self.next();
        self.into.push(b'"');
        // Names of fields are words of ours.
        self.into.extend_from_slice(name.as_bytes());
        self.into.extend_from_slice(b"\":");
        value.serialize(Straight(self.into))
    }

    fn end(self) -> Result<(), Left> {
        self.into.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Serialize)]
    struct Sample<'a> {
        text: &'a str,
        none: Option<u8>,
        some: Option<i32>,
        many: Vec<u64>,
        empty: Vec<Inner>,
        inner: Vec<Inner>,
        #[serde(skip_serializing_if = "Option::is_none")]
        skipped: Option<u8>,
        flag: bool,
        letter: char,
        kind: Kind,
    }

    #[derive(Serialize)]
    struct Inner {
        low: i64,
        high: u64,
        day: crate::day::Day,
        at: crate::day::Timestamp,
    }

    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        OfTwoWords,
    }

    fn alike<T: Serialize>(value: &T) {
        let mut straight = b"before".to_vec();
        write_to(value, &mut straight);
        let library = serde_json::to_string(value).unwrap();
        assert_eq!(String::from_utf8(straight).unwrap(), format!("before{library}"));
    }

    #[test]
    fn everything_is_as_the_library_writes_it() {
        let inner = |millis: i64| Inner {
            low: i64::MIN,
            high: u64::MAX,
            day: crate::day::Day::parse("2026-02-28").unwrap(),
            at: crate::day::Timestamp::from_millis(millis),
        };
        for text in
            ["", "架空　太郎", "a\"b\\c", "\n\u{1f}\u{7f}/", "1234567890 abcdefghijklmnopqrstuvwxyz\t"]
        {
            alike(&Sample {
                text,
                none: None,
                some: Some(-7),
                many: vec![0, 9, 10, 1_000_000],
                empty: Vec::new(),
                inner: vec![inner(0), inner(1_767_225_599_999)],
                skipped: None,
                flag: true,
                letter: 'あ',
                kind: Kind::OfTwoWords,
            });
        }
    }

    #[test]
    fn what_is_left_to_the_library_is_written_by_it() {
        alike(&BTreeMap::from([("a", 1.5)]));
        alike(&vec![(1, "two")]);
    }
}
