//! The HTML report: verdict first, then what was asked and measured, then plots and tables.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::plot::{Line, Plot, Scale, escaped};
use crate::histogram::Durations;
use crate::result::{RunResult, Second};

pub(super) const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}\
h1{margin-bottom:.2rem}h2{margin-top:2.2rem;border-bottom:1px solid #ddd}\
.verdict{padding:.8rem 1rem;border-left:6px solid;margin:1rem 0;font-size:1.1rem}\
.yes{border-color:#009e73;background:#eef8f4}.no{border-color:#d55e00;background:#fdf1ea}\
table{border-collapse:collapse;margin:.6rem 0}td,th{padding:.15rem .7rem;text-align:right;border-bottom:1px solid #eee;font-variant-numeric:tabular-nums}\
td:first-child,th:first-child{text-align:left;padding-left:0}.missed{color:#b23c00;font-weight:600}\
figure{margin:1.2rem 0}figcaption{font-weight:600}svg{width:100%;height:auto;background:#fff}\
svg text{font:11px system-ui,sans-serif;fill:#444}.grid{stroke:#e6e6e6}.mark{stroke:#999;stroke-dasharray:3 3;fill:#777}\
svg text.mark{stroke:none}polyline{fill:none;stroke-width:1.8}pre{background:#f6f6f6;padding:.8rem;overflow:auto;font-size:12px}";

/// The report of a run.
#[must_use]
pub fn html(result: &RunResult) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write_page(result, &mut page);
    page
}

fn write_page(result: &RunResult, page: &mut String) -> std::fmt::Result {
    let name = escaped(&result.scenario.name);
    write!(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{name}: load report</title><style>{STYLE}</style></head><body>"
    )?;
    write!(page, "<h1>{name}</h1><p>{}</p>", escaped(&result.scenario.about))?;
    verdict(result, page)?;
    figures(result, page)?;
    page.push_str("<h2>Over time</h2>");
    over_time(result).iter().for_each(|plot| page.push_str(&plot.svg()));
    page.push_str("<h2>How long requests took</h2>");
    page.push_str(&by_percentile(result).svg());
    answers(result, page)?;
    conditions(result, page)?;
    page.push_str("</body></html>\n");
    Ok(())
}

fn verdict(result: &RunResult, page: &mut String) -> std::fmt::Result {
    let missed = result.objectives.iter().filter(|one| !one.held).count();
    let (class, words) = match (result.verdict.valid, missed) {
        (false, _) => ("no", "INVALID: the generator, and not the server, was the limit.".to_owned()),
        (true, 0) if result.objectives.is_empty() => ("yes", "VALID. No objective was set.".to_owned()),
        (true, 0) => ("yes", "VALID, and every objective holds.".to_owned()),
        (true, missed) => {
            ("no", format!("VALID, and {missed} of {} objectives are missed.", result.objectives.len()))
        }
    };
    write!(page, "<div class=\"verdict {class}\"><b>{words}</b>")?;
    for reason in &result.verdict.reasons {
        write!(page, "<br>{}", escaped(reason))?;
    }
    page.push_str("</div>");
    for note in &result.verdict.notes {
        write!(page, "<p>Note: {}.</p>", escaped(note))?;
    }
    if result.objectives.is_empty() {
        return Ok(());
    }
    page.push_str("<table><tr><th>Objective</th><th>Phase</th><th>Measured</th><th></th></tr>");
    for one in &result.objectives {
        let (class, word) = if one.held { ("", "held") } else { ("missed", "missed") };
        let phase = one.phase.as_deref().unwrap_or("all");
        write!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"{class}\">{word}</td></tr>",
            escaped(&one.objective),
            escaped(phase),
            escaped(&one.measured)
        )?;
    }
    page.push_str("</table>");
    Ok(())
}

fn figures(result: &RunResult, page: &mut String) -> std::fmt::Result {
    let (all, seconds) = result.judged();
    let rate = all.ended as f64 / seconds.max(f64::MIN_POSITIVE);
    write!(
        page,
        "<h2>Figures</h2><p>{} requests were due in {seconds:.1} s and {} ended ({rate:.1} a second): {} failed, {} were answered otherwise than expected. \
         Latency counts from the instant a request was due, service time from the instant it was sent. Milliseconds:</p>",
        all.due, all.ended, all.failed, all.wrong
    )?;
    page.push_str("<table><tr><th></th><th>count</th><th>mean</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th></tr>");
    row(page, "latency", &all.latency())?;
    row(page, "service time", &all.service())?;
    for (kind, one) in &all.kinds {
        row(page, &format!("latency, {}", kind.word()), &one.latency)?;
    }
    row(page, "connect and handshake, in the run", &all.handshake)?;
    row(page, "connect and handshake, before it", &result.before.handshake)?;
    row(page, "lag of the generator", &all.lag)?;
    row(page, "fetches of challenges", &result.signing.fetches)?;
    page.push_str("</table>");
    let signing = &result.signing;
    if signing.signed > 0 {
        write!(
            page,
            "<p>{} signatures were made {}, {:.0} a second and core.</p>",
            signing.signed, signing.when, signing.per_core
        )?;
    }
    page.push_str("<table><tr><th>Phase</th><th>seconds</th><th>due</th><th>done/s</th><th>failed</th><th>wrong</th><th>p50 ms</th><th>p99 ms</th><th>max ms</th></tr>");
    for phase in &result.phases {
        let (tally, latency) = (&phase.tally, phase.tally.latency());
        write!(
            page,
            "<tr><td>{}{}</td><td>{:.1}</td><td>{}</td><td>{:.1}</td><td>{}</td><td>{}</td><td>{:.3}</td><td>{:.3}</td><td>{:.3}</td></tr>",
            escaped(&phase.name),
            if phase.warm_up { " (warm-up)" } else { "" },
            phase.seconds,
            tally.due,
            tally.ended as f64 / phase.seconds.max(f64::MIN_POSITIVE),
            tally.failed,
            tally.wrong,
            latency.quantile(0.5) * 1e3,
            latency.quantile(0.99) * 1e3,
            latency.longest() * 1e3
        )?;
    }
    page.push_str("</table>");
    Ok(())
}

fn row(page: &mut String, name: &str, all: &Durations) -> std::fmt::Result {
    if all.count() == 0 {
        return Ok(());
    }
    write!(page, "<tr><td>{name}</td><td>{}</td><td>{:.3}</td>", all.count(), all.mean() * 1e3)?;
    for share in [0.5, 0.9, 0.99, 0.999, 1.0] {
        write!(page, "<td>{:.3}</td>", all.quantile(share) * 1e3)?;
    }
    page.push_str("</tr>");
    Ok(())
}

/// The plots over the seconds of the run.
fn over_time(result: &RunResult) -> Vec<Plot> {
    let marks: Vec<_> = result.phases.iter().map(|phase| (phase.starts, phase.name.clone())).collect();
    let line = |name: &str, of: &dyn Fn(&Second) -> Option<f64>| Line {
        name: name.to_owned(),
        points: result.seconds.iter().filter_map(|one| Some((one.at as f64, of(one)?))).collect(),
    };
    let plot = |title, y, y_scale, lines| Plot {
        title,
        x: "seconds",
        y,
        x_scale: Scale::Linear,
        y_scale,
        lines,
        marks: marks.clone(),
    };
    let quantile =
        |share: f64| move |one: &Second| (one.latency.count() > 0).then(|| one.latency.quantile(share) * 1e3);
    let mut plots = vec![
        plot(
            "Rate",
            "requests a second",
            Scale::Linear,
            vec![line("due", &|one| Some(one.due as f64)), line("ended", &|one| Some(one.ended as f64))],
        ),
        plot(
            "Latency from the due instant",
            "milliseconds",
            Scale::Log,
            vec![
                line("p50", &quantile(0.5)),
                line("p90", &quantile(0.9)),
                line("p99", &quantile(0.99)),
                line("p99.9", &quantile(0.999)),
                line("max", &quantile(1.0)),
            ],
        ),
        plot(
            "Errors",
            "requests a second",
            Scale::Linear,
            vec![
                line("failed", &|one| Some(one.failed as f64)),
                line("unexpected", &|one| Some(one.wrong as f64)),
            ],
        ),
        plot(
            "Open requests",
            "due and not answered",
            Scale::Linear,
            vec![line("open", &|one| Some(one.open as f64))],
        ),
        plot(
            "Lag of the generator",
            "milliseconds",
            Scale::Log,
            vec![line("p99", &|one| Some(one.lag_p99 * 1e3))],
        ),
        plot(
            "Cores",
            "cores",
            Scale::Linear,
            vec![
                line("busiest sender", &|one| Some(one.busy)),
                line("sender starved", &|one| Some(one.starved)),
                line("server", &|one| one.server_cores),
            ],
        ),
    ];
    let names: BTreeSet<&String> = result.seconds.iter().flat_map(|one| one.server.keys()).collect();
    if !names.is_empty() {
        let lines = names.into_iter().map(|name| server_line(result, name)).collect();
        plots.push(plot("Metrics of the server (counters: a second)", "value", Scale::Log, lines));
    }
    plots
}

/// A metric of the server: gauges as they are, counters by what a second adds.
fn server_line(result: &RunResult, name: &str) -> Line {
    let values = result.seconds.iter().filter_map(|one| Some((one.at as f64, *one.server.get(name)?)));
    let mut last = None;
    let points = values.filter_map(|(at, value)| {
        let before = last.replace((at, value));
        if !name.ends_with("_total") {
            return Some((at, value));
        }
        before.map(|(since, before)| (at, (value - before) / (at - since).max(1.0)))
    });
    let points = points.collect();
    let short = name.trim_start_matches("shikaku_").trim_end_matches("_total");
    Line { name: short.to_owned(), points }
}

/// Latency and service time by percentile.
fn by_percentile(result: &RunResult) -> Plot {
    let (all, _) = result.judged();
    let line = |name: &str, of: &Durations| {
        // The last hundredth of a thousandth is a handful of requests.
        let points =
            of.shares().filter(|(_, share)| *share < 1.0).map(|(seconds, share)| (share, seconds * 1e3));
        Line { name: name.to_owned(), points: points.collect() }
    };
    Plot {
        title: "Latency by percentile",
        x: "percentile",
        y: "milliseconds",
        x_scale: Scale::Percentile,
        y_scale: Scale::Log,
        lines: vec![
            line("latency", &all.latency()),
            line("service time", &all.service()),
            line("lag", &all.lag),
        ],
        marks: Vec::new(),
    }
}

fn answers(result: &RunResult, page: &mut String) -> std::fmt::Result {
    page.push_str(
        "<h2>Answers</h2><table><tr><th>Asked</th><th>sort</th><th>answered</th><th>count</th></tr>",
    );
    for one in &result.judged().0.answers {
        write!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            one.kind.word(),
            one.sort.word(),
            one.word.text(),
            one.count
        )?;
    }
    page.push_str("</table>");
    Ok(())
}

fn conditions(result: &RunResult, page: &mut String) -> std::fmt::Result {
    let of = &result.conditions;
    write!(
        page,
        "<h2>Conditions</h2><p>Begun {} by shikaku-load {}: {} of {} generators, {} sending threads; {}, {} cores, Linux {}. Seed {}.</p>",
        escaped(&of.began),
        escaped(&of.program),
        of.parts.len(),
        of.of,
        of.workers,
        escaped(&of.processor),
        of.cores,
        escaped(&of.kernel),
        result.scenario.seed
    )?;
    let scenario = toml::to_string_pretty(&result.scenario).unwrap_or_default();
    write!(page, "<details><summary>The scenario</summary><pre>{}</pre></details>", escaped(&scenario))
}
