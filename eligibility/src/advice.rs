//! What the clerk does next, and what the vendor looks at: the table from outcome to words.
//!
//! The words follow the desk's real procedure: マイナポータルの資格情報画面, 資格情報のお知らせ, 被保険者資格申立書,
//! 医療券. Advice for refused requests stands with the refusals, in the gateway.

use std::borrow::Cow;

use crate::answer::{Advice, CardState};
use crate::code::LossReason;
use crate::decision::{Eligibility, EndedBy, Reason, Shown, Status};

/// The advice for this decision.
#[must_use]
pub fn of<'a, T>(eligibility: &Eligibility<'_, T>, card: Option<CardState>) -> Advice<'a> {
    let shown = eligibility.coverages.first();
    let desk = match eligibility.looks_mistyped {
        true => MISTYPED,
        false => desk(eligibility.status, eligibility.reason, shown),
    };
    let desk = if card == Some(CardState::Grace) {
        Cow::Owned(format!("{desk}{GRACE}"))
    } else {
        Cow::Borrowed(desk)
    };
    Advice { desk, vendor: vendor(eligibility.status, eligibility.reason).map(Cow::Borrowed) }
}

/// The words for a coverage that holds and asks nothing of the desk.
pub const NOTHING_TO_DO: &str = "資格は有効です。";

const MISTYPED: &str = "該当する方が見つかりません。被保険者番号の検査数字が合わないため、打ち間違いと思われます。番号をもう一度、1桁ずつご確認ください。";

const GRACE: &str = "なお、カードの電子証明書は有効期限が切れています（あと少しの間、資格確認だけは使えます）。市区町村の窓口で更新していただくようご案内ください。";

