//! The octets of audit files: one head, then sealed frames, each bound to the one before.
//!
//! Heads are in the clear, so that a chain can be followed without any key; what a record says is not.
//! Knows octets and cryptography, no file.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{digest, hkdf};
use eligibility::day::{Day, Timestamp};

use super::class::Class;
use super::key::{KeyId, Sealing};

/// The version of both heads. Another layout is another version, and this one stays readable.
const VERSION: u8 = 1;
const FILE_MAGIC: [u8; 8] = *b"SKAUDIT\0";
const FRAME_MAGIC: [u8; 4] = *b"SKFR";
/// Octets of the head of a file.
pub(super) const FILE_HEAD: usize = 128;
/// Octets of the head of a frame.
pub(super) const FRAME_HEAD: usize = 96;
/// Octets by which sealing makes a body longer.
pub(super) const TAG: usize = 16;
/// Longest body: what a reader is ready to hold.
pub(super) const LONGEST: u32 = 64 << 20;

/// SHA-256.
pub(super) type Hash = [u8; 32];

/// The head of a file.
///
/// ```text
///   0  8  "SKAUDIT", 0            48  8  number of its first record
///   8  1  version, 1              56 32  hash of the last frame of the file before, or zeros
///   9  1  class                   88  8  octets of the file before that hold
///  10  2  0                       96 16  the chain, drawn when it began
///  12  4  day (days since 1970)  112  4  number of the file within its day
///  16  4  key id                 116 12  0
///  20  4  0
///  24 16  salt of its key
///  40  8  number of its first frame
/// ```
/// Numbers are little-endian. A file is written by one start of the gateway; its key is made of the
/// sealing secret and the salt, so no two files share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileHead {
    pub(super) class: Class,
    pub(super) day: Day,
    pub(super) part: u32,
    pub(super) key: KeyId,
    pub(super) salt: [u8; 16],
    pub(super) chain: [u8; 16],
    pub(super) first_frame: u64,
    pub(super) first_record: u64,
    pub(super) before: Hash,
    /// Octets of the file before that hold; what lies behind them was torn by a crash.
    pub(super) before_end: u64,
}

/// The head of a frame; its sealed body follows.
///
/// ```text
///   0  4  "SKFR"                  32  8  time of its first record (ms since 1970)
///   4  1  version, 1              40  8  time of its last record
///   5  1  class                   48  4  key id
///   6  2  0                       52  4  0
///   8  4  octets of the body      56  8  count of seals of this file (the nonce)
///  12  4  count of records        64 32  hash of what lies before: frame, or head of the file
///  16  8  number of the frame     96  …  body: AES-256-GCM, with this head as associated data
///  24  8  number of its first record
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FrameHead {
    pub(super) class: Class,
    pub(super) octets: u32,
    pub(super) count: u32,
    pub(super) number: u64,
    pub(super) first_record: u64,
    pub(super) first_at: Timestamp,
    pub(super) last_at: Timestamp,
    pub(super) key: KeyId,
    pub(super) seals: u64,
    pub(super) before: Hash,
}

impl FileHead {
    pub(super) fn to_octets(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(FILE_HEAD);
        octets.extend(FILE_MAGIC);
        octets.extend([VERSION, self.class.number(), 0, 0]);
        octets.extend(self.day.number().to_le_bytes());
        octets.extend(self.key.0.to_le_bytes());
        octets.extend([0; 4]);
        octets.extend(self.salt);
        octets.extend(self.first_frame.to_le_bytes());
        octets.extend(self.first_record.to_le_bytes());
        octets.extend(self.before);
        octets.extend(self.before_end.to_le_bytes());
        octets.extend(self.chain);
        octets.extend(self.part.to_le_bytes());
        octets.extend([0; 12]);
        octets
    }

    /// `None` when this is no head of a file.
    pub(super) fn of_octets(octets: &[u8; FILE_HEAD]) -> Option<Self> {
        let mut fields = Fields(octets);
        let magic: [u8; 8] = fields.take()?;
        let [version, class, 0, 0] = fields.take()? else { return None };
        if magic != FILE_MAGIC || version != VERSION {
            return None;
        }
        let class = Class::of_number(class)?;
        let (day, key) = (i32::from_le_bytes(fields.take()?), u32::from_le_bytes(fields.take()?));
        let [0, 0, 0, 0] = fields.take()? else { return None };
        let head = Self {
            class,
            day: Day::from_number(day),
            key: KeyId(key),
            salt: fields.take()?,
            first_frame: u64::from_le_bytes(fields.take()?),
            first_record: u64::from_le_bytes(fields.take()?),
            before: fields.take()?,
            before_end: u64::from_le_bytes(fields.take()?),
            chain: fields.take()?,
            part: u32::from_le_bytes(fields.take()?),
        };
        (fields.0 == [0; 12]).then_some(head)
    }
}

