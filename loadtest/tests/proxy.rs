//! The proxy does what it is told to what passes.

#![expect(clippy::unwrap_used, reason = "tests end by panicking")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use loadtest::clock;
use loadtest::proxy::{Faults, Proxy};

/// A server that sends back what it gets, and says so when its caller has ended.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(read @ 1..) = socket.read(&mut buffer) {
                    if socket.write_all(&buffer[..read]).is_err() {
                        return;
                    }
                }
                let _ = socket.write_all(b"END");
            });
        }
    });
    address
}

fn through(faults: Faults) -> TcpStream {
    let to = echo();
    let (tell, told) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let proxy = Proxy::bind(([127, 0, 0, 1], 0).into(), to, faults).await.unwrap();
            tell.send(proxy.address().unwrap()).unwrap();
            proxy.run().await;
        });
    });
    let socket = TcpStream::connect(told.recv().unwrap()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    socket
}

/// Sends octets and reads as many, with the time it took.
fn round(socket: &mut TcpStream, octets: usize) -> (std::io::Result<()>, Duration) {
    let began = clock::instant();
    let mut back = vec![0; octets];
    let done = socket.write_all(&vec![7; octets]).and_then(|()| socket.read_exact(&mut back));
    (done, began.elapsed())
}

#[test]
fn latency_and_bandwidth_take_their_time() {
    let mut late = through(Faults { latency: Duration::from_millis(40), ..Faults::default() });
    let (done, took) = round(&mut late, 100);
    assert!(done.is_ok() && took >= Duration::from_millis(80), "{took:?}");
    let mut narrow = through(Faults { bandwidth: 20_000, slice: 500, ..Faults::default() });
    let (done, took) = round(&mut narrow, 10_000);
    assert!(done.is_ok() && took >= Duration::from_millis(450), "{took:?}");
}

#[test]
fn a_reset_is_a_reset() {
    let mut socket = through(Faults { reset_after: 1000, ..Faults::default() });
    assert!(round(&mut socket, 900).0.is_ok());
    let error = round(&mut socket, 900).0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_black_hole_stays_open_and_silent() {
    let mut socket = through(Faults { blackhole_after: 1000, ..Faults::default() });
    assert!(round(&mut socket, 900).0.is_ok());
    let error = round(&mut socket, 900).0.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
}

#[test]
fn a_half_closed_connection_still_answers() {
    let mut socket = through(Faults { half_close_after: 1000, ..Faults::default() });
    assert!(round(&mut socket, 900).0.is_ok());
    socket.write_all(&[7; 900]).unwrap();
    let mut end = Vec::new();
    socket.read_to_end(&mut end).unwrap();
    assert_eq!(end, b"END");
}
