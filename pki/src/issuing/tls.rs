//! TLS certificates for demonstrations and tests: an authority, a server for this machine, and
//! clients by name. All ECDSA on P-256. Card certificates are another world, in `card`.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, date_time_ymd,
};

use super::IssuingError;
use super::write::COMMON_NAME;
use crate::certificate::Certificate;
use crate::der::{self, Malformed};
use crate::time::UnixTime;

/// From when until when a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First second.
    pub not_before: UnixTime,
    /// Last second.
    pub not_after: UnixTime,
}

/// A client's subject: these attributes, in this order, those that are given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientName {
    /// O
    pub organization: Option<String>,
    /// OU
    pub unit: Option<String>,
    /// CN
    pub common_name: String,
}

/// A certificate and its key.
#[derive(Clone)]
pub struct TlsIdentity {
    /// The certificate, in PEM.
    pub certificate_pem: String,
    /// Its key in PKCS#8, in PEM.
    pub key_pem: String,
}

/// An authority that issues TLS certificates.
pub struct TlsAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
}

impl TlsAuthority {
    /// Makes an authority of that common name with a new key.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn new(common_name: &str, validity: Validity) -> Result<TlsAuthority, IssuingError> {
        let mut parameters = parameters(validity);
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(DnType::CommonName, common_name);
        authority_parameters(&mut parameters);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate_pem = parameters.self_signed(&key)?.pem();
        Ok(TlsAuthority { issuer: Issuer::new(parameters, key), certificate_pem })
    }

    /// The authority saved as [`TlsAuthority::certificate_pem`] and [`TlsAuthority::key_pem`].
    ///
    /// # Errors
    /// Not a certificate and a key, or not of the same pair.
    pub fn load(certificate_pem: &str, key_pem: &str) -> Result<TlsAuthority, IssuingError> {
        let key = KeyPair::from_pem(key_pem)?;
        let block = pem::parse(certificate_pem).map_err(|_| IssuingError::Pem)?;
        let certificate = Certificate::read(block.contents()).map_err(|_| IssuingError::Certificate)?;
        let public = public_octets(certificate.key).map_err(|_| IssuingError::Certificate)?;
        if public != key.public_key_raw() {
            return Err(IssuingError::KeyMismatch);
        }
        let common_name = common_name(certificate.subject).map_err(|_| IssuingError::Certificate)?;
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(DnType::CommonName, common_name);
        authority_parameters(&mut parameters);
        Ok(TlsAuthority { issuer: Issuer::new(parameters, key), certificate_pem: certificate_pem.to_owned() })
    }

    /// Its certificate, in PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Its key in PKCS#8, in PEM.
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A server certificate for `localhost` and 127.0.0.1.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn server(&self, validity: Validity) -> Result<TlsIdentity, IssuingError> {
        let mut parameters = parameters(validity);
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(DnType::CommonName, "localhost");
        parameters.subject_alt_names = vec![
            SanType::DnsName("localhost".try_into()?),
            SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        ];
        self.identity(parameters, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A client certificate of that subject.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn client(&self, name: &ClientName, validity: Validity) -> Result<TlsIdentity, IssuingError> {
        let mut parameters = parameters(validity);
        let mut subject = DistinguishedName::new();
        if let Some(organization) = &name.organization {
            subject.push(DnType::OrganizationName, organization.as_str());
        }
        if let Some(unit) = &name.unit {
            subject.push(DnType::OrganizationalUnitName, unit.as_str());
        }
        subject.push(DnType::CommonName, name.common_name.as_str());
        parameters.distinguished_name = subject;
        self.identity(parameters, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn identity(
        &self,
        mut parameters: CertificateParams,
        purpose: ExtendedKeyUsagePurpose,
    ) -> Result<TlsIdentity, IssuingError> {
        parameters.is_ca = IsCa::ExplicitNoCa;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![purpose];
        parameters.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate_pem = parameters.signed_by(&key, &self.issuer)?.pem();
        Ok(TlsIdentity { certificate_pem, key_pem: key.serialize_pem() })
    }
}

impl std::fmt::Debug for TlsAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsAuthority").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsIdentity").finish_non_exhaustive()
    }
}

fn authority_parameters(parameters: &mut CertificateParams) {
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
}

fn parameters(validity: Validity) -> CertificateParams {
    let at = |time: UnixTime| date_time_ymd(1970, 1, 1) + Duration::from_secs(time.0.max(0).unsigned_abs());
    let mut parameters = CertificateParams::default();
    parameters.not_before = at(validity.not_before);
    parameters.not_after = at(validity.not_after);
    parameters
}

/// The key in a SubjectPublicKeyInfo, without its wrapping.
fn public_octets(info: &[u8]) -> Result<&[u8], Malformed> {
    let mut reader = der::only(info, der::SEQUENCE)?.reader();
    reader.expect(der::SEQUENCE)?;
    reader.expect(der::BIT_STRING)?.octets()
}

/// The common name in a name that has nothing else.
fn common_name(name: &[u8]) -> Result<&str, Malformed> {
    let mut attribute = der::only(name, der::SEQUENCE)?.reader().enter(0x31)?.enter(der::SEQUENCE)?;
    if attribute.expect(der::OID)?.content != COMMON_NAME {
        return Err(Malformed);
    }
    std::str::from_utf8(attribute.any()?.content).map_err(|_| Malformed)
}
