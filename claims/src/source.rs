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
        if lines.peek()?.trim_ascii_start().starts_with(b"{") {
            Ok(Self::of_json(lines))
        } else {
            Self::of_uke(lines)
        }
    }

    /// Takes the file for NDJSON.
    pub fn ndjson(reader: R) -> Self {
        Self::of_json(Lines::new(reader))
    }

    /// Takes the file for UKE or HEN.
    ///
    /// # Errors
    /// As [`Claims::open`].
    pub fn uke(reader: R) -> Result<Self, Error> {
        Self::of_uke(Lines::new(reader))
    }

    fn of_json(lines: Lines<R>) -> Self {
        Self(Kind::Json(json::Reader::new(lines)))
    }

    fn of_uke(mut lines: Lines<R>) -> Result<Self, Error> {
        let first = lines.peek()?;
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
