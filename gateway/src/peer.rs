//! Who is calling: the roles that a client certificate gives.
//!
//! A role comes from the certificate by the rules of the configuration, never from the request.

use std::fmt;

use eligibility::feed::Source;
use eligibility::number::{CityCode, InstitutionCode, InsurerNumber};
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};

/// SHA-256 of a client certificate.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of these octets.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der);
        let mut octets = [0; 32];
        octets.copy_from_slice(digest.as_ref());
        Self(octets)
    }

    /// The one that these octets are.
    #[must_use]
    pub const fn of_octets(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// The octets.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The first eight octets in hexadecimal: enough to find the certificate in a list.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(8).try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A hospital, clinic or pharmacy: asks for its own visitors.
    Reception,
    /// A claims reviewer: asks, and sees which insurer is right.
    Review,
    /// An insurer's feeder.
    Insurer,
    /// The portal, which links cards.
    Portal,
    /// J-LIS, which tells of renewed certificates.
    Jlis,
    /// A city's feeder of subsidies.
    City,
    /// Who runs the gateway.
    Operator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] =
        [Self::Reception, Self::Review, Self::Insurer, Self::Portal, Self::Jlis, Self::City, Self::Operator];

    /// The word in configuration, logs and metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reception => "reception",
            Self::Review => "review",
            Self::Insurer => "insurer",
            Self::Portal => "portal",
            Self::Jlis => "jlis",
            Self::City => "city",
            Self::Operator => "operator",
        }
    }
}

/// One rule of the configuration: certificates of this form have this role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleRule {
    /// The role given.
    pub role: Role,
    /// The subject's organizational unit (OU) must be this.
    pub unit: String,
    /// The issuer's common name must be this; any accepted issuer when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Attribute of the subject that lists the codes (institutions, insurers, cities), separated by
    /// blanks or commas: `O` or `CN`. Roles without codes need none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codes: Option<CodeAttribute>,
}

/// Where a subject lists its codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CodeAttribute {
    /// Organization.
    O,
    /// Common name.
    #[serde(rename = "CN")]
    Cn,
}

/// A caller as far as work that outlasts its connection needs it: to know it again, to judge what it
/// may be told, and to record for whom that was done.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptPeer {
    certificate: String,
    roles: Vec<Role>,
    institutions: Vec<String>,
}

impl KeptPeer {
    /// The caller; `None` when this is not how one was kept.
    #[must_use]
    pub fn peer(&self) -> Option<Peer> {
        let mut octets = [0; 32];
        if self.certificate.len() != 64 || !self.certificate.is_ascii() {
            return None;
        }
        for (octet, at) in octets.iter_mut().zip((0..64).step_by(2)) {
            *octet = u8::from_str_radix(self.certificate.get(at..at + 2)?, 16).ok()?;
        }
        let institutions = self.institutions.iter().map(|code| InstitutionCode::parse(code).ok());
        Some(Peer {
            fingerprint: Fingerprint(octets),
            roles: self.roles.clone(),
            institutions: institutions.collect::<Option<_>>()?,
            insurers: Vec::new(),
            cities: Vec::new(),
        })
    }
}

impl fmt::Debug for KeptPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeptPeer({:?})", self.roles)
    }
}

/// A caller whose certificate the TLS layer has accepted.
#[derive(Clone, Debug)]
pub struct Peer {
    fingerprint: Fingerprint,
    roles: Vec<Role>,
    institutions: Vec<InstitutionCode>,
    insurers: Vec<InsurerNumber>,
    cities: Vec<CityCode>,
}

impl Peer {
    /// The caller behind this certificate. One that cannot be read, or that no rule fits, has no role.
    #[must_use]
    pub fn of(certificate: &[u8], rules: &[RoleRule]) -> Self {
        let mut peer = Self {
            fingerprint: Fingerprint::of(certificate),
            roles: Vec::new(),
            institutions: Vec::new(),
            insurers: Vec::new(),
            cities: Vec::new(),
        };
        if let Ok((_, certificate)) = X509Certificate::from_der(certificate) {
            for rule in rules {
                peer.grant(&certificate, rule);
            }
        }
        peer
    }

    /// Who works at the machine itself and needs no certificate: an operator, who sees what a reviewer
    /// sees.
    #[must_use]
    pub fn console() -> Self {
        Self {
            fingerprint: Fingerprint::of_octets([0; 32]),
            roles: vec![Role::Operator, Role::Review],
            institutions: Vec::new(),
            insurers: Vec::new(),
            cities: Vec::new(),
        }
    }

    fn grant(&mut self, certificate: &X509Certificate<'_>, rule: &RoleRule) {
        let subject = certificate.subject();
        let unit = subject.iter_organizational_unit().any(|unit| unit.as_str() == Ok(&rule.unit));
        let issuer = rule.issuer.as_deref().is_none_or(|name| has_common_name(certificate.issuer(), name));
        if !unit || !issuer {
            return;
        }
        let listed: Vec<&str> = match rule.codes {
            Some(CodeAttribute::O) => subject.iter_organization().filter_map(|o| o.as_str().ok()).collect(),
            Some(CodeAttribute::Cn) => subject.iter_common_name().filter_map(|cn| cn.as_str().ok()).collect(),
            None => Vec::new(),
        };
        let codes = || listed.iter().flat_map(|list| list.split([' ', ','])).filter(|code| !code.is_empty());
        match rule.role {
            Role::Reception => {
                self.institutions.extend(codes().filter_map(|c| InstitutionCode::parse(c).ok()))
            }
            Role::Insurer => self.insurers.extend(codes().filter_map(|c| InsurerNumber::parse(c).ok())),
            Role::City => self.cities.extend(codes().filter_map(|c| CityCode::parse(c).ok())),
            Role::Review | Role::Portal | Role::Jlis | Role::Operator => {}
        }
        self.roles.push(rule.role);
    }

    /// Whether the certificate gives this role.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// The first role, for logs and the audit; `None` for a stranger.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.roles.first().copied()
    }

    /// What is kept of a caller whose work goes on when it has gone.
    #[must_use]
    pub fn keep(&self) -> KeptPeer {
        KeptPeer {
            certificate: self.fingerprint.as_bytes().iter().map(|octet| format!("{octet:02x}")).collect(),
            roles: self.roles.clone(),
            institutions: self.institutions.iter().map(ToString::to_string).collect(),
        }
    }

    /// The certificate's fingerprint.
    #[must_use]
    pub const fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// The institutions it may ask for.
    #[must_use]
    pub fn institutions(&self) -> &[InstitutionCode] {
        &self.institutions
    }

    /// Whether it may feed this source.
    #[must_use]
    pub fn feeds(&self, source: Source) -> bool {
        match source {
            Source::Insurer(number) => self.has(Role::Insurer) && self.insurers.contains(&number),
            Source::City(code) => self.has(Role::City) && self.cities.contains(&code),
            Source::Portal => self.has(Role::Portal),
            Source::Jlis => self.has(Role::Jlis),
            Source::Gateway => false,
        }
    }

    /// Whether it may see this source's state.
    #[must_use]
    pub fn watches(&self, source: Source) -> bool {
        self.has(Role::Operator) || self.feeds(source)
    }
}

fn has_common_name(name: &X509Name<'_>, wanted: &str) -> bool {
    name.iter_common_name().any(|cn| cn.as_str() == Ok(wanted))
}
