//! Whose work is committed next: sources take turns, so that nobody waits for all that another has
//! queued.
//!
//! Holds what waits, in order within each source, and says what goes into one transaction. What is
//! written is none of its business.

use std::collections::{HashMap, VecDeque};

use eligibility::feed::Source;

use crate::handle::{Done, MOST_OFFERS};
use crate::writer::Work;

/// Work that waits, with whom to tell.
#[derive(Default)]
pub(crate) struct Turns {
    waiting: HashMap<Source, VecDeque<(Work, Done)>>,
    /// Sources with anything waiting; the first has its turn.
    order: VecDeque<Source>,
    length: usize,
}

impl Turns {
    pub(crate) fn put(&mut self, work: Work, done: Done) {
        let source = work.source();
        let waiting = self.waiting.entry(source).or_default();
        if waiting.is_empty() {
            self.order.push_back(source);
        }
        waiting.push_back((work, done));
        self.length += 1;
    }

    pub(crate) const fn len(&self) -> usize {
        self.length
    }

    /// What is committed together: of each source in turn no more than a batch may hold, until the
    /// rows are so many. A source that comes meanwhile waits for one batch of each other at the most.
    pub(crate) fn group(&mut self, most_rows: usize) -> (Vec<Work>, Vec<Done>) {
        let (mut works, mut dones, mut rows) = (Vec::new(), Vec::new(), 0);
        for _ in 0..self.order.len() {
            let Some(source) = self.order.pop_front_if(|_| rows < most_rows) else { break };
            let Some(waiting) = self.waiting.get_mut(&source) else { continue };
            let mut own = 0;
            while let Some((work, done)) =
                waiting.pop_front_if(|(work, _)| own == 0 || own + work.rows() <= MOST_OFFERS)
            {
                own += work.rows().max(1);
                works.push(work);
                dones.push(done);
            }
            rows += own;
            if waiting.is_empty() {
                self.waiting.remove(&source);
            } else {
                self.order.push_back(source);
            }
        }
        self.length -= works.len();
        (works, dones)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::offer::Offer;

    fn source(number: usize) -> Source {
        Source::parse(["06132013", "portal", "jlis", "city-131016"][number]).unwrap()
    }

    fn put(turns: &mut Turns, number: usize, rows: usize) {
        let offers = vec![Offer::from_line(source(number), 1, b""); rows];
        turns.put(Work::Append(source(number), offers.into(), Arc::default()), Box::new(|_| {}));
    }

    fn next(turns: &mut Turns, most_rows: usize) -> Vec<(usize, usize)> {
        let number = |work: &Work| (0..4).find(|number| source(*number) == work.source()).unwrap();
        turns.group(most_rows).0.iter().map(|work| (number(work), work.rows())).collect()
    }

    #[test]
    fn a_source_waits_for_one_batch_of_another_and_no_more() {
        let mut turns = Turns::default();
        (0..8).for_each(|_| put(&mut turns, 0, MOST_OFFERS));
        assert_eq!(next(&mut turns, 8_000), [(0, MOST_OFFERS)]);
        put(&mut turns, 1, 3);
        assert_eq!(next(&mut turns, 8_000), [(0, MOST_OFFERS), (1, 3)]);
        assert_eq!(turns.len(), 6);
    }

    #[test]
    fn what_is_small_goes_together_and_in_order() {
        let mut turns = Turns::default();
        for rows in [1, 2, 1_000, 1_000, 1] {
            put(&mut turns, 0, rows);
        }
        put(&mut turns, 1, 5);
        assert_eq!(next(&mut turns, 8_000), [(0, 1), (0, 2), (0, 1_000), (1, 5)]);
        assert_eq!(next(&mut turns, 8_000), [(0, 1_000), (0, 1)]);
        assert_eq!(next(&mut turns, 8_000), []);
    }

    #[test]
    fn all_have_their_turn_where_rows_are_few() {
        let mut turns = Turns::default();
        for _ in 0..2 {
            (0..4).for_each(|number| put(&mut turns, number, 10));
        }
        for number in 0..4 {
            assert_eq!(next(&mut turns, 20), [(number, 10), (number, 10)]);
        }
        assert_eq!(turns.len(), 0);
    }
}
