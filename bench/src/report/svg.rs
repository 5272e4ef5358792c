//! Curves as pictures: both axes logarithmic, so that a doubling has one height wherever it is. Colours are
//! of middle lightness, on no background, so that they can be seen on a light page and on a dark one.

use super::cell::short;
use crate::peer::Kind;
use std::ops::RangeInclusive;

/// What is drawn.
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    /// What grows to the right, and upwards.
    pub(super) across: &'a str,
    pub(super) up: &'a str,
    pub(super) lines: Vec<Line>,
}

/// The points of one server, from left to right.
pub(super) struct Line {
    pub(super) kind: Kind,
    pub(super) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;

/// The edges of the drawing within the picture.
const LEFT: f64 = 76.0;
const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 72.0;
const BOTTOM: f64 = HEIGHT - 60.0;

const INK: &str = "#7d8590";

impl Plot<'_> {
    /// The file's text; nothing when there is nothing to draw.
    pub(super) fn svg(&self) -> Option<String> {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let across = Scale::around(points().map(|(x, _)| *x), LEFT..=RIGHT)?;
        let up = Scale::around(points().map(|(_, y)| *y), BOTTOM..=TOP)?;
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             font-family=\"sans-serif\" font-size=\"13\" fill=\"{INK}\">\n<title>{}</title>\n",
            escaped(self.title)
        );
        text += &label(LEFT, 22.0, "start", self.title, " font-weight=\"bold\"");
        self.put_grid(&across, &up, &mut text);
        let mut legend = LEFT;
        for line in &self.lines {
            legend = put_legend(legend, line.kind, &mut text);
            put_line(line, &across, &up, &mut text);
        }
        text += "</svg>\n";
        Some(text)
    }

    fn put_grid(&self, across: &Scale, up: &Scale, text: &mut String) {
        for value in across.ticks() {
            let x = across.place(value);
            *text += &stroke((x, TOP), (x, BOTTOM));
            *text += &label(x, BOTTOM + 20.0, "middle", &tick(value), "");
        }
        for value in up.ticks() {
            let y = up.place(value);
            *text += &stroke((LEFT, y), (RIGHT, y));
            *text += &label(LEFT - 8.0, y + 4.0, "end", &tick(value), "");
        }
        let middle = f64::midpoint(LEFT, RIGHT);
        *text += &label(middle, HEIGHT - 14.0, "middle", self.across, "");
        let (x, y) = (18.0, f64::midpoint(TOP, BOTTOM));
        let turned = format!(" transform=\"rotate(-90 {x} {y:.1})\"");
        *text += &label(x, y, "middle", self.up, &turned);
    }
}

/// Where values lie between two edges.
struct Scale {
    /// Decimal logarithms of the outermost values.
    from: f64,
    to: f64,
    edges: RangeInclusive<f64>,
}

impl Scale {
    /// One that holds all values, which are positive, and ends at ticks.
    fn around(
        values: impl Iterator<Item = f64> + Clone,
        edges: RangeInclusive<f64>,
    ) -> Option<Self> {
        let logs = values.filter(|value| *value > 0.0).map(f64::log10);
        let from = logs.clone().reduce(f64::min)?;
        let to = logs.reduce(f64::max)?;
        let ticks = || {
            let decades = from.floor() as i32..=to.ceil() as i32;
            decades.flat_map(|decade| STEPS.map(|step| f64::from(decade) + step.log10()))
        };
        let from = ticks().rfind(|tick| *tick <= from + ROUNDING)?;
        let to = ticks().find(|tick| *tick >= to - ROUNDING)?;
        // A single value is not at both edges at once.
        let to = if to - from < 0.1 { from + 1.0 } else { to };
        Some(Self { from, to, edges })
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value.log10() - self.from) / (self.to - self.from);
        self.edges.start() + share * (self.edges.end() - self.edges.start())
    }

    /// Whole decades, or steps within them where there are few.
    fn ticks(&self) -> Vec<f64> {
        const DECADES_FEW: f64 = 2.5;
        let steps: &[f64] = if self.to - self.from < DECADES_FEW { &STEPS } else { &STEPS[..1] };
        let decades = self.from.floor() as i32..=self.to.ceil() as i32;
        let all =
            decades.flat_map(|decade| steps.iter().map(move |step| step * 10f64.powi(decade)));
        let is_within =
            |value: &f64| (self.from - ROUNDING..=self.to + ROUNDING).contains(&value.log10());
        all.filter(is_within).collect()
    }
}

/// Ticks within a decade.
const STEPS: [f64; 3] = [1.0, 2.0, 5.0];

/// What logarithms of ticks may be beside them.
const ROUNDING: f64 = 1e-9;

