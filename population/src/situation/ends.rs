//! Situations of memberships that end, have ended or run out.

use eligibility::code::{LossReason, Sex};
use eligibility::coverage::Validity;
use eligibility::day::Day;
use eligibility::decision::Status::{Invalid, Valid};

use super::draft::{Draft, FIRM, cover, question, row};
use crate::calendar::ymd;
use crate::insurer::known::{SOCIETY, TOWN, WARD};

pub(super) fn rows(day: Day) -> Vec<Draft> {
    let birth = |year| ymd(year, 11, 5);
    let before = day.plus(-3000);
    let lost = |number, on: i32, reason| cover(FIRM, number, Some(0), before).lost(day.plus(on), reason);
    vec![
        row(
            "gap-now",
            ("空", "ソラ"),
            Sex::Female,
            birth(1990),
            "退職して資格を失い、次の資格がまだありません。本人に加入の届けを確かめます。",
        )
        .at(SOCIETY, [lost("811", -40, LossReason::Other)])
        .by_number(Invalid)
        .by_card(Invalid),
        row("died", ("故", "ユエ"), Sex::Male, birth(1948), "死亡により資格を失っています。")
            .at(TOWN, [cover("浜", "2012", Some(0), before).lost(day.plus(-90), LossReason::Death)])
            .by_number(Invalid)
            .by_card(Invalid),
        row(
            "public-assistance",
            ("護", "マモル"),
            Sex::Male,
            birth(1969),
            "生活保護の開始で国保を失っています。医療券を福祉事務所に確かめます。",
        )
        .at(
            WARD,
            [cover("見本６", "1013", Some(0), before).lost(day.plus(-15), LossReason::PublicAssistance)],
        )
        .by_number(Invalid)
        .by_card(Invalid),
        row(
            "period-ended",
            ("期", "トキ"),
            Sex::Female,
            birth(1972),
            "有効期間が切れています。喪失の届けはなく、更新を保険者に確かめます。",
        )
        .at(
            TOWN,
            [cover("浜", "2014", Some(0), before)
                .valid(Validity { from: Some(day.plus(-400)), through: Some(day.plus(-35)) })],
        )
        .by_number(Invalid)
        .by_card(Invalid),
        row("last-day", ("末", "スエ"), Sex::Female, birth(1995), "喪失日はあすで、きょうまで有効です。")
            .at(SOCIETY, [lost("815", 1, LossReason::Other)])
            .by_number(Valid)
            .by_card(Valid),
        row("lost-today", ("切", "キリ"), Sex::Male, birth(1996), "喪失日はきょうで、きょうから無効です。")
            .at(SOCIETY, [lost("816", 0, LossReason::Other)])
            .by_number(Invalid)
            .by_card(Invalid),
        row(
            "voluntary",
            ("任", "マコト"),
            Sex::Male,
            birth(1964),
            "任意継続で有効です。資格は最長2年で終わります。",
        )
        .at(
            SOCIETY,
            [
                lost("817", -300, LossReason::Other),
                cover("９９－９９", "4017", Some(0), day.plus(-300)).valid(Validity {
                    from: Some(day.plus(-300)),
                    through: Some(day.plus(-300).plus_months(24).plus(-1)),
                }),
            ],
        )
        .asked(question(SOCIETY, "９９－９９", "4017", Some(0), birth(1964)))
        .by_number(Valid)
        .by_card(Valid),
    ]
}
