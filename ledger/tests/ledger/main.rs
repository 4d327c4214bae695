//! The ledger from outside: rules of intake, restarts and damage, replay against a model.

mod endurance;
mod replay;
mod rules;
mod support;
