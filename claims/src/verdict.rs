//! The words of a verdict: what would become of the claim, and why.

use eligibility::words;

words! {
    /// What would become of the claim.
    Verdict {
        /// Its records break the format.
        Unreadable = "unreadable" => "読み取れません",
        /// 公費単独: no insurance to check.
        Skipped = "skipped" => "対象外（公費単独）",
        /// Somebody has to look at it; the [`Rule`] says why.
        Review = "review" => "要確認",
        /// Our own knowledge is too poor for a negative answer.
        Unconfirmed = "unconfirmed" => "確認できません（保険者の情報待ち）",
        /// Nobody fits.
        NotFound = "not_found" => "該当者なし",
        /// Every day is the written coverage's.
        Ok = "ok" => "資格あり",
        /// The same, and the missing 枝番 is certain.
        OkBranchFound = "ok_branch_found" => "資格あり（枝番特定）",
        /// Some day is nobody's.
        Lost = "lost" => "資格喪失",
        /// All of it belongs to one other insurer.
        Transfer = "transfer" => "振替",
        /// Its days belong to several.
        Split = "split" => "分割",
    }
}

impl Verdict {
    /// Whether the claim may go out as it is.
    #[must_use]
    pub const fn is_fine(self) -> bool {
        matches!(self, Self::Ok | Self::OkBranchFound | Self::Skipped)
    }

    /// Whether a word of an insurer that comes later may change it.
    #[must_use]
    pub const fn is_provisional(self) -> bool {
        matches!(self, Self::Unconfirmed | Self::Lost | Self::NotFound)
    }
}

words! {
    /// Why somebody has to look at the claim.
    Rule {
        /// 77777777 or 77777779.
        UnknownInsurer = "unknown_insurer" => "保険者番号が不明（77777777・77777779）として請求されています",
        /// Several persons fit.
        Multiple = "multiple" => "該当する方が複数います",
        /// An insurer has closed the person to viewing.
        Restricted = "restricted" => "保険者が資格情報の閲覧を停止しています",
        /// The claim has a KO record.
        Subsidy = "subsidy" => "公費併用のレセプトは自動で振替・分割されません",
        /// 高額療養費 or a 限度額適用認定証 is on the claim.
        Limit = "limit" => "高額療養費・限度額適用の記載があるレセプトは自動で振替・分割されません",
        /// A 特定疾病療養受療証 is on the claim.
        SpecificDisease = "specific_disease" => "特定疾病療養受療証の記載があるレセプトは自動で振替・分割されません",
        /// The share that the person pays is not the same in all periods.
        Copay = "copay" => "期間により負担割合が異なるか、一方の負担割合がわかりません",
        /// 船員保険 is among the insurers.
        Mariner = "mariner" => "船員保険は資格喪失後の給付があるため自動で振替・分割されません",
        /// 日雇特例 is among the insurers.
        DayLabour = "day_labour" => "日雇特例は受給資格の確認が必要なため自動で振替・分割されません",
        /// 自衛官等 is among the insurers.
        SelfDefence = "self_defence" => "自衛官等は資格の管理者と給付の主体が異なるため自動で振替・分割されません",
        /// Only the month is known, and no insurer holds all of it.
        DaysUnknown = "days_unknown" => "受診日がわからないため、どの保険の期間か判断できません",
    }
}

words! {
    /// 確認区分, as the 審査支払機関 would set it (別表).
    Confirmation {
        /// 02.
        Unchanged = "02" => "変更なし",
        /// 03.
        Unconfirmed = "03" => "確認不能",
        /// 04.
        Transfer = "04" => "振替",
        /// 05.
        Split = "05" => "分割",
        /// 06.
        Lost = "06" => "資格喪失",
        /// 08.
        LostByDeath = "08" => "資格喪失（死亡）",
        /// 09.
        BranchFound = "09" => "枝番特定",
    }
}

words! {
    /// What a rule has kept from being done automatically.
    Suggested {
        /// 振替.
        Transfer = "transfer" => "振替",
        /// 分割.
        Split = "split" => "分割",
    }
}

words! {
    /// Whose a day is.
    Holder {
        /// The coverage on the claim.
        Written = "written" => "記載の保険",
        /// Another coverage.
        Other = "other" => "他の保険",
        /// No coverage that we know.
        Nobody = "nobody" => "資格なし",
    }
}

words! {
    /// A link of the reason chain.
    ReasonCode {
        /// The claim could not be read.
        Unreadable = "unreadable" => "レセプトの記録を読み取れません。",
        /// There is no HO record.
        NoInsurance = "no_insurance" => "保険者の記録がない公費単独のレセプトのため、資格の確認は行いません。",
        /// One person fits.
        PersonFound = "person_found" => "保険者番号・記号・番号・生年月日に該当する方が見つかりました。",
        /// Nobody fits.
        NobodyFits = "nobody_fits" => "保険者番号・記号・番号・枝番・生年月日に該当する方がいません。記載内容を確かめてください。",
        /// The insurer's check digit is wrong.
        CheckDigit = "check_digit" => "保険者番号の検証番号が合いません。番号を確かめてください。",
        /// The source has not said for too long how far it is complete.
        Stale = "stale" => "保険者からの資格情報の更新が遅れているため、今は判断できません。後日あらためて確認してください。",
        /// A delivery of the source is held back.
        HeldBack = "held_back" => "保険者からの資格情報が点検中のため、今は判断できません。後日あらためて確認してください。",
        /// The source has never fed anything.
        NeverFed = "never_fed" => "この保険者の資格情報はまだ届いていません。",
        /// From what the days are known.
        Days = "days" => "受診日",
        /// Every day is the written coverage's.
        WrittenHolds = "written_holds" => "受診日はすべて記載の保険の資格期間内です。",
        /// The missing 枝番 is certain.
        BranchFound = "branch_found" => "枝番を特定しました。",
        /// The written coverage was lost.
        WrittenLost = "written_lost" => "記載の保険は資格を喪失しています。",
        /// The written coverage's 有効期間 ran out.
        WrittenExpired = "written_expired" => "記載の保険は有効期間が終わっています。",
        /// The written coverage begins later.
        WrittenNotBegun = "written_not_begun" => "記載の保険は受診日にはまだ始まっていません。",
        /// Another coverage holds some days.
        OtherHolds = "other_holds" => "他の保険の資格が有効です。",
        /// Nothing holds some days.
        NobodyHolds = "nobody_holds" => "有効な資格が見つからない受診日があります。",
        /// A rule, by its own word in `rule`.
        Rule = "rule" => "自動では変更できません。",
        /// What to do: change the insurer.
        DoTransfer = "do_transfer" => "請求先を正しい保険者に変更（振替）してください。",
        /// What to do: make a claim for each insurer.
        DoSplit = "do_split" => "保険者ごとに受診日を分けて（分割）請求してください。",
        /// What to do: ask the patient.
        DoAsk = "do_ask" => "受診者に現在の保険を確認してください。",
        /// The right coverage may not be named here.
        NotNamed = "not_named" => "正しい保険者はここには表示できません。受診者に確認してください。",
        /// The claim leaves for the other 審査支払機関.
        OtherPayer = "other_payer" => "請求先の審査支払機関が変わります。",
    }
}
