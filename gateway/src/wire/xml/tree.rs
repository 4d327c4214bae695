//! A message as a tree of named elements, read from XML or from its JSON twin.
//!
//! Bounded in depth, without document types, entities of its own, or anything that points elsewhere.
//! Every text is looked through for a 個人番号, those of unknown elements and comments too.

use std::borrow::Cow;
use std::fmt;

use eligibility::my_number;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Most elements within each other. The deepest message has six.
const DEPTH: usize = 10;

/// Why octets are no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Not in the encoding they claim, or in none that is taken.
    #[error("the encoding is not the one that is declared, or neither UTF-8 nor Shift_JIS")]
    Encoding,
    /// No well-formed XML or JSON.
    #[error("not well-formed at octet {at}")]
    Syntax {
        /// Where, counted in the text as UTF-8.
        at: usize,
    },
    /// A document type, an entity of its own, a processing instruction, a pointer to a schema.
    #[error("a document type, entity or external reference at octet {at}: none is taken")]
    Reference {
        /// Where, counted in the text as UTF-8.
        at: usize,
    },
    /// Deeper than any message.
    #[error("deeper than any message")]
    Depth,
    /// A 個人番号, in this element.
    #[error("{element}: looks like a 個人番号; nothing was kept")]
    MyNumber {
        /// The element, empty where its name hides one.
        element: String,
    },
}

/// One element.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Element<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its own text.
    pub text: Cow<'a, str>,
    /// The elements within.
    pub children: Vec<Element<'a>>,
}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Element({} children, …)", self.children.len())
    }
}

impl<'a> Element<'a> {
    /// The children of this name.
    pub fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element<'a>> + 'e {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Every element of this name below this one, in their order.
    pub fn below<'e>(&'e self, name: &str, found: &mut Vec<&'e Element<'a>>) {
        for child in &self.children {
            if child.name == name {
                found.push(child);
            } else {
                child.below(name, found);
            }
        }
    }

    fn push_text(&mut self, text: Cow<'a, str>) {
        if self.text.is_empty() {
            self.text = text;
        } else {
            self.text.to_mut().push_str(&text);
        }
    }

    fn looked_through(self) -> Result<Self, Broken> {
        if my_number::is_hidden_in(&self.name) {
            return Err(Broken::MyNumber { element: String::new() });
        }
        if my_number::is_hidden_in(&self.text) {
            return Err(Broken::MyNumber { element: self.name.into_owned() });
        }
        Ok(self)
    }
}

/// Reads XML.
///
/// # Errors
/// [`Broken`], which never repeats what was written.
pub fn from_xml(text: &str) -> Result<Element<'_>, Broken> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element<'_>> = Vec::new();
    let mut root = None;
    loop {
        let at = reader.buffer_position() as usize;
        let syntax = Broken::Syntax { at };
        match reader.read_event().map_err(|_| syntax.clone())? {
            Event::Start(start) if root.is_none() => {
                if open.len() == DEPTH {
                    return Err(Broken::Depth);
                }
                open.push(element(text, &start, at)?);
            }
            Event::Empty(start) if root.is_none() => {
                let element = element(text, &start, at)?.looked_through()?;
                close(&mut open, &mut root, element);
            }
            Event::End(_) => {
                let element = open.pop().ok_or(syntax)?.looked_through()?;
                close(&mut open, &mut root, element);
            }
            Event::Text(said) => push(&mut open, said.into_inner(), at)?,
            Event::CData(said) => push(&mut open, said.into_inner(), at)?,
            Event::GeneralRef(named) => push(&mut open, resolved(&named, at)?, at)?,
            Event::Comment(said) if my_number::is_hidden_in(&said) => {
                return Err(Broken::MyNumber { element: String::new() });
            }
            Event::Comment(_) => {}
            Event::Decl(_) if at == 0 => {}
            Event::DocType(_) | Event::PI(_) => return Err(Broken::Reference { at }),
            Event::Eof => break,
            Event::Decl(_) | Event::Start(_) | Event::Empty(_) => return Err(syntax),
        }
    }
    match root {
        Some(root) if open.is_empty() => Ok(root),
        _ => Err(Broken::Syntax { at: text.len() }),
    }
}

/// The element that begins here. Of attributes only the declarations of programs that write their
/// namespaces everywhere mean something, and nothing to us; one that names a schema is refused.
fn element<'a>(text: &'a str, start: &BytesStart<'_>, at: usize) -> Result<Element<'a>, Broken> {
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| Broken::Syntax { at })?;
        if attribute.key.local_name().as_ref().ends_with("chemaLocation") {
            return Err(Broken::Reference { at });
        }
        if my_number::is_hidden_in(&attribute.value) {
            return Err(Broken::MyNumber { element: String::new() });
        }
    }
    let name = start.name();
    let name = name.as_ref();
    // The name as it stands in the text, so that it need not be copied.
    let borrowed = text.get(at + 1..at + 1 + name.len()).filter(|there| *there == name);
    let name = borrowed.map_or_else(|| Cow::Owned(name.to_owned()), Cow::Borrowed);
    Ok(Element { name, ..Element::default() })
}

fn close<'a>(open: &mut [Element<'a>], root: &mut Option<Element<'a>>, element: Element<'a>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *root = Some(element),
    }
}

