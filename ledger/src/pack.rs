//! The rows of one batch as octets: what is kept of each row, and all bodies compressed together.
//!
//! ```text
//! stubs     a row after the other: flags, what they say, length of its body, hash
//!           then the CRC-32 of all that, little endian
//! flags     0000dpqr     r refused, q its sequence follows, p its previous position follows,
//!                        d its line was kept for long enough and is gone
//! sequence  difference to the one before in the batch, the first to 0, zigzag
//! previous  how many positions before the batch's own
//! bodies    one zstd frame with dictionary 1 and a checksum: the lines as received, and of refused
//!           rows the JSON of `Refused`, without anything between them
//! ```
//!
//! Numbers are seven bits an octet, the lowest first. What the feeder sent is kept letter for letter:
//! a row's hash is that of its line, and reading compares them.

use std::sync::LazyLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

/// Format of packs that this program writes.
pub(crate) const FORMAT: i64 = 1;
/// Faster levels do not exist; slower ones gain a twentieth and take twice as long.
const LEVEL: i32 = 1;
/// Never changes: batches were written with it.
const DICTIONARY: &[u8] = include_bytes!("pack/1.zdict");
/// What one batch may hold at the most, unpacked: a length beyond it was never written.
const MOST_OCTETS: usize = 1 << 30;

const REFUSED: u8 = 1;
const SEQUENCE: u8 = 1 << 1;
const PREVIOUS: u8 = 1 << 2;
const DROPPED: u8 = 1 << 3;

static WRITING: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
static READING: LazyLock<DecoderDictionary<'static>> = LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

/// What is kept of a row beside its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stub {
    pub(crate) refused: bool,
    /// Its line was kept for long enough and is gone.
    pub(crate) dropped: bool,
    pub(crate) sequence: Option<u64>,
    pub(crate) previous: Option<u64>,
    pub(crate) hash: [u8; 16],
    /// Octets of its body.
    pub(crate) length: usize,
}

/// Writes the stubs of a batch at this position.
pub(crate) fn stubs(position: u64, all: &[Stub]) -> Vec<u8> {
    let mut out = Vec::with_capacity(all.len() * 24 + 4);
    let mut before = 0_u64;
    for stub in all {
        let flag = |is, flag| if is { flag } else { 0 };
        out.push(
            flag(stub.refused, REFUSED)
                | flag(stub.dropped, DROPPED)
                | flag(stub.sequence.is_some(), SEQUENCE)
                | flag(stub.previous.is_some(), PREVIOUS),
        );
        if let Some(sequence) = stub.sequence {
            put_number(&mut out, zigzag(sequence.wrapping_sub(before)));
            before = sequence;
        }
        if let Some(previous) = stub.previous {
            put_number(&mut out, position.wrapping_sub(previous));
        }
        put_number(&mut out, stub.length as u64);
        out.extend_from_slice(&stub.hash);
    }
    out.extend_from_slice(&crc32fast::hash(&out).to_le_bytes());
    out
}

/// What [`stubs`] wrote for a batch at this position; `None` when it is anything else.
pub(crate) fn read_stubs(position: u64, octets: &[u8]) -> Option<Vec<Stub>> {
    let (said, sum) = octets.split_last_chunk()?;
    if crc32fast::hash(said) != u32::from_le_bytes(*sum) {
        return None;
    }
    let mut rest = said;
    let mut before = 0_u64;
    let mut all = Vec::with_capacity(said.len() / 20);
    while let Some((flags, after)) = rest.split_first() {
        rest = after;
        let sequence = match flags & SEQUENCE {
            0 => None,
            _ => Some(before.wrapping_add(unzigzag(number(&mut rest)?))),
        };
        before = sequence.unwrap_or(before);
        let previous = match flags & PREVIOUS {
            0 => None,
            _ => Some(position.wrapping_sub(number(&mut rest)?)),
        };
        let length = usize::try_from(number(&mut rest)?).ok()?;
        let (hash, after) = rest.split_first_chunk()?;
        rest = after;
        let (refused, dropped) = (flags & REFUSED != 0, flags & DROPPED != 0);
        all.push(Stub { refused, dropped, sequence, previous, hash: *hash, length });
    }
    Some(all)
}

