//! What is asked: ready-made requests with the answers that are expected.
//!
//! Everything is made before the run but a card's challenge and signature.

use std::ops::Range;

use crate::http;
use crate::outcome::{Sort, Word, word_of};

/// The answer a request should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Any answer that is not a failure.
    Anything,
    /// One of these.
    OneOf(Box<[Word]>),
    /// A batch with these lines.
    Lines(Box<[Word]>),
}

impl Expected {
    /// What came back, and whether it is as expected.
    #[must_use]
    pub fn judge(&self, status: u16, body: &[u8]) -> (Word, bool) {
        let word = word_of(status, body);
        match self {
            Self::Anything if status < 300 => (Word::OK, true),
            Self::Anything => (word, !word.is_failure()),
            Self::OneOf(all) => (word, all.contains(&word)),
            Self::Lines(_) if status != 200 => (word, false),
            Self::Lines(all) => {
                let lines = body.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
                let right = lines.map(line_word).eq(all.iter().copied());
                (if right { Word::OK } else { Word::LINES_DIFFER }, right)
            }
        }
    }
}

/// The word of one line of a batch: an answer or a problem.
fn line_word(line: &[u8]) -> Word {
    match word_of(200, line) {
        Word::OK => word_of(422, line),
        word => word,
    }
}

/// A request with its answer.
#[derive(Clone, Debug)]
pub struct Item {
    /// The whole request; of a card, the body up to the challenge.
    pub octets: Box<[u8]>,
    /// The answer it should have.
    pub expected: Expected,
}

/// Requests of one kind, by sort.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// The requests.
    pub items: Vec<Item>,
    /// Sorts, each with the sum of shares up to it and its items.
    sorts: Vec<(Sort, f64, Range<usize>)>,
}

impl Course {
    /// Adds the items of a sort with its share; none of them, or no share, is nothing.
    pub fn add(&mut self, sort: Sort, share: f64, items: Vec<Item>) {
        if items.is_empty() || share <= 0.0 {
            return;
        }
        let begins = self.items.len();
        self.items.extend(items);
        let before = self.sorts.last().map_or(0.0, |(_, sum, _)| *sum);
        self.sorts.push((sort, before + share, begins..self.items.len()));
    }

    /// A sort and an item by two numbers from 0, below 1; `None` of an empty course.
    #[must_use]
    pub fn choose(&self, sort: f64, item: f64) -> Option<(Sort, usize)> {
        let hit = sort * self.sorts.last()?.1;
        let at = self.sorts.partition_point(|(_, sum, _)| *sum <= hit).min(self.sorts.len() - 1);
        let (sort, _, items) = self.sorts.get(at)?;
        Some((*sort, items.start + ((item * items.len() as f64) as usize).min(items.len() - 1)))
    }
}

/// A card that has signed a challenge, ready to be sent.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Place of the card in its course.
    pub card: usize,
    /// Its sort.
    pub sort: Sort,
    /// The body after the card: challenge and signature.
    pub tail: Box<[u8]>,
}

/// The whole request of a signed card.
pub fn card_request(host: &str, card: &Item, signed: &Signed, into: &mut Vec<u8>) {
    into.clear();
    let length = card.octets.len() + signed.tail.len();
    into.extend_from_slice(&http::post_head(host, "/v1/eligibility/card", "application/json", length));
    into.extend_from_slice(&card.octets);
    into.extend_from_slice(&signed.tail);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_batch_are_judged_one_by_one() {
        let words = |all: &[&[u8]]| all.iter().map(|word| Word::of(word)).collect();
        let expected = Expected::Lines(words(&[b"valid", b"invalid_field"]));
        let good = b"{\"status\":\"valid\"}\n{\"status\":422,\"code\":\"invalid_field\"}\n";
        assert_eq!(expected.judge(200, good), (Word::OK, true));
        assert_eq!(expected.judge(200, b"{\"status\":\"valid\"}\n"), (Word::LINES_DIFFER, false));
        assert_eq!(expected.judge(503, b"{\"code\":\"overloaded\"}").0.text(), "overloaded");
    }

    #[test]
    fn sorts_come_by_their_shares() {
        let item = Item { octets: Box::default(), expected: Expected::Anything };
        let mut course = Course::default();
        course.add(Sort::Good, 3.0, vec![item.clone(); 10]);
        course.add(Sort::Grace, 1.0, vec![item.clone(); 5]);
        course.add(Sort::Expired, 1.0, Vec::new());
        let chosen = |sort| course.choose(sort, 0.999).unwrap();
        assert_eq!((chosen(0.0), chosen(0.76)), ((Sort::Good, 9), (Sort::Grace, 14)));
        assert_eq!(Course::default().choose(0.0, 0.0), None);
    }
}
