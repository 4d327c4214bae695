//! Verdicts: one row for each rule and each verdict, who may be told the right coverage, and what is
//! made of the results.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod copies;
mod keeping;
mod naming;
mod oracle;
mod outputs;
mod table;
mod telling;
mod town;
