//! A group's transaction, and what is asked between two of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use eligibility::day::Timestamp;
use eligibility::feed::Source;
use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::commit::{Copied, commit};
use super::link::Link;
use super::read::{self, Typed, Wanted};
use super::server::Server;
use super::{away, failed, from_sql, renew, share, to_sql};
use crate::error::LedgerError;
use crate::read::{Filled, filled, fingerprint};
use crate::standing::Standing;
use crate::store::{self, News, Pack, Sealed, Sequences, Span, Store, Which};

/// For how long taking the turn, and committing, may take. A COMMIT that waits for the standby longer
/// is not confirmed; should it succeed, it is found by following.
const WITHIN: Duration = Duration::from_secs(15);
/// Batches followed at once.
const FOLLOWED: usize = 16;
/// Between two looks at how far the others are.
const SHARE_EVERY: Duration = Duration::from_secs(1);

/// The server, to be written to.
pub(crate) struct Postgres {
    server: Server,
    link: Link,
    /// Up to when there is room for batches, in milliseconds.
    room_until: i64,
    /// The connection whose history was compared.
    compared: u64,
    /// What was told last, when, and over which connection.
    told: Option<(Instant, u64, HashMap<Source, u64>)>,
}

impl Postgres {
    /// Connects.
    pub(crate) fn open(server: &Server) -> Result<Self, LedgerError> {
        let link = Link::open(server)?;
        Ok(Self { server: server.clone(), link, room_until: i64::MIN, compared: 0, told: None })
    }

    /// Asks something of the server. Of a connection that did not answer nothing is known any more.
    fn ask<T, F>(
        &self,
        client: &Arc<Client>,
        question: impl FnOnce(Arc<Client>) -> F,
    ) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, LedgerError>> + Send + 'static,
    {
        let asked = self.server.wait(WITHIN, question(Arc::clone(client)));
        if let Err(error @ LedgerError::Away { .. }) = &asked {
            self.link.lose(error);
        }
        asked
    }

    /// Ends a transaction of which nothing shall stay. What is said next is heard after it.
    fn roll_back(&self, client: Arc<Client>) {
        if let Ok(handle) = self.server.handle() {
            handle.spawn(async move { client.batch_execute("ROLLBACK").await });
        }
    }
}

impl Store for Postgres {
    fn begin(&mut self) -> Result<Box<dyn store::Transaction + '_>, LedgerError> {
        const TURN: &str = "SELECT position FROM counter FOR UPDATE";
        let client = self.link.client()?;
        let begun = self.ask(&client, |client| async move {
            let (begun, counter) =
                tokio::join!(client.batch_execute("BEGIN"), client.query_typed_one(TURN, &[]));
            begun.map_err(|error| failed(&error))?;
            Ok(from_sql(counter.map_err(|error| failed(&error))?.get(0)))
        });
        match begun {
            Ok(last) => Ok(Box::new(Turn { store: self, client, last, copied: Vec::new(), done: false })),
            Err(error) => {
                self.roll_back(client);
                Err(error)
            }
        }
    }

    fn is_whole(&self) -> bool {
        true
    }

    fn adopt(&mut self, id: &[u8]) -> Result<(), LedgerError> {
        let (client, id) = (self.link.client()?, id.to_owned());
        self.ask(&client, |client| async move {
            let parameters: [Typed<'_>; 1] = [(&id, Type::BYTEA)];
            let done = client.execute_typed("UPDATE meta SET id = $1", &parameters).await;
            done.map(drop).map_err(|error| failed(&error))
        })
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn listen(&mut self, news: News) {
        self.link.tell(news);
    }

    fn is_new_connection(&mut self) -> bool {
        let made = self.link.made();
        std::mem::replace(&mut self.compared, made) != made
    }

    fn fingerprint(&mut self, position: u64) -> Result<Option<[u8; 32]>, LedgerError> {
        let client = self.link.client()?;
        self.ask(&client, move |client| async move {
            let after = (position.saturating_sub(1), i64::MIN);
            let outline = read::outlines(&client, Which::All, after, 1).await?.pop();
            let Some(outline) = outline.filter(|one| one.batch.position == position) else { return Ok(None) };
            let (id, sequences) = (read::id(&client).await?, read::sequences(&client, position).await?);
            Ok(Some(fingerprint(&id, &outline.batch, outline.rows, &sequences)))
        })
    }

    fn news(&mut self, after: (u64, Timestamp)) -> Result<Vec<Filled>, LedgerError> {
        let client = self.link.client()?;
        let rows = self.ask(&client, move |client| async move { news(&client, after).await })?;
        unpack(after.0, rows)
    }

    fn share(&mut self, position: u64, held: &HashMap<Source, u64>) -> Result<Option<Standing>, LedgerError> {
        let made = self.link.made();
        let client = self.link.client()?;
        let told = |(at, over, what): &(Instant, u64, _)| {
            *over == made && what == held && at.elapsed() < SHARE_EVERY
        };
        if self.told.as_ref().is_some_and(told) {
            return Ok(None);
        }
        self.told = Some((Instant::now(), made, held.clone()));
        let (gateway, held) = (self.server.gateway().to_owned(), held.clone());
        self.ask(&client, move |client| async move {
            share::share(&client, &gateway, position, &held).await.map_err(|error| failed(&error))
        })
        .map(Some)
    }
}

type Read = (Vec<store::Outline>, Vec<tokio_postgres::Row>);

async fn news(client: &Client, (after, at): (u64, Timestamp)) -> Result<Read, LedgerError> {
    let outlines = read::outlines(client, Which::All, (after, at.millis()), FOLLOWED).await?;
    if outlines.is_empty() {
        return Ok((outlines, Vec::new()));
    }
    let rows = Wanted::of(&outlines).rows(client).await?;
    Ok((outlines, rows))
}

fn unpack(after: u64, (outlines, rows): Read) -> Result<Vec<Filled>, LedgerError> {
    crate::read::without_gap(after, &outlines)?;
    let stored = read::unpack(&outlines, &rows);
    outlines.into_iter().zip(stored).map(|(outline, stored)| filled(outline, &stored?)).collect()
}

/// The turn to write.
struct Turn<'s> {
    store: &'s mut Postgres,
    client: Arc<Client>,
    /// The last position when it was taken.
    last: u64,
    copied: Vec<Copied>,
    done: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.store.roll_back(Arc::clone(&self.client));
        }
    }
}

