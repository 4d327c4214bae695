//! General names (RFC 5280, 4.2.1.6) and whether one lies in a subtree of a name constraint
//! (4.2.1.10). Which constraints are in force is kept in `constraints`.
//!
//! Where a comparison could be read two ways, a permitted subtree is read narrowly and an excluded
//! one widely.

use super::dn;
use crate::der::{self, Element, Malformed, Reader};

/// id-on-SmtpUTF8Mailbox, 1.3.6.1.5.5.7.8.9 (RFC 9598)
const UTF8_MAILBOX: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x09];

/// One general name.
#[derive(Clone, Copy)]
pub(super) enum GeneralName<'a> {
    /// rfc822Name
    Mailbox(&'a str),
    /// dNSName
    Host(&'a str),
    /// uniformResourceIdentifier
    Uri(&'a str),
    /// iPAddress: 4 or 16 octets in a name, twice as many in a subtree
    Address(&'a [u8]),
    /// directoryName, its DER
    Directory(&'a [u8]),
    /// otherName that is a mailbox in UTF-8
    Utf8Mailbox,
    /// otherName, x400Address, ediPartyName, registeredID
    Other,
}

/// The forms of names that constraints are kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Mailbox,
    Host,
    Uri,
    Address,
    Directory,
}

/// Whether a subtree says where names may lie or where they may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Permitted,
    Excluded,
}

/// The name cannot be compared with subtrees of its form.
pub(super) struct Incomparable;

impl<'a> GeneralName<'a> {
    pub(super) fn read(element: &Element<'a>) -> Result<GeneralName<'a>, Malformed> {
        let ascii = || {
            let octets = element.content;
            let graphic = octets.iter().all(|octet| (0x20..0x7f).contains(octet));
            if graphic { std::str::from_utf8(octets).map_err(|_| Malformed) } else { Err(Malformed) }
        };
        match element.tag {
            0x81 => ascii().map(GeneralName::Mailbox),
            0x82 => ascii().map(GeneralName::Host),
            0x86 => ascii().map(GeneralName::Uri),
            0x87 => Ok(GeneralName::Address(element.content)),
            0xa4 => {
                der::only(element.content, der::SEQUENCE)?;
                Ok(GeneralName::Directory(element.content))
            }
            0xa0 if element.reader().expect(der::OID)?.content == UTF8_MAILBOX => {
                Ok(GeneralName::Utf8Mailbox)
            }
            0xa0 | 0xa3 | 0xa5 | 0x88 => Ok(GeneralName::Other),
            _ => Err(Malformed),
        }
    }

    /// The names of `GeneralNames`; at least one.
    pub(super) fn read_all(value: &'a [u8]) -> Result<Vec<GeneralName<'a>>, Malformed> {
        let mut reader: Reader<'a> = der::only(value, der::SEQUENCE)?.reader();
        let mut names = Vec::with_capacity(2);
        while !reader.is_empty() {
            let name = GeneralName::read(&reader.any()?)?;
            if matches!(name, GeneralName::Address(octets) if !matches!(octets.len(), 4 | 16)) {
                return Err(Malformed);
            }
            names.push(name);
        }
        if names.is_empty() { Err(Malformed) } else { Ok(names) }
    }

    /// The form under whose constraints it falls.
    pub(super) fn form(&self) -> Option<Form> {
        match self {
            GeneralName::Mailbox(_) | GeneralName::Utf8Mailbox => Some(Form::Mailbox),
            GeneralName::Host(_) => Some(Form::Host),
            GeneralName::Uri(_) => Some(Form::Uri),
            GeneralName::Address(_) => Some(Form::Address),
            GeneralName::Directory(_) => Some(Form::Directory),
            GeneralName::Other => None,
        }
    }
}

/// The base of a subtree.
pub(super) enum Base<'a> {
    Mailbox(&'a str),
    Host(&'a str),
    Uri(&'a str),
    /// Network and mask, of equal length.
    Network(&'a [u8], &'a [u8]),
    Directory(dn::Name),
}

impl<'a> Base<'a> {
    /// Nothing for a form that no constraint is kept for.
    pub(super) fn of(name: &GeneralName<'a>) -> Result<Option<Base<'a>>, Malformed> {
        Ok(Some(match *name {
            GeneralName::Mailbox(base) => {
                let host = base.rsplit_once('@').map_or(base, |(_, host)| host);
                labels(host.strip_prefix('.').unwrap_or(host))?;
                Base::Mailbox(base)
            }
            GeneralName::Host(base) => {
                if !base.is_empty() {
                    labels(base.strip_prefix('.').unwrap_or(base))?;
                }
                Base::Host(base)
            }
            GeneralName::Uri(base) => {
                labels(base.strip_prefix('.').unwrap_or(base))?;
                Base::Uri(base)
            }
            GeneralName::Address(octets) if matches!(octets.len(), 8 | 32) => {
                let (network, mask) = octets.split_at_checked(octets.len() / 2).ok_or(Malformed)?;
                if !is_contiguous(mask) {
                    return Err(Malformed);
                }
                Base::Network(network, mask)
            }
            GeneralName::Address(_) => return Err(Malformed),
            GeneralName::Directory(base) => Base::Directory(dn::Name::read(base)?),
            GeneralName::Utf8Mailbox | GeneralName::Other => return Ok(None),
        }))
    }

    pub(super) fn form(&self) -> Form {
        match self {
            Base::Mailbox(_) => Form::Mailbox,
            Base::Host(_) => Form::Host,
            Base::Uri(_) => Form::Uri,
            Base::Network(..) => Form::Address,
            Base::Directory(_) => Form::Directory,
        }
    }

    /// Whether the name, which is of the same form, lies in the subtree.
    pub(super) fn holds(&self, name: &Subject<'_>, side: Side) -> Result<bool, Incomparable> {
        match (self, name) {
            (Base::Mailbox(base), Subject::Plain(GeneralName::Mailbox(name))) => mailbox(base, name, side),
            (Base::Host(base), Subject::Plain(GeneralName::Host(name))) => host(base, name, side),
            (Base::Uri(base), Subject::Plain(GeneralName::Uri(name))) => {
                Ok(domain(base, uri_host(name)?, side))
            }
            (Base::Network(network, mask), Subject::Plain(GeneralName::Address(address))) => {
                Ok(in_network(network, mask, address))
            }
            (Base::Directory(base), Subject::Directory(name)) => Ok(name.is_within(base)),
            _ => Err(Incomparable),
        }
    }
}

/// A name of a certificate, ready to be compared.
pub(super) enum Subject<'a> {
    Plain(GeneralName<'a>),
    Directory(dn::Name),
}

/// The labels of a host name: at least one, none empty, of the usual characters.
fn labels(host: &str) -> Result<(), Malformed> {
    let usual = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    let proper = |label: &str| !label.is_empty() && label.len() < 64 && label.bytes().all(usual);
    if host.split('.').all(proper) { Ok(()) } else { Err(Malformed) }
}

/// Whether `host` is `base` or ends with it behind a dot.
fn is_below(base: &str, host: &str) -> bool {
    let Some(at) = host.len().checked_sub(base.len()) else {
        return false;
    };
    let (before, tail) = host.as_bytes().split_at(at);
    tail.eq_ignore_ascii_case(base.as_bytes()) && before.last().is_none_or(|octet| *octet == b'.')
}

/// dNSName: the base and everything below it. A base that starts with a dot is not in the
/// standard: it permits what lies below alone and excludes the base too.
fn host(base: &str, name: &str, side: Side) -> Result<bool, Incomparable> {
    let plain = name.strip_prefix("*.").unwrap_or(name);
    labels(plain).map_err(|Malformed| Incomparable)?;
    let wild = plain.len() < name.len();
    if base.is_empty() {
        return Ok(true);
    }
    let (bare, dotted) = (base.strip_prefix('.').unwrap_or(base), base.starts_with('.'));
    Ok(match side {
        Side::Permitted => is_below(bare, plain) && (!dotted || wild || plain.len() > bare.len()),
        // a wildcard may stand for the excluded name itself
        Side::Excluded => is_below(bare, plain) || (wild && is_below(plain, bare)),
    })
}

/// Of URIs and mailboxes: `.example.jp` is every host below it, `example.jp` that host alone.
fn domain(base: &str, host: &str, side: Side) -> bool {
    match base.strip_prefix('.') {
        Some(bare) => is_below(bare, host) && (side == Side::Excluded || host.len() > bare.len()),
        None => host.eq_ignore_ascii_case(base),
    }
}

/// rfc822Name: one mailbox, all mailboxes of one host, or all of the hosts below a domain.
fn mailbox(base: &str, name: &str, side: Side) -> Result<bool, Incomparable> {
    let (local, host) = name.rsplit_once('@').ok_or(Incomparable)?;
    labels(host).map_err(|Malformed| Incomparable)?;
    if local.is_empty() || local.contains(['"', '\\', '@', ' ', '(', ')']) {
        return Err(Incomparable); // one mailbox can be quoted in many ways
    }
    let Some((base_local, base_host)) = base.rsplit_once('@') else {
        return Ok(domain(base, host, side));
    };
    let same = match side {
        Side::Permitted => local == base_local,
        Side::Excluded => local.eq_ignore_ascii_case(base_local),
    };
    Ok(same && host.eq_ignore_ascii_case(base_host))
}

/// The host of a URI with an authority part that names one (RFC 3986, 3.2.2).
fn uri_host(uri: &str) -> Result<&str, Incomparable> {
    let (_, rest) = uri.split_once("://").ok_or(Incomparable)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('\\') {
        return Err(Incomparable);
    }
    let behind_user = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = behind_user.split_once(':').map_or(behind_user, |(host, _)| host);
    labels(host).map_err(|Malformed| Incomparable)?;
    let is_address =
        host.rsplit('.').next().is_some_and(|last| last.bytes().all(|octet| octet.is_ascii_digit()));
    if is_address { Err(Incomparable) } else { Ok(host) }
}

fn is_contiguous(mask: &[u8]) -> bool {
    let ones = mask.iter().map(|octet| octet.leading_ones()).take_while(|ones| *ones == 8).count();
    let mut rest = mask.iter().skip(ones);
    let boundary = rest.next().is_none_or(|octet| octet.leading_ones() + octet.trailing_zeros() == 8);
    boundary && rest.all(|octet| *octet == 0)
}

fn in_network(network: &[u8], mask: &[u8], address: &[u8]) -> bool {
    let same = |((network, mask), address): ((&u8, &u8), &u8)| network & mask == address & mask;
    network.len() == address.len() && network.iter().zip(mask).zip(address).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(base: GeneralName<'_>, name: GeneralName<'_>) -> [Option<bool>; 2] {
        let Ok(Some(base)) = Base::of(&base) else {
            panic!("not a base");
        };
        let name = Subject::Plain(name);
        [Side::Permitted, Side::Excluded].map(|side| base.holds(&name, side).ok())
    }

    #[test]
    fn hosts_lie_below_their_domain() {
        let table = [
            ("example.jp", "example.jp", [true, true]),
            ("example.jp", "EXAMPLE.jp", [true, true]),
            ("example.jp", "a.b.example.jp", [true, true]),
            ("example.jp", "badexample.jp", [false, false]),
            ("example.jp", "example.jp.invalid", [false, false]),
            ("example.jp", "jp", [false, false]),
            (".example.jp", "example.jp", [false, true]),
            (".example.jp", "a.example.jp", [true, true]),
            ("", "anything.invalid", [true, true]),
            ("example.jp", "*.example.jp", [true, true]),
            ("a.example.jp", "*.example.jp", [false, true]),
            ("a.b.example.jp", "*.example.jp", [false, true]),
            ("other.jp", "*.example.jp", [false, false]),
        ];
        for (base, name, expected) in table {
            let found = holds(GeneralName::Host(base), GeneralName::Host(name));
            assert_eq!(found, expected.map(Some), "{name} under {base}");
        }
        for name in ["", "a..jp", "example.jp.", "a b.jp", "*", "a.*.jp"] {
            let found = holds(GeneralName::Host("example.jp"), GeneralName::Host(name));
            assert_eq!(found, [None, None], "{name}");
        }
    }

    #[test]
    fn mailboxes_and_uris_by_host_or_below_a_domain() {
        let mailboxes = [
            ("a@example.jp", "a@example.jp", [Some(true); 2]),
            ("a@example.jp", "A@EXAMPLE.jp", [Some(false), Some(true)]),
            ("a@example.jp", "b@example.jp", [Some(false); 2]),
            ("example.jp", "b@example.jp", [Some(true); 2]),
            ("example.jp", "b@x.example.jp", [Some(false); 2]),
            (".example.jp", "b@x.example.jp", [Some(true); 2]),
            (".example.jp", "b@example.jp", [Some(false), Some(true)]),
            ("example.jp", "\"b\"@example.jp", [None; 2]),
            ("example.jp", "example.jp", [None; 2]),
            ("example.jp", "a@b@example.jp", [None; 2]),
        ];
        for (base, name, expected) in mailboxes {
            let found = holds(GeneralName::Mailbox(base), GeneralName::Mailbox(name));
            assert_eq!(found, expected, "{name} under {base}");
        }
        let uris = [
            ("example.jp", "https://example.jp/x", [Some(true); 2]),
            ("example.jp", "https://u:p@EXAMPLE.jp:8443?x", [Some(true); 2]),
            ("example.jp", "https://example.jp@other.invalid/", [Some(false); 2]),
            ("example.jp", "https://a.example.jp", [Some(false); 2]),
            (".example.jp", "https://a.example.jp#x", [Some(true); 2]),
            ("example.jp", "urn:example.jp", [None; 2]),
            ("example.jp", "https://192.0.2.1/", [None; 2]),
            ("example.jp", "https://[2001:db8::1]/", [None; 2]),
            ("example.jp", "https://other.invalid\\@example.jp/", [None; 2]),
        ];
        for (base, name, expected) in uris {
            let found = holds(GeneralName::Uri(base), GeneralName::Uri(name));
            assert_eq!(found, expected, "{name} under {base}");
        }
    }

    #[test]
    fn addresses_by_network() {
        let net = GeneralName::Address(&[192, 0, 2, 0, 255, 255, 255, 0]);
        let [inside, outside] = [[192, 0, 2, 7], [192, 0, 3, 7]];
        assert_eq!(holds(net, GeneralName::Address(&inside)), [Some(true); 2]);
        assert_eq!(holds(net, GeneralName::Address(&outside)), [Some(false); 2]);
        assert_eq!(holds(net, GeneralName::Address(&[0; 16])), [Some(false); 2]);
        for mask in [[255, 0, 255, 0], [255, 254, 1, 0], [0, 0, 0, 1], [253, 0, 0, 0]] {
            let base = [&[192, 0, 2, 0][..], &mask].concat();
            assert!(Base::of(&GeneralName::Address(&base)).is_err(), "{mask:?}");
        }
        assert!(is_contiguous(&[0; 4]) && is_contiguous(&[255; 4]) && is_contiguous(&[255, 128, 0, 0]));
    }
}
