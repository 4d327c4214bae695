//! What is seen while a run goes on: a bar with figures in a terminal, plain lines elsewhere, and
//! Prometheus metrics where asked for.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::CommandError;
use crate::result::Second;
use crate::scenario::{Phase, Scenario};

/// The view.
pub(super) struct Live {
    bar: ProgressBar,
    plain: bool,
    phases: Vec<Phase>,
    seconds: f64,
    page: Arc<Mutex<Page>>,
}

/// What the Prometheus page shows.
#[derive(Default)]
struct Page {
    due: u64,
    ended: u64,
    failed: u64,
    wrong: u64,
    latest: Second,
}

impl Live {
    pub(super) fn new(
        scenario: &Scenario,
        beside: &Path,
        prometheus: Option<SocketAddr>,
    ) -> Result<Self, CommandError> {
        let phases = scenario.phases(beside).map_err(CommandError::Usage)?;
        let seconds = phases.last().map_or(0.0, |one| one.starts + one.schedule.duration().as_secs_f64());
        let plain = !std::io::stderr().is_terminal();
        let bar = if plain { ProgressBar::hidden() } else { ProgressBar::new(seconds.ceil() as u64) };
        let style = ProgressStyle::with_template("{bar:30} {elapsed} of {len} s, {eta} left\n{msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let page = Arc::new(Mutex::new(Page::default()));
        if let Some(address) = prometheus {
            serve(address, Arc::clone(&page))?;
        }
        Ok(Self { bar, plain, phases, seconds, page })
    }

    pub(super) fn preparing(&self, what: &str) {
        if self.plain {
            eprintln!("preparing: {what}");
        } else {
            self.bar.set_message(format!("preparing: {what}"));
        }
    }

    pub(super) fn second(&mut self, second: &Second) {
        let phase = self.phases.iter().rev().find(|one| one.starts <= second.at as f64);
        let line = format!(
            "{:<16} {:>7}/s due {:>7}/s done  p50 {:>8.3} p99 {:>8.3} max {:>8.3} ms  open {:>5}  failed {} wrong {}  lag p99 {:.3} ms{}",
            phase.map_or("", |one| one.name.as_str()),
            second.due,
            second.ended,
            second.latency.quantile(0.5) * 1e3,
            second.latency.quantile(0.99) * 1e3,
            second.latency.longest() * 1e3,
            second.open,
            second.failed,
            second.wrong,
            second.lag_p99 * 1e3,
            second.server_cores.map_or_else(String::new, |cores| format!("  server {cores:.2} cores")),
        );
        if self.plain {
            let left = (self.seconds - second.at as f64 - 1.0).max(0.0);
            eprintln!("{:>5} s, {left:.0} left  {line}", second.at + 1);
        } else {
            self.bar.set_position(second.at + 1);
            self.bar.set_message(line);
        }
        let mut page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        page.due += second.due;
        page.ended += second.ended;
        page.failed += second.failed;
        page.wrong += second.wrong;
        page.latest = second.clone();
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// Serves the page until the program ends.
fn serve(address: SocketAddr, page: Arc<Mutex<Page>>) -> Result<(), CommandError> {
    let listener = TcpListener::bind(address)
        .map_err(|error| CommandError::Environment(format!("--prometheus {address}: {error}")))?;
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let _ = socket.set_read_timeout(Some(Duration::from_secs(1)));
            let _ = socket.read(&mut [0; 4096]);
            let text = page.lock().unwrap_or_else(PoisonError::into_inner).text();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                text.len()
            );
            let _ = socket.write_all(&[head.as_bytes(), text.as_bytes()].concat());
        }
    });
    Ok(())
}

impl Page {
    fn text(&self) -> String {
        let mut text = String::new();
        let mut add = |name: &str, kind: &str, help: &str, value: f64| {
            text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"));
        };
        let latest = &self.latest;
        add("shikaku_load_due_total", "counter", "Requests that were due.", self.due as f64);
        add("shikaku_load_ended_total", "counter", "Requests that ended.", self.ended as f64);
        add("shikaku_load_failed_total", "counter", "Requests that failed.", self.failed as f64);
        add("shikaku_load_wrong_total", "counter", "Answers that were not expected.", self.wrong as f64);
        add("shikaku_load_open", "gauge", "Requests due and not answered.", latest.open as f64);
        add("shikaku_load_lag_p99_seconds", "gauge", "Lag of the generator, last second.", latest.lag_p99);
        for (share, name) in [(0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p999"), (1.0, "max")] {
            let help = "Latency from the due instant, last second.";
            add(
                &format!("shikaku_load_latency_{name}_seconds"),
                "gauge",
                help,
                latest.latency.quantile(share),
            );
        }
        text
    }
}
