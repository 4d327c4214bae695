//! A second opinion: what is made here and read by our own reader, read by x509-parser.

use pki::issuing::{CardSpec, Reason};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};
use x509_parser::revocation_list::CertificateRevocationList;

use crate::world::{ISSUED, NOT_AFTER, WORLD, card, chiyoda, issue, list, revoked, shown, sign_list, view};

#[test]
fn a_card_reads_the_same() {
    for key in [&WORLD.card_key, &WORLD.next_key] {
        let der = WORLD.first.issue(&card(), key).expect("a certificate");
        let (rest, certificate) = X509Certificate::from_der(&der).expect("a certificate");
        assert!(rest.is_empty());
        let proven = pki::prove_without_possession(&view(), &der).expect("a proper card");
        assert_eq!(certificate.raw_serial(), proven.serial().as_bytes());
        assert_eq!(certificate.validity().not_before.timestamp(), ISSUED.0);
        assert_eq!(certificate.validity().not_after.timestamp(), NOT_AFTER.0);
        assert_eq!(certificate.issuer().as_raw(), WORLD.first.name());
        let usage = certificate.key_usage().expect("readable").expect("present");
        assert!(usage.critical && usage.value.flags == 1);
        let purposes = certificate.extended_key_usage().expect("readable").expect("present");
        assert!(purposes.value.client_auth && !purposes.value.any && purposes.value.other.is_empty());
        for extension in certificate.extensions() {
            assert!(extension.parsed_extension().error().is_none(), "{}", extension.oid);
            check(extension.parsed_extension());
        }
        assert_eq!(certificate.extensions().len(), 8);
    }
}

fn check(extension: &ParsedExtension<'_>) {
    match extension {
        ParsedExtension::CertificatePolicies(policies) => {
            assert_eq!(policies.len(), 1);
            assert_eq!(policies[0].policy_id.to_id_string(), pki::TEST_POLICY);
        }
        ParsedExtension::AuthorityKeyIdentifier(authority) => {
            assert!(authority.key_identifier.is_some());
            assert_eq!(authority.authority_cert_serial, Some(&20_170_569u32.to_be_bytes()[..]));
            assert_eq!(authority.authority_cert_issuer.as_ref().map(Vec::len), Some(1));
        }
        ParsedExtension::CRLDistributionPoints(points) => {
            let printed = format!("{:?}", points.points[0].distribution_point);
            assert!(printed.contains("DirectoryName"), "{printed}");
        }
        ParsedExtension::IssuerAlternativeName(names) => {
            assert!(matches!(names.general_names[..], [GeneralName::DirectoryName(_)]));
        }
        _ => {}
    }
}

#[test]
fn an_authority_reads_the_same() {
    let (_, certificate) = X509Certificate::from_der(WORLD.first.certificate_der()).expect("a certificate");
    assert_eq!(certificate.subject().as_raw(), certificate.issuer().as_raw());
    assert!(certificate.basic_constraints().expect("readable").expect("present").value.ca);
    assert!(certificate.verify_signature(None).is_ok());
    let units = certificate.subject().iter_organizational_unit().count();
    assert_eq!(units, 2);
}

#[test]
fn a_list_reads_the_same() {
    let point = chiyoda().distribution_point();
    let entries = [revoked("7", Reason::Superseded), revoked("4294967296", Reason::Hold)];
    let der = sign_list(&list(3, Some(&point), &entries));
    let (rest, read) = CertificateRevocationList::from_der(&der).expect("a list");
    assert!(rest.is_empty());
    assert_eq!(read.crl_number().map(|number| number.to_string()).as_deref(), Some("3"));
    assert_eq!(read.last_update().timestamp(), ISSUED.0 + 3 * 86_400);
    let serials: Vec<String> = read.iter_revoked_certificates().map(|one| one.serial().to_string()).collect();
    assert_eq!(serials, ["7", "4294967296"]);
    assert!(read.extensions().iter().all(|extension| extension.parsed_extension().error().is_none()));
}

#[test]
fn ours_takes_no_certificate_that_the_second_reader_does_not() {
    let mut der = issue(&CardSpec { municipality: None, ..card() });
    for at in 0..der.len() {
        der[at] ^= 0x55;
        assert!(shown(&view(), &der).is_err() || X509Certificate::from_der(&der).is_ok(), "octet {at}");
        der[at] ^= 0x55;
    }
}
