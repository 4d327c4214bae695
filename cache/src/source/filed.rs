//! Where sources stand, as octets for the files of memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use eligibility::day::Timestamp;
use eligibility::feed::{Kind, Source, Subject};
use eligibility::number::{LinkNumber, Serial};

use super::{About, Book, Quarantined, SourceState};
use crate::octets::{Reading, put_number};
use crate::record::{put_source, read_source};
use crate::state::Map;
use crate::text::{Alphabet, Packed, put_text, text};

/// All books, in the order of sources.
pub(crate) fn put_books(out: &mut Vec<u8>, books: &Map<Source, Book>) {
    put_number(out, books.len() as u64);
    let books: BTreeMap<_, _> = books.iter().collect();
    for (source, book) in books {
        put_source(out, *source);
        put_book(out, book);
    }
}

/// What [`put_books`] wrote.
pub(crate) fn read_books(octets: &[u8]) -> Option<Map<Source, Book>> {
    let mut reading = Reading::new(octets);
    let count = reading.count()?;
    let books = (0..count).map(|_| Some((read_source(&mut reading)?, read_book(&mut reading)?)));
    let books = books.collect::<Option<_>>()?;
    reading.rest().is_empty().then_some(books)
}

fn put_time(out: &mut Vec<u8>, time: Timestamp) {
    out.extend_from_slice(&time.millis().to_le_bytes());
}

fn read_time(reading: &mut Reading<'_>) -> Option<Timestamp> {
    reading.array().map(i64::from_le_bytes).map(Timestamp::from_millis)
}

/// Appends whether there is one, and it.
fn put_option<T>(out: &mut Vec<u8>, one: Option<T>, put: impl FnOnce(&mut Vec<u8>, T)) {
    out.push(u8::from(one.is_some()));
    if let Some(one) = one {
        put(out, one);
    }
}

fn read_option<T>(
    reading: &mut Reading<'_>,
    read: impl FnOnce(&mut Reading<'_>) -> Option<T>,
) -> Option<Option<T>> {
    if reading.octet()? == 0 { Some(None) } else { read(reading).map(Some) }
}

fn put_book(out: &mut Vec<u8>, book: &Book) {
    let state = &book.state;
    for number in [u64::from(state.epoch), state.committed_sequence, state.members, book.next] {
        put_number(out, number);
    }
    out.push(u8::from(state.fed));
    put_option(out, state.complete_to, put_time);
    put_time(out, state.last_batch_at);
    put_number(out, book.open.len() as u64);
    for (id, (open, about)) in &book.open {
        put_number(out, *id);
        put_quarantined(out, open);
        put_option(out, *about, put_about);
    }
    put_number(out, book.marks.len() as u64);
    for (before, complete_to) in &book.marks {
        put_number(out, *before);
        put_time(out, *complete_to);
    }
}

fn read_book(reading: &mut Reading<'_>) -> Option<Book> {
    let epoch = u32::try_from(reading.number()?).ok()?;
    let (committed_sequence, members, next) = (reading.number()?, reading.number()?, reading.number()?);
    let fed = reading.octet()? != 0;
    let complete_to = read_option(reading, read_time)?;
    let last_batch_at = read_time(reading)?;
    let mut book = Book {
        state: SourceState {
            epoch,
            committed_sequence,
            complete_to,
            last_batch_at,
            fed,
            members,
            quarantine: Arc::default(),
        },
        open: BTreeMap::new(),
        by_subject: Map::default(),
        by_name: Map::default(),
        marks: VecDeque::new(),
        next,
        changed: true,
    };
    for _ in 0..reading.count()? {
        let id = reading.number()?;
        let open = Arc::new(read_quarantined(reading)?);
        let about = read_option(reading, read_about)?;
        if let Some(about) = about {
            book.by_subject.entry(about).or_default().push(id);
        }
        book.by_name.entry(open.name.clone()).or_default().push(id);
        book.open.insert(id, (open, about));
    }
    for _ in 0..reading.count()? {
        book.marks.push_back((reading.number()?, read_time(reading)?));
    }
    Some(book)
}

fn put_quarantined(out: &mut Vec<u8>, one: &Quarantined) {
    put_text(out, Alphabet::Words, &one.name);
    put_text(out, Alphabet::Words, &one.code);
    put_option(out, one.field.as_deref(), |out, field| put_text(out, Alphabet::Words, field));
    put_option(out, one.sequence, put_number);
    put_option(out, one.kind, |out, kind| out.push(kind as u8));
    for number in [u64::from(one.epoch), one.line, one.position] {
        put_number(out, number);
    }
    put_time(out, one.committed_at);
}

fn read_quarantined(reading: &mut Reading<'_>) -> Option<Quarantined> {
    let words = |reading: &mut Reading<'_>| text(reading, Alphabet::Words).map(Packed::unpacked);
    let (name, code) = (words(reading)?, words(reading)?);
    let field = read_option(reading, words)?;
    let sequence = read_option(reading, |reading| reading.number())?;
    let kind = read_option(reading, read_kind)?;
    let epoch = u32::try_from(reading.number()?).ok()?;
    let (line, position) = (reading.number()?, reading.number()?);
    let committed_at = read_time(reading)?;
    Some(Quarantined { name, epoch, sequence, line, kind, code, field, position, committed_at })
}

fn read_kind(reading: &mut Reading<'_>) -> Option<Kind> {
    Kind::ALL.get(usize::from(reading.octet()?)).copied()
}

fn put_about(out: &mut Vec<u8>, (kind, subject): About) {
    out.push(kind as u8);
    put_option(out, subject, |out, subject| match subject {
        Subject::Person(link) => {
            out.push(0);
            put_number(out, link.value());
        }
        Subject::Card(serial) => {
            out.push(1);
            out.extend_from_slice(serial.octets());
        }
    });
}

fn read_about(reading: &mut Reading<'_>) -> Option<About> {
    let kind = read_kind(reading)?;
    let subject = read_option(reading, |reading| match reading.octet()? {
        0 => LinkNumber::from_value(reading.number()?).map(Subject::Person),
        _ => Serial::from_be_bytes(reading.octets(20)?).map(Subject::Card),
    })?;
    Some((kind, subject))
}
