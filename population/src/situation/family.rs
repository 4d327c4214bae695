//! Situations of one family under one symbol and number.

use eligibility::code::Sex;
use eligibility::coverage::{Subsidy, Validity};
use eligibility::day::Day;
use eligibility::decision::Status::{Multiple, NotFound, Valid};

use super::draft::{Draft, FIRM, again, cover, number_text, question, row};
use crate::calendar::{april_after, birthday, ymd};
use crate::insurer::known::SOCIETY;

const FATHER: &str = "見本　太郎";

pub(super) fn rows(day: Day) -> Vec<Draft> {
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
        again(
            "wrong-branch",
            "employee",
            question(SOCIETY, FIRM, "567", Some(17), father),
            "その枝番の人はいないため該当資格なしです。枝番を空にして照会し直せます。",
        )
        .by_number(NotFound),
        again(
            "spelled-otherwise",
            "employee",
            question(SOCIETY, "12-34", "００５６７", Some(0), father),
            "記号の全角・半角やハイフン、番号の前の0が違っても同じ人に定まり、有効です。",
        )
        .by_number(Valid),
    ]
}

/// 子ども医療費助成 until the end of the school year in which the child turns 15.
fn child_subsidy(birth: Day) -> Subsidy {
    Subsidy {
        payer_number: number_text(8_813_001),
        recipient_number: number_text(123_456),
        scheme: "子ども医療費助成".into(),
        copay_percent: Some(0),
        validity: Validity { from: Some(birth), through: Some(april_after(birth, 15).plus(-1)) },
        note: Some("入院時の食事代は対象外です。".into()),
    }
}
