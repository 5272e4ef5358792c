//! Other programs: how they are found, run, and shown as one would type them.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

/// A program with its arguments and the environment it wants on top of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invocation {
    program: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

/// What a program said when it was run with [`Invocation::captured`].
pub(crate) struct Captured {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// Its standard output, then its standard error.
    pub(crate) text: String,
}

impl Invocation {
    /// Splits `line` at blanks: no quoting, so no argument of it may hold one.
    pub(crate) fn new(line: &str) -> Self {
        let mut words = line.split_whitespace().map(str::to_owned);
        Self {
            program: words.next().unwrap_or_default(),
            arguments: words.collect(),
            environment: Vec::new(),
        }
    }

    /// Adds one argument, as it is.
    pub(crate) fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Sets a variable for the program.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs it in `folder`; what it prints goes straight to our own output.
    pub(crate) fn run(&self, folder: &Path) -> Result<()> {
        let status =
            self.prepared(folder).status().with_context(|| format!("cannot start `{self}`"))?;
        if !status.success() {
            bail!("`{self}` ended with {status}");
        }
        Ok(())
    }

    /// Runs it in `folder` and keeps what it prints.
    pub(crate) fn captured(&self, folder: &Path) -> Result<Captured> {
        let output = self
            .prepared(folder)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start `{self}`"))?;
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        Ok(Captured { status: output.status, text })
    }

    /// Whether it can be started and succeeds; prints nothing.
    pub(crate) fn succeeds(&self, folder: &Path) -> bool {
        self.captured(folder).is_ok_and(|captured| captured.status.success())
    }

    fn prepared(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(folder);
        for (name, _) in std::env::vars_os() {
            if is_about_this_package(&name) {
                command.env_remove(name);
            }
        }
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        command
    }
}

impl fmt::Display for Invocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.environment {
            write!(formatter, "{name}={} ", quoted(value))?;
        }
        formatter.write_str(&self.program)?;
        for argument in &self.arguments {
            write!(formatter, " {}", quoted(argument))?;
        }
        Ok(())
    }
}

/// Where `program` is: in `PATH`, or where cargo installs (cargo itself looks there too).
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let cargo_bin = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
        .map(|cargo| cargo.join("bin"));
    std::env::split_paths(&path)
        .chain(cargo_bin)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// `cargo run` describes this package to us in variables; a build started from here that saw them
/// would differ from the same build typed by hand, and be built twice.
fn is_about_this_package(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

fn quoted(word: &str) -> String {
    if word.contains(char::is_whitespace) { format!("\"{word}\"") } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_shown_as_one_would_type_it() {
        let doc = Invocation::new("cargo doc --no-deps")
            .variable("RUSTDOCFLAGS", "-D warnings")
            .argument("--locked");
        assert_eq!(doc.to_string(), "RUSTDOCFLAGS=\"-D warnings\" cargo doc --no-deps --locked");
    }

    #[test]
    fn keeps_what_a_program_prints_and_how_it_ended() {
        let captured = Invocation::new("sh -c")
            .argument("echo out; echo err >&2; exit 3")
            .captured(Path::new("/"))
            .expect("sh is there");
        assert_eq!(captured.text, "out\nerr\n");
        assert_eq!(captured.status.code(), Some(3));
    }

    #[test]
    fn a_failure_names_the_command() {
        let error = Invocation::new("false").run(Path::new("/")).unwrap_err();
        assert_eq!(error.to_string(), "`false` ended with exit status: 1");
        let error = Invocation::new("no-such-program-of-ours -x").run(Path::new("/")).unwrap_err();
        assert_eq!(error.to_string(), "cannot start `no-such-program-of-ours -x`");
    }

    #[test]
    fn finds_programs_on_the_path_only() {
        assert!(find("sh").is_some());
        assert_eq!(find("no-such-program-of-ours"), None);
    }
}
