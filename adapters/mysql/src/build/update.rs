//! `UPDATE`.

use super::name::{Column, quoted};
use super::{Binder, Conditions, with_conditions};
use crate::statement::{IntoStatement, Statement, invalid};
use mysql_async::Value;
use workyard_adapter_kit::Result;

/// Changes rows. Made by [`update`].
#[derive(Clone, Debug)]
pub struct Update {
    table: String,
    changes: Vec<(String, Change)>,
    conditions: Conditions,
    everywhere: bool,
    order_by: Vec<Column>,
    limit: Option<u64>,
    bound: Vec<(String, Value)>,
}

#[derive(Clone, Debug)]
enum Change {
    Value(Value),
    Sql(String),
}

/// Changes rows of a table: those of its conditions, or with [`Update::everywhere`] all.
#[must_use]
pub fn update(table: &str) -> Update {
    Update {
        table: table.to_owned(),
        changes: Vec::new(),
        conditions: Conditions::default(),
        everywhere: false,
        order_by: Vec::new(),
        limit: None,
        bound: Vec::new(),
    }
}

impl Update {
    with_conditions!();

    /// Gives a column a value.
    #[must_use]
    pub fn set(mut self, column: &str, value: impl Into<Value>) -> Self {
        self.changes.push((column.to_owned(), Change::Value(value.into())));
        self
    }

    /// Gives a column what SQL says, such as `credit - :price`.
    #[must_use]
    pub fn set_raw(mut self, column: &str, sql: impl Into<String>) -> Self {
        self.changes.push((column.to_owned(), Change::Sql(sql.into())));
        self
    }

    /// Gives several columns values.
    #[must_use]
    pub fn columns<N: Into<String>, V: Into<Value>>(
        mut self,
        values: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let values = values.into_iter();
        self.changes.extend(values.map(|(name, it)| (name.into(), Change::Value(it.into()))));
        self
    }

    /// In every row: without this, and without a condition, it is refused.
    #[must_use]
    pub fn everywhere(mut self) -> Self {
        self.everywhere = true;
        self
    }

    /// The smallest first, where there is a limit.
    #[must_use]
    pub fn order_by<C: Into<Column>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.order_by.extend(columns.into_iter().map(Into::into));
        self
    }

    /// So many rows at most.
    #[must_use]
    pub fn limit(mut self, rows: u64) -> Self {
        self.limit = Some(rows);
        self
    }

    fn changes(&self, binder: &mut Binder) -> Result<String> {
        let mut changes = Vec::new();
        for (column, change) in &self.changes {
            let value = match change {
                Change::Value(value) => binder.value(value),
                Change::Sql(sql) => sql.clone(),
            };
            changes.push(format!("{} = {value}", quoted(column)?));
        }
        Ok(changes.join(", "))
    }
}

impl IntoStatement<'static> for Update {
    fn into_statement(self) -> Result<Statement<'static>> {
        (&self).into_statement()
    }
}

impl IntoStatement<'static> for &Update {
    fn into_statement(self) -> Result<Statement<'static>> {
        let table = quoted(&self.table)?;
        if self.changes.is_empty() {
            return Err(invalid(format!("nothing of {table} is changed; there is no `set`")));
        }
        let mut binder = Binder::default();
        binder.named(&self.bound)?;
        let mut sql = format!("UPDATE {table} SET {}", self.changes(&mut binder)?);
        super::delete::write_rest(
            &mut sql,
            &mut binder,
            (&self.conditions, self.everywhere),
            &self.order_by,
            self.limit,
        )?;
        binder.finish(sql)
    }
}
