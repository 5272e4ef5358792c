//! Collects the figures of all runs, and prints them.

mod cell;
mod json;
mod svg;
mod table;

use crate::figures::Figures;
use crate::peer::Kind;
use crate::rows::{Axis, Row, Section};
use anyhow::{Context, Result};
use cell::Cells;
use json::JsonLines;
use std::fs;
use std::path::Path;
use svg::{Line, Plot};

/// Everything measured so far.
pub(crate) struct Report {
    json: Option<JsonLines>,
    rows: Vec<Measured>,
    problems: Vec<String>,
}

/// A row with its runs.
struct Measured {
    row: Row,
    /// For every server its figures by round; a failed round has none.
    runs: Vec<(Kind, Vec<Figures>)>,
}

impl Report {
    pub(crate) fn new(json: Option<&Path>) -> Result<Self> {
        Ok(Self {
            json: json.map(JsonLines::append_to).transpose()?,
            rows: Vec::new(),
            problems: Vec::new(),
        })
    }

    /// Notes something that should not have happened.
    pub(crate) fn problem(&mut self, text: String) {
        eprintln!("problem: {text}");
        self.problems.push(text);
    }

    pub(crate) fn begin(&mut self, row: &Row) {
        self.rows.push(Measured { row: row.clone(), runs: Vec::new() });
    }

    /// Adds a run to the row begun last.
    pub(crate) fn add(&mut self, kind: Kind, round: u32, outcome: Result<Figures>) -> Result<()> {
        let Some(measured) = self.rows.last_mut() else {
            return Ok(());
        };
        let name = measured.row.name.clone();
        if let Some(json) = &mut self.json {
            json.write(&name, kind, round, &outcome)?;
        }
        let (figures, problem) = match outcome {
            Ok(figures) => {
                let problem = faults(&figures);
                (figures, problem)
            }
            Err(error) => (Figures::default(), Some(format!("{error:#}"))),
        };
        match measured.runs.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, rounds)) => rounds.push(figures),
            None => measured.runs.push((kind, vec![figures])),
        }
        if let Some(problem) = problem {
            self.problem(format!("{name}, {kind}, round {}: {problem}", round + 1));
        }
        Ok(())
    }

    /// Says on stderr how the row begun last came out.
    pub(crate) fn progress(&self) {
        if let Some(measured) = self.rows.last() {
            let cells = Cells::of(measured);
            let cell = |(kind, _): &(Kind, _)| format!("  {kind} {}", cells.brief(*kind));
            let cells: String = measured.runs.iter().map(cell).collect();
            eprintln!("{:<20}{cells}", measured.row.name);
        }
    }

    /// Prints a table for every section, and what went wrong.
    pub(crate) fn print(&self) {
        let mut sections: Vec<Section> = Vec::new();
        for measured in &self.rows {
            if !sections.contains(&measured.row.section) {
                sections.push(measured.row.section);
            }
        }
        for section in sections {
            let rows = self.rows.iter().filter(|it| it.row.section == section);
            println!("{}", table::section(section, &rows.collect::<Vec<_>>()));
        }
        if !self.problems.is_empty() {
            println!("Problems:\n");
            self.problems.iter().for_each(|text| println!("* {text}"));
        }
    }

    /// Draws every curve into a file of its own.
    pub(crate) fn draw(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        for axis in Axis::ALL {
            let rows = self.rows.iter().filter(|it| it.row.section == Section::Scale(axis));
            if let Some(text) = drawn(axis, &rows.collect::<Vec<_>>()) {
                let path = folder.join(format!("scale-{}.svg", axis.name()));
                fs::write(&path, text)
                    .with_context(|| format!("cannot write {}", path.display()))?;
            }
        }
        Ok(())
    }

    pub(crate) fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }
}

/// The picture of one curve, if any of its points was measured.
fn drawn(axis: Axis, rows: &[&Measured]) -> Option<String> {
    let line = |kind| {
        let point = |row: &&Measured| Some((axis.value(row.row.work), Cells::of(row).point(kind)?));
        let points: Vec<(f64, f64)> = rows.iter().filter_map(point).collect();
        (!points.is_empty()).then_some(Line { kind, points })
    };
    let lines = Kind::ALL.into_iter().filter_map(line).collect();
    let title = format!("Server CPU per {}", axis.unit());
    Plot { title: &title, across: axis.title(), up: "µs", lines }.svg()
}

/// What a run counted that must be nothing.
fn faults(figures: &Figures) -> Option<String> {
    let found: Vec<String> = ["lost", "out_of_order", "declined"]
        .into_iter()
        .filter_map(|name| {
            let count = figures.value(name).filter(|count| *count != 0.0)?;
            Some(format!("{count} {}", name.replace('_', " ")))
        })
        .collect();
    (!found.is_empty()).then(|| found.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wrong_is_a_fault() {
        let mut figures = Figures::default();
        figures.add("lost", 0.0);
        figures.add("per_s", 7.0);
        assert_eq!(faults(&figures), None);
        figures.add("out_of_order", 2.0);
        figures.add("declined", 1.0);
        assert_eq!(faults(&figures).as_deref(), Some("2 out of order, 1 declined"));
    }
}
