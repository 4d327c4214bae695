//! Plots as SVG, drawn by hand: no script, no font, no address outside the file.

use std::fmt::Write as _;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 36.0;
/// Dark enough on white, and told apart by the colour-blind (Okabe and Ito).
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

/// One line of a plot.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// A scale of one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    Linear,
    /// Powers of ten; what is not above 0 is not drawn.
    Log,
    /// Percentiles: 90, 99, 99.9 … are as far from each other.
    Percentile,
}

/// A plot.
pub(super) struct Plot {
    pub(super) title: &'static str,
    pub(super) x: &'static str,
    pub(super) y: &'static str,
    pub(super) x_scale: Scale,
    pub(super) y_scale: Scale,
    pub(super) lines: Vec<Line>,
    /// Vertical marks with names.
    pub(super) marks: Vec<(f64, String)>,
}

struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn new(scale: Scale, values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let placed = values.filter_map(|value| place(scale, value));
        let (low, high) = placed.fold((f64::MAX, f64::MIN), |(low, high), at| (low.min(at), high.max(at)));
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        let (low, high) = match scale {
            Scale::Linear => (low.min(0.0), if high <= low.min(0.0) { low + 1.0 } else { high }),
            Scale::Log => (low.floor(), high.ceil().max(low.floor() + 1.0)),
            Scale::Percentile => (0.0, high.max(1.0)),
        };
        Self { scale, low, high, from, to }
    }

    fn at(&self, value: f64) -> Option<f64> {
        let part = (place(self.scale, value)? - self.low) / (self.high - self.low);
        Some(self.from + part * (self.to - self.from))
    }

    fn ticks(&self) -> Vec<(f64, String)> {
        match self.scale {
            Scale::Linear => {
                let step = step((self.high - self.low) / 5.0);
                let count = ((self.high - self.low) / step).floor() as i64;
                (0..=count)
                    .map(|at| self.low + at as f64 * step)
                    .map(|value| (value, number(value)))
                    .collect()
            }
            Scale::Log => (self.low as i32..=self.high as i32)
                .map(|power| 10_f64.powi(power))
                .map(|value| (value, number(value)))
                .collect(),
            Scale::Percentile => {
                let all = [
                    (0.0, "0"),
                    (0.5, "50"),
                    (0.9, "90"),
                    (0.99, "99"),
                    (0.999, "99.9"),
                    (0.9999, "99.99"),
                    (0.99999, "99.999"),
                ];
                let shown = all
                    .into_iter()
                    .filter(|(share, _)| place(self.scale, *share).is_some_and(|at| at <= self.high));
                shown.map(|(share, text)| (share, text.to_owned())).collect()
            }
        }
    }
}

fn place(scale: Scale, value: f64) -> Option<f64> {
    match scale {
        Scale::Linear => value.is_finite().then_some(value),
        Scale::Log => (value > 0.0).then(|| value.log10()),
        Scale::Percentile => (value < 1.0).then(|| -(1.0 - value).log10()),
    }
}

/// 1, 2 or 5 times a power of ten.
fn step(about: f64) -> f64 {
    let power = 10_f64.powf(about.max(f64::MIN_POSITIVE).log10().floor());
    let times = [1.0, 2.0, 5.0, 10.0].into_iter().find(|times| times * power >= about * 0.999);
    times.unwrap_or(10.0) * power
}

fn number(value: f64) -> String {
    if value.abs() >= 1e6 {
        format!("{:.1}M", value / 1e6)
    } else if value.abs() >= 1e4 {
        format!("{:.0}k", value / 1e3)
    } else if (value - value.round()).abs() < 1e-9 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}").trim_end_matches('0').to_owned()
    }
}

impl Plot {
    /// Its SVG, with a title above it.
    pub(super) fn svg(&self) -> String {
        let xs = self.lines.iter().flat_map(|line| line.points.iter().map(|point| point.0));
        let ys = self.lines.iter().flat_map(|line| line.points.iter().map(|point| point.1));
        let x = Axis::new(self.x_scale, xs, LEFT, WIDTH - RIGHT);
        let y = Axis::new(self.y_scale, ys, HEIGHT - BOTTOM, TOP);
        let mut svg = format!(
            "<figure><figcaption>{}</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            escaped(self.title),
            escaped(self.title)
        );
        // Writing to a string cannot fail.
        let _ = self.draw(&mut svg, &x, &y);
        svg.push_str("</svg></figure>\n");
        svg
    }

    fn draw(&self, svg: &mut String, x: &Axis, y: &Axis) -> std::fmt::Result {
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        for (value, text) in y.ticks() {
            let Some(at) = y.at(value) else { continue };
            write!(svg, "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>")?;
            write!(
                svg,
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
                LEFT - 6.0,
                at + 4.0
            )?;
        }
        for (value, text) in x.ticks() {
            let Some(at) = x.at(value) else { continue };
            write!(svg, "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>")?;
            write!(svg, "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{text}</text>", bottom + 14.0)?;
        }
        for (value, name) in &self.marks {
            let Some(at) = x.at(*value) else { continue };
            write!(svg, "<line class=\"mark\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>")?;
            write!(
                svg,
                "<text class=\"mark\" x=\"{:.1}\" y=\"{}\">{}</text>",
                at + 3.0,
                TOP + 9.0,
                escaped(name)
            )?;
        }
        let middle = f64::midpoint(LEFT, right);
        write!(
            svg,
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            HEIGHT - 5.0,
            escaped(self.x)
        )?;
        let across = f64::midpoint(TOP, bottom);
        write!(
            svg,
            "<text transform=\"translate(12 {across}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            escaped(self.y)
        )?;
        for (at, line) in self.lines.iter().enumerate() {
            let colour = COLOURS.get(at % COLOURS.len()).copied().unwrap_or("black");
            let points = line.points.iter().filter_map(|(a, b)| Some((x.at(*a)?, y.at(*b)?)));
            let mut path = String::new();
            for (a, b) in points {
                write!(path, "{a:.1},{b:.1} ")?;
            }
            write!(svg, "<polyline stroke=\"{colour}\" points=\"{}\"/>", path.trim_end())?;
            let row = TOP + 8.0 + 16.0 * at as f64;
            let from = right + 10.0;
            write!(
                svg,
                "<line x1=\"{from}\" x2=\"{}\" y1=\"{row}\" y2=\"{row}\" stroke=\"{colour}\" stroke-width=\"3\"/>",
                from + 18.0
            )?;
            write!(svg, "<text x=\"{}\" y=\"{}\">{}</text>", from + 24.0, row + 4.0, escaped(&line.name))?;
        }
        Ok(())
    }
}

/// Text for HTML and its attributes.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        for (about, step_) in [(0.9, 1.0), (1.1, 2.0), (30.0, 50.0), (600.0, 1000.0), (0.004, 0.005)] {
            assert!((step(about) / step_ - 1.0).abs() < 1e-9, "{about} {}", step(about));
        }
    }

    #[test]
    fn names_do_not_break_out() {
        let line = Line { name: "<script>\"&".to_owned(), points: vec![(0.0, 1.0), (1.0, 10.0)] };
        let plot = Plot {
            title: "t",
            x: "x",
            y: "y",
            x_scale: Scale::Linear,
            y_scale: Scale::Log,
            lines: vec![line],
            marks: Vec::new(),
        };
        let svg = plot.svg();
        assert!(svg.contains("&lt;script&gt;&quot;&amp;") && !svg.contains("<script>"), "{svg}");
        assert!(svg.contains("points=\"64.0,204.0 710.0,14.0\""), "{svg}");
    }
}
