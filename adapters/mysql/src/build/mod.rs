//! Statements made of parts: names are quoted, values are bound, and nothing is changed everywhere by accident.
//!
//! A name is a column or a table, with the table or database before it and another name after it: `id`, `users.id`,
//! `shop.users`, `users.*`, `price AS cost`. What is more than a name is said with [`raw`], and conditions are SQL with
//! a `:name` for each value, to be given with `bind`.

mod binder;
mod conditions;
mod delete;
mod insert;
mod name;
mod select;
mod update;

pub use delete::{Delete, delete};
pub use insert::{Insert, insert, replace};
pub use name::{Column, raw};
pub use select::{Select, select};
pub use update::{Update, update};

use binder::Binder;
use conditions::Conditions;

/// What several builders have in common, under the names of each.
macro_rules! with_conditions {
    () => {
        /// With a condition that must hold, too: SQL with a `:name` for each value, which [`bind`](Self::bind) gives.
        #[must_use]
        pub fn where_(mut self, condition: impl Into<String>) -> Self {
            self.conditions.and(condition.into());
            self
        }

        /// With a condition that may hold instead of all before it.
        #[must_use]
        pub fn or_where(mut self, condition: impl Into<String>) -> Self {
            self.conditions.or(condition.into());
            self
        }

        /// Where a column has this value. `NULL` is a value here.
        #[must_use]
        pub fn is(mut self, column: &str, value: impl Into<mysql_async::Value>) -> Self {
            self.conditions.is(column, value.into());
            self
        }

        /// Where a column has one of these values. Where there are none, nothing is found.
        #[must_use]
        pub fn is_in<V: Into<mysql_async::Value>>(
            mut self,
            column: &str,
            values: impl IntoIterator<Item = V>,
        ) -> Self {
            self.conditions.is_in(column, values.into_iter().map(Into::into).collect());
            self
        }

        /// Gives the value of a `:name`, which has lower-case letters, digits and `_`, and begins with a letter.
        #[must_use]
        pub fn bind(mut self, name: &str, value: impl Into<mysql_async::Value>) -> Self {
            self.bound.push((name.to_owned(), value.into()));
            self
        }
    };
}
use with_conditions;

#[cfg(test)]
mod tests;
