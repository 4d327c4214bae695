//! The production configuration: it can be served with, once its files are there.

use crate::world::{World, shikaku};
use crate::{ops, read, run, said};

#[test]
fn the_production_configuration_passes_with_its_files_in_place() {
    let world = World::prepared(60);
    let fingerprint = |name: &str| {
        let arguments = ["x509", "-noout", "-fingerprint", "-sha256", "-in"];
        let output = run(std::process::Command::new("openssl").args(arguments).arg(world.path(name)));
        said(&output).trim().rsplit('=').next().unwrap().to_owned()
    };
    let mut text = read(&ops("production.toml"));
    let here = |name: &str| world.path(name).display().to_string();
    for (there, name) in [
        ("/etc/shikaku/tls/server-key.pem", "tls/server-key.pem"),
        ("/etc/shikaku/tls/server.pem", "tls/server.pem"),
        ("/etc/shikaku/tls/institutions-ca-1.pem", "tls/ca.pem"),
        ("/etc/shikaku/tls/institutions-ca-2.pem", "tls/ca.pem"),
        ("/etc/shikaku/tls/partners-ca.pem", "tls/ca.pem"),
        ("/etc/shikaku/jpki/user-ca-2.pem", "jpki/user-ca-1.pem"),
        ("/etc/shikaku/jpki/user-ca-3.pem", "jpki/user-ca-2.pem"),
        ("/etc/shikaku/tls/database-ca.pem", "tls/ca.pem"),
        ("/etc/shikaku/secrets/database-password", "README.md"),
        ("/etc/shikaku/insurers.csv", "insurers.csv"),
        ("/etc/shikaku/secrets/pseudonym.key", "secrets/pseudonym.key"),
        ("/etc/shikaku/secrets/audit.key", "secrets/audit.key"),
    ] {
        assert!(text.contains(there), "{there} is not named");
        text = text.replace(there, &here(name));
    }
    assert!(!text.contains("/etc/"), "a file that this test does not know: {text}");
    let file = world.path("production.toml");
    let check = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let output = shikaku().args(["config", "check"]).arg(&file).output().unwrap();
        (output.status.code(), said(&output))
    };
    // The pins of the example are nobody's.
    let (code, why) = check(&text);
    assert!(code == Some(2) && why.contains("pinned"), "{why}");
    for (digit, name) in [("2", "jpki/user-ca-1.pem"), ("3", "jpki/user-ca-2.pem")] {
        text = text.replace(&format!("{digit:0>64}"), &fingerprint(name));
    }
    let (code, why) = check(&text);
    assert_eq!(code, Some(0), "{why}");
}
