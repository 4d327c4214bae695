//! Tables and their versions.

use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::failed;
use super::server::Server;
use crate::error::LedgerError;
use crate::store::Place;

/// The version this program reads and writes.
const VERSION: i64 = 1;
const TABLES: &str = include_str!("schema.sql");
/// For how long making the tables may take.
const WITHIN: Duration = Duration::from_secs(60);
/// Only one program makes the tables: a lock of this number ("shikaku" in ASCII).
const TURN: &str = "SELECT pg_advisory_xact_lock(32484736838331765)";

/// Refuses what is no ledger, and what another version of this program left.
pub(super) async fn check(client: &Client, server: &Server) -> Result<(), LedgerError> {
    let place = || Place::Server(server.clone());
    match version(client).await? {
        None => Err(LedgerError::OlderSchema { place: place(), found: 0, known: VERSION }),
        Some(found) if found > VERSION => {
            Err(LedgerError::NewerSchema { place: place(), found, known: VERSION })
        }
        Some(found) if found < VERSION => {
            Err(LedgerError::OlderSchema { place: place(), found, known: VERSION })
        }
        Some(_) => Ok(()),
    }
}

/// The version that is there.
async fn version(client: &Client) -> Result<Option<i64>, LedgerError> {
    match client.query_typed("SELECT version FROM meta", &[]).await {
        Ok(rows) => Ok(rows.first().map(|row| row.get(0))),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}

/// Makes the tables, or brings older ones to this version. Tells the version before and after; 0 is
/// none.
pub(crate) fn migrate(server: &Server) -> Result<(i64, i64), LedgerError> {
    let of = server.clone();
    server.wait(WITHIN, async move {
        let (client, connection) = of.clone().connect(|_| {}).await?;
        let mut id = [0; 16];
        aws_lc_rs::rand::fill(&mut id).map_err(|_| super::away("the system gives no randomness"))?;
        let before = make(&client, &id).await.map_err(|error| failed(&error))?;
        check(&client, &of).await?;
        connection.abort();
        Ok((before, VERSION))
    })
}

async fn make(client: &Client, id: &[u8]) -> Result<i64, tokio_postgres::Error> {
    client.batch_execute(&format!("BEGIN; {TURN}")).await?;
    let there: bool =
        client.query_typed_one("SELECT to_regclass('shikaku.meta') IS NOT NULL", &[]).await?.get(0);
    let mut before = 0;
    if there {
        before = client.query_typed_one("SELECT version FROM meta", &[]).await?.get(0);
    } else {
        client.batch_execute(TABLES).await?;
        let values: [(&(dyn tokio_postgres::types::ToSql + Sync), _); 2] =
            [(&VERSION, tokio_postgres::types::Type::INT8), (&id, tokio_postgres::types::Type::BYTEA)];
        client.execute_typed("INSERT INTO meta VALUES ($1, $2)", &values).await?;
    }
    client.batch_execute("COMMIT").await?;
    Ok(before)
}
