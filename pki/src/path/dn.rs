//! Distinguished names in a form in which equal names are equal octets, for comparing them with
//! name constraints (RFC 5280, 7.1). Chaining does not use it: there, names must be byte-equal.
//!
//! Text of any string type becomes characters, lower case, with runs of blanks folded to one and
//! none at the ends. Compatibility normalisation (NFKC) is not done: two spellings that differ only
//! by it stay different names, here as everywhere else where names are compared.

use crate::der::{self, Malformed, Reader};

const SET: u8 = 0x31;
const UTF8_STRING: u8 = 0x0c;
const NUMERIC_STRING: u8 = 0x12;
const PRINTABLE_STRING: u8 = 0x13;
const TELETEX_STRING: u8 = 0x14;
const IA5_STRING: u8 = 0x16;
const VISIBLE_STRING: u8 = 0x1a;
const UNIVERSAL_STRING: u8 = 0x1c;
const BMP_STRING: u8 = 0x1e;

/// emailAddress, 1.2.840.113549.1.9.1
const EMAIL_ADDRESS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01];

/// One attribute of a name: type (content octets of the OID) and value.
pub(crate) struct Attribute<'a> {
    pub(crate) kind: &'a [u8],
    pub(crate) value: der::Element<'a>,
}

/// A name as a sequence of steps, each in its one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(Vec<Vec<u8>>);

impl Name {
    /// Reads a `Name` in DER.
    pub(super) fn read(name: &[u8]) -> Result<Name, Malformed> {
        let mut steps = Vec::new();
        let mut reader = der::only(name, der::SEQUENCE)?.reader();
        while !reader.is_empty() {
            let mut attributes = Vec::with_capacity(1);
            let mut step = reader.enter(SET)?;
            while !step.is_empty() {
                attributes.push(canonical(&attribute(&mut step)?)?);
            }
            attributes.sort_unstable();
            steps.push(attributes.concat());
        }
        if steps.iter().any(Vec::is_empty) { Err(Malformed) } else { Ok(Name(steps)) }
    }

    /// Whether this name lies in the subtree below `base`, or is it.
    pub(super) fn is_within(&self, base: &Name) -> bool {
        self.0.starts_with(&base.0)
    }
}

/// Every attribute of a `Name` in DER, in its order.
pub(crate) fn attributes(name: &[u8]) -> Result<Vec<Attribute<'_>>, Malformed> {
    let mut all = Vec::new();
    let mut reader = der::only(name, der::SEQUENCE)?.reader();
    while !reader.is_empty() {
        let mut step = reader.enter(SET)?;
        while !step.is_empty() {
            all.push(attribute(&mut step)?);
        }
    }
    Ok(all)
}

/// The mailboxes in a name's emailAddress attributes.
pub(super) fn mailboxes(name: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let all = attributes(name)?.into_iter();
    Ok(all.filter(|one| one.kind == EMAIL_ADDRESS).map(|one| one.value.content).collect())
}

/// The characters of a value that is text; nothing for other values.
pub(crate) fn text(value: &der::Element<'_>) -> Result<Option<String>, Malformed> {
    let octets = value.content;
    let text = match value.tag {
        UTF8_STRING => std::str::from_utf8(octets).map_err(|_| Malformed)?.to_owned(),
        NUMERIC_STRING | PRINTABLE_STRING | IA5_STRING | VISIBLE_STRING => {
            if !octets.is_ascii() {
                return Err(Malformed);
            }
            octets.iter().copied().map(char::from).collect()
        }
        TELETEX_STRING => octets.iter().copied().map(char::from).collect(), // as Latin-1, like everybody
        BMP_STRING => {
            let (units, []) = octets.as_chunks::<2>() else {
                return Err(Malformed);
            };
            let units = units.iter().copied().map(u16::from_be_bytes);
            char::decode_utf16(units).collect::<Result<_, _>>().map_err(|_| Malformed)?
        }
        UNIVERSAL_STRING => {
            let (units, []) = octets.as_chunks::<4>() else {
                return Err(Malformed);
            };
            let character = |unit: &[u8; 4]| char::from_u32(u32::from_be_bytes(*unit)).ok_or(Malformed);
            units.iter().map(character).collect::<Result<_, _>>()?
        }
        _ => return Ok(None),
    };
    if text.contains('\0') { Err(Malformed) } else { Ok(Some(text)) }
}

