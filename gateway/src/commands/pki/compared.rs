//! What was found in a refused certificate and what was asked of it: the two values behind a
//! refusal. For people to read; the judgement itself is made elsewhere.

use eligibility::day::Timestamp;
use x509_parser::extensions::{GeneralSubtree, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};

/// The two values.
pub(super) struct Compared {
    pub(super) found: String,
    pub(super) wanted: String,
}

/// What a certificate is held against.
pub(super) struct Asked<'a> {
    /// The moment asked for.
    pub(super) at: Timestamp,
    /// The policies asked for, dotted.
    pub(super) policies: &'a [String],
    /// The trust anchors, in DER.
    pub(super) anchors: &'a [Vec<u8>],
    /// The lists held, described.
    pub(super) lists: &'a [String],
    /// The certificates above on the path tried, from its issuer upwards; without the anchor.
    pub(super) above: &'a [&'a [u8]],
}

/// The values behind a refusal of this certificate by that code; `words` where there are no better.
pub(super) fn compared(code: &str, words: &str, certificate: &[u8], asked: &Asked<'_>) -> Compared {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else {
        return Compared { found: words.to_owned(), wanted: "a certificate in DER".to_owned() };
    };
    let (found, wanted) = match code {
        "expired" | "not_yet_valid" => (validity(&certificate), format!("valid at {}", time(asked.at))),
        "unknown_issuer" | "no_authority_key_identifier" => (issuer(&certificate), anchors(asked.anchors)),
        "outside_issuer_validity" => (validity(&certificate), anchor_validity(&certificate, asked)),
        "bad_signature" | "signature_algorithm" | "algorithm_mismatch" => {
            (signature(&certificate), signer(&certificate, asked))
        }
        "key" => (key(&certificate), "RSA of 2048 to 4096 bits with exponent 65537, P-256 or P-384".into()),
        "policy" | "test_card" => (policies(&certificate), wanted_policies(asked.policies)),
        "key_usage" => (key_usage(&certificate), "digitalSignature".into()),
        "may_not_sign_certificates" => (key_usage(&certificate), "keyCertSign".into()),
        "extended_key_usage" => (purposes(&certificate), "clientAuth".into()),
        "authority" => (constraints(&certificate), "no certification authority".into()),
        "not_an_authority" => (constraints(&certificate), "cA true".into()),
        "path_length" => (constraints(&certificate), "an authority that the one above still allows".into()),
        "unknown_critical_extension" => (critical(&certificate), "critical extensions that are known".into()),
        "version" => (format!("version {}", certificate.version().0 + 1), "version 3".into()),
        code if code.starts_with("name_") => (names(&certificate), name_constraints(&certificate, asked)),
        "revoked" | "suspended" => (format!("listed as {code}"), "listed by nobody".into()),
        code if code.starts_with("revocation_") => (held(asked.lists), distribution_points(&certificate)),
        _ => (words.to_owned(), "a certificate as RFC 5280 and the profile have it".into()),
    };
    Compared { found, wanted }
}

/// The subject of an authority, or that it cannot be read.
pub(super) fn subject(certificate: &[u8]) -> String {
    X509Certificate::from_der(certificate)
        .map_or_else(|_| "unreadable".to_owned(), |(_, certificate)| certificate.subject().to_string())
}

fn time(at: Timestamp) -> String {
    at.to_string()
}

fn validity(certificate: &X509Certificate<'_>) -> String {
    let at = |time: x509_parser::time::ASN1Time| {
        Timestamp::from_millis(time.timestamp().saturating_mul(1000)).to_string()
    };
    let validity = certificate.validity();
    format!("valid from {} through {}", at(validity.not_before), at(validity.not_after))
}

fn issuer(certificate: &X509Certificate<'_>) -> String {
    format!("issuer {}, key {}", certificate.issuer(), authority_key(certificate))
}

fn anchors(anchors: &[Vec<u8>]) -> String {
    let one = |der: &Vec<u8>| {
        let (_, anchor) = X509Certificate::from_der(der).ok()?;
        Some(format!("{}, key {}", anchor.subject(), subject_key(&anchor)))
    };
    format!("one of the anchors: {}", anchors.iter().filter_map(one).collect::<Vec<_>>().join("; "))
}

