//! The record of truth: what every source said, in the order in which it was committed.
//!
//! An append-only log of batches, on SQLite inside the process or on a PostgreSQL server that several
//! gateways share. Holds the rules of intake (sequences, duplicates,
//! quarantine, link conflicts, marks), the durable write and the replay. Current state is never
//! kept here: memory derives it from the batches and tells the ledger what it needs to know of it
//! through [`Memory`].
//!
//! ```text
//! lines ─► Offer ─► queue ─► writer thread: judge ─► one transaction ─► visible ─► done
//!                                                         │
//!                                       Opened::read, Reader ◄─ replay, history
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `offer` | one line, read and judged by itself |
//! | `judge` | the rules that need to know what came before |
//! | `seen` | look-ups of what was already read |
//! | `group` | rows and batches of one transaction |
//! | `pack`, `rows` | the rows of a batch as octets |
//! | `turns` | whose work is committed next |
//! | `writer` | the thread that commits groups |
//! | `handle` | opening, starting, the queue, closing |
//! | `read` | replay in order, and the history of one subject |
//! | `retire` | history that was kept for long enough |
//! | `past` | what a source had said up to a moment, of those who are looked for |
//! | `moving` | making tables, and copying a ledger to another place |
//! | `store` | the interface to the engine beneath |
//! | `sqlite` | the engine inside the process |
//! | `postgres` | the engine that several gateways share |
//! | `standing` | how far each gateway follows |

mod batch;
mod error;
mod group;
mod handle;
mod judge;
mod moving;
mod offer;
mod pack;
mod past;
mod postgres;
mod read;
mod retire;
mod rows;
mod seen;
mod sqlite;
mod standing;
mod store;
mod turns;
mod writer;

pub use batch::{Appended, Batch, Content, Quarantined, Row, Told};
pub use error::LedgerError;
pub use handle::{Delivery, Done, Ledger, MOST_OFFERS, Memory, Now, Opened, Options, Visible};
pub use moving::{Migrated, Sum, copy, migrate};
pub use offer::{Offer, Parcel};
pub use past::Glance;
pub use postgres::{Access, Server};
pub use read::Reader;
pub use retire::Replaced;
pub use standing::{Other, Standing};
pub use store::Place;
