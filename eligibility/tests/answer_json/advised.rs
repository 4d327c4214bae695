//! The advice that goes with every outcome.

use eligibility::advice;

use super::*;

const KINDS: [Option<&str>; 10] = [
    None,
    Some("01"),
    Some("02"),
    Some("03"),
    Some("04"),
    Some("05"),
    Some("06"),
    Some("07"),
    Some("A1"),
    Some("ZZ"),
];

/// Calls with every outcome that types allow, likely or not.
fn every_outcome(each: &mut dyn FnMut(&Eligibility<'_>)) {
    let optional = |all: &[Reason]| all.iter().copied().map(Some).chain([None]).collect::<Vec<_>>();
    let losses: Vec<_> = LossReason::ALL.iter().copied().map(Some).chain([None]).collect();
    let ends = [
        (None, None),
        (None, Some(day("2027-04-01"))),
        (Some(EndedBy::Loss), None),
        (Some(EndedBy::Period), None),
    ];
    let member = member();
    for status in Status::ALL {
        for reason in optional(Reason::ALL) {
            each(&Eligibility { reason, ..eligibility(*status, Vec::new()) });
            for (kind, loss_reason) in
                KINDS.iter().flat_map(|kind| losses.iter().map(move |loss| (kind, *loss)))
            {
                let card_kind = kind.and_then(CardKind::parse);
                let coverage = Coverage { card_kind, loss_reason, ..coverage() };
                for (ended_by, starts_on) in ends {
                    let one = Shown { ended_by, starts_on, ..shown(&member, &coverage) };
                    each(&Eligibility { reason, ..eligibility(*status, vec![one]) });
                }
            }
        }
    }
}

fn is_japanese(text: &str) -> bool {
    let kana = text.chars().any(|c| ('ぁ'..='ん').contains(&c));
    let kanji = text.chars().any(|c| ('一'..='龠').contains(&c));
    kana && kanji && text.ends_with('。')
}

#[test]
fn every_outcome_tells_the_desk_what_to_do_and_names_nobody() {
    let mut outcomes = 0;
    every_outcome(&mut |eligibility| {
        for card in [None, Some(CardState::Good), Some(CardState::Grace)] {
            let advice = advice::of(eligibility, card);
            let said = format!("{:?} {:?}: {}", eligibility.status, eligibility.reason, advice.desk);
            assert!(is_japanese(&advice.desk), "{said}");
            assert_eq!(
                advice.desk.contains("電子証明書は有効期限が切れています"),
                card == Some(CardState::Grace),
                "{said}"
            );
            assert!(advice.vendor.as_deref().is_none_or(is_japanese), "{:?}", advice.vendor);
            for personal in ["見本", "ミホン", "567", "1980", "100-0001", "１２－３４", "06132013"]
            {
                let vendor = advice.vendor.as_deref().unwrap_or_default();
                assert!(!advice.desk.contains(personal) && !vendor.contains(personal), "{said}");
            }
            outcomes += 1;
        }
    });
    assert_eq!(outcomes, 8 * 7 * (1 + 10 * 5 * 4) * 3);
}

#[test]
fn the_desk_is_sent_where_the_real_procedure_goes() {
    let member = member();
    let desk = |status, reason, ended_by: Option<EndedBy>, loss_reason, kind: &str| {
        let coverage = Coverage { card_kind: CardKind::parse(kind), loss_reason, ..coverage() };
        let starts_on = ended_by.is_none().then(|| day("2027-04-01"));
        let one = Shown { ended_by, starts_on, ..shown(&member, &coverage) };
        let eligibility = Eligibility { reason, ..eligibility(status, vec![one]) };
        advice::of(&eligibility, None).desk.into_owned()
    };
    let (loss, period) = (Some(EndedBy::Loss), Some(EndedBy::Period));
    let table = [
        (desk(Status::Valid, None, None, None, "01"), "資格は有効です。"),
        (desk(Status::Valid, None, None, None, "05"), "10割"),
        (desk(Status::Invalid, None, loss, Some(LossReason::PublicAssistance), "01"), "医療券"),
        (desk(Status::Invalid, None, loss, Some(LossReason::OtherInsurance), "01"), "被保険者資格申立書"),
        (desk(Status::Invalid, None, loss, Some(LossReason::Death), "01"), "ご本人"),
        (desk(Status::Invalid, None, loss, None, "01"), "資格情報のお知らせ"),
        (desk(Status::Invalid, None, period, None, "01"), "有効期間"),
        (desk(Status::Invalid, None, None, None, "01"), "まだ始まっていません"),
        (desk(Status::InvalidNewer, None, loss, None, "01"), "この保険証の資格は終わっています"),
        (desk(Status::InvalidNewer, None, None, None, "01"), "まだ始まっていません"),
        (desk(Status::InvalidNewer, None, None, None, "01"), "マイナポータルの資格情報画面"),
        (desk(Status::NotFound, None, None, None, "01"), "もう一度ご確認ください"),
        (desk(Status::NotFound, None, None, None, "01"), "被保険者資格申立書"),
        (desk(Status::Multiple, None, None, None, "01"), "枝番"),
        (desk(Status::Withheld, Some(Reason::CardUnusable), None, None, "01"), "資格確認書"),
        (
            desk(Status::Withheld, Some(Reason::Closed), None, None, "01"),
            "資格がないという意味ではありません",
        ),
        (desk(Status::NotLinked, None, None, None, "01"), "最大24時間"),
        (
            desk(Status::Unconfirmed, Some(Reason::Stale), None, None, "01"),
            "資格がないという意味ではありません",
        ),
        (desk(Status::Unconfirmed, Some(Reason::PersonNotFed), None, None, "01"), "資格情報のお知らせ"),
    ];
    for (words, expected) in table {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    // A closed door is not told from the reason behind it.
    let unusable = desk(Status::Withheld, Some(Reason::CardUnusable), None, None, "01");
    assert!(!unusable.contains("DV") && !unusable.contains("支援措置") && !unusable.contains("保護"));
}

#[test]
fn the_vendor_hears_of_what_a_program_can_mend() {
    let vendor = |status, reason| {
        advice::of(&Eligibility { reason, ..eligibility(status, Vec::new()) }, None).vendor.is_some()
    };
    for status in [Status::NotFound, Status::Multiple, Status::Unconfirmed] {
        assert!(vendor(status, None), "{status:?}");
    }
    for status in [Status::Valid, Status::Invalid, Status::InvalidNewer, Status::Withheld, Status::NotLinked]
    {
        assert!(!vendor(status, None), "{status:?}");
    }
    assert!(Reason::ALL.iter().all(|reason| vendor(Status::Unconfirmed, Some(*reason))));
}
