//! Basic path validation (RFC 5280, 6.1) down one path, from the anchor to the leaf, signatures
//! aside: those are checked by the search, once for each pair of certificates.

use super::budget::Budget;
use super::constraints::{Constraints, names_of};
use super::error::PathReason;
use super::node::Node;
use super::policy::{ANY_POLICY, Graph};
use super::{PathPolicy, Purpose};
use crate::extension::{CERT_SIGN, CLIENT_AUTH, DIGITAL_SIGNATURE};
use crate::time::UnixTime;

/// anyExtendedKeyUsage, 2.5.29.37.0
const ANY_PURPOSE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];

/// The state variables of 6.1.2.
struct State<'a, 'b> {
    policies: Option<Graph<'a>>,
    constraints: Vec<&'b Constraints<'a>>,
    explicit_policy: u32,
    policy_mapping: u32,
    inhibit_any: u32,
    /// What is left of the shortest pathLenConstraint so far.
    path_length: Option<u32>,
}

/// Where on the path something is wrong: 0 for the leaf.
pub(super) type At<T> = Result<T, (usize, PathReason)>;

/// Validates a path, given from the anchor down. Gives the valid policies.
pub(super) fn walk<'a>(
    anchor: &Node<'a>,
    path: &[&Node<'a>],
    policy: &PathPolicy,
    now: UnixTime,
    budget: &mut Budget,
) -> At<Vec<Vec<u8>>> {
    let count = path.len();
    let mut state = State::new(anchor, path, policy, now).map_err(|reason| (count, reason))?;
    for (at, node) in path.iter().enumerate() {
        let place = count - 1 - at;
        let wrong = |reason| (place, reason);
        let is_leaf = place == 0;
        state.take(node, is_leaf, now, budget).map_err(wrong)?;
        if is_leaf {
            check_leaf(node, policy).map_err(wrong)?;
            return state.finish(node, policy).map_err(wrong);
        }
        state.prepare(node, policy, budget).map_err(wrong)?;
    }
    Err((0, PathReason::Empty))
}

