//! The vocabulary of eligibility and the rule that decides it.
