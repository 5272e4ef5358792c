//! How what was popped is put back: pure.

use crate::command::words;
use redis::{Cmd, Value};

/// What puts back what this command, answered so, has taken away. Nothing where nothing is lost: with
/// `BLMOVE` the element is in the other list, with streams it is pending.
pub(crate) fn undo(name: &str, command: &Cmd, answer: &Value) -> Option<Cmd> {
    let parts = answer.as_sequence()?;
    let key = parts.first()?;
    match name {
        "BLPOP" => Some(push("LPUSH", key, parts.get(1..2)?)),
        "BRPOP" => Some(push("RPUSH", key, parts.get(1..2)?)),
        "BLMPOP" => {
            let back = if is_right(command)? { "RPUSH" } else { "LPUSH" };
            Some(push(back, key, parts.get(1)?.as_sequence()?))
        }
        "BZPOPMIN" | "BZPOPMAX" => add(key, &[(parts.get(2)?, parts.get(1)?)]),
        "BZMPOP" => {
            let members = parts.get(1)?.as_sequence()?.iter().map(|pair| {
                let pair = pair.as_sequence()?;
                Some((pair.get(1)?, pair.first()?))
            });
            add(key, &members.collect::<Option<Vec<_>>>()?)
        }
        _ => None,
    }
}

/// Whether what this command pops would be lost with its answer.
pub(crate) fn takes_away(name: &str) -> bool {
    matches!(name, "BLPOP" | "BRPOP" | "BLMPOP" | "BZPOPMIN" | "BZPOPMAX" | "BZMPOP")
}

/// The one popped last was farthest from the end, and is pushed first.
fn push(name: &str, key: &Value, elements: &[Value]) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(bytes(key));
    for element in elements.iter().rev() {
        command.arg(bytes(element));
    }
    command
}

/// A member that somebody has added again meanwhile keeps its score.
fn add(key: &Value, members: &[(&Value, &Value)]) -> Option<Cmd> {
    let mut command = redis::cmd("ZADD");
    command.arg(bytes(key)).arg("NX");
    for (score, member) in members {
        command.arg(bytes(score)).arg(bytes(member));
    }
    (!members.is_empty()).then_some(command)
}

/// `BLMPOP timeout count key .. LEFT|RIGHT`
fn is_right(command: &Cmd) -> Option<bool> {
    let mut words = words(command);
    let count: usize = std::str::from_utf8(words.nth(2)?).ok()?.parse().ok()?;
    Some(words.nth(count)?.eq_ignore_ascii_case(b"RIGHT"))
}

fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::BulkString(bytes) => bytes.clone(),
        Value::SimpleString(text) => text.clone().into_bytes(),
        Value::Int(number) => number.to_string().into_bytes(),
        Value::Double(number) => number.to_string().into_bytes(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    fn text(command: &Cmd) -> String {
        let words = words(command).map(|word| String::from_utf8_lossy(word).into_owned());
        words.collect::<Vec<_>>().join(" ")
    }

    fn undone(command: &str, answer: &Value) -> Option<String> {
        let mut asked = Cmd::new();
        asked.arg(command.split(' ').collect::<Vec<_>>());
        let name = command.split(' ').next().unwrap();
        undo(name, &asked, answer).map(|command| text(&command))
    }

    #[test]
    fn what_was_popped_is_put_where_it_was() {
        let pair = Value::Array(vec![bulk("k"), bulk("e")]);
        assert_eq!(undone("BLPOP k 0", &pair).unwrap(), "LPUSH k e");
        assert_eq!(undone("BRPOP k 0", &pair).unwrap(), "RPUSH k e");
        let several = Value::Array(vec![bulk("k"), Value::Array(vec![bulk("1"), bulk("2")])]);
        assert_eq!(undone("BLMPOP 0 1 k LEFT COUNT 2", &several).unwrap(), "LPUSH k 2 1");
        assert_eq!(undone("BLMPOP 0 2 j k right", &several).unwrap(), "RPUSH k 2 1");
        let scored = Value::Array(vec![bulk("z"), bulk("m"), bulk("1.5")]);
        assert_eq!(undone("BZPOPMIN z 0", &scored).unwrap(), "ZADD z NX 1.5 m");
        let member = Value::Array(vec![bulk("m"), bulk("2")]);
        let members = Value::Array(vec![bulk("z"), Value::Array(vec![member])]);
        assert_eq!(undone("BZMPOP 0 1 z MIN", &members).unwrap(), "ZADD z NX 2 m");
    }

    #[test]
    fn where_nothing_was_popped_nothing_is_put_back() {
        assert_eq!(undone("BLPOP k 0", &Value::Nil), None);
        assert_eq!(undone("BLMOVE a b LEFT RIGHT 0", &bulk("e")), None);
        assert!(!takes_away("BLMOVE") && takes_away("BZMPOP"));
    }
}
