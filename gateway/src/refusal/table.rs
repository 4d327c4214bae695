//! The table of problems: HTTP status, code, title, and what desk and vendor do next.

/// One row.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// The word that programs look at.
    pub code: &'static str,
    /// A short title, in English.
    pub title: &'static str,
    /// What the person at the desk does, in Japanese.
    pub desk: &'static str,
    /// What the maintainer of the desk's program does, in Japanese.
    pub vendor: &'static str,
}

macro_rules! problems {
    ($($name:ident = $status:literal $code:literal $title:literal $desk:literal $vendor:literal;)+) => {
        $(pub(super) static $name: Problem =
            Problem { status: $status, code: $code, title: $title, desk: $desk, vendor: $vendor };)+

        /// Every problem.
        pub static ALL: &[&Problem] = &[$(&$name),+];
    };
}

problems! {
    MALFORMED = 400 "malformed" "The request is not well-formed"
        "受付システムから正しい形のデータが届きませんでした。もう一度操作しても同じときは、システム会社へ連絡してください。"
        "要求の行・ヘッダー・長さの指定（Content-Length は1つだけ）と、本文の JSON・文字コード（UTF-8）・必須項目を /openapi.json と突き合わせてください。";
    FORBIDDEN = 403 "forbidden" "This certificate may not do this"
        "この端末にはこの操作が許可されていません。システム会社へ連絡してください。"
        "クライアント証明書の役割と、設定の role の対応を確認してください。";
    INSTITUTION_MISMATCH = 403 "institution_mismatch" "The institution is not one of this certificate's"
        "この端末の医療機関コードと合いません。医療機関の選択を確認し、合っているときはシステム会社へ連絡してください。"
        "institution には証明書に登録された医療機関コード（10桁）だけを送ってください。";
    NO_SUCH_ROUTE = 404 "no_such_route" "There is no such route"
        "受付システムの設定が合っていません。システム会社へ連絡してください。"
        "パスを /openapi.json と突き合わせてください。";
    METHOD_NOT_ALLOWED = 405 "method_not_allowed" "This method is not allowed here"
        "受付システムの設定が合っていません。システム会社へ連絡してください。"
        "Allow ヘッダーにあるメソッドで送ってください。";
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported_media_type" "This media type is not taken here"
        "受付システムの設定が合っていません。システム会社へ連絡してください。"
        "Content-Type は application/json（連携データは application/x-ndjson）、圧縮なしで送ってください。";
    LENGTH_REQUIRED = 411 "length_required" "The length of the body must be told here"
        "受付システムの設定が合っていません。システム会社へ連絡してください。"
        "Content-Length を付けて送ってください。Transfer-Encoding: chunked は連携データなど大きな本文だけで使えます。";
    BODY_TOO_LARGE = 413 "body_too_large" "The body is too large"
        "送られたデータが大きすぎます。システム会社へ連絡してください。"
        "照会は1件ずつ、16 KiB 以内で送ってください。まとめての照会は /v1/eligibility/batch です。";
    MISDIRECTED = 421 "misdirected" "The request names another host"
        "受付システムの設定が合っていません。システム会社へ連絡してください。"
        "接続先のホスト名（URL・SNI・Host ヘッダー）を、このサーバーの証明書にある名前に合わせてください。";
    URI_TOO_LONG = 414 "uri_too_long" "The request target is too long"
        "受付システムの設定が合っていません。システム会社へ連絡してください。"
        "照会の内容は URL ではなく本文に入れてください。";
    HEADERS_TOO_LARGE = 431 "headers_too_large" "The header fields are too large"
        "受付システムの設定が合っていません。システム会社へ連絡してください。"
        "ヘッダーは64個・16 KiB 以内にしてください。";
    INVALID_FIELD = 422 "invalid_field" "A field is not valid"
        "入力に誤りがあります。示された項目をもう一度確認して、入れ直してください。"
        "field の項目の形式と検査数字を /openapi.json と突き合わせてください。";
    MY_NUMBER_REFUSED = 422 "my_number_refused" "A My Number was found and refused"
        "マイナンバー（12桁の個人番号）と思われる数字が入っています。個人番号は入力しないでください。保険証の番号かカードで確認してください。"
        "field の項目に個人番号が入らないようにしてください。送られた内容は保存していません。";
    CARD_EXPIRED = 422 "card_expired" "The card's certificate has expired"
        "カードの電子証明書の有効期限が切れています。資格確認書か資格情報のお知らせで確認し、市区町村の窓口で更新していただくようご案内ください。"
        "読み取りは正常です。番号での照会に切り替えてください。";
    CARD_REVOKED = 422 "card_revoked" "The card's certificate was revoked"
        "このカードの電子証明書は失効しています。新しいカードをお持ちでないかお尋ねください。なければ資格確認書か資格情報のお知らせで確認してください。"
        "読み取りは正常です。番号での照会に切り替えてください。";
    CARD_SUSPENDED = 422 "card_suspended" "The card's certificate is suspended"
        "このカードは利用が一時停止されています。紛失の届出などが理由です。ご本人にカードの状況をお尋ねになり、資格確認書で確認してください。"
        "読み取りは正常です。番号での照会に切り替えてください。";
    CARD_UNTRUSTED = 422 "card_untrusted" "The card's certificate was not issued by a trusted authority"
        "このカードを確認できません。マイナンバーカードかどうかを確かめ、資格確認書か資格情報のお知らせで確認してください。"
        "カードリーダーが利用者証明用電子証明書を送っているか確認してください。detail に拒否の理由があります。";
    CARD_WRONG_PROFILE = 422 "card_wrong_profile" "The certificate is no user-authentication certificate"
        "読み取った証明書が資格確認用のものではありません。もう一度カードを置き直し、だめなら資格確認書で確認してください。"
        "署名用ではなく利用者証明用電子証明書を送ってください。detail に拒否の理由があります。";
    SIGNATURE_INVALID = 422 "signature_invalid" "The card's signature does not fit the challenge"
        "カードの確認に失敗しました。カードを置き直して、もう一度お試しください。続くときは資格確認書で確認してください。"
        "署名の対象は challenge の文字列そのもの（ASCII）です。RSA は PKCS#1 v1.5 SHA-256、P-384 は SHA-384 で、base64 で送ってください。";
    CHALLENGE_UNKNOWN = 422 "challenge_unknown" "The challenge was not issued here"
        "カードの確認をやり直します。カードを置き直してください。"
        "添えられた challenge に署名して、1回だけ送り直してください。";
    CHALLENGE_EXPIRED = 422 "challenge_expired" "The challenge has expired"
        "時間が切れました。カードを置き直してください。"
        "添えられた challenge に署名して、1回だけ送り直してください。";
    CHALLENGE_USED = 422 "challenge_used" "The challenge was used before"
        "カードの確認をやり直します。カードを置き直してください。"
        "challenge は1回だけ使えます。添えられた challenge に署名して送り直してください。";
    REVOCATION_UNKNOWN = 422 "revocation_unknown" "It is not known whether the card's certificate was revoked"
        "カードの失効情報がまだ届いていないため、カードでは確認できません。カードの不具合ではありません。資格確認書か資格情報のお知らせで確認してください。"
        "番号での照会に切り替えてください。失効リストの状況は運用者に問い合わせてください。";
    NO_SUCH_INSURED = 404 "no_such_insured" "No insured person fits"
        "入力した番号の方が見つかりません。保険者番号・記号・番号・枝番・生年月日をもう一度ご確認ください。"
        "ご本人に番号の確認を案内してください。加入直後は、保険者の登録後に登録できます。";
    AMBIGUOUS_INSURED = 409 "ambiguous_insured" "More than one insured person fits"
        "同じ番号で生年月日が同じ方が複数います。枝番を入れて、もう一度お試しください。"
        "branch を付けて送り直してください。";
    LINK_CONFLICT = 409 "link_conflict" "The card is linked to another person"
        "このカードは別の方の資格と結び付いています。保険者にお問い合わせください。"
        "先に DELETE /v1/links/{serial} で外すのは、本人確認のうえで運用者が判断してください。";
    LINK_REFUSED = 409 "link_refused" "The insurer does not let this person be linked"
        "この方は、いまはカードを登録できません。加入している保険者にお問い合わせください。"
        "保険者が登録を止めています。理由は表示できません。";
    TOO_MANY_MISSES = 429 "too_many_misses" "Too many questions found nobody today"
        "この保険者への番号での照会で、該当なしが多すぎるため、本日は受け付けられません。マイナンバーカードでの確認は、これまでどおりできます。"
        "番号の入力元（患者登録など）を確かめてください。日本時間の翌日に再び照会できます。カードでの照会は制限されません。";
    RATE_LIMITED = 429 "rate_limited" "The institution asks too often"
        "この医療機関からの照会が多すぎます。少し待って、もう一度お試しください。"
        "Retry-After の秒数だけ待って送り直してください。まとめての照会は /v1/eligibility/batch です。";
    NO_SUCH_JOB = 404 "no_such_job" "There is no such pre-check"
        "指定された事前確認は見つかりません。受付番号をご確認ください。保存期間が過ぎたときは、もう一度ファイルを送ってください。"
        "id は POST /v1/prechecks の応答のものをそのまま使ってください。他の機関の id は見えません。";
    NO_RESULTS = 409 "no_results" "The pre-check has no results to give"
        "事前確認の結果はまだありません。終わるまで待つか、取り消したときはもう一度ファイルを送ってください。"
        "GET /v1/prechecks/{id} の state が done になってから取りに来てください。";
    NOT_READY = 503 "not_ready" "The gateway is not ready for this"
        "システムの準備ができていません。少し待って、もう一度お試しください。"
        "Retry-After の秒数だけ待って送り直してください。";
    OVERLOADED = 503 "overloaded" "The gateway cannot take more right now"
        "混み合っています。少し待って、もう一度お試しください。"
        "Retry-After の秒数だけ待って送り直してください。続けて送らないでください。";
    DRAINING = 503 "draining" "The gateway is being stopped"
        "システムを切り替えています。少し待って、もう一度お試しください。"
        "Retry-After の秒数だけ待って、接続し直して送ってください。";
    INTERNAL = 500 "internal" "Something went wrong here"
        "システムの側で問題が起きました。もう一度お試しになり、続くときは画面の番号（request-id）を添えてシステム会社へ連絡してください。"
        "request-id を添えて運用者に連絡してください。";
}
