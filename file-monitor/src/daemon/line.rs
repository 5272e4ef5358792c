//! A command to run: words, never seen by a shell unless one is asked for.

use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tokio::process::Command;

/// What stands for the changed files.
const CHANGED: &str = "{changed}";

/// Paths that one command gets at most; for more it is run again.
const PATHS_MAX: usize = 1000;
/// Bytes of these paths; Linux takes 128 KiB in one word and some 2 MiB in all.
const PATH_BYTES_MAX: usize = 256 * 1024;

/// A command as it is written: `"php -l {changed}"`, `["php", "-l", "{changed}"]`, or
/// `{ shell = "make && make install" }`, which gets the files as `"$@"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub(crate) struct Line {
    what: What,
    /// Where it is run; the current directory if not set.
    directory: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Words(Vec<String>),
    Shell(String),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "a command is a text, a list of words, or { shell = \"...\" }")]
enum Written {
    Text(String),
    Words(Vec<String>),
    Shell(Shell),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shell {
    shell: String,
}

/// A command that cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineError {
    #[error("the command is empty")]
    Empty,
    #[error("the command has a quote that is not closed")]
    Quote,
    #[error("{{changed}} must be a word of its own, as a file becomes one: not as in {0:?}")]
    Within(String),
    #[error("a shell gets the files as \"$@\", not as {{changed}}")]
    InShell,
}

impl TryFrom<Written> for Line {
    type Error = LineError;

    fn try_from(written: Written) -> Result<Self, LineError> {
        match written {
            Written::Text(text) => text.parse(),
            Written::Words(words) => Self::words(words),
            Written::Shell(Shell { shell }) if shell.contains(CHANGED) => Err(LineError::InShell),
            Written::Shell(Shell { shell }) => Ok(What::Shell(shell).into()),
        }
    }
}

impl From<Line> for Written {
    fn from(line: Line) -> Self {
        match line.what {
            What::Words(words) => Self::Words(words),
            What::Shell(shell) => Self::Shell(Shell { shell }),
        }
    }
}

impl From<What> for Line {
    fn from(what: What) -> Self {
        Self { what, directory: None }
    }
}

impl FromStr for Line {
    type Err = LineError;

    fn from_str(text: &str) -> Result<Self, LineError> {
        Self::words(split(text)?)
    }
}

impl Line {
    pub(crate) fn words(words: Vec<String>) -> Result<Self, LineError> {
        let within = |word: &&String| *word != CHANGED && word.contains(CHANGED);
        if let Some(word) = words.iter().find(within) {
            return Err(LineError::Within(word.clone()));
        }
        match words.first() {
            Some(program) if !program.is_empty() => Ok(What::Words(words).into()),
            _ => Err(LineError::Empty),
        }
    }

    /// Has it run in this directory.
    pub(crate) fn run_in(&mut self, directory: PathBuf) {
        self.directory = Some(directory);
    }

    /// Whether changed files are among its words.
    pub(crate) fn is_about_files(&self) -> bool {
        matches!(&self.what, What::Words(words) if words.iter().any(|word| word == CHANGED))
    }

    /// Whether the files are named to it.
    pub(crate) fn names_files(&self) -> bool {
        match &self.what {
            What::Words(words) => words.iter().any(|word| word == CHANGED),
            What::Shell(_) => true,
        }
    }

    /// The commands that do it for these files: one, or several when there are many files or when
    /// `each` gets one of its own. None if it is about files and there is none.
    pub(crate) fn commands(&self, files: &[&Path], each: bool) -> Vec<Command> {
        if !self.names_files() {
            return vec![self.command(&[])];
        }
        let batches: Vec<&[&Path]> = match each {
            true => files.chunks(1).collect(),
            false => batches(files),
        };
        match (&self.what, batches.is_empty()) {
            // A shell need not look at its arguments.
            (What::Shell(_), true) => vec![self.command(&[])],
            _ => batches.into_iter().map(|batch| self.command(batch)).collect(),
        }
    }

    fn command(&self, files: &[&Path]) -> Command {
        let mut words: Vec<OsString> = Vec::new();
        match &self.what {
            What::Words(line) => {
                for word in line {
                    if word == CHANGED {
                        words.extend(files.iter().map(|file| file.as_os_str().to_owned()));
                    } else {
                        words.push(word.into());
                    }
                }
            }
            What::Shell(script) => {
                words.extend(["sh", "-c", script, "sh"].map(OsString::from));
                words.extend(files.iter().map(|file| file.as_os_str().to_owned()));
            }
        }
        let mut words = words.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command
    }
}

