//! Truncated, flipped, reordered, dropped, foreign: whoever alters a chain is found out, and the
//! first broken record is named.

use gateway::audit::{Class, Keys};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::fixture::lines;
use crate::{Folder, MORNING, secret};

const HOUR: i64 = 3_600_000;
/// Octets of heads, as the files have them.
const FILE_HEAD: usize = 128;
/// Octets of a frame of one record: head, record, tag.
const FRAME: usize = 96 + 144 + 16;

/// Three days of answers: 8 on the first, 24 on the second, 8 on the third.
fn three_days() -> Folder {
    let folder = Folder::new();
    folder.answers(MORNING + 7 * HOUR, HOUR, 40);
    assert_eq!(folder.files(Class::Answers).len(), 3);
    folder
}

/// The number of the record whose frame begins here, in the file of the second day.
fn record_at(octet: usize) -> u64 {
    8 + ((octet - FILE_HEAD) / FRAME) as u64
}

#[test]
fn a_chain_over_days_and_starts_holds() {
    let folder = three_days();
    folder.answers(MORNING + 72 * HOUR, 1, 5);
    folder.answers(MORNING + 72 * HOUR, 1, 5);
    let holds = folder.verify(Class::Answers).unwrap();
    assert_eq!((holds.files, holds.records, holds.opened), (5, 50, true));
    assert!(holds.notes.is_empty(), "{holds}");
    assert_eq!(folder.follow(Class::Answers).unwrap().records, 50);
    // The clock stepping back makes no file before the newest.
    folder.answers(MORNING, 1, 1);
    assert_eq!(folder.verify(Class::Answers).unwrap().files, 6);
}

#[test]
fn every_flipped_octet_is_found_and_its_record_named() {
    let folder = three_days();
    let path = &folder.files(Class::Answers)[1];
    let sound = std::fs::read(path).unwrap();
    let mut random = StdRng::seed_from_u64(11);
    for _ in 0..300 {
        let at = random.random_range(0..sound.len());
        let mut flipped = sound.clone();
        flipped[at] ^= 1 << random.random_range(0..8);
        std::fs::write(path, &flipped).unwrap();
        let broken = folder.verify(Class::Answers).expect_err("found");
        if at >= FILE_HEAD {
            assert_eq!(broken.record, record_at(at), "octet {at}: {broken}");
        }
        // Without a key it is found at the latest where the next frame should follow.
        let followed = folder.follow(Class::Answers).expect_err("found");
        assert!(followed.record <= broken.record + 1, "octet {at}: {followed}");
    }
    std::fs::write(path, &sound).unwrap();
    folder.verify(Class::Answers).unwrap();
}

#[test]
fn every_cut_is_found() {
    let folder = three_days();
    for file in folder.files(Class::Answers) {
        let sound = std::fs::read(&file).unwrap();
        for cut in (0..sound.len()).step_by(37).chain((FILE_HEAD..sound.len()).step_by(FRAME)) {
            std::fs::write(&file, &sound[..cut]).unwrap();
            folder.verify(Class::Answers).expect_err("found with a key");
            folder.follow(Class::Answers).expect_err("found without");
        }
        std::fs::write(&file, &sound).unwrap();
    }
    folder.verify(Class::Answers).unwrap();
}

#[test]
fn reordered_frames_and_files_are_found() {
    let folder = three_days();
    let files = folder.files(Class::Answers);
    let sound = std::fs::read(&files[1]).unwrap();
    let (first, second) = (FILE_HEAD + 3 * FRAME, FILE_HEAD + 9 * FRAME);
    let mut swapped = sound.clone();
    swapped[first..first + FRAME].copy_from_slice(&sound[second..second + FRAME]);
    swapped[second..second + FRAME].copy_from_slice(&sound[first..first + FRAME]);
    std::fs::write(&files[1], &swapped).unwrap();
    assert_eq!(folder.verify(Class::Answers).unwrap_err().record, record_at(first));
    assert_eq!(folder.follow(Class::Answers).unwrap_err().record, record_at(first));
    std::fs::write(&files[1], &sound).unwrap();

    let other = files[0].with_file_name("swap");
    std::fs::rename(&files[0], &other).unwrap();
    std::fs::rename(&files[1], &files[0]).unwrap();
    std::fs::rename(&other, &files[1]).unwrap();
    let broken = folder.verify(Class::Answers).unwrap_err();
    assert!(broken.why.contains("renamed"), "{broken}");
}

