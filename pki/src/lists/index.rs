//! The compact index of serials: which are in a set, in at most four octets each while serials fit
//! in four. Knows nothing of lists, reasons or times.
//!
//! Serials come from one counter, so they are dense in practice; sparse ones must cost no more than
//! a plain sorted array:
//!
//! ```text
//! serial  114 390 022 = 0x06d1 7416
//!                         │    └─ cell, 16 bits
//!                         └ bucket
//! starts  ─┬────┬────┬────┬─          one place in `cells` for each bucket between the lowest and
//!          │    │    │    │           the highest in use
//! cells    sorted│bitmap of│sorted    fewer than 2 048 in a bucket: the cells, sorted, two octets
//!                 │65 536   │         each; from there on one bit for every serial of the bucket
//! ```

use crate::serial::Serial;

/// From so many serials in a bucket on, a bitmap takes at most four octets for each.
const DENSE: usize = 2048;
/// Places in `cells` that the bitmap of a bucket takes: more than any sorted bucket has.
const BITMAP: usize = 65_536 / 16;
/// Cells looked at first, around the place where a cell is expected: 128 octets.
const WINDOW: usize = 64;

/// A set of serials that does not change any more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// Serials of up to four octets.
    short: Short,
    /// All others, whole, sorted.
    long: Box<[Serial]>,
}

/// Serials of up to four octets.
#[derive(Clone, Debug)]
enum Short {
    /// Too few or too scattered for buckets to pay.
    Sorted(Box<[u32]>),
    Bucketed(Buckets),
}

#[derive(Clone, Debug)]
struct Buckets {
    /// The lowest bucket in use.
    lowest: u16,
    /// Where each bucket's cells start; one more at the end.
    starts: Box<[u32]>,
    cells: Box<[u16]>,
    count: usize,
}

/// Gathers serials in any order.
#[derive(Default)]
pub(crate) struct Gather {
    short: Vec<u32>,
    long: Vec<Serial>,
}

impl Gather {
    pub(crate) fn add(&mut self, serial: Serial) {
        match serial.as_u32() {
            Some(number) => self.short.push(number),
            None => self.long.push(serial),
        }
    }

    pub(crate) fn finish(mut self) -> Index {
        self.short.sort_unstable();
        self.short.dedup();
        self.long.sort_unstable();
        self.long.dedup();
        Index { short: Short::of_sorted(self.short), long: self.long.into_boxed_slice() }
    }
}

impl Index {
    pub(crate) fn contains(&self, serial: Serial) -> bool {
        match serial.as_u32() {
            Some(number) => self.short.contains(number),
            None => self.long.binary_search(&serial).is_ok(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.short.len() + self.long.len()
    }

    /// Octets of memory taken by the serials.
    pub(crate) fn octets(&self) -> usize {
        self.short.octets() + size_of_val(&*self.long)
    }

    /// The serials in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Serial> {
        self.short.iter().map(Serial::from_u32).chain(self.long.iter().copied())
    }

    /// This set and `more`.
    pub(crate) fn with(&self, more: impl IntoIterator<Item = Serial>) -> Index {
        let mut gather = Gather { short: self.short.iter().collect(), long: self.long.to_vec() };
        more.into_iter().for_each(|serial| gather.add(serial));
        gather.finish()
    }
}

impl Default for Short {
    fn default() -> Short {
        Short::Sorted(Box::default())
    }
}

impl Short {
    /// The smaller of the two forms. The numbers are in order, each once.
    fn of_sorted(numbers: Vec<u32>) -> Short {
        let buckets = Buckets::shape(&numbers);
        if buckets < size_of_val(&*numbers) {
            Short::Bucketed(Buckets::of_sorted(&numbers))
        } else {
            Short::Sorted(numbers.into_boxed_slice())
        }
    }

    fn contains(&self, number: u32) -> bool {
        match self {
            Short::Sorted(numbers) => numbers.binary_search(&number).is_ok(),
            Short::Bucketed(buckets) => buckets.contains(number),
        }
    }

    fn len(&self) -> usize {
        match self {
            Short::Sorted(numbers) => numbers.len(),
            Short::Bucketed(buckets) => buckets.count,
        }
    }

