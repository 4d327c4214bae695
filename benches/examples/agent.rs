//! Files a second through the terminal agent: real programs over loopback, beside what the disk alone
//! takes for as many answers.
//!
//!     cargo build --release && cargo run --release -p benches --example agent -- target/release/shikaku 5000

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::error::Error;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gateway::commands::demo::{Made, prepare};

const REQUEST: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?><XmlMsg><MessageHeader>\
    <ArbitraryFileIdentifier>NAME</ArbitraryFileIdentifier></MessageHeader><MessageBody>\
    <QualificationConfirmSearchInfo><InsurerNumber>06132013</InsurerNumber><InsuredCardSymbol>12-34</InsuredCardSymbol>\
    <InsuredIdentificationNumber>567</InsuredIdentificationNumber><Birthdate>19800203</Birthdate>\
    </QualificationConfirmSearchInfo></MessageBody></XmlMsg>";

/// Ends the gateway with the measurement.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free() -> Result<SocketAddr, Box<dyn Error>> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next().ok_or("which shikaku?")?;
    let files: u32 = arguments.next().map_or(Ok(5000), |count| count.parse())?;
    let folder = tempfile::tempdir()?;
    let (listen, admin) = (free()?, free()?);
    prepare(folder.path(), Made { people: 1000, seed: 1 }, listen, admin)?;
    let path = |name: &str| folder.path().join(name);
    let serve =
        Command::new(&program).args(["serve", "--log", "warn", "--config"]).arg(path("shikaku.toml")).spawn();
    let _serving = Serving(serve?);
    while TcpStream::connect(listen).is_err() {
        std::thread::sleep(Duration::from_millis(50));
    }
    for name in ["req", "res", "disk"] {
        fs::create_dir(path(name))?;
    }
    for number in 0..files {
        let request = REQUEST.replace("NAME", &number.to_string());
        fs::write(path(&format!("req/OQSsiquc01req_{number}.xml")), request)?;
    }
    let began = Instant::now();
    let status = Command::new(&program)
        .args(["agent", "--once", "--log", "warn", "--server"])
        .arg(format!("https://localhost:{}", listen.port()))
        .args(["--req".as_ref(), path("req").as_os_str(), "--res".as_ref(), path("res").as_os_str()])
        .args(["--ca".as_ref(), path("tls/ca.pem").as_os_str()])
        .args(["--client".as_ref(), path("clients/reception.pem").as_os_str()])
        .args(["--client-key".as_ref(), path("clients/reception-key.pem").as_os_str()])
        .stdout(Stdio::null())
        .status()?;
    let took = began.elapsed();
    let answer = fs::read(path("res/OQSsiquc01res_0.xml"))?;
    let answers = fs::read_dir(path("res"))?.count() - 1; // one is the agent's lock
    if !status.success() || answers != files as usize {
        return Err(format!("{status}, {answers} answers of {files}").into());
    }
    let a_second = |took: Duration| f64::from(files) / took.as_secs_f64();
    println!("agent: {files} files in {took:.2?}, {:.0} a second", a_second(took));
    let took = on_disk(&path("disk"), files, &answer)?;
    println!(
        "floor: written, on disk and renamed by 8 threads in {took:.2?}, {:.0} a second",
        a_second(took)
    );
    Ok(())
}

/// As many answers, written durably and renamed, with nothing else.
fn on_disk(folder: &Path, files: u32, answer: &[u8]) -> Result<Duration, Box<dyn Error>> {
    let began = Instant::now();
    std::thread::scope(|threads| {
        for first in 0..8 {
            threads.spawn(move || {
                for number in (first..files).step_by(8) {
                    let part = folder.join(format!("{number}.part"));
                    let written = fs::write(&part, answer).and_then(|()| fs::File::open(&part)?.sync_data());
                    written.and_then(|()| fs::rename(&part, folder.join(number.to_string()))).expect("room");
                }
            });
        }
    });
    Ok(began.elapsed())
}
