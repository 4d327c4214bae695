//! The rules that forbid an automatic move. They look at the claim and at the coverages between
//! which it would move, not at what else the person has.

use eligibility::coverage::{Coverage, Written as Text};
use eligibility::day::Day;
use eligibility::number::InsurerNumber;

use crate::assign::{Assignment, Part};
use crate::claim::Claim;
use crate::verdict::{Holder, Rule};

/// 特記事項 of 高額療養費 and 限度額: 02 長, 16 長２, 26-30 and 41-42 区ア…区キ, 31-35 and 43-44 多ア…多キ.
const LIMIT_REMARKS: [std::ops::RangeInclusive<u8>; 4] = [2..=2, 16..=16, 26..=35, 41..=44];
/// Those among them that name a 特定疾病療養受療証.
const DISEASE_REMARKS: [u8; 2] = [2, 16];

/// Every rule that forbids it, the deciding one first.
pub(crate) fn forbidding<T: Text>(
    claim: &Claim,
    written: InsurerNumber,
    assignment: &Assignment<'_, T>,
) -> Vec<Rule> {
    let has = |code: &u8| claim.remarks.has(*code);
    let limited = claim.limited || LIMIT_REMARKS.iter().cloned().flatten().any(|code| has(&code));
    let disease = claim.specific_disease || DISEASE_REMARKS.iter().any(has);
    let scheme = |schemes: &[u8]| {
        let others = assignment.parts.iter().filter_map(|part| part.holding).map(|holding| holding.insurer);
        others
            .chain([written])
            .any(|insurer| insurer.scheme().is_some_and(|scheme| schemes.contains(&scheme)))
    };
    let rules = [
        (claim.subsidies > 0, Rule::Subsidy),
        (limited, Rule::Limit),
        (disease, Rule::SpecificDisease),
        (copay_differs(assignment), Rule::Copay),
        (scheme(&[2]), Rule::Mariner),
        (scheme(&[3, 4]), Rule::DayLabour),
        (scheme(&[7]) || assignment.parts.iter().any(is_self_defence), Rule::SelfDefence),
    ];
    rules.into_iter().filter_map(|(forbids, rule)| forbids.then_some(rule)).collect()
}

fn is_self_defence<T>(part: &Part<'_, T>) -> bool {
    let kind = part.holding.and_then(|holding| holding.coverage.card_kind);
    kind.is_some_and(|kind| kind.as_str() == "07")
}

/// Whether the share of the person is the same on every day, and under the written coverage where
/// it has no day of its own: the claim was made out with its share. A share that one insurer tells
/// and another does not is not known to be the same.
fn copay_differs<T: Text>(assignment: &Assignment<'_, T>) -> bool {
    let held = assignment.parts.iter().filter_map(|part| Some((part.holding?, &part.days)));
    let mut shares = held.flat_map(|(holding, days)| {
        days.iter().map(move |day| {
            assignment.taking(&holding, *day).and_then(|one| effective_copay(one.coverage, *day))
        })
    });
    let written = assignment.first_lost().filter(|_| !assignment.any(Holder::Written)).and_then(|day| {
        let nearest = assignment.nearest_written(day)?.coverage;
        let last = nearest.ends_on().filter(|end| *end < day);
        Some(effective_copay(nearest, last.unwrap_or(nearest.starts_on())))
    });
    let Some(first) = written.or_else(|| shares.next()) else { return false };
    shares.any(|share| share != first)
}

/// The share in percent that the person pays on this day: by the 高齢受給者証 that holds it, else
/// by the coverage.
fn effective_copay<T>(coverage: &Coverage<T>, day: Day) -> Option<u8> {
    let elderly = coverage.elderly.iter().filter(|certificate| certificate.validity.holds(day));
    let latest = elderly.max_by_key(|certificate| certificate.validity.from);
    latest.and_then(|certificate| certificate.copay_percent).or(coverage.copay_percent)
}
