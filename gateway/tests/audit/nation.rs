//! How long an export takes: long, and for a quiet machine.
//!
//! ```sh
//! SHIKAKU_RECORDS=20000000 cargo test --release -p gateway --test audit -- --ignored --nocapture nation
//! ```

use std::time::{Duration, Instant};

use eligibility::number::check_digit;
use gateway::audit::Class;

use crate::world::shikaku;
use crate::{Folder, MORNING, answer};

/// Checks of the country in a month (October 2025).
const A_MONTH: f64 = 274.6e6;
/// Records written as one group.
const GROUP: u64 = 1000;

#[test]
#[ignore = "writes gigabytes"]
fn a_nations_month_is_given_out_within_the_hour() {
    let wanted: u64 = std::env::var("SHIKAKU_RECORDS").map_or(2_000_000, |records| records.parse().unwrap());
    let folder = Folder::new();
    let audit = folder.open();
    let began = Instant::now();
    for group in 0..wanted / GROUP {
        let entries: Vec<_> = (0..GROUP).map(|at| answer(group * GROUP + at, MORNING)).collect();
        assert!(audit.record_all(&entries).wait());
    }
    println!("{wanted} records written in {:.1} s", began.elapsed().as_secs_f64());
    drop(audit);
    let held = folder.verify(Class::Answers).unwrap().records as f64;
    assert_eq!(held as u64, wanted / GROUP * GROUP);
    let export = |arguments: &[&str]| {
        let began = Instant::now();
        let output = shikaku()
            .args(["audit", "export", "--dir"])
            .arg(&folder.config.folder)
            .arg("--key")
            .arg(&folder.config.sealing_keys[0])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let took = began.elapsed();
        let month = Duration::from_secs_f64(took.as_secs_f64() * A_MONTH / held);
        println!(
            "{arguments:?}: {:.2} s, {:.1} million records a second; a nation's month in {:.1} min",
            took.as_secs_f64(),
            held / took.as_secs_f64() / 1e6,
            month.as_secs_f64() / 60.0
        );
        assert!(month < Duration::from_secs(3600));
    };
    let another = format!("131100000{}", check_digit(131_100_000));
    export(&["--institution", &another]);
    export(&["--insurer", "06132013", "--number", "567", "--birth-date", "1980-02-03"]);
}
