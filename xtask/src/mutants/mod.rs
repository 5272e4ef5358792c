//! `cargo xtask mutants`: plants bugs, one at a time, and demands that the tests find each.

mod list;
mod verdict;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::command::Invocation;
use list::{MUTANTS, Mutant, SUITES, Suite};
use verdict::Verdict;

/// Which bugs are planted.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Bugs to plant; all of them when none is named
    names: Vec<String>,
    /// Try each with the first suite of its list only, which is the fastest
    #[arg(long)]
    quick: bool,
}

impl Arguments {
    /// Every bug, each with one suite.
    pub(crate) fn quick() -> Self {
        Self { names: Vec::new(), quick: true }
    }

    /// The suites to try a bug with.
    fn suites(&self, mutant: &Mutant) -> impl Iterator<Item = &'static Suite> {
        let count = if self.quick { 1 } else { mutant.found_by.len() };
        let names = mutant.found_by.iter().take(count);
        names.filter_map(|name| SUITES.iter().find(|suite| suite.name == *name))
    }
}

/// Builds once with all bugs asleep, makes sure that everything passes, then wakes each in turn.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    let mutants = chosen(&arguments.names)?;
    let wanted = |suite: &&Suite| {
        let mut all = mutants.iter().flat_map(|mutant| arguments.suites(mutant));
        all.any(|it| it.name == suite.name)
    };
    let suites: Vec<&Suite> = SUITES.iter().filter(wanted).collect();
    let folder = target(root);
    build(root, &folder, &suites)?;
    for suite in suites {
        let verdict = tried(root, &folder, suite, None)?;
        ensure!(verdict == Verdict::Passed, "{} fails without a bug: {verdict:?}", suite.name);
    }
    let mut found = 0;
    let mut missed = Vec::new();
    for mutant in mutants {
        for suite in arguments.suites(mutant) {
            let began = Instant::now();
            let verdict = tried(root, &folder, suite, Some(mutant.name))?;
            println!("{}", line(mutant, suite, &verdict, began.elapsed()));
            match verdict {
                Verdict::Found(_) => found += 1,
                _ => missed.push(format!("{} by {}", mutant.name, suite.name)),
            }
        }
    }
    ensure!(missed.is_empty(), "not found: {}", missed.join(", "));
    println!("bugs that were planted and found, by one suite each time: {found}");
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<&'static Mutant>> {
    if let Some(unknown) = names.iter().find(|name| MUTANTS.iter().all(|it| it.name != **name)) {
        let all: Vec<_> = MUTANTS.iter().map(|mutant| mutant.name).collect();
        bail!("there is no bug `{unknown}`; there are: {}", all.join(" "));
    }
    let wanted = |mutant: &&Mutant| names.is_empty() || names.iter().any(|it| it == mutant.name);
    Ok(MUTANTS.iter().filter(wanted).collect())
}

/// A folder of its own, so that nobody runs what was built here by mistake.
fn target(root: &Path) -> String {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    target.join("planted").display().to_string()
}

/// Everything that the suites need, the daemons among it.
fn build(root: &Path, folder: &str, suites: &[&Suite]) -> Result<()> {
    planted(
        "cargo build --locked -p workyard-channel-server -p workyard-globaldata-server",
        folder,
    )
    .run(root)?;
    suites.iter().try_for_each(|suite| {
        let line = format!("cargo test --locked --quiet --no-run {}", suite.tests);
        planted(&line, folder).run(root)
    })
}

/// Runs a suite, with a bug or without.
fn tried(root: &Path, folder: &str, suite: &Suite, bug: Option<&str>) -> Result<Verdict> {
    let line = format!("cargo test --locked {} -- {}", suite.tests, suite.filter);
    let invocation = planted(&line, folder)
        .variable("WORKYARD_PLANTED", bug.unwrap_or_default())
        // That it fails is enough: nobody reads the least case, and none is to be kept.
        .variable("PROPTEST_MAX_SHRINK_ITERS", "0")
        .variable("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true");
    let captured = invocation.captured(root)?;
    Ok(Verdict::of(captured.status.success(), &captured.text))
}

fn planted(line: &str, folder: &str) -> Invocation {
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    Invocation::new(line)
        .variable("RUSTFLAGS", format!("{flags} --cfg planted").trim_start())
        // A second copy of everything: no more of it than what runs.
        .variable("CARGO_PROFILE_DEV_DEBUG", "0")
        .variable("CARGO_INCREMENTAL", "0")
        .variable("CARGO_TARGET_DIR", folder)
}

/// One line of the table.
fn line(mutant: &Mutant, suite: &Suite, verdict: &Verdict, taken: Duration) -> String {
    let (name, suite, seconds) = (mutant.name, suite.name, taken.as_secs_f64());
    let what = match verdict {
        Verdict::Passed => "NOT FOUND".to_owned(),
        Verdict::Unclear => "NOT FOUND: the suite did not run".to_owned(),
        Verdict::Found(tests) => {
            let others = match tests.len() {
                1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            format!("{}{others}", tests[0])
        }
    };
    format!("{name:34}  {suite:14}  {seconds:5.1} s  {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_bug_and_the_first_test_that_found_it() {
        let mutant = Mutant { name: "job-is-lost", found_by: &["broker"] };
        let suite = Suite { name: "broker", tests: "-p broker", filter: "" };
        let found = Verdict::Found(vec!["jobs::one".to_owned(), "jobs::two".to_owned()]);
        assert_eq!(
            line(&mutant, &suite, &found, Duration::from_millis(1500)),
            "job-is-lost                         broker            1.5 s  jobs::one and 1 more"
        );
        assert!(line(&mutant, &suite, &Verdict::Passed, Duration::ZERO).ends_with("NOT FOUND"));
    }

    #[test]
    fn quickly_each_is_tried_with_the_first_of_its_suites() {
        let mutant = Mutant { name: "job-is-lost", found_by: &["broker", "channels"] };
        let names = |quick| {
            let arguments = Arguments { names: Vec::new(), quick };
            arguments.suites(&mutant).map(|suite| suite.name).collect::<Vec<_>>()
        };
        assert_eq!(names(true), ["broker"]);
        assert_eq!(names(false), ["broker", "channels"]);
    }

    #[test]
    fn an_unknown_bug_is_named_with_those_that_there_are() {
        let error = chosen(&["no-such-bug".to_owned()]).unwrap_err().to_string();
        assert!(error.starts_with("there is no bug `no-such-bug`; there are: "), "{error}");
        assert!(error.contains(MUTANTS[0].name), "{error}");
        let [one] = chosen(&[MUTANTS[1].name.to_owned()]).unwrap()[..] else { panic!() };
        assert_eq!(one.name, MUTANTS[1].name);
    }
}
