//! What stops a run. What is wrong with single records stops nothing: see [`crate::finding`].

use std::io;

/// Why a file cannot be read on, or results not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The reader or the writer failed.
    #[error("reading or writing failed")]
    Io(#[from] io::Error),
    /// A file that is no CP932 as a whole: UTF-16, or UTF-8 with its mark.
    #[error("the file is not in CP932")]
    Encoding,
    /// A line of results that is not one.
    #[error("line {line} is no result")]
    Result {
        /// Line of the results, from 1.
        line: u64,
    },
    /// The results to be written back are not those of this file.
    #[error("line {line} is not the record that the results speak of")]
    OtherFile {
        /// Line of the file, from 1.
        line: u64,
    },
    /// A column to be kept in the copy holds a 個人番号: no copy is made of it.
    #[error("line {line} holds a number that may not be copied")]
    MyNumber {
        /// Line of the file, from 1.
        line: u64,
    },
}
