//! Texts of PHP values as a server takes them and gives them back.

use super::{
    BAD_REQUEST, Connection, FALSE, Failure, Hex, NULL, Outcome, Summary, TRUE, channel, frame,
    integer, key, pushed, records, reserve,
};
use crate::Endpoint;
use serde::Deserialize;

/// So many are sent before the answers are read.
const AT_ONCE: usize = 16;
/// The key and the name that recorded requests use.
const KEY: &[u8] = b"nk";
const NAME: &[u8] = b"nc";
const MARKER: i64 = 77;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the file has them for people and for other tests")]
struct Value {
    name: String,
    feature: String,
    note: Option<String>,
    via: Option<Via>,
    php: Option<String>,
    #[serde(default)]
    core: bool,
    #[serde(default)]
    may_refuse: bool,
    #[serde(default)]
    top_level_only: bool,
    input_hex: Hex,
    canonical_hex: Option<Hex>,
    #[serde(default)]
    or_hex: Vec<Hex>,
}

/// The request that a recording is the whole body of.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Via {
    GlobaldataSet,
    GlobaldataAdd,
    GlobaldataCas,
    ChannelPublish,
    ChannelEnqueue,
}

/// Stores every recorded value and reads it again. What the original dies of is left out if it is not
/// `marked` ones that are wanted as well.
///
/// # Errors
/// When nobody listens.
pub fn play_values(endpoint: &Endpoint, marked: bool) -> Result<Summary, Failure> {
    let values = values(marked);
    let mut summary = Summary::default();
    let mut connection = Connection::open(endpoint)?;
    let plain = values.iter().filter(|value| value.via.is_none());
    let (taken, refused): (Vec<_>, Vec<_>) = plain.partition(|value| value.canonical_hex.is_some());
    for some in taken.chunks(AT_ONCE) {
        for value in some {
            connection.send(&value.set());
            connection.send(&key("get", value.name.as_bytes(), None));
        }
        for value in some {
            summary.add(&value.name, value.expect_stored(&mut connection));
        }
    }
    for value in refused {
        summary.add(&value.name, value.expect_refused_to_store(endpoint));
    }
    let requests = values.iter().filter(|value| value.via.is_some_and(Via::is_stored));
    for value in requests {
        summary.add(&value.name, value.expect_stored_by_request(endpoint));
    }
    Ok(summary)
}

/// Publishes every recorded value to itself. What the original dies of is left out if it is not
/// `marked` ones that are wanted as well.
///
/// # Errors
/// When nobody listens.
pub fn play_data(endpoint: &Endpoint, marked: bool) -> Result<Summary, Failure> {
    let values = values(marked);
    let mut summary = Summary::default();
    for value in values.iter().filter(|value| !value.via.is_some_and(Via::is_stored)) {
        let outcome = match value.via {
            Some(Via::ChannelEnqueue) => value.expect_job(endpoint),
            _ => value.expect_event(endpoint),
        };
        summary.add(&value.name, outcome);
    }
    Ok(summary)
}

fn values(marked: bool) -> Vec<Value> {
    let mut all: Vec<Value> = records("protocol/php/vectors/php-serialize.jsonl");
    all.retain(|value| !value.top_level_only && (marked || value.php.is_none()));
    all
}

impl Via {
    fn is_stored(self) -> bool {
        !matches!(self, Self::ChannelPublish | Self::ChannelEnqueue)
    }
}

impl Value {
    fn set(&self) -> Vec<u8> {
        key("set", self.name.as_bytes(), Some(("value", &self.input_hex.0)))
    }

    /// The frames that say the value, made by `frame`.
    fn alternatives(&self, frame: impl Fn(&[u8]) -> Vec<u8>) -> Vec<Vec<u8>> {
        self.canonical_hex.iter().chain(&self.or_hex).map(|hex| frame(&hex.0)).collect()
    }

    fn expect_stored(&self, connection: &mut Connection) -> Result<Outcome, Failure> {
        // Both are read before one of them may fail, or the next would fail as well.
        let (set, got) = (connection.frame()?, connection.frame()?);
        let expected = self.alternatives(<[u8]>::to_vec);
        if set == TRUE[4..] && expected.contains(&got) {
            return Ok(Outcome::AsRecorded);
        }
        let expected = expected.first().map(|it| it.escape_ascii().to_string());
        let found = format!("{}, then {}", set.escape_ascii(), got.escape_ascii());
        Err(Failure::differing(&expected.unwrap_or_default(), &found))
    }

