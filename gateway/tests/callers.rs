//! The CAs of callers over the life of a gateway: added, taken away and revoked while connected, the
//! server's own certificate renewed, and what lists told remembered over restarts.

#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests wait by the clock, and end by panicking"
)]

mod world;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime};

use pki::issuing::{
    CardAuthority, CertificateSpec, Defect, ExtensionSpec, Key, KeyKind, ListSpec, Reason, Revoked, encode,
};
use pki::{Serial, UnixTime};
use rustls::{ClientConnection, StreamOwned};
use serde_json::json;
use world::World;

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A root and an authority below it with a client, as files: `root.pem`, `middle.pem`, `clients/far.pem`.
struct Chain {
    root: CardAuthority,
    middle: CardAuthority,
}

fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64
}

fn name(common: &str, unit: &str) -> Vec<u8> {
    let attribute = |kind: u8, text: &str| {
        let pair = [encode(6, &[0x55, 4, kind]), encode(0x0c, text.as_bytes())].concat();
        encode(0x31, &encode(0x30, &pair))
    };
    encode(0x30, &[attribute(10, "1312345679"), attribute(11, unit), attribute(3, common)].concat())
}

fn pem(der: &[u8], label: &str) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

impl Chain {
    fn make(world: &World) -> Chain {
        let keys = [0, 1, 2].map(|_| Key::generate(KeyKind::P256).unwrap());
        let authority = || {
            vec![
                ExtensionSpec { id: "2.5.29.19", critical: true, value: vec![0x30, 3, 1, 1, 0xff] },
                ExtensionSpec { id: "2.5.29.15", critical: true, value: vec![3, 2, 1, 6] },
            ]
        };
        let client = vec![
            ExtensionSpec { id: "2.5.29.15", critical: true, value: vec![3, 2, 7, 0x80] },
            ExtensionSpec {
                id: "2.5.29.37",
                critical: false,
                value: encode(0x30, &encode(6, &[0x2b, 6, 1, 5, 5, 7, 3, 2])),
            },
        ];
        let identifiers = |own: u8, issuer: u8| {
            [
                ExtensionSpec { id: "2.5.29.14", critical: false, value: encode(4, &[own; 20]) },
                ExtensionSpec {
                    id: "2.5.29.35",
                    critical: false,
                    value: encode(0x30, &encode(0x80, &[issuer; 20])),
                },
            ]
        };
        let certificate = |place: u8, subject: (&str, &str), issuer: (&str, &str), extensions| {
            let spec = CertificateSpec {
                version: 2,
                serial: vec![place + 1],
                issuer: name(issuer.0, issuer.1),
                not_before: UnixTime(now() - 86_400),
                not_after: UnixTime(now() + 365 * 86_400),
                subject: name(subject.0, subject.1),
                extensions: [identifiers(place, place.saturating_sub(1)).to_vec(), extensions].concat(),
                inner_algorithm: None,
                bad_signature: false,
            };
            spec.sign(&keys[usize::from(place)], &keys[usize::from(place.saturating_sub(1))]).unwrap()
        };
        let (root, middle, far) = (("Root", "ca"), ("Middle", "ca"), ("far", "reception"));
        let ders = [
            certificate(0, root, root, authority()),
            certificate(1, middle, root, authority()),
            certificate(2, far, middle, client),
        ];
        for (file, der) in ["root", "middle", "clients/far"].iter().zip(&ders) {
            std::fs::write(world.path(&format!("{file}.pem")), pem(der, "CERTIFICATE")).unwrap();
        }
        std::fs::write(world.path("clients/far-key.pem"), keys[2].to_pem()).unwrap();
        let load = |at: usize| CardAuthority::load(&ders[at], &keys[at].to_pem()).unwrap();
        Chain { root: load(0), middle: load(1) }
    }

