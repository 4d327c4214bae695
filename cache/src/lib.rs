//! Every coverage in memory, derived from the ledger.