fn push<'a>(open: &mut [Element<'a>], said: Cow<'a, str>, at: usize) -> Result<(), Broken> {
    match open.last_mut() {
        _ if said.chars().any(|c| !is_allowed(c)) => Err(Broken::Syntax { at }),
        // Blanks between elements are layout; those within a text belong to it.
        Some(element) if !element.text.is_empty() || !said.trim().is_empty() => {
            element.push_text(said);
            Ok(())
        }
        None if !said.trim().is_empty() => Err(Broken::Syntax { at }),
        _ => Ok(()),
    }
}

/// The character that one of XML's own five names stands for, or a number.
fn resolved(named: &BytesRef<'_>, at: usize) -> Result<Cow<'static, str>, Broken> {
    if named.is_char_ref() {
        let c = named.resolve_char_ref().ok().flatten().ok_or(Broken::Syntax { at })?;
        return Ok(Cow::Owned(c.to_string()));
    }
    Ok(Cow::Borrowed(match &**named {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "apos" => "'",
        "quot" => "\"",
        _ => return Err(Broken::Reference { at }),
    }))
}

fn is_allowed(c: char) -> bool {
    !c.is_control() || matches!(c, '\t' | '\r' | '\n')
}

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
    let root = outer.pop().filter(|_| outer.is_empty()).map(|mut outer| outer.children.pop());
    look(root.flatten().ok_or(Broken::Syntax { at: 0 })?)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(xml: &str) -> Broken {
        from_xml(xml).unwrap_err()
    }

    #[test]
    fn a_tree_is_read() {
        let root = from_xml("<?xml version=\"1.0\"?>\r\n<a xmlns:xsi='urn:x'><b> x&amp;&#x3042;<![CDATA[<y]]></b><!-- c --><c/></a>\n").unwrap();
        assert_eq!((&*root.name, root.children.len()), ("a", 2));
        assert_eq!(root.children[0].text, " x&あ<y");
        assert_eq!(from_xml("<a>&lt; &gt;</a>").unwrap().text, "< >");
        let twin = from_json(r#"{"a":{"b":" x&あ<y","c":null}}"#).unwrap();
        assert!(twin == root);
    }

    #[test]
    fn lists_of_the_twin_are_elements_side_by_side() {
        let root = from_json(r#"{"a":{"l":[{"i":{"x":"1"}},{"i":{"x":"2"}}]}}"#).unwrap();
        let mut found = Vec::new();
        root.below("i", &mut found);
        assert_eq!(found.iter().map(|one| &*one.children[0].text).collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(root.all("l").count(), 2);
    }

    #[test]
    fn what_points_elsewhere_is_refused() {
        for xml in [
            "<!DOCTYPE a><a/>",
            "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
            "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
            "<a>&x;</a>",
            "<?xml-stylesheet href=\"http://example.com/\"?><a/>",
            "<a xsi:schemaLocation=\"http://example.com/\"/>",
            "<a xsi:noNamespaceSchemaLocation=\"http://example.com/\"/>",
        ] {
            assert!(matches!(broken(xml), Broken::Reference { .. }), "{xml}: {:?}", broken(xml));
        }
    }

    #[test]
    fn what_is_broken_or_too_deep_is_refused() {
        for xml in [
            "",
            " ",
            "a",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><b/>",
            "<a/>x",
            "<a/><?xml version=\"1.0\"?>",
            "<a>&#0;</a>",
            "<a>\u{1}</a>",
            "<a>&#x1;</a>",
            "<a",
            "<a>&amp</a>",
            "<a><![CDATA[</a>",
            "<a b=\"1\" b=\"2\"/>",
        ] {
            assert!(matches!(broken(xml), Broken::Syntax { .. }), "{xml}: {:?}", broken(xml));
        }
        let deep = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
        assert!(from_xml(&deep(DEPTH)).is_ok());
        assert_eq!(broken(&deep(DEPTH + 1)), Broken::Depth);
        assert_eq!(broken(&"<a>".repeat(100_000)), Broken::Depth);
        for json in [
            "",
            "{}",
            "[]",
            "5",
            "{\"a\":5}",
            "{\"a\":true}",
            "{\"a\":[[]]}",
            "{\"a\":1",
            "{\"a\":\"\\u0001\"}",
        ] {
            assert!(from_json(json).is_err(), "{json}");
        }
        assert!(from_json(&format!("{}\"\"{}", "{\"a\":".repeat(100), "}".repeat(100))).is_err());
    }

    #[test]
    fn a_my_number_is_found_wherever_it_hides() {
        for xml in [
            "<a><b>123456789018</b></a>",
            "<a><b>1234<c/>56789018</b></a>",
            "<a><b>&#49;23456789018</b></a>",
            "<a><b>12345<![CDATA[6789018]]></b></a>",
            "<a><!-- 123456789018 --></a>",
            "<a b=\"123456789018\"/>",
            "<a><b123456789018/></a>",
        ] {
            assert!(matches!(broken(xml), Broken::MyNumber { .. }), "{xml}");
        }
        for json in [
            r#"{"a":{"b":"123456789018"}}"#,
            r#"{"a":{"b":"\u003123456789018"}}"#,
            r#"{"a":{"123456789018":""}}"#,
        ] {
            assert!(matches!(from_json(json), Err(Broken::MyNumber { .. })), "{json}");
        }
    }
}