fn batches<'a>(files: &'a [&'a Path]) -> Vec<&'a [&'a Path]> {
    let mut batches = Vec::new();
    let mut rest = files;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take(PATHS_MAX).take_while(|file| {
            bytes += file.as_os_str().len();
            bytes <= PATH_BYTES_MAX
        });
        let (batch, more) = rest.split_at(fits.count().max(1));
        batches.push(batch);
        rest = more;
    }
    batches
}

/// Words are parted by spaces; quotes of either kind keep spaces, and a backslash keeps what follows.
fn split(text: &str) -> Result<Vec<String>, LineError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            (_, Some(open)) if character == open => quote = None,
            ('\\', None | Some('"')) => {
                word.get_or_insert_default().push(characters.next().ok_or(LineError::Quote)?);
            }
            ('"' | '\'', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (space, None) if space.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    match quote {
        None => Ok(words),
        Some(_) => Err(LineError::Quote),
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Words(words) => f.write_str(&words.join(" ")),
            What::Shell(script) => f.write_str(script),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &Line, files: &[&str], each: bool) -> Vec<Vec<String>> {
        let files: Vec<_> = files.iter().map(Path::new).collect();
        let commands = line.commands(&files, each);
        let text = |word: &std::ffi::OsStr| word.to_str().unwrap().to_owned();
        let all = |command: Command| {
            let command = command.as_std();
            std::iter::once(command.get_program()).chain(command.get_args()).map(text).collect()
        };
        commands.into_iter().map(all).collect()
    }

    #[test]
    fn a_text_is_split_as_one_expects() {
        for (text, words) in [
            ("php -l  x", vec!["php", "-l", "x"]),
            ("a 'b  c' \"d \\\" e\" f\\ g ''", vec!["a", "b  c", "d \" e", "f g", ""]),
            ("grep '\\d' \"it's\"", vec!["grep", "\\d", "it's"]),
        ] {
            assert_eq!(split(text).unwrap(), words);
        }
        assert_eq!("a 'b".parse::<Line>(), Err(LineError::Quote));
        assert_eq!("  ".parse::<Line>(), Err(LineError::Empty));
        assert_eq!("'' a".parse::<Line>(), Err(LineError::Empty));
        for word in ["x={changed}", "{changed}/", "'a {changed}'"] {
            let within = word.trim_matches('\'').to_owned();
            assert_eq!(format!("a {word}").parse::<Line>(), Err(LineError::Within(within)));
        }
        let shell = Written::Shell(Shell { shell: "wc {changed}".to_owned() });
        assert_eq!(Line::try_from(shell), Err(LineError::InShell));
    }

    #[test]
    fn changed_files_are_words_of_their_own_whatever_they_are_called() {
        let line: Line = "php -l {changed} -x".parse().unwrap();
        assert_eq!(
            words(&line, &["/a b", "/$(reboot)"], false),
            [vec!["php", "-l", "/a b", "/$(reboot)", "-x"]]
        );
        assert_eq!(words(&line, &["/a", "/b"], true).len(), 2);
        assert!(words(&line, &[], false).is_empty());
        let line: Line = "make".parse().unwrap();
        assert_eq!(words(&line, &["/a", "/b"], true), [vec!["make"]]);
    }

    #[test]
    fn a_shell_gets_files_as_arguments() {
        let line = Line::from(What::Shell("wc \"$@\"".to_owned()));
        assert_eq!(words(&line, &["/a;b"], false), [vec!["sh", "-c", "wc \"$@\"", "sh", "/a;b"]]);
        assert_eq!(words(&line, &[], false), [vec!["sh", "-c", "wc \"$@\"", "sh"]]);
    }

    #[test]
    fn many_files_are_several_commands() {
        let line: Line = "wc {changed}".parse().unwrap();
        let names: Vec<_> = (0..2500).map(|number| format!("/{number}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let counts = |names: &[&str]| {
            words(&line, names, false).iter().map(|words| words.len() - 1).collect::<Vec<_>>()
        };
        assert_eq!(counts(&names), [1000, 1000, 500]);
        let long = "x".repeat(PATH_BYTES_MAX / 2);
        assert_eq!(counts(&[long.as_str(); 5]), [2, 2, 1]);
    }
}
