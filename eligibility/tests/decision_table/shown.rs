//! What of a person is shown: restrictions, doubt about a source, times, certificates, subsidies.

use super::*;

#[test]
fn a_closed_insurer_withholds_its_own_coverages() {
    let closed = insured([from("01-01")]).closed(KENPO);
    let kokuho = || asking("07-01", KOKUHO, "12-34", "567", None);
    assert_eq!(said(&by_number("07-01").about(&closed)), "withheld closed");
    assert_eq!(said(&by_number("2025-01-01").about(&closed)), "withheld closed");
    assert_eq!(said(&by_card("07-01").about(&closed)), "withheld closed");
    assert_eq!(said(&by_card("2025-01-01").about(&closed)), "withheld closed");
    assert_eq!(said(&by_number("07-01").doubting(KENPO, Reason::Stale).about(&closed)), "withheld closed");
    // Another insurer's coverage is shown beside it.
    let both = closed.clone().with(KOKUHO, [from("01-01")]);
    assert_eq!(said(&by_card("07-01").about(&both)), "valid: kokuho/567");
    assert_eq!(said(&kokuho().about(&both)), "valid: kokuho/567");
    // While the closed one holds the day, nothing else may be called all there is.
    let ended = closed.clone().with(KOKUHO, [from("01-01").lost("04-01")]);
    assert_eq!(said(&by_card("07-01").about(&ended)), "withheld closed");
    assert_eq!(said(&kokuho().about(&ended)), "invalid_newer: kokuho/567 loss");
    assert_eq!(said(&kokuho().review().about(&ended)), "invalid_newer: kokuho/567 loss; newer ");
    // When it does not hold the day, the open one answers.
    let before = insured([from("06-01")]).closed(KENPO).with(KOKUHO, [from("01-01").lost("04-01")]);
    assert_eq!(said(&by_card("05-01").about(&before)), "invalid: kokuho/567 loss");
    // A record in quarantine closes at once.
    let pending = insured([from("01-01")]).pending(KENPO, Restriction::Closed);
    assert_eq!(said(&by_card("07-01").about(&pending)), "withheld closed");
    assert_eq!(said(&by_number("07-01").about(&pending)), "withheld closed");
}

#[test]
fn an_unusable_card_counts_from_insurers_that_have_not_ended_else_from_the_latest() {
    const UNUSABLE: &str = "withheld card_unusable";
    let card = |who: &Who| said(&by_card(TODAY).about(who));
    let ended = |on: &str| from("01-01").lost(on);
    let cases = [
        (insured([from("01-01")]).unusable(KENPO), UNUSABLE),
        (insured([from("09-01")]).unusable(KENPO), UNUSABLE),
        (insured([ended("07-02")]).unusable(KENPO), UNUSABLE),
        (insured([ended("07-01")]).unusable(KENPO), UNUSABLE),
        // The wish stays behind with an ended insurer while another goes on.
        (insured([ended("07-01")]).unusable(KENPO).with(KOKUHO, [from("01-01")]), "valid: kokuho/567"),
        (insured([ended("07-01")]).unusable(KENPO).with(KOKUHO, [from("09-01")]), "invalid: kenpo/567 loss"),
        (insured([from("01-01")]).with(KOKUHO, [from("01-01")]).unusable(KOKUHO), UNUSABLE),
        // All ended: the latest one decides.
        (insured([ended("05-01")]).unusable(KENPO).with(KOKUHO, [ended("04-01")]), UNUSABLE),
        (
            insured([ended("05-01")]).unusable(KENPO).with(KOKUHO, [ended("06-01")]),
            "invalid: kokuho/567 loss",
        ),
        (insured([ended("05-01")]).unusable(KENPO).with(KOKUHO, [ended("05-01")]), UNUSABLE),
        // One not yet accepted counts in any case.
        (insured([from("01-01")]).pending(KENPO, Restriction::CardUnusable), UNUSABLE),
        (insured([from("01-01")]).pending(KOKUHO, Restriction::CardUnusable), UNUSABLE),
        (
            insured([ended("05-01")]).pending(KENPO, Restriction::CardUnusable).with(KOKUHO, [from("01-01")]),
            UNUSABLE,
        ),
        // It is said before `closed`.
        (insured([from("01-01")]).unusable(KENPO).closed(KENPO), UNUSABLE),
        // Withdrawn with the insurer's word.
        (
            insured([from("01-01")]).unusable(KENPO).withdrawn(KENPO).with(KOKUHO, [from("01-01")]),
            "valid: kokuho/567",
        ),
    ];
    for (at, (who, expected)) in cases.iter().enumerate() {
        assert_eq!(card(who), *expected, "case {at}");
    }
    // Numbers are answered still, without the address.
    let who = insured([from("01-01")]).unusable(KENPO);
    let answer = by_number(TODAY).about(&who);
    assert_eq!(said(&answer), "valid: kenpo/567");
    assert!(answer.coverages[0].hides_address);
    // The day asked about does not matter, today does.
    assert_eq!(said(&by_card("2025-01-01").about(&who)), UNUSABLE);
}

