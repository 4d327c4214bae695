//! The rules of intake, one delivery a row.

use std::sync::atomic::Ordering;

use crate::support::{Engine, House, NOW, city, insurer, link, mark, member, over_both, person, renewal};
use eligibility::code::Restriction;
use eligibility::feed::{Kind, Said, Source};
use eligibility::number::{LinkNumber, Serial};
use ledger::{Appended, Content, LedgerError};

over_both!(
    sequences_decide_what_is_new,
    a_delivery_of_duplicates_leaves_no_batch,
    epochs_are_opened_by_an_operator,
    a_card_has_one_owner,
    acts_are_numbered_here,
    subsidies_need_a_card,
    marks_are_checked_against_clock_and_count,
    protection_is_kept_of_what_is_refused,
    commit_times_never_go_back,
    a_history_walks_back_through_the_batches,
);

/// Accepted, duplicates, codes of the quarantined, committed sequence.
type Outcome<'a> = (u64, u64, Vec<&'a str>, u64);

fn outcome(appended: &Appended) -> Outcome<'_> {
    let codes = appended.quarantined.iter().map(|one| &*one.code).collect();
    (appended.accepted, appended.duplicates, codes, appended.committed_sequence)
}

fn sequences_decide_what_is_new(engine: Engine) {
    let house = House::on(engine);
    let m = |sequence, name| member(sequence, 1, name, "");
    let steps: Vec<(&str, Vec<String>, Outcome<'_>)> = vec![
        ("gaps are allowed", vec![m(10, "a"), m(20, "a")], (2, 0, vec![], 20)),
        ("the same again", vec![m(10, "a"), m(20, "a")], (0, 2, vec![], 20)),
        ("other content", vec![m(20, "b")], (0, 0, vec!["sequence_reused"], 20)),
        ("that again", vec![m(20, "b")], (0, 1, vec![], 20)),
        ("and a third", vec![m(20, "c")], (0, 0, vec!["sequence_reused"], 20)),
        ("below the committed, never seen", vec![m(15, "a")], (0, 0, vec!["out_of_order"], 20)),
        ("that again", vec![m(15, "a")], (0, 1, vec![], 20)),
        ("its number once more", vec![m(15, "b")], (0, 0, vec!["sequence_reused"], 20)),
        ("lower than the one before", vec![m(30, "a"), m(25, "a")], (1, 0, vec!["out_of_order"], 30)),
        ("twice in one delivery", vec![m(31, "a"), m(31, "a")], (1, 1, vec![], 31)),
        ("twice and other", vec![m(32, "a"), m(32, "b")], (1, 0, vec!["sequence_reused"], 32)),
        ("refused twice", vec![m(5, "a"), m(5, "a")], (0, 1, vec!["out_of_order"], 32)),
        ("a broken one moves on", vec![m(40, "")], (0, 0, vec!["out_of_range"], 40)),
        ("and is known again", vec![m(40, ""), String::new()], (0, 1, vec![], 40)),
        ("its repair needs a new number", vec![m(40, "a"), m(41, "a")], (1, 0, vec!["sequence_reused"], 41)),
        ("no JSON", vec!["{".to_owned(), "}".to_owned()], (0, 0, vec!["malformed"; 2], 41)),
        ("no JSON again", vec!["}".to_owned(), "{\r".to_owned()], (0, 2, vec![], 41)),
        ("blank lines", vec![String::new(), "  ".to_owned()], (0, 0, vec![], 41)),
        ("of others", vec![mark(city(), 90, NOW, None)], (0, 0, vec!["foreign_source"], 41)),
    ];
    for (what, lines, expected) in steps {
        let appended = house.feed(insurer(), &lines);
        let found = outcome(&appended);
        // The wording of a fault in a field is not the ledger's.
        let same_codes = found.2 == expected.2 || what.starts_with("a broken");
        assert!(same_codes && found.2.len() == expected.2.len(), "{what}: {found:?}");
        assert_eq!((found.0, found.1, found.3), (expected.0, expected.1, expected.3), "{what}");
    }
    let followed = house.followed.lock().unwrap();
    let positions: Vec<_> = followed.batches.iter().map(|batch| batch.position).collect();
    assert_eq!(positions, (1..=positions.len() as u64).collect::<Vec<_>>());
}

