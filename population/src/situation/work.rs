//! Situations of working life: joining, changing, moving, kinds of insurer.

use eligibility::code::{LossReason, Sex};
use eligibility::day::Day;
use eligibility::decision::Status::{Invalid, InvalidNewer, Valid};

use super::draft::{Draft, FIRM, cover, question, row};
use crate::calendar::ymd;
use crate::insurer::known::{
    ASSOCIATION, MUTUAL_AID, NATIONAL_SOCIETY, OTHER_SOCIETY, SELF_DEFENCE, SOCIETY, TOWN, WARD,
};

pub(super) fn rows(day: Day) -> Vec<Draft> {
    [changes(day), kinds(day)].into_iter().flatten().collect()
}

fn changes(day: Day) -> Vec<Draft> {
    let birth = |year| ymd(year, 6, 18);
    let before = day.plus(-2000);
    let other = LossReason::OtherInsurance;
    vec![
        row(
            "changed-insurer",
            ("転", "ウタタ"),
            Sex::Male,
            birth(1988),
            "転職前の保険者は無効で、新しい資格があります。新しい資格の確認をお願いします。",
        )
        .at(SOCIETY, [cover(FIRM, "801", Some(0), before).lost(day.plus(-60), other)])
        .at(OTHER_SOCIETY, [cover("７７－０", "15", Some(0), day.plus(-60))])
        .by_number(InvalidNewer)
        .by_card(Valid),
        row(
            "overlap-day",
            ("重", "シゲル"),
            Sex::Male,
            birth(1991),
            "きょう社保に入り国保の喪失はあすのため、きょう一日は両方が有効です。",
        )
        .at(WARD, [cover("見本６", "1002", Some(0), before).lost(day.plus(1), other)])
        .at(ASSOCIATION, [cover("90010001", "3", Some(0), day)])
        .by_number(Valid)
        .by_card(Valid),
        row(
            "late-report",
            ("遅", "オソシ"),
            Sex::Male,
            birth(1979),
            "元の保険者の喪失がまだ届かず、新旧どちらも有効に見えます。新しい資格を確かめます。",
        )
        .at(SOCIETY, [cover(FIRM, "803", Some(0), before)])
        .at(ASSOCIATION, [cover("90010002", "18", Some(0), day.plus(-20))])
        .by_number(Valid)
        .by_card(Valid),
        row(
            "moved",
            ("移", "ウツル"),
            Sex::Female,
            birth(1965),
            "転出した区の国保は無効で、転入先の市に新しい資格があります。",
        )
        .at(WARD, [cover("見本６", "1004", Some(0), before).lost(day.plus(-30), LossReason::Other)])
        .at(TOWN, [cover("浜", "2004", Some(0), day.plus(-30)).yearly(day)])
        .by_number(InvalidNewer)
        .by_card(Valid),
        row(
            "birth-dates-differ",
            ("異", "コトナ"),
            Sex::Female,
            birth(1975),
            "国保では生年月日が1日違って登録されています。その保険者の生年月日で照会します。",
        )
        .at(TOWN, [cover("浜", "2005", Some(0), before)])
        .said(|member| member.birth_date = birth(1975).plus(1))
        .at(SOCIETY, [cover(FIRM, "805", Some(0), before.plus(-900)).lost(before, other)])
        .by_number(Valid)
        .by_card(Valid),
        row(
            "starts-in-future",
            ("始", "ハジメ"),
            Sex::Male,
            birth(2002),
            "資格は10日後に始まり、きょうはまだ無効です。",
        )
        .at(SOCIETY, [cover(FIRM, "806", Some(0), day.plus(10))])
        .by_number(Invalid)
        .by_card(Invalid),
        row(
            "rejoined",
            ("戻", "モドル"),
            Sex::Male,
            birth(1986),
            "同じ保険者に戻り番号が変わりました。前の番号では無効、新しい資格ありです。",
        )
        .at(
            SOCIETY,
            [
                cover(FIRM, "807", Some(0), before).lost(day.plus(-700), LossReason::Other),
                cover(FIRM, "1807", Some(0), day.plus(-300)),
            ],
        )
        .by_number(InvalidNewer)
        .by_card(Valid),
        row(
            "hired-soon",
            ("近", "チカ"),
            Sex::Female,
            birth(2001),
            "いまは国保で有効です。10日後に社保に入り、国保はその翌日に終わると届いています。",
        )
        .at(WARD, [cover("見本６", "1008", Some(0), before).lost(day.plus(11), other)])
        .at(ASSOCIATION, [cover("90010008", "8", Some(0), day.plus(10))])
        .by_number(Valid)
        .by_card(Valid),
    ]
}
fn kinds(day: Day) -> Vec<Draft> {
    let birth = |year| ymd(year, 4, 27);
    let since = day.plus(-1500);
    vec![
        row(
            "association",
            ("協", "カノウ"),
            Sex::Male,
            birth(1983),
            "協会けんぽの被保険者本人で、資格は有効です。",
        )
        .at(ASSOCIATION, [cover("90010021", "21", Some(0), since)])
        .by_number(Valid)
        .by_card(Valid),
        row(
            "mutual-aid",
            ("共", "トモ"),
            Sex::Female,
            birth(1987),
            "共済組合の組合員本人で、資格は有効です。",
        )
        .at(MUTUAL_AID, [cover("見本共済", "300022", Some(0), since)])
        .by_number(Valid)
        .by_card(Valid),
        row(
            "national",
            ("国", "クニ"),
            Sex::Female,
            birth(1970),
            "国保の世帯員で、世帯主の氏名も見えます。資格は8月から7月までの証で有効です。",
        )
        .at(
            WARD,
            [cover("見本６", "1023", Some(1), since)
                .yearly(day)
                .with(|cover| cover.insured_name = Some("見本　主".into()))],
        )
        .by_number(Valid)
        .by_card(Valid),
        row(
            "national-society",
            ("職", "ツカサ"),
            Sex::Male,
            birth(1976),
            "国保組合の組合員で、資格は有効です。",
        )
        .at(NATIONAL_SOCIETY, [cover("建１", "24", Some(0), since)])
        .by_number(Valid)
        .by_card(Valid),
        row(
            "self-defence",
            ("衛", "マモル"),
            Sex::Male,
            birth(1998),
            "自衛官（証区分07）で、資格は有効です。",
        )
        .at(SELF_DEFENCE, [cover("陸", "700025", None, since).kind("07")])
        .by_number(Valid)
        .by_card(Valid),
        row(
            "without-branch",
            ("番", "ツガイ"),
            Sex::Male,
            birth(1981),
            "保険者が枝番を登録していないため、どの枝番を入れても一人に定まり有効です。",
        )
        .at(OTHER_SOCIETY, [cover("７７－０", "26", None, since)])
        .asked(question(OTHER_SOCIETY, "77-0", "26", Some(5), birth(1981)))
        .by_number(Valid)
        .by_card(Valid),
        row(
            "alias",
            ("", ""),
            Sex::Female,
            birth(1993),
            "通称名が登録されています。券面の氏名と通称名のどちらで名乗られても同じ人です。",
        )
        .at(ASSOCIATION, [cover("90010027", "27", Some(0), since)])
        .said(|member| {
            member.name = "ＳＡＭＰＬＥ　ＡＮＮＡ".into();
            member.name_kana = Some("サンプル　アンナ".into());
            member.alias = Some("見本　杏奈".into());
            member.alias_kana = Some("ミホン　アンナ".into());
        })
        .by_number(Valid)
        .by_card(Valid),
        row(
            "sex-on-back",
            ("薫", "カオル"),
            Sex::Unknown,
            birth(1994),
            "性別は裏面に記載されています。声かけと表示に配慮します。",
        )
        .at(OTHER_SOCIETY, [cover("７７－０", "28", Some(0), since)])
        .said(|member| member.sex_on_back = Some(Sex::Male))
        .by_number(Valid)
        .by_card(Valid),
        row(
            "share-unknown",
            ("欠", "カケル"),
            Sex::Female,
            birth(1992),
            "資格は有効ですが、保険者が負担割合と住所を登録していません。割合は本人の証で確かめます。",
        )
        .at(TOWN, [cover("浜", "2029", Some(0), since).yearly(day).with(|cover| cover.copay_percent = None)])
        .said(|member| (member.postal_code, member.address) = (None, None))
        .by_number(Valid)
        .by_card(Valid),
    ]
}
