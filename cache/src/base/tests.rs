use std::fs;

use super::*;
use crate::segment::Builder;

const FILED: Filed = Filed { kind: Kind::People, shard: 7, position: 79 };

fn segment() -> Segment {
    let mut builder = Builder::new(Kind::People, 40, 500);
    (0..40).for_each(|key| builder.push(key << 42, |out| out.extend_from_slice(&[key as u8; 9])));
    builder.finish()
}

fn is_damaged(folder: &Path) -> bool {
    matches!(read(folder, FILED, 5), Err(BaseError::Damaged(_) | BaseError::Io(..)))
}

#[test]
fn a_segment_comes_back_and_nothing_else_is_taken_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let made = segment();
    write(folder, FILED, 5, &made).unwrap();
    let again = read(folder, FILED, 5).unwrap();
    assert!(again.octets() == made.octets() && (again.buckets, again.count) == (made.buckets, made.count));
    assert_eq!(again.filed.get(), Some(&79));
    let path = folder.join(FILED.name());
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        for flip in [1, 0x80, 0xFF] {
            let mut other = whole.clone();
            other[at] ^= flip;
            fs::write(&path, other).unwrap();
            assert!(is_damaged(folder), "octet {at} of {}", whole.len());
        }
        fs::write(&path, &whole[..at]).unwrap();
        assert!(is_damaged(folder), "cut at {at}");
    }
    fs::write(&path, [&*whole, &[0]].concat()).unwrap();
    assert!(is_damaged(folder), "longer");
    fs::write(&path, &whole).unwrap();
    assert!(read(folder, FILED, 6).is_err(), "of another memory");
    let elsewhere = Filed { shard: 8, ..FILED };
    fs::rename(&path, folder.join(elsewhere.name())).unwrap();
    assert!(read(folder, elsewhere, 5).is_err(), "of another shard");
}

#[test]
fn names_come_back_and_nothing_else_is_taken_for_them() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Names::read(folder.path()), Err(BaseError::Missing)));
    let files = [vec![1; SHARDS], vec![2; SHARDS], vec![3; SHARDS]];
    let names = Names { position: 3, seed: 5, persons: 7, serials: 11, files, books: vec![1, 2, 3] };
    names.put(folder.path()).unwrap();
    assert!(Names::read(folder.path()).unwrap() == names);
    let whole = fs::read(folder.path().join(NAMES)).unwrap();
    for at in 0..whole.len() {
        let mut other = whole.clone();
        other[at] ^= 1;
        assert!(Names::checked(&other).is_none(), "octet {at}");
        assert!(Names::checked(&whole[..at]).is_none(), "cut at {at}");
    }
}
