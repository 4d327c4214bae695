//! The search for a path: from the leaf upwards through the certificates at hand until an anchor,
//! depth first, within a budget. Each complete path is walked down before its signatures are
//! checked, because walking is cheap.

use super::budget::{Budget, MOST_INTERMEDIATES};
use super::error::{PathError, PathReason};
use super::node::{Node, Unread};
use super::walk::walk;
use super::{PathPolicy, Purpose};
use crate::algorithm::{self, Refused};
use crate::profile::ProfileReason;
use crate::time::UnixTime;

/// Who signed: an anchor, or one of the certificates at hand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Issuer {
    Anchor(usize),
    Node(usize),
}

/// A valid path.
pub(super) struct Found {
    /// Places among the certificates at hand, from the leaf (0) upwards.
    pub(super) path: Vec<usize>,
    pub(super) anchor: usize,
    pub(super) policies: Vec<Vec<u8>>,
}

/// How much an error says of why there is no path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Telling {
    /// Where a path breaks off.
    NoIssuer,
    /// Why the certificate that may be the missing issuer has no place in a path.
    Unread,
    /// What is wrong with a complete path.
    Complete,
}

/// Certificates at hand: the leaf, then all others that were given or are configured. Those that
/// cannot be read have no place in a path.
pub(super) struct Search<'a, 'b> {
    pub(super) nodes: &'b [Result<Node<'a>, Unread<'a>>],
    pub(super) anchors: &'b [Node<'a>],
    pub(super) policy: &'b PathPolicy,
    pub(super) now: UnixTime,
    pub(super) budget: Budget,
    /// Signatures checked: by whom, on what, and how it ended.
    checked: Vec<(Issuer, usize, Result<(), PathReason>)>,
    /// What is said if there is no valid path: of the errors that say most, the first.
    error: Option<(Telling, PathError)>,
}

/// Nothing more is tried: the budget is spent.
struct Spent;

