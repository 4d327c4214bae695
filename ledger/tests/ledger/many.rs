//! Several gateways on one server: one order of positions, what a server that is away means, and a
//! ledger that moves.

use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use eligibility::day::Timestamp;
use eligibility::feed::{Said, Source};
use eligibility::number::{LinkNumber, Serial};
use ledger::{Access, Batch, Ledger, LedgerError, Migrated, Options, Place, copy, migrate};
use tempfile::TempDir;

use crate::server::{Server, run, shared};
use crate::support::{Engine, House, NOW, insurer, link, mark, member, person, server};

/// Several gateways on one new database.
fn houses<const N: usize>() -> [House; N] {
    let url = shared().database();
    migrate(&server(&url, "migrate")).unwrap();
    let names = ["one", "two", "three"];
    std::array::from_fn(|at| House::at(TempDir::new().unwrap(), server(&url, names[at])))
}

/// Waits until this is so.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    #[expect(clippy::disallowed_methods, reason = "a test that waits needs an end")]
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn batches(house: &House) -> Vec<Batch> {
    house.followed.lock().unwrap().batches.clone()
}

fn position(house: &House) -> u64 {
    house.followed.lock().unwrap().batches.last().map_or(0, |batch| batch.position)
}

#[test]
fn what_one_takes_all_show() {
    let [one, two] = houses();
    let taken = one.feed(insurer(), &[member(1, 1, "a", ""), member(2, 2, "b", "")]);
    assert_eq!((taken.accepted, taken.generation), (2, 1));
    until("two shows it", || position(&two) == 1);
    // What one read is known to the other, who numbers on from it.
    let again = two.feed(insurer(), &[member(2, 2, "b", ""), member(3, 1, "c", "")]);
    assert_eq!((again.duplicates, again.accepted, again.generation), (1, 1, 2));
    until("one shows it", || position(&one) == 2);
    assert_eq!(batches(&one), batches(&two));
    let history = one.ledger().history(insurer(), person(1), 2, 9).unwrap();
    assert_eq!(history.iter().map(|told| told.position).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn a_card_linked_at_one_is_linked_at_all() {
    let [one, two] = houses();
    let says = |serial: &str, link| Said::Link {
        serial: Serial::parse(serial).unwrap(),
        link_number: LinkNumber::from_value(link),
    };
    assert_eq!(one.act(says("7", 1)).unwrap().committed_sequence, 1);
    // Not waited for: the other follows before it judges.
    assert_eq!(two.act(says("7", 2)), Err(LedgerError::LinkConflict));
    assert_eq!(two.act(says("8", 2)).unwrap().committed_sequence, 2);
    assert_eq!(one.feed(Source::Portal, &[link(1, 8, Some(9))]).quarantined.len(), 1);
}

#[test]
fn many_write_at_once_and_positions_have_no_gap() {
    const EACH: u64 = 40;
    let houses: [House; 3] = houses();
    let (told, outcomes) = channel();
    std::thread::scope(|scope| {
        for (at, house) in houses.iter().enumerate() {
            let told = told.clone();
            scope.spawn(move || {
                for n in 0..EACH {
                    // The same lines everywhere: each counts once, wherever it comes first.
                    let lines = [member(n + 1, n % 5 + 1, "a", "")];
                    let shared = house.feed(insurer(), &lines);
                    let serial = 1000 * (at as u64 + 1) + n;
                    let says = Said::Link {
                        serial: Serial::parse(&serial.to_string()).unwrap(),
                        link_number: LinkNumber::from_value(n + 1),
                    };
                    house.act(says).unwrap();
                    told.send((shared.accepted, shared.duplicates + shared.quarantined.len() as u64))
                        .unwrap();
                }
            });
        }
    });
    drop(told);
    let (accepted, others) = outcomes.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert_eq!(accepted + others, 3 * EACH);
    let last = houses.iter().map(position).max().unwrap();
    houses.iter().for_each(|house| until("all show the last", || position(house) == last));
    let all = batches(&houses[0]);
    assert_eq!(all.iter().map(|batch| batch.position).collect::<Vec<_>>(), (1..=last).collect::<Vec<_>>());
    assert!(houses.iter().all(|house| batches(house) == all));
    let rows = |source| all.iter().filter(move |batch| batch.source == source).flat_map(|batch| &batch.rows);
    let sequences: Vec<_> = rows(Source::Gateway).filter_map(|row| row.sequence).collect();
    assert_eq!(sequences, (1..=3 * EACH).collect::<Vec<_>>());
    let taken = rows(insurer()).filter(|row| matches!(row.content, ledger::Content::Accepted(_))).count();
    assert_eq!(taken as u64, accepted);
}

#[test]
fn a_month_that_lost_lines_is_another_partition_and_the_old_one_is_dropped() {
    const LINES: u64 = 3000;
    let server_of_tests = shared();
    let url = server_of_tests.database();
    let database = url.rsplit('/').next().unwrap().to_owned();
    let ask = |sql: &str| server_of_tests.psql(&database, sql).unwrap();
    migrate(&server(&url, "migrate")).unwrap();
    let house = House::at(TempDir::new().unwrap(), server(&url, "one"));
    let says = |round: u64| -> Vec<Vec<u8>> {
        (1..=LINES).map(|n| member(round * LINES + n, n, &format!("{round}"), "").into()).collect()
    };
    house.feed(insurer(), &says(0)[..2000]);
    house.feed(insurer(), &says(0)[2000..]);
    let old =
        "SELECT 'shikaku.batch_2026_11'::regclass::oid, pg_total_relation_size('shikaku.batch_2026_11')";
    let before = ask(old);
    // A month later everybody is spoken of again: what was said before is history.
    let later = Timestamp::parse("2026-12-21T09:00:00+09:00").unwrap();
    house.clock.store(later.millis(), Ordering::Relaxed);
    house.feed(insurer(), &says(1)[..2000]);
    house.feed(insurer(), &says(1)[2000..]);
    let replaced = house.ledger().reader().unwrap().replaced(insurer(), 4).unwrap();
    assert_eq!(replaced.rows(), LINES);
    house.ledger().delete(replaced).unwrap();
    let left = house.ledger().reader().unwrap().read(0, 9).unwrap();
    assert_eq!(house.ledger().give_back(Timestamp::parse(NOW).unwrap()).unwrap(), 0, "the month is not over");
    assert_eq!(house.ledger().give_back(later).unwrap(), 1);
    assert_eq!(house.ledger().give_back(later).unwrap(), 0, "once is enough");
    let after = ask(old);
    let parts = |text: &str| -> Vec<u64> { text.split('|').map(|part| part.parse().unwrap()).collect() };
    let (before, after) = (parts(&before), parts(&after));
    assert_ne!(before[0], after[0], "another table");
    assert!(after[1] < before[1], "{before:?} {after:?}");
    // Nothing else has changed, and what comes is taken as before.
    assert_eq!(house.ledger().reader().unwrap().read(0, 9).unwrap(), left);
    assert_eq!(house.ledger().reader().unwrap().replaced(insurer(), 4).unwrap().rows(), 0);
    let again = house.feed(insurer(), &[member(2, 2, "0", ""), member(2 * LINES + 1, 1, "2", "")]);
    assert_eq!((again.duplicates, again.accepted), (1, 1));
    assert_eq!(ask("SELECT count(*) FROM pg_inherits WHERE inhparent = 'shikaku.batch'::regclass"), "2");
    let indexes = "SELECT count(*) FROM pg_inherits JOIN pg_index ON indexrelid = inhrelid
         WHERE indrelid = 'shikaku.batch_2026_11'::regclass";
    assert_eq!(ask(indexes), "3", "it is found by the same ways");
}

#[test]
fn gateways_tell_each_other_how_far_they_are() {
    let [one, two] = houses();
    one.feed(insurer(), &[member(1, 1, "a", "")]);
    one.ledger().tell_held([(insurer(), 2)].into());
    until("two sees both", || {
        let standing = two.ledger().standing();
        let names: Vec<_> = standing.gateways.iter().map(|one| (&*one.name, one.position)).collect();
        standing.last == 1 && names == [("one", 1), ("two", 1)] && standing.held.get(&insurer()) == Some(&2)
    });
    assert!(two.ledger().holds_elsewhere(insurer()) && !one.ledger().holds_elsewhere(insurer()));
    one.ledger().tell_held([].into());
    until("released", || !two.ledger().holds_elsewhere(insurer()));
}

#[test]
fn a_server_that_is_away_is_told_and_comes_back() {
    let folder = TempDir::new().unwrap();
    let first = Server::new(folder.path(), None, "fsync = off");
    let url = first.database();
    migrate(&server(&url, "one")).unwrap();
    let house = House::at(TempDir::new().unwrap(), server(&url, "one"));
    house.feed(insurer(), &[member(1, 1, "a", "")]);
    drop(first);
    let away = house.try_feed(insurer(), &[member(2, 1, "b", "")]);
    assert!(matches!(away, Err(LedgerError::Away { .. })), "{away:?}");
    until("it is told", || house.ledger().standing().away.is_some());
    let _again = Server::start(folder.path(), None, "fsync = off");
    until("taken again", || house.try_feed(insurer(), &[member(2, 1, "b", "")]).is_ok());
    let taken = house.feed(insurer(), &[member(2, 1, "b", ""), member(3, 1, "c", "")]);
    assert_eq!((taken.duplicates, taken.accepted, taken.generation), (1, 1, 3));
    assert_eq!(house.ledger().read(0, 9).unwrap().len(), 3);
    until("told no more", || house.ledger().standing().away.is_none());
}

#[test]
fn another_history_is_not_followed() {
    let [house] = houses();
    house.feed(insurer(), &[member(1, 1, "a", "")]);
    house.feed(insurer(), &[member(2, 1, "b", "")]);
    let database = house.place.to_string().rsplit('/').next().unwrap().to_owned();
    // As if a standby had been promoted that had not got the last batch.
    let lose = "DELETE FROM shikaku.batch WHERE position = 2; UPDATE shikaku.counter SET position = 1;
                UPDATE shikaku.head SET committed_sequence = 1, position = 1;
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    shared().psql(&database, lose).unwrap();
    until("found", || house.ledger().standing().diverged);
    let refused = house.try_feed(insurer(), &[member(3, 1, "c", "")]);
    assert_eq!(refused, Err(LedgerError::Diverged { position: 2 }));
}

#[test]
fn only_known_schemas_and_usable_urls_are_opened() {
    let url = shared().database();
    let place = server(&url, "one");
    let open = || Ledger::open(place.clone(), Options::default()).map(drop);
    assert_eq!(open(), Err(LedgerError::OlderSchema { place: place.clone(), found: 0, known: 1 }));
    assert_eq!(migrate(&place), Ok(Migrated { from: 0, to: 1 }));
    assert_eq!(migrate(&place), Ok(Migrated { from: 1, to: 1 }));
    assert_eq!(open(), Ok(()));
    let database = url.rsplit('/').next().unwrap();
    shared().psql(database, "UPDATE shikaku.meta SET version = 2").unwrap();
    let newer = LedgerError::NewerSchema { place: place.clone(), found: 2, known: 1 };
    assert_eq!((open(), migrate(&place)), (Err(newer.clone()), Err(newer)));
    for url in ["postgres://u:secret@h/d", "postgres://u@h/d", "mysql://u@h/d", "sqlite:"] {
        let wrong = Place::of_url(url, &Access::default()).unwrap_err();
        assert!(
            matches!(&wrong, LedgerError::Url { .. }) && !wrong.to_string().contains("secret"),
            "{wrong}"
        );
    }
}

#[test]
fn a_ledger_moves_from_file_to_server_and_back() {
    let mut house = House::on(Engine::Sqlite);
    house.feed(insurer(), &[member(1, 1, "a", ""), "broken".to_owned(), member(1, 1, "b", "")]);
    house.feed(Source::Portal, &[link(1, 7, Some(1)), link(2, 7, Some(2))]);
    let dismissal = Said::Dismissal { of: insurer(), name: "1".into() };
    house.act(dismissal).unwrap();
    house.open_epoch(insurer(), 2).unwrap();
    house.feed(insurer(), &[mark(insurer(), 1, "2026-11-21T00:00:00Z", None).replace("}", r#","epoch":2}"#)]);
    let all = batches(&house);
    house.ledger.take().unwrap().close();

    let middle = server(&shared().database(), "one");
    migrate(&middle).unwrap();
    let mut steps = Vec::new();
    let sum = copy(&house.place, &middle, |position, last| steps.push((position, last))).unwrap();
    assert_eq!((sum.batches, sum.rows, sum.position, steps.last()), (5, 7, 5, Some(&(5, 5))));
    assert_eq!(copy(&house.place, &middle, |_, _| {}).unwrap(), sum, "copied again it stays as it is");
    let moved = House::at(TempDir::new().unwrap(), middle.clone());
    assert_eq!(batches(&moved), all);
    let again = moved.feed(Source::Portal, &[link(1, 7, Some(1)), link(2, 7, Some(2)), link(3, 8, Some(2))]);
    assert_eq!((again.duplicates, again.accepted, again.generation), (2, 1, 6));
    drop(moved);
    let more = LedgerError::NotEmpty { place: middle.clone() };
    assert_eq!(copy(&house.place, &middle, |_, _| {}), Err(more));

    let back = TempDir::new().unwrap();
    let file = Place::from(&back.path().join("back.sqlite"));
    assert_eq!(copy(&middle, &file, |_, _| {}).unwrap().batches, 6);
    let mut other = House::on(Engine::Sqlite);
    other.feed(insurer(), &[member(1, 1, "z", "")]);
    other.ledger.take().unwrap().close();
    let taken = other.place.clone();
    until("closed", || {
        copy(&middle, &taken, |_, _| {}) == Err(LedgerError::NotEmpty { place: taken.clone() })
    });
}

#[test]
fn the_server_is_known_by_its_certificate() {
    let kept = TempDir::new().unwrap();
    let folder = kept.path();
    let ca = rcgen::KeyPair::generate().unwrap();
    let mut of_ca = rcgen::CertificateParams::new([]).unwrap();
    of_ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_certificate = of_ca.self_signed(&ca).unwrap();
    let issuer = rcgen::Issuer::new(of_ca, ca);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf =
        rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        run(std::process::Command::new("chmod").arg("600").arg(&path));
        if folder.metadata().is_ok() {
            let _ = std::process::Command::new("chown").arg("postgres").arg(&path).output();
        }
        path
    };
    let (certificate, key) =
        (write("server.pem", &leaf.pem()), write("server-key.pem", &key.serialize_pem()));
    let (right, wrong) = (write("ca.pem", &ca_certificate.pem()), write("other.pem", &leaf.pem()));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let tls = format!(
        "fsync = off\nssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'",
        certificate.display(),
        key.display()
    );
    let own = Server::new(folder, Some(port), &tls);
    let database = own.database().rsplit('/').next().unwrap().to_owned();
    let url = format!("postgres://shikaku@localhost:{port}/{database}");
    let with = |ca| Place::of_url(&url, &Access { ca: Some(ca), ..Access::default() }).unwrap();
    assert_eq!(migrate(&with(right)), Ok(Migrated { from: 0, to: 1 }));
    let refused = migrate(&with(wrong)).unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
}
