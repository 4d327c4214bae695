//! Defects of the authorities between root and client.

use pki::path::PathReason;

use super::{Case, accepted, one, refused};
use crate::chain::{
    BASIC, CLIENT_AUTH, Chain, KEY_USAGE, PURPOSES, SERVER_AUTH, basic, named, purposes, remove, set,
};

pub(super) fn all() -> Vec<Case> {
    use PathReason::*;
    let length = |at: usize, count: usize, most| {
        Chain::new(count).with(|chain| set(&mut chain.specs[at], BASIC, true, basic(true, Some(most))))
    };
    let self_issued = |count| {
        Chain::new(2).with(|chain| {
            set(&mut chain.specs[count], BASIC, true, basic(true, Some(0)));
            // the second authority has the first one's name
            chain.specs[2].subject = named("Authority 1");
            chain.specs[3].issuer = named("Authority 1");
        })
    };
    vec![
        refused("authority without basicConstraints", one(1, |spec| remove(spec, BASIC)), 1, NotAnAuthority),
        refused(
            "authority that says it is none",
            one(1, |spec| set(spec, BASIC, true, basic(false, None))),
            1,
            NotAnAuthority,
        ),
        accepted("basicConstraints not critical", one(1, |spec| set(spec, BASIC, false, basic(true, None)))),
        refused(
            "authority without keyUsage",
            one(1, |spec| remove(spec, KEY_USAGE)),
            1,
            MayNotSignCertificates,
        ),
        refused(
            "authority for lists only",
            one(1, |spec| set(spec, KEY_USAGE, true, vec![3, 2, 1, 0x02])),
            1,
            MayNotSignCertificates,
        ),
        refused(
            "root for lists only",
            one(0, |spec| set(spec, KEY_USAGE, true, vec![3, 2, 1, 0x02])),
            2,
            MayNotSignCertificates,
        ),
        accepted("path length kept", length(1, 1, 0)),
        refused("path length exceeded by one", length(1, 2, 0), 1, PathLength),
        refused("path length exceeded further down", length(1, 3, 1), 1, PathLength),
        refused("path length of the root", length(0, 1, 0), 1, PathLength),
        accepted("self-issued authorities are not counted", self_issued(1)),
        refused(
            "authority for servers",
            one(1, |spec| set(spec, PURPOSES, false, purposes(&[SERVER_AUTH]))),
            1,
            ExtendedKeyUsage,
        ),
        accepted(
            "authority for clients",
            one(1, |spec| set(spec, PURPOSES, false, purposes(&[SERVER_AUTH, CLIENT_AUTH]))),
        ),
        refused(
            "authority with a broken basicConstraints",
            one(1, |spec| set(spec, BASIC, true, vec![0x30, 3, 1, 1, 1])),
            1,
            ExtensionValue,
        ),
        refused(
            "authority with an empty subject",
            one(1, |spec| spec.subject = vec![0x30, 0]),
            0,
            UnknownIssuer,
        ),
    ]
}