/// Names a server behind a dot of its colour, from `x` on, and returns where the next one may begin.
fn put_legend(x: f64, kind: Kind, text: &mut String) -> f64 {
    const Y: f64 = 48.0;
    const LETTER: f64 = 7.0;
    let (dot, colour) = (x + 5.0, colour(kind));
    *text +=
        &format!("<circle cx=\"{dot:.1}\" cy=\"{:.1}\" r=\"5\" fill=\"{colour}\"/>\n", Y - 4.0);
    *text += &label(x + 15.0, Y, "start", kind.title(), "");
    x + 36.0 + kind.title().chars().count() as f64 * LETTER
}

fn put_line(line: &Line, across: &Scale, up: &Scale, text: &mut String) {
    let colour = colour(line.kind);
    let places: Vec<(f64, f64)> =
        line.points.iter().map(|(x, y)| (across.place(*x), up.place(*y))).collect();
    let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let path = path.join(" ");
    *text += &format!(
        "<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\"/>\n"
    );
    for ((x, y), (_, value)) in places.iter().zip(&line.points) {
        let said = escaped(&format!("{}: {} µs", line.kind.title(), short(*value)));
        *text += &format!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"><title>{said}</title></circle>\n"
        );
    }
}

fn colour(kind: Kind) -> &'static str {
    match kind {
        Kind::Limit => "#8b949e",
        Kind::Workyard => "#2f81f7",
        Kind::Workerman => "#1aa3a3",
        Kind::Original => "#a371f7",
        Kind::Redis => "#e5534b",
        Kind::Nats => "#46954a",
        Kind::Memcached => "#c69026",
    }
}

fn stroke((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> String {
    format!(
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{INK}\" \
         stroke-opacity=\"0.3\"/>\n"
    )
}

fn label(x: f64, y: f64, anchor: &str, words: &str, more: &str) -> String {
    let words = escaped(words);
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\"{more}>{words}</text>\n")
}

/// A round number as people write it.
fn tick(value: f64) -> String {
    match value {
        millions if millions >= 1e6 => format!("{}M", (millions / 1e6).round()),
        thousands if thousands >= 1e3 => format!("{}k", (thousands / 1e3).round()),
        ones if ones >= 1.0 => format!("{}", ones.round()),
        small => format!("{small:.4}").trim_end_matches('0').to_owned(),
    }
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(lines: Vec<Line>) -> Option<String> {
        Plot { title: "get & <set>", across: "keys", up: "µs", lines }.svg()
    }

    #[test]
    fn nothing_is_not_drawn() {
        assert_eq!(plot(Vec::new()), None);
        assert_eq!(plot(vec![Line { kind: Kind::Limit, points: Vec::new() }]), None);
    }

    #[test]
    fn every_server_has_a_line_and_every_value_a_point() {
        let lines = [Kind::Limit, Kind::Workyard]
            .map(|kind| Line { kind, points: vec![(1.0, 0.5), (1000.0, 0.031), (1e6, 4.0)] });
        let text = plot(lines.into()).unwrap();
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
        assert!(text.contains("<title>get &amp; &lt;set&gt;</title>"));
        assert_eq!(text.matches("<polyline ").count(), 2);
        assert_eq!(text.matches("r=\"4\"").count(), 6);
        for word in ["limit", "workyard", ">1<", ">1k<", ">1M<", ">0.1<", ">keys<", ">µs<"] {
            assert!(text.contains(word), "{word}");
        }
        assert!(!text.contains("NaN") && !text.contains("inf"));
    }

    #[test]
    fn a_scale_ends_at_ticks_around_the_values() {
        for (values, ticks) in [
            (vec![1.0, 1000.0], vec![1.0, 10.0, 100.0, 1000.0]),
            (vec![0.3, 1.9], vec![0.2, 0.5, 1.0, 2.0]),
            (vec![3.0, 7.0], vec![2.0, 5.0, 10.0]),
            (vec![5.0], vec![5.0, 10.0, 20.0, 50.0]),
        ] {
            let scale = Scale::around(values.iter().copied(), 0.0..=100.0).unwrap();
            let found = scale.ticks();
            assert_eq!(found.len(), ticks.len(), "{found:?}");
            for (found, tick) in found.iter().zip(&ticks) {
                assert!((found / tick - 1.0).abs() < 1e-9, "{found} {tick}");
            }
            assert!(scale.place(ticks[0]).abs() < 1e-6);
            assert!((scale.place(*ticks.last().unwrap()) - 100.0).abs() < 1e-6);
        }
        assert_eq!([0.002, 0.5, 2.0, 5e4, 1e7].map(tick), ["0.002", "0.5", "2", "50k", "10M"]);
    }
}
