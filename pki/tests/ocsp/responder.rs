//! `openssl ocsp` as responder, over files: an authority, cards, an index of what is revoked, and
//! responders of several kinds.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use pki::issuing::{
    AuthoritySpec, CardAuthority, CardSpec, CertificateSpec, ExtensionSpec, Key, KeyKind, ListSpec, Reason,
    Revoked, encode,
};
use pki::ocsp::{IssuerHash, OcspAnswer, OcspError, OcspPolicy, Question};
use pki::{Anchors, CardProfile, Lists, Proven, Serial, TrustView, UnixTime, prove_without_possession};

pub(crate) const DAY: i64 = 86_400;

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) authority: CardAuthority,
    pub(crate) view: TrustView,
    pub(crate) now: UnixTime,
}

/// How a responder's certificate is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    /// Not for answering.
    Purpose,
    /// Signed by somebody else under the authority's name.
    Forged,
    Expired,
    /// Without the extension that says it needs no looking up.
    Checked,
    NoKeyUsage,
}

pub(crate) fn serial(number: u8) -> Serial {
    Serial::from_bytes(&[number]).expect("a serial")
}

fn now() -> UnixTime {
    let output = Command::new("date").arg("+%s").output().expect("date is there");
    UnixTime(String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number"))
}

impl World {
    pub(crate) fn new(kind: KeyKind) -> World {
        let now = now();
        let spec = AuthoritySpec {
            serial: serial(99),
            not_before: UnixTime(now.0 - 1000 * DAY),
            not_after: UnixTime(now.0 + 1000 * DAY),
            organization: None,
            defect: None,
        };
        let authority = CardAuthority::new(&spec, Key::generate(kind).expect("a key")).expect("an authority");
        let anchors = Anchors::from_certificates([authority.certificate_der()]).expect("an anchor");
        let view = TrustView::new(anchors, CardProfile::production().and_test_cards());
        let folder = tempfile::tempdir().expect("a folder");
        let world = World { folder, authority, view, now };
        world.write("ca.pem", world.authority.certificate_pem().as_bytes());
        world.write("ca.key", world.authority.key_pem().as_bytes());
        // status, expiry, revocation (with reason), serial, file, subject
        let index = "V\t400101000000Z\t\t07\tunknown\t/CN=good\n\
                     R\t400101000000Z\t260101000000Z,superseded\t08\tunknown\t/CN=revoked\n\
                     R\t400101000000Z\t260101000000Z,certificateHold\t09\tunknown\t/CN=held\n";
        world.write("index.txt", index.as_bytes());
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, octets: &[u8]) {
        fs::write(self.path(name), octets).expect("written");
    }

    /// A proven card of that serial.
    pub(crate) fn card(&self, number: u8) -> Proven {
        let from = UnixTime(self.now.0 - 10 * DAY);
        let spec = CardSpec::new(serial(number), from, UnixTime(self.now.0 + 10 * DAY));
        let key = Key::generate(KeyKind::P384).expect("a key");
        let card = self.authority.issue(&spec, &key).expect("a card");
        prove_without_possession(&self.view, &card).expect("a proper card")
    }

    pub(crate) fn question(&self, number: u8, hash: IssuerHash, nonce: Option<[u8; 32]>) -> Question {
        Question::about(&self.card(number), &self.view, hash, nonce).expect("an anchor")
    }

    /// Makes `responder.pem` and `responder.key`, certified for answering but for the flaw.
    pub(crate) fn delegate(&self, flaw: Flaw) {
        let key = Key::generate(KeyKind::P256).expect("a key");
        let extension = |id, critical, value| ExtensionSpec { id, critical, value };
        let purpose: u8 = if flaw == Flaw::Purpose { 2 } else { 9 };
        let mut extensions =
            vec![extension("2.5.29.37", false, encode(0x30, &encode(6, &[0x2b, 6, 1, 5, 5, 7, 3, purpose])))];
        if flaw != Flaw::NoKeyUsage {
            extensions.push(extension("2.5.29.15", true, vec![3, 2, 7, 0x80]));
        }
        if flaw != Flaw::Checked {
            extensions.push(extension("1.3.6.1.5.5.7.48.1.5", false, vec![5, 0]));
        }
        let end = if flaw == Flaw::Expired { -DAY } else { DAY };
        let name = encode(6, &[0x55, 4, 3]);
        let attribute = encode(0x30, &[name, encode(0x0c, b"Responder")].concat());
        let spec = CertificateSpec {
            version: 2,
            serial: vec![50],
            issuer: self.authority.name().to_vec(),
            not_before: UnixTime(self.now.0 - 2 * DAY),
            not_after: UnixTime(self.now.0 + end),
            subject: encode(0x30, &encode(0x31, &attribute)),
            extensions,
            inner_algorithm: None,
            bad_signature: false,
        };
        let signer = match flaw {
            Flaw::Forged => Key::generate(KeyKind::P256).expect("a key"),
            _ => Key::from_pem(&self.authority.key_pem()).expect("the authority's key"),
        };
        self.write("responder.der", &spec.sign(&key, &signer).expect("a certificate"));
        self.write("responder.key", key.to_pem().as_bytes());
        self.run("x509 -inform DER -in responder.der -out responder.pem");
    }

    /// A list of the whole authority with these serials.
    pub(crate) fn lists(&self, revoked: &[u8]) -> Lists {
        let at = UnixTime(self.now.0 - DAY);
        let revoked: Vec<Revoked> = revoked
            .iter()
            .map(|number| Revoked { serial: serial(*number), at, reason: Reason::Superseded })
            .collect();
        let spec = ListSpec {
            number: 1.into(),
            this_update: at,
            next_update: UnixTime(self.now.0 + DAY),
            partition: None,
            revoked: &revoked,
            defect: None,
        };
        let list = self.authority.list(&spec).expect("a list");
        Lists::new().with(&list, &self.view.anchors, self.now).expect("taken")
    }

    pub(crate) fn run(&self, arguments: &str) {
        let mut command = Command::new("openssl");
        let output = command
            .current_dir(self.folder.path())
            .args(arguments.split(' '))
            .output()
            .expect("openssl is there");
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// What openssl answers to a request, signing with that certificate and key.
    pub(crate) fn answer(&self, request: &[u8], signer: &str, more: &str) -> Vec<u8> {
        self.write("request.der", request);
        self.run(&format!(
            "ocsp -index index.txt -CA ca.pem -rsigner {signer}.pem -rkey {signer}.key -reqin request.der \
             -respout response.der {more}"
        ));
        fs::read(self.path("response.der")).expect("a response")
    }

    pub(crate) fn judge(&self, question: &Question, response: &[u8]) -> Result<OcspAnswer, OcspError> {
        question.judge(response, &self.view, self.now, &OcspPolicy::default())
    }
}
