//! The engine that several gateways share: PostgreSQL.
//!
//! ```text
//! one who writes:  BEGIN ─► take the counter's row ─► follow what others wrote ─► judge
//!                  ─► COPY ─► counter ─► COMMIT, which tells the others
//! the others:      LISTEN, and every second unasked ─► read what came ─► visible
//! ```
//!
//! The counter's row is the turn: whoever has it stands at the last position, so that what he judges
//! is judged against all that was said before, and positions have no gaps. Where the server has a
//! synchronous standby, COMMIT waits for it, and nobody sees a batch that it does not have.
//!
//! | file | holds |
//! |---|---|
//! | `server` | the URL, TLS, the thread on which all is said |
//! | `link` | the connection that writes and listens, made again whenever it is lost |
//! | `write`, `commit` | a group's transaction; what it adds to the tables |
//! | `share` | what gateways tell each other beside the batches |
//! | `read` | look-ups of batches |
//! | `renew` | partitions of months that lost lines |
//! | `schema` | tables and their versions |

mod commit;
mod link;
mod read;
mod renew;
mod schema;
mod server;
mod share;
mod write;

use tokio_postgres::error::SqlState;

use crate::error::LedgerError;

pub(crate) use read::Tables;
pub(crate) use renew::renew;
pub(crate) use schema::migrate;
pub use server::{Access, Server};
pub(crate) use write::Postgres;

/// What the server said, or that it said nothing. Its words name tables and limits, never a value.
fn failed(error: &tokio_postgres::Error) -> LedgerError {
    let Some(said) = error.as_db_error() else {
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(error) = source {
            reason = format!("{reason}: {error}");
            source = error.source();
        }
        return LedgerError::Away { reason };
    };
    match *said.code() {
        SqlState::DISK_FULL => LedgerError::DiskFull,
        SqlState::LOCK_NOT_AVAILABLE => LedgerError::Busy,
        _ => LedgerError::Away { reason: format!("{} ({})", said.message(), said.code().code()) },
    }
}

fn away(reason: &str) -> LedgerError {
    LedgerError::Away { reason: reason.to_owned() }
}

/// A count as the server keeps it. Nothing here comes near the limit: sequences are read below 2^63.
fn to_sql(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A count as the server kept it; a negative one, which was never written, counts as 0.
fn from_sql(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