#[test]
fn the_address_is_hidden_everywhere_if_anybody_asks_for_it() {
    let hides = |who: &Who| {
        let card = by_card("07-01").about(who).coverages[0].hides_address;
        let number = by_number("07-01").about(who).coverages[0].hides_address;
        assert_eq!(card, number);
        card
    };
    let who = insured([from("01-01")]).with(KOKUHO, [from("01-01").lost("02-01")]);
    assert!(!hides(&who));
    assert!(hides(&who.clone().restricted(KENPO, Restriction::HideAddress)));
    assert!(hides(&who.clone().restricted(KOKUHO, Restriction::HideAddress)));
    assert!(hides(&who.clone().pending(KYOKAI, Restriction::HideAddress)));
    assert!(!hides(&who.clone().restricted(KOKUHO, Restriction::HideAddress).withdrawn(KOKUHO)));
    assert!(!hides(&who.clone().unusable(KOKUHO)));
    let lost = insured([from("01-01").lost("04-01")])
        .with(KYOKAI, [from("04-01")])
        .restricted(KYOKAI, Restriction::HideAddress);
    let answer = by_number("07-01").review().about(&lost);
    assert_eq!(said(&answer), "invalid_newer: kenpo/567 loss; newer kyokai/567");
    assert!(answer.coverages[0].hides_address && answer.newer.unwrap()[0].hides_address);
}

#[test]
fn a_negative_answer_is_unconfirmed_while_its_source_is_in_doubt() {
    let who = insured([from("01-01").lost("04-01")]).with(KOKUHO, [from("01-01").lost("03-01")]);
    for why in [Reason::Stale, Reason::HeldBack, Reason::NeverFed] {
        let word = why.word();
        let number = || by_number("07-01").doubting(KENPO, why);
        assert_eq!(number().among(&[]), format!("unconfirmed {word}"));
        assert_eq!(said(&number().about(&who)), format!("unconfirmed {word}: kenpo/567 loss"));
        let card = || by_card("07-01").doubting(KENPO, why);
        assert_eq!(said(&card().about(&who)), format!("unconfirmed {word}: kenpo/567 loss"));
        let unlinked = by_card("07-01").doubting("portal", why).decide(Found::Unlinked);
        assert_eq!(said(&unlinked), format!("unconfirmed {word}"));
        // Another source's trouble is not this answer's.
        assert_eq!(said(&by_number("07-01").doubting(KOKUHO, why).about(&who)), "invalid: kenpo/567 loss");
        assert_eq!(said(&by_card("07-01").doubting(KOKUHO, why).about(&who)), "invalid: kenpo/567 loss");
        assert_eq!(by_number("07-01").doubting("portal", why).among(&[]), "not_found");
        assert_eq!(said(&by_card("07-01").doubting(KENPO, why).decide(Found::Unlinked)), "not_linked");
    }
}

#[test]
fn a_linked_card_without_a_living_record_is_person_not_fed() {
    let expected = "unconfirmed person_not_fed";
    assert_eq!(said(&by_card("07-01").decide(Found::Unknown)), expected);
    assert_eq!(said(&by_card("07-01").about(&nobody_yet())), expected);
    assert_eq!(said(&by_card("07-01").about(&insured([from("01-01")]).withdrawn(KENPO))), expected);
    assert_eq!(said(&by_card("07-01").about(&nobody_yet().subsidy(&[("", "")]))), expected);
    let fed_without_coverage = insured([]);
    assert_eq!(said(&by_card("07-01").about(&fed_without_coverage)), "invalid");
}

#[test]
fn a_positive_answer_stays_positive_and_carries_its_old_time() {
    let who = insured([from("01-01")]).with(KOKUHO, [from("02-01")]);
    let doubtful =
        |question: Question| question.doubting(KENPO, Reason::Stale).doubting(KOKUHO, Reason::HeldBack);
    let (card, number) = (doubtful(by_card("07-01")).about(&who), doubtful(by_number("07-01")).about(&who));
    assert_eq!(said(&card), "valid: kokuho/567, kenpo/567");
    assert_eq!(said(&number), "valid: kenpo/567");
    assert_eq!(card.as_of, Some(clock(source(KOKUHO))));
    assert_eq!(number.as_of, Some(clock(source(KENPO))));
    assert_eq!(card.coverages[1].as_of, Some(clock(source(KENPO))));
    let switched = insured([from("01-01").lost("04-01")]).with(KOKUHO, [from("04-01")]);
    let answer = doubtful(by_number("07-01")).about(&switched);
    assert_eq!(said(&answer), "invalid_newer: kenpo/567 loss");
    assert_eq!(answer.as_of, Some(clock(source(KENPO))));
}