#[test]
fn a_missing_file_is_found_wherever_it_was() {
    for missing in 0..3 {
        let folder = three_days();
        std::fs::remove_file(&folder.files(Class::Answers)[missing]).unwrap();
        let broken = folder.verify(Class::Answers).unwrap_err();
        assert!(broken.why.contains("missing"), "{broken}");
        assert_eq!(broken.record, [0, 8, 32][missing], "{broken}");
        folder.follow(Class::Answers).unwrap_err();
        // Going on afterwards does not heal it.
        folder.answers(MORNING + 72 * HOUR, 1, 3);
        folder.verify(Class::Answers).unwrap_err();
        folder.follow(Class::Answers).unwrap_err();
    }
}

#[test]
fn a_forger_without_the_key_is_found() {
    let folder = three_days();
    // The same days again, by one who has another key and knows everything else.
    let forged = Folder::new();
    secret(&forged.config.sealing_keys[0], [9; 32]);
    forged.answers(MORNING + 7 * HOUR, HOUR, 40);
    for (ours, theirs) in folder.files(Class::Answers).iter().zip(forged.files(Class::Answers)) {
        std::fs::copy(theirs, ours).unwrap();
    }
    let mark = |folder: &Folder| folder.config.folder.join("answers/synced");
    std::fs::copy(mark(&forged), mark(&folder)).unwrap();
    folder.follow(Class::Answers).expect("a chain of its own");
    folder.verify(Class::Answers).expect_err("not with our key");
    // And with the forger's key, our files are not theirs.
    let honest = three_days();
    let theirs = Keys::read(&forged.config).unwrap();
    gateway::audit::verify(&honest.config.folder, Class::Answers, &theirs).expect_err("not theirs");
}

#[test]
fn a_torn_end_is_told_and_everything_before_it_holds() {
    let folder = Folder::new();
    folder.answers(MORNING, 1, 10);
    let file = &folder.files(Class::Answers)[0];
    let sound = std::fs::read(file).unwrap();
    for torn in [1, 95, 96, 97, FRAME - 1] {
        // Half of another frame, as a crash leaves it.
        let frame = &sound[sound.len() - FRAME..][..torn];
        std::fs::write(file, [sound.as_slice(), frame].concat()).unwrap();
        let holds = folder.verify(Class::Answers).unwrap();
        assert_eq!((holds.records, holds.notes.len()), (10, 1), "{holds}");
        assert_eq!(lines(&folder.config.folder, &folder.keys()).len(), 10);
    }
    // The next start goes on behind it, and its file says so.
    folder.answers(MORNING, 1, 10);
    let holds = folder.verify(Class::Answers).unwrap();
    assert_eq!((holds.records, holds.notes.len()), (20, 1), "{holds}");
    assert_eq!(lines(&folder.config.folder, &folder.keys()).len(), 20);
    // What lies behind the end that the next file tells of is nobody's record: cutting it is no loss,
    // cutting more is.
    std::fs::write(file, &sound).unwrap();
    assert!(folder.verify(Class::Answers).unwrap().notes.is_empty());
    std::fs::write(file, &sound[..sound.len() - 1]).unwrap();
    assert_eq!(folder.verify(Class::Answers).unwrap_err().record, 9);
}

