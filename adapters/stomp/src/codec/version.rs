//! The three versions of the protocol.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A version of the protocol.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Version {
    /// 1.0: no escapes, no heart-beats, no `NACK`.
    #[serde(rename = "1.0")]
    V1_0,
    /// 1.1: escapes but for carriage returns.
    #[serde(rename = "1.1")]
    V1_1,
    /// 1.2: lines may end with a carriage return, messages are acknowledged by a header of their own.
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
}

impl Version {
    /// Every version, the oldest first.
    pub const ALL: [Self; 3] = [Self::V1_0, Self::V1_1, Self::V1_2];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
        }
    }

    /// What a client that speaks this version and those before it accepts: `1.0,1.1`.
    pub(crate) const fn accepted(self) -> &'static str {
        match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.0,1.1",
            Self::V1_2 => "1.0,1.1,1.2",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Version {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|version| version.name() == text).ok_or(())
    }
}
