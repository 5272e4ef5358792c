//! Several statements that are carried out together or not at all.

use crate::answer::{Answer, Collected, Done, convert};
use crate::error;
use crate::lease::Lease;
use crate::statement::IntoStatement;
use mysql_async::prelude::FromRow;
use mysql_async::{IsolationLevel, Params, Row};
use std::fmt;
use workyard_adapter_kit::{Call, Error, ErrorKind, Kept, Repeat, Result};

/// How a transaction is made.
#[derive(Clone, Debug, Default)]
pub struct TransactionOptions {
    isolation: Option<IsolationLevel>,
    read_only: bool,
    pub(crate) conflicts_max: u32,
}

impl TransactionOptions {
    /// As the server does it by default, once.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With another isolation level than the server's.
    #[must_use]
    pub fn isolation(mut self, level: IsolationLevel) -> Self {
        self.isolation = Some(level);
        self
    }

    /// Changes nothing, which is cheaper for the server.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Is made again from its beginning, up to `times` times, when the server has chosen it as the victim of a
    /// deadlock (1213) or it did not get a lock in time (1205). So whatever else the closure does, it does again.
    #[must_use]
    pub fn retrying_deadlocks(mut self, times: u32) -> Self {
        self.conflicts_max = times;
        self
    }

    /// What begins it, in one round trip.
    pub(crate) fn begin(&self) -> String {
        let isolation = self.isolation.map(|level| {
            let level = match level {
                IsolationLevel::ReadUncommitted => "READ UNCOMMITTED",
                IsolationLevel::ReadCommitted => "READ COMMITTED",
                IsolationLevel::RepeatableRead => "REPEATABLE READ",
                IsolationLevel::Serializable => "SERIALIZABLE",
            };
            format!("SET TRANSACTION ISOLATION LEVEL {level}; ")
        });
        let access = if self.read_only { " READ ONLY" } else { "" };
        format!("{}START TRANSACTION{access}", isolation.unwrap_or_default())
    }
}

/// A transaction that was begun: what the closure of [`Mysql::transaction`](crate::Mysql::transaction) gets.
///
/// Its statements are made once. After a lost connection, a deadlock, or whatever else has ended the transaction at
/// the server, further statements are refused, and so is the end.
pub struct Transaction {
    lease: Lease,
    kept: Kept,
    /// What has ended it before its end.
    over: Option<Error>,
    /// Whether its last statement failed because others were in the way.
    conflicted: bool,
}

impl Transaction {
    pub(crate) fn new(lease: Lease, kept: Kept) -> Self {
        Self { lease, kept, over: None, conflicted: false }
    }

    /// The rows of a statement.
    ///
    /// # Errors
    /// Those of [`Mysql::rows`](crate::Mysql::rows), and when the transaction is over.
    pub async fn rows<'a, T: FromRow>(
        &mut self,
        statement: impl IntoStatement<'a>,
        params: impl Into<Params>,
    ) -> Result<Vec<T>> {
        self.prepared("rows", statement, params.into()).await?.into_rows()
    }

    /// The first row of a statement, if there is one.
    ///
    /// # Errors
    /// Those of [`Mysql::first`](crate::Mysql::first), and when the transaction is over.
    pub async fn first<'a, T: FromRow>(
        &mut self,
        statement: impl IntoStatement<'a>,
        params: impl Into<Params>,
    ) -> Result<Option<T>> {
        self.check()?;
        let (sql, params) = self.lease.shared().bound(statement, params.into())?;
        let first = self.kept.call(call("first"), self.lease.first(&sql, params)).await;
        self.noted(first).await?.map(convert).transpose()
    }

    /// Carries out a statement that changes something.
    ///
    /// # Errors
    /// Those of [`Mysql::exec`](crate::Mysql::exec), and when the transaction is over.
    pub async fn exec<'a>(
        &mut self,
        statement: impl IntoStatement<'a>,
        params: impl Into<Params>,
    ) -> Result<Done> {
        let collected = self.prepared::<Row>("exec", statement, params.into()).await?;
        Ok(collected.done)
    }

    /// Carries out a text without values, such as one that cannot be prepared.
    ///
    /// # Errors
    /// Those of [`Mysql::query`](crate::Mysql::query), and when the transaction is over.
    pub async fn query(&mut self, sql: &str) -> Result<Answer> {
        self.check()?;
        let (sql, _) = self.lease.shared().bound(sql, Params::Empty)?;
        let answer = self.kept.call(call("query"), self.lease.text(&sql)).await;
        self.noted(answer).await
    }

    /// Whether it may be made again.
    pub(crate) fn is_conflicted(&self) -> bool {
        self.conflicted
    }

    /// Ends it so that all of it is carried out.
    pub(crate) async fn commit(&mut self) -> Result<()> {
        self.check()?;
        let ended = self.kept.call(call("commit"), self.lease.end_transaction("COMMIT")).await;
        self.conflicted = ended.as_ref().is_err_and(error::is_conflict);
        ended
    }

    /// Ends it so that nothing of it is. When that fails the connection is closed, to the same end.
    pub(crate) async fn rollback(&mut self) {
        if self.over.is_none() {
            let _ = self.kept.call(call("rollback"), self.lease.end_transaction("ROLLBACK")).await;
        }
    }

    async fn prepared<'a, T: FromRow>(
        &mut self,
        operation: &'static str,
        statement: impl IntoStatement<'a>,
        params: Params,
    ) -> Result<Collected<T>> {
        self.check()?;
        let (sql, params) = self.lease.shared().bound(statement, params)?;
        let answer = self.kept.call(call(operation), self.lease.prepared(&sql, params)).await;
        self.noted(answer).await
    }

    fn check(&self) -> Result<()> {
        let Some(cause) = &self.over else { return Ok(()) };
        let message = format!("the transaction is over: {cause}");
        Err(Error::new(ErrorKind::InvalidRequest, message).with_source(cause.clone()))
    }

    /// After an error nobody knows what is left of the transaction but the server.
    async fn noted<T>(&mut self, result: Result<T>) -> Result<T> {
        self.conflicted = result.as_ref().is_err_and(error::is_conflict);
        if let Err(error) = &result {
            let asked =
                self.kept.call(call("check"), async { Ok(self.lease.is_in_transaction().await) });
            if !asked.await.unwrap_or(false) {
                self.over = Some(error.clone());
            }
        }
        result
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("over", &self.over).finish_non_exhaustive()
    }
}

const fn call(operation: &'static str) -> Call {
    Call::new(operation).repeat(Repeat::Never)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_a_transaction() {
        use IsolationLevel::{ReadCommitted, Serializable};
        let new = TransactionOptions::new;
        let cases = [
            (new(), "START TRANSACTION"),
            (new().read_only(), "START TRANSACTION READ ONLY"),
            (
                new().isolation(ReadCommitted),
                "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION",
            ),
            (
                new().isolation(Serializable).read_only(),
                "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; START TRANSACTION READ ONLY",
            ),
        ];
        for (options, expected) in cases {
            assert_eq!(options.begin(), expected);
        }
    }
}
