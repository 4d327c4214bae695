//! Object identifiers: from dotted text to the octets found in certificates. Which of them mean
//! what is not here.

use thiserror::Error;

/// The text is no object identifier in dotted decimal form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not an object identifier in dotted decimal form")]
pub struct OidError;

/// The content octets of a dotted object identifier (X.690, 8.19).
pub(crate) fn encode_oid(dotted: &str) -> Result<Vec<u8>, OidError> {
    let arcs: Vec<u64> = dotted
        .split('.')
        .map(|arc| if arc.bytes().all(|digit| digit.is_ascii_digit()) { arc.parse().ok() } else { None })
        .collect::<Option<_>>()
        .ok_or(OidError)?;
    let [root @ 0..=2, second, rest @ ..] = arcs.as_slice() else {
        return Err(OidError);
    };
    if *root < 2 && *second > 39 {
        return Err(OidError);
    }
    let first = second.checked_add(root * 40).ok_or(OidError)?;
    let mut octets = Vec::with_capacity(arcs.len() * 2);
    for arc in std::iter::once(&first).chain(rest) {
        let groups = (64 - arc.leading_zeros()).div_ceil(7).max(1);
        octets.extend((0..groups).rev().map(|group| {
            let bits = (arc >> (7 * group)) as u8 & 0x7f;
            if group == 0 { bits } else { bits | 0x80 }
        }));
    }
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_identifiers_are_encoded() {
        assert_eq!(encode_oid("2.5.29.15"), Ok(vec![0x55, 0x1d, 0x0f]));
        assert_eq!(encode_oid("1.3.6.1.5.5.7.3.2").as_deref(), Ok(crate::extension::CLIENT_AUTH));
        let production = [0x2a, 0x83, 0x08, 0x8c, 0x9b, 0x55, 0x08, 0x05, 0x01, 0x03, 0x1e];
        assert_eq!(encode_oid(crate::profile::PRODUCTION_POLICY).as_deref(), Ok(&production[..]));
        for text in ["", "1", "3.1", "1.40", "1.2.", "1..2", "1.+2", "1.2.99999999999999999999"] {
            assert_eq!(encode_oid(text), Err(OidError), "{text}");
        }
    }
}
