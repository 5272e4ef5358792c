//! What a statement was answered with.

use crate::error;
use mysql_async::prelude::{FromRow, Protocol};
use mysql_async::{QueryResult, Row};
use std::any::type_name;
use workyard_adapter_kit::{Error, Result};

/// What a statement that changes something did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Done {
    /// Rows that were changed, added or removed. An update does not count rows that were already so.
    pub affected_rows: u64,
    /// The first number that was given to a row of a table with `AUTO_INCREMENT`.
    pub last_insert_id: Option<u64>,
    /// Warnings; `SHOW WARNINGS` has them.
    pub warnings: u16,
}

/// What a statement of either kind was answered with.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Answer {
    /// The rows, if it reads.
    pub rows: Vec<Row>,
    /// What it did, if it changes something.
    pub done: Done,
}

/// What a statement was answered with, while its rows are read.
#[derive(Debug)]
pub(crate) struct Collected<T> {
    pub(crate) rows: Vec<T>,
    /// Why a row is not among them. That is the caller's concern, and not the service's.
    pub(crate) misfit: Option<Error>,
    pub(crate) done: Done,
}

impl<T: FromRow> Collected<T> {
    pub(crate) fn new(done: Done) -> Self {
        Self { rows: Vec::new(), misfit: None, done }
    }

    pub(crate) fn push(&mut self, row: Row) {
        match convert(row) {
            Ok(row) => self.rows.push(row),
            Err(error) => drop(self.misfit.get_or_insert(error)),
        }
    }

    pub(crate) fn into_rows(self) -> Result<Vec<T>> {
        self.misfit.map_or(Ok(self.rows), Err)
    }
}

impl Answer {
    /// The rows as values.
    ///
    /// # Errors
    /// When a row does not fit.
    pub fn into_rows<T: FromRow>(self) -> Result<Vec<T>> {
        self.rows.into_iter().map(convert).collect()
    }
}

impl Done {
    /// As far as it is known before the rows are read.
    pub(crate) fn of<P: Protocol>(result: &QueryResult<'_, '_, P>) -> Self {
        if !result.columns_ref().is_empty() {
            return Self::default();
        }
        Self {
            affected_rows: result.affected_rows(),
            last_insert_id: result.last_insert_id(),
            warnings: result.warnings(),
        }
    }
}

/// A row as a value. What the row holds is not repeated when it does not fit.
pub(crate) fn convert<T: FromRow>(row: Row) -> Result<T> {
    T::from_row_opt(row).map_err(|error| {
        let row = error.0;
        let columns: Vec<String> = row
            .columns_ref()
            .iter()
            .map(|column| format!("{} {:?}", column.name_str(), column.column_type()))
            .collect();
        error::misfit(&columns.join(", "), type_name::<T>())
    })
}
