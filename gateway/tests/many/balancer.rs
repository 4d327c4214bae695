//! haproxy before a group: TLS passes through, and a caller stays with one gateway.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::group::{Group, until};
use crate::world::{World, free_address};

/// A running haproxy; ends when dropped.
pub(crate) struct Balancer {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Balancer {
    /// Before these gateways. Every caller of these tests comes from one address, so it is a rule on
    /// addresses that keeps them together.
    pub(crate) fn before(group: &Group) -> Self {
        let address = free_address();
        let server = |(at, world): (usize, &World)| {
            format!("    server g{} {} check port {}\n", at + 1, world.listen, world.admin.port())
        };
        let servers: String = group.gateways.iter().enumerate().map(server).collect();
        let text = format!(
            "global\n    maxconn 500\ndefaults\n    mode tcp\n    timeout connect 2s\n    timeout client 60s\n    timeout server 60s\n    \
             option redispatch 1\n    retries 3\n\
             frontend desks\n    bind {address}\n    default_backend gateways\n\
             backend gateways\n    balance leastconn\n    stick-table type ip size 1k expire 30m\n    stick on src\n    \
             option httpchk GET /readyz\n    http-check expect status 200\n    \
             default-server inter 100ms fall 1 rise 1\n{servers}"
        );
        let file = group.gateways[0].path("haproxy.cfg");
        std::fs::write(&file, text).unwrap();
        let process = Command::new("haproxy")
            .arg("-db")
            .arg("-f")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("haproxy is installed");
        let balancer = Self { process, address };
        until("the balancer listens", || std::net::TcpStream::connect(address).is_ok());
        balancer
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
