//! Writes DER: elements, sequences, integers. What they are put together to is not here.

use crate::der::{INTEGER, SEQUENCE};

/// One element.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(content.len() + 6);
    octets.push(tag);
    let length = content.len().to_be_bytes();
    let digits = length.iter().copied().skip_while(|octet| *octet == 0);
    if content.len() >= 0x80 {
        octets.push(0x80 | digits.clone().count() as u8);
    }
    let before = octets.len();
    octets.extend(digits);
    if octets.len() == before {
        octets.push(0); // empty content
    }
    octets.extend_from_slice(content);
    octets
}

/// A sequence of elements.
pub(crate) fn sequence(elements: &[&[u8]]) -> Vec<u8> {
    element(SEQUENCE, &elements.concat())
}

/// An integer of that magnitude, not negative.
pub(crate) fn integer(magnitude: &[u8]) -> Vec<u8> {
    match magnitude.first() {
        None => element(INTEGER, &[0]),
        Some(0x80..) => element(INTEGER, &[&[0], magnitude].concat()),
        Some(_) => element(INTEGER, magnitude),
    }
}
