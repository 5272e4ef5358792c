//! The values of a statement, each under a name of its own.

use crate::limits::VALUES_MAX;
use crate::statement::{Statement, invalid};
use mysql_async::Value;
use std::collections::HashMap;
use workyard_adapter_kit::Result;

/// Collects the values while the text is made.
#[derive(Debug, Default)]
pub(super) struct Binder {
    values: HashMap<Vec<u8>, Value>,
    made: usize,
}

impl Binder {
    /// A placeholder for a value. Its name is one that nobody else can give.
    pub(super) fn value(&mut self, value: &Value) -> String {
        self.made += 1;
        let name = format!("_{}", self.made);
        self.values.insert(name.clone().into_bytes(), value.clone());
        format!(":{name}")
    }

    /// Values under the names that the caller has given them.
    pub(super) fn named(&mut self, values: &[(String, Value)]) -> Result<()> {
        for (name, value) in values {
            check(name)?;
            let before = self.values.insert(name.clone().into_bytes(), value.clone());
            if before.is_some_and(|before| before != *value) {
                return Err(invalid(format!(":{name} is given two values")));
            }
        }
        Ok(())
    }

    /// The statement with its values.
    pub(super) fn finish(self, sql: String) -> Result<Statement<'static>> {
        if self.values.len() > VALUES_MAX {
            let message = format!(
                "the statement has {} values, and the protocol allows {VALUES_MAX}",
                self.values.len()
            );
            return Err(invalid(message));
        }
        Ok(Statement::with(sql, self.values))
    }
}

fn check(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(plain) {
        return Ok(());
    }
    let message = format!(
        "{name:?} cannot be the name of a value; it has lower-case letters, digits and _, and begins with a letter"
    );
    Err(invalid(message))
}