const fn desk<T>(status: Status, reason: Option<Reason>, shown: Option<&Shown<'_, T>>) -> &'static str {
    match status {
        Status::Valid => valid(shown),
        Status::Invalid => invalid(shown),
        Status::InvalidNewer => invalid_newer(shown),
        Status::NotFound => {
            "該当する方が見つかりません。保険者番号・記号・番号・枝番・生年月日をもう一度ご確認ください。合っている場合は、マイナポータルの資格情報画面か資格情報のお知らせを確認し、確認できないときは被保険者資格申立書をお願いしてください。"
        }
        Status::Multiple => {
            "同じ番号で生年月日が同じ方が複数います（双子など）。枝番を入れて照会し直してください。枝番が分からないときは、マイナ保険証で受付するか、資格情報のお知らせを見せていただいてください。"
        }
        Status::Withheld => withheld(reason),
        Status::NotLinked => {
            "このカードは健康保険証としての登録がまだ見つかりません。電子証明書の更新直後は、反映まで最大24時間かかります。カードリーダーかマイナポータルで利用登録ができます。今日は資格確認書か資格情報のお知らせで確認してください。"
        }
        Status::Unconfirmed => unconfirmed(reason),
    }
}

const fn valid<T>(shown: Option<&Shown<'_, T>>) -> &'static str {
    match shown {
        Some(shown) => match shown.coverage.card_kind {
            Some(kind) => match kind.as_bytes() {
                b"05" => {
                    "資格は有効ですが、資格証明書（特別療養費）の方です。窓口では10割をお支払いいただき、領収書をお渡しして、市区町村で払い戻しの手続きができるとご案内ください。"
                }
                b"03" | b"04" => {
                    "資格は有効です。有効期間の短い保険証ですので、次回も必ず資格をご確認ください。"
                }
                b"07" => {
                    "資格は有効です。自衛官の方です。被扶養者の方とは請求先が異なりますのでご注意ください。"
                }
                _ => NOTHING_TO_DO,
            },
            None => NOTHING_TO_DO,
        },
        None => NOTHING_TO_DO,
    }
}

const fn invalid<T>(shown: Option<&Shown<'_, T>>) -> &'static str {
    let Some(shown) = shown else {
        return "この日に有効な資格がありません。新しい保険の資格確認書か資格情報のお知らせをお持ちでないか、お尋ねください。";
    };
    match (shown.ended_by, shown.coverage.loss_reason) {
        (Some(EndedBy::Loss), Some(LossReason::Death)) => {
            "この方の資格は死亡により終わっていると届いています。目の前の方がご本人かどうか、お名前・生年月日・番号をもう一度ご確認ください。届出の誤りと思われるときは、表示された保険者にお問い合わせください。"
        }
        (Some(EndedBy::Loss), Some(LossReason::PublicAssistance)) => {
            "生活保護の開始により、保険の資格は終わっています。福祉事務所が出す医療券（または調剤券）をご確認ください。お持ちでないときは、福祉事務所へお問い合わせください。"
        }
        (Some(EndedBy::Loss), Some(LossReason::OtherInsurance)) => {
            "ほかの保険に移られたため、この資格は終わっています。新しい保険の資格確認書・資格情報のお知らせ、またはマイナポータルの資格情報画面を見せていただいてください。まだ登録されていないときは、被保険者資格申立書をお願いしてください。"
        }
        (Some(EndedBy::Loss), _) => {
            "資格は終わっています。退職や転居のあとの手続き中のことがあります。新しい保険の資格確認書・資格情報のお知らせをお尋ねになり、なければ被保険者資格申立書をお願いしてください。"
        }
        (Some(EndedBy::Period), _) => {
            "保険証の有効期間が終わっています。更新された資格確認書・資格情報のお知らせをお持ちでないかお尋ねください。なければ、表示された保険者に更新の状況をお問い合わせください。"
        }
        (None, _) => {
            "資格はまだ始まっていません（開始日は表示のとおりです）。その日までの保険があるか、前の保険の資格確認書か資格情報のお知らせをお尋ねください。"
        }
    }
}

const fn invalid_newer<T>(shown: Option<&Shown<'_, T>>) -> &'static str {
    match shown {
        Some(Shown { starts_on: Some(_), .. }) => {
            "この番号の資格はまだ始まっていません（開始日は表示のとおりです）。この日はほかの保険に加入されています。その資格確認書・資格情報のお知らせ、またはマイナポータルの資格情報画面を見せていただき、その番号で照会し直してください。"
        }
        _ => {
            "この保険証の資格は終わっていますが、ほかの保険に加入されています。新しい資格確認書・資格情報のお知らせ、またはマイナポータルの資格情報画面を見せていただき、その番号で照会し直してください。"
        }
    }
}

const fn withheld(reason: Option<Reason>) -> &'static str {
    match reason {
        Some(Reason::CardUnusable) => {
            "このカードでは資格を表示できません。資格確認書で受付してください。理由はこちらでは分かりません。ご本人には、加入している保険者へお問い合わせいただくようご案内ください。"
        }
        _ => {
            "保険者が登録内容を確認しているため、いまは表示できません。資格がないという意味ではありません。資格確認書か資格情報のお知らせで確認するか、被保険者資格申立書をお願いしてください。"
        }
    }
}

const fn unconfirmed(reason: Option<Reason>) -> &'static str {
    match reason {
        Some(Reason::NeverFed) => {
            "この保険者の資格データはまだ届いていないため、確認できません。資格がないという意味ではありません。資格確認書か資格情報のお知らせで確認し、なければ被保険者資格申立書をお願いしてください。"
        }
        Some(Reason::HeldBack) => {
            "この保険者から届いたデータを点検しているため、いまは確認できません。資格がないという意味ではありません。資格確認書か資格情報のお知らせで確認し、なければ被保険者資格申立書をお願いしてください。"
        }
        Some(Reason::PersonNotFed) => {
            "カードの登録は確認できましたが、保険者からの資格データがまだ届いていません。入社や転職の直後によくあります。資格がないという意味ではありません。資格情報のお知らせで確認し、なければ被保険者資格申立書をお願いしてください。"
        }
        _ => {
            "資格データの更新が遅れているため、確認できません。資格がないという意味ではありません。資格確認書か資格情報のお知らせ、マイナポータルの資格情報画面で確認し、できないときは被保険者資格申立書をお願いしてください。"
        }
    }
}

const fn vendor(status: Status, reason: Option<Reason>) -> Option<&'static str> {
    match (status, reason) {
        (Status::Multiple, _) => Some("枝番を付けて再送してください。枝番のない照会では一人に絞れません。"),
        (Status::NotFound, _) => Some(
            "送った番号を画面の入力と突き合わせてください。保険者番号の桁（6桁と8桁）、記号と番号の取り違え、生年月日の西暦変換が多い原因です。",
        ),
        (Status::Unconfirmed, Some(Reason::PersonNotFed)) => {
            Some("再照会は翌日以降で十分です。無効として扱わないでください。")
        }
        (Status::Unconfirmed, _) => Some(
            "無効として扱わないでください。as_of がこの保険者のデータの時点です。時間をおいて再照会してください。",
        ),
        _ => None,
    }
}
