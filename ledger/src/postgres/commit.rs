//! What a group adds to the tables.

use std::collections::HashMap;
use std::pin::pin;

use bytes::Bytes;
use eligibility::feed::Source;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error};

use super::read::Typed;
use super::to_sql;
use crate::pack::FORMAT;
use crate::rows;
use crate::store::{Pack, Sealed};

const COPY: &str = "COPY batch (position, source, epoch, first_sequence, last_sequence, committed_sequence, \
     since_mark, committed_at, rows, format, stubs, bodies) FROM STDIN (FORMAT binary)";
const COPIED: [Type; 12] = [
    Type::INT8,
    Type::TEXT,
    Type::INT4,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT4,
    Type::INT2,
    Type::BYTEA,
    Type::BYTEA,
];
const QUARANTINE: &str = "INSERT INTO quarantine SELECT * FROM unnest($1::text[], $2::int4[], $3::text[], $4::bytea[], $5::int8[])";
const ACT: &str = "INSERT INTO act SELECT * FROM unnest($1::text[], $2::int8[], $3::int8[])";
const HEAD: &str =
    "INSERT INTO head SELECT * FROM unnest($1::text[], $2::int4[], $3::int8[], $4::int8[], $5::int8[])
     ON CONFLICT (source) DO UPDATE SET epoch = excluded.epoch, position = excluded.position,
     committed_sequence = excluded.committed_sequence, since_mark = excluded.since_mark";
const COUNTER: &str = "UPDATE counter SET position = $1, committed_at = $2";
/// COMMIT may wait for the standby as long as it must: given up, it would count and not be kept.
const COMMIT: &str = "SET LOCAL statement_timeout = 0; NOTIFY shikaku; COMMIT";

/// A batch as it is copied.
pub(super) struct Copied {
    position: i64,
    source: Source,
    name: String,
    epoch: i32,
    moved: (Option<i64>, Option<i64>),
    committed_sequence: i64,
    since_mark: i64,
    committed_at: i64,
    rows: i32,
    pack: Option<Pack>,
    quarantined: Vec<(String, [u8; 16])>,
    act: Option<&'static str>,
}

impl Copied {
    pub(super) fn of(sealed: Sealed<'_>) -> Self {
        let Sealed { batch, since_mark, moved, pack } = sealed;
        let narrow = |count: u64| i32::try_from(count).unwrap_or(i32::MAX);
        Self {
            position: to_sql(batch.position),
            source: batch.source,
            name: batch.source.to_string(),
            epoch: narrow(u64::from(batch.epoch)),
            moved: moved.map(|(first, last)| (to_sql(first), to_sql(last))).unzip(),
            committed_sequence: to_sql(batch.committed_sequence),
            since_mark: to_sql(since_mark),
            committed_at: batch.committed_at.millis(),
            rows: narrow(batch.rows.len() as u64),
            pack,
            quarantined: rows::refused(batch).map(|(_, row)| (row.name(), row.hash)).collect(),
            act: rows::act(batch).map(|kind| kind.word()),
        }
    }
}

/// Adds them and commits. Tells up to when there is room.
pub(super) async fn commit(client: &Client, all: &[Copied], mut room_until: i64) -> Result<i64, Error> {
    for at in all.iter().map(|one| one.committed_at) {
        if at >= room_until {
            room_until = client.query_typed_one("SELECT room($1)", &[(&at, Type::INT8)]).await?.get(0);
        }
    }
    copy(client, all).await?;
    // Sent one behind the other, answered one behind the other: the turn ends a round trip later.
    tokio::try_join!(
        quarantine(client, all),
        acts(client, all),
        heads(client, all),
        counter(client, all),
        client.batch_execute(COMMIT)
    )?;
    Ok(room_until)
}

