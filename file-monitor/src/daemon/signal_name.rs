//! Signals as people write them: `SIGUSR1`, `usr1`, `10`.

use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A signal in a flag or a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct SignalName(Signal);

const NAMES: [(&str, Signal); 13] = [
    ("SIGHUP", Signal::HUP),
    ("SIGINT", Signal::INT),
    ("SIGQUIT", Signal::QUIT),
    ("SIGABRT", Signal::ABORT),
    ("SIGKILL", Signal::KILL),
    ("SIGUSR1", Signal::USR1),
    ("SIGUSR2", Signal::USR2),
    ("SIGALRM", Signal::ALARM),
    ("SIGTERM", Signal::TERM),
    ("SIGCONT", Signal::CONT),
    ("SIGSTOP", Signal::STOP),
    ("SIGWINCH", Signal::WINCH),
    ("SIGIO", Signal::IO),
];

/// A name that no signal has.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no signal that can be sent; those are SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGKILL, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGCONT, SIGSTOP, SIGWINCH and SIGIO"
)]
pub(crate) struct NoSignal(String);

impl SignalName {
    pub(crate) const TERM: Self = Self(Signal::TERM);
    pub(crate) const USR1: Self = Self(Signal::USR1);

    pub(crate) fn signal(self) -> Signal {
        self.0
    }
}

impl FromStr for SignalName {
    type Err = NoSignal;

    fn from_str(text: &str) -> Result<Self, NoSignal> {
        let upper = text.to_ascii_uppercase();
        let is = |(name, signal): &&(&str, Signal)| {
            upper == *name
                || name.strip_prefix("SIG") == Some(&upper)
                || upper == signal.as_raw().to_string()
        };
        let found = NAMES.iter().find(is);
        found.map(|(_, signal)| Self(*signal)).ok_or_else(|| NoSignal(text.to_owned()))
    }
}

impl TryFrom<String> for SignalName {
    type Error = NoSignal;

    fn try_from(text: String) -> Result<Self, NoSignal> {
        text.parse()
    }
}

impl From<SignalName> for String {
    fn from(signal: SignalName) -> Self {
        signal.to_string()
    }
}

impl fmt::Display for SignalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, signal)| *signal == self.0);
        f.write_str(name.map_or("a signal", |(name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_read_in_three_ways_and_shown_in_one() {
        for text in ["SIGUSR1", "usr1", "10"] {
            assert_eq!(text.parse::<SignalName>().unwrap().to_string(), "SIGUSR1");
        }
        for text in ["", "SIG", "SIGNOPE", "0", "64"] {
            assert_eq!(text.parse::<SignalName>(), Err(NoSignal(text.to_owned())), "{text}");
        }
    }
}