impl<'a, 'b> State<'a, 'b> {
    /// 6.1.2, with the anchor's certificate taken as a limit on what it vouches for (RFC 5937).
    fn new(
        anchor: &'b Node<'a>,
        path: &[&Node<'a>],
        policy: &PathPolicy,
        now: UnixTime,
    ) -> Result<State<'a, 'b>, PathReason> {
        check_validity(anchor, now)?;
        check_authority(anchor, policy)?;
        let start = |inhibited: bool| if inhibited { 0 } else { path.len() as u32 + 1 };
        Ok(State {
            policies: Some(Graph::new()),
            constraints: anchor.constraints.iter().collect(),
            explicit_policy: start(policy.require_explicit_policy),
            policy_mapping: start(policy.inhibit_policy_mapping),
            inhibit_any: start(policy.inhibit_any_policy),
            path_length: anchor.path_length,
        })
    }

    /// 6.1.3.
    fn take(
        &mut self,
        node: &'b Node<'a>,
        is_leaf: bool,
        now: UnixTime,
        budget: &mut Budget,
    ) -> Result<(), PathReason> {
        check_validity(node, now)?;
        let self_issued = node.is_self_issued() && !is_leaf;
        if !self_issued && !self.constraints.is_empty() {
            let names = names_of(node.certificate.subject, &node.names)?;
            self.constraints.iter().try_for_each(|constraints| constraints.check(&names, budget))?;
        }
        let any_counts = self.inhibit_any > 0 || self_issued;
        self.policies = match (self.policies.take(), &node.policies) {
            (Some(graph), Some(policies)) => graph.descend(policies, any_counts, budget)?,
            _ => None,
        };
        if self.explicit_policy == 0 && self.policies.is_none() {
            return Err(PathReason::Policy);
        }
        Ok(())
    }

    /// 6.1.4.
    fn prepare(
        &mut self,
        node: &'b Node<'a>,
        policy: &PathPolicy,
        budget: &mut Budget,
    ) -> Result<(), PathReason> {
        if node.mappings.iter().any(|(one, other)| [*one, *other].contains(&ANY_POLICY)) {
            return Err(PathReason::PolicyMapping);
        }
        self.map(node, budget)?;
        self.constraints.extend(&node.constraints);
        if !node.is_self_issued() {
            for skip in [&mut self.explicit_policy, &mut self.policy_mapping, &mut self.inhibit_any] {
                *skip = skip.saturating_sub(1);
            }
        }
        let shorten = |skip: &mut u32, by: Option<u32>| *skip = by.map_or(*skip, |by| by.min(*skip));
        shorten(&mut self.explicit_policy, node.require_policy);
        shorten(&mut self.policy_mapping, node.inhibit_mapping);
        shorten(&mut self.inhibit_any, node.inhibit_any);
        check_authority(node, policy)?;
        self.count_length(node)
    }

    fn map(&mut self, node: &'b Node<'a>, budget: &mut Budget) -> Result<(), PathReason> {
        if node.mappings.is_empty() {
            return Ok(());
        }
        self.policies = match self.policies.take() {
            Some(mut graph) if self.policy_mapping > 0 => {
                graph.map(&node.mappings, budget)?;
                Some(graph)
            }
            Some(graph) => graph.end_mapped(&node.mappings),
            None => None,
        };
        Ok(())
    }

    /// 6.1.4 (l) and (m).
    fn count_length(&mut self, node: &Node<'_>) -> Result<(), PathReason> {
        if let (Some(length), false) = (&mut self.path_length, node.is_self_issued()) {
            *length = length.checked_sub(1).ok_or(PathReason::PathLength)?;
        }
        self.path_length = match (self.path_length, node.path_length) {
            (Some(left), Some(own)) => Some(left.min(own)),
            (left, own) => left.or(own),
        };
        Ok(())
    }

    /// 6.1.5.
    fn finish(mut self, node: &Node<'_>, policy: &PathPolicy) -> Result<Vec<Vec<u8>>, PathReason> {
        self.explicit_policy = self.explicit_policy.saturating_sub(1);
        if node.require_policy == Some(0) {
            self.explicit_policy = 0;
        }
        let wanted = policy.policies.as_ref().map(|set| set.octets());
        let policies = self.policies.map(|graph| graph.policies(wanted)).unwrap_or_default();
        if self.explicit_policy == 0 && policies.is_empty() {
            return Err(PathReason::Policy);
        }
        Ok(policies)
    }
}

fn check_validity(node: &Node<'_>, now: UnixTime) -> Result<(), PathReason> {
    let (not_before, not_after) = (node.certificate.not_before, node.certificate.not_after);
    if now < not_before {
        return Err(PathReason::NotYetValid { not_before, now });
    }
    if now > not_after {
        return Err(PathReason::Expired { not_after, now });
    }
    Ok(())
}

/// 6.1.4 (k) and (n), and that its purposes allow the one asked for.
fn check_authority(node: &Node<'_>, policy: &PathPolicy) -> Result<(), PathReason> {
    if !node.is_authority {
        return Err(PathReason::NotAnAuthority);
    }
    if node.key_usage.is_none_or(|usage| usage & CERT_SIGN == 0) {
        return Err(PathReason::MayNotSignCertificates);
    }
    let allows = |purposes: &Vec<&[u8]>| purposes.contains(&CLIENT_AUTH) || purposes.contains(&ANY_PURPOSE);
    match policy.purpose {
        Purpose::Any => Ok(()),
        Purpose::Client | Purpose::Card(_) if node.purposes.as_ref().is_none_or(allows) => Ok(()),
        Purpose::Client | Purpose::Card(_) => Err(PathReason::ExtendedKeyUsage),
    }
}

/// What a leaf must be for its purpose. A card's profile has been checked before.
fn check_leaf(node: &Node<'_>, policy: &PathPolicy) -> Result<(), PathReason> {
    match policy.purpose {
        Purpose::Any => return Ok(()),
        Purpose::Client | Purpose::Card(_) => {}
    }
    if node.is_authority {
        return Err(PathReason::Authority);
    }
    if node.key_usage.is_none_or(|usage| usage & DIGITAL_SIGNATURE == 0) {
        return Err(PathReason::KeyUsage);
    }
    if !node.purposes.as_ref().is_some_and(|purposes| purposes.contains(&CLIENT_AUTH)) {
        return Err(PathReason::ExtendedKeyUsage);
    }
    Ok(())
}
