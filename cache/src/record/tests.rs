//! Every record comes back as it was, and any octets at all can be read.

use eligibility::code::{CardKind, LimitCategory, LimitKind, LossReason, Relationship, Sex, SpecificDisease};
use eligibility::coverage::{
    Coverage, ElderlyCertificate, LimitCertificate, Member, Membership, Restrictions,
    SpecificDiseaseCertificate, Subsidy, Validity,
};
use eligibility::number::{Branch, LinkNumber, check_digit};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn day() -> impl Strategy<Value = Day> {
    prop_oneof![-40_000..80_000_i32, any::<i32>()].prop_map(Day::from_number)
}

fn validity() -> impl Strategy<Value = Validity> {
    (of(day()), of(day())).prop_map(|(from, through)| Validity { from, through })
}

fn words(pattern: &'static str) -> impl Strategy<Value = Box<str>> {
    pattern.prop_map(String::into_boxed_str)
}

fn code() -> impl Strategy<Value = Box<str>> {
    prop_oneof![words("[0-9]{0,9}"), words("[０-９－]{1,9}"), words("国[0-9]{1,3}"), words(".{0,40}")]
}

fn coded<const N: usize>(pattern: &'static str) -> impl Strategy<Value = eligibility::code::Code<N>> {
    pattern.prop_map(|text| eligibility::code::Code::parse(&text).unwrap())
}

fn elderly() -> impl Strategy<Value = ElderlyCertificate> {
    (validity(), of(any::<u8>()), of(day())).prop_map(|(validity, copay_percent, issued_on)| {
        ElderlyCertificate { validity, copay_percent, issued_on }
    })
}

fn limit() -> impl Strategy<Value = LimitCertificate> {
    let category = of(coded::<3>("[A-Z][0-9]{2}"));
    (select(LimitKind::ALL), category, validity(), of(day()), of(day())).prop_map(
        |(kind, category, validity, long_term_on, issued_on)| {
            let category: Option<LimitCategory> = category;
            LimitCertificate { kind, category, validity, long_term_on, issued_on }
        },
    )
}

fn disease() -> impl Strategy<Value = SpecificDiseaseCertificate> {
    (select(SpecificDisease::ALL), validity(), of(any::<u32>()), of(day())).prop_map(
        |(category, validity, self_pay_yen, issued_on)| SpecificDiseaseCertificate {
            category,
            validity,
            self_pay_yen,
            issued_on,
        },
    )
}

fn coverage() -> impl Strategy<Value = Coverage> {
    let numbers = (code(), code(), of(0..100_u8), of(select(Relationship::ALL)));
    let kind = of(prop_oneof![coded::<2>("01"), coded::<2>("[0-9A-Z]{2}")]);
    let days = (day(), of(day()), of(select(LossReason::ALL)), validity(), any::<bool>());
    let others = (of(prop_oneof![Just(30), any::<u8>()]), of(any::<bool>()), of(day()), of(words(".{0,9}")));
    let certificates = (vec(elderly(), 0..3), vec(limit(), 0..3), vec(disease(), 0..3));
    (numbers, kind, days, others, certificates).prop_map(
        |(numbers, card_kind, days, others, certificates)| {
            let (qualified_on, disqualified_on, loss_reason, mut validity, same) = days;
            if same {
                validity.from = Some(qualified_on);
            }
            let card_kind: Option<CardKind> = card_kind;
            Coverage {
                symbol: numbers.0,
                number: numbers.1,
                branch: numbers.2.and_then(Branch::from_value),
                relationship: numbers.3,
                card_kind,
                insured_name: others.3,
                qualified_on,
                disqualified_on,
                loss_reason,
                validity,
                copay_percent: others.0,
                preschool: others.1,
                issued_on: others.2,
                elderly: certificates.0,
                limit_certificates: certificates.1,
                specific_diseases: certificates.2,
            }
        },
    )
}

fn restrictions() -> impl Strategy<Value = Restrictions> {
    prop_oneof![Just(0), 0..8_u8].prop_map(Restrictions::from_bits)
}

fn member() -> impl Strategy<Value = Member> {
    let names =
        (words(".{0,20}"), of(words("[ァ-ヶ　ー]{0,20}")), of(words(".{0,9}")), of(words("[ア-ン]{0,9}")));
    let sexes = (select(Sex::ALL), of(select(Sex::ALL)));
    let home = (of(words("[0-9]{3}-[0-9]{4}")), of(words("[一-龠０-９－]{0,60}")));
    let coverages = vec(coverage(), 0..4);
    (names, sexes, day(), home, restrictions(), coverages).prop_map(
        |(names, sexes, birth_date, home, restrictions, coverages)| Member {
            name: names.0,
            name_kana: names.1,
            alias: names.2,
            alias_kana: names.3,
            sex: sexes.0,
            sex_on_back: sexes.1,
            birth_date,
            postal_code: home.0,
            address: home.1,
            restrictions,
            coverages,
        },
    )
}

