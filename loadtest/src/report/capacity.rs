//! The HTML report of a capacity search.

use std::fmt::Write as _;

use super::html::STYLE;
use super::plot::{Line, Plot, Scale, escaped};
use crate::capacity::{Answer, Capacity, Fit, Trial};
use crate::patients::shares::Share;

/// Insurers that are listed; the CSV file has all.
const LISTED: usize = 30;

/// The report.
#[must_use]
pub fn html(
    capacity: &Capacity,
    fit: Option<&Fit>,
    answer: &Answer,
    shares: &[Share],
    words: &str,
) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write_page(&mut page, capacity, fit, answer, shares, words);
    page
}

fn write_page(
    page: &mut String,
    capacity: &Capacity,
    fit: Option<&Fit>,
    answer: &Answer,
    shares: &[Share],
    words: &str,
) -> std::fmt::Result {
    write!(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Capacity</title><style>{STYLE}</style></head><body>"
    )?;
    let (low, high) = capacity.range;
    let class = if answer.holds_range.0 >= 1.0 { "yes" } else { "no" };
    write!(
        page,
        "<h1>Capacity</h1><div class=\"verdict {class}\"><b>One machine holds {:.0} requests a second</b> (95 %: {low:.0} to {high:.0}), {:.2} times the peak of {:.0}.<br>First limit: {}.</div>",
        capacity.rate,
        answer.holds,
        answer.demand.peak,
        capacity.limit.words()
    )?;
    years(page, answer)?;
    page.push_str(&trials(capacity, fit).svg());
    page.push_str(&cores(capacity).svg());
    if let Some(fit) = fit {
        write!(
            page,
            "<p>The curve is a line before one server that is busy {:.1} µs with a request (spread {:.2}); its error over the trials is {:.1} %. Expected percentiles beyond the trials carry at least that error.</p>",
            1e6 / fit.saturation,
            fit.spread,
            fit.error * 100.0
        )?;
    }
    if !shares.is_empty() {
        page.push_str(
            "<h2>Shares of the insurers</h2><table><tr><th>Insurer</th><th>people</th><th>share</th></tr>",
        );
        for one in shares.iter().take(LISTED) {
            write!(
                page,
                "<tr><td>{}</td><td>{}</td><td>{:.3} %</td></tr>",
                escaped(&one.insurer),
                one.people,
                one.share * 100.0
            )?;
        }
        write!(page, "</table><p>{} insurers; shares.csv has all.</p>", shares.len())?;
    }
    write!(page, "<h2>In words</h2><pre>{}</pre></body></html>", escaped(words))
}

fn years(page: &mut String, answer: &Answer) -> std::fmt::Result {
    let demand = &answer.demand;
    write!(
        page,
        "<h2>Machines</h2><p>By the lower end of the range, {:.0} % of each machine free, {} to spare, {:.1} % growth a year.</p>",
        demand.headroom * 100.0,
        demand.spare,
        demand.growth * 100.0
    )?;
    page.push_str("<table><tr><th>Year</th><th>peak/s</th><th>average/s</th><th>machines by peak</th><th>by average</th><th>hold times peak</th><th>expected p99</th></tr>");
    for year in &answer.years {
        let p99 = year.expected_p99.map_or_else(|| "–".to_owned(), |p99| format!("{:.2} ms", p99 * 1e3));
        write!(
            page,
            "<tr><td>{}</td><td>{:.0}</td><td>{:.0}</td><td>{}</td><td>{}</td><td>{:.2}</td><td>{p99}</td></tr>",
            year.year, year.peak, year.average, year.by_peak, year.by_average, year.times
        )?;
    }
    page.push_str("</table>");
    Ok(())
}

fn sorted(capacity: &Capacity) -> Vec<&Trial> {
    let mut trials: Vec<&Trial> = capacity.trials.iter().filter(|one| one.invalid.is_empty()).collect();
    trials.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    trials
}

fn trials(capacity: &Capacity, fit: Option<&Fit>) -> Plot {
    let trials = sorted(capacity);
    let line = |name: &str, of: &dyn Fn(&Trial) -> f64| Line {
        name: name.to_owned(),
        points: trials.iter().map(|one| (one.rate, of(one) * 1e3)).collect(),
    };
    let mut lines = vec![line("p99", &|one| one.p99), line("mean", &|one| one.mean)];
    if let Some(fit) = fit {
        let rates = (1..200).map(|step| fit.saturation * f64::from(step) / 200.0);
        let points = rates.filter_map(|rate| Some((rate, fit.mean(rate)? * 1e3))).collect();
        lines.push(Line { name: "mean, fitted".to_owned(), points });
    }
    Plot {
        title: "Latency by rate",
        x: "requests a second",
        y: "milliseconds",
        x_scale: Scale::Linear,
        y_scale: Scale::Log,
        lines,
        marks: vec![(capacity.rate, "capacity".to_owned())],
    }
}

fn cores(capacity: &Capacity) -> Plot {
    let points = sorted(capacity).iter().filter_map(|one| Some((one.rate, one.server_cores?))).collect();
    Plot {
        title: "Cores of the server by rate",
        x: "requests a second",
        y: "cores",
        x_scale: Scale::Linear,
        y_scale: Scale::Linear,
        lines: vec![Line { name: "cores".to_owned(), points }],
        marks: Vec::new(),
    }
}