    /// Publishes a list of the root or of the authority below it; certificate `serial` is on it or nobody.
    fn publish(
        world: &World,
        authority: &CardAuthority,
        file: &str,
        number: u64,
        revoked: Option<(u8, Reason)>,
    ) {
        let entries: Vec<_> = revoked
            .into_iter()
            .map(|(serial, reason)| Revoked {
                serial: Serial::from_bytes(&[serial]).unwrap(),
                at: UnixTime(now()),
                reason,
            })
            .collect();
        let spec = ListSpec {
            number: number.into(),
            this_update: UnixTime(now()),
            next_update: UnixTime(now() + 86_400),
            partition: None,
            revoked: &entries,
            defect: Some(Defect::KeyIdentifierOnly),
        };
        std::fs::create_dir_all(world.path("client-lists")).unwrap();
        std::fs::write(world.path("list.new"), authority.list(&spec).unwrap()).unwrap();
        std::fs::rename(world.path("list.new"), world.path(&format!("client-lists/{file}.crl"))).unwrap();
    }
}

fn ask(stream: &mut Stream) -> bool {
    let request = "POST /v1/challenges HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    let mut buffer = [0; 4096];
    stream.write_all(request.as_bytes()).is_ok()
        && matches!(stream.read(&mut buffer), Ok(read @ 1..) if buffer[..read].starts_with(b"HTTP/1.1 201"))
}

fn gets_in(world: &World, name: &str) -> bool {
    world.client(name).connect().is_ok_and(|mut stream| ask(&mut stream))
}

/// Waits for the other side to close.
fn closed_within(stream: &mut Stream, most: Duration) -> bool {
    let began = Instant::now();
    stream.sock.set_read_timeout(Some(most)).unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
    began.elapsed() < most
}

#[test]
fn authorities_come_and_go_while_callers_are_connected() {
    let mut world = World::prepared(60);
    let chain = Chain::make(&world);
    world.start();
    assert!(gets_in(&world, "reception") && !gets_in(&world, "far"));
    let mut reception = world.client("reception").connect().unwrap();
    assert!(ask(&mut reception));

    // A file that is none: refused by name, and nothing changes.
    let from = world.log().len();
    world.rewrite("client_cas = [\"tls/ca.pem\"]", "client_cas = [\"tls/ca.pem\", \"shikaku.toml\"]");
    world.hang_up();
    world.wait_for(from, "what was in force stays so");
    assert!(world.log()[from..].contains("shikaku.toml: holds no certificate"), "{}", &world.log()[from..]);
    assert!(gets_in(&world, "reception"));

    // The others' CAs are added: they get in, and nobody is put out.
    let from = world.log().len();
    world.rewrite("\"shikaku.toml\"]", "\"root.pem\", \"middle.pem\"]");
    world.hang_up();
    world.wait_for(from, "is in force");
    assert!(gets_in(&world, "far"));
    let mut far = world.client("far").connect().unwrap();
    assert!(ask(&mut far) && ask(&mut reception));

    // Taken away again: their open connections end, and no others.
    let from = world.log().len();
    world.rewrite(", \"root.pem\", \"middle.pem\"]", "]");
    world.hang_up();
    world.wait_for(from, "is in force");
    assert!(closed_within(&mut far, Duration::from_secs(30)));
    assert!(!gets_in(&world, "far") && gets_in(&world, "reception") && ask(&mut reception));

    // The authority between is revoked by the root: what it certified falls with it.
    Chain::publish(&world, &chain.root, "root", 1, None);
    Chain::publish(&world, &chain.middle, "middle", 1, None);
    let from = world.log().len();
    world.rewrite("[\"tls/ca.pem\"]", "[\"root.pem\", \"middle.pem\"]\nclient_crls = \"client-lists\"");
    world.hang_up();
    world.wait_for(from, "is in force");
    let mut far = world.client("far").connect().unwrap();
    assert!(ask(&mut far) && gets_in(&world, "far"));
    let shown = world.status();
    let lists = &shown["client_revocation"][world.listen.to_string()];
    assert_eq!(lists.as_array().unwrap().len(), 2, "{shown}");
    assert!(world.admin_get("/metrics").unwrap().1.contains("shikaku_client_list_due_seconds{listener="));
    Chain::publish(&world, &chain.root, "root", 2, Some((2, Reason::KeyCompromise)));
    assert!(closed_within(&mut far, Duration::from_secs(30)));
    assert!(!gets_in(&world, "far"));
    assert!(closed_within(&mut reception, Duration::from_secs(30)), "its CA was taken away");
    assert_eq!(world.stop(), Some(0), "{}", world.log());
}

