//! The record of truth: what every source said, in the order in which it was committed.
//!
//! An append-only log of batches on SQLite. Holds the rules of intake (sequences, duplicates,
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
//! | `store` | the interface to the engine beneath |
//! | `sqlite` | the engine inside the process |

mod batch;
mod error;
mod group;
mod handle;
mod judge;
mod offer;
mod pack;
mod read;
mod rows;
mod seen;
mod sqlite;
mod store;
mod turns;
mod writer;

pub use batch::{Appended, Batch, Content, Quarantined, Row, Told};
pub use error::LedgerError;
pub use handle::{Delivery, Done, Ledger, MOST_OFFERS, Memory, Now, Opened, Options, Visible};
pub use offer::{Offer, Parcel};
pub use read::Reader;
pub use store::Place;
