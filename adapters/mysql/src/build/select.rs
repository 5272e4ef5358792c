//! `SELECT`.

use super::name::{Column, list, quoted};
use super::{Binder, Conditions, with_conditions};
use crate::statement::{IntoStatement, Statement, invalid};
use mysql_async::Value;
use workyard_adapter_kit::Result;

/// A page, unless [`Select::set_paging`] says otherwise.
const PAGE_ROWS: u64 = 10;

/// Reads rows. Made by [`select`].
#[derive(Clone, Debug, Default)]
pub struct Select {
    columns: Vec<Column>,
    distinct: bool,
    from: Vec<From>,
    joins: Vec<Join>,
    conditions: Conditions,
    group_by: Vec<Column>,
    having: Conditions,
    unions: Vec<(&'static str, Select)>,
    order_by: Vec<(Column, &'static str)>,
    limit: Option<u64>,
    offset: Option<u64>,
    page: Option<u64>,
    page_rows: Option<u64>,
    for_update: bool,
    bound: Vec<(String, Value)>,
}

#[derive(Clone, Debug)]
enum From {
    Table(String),
    Select(Box<Select>, String),
}

#[derive(Clone, Debug)]
struct Join {
    keyword: &'static str,
    table: String,
    on: String,
}

/// Selects columns; none: all.
pub fn select<C: Into<Column>>(columns: impl IntoIterator<Item = C>) -> Select {
    Select::default().columns(columns)
}

impl Select {
    with_conditions!();

    /// Further columns.
    #[must_use]
    pub fn columns<C: Into<Column>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.columns.extend(columns.into_iter().map(Into::into));
        self
    }

    /// Each different row once.
    #[must_use]
    pub fn distinct(mut self) -> Self {
        self.distinct = true;
        self
    }

    /// Of a table.
    #[must_use]
    pub fn from(mut self, table: &str) -> Self {
        self.from.push(From::Table(table.to_owned()));
        self
    }

    /// Of what another select finds, under a name.
    #[must_use]
    pub fn from_select(mut self, select: Self, name: &str) -> Self {
        self.from.push(From::Select(Box::new(select), name.to_owned()));
        self
    }

    /// With the rows of another table that belong to it, as `on` says, which is SQL.
    #[must_use]
    pub fn join(self, table: &str, on: &str) -> Self {
        self.joined("JOIN", table, on)
    }

    /// The same.
    #[must_use]
    pub fn inner_join(self, table: &str, on: &str) -> Self {
        self.joined("INNER JOIN", table, on)
    }

    /// The same, and rows to which none belongs.
    #[must_use]
    pub fn left_join(self, table: &str, on: &str) -> Self {
        self.joined("LEFT JOIN", table, on)
    }

    /// The same, and rows of the other table that belong to none.
    #[must_use]
    pub fn right_join(self, table: &str, on: &str) -> Self {
        self.joined("RIGHT JOIN", table, on)
    }

    /// One row for those that have the same in these columns.
    #[must_use]
    pub fn group_by<C: Into<Column>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.group_by.extend(columns.into_iter().map(Into::into));
        self
    }

    /// With a condition that must hold for a group, too.
    #[must_use]
    pub fn having(mut self, condition: impl Into<String>) -> Self {
        self.having.and(condition.into());
        self
    }

    /// With a condition that may hold for a group instead.
    #[must_use]
    pub fn or_having(mut self, condition: impl Into<String>) -> Self {
        self.having.or(condition.into());
        self
    }

    /// The smallest first.
    #[must_use]
    pub fn order_by<C: Into<Column>>(self, columns: impl IntoIterator<Item = C>) -> Self {
        self.ordered(columns, "")
    }

    /// The same, said.
    #[must_use]
    pub fn order_by_asc<C: Into<Column>>(self, columns: impl IntoIterator<Item = C>) -> Self {
        self.ordered(columns, " ASC")
    }

    /// The largest first.
    #[must_use]
    pub fn order_by_desc<C: Into<Column>>(self, columns: impl IntoIterator<Item = C>) -> Self {
        self.ordered(columns, " DESC")
    }

    /// So many rows at most.
    #[must_use]
    pub fn limit(mut self, rows: u64) -> Self {
        self.limit = Some(rows);
        self
    }

    /// Without so many at the start.
    #[must_use]
    pub fn offset(mut self, rows: u64) -> Self {
        self.offset = Some(rows);
        self
    }

    /// The rows of one page, counted from 1, instead of a limit and an offset.
    #[must_use]
    pub fn page(mut self, page: u64) -> Self {
        self.page = Some(page);
        self
    }

    /// How many rows a page has, instead of 10.
    #[must_use]
    pub fn set_paging(mut self, rows: u64) -> Self {
        self.page_rows = Some(rows);
        self
    }

