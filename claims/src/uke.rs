//! Claim files as they are sent to the 審査支払機関 (UKE), and as they come back (HEN).
//!
//! CP932, columns between commas without quotes, CR LF, a final 0x1A. A record that breaks the
//! format makes its claim unreadable, and the rest goes on. How the records of one claim come
//! together is the business of `draft`, where a column stands that of `layout`.
//!
//! ```text
//! 請求  IR, then per claim RE HO KO* SN* JD* MF services…, at the end GO   (歯科: UK first, IR before each RE)
//! 返戻  HI, then per claim RE … HR* and lines of the 履歴管理ブロック, at the end HG
//! ```

mod draft;

use std::io::Read;

use eligibility::number::{InstitutionCode, NumberError};

use crate::claim::{Agency, Entry};
use crate::error::Error;
use crate::finding::{Finding, What};
use crate::layout::{self, HISTORY_COLUMNS};
use crate::lines::{END, Lines};
use crate::notices::Notices;
use crate::record::{Record, columns};
use draft::Draft;

/// Reads claims one after the other.
pub(crate) struct Reader<R> {
    lines: Lines<R>,
    book: Book,
    ended: bool,
}

impl<R: Read> Reader<R> {
    pub(crate) fn new(lines: Lines<R>) -> Self {
        Self { lines, book: Book::default(), ended: false }
    }

    pub(crate) const fn lines(&self) -> &Lines<R> {
        &self.lines
    }

    pub(crate) const fn notices(&self) -> &Notices {
        &self.book.notices
    }

    /// The next claim; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, Error> {
        while !self.ended {
            let Some(piece) = self.lines.next()? else {
                self.ended = true;
                break;
            };
            if !(piece.first && piece.last) {
                // The parts that follow the first say nothing new.
                if piece.first {
                    self.book.broken(Finding::line(piece.line, What::TooLong));
                }
                continue;
            }
            let mut content = piece.content();
            // The mark stands on a line of its own, or ends the last one.
            if content.first() == Some(&END) || content.last() == Some(&END) {
                let at = memchr::memchr(END, content).unwrap_or_default();
                let (before, after) = content.split_at(at);
                self.book.after_end = after.len() > 1;
                self.ended = true;
                content = before;
            }
            let entry = self.book.take(piece.line, content);
            if self.ended {
                self.look_behind()?;
            }
            if entry.is_some() {
                return Ok(entry);
            }
        }
        Ok(self.book.end(self.lines.line()))
    }

    /// Whether anything but blank lines follows the end mark.
    fn look_behind(&mut self) -> Result<(), Error> {
        let mut line = self.book.after_end.then_some(self.lines.line());
        while line.is_none() {
            let Some(piece) = self.lines.next()? else { return Ok(()) };
            let blank = piece.content().iter().all(|octet| matches!(octet, b' ' | &END));
            line = (!blank).then_some(piece.line);
        }
        line.into_iter().for_each(|line| self.book.notices.add(Finding::line(line, What::AfterEnd)));
        Ok(())
    }
}

/// Who makes the claims that follow: IR, YK or HM.
#[derive(Clone, Copy, Default)]
struct Header {
    agency: Option<Agency>,
    institution: Option<InstitutionCode>,
}

impl Header {
    fn read(record: Record<'_>) -> (Self, Option<Finding>) {
        let [_, agency, prefecture, table, code] = record.columns();
        let agency = record.number(layout::AGENCY, agency).ok().flatten().and_then(Agency::from_code);
        let digits = [prefecture, table, code].concat();
        let text = record.text(layout::INSTITUTION, &digits);
        let (institution, notice) = match text.as_deref().map(InstitutionCode::parse) {
            Ok(Ok(code)) => (Some(code), None),
            Ok(Err(NumberError::CheckDigit)) => (None, Some(What::CheckDigit)),
            Ok(Err(NumberError::Form)) => (None, Some(What::Form)),
            Err(finding) => (None, Some(finding.what)),
        };
        let notice = notice.map(|what| record.finding(layout::INSTITUTION, what));
        (Self { agency, institution }, notice)
    }
}

/// Sums over the claims since the header, to compare with GO.
#[derive(Clone, Copy, Default)]
struct Sums {
    claims: u64,
    points: u64,
    /// Something could not be read, so the sums say nothing.
    incomplete: bool,
}

/// What has been read and not yet given out.
#[derive(Default)]
struct Book {
    header: Option<Header>,
    open: Option<Draft>,
    sums: Sums,
    notices: Notices,
    returned: bool,
    closed: bool,
    after_end: bool,
    any: bool,
}

