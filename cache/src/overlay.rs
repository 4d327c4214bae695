//! Changes since a segment was made: small sorted blocks, each replaced as a whole.
//!
//! A changed overlay is a new one that shares the blocks that did not change, so whoever reads the
//! former one is not disturbed.

use std::sync::Arc;

/// Blocks by the highest bits of a key.
#[derive(Clone)]
pub(crate) struct Overlay<T> {
    blocks: Box<[Arc<[T]>]>,
    shift: u32,
    /// A bit for each eighth part of a change expected: where it is not set, nothing changed. Most
    /// readers look no further.
    changed: Box<[u64]>,
    /// How many entries there are in all blocks.
    pub(crate) count: usize,
}

impl<T> Overlay<T> {
    /// Nothing changed yet, of keys of so many bits; laid out for `expected` changes. A block more is
    /// an owner more to count with every batch, a larger one more to copy with every change: measured,
    /// some 32 changes a block cost least.
    pub(crate) fn new(bits: u32, expected: usize) -> Self {
        let blocks = (expected / 32).next_power_of_two().clamp(16, 1024);
        let none: Arc<[T]> = Arc::default();
        let shift = bits - blocks.trailing_zeros();
        let changed = vec![0; (expected / 8).next_power_of_two()].into_boxed_slice();
        Self { blocks: std::iter::repeat_n(none, blocks).collect(), shift, changed, count: 0 }
    }

    /// Word and bit that tell whether anything changed under a mark.
    const fn bit(&self, mark: u64) -> (usize, u64) {
        ((mark as usize / 64) & (self.changed.len() - 1), 1 << (mark % 64))
    }

    /// Whether anything may have changed under this mark.
    pub(crate) fn may_have(&self, mark: u64) -> bool {
        let (word, bit) = self.bit(mark);
        self.changed.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Says that something changed under this mark.
    pub(crate) fn mark(&mut self, mark: u64) {
        let (word, bit) = self.bit(mark);
        if let Some(word) = self.changed.get_mut(word) {
            *word |= bit;
        }
    }

    /// The number of a key's block.
    pub(crate) const fn block_of(&self, key: u64) -> usize {
        (key >> self.shift) as usize
    }

    /// The entries among which a key's is, if there is one.
    pub(crate) fn block(&self, key: u64) -> &[T] {
        self.blocks.get(self.block_of(key)).map_or(&[], |block| block)
    }

    /// Puts another block in place of one; the entries became `more`, or fewer.
    pub(crate) fn replace(&mut self, block: usize, entries: Arc<[T]>, more: isize) {
        if let Some(slot) = self.blocks.get_mut(block) {
            *slot = entries;
            self.count = self.count.saturating_add_signed(more);
        }
    }

    /// Every block, in the order of keys.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &[T]> {
        self.blocks.iter().map(|block| &**block)
    }

    /// Octets it takes, about.
    pub(crate) fn octets(&self) -> usize {
        let heads = self.blocks.len() * size_of::<Arc<[T]>>() + self.changed.len() * 8;
        let filled = self.blocks.iter().filter(|block| !block.is_empty());
        heads + filled.map(|block| size_of_val(&**block) + 32).sum::<usize>()
    }
}