    /// And the rows of another select, each different one once. Order and limit of this one are those of all.
    #[must_use]
    pub fn union(mut self, other: Self) -> Self {
        self.unions.push(("UNION", other));
        self
    }

    /// The same, with every row.
    #[must_use]
    pub fn union_all(mut self, other: Self) -> Self {
        self.unions.push(("UNION ALL", other));
        self
    }

    /// Locks what it finds until the end of the transaction.
    #[must_use]
    pub fn for_update(mut self) -> Self {
        self.for_update = true;
        self
    }

    fn joined(mut self, keyword: &'static str, table: &str, on: &str) -> Self {
        self.joins.push(Join { keyword, table: table.to_owned(), on: on.to_owned() });
        self
    }

    fn ordered<C: Into<Column>>(
        mut self,
        columns: impl IntoIterator<Item = C>,
        direction: &'static str,
    ) -> Self {
        self.order_by.extend(columns.into_iter().map(|column| (column.into(), direction)));
        self
    }

    /// All of it, with what holds for all of a union.
    fn write(&self, sql: &mut String, binder: &mut Binder) -> Result<()> {
        binder.named(&self.bound)?;
        if self.unions.is_empty() {
            self.write_body(sql, binder)?;
        } else {
            self.write_union(sql, binder)?;
        }
        self.write_order(sql)?;
        self.write_limit(sql)?;
        if self.for_update {
            sql.push_str(" FOR UPDATE");
        }
        Ok(())
    }

    fn write_union(&self, sql: &mut String, binder: &mut Binder) -> Result<()> {
        sql.push('(');
        self.write_body(sql, binder)?;
        sql.push(')');
        for (keyword, select) in &self.unions {
            sql.push_str(&format!(" {keyword} ("));
            select.write(sql, binder)?;
            sql.push(')');
        }
        Ok(())
    }

    fn write_body(&self, sql: &mut String, binder: &mut Binder) -> Result<()> {
        sql.push_str(if self.distinct { "SELECT DISTINCT " } else { "SELECT " });
        sql.push_str(&if self.columns.is_empty() { "*".to_owned() } else { list(&self.columns)? });
        for (place, from) in self.from.iter().enumerate() {
            sql.push_str(if place == 0 { " FROM " } else { ", " });
            from.write(sql, binder)?;
        }
        for Join { keyword, table, on } in &self.joins {
            sql.push_str(&format!(" {keyword} {} ON ({on})", quoted(table)?));
        }
        self.conditions.write("WHERE", sql, binder)?;
        if !self.group_by.is_empty() {
            sql.push_str(&format!(" GROUP BY {}", list(&self.group_by)?));
        }
        self.having.write("HAVING", sql, binder)
    }

    fn write_order(&self, sql: &mut String) -> Result<()> {
        for (place, (column, direction)) in self.order_by.iter().enumerate() {
            let before = if place == 0 { " ORDER BY " } else { ", " };
            sql.push_str(&format!("{before}{}{direction}", column.sql()?));
        }
        Ok(())
    }

    fn write_limit(&self, sql: &mut String) -> Result<()> {
        match self.bounds()? {
            (Some(limit), Some(offset)) => sql.push_str(&format!(" LIMIT {limit} OFFSET {offset}")),
            (Some(limit), None) => sql.push_str(&format!(" LIMIT {limit}")),
            // There is no offset without a limit.
            (None, Some(offset)) => sql.push_str(&format!(" LIMIT {} OFFSET {offset}", u64::MAX)),
            (None, None) => {}
        }
        Ok(())
    }

    fn bounds(&self) -> Result<(Option<u64>, Option<u64>)> {
        let Some(page) = self.page else { return Ok((self.limit, self.offset)) };
        if self.limit.is_some() || self.offset.is_some() {
            return Err(invalid("there is a page, and also a limit or an offset".to_owned()));
        }
        let rows = self.page_rows.unwrap_or(PAGE_ROWS);
        let before = page.checked_sub(1).and_then(|before| before.checked_mul(rows));
        match before {
            Some(before) => Ok((Some(rows), Some(before))),
            None => Err(invalid(format!("there is no page {page}; the first is 1"))),
        }
    }
}

impl From {
    fn write(&self, sql: &mut String, binder: &mut Binder) -> Result<()> {
        match self {
            Self::Table(table) => sql.push_str(&quoted(table)?),
            Self::Select(select, name) => {
                sql.push('(');
                select.write(sql, binder)?;
                sql.push_str(&format!(") AS {}", quoted(name)?));
            }
        }
        Ok(())
    }
}

impl IntoStatement<'static> for Select {
    fn into_statement(self) -> Result<Statement<'static>> {
        (&self).into_statement()
    }
}

impl IntoStatement<'static> for &Select {
    fn into_statement(self) -> Result<Statement<'static>> {
        let (mut sql, mut binder) = (String::new(), Binder::default());
        self.write(&mut sql, &mut binder)?;
        binder.finish(sql)
    }
}
