//! What an observer of an adapter is told.

use std::sync::{Mutex, PoisonError};
use workyard_adapter_kit::{CallReport, Cancelled, ConnectionEvent, Observer};

/// Keeps what it is told, one line each, and prints it: with the output of a test that failed, it says what became of
/// the connections.
#[derive(Debug, Default)]
pub struct Told(Mutex<Vec<String>>);

impl Told {
    /// What was told so far: `redis 127.0.0.1:6379 GET 1 ok`, with how often it was tried and the kind of its error;
    /// `... connected`, `... lost`.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[expect(clippy::print_stdout, reason = "it belongs to the failure of a test")]
    fn add(&self, line: String) {
        println!("{line}");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

impl Observer for Told {
    fn call_ended(&self, report: &CallReport<'_>) {
        let CallReport { service, target, operation, attempts, result, .. } = report;
        let end = result.map_or_else(|error| format!("{:?}", error.kind()), |()| "ok".to_owned());
        self.add(format!("{service} {target} {operation} {attempts} {end}"));
    }

    fn call_cancelled(&self, cancelled: &Cancelled<'_>) {
        let Cancelled { service, target, operation, attempts, .. } = cancelled;
        self.add(format!("{service} {target} {operation} {attempts} cancelled"));
    }

    fn connection(&self, event: &ConnectionEvent<'_>) {
        self.add(match event {
            ConnectionEvent::Connected { service, target } => {
                format!("{service} {target} connected")
            }
            ConnectionEvent::Lost { service, target, error } => {
                format!("{service} {target} lost: {error}")
            }
            other => format!("{other:?}"),
        });
    }
}
