//! `cargo xtask fuzz`: the decoders of the protocol, fed with made-up bytes by libFuzzer.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::command::Invocation;

const FUZZ_DIR: &str = "protocol/fuzz";
/// A decoder that needs this much memory for one frame has lost its limits.
const MEMORY_MIB_MAX: u32 = 512;
/// A decoder that needs this long for one input hangs.
const INPUT_SECONDS_MAX: u32 = 1;
/// How much of a failed run is shown.
const FAILURE_LINES_MAX: usize = 120;

/// Which targets, how long, and what becomes of what they find.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long each target runs; those of PHP's format run six times as long
    #[arg(long, default_value_t = 60, value_name = "N")]
    seconds: u32,
    /// Add inputs that reach new code to protocol/fuzz/corpus
    #[arg(long)]
    keep: bool,
    /// Targets to run; all of them when none is named
    targets: Vec<String>,
}

impl Arguments {
    /// Every target for `seconds`, keeping nothing.
    pub(crate) fn short(seconds: u32) -> Self {
        Self { seconds, keep: false, targets: Vec::new() }
    }
}

/// Runs the targets one after the other; the first finding ends it.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    check_lock_file(root)?;
    let targets = chosen(&all_targets(root)?, &arguments.targets)?;
    build(root, &arguments.targets)?;
    let finds = Finds::create()?;
    for target in &targets {
        let seconds = arguments.seconds * patience(target);
        let executions = fuzz(root, target, seconds, arguments.keep, &finds.folder(target)?)?;
        println!("{}", summary(target, executions, seconds));
    }
    println!("targets that ran: {}; none found anything", targets.len());
    Ok(())
}

/// Writes one example of everything to the corpus; what fuzzing found there stays.
pub(crate) fn write_corpus(root: &Path) -> Result<()> {
    Invocation::new("cargo run --quiet --locked --example seeds --manifest-path")
        .argument(format!("{FUZZ_DIR}/Cargo.toml"))
        .run(root)
}

/// cargo-fuzz has no `--locked`: without this a stale lock file would be rewritten silently.
fn check_lock_file(root: &Path) -> Result<()> {
    let fetch = format!("cargo fetch --quiet --manifest-path {FUZZ_DIR}/Cargo.toml");
    Invocation::new(&fetch)
        .argument("--locked")
        .run(root)
        .with_context(|| format!("{FUZZ_DIR}/Cargo.lock may be stale: to renew it, `{fetch}`"))
}

fn all_targets(root: &Path) -> Result<Vec<String>> {
    let listed = cargo_fuzz("list").captured(root)?;
    ensure!(listed.status.success(), "{}", listed.text);
    Ok(listed.text.lines().map(str::to_owned).collect())
}

/// How many times as long a target runs: PHP's format is a grammar, with more to find than in a frame.
fn patience(target: &str) -> u32 {
    if target.starts_with("php_") { 6 } else { 1 }
}

/// The named ones, in the order named, or all; never none.
fn chosen(all: &[String], named: &[String]) -> Result<Vec<String>> {
    ensure!(!all.is_empty(), "there is no fuzz target in {FUZZ_DIR}");
    if let Some(unknown) = named.iter().find(|name| !all.contains(name)) {
        bail!("there is no fuzz target `{unknown}`; there are: {}", all.join(" "));
    }
    Ok(if named.is_empty() { all } else { named }.to_vec())
}

/// Builds the named targets, or all of them at once.
fn build(root: &Path, named: &[String]) -> Result<()> {
    if named.is_empty() {
        return cargo_fuzz("build").run(root);
    }
    named.iter().try_for_each(|target| cargo_fuzz("build").argument(target).run(root))
}

/// Runs one target and says how many inputs it tried. New inputs go to `finds`.
fn fuzz(root: &Path, target: &str, seconds: u32, keep: bool, finds: &Path) -> Result<u64> {
    let corpus = format!("{FUZZ_DIR}/corpus/{target}");
    if keep {
        std::fs::create_dir_all(root.join(&corpus))?;
    }
    let folders: Vec<String> = [finds.display().to_string(), corpus]
        .into_iter()
        .filter(|folder| root.join(folder).is_dir())
        .collect();
    let captured = with_flags(target, &folders, seconds).captured(root)?;
    if !captured.status.success() {
        eprintln!("{}", last_lines(&captured.text, FAILURE_LINES_MAX));
        bail!("fuzz target `{target}` found something: {}", captured.status);
    }
    let executions = executions(&captured.text).unwrap_or_default();
    ensure!(executions > 0, "fuzz target `{target}` ran nothing");
    if keep {
        merge(root, target, finds)?;
    }
    Ok(executions)
}

