//! The valid policies along a path: RFC 5280, 6.1.2 to 6.1.5, with the graph of RFC 9618 in place
//! of the tree, whose size a hostile chain could double with every certificate.

use super::budget::Budget;
use super::error::PathReason;
use super::node::Mapping;

/// anyPolicy, 2.5.29.32.0
pub(super) const ANY_POLICY: &[u8] = &[0x55, 0x1d, 0x20, 0x00];

/// valid_policy_graph: one level for each certificate, level 0 above the first.
pub(super) struct Graph<'a>(Vec<Vec<Valid<'a>>>);

/// One policy valid down to its level.
struct Valid<'a> {
    policy: &'a [u8],
    /// What the next certificate must say for this policy to go on.
    expected: Vec<&'a [u8]>,
    /// Places in the level above.
    parents: Vec<usize>,
    alive: bool,
}

impl<'a> Valid<'a> {
    fn new(policy: &'a [u8], parents: Vec<usize>) -> Valid<'a> {
        Valid { policy, expected: vec![policy], parents, alive: true }
    }
}

impl<'a> Graph<'a> {
    /// 6.1.2 (a): anyPolicy alone.
    pub(super) fn new() -> Graph<'a> {
        Graph(vec![vec![Valid::new(ANY_POLICY, Vec::new())]])
    }

    fn last(&self) -> &[Valid<'a>] {
        self.0.last().map(Vec::as_slice).unwrap_or_default()
    }

    /// 6.1.3 (d): the next certificate's policies; `any_counts` says whether its anyPolicy does.
    /// Nothing is left when no policy goes on.
    pub(super) fn descend(
        mut self,
        policies: &[&'a [u8]],
        any_counts: bool,
        budget: &mut Budget,
    ) -> Result<Option<Graph<'a>>, PathReason> {
        let above = self.last();
        let expectations: usize = above.iter().map(|valid| valid.expected.len()).sum();
        budget.compare((expectations + 1) * (policies.len() + 1))?;
        let any_above = above.iter().position(|valid| valid.alive && valid.policy == ANY_POLICY);
        let mut level: Vec<Valid<'a>> = Vec::new();
        for policy in policies.iter().copied().filter(|policy| *policy != ANY_POLICY) {
            let mut parents = expecting(above, policy);
            if parents.is_empty() {
                parents.extend(any_above);
            }
            if !parents.is_empty() {
                level.push(Valid::new(policy, parents));
            }
        }
        if any_counts && policies.contains(&ANY_POLICY) {
            let alive = above.iter().filter(|valid| valid.alive);
            for expected in alive.flat_map(|valid| valid.expected.iter().copied()) {
                budget.compare(level.len() + expectations)?;
                if !level.iter().any(|valid| valid.policy == expected) {
                    level.push(Valid::new(expected, expecting(above, expected)));
                }
            }
        }
        self.0.push(level);
        Ok(self.pruned())
    }

    /// 6.1.4 (b) (1): what stands for what below the certificate just taken in.
    pub(super) fn map(&mut self, mappings: &[Mapping<'a>], budget: &mut Budget) -> Result<(), PathReason> {
        let Some((level, above)) = self.0.split_last_mut() else {
            return Ok(());
        };
        budget.compare((level.len() + 1) * mappings.len() * 2)?;
        let any_above = above
            .last()
            .and_then(|above| above.iter().position(|valid| valid.alive && valid.policy == ANY_POLICY));
        let any_here = level.iter().any(|valid| valid.alive && valid.policy == ANY_POLICY);
        for (issuers, _) in mappings {
            let stands = |other: &&Mapping<'a>| other.0 == *issuers;
            let subjects: Vec<&[u8]> =
                mappings.iter().filter(stands).map(|(_, subjects)| *subjects).collect();
            match level.iter_mut().find(|valid| valid.alive && valid.policy == *issuers) {
                Some(valid) => valid.expected = subjects,
                None => {
                    if let (true, Some(parent)) = (any_here, any_above) {
                        let valid = Valid::new(issuers, vec![parent]);
                        level.push(Valid { expected: subjects, ..valid });
                    }
                }
            }
        }
        Ok(())
    }

    /// 6.1.4 (b) (2): mapping is inhibited, so policies that would be mapped end here.
    pub(super) fn end_mapped(mut self, mappings: &[Mapping<'a>]) -> Option<Graph<'a>> {
        for valid in self.0.last_mut().into_iter().flatten() {
            if mappings.iter().any(|(issuers, _)| *issuers == valid.policy) {
                valid.alive = false;
            }
        }
        self.pruned()
    }

    /// 6.1.5 (g): the policies valid for the path, as the user's policies constrain them.
    /// `None` for the user's policies means any.
    pub(super) fn policies(&self, wanted: Option<&[Vec<u8>]>) -> Vec<Vec<u8>> {
        let mut valid: Vec<&[u8]> = Vec::new();
        let pairs = self.0.iter().zip(self.0.iter().skip(1));
        for (above, level) in pairs {
            let below_any = |one: &&Valid<'a>| {
                let of_any = |at: &usize| above.get(*at).is_some_and(|parent| parent.policy == ANY_POLICY);
                one.alive && one.policy != ANY_POLICY && one.parents.iter().any(of_any)
            };
            valid.extend(level.iter().filter(below_any).map(|one| one.policy));
        }
        let any = self.last().iter().any(|one| one.alive && one.policy == ANY_POLICY);
        let mut policies: Vec<Vec<u8>> = match wanted {
            None => valid.into_iter().chain(any.then_some(ANY_POLICY)).map(<[u8]>::to_vec).collect(),
            Some(wanted) if any => wanted.to_vec(),
            Some(wanted) => wanted.iter().filter(|one| valid.contains(&one.as_slice())).cloned().collect(),
        };
        policies.sort_unstable();
        policies.dedup();
        policies
    }

    /// Without the policies that do not go on to the last level.
    fn pruned(mut self) -> Option<Graph<'a>> {
        let mut levels = self.0.iter_mut().rev();
        let mut below = levels.next()?;
        for level in levels {
            let mut used = vec![false; level.len()];
            for parent in below.iter().filter(|valid| valid.alive).flat_map(|valid| &valid.parents) {
                if let Some(used) = used.get_mut(*parent) {
                    *used = true;
                }
            }
            for (valid, used) in level.iter_mut().zip(used) {
                valid.alive &= used;
            }
            below = level;
        }
        below.iter().any(|root| root.alive).then_some(self)
    }
}

/// The places of those that expect the policy.
fn expecting(level: &[Valid<'_>], policy: &[u8]) -> Vec<usize> {
    let expects = |valid: &Valid<'_>| valid.alive && valid.expected.contains(&policy);
    level.iter().enumerate().filter(|(_, valid)| expects(valid)).map(|(at, _)| at).collect()
}
