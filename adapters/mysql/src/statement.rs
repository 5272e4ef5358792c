//! What can be asked for: a text, or what a builder makes.

use crate::read::value_bytes;
use mysql_async::{Params, Value};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use workyard_adapter_kit::{Error, ErrorKind, Result};

/// A statement with the values that are bound in it already.
#[derive(Clone, PartialEq)]
pub struct Statement<'a> {
    sql: Cow<'a, str>,
    values: HashMap<Vec<u8>, Value>,
}

/// What a statement can be made of: a text, or a builder such as [`Select`](crate::Select).
pub trait IntoStatement<'a> {
    /// Makes the statement.
    ///
    /// # Errors
    /// When there is none, such as one with a name that nothing can have.
    fn into_statement(self) -> Result<Statement<'a>>;
}

impl<'a> Statement<'a> {
    /// A statement without values.
    #[must_use]
    pub fn new(sql: impl Into<Cow<'a, str>>) -> Self {
        Self { sql: sql.into(), values: HashMap::new() }
    }

    pub(crate) fn with(sql: String, values: HashMap<Vec<u8>, Value>) -> Self {
        Self { sql: sql.into(), values }
    }

    /// The text, with a placeholder for each value.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The value that is bound to a name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name.as_bytes())
    }

    /// The statement with the caller's values beside its own.
    pub(crate) fn bind(self, params: Params) -> Result<(Cow<'a, str>, Params)> {
        if self.values.is_empty() {
            return Ok((self.sql, params));
        }
        let mut values = self.values;
        match params {
            Params::Empty => {}
            Params::Named(named) => {
                for (name, value) in named {
                    if values.contains_key(&name) {
                        let name = String::from_utf8_lossy(&name);
                        return Err(invalid(format!(":{name} has a value already")));
                    }
                    values.insert(name, value);
                }
            }
            Params::Positional(_) => {
                let message = "the values of a builder have names; give further ones by name, too";
                return Err(invalid(message.to_owned()));
            }
        }
        Ok((self.sql, Params::Named(values)))
    }
}

/// The values are not shown.
impl fmt::Debug for Statement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Statement").field(&self.sql).finish()
    }
}

impl<'a> IntoStatement<'a> for Statement<'a> {
    fn into_statement(self) -> Result<Self> {
        Ok(self)
    }
}

impl<'a> IntoStatement<'a> for &'a str {
    fn into_statement(self) -> Result<Statement<'a>> {
        Ok(Statement::new(self))
    }
}

impl<'a> IntoStatement<'a> for &'a String {
    fn into_statement(self) -> Result<Statement<'a>> {
        Ok(Statement::new(self.as_str()))
    }
}

impl IntoStatement<'static> for String {
    fn into_statement(self) -> Result<Statement<'static>> {
        Ok(Statement::new(self))
    }
}

/// Refuses what would not fit into a packet, before anything is sent.
pub(crate) fn check_size(sql: &str, params: &Params, bytes_max: usize) -> Result<()> {
    let values: usize = match params {
        Params::Empty => 0,
        Params::Named(values) => values.values().map(value_bytes).sum(),
        Params::Positional(values) => values.iter().map(value_bytes).sum(),
    };
    let bytes = sql.len() + values;
    if bytes <= bytes_max {
        return Ok(());
    }
    let message = format!(
        "the statement and its values have {bytes} bytes, and packet_bytes_max allows {bytes_max}; \
         send less at once, or raise it and the server's max_allowed_packet"
    );
    Err(Error::new(ErrorKind::TooLarge, message))
}

pub(crate) fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mysql_async::params;

    fn built() -> Statement<'static> {
        let values = [(b"_1".to_vec(), Value::Int(1))];
        Statement::with("a = :_1 AND b = :b".to_owned(), values.into_iter().collect())
    }

    #[test]
    fn the_callers_values_are_beside_those_of_the_builder() {
        let (sql, params) = built().bind(params! { "b" => 2 }).unwrap();
        assert_eq!(sql, "a = :_1 AND b = :b");
        assert_eq!(params, params! { "_1" => 1, "b" => 2 });
        let (_, params) = built().bind(Params::Empty).unwrap();
        assert_eq!(params, params! { "_1" => 1 });
        let (sql, params) = "SELECT ?".into_statement().unwrap().bind((7,).into()).unwrap();
        assert_eq!((&*sql, params), ("SELECT ?", Params::from((7,))));
    }

    #[test]
    fn values_that_cannot_be_told_apart_are_refused() {
        let said = |params: Params| built().bind(params).unwrap_err().to_string();
        assert_eq!(said(params! { "_1" => 2 }), ":_1 has a value already");
        assert!(said((1, 2).into()).ends_with("give further ones by name, too"));
    }

    #[test]
    fn what_does_not_fit_into_a_packet_is_refused() {
        let params: Params = ("x".repeat(900),).into();
        check_size("SELECT ?", &params, 1000).unwrap();
        let error = check_size("SELECT ?", &params, 900).unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TooLarge, false));
        assert!(error.to_string().contains("have 940 bytes"), "{error}");
    }

    #[test]
    fn values_are_not_shown() {
        assert_eq!(format!("{:?}", built()), r#"Statement("a = :_1 AND b = :b")"#);
    }
}
