//! Situations of working life: joining, changing, leaving, families.

use eligibility::code::{LossReason, Sex};
use eligibility::coverage::{Subsidy, Validity};
use eligibility::day::Day;
use eligibility::decision::Status::{Invalid, InvalidNewer, Multiple, NotFound, Valid};
use eligibility::number::check_digit;

use super::draft::{Draft, again, cover, question, row};
use crate::calendar::{birthday, year_from, ymd};
use crate::insurer::known::{
    ASSOCIATION, MUTUAL_AID, NATIONAL_SOCIETY, OTHER_SOCIETY, SELF_DEFENCE, SOCIETY, TOWN, WARD,
};

/// 記号 of the demonstration family's employer.
const FIRM: &str = "１２－３４";
const FATHER: &str = "見本　太郎";

pub(super) fn rows(day: Day) -> Vec<Draft> {
    [family(day), changes(day), ends(day), kinds(day)].into_iter().flatten().collect()
}

fn family(day: Day) -> Vec<Draft> {
    let since = day.plus(-963);
    let (father, mother) = (ymd(1980, 2, 3), ymd(1982, 9, 14));
    let child = birthday(day.plus(-100), -9);
    let (small, twins) = (birthday(day.plus(-200), -4), birthday(day.plus(-45), -12));
    let member = |branch| cover(FIRM, "567", Some(branch), since);
    let dependent = |branch| member(branch).dependent_of(FATHER);
    vec![
        row(
            "employee",
            ("太郎", "タロウ"),
            Sex::Male,
            father,
            "健保組合の被保険者本人で、資格は有効、3割負担です。",
        )
        .at(SOCIETY, [member(0)])
        .by_number(Valid)
        .by_card(Valid),
        again(
            "wrong-birth-date",
            "employee",
            question(SOCIETY, FIRM, "567", Some(0), father.plus(1)),
            "生年月日が1日違うため該当資格なしです。記号・番号・生年月日を確かめて照会し直します。",
        )
        .by_number(NotFound),
        row(
            "dependent-spouse",
            ("花子", "ハナコ"),
            Sex::Female,
            mother,
            "被扶養者で、資格は有効です。本人と同じ記号・番号で枝番が01です。",
        )
        .at(SOCIETY, [dependent(1)])
        .by_number(Valid)
        .by_card(Valid),
        row(
            "dependent-child",
            ("次郎", "ジロウ"),
            Sex::Male,
            child,
            "被扶養者の小学生で、資格は有効、3割負担です。",
        )
        .at(SOCIETY, [dependent(2)])
        .by_number(Valid)
        .by_card(Valid),
        row(
            "preschool-child",
            ("桜", "サクラ"),
            Sex::Female,
            small,
            "未就学児で2割負担、同意があれば子ども医療費助成も見えます。",
        )
        .at(SOCIETY, [dependent(3).copay(20).with(|cover| cover.preschool = Some(true))])
        .subsidy(child_subsidy(small))
        .by_number(Valid)
        .by_card(Valid),
        row(
            "newborn",
            ("新", "アラタ"),
            Sex::Male,
            day.plus(-12),
            "生まれて12日の被扶養者です。資格は出生日から有効で、カードはまだありません。",
        )
        .at(
            SOCIETY,
            [cover(FIRM, "567", Some(6), day.plus(-12))
                .dependent_of(FATHER)
                .copay(20)
                .with(|cover| cover.preschool = Some(true))],
        )
        .by_number(Valid),
        row(
            "twin-elder",
            ("一葉", "カズハ"),
            Sex::Female,
            twins,
            "双子の姉で、枝番04を入れれば一人に定まり、有効です。",
        )
        .at(SOCIETY, [dependent(4)])
        .by_number(Valid)
        .by_card(Valid),
        row(
            "twin-younger",
            ("双葉", "フタバ"),
            Sex::Female,
            twins,
            "双子の妹で、枝番05を入れれば一人に定まり、有効です。",
        )
        .at(SOCIETY, [dependent(5)])
        .by_number(Valid)
        .by_card(Valid),
        again(
            "twins-without-branch",
            "twin-elder",
            question(SOCIETY, FIRM, "567", None, twins),
            "枝番がないと双子のどちらか定まらず、複数該当です。枝番を入れて照会し直します。",
        )
        .by_number(Multiple),
    ]
}

/// 子ども医療費助成 until the end of the school year in which the child turns 15.
pub(super) fn child_subsidy(birth: Day) -> Subsidy {
    let (year, month, of_month) = birth.ymd();
    let early = i32::from((month, of_month) <= (4, 1));
    Subsidy {
        payer_number: number_text(8_813_001),
        recipient_number: number_text(123_456),
        scheme: "子ども医療費助成".into(),
        copay_percent: Some(0),
        validity: Validity { from: Some(birth), through: Some(ymd(year + 16 - early, 3, 31)) },
        note: Some("入院時の食事代は対象外です。".into()),
    }
}

/// A number of seven or eight digits with its check digit.
pub(super) fn number_text(body: u64) -> Box<str> {
    format!("{body}{}", check_digit(body)).into()
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
        .at(OTHER_SOCIETY, [cover("７７０", "15", Some(0), day.plus(-60))])
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
        .at(
            TOWN,
            [cover("浜", "2004", Some(0), day.plus(-30))
                .valid(Validity { from: Some(day.plus(-30)), ..year_from(8, day.plus(300)) })],
        )
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
    ]
}

fn ends(day: Day) -> Vec<Draft> {
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
                .valid(year_from(8, day))
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
        .at(OTHER_SOCIETY, [cover("７７０", "26", None, since)])
        .asked(question(OTHER_SOCIETY, "770", "26", Some(5), birth(1981)))
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
        .at(OTHER_SOCIETY, [cover("７７０", "28", Some(0), since)])
        .said(|member| member.sex_on_back = Some(Sex::Male))
        .by_number(Valid)
        .by_card(Valid),
    ]
}
