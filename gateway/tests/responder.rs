//! The authority's responder, asked for real: `openssl ocsp` on loopback, and ones that hang, reset
//! and lie. A desk never waits longer than the deadline, and nobody gets in by a broken responder.

#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests wait by the clock, and end by panicking"
)]

mod world;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use world::{World, free_address};

/// Ends the process when the test ends, however it ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts `openssl ocsp` for the first authority, with this status for every card of it.
fn openssl(world: &World, status: &str) -> (Running, SocketAddr) {
    let mut index = String::new();
    for (at, line) in world.cards().into_iter().enumerate() {
        let serial: u64 = line["serial"].as_str().unwrap().parse().unwrap();
        let hex = format!("{serial:X}");
        let hex = if hex.len() % 2 == 1 { format!("0{hex}") } else { hex };
        let (status, revoked) = match status {
            "R" => ("R", "260101000000Z,superseded"),
            "hold" => ("R", "260101000000Z,certificateHold"),
            other => (other, ""),
        };
        index.push_str(&format!("{status}\t400101000000Z\t{revoked}\t{hex}\tunknown\t/CN={at}\n"));
    }
    std::fs::write(world.path("index.txt"), index).unwrap();
    let address = free_address();
    let child = Command::new("openssl")
        .current_dir(world.path(""))
        .args(["ocsp", "-index", "index.txt", "-CA", "jpki/user-ca-1.pem", "-rsigner", "jpki/user-ca-1.pem"])
        .args(["-rkey", "jpki/user-ca-1-key.pem", "-ndays", "1", "-port", &address.port().to_string()])
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(world.path("ocsp.log")).unwrap())
        .spawn()
        .unwrap();
    let running = Running(child);
    // It serves one connection after the other: a probe would be the first.
    for _ in 0..100 {
        if std::fs::read_to_string(world.path("ocsp.log")).unwrap().contains("waiting for OCSP") {
            return (running, address);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("openssl ocsp does not listen");
}

/// A responder that does this with each connection, and counts them.
fn misbehaving(act: impl Fn(TcpStream) + Send + Sync + 'static) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, count, act) =
        (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)), Arc::new(act));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            let act = Arc::clone(&act);
            std::thread::spawn(move || act(socket));
        }
    });
    (address, count)
}

/// Takes the lists of every municipality away and asks that responder instead.
fn without_lists(responder: SocketAddr, rules: &str) -> World {
    let mut world = World::prepared(100);
    std::fs::create_dir(world.path("none")).unwrap();
    let text = std::fs::read_to_string(world.path("shikaku.toml")).unwrap();
    let text = text.replacen("lists = \"jpki\"", "lists = \"none\"", 1);
    let text = format!("{text}\n[card.responder]\nurl = \"http://{responder}/\"\n{rules}\n");
    std::fs::write(world.path("shikaku.toml"), text).unwrap();
    world.start();
    world
}

/// A good card of the first authority, whose responder it is.
fn good(world: &World) -> world::Card {
    let cards = world.cards();
    let mut good = cards.iter().filter(|line| line["state"] == "good");
    let of_first = good.find(|line| {
        let output = world::shikaku()
            .args(["pki", "verify", "--policy", pki::TEST_POLICY, "--anchors"])
            .arg(world.path("jpki/user-ca-1.pem"))
            .arg(world.path(line["certificate"].as_str().unwrap()))
            .output()
            .unwrap();
        output.status.success()
    });
    world.card(of_first.unwrap()["name"].as_str().unwrap())
}

fn questions(world: &World) -> Value {
    let status: Value = serde_json::from_str(&world.admin_get("/status").unwrap().1).unwrap();
    status["responder"].clone()
}