#[test]
fn a_file_that_a_crash_left_unbegun_is_told_and_holds_nothing() {
    let folder = Folder::new();
    let next = folder.config.folder.join("answers/2026-11-21-0001.audit");
    std::fs::create_dir_all(next.parent().unwrap()).unwrap();
    for records in [0, 10, 20] {
        let next = next.with_file_name(format!("2026-11-21-{:04}.audit", 1 + records / 5));
        for octets in [0, 1, 127] {
            drop(folder.open());
            std::fs::write(&next, vec![b'S'; octets]).unwrap();
            let holds = folder.verify(Class::Answers).unwrap();
            assert_eq!((holds.records, holds.notes.len()), (records, 1), "{octets}: {holds}");
            assert_eq!(lines(&folder.config.folder, &folder.keys()).len() as u64, records);
        }
        // The next start takes it out of the way.
        folder.answers(MORNING, 1, 10);
        assert!(folder.verify(Class::Answers).unwrap().notes.is_empty());
    }
    // One that was begun and is cut to less is missed.
    let cut = std::fs::File::options().write(true).open(next.with_file_name("2026-11-21-0006.audit"));
    cut.unwrap().set_len(100).unwrap();
    assert_eq!(folder.verify(Class::Answers).unwrap_err().record, 20);
}

#[test]
fn retention_drops_whole_files_and_the_chain_still_holds() {
    let folder = three_days();
    let keep = gateway::config::KeepDays { answers: 1, ..gateway::config::KeepDays::default() };
    let now = eligibility::day::Timestamp::from_millis(MORNING + 40 * HOUR);
    let oldest = folder.files(Class::Answers)[0].clone();
    let whole = std::fs::read(&oldest).unwrap();
    for _ in 0..2 {
        let audit = folder.open();
        assert_eq!(audit.drop_old(now, &keep).len(), 1, "the day before yesterday");
        drop(audit);
        let holds = folder.verify(Class::Answers).unwrap();
        assert_eq!((holds.files, holds.dropped, holds.records), (3, 1, 32));
        // A crash before the file was taken away: it is there still, beside what is left of it.
        std::fs::write(&oldest, &whole).unwrap();
        let holds = folder.verify(Class::Answers).unwrap();
        assert_eq!((holds.files, holds.dropped, holds.records), (3, 0, 40));
    }
    std::fs::remove_file(&oldest).unwrap();
    folder.answers(MORNING + 96 * HOUR, 1, 3);
    let audit = folder.open();
    let later = eligibility::day::Timestamp::from_millis(MORNING + 400 * HOUR);
    assert_eq!(audit.drop_old(later, &keep).len(), 2, "the newest stays");
    drop(audit);
    folder.answers(MORNING + 400 * HOUR, 1, 3);
    let holds = folder.verify(Class::Answers).unwrap();
    assert_eq!((holds.dropped, holds.records), (3, 6));
    // What is left of a file cannot be made by one who has no key, nor altered.
    let stub = &folder.files(Class::Answers)[1];
    let sound = std::fs::read(stub).unwrap();
    for at in 0..sound.len() {
        let mut flipped = sound.clone();
        flipped[at] ^= 4;
        std::fs::write(stub, &flipped).unwrap();
        folder.verify(Class::Answers).expect_err("found");
    }
}

#[test]
fn a_key_changes_while_writing_and_both_are_read() {
    let mut folder = Folder::new();
    let audit = folder.open();
    assert!(audit.record(&crate::answer(1, MORNING)).wait());
    for (keys, name) in [
        (&mut folder.config.sealing_keys, "audit-2.key"),
        (&mut folder.config.pseudonym_keys, "pseudonym-2.key"),
    ] {
        let path = folder.folder.path().join(name);
        secret(&path, [5; 32]);
        keys.insert(0, path);
    }
    audit.change_keys(folder.keys());
    assert!(audit.record(&crate::answer(1, MORNING + 1)).wait());
    drop(audit);
    let holds = folder.verify(Class::Answers).unwrap();
    assert_eq!((holds.files, holds.records), (2, 2));
    folder.config.sealing_keys.pop();
    let broken = folder.verify(Class::Answers).unwrap_err();
    assert!(broken.why.contains("was not given"), "{broken}");
}

#[test]
fn a_key_that_others_may_read_and_a_folder_in_use_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let audit = folder.open();
    let Err(error) = gateway::audit::Audit::open(&folder.config) else { panic!("two writers") };
    assert!(error.to_string().contains("in use"), "{error}");
    drop(audit);
    let key = &folder.config.sealing_keys[0];
    std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let Err(error) = gateway::audit::Audit::open(&folder.config) else { panic!("a key for all") };
    assert!(error.to_string().contains("audit.key"), "{error}");
}
