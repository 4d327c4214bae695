//! Feed records that are written read as they were, whatever they hold; and no octets make the
//! readers fall over. What is refused, and where, stands in `feed_records`.

use eligibility::code::{Code, LimitKind, LossReason, Relationship, Sex, SpecificDisease};
use eligibility::coverage::{
    Coverage, ElderlyCertificate, LimitCertificate, Member, Restrictions, SpecificDiseaseCertificate,
    Subsidy, Validity,
};
use eligibility::day::{Day, Timestamp};
use eligibility::feed::{Glimpse, Kind, Record, Refused, Said, Source, Subject};
use eligibility::number::{Branch, LinkNumber, Serial};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn days() -> impl Strategy<Value = Day> {
    (Day::FIRST.number()..=Day::LAST.number()).prop_map(Day::from_number)
}

fn validity() -> impl Strategy<Value = Validity> {
    (option::of(days()), option::of(days())).prop_map(|(from, through)| match (from, through) {
        (Some(from), Some(through)) => {
            Validity { from: Some(from.min(through)), through: Some(from.max(through)) }
        }
        (from, through) => Validity { from, through },
    })
}

/// Text of any script without digits, control characters or half-width kana.
fn words() -> impl Strategy<Value = Box<str>> {
    "[A-Za-z一-龠ぁ-んァ-ン　 \"\\\\/😀髙﨑]{1,20}".prop_map(Into::into)
}

fn word<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(all)
}

fn code<const N: usize>() -> impl Strategy<Value = Code<N>> {
    proptest::string::string_regex(&format!("[0-9A-Z]{{{N}}}"))
        .expect("a pattern")
        .prop_map(|text| Code::parse(&text).expect("a code"))
}

prop_compose! {
    fn elderly()(
        validity in validity(), copay_percent in option::of(0..=100_u8), issued_on in option::of(days()),
    ) -> ElderlyCertificate {
        ElderlyCertificate { validity, copay_percent, issued_on }
    }
}

prop_compose! {
    fn limit()(
        kind in word(LimitKind::ALL), category in option::of(code()), validity in validity(),
        long_term_on in option::of(days()), issued_on in option::of(days()),
    ) -> LimitCertificate {
        LimitCertificate { kind, category, validity, long_term_on, issued_on }
    }
}

prop_compose! {
    fn disease()(
        category in word(SpecificDisease::ALL), validity in validity(),
        self_pay_yen in option::of(any::<u32>()), issued_on in option::of(days()),
    ) -> SpecificDiseaseCertificate {
        SpecificDiseaseCertificate { category, validity, self_pay_yen, issued_on }
    }
}

prop_compose! {
    fn coverage()(
        (symbol, number) in ("[0-9A-Z一-龠－-]{0,11}", "[0-9]{1,11}"),
        branch in option::of((0..100_u8).prop_map(|value| Branch::from_value(value).expect("a branch"))),
        relationship in option::of(word(Relationship::ALL)),
        card_kind in option::of(code()),
        insured_name in option::of(words()),
        (one, other) in (days(), option::of(days())),
        loss_reason in option::of(word(LossReason::ALL)),
        validity in validity(),
        (copay_percent, preschool, issued_on) in
            (option::of(0..=100_u8), option::of(any::<bool>()), option::of(days())),
        elderly in vec(elderly(), 0..3),
        limit_certificates in vec(limit(), 0..3),
        specific_diseases in vec(disease(), 0..3),
    ) -> Coverage {
        Coverage {
            symbol: symbol.into(),
            number: number.into(),
            branch,
            relationship,
            card_kind,
            insured_name,
            qualified_on: other.map_or(one, |other| one.min(other)),
            disqualified_on: other.map(|other| one.max(other)),
            loss_reason,
            validity,
            copay_percent,
            preschool,
            issued_on,
            elderly,
            limit_certificates,
            specific_diseases,
        }
    }
}

prop_compose! {
    fn member()(
        name in words(),
        [name_kana, alias, alias_kana, address] in
            [option::of(words()), option::of(words()), option::of(words()), option::of(words())],
        (sex, sex_on_back) in (word(Sex::ALL), option::of(word(Sex::ALL))),
        birth_date in days(),
        postal_code in option::of("[0-9]{3}-[0-9]{4}".prop_map(Into::into)),
        restrictions in (0..8_u8).prop_map(Restrictions::from_bits),
        coverages in vec(coverage(), 0..4),
    ) -> Member {
        Member {
            name, name_kana, alias, alias_kana, sex, sex_on_back, birth_date, postal_code, address, restrictions,
            coverages,
        }
    }
}

