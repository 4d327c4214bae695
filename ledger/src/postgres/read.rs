//! Look-ups of batches.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eligibility::day::Timestamp;
use eligibility::feed::Source;
use tokio::task::AbortHandle;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::server::Server;
use super::{failed, from_sql, schema, to_sql};
use crate::batch::Batch;
use crate::error::LedgerError;
use crate::group::Head;
use crate::pack::read_stubs;
use crate::rows::Stored;
use crate::store::{Outline, Read, Sequences, Which, unknown_source};

/// For how long one look-up may take.
pub(super) const WITHIN: Duration = Duration::from_secs(30);
const COLUMNS: &str = "SELECT batch.position, source, epoch, batch.committed_at, committed_sequence, rows, \
     since_mark, first_sequence, last_sequence FROM batch";

/// A parameter with its type: so a statement needs no preparing, and one round trip.
pub(super) type Typed<'p> = (&'p (dyn ToSql + Sync), Type);

/// Reads on a connection of its own, made when it is needed.
pub(crate) struct Tables {
    server: Server,
    connection: Mutex<Option<(Arc<Client>, AbortHandle)>>,
    /// Where the last read ended: nothing behind it is older, and most partitions need no look.
    reached: Cell<(u64, i64)>,
}

impl Tables {
    /// Connects, so that what is wrong is known at once.
    pub(crate) fn open(server: &Server) -> Result<Self, LedgerError> {
        let tables = Self { server: server.clone(), connection: Mutex::default(), reached: Cell::default() };
        tables.client()?;
        Ok(tables)
    }

    fn client(&self) -> Result<Arc<Client>, LedgerError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((client, _)) = connection.as_ref().filter(|(client, _)| !client.is_closed()) {
            return Ok(Arc::clone(client));
        }
        let server = self.server.clone();
        let (client, running) = self.server.wait(WITHIN, async move {
            let (client, running) = server.clone().connect(|_| {}).await?;
            schema::check(&client, &server).await?;
            Ok((client, running))
        })?;
        let client = Arc::new(client);
        *connection = Some((Arc::clone(&client), running));
        Ok(client)
    }

    fn ask<T, F>(&self, question: impl FnOnce(Arc<Client>) -> F) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, LedgerError>> + Send + 'static,
    {
        let asked = self.server.wait(WITHIN, question(self.client()?));
        if let Err(LedgerError::Away { .. }) = asked {
            self.end();
        }
        asked
    }

    fn end(&self) {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((_, running)) = connection {
            running.abort();
        }
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        self.end();
    }
}

impl Read for Tables {
    fn last(&self) -> Result<Option<(u64, Timestamp)>, LedgerError> {
        self.ask(|client| async move {
            let counter = client.query_typed_one("SELECT position, committed_at FROM counter", &[]).await;
            let counter = counter.map_err(|error| failed(&error))?;
            let at: Option<i64> = counter.get(1);
            Ok(at.map(|at| (from_sql(counter.get(0)), Timestamp::from_millis(at))))
        })
    }

    fn heads(&self) -> Result<HashMap<Source, Head>, LedgerError> {
        let sql = "SELECT position, source, epoch, committed_sequence, since_mark FROM head";
        let rows = self.ask(move |client| async move {
            client.query_typed(sql, &[]).await.map_err(|error| failed(&error))
        })?;
        let heads = rows.iter().map(|row| {
            let source = source(row.get(1), from_sql(row.get(0)))?;
            let [committed_sequence, since_mark] = [row.get(3), row.get(4)].map(from_sql);
            Ok((source, Head { epoch: epoch(row.get(2)), committed_sequence, since_mark }))
        });
        heads.collect()
    }

    fn outlines(&self, which: Which, after: u64, most: usize) -> Result<Vec<Outline>, LedgerError> {
        let (reached, at) = self.reached.get();
        let since = if reached == after { at } else { i64::MIN };
        let outlines =
            self.ask(move |client| async move { outlines(&client, which, (after, since), most).await })?;
        if let Some(last) = outlines.last() {
            self.reached.set((last.batch.position, last.batch.committed_at.millis()));
        }
        Ok(outlines)
    }

    fn stored(&self, outlines: &[Outline]) -> Result<Vec<Result<Stored, LedgerError>>, LedgerError> {
        let wanted = Wanted::of(outlines);
        let rows = self.ask(|client| async move { wanted.rows(&client).await })?;
        Ok(unpack(outlines, &rows))
    }

    fn sequences(&self, position: u64) -> Result<Sequences, LedgerError> {
        self.ask(move |client| async move { sequences(&client, position).await })
    }

    fn since_mark(&self, source: Source) -> Result<u64, LedgerError> {
        let source = source.to_string();
        self.ask(|client| async move {
            let sql = "SELECT since_mark FROM head WHERE source = $1";
            let found = client.query_typed_opt(sql, &[(&source, Type::TEXT)]).await;
            Ok(found.map_err(|error| failed(&error))?.map_or(0, |row| from_sql(row.get(0))))
        })
    }

