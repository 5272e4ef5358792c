//! A section of the report as a Markdown table that is also readable as it stands.

use super::Measured;
use super::cell::Cells;
use crate::peer::Kind;
use crate::rows::{Axis, Section};

/// Servers that also have a column for their CPU time as a multiple of another's.
const COMPARED: [(Kind, Kind); 2] =
    [(Kind::Workerman, Kind::Workyard), (Kind::Original, Kind::Workerman)];

/// Servers whose steps along a curve are shown.
const STEPPED: [Kind; 2] = [Kind::Limit, Kind::Workyard];

/// The heading, what the figures are, and the table.
pub(super) fn section(section: Section, rows: &[&Measured]) -> String {
    let kinds: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| {
            let mut runs = rows.iter().flat_map(|row| &row.runs);
            runs.any(|(known, _)| known == kind)
        })
        .collect();
    let has_times = !rows.iter().any(|row| Cells::of(row).is_traced());
    let compared: Vec<(Kind, Kind)> = COMPARED
        .into_iter()
        .filter(|(kind, base)| {
            has_times && is_of_cpu(section) && kinds.contains(kind) && kinds.contains(base)
        })
        .collect();
    let mut head = vec![match section {
        Section::Scale(axis) => axis.title().to_owned(),
        _ => String::new(),
    }];
    head.extend(kinds.iter().map(|kind| kind.title().to_owned()));
    head.extend(compared.iter().map(|(kind, base)| format!("{kind} / {base}")));
    let steps: &[Kind] = match section {
        Section::Scale(_) if has_times => &STEPPED,
        _ => &[],
    };
    let steps: Vec<Kind> = steps.iter().filter(|kind| kinds.contains(kind)).copied().collect();
    head.extend(steps.iter().map(|kind| format!("{kind}, step")));
    let has_goal = has_times && rows.iter().any(|row| row.row.goal.is_some());
    head.extend(has_goal.then(|| "goal".to_owned()));
    head.push("others".to_owned());
    let mut lines = vec![head];
    let mut above = None;
    for row in rows {
        let cells = Cells::of(row);
        let mut line = vec![cells.title()];
        line.extend(kinds.iter().map(|kind| cells.full(*kind)));
        line.extend(compared.iter().map(|(kind, base)| cells.against(*kind, *base)));
        line.extend(steps.iter().map(|kind| cells.step(*kind, above.as_ref())));
        line.extend(has_goal.then(|| cells.goal()));
        line.push(cells.others());
        lines.push(line);
        above = Some(cells);
    }
    let (title, mut unit) = words(section);
    if !has_times {
        "What the server does for each, counted.".clone_into(&mut unit);
    }
    format!("## {title}\n\n{unit}\n\n{}", markdown(&lines))
}

/// Whether the first figure is CPU time.
fn is_of_cpu(section: Section) -> bool {
    matches!(
        section,
        Section::Saturated
            | Section::Paced
            | Section::Keys
            | Section::Jobs
            | Section::Echo
            | Section::Scale(_)
    )
}

fn words(section: Section) -> (String, String) {
    let (title, unit) = match section {
        Section::Saturated => (
            "Publish, saturated",
            "Server CPU in µs per delivery, ratio to the limit [min–max], deliveries per second.",
        ),
        Section::Paced => (
            "Publish, single messages at a fixed rate",
            "Server CPU in µs per delivery, ratio to the limit [min–max], latency p50/p99.",
        ),
        Section::Keys => (
            "Keys, 64 B; connections x requests under way on each",
            "Server CPU in µs per operation, ratio to the limit [min–max], operations per second.",
        ),
        Section::Jobs => (
            "Jobs, stored, handed out and acknowledged",
            "Server CPU in µs per job, jobs per second.",
        ),
        Section::Echo => (
            "Echo by a worker, 64 B and its key; connections x messages under way on each",
            "Server CPU in µs per message, ratio to the limit [min–max], messages per second.",
        ),
        Section::Memory => ("Memory", "Resident bytes of the server for each."),
        Section::Connects => {
            ("Connects", "Connections per second [min–max], server CPU in µs per connection.")
        }
        Section::Latency => (
            "Latency at a fifth of saturation",
            "From when a message or request was due until it arrived or was answered, p50/p99/p99.9, \
             ratios of p50 and p99 to the limit [min–max].",
        ),
        Section::Stalled => (
            "Healthy subscribers beside stalled ones",
            "From when a message was due until it arrived, p50/p99/p99.9 with and without those that \
             stall, ratio of the two p99 [min–max], how much of what was published a stalled one \
             missed, most resident memory of the server.",
        ),
        Section::Scale(axis) => return scale_words(axis),
    };
    (title.to_owned(), unit.to_owned())
}

fn scale_words(axis: Axis) -> (String, String) {
    let unit = axis.unit();
    let text = format!(
        "Server CPU in µs per {unit}, ratio to the limit [min–max], per second; step: the CPU time as a \
         multiple of that of the line above."
    );
    (format!("Scale: {}", axis.title()), text)
}

/// Pads every column to its widest cell.
fn markdown(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or(0).max(3)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        text += &row(line.iter().zip(&widths).map(|(cell, width)| format!(" {cell:<width$} ")));
        if index == 0 {
            text += &row(widths.iter().map(|width| "-".repeat(width + 2)));
        }
    }
    text
}

