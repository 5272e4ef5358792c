//! The steps of the gate, as data.

use std::path::Path;

use anyhow::Result;

use super::advisories;
use crate::command::Invocation;
use crate::{fuzz, mutants, repeat, tidy};

/// One step: what it is called and what it does.
pub(crate) struct Step {
    /// One word, unique.
    pub(crate) name: &'static str,
    work: Work,
}

enum Work {
    /// The checks of our own.
    Tidy,
    /// A command, with the flags that it hands to rustdoc.
    Command { line: &'static str, rustdoc_flags: Option<&'static str> },
    /// Known flaws in dependencies, as far as the list of them can be fetched.
    Advisories,
    /// Tests whose subject is time, several times.
    Repeat { times: u32 },
    /// Every fuzz target, for a short time.
    Fuzz { seconds: u32 },
    /// Every bug that can be planted, each with one suite.
    Mutants,
}

/// In order: what takes seconds first.
pub(crate) const STEPS: [Step; 12] = [
    Step { name: "tidy", work: Work::Tidy },
    command("format", "cargo fmt --all --check"),
    command("format-fuzz", "cargo fmt --manifest-path protocol/fuzz/Cargo.toml --check"),
    command("clippy", "cargo clippy --workspace --all-targets --locked -- -D warnings"),
    Step {
        name: "doc",
        work: Work::Command {
            line: "cargo doc --workspace --no-deps --locked",
            rustdoc_flags: Some("-D warnings"),
        },
    },
    // The end-to-end tests run these binaries: same profile as the tests.
    command("build", "cargo build --workspace --bins --examples --locked"),
    command("test", "cargo test --workspace --locked"),
    Step { name: "repeat", work: Work::Repeat { times: 200 } },
    command("deny", "cargo deny check bans licenses sources"),
    Step { name: "advisories", work: Work::Advisories },
    Step { name: "mutants", work: Work::Mutants },
    Step { name: "fuzz", work: Work::Fuzz { seconds: 10 } },
];

const fn command(name: &'static str, line: &'static str) -> Step {
    let work = Work::Command { line, rustdoc_flags: None };
    Step { name, work }
}

impl Step {
    /// What to type to run this step by itself.
    pub(crate) fn alone(&self) -> String {
        match self.work {
            Work::Tidy => "cargo xtask tidy".to_owned(),
            Work::Command { line, rustdoc_flags } => invocation(line, rustdoc_flags).to_string(),
            Work::Advisories => advisories::LINE.to_owned(),
            Work::Repeat { times } => format!("cargo xtask repeat --times {times}"),
            Work::Fuzz { seconds } => format!("cargo xtask fuzz --seconds {seconds}"),
            Work::Mutants => "cargo xtask mutants --quick".to_owned(),
        }
    }

    /// Does the work, in the top folder `root`.
    pub(crate) fn run(&self, root: &Path) -> Result<()> {
        match self.work {
            Work::Tidy => tidy::run(root),
            Work::Command { line, rustdoc_flags } => invocation(line, rustdoc_flags).run(root),
            Work::Advisories => advisories::run(root),
            Work::Repeat { times } => repeat::run(root, &repeat::Arguments::times(times)),
            Work::Fuzz { seconds } => fuzz::run(root, &fuzz::Arguments::short(seconds)),
            Work::Mutants => mutants::run(root, &mutants::Arguments::quick()),
        }
    }
}

fn invocation(line: &str, rustdoc_flags: Option<&str>) -> Invocation {
    let invocation = Invocation::new(line);
    match rustdoc_flags {
        Some(flags) => invocation.variable("RUSTDOCFLAGS", flags),
        None => invocation,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_step_has_a_name_of_its_own() {
        let names: HashSet<&str> = STEPS.iter().map(|step| step.name).collect();
        assert_eq!(names.len(), STEPS.len());
    }

    #[test]
    fn every_step_says_how_to_run_it_alone() {
        let doc = STEPS.iter().find(|step| step.name == "doc").unwrap();
        assert_eq!(
            doc.alone(),
            "RUSTDOCFLAGS=\"-D warnings\" cargo doc --workspace --no-deps --locked"
        );
        let fuzz = STEPS.iter().find(|step| step.name == "fuzz").unwrap();
        assert_eq!(fuzz.alone(), "cargo xtask fuzz --seconds 10");
        assert!(STEPS.iter().all(|step| step.alone().contains("cargo ")));
    }
}
