//! How connections are encrypted, and how their sessions go on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::LazyLock;
use std::time::Duration;

use rustls::{HandshakeKind, NamedGroup, ProtocolVersion};

use crate::world::World;
use crate::world::client::Client;
use crate::{Stream, closes_within};

static WORLD: LazyLock<World> = LazyLock::new(|| World::started(60));

fn ask(stream: &mut Stream) -> Vec<u8> {
    stream.write_all(b"GET /v1/x HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut buffer = [0; 4096];
    let count = stream.read(&mut buffer).unwrap();
    buffer[..count].to_vec()
}

#[test]
fn tls_1_3_with_a_hybrid_key_exchange_and_no_early_data() {
    // Who has only the usual curves is met with them.
    let mut usual = WORLD.client("reception").connect().unwrap();
    ask(&mut usual);
    assert_eq!(usual.conn.negotiated_key_exchange_group().unwrap().name(), NamedGroup::X25519);
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.kx_groups.insert(0, rustls::crypto::aws_lc_rs::kx_group::X25519MLKEM768);
    let client = Client::with_provider(WORLD.listen, WORLD.folder.path(), Some("reception"), provider);
    let mut stream = client.connect().unwrap();
    assert!(ask(&mut stream).starts_with(b"HTTP/1.1 404"));
    assert_eq!(stream.conn.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    assert_eq!(stream.conn.negotiated_key_exchange_group().unwrap().name(), NamedGroup::X25519MLKEM768);
    let mut resumed = client.connect().unwrap();
    assert!(resumed.conn.early_data().is_none(), "no early data is offered");
    assert!(ask(&mut resumed).starts_with(b"HTTP/1.1 404"));
    assert_eq!(resumed.conn.handshake_kind(), Some(HandshakeKind::Resumed));
    // One ticket a handshake, of an hour at most.
    let output = std::process::Command::new("openssl")
        .args(["s_client", "-connect", &WORLD.listen.to_string(), "-CAfile"])
        .arg(WORLD.path("tls/ca.pem"))
        .arg("-cert")
        .arg(WORLD.path("clients/reception.pem"))
        .arg("-key")
        .arg(WORLD.path("clients/reception-key.pem"))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .and_then(|mut child| {
            child
                .stdin
                .as_mut()
                .unwrap()
                .write_all(b"GET /v1/x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
            std::thread::sleep(Duration::from_secs(1));
            drop(child.stdin.take());
            child.wait_with_output()
        })
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let hints: Vec<_> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("TLS session ticket lifetime hint: "))
        .collect();
    assert_eq!(hints, ["3600 (seconds)"], "{text}");
    assert!(text.contains("Max Early Data: 0"), "{text}");
}

#[test]
fn what_is_no_tls_gets_a_clean_end() {
    for octets in [&b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"[..], &[0; 600], b"\x16\x03\x01\xff\xff"] {
        let mut socket = TcpStream::connect(WORLD.listen).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(8))).unwrap();
        socket.write_all(octets).unwrap();
        let mut read = Vec::new();
        let _ = socket.read_to_end(&mut read);
        assert!(read.is_empty() || read[0] == 0x15, "nothing, or an alert: {read:?}");
    }
    // A greeting octet by octet is as good as any.
    let mut stream = WORLD.client("reception").connect().unwrap();
    stream.sock.set_nodelay(true).unwrap();
    let mut hello = Vec::new();
    stream.conn.write_tls(&mut hello).unwrap();
    for octet in hello {
        stream.sock.write_all(&[octet]).unwrap();
    }
    assert!(ask(&mut stream).starts_with(b"HTTP/1.1 404"));
    // Another protocol is not spoken.
    let mut other = WORLD.client("reception").with_protocol(b"smtp").connect().unwrap();
    assert!(
        other.conn.complete_io(&mut other.sock).is_err() || closes_within(&mut other, Duration::from_secs(5))
    );
}
