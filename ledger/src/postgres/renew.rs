//! Months of whose batches lines were deleted: each gets another partition, and the old one is dropped.
//!
//! An `UPDATE` alone leaves on the disk what it replaces, until the server has cleaned up and for as long as
//! it likes. A dropped partition is gone, all at once.

use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::failed;
use super::read::Typed;
use super::server::Server;
use crate::error::LedgerError;

/// For how long copying what stays of all months may take.
const WITHIN: Duration = Duration::from_secs(24 * 3600);
/// Lines are deleted in shared turns of this lock, and months renewed alone ("history" in ASCII).
const TURN: i64 = 29_396_398_066_885_241;
/// Months before this one: into this one batches come.
const MONTHS: &str = "SELECT month FROM shortened WHERE month < month_of($1) ORDER BY month";

/// Renews every month that is over and has lost lines; how many there were. A month that cannot be renewed
/// now stays as it is, and its turn comes again.
pub(crate) fn renew(server: &Server, now: i64) -> Result<u64, LedgerError> {
    let of = server.clone();
    server.wait(WITHIN, async move {
        let (client, connection) = of.connect(|_| {}).await?;
        let renewed = each(&client, now).await.map_err(|error| failed(&error));
        connection.abort();
        renewed
    })
}

async fn each(client: &Client, now: i64) -> Result<u64, tokio_postgres::Error> {
    let mut renewed = 0;
    for month in client.query_typed(MONTHS, &[(&now, Type::INT8)]).await? {
        let month: i64 = month.get(0);
        let begin = format!("BEGIN; SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock({TURN})");
        client.batch_execute(&begin).await?;
        // Another gateway may have been here meanwhile.
        let there = "SELECT renew(month) FROM shortened WHERE month = $1";
        renewed += client.query_typed(there, &[(&month, Type::INT8)]).await?.len() as u64;
        client.batch_execute("COMMIT").await?;
    }
    Ok(renewed)
}

/// Takes a turn to delete lines until the transaction ends; false while months are renewed.
pub(super) async fn take_turn(client: &Client) -> Result<bool, tokio_postgres::Error> {
    let parameters: [Typed<'_>; 1] = [(&TURN, Type::INT8)];
    let taken = client.query_typed_one("SELECT pg_try_advisory_xact_lock_shared($1)", &parameters).await?;
    Ok(taken.get(0))
}