    fn octets(&self) -> usize {
        match self {
            Short::Sorted(numbers) => size_of_val(&**numbers),
            Short::Bucketed(buckets) => size_of_val(&*buckets.starts) + size_of_val(&*buckets.cells),
        }
    }

    fn iter(&self) -> impl Iterator<Item = u32> {
        let (sorted, buckets) = match self {
            Short::Sorted(numbers) => (Some(numbers), None),
            Short::Bucketed(buckets) => (None, Some(buckets)),
        };
        let sorted = sorted.into_iter().flat_map(|numbers| numbers.iter().copied());
        sorted.chain(buckets.into_iter().flat_map(Buckets::iter))
    }
}

/// The bucket of a number, and its cell there.
fn split(number: u32) -> (u16, u16) {
    ((number >> 16) as u16, number as u16)
}

impl Buckets {
    /// Octets that these numbers take in buckets.
    fn shape(numbers: &[u32]) -> usize {
        let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else {
            return 0;
        };
        let starts = usize::from(split(*last).0 - split(*first).0) + 2;
        let chunks = numbers.chunk_by(|one, next| split(*one).0 == split(*next).0);
        let cells: usize = chunks.map(|chunk| if chunk.len() < DENSE { chunk.len() } else { BITMAP }).sum();
        starts * size_of::<u32>() + cells * size_of::<u16>()
    }

    fn of_sorted(numbers: &[u32]) -> Buckets {
        let lowest = numbers.first().map_or(0, |number| split(*number).0);
        let mut starts = Vec::new();
        let mut cells: Vec<u16> = Vec::new();
        for chunk in numbers.chunk_by(|one, next| split(*one).0 == split(*next).0) {
            let bucket = chunk.first().map_or(0, |number| split(*number).0 - lowest);
            starts.resize(usize::from(bucket) + 1, cells.len() as u32); // at most 2^28 places
            if chunk.len() < DENSE {
                cells.extend(chunk.iter().map(|number| split(*number).1));
            } else {
                cells.extend(bitmap(chunk));
            }
        }
        starts.push(cells.len() as u32);
        Buckets { lowest, starts: starts.into(), cells: cells.into(), count: numbers.len() }
    }

    fn contains(&self, number: u32) -> bool {
        let (bucket, cell) = split(number);
        let bucket = bucket.checked_sub(self.lowest).map(usize::from);
        let Some(cells) = bucket.and_then(|bucket| self.bucket(bucket)) else {
            return false;
        };
        if cells.len() == BITMAP {
            cells.get(usize::from(cell >> 4)).is_some_and(|bits| bits >> (cell & 15) & 1 == 1)
        } else {
            sorted_has(cells, cell)
        }
    }

    fn bucket(&self, bucket: usize) -> Option<&[u16]> {
        let (from, to) = (self.starts.get(bucket)?, self.starts.get(bucket + 1)?);
        self.cells.get(*from as usize..*to as usize)
    }

    fn iter(&self) -> impl Iterator<Item = u32> {
        (0..self.starts.len()).filter_map(|bucket| Some((bucket, self.bucket(bucket)?))).flat_map(
            |(bucket, cells)| {
                let high = (u32::from(self.lowest) + bucket as u32) << 16;
                let (sorted, bits) = if cells.len() == BITMAP { (&[][..], cells) } else { (cells, &[][..]) };
                let of_bitmap = (0u32..).zip(bits).flat_map(|(at, word)| {
                    (0..16).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 16 + bit)
                });
                sorted.iter().map(|cell| u32::from(*cell)).chain(of_bitmap).map(move |low| high | low)
            },
        )
    }
}

/// Whether sorted cells have this one. Looks first where it lies if the cells are spread evenly:
/// that is one cache line or two, where halving would wait for one after another.
fn sorted_has(cells: &[u16], cell: u16) -> bool {
    let guess = (cells.len() * usize::from(cell)) >> 16;
    let from = guess.saturating_sub(WINDOW / 2);
    let to = cells.len().min(from + WINDOW);
    let window = cells.get(from..to).unwrap_or_default();
    let side = match (window.first(), window.last()) {
        (Some(first), _) if cell < *first => cells.get(..from),
        (_, Some(last)) if cell > *last => cells.get(to..),
        _ => Some(window),
    };
    side.is_some_and(|side| side.binary_search(&cell).is_ok())
}

