//! MySQL and MariaDB for workers: [`mysql_async`] behind a guard.
//!
//! ```no_run
//! # use workyard_mysql::{Mysql, Result, params, select};
//! # async fn example() -> Result<()> {
//! let mysql = Mysql::open("mysql://app:secret@127.0.0.1/shop?calls_max=20")?;
//!
//! let adults: Vec<(u64, String)> = mysql
//!     .rows("SELECT id, name FROM users WHERE age >= :age", params! { "age" => 18 })
//!     .await?;
//! let done = mysql.exec("INSERT INTO users (name, age) VALUES (?, ?)", ("Ann", 30)).await?;
//! println!("{} of {}", done.last_insert_id.unwrap_or_default(), adults.len());
//!
//! let page = select(["id", "name"]).from("users").is("age", 30).order_by_desc(["id"]).page(2);
//! let users: Vec<(u64, String)> = mysql.rows(page, ()).await?;
//!
//! mysql
//!     .transaction(async |tx| {
//!         tx.exec("UPDATE accounts SET credit = credit - 5 WHERE id = ?", (1,)).await?;
//!         tx.exec("UPDATE accounts SET credit = credit + 5 WHERE id = ?", (2,)).await?;
//!         Ok(())
//!     })
//!     .await?;
//! # Ok(()) }
//! ```
//!
//! Statements that read ([`Mysql::rows`], [`Mysql::first`], [`Mysql::stream`]) are made again when the
//! connection is lost; others only when they certainly were not carried out; those of a transaction never.

mod answer;
mod build;
mod connection;
mod error;
mod idle;
mod lease;
mod limits;
mod mysql;
mod options;
mod read;
mod rows;
mod session;
mod shared;
mod statement;
mod transaction;

pub use answer::{Answer, Done};
pub use build::{
    Column, Delete, Insert, Select, Update, delete, insert, raw, replace, select, update,
};
pub use connection::Connection;
pub use error::server_error;
pub use mysql::Mysql;
pub use options::Options;
pub use rows::Rows;
pub use statement::{IntoStatement, Statement};
pub use transaction::{Transaction, TransactionOptions};

pub use mysql_async;
pub use mysql_async::prelude::{FromRow, FromValue, ToValue};
pub use mysql_async::{IsolationLevel, Params, Row, Value, params};
pub use workyard_adapter_kit::{
    Backoff, BreakerOptions, CallOptions, CallReport, ConnectionEvent, Error, ErrorKind, Observer,
    Result, RetryOptions, Stats, Tls,
};

/// What the README shows compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
