//! The vocabulary of eligibility and the rule that decides it.
pub mod code;
pub mod coverage;
pub mod day;
pub mod decision;
pub mod feed;
mod fold;
pub mod my_number;
pub mod number;
pub mod query;
pub mod wire;