    fn id(&self) -> Result<Vec<u8>, LedgerError> {
        self.ask(|client| async move { id(&client).await })
    }
}

/// What tells this ledger from every other.
pub(super) async fn id(client: &Client) -> Result<Vec<u8>, LedgerError> {
    let found = client.query_typed_one("SELECT id FROM meta", &[]).await;
    Ok(found.map_err(|error| failed(&error))?.get(0))
}

/// Batches after a position; none of them was committed before `since`.
pub(super) async fn outlines(
    client: &Client,
    which: Which,
    (after, since): (u64, i64),
    most: usize,
) -> Result<Vec<Outline>, LedgerError> {
    let (filter, name) = match which {
        Which::All => ("WHERE $1 = ''", String::new()),
        Which::Of(source) => ("WHERE source = $1", source.to_string()),
        Which::Acts(kind) => {
            ("JOIN act USING (position, committed_at) WHERE kind = $1", kind.word().to_owned())
        }
    };
    let sql = format!(
        "{COLUMNS} {filter} AND batch.position > $2 AND batch.committed_at >= $3 ORDER BY position LIMIT $4"
    );
    let parameters: [Typed<'_>; 4] = [
        (&name, Type::TEXT),
        (&to_sql(after), Type::INT8),
        (&since, Type::INT8),
        (&to_sql(most as u64), Type::INT8),
    ];
    let rows = client.query_typed(&sql, &parameters).await.map_err(|error| failed(&error))?;
    rows.iter().map(outline).collect()
}

fn outline(row: &Row) -> Result<Outline, LedgerError> {
    let position = from_sql(row.get(0));
    let batch = Batch {
        position,
        source: source(row.get(1), position)?,
        epoch: epoch(row.get(2)),
        committed_at: Timestamp::from_millis(row.get(3)),
        committed_sequence: from_sql(row.get(4)),
        rows: Vec::new(),
    };
    let moved =
        row.get::<_, Option<i64>>(7).zip(row.get(8)).map(|(first, last)| (from_sql(first), from_sql(last)));
    let rows = u64::from(epoch(row.get(5)));
    Ok(Outline { batch, rows, since_mark: from_sql(row.get(6)), moved })
}

fn source(name: &str, position: u64) -> Result<Source, LedgerError> {
    Source::from_ledger(name).ok_or_else(|| unknown_source(position))
}

fn epoch(value: i32) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

/// Batches whose rows are wanted, and between which times they were committed.
pub(super) struct Wanted {
    positions: Vec<i64>,
    times: (i64, i64),
}

impl Wanted {
    pub(super) fn of(outlines: &[Outline]) -> Self {
        let times = || outlines.iter().map(|outline| outline.batch.committed_at.millis());
        let with_rows = outlines.iter().filter(|outline| outline.rows > 0);
        Self {
            positions: with_rows.map(|outline| to_sql(outline.batch.position)).collect(),
            times: (times().min().unwrap_or(0), times().max().unwrap_or(0)),
        }
    }

    pub(super) async fn rows(&self, client: &Client) -> Result<Vec<Row>, LedgerError> {
        let sql = "SELECT position, format, stubs, bodies FROM batch
             WHERE position = ANY($1) AND committed_at BETWEEN $2 AND $3 AND stubs IS NOT NULL";
        let parameters: [Typed<'_>; 3] =
            [(&self.positions, Type::INT8_ARRAY), (&self.times.0, Type::INT8), (&self.times.1, Type::INT8)];
        client.query_typed(sql, &parameters).await.map_err(|error| failed(&error))
    }
}

/// The rows of these batches, in the same order.
pub(super) fn unpack(outlines: &[Outline], rows: &[Row]) -> Vec<Result<Stored, LedgerError>> {
    let found: HashMap<u64, &Row> = rows.iter().map(|row| (from_sql(row.get(0)), row)).collect();
    let stored = outlines.iter().map(|outline| {
        let position = outline.batch.position;
        let Some(row) = found.get(&position) else { return Ok(Stored::default()) };
        let format = row.get::<_, Option<i16>>(1).unwrap_or_default();
        let [stubs, bodies] = [row.get(2), row.get(3)].map(Option::<&[u8]>::unwrap_or_default);
        Stored::unpack(position, i64::from(format), stubs, bodies)
    });
    stored.collect()
}

/// Sequence and hash of each row of a batch that has a sequence.
pub(super) async fn sequences(client: &Client, position: u64) -> Result<Sequences, LedgerError> {
    let sql = "SELECT stubs FROM batch WHERE position = $1 AND stubs IS NOT NULL";
    let found = client.query_typed_opt(sql, &[(&to_sql(position), Type::INT8)]).await;
    let Some(row) = found.map_err(|error| failed(&error))? else { return Ok(Vec::new()) };
    let damaged = LedgerError::Corrupt { position, reason: "what is kept of its rows is damaged" };
    let stubs = read_stubs(position, row.get(0)).ok_or(damaged)?;
    Ok(stubs.iter().filter_map(|stub| Some((stub.sequence?, stub.hash))).collect())
}