fn attribute<'a>(step: &mut Reader<'a>) -> Result<Attribute<'a>, Malformed> {
    let mut fields = step.enter(der::SEQUENCE)?;
    let kind = fields.expect(der::OID)?.content;
    let value = fields.any()?;
    fields.end()?;
    Ok(Attribute { kind, value })
}

/// Type and value, each behind its length; text behind tag 0 whatever its string type.
fn canonical(attribute: &Attribute<'_>) -> Result<Vec<u8>, Malformed> {
    let (tag, value) = match text(&attribute.value)? {
        Some(text) => (0, folded(&text).into_bytes()),
        None => (attribute.value.tag, attribute.value.content.to_vec()),
    };
    let lengths = [attribute.kind.len(), value.len()].map(|length| (length as u32).to_be_bytes());
    let [kind_length, value_length] = &lengths;
    Ok([&kind_length[..], attribute.kind, &[tag], value_length, &value].concat())
}

fn folded(text: &str) -> String {
    let words = text.split_whitespace().map(str::to_lowercase);
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(steps: &[&[(u8, &[u8])]]) -> Vec<u8> {
        let tlv = |tag: u8, content: &[u8]| [&[tag, content.len() as u8][..], content].concat();
        let step = |attributes: &&[(u8, &[u8])]| {
            let one = |(tag, value): &(u8, &[u8])| {
                tlv(der::SEQUENCE, &[tlv(der::OID, &[0x55, 4, 10]), tlv(*tag, value)].concat())
            };
            tlv(SET, &attributes.iter().flat_map(one).collect::<Vec<_>>())
        };
        tlv(der::SEQUENCE, &steps.iter().flat_map(step).collect::<Vec<_>>())
    }

    #[test]
    fn equal_names_are_equal_whatever_their_spelling() {
        let read = |octets: &[u8]| Name::read(octets).expect("a name");
        let plain = read(&name(&[&[(UTF8_STRING, b"example clinic")]]));
        for value in [
            (PRINTABLE_STRING, &b"Example  Clinic "[..]),
            (IA5_STRING, b" EXAMPLE CLINIC"),
            (TELETEX_STRING, b"example\tclinic"),
            (BMP_STRING, b"\0E\0x\0a\0m\0p\0l\0e\0 \0C\0l\0i\0n\0i\0c"),
        ] {
            assert_eq!(read(&name(&[&[value]])), plain);
        }
        assert_ne!(read(&name(&[&[(UTF8_STRING, b"example-clinic")]])), plain);
        assert_ne!(read(&name(&[&[(der::OCTET_STRING, b"example clinic")]])), plain);
        let below = read(&name(&[&[(UTF8_STRING, b"Example Clinic")], &[(UTF8_STRING, b"x")]]));
        assert!(below.is_within(&plain) && !plain.is_within(&below) && plain.is_within(&plain));
        let two = |first, second| read(&name(&[&[(UTF8_STRING, first), (UTF8_STRING, second)]]));
        assert_eq!(two(b"a", b"B"), two(b"b", b"A"));
        assert!(!two(b"a", b"b").is_within(&read(&name(&[&[(UTF8_STRING, b"a")]]))));
    }

    #[test]
    fn broken_text_is_refused() {
        for value in [
            (UTF8_STRING, &b"\xff"[..]),
            (UTF8_STRING, b"a\0b"),
            (PRINTABLE_STRING, b"\xe9"),
            (BMP_STRING, b"\0"),
            (BMP_STRING, b"\xd8\0"),
            (UNIVERSAL_STRING, b"\0\x11\0\0"),
        ] {
            assert!(Name::read(&name(&[&[value]])).is_err(), "{value:02x?}");
        }
        assert!(Name::read(&[0x30, 0x02, SET, 0x00]).is_err());
    }
}