fn a_delivery_of_duplicates_leaves_no_batch(engine: Engine) {
    let house = House::on(engine);
    let lines = [member(1, 1, "a", "")];
    assert_eq!(house.feed(insurer(), &lines).generation, 1);
    assert_eq!(house.feed(insurer(), &lines).generation, 1);
    assert_eq!(house.feed::<&str>(insurer(), &[]).generation, 1);
    assert_eq!(house.followed.lock().unwrap().batches.len(), 1);
}

fn epochs_are_opened_by_an_operator(engine: Engine) {
    let mut house = House::on(engine);
    let old = member(5, 1, "a", "");
    let new = member(1, 1, "a", r#","epoch":2"#);
    assert_eq!(outcome(&house.feed(insurer(), &[&old, &new])), (1, 0, vec!["wrong_epoch"], 5));
    assert_eq!(outcome(&house.feed(insurer(), &[&new])), (0, 1, vec![], 5));
    assert_eq!(house.open_epoch(insurer(), 2).unwrap().committed_sequence, 0);
    assert_eq!(house.open_epoch(insurer(), 2), Err(LedgerError::EpochNotLater { current: 2 }));
    house.reopen();
    assert_eq!(outcome(&house.feed(insurer(), &[&new])), (1, 0, vec![], 1));
    // What was read in the old epoch is still known; the rest of it is not wanted any more.
    let other = member(6, 1, "a", "");
    assert_eq!(outcome(&house.feed(insurer(), &[&old, &other])), (0, 1, vec!["wrong_epoch"], 1));
    let followed = house.followed.lock().unwrap();
    let names: Vec<_> = followed.batches.iter().flat_map(|b| &b.rows).map(ledger::Row::name).collect();
    assert!(names[1].starts_with('x') && names[1].len() == 17, "{names:?}");
}

fn a_card_has_one_owner(engine: Engine) {
    let house = House::on(engine);
    let feed = |lines: &[String]| house.feed(Source::Portal, lines);
    assert_eq!(outcome(&feed(&[link(1, 7, Some(1)), link(2, 7, Some(1))])), (2, 0, vec![], 2));
    assert_eq!(outcome(&feed(&[link(3, 7, Some(2))])), (0, 0, vec!["link_conflict"], 3));
    // Within one delivery: removed and given anew, then given to a third.
    let lines = [link(4, 7, None), link(5, 7, Some(2)), link(6, 7, Some(3))];
    assert_eq!(outcome(&feed(&lines)), (2, 0, vec!["link_conflict"], 6));
    let renew = |lines: &[String]| house.feed(Source::Jlis, lines);
    assert_eq!(outcome(&renew(&[renewal(1, 8, 7), renewal(2, 9, 99)])), (2, 0, vec![], 2));
    assert_eq!(outcome(&feed(&[link(7, 8, Some(1)), link(8, 9, Some(1))])), (1, 0, vec!["link_conflict"], 8));
    assert_eq!(outcome(&renew(&[renewal(3, 9, 7)])), (0, 0, vec!["link_conflict"], 3));
}

fn acts_are_numbered_here(engine: Engine) {
    let house = House::on(engine);
    let says = |serial: &str, link| Said::Link {
        serial: Serial::parse(serial).unwrap(),
        link_number: LinkNumber::from_value(link),
    };
    assert_eq!(house.act(says("7", 1)).unwrap().committed_sequence, 1);
    assert_eq!(house.act(says("7", 1)).unwrap().committed_sequence, 2);
    assert_eq!(house.act(says("7", 2)), Err(LedgerError::LinkConflict));
    let dismissal = Said::Dismissal { of: insurer(), name: "4".into() };
    assert_eq!(house.act(dismissal).unwrap().generation, 3);
    let refused = house.ledger().append(Source::Gateway, vec![], Box::new(|_| {}));
    assert_eq!(refused, Err(LedgerError::NotItsOwn));
    let said = Said::Mark { complete_to: eligibility::day::Timestamp::from_millis(0), records: None };
    assert_eq!(house.ledger().act(said, Box::new(|_| {})), Err(LedgerError::NotItsOwn));
    let followed = house.followed.lock().unwrap();
    assert!(followed.batches.iter().all(|batch| batch.source == Source::Gateway));
    assert_eq!(followed.batches[1].rows[0].previous, Some(1));
}

fn subsidies_need_a_card(engine: Engine) {
    let house = House::on(engine);
    let subsidy = |sequence: u64, link: u64| {
        format!(
            r#"{{"source":"city-131016","sequence":{sequence},"kind":"subsidy","link_number":"{link:016}","subsidies":[]}}"#
        )
    };
    house.feed(Source::Portal, &[link(1, 7, Some(1))]);
    let appended = house.feed(city(), &[subsidy(1, 1), subsidy(2, 2)]);
    assert_eq!(outcome(&appended), (1, 0, vec!["no_card"], 2));
}

fn marks_are_checked_against_clock_and_count(engine: Engine) {
    let house = House::on(engine);
    let feed = |lines: &[String]| {
        let appended = house.feed(insurer(), lines);
        let (accepted, _, codes, _) = outcome(&appended);
        (accepted, codes.first().map(|code| (*code).to_owned()))
    };
    let at = |sequence, time: &str, records| mark(insurer(), sequence, time, records);
    let refused = |code: &str| (0, Some(code.to_owned()));
    // Read: two accepted, two broken, one of them of no known kind.
    feed(&[member(1, 1, "a", ""), member(2, 1, "b", ""), member(3, 1, "", ""), "{".to_owned()]);
    feed(&[member(1, 1, "a", "")]);
    assert_eq!(feed(&[at(5, NOW, Some(3))]), refused("count_mismatch"));
    assert_eq!(feed(&[at(6, "2026-11-21T09:01:00.001+09:00", Some(4))]), refused("future_mark"));
    assert_eq!(feed(&[at(7, "2026-11-21T09:01:00+09:00", Some(4))]), (1, None));
    assert_eq!(feed(&[at(8, "2020-01-01T00:00:00Z", Some(0))]), (1, None), "an earlier one is no fault");
    assert_eq!(feed(&[member(9, 1, "a", ""), at(10, NOW, Some(1))]), (2, None));
}

fn protection_is_kept_of_what_is_refused(engine: Engine) {
    let house = House::on(engine);
    let line = member(2, 1, "a", "").replace(r#""restrictions":[]"#, r#""restrictions":["hide_address"]"#);
    house.feed(
        insurer(),
        &[line.clone(), line.replace(":2,", ":1,"), line.replace("male", "robot").replace(":2,", ":3,")],
    );
    let followed = house.followed.lock().unwrap();
    let refused = followed.batches[0].rows.iter().filter_map(|row| match &row.content {
        Content::Refused(refused) => Some(refused),
        Content::Accepted(_) => None,
    });
    let refused: Vec<_> = refused.collect();
    assert_eq!(refused.len(), 2);
    for one in refused {
        assert!(one.protect.has(Restriction::HideAddress));
        assert_eq!((one.subject, one.kind), (Some(person(1)), Some(Kind::Member)));
    }
}

fn commit_times_never_go_back(engine: Engine) {
    let house = House::on(engine);
    house.feed(insurer(), &[member(1, 1, "a", "")]);
    house.clock.fetch_sub(3_600_000, Ordering::Relaxed);
    house.feed(insurer(), &[member(2, 1, "a", "")]);
    let followed = house.followed.lock().unwrap();
    assert_eq!(followed.batches[0].committed_at, followed.batches[1].committed_at);
}

fn a_history_walks_back_through_the_batches(engine: Engine) {
    let house = House::on(engine);
    let name = |told: &ledger::Told| match &told.record.said {
        Said::Member { member: Some(member), .. } => member.name.to_string(),
        _ => String::new(),
    };
    house.feed(insurer(), &[member(1, 1, "a", ""), member(2, 2, "z", "")]);
    house.feed(insurer(), &[member(3, 2, "y", "")]);
    house.feed(insurer(), &[member(4, 1, "b", ""), member(5, 1, "", ""), member(6, 1, "c", "")]);
    let last = house.followed.lock().unwrap().last_word(insurer(), person(1)).unwrap();
    let history = |most| house.ledger().history(insurer(), person(1), last, most).unwrap();
    assert_eq!(history(9).iter().map(name).collect::<Vec<_>>(), ["c", "b", "a"]);
    assert_eq!(history(9).iter().map(|told| told.position).collect::<Vec<_>>(), [3, 3, 1]);
    assert_eq!(history(2).len(), 2);
    let nowhere = house.ledger().history(insurer(), person(3), 1, 9);
    assert!(matches!(nowhere, Err(LedgerError::Corrupt { position: 1, .. })));
}
