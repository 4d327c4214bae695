//! The one algorithm: from a claim and whom its numbers fit to a verdict.
//!
//! The first row that fits decides, in the order of the functions here. What is shown of a verdict
//! is the business of `tell`.

use std::borrow::Borrow as _;

use eligibility::code::LossReason;
use eligibility::coverage::{Person, Written as Text};
use eligibility::decision::Reach;
use eligibility::number::{Branch, InsurerNumber};

use crate::assign::Assignment;
use crate::claim::{Claim, Entry, Unreadable, Written, WrittenInsurer};
use crate::outcome::{Outcome, Reason};
use crate::people::{People, Terms};
use crate::rules;
use crate::tell::{Told, tell, told_plainly};
use crate::verdict::{Confirmation, Holder, ReasonCode, Rule, Suggested, Verdict};

/// What was decided about a claim of one person.
pub(crate) struct Case<'p, T> {
    pub(crate) verdict: Verdict,
    /// With `review`: every rule that forbids the move, the deciding one first.
    pub(crate) rules: Vec<Rule>,
    pub(crate) code: Confirmation,
    pub(crate) suggested: Option<Suggested>,
    pub(crate) branch: Option<Branch>,
    pub(crate) assignment: Assignment<'p, T>,
}

/// Judges claims, one after the other.
pub struct Judge<'j, P: People> {
    people: &'j P,
    terms: Terms<'j>,
    found: Vec<P::Person>,
}

impl<'j, P: People> Judge<'j, P> {
    /// One that looks people up here, under these circumstances.
    pub const fn new(people: &'j P, terms: Terms<'j>) -> Self {
        Self { people, terms, found: Vec::new() }
    }

    /// Whom the numbers of the last claim hit, and perhaps others whom memory gave with them.
    #[must_use]
    pub fn found(&self) -> &[P::Person] {
        &self.found
    }

    /// Says which entries are judged next: people are then looked for together.
    pub(crate) fn expect<'e>(&self, entries: impl Iterator<Item = &'e Entry>) {
        let claims = entries.filter_map(|entry| match entry {
            Entry::Claim(claim) => claim.query(),
            Entry::Unreadable(_) => None,
        });
        self.people.expect(&claims.collect::<Vec<_>>());
    }

    /// The result of one entry of a file.
    pub fn judge(&mut self, entry: &Entry) -> Outcome {
        match entry {
            Entry::Claim(claim) => self.judge_claim(claim),
            Entry::Unreadable(unreadable) => {
                self.found.clear();
                broken(unreadable)
            }
        }
    }

    /// The result of one claim.
    pub fn judge_claim(&mut self, claim: &Claim) -> Outcome {
        self.found.clear();
        let Some(written) = &claim.written else {
            return told_plainly(claim, Told::plain(Verdict::Skipped, ReasonCode::NoInsurance));
        };
        match written.insurer {
            WrittenInsurer::Unknown(_) => {
                let told = Told::review(Rule::UnknownInsurer, Confirmation::Lost);
                told_plainly(claim, told.then(ReasonCode::DoAsk))
            }
            WrittenInsurer::Mistyped(_) => {
                let told = Told::plain(Verdict::NotFound, ReasonCode::CheckDigit);
                told_plainly(claim, told.with(Confirmation::Unconfirmed))
            }
            WrittenInsurer::Number(insurer) => self.judge_person(claim, written, insurer),
        }
    }

    fn judge_person(&mut self, claim: &Claim, written: &Written, insurer: InsurerNumber) -> Outcome {
        let query = written.query(insurer, self.terms.known_at);
        self.people.fitting(&query, &mut self.found);
        let reach = self.people.reach(insurer);
        let assigned = self.found.iter().filter_map(|person| {
            let person: &Person<P::Text> = person.borrow();
            Assignment::of(person, written, &query, &claim.days)
        });
        let mut cases = assigned.map(|assignment| decide(claim, written.branch, insurer, reach, assignment));
        let Some(first) = cases.next() else { return nobody(claim, reach) };
        let Some(second) = cases.next() else {
            return tell(claim, insurer, &first, self.terms, &|insurer| self.people.reach(insurer));
        };
        let fine = [&first, &second].iter().all(|case| case.verdict.is_fine());
        if fine && cases.all(|case| case.verdict.is_fine()) {
            let told = Told::plain(Verdict::Ok, ReasonCode::WrittenHolds).with(Confirmation::Unchanged);
            return Outcome { as_of: reach.as_of, ..told_plainly(claim, told) };
        }
        let told = Told::review(Rule::Multiple, Confirmation::Unconfirmed).then(ReasonCode::DoAsk);
        Outcome { as_of: reach.as_of, ..told_plainly(claim, told) }
    }
}

