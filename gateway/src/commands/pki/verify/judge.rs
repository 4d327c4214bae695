//! The judgement on one certificate, by the desk's steps or by path validation.

use eligibility::day::{Day, Timestamp};
use pki::path::{
    MOST_CERTIFICATES, PathError, PathPolicy, PathTrust, PathTrustError, PolicySet, Purpose, validate_client,
};
use pki::{
    Anchors, CardProfile, CardState, Lists, ProveError, Revocation, RevocationSource, StandPolicy, TrustView,
    WhenMissing,
};

use super::{Profile, Refused, Verdict, Verify};
use crate::commands::CommandError;
use crate::commands::pki::code;
use crate::commands::pki::compared::{Asked, compared, subject};
use crate::commands::pki::files::Item;

/// Everything certificates are held against.
pub(super) struct Judge<'v> {
    verify: &'v Verify,
    way: Way,
    /// The lists taken, described.
    described: Vec<String>,
    anchors: Vec<Vec<u8>>,
    policies: Vec<String>,
}

enum Way {
    Desk {
        view: Box<TrustView>,
        policy: StandPolicy,
    },
    Path {
        trust: Box<PathTrust>,
        lists: Lists,
        /// The intermediates in the order of `trust`.
        held: Vec<Item>,
        /// Those that are no authorities: offered along, so that a path over them is refused by reason.
        offered: Vec<Item>,
    },
}

impl<'v> Judge<'v> {
    pub(super) fn new(
        verify: &'v Verify,
        anchors: Vec<Item>,
        intermediates: Vec<Item>,
        lists: &[Item],
    ) -> Result<Self, CommandError> {
        let missing = if verify.crls.is_some() { WhenMissing::Refuse } else { WhenMissing::Accept };
        let profile = profile(&verify.policies)?;
        let policies = match verify.profile {
            Profile::Card => profile.policies().map(str::to_owned).collect(),
            Profile::Client | Profile::Any => verify.policies.clone(),
        };
        let (way, held) = if verify.asks_for_paths() {
            by_path(verify, profile, missing, (&anchors, intermediates), lists)?
        } else {
            by_desk(verify, profile, missing, &anchors, lists)?
        };
        let described = held.iter().map(describe).collect();
        let anchors = anchors.into_iter().map(|item| item.der).collect();
        Ok(Self { verify, way, described, anchors, policies })
    }

    /// What becomes of one certificate of a file; the others of the file are offered along.
    pub(super) fn verdict(&self, items: &[Item], at: usize) -> Option<Verdict> {
        let item = items.get(at)?;
        Some(match &self.way {
            Way::Desk { view, policy } => self.of_card(item, view, policy),
            Way::Path { trust, lists, held, offered } => {
                let others = items.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, item)| item);
                let chain: Vec<&Item> =
                    [item].into_iter().chain(others).chain(offered).take(MOST_CERTIFICATES).collect();
                self.of_path(&chain, trust, lists, held)
            }
        })
    }

    fn of_card(&self, item: &Item, view: &TrustView, policy: &StandPolicy) -> Verdict {
        let issuer = |error: &ProveError| match error {
            ProveError::Untrusted(_) | ProveError::Malformed => None,
            _ => self.anchors.first().map(|anchor| subject(anchor)),
        };
        let proven = match pki::prove_without_possession(view, &item.der) {
            Ok(proven) => proven,
            Err(error) => {
                let path = [Some(own(item)), issuer(&error)].into_iter().flatten().collect();
                let words = error.to_string();
                return self.refused(item, (code::of_prove(error), words), (0, &item.der, &[]), path);
            }
        };
        let anchor = view.anchors.iter().position(|anchor| anchor.id() == proven.authority());
        let path = path_of([own(item)], anchor.and_then(|at| self.anchors.get(at)));
        match pki::stand(proven, view, self.verify.seconds(), policy) {
            Err(error) => {
                self.refused(item, (code::of_stand(error), error.to_string()), (0, &item.der, &[]), path)
            }
            Ok(verified) => Verdict {
                note: (verified.state() == CardState::Grace).then(|| {
                    let last = Day::from_number(verified.usable_through());
                    format!("grace: ended, good for eligibility through {last}")
                }),
                ..valid(item, verified.revocation(), path)
            },
        }
    }

    fn of_path(&self, chain: &[&Item], trust: &PathTrust, lists: &Lists, held: &[Item]) -> Verdict {
        let Some(item) = chain.first() else { return Verdict::default() };
        let ders: Vec<&[u8]> = chain.iter().map(|item| item.der.as_slice()).collect();
        let of = |at: &usize| chain.get(*at).copied().or_else(|| held.get(at.checked_sub(chain.len())?));
        let names = |path: &[usize]| -> Vec<String> {
            let mut authorities: Vec<_> =
                path.iter().skip(1).filter_map(of).map(|item| subject(&item.der)).collect();
            authorities.insert(0, own(item));
            authorities
        };
        match validate_client(&ders, trust, lists, self.verify.seconds()) {
            Ok(client) => valid(item, client.revocation(), names(client.path())),
            Err(PathError { reason, at, path }) => {
                let at_fault = path.get(at).and_then(of);
                // Beyond the path stands its anchor: one of the name that the last certificate gives.
                let der = at_fault.map_or(&item.der, |item| &item.der);
                let above = path.iter().skip(at + 1).filter_map(of);
                let above: Vec<_> = above.map(|item| item.der.as_slice()).collect();
                let said = (code::of_path(reason), reason.to_string());
                self.refused(item, said, (at, der, &above), names(&path))
            }
        }
    }

    fn refused(
        &self,
        item: &Item,
        (code, reason): (&'static str, String),
        (at, der, above): (usize, &[u8], &[&[u8]]),
        path: Vec<String>,
    ) -> Verdict {
        let asked = Asked {
            at: self.verify.now(),
            policies: &self.policies,
            anchors: &self.anchors,
            lists: &self.described,
            above,
        };
        let both = compared(code, &reason, der, &asked);
        let refused = Refused { code, reason, at, found: both.found, wanted: both.wanted };
        Verdict {
            certificate: item.name.clone(),
            verdict: "refused",
            refused: Some(refused),
            path,
            ..Verdict::default()
        }
    }
}

