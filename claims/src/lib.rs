//! Claim files in, verdicts out: which insurer is right, day by day.
//!
//! A clinic or a reviewer hands in the month's claims (レセプト) before they go to the 審査支払機関; each
//! comes back with what would become of it. Nothing here opens a file or reads a clock: octets come
//! from a reader, people through a trait, today is an argument. Memory does not grow with the file.
//!
//! ```text
//! octets ─► lines ─► uke (record, layout) ─┐
//!                └─► json ─────────────────┴─► Claim
//! ```

mod claim;
mod date;
mod days;
mod error;
mod finding;
mod json;
mod layout;
mod lines;
mod notices;
mod record;
mod source;
mod uke;
mod words;

pub use claim::{Agency, Claim, Entry, Remarks, Unreadable, Written, WrittenInsurer};
pub use date::Month;
pub use days::{DaysSource, VisitDays};
pub use error::Error;
pub use finding::{Finding, What};
pub use layout::PointTable;
pub use notices::Notices;
pub use source::Claims;
