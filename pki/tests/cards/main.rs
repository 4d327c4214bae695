//! Card certificates from end to end: chains, lists and moments made in code, one defect each for
//! every rule. What is private to a module is tested beside it.

mod chain;
mod mornings;
mod never_panics;
mod profile;
mod remembering;
mod revocation;
mod second_reader;
mod seen;
mod standing;
mod tampering;
mod tls;
mod world;
