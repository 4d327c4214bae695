//! What gateways tell each other beside the batches: how far each is, and of which sources it holds
//! deliveries back. Lost, it is told again a second later.

use std::collections::HashMap;
use std::time::Duration;

use eligibility::feed::Source;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Row};

use super::read::Typed;
use super::{from_sql, to_sql};
use crate::standing::{Other, Standing};

/// A gateway of which nothing was heard for so long is not told of any more.
const FORGOTTEN: &str = "1 day";

/// Tells how far this gateway is and what it holds back, and learns the same of the others.
pub(super) async fn share(
    client: &Client,
    gateway: &str,
    position: u64,
    held: &HashMap<Source, u64>,
) -> Result<Standing, Error> {
    // Nobody waits for the disk for this.
    const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit TO off";
    const SELF: &str = "INSERT INTO gateway VALUES ($1, $2, now())
         ON CONFLICT (name) DO UPDATE SET position = excluded.position, seen_at = excluded.seen_at";
    const NO_MORE: &str = "DELETE FROM held WHERE gateway = $1 AND NOT source = ANY($2)";
    const HELD: &str = "INSERT INTO held SELECT $1, * FROM unnest($2::text[], $3::int8[])
         ON CONFLICT (gateway, source) DO UPDATE SET deliveries = excluded.deliveries
         WHERE held.deliveries <> excluded.deliveries";
    const OTHERS_HELD: &str =
        "SELECT source, sum(deliveries)::int8 FROM held WHERE gateway <> $1 GROUP BY source";
    let all = format!(
        "SELECT name, position, (extract(epoch FROM now() - seen_at) * 1000)::int8 FROM gateway
         WHERE seen_at > now() - interval '{FORGOTTEN}' ORDER BY name"
    );
    let (sources, counts): (Vec<_>, Vec<_>) =
        held.iter().map(|(source, count)| (source.to_string(), to_sql(*count))).unzip();
    let position = to_sql(position);
    let own: [Typed<'_>; 1] = [(&gateway, Type::TEXT)];
    let tell: [Typed<'_>; 2] = [(&gateway, Type::TEXT), (&position, Type::INT8)];
    let keep: [Typed<'_>; 2] = [(&gateway, Type::TEXT), (&sources, Type::TEXT_ARRAY)];
    let hold: [Typed<'_>; 3] =
        [(&gateway, Type::TEXT), (&sources, Type::TEXT_ARRAY), (&counts, Type::INT8_ARRAY)];
    let (_, _, _, _, gateways, others, counter, ()) = tokio::try_join!(
        client.batch_execute(BEGIN),
        client.execute_typed(SELF, &tell),
        client.execute_typed(NO_MORE, &keep),
        client.execute_typed(HELD, &hold),
        client.query_typed(&all, &[]),
        client.query_typed(OTHERS_HELD, &own),
        client.query_typed_one("SELECT position FROM counter", &[]),
        client.batch_execute("COMMIT")
    )?;
    Ok(Standing {
        away: None,
        diverged: false,
        last: from_sql(counter.get(0)),
        gateways: gateways.iter().map(other).collect(),
        held: others
            .iter()
            .filter_map(|row| Some((Source::from_ledger(row.get(0))?, from_sql(row.get(1)))))
            .collect(),
    })
}

fn other(row: &Row) -> Other {
    Other {
        name: row.get(0),
        position: from_sql(row.get(1)),
        heard: Duration::from_millis(from_sql(row.get(2))),
    }
}
