//! The balancer's configuration before a real gateway: TLS passes through, and health is readiness.

use std::net::SocketAddr;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::world::client::Client;
use crate::world::{World, free_address};
use crate::{ops, read, run, said};

/// Ends the process when the test ends, however it ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The example for one gateway, on ports that are free here, with quicker looks.
fn before(world: &World) -> (Running, SocketAddr) {
    let desks = free_address();
    let text = read(&ops("haproxy.cfg"));
    let is_ours = |line: &&str| !line.contains("server g2") && !line.contains("server g3");
    let mut here: String = text.lines().filter(is_ours).map(|line| format!("{line}\n")).collect();
    let listen = world.listen.to_string();
    for (there, with) in [
        ("0.0.0.0:443", desks.to_string()),
        ("127.0.0.1:8444", free_address().to_string()),
        ("127.0.0.1:10000", free_address().to_string()),
        ("10.0.1.11:8443", listen.clone()),
        ("10.0.1.11:8444", listen),
        ("port 9090", format!("port {}", world.admin.port())),
        ("inter 2s", "inter 100ms".to_owned()),
        // This process may not have as many files.
        ("maxconn 60000", "maxconn 500".to_owned()),
    ] {
        assert!(here.contains(there), "{there} is not in the example");
        here = here.replace(there, &with);
    }
    let file = world.path("haproxy.cfg");
    std::fs::write(&file, here).unwrap();
    let log = std::fs::File::create(world.path("haproxy.log")).unwrap();
    let errors = log.try_clone().unwrap();
    let process = Command::new("haproxy").arg("-db").arg("-f").arg(&file).stdout(log).stderr(errors).spawn();
    (Running(process.unwrap()), desks)
}

fn asks(world: &World, at: SocketAddr) -> bool {
    let desk = Client::new(at, world.folder.path(), Some("reception"));
    let reply = desk.try_send("POST", "/v1/challenges", "application/json", json!({}).to_string().as_bytes());
    reply.is_some_and(|reply| reply.status == 201)
}

fn wait_until(world: &World, what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "never: {what}: {}",
            read(&world.path("haproxy.log"))
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_balancer_passes_tls_through_and_leaves_a_gateway_that_is_not_ready() {
    let checked = run(Command::new("haproxy").args(["-c", "-f"]).arg(ops("haproxy.cfg")));
    assert!(checked.status.success() && !said(&checked).contains("WARNING"), "{}", said(&checked));

    let mut world = World::started(60);
    let (_running, desks) = before(&world);
    wait_until(&world, "a desk is answered through the balancer", || asks(&world, desks));
    let through = Client::new(desks, world.folder.path(), Some("reception"));
    assert_eq!(world.card_in_state("good").ask(&through).word(), "valid");
    // The gateway itself saw the certificate: another one has another role.
    let stranger = Client::new(desks, world.folder.path(), Some("stranger"));
    assert_eq!(stranger.post("/v1/challenges", &json!({})).status, 403);

    world.stop();
    let down = "desks/g1 is DOWN";
    wait_until(&world, down, || read(&world.path("haproxy.log")).contains(down));
    assert!(!asks(&world, desks));
    world.start();
    wait_until(&world, "the gateway is back", || asks(&world, desks));
}
