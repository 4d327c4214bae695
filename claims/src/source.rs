//! Claims out of any file: which kind it is shows in its first octets.

use std::io::Read;

use crate::claim::Entry;
use crate::error::Error;
use crate::json;
use crate::lines::Lines;
use crate::notices::Notices;
use crate::uke;

/// The claims of a file, one after the other, in memory that does not grow with the file.
pub struct Claims<R>(Kind<R>);

enum Kind<R> {
    Uke(Box<uke::Reader<R>>),
    Json(json::Reader<R>),
}

impl<R: Read> Claims<R> {
    /// Looks at the first octets: `{` begins NDJSON, everything else is taken for UKE or HEN.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Encoding`] for files with the mark of UTF-8 or UTF-16.
    pub fn open(reader: R) -> Result<Self, Error> {
        let mut lines = Lines::new(reader);
        let first = lines.peek()?;
        if first.trim_ascii_start().starts_with(b"{") {
            return Ok(Self(Kind::Json(json::Reader::new(lines))));
        }
        let marks: [&[u8]; 3] = [b"\xEF\xBB\xBF", b"\xFF\xFE", b"\xFE\xFF"];
        if marks.iter().any(|mark| first.starts_with(mark))
            || matches!(first, [_, 0, _, 0, ..] | [0, _, 0, _, ..])
        {
            return Err(Error::Encoding);
        }
        Ok(Self(Kind::Uke(Box::new(uke::Reader::new(lines)))))
    }

    /// The next claim; `None` after the last.
    ///
    /// # Errors
    /// [`Error::Io`].
    #[expect(clippy::should_implement_trait, reason = "an iterator of results would go on after a failure")]
    pub fn next(&mut self) -> Result<Option<Entry>, Error> {
        match &mut self.0 {
            Kind::Uke(reader) => reader.next(),
            Kind::Json(reader) => reader.next(),
        }
    }

    /// What is wrong with the file as a whole; complete after the last claim.
    #[must_use]
    pub const fn notices(&self) -> &Notices {
        match &self.0 {
            Kind::Uke(reader) => reader.notices(),
            Kind::Json(reader) => reader.notices(),
        }
    }

    /// Octets read so far, for a progress bar.
    #[must_use]
    pub const fn octets(&self) -> u64 {
        match &self.0 {
            Kind::Uke(reader) => reader.lines().octets(),
            Kind::Json(reader) => reader.lines().octets(),
        }
    }
}
