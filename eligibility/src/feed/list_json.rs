//! The JSON of `list` records, both directions: what a revocation list changed, packed for bulk.

use super::json::line;
use super::{ListArrival, Revoked, Said};
use crate::day::Timestamp;
use crate::number::Serial;
use crate::wire::{Fault, Text, Wrong};

line! {
    /// `list`
    ListLine {
        // Octets in hexadecimal, where twelve digits in a row mean nothing.
        #[serde(borrow, deserialize_with = "crate::wire::opaque")]
        authority: Text<'a>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::wire::opaque_option")]
        partition: Option<Text<'a>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::wire::opaque_option")]
        number: Option<Text<'a>>,
        this_update: Timestamp,
        /// Serial, seconds since 1970, and on hold or not.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        revoked: Vec<(String, i64, bool)>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        released: Vec<String>,
    }
}

impl ListLine<'_> {
    /// The list's part of a line, for writing.
    pub(super) fn of(list: &ListArrival) -> Self {
        let revoked = list.revoked.iter();
        Self {
            authority: hexadecimal(&list.authority).into(),
            partition: list.partition.as_deref().map(|name| hexadecimal(name).into()),
            number: list.number.as_deref().map(|number| hexadecimal(number).into()),
            this_update: list.this_update,
            revoked: revoked
                .map(|one| (one.serial.reveal(), one.revoked_at.millis() / 1000, one.on_hold))
                .collect(),
            released: list.released.iter().map(Serial::reveal).collect(),
            ..Self::default()
        }
    }

    pub(super) fn said(&self) -> Result<Said, Fault> {
        let wrong = |field| move || Fault::field(field, Wrong::Form);
        let octets = |field, text: &str| from_hexadecimal(text).ok_or_else(wrong(field));
        let optional = |field, text: Option<&str>| -> Result<Option<Box<[u8]>>, Fault> {
            text.map(|text| octets(field, text).map(Into::into)).transpose()
        };
        let authority = octets("authority", &self.authority)?.try_into().map_err(|_| wrong("authority")())?;
        let serial =
            |field, text: &str| Serial::parse(text).map_err(|error| Fault::field(field, error.into()));
        let revoked = self.revoked.iter().map(|(text, seconds, on_hold)| {
            let revoked_at = Timestamp::from_millis(seconds.saturating_mul(1000));
            Ok(Revoked { serial: serial("revoked", text)?, revoked_at, on_hold: *on_hold })
        });
        Ok(Said::List(Box::new(ListArrival {
            authority,
            partition: optional("partition", self.partition.as_deref())?,
            number: optional("number", self.number.as_deref())?,
            this_update: self.this_update,
            revoked: revoked.collect::<Result<_, Fault>>()?,
            released: self.released.iter().map(|text| serial("released", text)).collect::<Result<_, _>>()?,
        })))
    }
}

pub(super) fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

pub(super) fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    Some(digits.chunks(2).filter_map(|pair| Some(pair.first()? << 4 | pair.get(1)?)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::{Record, Source};
    use super::*;

    #[test]
    fn a_list_reads_as_it_was_written() {
        let serial = |text| Serial::parse(text).unwrap();
        let list = ListArrival {
            authority: [7; 32],
            partition: Some(Box::from([0x30, 0x00])),
            number: Some(Box::from([1, 2, 3])),
            this_update: Timestamp::from_millis(1_700_000_000_000),
            revoked: vec![
                Revoked {
                    serial: serial("114390001"),
                    revoked_at: Timestamp::from_millis(1_600_000_000_000),
                    on_hold: false,
                },
                Revoked { serial: serial("7"), revoked_at: Timestamp::from_millis(0), on_hold: true },
            ],
            released: vec![serial("9")],
        };
        let of_responder = ListArrival { number: None, partition: None, ..list.clone() };
        for list in [list, of_responder] {
            let record = Record {
                source: Source::Gateway,
                epoch: 1,
                sequence: 1,
                recorded_at: None,
                resolves: Vec::new(),
                said: Said::List(Box::new(list)),
            };
            assert_eq!(Record::from_json(&record.to_json()), Ok(record));
        }
    }
}
