//! Where things lie: places of people, spots, and the hashes of what people are looked for by.
//!
//! Files are made of these values, so the functions are our own and never change; another one is
//! another version of the file.

use eligibility::day::Day;
use eligibility::number::{LinkNumber, NumberKey, Serial};

/// Everything is cut into this many shards, by the highest bits of a place or a hash.
pub(crate) const SHARDS: usize = 64;

/// One more than the highest 紐付番号.
const LINKS: u64 = 10_000_000_000_000_000;
const BITS: u32 = 54;
const MASK: u64 = (1 << BITS) - 1;
/// Odd numbers and their inverses modulo 2^54.
const TURNS: [(u64, u64); 2] = [turn(0x9E37_79B9_7F4A_7C15), turn(0xD6E8_FEB8_6659_FD93)];

const fn turn(odd: u64) -> (u64, u64) {
    let mut inverse = odd;
    let mut round = 0;
    while round < 6 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        round += 1;
    }
    (odd & MASK, inverse & MASK)
}

/// Where a person is kept: the 54 bits of the 紐付番号, well mixed, so that places spread evenly
/// over shards and within them. The values above all 紐付番号 are drawers for cards of nobody.
///
/// ```text
/// 53    48 47                      22 21                    0
///  shard    key (48 bits, the order within the shard)
///  spot (32 bits, what an index says)
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place(u64);

/// The highest 32 bits of a place. Few people share one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Spot(pub(crate) u32);

impl Spot {
    pub(crate) const fn shard(self) -> usize {
        (self.0 >> 26) as usize
    }

    /// The first and the last key that lie there.
    pub(crate) const fn keys(self) -> (u64, u64) {
        let first = (self.0 as u64 & 0x03FF_FFFF) << 22;
        (first, first | 0x003F_FFFF)
    }
}

impl Place {
    pub(crate) const fn of(link: LinkNumber) -> Self {
        Self(mix(link.value()))
    }

    /// Where a card lies that is linked to nobody.
    pub(crate) const fn drawer(hash: Hash) -> Self {
        Self(mix(LINKS + hash.0 % (MASK + 1 - LINKS)))
    }

    pub(crate) const fn new(shard: usize, key: u64) -> Self {
        Self((shard as u64) << 48 | key)
    }

    /// Whose place it is; `None` for a drawer.
    pub(crate) fn link(self) -> Option<LinkNumber> {
        LinkNumber::from_value(unmix(self.0))
    }

    pub(crate) const fn shard(self) -> usize {
        (self.0 >> 48) as usize
    }

    pub(crate) const fn key(self) -> u64 {
        self.0 & 0xFFFF_FFFF_FFFF
    }

    pub(crate) const fn spot(self) -> Spot {
        Spot((self.0 >> 22) as u32)
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Place(…)")
    }
}

const fn mix(value: u64) -> u64 {
    let value = value ^ value >> 27;
    let value = value.wrapping_mul(TURNS[0].0) & MASK;
    let value = value ^ value >> 27;
    let value = value.wrapping_mul(TURNS[1].0) & MASK;
    value ^ value >> 27
}

// Shifting by half of the bits undoes itself.
const fn unmix(value: u64) -> u64 {
    let value = value ^ value >> 27;
    let value = value.wrapping_mul(TURNS[1].1) & MASK;
    let value = value ^ value >> 27;
    let value = value.wrapping_mul(TURNS[0].1) & MASK;
    value ^ value >> 27
}

/// The hash of a serial, or of a symbol, a number and a birth date.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Hash(pub(crate) u64);

impl Hash {
    pub(crate) const fn shard(self) -> usize {
        (self.0 >> 58) as usize
    }

    /// Its shard and its key there: all of it that an index knows.
    pub(crate) const fn way(self) -> u64 {
        self.0 >> 26
    }

    /// The 32 bits by which it stands in its shard of an index.
    pub(crate) const fn key(self) -> u32 {
        (self.0 >> 26) as u32
    }
}

/// How keys are hashed: with a seed of this memory's own, kept in its files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hashing {
    pub(crate) seed: u64,
}

impl Hashing {
    pub(crate) fn serial(self, serial: &Serial) -> Hash {
        self.octets(serial.octets(), 1)
    }

    pub(crate) fn number(self, key: &NumberKey, birth: Day) -> Hash {
        let start = u64::from(key.insurer().value()) << 32 | u64::from(birth.number() as u32);
        self.octets(key.spelled().as_bytes(), start)
    }

    fn octets(self, octets: &[u8], start: u64) -> Hash {
        let mut state = fold(self.seed ^ start, 0x243F_6A88_85A3_08D3);
        let (words, rest) = octets.as_chunks::<8>();
        for word in words {
            state = fold(state ^ u64::from_le_bytes(*word), 0x1319_8A2E_0370_7345);
        }
        let rest = rest.iter().fold(rest.len() as u64, |value, octet| value << 8 | u64::from(*octet));
        Hash(fold(fold(state ^ rest, 0xA409_3822_299F_31D1) ^ self.seed, 0x082E_FA98_EC4E_6C89))
    }
}

/// Both halves of the product, as one.
const fn fold(one: u64, other: u64) -> u64 {
    let product = one as u128 * other as u128;
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn places_lead_back(value in 0..LINKS, hash: u64) {
            let link = LinkNumber::from_value(value).unwrap();
            let place = Place::of(link);
            prop_assert_eq!(place.link(), Some(link));
            prop_assert_eq!(Place::new(place.shard(), place.key()), place);
            prop_assert_eq!(place.spot().shard(), place.shard());
            let (first, last) = place.spot().keys();
            prop_assert!((first..=last).contains(&place.key()));
            prop_assert_eq!(Place::drawer(Hash(hash)).link(), None);
        }
    }

    #[test]
    fn neighbours_spread_over_shards_and_keys() {
        let hashing = Hashing { seed: 7 };
        let serial = |n: u64| Serial::from_be_bytes(&n.to_be_bytes()).unwrap();
        let mut places = [0_u32; SHARDS];
        let mut hashes = [0_u32; SHARDS];
        for n in 0..64_000 {
            places[Place::of(LinkNumber::from_value(3_050_012_345_000_000 + n).unwrap()).shard()] += 1;
            hashes[hashing.serial(&serial(114_390_001 + n)).shard()] += 1;
        }
        assert!(
            places.iter().chain(&hashes).all(|count| (850..1150).contains(count)),
            "{places:?} {hashes:?}"
        );
    }
}
