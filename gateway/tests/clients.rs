//! Institutions' certificates: who gets in, and who is put out while connected.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests wait by the clock, and end by panicking"
)]

mod world;

use std::io::{Read, Write};
use std::process::Command;
use std::time::{Duration, Instant};

use rustls::HandshakeKind;
use serde_json::json;
use world::World;

/// Signs a list of the clients' CA with these certificates on it.
fn list(world: &World, number: u32, revoked: &[&str]) {
    let mut index = String::new();
    for name in revoked {
        let output = Command::new("openssl")
            .args(["x509", "-noout", "-serial", "-in"])
            .arg(world.path(&format!("clients/{name}.pem")))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let serial = text.trim().rsplit('=').next().unwrap();
        index.push_str(&format!("R\t400101000000Z\t260101000000Z\t{serial}\tunknown\t/CN={name}\n"));
    }
    std::fs::write(world.path("crl-index.txt"), index).unwrap();
    std::fs::write(world.path("crl-number"), format!("{number:04X}\n")).unwrap();
    let config = "[ca]\ndefault_ca=d\n[d]\ndatabase=crl-index.txt\ncrlnumber=crl-number\ndefault_md=sha256\n\
                  default_crl_days=2\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n";
    std::fs::write(world.path("crl.cnf"), config).unwrap();
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").current_dir(world.path("")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    openssl(&[
        "ca",
        "-gencrl",
        "-config",
        "crl.cnf",
        "-cert",
        "tls/ca.pem",
        "-keyfile",
        "tls/ca-key.pem",
        "-out",
        "list.pem",
    ]);
    openssl(&["crl", "-in", "list.pem", "-outform", "DER", "-out", "list.new"]);
    std::fs::create_dir_all(world.path("client-lists")).unwrap();
    std::fs::rename(world.path("list.new"), world.path("client-lists/clients.crl")).unwrap();
}

fn with_lists() -> World {
    let world = World::prepared(60);
    let text = std::fs::read_to_string(world.path("shikaku.toml")).unwrap();
    let text = text.replacen("tls12 = false", "tls12 = false\nclient_crls = \"client-lists\"", 1);
    std::fs::write(world.path("shikaku.toml"), text).unwrap();
    world
}

