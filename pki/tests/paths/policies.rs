//! Certificate policies: explicit, any, mapped, inhibited; each verdict held against openssl's too.

use pki::path::{PathPolicy, PathReason, PolicySet};

use crate::chain::{
    Chain, INHIBIT_ANY, MAPPINGS, POLICIES, POLICY_CONSTRAINTS, judge, named, oid, policies, policy, seq, set,
};
use crate::openssl;

/// 1.2.3.4, 1.2.3.5, 1.2.3.6
const A: &[u8] = &[0x2a, 3, 4];
const B: &[u8] = &[0x2a, 3, 5];
const C: &[u8] = &[0x2a, 3, 6];
const ANY: &[u8] = &[0x55, 0x1d, 0x20, 0];

struct Case {
    name: &'static str,
    chain: Chain,
    /// user-initial-policy-set; empty for any.
    wanted: &'static [&'static str],
    /// `e`: explicit policy, `m`: mapping inhibited, `a`: anyPolicy inhibited
    inputs: &'static str,
    /// The valid policies; nothing for a refusal.
    expected: Option<&'static [&'static str]>,
}

/// Two authorities and a client with these policies.
fn chain(of_each: [&[&[u8]]; 3]) -> Chain {
    Chain::new(2).with(|chain| {
        for (spec, ids) in chain.specs.iter_mut().skip(1).zip(of_each) {
            if !ids.is_empty() {
                set(spec, POLICIES, false, policies(ids));
            }
        }
    })
}

fn mapped(chain: Chain, at: usize, pairs: &[(&[u8], &[u8])]) -> Chain {
    let value: Vec<u8> = pairs.iter().flat_map(|(from, to)| seq(&[&oid(from), &oid(to)])).collect();
    chain.with(|chain| set(&mut chain.specs[at], MAPPINGS, true, seq(&[&value])))
}

/// policyConstraints: requireExplicitPolicy is number 0, inhibitPolicyMapping 1.
fn limited(chain: Chain, at: usize, number: u8, skip: u8) -> Chain {
    chain.with(|chain| set(&mut chain.specs[at], POLICY_CONSTRAINTS, true, seq(&[&[0x80 | number, 1, skip]])))
}

fn without_any(chain: Chain, at: usize, skip: u8) -> Chain {
    chain.with(|chain| set(&mut chain.specs[at], INHIBIT_ANY, true, vec![2, 1, skip]))
}

/// The second authority takes the first one's name.
fn self_issued(chain: Chain) -> Chain {
    chain.with(|chain| {
        chain.specs[2].subject = named("Authority 1");
        chain.specs[3].issuer = named("Authority 1");
    })
}

fn case(
    name: &'static str,
    chain: Chain,
    wanted: &'static [&'static str],
    inputs: &'static str,
    expected: Option<&'static [&'static str]>,
) -> Case {
    Case { name, chain, wanted, inputs, expected }
}