impl Book {
    /// Takes one line; gives the claim that it ends.
    fn take(&mut self, line: u64, content: &[u8]) -> Option<Entry> {
        if content.is_empty() {
            return None;
        }
        let id = match content {
            [first, second, b',', ..] | [first, second] => layout::known_id([*first, *second]),
            _ => None,
        };
        let Some(id) = id else {
            self.other(line, columns(content).next().unwrap_or_default(), content);
            return None;
        };
        let record = Record { line, id, octets: content };
        match id {
            "RE" => self.start(record),
            "IR" | "YK" | "HM" => {
                let entry = self.flush();
                self.head(record);
                entry
            }
            // UK announces the IR that follows; HI says less than the history of each claim.
            "UK" => self.flush(),
            "HI" => {
                self.returned = true;
                self.flush()
            }
            "GO" | "HG" => {
                let entry = self.flush();
                self.close(record);
                entry
            }
            "HO" if self.open.as_ref().is_none_or(Draft::has_insurance) => {
                // A RE must have been lost: this HO belongs to nobody that was read.
                let headless = Draft::headless(record);
                let entry = self.flush();
                self.open = Some(headless);
                entry
            }
            _ => {
                match &mut self.open {
                    Some(draft) => draft.take(record),
                    None => self.notices.add(record.whole(What::MissingRecord)),
                }
                None
            }
        }
    }

    fn start(&mut self, record: Record<'_>) -> Option<Entry> {
        if self.open.as_mut().is_some_and(|draft| draft.takes_part(record)) {
            return None;
        }
        if self.header.is_none() && !self.returned {
            self.notices.add(Finding::record(record.line, "IR", What::MissingRecord));
            self.header = Some(Header::default());
        }
        let entry = self.flush();
        self.any = true;
        self.open = Some(Draft::start(record, self.header.unwrap_or_default()));
        entry
    }

    fn head(&mut self, record: Record<'_>) {
        let (header, notice) = Header::read(record);
        if let Some(notice) = notice {
            self.notices.add(notice);
        }
        self.header = Some(header);
        self.closed = false;
    }

    /// A line that begins with none of the ids we read.
    fn other(&mut self, line: u64, id: &[u8], content: &[u8]) {
        let form = matches!(id, [b'A'..=b'Z', b'A'..=b'Z' | b'0'..=b'9']);
        if form {
            return;
        }
        if id.iter().all(u8::is_ascii_digit) && !id.is_empty() {
            return self.history(line, content);
        }
        self.broken(Finding::line(line, What::UnknownRecord));
    }

    /// A line of the 履歴管理ブロック: its IR tells whose claim it was.
    fn history(&mut self, line: u64, content: &[u8]) {
        let within = content.splitn(HISTORY_COLUMNS + 1, |octet| *octet == b',').last().unwrap_or_default();
        let id = within.first_chunk().copied().and_then(layout::known_id);
        let Some(id @ ("IR" | "YK" | "HM")) = id else { return };
        let (header, _) = Header::read(Record { line, id, octets: within });
        if let Some(draft) = &mut self.open {
            draft.head(header);
        }
    }

    /// Something that cannot be told to belong to any record of a claim.
    fn broken(&mut self, finding: Finding) {
        match &mut self.open {
            Some(draft) => draft.fail(finding),
            None => self.notices.add(finding),
        }
    }

    /// GO or HG.
    fn close(&mut self, record: Record<'_>) {
        self.closed = true;
        if record.id == "HG" {
            return;
        }
        let [_, claims, points] = record.columns();
        let read = record.number(layout::CLAIM_COUNT, claims).and_then(|claims| {
            let points = record.number(layout::POINT_SUM, points)?;
            Ok(claims.zip(points))
        });
        match read {
            Err(finding) => self.notices.add(finding),
            // The GO of 訪問看護 has no sums, nor have volumes before the last.
            Ok(Some((claims, points))) if !self.sums.incomplete => {
                if (u64::from(claims), u64::from(points)) != (self.sums.claims, self.sums.points) {
                    self.notices.add(record.whole(What::Totals));
                }
            }
            Ok(_) => {}
        }
        self.sums = Sums::default();
    }

    fn flush(&mut self) -> Option<Entry> {
        let (entry, counted) = self.open.take()?.finish();
        match counted {
            Some((claims, points)) => {
                self.sums.claims += claims;
                self.sums.points += points;
            }
            None => self.sums.incomplete = true,
        }
        Some(entry)
    }

    /// The end of the file.
    fn end(&mut self, line: u64) -> Option<Entry> {
        let entry = self.flush();
        if self.any && !self.closed {
            let id = if self.returned { "HG" } else { "GO" };
            self.notices.add(Finding::record(line, id, What::MissingRecord));
            self.closed = true;
        }
        entry
    }
}
