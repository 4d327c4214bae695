#![doc = include_str!("wire/mapping.md")]

pub mod fhir;
pub mod xml;