#[test]
fn each_answer_carries_the_time_of_the_source_it_hangs_on() {
    let who = insured([from("01-01").lost("04-01")]).with(KOKUHO, [from("01-01").lost("03-01")]);
    let kenpo = Some(clock(source(KENPO)));
    let portal = Some(clock(Source::Portal));
    assert_eq!(by_number("07-01").decide(Found::Nobody).as_of, kenpo);
    assert_eq!(by_number("07-01").decide(Found::Several).as_of, kenpo);
    assert_eq!(by_number("07-01").about(&who).as_of, kenpo);
    assert_eq!(by_number("07-01").about(&who.clone().closed(KENPO)).as_of, kenpo);
    assert_eq!(by_card("07-01").about(&who).as_of, kenpo);
    assert_eq!(by_card("07-01").decide(Found::Unlinked).as_of, portal);
    assert_eq!(by_card("07-01").decide(Found::Unknown).as_of, portal);
    // What is withheld from a card says of no insurer that it knows the person.
    assert_eq!(by_card("07-01").about(&insured([from("01-01")]).closed(KENPO)).as_of, None);
    assert_eq!(by_card("07-01").about(&insured([from("01-01")]).unusable(KENPO)).as_of, None);
}

#[test]
fn the_elderly_certificate_of_the_day_needs_no_consent() {
    let who = insured([from("01-01").elderly("01-01", "06-30", 20).elderly("07-01", "", 10)]);
    let share =
        |question: Question| question.about(&who).coverages[0].elderly.and_then(|one| one.copay_percent);
    assert_eq!(share(by_number("06-30")), Some(20));
    assert_eq!(share(by_card("07-01")), Some(10));
    let none = insured([from("01-01").elderly("08-01", "", 20).elderly("", "05-31", 30)]);
    assert!(by_card("07-01").about(&none).coverages[0].elderly.is_none());
}

#[test]
fn the_limit_certificate_is_the_latest_that_holds_and_needs_consent() {
    let who = insured([from("01-01")
        .limit("03-01", "12-31", "A03")
        .limit("05-01", "07-01", "A04")
        .limit("", "", "A05")
        .limit("08-01", "", "A01")]);
    let shown = |question: Question| {
        let answer = question.about(&who);
        answer.coverages[0].limit_certificate.and_then(|one| one.category).map(|one| one.as_str().to_owned())
    };
    assert_eq!(shown(by_card("07-01")), None);
    assert_eq!(shown(by_number("07-01")), None);
    assert_eq!(shown(by_number("02-28").consenting()).as_deref(), Some("A05"));
    assert_eq!(shown(by_number("04-30").consenting()).as_deref(), Some("A03"));
    assert_eq!(shown(by_card("07-01").consenting()).as_deref(), Some("A04"));
    assert_eq!(shown(by_card("07-02").consenting()).as_deref(), Some("A03"));
    assert_eq!(shown(by_card("08-01").consenting()).as_deref(), Some("A01"));
    let mut only_others = by_card("07-01").consenting();
    only_others.consent.limit_certificate = false;
    assert_eq!(shown(only_others), None);
}

#[test]
fn specific_diseases_need_consent_and_a_card() {
    let who =
        insured([from("01-01").disease("01-01", "", 1).disease("01-01", "06-30", 2).disease("", "07-01", 3)]);
    let shown = |question: Question| {
        let answer = question.about(&who);
        let yen = answer.coverages[0].specific_diseases.iter().filter_map(|one| one.self_pay_yen);
        yen.collect::<Vec<_>>()
    };
    assert_eq!(shown(by_card("07-01").consenting()), [1, 3]);
    assert_eq!(shown(by_card("07-02").consenting()), [1]);
    assert!(shown(by_card("07-01")).is_empty());
    assert!(shown(by_number("07-01").consenting()).is_empty());
    let mut only_others = by_card("07-01").consenting();
    only_others.consent.specific_disease = false;
    assert!(shown(only_others).is_empty());
}

#[test]
fn subsidies_are_null_when_not_asked_or_never_fed_and_empty_when_none_holds() {
    let count =
        |question: Question, who: &Who| question.about(who).coverages[0].subsidies.as_ref().map(Vec::len);
    let never = insured([from("01-01")]);
    let fed = never.clone().subsidy(&[("01-01", "06-30"), ("06-30", "")]);
    let empty = never.clone().subsidy(&[]);
    assert_eq!(count(by_card("06-30").consenting(), &fed), Some(2));
    assert_eq!(count(by_number("07-01").consenting(), &fed), Some(1));
    assert_eq!(count(by_card("06-30"), &fed), None);
    assert_eq!(count(by_card("06-30").consenting(), &never), None);
    assert_eq!(count(by_card("06-30").consenting(), &empty), Some(0));
    assert_eq!(count(by_card("01-01").consenting(), &never.subsidy(&[("02-01", "")])), Some(0));
}

#[test]
fn the_consent_is_echoed() {
    let who = insured([from("01-01")]);
    assert_eq!(by_card("07-01").about(&who).consent, Consent::default());
    assert!(by_card("07-01").consenting().about(&who).consent.subsidies);
}
