//! What the command says, to people or as JSON; errors with what to do.

use crate::exit::{NoAnswer, Status, Usage};
use serde_json::{Value as Json, json};
use std::io::{ErrorKind, Write};
use workyard_daemon::StartError;

/// Writes answers to stdout and errors to stderr.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Says one thing: the text, or the document.
    ///
    /// # Errors
    /// When nobody reads standard output any longer.
    pub(crate) fn say(
        self,
        text: impl FnOnce() -> String,
        document: impl FnOnce() -> Json,
    ) -> anyhow::Result<()> {
        let mut line = if self.json { document().to_string() } else { text() };
        if line.is_empty() {
            return Ok(());
        }
        line.push('\n');
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(line.as_bytes())?;
        Ok(stdout.flush()?)
    }

    /// Says what went wrong and returns how the process ends.
    pub(crate) fn fail(self, error: &anyhow::Error) -> Status {
        if is_broken_pipe(error) {
            // Whoever read our output has had enough: `workyard sub news | head -1`.
            return Status::Done;
        }
        let failure = Failure::of(error);
        let mut stderr = anstream::stderr().lock();
        let _ = if self.json {
            let document =
                json!({ "error": failure.text, "kind": failure.kind, "hint": failure.hint });
            writeln!(stderr, "{document}")
        } else {
            let red = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Red.into()));
            let hint = failure.hint.map(|hint| format!("\n       {hint}")).unwrap_or_default();
            writeln!(stderr, "{red}error:{red:#} {}{hint}", failure.text)
        };
        failure.status
    }
}

struct Failure {
    text: String,
    kind: &'static str,
    hint: Option<&'static str>,
    status: Status,
}

impl Failure {
    fn of(error: &anyhow::Error) -> Self {
        let (kind, status, hint) = if error.downcast_ref::<Usage>().is_some() {
            ("usage", Status::Usage, None)
        } else if error.downcast_ref::<NoAnswer>().is_some() {
            ("timed-out", Status::TimedOut, Some(SLOW))
        } else if error.downcast_ref::<StartError>().is_some() {
            ("cannot-start", Status::Failed, Some(TAKEN))
        } else if let Some(error) = error.downcast_ref::<workyard_channel::Error>() {
            channel(error.kind())
        } else if let Some(error) = error.downcast_ref::<workyard_globaldata::Error>() {
            globaldata(error.kind())
        } else {
            ("failed", Status::Failed, None)
        };
        // Errors of libraries name their causes themselves.
        let text = match error.downcast_ref::<StartError>() {
            Some(error) => error.to_string(),
            None => format!("{error:#}"),
        };
        Self { text, kind, hint, status }
    }
}

const START: &str =
    "Is it running? `workyard up` starts both servers; --server names another address.";
const TAKEN: &str = "Another one may be running already; --channel-listen and --globaldata-listen name \
                     other addresses.";
const NOBODY: &str = "`workyard serve CHANNEL -- COMMAND` answers requests.";
const SLOW: &str = "The server is busy or the network slow; --timeout gives it longer.";

type Judgement = (&'static str, Status, Option<&'static str>);

fn channel(kind: workyard_channel::ErrorKind) -> Judgement {
    use workyard_channel::ErrorKind as Kind;
    match kind {
        Kind::Unreachable | Kind::Disconnected | Kind::Closed => {
            ("unreachable", Status::Unreachable, Some(START))
        }
        Kind::TimedOut => ("timed-out", Status::TimedOut, Some(SLOW)),
        Kind::NoResponders => ("no-responders", Status::No, Some(NOBODY)),
        Kind::Declined => ("declined", Status::No, None),
        Kind::Unanswered => ("unanswered", Status::Failed, None),
        Kind::Refused | Kind::Rejected | Kind::TooLarge => ("refused", Status::Refused, None),
        Kind::InvalidAddress | Kind::InvalidName | Kind::InvalidPattern | Kind::InvalidArgument => {
            ("usage", Status::Usage, None)
        }
        _ => ("failed", Status::Failed, None),
    }
}

fn globaldata(kind: workyard_globaldata::ErrorKind) -> Judgement {
    use workyard_globaldata::ErrorKind as Kind;
    match kind {
        Kind::Unreachable | Kind::Disconnected | Kind::Closed => {
            ("unreachable", Status::Unreachable, Some(START))
        }
        Kind::TimedOut => ("timed-out", Status::TimedOut, Some(SLOW)),
        Kind::Refused | Kind::Rejected | Kind::TooLarge => ("refused", Status::Refused, None),
        Kind::InvalidAddress | Kind::InvalidName | Kind::InvalidArgument => {
            ("usage", Status::Usage, None)
        }
        _ => ("failed", Status::Failed, None),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
