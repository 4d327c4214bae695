//! A result in a screenful of words.

use std::fmt::Write as _;

use crate::histogram::Durations;
use crate::result::RunResult;

/// The summary.
pub(super) fn of(result: &RunResult) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(result, &mut text);
    text
}

fn write(result: &RunResult, text: &mut String) -> std::fmt::Result {
    let (all, seconds) = result.judged();
    writeln!(text, "{}: {}", result.scenario.name, result.scenario.target.url)?;
    writeln!(
        text,
        "{} requests due, {} ended in {seconds:.1} s ({:.1}/s), {} failed, {} answered otherwise than expected",
        all.due,
        all.ended,
        all.ended as f64 / seconds.max(f64::MIN_POSITIVE),
        all.failed,
        all.wrong
    )?;
    writeln!(
        text,
        "milliseconds                    count     mean      p50      p90      p99    p99.9      max"
    )?;
    row(text, "latency from due", &all.latency())?;
    for (kind, one) in &all.kinds {
        row(text, &format!("  {}", kind.word()), &one.latency)?;
        row(text, "    service", &one.service)?;
        row(text, "    answered", &one.answered)?;
    }
    row(text, "lag of the generator", &all.lag)?;
    if all.handshake.count() > 0 {
        row(text, "connect and handshake", &all.handshake)?;
    }
    let signing = &result.signing;
    if signing.signed > 0 {
        writeln!(
            text,
            "{} signatures {}, {:.0} a second and core; {} fetches of challenges, p99 {:.3} ms, {} refused",
            signing.signed,
            signing.when,
            signing.per_core,
            signing.fetches.count(),
            signing.fetches.quantile(0.99) * 1e3,
            signing.refused
        )?;
    }
    for one in &all.answers {
        let (kind, sort, word) = (one.kind.word(), one.sort.word(), one.word.text());
        writeln!(text, "  {kind:<9} {sort:<9} {word:<20} {:>9}", one.count)?;
    }
    for one in &result.objectives {
        let held = if one.held { "held  " } else { "MISSED" };
        let phase = one.phase.as_deref().unwrap_or("all");
        writeln!(text, "{held} {phase}: {} (measured {})", one.objective, one.measured)?;
    }
    result.verdict.notes.iter().try_for_each(|note| writeln!(text, "note: {note}"))?;
    if result.verdict.valid {
        return writeln!(text, "VALID: the generator was not the limit");
    }
    result.verdict.reasons.iter().try_for_each(|reason| writeln!(text, "INVALID: {reason}"))
}

fn row(text: &mut String, name: &str, all: &Durations) -> std::fmt::Result {
    let ms = |seconds: f64| seconds * 1e3;
    writeln!(
        text,
        "{name:<27} {:>9} {:>8.3} {:>8.3} {:>8.3} {:>8.3} {:>8.3} {:>8.3}",
        all.count(),
        ms(all.mean()),
        ms(all.quantile(0.5)),
        ms(all.quantile(0.9)),
        ms(all.quantile(0.99)),
        ms(all.quantile(0.999)),
        ms(all.longest())
    )
}
