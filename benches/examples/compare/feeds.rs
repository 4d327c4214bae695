//! Feeds that are applied meanwhile: an insurer says anew what it says of its people.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use super::Failed;
use super::servers::Folder;

/// The insurer that feeds.
pub(super) const SOURCE: &str = "06132013";
/// Records of a delivery: below the gates, which look at large ones.
const RECORDS: usize = 500;
/// Time between deliveries.
const PAUSE: Duration = Duration::from_millis(500);

/// A feeder at work.
pub(super) struct Feeding {
    stop: Arc<AtomicBool>,
    records: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Feeding {
    /// Ends it; how many records were taken.
    pub(super) fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.join();
        self.records.load(Ordering::Relaxed)
    }
}

/// Begins to feed.
pub(super) fn start(folder: &Folder) -> Result<Feeding, Failed> {
    let text = std::fs::read_to_string(folder.file(&format!("feed/{SOURCE}.ndjson")))?;
    let all: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
    let members: Vec<Value> = all?.into_iter().filter(|one| one["kind"] == "member").collect();
    let (stop, records) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (stopped, taken) = (Arc::clone(&stop), Arc::clone(&records));
    let committed = folder.curl_get(&format!("insurer-{SOURCE}"), &format!("/v1/feeds/{SOURCE}"))?;
    let committed: Value = serde_json::from_slice(&committed)?;
    let mut sequence = committed["committed_sequence"].as_u64().ok_or("no committed_sequence")?;
    let sender = folder.sender(&format!("insurer-{SOURCE}"), &format!("/v1/feeds/{SOURCE}"));
    let mut members = members.into_iter().cycle();
    let thread = std::thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            let mut body = Vec::new();
            for mut member in members.by_ref().take(RECORDS) {
                sequence += 1;
                member["sequence"] = sequence.into();
                body.extend(serde_json::to_vec(&member).unwrap_or_default());
                body.push(b'\n');
            }
            match sender(&body) {
                Ok(answer) => {
                    let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
                    taken.fetch_add(answer["accepted"].as_u64().unwrap_or(0), Ordering::Relaxed);
                }
                Err(why) => eprintln!("feed: {why}"),
            }
            std::thread::sleep(PAUSE);
        }
    });
    Ok(Feeding { stop, records, thread })
}
