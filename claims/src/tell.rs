//! What is shown of a verdict: the days, the coverages that may be named, and the reasons in words
//! that a clerk understands.

use eligibility::code::LossReason;
use eligibility::coverage::Written as Text;
use eligibility::day::{Day, Timestamp};
use eligibility::decision::{Reach, Reason as Doubt};
use eligibility::number::InsurerNumber;

use crate::assign::{Holding, Part};
use crate::claim::{Agency, Claim, WrittenInsurer};
use crate::days::{DaysSource, VisitDays};
use crate::judge::Case;
use crate::outcome::{CoverageShown, DaysShown, Outcome, Payers, Reason, ShownBranch, WrittenShown};
use crate::people::Terms;
use crate::verdict::{Confirmation, Holder, ReasonCode, Rule, Suggested, Verdict};

/// A verdict that needs no person to be told.
pub(crate) struct Told {
    verdict: Verdict,
    rule: Option<Rule>,
    code: Option<Confirmation>,
    reason: Vec<Reason>,
}

impl Told {
    pub(crate) fn plain(verdict: Verdict, reason: ReasonCode) -> Self {
        Self { verdict, rule: None, code: None, reason: vec![Reason::plain(reason)] }
    }

    pub(crate) fn review(rule: Rule, code: Confirmation) -> Self {
        Self { verdict: Verdict::Review, rule: Some(rule), code: Some(code), reason: vec![of_rule(rule)] }
    }

    pub(crate) fn with(self, code: Confirmation) -> Self {
        Self { code: Some(code), ..self }
    }

    pub(crate) fn then(mut self, reason: ReasonCode) -> Self {
        self.reason.push(Reason::plain(reason));
        self
    }

    /// A result with nothing of the claim in it yet.
    pub(crate) fn outcome(self) -> Outcome {
        Outcome {
            line: 0,
            claim: None,
            verdict: self.verdict,
            rule: self.rule,
            code: self.code,
            suggested: None,
            written: None,
            month: None,
            days_from: None,
            days: Vec::new(),
            coverages: Vec::new(),
            payer: Payers::default(),
            reason: self.reason,
            as_of: None,
            points: 0,
            branch: None,
            confirmation_line: None,
            named: false,
            fault: None,
            warnings: Vec::new(),
        }
    }
}

/// Why a negative answer cannot be given.
pub(crate) const fn doubt(doubt: Doubt) -> ReasonCode {
    match doubt {
        Doubt::HeldBack => ReasonCode::HeldBack,
        Doubt::NeverFed => ReasonCode::NeverFed,
        _ => ReasonCode::Stale,
    }
}

fn of_rule(rule: Rule) -> Reason {
    Reason { code: ReasonCode::Rule, text: rule.text().into() }
}

/// The result of a claim about which no person is told.
pub(crate) fn told_plainly(claim: &Claim, told: Told) -> Outcome {
    let written = claim.written.as_ref();
    let of_insurer = written.and_then(|written| match written.insurer {
        WrittenInsurer::Number(insurer) => Some(Agency::of(insurer)),
        _ => None,
    });
    let sent = claim.agency.or(of_insurer).map(Agency::code);
    Outcome {
        line: claim.line,
        claim: claim.number,
        written: written.map(WrittenShown::from),
        month: Some(claim.days.month()),
        days_from: Some(claim.days.source()),
        payer: Payers { written: sent, right: None },
        points: claim.points,
        confirmation_line: claim.confirmation_line,
        warnings: claim.warnings.clone(),
        ..told.outcome()
    }
}

/// The result of a claim that fits one person.
pub(crate) fn tell<T: Text>(
    claim: &Claim,
    insurer: InsurerNumber,
    case: &Case<'_, T>,
    terms: Terms<'_>,
    reach: &dyn Fn(InsurerNumber) -> Reach,
) -> Outcome {
    let told = Told { verdict: case.verdict, rule: None, code: Some(case.code), reason: Vec::new() };
    let plain = told_plainly(claim, told);
    let rule = case.rules.first().copied();
    if rule == Some(Rule::Restricted) {
        let reason = vec![of_rule(Rule::Restricted), Reason::plain(ReasonCode::DoAsk)];
        return Outcome { rule, reason, as_of: reach(insurer).as_of, ..plain };
    }
    let others = case.assignment.any(Holder::Other);
    let teller =
        Teller { claim, insurer, case, reach, names: terms.may_name(claim.institution, claim.days.last()) };
    let (days, coverages) = teller.shown();
    let payer = Payers { written: plain.payer.written, right: teller.right_payer(plain.payer.written) };
    Outcome {
        rule,
        suggested: case.suggested,
        days,
        coverages,
        payer,
        reason: teller.reasons(payer),
        as_of: teller.as_of(),
        branch: case.branch.map(ShownBranch),
        named: others && teller.names,
        ..plain
    }
}