fn insurer() -> impl Strategy<Value = InsurerNumber> {
    (1..10_000_000_u32)
        .prop_map(|body| InsurerNumber::from_value(body * 10 + check_digit(u64::from(body)) as u32).unwrap())
}

fn city() -> impl Strategy<Value = CityCode> {
    (0..1_000_000_u32).prop_map(|code| CityCode::parse(&format!("{code:06}")).unwrap())
}

fn said_words(insurers: Vec<InsurerNumber>) -> impl Strategy<Value = Words> {
    let plain = select(vec![Source::Portal, Source::Jlis, Source::Gateway]);
    let own = select(insurers).prop_map(Source::Insurer);
    let source = prop_oneof![plain, own, insurer().prop_map(Source::Insurer), city().prop_map(Source::City)];
    prop::collection::btree_map(source, any::<u64>(), 0..4).prop_map(|all| all.into_iter().collect())
}

fn card() -> impl Strategy<Value = Held> {
    let octets = vec(any::<u8>(), 0..21);
    let serial = octets.prop_map(|octets| Serial::from_be_bytes(&octets).unwrap());
    let insurers = vec![InsurerNumber::parse("06132013").unwrap()];
    (serial, said_words(insurers)).prop_map(|(serial, words)| Held { serial, words })
}

fn subsidy() -> impl Strategy<Value = Subsidy> {
    (code(), code(), words(".{0,9}"), of(any::<u8>()), validity(), of(words(".{0,9}"))).prop_map(
        |(payer_number, recipient_number, scheme, copay_percent, validity, note)| Subsidy {
            payer_number,
            recipient_number,
            scheme,
            copay_percent,
            validity,
            note,
        },
    )
}

/// Memberships of which some say the same of the person.
fn memberships() -> impl Strategy<Value = Vec<Membership>> {
    let one = (of(member()), any::<bool>(), restrictions());
    prop::collection::btree_map(insurer(), one, 1..5).prop_map(|all| {
        let mut first: Option<Member> = None;
        let one = |(insurer, (member, same, pending)): (_, (Option<Member>, bool, _))| {
            let member = member.map(|member| match &first {
                Some(first) if same => {
                    let (restrictions, coverages) = (member.restrictions, member.coverages);
                    Member { restrictions, coverages, ..first.clone() }
                }
                _ => member,
            });
            first = first.clone().or_else(|| member.clone());
            Membership { insurer, member, pending }
        };
        all.into_iter().map(one).collect()
    })
}

fn kept() -> impl Strategy<Value = Kept> {
    let cities = prop::collection::btree_map(city(), vec(subsidy(), 0..3), 0..3);
    let cards = vec(card(), 0..5);
    (0..10_u64.pow(16), memberships(), any::<bool>(), cities, cards).prop_flat_map(
        |(link, memberships, alone, cities, cards)| {
            let place = Place::of(LinkNumber::from_value(link).unwrap());
            let insurers = memberships.iter().map(|one| one.insurer).collect();
            said_words(insurers).prop_map(move |words| Kept {
                place,
                memberships: if alone { Vec::new() } else { memberships.clone() },
                subsidies: cities.clone().into_iter().collect(),
                words,
                cards: cards.clone(),
            })
        },
    )
}

proptest! {
    #[test]
    fn a_record_comes_back(kept in kept()) {
        let mut out = Vec::new();
        put(&mut out, &kept);
        prop_assert!(read(kept.place, &out).as_ref() == Some(&kept));
        prop_assert_eq!(has_cards(&out), !kept.cards.is_empty());
        prop_assert!(kept.cards.iter().all(|card| holds(&out, &card.serial)));
        let person = kept.is_spoken_of().then(|| Person {
            link_number: kept.place.link().unwrap(),
            memberships: kept.memberships.clone(),
            subsidies: kept.subsidies.clone(),
        });
        let read = read_person(kept.place, &out, None);
        prop_assert!(read.map(|person| person.map(&Packed::unpacked)) == person);
        for one in &kept.memberships {
            let Some(member) = &one.member else { continue };
            prop_assert!(read_person(kept.place, &out, Some((one.insurer, member.birth_date))).is_some());
            let other = Day::from_number(member.birth_date.number() ^ 1);
            prop_assert!(read_person(kept.place, &out, Some((one.insurer, other))).is_none());
        }
    }

    #[test]
    fn any_octets_can_be_read(octets: Vec<u8>, kept in kept(), at: usize, flip: u8) {
        let _ = read(kept.place, &octets);
        let mut out = Vec::new();
        put(&mut out, &kept);
        let at = at % out.len();
        out[at] ^= flip;
        let _ = read(kept.place, &out);
        let _ = read(kept.place, &out[..at]);
        let _ = holds(&out, &Serial::from_be_bytes(&[1]).unwrap());
    }
}
