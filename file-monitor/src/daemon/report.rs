//! What the daemon says: to people at a terminal, to a log, or as JSON on standard output.

use super::action::changes_as_json;
use crate::change::ChangeSet;
use crate::notice::Notice;
use anstream::adapter::strip_str;
use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};

/// Something worth saying.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// What is followed is taken in.
    Ready {
        files: usize,
        paths: &'a [PathBuf],
    },
    Changed(&'a ChangeSet),
    /// Files changed while others were checked or acted upon.
    ChangedMeanwhile(&'a ChangeSet),
    CheckPassed(Duration),
    CheckFailed {
        reason: &'a str,
        output: &'a str,
    },
    /// An action, and what came of it: a line, and below it what a command said.
    Acted {
        action: &'a str,
        text: &'a str,
        took: Duration,
    },
    ActionFailed {
        action: &'a str,
        reason: &'a str,
        output: &'a str,
    },
    /// A program ended by itself.
    ProgramEnded {
        action: &'a str,
        status: &'a str,
        again: Option<Duration>,
    },
    WouldAct {
        action: &'a str,
    },
    /// So many times in a row, files changed while actions ran.
    Restless(u32),
    Notice(&'a Notice),
    Settings(Result<(), &'a str>),
    Stopping,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Plain,
    Good,
    Bad,
}

/// Where things are said.
#[derive(Clone, Debug)]
pub(crate) enum Reporter {
    Terminal,
    Log,
    Json(NonBlocking),
}

impl Reporter {
    /// A terminal is for people; without one, there is a log. Lines of JSON are written by a thread of
    /// their own, until the guard is dropped: who asks for them and does not read must not stop reloads.
    pub(crate) fn new(json: bool) -> (Self, Option<WorkerGuard>) {
        match (json, std::io::stderr().is_terminal()) {
            (true, _) => {
                let (lines, guard) = tracing_appender::non_blocking(std::io::stdout());
                (Self::Json(lines), Some(guard))
            }
            (false, true) => (Self::Terminal, None),
            (false, false) => (Self::Log, None),
        }
    }

    pub(crate) fn say(&self, event: &Event<'_>) {
        match self {
            Self::Terminal => to_terminal(event),
            Self::Log => match event.mood() {
                Mood::Bad => tracing::error!("{}", event.text()),
                _ => tracing::info!("{}", event.text()),
            },
            Self::Json(lines) => {
                // A line is one write, so that it is lost as a whole or not at all.
                let _ = lines.clone().write_all(format!("{}\n", event.json()).as_bytes());
            }
        }
    }
}

fn to_terminal(event: &Event<'_>) {
    let colour = match event.mood() {
        Mood::Plain => AnsiColor::Cyan,
        Mood::Good => AnsiColor::Green,
        Mood::Bad => AnsiColor::Red,
    };
    let style = Style::new().fg_color(Some(colour.into()));
    // With no terminal any more there is nobody to tell.
    let _ = writeln!(anstream::stderr().lock(), "{style}[file-monitor]{style:#} {}", event.text());
}

impl Event<'_> {
    fn mood(&self) -> Mood {
        match self {
            Self::CheckFailed { .. } | Self::ActionFailed { .. } | Self::Settings(Err(_)) => {
                Mood::Bad
            }
            Self::ProgramEnded { again: Some(_), .. } | Self::Notice(_) | Self::Restless(_) => {
                Mood::Bad
            }
            Self::CheckPassed(_) | Self::Acted { .. } => Mood::Good,
            _ => Mood::Plain,
        }
    }

    /// For people: a line, and below it what a command said.
    fn text(&self) -> String {
        with_output(one_line(&self.line()), self.output())
    }

    fn line(&self) -> String {
        match self {
            Self::Ready { files, paths } => {
                let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
                format!("following {files} files in {}", paths.join(", "))
            }
            Self::Changed(set) => set.to_string(),
            Self::ChangedMeanwhile(set) => format!("changed meanwhile: {set}"),
            Self::CheckPassed(took) => format!("the check passed in {}", milliseconds(*took)),
            Self::CheckFailed { reason, .. } => {
                format!("nothing is done, the check failed: {reason}")
            }
            Self::Acted { action, text, took } => {
                format!("{action}: {}, in {}", parts(text).0, milliseconds(*took))
            }
            Self::ActionFailed { action, reason, .. } => format!("{action} failed: {reason}"),
            Self::ProgramEnded { action, status, again: Some(again) } => format!(
                "{action}: the program ended with {status}; again in {}",
                milliseconds(*again)
            ),
            Self::ProgramEnded { action, status, again: None } => {
                format!("{action}: the program ended with {status}; waiting for a change")
            }
            Self::WouldAct { action } => format!("would {action}"),
            Self::Restless(rounds) => format!(
                "files changed while actions ran, {rounds} times in a row; exclude what the actions write: until then they are delayed"
            ),
            Self::Notice(notice) => notice.to_string(),
            Self::Settings(Ok(())) => "settings reloaded".to_owned(),
            Self::Settings(Err(_)) => "the settings stay as they are:".to_owned(),
            Self::Stopping => "stopping".to_owned(),
        }
    }

    fn output(&self) -> &str {
        match self {
            Self::CheckFailed { output, .. } | Self::ActionFailed { output, .. } => output,
            Self::Acted { text, .. } => parts(text).1,
            // It shows the place in the file, in several lines.
            Self::Settings(Err(error)) => error,
            _ => "",
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Ready { files, paths } => json!({
                "event": "ready",
                "files": files,
                "paths": paths.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
            }),
            Self::Changed(set) => of_set("changed", set),
            Self::ChangedMeanwhile(set) => of_set("changed-meanwhile", set),
            Self::CheckPassed(took) => json!({ "event": "check-passed", "ms": whole(*took) }),
            Self::CheckFailed { reason, output } => {
                json!({ "event": "check-failed", "reason": reason, "output": output })
            }
            Self::Acted { action, text, took } => {
                let (text, output, ms) = (parts(text).0, parts(text).1, whole(*took));
                json!({ "event": "acted", "action": action, "text": text, "output": output, "ms": ms })
            }
            Self::ActionFailed { action, reason, output } => json!({
                "event": "action-failed", "action": action, "reason": reason, "output": output,
            }),
            Self::ProgramEnded { action, status, again } => json!({
                "event": "program-ended", "action": action, "status": status,
                "again_ms": again.map(whole),
            }),
            Self::WouldAct { action } => json!({ "event": "would-act", "action": action }),
            Self::Restless(_) => json!({ "event": "restless", "text": self.text() }),
            Self::Notice(notice) => json!({
                "event": "notice", "name": notice.name(), "text": notice.to_string(),
            }),
            Self::Settings(Ok(())) => json!({ "event": "settings-reloaded" }),
            Self::Settings(Err(error)) => json!({ "event": "settings-wrong", "reason": error }),
            Self::Stopping => json!({ "event": "stopping" }),
        }
    }
}

fn of_set(event: &str, set: &ChangeSet) -> Value {
    let mut value = changes_as_json(set);
    value["event"] = event.into();
    value["settled_ms"] = whole(set.gathered()).into();
    value
}

/// A line, and what stands below it.
fn parts(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

fn with_output(mut text: String, output: &str) -> String {
    // A command may have been made to colour what it says.
    for line in strip_str(output).to_string().lines() {
        // Writing to a text cannot fail.
        let _ = write!(text, "\n    {}", one_line(line));
    }
    text
}

/// A text in which nothing ends the line or orders the terminal about: names of files are others' text.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => line.push(character),
            other if is_order(other) => line.extend(other.escape_default()),
            other => line.push(other),
        }
    }
    line
}

/// Whether a character is no text but changes how text is shown: the order of writing, too.
fn is_order(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn whole(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn milliseconds(time: Duration) -> String {
    format!("{} ms", whole(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_orders_no_terminal_about() {
        let (action, reason) = ("run a\u{1b}[2J", "b\nc\u{9b}2J\rd\u{202e}");
        let output = "\u{1b}[31mred\u{1b}[0m\r\n\tb\u{7}\n";
        let text = Event::ActionFailed { action, reason, output }.text();
        let line = "run a\\u{1b}[2J failed: b\\nc\\u{9b}2J\\rd\\u{202e}";
        assert_eq!(text, format!("{line}\n    red\n    \tb"));
        let error = "wrong\n  | line";
        let text = Event::Settings(Err(error)).text();
        assert_eq!(text, "the settings stay as they are:\n    wrong\n      | line");
    }
}