async fn copy(client: &Client, all: &[Copied]) -> Result<(), Error> {
    let mut writer = pin!(BinaryCopyInWriter::new(client.copy_in::<_, Bytes>(COPY).await?, &COPIED));
    for one in all {
        let pack = one.pack.as_ref();
        let (format, stubs) = (pack.map(|_| FORMAT as i16), pack.map(|pack| &*pack.stubs));
        let bodies = pack.map(|pack| &*pack.bodies);
        let row: [&(dyn ToSql + Sync); 12] = [
            &one.position,
            &one.name,
            &one.epoch,
            &one.moved.0,
            &one.moved.1,
            &one.committed_sequence,
            &one.since_mark,
            &one.committed_at,
            &one.rows,
            &format,
            &stubs,
            &bodies,
        ];
        writer.as_mut().write(&row).await?;
    }
    writer.finish().await.map(drop)
}

async fn quarantine(client: &Client, all: &[Copied]) -> Result<(), Error> {
    let rows = || all.iter().flat_map(|one| one.quarantined.iter().map(move |row| (one, row)));
    if rows().next().is_none() {
        return Ok(());
    }
    let sources: Vec<_> = rows().map(|(one, _)| &*one.name).collect();
    let epochs: Vec<_> = rows().map(|(one, _)| one.epoch).collect();
    let names: Vec<_> = rows().map(|(_, (name, _))| &**name).collect();
    let hashes: Vec<_> = rows().map(|(_, (_, hash))| hash.as_slice()).collect();
    let times: Vec<_> = rows().map(|(one, _)| one.committed_at).collect();
    let parameters: [Typed<'_>; 5] = [
        (&sources, Type::TEXT_ARRAY),
        (&epochs, Type::INT4_ARRAY),
        (&names, Type::TEXT_ARRAY),
        (&hashes, Type::BYTEA_ARRAY),
        (&times, Type::INT8_ARRAY),
    ];
    client.execute_typed(QUARANTINE, &parameters).await.map(drop)
}

async fn acts(client: &Client, all: &[Copied]) -> Result<(), Error> {
    let acts = || all.iter().filter_map(|one| Some((one.act?, one)));
    if acts().next().is_none() {
        return Ok(());
    }
    let kinds: Vec<_> = acts().map(|(kind, _)| kind).collect();
    let positions: Vec<_> = acts().map(|(_, one)| one.position).collect();
    let times: Vec<_> = acts().map(|(_, one)| one.committed_at).collect();
    let parameters: [Typed<'_>; 3] =
        [(&kinds, Type::TEXT_ARRAY), (&positions, Type::INT8_ARRAY), (&times, Type::INT8_ARRAY)];
    client.execute_typed(ACT, &parameters).await.map(drop)
}

async fn heads(client: &Client, all: &[Copied]) -> Result<(), Error> {
    let last: HashMap<Source, &Copied> = all.iter().map(|one| (one.source, one)).collect();
    let sources: Vec<_> = last.values().map(|one| &*one.name).collect();
    let epochs: Vec<_> = last.values().map(|one| one.epoch).collect();
    let [committed, since_mark, positions] =
        [|one: &Copied| one.committed_sequence, |one: &Copied| one.since_mark, |one: &Copied| one.position]
            .map(|of| last.values().map(|one| of(one)).collect::<Vec<i64>>());
    let parameters: [Typed<'_>; 5] = [
        (&sources, Type::TEXT_ARRAY),
        (&epochs, Type::INT4_ARRAY),
        (&committed, Type::INT8_ARRAY),
        (&since_mark, Type::INT8_ARRAY),
        (&positions, Type::INT8_ARRAY),
    ];
    client.execute_typed(HEAD, &parameters).await.map(drop)
}

async fn counter(client: &Client, all: &[Copied]) -> Result<(), Error> {
    let Some(last) = all.last() else { return Ok(()) };
    let parameters: [Typed<'_>; 2] = [(&last.position, Type::INT8), (&last.committed_at, Type::INT8)];
    client.execute_typed(COUNTER, &parameters).await.map(drop)
}
