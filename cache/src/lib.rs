//! Every coverage in memory, derived from the batches of the record of truth.
//!
//! Holds what is kept of each person in one packed record, two ways to it (a card's serial; insurer,
//! symbol, number and birth date) and where each source stands. Knows nothing of how batches are kept:
//! they come one after the other through [`Writer::apply`], and everything here can be made again from
//! them. Files of a folder save that work after a restart.
//!
//! ```text
//! Batch ─► Writer: plan (beside the readers) ─► publish ─► Reader: view ─► find
//!                    │                                       ▲
//!                    └─► snapshot ─► files ─► open ──────────┘
//!
//! card ────► cards   ─┐ spot                    ┌ changes since, in small blocks
//!                     ├──────► people ─► record ┤
//! numbers ─► numbers ─┘                         └ base, sorted, never changed
//! ```
//!
//! All three are cut into 64 shards. A shard is an immutable value, and so is the state that names
//! them all: for each batch the writer makes another one that shares what did not change, and puts it
//! in place of the former; readers take the one that is there, wait for nobody, and keep it as long as
//! they look. So everything is seen as before or as after a batch, the generation with it. Once its
//! changes are many a shard is made anew. An index never decides: the record found is compared.
//!
//! | file | holds |
//! |---|---|
//! | `batch` | what is applied |
//! | `reader` | what is asked, and by many |
//! | `writer` | what is changed, and by one |
//! | `plan`, `publish` | the meaning of each kind of record; the state after a batch |
//! | `kept`, `record`, `text`, `octets` | what is kept of a person, and as which octets |
//! | `prefetch` | many finds that wait for memory together |
//! | `key` | places, spots and hashes |
//! | `people`, `index` | a shard of records, a shard of ways to them |
//! | `segment`, `overlay`, `published` | what does not change, what did since, what readers see |
//! | `source`, `sources` | where a source stands: sequence, completeness, open quarantine; all of them |
//! | `base`, `save`, `repair` | files: their form, when they are written and read, and made good |
//! | `share` | threads for what is much |
//! | `map` | memory outside the heap |
//! | `state` | all shards |
//! | `sum` | what shows that two memories hold the same |

mod base;
mod batch;
mod index;
mod kept;
mod key;
mod map;
mod octets;
mod overlay;
mod people;
mod plan;
mod prefetch;
mod publish;
mod published;
mod reader;
mod record;
mod repair;
mod save;
mod segment;
mod share;
mod source;
mod sources;
mod state;
mod sum;
mod text;
mod writer;

pub use base::{BaseError, copy, position};
pub use batch::{Batch, Row};
pub use reader::{Key, Reader, Sizes, View, empty};
pub use repair::repair;
pub use save::{Snapshot, Written, open};
pub use source::{Quarantined, SourceState};
pub use text::Packed;
pub use writer::Writer;
