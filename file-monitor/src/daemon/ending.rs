//! What ends the daemon: SIGTERM, SIGINT, and SIGHUP when its terminal is gone.

use std::io::IsTerminal;
use std::process::ExitCode;
use tokio::signal::unix::{Signal, SignalKind, signal};
use workyard_daemon::ExitStatus;

/// Listens to what ends the daemon.
pub(super) struct Endings {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    at_terminal: bool,
}

/// What ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Terminate,
    Interrupt,
    Hangup,
}

impl Endings {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            at_terminal: is_at_terminal(),
        })
    }

    /// Waits until the end is asked for. May be dropped.
    pub(super) async fn next(&mut self) -> Ending {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return Ending::Terminate,
                _ = self.interrupt.recv() => return Ending::Interrupt,
                // With the terminal there, or never one, it asks for the settings to be read again.
                _ = self.hangup.recv() => if self.at_terminal && !is_at_terminal() {
                    return Ending::Hangup;
                },
            }
        }
    }

    /// Waits for another Ctrl-C.
    pub(super) async fn interrupted(&mut self) {
        self.interrupt.recv().await;
    }
}

impl Ending {
    /// How the process ends. With `--once` something was to be done, and a script must see that it was
    /// not: the code is what a shell says of who died of the signal.
    pub(super) fn code(self, once: bool) -> ExitCode {
        match (once, self) {
            (false, _) => ExitStatus::Drained.into(),
            (true, Self::Hangup) => ExitCode::from(129),
            (true, Self::Interrupt) => ExitCode::from(130),
            (true, Self::Terminate) => ExitCode::from(143),
        }
    }
}

/// A terminal that was closed is none any more.
fn is_at_terminal() -> bool {
    std::io::stdin().is_terminal()
        || std::io::stdout().is_terminal()
        || std::io::stderr().is_terminal()
}