#[test]
fn what_no_list_covers_is_asked_once_and_remembered() {
    let address = free_address();
    let world = without_lists(address, "failures = 100");
    let desk = world.client("reception");
    let card = good(&world);
    // Nobody listens yet: refused, by a reason of its own.
    assert_eq!(card.ask(&desk).word(), "revocation_unknown");
    assert_eq!(questions(&world)["questions"]["unreachable"], 1);

    let (running, at) = openssl(&world, "V");
    let world_text = std::fs::read_to_string(world.path("shikaku.toml")).unwrap();
    std::fs::write(world.path("shikaku.toml"), world_text.replace(&address.to_string(), &at.to_string()))
        .unwrap();
    let id = world.process_id().to_string();
    assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    while !world.log().contains("is in force") {
        std::thread::sleep(Duration::from_millis(20));
    }
    let answer = card.ask(&desk).json();
    assert_eq!(answer["status"], "valid", "{answer} {}", world.log());
    assert_eq!(answer["card"]["revocation"]["source"], "ocsp");
    // The responder is gone, its answer is kept.
    drop(running);
    let again = card.ask(&desk).json();
    assert_eq!(
        (&again["status"], &again["card"]["revocation"]),
        (&answer["status"], &answer["card"]["revocation"])
    );
    assert_eq!(questions(&world)["questions"]["answered"], 1);
}

#[test]
fn a_card_that_the_responder_has_revoked_is_refused() {
    let mut world = World::prepared(100);
    let (_running, at) = openssl(&world, "R");
    let text = std::fs::read_to_string(world.path("shikaku.toml")).unwrap();
    std::fs::create_dir(world.path("none")).unwrap();
    let text = text.replacen("lists = \"jpki\"", "lists = \"none\"", 1);
    std::fs::write(world.path("shikaku.toml"), format!("{text}\n[card.responder]\nurl = \"http://{at}/\"\n"))
        .unwrap();
    world.start();
    assert_eq!(good(&world).ask(&world.client("reception")).word(), "card_revoked");
}

#[test]
fn a_responder_that_hangs_resets_or_lies_lets_nobody_in_and_holds_nobody_up() {
    let lie = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n\x30\x03\x0a\x01\x00";
    type Act = Box<dyn Fn(TcpStream) + Send + Sync>;
    let read = |socket: &mut TcpStream| {
        let _ = socket.read(&mut [0; 4096]);
    };
    let acts: [(&str, Act); 5] = [
        (
            "too_late",
            Box::new(|socket| {
                std::thread::sleep(Duration::from_secs(20));
                drop(socket);
            }),
        ),
        ("unreachable", Box::new(drop)),
        (
            "refused",
            Box::new(move |mut socket| {
                read(&mut socket);
                let _ = socket.write_all(lie);
            }),
        ),
        (
            "unreachable",
            Box::new(move |mut socket| {
                read(&mut socket);
                let _ = socket.write_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n");
            }),
        ),
        // An answer without end, one octet at a time.
        (
            "too_late",
            Box::new(move |mut socket| {
                read(&mut socket);
                let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 30000\r\n\r\n");
                while socket.write_all(b"0").is_ok() {
                    std::thread::sleep(Duration::from_millis(50));
                }
            }),
        ),
    ];
    for (word, act) in acts {
        let (address, count) = misbehaving(act);
        let world = without_lists(address, "deadline_ms = 500\nfailures = 3\npause_seconds = 60");
        let (desk, card) = (world.client("reception"), good(&world));
        for _ in 0..3 {
            let began = Instant::now();
            assert_eq!(card.ask(&desk).word(), "revocation_unknown", "{word}");
            assert!(began.elapsed() < Duration::from_secs(5), "{word}: {:?}", began.elapsed());
        }
        // Three failures: nobody is asked any more, and cards are refused at once.
        let asked = count.load(Ordering::SeqCst);
        for _ in 0..5 {
            assert_eq!(card.ask(&desk).word(), "revocation_unknown");
        }
        assert_eq!(count.load(Ordering::SeqCst), asked, "{word}");
        let questions = questions(&world);
        assert_eq!(
            (&questions["paused"], &questions["questions"][word]),
            (&true.into(), &3.into()),
            "{questions}"
        );
        assert_eq!(questions["questions"]["paused"], 5);
        assert_eq!(questions["in_flight"], 0);
    }
}