fn anchor_validity(certificate: &X509Certificate<'_>, asked: &Asked<'_>) -> String {
    let one = |der: &Vec<u8>| {
        let (_, anchor) = X509Certificate::from_der(der).ok()?;
        (anchor.subject() == certificate.issuer()).then(|| validity(&anchor))
    };
    format!(
        "issued while the anchor was {}",
        asked.anchors.iter().filter_map(one).collect::<Vec<_>>().join("; ")
    )
}

fn signature(certificate: &X509Certificate<'_>) -> String {
    format!(
        "signed with {} ({} inside), {}",
        certificate.signature_algorithm.algorithm,
        certificate.tbs_certificate.signature.algorithm,
        issuer(certificate)
    )
}

fn signer(certificate: &X509Certificate<'_>, asked: &Asked<'_>) -> String {
    let above = asked.above.first().and_then(|der| X509Certificate::from_der(der).ok());
    match above {
        Some((_, above)) => format!("a signature by {}, {}", above.subject(), key(&above)),
        None => {
            let named = asked.anchors.iter().filter_map(|der| X509Certificate::from_der(der).ok());
            let of_name = named.filter(|(_, anchor)| anchor.subject() == certificate.issuer());
            let keys: Vec<_> =
                of_name.map(|(_, anchor)| format!("{} {}", key(&anchor), subject_key(&anchor))).collect();
            format!("a signature by the anchor of that name: {}", keys.join("; "))
        }
    }
}

fn key(certificate: &X509Certificate<'_>) -> String {
    let info = certificate.public_key();
    let bits = info.parsed().map_or(0, |key| key.key_size());
    format!("key {} of {bits} bits", info.algorithm.algorithm)
}

fn policies(certificate: &X509Certificate<'_>) -> String {
    let all = extension(certificate, |value| match value {
        ParsedExtension::CertificatePolicies(policies) => {
            Some(policies.iter().map(|policy| policy.policy_id.to_id_string()).collect::<Vec<_>>().join(", "))
        }
        _ => None,
    });
    format!("policies {}", all.unwrap_or_else(|| "none".to_owned()))
}

fn wanted_policies(policies: &[String]) -> String {
    if policies.is_empty() {
        "a policy valid along the path".to_owned()
    } else {
        format!("policies {}", policies.join(", "))
    }
}

fn key_usage(certificate: &X509Certificate<'_>) -> String {
    let usage = extension(certificate, |value| match value {
        ParsedExtension::KeyUsage(usage) => Some(usage.to_string()),
        _ => None,
    });
    format!("keyUsage {}", usage.unwrap_or_else(|| "absent".to_owned()))
}

fn purposes(certificate: &X509Certificate<'_>) -> String {
    let purposes = extension(certificate, |value| match value {
        ParsedExtension::ExtendedKeyUsage(usage) => {
            let known = [
                (usage.any, "any"),
                (usage.server_auth, "serverAuth"),
                (usage.client_auth, "clientAuth"),
                (usage.code_signing, "codeSigning"),
                (usage.email_protection, "emailProtection"),
                (usage.time_stamping, "timeStamping"),
                (usage.ocsp_signing, "OCSPSigning"),
            ];
            let named = known.iter().filter(|(is, _)| *is).map(|(_, name)| (*name).to_owned());
            Some(named.chain(usage.other.iter().map(|oid| oid.to_id_string())).collect::<Vec<_>>().join(", "))
        }
        _ => None,
    });
    format!("extKeyUsage {}", purposes.unwrap_or_else(|| "absent".to_owned()))
}

fn constraints(certificate: &X509Certificate<'_>) -> String {
    let found = extension(certificate, |value| match value {
        ParsedExtension::BasicConstraints(basic) => Some(match basic.path_len_constraint {
            Some(length) => format!("cA {}, path length {length}", basic.ca),
            None => format!("cA {}", basic.ca),
        }),
        _ => None,
    });
    format!("basicConstraints {}", found.unwrap_or_else(|| "absent".to_owned()))
}

