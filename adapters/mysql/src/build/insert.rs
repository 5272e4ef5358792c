//! `INSERT` and `REPLACE`.

use super::Binder;
use super::name::quoted;
use crate::statement::{IntoStatement, Statement, invalid};
use mysql_async::Value;
use workyard_adapter_kit::Result;

/// Adds a row. Made by [`insert`] and [`replace`].
#[derive(Clone, Debug)]
pub struct Insert {
    keyword: &'static str,
    table: String,
    values: Vec<(String, Value)>,
}

/// Adds a row to a table.
#[must_use]
pub fn insert(table: &str) -> Insert {
    Insert { keyword: "INSERT", table: table.to_owned(), values: Vec::new() }
}

/// The same, and removes rows with the same key first.
#[must_use]
pub fn replace(table: &str) -> Insert {
    Insert { keyword: "REPLACE", table: table.to_owned(), values: Vec::new() }
}

impl Insert {
    /// With a value for a column.
    #[must_use]
    pub fn set(mut self, column: &str, value: impl Into<Value>) -> Self {
        self.values.push((column.to_owned(), value.into()));
        self
    }

    /// With values for several columns.
    #[must_use]
    pub fn columns<N: Into<String>, V: Into<Value>>(
        mut self,
        values: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.values.extend(values.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }
}

impl IntoStatement<'static> for Insert {
    fn into_statement(self) -> Result<Statement<'static>> {
        (&self).into_statement()
    }
}

impl IntoStatement<'static> for &Insert {
    fn into_statement(self) -> Result<Statement<'static>> {
        let mut binder = Binder::default();
        let table = quoted(&self.table)?;
        if self.values.is_empty() {
            return Err(invalid(format!("there is no value for the row of {table}")));
        }
        let names: Result<Vec<String>> =
            self.values.iter().map(|(column, _)| quoted(column)).collect();
        let values: Vec<String> = self.values.iter().map(|(_, it)| binder.value(it)).collect();
        let (names, values) = (names?.join(", "), values.join(", "));
        binder.finish(format!("{} INTO {table} ({names}) VALUES ({values})", self.keyword))
    }
}