#[test]
fn desks_that_ask_at_once_make_one_question_and_never_a_pile() {
    let (address, count) = misbehaving(|socket| {
        std::thread::sleep(Duration::from_secs(20));
        drop(socket);
    });
    let world = without_lists(address, "deadline_ms = 3000\nfailures = 100\nin_flight = 1");
    let desk = world.client("reception");
    let card = Arc::new(good(&world));
    let queries: Vec<_> = (0..8).map(|_| card.query(&desk.challenge())).collect();
    let began = Instant::now();
    let waiting: Vec<_> = queries
        .into_iter()
        .map(|query| {
            let desk = desk.clone();
            std::thread::spawn(move || desk.post("/v1/eligibility/card", &query).word())
        })
        .collect();
    std::thread::sleep(Duration::from_millis(1000));
    // Another card finds the only place taken: judged without, and at once.
    let other = world.cards().into_iter().filter(|line| line["state"] == "good");
    let other = other
        .map(|line| world.card(line["name"].as_str().unwrap()))
        .find(|other| other.certificate != card.certificate);
    assert_eq!(other.unwrap().ask(&desk).word(), "revocation_unknown");
    assert!(began.elapsed() < Duration::from_millis(2900), "not held up: {:?}", began.elapsed());
    for desk in waiting {
        assert_eq!(desk.join().unwrap(), "revocation_unknown");
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert_eq!(questions(&world)["questions"]["too_many"], 1);
}

#[test]
fn where_lists_speak_nobody_is_asked() {
    let (address, count) = misbehaving(drop);
    let mut world = World::prepared(100);
    let text = std::fs::read_to_string(world.path("shikaku.toml")).unwrap();
    std::fs::write(
        world.path("shikaku.toml"),
        format!("{text}\n[card.responder]\nurl = \"http://{address}/\"\n"),
    )
    .unwrap();
    world.start();
    let desk = world.client("reception");
    for (state, word) in [
        ("good", "valid"),
        ("revoked", "card_revoked"),
        ("expired", "card_expired"),
        ("unlinked", "not_linked"),
    ] {
        assert_eq!(world.card_in_state(state).ask(&desk).word(), word);
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);

    // So configured, a card that nobody has linked is asked about; a dead responder changes nothing.
    std::fs::write(
        world.path("shikaku.toml"),
        format!("{text}\n[card.responder]\nurl = \"http://{address}/\"\nunlinked = true\n"),
    )
    .unwrap();
    world.stop();
    world.start();
    assert_eq!(world.card_in_state("good").ask(&desk).word(), "valid");
    assert_eq!(count.load(Ordering::SeqCst), 0);
    assert_eq!(world.card_in_state("unlinked").ask(&desk).word(), "not_linked");
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[test]
fn what_a_responder_told_is_remembered_without_it() {
    for (told, word) in [("R", "card_revoked"), ("hold", "card_suspended")] {
        let mut world = World::prepared(100);
        let (running, at) = openssl(&world, told);
        std::fs::create_dir(world.path("none")).unwrap();
        world.rewrite("lists = \"jpki\"", "lists = \"none\"");
        // Without the responder's word the card would be let in.
        world.rewrite(
            "[card.revocation]\nmissing = \"refuse\"",
            "[card.revocation]\nmissing = \"accept_flagged\"",
        );
        let text = std::fs::read_to_string(world.path("shikaku.toml")).unwrap();
        let with_responder = |at: SocketAddr| format!("{text}\n[card.responder]\nurl = \"http://{at}/\"\n");
        std::fs::write(world.path("shikaku.toml"), with_responder(at)).unwrap();
        world.start();
        let card = good(&world);
        assert_eq!(card.ask(&world.client("reception")).word(), word);
        drop(running);
        // It is in the ledger a moment later, and no end of the process takes it away.
        std::thread::sleep(Duration::from_secs(6));
        world.kill();
        std::fs::write(world.path("shikaku.toml"), &text).unwrap();
        world.start();
        assert_eq!(card.ask(&world.client("reception")).word(), word, "{}", world.log());
        world.stop();
        // A newer good word ends a hold, for good; a revocation by none.
        let (running, at) = openssl(&world, "V");
        std::fs::write(world.path("shikaku.toml"), with_responder(at)).unwrap();
        world.start();
        let after = if told == "R" { word } else { "valid" };
        assert_eq!(card.ask(&world.client("reception")).word(), after);
        drop(running);
        world.stop();
        std::fs::write(world.path("shikaku.toml"), &text).unwrap();
        world.start();
        assert_eq!(card.ask(&world.client("reception")).word(), after);
    }
}