fn critical(certificate: &X509Certificate<'_>) -> String {
    let critical = certificate.extensions().iter().filter(|extension| extension.critical);
    format!("critical {}", critical.map(|one| one.oid.to_id_string()).collect::<Vec<_>>().join(", "))
}

fn names(certificate: &X509Certificate<'_>) -> String {
    let alternatives = extension(certificate, |value| match value {
        ParsedExtension::SubjectAlternativeName(names) => {
            Some(names.general_names.iter().map(ToString::to_string).collect::<Vec<_>>())
        }
        _ => None,
    });
    let subject = format!("subject {}", certificate.subject());
    [subject].into_iter().chain(alternatives.unwrap_or_default()).collect::<Vec<_>>().join("; ")
}

/// The subtrees of every authority above, the anchors of that name among them.
fn name_constraints(certificate: &X509Certificate<'_>, asked: &Asked<'_>) -> String {
    let read = |der: &[u8]| X509Certificate::from_der(der).ok().map(|(_, read)| subtrees(&read));
    let above = asked.above.iter().filter_map(|der| read(der));
    let last = asked.above.last().and_then(|der| X509Certificate::from_der(der).ok());
    let issuer = last.as_ref().map_or(certificate, |(_, last)| last).issuer();
    let anchors = asked.anchors.iter().filter_map(|der| X509Certificate::from_der(der).ok());
    let of_anchor =
        anchors.filter(|(_, anchor)| anchor.subject() == issuer).map(|(_, anchor)| subtrees(&anchor));
    let all: Vec<_> = above.chain(of_anchor).flatten().collect();
    if all.is_empty() { "names that can be compared".to_owned() } else { all.join("; ") }
}

/// What one authority permits and excludes, in words.
fn subtrees(authority: &X509Certificate<'_>) -> Option<String> {
    let constraints = extension(authority, |value| match value {
        ParsedExtension::NameConstraints(constraints) => {
            let side = |word: &str, side: &Option<Vec<GeneralSubtree<'_>>>| {
                let bases: Vec<_> = side.iter().flatten().map(|subtree| subtree.base.to_string()).collect();
                (!bases.is_empty()).then(|| format!("{word} {}", bases.join(", ")))
            };
            let permitted = side("permitted", &constraints.permitted_subtrees);
            let excluded = side("excluded", &constraints.excluded_subtrees);
            Some(permitted.into_iter().chain(excluded).collect::<Vec<_>>().join(", "))
        }
        _ => None,
    });
    constraints.map(|constraints| format!("{} by {}", constraints, authority.subject()))
}

fn held(lists: &[String]) -> String {
    if lists.is_empty() { "no list held".to_owned() } else { format!("lists held: {}", lists.join("; ")) }
}

fn distribution_points(certificate: &X509Certificate<'_>) -> String {
    let points = extension(certificate, |value| match value {
        ParsedExtension::CRLDistributionPoints(points) => Some(points.points.len()),
        _ => None,
    });
    match points {
        None | Some(0) => format!("a fresh list of the whole authority {}", authority_key(certificate)),
        Some(points) => format!(
            "a fresh list of the authority {} for one of the certificate's {points} distribution points",
            authority_key(certificate)
        ),
    }
}

fn authority_key(certificate: &X509Certificate<'_>) -> String {
    let identifier = extension(certificate, |value| match value {
        ParsedExtension::AuthorityKeyIdentifier(key) => {
            key.key_identifier.as_ref().map(|id| hexadecimal(id.0))
        }
        _ => None,
    });
    identifier.unwrap_or_else(|| "unnamed".to_owned())
}

fn subject_key(certificate: &X509Certificate<'_>) -> String {
    let identifier = extension(certificate, |value| match value {
        ParsedExtension::SubjectKeyIdentifier(key) => Some(hexadecimal(key.0)),
        _ => None,
    });
    identifier.unwrap_or_else(|| "unnamed".to_owned())
}

fn extension<T>(
    certificate: &X509Certificate<'_>,
    read: impl Fn(&ParsedExtension<'_>) -> Option<T>,
) -> Option<T> {
    certificate.extensions().iter().find_map(|extension| read(extension.parsed_extension()))
}

/// Octets in hexadecimal.
pub(super) fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