fn all() -> Vec<Case> {
    const ONLY_A: Option<&[&str]> = Some(&["1.2.3.4"]);
    const NONE: Option<&[&str]> = Some(&[]);
    let same = || chain([&[A], &[A], &[A]]);
    let any = || chain([&[ANY], &[ANY], &[A]]);
    let change = || mapped(chain([&[A], &[A], &[B]]), 2, &[(A, B)]);
    vec![
        case("the same all along", same(), &[], "e", ONLY_A),
        case("wanted", same(), &["1.2.3.4"], "e", ONLY_A),
        case("not wanted", same(), &["1.2.3.5"], "e", None),
        case("not wanted, but none is required", same(), &["1.2.3.5"], "", NONE),
        case("dropped by an authority", chain([&[A], &[], &[A]]), &[], "e", None),
        case("dropped, but none is required", chain([&[A], &[], &[A]]), &[], "", NONE),
        case("changed without a mapping", chain([&[A], &[A], &[B]]), &[], "e", None),
        case("one of two goes on", chain([&[A, B], &[B, C], &[B]]), &[], "e", Some(&["1.2.3.5"])),
        case("any policy above", any(), &[], "e", ONLY_A),
        case("any policy above, wanted", any(), &["1.2.3.4"], "e", ONLY_A),
        case("any policy all along, wanted", chain([&[ANY], &[ANY], &[ANY]]), &["1.2.3.4"], "e", ONLY_A),
        case("any policy inhibited", any(), &[], "ea", None),
        case("any policy inhibited below the first", without_any(any(), 1, 0), &[], "e", None),
        case("any policy inhibited later", without_any(any(), 1, 1), &[], "e", ONLY_A),
        case(
            "any policy of the client inhibited",
            without_any(chain([&[A], &[A], &[ANY]]), 1, 1),
            &[],
            "e",
            None,
        ),
        case(
            "any policy counts in a self-issued authority",
            self_issued(without_any(chain([&[A], &[ANY], &[A]]), 1, 0)),
            &[],
            "e",
            ONLY_A,
        ),
        case("mapped", change(), &[], "e", ONLY_A),
        case("mapped, the issuer's wanted", change(), &["1.2.3.4"], "e", ONLY_A),
        case("mapped, the subject's wanted", change(), &["1.2.3.5"], "e", None),
        case("mapping inhibited", change(), &[], "em", None),
        case("mapping inhibited by the authority above", limited(change(), 1, 1, 0), &[], "e", None),
        case("mapping inhibited further down", limited(change(), 1, 1, 1), &[], "e", ONLY_A),
        case(
            "mapped to two",
            mapped(chain([&[A], &[A], &[C]]), 2, &[(A, B), (A, C)]),
            &["1.2.3.4"],
            "e",
            ONLY_A,
        ),
        case(
            "mapped under any policy",
            mapped(chain([&[ANY], &[ANY], &[B]]), 2, &[(A, B)]),
            &["1.2.3.4"],
            "e",
            ONLY_A,
        ),
        case("any policy mapped", mapped(same(), 2, &[(ANY, B)]), &[], "", None),
        case("mapped to any policy", mapped(same(), 2, &[(A, ANY)]), &[], "", None),
        case("required by the authority", limited(chain([&[A], &[A], &[B]]), 1, 0, 0), &[], "", None),
        case("required by the authority and kept", limited(same(), 1, 0, 0), &[], "", ONLY_A),
        case("required from the second on", limited(chain([&[], &[], &[]]), 1, 0, 2), &[], "", None),
        case("required beyond the client", limited(chain([&[], &[], &[]]), 1, 0, 5), &[], "", NONE),
        case("required by the client itself", limited(chain([&[A], &[A], &[B]]), 3, 0, 0), &[], "", None),
    ]
}

fn inputs(case: &Case) -> PathPolicy {
    let has = |letter| case.inputs.contains(letter);
    PathPolicy {
        policies: (!case.wanted.is_empty()).then(|| PolicySet::of(case.wanted).expect("identifiers")),
        require_explicit_policy: has('e'),
        inhibit_policy_mapping: has('m'),
        inhibit_any_policy: has('a'),
        ..policy()
    }
}

#[test]
fn policies_are_valid_as_the_standard_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut wrong = Vec::new();
    for case in all() {
        let signed = case.chain.sign();
        let verdict = judge(&signed, inputs(&case));
        let reason = verdict.as_ref().err().map(|error| error.reason);
        let found = verdict.ok().map(|client| client.policies().to_vec());
        if found.as_deref().map(|all| all.iter().map(String::as_str).collect::<Vec<_>>())
            != case.expected.map(<[&str]>::to_vec)
        {
            wrong.push(format!("{}: {found:?} {reason:?}", case.name));
        }
        assert!(
            matches!(reason, None | Some(PathReason::Policy | PathReason::PolicyMapping)),
            "{}",
            case.name
        );
        let mut flags = vec!["-policy_check"];
        let any: &[&str] = &["2.5.29.32.0"]; // openssl takes no policy given for none wanted
        let wanted = if case.wanted.is_empty() { any } else { case.wanted };
        flags.extend(wanted.iter().flat_map(|one| ["-policy", one]));
        flags.extend(case.inputs.chars().map(|letter| match letter {
            'e' => "-explicit_policy",
            'm' => "-inhibit_map",
            _ => "-inhibit_any",
        }));
        if openssl::accepts(folder.path(), &signed, &flags) != case.expected.is_some() {
            wrong.push(format!("{}: openssl disagrees", case.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