impl<'a, 'b> Search<'a, 'b> {
    pub(super) fn new(
        nodes: &'b [Result<Node<'a>, Unread<'a>>],
        anchors: &'b [Node<'a>],
        policy: &'b PathPolicy,
        now: UnixTime,
    ) -> Search<'a, 'b> {
        Search { nodes, anchors, policy, now, budget: Budget::new(), checked: Vec::new(), error: None }
    }

    /// The first valid path, or why there is none.
    pub(super) fn run(mut self) -> Result<Found, PathError> {
        let at_leaf = |reason| PathError { reason, at: 0, path: vec![0] };
        let leaf = match self.nodes.first() {
            None => return Err(at_leaf(PathReason::Empty)),
            Some(Err(unread)) => return Err(at_leaf(unread.reason)),
            Some(Ok(leaf)) => leaf,
        };
        self.check_card(leaf).map_err(|reason| at_leaf(PathReason::Card(reason)))?;
        match self.extend(&mut vec![0]) {
            Ok(Some(found)) => Ok(found),
            Err(Spent) => Err(at_leaf(PathReason::Budget)),
            Ok(None) => Err(self.error.map_or_else(|| no_issuer(vec![0]), |(_, error)| error)),
        }
    }

    fn check_card(&self, leaf: &Node<'_>) -> Result<(), ProfileReason> {
        match &self.policy.purpose {
            Purpose::Card(profile) => profile.check(&leaf.certificate).map(drop),
            Purpose::Client | Purpose::Any => Ok(()),
        }
    }

    /// Tries every anchor and every certificate that may have issued the last one.
    fn extend(&mut self, path: &mut Vec<usize>) -> Result<Option<Found>, Spent> {
        let Some(top) = path.last().and_then(|at| self.node(*at)) else {
            return Ok(None);
        };
        self.spend(|budget| budget.compare(self.anchors.len() + self.nodes.len()))?;
        let mut alone = true;
        for (at, _) in self.anchors.iter().enumerate().filter(|(_, anchor)| anchor.may_have_issued(top)) {
            alone = false;
            if let Some(found) = self.try_path(path, at)? {
                return Ok(Some(found));
            }
        }
        if path.len() > MOST_INTERMEDIATES {
            self.say(Telling::NoIssuer, no_issuer(path.clone()));
            return Ok(None);
        }
        for (at, node) in self.nodes.iter().enumerate().skip(1) {
            let Ok(node) = node else {
                continue;
            };
            if !node.may_have_issued(top) || self.is_known(node, path) {
                continue;
            }
            alone = false;
            path.push(at);
            let found = self.extend(path)?;
            path.pop();
            if found.is_some() {
                return Ok(found);
            }
        }
        if alone {
            self.say_missing(top, path);
        }
        Ok(None)
    }

    /// No certificate at hand issued the last one of the path, unless one that cannot be read did.
    fn say_missing(&mut self, top: &Node<'_>, path: &[usize]) {
        let given = self.nodes.iter().enumerate().skip(1);
        let mut unread = given.filter_map(|(at, node)| node.as_ref().err().map(|unread| (at, unread)));
        match unread.find(|(_, unread)| unread.may_have_issued(top)) {
            Some((at, unread)) => {
                let path: Vec<_> = path.iter().copied().chain([at]).collect();
                let error = PathError { reason: unread.reason, at: path_end(&path), path };
                self.say(Telling::Unread, error);
            }
            None => self.say(Telling::NoIssuer, no_issuer(path.to_vec())),
        }
    }

    fn say(&mut self, telling: Telling, error: PathError) {
        if self.error.as_ref().is_none_or(|(said, _)| *said < telling) {
            self.error = Some((telling, error));
        }
    }

    /// Whether the key has its place already, as an anchor or further down: going there again leads
    /// nowhere new.
    fn is_known(&self, node: &Node<'_>, path: &[usize]) -> bool {
        let same = |other: &Node<'_>| {
            other.certificate.subject == node.certificate.subject
                && other.certificate.key == node.certificate.key
        };
        self.anchors.iter().any(same) || path.iter().filter_map(|at| self.node(*at)).any(same)
    }

    fn try_path(&mut self, path: &[usize], anchor: usize) -> Result<Option<Found>, Spent> {
        self.spend(Budget::path)?;
        let nodes: Vec<&Node<'a>> = path.iter().rev().filter_map(|at| self.node(*at)).collect();
        let Some(trusted) = self.anchors.get(anchor) else {
            return Ok(None);
        };
        let walked = walk(trusted, &nodes, self.policy, self.now, &mut self.budget);
        let verified = match walked {
            Err(wrong) => Err(wrong),
            Ok(policies) => self.check_signatures(path, anchor).map(|()| policies),
        };
        match verified {
            Ok(policies) => Ok(Some(Found { path: path.to_vec(), anchor, policies })),
            Err((_, PathReason::Budget)) => Err(Spent),
            Err((at, reason)) => {
                self.say(Telling::Complete, PathError { reason, at, path: path.to_vec() });
                Ok(None)
            }
        }
    }

    /// 6.1.3 (a) (1), from the anchor down.
    fn check_signatures(&mut self, path: &[usize], anchor: usize) -> Result<(), (usize, PathReason)> {
        let mut issuer = Issuer::Anchor(anchor);
        for (place, at) in path.iter().enumerate().rev() {
            self.check_signature(issuer, *at).map_err(|reason| (place, reason))?;
            issuer = Issuer::Node(*at);
        }
        Ok(())
    }

    fn check_signature(&mut self, issuer: Issuer, subject: usize) -> Result<(), PathReason> {
        let known = self.checked.iter().find(|(by, on, _)| *by == issuer && *on == subject);
        if let Some((.., verdict)) = known {
            return *verdict;
        }
        self.budget.signature()?;
        let by = match issuer {
            Issuer::Anchor(at) => self.anchors.get(at),
            Issuer::Node(at) => self.node(at),
        };
        let verdict = match (by, self.node(subject)) {
            (Some(by), Some(on)) => verify(by, on),
            _ => Err(PathReason::UnknownIssuer),
        };
        self.checked.push((issuer, subject, verdict));
        verdict
    }

    fn node(&self, at: usize) -> Option<&'b Node<'a>> {
        self.nodes.get(at).and_then(|node| node.as_ref().ok())
    }

    fn spend(&mut self, cost: impl FnOnce(&mut Budget) -> Result<(), PathReason>) -> Result<(), Spent> {
        cost(&mut self.budget).map_err(|_| Spent)
    }
}

fn path_end(path: &[usize]) -> usize {
    path.len().saturating_sub(1)
}

fn no_issuer(path: Vec<usize>) -> PathError {
    PathError { reason: PathReason::UnknownIssuer, at: path_end(&path), path }
}

/// Whether `by` signed `on`.
pub(super) fn verify(by: &Node<'_>, on: &Node<'_>) -> Result<(), PathReason> {
    let (by, on) = (&by.certificate, &on.certificate);
    algorithm::verify(by.key, on.algorithm, on.signed, on.signature).map_err(|refused| match refused {
        Refused::Algorithm => PathReason::SignatureAlgorithm,
        Refused::Key => PathReason::Key,
        Refused::Signature => PathReason::BadSignature,
    })
}
