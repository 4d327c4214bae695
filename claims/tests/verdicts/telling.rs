//! What a clerk and a program are told, word by word.

use claims::{Caller, Outcome};
use eligibility::number::InstitutionCode;

use super::town::{Town, judged};

fn texts(outcome: &Outcome) -> Vec<&str> {
    outcome.reason.iter().map(|reason| &*reason.text).collect()
}

#[test]
fn the_reasons_are_told_in_order() {
    let town = Town::of(&["A 2020-04-01..2026-06-16 other, B 2026-06-16..2026-06-28"]);
    let own = [InstitutionCode::parse("1312345679").unwrap()];
    let split = judged(&town, "A 3 20 21 25", Caller::Review, "2026-07-01");
    assert_eq!(
        texts(&split),
        [
            "保険者番号・記号・番号・生年月日に該当する方が見つかりました。",
            "受診日（4日）は受診日等レコード（JD）によります。",
            "記載の保険は2026年6月16日に資格を喪失しています（他の医療保険等取得）。",
            "6月20日～21日、25日は、保険者138057の資格が有効です。",
            "保険者ごとに受診日を分けて（分割）請求してください。",
            "請求先の審査支払機関は国保連合会です。",
        ]
    );
    let unnamed = judged(&town, "A 20", Caller::Reception(&own), "2026-06-20");
    assert_eq!(
        texts(&unnamed)[3..],
        [
            "6月20日は、他の保険の資格が有効です。",
            "正しい保険者はここには表示できません。受診者に確認してください。"
        ]
    );
    let ruled = judged(&town, "A 20 KO MF", Caller::Review, "2026-07-01");
    assert_eq!(
        texts(&ruled)[4..],
        [
            "公費併用のレセプトは自動で振替・分割されません",
            "高額療養費・限度額適用の記載があるレセプトは自動で振替・分割されません",
            "請求先の審査支払機関は国保連合会です。",
        ]
    );
    let lost = judged(&town, "A 3 29", Caller::Review, "2026-07-01");
    assert_eq!(
        texts(&lost)[3..],
        ["6月29日は、有効な資格が見つかりません。", "受診者に現在の保険を確認してください。"]
    );
}

#[test]
fn a_result_is_json_in_both_directions() {
    let town = Town::of(&["A 2020-04-01..2026-06-16 other, C 2026-06-16.."]);
    let outcome = judged(&town, "A 3 20", Caller::Review, "2026-07-01");
    let mut json = Vec::new();
    outcome.write_json(&mut json);
    assert_eq!(
        String::from_utf8(json.clone()).unwrap(),
        concat!(
            r#"{"line":2,"claim":1,"verdict":"split","rule":null,"code":"05","suggested":null,"#,
            r#""written":{"insurer_number":"06132013","symbol":"１","number":"７","branch":null,"birth_date":"1950-02-03"},"#,
            r#""month":"2026-06","days_from":"jd","days":[{"holder":"written","coverage":0,"known":true,"dates":["2026-06-03"]},"#,
            r#"{"holder":"other","coverage":1,"known":true,"dates":["2026-06-20"]}],"#,
            r#""coverages":[{"written":true,"insurer_number":"06132013","symbol":"1","number":"7","branch":"01","#,
            r#""qualified_on":"2020-04-01","disqualified_on":"2026-06-16","loss_reason":"03","valid_from":null,"valid_through":null,"#,
            r#""copay_percent":30,"payer":1,"as_of":"2026-06-21T10:42:12.013+09:00"},"#,
            r#"{"written":false,"insurer_number":"33120015","symbol":"1","number":"7","branch":"01","#,
            r#""qualified_on":"2026-06-16","disqualified_on":null,"loss_reason":null,"valid_from":null,"valid_through":null,"#,
            r#""copay_percent":30,"payer":1,"as_of":"2026-06-21T18:12:00.015+09:00"}],"#,
            r#""payer":{"written":1,"right":1},"reason":[{"code":"person_found","text":"保険者番号・記号・番号・生年月日に該当する方が見つかりました。"},"#,
            r#"{"code":"days","text":"受診日（2日）は受診日等レコード（JD）によります。"},"#,
            r#"{"code":"written_lost","text":"記載の保険は2026年6月16日に資格を喪失しています（他の医療保険等取得）。"},"#,
            r#"{"code":"other_holds","text":"6月20日は、保険者33120015の資格が有効です。"},"#,
            r#"{"code":"do_split","text":"保険者ごとに受診日を分けて（分割）請求してください。"}],"#,
            r#""as_of":"2026-06-21T10:42:12.013+09:00","points":100,"branch":null,"confirmation_line":4,"named":true,"fault":null,"warnings":[]}"#,
            "\n",
        )
    );
    assert_eq!(Outcome::from_json(&json), Some(outcome.clone()));
    assert_eq!(format!("{outcome:?}"), "Outcome(line 2, split, …)");
}
