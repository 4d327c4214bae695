//! The mark beside a chain: how far it is known to be on the disk.
//!
//! A chain that is cut at its end still follows from its beginning; only the mark tells. It is written
//! after each sync, and authenticated with the sealing secret.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use aws_lc_rs::hmac;
use eligibility::day::Day;

use super::class::Class;
use super::frame::Fields;
use super::key::{KeyId, Keys, Sealing};
use super::walk::Place;

const MAGIC: [u8; 8] = *b"SKSYNCD\0";
const VERSION: u8 = 1;
/// Octets before the authentication, and with it.
const CLEAR: usize = 96;
const OCTETS: usize = CLEAR + 32;
/// The name of the file.
const FILE: &str = "synced";

/// How far a chain is on the disk.
///
/// ```text
///  0  8  "SKSYNCD", 0      16 16  the chain          56  8  number of the next record
///  8  1  version, 1        32  4  day of the file    64 32  hash of the last frame
///  9  1  class             36  4  part of the file   96 32  HMAC-SHA-256 of all before
/// 10  2  0                 40  8  octets of the file
/// 12  4  key id            48  8  number of the next frame
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Synced {
    pub(super) class: Class,
    pub(super) chain: [u8; 16],
    pub(super) day: Day,
    pub(super) part: u32,
    pub(super) place: Place,
}

/// What the file beside a chain says.
#[derive(Debug)]
pub(super) enum Found {
    /// There is none.
    Nothing,
    /// It is not as it was written, or no key alive has written it.
    Unreadable,
    /// The mark.
    Mark(Synced),
}

impl Synced {
    fn to_octets(self, sealing: &Sealing) -> Vec<u8> {
        let mut octets = Vec::with_capacity(OCTETS);
        octets.extend(MAGIC);
        octets.extend([VERSION, self.class.number(), 0, 0]);
        octets.extend(sealing.id.0.to_le_bytes());
        octets.extend(self.chain);
        octets.extend(self.day.number().to_le_bytes());
        octets.extend(self.part.to_le_bytes());
        octets.extend(self.place.end.to_le_bytes());
        octets.extend(self.place.frame.to_le_bytes());
        octets.extend(self.place.record.to_le_bytes());
        octets.extend(self.place.before);
        let tag = authentication(sealing, &octets);
        octets.extend(tag.as_ref());
        octets
    }

    /// Writes the mark over the one before.
    pub(super) fn write(self, folder: &Path, sealing: &Sealing) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(folder.join(FILE))?;
        file.write_all_at(&self.to_octets(sealing), 0)
    }

    /// Reads the mark. With keys it must be authentic.
    pub(super) fn read(folder: &Path, keys: &Keys) -> io::Result<Found> {
        let file = match File::open(folder.join(FILE)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(error),
        };
        if file.metadata()?.len() == 0 {
            // A crash came between making the file and writing into it.
            return Ok(Found::Nothing);
        }
        let mut octets = [0; OCTETS];
        if file.read_exact_at(&mut octets, 0).is_err() {
            return Ok(Found::Unreadable);
        }
        let Some((mark, key)) = Self::of_octets(&octets) else { return Ok(Found::Unreadable) };
        if !keys.opens() {
            return Ok(Found::Mark(mark));
        }
        let authentic = keys.sealed_by(key).is_some_and(|sealing| {
            let (clear, tag) = octets.split_at(CLEAR);
            is_authentic(sealing, clear, tag)
        });
        Ok(if authentic { Found::Mark(mark) } else { Found::Unreadable })
    }

    fn of_octets(octets: &[u8; OCTETS]) -> Option<(Self, KeyId)> {
        let mut fields = Fields(octets);
        let magic: [u8; 8] = fields.take()?;
        let [VERSION, class, 0, 0] = fields.take()? else { return None };
        if magic != MAGIC {
            return None;
        }
        let class = Class::of_number(class)?;
        let key = KeyId(u32::from_le_bytes(fields.take()?));
        let chain = fields.take()?;
        let day = Day::from_number(i32::from_le_bytes(fields.take()?));
        let part = u32::from_le_bytes(fields.take()?);
        let end = u64::from_le_bytes(fields.take()?);
        let frame = u64::from_le_bytes(fields.take()?);
        let record = u64::from_le_bytes(fields.take()?);
        let place = Place { end, frame, record, before: fields.take()? };
        Some((Self { class, chain, day, part, place }, key))
    }
}

/// What shows that octets in the clear are of one who has the sealing secret.
pub(super) fn authentication(sealing: &Sealing, octets: &[u8]) -> hmac::Tag {
    hmac::sign(&authenticator(sealing), octets)
}

pub(super) fn is_authentic(sealing: &Sealing, octets: &[u8], tag: &[u8]) -> bool {
    hmac::verify(&authenticator(sealing), octets, tag).is_ok()
}

fn authenticator(sealing: &Sealing) -> hmac::Key {
    let secret = [b"shikaku audit mark".as_slice(), &sealing.secret].concat();
    hmac::Key::new(hmac::HMAC_SHA256, &secret)
}
