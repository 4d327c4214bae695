//! Situations of age and of illness: 高齢受給者, 後期, 限度額, 特定疾病, 助成.

use eligibility::code::{LimitKind, LossReason, Sex, SpecificDisease};
use eligibility::coverage::{Subsidy, Validity};
use eligibility::day::Day;
use eligibility::decision::Status::{InvalidNewer, Valid};

use super::draft::{Draft, FIRM, cover, number_text, row};
use crate::calendar::{birthday, elderly_from, year_from, ymd};
use crate::insurer::known::{ASSOCIATION, LATE_ELDERLY, MUTUAL_AID, SEAFARERS, SOCIETY, TOWN, WARD};

pub(super) fn rows(day: Day) -> Vec<Draft> {
    [old(day), very_old(day), ill(day)].into_iter().flatten().collect()
}

/// From the certificate's first month to the day before the 75th birthday, August years within.
fn certificate(birth: Day, day: Day) -> Validity {
    let year = year_from(8, day);
    Validity {
        from: year.from.map(|from| from.max(elderly_from(birth))),
        through: year.through.map(|through| through.min(birthday(birth, 75).plus(-1))),
    }
}

fn old(day: Day) -> Vec<Draft> {
    let seventy_two = birthday(day.plus(-77), -72);
    // The 70th birthday was in this month, or is today: the certificate begins with the next month.
    let (year, month, of_month) = day.ymd();
    let just_seventy = birthday(ymd(year, month, of_month.max(2)), -70);
    let next_month = elderly_from(just_seventy);
    let first = ymd(year - 70, month, 1);
    vec![
        row(
            "elderly-certificate",
            ("寿", "ヒサシ"),
            Sex::Male,
            seventy_two,
            "70歳を過ぎ、高齢受給者証により2割負担です。",
        )
        .at(
            WARD,
            [cover("見本６", "1031", Some(0), day.plus(-3500))
                .yearly(day)
                .elderly(certificate(seventy_two, day), 20)],
        )
        .by_number(Valid)
        .by_card(Valid),
        row(
            "seventy-this-month",
            ("古希", "コキ"),
            Sex::Female,
            just_seventy,
            "70歳になった月で、高齢受給者証は翌月からのため、きょうは3割負担です。",
        )
        .at(
            SOCIETY,
            [cover(FIRM, "832", Some(0), day.plus(-3500)).elderly(
                Validity { from: Some(next_month), through: Some(next_month.plus_months(12).plus(-1)) },
                20,
            )],
        )
        .by_number(Valid)
        .by_card(Valid),
        row(
            "seventy-on-the-first",
            ("朔", "ハジメ"),
            Sex::Male,
            first,
            "1日生まれは70歳になるその月から高齢受給者証があり、きょうは2割負担です。",
        )
        .at(SOCIETY, [cover(FIRM, "839", Some(0), day.plus(-3500)).elderly(certificate(first, day), 20)])
        .by_number(Valid)
        .by_card(Valid),
    ]
}

