//! The JSON twin of a message, read into the same tree: lists become elements side by side.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::tree::{Broken, DEPTH, Element, is_allowed};

/// Reads the JSON twin: an object with the one field `XmlMsg`.
///
/// # Errors
/// [`Broken`], which never repeats what was written.
pub fn from_json(text: &str) -> Result<Element<'_>, Broken> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Within { name: Cow::Borrowed(""), depth: 0 }.deserialize(&mut reader);
    let syntax = |error: serde_json::Error| Broken::Syntax { at: error.column() };
    let mut outer = read.map_err(syntax)?;
    reader.end().map_err(syntax)?;
    let mut fields = outer.pop().map(|outer| outer.children).unwrap_or_default();
    let root = fields.pop();
    // A second field would be looked at by nobody.
    look(root.filter(|_| outer.is_empty() && fields.is_empty()).ok_or(Broken::Syntax { at: 0 })?)
}

/// Depth first, as the XML reader does it while it reads.
fn look(element: Element<'_>) -> Result<Element<'_>, Broken> {
    let Element { name, text, children } = element.looked_through()?;
    let children = children.into_iter().map(look).collect::<Result<_, _>>()?;
    Ok(Element { name, text, children })
}

/// Reads what stands under a name: a text, an object, or a list of either, which is the element as
/// often as the list is long.
struct Within<'a> {
    name: Cow<'a, str>,
    depth: usize,
}

impl<'a> DeserializeSeed<'a> for Within<'a> {
    type Value = Vec<Element<'a>>;
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Within<'a> {
    type Value = Vec<Element<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, an object or a list")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'a str) -> Result<Self::Value, E> {
        self.said(Cow::Borrowed(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        self.said(Cow::Owned(text.to_owned()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        self.said(Cow::Borrowed(""))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        let within = || Within { name: self.name.clone(), depth: self.depth };
        // A list in a list is nothing that any message has; it would escape the bound of depth.
        while let Some(Single(mut one)) = list.next_element_seed(OfList(within()))? {
            all.append(&mut one);
        }
        Ok(all)
    }

    fn visit_map<A: MapAccess<'a>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        if self.depth > DEPTH {
            return Err(de::Error::custom("too deep"));
        }
        let mut children = Vec::new();
        while let Some(Name(name)) = fields.next_key()? {
            children.append(&mut fields.next_value_seed(Within { name, depth: self.depth + 1 })?);
        }
        Ok(vec![Element { name: self.name, text: Cow::Borrowed(""), children }])
    }
}

impl<'a> Within<'a> {
    fn said<E: de::Error>(self, text: Cow<'a, str>) -> Result<Vec<Element<'a>>, E> {
        if text.chars().all(is_allowed) {
            Ok(vec![Element { name: self.name, text, children: Vec::new() }])
        } else {
            Err(E::custom("a control character"))
        }
    }
}

struct Single<'a>(Vec<Element<'a>>);

struct OfList<'a>(Within<'a>);

impl<'a> DeserializeSeed<'a> for OfList<'a> {
    type Value = Single<'a>;
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        struct Object<'a>(Within<'a>);
        impl<'a> Visitor<'a> for Object<'a> {
            type Value = Vec<Element<'a>>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'a>>(self, fields: A) -> Result<Self::Value, A::Error> {
                self.0.visit_map(fields)
            }
        }
        deserializer.deserialize_map(Object(self.0)).map(Single)
    }
}

#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
