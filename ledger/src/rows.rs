//! The rows of a batch on their way to the engine and back.

use eligibility::feed::{Kind, Record, Refused, Source};

use crate::batch::{Batch, Content, Row};
use crate::error::LedgerError;
use crate::offer::hash;
use crate::pack::{self, Stub};
use crate::store::Pack;

/// The rows of a batch as octets; `packed` are the bodies, where they are compressed already. None
/// where there are no rows.
pub(crate) fn pack(
    position: u64,
    rows: &[Row],
    bodies: &[Box<[u8]>],
    packed: Option<Vec<u8>>,
) -> Option<Pack> {
    if rows.is_empty() {
        return None;
    }
    let stubs: Vec<_> = rows.iter().zip(bodies).map(|(row, body)| stub(row, body.len())).collect();
    let bodies = packed.unwrap_or_else(|| pack::compress(bodies.iter().map(|body| &**body)));
    Some(Pack { stubs: pack::stubs(position, &stubs), bodies })
}

fn stub(row: &Row, length: usize) -> Stub {
    let refused = matches!(row.content, Content::Refused(_));
    Stub { refused, sequence: row.sequence, previous: row.previous, hash: row.hash, length }
}

/// The refused rows of a batch: each will be looked for by its name. With its place in the batch.
pub(crate) fn refused(batch: &Batch) -> impl Iterator<Item = (usize, &Row)> {
    let rows = batch.rows.iter().enumerate();
    rows.filter(|(_, row)| matches!(row.content, Content::Refused(_)))
}

/// The kind of act of the gateway's own in a batch that will be looked for. Its links are many, and
/// memory has them.
pub(crate) fn act(batch: &Batch) -> Option<Kind> {
    let mut kinds = batch.rows.iter().filter_map(|row| match &row.content {
        Content::Accepted(record) => Some(record.said.kind()),
        Content::Refused(_) => None,
    });
    kinds.find(|kind| batch.source == Source::Gateway && *kind != Kind::Link)
}

/// The rows of a batch as they are kept.
#[derive(Default)]
pub(crate) struct Stored {
    pub(crate) stubs: Vec<Stub>,
    pub(crate) bodies: Vec<u8>,
}

impl Stored {
    /// What a pack of this format holds.
    pub(crate) fn unpack(
        position: u64,
        format: i64,
        stubs: &[u8],
        bodies: &[u8],
    ) -> Result<Self, LedgerError> {
        let corrupt = |reason| LedgerError::Corrupt { position, reason };
        if format != pack::FORMAT {
            return Err(corrupt("its rows have an unknown format"));
        }
        let stubs = pack::read_stubs(position, stubs)
            .ok_or_else(|| corrupt("what is kept of its rows is damaged"))?;
        let bodies = pack::decompress(&stubs, bodies).ok_or_else(|| corrupt("its records are damaged"))?;
        Ok(Self { stubs, bodies })
    }

    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        self.stubs.len()
    }

    /// Each row with its body.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&Stub, &[u8])> {
        let mut rest = self.bodies.as_slice();
        self.stubs.iter().map(move |stub| {
            let (body, after) = rest.split_at_checked(stub.length).unwrap_or_default();
            rest = after;
            (stub, body)
        })
    }
}

/// The row of this source that stub and body are.
pub(crate) fn row(stub: &Stub, body: &[u8], source: Source) -> Result<Row, &'static str> {
    let content = if stub.refused {
        Content::Refused(Refused::from_json(body).ok_or("a refused record cannot be read")?)
    } else if hash(body) != stub.hash {
        return Err("a record does not agree with its hash");
    } else {
        let record = Record::from_json(body).ok().filter(|record| record.source == source);
        Content::Accepted(record.ok_or("a record cannot be read")?)
    };
    Ok(Row { sequence: stub.sequence, previous: stub.previous, hash: stub.hash, content })
}