struct Teller<'t, 'p, T> {
    claim: &'t Claim,
    insurer: InsurerNumber,
    case: &'t Case<'p, T>,
    reach: &'t dyn Fn(InsurerNumber) -> Reach,
    /// Whether other coverages may be named.
    names: bool,
}

impl<'p, T: Text> Teller<'_, 'p, T> {
    fn shown(&self) -> (Vec<DaysShown>, Vec<CoverageShown>) {
        let (mut days, mut coverages): (Vec<DaysShown>, Vec<CoverageShown>) = (Vec::new(), Vec::new());
        for part in &self.case.assignment.parts {
            let holder = part.holder();
            let named = part.holding.filter(|_| holder == Holder::Written || self.names);
            let coverage = named.map(|holding| {
                coverages.push(self.show(holding));
                coverages.len() - 1
            });
            let unnamed = |shown: &&mut DaysShown| shown.holder == holder && shown.coverage.is_none();
            match days.iter_mut().find(unnamed).filter(|_| coverage.is_none()) {
                Some(shown) => {
                    shown.dates.extend_from_slice(&part.days);
                    shown.dates.sort_unstable();
                }
                None => {
                    let known = self.claim.days.is_exact();
                    days.push(DaysShown { holder, coverage, known, dates: part.days.clone() });
                }
            }
        }
        if let Some(holding) = self.nearest().filter(|_| !self.case.assignment.any(Holder::Written)) {
            coverages.push(self.show(holding));
        }
        (days, coverages)
    }

    fn show(&self, holding: Holding<'p, T>) -> CoverageShown {
        let as_of = (self.reach)(holding.insurer).as_of;
        CoverageShown::of(holding.insurer, holding.coverage, holding.asked, as_of)
    }

    fn nearest(&self) -> Option<Holding<'p, T>> {
        let assignment = &self.case.assignment;
        assignment.first_lost().and_then(|day| assignment.nearest_written(day))
    }

    fn parts(&self, holder: Holder) -> impl Iterator<Item = &Part<'p, T>> {
        self.case.assignment.parts.iter().filter(move |part| part.holder() == holder)
    }

    /// The other 審査支払機関 if any day belongs there, else the claim's own; `None` where no day's
    /// holder is known or may be named.
    fn right_payer(&self, sent: Option<u8>) -> Option<u8> {
        let assignment = &self.case.assignment;
        if !assignment.certain
            || assignment.any(Holder::Nobody)
            || assignment.any(Holder::Other) && !self.names
        {
            return None;
        }
        let agencies =
            || assignment.parts.iter().filter_map(|part| Some(Agency::of(part.holding?.insurer).code()));
        agencies().find(|agency| Some(*agency) != sent).or_else(|| agencies().next())
    }

    fn as_of(&self) -> Option<Timestamp> {
        let named = self.case.assignment.parts.iter().filter(|_| self.names).filter_map(|part| part.holding);
        let mut all = named.map(|holding| holding.insurer).chain([self.insurer]);
        all.try_fold(None, |oldest: Option<Timestamp>, insurer| {
            let as_of = (self.reach)(insurer).as_of?;
            Some(Some(oldest.map_or(as_of, |oldest| oldest.min(as_of))))
        })
        .flatten()
    }

    fn reasons(&self, payer: Payers) -> Vec<Reason> {
        let Case { verdict, rules, .. } = self.case;
        if let Verdict::Ok | Verdict::OkBranchFound = verdict {
            return self.reasons_of_fine(payer);
        }
        let mut all = vec![Reason::plain(ReasonCode::PersonFound), days_reason(&self.claim.days)];
        all.extend(self.nearest().map(written_reason));
        all.extend(self.parts(Holder::Other).map(|part| self.other_reason(part)));
        all.extend(self.parts(Holder::Nobody).map(nobody_reason));
        all.extend(rules.iter().copied().map(of_rule));
        all.extend(self.advice().into_iter().map(Reason::plain));
        all.extend(self.payer_reason(payer));
        all
    }

    fn reasons_of_fine(&self, payer: Payers) -> Vec<Reason> {
        let mut all = vec![Reason::plain(ReasonCode::WrittenHolds)];
        if let Some(branch) = self.case.branch {
            all.push(Reason::told(ReasonCode::BranchFound, format!("枝番は「{branch}」と特定できました。")));
        }
        all.extend(self.payer_reason(payer));
        all
    }

    fn advice(&self) -> Vec<ReasonCode> {
        let assignment = &self.case.assignment;
        let doubtful = (self.reach)(self.insurer).doubt;
        let moved = match self.case.verdict {
            Verdict::Unconfirmed => return doubtful.map(doubt).into_iter().collect(),
            Verdict::Transfer => Some(ReasonCode::DoTransfer),
            Verdict::Split => Some(ReasonCode::DoSplit),
            _ => None,
        };
        let unnamed = assignment.any(Holder::Other) && !self.names;
        match (moved, unnamed, self.case.suggested) {
            (_, true, _) => vec![ReasonCode::NotNamed],
            (Some(moved), _, _) => vec![moved],
            (None, _, Some(Suggested::Transfer | Suggested::Split)) => Vec::new(),
            (None, ..) => vec![ReasonCode::DoAsk],
        }
    }

    fn other_reason(&self, part: &Part<'_, T>) -> Reason {
        let days = listed(&part.days);
        let text = match part.holding.filter(|_| self.names) {
            Some(holding) => format!("{days}は、保険者{}の資格が有効です。", holding.insurer),
            None => format!("{days}は、他の保険の資格が有効です。"),
        };
        Reason::told(ReasonCode::OtherHolds, text)
    }

    fn payer_reason(&self, payer: Payers) -> Option<Reason> {
        let right = payer.right.filter(|right| Some(*right) != payer.written)?;
        let agency = Agency::from_code(right.into())?;
        Some(Reason::told(ReasonCode::OtherPayer, format!("請求先の審査支払機関は{}です。", agency.text())))
    }
}

