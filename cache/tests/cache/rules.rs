//! The meaning of each kind of record.

use eligibility::code::Restriction;
use eligibility::coverage::Restrictions;
use eligibility::feed::{Kind, Subject};

use crate::support::{
    CITY, House, INSURER, OTHER, closed, dismissal, found, link, link_number, mark, member, query, refused,
    refused_member, renewal, resolving, serial, source_of, subsidy, time, withdrawn,
};

#[test]
fn a_card_leads_to_its_person() {
    let mut house = House::new();
    assert_eq!(found(house.card(7)), Err("unlinked"));
    house.apply("portal", &[link("portal", 1, 7, Some(1))]);
    assert_eq!(found(house.card(7)), Err("unknown"));
    house.apply(INSURER, &[member(INSURER, 1, 1, "a", &[5])]);
    assert_eq!(found(house.card(7)), Ok(1));
    house.apply("jlis", &[renewal(1, 8, 7), renewal(2, 9, 8), renewal(3, 11, 10)]);
    assert_eq!((found(house.card(7)), found(house.card(9))), (Ok(1), Ok(1)));
    assert_eq!(found(house.card(11)), Err("unlinked"), "its forerunner was linked to nobody");
    house.apply("portal", &[link("portal", 2, 10, Some(1)), link("portal", 3, 7, None)]);
    assert_eq!((found(house.card(7)), found(house.card(11))), (Err("unlinked"), Err("unlinked")));
    house.apply("gateway", &[link("gateway", 1, 12, Some(1))]);
    assert_eq!(found(house.card(12)), Ok(1));
    assert_eq!(house.reader.owner(serial(12)), Some(link_number(1)));
    assert_eq!((house.reader.serials(), house.reader.persons()), (4, 1));
}

#[test]
fn numbers_lead_to_those_whose_living_word_fits() {
    let mut house = House::new();
    let ask = |house: &House, insurer, number, person| found(house.number(&query(insurer, number, person)));
    // Persons 1 and 3 are born on one day, 2 on another; all three are one family.
    let family = [1, 2, 3].map(|person| member(INSURER, person, person, "a", &[5]));
    house.apply(INSURER, &family);
    assert_eq!(ask(&house, INSURER, 5, 2), Ok(2));
    assert_eq!(ask(&house, INSURER, 5, 1), Err("several"));
    assert_eq!(ask(&house, OTHER, 5, 2), Err("nobody"));
    house.apply(INSURER, &[member(INSURER, 4, 1, "a", &[6, 6])]);
    assert_eq!((ask(&house, INSURER, 5, 3), ask(&house, INSURER, 6, 1)), (Ok(3), Ok(1)));
    house.apply(INSURER, &[withdrawn(INSURER, 5, 1), withdrawn(INSURER, 6, 2)]);
    assert_eq!((ask(&house, INSURER, 6, 1), ask(&house, INSURER, 5, 2)), (Err("nobody"), Err("nobody")));
    assert_eq!(house.reader.persons(), 1);
    assert_eq!(house.reader.source(source_of(INSURER)).unwrap().members, 1);
}

#[test]
fn each_insurer_speaks_for_itself() {
    let mut house = House::new();
    house.apply(INSURER, &[member(INSURER, 1, 1, "a", &[5])]);
    house.apply(OTHER, &[member(OTHER, 1, 1, "b", &[5])]);
    house.apply(INSURER, &[member(INSURER, 2, 1, "c", &[6])]);
    let person = house.person(1).unwrap();
    let names: Vec<_> = person.memberships.iter().flat_map(|one| &one.member).map(|one| &*one.name).collect();
    assert_eq!(names, ["b", "c"]);
    assert_eq!(found(house.number(&query(OTHER, 5, 1))), Ok(1));
    let last = |source| house.reader.last_word(source_of(source), Subject::Person(link_number(1)));
    assert_eq!((last(INSURER), last(OTHER), last("portal")), (Some(3), Some(2), None));
}

#[test]
fn protection_counts_at_once_until_the_next_word() {
    let mut house = House::new();
    let standing = |house: &House| {
        let person = house.person(1);
        person.and_then(|person| person.memberships.first().map(|one| one.restrictions()))
    };
    house.apply(INSURER, &[refused_member(1, 1, closed())]);
    assert_eq!(standing(&house), Some(closed()), "also for someone of whom nothing else is known");
    let hidden = Restrictions::NONE.with(Restriction::HideAddress);
    house.apply(INSURER, &[member(INSURER, 2, 1, "a", &[5]), refused_member(3, 1, hidden)]);
    assert_eq!(standing(&house), Some(hidden));
    house.apply("gateway", &[dismissal(1, INSURER, "3")]);
    assert_eq!(standing(&house), Some(hidden), "a dismissal takes no protection away");
    house.apply(INSURER, &[refused_member(4, 1, closed())]);
    assert_eq!(standing(&house), Some(hidden.and(closed())));
    house.apply(INSURER, &[member(INSURER, 5, 1, "a", &[5])]);
    assert_eq!(standing(&house), Some(Restrictions::NONE));
    house.apply("portal", &[refused_member(1, 2, closed())]);
    assert!(house.person(2).is_none(), "only insurers protect");
}

