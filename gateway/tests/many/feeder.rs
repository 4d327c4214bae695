//! A feeder that delivers one record after the other, at one gateway after the other, until each is
//! acknowledged.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::group::{SOURCE, member};
use crate::world::client::{Client, Reply};

/// What was acknowledged, and how deliveries were refused.
#[derive(Debug, Default)]
pub(crate) struct Fed {
    /// Sequence and number of each acknowledged record.
    pub(crate) acknowledged: Vec<(u64, String)>,
    /// Refusals that said when to come again.
    pub(crate) put_off: u64,
    /// Everything else that was no acknowledgement.
    pub(crate) lost: u64,
}

/// Delivers until it is told to stop. Every record is sent again until it is acknowledged.
pub(crate) fn feed(gateways: &[Client], from: u64, stop: &AtomicBool, reached: &AtomicU64) -> Fed {
    let mut fed = Fed::default();
    let mut at = 0;
    for sequence in from.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let number = sequence.to_string();
        let line = member(sequence, &number).to_string();
        loop {
            match outcome(gateways[at % gateways.len()].try_feed(SOURCE, &line).as_ref()) {
                Outcome::Taken => break,
                Outcome::PutOff => fed.put_off += 1,
                Outcome::Lost => fed.lost += 1,
            }
            at += 1;
            std::thread::sleep(std::time::Duration::from_millis(30));
        }
        fed.acknowledged.push((sequence, number));
        reached.store(fed.acknowledged.len() as u64, Ordering::Relaxed);
    }
    fed
}

enum Outcome {
    Taken,
    PutOff,
    Lost,
}

fn outcome(reply: Option<&Reply>) -> Outcome {
    let Some(reply) = reply else { return Outcome::Lost };
    match reply.status {
        200 => {
            let report = reply.json();
            let counted = report["accepted"].as_u64().unwrap() + report["duplicates"].as_u64().unwrap();
            assert_eq!(counted, 1, "neither taken nor known: {report}");
            Outcome::Taken
        }
        503 => {
            assert!(reply.header("retry-after").is_some(), "{reply:?}");
            assert!(["not_ready", "draining", "overloaded"].contains(&&*reply.word()), "{reply:?}");
            Outcome::PutOff
        }
        _ => panic!("{} {}", reply.status, String::from_utf8_lossy(&reply.body)),
    }
}
