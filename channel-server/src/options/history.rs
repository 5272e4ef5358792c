//! The rules by which messages are kept, as an operator writes them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use workyard_daemon::{Size, Span};
use workyard_protocol::channel::{HistoryBounds, KeepHistory};
use workyard_protocol::{Pattern, Ttl};

/// Rules in a flag, as in `orders.>=1000,1MiB,1h;state.*=1,64KiB,1d`, or in a file, as a list of tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HistoryRules(Vec<HistoryRule>);

/// One rule, of which pattern and bounds are right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
struct HistoryRule {
    pattern: String,
    bounds: HistoryBounds,
}

/// The same as it is written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    pattern: String,
    messages_max: u64,
    bytes_max: Size,
    age: Span,
}

/// What is wrong with a rule, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRuleError(String);

impl HistoryRules {
    /// Each of them, in the words of the protocol.
    pub(crate) fn iter(&self) -> impl Iterator<Item = KeepHistory<'_>> {
        self.0.iter().map(|rule| KeepHistory {
            pattern: Pattern::new(&rule.pattern).expect("it was checked when it was read"),
            bounds: rule.bounds,
        })
    }
}

impl FromStr for HistoryRules {
    type Err = HistoryRuleError;

    fn from_str(text: &str) -> Result<Self, HistoryRuleError> {
        text.split(';').map(rule).collect::<Result<_, _>>().map(Self)
    }
}

impl TryFrom<Fields> for HistoryRule {
    type Error = HistoryRuleError;

    fn try_from(fields: Fields) -> Result<Self, HistoryRuleError> {
        let wrong = |what: String| HistoryRuleError(format!("history {}: {what}", fields.pattern));
        Pattern::new(&fields.pattern).map_err(|error| wrong(error.to_string()))?;
        let bytes_max = fields.bytes_max.bytes() as u64;
        if fields.messages_max == 0 || bytes_max == 0 {
            return Err(wrong("a bound of 0 keeps nothing: expected at least 1".to_owned()));
        }
        let age = Ttl::try_from(fields.age.duration()).map_err(|error| wrong(error.to_string()))?;
        let bounds = HistoryBounds { messages_max: fields.messages_max, bytes_max, age };
        Ok(Self { pattern: fields.pattern, bounds })
    }
}

impl From<HistoryRule> for Fields {
    fn from(rule: HistoryRule) -> Self {
        let HistoryBounds { messages_max, bytes_max, age } = rule.bounds;
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        let age = Duration::from(age).into();
        Self { pattern: rule.pattern, messages_max, bytes_max: bytes_max.into(), age }
    }
}

impl fmt::Display for HistoryRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for HistoryRuleError {}

fn rule(text: &str) -> Result<HistoryRule, HistoryRuleError> {
    let wrong = || {
        HistoryRuleError(format!(
            "{text}: expected PATTERN=MESSAGES,BYTES,AGE as in a.>=100,1MiB,1h"
        ))
    };
    let (pattern, bounds) = text.rsplit_once('=').ok_or_else(wrong)?;
    let [messages_max, bytes_max, age] =
        <[&str; 3]>::try_from(bounds.split(',').collect::<Vec<_>>()).map_err(|_| wrong())?;
    let fields = Fields {
        pattern: pattern.trim().to_owned(),
        messages_max: messages_max.trim().parse().map_err(|_| wrong())?,
        bytes_max: bytes_max.trim().parse().map_err(|_| wrong())?,
        age: age.trim().parse().map_err(|_| wrong())?,
    };
    fields.try_into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_from_a_flag() {
        let rules: HistoryRules = "orders.>=1000,1MiB,1h; a=b=1,10,5ms".parse().unwrap();
        let read: Vec<_> = rules
            .iter()
            .map(|KeepHistory { pattern, bounds }| {
                let HistoryBounds { messages_max, bytes_max, age } = bounds;
                (pattern.to_string(), messages_max, bytes_max, age.as_millis())
            })
            .collect();
        let expected =
            [("orders.>".to_owned(), 1000, 1 << 20, 3_600_000), ("a=b".to_owned(), 1, 10, 5)];
        assert_eq!(read, expected);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, expected) in [
            ("", "expected PATTERN="),
            ("a", "a: expected PATTERN="),
            ("a=1,2", "expected PATTERN="),
            ("a=1,2,3", "expected PATTERN="),
            ("a=0,2,3s", "history a: a bound of 0"),
            ("a=1,0,3s", "history a: a bound of 0"),
            ("a=1,2,0s", "history a: a ttl of 0 ms"),
            ("a.>.b=1,2,3s", "history a.>.b: "),
        ] {
            let error = text.parse::<HistoryRules>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
