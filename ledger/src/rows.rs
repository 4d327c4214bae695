//! The rows of a batch on disk, in every format there was.
//!
//! Batches are written as one `pack`; the first version wrote a `row` each, and these are read for
//! ever. Both are read as stubs with their bodies one behind the other.

use eligibility::feed::{Kind, Record, Refused, Source};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, params};

use crate::batch::{Content, Row};
use crate::offer::hash;
use crate::pack::{self, Stub};
use crate::schema::{from_sql, to_sql};

/// A row of the first version whose body is the line as received; of any other it is the refusal.
const LINE: i64 = 0;
const REFUSED: i64 = 1;

/// Writes the rows of a batch; `packed` are the bodies, where they are compressed already.
pub(crate) fn put(
    connection: &Connection,
    position: u64,
    rows: &[Row],
    bodies: &[Box<[u8]>],
    packed: Option<Vec<u8>>,
) -> rusqlite::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let stubs: Vec<_> = rows.iter().zip(bodies).map(|(row, body)| stub(row, body.len())).collect();
    let packed = packed.unwrap_or_else(|| pack::compress(bodies.iter().map(|body| &**body)));
    let stubs = pack::stubs(position, &stubs);
    let mut statement = connection.prepare_cached("INSERT INTO pack VALUES (?1, ?2, ?3, ?4)")?;
    statement.execute(params![to_sql(position), pack::FORMAT, stubs, packed])?;
    Ok(())
}

/// Notes where a row is that will be looked for otherwise than by its sequence: one refused, by its
/// name, and an act of the gateway's own. Its links are many, and memory has them.
pub(crate) fn note(
    connection: &Connection,
    (source, epoch): (Source, u32),
    (position, ordinal): (u64, usize),
    row: &Row,
) -> rusqlite::Result<()> {
    let position = to_sql(position);
    match &row.content {
        Content::Refused(_) => {
            let mut note =
                connection.prepare_cached("INSERT INTO quarantine VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            let (source, ordinal) = (source.to_string(), to_sql(ordinal as u64));
            note.execute(params![source, epoch, row.name(), position, ordinal, row.hash])?;
        }
        Content::Accepted(record) if source == Source::Gateway && record.said.kind() != Kind::Link => {
            let mut note = connection.prepare_cached("INSERT OR IGNORE INTO act VALUES (?1, ?2)")?;
            note.execute(params![record.said.kind().word(), position])?;
        }
        Content::Accepted(_) => {}
    }
    Ok(())
}

fn stub(row: &Row, length: usize) -> Stub {
    let refused = matches!(row.content, Content::Refused(_));
    Stub { refused, sequence: row.sequence, previous: row.previous, hash: row.hash, length }
}

/// The rows of a batch as they are kept.
pub(crate) struct Stored {
    stubs: Vec<Stub>,
    bodies: Vec<u8>,
}

impl Stored {
    /// Reads them; none where the batch has none. The error of the inner result says what is wrong.
    pub(crate) fn read(
        connection: &Connection,
        position: u64,
    ) -> rusqlite::Result<Result<Self, &'static str>> {
        let mut statement =
            connection.prepare_cached("SELECT format, stubs, bodies FROM pack WHERE position = ?1")?;
        let mut found = statement.query([to_sql(position)])?;
        let Some(row) = found.next()? else { return Self::read_single(connection, position) };
        let blob = |at| row.get_ref(at).map(|value| value.as_blob().unwrap_or_default());
        if row.get::<_, i64>(0)? != pack::FORMAT {
            return Ok(Err("its rows have an unknown format"));
        }
        let Some(stubs) = pack::read_stubs(position, blob(1)?) else {
            return Ok(Err("what is kept of its rows is damaged"));
        };
        Ok(match pack::decompress(&stubs, blob(2)?) {
            Some(bodies) => Ok(Self { stubs, bodies }),
            None => Err("its records are damaged"),
        })
    }

    fn read_single(connection: &Connection, position: u64) -> rusqlite::Result<Result<Self, &'static str>> {
        let mut statement = connection.prepare_cached(
            "SELECT sequence, previous, hash, format, body FROM row WHERE position = ?1 ORDER BY ordinal",
        )?;
        let mut found = statement.query([to_sql(position)])?;
        let mut stored = Self { stubs: Vec::new(), bodies: Vec::new() };
        while let Some(row) = found.next()? {
            let Ok(hash) = row.get_ref(2)?.as_blob().unwrap_or_default().try_into() else {
                return Ok(Err("a hash has not its length"));
            };
            let refused = match row.get(3)? {
                LINE => false,
                REFUSED => true,
                _ => return Ok(Err("a row has an unknown format")),
            };
            let count = |at| row.get::<_, Option<i64>>(at).map(|count| count.map(from_sql));
            let body = row.get_ref(4)?.as_blob().unwrap_or_default();
            stored.bodies.extend_from_slice(body);
            let (sequence, previous, length) = (count(0)?, count(1)?, body.len());
            stored.stubs.push(Stub { refused, sequence, previous, hash, length });
        }
        Ok(Ok(stored))
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

/// Sequence and hash of each row of a batch that has a sequence.
pub(crate) fn sequences(connection: &Connection, position: u64) -> rusqlite::Result<Vec<(u64, [u8; 16])>> {
    let mut statement = connection.prepare_cached("SELECT stubs FROM pack WHERE position = ?1")?;
    let packed = statement.query_row([to_sql(position)], |row| {
        let stubs = pack::read_stubs(position, row.get_ref(0)?.as_blob().unwrap_or_default());
        let damaged = || rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, "damaged".into());
        stubs.ok_or_else(damaged)
    });
    if let Some(stubs) = packed.optional()? {
        return Ok(stubs.iter().filter_map(|stub| Some((stub.sequence?, stub.hash))).collect());
    }
    let mut statement = connection
        .prepare_cached("SELECT sequence, hash FROM row WHERE position = ?1 AND sequence IS NOT NULL")?;
    let rows = statement.query_map([to_sql(position)], |row| Ok((from_sql(row.get(0)?), row.get(1)?)))?;
    rows.collect()
}