#[test]
fn a_revoked_institution_is_put_out_while_connected_and_does_not_come_back() {
    let mut world = with_lists();
    list(&world, 1, &["reception-2"]);
    world.start();
    assert!(
        world.client("reception-2").try_send("POST", "/v1/challenges", "application/json", b"{}").is_none()
    );
    let reception = world.client("reception");
    assert_eq!(reception.post("/v1/challenges", &json!({})).status, 201);
    let ask = |stream: &mut dyn ReadWrite| -> bool {
        let request = "POST /v1/challenges HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
        let mut buffer = [0; 4096];
        stream.write_all(request.as_bytes()).is_ok()
            && matches!(stream.read(&mut buffer), Ok(read @ 1..) if buffer[..read].starts_with(b"HTTP/1.1 201"))
    };
    let mut live = reception.connect().unwrap();
    assert!(ask(&mut live));
    let mut other = world.client("review").connect().unwrap();
    assert!(ask(&mut other));
    // The next connection goes on from the session of this one.
    let mut resumed = reception.connect().unwrap();
    assert!(ask(&mut resumed));
    assert_eq!(resumed.conn.handshake_kind(), Some(HandshakeKind::Resumed));

    list(&world, 2, &["reception-2", "reception"]);
    let began = Instant::now();
    let mut end = Vec::new();
    // Both are closed by the same list, each by its own task.
    let _ = live.read_to_end(&mut end);
    let _ = resumed.read_to_end(&mut end);
    assert!(began.elapsed() < Duration::from_secs(20), "closed after {:?}", began.elapsed());
    assert!(!ask(&mut live) && !ask(&mut resumed), "not answered any more");
    assert!(ask(&mut other), "nobody else is put out");
    assert!(
        reception.try_send("POST", "/v1/challenges", "application/json", b"{}").is_none(),
        "nor by resumption"
    );
    assert!(
        world.client("reception").try_send("POST", "/v1/challenges", "application/json", b"{}").is_none()
    );
    assert_eq!(world.client("review").post("/v1/challenges", &json!({})).status, 201);

    // A list that is older changes nothing.
    list(&world, 1, &[]);
    std::thread::sleep(Duration::from_secs(6));
    assert!(reception.try_send("POST", "/v1/challenges", "application/json", b"{}").is_none());
    assert!(world.log().contains("revocation list of clients refused"), "{}", world.log());
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

#[test]
fn without_a_list_nobody_gets_in_unless_so_configured() {
    let mut world = with_lists();
    world.start();
    assert!(
        world.client("reception").try_send("POST", "/v1/challenges", "application/json", b"{}").is_none()
    );
    world.stop();
    let text = std::fs::read_to_string(world.path("shikaku.toml")).unwrap();
    let (before, after) = text.split_once("[listener.client_revocation]").unwrap();
    let after = after.replacen("missing = \"refuse\"", "missing = \"accept_flagged\"", 1);
    std::fs::write(world.path("shikaku.toml"), format!("{before}[listener.client_revocation]{after}"))
        .unwrap();
    world.start();
    assert_eq!(world.client("reception").post("/v1/challenges", &json!({})).status, 201);
}

#[test]
fn an_issuer_that_may_not_sign_certificates_lets_nobody_in() {
    let mut world = World::prepared(60);
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").current_dir(world.path("")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    // The right CA certifies an authority, once with and once without keyCertSign; it certifies a client.
    for (usage, name) in [("keyCertSign", "proper"), ("digitalSignature", "improper")] {
        let ca = format!(
            "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,{usage}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
        );
        let leaf = "basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\nauthorityKeyIdentifier=keyid\n";
        std::fs::write(world.path("ca.ext"), ca).unwrap();
        std::fs::write(world.path("leaf.ext"), leaf).unwrap();
        let root =
            "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n";
        std::fs::write(world.path("root.cnf"), format!("[req]\ndistinguished_name=n\n[n]\n[e]\n{root}"))
            .unwrap();
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        if name == "proper" {
            openssl(
                &[
                    &[
                        "req",
                        "-x509",
                        "-config",
                        "root.cnf",
                        "-extensions",
                        "e",
                        "-subj",
                        "/CN=Root",
                        "-keyout",
                        "root-key.pem",
                        "-out",
                        "root.pem",
                    ],
                    &key[..],
                ]
                .concat(),
            );
        }
        openssl(
            &[
                &[
                    "req",
                    "-config",
                    "root.cnf",
                    "-subj",
                    "/CN=Middle",
                    "-keyout",
                    "middle-key.pem",
                    "-out",
                    "middle.csr",
                ],
                &key[..],
            ]
            .concat(),
        );
        openssl(&[
            "x509",
            "-req",
            "-in",
            "middle.csr",
            "-CA",
            "root.pem",
            "-CAkey",
            "root-key.pem",
            "-CAcreateserial",
            "-extfile",
            "ca.ext",
            "-out",
            "middle.pem",
        ]);
        let file = format!("clients/{name}");
        openssl(
            &[
                &[
                    "req",
                    "-config",
                    "root.cnf",
                    "-subj",
                    "/O=1312345679/OU=reception/CN=x",
                    "-keyout",
                    &format!("{file}-key.pem"),
                    "-out",
                    "leaf.csr",
                ],
                &key[..],
            ]
            .concat(),
        );
        openssl(&[
            "x509",
            "-req",
            "-in",
            "leaf.csr",
            "-CA",
            "middle.pem",
            "-CAkey",
            "middle-key.pem",
            "-CAcreateserial",
            "-extfile",
            "leaf.ext",
            "-out",
            &format!("{file}.pem"),
        ]);
        std::fs::copy(world.path("middle.pem"), world.path(&format!("{name}-middle.pem"))).unwrap();
    }
    let text = std::fs::read_to_string(world.path("shikaku.toml")).unwrap();
    let cas = "client_cas = [\"tls/ca.pem\", \"root.pem\", \"proper-middle.pem\", \"improper-middle.pem\"]";
    std::fs::write(world.path("shikaku.toml"), text.replacen("client_cas = [\"tls/ca.pem\"]", cas, 1))
        .unwrap();
    world.start();
    assert_eq!(world.client("proper").post("/v1/challenges", &json!({})).status, 201);
    assert!(world.client("improper").try_send("POST", "/v1/challenges", "application/json", b"{}").is_none());
    assert!(world.log().contains("may not sign certificates"), "{}", world.log());
    assert_eq!(world.client("reception").post("/v1/challenges", &json!({})).status, 201);
}
