//! Reading claim files of every kind, whole and broken.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod broken;
mod files;
mod layouts;
