//! The TLS certificates made for demonstrations: who they are for, and that saving keeps them.

use pki::issuing::{CardAuthority, ClientName, Key, KeyKind, TlsAuthority, TlsIdentity, Validity, sign};
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::world::{CHALLENGE, ISSUED, NOT_AFTER, WORLD, authority, card};

const VALIDITY: Validity = Validity { not_before: ISSUED, not_after: NOT_AFTER };

/// What x509-parser reads in the certificate, if the authority signed it.
fn read(identity: &TlsIdentity, authority: &TlsAuthority, check: impl FnOnce(&X509Certificate<'_>)) {
    let (_, block) = parse_x509_pem(identity.certificate_pem.as_bytes()).expect("PEM");
    let (_, certificate) = X509Certificate::from_der(&block.contents).expect("a certificate");
    let (_, block) = parse_x509_pem(authority.certificate_pem().as_bytes()).expect("PEM");
    let (_, issuer) = X509Certificate::from_der(&block.contents).expect("a certificate");
    assert_eq!(certificate.issuer().as_raw(), issuer.subject().as_raw());
    assert!(certificate.verify_signature(Some(issuer.public_key())).is_ok());
    assert_eq!(certificate.validity().not_after.timestamp(), NOT_AFTER.0);
    assert!(identity.key_pem.starts_with("-----BEGIN PRIVATE KEY-----"));
    check(&certificate);
}

#[test]
fn server_and_clients_are_who_they_should_be() {
    let made = TlsAuthority::new("Test TLS CA", VALIDITY).expect("an authority");
    let loaded = TlsAuthority::load(made.certificate_pem(), &made.key_pem()).expect("the same authority");
    for authority in [&made, &loaded] {
        read(&authority.server(VALIDITY).expect("a server"), &made, |certificate| {
            let names = certificate.subject_alternative_name().expect("readable").expect("present");
            let expected = [GeneralName::DNSName("localhost"), GeneralName::IPAddress(&[127, 0, 0, 1])];
            assert_eq!(names.value.general_names, expected);
            assert!(certificate.extended_key_usage().expect("readable").expect("present").value.server_auth);
        });
        let name = ClientName {
            organization: Some("受付".to_owned()),
            unit: Some("1312345679".to_owned()),
            common_name: "reception".to_owned(),
        };
        read(&authority.client(&name, VALIDITY).expect("a client"), &made, |certificate| {
            assert_eq!(certificate.subject().to_string(), "O=受付, OU=1312345679, CN=reception");
            let purposes = certificate.extended_key_usage().expect("readable").expect("present");
            assert!(purposes.value.client_auth && !purposes.value.server_auth);
        });
    }
    let other = TlsAuthority::new("Another", VALIDITY).expect("an authority");
    assert!(TlsAuthority::load(made.certificate_pem(), &other.key_pem()).is_err());
}

#[test]
fn a_saved_card_authority_issues_the_same() {
    let first = &WORLD.first;
    let loaded = CardAuthority::load(first.certificate_der(), &first.key_pem()).expect("the same authority");
    let issue = |authority: &CardAuthority| authority.issue(&card(), &WORLD.card_key).expect("a certificate");
    assert_eq!(issue(&loaded), issue(first)); // RSA signatures are deterministic
    assert!(first.certificate_pem().starts_with("-----BEGIN CERTIFICATE-----\n"));
}

#[test]
fn keys_are_saved_and_hidden() {
    for kind in [KeyKind::Rsa2048, KeyKind::P384] {
        let key = Key::generate(kind).expect("a key");
        let again = Key::from_pem(&key.to_pem()).expect("the same key");
        assert_eq!((again.kind(), again.public_key_info()), (kind, key.public_key_info()));
        assert_eq!(format!("{key:?}"), format!("Key({kind:?}, hidden)"));
        assert!(sign(&key.to_pem(), CHALLENGE).is_ok());
    }
    assert!(Key::from_pem("no key").is_err());
    let authority = authority("9", Key::generate(KeyKind::P384).expect("a key"));
    assert!(Key::from_pem(&authority.certificate_pem()).is_err());
}