fn row(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.collect();
    format!("|{}|\n", cells.join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Figures;
    use crate::rows::{Row, Sizes, all};

    #[test]
    fn columns_line_up() {
        let lines =
            [["", "µs"], ["a long title", "1"]].map(|line| line.map(str::to_owned).to_vec());
        let expected = "\
            |              | µs  |\n\
            |--------------|-----|\n\
            | a long title | 1   |\n";
        assert_eq!(markdown(&lines), expected);
    }

    fn row(name: &str) -> Row {
        all(Sizes::FULL).into_iter().find(|row| row.name == name).unwrap()
    }

    fn rounds(values: &[(f64, f64)]) -> Vec<Figures> {
        let figures = |(cpu, rate): &(f64, f64)| {
            let mut figures = Figures::default();
            figures.add("server_cpu_us_each", *cpu);
            figures.add("per_s", *rate);
            figures.add("others_cpu_share", 0.25);
            figures
        };
        values.iter().map(figures).collect()
    }

    /// The cells of the last line.
    fn cells(text: &str) -> Vec<&str> {
        text.lines().last().unwrap().split('|').map(str::trim).collect()
    }

    #[test]
    fn ratios_are_those_of_the_same_round() {
        let measured = Measured {
            row: row("fanout/1x1/64"),
            runs: vec![
                (Kind::Limit, rounds(&[(0.5, 2e6), (1.0, 1e6), (0.5, 2e6)])),
                (Kind::Redis, rounds(&[(1.0, 1e6), (2.2, 5e5), (1.5, 1e6)])),
                (Kind::Nats, vec![Figures::default(); 3]),
            ],
        };
        let text = section(Section::Saturated, &[&measured]);
        assert_eq!(
            cells(&text),
            [
                "",
                "1 -> 1, 64 B",
                "0.500, 2.00M/s",
                "1.50, 2.20x [2.00–3.00], 1.00M/s",
                "–",
                "≤ 5x",
                "0.25",
                ""
            ]
        );
    }

    #[test]
    fn the_other_wire_is_held_against_the_native_one() {
        let measured = Measured {
            row: row("kv/get/50x16"),
            runs: vec![
                (Kind::Workyard, rounds(&[(0.5, 2e6), (1.0, 1e6), (0.5, 2e6)])),
                (Kind::Workerman, rounds(&[(0.75, 1e6), (1.2, 1e6), (0.5, 1e6)])),
                (Kind::Original, rounds(&[(7.5, 1e5), (24.0, 5e4), (4.0, 1e5)])),
            ],
        };
        let text = section(Section::Keys, &[&measured]);
        assert!(text.contains("| workyard, Workerman's wire "));
        assert!(text.contains("| workerman / workyard "));
        assert!(text.contains("| original / workerman "));
        assert_eq!(cells(&text)[5..7], ["1.20x [1.00–1.50]", "10.0x [8.00–20.0]"]);
    }

    fn figures(of: &[(&'static str, f64)]) -> Vec<Figures> {
        let mut figures = Figures::default();
        of.iter().for_each(|(name, value)| figures.add(name, *value));
        vec![figures]
    }

    #[test]
    fn latencies_have_two_ratios_and_the_rate() {
        let run = |p50, p99| {
            let rate = ("published_per_s", 4000.0);
            figures(&[rate, ("p50_us", p50), ("p99_us", p99), ("p999_us", 500.0)])
        };
        let measured = Measured {
            row: row("latency/1x10"),
            runs: vec![(Kind::Limit, run(50.0, 100.0)), (Kind::Workyard, run(55.0, 120.0))],
        };
        let text = section(Section::Latency, &[&measured]);
        let expected =
            ["1 -> 10, 64 B, 4000/s", "50.0/100/500 µs", "55.0/120/500 µs, 1.10x, 1.20x", "≤ 1.2x"];
        assert_eq!(cells(&text)[1..5], expected);
    }

    #[test]
    fn the_stalled_are_held_against_the_same_run_without() {
        let run = figures(&[
            ("p50_us", 100.0),
            ("p99_us", 150.0),
            ("p999_us", 300.0),
            ("without_p50_us", 90.0),
            ("without_p99_us", 120.0),
            ("without_p999_us", 250.0),
            ("stalled_missed_share", 0.75),
            ("whole_peak_rss_mib", 29.2),
        ]);
        let measured = Measured { row: row("stalled/100"), runs: vec![(Kind::Workyard, run)] };
        let text = section(Section::Stalled, &[&measured]);
        let expected = "100/150/300 µs, without 90.0/120/250 µs, 1.25x, 75 % missed, 29 MiB";
        assert_eq!(cells(&text)[2..4], [expected, "≤ 1.2x"]);
    }

    #[test]
    fn a_curve_has_steps() {
        let point = |name: &str, cpu| Measured {
            row: row(name),
            runs: vec![(Kind::Workyard, figures(&[("server_cpu_us_each", cpu), ("per_s", 1e6)]))],
        };
        let points = [point("scale/keys/1000", 0.5), point("scale/keys/10000", 0.75)];
        let text = section(points[0].row.section, &points.each_ref());
        assert!(text.contains("| keys, 64 B each |"));
        assert_eq!(cells(&text)[1..5], ["10000", "0.750, 1.00M/s", "1.50x", "–"]);
    }

    #[test]
    fn counted_calls_take_the_place_of_times() {
        let run = figures(&[
            ("server_cpu_us_each", 9.0),
            ("reads_each", 1.0),
            ("writes_each", 0.0005),
            ("waits_each", 0.02),
            ("wakes_each", 0.0),
            ("other_calls_each", 0.0),
        ]);
        let runs = vec![(Kind::Workyard, run)];
        let text = section(Section::Keys, &[&Measured { row: row("kv/get/1x1"), runs }]);
        assert!(text.contains("counted") && !text.contains("goal"));
        assert_eq!(cells(&text)[2], "1.00 read, 0.00050 write, 0.020 wait");
    }
}