#[test]
fn what_lists_of_callers_told_is_remembered() {
    let mut world = World::prepared(60);
    let chain = Chain::make(&world);
    Chain::publish(&world, &chain.root, "root", 1, None);
    Chain::publish(&world, &chain.middle, "middle", 5, Some((3, Reason::Superseded)));
    world.rewrite("[\"tls/ca.pem\"]", "[\"root.pem\", \"middle.pem\"]\nclient_crls = \"client-lists\"");
    world.start();
    assert!(!gets_in(&world, "far"));
    world.kill();
    // An older list without it is refused, though this process never held the newer one.
    Chain::publish(&world, &chain.middle, "middle", 4, None);
    world.start();
    assert!(!gets_in(&world, "far"));
    assert!(world.log().contains("revocation list of clients refused"), "{}", world.log());
    world.stop();
    // A newer list that has lost it changes nothing.
    Chain::publish(&world, &chain.middle, "middle", 6, None);
    let from = world.log().len();
    world.start();
    assert!(!gets_in(&world, "far"));
    let log = world.log();
    assert!(log[from..].contains("certificate 0 of the path: revoked"), "{}", &log[from..]);
}

#[test]
fn a_hold_of_a_caller_ends_with_a_newer_list_over_a_restart() {
    let mut world = World::prepared(60);
    let chain = Chain::make(&world);
    Chain::publish(&world, &chain.root, "root", 1, None);
    Chain::publish(&world, &chain.middle, "middle", 1, Some((3, Reason::Hold)));
    world.rewrite("[\"tls/ca.pem\"]", "[\"root.pem\", \"middle.pem\"]\nclient_crls = \"client-lists\"");
    world.start();
    assert!(!gets_in(&world, "far"));
    world.kill();
    std::thread::sleep(Duration::from_millis(1100));
    Chain::publish(&world, &chain.middle, "middle", 2, None);
    world.start();
    let mut far = world.client("far").connect().unwrap();
    assert!(ask(&mut far));
    std::thread::sleep(Duration::from_secs(6));
    assert!(ask(&mut far), "a hold that is over ends no connection");
}

#[test]
fn the_servers_own_certificate_is_renewed_while_serving() {
    let mut world = World::prepared(60);
    world.start();
    let served = |world: &World| {
        let mut stream = world.client("reception").connect().unwrap();
        assert!(ask(&mut stream));
        let chain = stream.conn.peer_certificates().unwrap();
        chain[0].to_vec()
    };
    let first = served(&world);
    let mut open = world.client("reception").connect().unwrap();
    assert!(ask(&mut open));
    let text = |file: &str| std::fs::read_to_string(world.path(file)).unwrap();
    let authority = pki::issuing::TlsAuthority::load(&text("tls/ca.pem"), &text("tls/ca-key.pem")).unwrap();
    let validity =
        pki::issuing::Validity { not_before: UnixTime(now() - 60), not_after: UnixTime(now() + 86_400) };
    let server = authority.server(validity).unwrap();

    // A certificate without its key: refused, and the old pair goes on.
    let from = world.log().len();
    std::fs::write(world.path("tls/server.pem"), &server.certificate_pem).unwrap();
    world.hang_up();
    world.wait_for(from, "what was in force stays so");
    assert_eq!(served(&world), first);

    let from = world.log().len();
    std::fs::write(world.path("tls/server-key.pem"), &server.key_pem).unwrap();
    world.hang_up();
    world.wait_for(from, "is in force");
    assert_ne!(served(&world), first);
    assert!(ask(&mut open), "what is open goes on");
    assert_eq!(world.client("reception").post("/v1/challenges", &json!({})).status, 201);
}
