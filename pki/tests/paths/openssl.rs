//! The second opinion: `openssl verify`, run as a process on the same chains.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::chain::NOW;

/// Whether openssl accepts the chain (from the root down) for a TLS client at [`crate::chain::NOW`].
pub(crate) fn accepts(folder: &Path, signed: &[Vec<u8>], more: &[&str]) -> bool {
    let (root, rest) = signed.split_first().expect("a root");
    let (leaf, between) = rest.split_last().expect("a leaf");
    let file = |name: &str, certificates: &[&Vec<u8>]| {
        let path = folder.join(name);
        fs::write(&path, certificates.iter().map(|der| pem(der)).collect::<String>()).expect("written");
        path
    };
    let anchor = file("root.pem", &[root]);
    let sent = file("between.pem", &between.iter().collect::<Vec<_>>());
    let client = file("leaf.pem", &[leaf]);
    let mut command = Command::new("openssl");
    command.arg("verify").args(["-no-CApath", "-no-CAstore", "-purpose", "sslclient"]);
    command.args(["-attime", &NOW.0.to_string()]).args(more).arg("-CAfile").arg(anchor);
    if !between.is_empty() {
        command.arg("-untrusted").arg(sent);
    }
    let output = command.arg(client).output().expect("the openssl program is installed");
    output.status.success()
}

fn pem(der: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("-----BEGIN CERTIFICATE-----");
    for (at, group) in der.chunks(3).enumerate() {
        if at % 16 == 0 {
            text.push('\n');
        }
        let bits =
            group.iter().fold(0u32, |bits, octet| bits << 8 | u32::from(*octet)) << (8 * (3 - group.len()));
        for place in 0..4usize {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text.push_str("\n-----END CERTIFICATE-----\n");
    text
}
