//! What ends a command that goes on until it is told to stop: Ctrl-C, or SIGTERM.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// From its making on, a signal no longer ends the process: it is kept until somebody asks for it.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// Returns when there was a SIGTERM.
    pub(crate) async fn terminated(&mut self) {
        self.terminate.recv().await;
    }

    /// Returns when there was one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
