//! Situations in which something may not be shown, is not known, or is paid otherwise.

use eligibility::code::{LossReason, Restriction, Sex};
use eligibility::coverage::Validity;
use eligibility::day::Day;
use eligibility::decision::Reason;
use eligibility::decision::Status::{Invalid, Unconfirmed, Valid, Withheld};

use super::draft::{Draft, FIRM, cover, question, row};
use crate::calendar::ymd;
use crate::insurer::known::{OTHER_SOCIETY, SILENT, SOCIETY, TOWN, WARD};

pub(super) fn rows(day: Day) -> Vec<Draft> {
    [hidden(day), unknown(), sanctioned(day)].into_iter().flatten().collect()
}

fn hidden(day: Day) -> Vec<Draft> {
    let birth = |year| ymd(year, 3, 9);
    let since = day.plus(-1200);
    vec![
        row(
            "hide-address",
            ("秘", "ヒソカ"),
            Sex::Female,
            birth(1989),
            "不開示該当のため住所は見えません。資格は有効です。住所を尋ねず、家族にも伝えません。",
        )
        .at(SOCIETY, [cover(FIRM, "851", Some(0), since)])
        .restricted(Restriction::HideAddress)
        .by_number(Valid)
        .by_card(Valid),
        row(
            "card-unusable",
            ("避", "サケ"),
            Sex::Female,
            birth(1984),
            "カードでは資格を示せません。番号の照会では住所なしで有効と出ます。",
        )
        .at(WARD, [cover("見本６", "1052", Some(0), since).yearly(day)])
        .restricted(Restriction::CardUnusable)
        .restricted(Restriction::HideAddress)
        .by_number(Valid)
        .by_card_for(Withheld, Reason::CardUnusable),
        row(
            "closed",
            ("閉", "トジ"),
            Sex::Male,
            birth(1977),
            "保険者が確認中のため閲覧が止められています。保険者に問い合わせます。",
        )
        .at(OTHER_SOCIETY, [cover("７７－０", "53", Some(0), since)])
        .restricted(Restriction::Closed)
        .by_number_for(Withheld, Reason::Closed)
        .by_card_for(Withheld, Reason::Closed),
        row(
            "closed-elsewhere",
            ("半", "ナカバ"),
            Sex::Male,
            birth(1978),
            "前の保険者は閲覧が止められていますが、いまの資格は有効で見えます。",
        )
        .at(TOWN, [cover("浜", "2054", Some(0), since)])
        .at(SOCIETY, [cover(FIRM, "854", Some(0), since.plus(-900)).lost(since, LossReason::OtherInsurance)])
        .restricted(Restriction::Closed)
        .by_number(Valid)
        .by_card(Valid),
    ]
}

fn unknown() -> Vec<Draft> {
    let birth = |year| ymd(year, 10, 2);
    vec![
        row(
            "not-fed",
            ("未", "ヒツジ"),
            Sex::Male,
            birth(1999),
            "カードは紐付いていますが、保険者からまだ資格が届いていません。未確認として扱います。",
        )
        .by_card_for(Unconfirmed, Reason::PersonNotFed),
        row(
            "silent-insurer",
            ("黙", "モク"),
            Sex::Male,
            birth(1973),
            "この保険者からは一度も資格が届いておらず、該当なしとは言えません。",
        )
        .asked(question(SILENT, "１", "56", Some(0), birth(1973)))
        .by_number_for(Unconfirmed, Reason::NeverFed)
        .by_card_for(Unconfirmed, Reason::PersonNotFed),
    ]
}

fn sanctioned(day: Day) -> Vec<Draft> {
    let birth = |year| ymd(year, 1, 25);
    let since = day.plus(-1800);
    vec![
        row(
            "certificate-of-qualification",
            ("滞", "トドコ"),
            Sex::Male,
            birth(1971),
            "資格証明書（証区分05）で、窓口では10割を受け取ります。",
        )
        .at(WARD, [cover("見本６", "1057", Some(0), since).yearly(day).kind("05").copay(100)])
        .by_number(Valid)
        .by_card(Valid),
        row(
            "short-term",
            ("短", "ミジカ"),
            Sex::Female,
            birth(1966),
            "短期証（証区分03）で、6か月の期限のうち有効です。",
        )
        .at(
            TOWN,
            [cover("浜", "2058", Some(0), since)
                .valid(Validity { from: Some(day.plus(-120)), through: Some(day.plus(60)) })
                .kind("03")],
        )
        .by_number(Valid)
        .by_card(Valid),
        row(
            "short-term-ended",
            ("逸", "イツ"),
            Sex::Male,
            birth(1967),
            "短期証の期限が切れ、更新されていません。",
        )
        .at(
            TOWN,
            [cover("浜", "2059", Some(0), since)
                .valid(Validity { from: Some(day.plus(-190)), through: Some(day.plus(-10)) })
                .kind("03")],
        )
        .by_number(Invalid)
        .by_card(Invalid),
    ]
}
