//! The corpus: files beside this one, made once by `make_the_corpus` below. Keys were thrown away.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pki::UnixTime;
use pki::issuing::{
    AuthoritySpec, CardAuthority, CardSpec, Defect, Key, KeyKind, ListSpec, Municipality, Reason, Revoked,
};
use pki::ocsp::{IssuerHash, Question};
use pki::{Anchors, CardProfile, Serial, TrustView, prove_without_possession};

/// The moment at which the corpus is judged; within an hour of the OCSP responses in it.
pub(crate) const NOW: UnixTime = UnixTime(include!("corpus/now"));
/// What the card signed.
pub(crate) const CHALLENGE: &[u8] = b"a challenge as issued";

const DAY: i64 = 86_400;

pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name)
}

pub(crate) fn file(name: &str) -> Vec<u8> {
    fs::read(folder(name)).expect("a file of the corpus")
}

/// All files of one target, in the order of their names.
pub(crate) fn files(target: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder(target)).expect("a folder of the corpus");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a file")).collect()
}

#[test]
#[ignore = "writes the corpus anew"]
fn make_the_corpus() {
    let write = |name: &str, octets: &[u8]| {
        let path = folder(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, octets).expect("written");
    };
    let output = Command::new("date").arg("+%s").output().expect("date is there");
    let now = UnixTime(String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number"));
    write("now", now.0.to_string().as_bytes());
    let serial = |number: u8| Serial::from_bytes(&[number]).expect("a serial");
    let at = |days: i64| UnixTime(now.0 + days * DAY);
    let spec = AuthoritySpec {
        serial: serial(99),
        not_before: at(-1000),
        not_after: at(1000),
        organization: None,
        defect: None,
    };
    let key = || Key::generate(KeyKind::Rsa2048).expect("a key");
    let authority = CardAuthority::new(&spec, key()).expect("an authority");
    write("anchor.der", authority.certificate_der());
    write("certificate/authority.der", authority.certificate_der());
    let card_key = key();
    let chiyoda = Municipality::new("Tokyo-to", "Chiyoda-ku");
    let card = CardSpec { municipality: Some(chiyoda.clone()), ..CardSpec::new(serial(7), at(-10), at(10)) };
    let issue = |card: &CardSpec, key| authority.issue(card, key).expect("a card");
    let proper = issue(&card, &card_key);
    write("certificate/card.der", &proper);
    let next = Key::generate(KeyKind::P384).expect("a key");
    write("certificate/next-card.der", &issue(&card, &next));
    let other = CardSpec { defect: Some(Defect::AuthorityCertificate), ..card.clone() };
    write("certificate/wrong-profile.der", &issue(&other, &card_key));
    write("challenge/rsa.sig", &card_key.sign(CHALLENGE).expect("a signature"));
    write("challenge/ecdsa.sig", &next.sign(CHALLENGE).expect("a signature"));
    let point = chiyoda.distribution_point();
    let revoked = [Reason::Superseded, Reason::Hold, Reason::Unspecified, Reason::Remove]
        .map(|reason| Revoked { serial: serial(reason as u8 + 1), at: at(-2), reason });
    let list = |partition, revoked| ListSpec {
        number: 1.into(),
        this_update: at(-1),
        next_update: at(1),
        partition,
        revoked,
        defect: None,
    };
    write("list/partition.crl", &authority.list(&list(Some(&point), &revoked)).expect("a list"));
    write("list/empty.crl", &authority.list(&list(None, &[])).expect("a list"));
    let anchors = Anchors::from_certificates([authority.certificate_der()]).expect("an anchor");
    let view = TrustView::new(anchors, CardProfile::production().and_test_cards());
    let proven = prove_without_possession(&view, &proper).expect("a proper card");
    let question = Question::about(&proven, &view, IssuerHash::Sha1, None).expect("an anchor");
    let temporary = tempfile::tempdir().expect("a folder");
    for (status, index) in [
        ("good", "V\t400101000000Z\t\t07\tunknown\t/CN=card\n"),
        ("revoked", "R\t400101000000Z\t260101000000Z,superseded\t07\tunknown\t/CN=card\n"),
    ] {
        for (name, content) in [
            ("ca.pem", authority.certificate_pem().as_bytes()),
            ("ca.key", authority.key_pem().as_bytes()),
            ("index.txt", index.as_bytes()),
            ("request.der", &question.request()),
        ] {
            fs::write(temporary.path().join(name), content).expect("written");
        }
        let arguments = "ocsp -index index.txt -CA ca.pem -rsigner ca.pem -rkey ca.key -ndays 1 \
                         -reqin request.der -respout response.der";
        let mut command = Command::new("openssl");
        let output =
            command.current_dir(temporary.path()).args(arguments.split(' ').filter(|one| !one.is_empty()));
        assert!(output.output().expect("openssl is there").status.success());
        let response = fs::read(temporary.path().join("response.der")).expect("a response");
        write(&format!("ocsp/{status}.der"), &response);
    }
}