#[test]
fn subsidies_are_kept_for_those_with_a_card() {
    let mut house = House::new();
    let kept = |house: &House| {
        house.person(1).map(|person| person.subsidies.iter().map(|(_, all)| all.len()).collect())
    };
    house.apply(CITY, &[subsidy(CITY, 1, 1, Some(1))]);
    assert_eq!(kept(&house), None::<Vec<_>>);
    house.apply("portal", &[link("portal", 1, 7, Some(1))]);
    house.apply("city-142018", &[subsidy("city-142018", 1, 1, Some(0))]);
    house.apply(CITY, &[subsidy(CITY, 2, 1, Some(1)), subsidy(CITY, 3, 1, Some(2))]);
    assert_eq!(kept(&house), Some(vec![2, 0]), "by city; fed and empty is not unfed");
    house.apply(CITY, &[subsidy(CITY, 4, 1, None)]);
    assert_eq!(kept(&house), Some(vec![0]));
    house.apply("city-142018", &[subsidy("city-142018", 2, 1, None)]);
    assert_eq!(kept(&house), None);
}

#[test]
fn completeness_does_not_pass_an_open_quarantine() {
    let mut house = House::new();
    let complete = |house: &House| house.reader.source(source_of(INSURER)).unwrap().complete_to;
    house.apply(INSURER, &[mark(INSURER, 1, 10), mark(INSURER, 2, 5)]);
    assert_eq!(complete(&house), Some(time(10)), "never backwards");
    house.apply(INSURER, &[refused_member(3, 1, Restrictions::NONE), mark(INSURER, 4, 20)]);
    house.apply(INSURER, &[refused(None, None, None), mark(INSURER, 5, 30), mark(INSURER, 6, 25)]);
    assert_eq!(complete(&house), Some(time(10)));
    let state = house.reader.source(source_of(INSURER)).unwrap();
    let names: Vec<_> = state.quarantine.iter().map(|open| &*open.name).collect();
    assert_eq!(names, ["3", "x0000000000000001"]);
    assert_eq!((state.quarantine[1].position, state.committed_sequence), (3, 6));
    house.apply(INSURER, &[member(INSURER, 7, 2, "a", &[5])]);
    assert_eq!(complete(&house), Some(time(10)), "another person's record makes nothing good");
    house.apply(INSURER, &[member(INSURER, 8, 1, "a", &[5])]);
    assert_eq!(complete(&house), Some(time(20)));
    house.apply("gateway", &[dismissal(1, INSURER, "x0000000000000001")]);
    assert_eq!(complete(&house), Some(time(30)));
    assert!(house.reader.source(source_of(INSURER)).unwrap().quarantine.is_empty());
}

#[test]
fn a_later_record_makes_good_by_name_or_by_kind() {
    let mut house = House::new();
    let open = |house: &House| house.reader.source(source_of(INSURER)).unwrap().quarantine.len();
    let card = Some(Subject::Card(serial(1)));
    house.apply(
        INSURER,
        &[refused(Some(1), Some(Kind::Member), None), refused(Some(2), Some(Kind::Link), card)],
    );
    house.apply(INSURER, &[resolving(mark(INSURER, 3, 10), &[2, 99])]);
    assert_eq!(open(&house), 1);
    house.apply(INSURER, &[refused(Some(4), Some(Kind::Mark), None), mark(INSURER, 5, 20)]);
    assert_eq!(open(&house), 1, "a mark follows a refused mark");
    house.apply(INSURER, &[resolving(member(INSURER, 6, 1, "a", &[5]), &[1])]);
    let state = house.reader.source(source_of(INSURER)).unwrap();
    assert_eq!((state.quarantine.len(), state.complete_to), (0, Some(time(20))));
}

#[test]
fn a_subsidy_without_card_holds_nothing_up() {
    let mut house = House::new();
    let crate::support::Told::Refused(sequence, mut record) = refused(Some(1), Some(Kind::Subsidy), None)
    else {
        unreachable!()
    };
    record.code = "no_card".into();
    house.apply(CITY, &[crate::support::Told::Refused(sequence, record), mark(CITY, 2, 10)]);
    let state = house.reader.source(source_of(CITY)).unwrap();
    assert_eq!((state.quarantine.len(), state.complete_to), (0, Some(time(10))));
}

#[test]
fn all_whom_a_number_fits_are_given_up_to_a_bound() {
    let mut house = House::new();
    house.apply(INSURER, &[1, 2, 3, 5, 7].map(|n| member(INSURER, n, n, "a", &[5])));
    let fitting = |most| {
        let mut all = Vec::new();
        house.reader.view().each_fitting(&query(INSURER, 5, 1), |person| {
            all.push(person.link_number.value());
            all.len() >= most
        });
        all.sort_unstable();
        all
    };
    assert_eq!(fitting(9), [1, 3, 5, 7], "who was born on another day does not fit");
    assert_eq!(fitting(2).len(), 2);
    assert_eq!(found(house.number(&query(INSURER, 5, 1))), Err("several"));
}

#[test]
fn sources_are_listed_once_they_have_spoken() {
    let mut house = House::new();
    assert!(house.reader.source(source_of(INSURER)).is_none());
    house.apply(INSURER, &[]);
    assert!(!house.reader.source(source_of(INSURER)).unwrap().fed, "an epoch opened is no word");
    house.apply("portal", &[link("portal", 9, 7, None)]);
    let sources = house.reader.sources();
    let fed: Vec<_> = sources.iter().map(|(source, state)| (source.to_string(), state.fed)).collect();
    assert_eq!(fed, [(INSURER.to_owned(), false), ("portal".to_owned(), true)]);
    assert_eq!(sources[1].1.committed_sequence, 9);
    assert_eq!(sources[1].1.last_batch_at.millis(), 2);
}
