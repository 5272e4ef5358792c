//! What a connection begins with.

use crate::options::Options;
use workyard_adapter_kit::{Error, ErrorKind, Result};

/// What the driver's handshake says anyway.
const USUAL_CHARSET: &str = "utf8mb4";

/// The statements that a connection begins with, and again after it was reset, as the driver wants them: the
/// last one first.
pub(crate) fn statements(options: &Options) -> Result<Vec<String>> {
    let mut statements: Vec<String> = settings(options)?.into_iter().collect();
    statements.extend(options.session.iter().cloned());
    statements.reverse();
    Ok(statements)
}

/// One statement for all settings, if there are any.
fn settings(options: &Options) -> Result<Option<String>> {
    let mut settings = Vec::new();
    if options.charset != USUAL_CHARSET || options.reset {
        settings.push(format!("NAMES {}", word("charset", &options.charset)?));
    }
    if let Some(zone) = &options.time_zone {
        settings.push(format!("time_zone = '{}'", word("time_zone", zone)?));
    }
    Ok((!settings.is_empty()).then(|| format!("SET {}", settings.join(", "))))
}

/// The text, when it can stand in a statement as it is.
fn word<'a>(name: &str, text: &'a str) -> Result<&'a str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_+-:/".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return Ok(text);
    }
    let message = format!("{name} is {text:?}; it can have letters, digits and _ + - : / only");
    Err(Error::new(ErrorKind::InvalidOptions, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usually_a_connection_begins_with_nothing() {
        assert!(statements(&Options::default()).unwrap().is_empty());
    }

    #[test]
    fn settings_come_first_in_one_statement() {
        let options = Options {
            charset: "latin1".to_owned(),
            time_zone: Some("+00:00".to_owned()),
            session: vec!["SET a = 1".to_owned(), "SET b = 2".to_owned()],
            ..Options::default()
        };
        let expected = ["SET b = 2", "SET a = 1", "SET NAMES latin1, time_zone = '+00:00'"];
        assert_eq!(statements(&options).unwrap(), expected);
    }

    #[test]
    fn what_could_be_more_than_a_word_is_refused() {
        for text in ["", "a'b", "x; DROP TABLE t", "é"] {
            let options = Options { time_zone: Some(text.to_owned()), ..Options::default() };
            assert_eq!(
                statements(&options).unwrap_err().kind(),
                ErrorKind::InvalidOptions,
                "{text}"
            );
        }
    }
}
