//! Writes the parts of certificates and lists: names, times, extensions. What they are put together
//! to is not here.

pub(super) use crate::writing::{element, integer, sequence};

use crate::der::{self, BIT_STRING, OCTET_STRING, OID, SEQUENCE};
use crate::oid::{OidError, encode_oid};
use crate::time::{Date, UnixTime};

const SET: u8 = 0x31;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;

pub(super) const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
pub(super) const COUNTRY: &[u8] = &[0x55, 0x04, 0x06];
pub(super) const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
pub(super) const UNIT: &[u8] = &[0x55, 0x04, 0x0b];

/// A bit string of whole octets.
pub(super) fn bit_string(octets: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], octets].concat())
}

/// An object identifier from its dotted form.
pub(super) fn oid(dotted: &str) -> Result<Vec<u8>, OidError> {
    Ok(element(OID, &encode_oid(dotted)?))
}

/// UTCTime until 2049, GeneralizedTime from then on (RFC 5280, 4.1.2.5).
pub(super) fn time(time: UnixTime) -> Vec<u8> {
    let date = Date::from_days(time.0.div_euclid(86_400) as i32);
    let second = time.0.rem_euclid(86_400);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let rest = format!("{:02}{:02}{hour:02}{minute:02}{second:02}Z", date.month, date.day);
    if (1950..2050).contains(&date.year) {
        element(der::UTC_TIME, format!("{:02}{rest}", date.year % 100).as_bytes())
    } else {
        element(der::GENERALIZED_TIME, format!("{:04}{rest}", date.year).as_bytes())
    }
}

/// A name: one attribute a step, in this order. The country is a PrintableString, all else UTF-8.
pub(super) fn name(attributes: &[(&[u8], &str)]) -> Vec<u8> {
    let step = |(kind, text): &(&[u8], &str)| {
        let string = if *kind == COUNTRY { PRINTABLE_STRING } else { UTF8_STRING };
        element(SET, &sequence(&[&element(OID, kind), &element(string, text.as_bytes())]))
    };
    element(SEQUENCE, &attributes.iter().flat_map(step).collect::<Vec<u8>>())
}

/// `GeneralNames` content: one directoryName.
pub(super) fn directory_name(name: &[u8]) -> Vec<u8> {
    element(der::explicit(4), name)
}

/// One extension, by the content octets of its identifier.
pub(super) fn extension(id: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let flag: &[u8] = if critical { &[0x01, 0x01, 0xff] } else { &[] };
    sequence(&[&element(OID, id), flag, &element(OCTET_STRING, value)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::INTEGER;

    #[test]
    fn what_is_written_is_read_back() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000] {
            let octets = element(OCTET_STRING, &vec![7; length]);
            let read = der::only(&octets, OCTET_STRING).map(|element| element.content.len());
            assert_eq!(read, Ok(length));
        }
        for seconds in [-1, 0, 1_897_570_799, 2_524_607_999, 2_524_608_000, 253_402_300_799] {
            let octets = time(UnixTime(seconds));
            assert_eq!(
                der::Reader::new(&octets).any().and_then(|element| element.time()),
                Ok(UnixTime(seconds))
            );
        }
        let octets = integer(&[0x80]);
        assert_eq!(der::only(&octets, INTEGER).and_then(|element| element.magnitude()), Ok(&[0x80][..]));
    }
}
