//! What PHP makes of a stored value and a step, asked of a server.

use super::{BAD_REQUEST, Connection, Failure, Hex, Outcome, Summary, frame, key, records};
use crate::Endpoint;
use serde::Deserialize;

/// So many are sent before the answers are read.
const AT_ONCE: usize = 32;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the file has them for people")]
struct Increment {
    name: String,
    feature: String,
    note: String,
    php: Option<String>,
    value_hex: Option<Hex>,
    step_hex: Option<Hex>,
    result_hex: Option<Hex>,
    stored_hex: Hex,
}

/// Increments every recorded value by its step. What the original dies of is left out if it is not
/// `marked` ones that are wanted as well.
///
/// # Errors
/// When nobody listens.
pub fn play_increments(endpoint: &Endpoint, marked: bool) -> Result<Summary, Failure> {
    let mut all: Vec<Increment> = records("tests/vectors/workerman/php-increment.jsonl");
    all.retain(|increment| marked || increment.php.is_none());
    let (answered, refused): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|increment| increment.result_hex.is_some());
    let mut summary = Summary::default();
    let mut connection = Connection::open(endpoint)?;
    for some in answered.chunks(AT_ONCE) {
        some.iter().for_each(|increment| increment.ask(&mut connection));
        for increment in some {
            summary.add(&increment.name, increment.expect_answers(&mut connection));
        }
    }
    for increment in &refused {
        summary.add(&increment.name, increment.expect_refusal(endpoint, &mut connection));
    }
    Ok(summary)
}

impl Increment {
    fn ask(&self, connection: &mut Connection) {
        connection.send(&self.store());
        connection.send(&self.increment());
        connection.send(&self.read());
    }

    fn expect_answers(&self, connection: &mut Connection) -> Result<Outcome, Failure> {
        let result = self.result_hex.as_ref().map(|hex| hex.0.as_slice()).unwrap_or_default();
        // All three are read before one of them may fail, or the next would fail as well.
        let frames = [connection.frame()?, connection.frame()?, connection.frame()?];
        let expected = [b"b:1;".as_slice(), result, &self.stored_hex.0];
        for (what, (frame, expected)) in
            ["to set", "the increment", "what is stored"].iter().zip(frames.iter().zip(expected))
        {
            if frame != expected {
                let (expected, found) = (expected.escape_ascii(), frame.escape_ascii());
                let failure = Failure::differing(&expected.to_string(), &found.to_string());
                return Err(failure.at(what));
            }
        }
        Ok(Outcome::AsRecorded)
    }

    /// The connection is another one's, on which the value must still be there.
    fn expect_refusal(
        &self,
        endpoint: &Endpoint,
        other: &mut Connection,
    ) -> Result<Outcome, Failure> {
        let mut connection = Connection::open(endpoint)?;
        connection.send(&self.store());
        connection.frame()?;
        connection.send(&self.increment());
        connection.expect(BAD_REQUEST)?;
        connection.expect_end()?;
        other.send(&self.read());
        other.expect(&frame(&self.stored_hex.0)).map_err(|failure| failure.at("what is stored"))?;
        Ok(Outcome::Refused)
    }

    fn store(&self) -> Vec<u8> {
        match &self.value_hex {
            Some(value) => key("set", self.name.as_bytes(), Some(("value", &value.0))),
            None => key("delete", self.name.as_bytes(), None),
        }
    }

    fn increment(&self) -> Vec<u8> {
        let step = self.step_hex.as_ref().map(|step| ("step", step.0.as_slice()));
        key("increment", self.name.as_bytes(), step)
    }

    fn read(&self) -> Vec<u8> {
        key("get", self.name.as_bytes(), None)
    }
}
