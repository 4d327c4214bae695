//! Claim files in, verdicts out: which insurer is right, day by day.
//!
//! A clinic or a reviewer hands in the month's claims (レセプト) before they go to the 審査支払機関; each
//! comes back with what would become of it. Nothing here opens a file or reads a clock: octets come
//! from a reader, people through a trait, today is an argument. Memory does not grow with the file.
//!
//! ```text
//!            lines ─► uke (record, layout) ─┐                 ┌─► JSON, CSV (table), report
//! octets ─►         └► json ────────────────┴─► Claim ─► judge ┴─► Outcome ─► copy of the file
//!                                              people ──►┘ (assign, rules, tell)
//! ```
//!
//! | English | 日本語 | where |
//! |---|---|---|
//! | claim | レセプト | [`Claim`] |
//! | record, column | レコード, 項目 | [`Finding`] |
//! | visit day | 受診日 | [`VisitDays`] |
//! | subsidy, `subsidies` | 公費 | [`Claim::subsidies`] |
//! | agency, payer | 審査支払機関 | [`Agency`] |
//! | confirmation | 確認区分 | [`Confirmation`] |
//! | transfer, split | 振替, 分割 | [`Verdict`] |
//! | returned claim | 返戻 | [`Claims`] |

mod assign;
mod claim;
mod copy;
mod date;
mod days;
mod error;
mod finding;
mod json;
mod judge;
mod kept;
mod layout;
mod lines;
mod notices;
mod outcome;
mod people;
mod record;
mod report;
mod rules;
mod run;
mod source;
mod summary;
mod table;
mod tell;
mod uke;
mod verdict;

pub use claim::{Agency, Claim, Entry, Remarks, Unreadable, Written, WrittenInsurer};
pub use copy::{CopyFor, copy};
pub use date::Month;
pub use days::{DaysSource, VisitDays};
pub use error::Error;
pub use finding::{Finding, What};
pub use judge::Judge;
pub use layout::PointTable;
pub use notices::Notices;
pub use outcome::{CoverageShown, DaysShown, Outcome, Payers, Reason, ShownBranch, WrittenShown};
pub use people::{Caller, People, Terms};
pub use report::{ReportHead, write_report};
pub use run::{Judged, precheck, read_results};
pub use source::Claims;
pub use summary::{Counted, Summary, Total};
pub use table::{CsvWriter, Row, read_csv};
pub use verdict::{Confirmation, Holder, ReasonCode, Rule, Suggested, Verdict};
