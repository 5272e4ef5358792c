//! One line of a file of vectors.

use crate::hex;
use crate::json::{field, integer, text};
use serde_json::Value as Json;
use workyard_protocol::{Reason, RequestId};

/// A frame, and what a reader must make of it.
pub(crate) struct Vector {
    pub(crate) name: &'static str,
    pub(crate) direction: Direction,
    pub(crate) frame: Vec<u8>,
    /// Whether a writer makes these bytes; else a reader takes them only.
    pub(crate) canonical: bool,
    pub(crate) request: RequestId,
    pub(crate) outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    ToServer,
    ToClient,
}

pub(crate) enum Outcome {
    /// It says this.
    Says { operation: &'static str, fields: Json },
    /// It is not taken.
    Rejected(Reason),
}

pub(crate) const CONTROL: &str = include_str!("../../vectors/control.jsonl");
pub(crate) const CHANNEL: &str = include_str!("../../vectors/channel.jsonl");
pub(crate) const GLOBALDATA: &str = include_str!("../../vectors/globaldata.jsonl");

/// Reads a file.
pub(crate) fn read(lines: &str) -> Vec<Vector> {
    lines.lines().map(line).collect()
}

fn line(line: &str) -> Vector {
    let json: Json = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    Vector {
        name: text(&json, "name"),
        direction: match text(&json, "direction") {
            "to_server" => Direction::ToServer,
            "to_client" => Direction::ToClient,
            other => panic!("no direction: {other}"),
        },
        frame: hex::bytes(text(&json, "hex")),
        canonical: json.get("canonical").is_none_or(|canonical| canonical == true),
        request: json.get("request").map_or(0, |_| integer(&json, "request")),
        outcome: outcome(&json),
    }
}

fn outcome(json: &Json) -> Outcome {
    if json.get("reason").is_none() {
        let fields = field(json, "fields").clone();
        return Outcome::Says { operation: text(json, "operation"), fields };
    }
    let reason = Reason::from_code(integer(json, "code"));
    assert_eq!(reason.name(), text(json, "reason"), "code and name of one reason: {json}");
    Outcome::Rejected(reason)
}
