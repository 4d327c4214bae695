//! Defects of the client's own certificate.

use pki::path::PathReason;

use super::{Case, accepted, one, refused};
use crate::chain::{
    BASIC, CLIENT_AUTH, KEY_USAGE, NAMES, PURPOSES, SERVER_AUTH, basic, purposes, remove, set,
};

pub(super) fn all() -> Vec<Case> {
    use PathReason::*;
    let any: &[u8] = &[0x55, 0x1d, 0x25, 0];
    vec![
        refused(
            "client for servers",
            one(2, |spec| set(spec, PURPOSES, false, purposes(&[SERVER_AUTH]))),
            0,
            ExtendedKeyUsage,
        ),
        refused("client without purposes", one(2, |spec| remove(spec, PURPOSES)), 0, ExtendedKeyUsage),
        refused(
            "client for any purpose",
            one(2, |spec| set(spec, PURPOSES, false, purposes(&[any]))),
            0,
            ExtendedKeyUsage,
        ),
        accepted(
            "client and server",
            one(2, |spec| set(spec, PURPOSES, true, purposes(&[SERVER_AUTH, CLIENT_AUTH]))),
        ),
        refused("client without keyUsage", one(2, |spec| remove(spec, KEY_USAGE)), 0, KeyUsage),
        refused(
            "client that may only encipher",
            one(2, |spec| set(spec, KEY_USAGE, true, vec![3, 2, 5, 0x20])),
            0,
            KeyUsage,
        ),
        refused(
            "client that is an authority",
            one(2, |spec| set(spec, BASIC, true, basic(true, None))),
            0,
            Authority,
        ),
        accepted(
            "client that says it is no authority",
            one(2, |spec| set(spec, BASIC, true, basic(false, None))),
        ),
        refused(
            "octets behind keyUsage",
            one(2, |spec| set(spec, KEY_USAGE, true, vec![3, 2, 7, 0x80, 0])),
            0,
            ExtensionValue,
        ),
        refused(
            "bits set in the padding of keyUsage",
            one(2, |spec| set(spec, KEY_USAGE, true, vec![3, 2, 7, 0x81])),
            0,
            ExtensionValue,
        ),
        refused(
            "purposes empty",
            one(2, |spec| set(spec, PURPOSES, false, vec![0x30, 0])),
            0,
            ExtensionValue,
        ),
        refused(
            "alternative names empty",
            one(2, |spec| set(spec, NAMES, false, vec![0x30, 0])),
            0,
            ExtensionValue,
        ),
    ]
}
