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

/// The dotted form of content octets; nothing when they are no identifier in DER, or one with an
/// arc beyond 64 bits.
pub(crate) fn decode_oid(octets: &[u8]) -> Option<String> {
    let mut arcs: Vec<u64> = Vec::new();
    let mut arc: Option<u64> = None;
    for octet in octets {
        if arc.is_none() && *octet == 0x80 {
            return None; // padded
        }
        let value = arc.unwrap_or(0).checked_mul(128)? | u64::from(octet & 0x7f);
        arc = if octet & 0x80 == 0 {
            arcs.push(value);
            None
        } else {
            Some(value)
        };
    }
    let (first, rest) = arcs.split_first().filter(|_| arc.is_none())?;
    let root = (first / 40).min(2);
    let all = [root, first - root * 40].into_iter().chain(rest.iter().copied());
    Some(all.map(|arc| arc.to_string()).collect::<Vec<_>>().join("."))
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
        for text in ["2.5.29.15", "2.999.1", "1.3.6.1.5.5.7.3.2", "0.9.18446744073709551615"] {
            let octets = encode_oid(text).expect("an identifier");
            assert_eq!(decode_oid(&octets).as_deref(), Some(text));
        }
        for octets in [&[][..], &[0x80, 0x01], &[0x2a, 0x80], &[0x2a, 0x83], &[0x2a, 0x80, 0x01]] {
            assert_eq!(decode_oid(octets), None, "{octets:02x?}");
        }
    }
}