prop_compose! {
    fn subsidy()(
        payer_number in "[0-9]{8}", recipient_number in "[0-9]{7}", scheme in words(),
        copay_percent in option::of(0..=100_u8), validity in validity(), note in option::of(words()),
    ) -> Subsidy {
        Subsidy {
            payer_number: payer_number.into(),
            recipient_number: recipient_number.into(),
            scheme,
            copay_percent,
            validity,
            note,
        }
    }
}

fn link_number() -> impl Strategy<Value = LinkNumber> {
    (0..10_u64.pow(16)).prop_map(|value| LinkNumber::from_value(value).expect("sixteen digits"))
}

/// Serials of any length but the twelve digits of a 個人番号.
fn serial() -> impl Strategy<Value = Serial> {
    prop_oneof![(0..10_u64.pow(11)).prop_map(u128::from), 10_u128.pow(12)..u128::MAX]
        .prop_map(|value| Serial::from_be_bytes(&value.to_be_bytes()).expect("below 20 octets"))
}

fn instant() -> impl Strategy<Value = Timestamp> {
    (0..4_102_444_800_000_i64).prop_map(Timestamp::from_millis)
}

fn said() -> impl Strategy<Value = (Source, Said)> {
    let insurer = || {
        word(&["138057", "01130012", "06132013", "39131156"])
            .prop_map(|number| Source::parse(number).expect("an insurer"))
    };
    let city = || "[0-9]{6}".prop_map(|code| Source::parse(&format!("city-{code}")).expect("a city"));
    let owner = || prop_oneof![insurer(), city(), Just(Source::Portal), Just(Source::Jlis)];
    prop_oneof![
        4 => (insurer(), link_number(), option::weighted(0.9, member().prop_map(Box::new)))
            .prop_map(|(source, link_number, member)| (source, Said::Member { link_number, member })),
        1 => (word(&[Source::Portal, Source::Gateway]), serial(), option::of(link_number()))
            .prop_map(|(source, serial, link_number)| (source, Said::Link { serial, link_number })),
        1 => (serial(), serial())
            .prop_map(|(serial, previous_serial)| (Source::Jlis, Said::Renewal { serial, previous_serial })),
        1 => (city(), link_number(), option::of(vec(subsidy(), 0..4)))
            .prop_map(|(source, link_number, subsidies)| (source, Said::Subsidy { link_number, subsidies })),
        1 => (owner(), instant(), option::of(any::<u64>()))
            .prop_map(|(source, complete_to, records)| (source, Said::Mark { complete_to, records })),
        1 => (owner(), words()).prop_map(|(of, name)| (Source::Gateway, Said::Dismissal { of, name })),
    ]
}

prop_compose! {
    fn record()(
        (source, said) in said(),
        epoch in prop_oneof![3 => Just(1_u32), 1 => 1..=u32::MAX],
        sequence in 1..=i64::MAX as u64,
        recorded_at in option::of(instant()),
        resolves in vec(any::<u64>(), 0..3),
    ) -> Record {
        Record { source, epoch, sequence, recorded_at, resolves, said }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_record_reads_as_it_was_written(record in record()) {
        let line = record.to_json();
        prop_assert!(!line.contains(&b'\n'));
        prop_assert_eq!(Record::from_json(&line), Ok(record));
    }

    #[test]
    fn a_glimpse_sees_of_a_good_line_what_the_record_says(record in record()) {
        let seen = Glimpse::of(&record.to_json());
        prop_assert_eq!(seen.sequence, Some(record.sequence));
        prop_assert_eq!(seen.kind, Some(record.said.kind()));
        prop_assert_eq!(seen.subject, record.said.subject());
        if let Said::Member { member: Some(member), .. } = &record.said {
            prop_assert_eq!(seen.protect, member.restrictions);
        }
    }

    #[test]
    fn any_octets_are_read_or_refused(line in vec(any::<u8>(), 0..200)) {
        let _ = (Record::from_json(&line), Glimpse::of(&line));
    }

    #[test]
    fn a_line_with_an_octet_changed_is_read_or_refused(
        record in record(), at in any::<prop::sample::Index>(), octet in any::<u8>(),
    ) {
        let mut line = record.to_json();
        let at = at.index(line.len());
        line[at] = octet;
        let _ = (Record::from_json(&line), Glimpse::of(&line));
    }

    #[test]
    fn a_refusal_reads_as_it_was_written(
        line in any::<u64>(),
        kind in option::of(word(Kind::ALL)),
        subject in option::of(prop_oneof![
            link_number().prop_map(Subject::Person), serial().prop_map(Subject::Card),
        ]),
        field in option::of(words()),
        protect in (0..8_u8).prop_map(Restrictions::from_bits),
    ) {
        let refused = Refused { code: "check_digit".into(), field, line, kind, subject, protect };
        prop_assert_eq!(Refused::from_json(&refused.to_json()), Some(refused));
    }
}
