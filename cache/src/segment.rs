//! The form of what does not change: a shard of people or of an index, sorted and cut into buckets.
//!
//! Holds the octets and finds a bucket in them. What the entries say is for `people` and `index`.

use std::hint::black_box;
use std::ops::Range;
use std::sync::OnceLock;

use crate::map::{Buffer, Octets};

/// Octets that come together from memory.
pub(crate) const LINE: usize = 64;

/// What a segment's entries are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Records by the keys of their places.
    People = 1,
    /// Spots by the hashes of serials.
    Cards = 2,
    /// Spots by the hashes of symbols and numbers.
    Numbers = 3,
}

impl Kind {
    /// Bits of a key.
    const fn bits(self) -> u32 {
        match self {
            Self::People => 48,
            Self::Cards | Self::Numbers => 32,
        }
    }

    /// Entries that share a bucket, on average. Records are looked through; among the equal entries of
    /// an index the place can be guessed, so that what finds them is small enough to stay near.
    const fn crowd(self) -> u64 {
        match self {
            Self::People => 2,
            Self::Cards | Self::Numbers => 32,
        }
    }
}

/// A sorted run of entries.
///
/// ```text
/// starts    (buckets + 1) × 4 octets, little-endian: where each bucket starts among the entries
/// entries   in the order of their keys; a key's bucket is key × buckets / keys there can be
/// ```
pub(crate) struct Segment {
    pub(crate) kind: Kind,
    octets: Octets,
    pub(crate) buckets: u64,
    /// How many entries there are.
    pub(crate) count: u64,
    /// The position in whose file it is, once it is in one.
    pub(crate) filed: OnceLock<u64>,
}

impl Segment {
    pub(crate) fn empty(kind: Kind) -> Self {
        Builder::new(kind, 0, 0).finish()
    }

    /// A segment whose octets are in the file of this position; `None` where they cannot be one.
    pub(crate) fn of_file(kind: Kind, octets: Octets, buckets: u64, count: u64, at: u64) -> Option<Self> {
        let starts = usize::try_from(buckets).ok()?.checked_add(1)?.checked_mul(4)?;
        (buckets > 0 && starts <= octets.len()).then_some(Self {
            kind,
            octets,
            buckets,
            count,
            filed: OnceLock::from(at),
        })
    }

    /// All octets, as they are filed.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The octets of the buckets in which keys of this range lie.
    pub(crate) fn run(&self, keys: Range<u64>) -> &[u8] {
        let bucket = |key| bucket(self.kind, self.buckets, key);
        let (first, last) = (bucket(keys.start), bucket(keys.end.saturating_sub(1)));
        let run = self.start(first).zip(self.start(last + 1));
        run.and_then(|(start, end)| self.entries().get(start..end)).unwrap_or_default()
    }

    /// The octets that tell where the bucket of a key starts, not looked at.
    pub(crate) fn start_of(&self, key: u64) -> &[u8] {
        let start = bucket(self.kind, self.buckets, key) as usize * 4;
        self.octets.get(start..start + 4).unwrap_or_default()
    }

    /// All entries.
    pub(crate) fn entries(&self) -> &[u8] {
        self.octets.get(self.starts()..).unwrap_or_default()
    }

    /// Octets of the entries, and of what finds them.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.entries().len(), self.starts())
    }

    const fn starts(&self) -> usize {
        (self.buckets as usize + 1) * 4
    }

    fn start(&self, bucket: u64) -> Option<usize> {
        let octets = self.octets.get(bucket as usize * 4..)?.first_chunk()?;
        Some(u32::from_le_bytes(*octets) as usize)
    }
}

/// Asks for octets of a run that may be looked at soon, every line of memory at once: by themselves
/// lines would be waited for one after the other. Without effect but on time.
pub(crate) fn fetch(run: &[u8], of: Range<usize>) {
    for at in of.step_by(LINE) {
        black_box(run.get(at).copied());
    }
}

/// The same of many runs, the first line of each.
pub(crate) fn fetch_all<'o>(runs: impl Iterator<Item = &'o [u8]>) {
    // Where they are is known before the first is asked for, so that the processor waits for all at once.
    let runs: Vec<_> = runs.collect();
    for run in runs {
        black_box(run.first().copied());
    }
}

const fn bucket(kind: Kind, buckets: u64, key: u64) -> u64 {
    ((key as u128 * buckets as u128) >> kind.bits()) as u64
}

/// Makes a segment from entries in order.
pub(crate) struct Builder {
    kind: Kind,
    octets: Buffer,
    entry: Vec<u8>,
    buckets: u64,
    /// Buckets whose start is written.
    begun: u64,
    count: u64,
}

impl Builder {
    /// For about so many entries and octets.
    pub(crate) fn new(kind: Kind, count: u64, octets: usize) -> Self {
        let buckets = (count / kind.crowd()).max(1);
        let starts = (buckets as usize + 1) * 4;
        let mut all = Buffer::new(starts + octets);
        (0..=buckets).for_each(|_| all.put(&[0; 4]));
        Self { kind, octets: all, entry: Vec::new(), buckets, begun: 0, count: 0 }
    }

    /// Adds an entry; its key is not below the one before.
    pub(crate) fn push(&mut self, key: u64, put: impl FnOnce(&mut Vec<u8>)) {
        self.begin(bucket(self.kind, self.buckets, key));
        self.entry.clear();
        put(&mut self.entry);
        self.octets.put(&self.entry);
        self.count += 1;
    }

    /// Writes where buckets start, up to and with this one.
    fn begin(&mut self, bucket: u64) {
        let starts = (self.buckets as usize + 1) * 4;
        let start = (self.octets.len() - starts) as u32;
        while self.begun <= bucket {
            self.octets.set(self.begun as usize * 4, &start.to_le_bytes());
            self.begun += 1;
        }
    }

    pub(crate) fn finish(mut self) -> Segment {
        self.begin(self.buckets);
        let Self { kind, octets, buckets, count, .. } = self;
        Segment { kind, octets: octets.finish(), buckets, count, filed: OnceLock::new() }
    }
}