fn very_old(day: Day) -> Vec<Draft> {
    let late = |body, birth| {
        let from = birthday(birth, 75);
        cover("", &number_text(body), None, from).yearly(day).copay(10)
    };
    let (year, _, _) = day.ymd();
    let (eighty, rich, sailor) = (ymd(year - 86, 1, 15), ymd(year - 82, 8, 23), ymd(year - 80, 12, 1));
    let soon = birthday(day.plus(20), -75);
    // On 29 February nobody turns 75; then it is who turned 75 the day before.
    let today = Some(birthday(day, -75))
        .filter(|birth| birthday(*birth, 75) == day)
        .unwrap_or(birthday(day.plus(-1), -75));
    vec![
        row(
            "late-elderly",
            ("松", "マツ"),
            Sex::Female,
            eighty,
            "後期高齢者医療の被保険者で、1割負担です。記号と枝番はありません。",
        )
        .at(LATE_ELDERLY, [late(1_000_033, eighty)])
        .by_number(Valid)
        .by_card(Valid),
        row(
            "late-elderly-30",
            ("竹", "タケ"),
            Sex::Male,
            rich,
            "後期高齢者医療の現役並み所得者で、3割負担、限度額の区分は現役並みⅡです。",
        )
        .at(LATE_ELDERLY, [late(1_000_034, rich).copay(30).limit(LimitKind::Limit, "B02", year_from(8, day))])
        .by_number(Valid)
        .by_card(Valid),
        row(
            "seventy-five-today",
            ("梅", "ウメ"),
            Sex::Female,
            today,
            "きょう75歳になり、健保は無効、後期高齢者医療に移っています。",
        )
        .at(
            SOCIETY,
            [cover(FIRM, "835", Some(0), day.plus(-3500))
                .lost(birthday(today, 75), LossReason::OtherInsurance)],
        )
        .at(LATE_ELDERLY, [late(1_000_035, today)])
        .by_number(InvalidNewer)
        .by_card(Valid),
        row(
            "seafarer-late-elderly",
            ("船", "フネ"),
            Sex::Male,
            sailor,
            "船員保険と後期高齢者医療の両方が法により有効です。",
        )
        .at(SEAFARERS, [cover("船見本", "36", Some(0), day.plus(-3500))])
        .at(LATE_ELDERLY, [late(1_000_036, sailor)])
        .by_number(Valid)
        .by_card(Valid),
        row(
            "mutual-aid-late-elderly",
            ("杉", "スギ"),
            Sex::Male,
            sailor,
            "共済と後期高齢者医療の両方が法により有効です。",
        )
        .at(MUTUAL_AID, [cover("見本共済", "300037", Some(0), day.plus(-3500))])
        .at(LATE_ELDERLY, [late(1_000_037, sailor)])
        .by_number(Valid)
        .by_card(Valid),
        row(
            "seventy-five-soon",
            ("桃", "モモ"),
            Sex::Female,
            soon,
            "もうすぐ75歳です。きょうは国保で有効、誕生日から後期高齢者医療に移ります。",
        )
        .at(
            WARD,
            [cover("見本６", "1038", Some(0), day.plus(-3000))
                .lost(birthday(soon, 75), LossReason::OtherInsurance)
                .valid(Validity { from: Some(day.plus(-3000)), through: Some(birthday(soon, 75).plus(-1)) })
                .elderly(certificate(soon, day), 20)],
        )
        .at(LATE_ELDERLY, [late(1_000_038, soon)])
        .by_number(Valid)
        .by_card(Valid),
    ]
}

fn ill(day: Day) -> Vec<Draft> {
    let birth = |year| ymd(year, 7, 30);
    let since = day.plus(-2500);
    let year = year_from(8, day);
    vec![
        row(
            "limit-certificate",
            ("限", "カギリ"),
            Sex::Male,
            birth(1974),
            "同意があれば限度額適用区分ウが見え、窓口は自己負担限度額までです。",
        )
        .at(ASSOCIATION, [cover("90010041", "41", Some(0), since).limit(LimitKind::Limit, "A03", year)])
        .by_number(Valid)
        .by_card(Valid),
        row(
            "limit-and-reduction",
            ("減", "ゲン"),
            Sex::Female,
            birth(1962),
            "住民税非課税で区分オ、同意があれば食事代の減額と長期入院該当も見えます。",
        )
        .at(
            TOWN,
            [cover("浜", "2042", Some(0), since)
                .yearly(day)
                .limit(LimitKind::LimitAndReduction, "A05", year)
                .with(|cover| {
                    for limit in &mut cover.limit_certificates {
                        limit.long_term_on = limit.validity.from.map(|from| from.plus_months(1));
                    }
                })],
        )
        .by_number(Valid)
        .by_card(Valid),
        row(
            "dialysis",
            ("腎", "ジン"),
            Sex::Male,
            birth(1968),
            "カードと同意があれば特定疾病（人工透析、自己負担1万円）と限度額が見えます。",
        )
        .at(
            SOCIETY,
            [cover(FIRM, "843", Some(0), since)
                .disease(SpecificDisease::Dialysis, day.plus(-800), 10_000)
                .limit(LimitKind::Limit, "A02", year)],
        )
        .by_number(Valid)
        .by_card(Valid),
        row(
            "subsidies",
            ("助", "タスク"),
            Sex::Female,
            birth(1985),
            "同意があれば障害者医療費助成と難病の公費が見えます。",
        )
        .at(WARD, [cover("見本６", "1044", Some(0), since).yearly(day)])
        .subsidy(disability(since, year))
        .subsidy(Subsidy {
            payer_number: number_text(5_413_001),
            recipient_number: number_text(765_432),
            scheme: "指定難病".into(),
            copay_percent: Some(20),
            validity: Validity { from: Some(day.plus(-200)), through: Some(day.plus(165)) },
            note: Some("月額上限1万円、管理票を確認してください。".into()),
        })
        .by_number(Valid)
        .by_card(Valid),
    ]
}

fn disability(since: Day, year: Validity) -> Subsidy {
    Subsidy {
        payer_number: number_text(8_013_002),
        recipient_number: number_text(234_567),
        scheme: "心身障害者医療費助成".into(),
        copay_percent: Some(10),
        validity: Validity { from: Some(since), ..year },
        note: None,
    }
}
