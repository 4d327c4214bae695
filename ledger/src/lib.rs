//! The record of truth: an append-only log of accepted batches.