    fn expect_refused_to_store(&self, endpoint: &Endpoint) -> Result<Outcome, Failure> {
        let mut connection = Connection::open(endpoint)?;
        connection.send(&self.set());
        // What PHP throws at may be kept, as nothing but data.
        let may_be_kept = self.php.is_some();
        let alternatives: &[&[u8]] =
            if may_be_kept { &[BAD_REQUEST, TRUE] } else { &[BAD_REQUEST] };
        if connection.expect_one(alternatives)? == 0 {
            connection.expect_end()?;
            let mut other = Connection::open(endpoint)?;
            other.send(&key("get", self.name.as_bytes(), None));
            other.expect(NULL)?;
        }
        Ok(Outcome::Refused)
    }

    fn expect_stored_by_request(&self, endpoint: &Endpoint) -> Result<Outcome, Failure> {
        let mut connection = Connection::open(endpoint)?;
        if self.via == Some(Via::GlobaldataCas) {
            connection.send(&key("set", KEY, Some(("value", &integer(1)))));
        } else {
            connection.send(&key("delete", KEY, None));
        }
        connection.expect(TRUE)?;
        connection.send(&frame(&self.input_hex.0));
        if self.canonical_hex.is_none() {
            connection.expect(BAD_REQUEST)?;
            connection.expect_end()?;
            return Ok(Outcome::Refused);
        }
        if connection.expect_one(&[TRUE, FALSE])? == 1 {
            return Err(Failure::differing("b:1;", "b:0;"));
        }
        connection.send(&key("get", KEY, None));
        self.expect_one_of(&self.alternatives(frame), &mut connection)
    }

    fn expect_event(&self, endpoint: &Endpoint) -> Result<Outcome, Failure> {
        let mut connection = Connection::open(endpoint)?;
        connection.send(&channel("subscribe", NAME, None));
        let alternatives = if self.via.is_some() {
            connection.send(&frame(&self.input_hex.0));
            self.alternatives(frame)
        } else {
            connection.send(&channel("publish", NAME, Some(&self.input_hex.0)));
            self.alternatives(|data| pushed("event", NAME, data))
        };
        let marker = integer(MARKER);
        connection.send(&channel("publish", NAME, Some(&marker)));
        if self.canonical_hex.is_none() && self.php.is_some() {
            return Ok(Outcome::Refused);
        }
        let outcome = match self.canonical_hex {
            Some(_) => self.expect_one_of(&alternatives, &mut connection)?,
            None => Outcome::Refused,
        };
        let after = connection.expect(&pushed("event", NAME, &marker));
        after.map_err(|failure| failure.at("the event after it"))?;
        Ok(outcome)
    }

    fn expect_job(&self, endpoint: &Endpoint) -> Result<Outcome, Failure> {
        let mut connection = Connection::open(endpoint)?;
        connection.send(&channel("watch", NAME, None));
        connection.send(&reserve());
        connection.send(&frame(&self.input_hex.0));
        let outcome = match self.canonical_hex {
            Some(_) => self.expect_one_of(&self.alternatives(frame), &mut connection)?,
            None => Outcome::Refused,
        };
        // The next job shows that the one before was the only one; the last reserve says it is done.
        let marker = integer(MARKER);
        connection.send(&reserve());
        connection.send(&channel("enqueue", NAME, Some(&marker)));
        connection.expect(&pushed("queue", NAME, &marker))?;
        connection.send(&reserve());
        connection.send(&channel("unwatch", NAME, None));
        connection.send(&channel("subscribe", NAME, None));
        connection.send(&channel("publish", NAME, Some(&marker)));
        connection.expect(&pushed("event", NAME, &marker))?;
        Ok(outcome)
    }

    fn expect_one_of(
        &self,
        alternatives: &[Vec<u8>],
        connection: &mut Connection,
    ) -> Result<Outcome, Failure> {
        let alternatives: Vec<&[u8]> = alternatives.iter().map(Vec::as_slice).collect();
        connection.expect_one(&alternatives).map(|_| Outcome::AsRecorded)
    }
}
