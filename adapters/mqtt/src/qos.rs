//! How surely a message arrives.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How surely a message arrives, between one client and the broker.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(try_from = "u8", into = "u8")]
pub enum Qos {
    /// QoS 0: once, or not at all when the connection breaks.
    #[default]
    AtMostOnce,
    /// QoS 1: once, or more often when the connection breaks.
    AtLeastOnce,
    /// QoS 2: once, as long as both sides keep the session.
    ExactlyOnce,
}

impl From<Qos> for u8 {
    fn from(qos: Qos) -> Self {
        qos as Self
    }
}

impl TryFrom<u8> for Qos {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            0 => Ok(Self::AtMostOnce),
            1 => Ok(Self::AtLeastOnce),
            2 => Ok(Self::ExactlyOnce),
            _ => Err(format!("{number} is no QoS: there are 0, 1 and 2")),
        }
    }
}

impl fmt::Display for Qos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", u8::from(*self))
    }
}
