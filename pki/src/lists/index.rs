//! The compact index of serials: which are in a set, in four octets each while serials fit in
//! four. Knows nothing of lists, reasons or times.

use crate::serial::Serial;

/// A set of serials that does not change any more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// Serials of up to four octets, sorted.
    short: Box<[u32]>,
    /// All others, sorted.
    long: Box<[Serial]>,
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
        Index { short: self.short.into_boxed_slice(), long: self.long.into_boxed_slice() }
    }
}

impl Index {
    pub(crate) fn contains(&self, serial: Serial) -> bool {
        match serial.as_u32() {
            Some(number) => self.short.binary_search(&number).is_ok(),
            None => self.long.binary_search(&serial).is_ok(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.short.len() + self.long.len()
    }

    /// The serials in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Serial> {
        self.short.iter().copied().map(Serial::from_u32).chain(self.long.iter().copied())
    }

    /// This set and `more`.
    pub(crate) fn with(&self, more: impl IntoIterator<Item = Serial>) -> Index {
        let mut gather = Gather { short: self.short.to_vec(), long: self.long.to_vec() };
        more.into_iter().for_each(|serial| gather.add(serial));
        gather.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
