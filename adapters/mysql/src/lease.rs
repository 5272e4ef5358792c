//! A connection of the pool in use: it goes back only when it is known that nothing is left on it.

use crate::answer::{Answer, Collected};
use crate::error;
use crate::read::{self, Failure};
use crate::shared::Shared;
use crate::statement::invalid;
use futures_util::FutureExt;
use mysql_async::prelude::{FromRow, Queryable};
use mysql_async::{Conn, Params, Row};
use std::sync::Arc;
use std::thread;
use std::time::Instant;
use workyard_adapter_kit::{Error, ErrorKind, Result};

/// A connection in use. Dropped while something is under way on it, it is closed instead of given back, and the
/// server rolls back what it has begun.
pub(crate) struct Lease {
    /// Taken out only at the end.
    conn: Option<Conn>,
    shared: Arc<Shared>,
    /// A statement is under way, or was given up, or the connection is lost.
    busy: bool,
    /// A transaction was begun and not ended.
    transaction: bool,
}

impl Lease {
    pub(crate) fn new(conn: Conn, shared: Arc<Shared>) -> Self {
        Self { conn: Some(conn), shared, busy: false, transaction: false }
    }

    /// A text, which may be several statements.
    pub(crate) async fn text(&mut self, sql: &str) -> Result<Answer> {
        let bounds = self.shared.bounds;
        let result = read::text(self.begin()?, sql, bounds).await;
        self.end(sql, result)
    }

    /// A prepared statement, all of its rows.
    pub(crate) async fn prepared<T: FromRow>(
        &mut self,
        sql: &str,
        params: Params,
    ) -> Result<Collected<T>> {
        let bounds = self.shared.bounds;
        let result = read::prepared(self.begin()?, sql, params, bounds).await;
        self.end(sql, result)
    }

    /// A prepared statement, its first row.
    pub(crate) async fn first(&mut self, sql: &str, params: Params) -> Result<Option<Row>> {
        let result = read::first(self.begin()?, sql, params).await;
        self.end(sql, result)
    }

    /// A prepared statement, before its first row. It is under way until its last row was read.
    pub(crate) async fn open(&mut self, sql: &str, params: Params) -> Result<()> {
        let result = read::open(self.begin()?, sql, params).await;
        result.or_else(|failure| self.failed(sql, failure))
    }

    /// The next row of what was opened.
    pub(crate) async fn next_row(&mut self, sql: &str) -> Result<Option<Row>> {
        match read::next_row(self.conn()).await {
            Ok(Some(row)) => Ok(Some(row)),
            last => self.end(sql, last),
        }
    }

    /// Begins a transaction.
    pub(crate) async fn begin_transaction(&mut self, sql: &str) -> Result<()> {
        self.transaction = true;
        self.text(sql).await.map(drop).map_err(Error::not_carried_out)
    }

    /// Ends a transaction, in one way or the other.
    pub(crate) async fn end_transaction(&mut self, sql: &str) -> Result<()> {
        self.transaction = false;
        self.text(sql).await.map(drop)
    }

    /// Whether the transaction is still there. The server may have ended it because of an error, and says so
    /// when it is asked.
    pub(crate) async fn is_in_transaction(&mut self) -> bool {
        let Ok(conn) = self.begin() else { return false };
        let answered = conn.ping().await.is_ok();
        let open = answered && read::in_transaction(conn);
        self.busy = !answered;
        self.transaction = open;
        open
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The connection itself, for those who take care of it.
    pub(crate) fn into_conn(mut self) -> Conn {
        self.conn.take().expect("it is there until the end")
    }

    fn conn(&mut self) -> &mut Conn {
        self.conn.as_mut().expect("it is there until the end")
    }

    fn begin(&mut self) -> Result<&mut Conn> {
        if self.busy {
            let message = "an earlier statement on this connection was given up, or it is lost";
            return Err(Error::new(ErrorKind::Disconnected, message).not_carried_out());
        }
        self.busy = true;
        Ok(self.conn())
    }

    fn end<T>(&mut self, sql: &str, result: Result<T, Failure>) -> Result<T> {
        let answer = result.or_else(|failure| self.failed(sql, failure))?;
        let open = read::in_transaction(self.conn());
        // What was left open is rolled back by the server when the connection ends.
        self.busy = open && !self.transaction;
        match (self.transaction, open) {
            (false, true) => Err(invalid(
                "the statement leaves a transaction open, which is rolled back; use `transaction`"
                    .to_owned(),
            )),
            (true, false) => {
                self.transaction = false;
                Err(invalid(
                    "the statement has ended the transaction, and committed what was before it; \
                     such a one belongs outside"
                        .to_owned(),
                ))
            }
            _ => Ok(answer),
        }
    }

    fn failed<T>(&mut self, sql: &str, failure: Failure) -> Result<T> {
        self.busy = !self.is_settled(sql, &failure);
        let error = match failure {
            Failure::TooLarge(message) => error::too_large(message),
            Failure::Sent(error) => error::asking(error, sql),
            Failure::Unsent(error) => error::asking(error, sql).not_carried_out(),
        };
        if error.kind() == ErrorKind::Disconnected {
            self.shared.guard.lost(&error);
        }
        Err(error)
    }

    /// Whether nothing is under way and nothing left open after a failure. Several steps may have begun a
    /// transaction, and `COMMIT` may not have ended it; within a transaction it is asked what is left of it.
    fn is_settled(&self, sql: &str, failure: &Failure) -> bool {
        match failure {
            Failure::Unsent(mysql_async::Error::Server(_)) => true,
            Failure::Sent(mysql_async::Error::Server(_)) => {
                self.transaction || error::is_one_step(sql)
            }
            _ => false,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take() else { return };
        if self.busy || self.transaction {
            abandon(conn);
        } else {
            self.shared.idle.returned(conn.id(), Instant::now());
        }
    }
}

/// Closes a connection at once, whatever is under way on it. Given back as it is, the driver would first read the
/// rest of an answer, however long it is, or wait for a server that is not there.
pub(crate) fn abandon(mut conn: Conn) {
    // Should the request below come through, the next one to use it shall not find a transaction.
    conn.reset_connection(true);
    if !thread::panicking() {
        // The driver closes what was dropped within a request.
        let _ = conn.ping().now_or_never();
    }
}

#[cfg(test)]
mod tests {
    /// Streams and transactions move to whichever thread their task runs on.
    #[test]
    fn a_lease_can_be_sent() {
        fn check<T: Send>() {}
        check::<super::Lease>();
    }
}
