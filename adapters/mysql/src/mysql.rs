//! The adapter as its users hold it.

use crate::answer::{Answer, Collected, Done, convert};
use crate::connection::Connection;
use crate::lease::Lease;
use crate::options::Options;
use crate::rows::Rows;
use crate::shared::Shared;
use crate::statement::IntoStatement;
use crate::transaction::{Transaction, TransactionOptions};
use mysql_async::prelude::FromRow;
use mysql_async::{Params, Pool, Row};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use workyard_adapter_kit::{Call, Error, ErrorKind, Repeat, Result, Stats};

const ROWS: Call = Call::new("rows").repeat(Repeat::Freely);
const FIRST: Call = Call::new("first").repeat(Repeat::Freely);
const STREAM: Call = Call::new("stream").repeat(Repeat::Freely);
/// Nothing was done in it yet.
const BEGIN: Call = Call::new("begin").repeat(Repeat::Freely);
const CONNECTION: Call = Call::new("connection").repeat(Repeat::Freely);
const EXEC: Call = Call::new("exec");
const EXEC_ROWS: Call = Call::new("exec_rows");
const QUERY: Call = Call::new("query");
const READY: Call = Call::new("ready").repeat(Repeat::Never);

/// How long calls that are under way may take to end when an adapter is closed.
const GRACE: Duration = Duration::from_secs(5);

/// A pool of connections to a MySQL or MariaDB server. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Mysql(Arc<Shared>);

impl Mysql {
    /// Opens what a URL names: `mysql://USER:PASSWORD@HOST/DATABASE?calls_max=20`. Nothing is connected before
    /// the first call.
    ///
    /// # Errors
    /// When the URL is wrong, or says what does not exist.
    pub fn open(url: &str) -> Result<Self> {
        Self::with(Options::new(url))
    }

    /// Opens what options name.
    ///
    /// # Errors
    /// When they cannot work.
    pub fn with(options: Options) -> Result<Self> {
        let made = options.parse().and_then(Shared::new);
        Ok(Self(Arc::new(made.map_err(|error| error.at("mysql", &"(not opened)".into()))?)))
    }

    /// Whether the server answers and takes the credentials, within `connect_timeout`.
    ///
    /// # Errors
    /// When not: why.
    pub async fn ready(&self) -> Result<()> {
        let call = READY.within(self.0.options.calls.connect_timeout);
        self.call(call, |mut lease| async move { lease.text("DO 1").await.map(drop) }).await
    }

