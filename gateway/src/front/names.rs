//! The names of a listener: those of its certificate. A request for any other was meant for somebody else.

use std::net::IpAddr;

use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Names and addresses in a certificate's subjectAltName.
#[derive(Debug, Default)]
pub(super) struct Names {
    hosts: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl Names {
    /// Those of a certificate; `None` where it has none, and no caller could trust it.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let named = certificate.subject_alternative_name().ok()??;
        let mut names = Self::default();
        for name in &named.value.general_names {
            match name {
                GeneralName::DNSName(host) => names.hosts.push(host.to_ascii_lowercase()),
                GeneralName::IPAddress(octets) => names.addresses.extend(address(octets)),
                _ => {}
            }
        }
        (!names.hosts.is_empty() || !names.addresses.is_empty()).then_some(names)
    }

    /// Whether this authority, with or without a port, is one of them. The port is not looked at: behind
    /// a balancer it is another.
    pub(super) fn has(&self, authority: &str) -> bool {
        let host = without_port(authority);
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return self.addresses.contains(&address);
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        self.hosts.iter().any(|name| fits(name, host))
    }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') && port.bytes().all(|octet| octet.is_ascii_digit()) => {
            // An address of IPv6 stands in brackets: what is behind its last colon is none of a port else.
            if host.contains(':') && !host.ends_with(']') { authority } else { host }
        }
        _ => authority,
    }
}

/// A name as it is, or with a star for its first label (RFC 6125, 6.4.3).
fn fits(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(parent) => host
            .split_once('.')
            .is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(parent)),
        None => host.eq_ignore_ascii_case(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_known_by_name_or_address_whatever_its_port() {
        let names = Names {
            hosts: vec!["localhost".to_owned(), "*.example.jp".to_owned()],
            addresses: vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()],
        };
        for host in [
            "localhost",
            "LOCALHOST:8443",
            "localhost.",
            "127.0.0.1:1",
            "[::1]:8443",
            "[::1]",
            "a.example.jp:443",
        ] {
            assert!(names.has(host), "{host}");
        }
        for host in
            ["", "a", "localhost.a", "127.0.0.2", "example.jp", "a.b.example.jp", ".example.jp", "[::2]", "-"]
        {
            assert!(!names.has(host), "{host}");
        }
    }
}