fn broken(unreadable: &Unreadable) -> Outcome {
    let Unreadable { line, number, fault } = unreadable;
    let told = Told::plain(Verdict::Unreadable, ReasonCode::Unreadable);
    Outcome {
        line: *line,
        claim: *number,
        reason: vec![Reason::told(ReasonCode::Unreadable, fault.to_string())],
        fault: Some(fault.clone()),
        ..told.outcome()
    }
}

fn nobody(claim: &Claim, reach: Reach) -> Outcome {
    let told = match reach.doubt.map(crate::tell::doubt) {
        Some(doubt) => Told::plain(Verdict::Unconfirmed, doubt),
        None => Told::plain(Verdict::NotFound, ReasonCode::NobodyFits),
    };
    Outcome { as_of: reach.as_of, ..told_plainly(claim, told.with(Confirmation::Unconfirmed)) }
}

/// The rows of the table that need a person.
fn decide<'p, T: Text>(
    claim: &Claim,
    branch: Option<Branch>,
    insurer: InsurerNumber,
    reach: Reach,
    assignment: Assignment<'p, T>,
) -> Case<'p, T> {
    let case = |verdict, code, assignment| Case {
        verdict,
        rules: Vec::new(),
        code,
        suggested: None,
        branch: None,
        assignment,
    };
    if is_restricted(&assignment) {
        let rules = vec![Rule::Restricted];
        return Case { rules, ..case(Verdict::Review, Confirmation::Unconfirmed, assignment) };
    }
    if assignment.all(Holder::Written) {
        let found = certain_branch(branch, insurer, &assignment);
        let (verdict, code) = match found {
            Some(_) => (Verdict::OkBranchFound, Confirmation::BranchFound),
            None => (Verdict::Ok, Confirmation::Unchanged),
        };
        return Case { branch: found, ..case(verdict, code, assignment) };
    }
    if is_lost(&assignment) {
        if reach.doubt.is_some() {
            return case(Verdict::Unconfirmed, Confirmation::Unconfirmed, assignment);
        }
        let code = if by_death(&assignment) { Confirmation::LostByDeath } else { Confirmation::Lost };
        return case(Verdict::Lost, code, assignment);
    }
    let moved = if assignment.parts.len() == 1 { Suggested::Transfer } else { Suggested::Split };
    let rules = rules::forbidding(claim, insurer, &assignment);
    if !rules.is_empty() {
        let suggested = assignment.certain.then_some(moved);
        return Case { rules, suggested, ..case(Verdict::Review, Confirmation::Lost, assignment) };
    }
    if !assignment.certain {
        let rules = vec![Rule::DaysUnknown];
        return Case { rules, ..case(Verdict::Review, Confirmation::Unconfirmed, assignment) };
    }
    match moved {
        Suggested::Transfer => case(Verdict::Transfer, Confirmation::Transfer, assignment),
        Suggested::Split => case(Verdict::Split, Confirmation::Split, assignment),
    }
}

/// Whether a record involved is closed: the one written, or one that a day belongs to.
fn is_restricted<T: Text>(assignment: &Assignment<'_, T>) -> bool {
    let written = assignment.holdings.iter().filter(|holding| holding.asked);
    let assigned = assignment.parts.iter().filter_map(|part| part.holding.as_ref());
    written.chain(assigned).any(|holding| holding.closed)
}

/// Whether a day on which there was a visit is nobody's.
fn is_lost<T: Text>(assignment: &Assignment<'_, T>) -> bool {
    if assignment.certain { assignment.any(Holder::Nobody) } else { assignment.all(Holder::Nobody) }
}

/// Whether every loss that is told of is by death.
fn by_death<T: Text>(assignment: &Assignment<'_, T>) -> bool {
    let nearest = assignment.first_lost().and_then(|day| assignment.nearest_written(day));
    let assigned = assignment
        .parts
        .iter()
        .flat_map(|part| part.days.iter().filter_map(|day| assignment.taking(part.holding.as_ref()?, *day)));
    let all = assigned.chain(nearest).map(|holding| holding.coverage);
    let mut lost = all.filter(|coverage| coverage.disqualified_on.is_some());
    let dead = |reason: Option<LossReason>| reason == Some(LossReason::Death);
    lost.next().is_some_and(|first| dead(first.loss_reason) && lost.all(|one| dead(one.loss_reason)))
}

/// The 枝番 that a claim lacks, where every coverage of its days has the same one.
fn certain_branch<T: Text>(
    branch: Option<Branch>,
    insurer: InsurerNumber,
    assignment: &Assignment<'_, T>,
) -> Option<Branch> {
    if branch.is_some() || insurer.is_late_elderly() {
        return None;
    }
    let days = || assignment.parts.iter().flat_map(|part| part.days.iter().copied());
    let holds = |holding: &&crate::assign::Holding<'_, T>| {
        holding.asked && days().any(|day| holding.coverage.holds(day))
    };
    let mut branches = assignment.holdings.iter().filter(holds).map(|holding| holding.coverage.branch);
    let first = branches.next()??;
    branches.all(|other| other == Some(first)).then_some(first)
}
