//! Chains signed by RSA-PSS, made by openssl, since nothing here makes them.

use std::fs;
use std::path::Path;
use std::process::Command;

use pki::path::{PathReason, PathTrust, validate_client};
use pki::{Lists, UnixTime};

use crate::chain::policy;

fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    let output =
        command.current_dir(folder).args(arguments.split(' ')).output().expect("openssl is installed");
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Seconds since 1970, by the program that says so: openssl signs from now on.
fn now() -> UnixTime {
    let output = Command::new("date").arg("+%s").output().expect("date is there");
    UnixTime(String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number"))
}

/// Root and client under a kind of key, the client's certificate signed with that hash and salt.
fn chain(folder: &Path, kind: &str, hash: &str, salt: &str) -> [Vec<u8>; 2] {
    let pss = format!("-{hash} -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:{salt}");
    let key = |name: &str| {
        openssl(folder, &format!("genpkey -algorithm {kind} -pkeyopt rsa_keygen_bits:2048 -out {name}.key"));
    };
    key("root");
    key("client");
    openssl(
        folder,
        "req -x509 -key root.key -subj /CN=Root -days 30 -outform DER -out root.der -sha256 \
         -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 \
         -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign",
    );
    openssl(folder, "x509 -inform DER -in root.der -out root.pem");
    fs::write(folder.join("client.ext"), "keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n")
        .expect("written");
    openssl(folder, &format!("req -new -key client.key -subj /CN=clinic -out client.csr {pss}"));
    openssl(
        folder,
        &format!(
            "x509 -req -in client.csr -CA root.pem -CAkey root.key -set_serial 7 -days 30 \
             -extfile client.ext -outform DER -out client.der {pss}"
        ),
    );
    ["root.der", "client.der"].map(|name| fs::read(folder.join(name)).expect("made"))
}

#[test]
fn the_three_usual_parameter_sets_are_accepted_and_others_are_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = [
        ("RSA", "sha256", "32", None),
        ("RSA", "sha384", "48", None),
        ("RSA-PSS", "sha256", "32", None),
        ("RSA-PSS", "sha512", "64", None),
        ("RSA", "sha256", "20", Some(PathReason::SignatureAlgorithm)),
        ("RSA", "sha1", "20", Some(PathReason::SignatureAlgorithm)),
    ];
    for (kind, hash, salt, refused) in table {
        let [root, client] = chain(folder.path(), kind, hash, salt);
        let trust = PathTrust::new([root], None::<&[u8]>, policy()).expect("an anchor");
        let verdict = validate_client(&[client], &trust, &Lists::new(), UnixTime(now().0 + 60));
        assert_eq!(verdict.err().map(|error| error.reason), refused, "{kind} {hash} {salt}");
    }
}