impl store::Transaction for Turn<'_> {
    fn news(&mut self, after: (u64, Timestamp)) -> Result<Vec<Filled>, LedgerError> {
        if self.last == after.0 {
            return Ok(Vec::new());
        }
        let rows = self.store.ask(&self.client, move |client| async move { news(&client, after).await })?;
        unpack(after.0, rows)
    }

    fn spanning(&mut self, of: (Source, u32), sequence: u64) -> Result<Option<Span>, LedgerError> {
        const SQL: &str = "SELECT position, first_sequence, last_sequence FROM batch
             WHERE source = $1 AND epoch = $2 AND first_sequence <= $3
             ORDER BY first_sequence DESC LIMIT 1";
        let (source, epoch) = named(of);
        let found = self.store.ask(&self.client, move |client| async move {
            let parameters: [Typed<'_>; 3] =
                [(&source, Type::TEXT), (&epoch, Type::INT4), (&to_sql(sequence), Type::INT8)];
            client.query_typed_opt(SQL, &parameters).await.map_err(|error| failed(&error))
        })?;
        let span = found.map(|row| {
            let [position, first, last] = [row.get(0), row.get(1), row.get(2)].map(from_sql);
            Span { position, first, last }
        });
        Ok(span.filter(|span| sequence <= span.last))
    }

    fn sequences(&mut self, position: u64) -> Result<Sequences, LedgerError> {
        self.store.ask(&self.client, move |client| async move { read::sequences(&client, position).await })
    }

    fn quarantined(&mut self, of: (Source, u32), name: &str) -> Result<Vec<[u8; 16]>, LedgerError> {
        const SQL: &str = "SELECT hash FROM quarantine WHERE source = $1 AND epoch = $2 AND name = $3";
        let ((source, epoch), name) = (named(of), name.to_owned());
        let found = self.store.ask(&self.client, move |client| async move {
            let parameters: [Typed<'_>; 3] =
                [(&source, Type::TEXT), (&epoch, Type::INT4), (&name, Type::TEXT)];
            client.query_typed(SQL, &parameters).await.map_err(|error| failed(&error))
        })?;
        Ok(found.iter().filter_map(|row| row.get::<_, &[u8]>(0).try_into().ok()).collect())
    }

    fn put(&mut self, sealed: Sealed<'_>) -> Result<(), LedgerError> {
        self.copied.push(Copied::of(sealed));
        Ok(())
    }

    fn replace(&mut self, position: u64, pack: Pack) -> Result<(), LedgerError> {
        const SQL: &str = "WITH replaced AS
                 (UPDATE batch SET stubs = $2, bodies = $3 WHERE position = $1 RETURNING committed_at)
             INSERT INTO shortened SELECT month_of(committed_at) FROM replaced ON CONFLICT DO NOTHING";
        self.store.ask(&self.client, move |client| async move {
            if !renew::take_turn(&client).await.map_err(|error| failed(&error))? {
                return Err(away("old months are being dropped"));
            }
            let parameters: [Typed<'_>; 3] =
                [(&to_sql(position), Type::INT8), (&pack.stubs, Type::BYTEA), (&pack.bodies, Type::BYTEA)];
            client.query_typed(SQL, &parameters).await.map_err(|error| failed(&error)).map(drop)
        })
    }

    fn commit(mut self: Box<Self>) -> Result<(), LedgerError> {
        let (copied, room_until) = (std::mem::take(&mut self.copied), self.store.room_until);
        self.store.link.was_warned();
        let room_until = self.store.ask(&self.client, move |client| async move {
            commit(&client, &copied, room_until).await.map_err(|error| failed(&error))
        })?;
        self.done = true;
        self.store.room_until = room_until;
        // The server says so where it gave up waiting for the standby: committed, and perhaps not kept.
        match self.store.link.was_warned() {
            true => Err(away("the standby has not confirmed the batch")),
            false => Ok(()),
        }
    }
}

fn named((source, epoch): (Source, u32)) -> (String, i32) {
    (source.to_string(), i32::try_from(epoch).unwrap_or(i32::MAX))
}
