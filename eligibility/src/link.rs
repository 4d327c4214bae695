//! The portal's request to link a card (初回紐づけ), and its JSON.

use serde::{Deserialize, Serialize};

use crate::day::Day;
use crate::query::{Circumstances, NumberQuery, named};
use crate::wire::{self, Fault, Text};

/// A card, and the numbers of the person it shall be linked to. The portal has seen the PIN.
pub struct LinkQuery<'a> {
    /// Base64 of the certificate's DER.
    pub certificate: Text<'a>,
    /// The person, as an insured card names one.
    pub person: NumberQuery,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkWire<'a> {
    #[serde(borrow, deserialize_with = "wire::opaque")]
    certificate: Text<'a>,
    #[serde(borrow)]
    insurer_number: Text<'a>,
    #[serde(borrow, default)]
    symbol: Option<Text<'a>>,
    #[serde(borrow)]
    number: Text<'a>,
    #[serde(borrow, default)]
    branch: Option<Text<'a>>,
    birth_date: Day,
}

impl<'a> LinkQuery<'a> {
    /// Reads the request.
    ///
    /// # Errors
    /// The [`Fault`] with its field.
    pub fn from_json(json: &'a [u8]) -> Result<Self, Fault> {
        let wire: LinkWire<'a> = wire::read(json)?;
        let symbol = wire.symbol.as_deref().unwrap_or_default();
        let (key, branch) = named(&wire.insurer_number, symbol, &wire.number, wire.branch.as_deref())?;
        let circumstances = Circumstances::default();
        let person = NumberQuery { key, branch, birth_date: wire.birth_date, known_at: None, circumstances };
        Ok(Self { certificate: wire.certificate, person })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_names_a_card_and_a_person() {
        let json = r#"{"certificate":"MII=","insurer_number":"06132013","symbol":"1","number":"2","birth_date":"1980-02-03"}"#;
        let query = LinkQuery::from_json(json.as_bytes()).ok().unwrap();
        assert_eq!((&*query.certificate, query.person.branch), ("MII=", None));
        let short = json.replace(r#","birth_date":"1980-02-03""#, "");
        assert_eq!(LinkQuery::from_json(short.as_bytes()).err().unwrap().place(), Some("birth_date"));
        let more = json.replace("symbol", "date");
        assert_eq!(LinkQuery::from_json(more.as_bytes()).err().unwrap().place(), Some("date"));
    }
}
