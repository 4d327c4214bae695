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
    /// How many entries there are in all blocks.
    pub(crate) count: usize,
}

impl<T> Overlay<T> {
    /// Nothing changed yet, of keys of so many bits; laid out for `expected` changes.
    pub(crate) fn new(bits: u32, expected: usize) -> Self {
        let blocks = (expected / 16).next_power_of_two().clamp(16, 1024);
        let none: Arc<[T]> = Arc::default();
        let shift = bits - blocks.trailing_zeros();
        Self { blocks: std::iter::repeat_n(none, blocks).collect(), shift, count: 0 }
    }

    /// The number of a key's block.
    pub(crate) const fn block_of(&self, key: u64) -> usize {
        (key >> self.shift) as usize
    }

    /// The entries among which a key's is, if there is one.
    pub(crate) fn block(&self, key: u64) -> &[T] {
        if self.count == 0 {
            return &[];
        }
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
        let heads = self.blocks.len() * size_of::<Arc<[T]>>();
        let filled = self.blocks.iter().filter(|block| !block.is_empty());
        heads + filled.map(|block| size_of_val(&**block) + 32).sum::<usize>()
    }
}
