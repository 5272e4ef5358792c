//! Counting: the sum is made by the server, so that none is lost.

use crate::client::{GlobalDataClient, unexpected};
use crate::error::Error;
use crate::expiry::Expiry;
use workyard_protocol::globaldata::{Increment, Reply, Request};
use workyard_protocol::{Key, Number};

/// Integers stay integers; an integer and a float make a float. Sums that are no 64-bit integer or no
/// finite float are refused with `OutOfRange`, values that are no numbers with `NotANumber`, and the
/// variable stays as it was.
impl GlobalDataClient {
    /// Adds to a variable, negative numbers to subtract; one that does not exist counts as 0. Returns
    /// the sum.
    ///
    /// ```no_run
    /// # async fn example(client: workyard_globaldata::GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
    /// client.increment("visits", 1).await?;
    /// client.increment("balance", -2.5).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn increment(
        &self,
        key: impl AsRef<[u8]>,
        by: impl Into<Number>,
    ) -> Result<Number, Error> {
        self.add_to(key.as_ref(), by.into(), Some(Number::Int(0))).await
    }

    /// Adds to a variable; one that does not exist counts as `initial`.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn increment_from(
        &self,
        key: impl AsRef<[u8]>,
        by: impl Into<Number>,
        initial: impl Into<Number>,
    ) -> Result<Number, Error> {
        self.add_to(key.as_ref(), by.into(), Some(initial.into())).await
    }

    /// Adds to a variable that exists.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `Refused` with the reason `NotFound` when there
    /// is no such variable.
    pub async fn increment_existing(
        &self,
        key: impl AsRef<[u8]>,
        by: impl Into<Number>,
    ) -> Result<Number, Error> {
        self.add_to(key.as_ref(), by.into(), None).await
    }

    async fn add_to(
        &self,
        key: &[u8],
        by: Number,
        initial: Option<Number>,
    ) -> Result<Number, Error> {
        let key = Key::new(key)?;
        let expiry = self.expiry.unwrap_or(Expiry::Keep).wire()?;
        let request = Request::Increment(Increment { key, by, initial, expiry });
        let received = self.ask(key, request).await?;
        match received.decode()? {
            Reply::Incremented { value, .. } => Ok(value),
            other => Err(unexpected(&other)),
        }
    }
}
