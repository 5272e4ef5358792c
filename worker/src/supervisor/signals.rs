//! What signals mean to a supervisor.

use super::roster::Pace;
use rustix::process::Signal as Number;
use std::future::poll_fn;
use std::io;
use std::task::Poll;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Stop(Pace),
    /// Soon, or at once if it was said before.
    Interrupt,
    Reload(Pace),
}

const MEANINGS: [(Number, &str, Wish); 7] = [
    (Number::INT, "SIGINT", Wish::Interrupt),
    (Number::TERM, "SIGTERM", Wish::Interrupt),
    (Number::HUP, "SIGHUP", Wish::Stop(Pace::Soon)),
    (Number::TSTP, "SIGTSTP", Wish::Stop(Pace::Soon)),
    (Number::QUIT, "SIGQUIT", Wish::Stop(Pace::Gracefully)),
    (Number::USR1, "SIGUSR1", Wish::Reload(Pace::Soon)),
    (Number::USR2, "SIGUSR2", Wish::Reload(Pace::Gracefully)),
];

/// All signals that mean something.
#[derive(Debug)]
pub(super) struct Signals(Vec<(Signal, &'static str, Wish)>);

impl Signals {
    /// Catches them from now on.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn catch() -> io::Result<Self> {
        let caught = MEANINGS.into_iter().map(|(number, name, wish)| {
            signal(SignalKind::from_raw(number.as_raw())).map(|signal| (signal, name, wish))
        });
        caught.collect::<io::Result<_>>().map(Self)
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> (&'static str, Wish) {
        poll_fn(|context| {
            for (signal, name, wish) in &mut self.0 {
                if signal.poll_recv(context).is_ready() {
                    return Poll::Ready((*name, *wish));
                }
            }
            Poll::Pending
        })
        .await
    }
}