fn valid(item: &Item, revocation: Revocation, path: Vec<String>) -> Verdict {
    let as_of = time(revocation.as_of);
    let word = match revocation.source {
        RevocationSource::Crl if revocation.stale => format!("list of {as_of}, past its next update"),
        RevocationSource::Crl => format!("list of {as_of}"),
        RevocationSource::Ocsp => format!("responder, {as_of}"),
        RevocationSource::Unchecked => "not looked at".to_owned(),
    };
    Verdict {
        certificate: item.name.clone(),
        verdict: "valid",
        revocation: Some(word),
        path,
        ..Verdict::default()
    }
}

fn by_desk(
    verify: &Verify,
    profile: CardProfile,
    missing: WhenMissing,
    anchors: &[Item],
    files: &[Item],
) -> Result<(Way, Vec<pki::HeldList>), CommandError> {
    let anchors_read = Anchors::from_certificates(anchors.iter().map(|item| &item.der))
        .map_err(|error| at_fault(anchors, error.position, error.reason))?;
    let lists =
        take(files, |lists, der| lists.with(der, &anchors_read, verify.seconds()).map_err(|e| e.to_string()));
    let held = lists.iter().collect();
    let view = Box::new(TrustView::new(anchors_read, profile).with_lists(lists));
    Ok((Way::Desk { view, policy: StandPolicy { missing, ..StandPolicy::default() } }, held))
}

fn by_path(
    verify: &Verify,
    profile: CardProfile,
    missing: WhenMissing,
    (anchors, intermediates): (&[Item], Vec<Item>),
    files: &[Item],
) -> Result<(Way, Vec<pki::HeldList>), CommandError> {
    let purpose = match verify.profile {
        Profile::Card => Purpose::Card(profile),
        Profile::Client => Purpose::Client,
        Profile::Any => Purpose::Any,
    };
    let wanted = matches!(verify.profile, Profile::Client | Profile::Any) && !verify.policies.is_empty();
    let policies =
        wanted.then(|| PolicySet::of(&verify.policies)).transpose().map_err(CommandError::usage)?;
    let policy = PathPolicy {
        policies,
        require_explicit_policy: verify.require_explicit_policy,
        inhibit_policy_mapping: verify.inhibit_policy_mapping,
        inhibit_any_policy: verify.inhibit_any_policy,
        missing,
        ..PathPolicy::new(purpose)
    };
    let ders = |items: &[Item]| items.iter().map(|item| item.der.clone()).collect::<Vec<_>>();
    let make = |others: &[Vec<u8>]| PathTrust::new(ders(anchors), others, policy.clone());
    let wrong = |error| match error {
        PathTrustError::Anchor { position, reason } => at_fault(anchors, position, reason),
        error => CommandError::usage(error),
    };
    make(&[]).map_err(wrong)?;
    let (held, offered): (Vec<Item>, Vec<Item>) =
        intermediates.into_iter().partition(|item| make(std::slice::from_ref(&item.der)).is_ok());
    let trust = Box::new(make(&ders(&held)).map_err(wrong)?);
    let now = verify.seconds();
    let lists = take(files, |lists, der| {
        lists.arrive_for_clients(der, &trust, now).map(pki::Arrival::into_lists).map_err(|e| e.to_string())
    });
    let described = lists.iter().collect();
    Ok((Way::Path { trust, lists, held, offered }, described))
}

/// Takes every list that can be taken, and says of the others why not.
fn take(files: &[Item], arrive: impl Fn(&Lists, &[u8]) -> Result<Lists, String>) -> Lists {
    files.iter().fold(Lists::new(), |lists, item| match arrive(&lists, &item.der) {
        Ok(with) => with,
        Err(why) => {
            eprintln!("shikaku: {}: list not taken: {why}", item.name);
            lists
        }
    })
}

fn at_fault(anchors: &[Item], position: usize, reason: impl std::fmt::Display) -> CommandError {
    let name = anchors.get(position).map_or("the trust anchors", |item| item.name.as_str());
    CommandError::Usage(format!("{name}: no trust anchor: {reason}"))
}

fn profile(policies: &[String]) -> Result<CardProfile, CommandError> {
    if policies.is_empty() {
        return Ok(CardProfile::production());
    }
    CardProfile::accepting(policies).map_err(|error| CommandError::Usage(format!("--policy: {error}")))
}

/// How a certificate that was asked about stands on its path: without its names.
fn own(item: &Item) -> String {
    item.name.clone()
}

fn path_of<const N: usize>(below: [String; N], anchor: Option<&Vec<u8>>) -> Vec<String> {
    below.into_iter().chain(anchor.map(|der| subject(der))).collect()
}

fn describe(list: &pki::HeldList) -> String {
    format!(
        "authority {} number {} of {}, next {}",
        list.mark.authority,
        list.mark.number,
        time(list.mark.this_update),
        time(list.next_update)
    )
}

fn time(at: pki::UnixTime) -> String {
    Timestamp::from_millis(at.0.saturating_mul(1000)).to_string()
}
