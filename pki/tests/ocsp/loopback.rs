//! The real thing: `openssl ocsp` listening on loopback, asked over HTTP.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use pki::issuing::KeyKind;
use pki::ocsp::{IssuerHash, OcspStatus};

use crate::responder::{Flaw, World};

/// Ends the process when the test ends, however it ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn listen(world: &World) -> (Running, u16) {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    let child = Command::new("openssl")
        .current_dir(world.folder.path())
        .args(["ocsp", "-index", "index.txt", "-CA", "ca.pem", "-rsigner", "responder.pem"])
        .args(["-rkey", "responder.key", "-ndays", "1", "-port", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl is installed");
    (Running(child), port)
}

fn post(port: u16, request: &[u8]) -> Vec<u8> {
    let connect = || TcpStream::connect(("127.0.0.1", port)).ok();
    let mut stream = (0..100)
        .find_map(|_| {
            connect().or_else(|| {
                sleep(Duration::from_millis(50));
                None
            })
        })
        .expect("the responder listens");
    let head = format!(
        "POST / HTTP/1.0\r\nContent-Type: application/ocsp-request\r\nContent-Length: {}\r\n\r\n",
        request.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    stream.write_all(request).expect("sent");
    let mut response = Vec::new();
    stream.read_to_end(&mut response).expect("received");
    let body = response.windows(4).position(|four| four == b"\r\n\r\n").expect("a body") + 4;
    response.split_off(body)
}

#[test]
fn a_responder_is_asked_over_loopback() {
    let world = World::new(KeyKind::Rsa2048);
    world.delegate(Flaw::None);
    let (_running, port) = listen(&world);
    for (number, status) in [(7, OcspStatus::Good), (8, OcspStatus::Revoked), (10, OcspStatus::Unknown)] {
        let question = world.question(number, IssuerHash::Sha1, Some([number; 32]));
        let response = post(port, &question.request());
        let answer = world.judge(&question, &response).expect("an answer");
        assert_eq!(answer.status(), status);
    }
}
