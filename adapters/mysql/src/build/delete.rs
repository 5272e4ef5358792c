//! `DELETE`.

use super::name::{Column, list, quoted};
use super::{Binder, Conditions, with_conditions};
use crate::statement::{IntoStatement, Statement, invalid};
use mysql_async::Value;
use workyard_adapter_kit::Result;

/// Removes rows. Made by [`delete`].
#[derive(Clone, Debug)]
pub struct Delete {
    table: String,
    conditions: Conditions,
    everywhere: bool,
    order_by: Vec<Column>,
    limit: Option<u64>,
    bound: Vec<(String, Value)>,
}

/// Removes rows of a table: those of its conditions, or with [`Delete::everywhere`] all.
#[must_use]
pub fn delete(table: &str) -> Delete {
    Delete {
        table: table.to_owned(),
        conditions: Conditions::default(),
        everywhere: false,
        order_by: Vec::new(),
        limit: None,
        bound: Vec::new(),
    }
}

impl Delete {
    with_conditions!();

    /// All rows: without this, and without a condition, it is refused.
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
}

impl IntoStatement<'static> for Delete {
    fn into_statement(self) -> Result<Statement<'static>> {
        (&self).into_statement()
    }
}

impl IntoStatement<'static> for &Delete {
    fn into_statement(self) -> Result<Statement<'static>> {
        let mut binder = Binder::default();
        binder.named(&self.bound)?;
        let mut sql = format!("DELETE FROM {}", quoted(&self.table)?);
        let conditions = (&self.conditions, self.everywhere);
        write_rest(&mut sql, &mut binder, conditions, &self.order_by, self.limit)?;
        binder.finish(sql)
    }
}

/// What updates and deletions end with.
pub(super) fn write_rest(
    sql: &mut String,
    binder: &mut Binder,
    (conditions, everywhere): (&Conditions, bool),
    order_by: &[Column],
    limit: Option<u64>,
) -> Result<()> {
    match (conditions.is_empty(), everywhere) {
        (true, false) => {
            let message =
                format!("{sql}: there is no condition; if every row is meant, say `everywhere`");
            return Err(invalid(message));
        }
        (false, true) => {
            return Err(invalid(format!("{sql}: there are conditions, and `everywhere` as well")));
        }
        _ => conditions.write("WHERE", sql, binder)?,
    }
    if !order_by.is_empty() {
        sql.push_str(&format!(" ORDER BY {}", list(order_by)?));
    }
    if let Some(limit) = limit {
        sql.push_str(&format!(" LIMIT {limit}"));
    }
    Ok(())
}