/// libFuzzer writes to the first folder and only reads the others.
fn with_flags(target: &str, folders: &[String], seconds: u32) -> Invocation {
    let mut invocation = cargo_fuzz("run").argument(target);
    for folder in folders {
        invocation = invocation.argument(folder);
    }
    invocation
        .argument("--")
        .argument(format!("-max_total_time={seconds}"))
        .argument(format!("-rss_limit_mb={MEMORY_MIB_MAX}"))
        .argument(format!("-timeout={INPUT_SECONDS_MAX}"))
        .argument("-print_final_stats=1")
}

/// Copies those finds into the corpus that reach code which the corpus does not.
fn merge(root: &Path, target: &str, finds: &Path) -> Result<()> {
    let merged = cargo_fuzz("run")
        .argument(target)
        .argument(format!("{FUZZ_DIR}/corpus/{target}"))
        .argument(finds.display().to_string())
        .argument("--")
        .argument("-merge=1")
        .captured(root)?;
    ensure!(merged.status.success(), "{}", merged.text);
    Ok(())
}

/// AddressSanitizer is a flag of the nightly compiler; the variable lets a stable one take it.
fn cargo_fuzz(command: &str) -> Invocation {
    Invocation::new("cargo fuzz")
        .argument(command)
        .argument("--fuzz-dir")
        .argument(FUZZ_DIR)
        .variable("RUSTC_BOOTSTRAP", "1")
}

/// Reads libFuzzer's closing statistics.
fn executions(text: &str) -> Option<u64> {
    text.lines()
        .rev()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .and_then(|number| number.trim().parse().ok())
}

fn summary(target: &str, executions: u64, seconds: u32) -> String {
    format!("fuzz {target}: {executions} executions in {seconds} s, nothing found")
}

fn last_lines(text: &str, max: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(max)..].join("\n")
}

/// A temporary folder for new inputs, gone when dropped.
struct Finds(PathBuf);

impl Finds {
    fn create() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("workyard-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(Self(folder))
    }

    fn folder(&self, target: &str) -> Result<PathBuf> {
        let folder = self.0.join(target);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

impl Drop for Finds {
    fn drop(&mut self) {
        // Nothing is lost when this fails but some room in the temporary folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn all_targets_run_unless_some_are_named() {
        let all = words("frame hello pattern");
        assert_eq!(chosen(&all, &[]).unwrap(), all);
        assert_eq!(chosen(&all, &words("hello")).unwrap(), words("hello"));
        assert_eq!(
            chosen(&all, &words("hullo")).unwrap_err().to_string(),
            "there is no fuzz target `hullo`; there are: frame hello pattern"
        );
        assert!(chosen(&[], &[]).is_err());
    }

    #[test]
    fn the_corpus_of_the_repository_is_only_read() {
        let folders = words("/tmp/finds protocol/fuzz/corpus/frame");
        assert_eq!(
            with_flags("frame", &folders, 10).to_string(),
            "RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir protocol/fuzz frame /tmp/finds \
             protocol/fuzz/corpus/frame -- -max_total_time=10 -rss_limit_mb=512 -timeout=1 \
             -print_final_stats=1"
        );
    }

    #[test]
    fn executions_are_read_from_the_closing_statistics() {
        let text =
            "Done 20 runs in 1 second(s)\nstat::number_of_executed_units: 1234\nstat::x: 1\n";
        assert_eq!(executions(text), Some(1234));
        assert_eq!(executions("INFO: Running\n"), None);
    }

    #[test]
    fn the_end_of_a_failure_is_shown() {
        assert_eq!(last_lines("a\nb\nc\n", 2), "b\nc");
        assert_eq!(last_lines("a\n", 2), "a");
    }
}