/// One bit for each of 65 536 serials; the numbers are of one bucket.
fn bitmap(numbers: &[u32]) -> Vec<u16> {
    let mut words = vec![0u16; BITMAP];
    for number in numbers {
        let cell = split(*number).1;
        if let Some(word) = words.get_mut(usize::from(cell >> 4)) {
            *word |= 1 << (cell & 15);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn gathered(numbers: impl IntoIterator<Item = u32>) -> Index {
        let mut gather = Gather::default();
        numbers.into_iter().for_each(|number| gather.add(Serial::from_u32(number)));
        gather.finish()
    }

    #[test]
    fn a_set_of_short_and_long_serials() {
        let serial = |text: &str| text.parse::<Serial>().expect("a serial");
        let texts = ["4294967296", "7", "4294967295", "7", "114390001"];
        let mut gather = Gather::default();
        texts.iter().for_each(|text| gather.add(serial(text)));
        let index = gather.finish();
        assert_eq!(index.len(), 4);
        assert!(texts.iter().all(|text| index.contains(serial(text))));
        assert!(!index.contains(serial("8")));
        assert!(!index.contains(serial("4294967297")));
        let printed: Vec<String> = index.iter().map(|serial| serial.to_string()).collect();
        assert_eq!(printed, ["7", "114390001", "4294967295", "4294967296"]);
        let more = index.with([serial("8"), serial("7")]);
        assert_eq!((index.len(), more.len()), (4, 5));
        assert!(more.contains(serial("8")) && more.contains(serial("4294967296")));
    }

    #[test]
    fn long_serials_are_never_cut() {
        // the same low four octets as a short one in the set, in every length
        for length in 5..=20 {
            let mut octets = vec![0; length];
            octets[0] = 1;
            octets[length - 1] = 7;
            let long = Serial::from_bytes(&octets).expect("a serial");
            let index = gathered([7]);
            assert!(!index.contains(long), "{length} octets");
            assert!(index.with([long]).contains(long));
        }
    }

    #[test]
    fn four_octets_an_entry_at_most_however_they_lie() {
        let scattered = (1..1000u32).map(|number| number * 4_000_003);
        let dense = 100_000_000..100_300_000u32;
        let sparse_buckets = (0..500_000u32).map(|number| number * 8000 + 1);
        let just_dense = (0..20u32).flat_map(|bucket| (0..2048).map(move |low| bucket << 16 | low << 5));
        let far_apart = (1..200_000u32).chain([u32::MAX]);
        for (name, index) in [
            ("scattered", gathered(scattered)),
            ("dense", gathered(dense)),
            ("sparse", gathered(sparse_buckets)),
            ("just dense", gathered(just_dense)),
            ("far apart", gathered(far_apart)),
        ] {
            assert!(index.octets() <= 4 * index.len(), "{name}: {} for {}", index.octets(), index.len());
        }
        assert!(gathered(100_000_000..100_300_000).octets() < 300_000 / 4);
    }

    proptest! {
        #[test]
        fn it_has_what_was_gathered_and_nothing_else(
            clusters in prop::collection::vec((any::<u32>(), 1..5000u32, 1..40u32), 0..6),
            asked in prop::collection::vec(any::<u32>(), 100),
        ) {
            let numbers: BTreeSet<u32> = clusters
                .iter()
                .flat_map(|(from, count, step)| (0..*count).map(move |at| from.wrapping_add(at * step)))
                .filter(|number| *number > 0)
                .collect();
            let index = gathered(numbers.iter().copied());
            prop_assert_eq!(index.len(), numbers.len());
            prop_assert!(index.octets() <= 4 * numbers.len());
            let read: Vec<u32> = index.iter().filter_map(|serial| serial.as_u32()).collect();
            prop_assert!(read.iter().eq(&numbers));
            let near = numbers.iter().flat_map(|number| [number.wrapping_sub(1), *number, number.wrapping_add(1)]);
            for number in near.chain(asked).filter(|number| *number > 0) {
                prop_assert_eq!(index.contains(Serial::from_u32(number)), numbers.contains(&number));
            }
        }
    }
}
