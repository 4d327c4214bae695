//! Situations of the card itself; the persons behind them are ordinarily insured.

use eligibility::code::Sex;
use eligibility::day::Day;
use eligibility::decision::Status::{NotLinked, Valid};

use super::Expected;
use super::draft::{Draft, FIRM, cover, row};
use crate::calendar::ymd;
use crate::card::{CardKey, CardState};
use crate::insurer::known::SOCIETY;

pub(super) fn rows(day: Day) -> Vec<Draft> {
    let insured = |name, given, number, year, desk| {
        row(name, given, Sex::Male, ymd(year, 5, 19), desk)
            .at(SOCIETY, [cover(FIRM, number, Some(0), day.plus(-700))])
            .by_number(Valid)
    };
    let valid = Expected::Answer(Valid, None);
    vec![
        insured(
            "card-grace",
            ("猶", "ユウ"),
            "901",
            1981,
            "証明書の期限は切れましたが猶予のうちで、資格だけ確かめられます。更新を案内します。",
        )
        .card(CardState::Grace, valid),
        insured(
            "card-expired",
            ("限切", "キギレ"),
            "902",
            1982,
            "証明書の期限も猶予も過ぎています。市区町村での更新を案内し、番号で照会します。",
        )
        .refused(CardState::Expired),
        insured(
            "card-revoked",
            ("失", "ウセ"),
            "903",
            1983,
            "証明書は失効しています。新しいカードがないか尋ね、番号で照会します。",
        )
        .refused(CardState::Revoked),
        insured(
            "card-suspended",
            ("停", "トマル"),
            "904",
            1984,
            "証明書は一時停止中です。届け出の解除を案内し、番号で照会します。",
        )
        .refused(CardState::Suspended),
        insured(
            "card-unlinked",
            ("離", "ハナレ"),
            "905",
            1985,
            "カードは有効ですが、どの資格とも紐付いていません。初回登録を案内します。",
        )
        .card(CardState::Unlinked, Expected::Answer(NotLinked, None)),
        insured(
            "card-untrusted",
            ("偽", "イツワ"),
            "906",
            1986,
            "信頼する認証局が発行した証明書ではありません。番号で照会します。",
        )
        .refused(CardState::Untrusted),
        insured(
            "card-wrong-profile",
            ("違", "タガウ"),
            "907",
            1987,
            "利用者証明用でない証明書です。読み取りの設定を確かめます。",
        )
        .refused(CardState::WrongProfile),
        insured(
            "card-renewed",
            ("更", "アラタ"),
            "908",
            1988,
            "証明書を更新したばかりですが、新しい番号も紐付いており有効です。",
        )
        .by_card(Valid)
        .with_card(|card| card.renewed = true),
        insured("card-next", ("次世代", "ジセダイ"), "909", 1989, "次のカード（P-384）で、資格は有効です。")
            .by_card(Valid)
            .with_card(|card| card.key = CardKey::P384),
    ]
}
