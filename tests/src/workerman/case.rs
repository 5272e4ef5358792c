//! A recorded dialogue: who says what, in which order.

use super::Hex;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// Which server a dialogue is with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Publishing, subscribing, queues.
    Channel,
    /// Shared variables.
    GlobalData,
}

/// One dialogue, independent of all others.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Unique in its file.
    pub name: String,
    /// What it belongs to.
    pub feature: String,
    /// What is behind it.
    pub note: Option<String>,
    /// What the original does wrong there: `crashes`, `hangs`, …
    pub php: Option<String>,
    /// No honest client sends this: refusing it is as good as the recorded answer.
    #[serde(default)]
    pub may_refuse: bool,
    /// The protocol whose first bytes it sends: a server may speak that on the same port.
    pub other_protocol: Option<String>,
    /// In order.
    pub steps: Vec<Step>,
}

/// One step, on the connection of this name; its first step opens a connection.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The connection.
    #[serde(rename = "conn")]
    pub connection: String,
    /// What happens.
    #[serde(rename = "dir")]
    pub turn: Turn,
    /// Who closes.
    pub by: Option<Side>,
    /// What is sent or must come.
    pub hex: Hex,
    /// What may come as well.
    #[serde(default)]
    pub or: Vec<Hex>,
    /// Whether a refusal has to end the connection.
    #[serde(default)]
    pub must_close: bool,
    /// For people.
    pub note: Option<String>,
}

/// What happens in a step.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Turn {
    /// The player sends.
    Send,
    /// The player must read this next.
    Recv,
    /// Nothing comes.
    None,
    /// Somebody closes.
    Close,
    /// What was sent is refused, one way or another.
    Refused,
}

/// Who closes a connection.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The server does: the player must read the end.
    Server,
    /// The player does.
    Client,
    /// The player will not send any more, but goes on reading.
    ClientHalf,
}

/// Every line of a file of vectors, which lies in a folder of this repository.
///
/// # Panics
/// When the file is not there, has no line, or one that is not understood.
#[must_use]
pub fn records<T: DeserializeOwned>(path: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let parse = |(index, line)| {
        serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("{}:{}: {error}", path.display(), index + 1))
    };
    let records: Vec<T> = text.lines().enumerate().map(parse).collect();
    assert!(!records.is_empty(), "{} is empty", path.display());
    records
}

impl Wire {
    /// The dialogues that were recorded.
    #[must_use]
    pub fn cases(self) -> Vec<Case> {
        records(match self {
            Self::Channel => "tests/vectors/workerman/channel.jsonl",
            Self::GlobalData => "tests/vectors/workerman/globaldata.jsonl",
        })
    }
}