    /// The rows of a statement that reads: you say so by calling this, and so it is made again when the
    /// connection is lost.
    ///
    /// # Errors
    /// When the server says no, cannot be reached or does not answer in time; when the rows are more than may be
    /// collected, or do not fit `T`.
    pub async fn rows<'a, T: FromRow>(
        &self,
        statement: impl IntoStatement<'a>,
        params: impl Into<Params>,
    ) -> Result<Vec<T>> {
        let collected = self.prepared(ROWS, statement, params.into()).await?;
        collected.into_rows().map_err(|error| self.misfit(error, "rows"))
    }

    /// The first row of a statement that reads, if there is one. Further rows are thrown away, so ask with
    /// `LIMIT 1` where there may be many.
    ///
    /// # Errors
    /// Those of [`Mysql::rows`].
    pub async fn first<'a, T: FromRow>(
        &self,
        statement: impl IntoStatement<'a>,
        params: impl Into<Params>,
    ) -> Result<Option<T>> {
        let (sql, params) = self.0.bound(statement, params.into())?;
        let (sql, params) = (&*sql, &params);
        let ask = |mut lease: Lease| async move { lease.first(sql, params.clone()).await };
        let row = self.call(FIRST, ask).await?;
        row.map(convert).transpose().map_err(|error| self.misfit(error, "first"))
    }

    /// The rows of a statement that reads, one by one. It has a connection until the last row was read; it is made
    /// again only before the first.
    ///
    /// # Errors
    /// Those of [`Mysql::rows`], but there may be as many rows as there are.
    pub async fn stream<'a, T: FromRow>(
        &self,
        statement: impl IntoStatement<'a>,
        params: impl Into<Params>,
    ) -> Result<Rows<T>> {
        let (sql, params) = self.0.bound(statement, params.into())?;
        let shared = &self.0;
        let open = shared.guard.begin_over(
            STREAM,
            || shared.lease(),
            async |mut lease: Lease| {
                lease.open(&sql, params.clone()).await?;
                Ok(lease)
            },
        );
        let (lease, kept) = open.await?;
        let wait = shared.options.calls.request_timeout;
        Ok(Rows::new(&sql, wait, shared.guard.clone(), lease, kept))
    }

    /// Carries out a statement that changes something. It is made again only when it certainly was not carried out:
    /// when it was never sent, or was rolled back as the victim of a deadlock.
    ///
    /// # Errors
    /// When the server says no, cannot be reached or does not answer in time;
    /// [`outcome_unknown`](Error::outcome_unknown) tells whether it may have been carried out.
    pub async fn exec<'a>(
        &self,
        statement: impl IntoStatement<'a>,
        params: impl Into<Params>,
    ) -> Result<Done> {
        self.prepared::<Row>(EXEC, statement, params.into()).await.map(|collected| collected.done)
    }

    /// The same, for one that has rows, too, such as `INSERT … RETURNING id` or `CALL`.
    ///
    /// # Errors
    /// Those of [`Mysql::exec`] and [`Mysql::rows`].
    pub async fn exec_rows<'a, T: FromRow>(
        &self,
        statement: impl IntoStatement<'a>,
        params: impl Into<Params>,
    ) -> Result<Vec<T>> {
        let collected = self.prepared(EXEC_ROWS, statement, params.into()).await?;
        collected.into_rows().map_err(|error| self.misfit(error, "exec_rows"))
    }

    /// Carries out a text of one or several statements without values, such as `CREATE TABLE`, which need not be
    /// prepared. The answer is that to the first. Never put values into such a text: bind them with the others.
    ///
    /// # Errors
    /// Those of [`Mysql::exec`] and [`Mysql::rows`].
    pub async fn query(&self, sql: &str) -> Result<Answer> {
        let (sql, _) = self.0.bound(sql, Params::Empty)?;
        let sql = &*sql;
        self.call(QUERY, |mut lease| async move { lease.text(sql).await }).await
    }

    /// Carries out several statements together or not at all: `work` makes them on the transaction it gets. When it
    /// succeeds they are committed; when it fails, panics or is dropped they are rolled back.
    ///
    /// # Errors
    /// That of `work`, and when the transaction cannot begin, does not end within `transaction_timeout` or cannot be
    /// committed.
    pub async fn transaction<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFnMut(&mut Transaction) -> Result<T>,
    {
        self.transaction_with(TransactionOptions::new(), work).await
    }

    /// The same, made otherwise, and with errors of your own.
    ///
    /// # Errors
    /// Those of [`Mysql::transaction`].
    pub async fn transaction_with<T, E, F>(
        &self,
        options: TransactionOptions,
        mut work: F,
    ) -> Result<T, E>
    where
        E: From<Error>,
        F: AsyncFnMut(&mut Transaction) -> Result<T, E>,
    {
        let mut waits = self.0.options.calls.retry.backoff.waits();
        for _ in 0..options.conflicts_max {
            let (result, conflicted) = self.transact(&options, &mut work).await;
            if !conflicted {
                return result;
            }
            sleep(waits.next_wait()).await;
        }
        self.transact(&options, &mut work).await.0
    }

    /// A connection of the pool, for what this adapter has no words for.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn connection(&self) -> Result<Connection> {
        let shared = &self.0;
        let (lease, kept) =
            shared.guard.begin_over(CONNECTION, || shared.lease(), async |lease| Ok(lease)).await?;
        Ok(Connection::new(lease.into_conn(), Arc::clone(shared), kept))
    }

    /// The driver's pool. What is done with it is not guarded, and takes connections from those who are.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// What was done so far, and is being done.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.guard.stats()
    }

    /// Lets no call in any more, gives those under way 5 s to end, and closes the connections. Whether all calls
    /// ended.
    pub async fn close(&self) -> bool {
        let ended = self.0.guard.close(GRACE).await;
        // Without end where somebody keeps a connection.
        let closed = timeout(GRACE, self.0.pool.clone().disconnect()).await;
        ended && closed.is_ok()
    }

    async fn prepared<'a, T: FromRow>(
        &self,
        call: Call,
        statement: impl IntoStatement<'a>,
        params: Params,
    ) -> Result<Collected<T>> {
        let (sql, params) = self.0.bound(statement, params)?;
        let (sql, params) = (&*sql, &params);
        let ask = |mut lease: Lease| async move { lease.prepared(sql, params.clone()).await };
        self.call(call, ask).await
    }

    fn misfit(&self, error: Error, operation: &'static str) -> Error {
        self.0.guard.placed(error.during(operation))
    }

    /// Makes a call on a connection.
    async fn call<T, A>(&self, call: Call, ask: impl Fn(Lease) -> A) -> Result<T>
    where
        A: Future<Output = Result<T>>,
    {
        self.0.guard.call_over(call, || self.0.lease(), ask).await
    }

    /// Makes a transaction once. Whether it failed only because others were in the way.
    async fn transact<T, E, F>(
        &self,
        options: &TransactionOptions,
        work: &mut F,
    ) -> (Result<T, E>, bool)
    where
        E: From<Error>,
        F: AsyncFnMut(&mut Transaction) -> Result<T, E>,
    {
        let mut transaction = match self.begin(options).await {
            Ok(transaction) => transaction,
            Err(error) => return (Err(error.into()), false),
        };
        let limit = self.0.options.transaction_timeout;
        let worked = timeout(limit, work(&mut transaction)).await;
        let result = match worked {
            Ok(Ok(value)) => transaction.commit().await.map(|()| value).map_err(E::from),
            Ok(Err(error)) => {
                transaction.rollback().await;
                Err(error)
            }
            Err(_) => {
                let message = format!("not done within {limit:?}, and rolled back");
                let error = self.0.guard.error(ErrorKind::TimedOut, message).not_carried_out();
                Err(error.during("transaction").into())
            }
        };
        let conflicted = result.is_err() && transaction.is_conflicted();
        (result, conflicted)
    }

    async fn begin(&self, options: &TransactionOptions) -> Result<Transaction> {
        let (shared, sql) = (&self.0, options.begin());
        let begin = shared.guard.begin_over(
            BEGIN,
            || shared.lease(),
            async |mut lease: Lease| {
                lease.begin_transaction(&sql).await?;
                Ok(lease)
            },
        );
        let (lease, kept) = begin.await?;
        Ok(Transaction::new(lease, kept))
    }
}
