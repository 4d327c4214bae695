//! What the JSON of queries and records shares: strings that are looked through on reading, and
//! faults that name the place without repeating what stands there.

mod straight;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::my_number;
use crate::redacted::redacted;

pub use straight::write_to;

/// The word that carries a found 個人番号 through the JSON reader's error.
const REFUSED: &str = "個人番号";

/// A string of a request or record: borrowed where JSON lets it, and never a hiding place of a
/// 個人番号, which reading refuses.
#[derive(Clone, PartialEq, Eq, Serialize, Default)]
#[serde(transparent)]
pub struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// The string, owned only where JSON escapes made it so.
    #[must_use]
    pub fn into_cow(self) -> Cow<'a, str> {
        self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

redacted!(Text<'_> = "Text(…)");

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Look;
        impl<'de> Visitor<'de> for Look {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                looked_through(text)?;
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                looked_through(text)?;
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Look)
    }
}

/// Reads a string by its form. What `parse` takes must be no hiding place of a 個人番号; only what it
/// does not take is looked through.
pub(crate) fn formed<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    parse: impl Fn(&str) -> Option<T>,
    form: &'static str,
) -> Result<T, D::Error> {
    struct Look<P>(P, &'static str);
    impl<T, P: Fn(&str) -> Option<T>> Visitor<'_> for Look<P> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            (self.0)(text).ok_or_else(|| looked_through::<E>(text).err().unwrap_or_else(|| E::custom(self.1)))
        }
    }
    deserializer.deserialize_str(Look(parse, form))
}

/// Reads a string that is base64 of something binary, where twelve digits in a row mean nothing.
pub(crate) fn opaque<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
    #[derive(Deserialize)]
    struct Opaque<'a>(#[serde(borrow)] Cow<'a, str>);
    Opaque::deserialize(deserializer).map(|Opaque(text)| Text(text))
}

/// As [`opaque`], where `null` stands for absent.
pub(crate) fn opaque_option<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Text<'a>>, D::Error> {
    #[derive(Deserialize)]
    struct Opaque<'a>(#[serde(borrow, deserialize_with = "opaque")] Text<'a>);
    Ok(Option::<Opaque<'a>>::deserialize(deserializer)?.map(|Opaque(text)| text))
}

/// An object, whose fields go by name alone: what derives `Deserialize` would also take a list of
/// the fields in their order.
struct ByName<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ByName<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = ByName<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<ByName<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields)).map(ByName)
            }
        }
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// Reads an object, or `null` for absent.
pub(crate) fn object_option<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::<ByName<T>>::deserialize(deserializer)?.map(|ByName(object)| object))
}

/// Reads a list of objects.
pub(crate) fn objects<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let list = Vec::<ByName<T>>::deserialize(deserializer)?;
    Ok(list.into_iter().map(|ByName(object)| object).collect())
}

/// Reads a list of objects, or `null` for absent.
pub(crate) fn objects_option<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let list = Option::<Vec<ByName<T>>>::deserialize(deserializer)?;
    Ok(list.map(|list| list.into_iter().map(|ByName(object)| object).collect()))
}

/// Writes one message. Our own types always can be written.
pub(crate) fn write<T: Serialize>(message: &T) -> Vec<u8> {
    serde_json::to_vec(message).unwrap_or_default()
}

fn looked_through<E: de::Error>(text: &str) -> Result<(), E> {
    if my_number::is_hidden_in(text) { Err(E::custom(REFUSED)) } else { Ok(()) }
}

/// What is wrong with a request or a record. Never holds what was written, only where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No JSON object of the right kind: broken syntax, wrong encoding, too deep.
    Malformed {
        /// Column of the fault in octets, from 1; 0 when it has no place.
        column: usize,
    },
    /// A field that is unknown, missing, of the wrong type or out of its range.
    Field {
        /// Dotted path of the field, such as `coverages[0].number`.
        field: String,
        /// What is wrong with it.
        wrong: Wrong,
    },
    /// A 個人番号 was found. Nothing of the message may be kept.
    MyNumber {
        /// Dotted path of the field, empty where the name itself hides one.
        field: String,
    },
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// No such field in this message.
    Unknown,
    /// Needed and not there.
    Missing,
    /// Not the JSON type or form that belongs there.
    Form,
    /// The check digit disagrees with the digits before it.
    CheckDigit,
    /// A well-formed value that no code book or list has.
    NotInBook,
    /// Outside the range that is allowed here.
    Range,
}

impl Wrong {
    /// The words for it, in English, for a vendor's log.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unknown => "no such field",
            Self::Missing => "is required",
            Self::Form => "has the wrong type or form",
            Self::CheckDigit => "has a wrong check digit",
            Self::NotInBook => "is not a known value",
            Self::Range => "is out of range",
        }
    }

    /// The word for it in reports of quarantined records.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "unknown_field",
            Self::Missing => "missing_field",
            Self::Form => "invalid_field",
            Self::CheckDigit => "check_digit",
            Self::NotInBook => "unknown_value",
            Self::Range => "out_of_range",
        }
    }
}

impl Fault {
    /// A fault of the named field.
    #[must_use]
    pub fn field(field: impl Into<String>, wrong: Wrong) -> Self {
        Self::Field { field: field.into(), wrong }
    }

