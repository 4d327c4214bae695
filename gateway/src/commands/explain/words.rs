//! The words of an explanation: fields, outcomes, rules, as a clerk knows them, with the codes beside.

use eligibility::decision::{Eligibility, EndedBy, Reason, Shown, Status};

use super::chain::Change;

/// What a clerk calls a field of a record.
pub(super) fn label(place: &str) -> &'static str {
    let name = place.rsplit('.').next().unwrap_or_default().split('[').next().unwrap_or_default();
    let within = |list: &str| place.contains(list);
    match name {
        "deleted" => "取消",
        "name" => "氏名",
        "name_kana" => "氏名カナ",
        "alias" => "通称名",
        "alias_kana" => "通称名カナ",
        "sex" | "sex_on_back" => "性別",
        "birth_date" => "生年月日",
        "postal_code" => "郵便番号",
        "address" => "住所",
        "restrictions" => "閲覧の制限",
        "symbol" => "記号",
        "number" => "番号",
        "branch" => "枝番",
        "relationship" => "本人・家族",
        "card_kind" => "証区分",
        "insured_name" => "被保険者氏名",
        "qualified_on" => "資格取得日",
        "disqualified_on" => "資格喪失日",
        "loss_reason" => "喪失事由",
        "valid_from" if within("elderly") => "高齢受給者証の開始日",
        "valid_through" if within("elderly") => "高齢受給者証の終了日",
        "valid_from" if within("limit") => "限度額適用認定証の開始日",
        "valid_through" if within("limit") => "限度額適用認定証の終了日",
        "valid_from" => "有効開始日",
        "valid_through" => "有効終了日",
        "copay_percent" => "負担割合",
        "issued_on" => "交付日",
        "category" if within("limit") => "適用区分",
        "category" => "認定疾病区分",
        "scheme" => "助成の名称",
        "payer_number" => "公費負担者番号",
        "recipient_number" => "公費受給者番号",
        "complete_to" => "完了時点",
        _ => "その他の項目",
    }
}

/// How much a record changed.
pub(super) fn summary(changes: &[Change]) -> String {
    match changes {
        [] => "前の記録と同じ".to_owned(),
        all if all.iter().any(|change| change.field == "deleted" && change.after == "true") => {
            "保険者による取消".to_owned()
        }
        all => format!("{} 項目", all.len()),
    }
}

/// The outcome, with its codes.
pub(super) fn status<T>(eligibility: &Eligibility<'_, T>) -> String {
    let text = match eligibility.status {
        Status::Valid => "有効",
        Status::Invalid => "無効",
        Status::InvalidNewer => "無効（新しい資格あり）",
        Status::NotFound => "該当資格なし",
        Status::Multiple => "複数該当",
        Status::Withheld => "表示できない",
        Status::NotLinked => "未登録のカード",
        Status::Unconfirmed => "確認できない",
    };
    let code = eligibility.status.code().map_or(String::new(), |code| format!("、資格有効性 {code}"));
    let reason = eligibility.reason.map_or(String::new(), |reason| format!("、理由 {}", reason.word()));
    format!("{text}（{}{code}{reason}）", eligibility.status.word())
}

/// The rule that decided.
pub(super) fn rule<T>(eligibility: &Eligibility<'_, T>) -> Vec<String> {
    let date = eligibility.date;
    let complete = match eligibility.as_of {
        Some(at) => format!("この保険者のデータは {at} の分まで届いていました。"),
        None => "この保険者がどこまで届けたかは、この時まで分かっていませんでした。".to_owned(),
    };
    let rule = match (eligibility.status, eligibility.reason) {
        (Status::Valid, _) => {
            format!(
                "規則: 照会された資格が {date} を含みます（資格取得日以後で資格喪失日より前、かつ有効期間内）。喪失日の当日は含みません。"
            )
        }
        (Status::InvalidNewer, _) => {
            format!("規則: 照会された資格は {date} を含まず、同じ方のほかの保険者の資格が含みます。")
        }
        (Status::Invalid, _) => invalid(eligibility.coverages.first()),
        (Status::NotFound, _) => {
            "規則: 保険者番号・記号・番号・枝番・生年月日のすべてが合う方が、この時の記録にいません。"
                .to_owned()
        }
        (Status::Multiple, _) => "規則: すべてが合う方が二人以上います。誰のものも表示しません。".to_owned(),
        (_, Some(Reason::Closed)) => {
            "規則: 保険者が閲覧を止めています（closed）。止めた後は、以前の時点についても表示しません。"
                .to_owned()
        }
        (_, Some(Reason::Stale)) => {
            "規則: 「ない」とは言えません。この保険者からの連絡が長く途絶えていました。".to_owned()
        }
        (_, Some(Reason::HeldBack)) => {
            "規則: 「ない」とは言えません。この保険者の一回分の届出が、確認のため止まっていました。"
                .to_owned()
        }
        (_, Some(Reason::NeverFed)) => {
            "規則: 「ない」とは言えません。この保険者からは、この時まで一度も届いていません。".to_owned()
        }
        (_, _) => "規則: この照会では表示できません。".to_owned(),
    };
    vec![rule, complete]
}

fn invalid<T>(shown: Option<&Shown<'_, T>>) -> String {
    match shown.map(|shown| (shown.ended_by, shown.starts_on)) {
        Some((Some(EndedBy::Loss), _)) => "規則: 資格喪失日が照会日以前です（ended_by loss）。".to_owned(),
        Some((Some(EndedBy::Period), _)) => {
            "規則: 有効終了日が照会日より前です（ended_by period）。".to_owned()
        }
        Some((None, Some(start))) => format!("規則: 資格は {start} に始まります（starts_on）。"),
        _ => "規則: 照会日を含む資格がありません。".to_owned(),
    }
}