/// Compresses bodies, one behind the other.
pub(crate) fn compress<'b>(bodies: impl Iterator<Item = &'b [u8]> + Clone) -> Vec<u8> {
    let mut whole = Vec::with_capacity(bodies.clone().map(<[u8]>::len).sum());
    bodies.for_each(|body| whole.extend_from_slice(body));
    Compressor::with_prepared_dictionary(&WRITING)
        .and_then(|mut compressor| {
            compressor.include_checksum(true)?;
            compressor.compress(&whole)
        })
        .expect("memory to memory, with a dictionary of our own")
}

/// The bodies that [`compress`] was given, as these stubs divide them; `None` when it is anything else.
pub(crate) fn decompress(stubs: &[Stub], octets: &[u8]) -> Option<Vec<u8>> {
    let length = stubs.iter().try_fold(0_usize, |sum, stub| sum.checked_add(stub.length))?;
    if length > MOST_OCTETS {
        return None;
    }
    let mut decompressor = Decompressor::with_prepared_dictionary(&READING).ok()?;
    decompressor.decompress(octets, length).ok().filter(|whole| whole.len() == length)
}

const fn zigzag(value: u64) -> u64 {
    (value << 1) ^ ((value as i64 >> 63) as u64)
}

const fn unzigzag(value: u64) -> u64 {
    (value >> 1) ^ (value & 1).wrapping_neg()
}

fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn number(octets: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (octet, rest) = octets.split_first()?;
        *octets = rest;
        value |= u64::from(octet & 0x7F) << shift;
        if octet & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stub() -> impl Strategy<Value = Stub> {
        let number = || prop_oneof![0..1000_u64, any::<u64>()];
        (
            any::<[bool; 2]>(),
            prop::option::of(number()),
            prop::option::of(number()),
            any::<[u8; 16]>(),
            0..9_usize,
        )
            .prop_map(|([refused, dropped], sequence, previous, hash, length)| Stub {
                refused,
                dropped,
                sequence,
                previous,
                hash,
                length,
            })
    }

    fn bodies_of(stubs: &[Stub]) -> Vec<u8> {
        stubs.iter().flat_map(|stub| stub.hash.into_iter().take(stub.length)).collect()
    }

    proptest! {
        #[test]
        fn a_pack_comes_back(position: u64, all in prop::collection::vec(stub(), 0..40)) {
            let octets = stubs(position, &all);
            let read = read_stubs(position, &octets);
            prop_assert_eq!(read.as_deref(), Some(all.as_slice()));
            let packed = compress(all.iter().map(|stub| &stub.hash[..stub.length]));
            prop_assert_eq!(decompress(&all, &packed), Some(bodies_of(&all)));
        }

        #[test]
        fn nothing_else_is_taken_for_one(all in prop::collection::vec(stub(), 1..5), at: prop::sample::Index, flip in 1..=255_u8) {
            let mut octets = stubs(7, &all);
            *at.get_mut(&mut octets) ^= flip;
            prop_assert_eq!(read_stubs(7, &octets), None);
            let mut packed = compress(all.iter().map(|stub| &stub.hash[..stub.length]));
            *at.get_mut(&mut packed) ^= flip;
            // Not every octet of a frame means something; none changes what it says.
            prop_assert!(decompress(&all, &packed).is_none_or(|whole| whole == bodies_of(&all)));
        }

        #[test]
        fn any_octets_can_be_read(octets: Vec<u8>, all in prop::collection::vec(stub(), 0..5)) {
            let _ = read_stubs(1, &octets);
            let _ = decompress(&all, &octets);
        }
    }

    #[test]
    fn the_dictionary_is_the_one_that_was() {
        assert_eq!((DICTIONARY.len(), crc32fast::hash(DICTIONARY)), (16_384, 0x7fd3_f66f));
    }
}
