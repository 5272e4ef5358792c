//! Patterns over channel names: tokens between dots, `*` for one token, `>` for all that follow.

use crate::limits::{NAME_BYTES_MAX, PATTERN_TOKENS_MAX};
use std::fmt;

/// A checked pattern, as in NATS: `orders.*` matches `orders.1`, `orders.>` also `orders.1.paid`.
///
/// A token is what stands between dots and may be empty. `>` stands last and takes one token or
/// more. Any name that holds no whole-token wildcard is a pattern that matches itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern<'a>(&'a [u8]);

/// Why some bytes are no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Longer than a name may be.
    #[error("a pattern of {0} bytes is above the limit of {NAME_BYTES_MAX}")]
    TooLong(usize),
    /// More tokens than the limit.
    #[error("a pattern of {0} tokens is above the limit of {PATTERN_TOKENS_MAX}")]
    TooManyTokens(usize),
    /// `>` before the end.
    #[error("`>` must be the last token of a pattern")]
    RestNotLast,
    /// A wildcard inside a longer token, which would silently match nothing.
    #[error("`*` and `>` must stand alone between dots; subscribe to the literal name instead")]
    PartialWildcard,
}

/// One step of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// Exactly these bytes.
    Literal(&'a [u8]),
    /// Any one token.
    Any,
    /// Every token from here on, at least one.
    Rest,
}

impl<'a> Pattern<'a> {
    /// Checks a pattern.
    ///
    /// # Errors
    /// What is wrong with it, as [`PatternError`] lists.
    pub fn new<B: AsRef<[u8]> + ?Sized>(bytes: &'a B) -> Result<Self, PatternError> {
        let bytes = bytes.as_ref();
        if bytes.len() > NAME_BYTES_MAX {
            return Err(PatternError::TooLong(bytes.len()));
        }
        let count = tokens(bytes).count();
        if count > PATTERN_TOKENS_MAX {
            return Err(PatternError::TooManyTokens(count));
        }
        for (index, token) in tokens(bytes).enumerate() {
            if token == b">" && index + 1 < count {
                return Err(PatternError::RestNotLast);
            }
            if token.len() > 1 && token.iter().any(|byte| matches!(byte, b'*' | b'>')) {
                return Err(PatternError::PartialWildcard);
            }
        }
        Ok(Self(bytes))
    }

    /// The pattern as it travels.
    #[must_use]
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The pattern's steps.
    pub fn tokens(self) -> impl Iterator<Item = Token<'a>> {
        tokens(self.0).map(|token| match token {
            b"*" => Token::Any,
            b">" => Token::Rest,
            literal => Token::Literal(literal),
        })
    }

    /// Whether a channel of this name is meant.
    #[must_use]
    pub fn matches(self, name: &[u8]) -> bool {
        let mut names = tokens(name);
        for token in self.tokens() {
            match (token, names.next()) {
                (Token::Rest, Some(_)) => return true,
                (Token::Any, Some(_)) => {}
                (Token::Literal(literal), Some(part)) if literal == part => {}
                _ => return false,
            }
        }
        names.next().is_none()
    }
}

/// Cuts a name at its dots. There is always at least one token, which may be empty.
pub fn tokens(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    name.split(|byte| *byte == b'.')
}

impl fmt::Display for Pattern<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", String::from_utf8_lossy(self.0))
    }
}

impl fmt::Debug for Pattern<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching() {
        for (pattern, name, expected) in [
            ("orders.*", "orders.1", true),
            ("orders.*", "orders.", true),
            ("orders.*", "orders", false),
            ("orders.*", "orders.1.paid", false),
            ("orders.>", "orders.1.paid", true),
            ("orders.>", "orders.1", true),
            ("orders.>", "orders", false),
            (">", "anything", true),
            (">", "", true),
            ("*", "one", true),
            ("*", "one.two", false),
            ("a.*.c", "a..c", true),
            ("a.*.c", "a.b.c", true),
            ("a.*.c", "a.b.d", false),
            ("plain", "plain", true),
            ("plain", "plainer", false),
        ] {
            let parsed = Pattern::new(pattern).unwrap();
            assert_eq!(parsed.matches(name.as_bytes()), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn what_is_no_pattern() {
        let deep = vec!["a"; PATTERN_TOKENS_MAX + 1].join(".");
        for (pattern, error) in [
            ("a.>.b", PatternError::RestNotLast),
            ("news*", PatternError::PartialWildcard),
            ("a.>>", PatternError::PartialWildcard),
            (deep.as_str(), PatternError::TooManyTokens(PATTERN_TOKENS_MAX + 1)),
        ] {
            assert_eq!(Pattern::new(pattern), Err(error), "{pattern}");
        }
    }
}
