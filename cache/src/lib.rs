//! Every coverage in memory, derived from the batches of the record of truth.
//!
//! Holds people by 紐付番号, the two ways to them (a card's serial; insurer, symbol and number) and
//! where each source stands. Knows nothing of how batches are kept: they come one after the other
//! through [`Writer::apply`], and everything here can be made again from them.
//!
//! ```text
//! Batch ─► Writer: plan (beside the readers) ─► execute (one short lock) ─► Reader: find
//! ```
//!
//! A batch becomes visible whole. People are behind [`Arc`](std::sync::Arc): whoever found one keeps
//! that one, whatever is applied meanwhile.
//!
//! | file | holds |
//! |---|---|
//! | `batch` | what is applied |
//! | `reader` | what is asked, and by many |
//! | `writer` | what is changed, and by one |
//! | `plan` | the meaning of each kind of record for people and cards |
//! | `source` | where a source stands: sequence, completeness, open quarantine |
//! | `state` | the maps |

mod batch;
mod index;
mod kept;
mod key;
mod octets;
mod overlay;
mod people;
mod plan;
mod publish;
mod published;
mod reader;
mod record;
mod segment;
mod source;
mod state;
mod text;
mod writer;

pub use batch::{Batch, Row};
pub use reader::{Key, Reader, Sizes, empty};
pub use source::{Quarantined, SourceState};
pub use writer::Writer;
