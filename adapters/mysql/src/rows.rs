//! Rows one by one, so that an answer of any size fits into memory.

use crate::answer::convert;
use crate::lease::Lease;
use futures_util::{Stream, stream};
use mysql_async::prelude::FromRow;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;
use tokio::time::timeout;
use workyard_adapter_kit::{Error, ErrorKind, Guard, Kept, Result};

/// The rows of an answer, read as they are asked for. It has a connection and a place among the calls under way until
/// the last row was read or this is dropped; dropped before the last row, the connection is closed.
pub struct Rows<T> {
    reading: Option<Reading>,
    guard: Guard,
    row: PhantomData<fn() -> T>,
}

struct Reading {
    sql: Box<str>,
    request_timeout: Duration,
    lease: Lease,
    _kept: Kept,
}

impl<T: FromRow> Rows<T> {
    pub(crate) fn new(
        sql: &str,
        request_timeout: Duration,
        guard: Guard,
        lease: Lease,
        kept: Kept,
    ) -> Self {
        let reading = Reading { sql: sql.into(), request_timeout, lease, _kept: kept };
        Self { reading: Some(reading), guard, row: PhantomData }
    }

    /// The next row; none after the last, and after an error. The server is given `request_timeout` for it.
    ///
    /// Cancelled in the midst, it goes on where it was.
    ///
    /// # Errors
    /// When the connection is lost or the row does not come in time: nothing is made again, since rows were
    /// given out already. When the row does not fit `T`.
    pub async fn next(&mut self) -> Option<Result<T>> {
        let row = self.reading.as_mut()?.next().await;
        let row = match row {
            Ok(Some(row)) => convert(row),
            Ok(None) => {
                self.reading = None;
                return None;
            }
            Err(error) => Err(error),
        };
        Some(row.map_err(|error| {
            self.reading = None;
            self.guard.placed(error.during("stream"))
        }))
    }

    /// The same, as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<T>> + Send {
        stream::unfold(self, |mut rows| async move { rows.next().await.map(|row| (row, rows)) })
    }
}

impl Reading {
    async fn next(&mut self) -> Result<Option<mysql_async::Row>> {
        let wait = self.request_timeout;
        timeout(wait, self.lease.next_row(&self.sql)).await.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::TimedOut, format!("no further row within {wait:?}")))
        })
    }
}

impl<T> fmt::Debug for Rows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = self.reading.is_none();
        f.debug_struct("Rows").field("ended", &ended).finish_non_exhaustive()
    }
}