fn days_reason(days: &VisitDays) -> Reason {
    let text = match (days.source(), days.is_exact()) {
        (DaysSource::Month, _) => "受診日の記録がなく、診療年月だけがわかります。".to_owned(),
        (source, true) => format!("受診日（{}日）は{}によります。", days.count(), source.text()),
        (source, false) => format!("受診日は{}の{}日間のいずれかです。", source.text(), days.count()),
    };
    Reason::told(ReasonCode::Days, text)
}

fn written_reason<T>(nearest: Holding<'_, T>) -> Reason {
    let coverage = nearest.coverage;
    let end = coverage.ends_on();
    let lost = coverage.disqualified_on.filter(|loss| end == Some(loss.plus(-1)));
    match (lost, end) {
        (Some(loss), _) => {
            let why = coverage.loss_reason.map_or(String::new(), |why| format!("（{}）", loss_text(why)));
            Reason::told(
                ReasonCode::WrittenLost,
                format!("記載の保険は{}に資格を喪失しています{why}。", dated(loss)),
            )
        }
        (None, Some(end)) => Reason::told(
            ReasonCode::WrittenExpired,
            format!("記載の保険の有効期間は{}までです。", dated(end)),
        ),
        (None, None) => {
            let start = dated(coverage.starts_on());
            Reason::told(ReasonCode::WrittenNotBegun, format!("記載の保険の資格は{start}からです。"))
        }
    }
}

fn nobody_reason<T>(part: &Part<'_, T>) -> Reason {
    Reason::told(ReasonCode::NobodyHolds, format!("{}は、有効な資格が見つかりません。", listed(&part.days)))
}

const fn loss_text(reason: LossReason) -> &'static str {
    match reason {
        LossReason::Death => "死亡",
        LossReason::PublicAssistance => "生活保護開始",
        LossReason::OtherInsurance => "他の医療保険等取得",
        LossReason::Other => "その他",
    }
}

fn dated(day: Day) -> String {
    let (year, month, day) = day.ymd();
    format!("{year}年{month}月{day}日")
}

/// Days as spans: 6月3日から5日まで、10日.
fn listed(days: &[Day]) -> String {
    let mut text = String::new();
    let mut rest = days;
    while let Some(first) = rest.first() {
        let length = rest.iter().enumerate().take_while(|(at, day)| **day == first.plus(*at as i32)).count();
        let (_, month, from) = first.ymd();
        if text.is_empty() {
            text = format!("{month}月");
        } else {
            text.push('、');
        }
        let (_, _, to) = first.plus(length as i32 - 1).ymd();
        text += &if length > 1 { format!("{from}日～{to}日") } else { format!("{from}日") };
        rest = rest.get(length..).unwrap_or_default();
    }
    text
}