impl FrameHead {
    pub(super) fn to_octets(&self) -> [u8; FRAME_HEAD] {
        let mut octets = [0; FRAME_HEAD];
        let mut left = octets.as_mut_slice();
        let mut put = |field: &[u8]| {
            if let Some((place, rest)) = std::mem::take(&mut left).split_at_mut_checked(field.len()) {
                place.copy_from_slice(field);
                left = rest;
            }
        };
        put(&FRAME_MAGIC);
        put(&[VERSION, self.class.number(), 0, 0]);
        put(&self.octets.to_le_bytes());
        put(&self.count.to_le_bytes());
        put(&self.number.to_le_bytes());
        put(&self.first_record.to_le_bytes());
        put(&self.first_at.millis().to_le_bytes());
        put(&self.last_at.millis().to_le_bytes());
        put(&self.key.0.to_le_bytes());
        put(&[0; 4]);
        put(&self.seals.to_le_bytes());
        put(&self.before);
        octets
    }

    /// `None` when this is no head of a frame.
    pub(super) fn of_octets(octets: &[u8; FRAME_HEAD]) -> Option<Self> {
        let mut fields = Fields(octets);
        let magic: [u8; 4] = fields.take()?;
        let [version, class, 0, 0] = fields.take()? else { return None };
        if magic != FRAME_MAGIC || version != VERSION {
            return None;
        }
        let class = Class::of_number(class)?;
        let (body, count) = (u32::from_le_bytes(fields.take()?), u32::from_le_bytes(fields.take()?));
        let number = u64::from_le_bytes(fields.take()?);
        let first_record = u64::from_le_bytes(fields.take()?);
        let first_at = Timestamp::from_millis(i64::from_le_bytes(fields.take()?));
        let last_at = Timestamp::from_millis(i64::from_le_bytes(fields.take()?));
        let key = KeyId(u32::from_le_bytes(fields.take()?));
        let [0, 0, 0, 0] = fields.take()? else { return None };
        let (seals, before) = (u64::from_le_bytes(fields.take()?), fields.take()?);
        (body >= TAG as u32 && body <= LONGEST && count > 0).then_some(Self {
            class,
            octets: body,
            count,
            number,
            first_record,
            first_at,
            last_at,
            key,
            seals,
            before,
        })
    }
}

/// The key of one file.
pub(super) struct Seal(LessSafeKey);

impl Seal {
    /// `None` never happens: the lengths are right.
    pub(super) fn new(sealing: &Sealing, salt: &[u8; 16]) -> Option<Self> {
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(&sealing.secret);
        let okm = secret.expand(&[b"shikaku audit file"], &AES_256_GCM).ok()?;
        Some(Self(LessSafeKey::new(UnboundKey::from(okm))))
    }

    /// Appends the frame of these records to `out`: head, sealed body. Fills in the head's length.
    pub(super) fn seal(&self, mut head: FrameHead, records: &[u8], out: &mut Vec<u8>) -> Option<Hash> {
        head.octets = u32::try_from(records.len() + TAG).ok().filter(|octets| *octets <= LONGEST)?;
        let clear = head.to_octets();
        let begin = out.len();
        out.extend(clear);
        out.extend(records);
        let body = out.get_mut(begin + FRAME_HEAD..)?;
        let tag = self.0.seal_in_place_separate_tag(nonce(head.seals), Aad::from(&clear), body).ok()?;
        out.extend(tag.as_ref());
        Some(hash(out.get(begin..)?))
    }

    /// The records of a frame; `None` when it is not as it was sealed.
    pub(super) fn open<'b>(&self, head: &FrameHead, body: &'b mut [u8]) -> Option<&'b [u8]> {
        let clear = head.to_octets();
        self.0.open_in_place(nonce(head.seals), Aad::from(&clear), body).ok().map(|records| &*records)
    }
}

fn nonce(seals: u64) -> Nonce {
    let mut octets = [0; NONCE_LEN];
    if let Some(low) = octets.first_chunk_mut() {
        *low = seals.to_le_bytes();
    }
    Nonce::assume_unique_for_key(octets)
}

pub(super) fn hash(octets: &[u8]) -> Hash {
    digest::digest(&digest::SHA256, octets).as_ref().first_chunk().copied().unwrap_or_default()
}

/// Fields of fixed octets, one after the other.
pub(super) struct Fields<'o>(pub(super) &'o [u8]);

impl Fields<'_> {
    pub(super) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }
}