    /// The same fault seen from a field further out.
    #[must_use]
    pub fn within(self, outer: &str) -> Self {
        let join =
            |field: String| if field.is_empty() { outer.to_owned() } else { format!("{outer}.{field}") };
        match self {
            Self::Field { field, wrong } => Self::Field { field: join(field), wrong },
            Self::MyNumber { field } => Self::MyNumber { field: join(field) },
            malformed @ Self::Malformed { .. } => malformed,
        }
    }

    /// The word for it in reports of quarantined records.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed",
            Self::Field { wrong, .. } => wrong.code(),
            Self::MyNumber { .. } => "my_number_refused",
        }
    }

    /// The field at fault, if it is one.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        match self {
            Self::Malformed { .. } => None,
            Self::Field { field, .. } | Self::MyNumber { field } => (!field.is_empty()).then_some(field),
        }
    }
}

impl From<crate::number::NumberError> for Wrong {
    fn from(error: crate::number::NumberError) -> Self {
        match error {
            crate::number::NumberError::Form => Self::Form,
            crate::number::NumberError::CheckDigit => Self::CheckDigit,
        }
    }
}

/// Reads one JSON message, an object.
///
/// # Errors
/// The [`Fault`] with its place. The reader's own words are dropped: they quote the value.
pub fn read<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Result<T, Fault> {
    match serde_json::from_slice(json) {
        Ok(ByName(message)) => Ok(message),
        Err(_) => Err(explain::<ByName<T>>(json)),
    }
}

/// Reads again, slowly, to learn where the fault is.
fn explain<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Fault {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let error = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        // Only what follows the message is wrong.
        Ok(_) => return Fault::Malformed { column: reader.end().err().map_or(0, |e| e.column()) },
        Err(error) => error,
    };
    if !error.inner().is_data() {
        return Fault::Malformed { column: error.inner().column() };
    }
    let words = error.inner().to_string();
    let mut field = error.path().to_string();
    if field == "." {
        field.clear();
    }
    if words.starts_with(REFUSED) {
        return Fault::MyNumber { field };
    }
    if my_number::is_hidden_in(&field) {
        return Fault::MyNumber { field: String::new() };
    }
    if field.len() > 200 {
        return Fault::Malformed { column: error.inner().column() };
    }
    // The words before the first backquote are serde's own; what follows may be the sender's.
    let wrong = match words.split('`').next() {
        Some("unknown field ") => Wrong::Unknown,
        Some(said @ ("missing field " | "duplicate field ")) => {
            let wrong = if said.starts_with('m') { Wrong::Missing } else { Wrong::Form };
            let fault = Fault::field(words.split('`').nth(1).unwrap_or_default(), wrong);
            return if field.is_empty() { fault } else { fault.within(&field) };
        }
        Some("unknown variant ") => Wrong::NotInBook,
        _ => Wrong::Form,
    };
    if field.is_empty() { Fault::Malformed { column: 0 } } else { Fault::field(field, wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Message<'a> {
        #[serde(borrow)]
        word: Text<'a>,
        #[serde(default)]
        list: Vec<Inner>,
    }

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        count: u8,
    }

    fn fault(json: &str) -> Fault {
        read::<Message<'_>>(json.as_bytes()).unwrap_err()
    }

    #[test]
    fn faults_name_the_place_and_not_the_value() {
        let field = |name: &str, wrong| Fault::field(name, wrong);
        assert_eq!(fault(r#"{"word":"a","x1":"secret"}"#), field("x1", Wrong::Unknown));
        assert_eq!(fault(r#"{}"#), field("word", Wrong::Missing));
        assert_eq!(fault(r#"{"word":5}"#), field("word", Wrong::Form));
        assert_eq!(
            fault(r#"{"word":"a","list":[{"count":1},{"count":300}]}"#),
            field("list[1].count", Wrong::Form)
        );
        assert_eq!(fault(r#"{"word":"a","list":[{}]}"#), field("list[0].count", Wrong::Missing));
        assert_eq!(fault(r#"{"word":"a","word":"b"}"#), field("word", Wrong::Form));
        assert!(matches!(fault(r#"{"word":"a"} x"#), Fault::Malformed { .. }));
        assert!(matches!(fault(r#"{"word":"a""#), Fault::Malformed { .. }));
        assert!(matches!(fault(r#"[]"#), Fault::Malformed { .. } | Fault::Field { .. }));
        assert!(matches!(read::<Message<'_>>(b"{\"word\":\"\xff\"}"), Err(Fault::Malformed { .. })));
    }

    #[test]
    fn a_my_number_is_refused_wherever_it_hides() {
        let refused = |field: &str| Fault::MyNumber { field: field.to_owned() };
        assert_eq!(fault(r#"{"word":"123456789018"}"#), refused("word"));
        assert_eq!(fault(r#"{"word":"\u0031\u0032\u0033456789018"}"#), refused("word"));
        assert_eq!(fault(r#"{"word":"a","123456789018":1}"#), refused(""));
        assert!(matches!(fault(r#"{"word":"a","list":"123456789018"}"#), Fault::Field { .. }));
    }
}
