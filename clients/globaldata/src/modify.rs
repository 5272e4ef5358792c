//! Changing a variable by what it holds in one step, without a loop of reads and cas.

use crate::client::{GlobalDataClient, unexpected};
use crate::error::{Error, OutOfBounds};
use crate::expiry::Expiry;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use workyard_link::Received;
use workyard_protocol::globaldata::{
    AddWithin, Modification, Modified, Modify, Outcome, Reply, Request,
};
use workyard_protocol::{Key, Number, Value, from_value};

/// What the sum of an addition may be: see [`GlobalDataClient::increment_within`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    least: Option<Number>,
    greatest: Option<Number>,
}

impl Bounds {
    /// Not less than this.
    pub fn at_least(least: impl Into<Number>) -> Self {
        Self { least: Some(least.into()), greatest: None }
    }

    /// Not more than this.
    pub fn at_most(greatest: impl Into<Number>) -> Self {
        Self { least: None, greatest: Some(greatest.into()) }
    }

    /// Neither less than the one nor more than the other.
    pub fn between(least: impl Into<Number>, greatest: impl Into<Number>) -> Self {
        Self { least: Some(least.into()), greatest: Some(greatest.into()) }
    }

    /// The addition of which these are the bounds.
    pub(crate) fn addition(self, by: Number, clamp: bool) -> Modification<'static> {
        let Self { least, greatest } = self;
        let initial = Some(Number::Int(0));
        Modification::AddWithin(AddWithin { by, initial, least, greatest, clamp })
    }
}

/// A number after a bounded addition, and how long its variable still lives.
pub(crate) struct Sum {
    pub(crate) number: Result<Number, OutOfBounds>,
    pub(crate) ttl: Option<Duration>,
}

impl GlobalDataClient {
    /// Puts bytes or text behind those that are there, or stores them if there are none. Returns how
    /// many bytes there are now.
    ///
    /// Unless this handle says something else, the variable's lifetime stays as it is, as with every
    /// call that changes a variable by what it holds.
    ///
    /// ```no_run
    /// # async fn example(client: workyard_globaldata::GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
    /// client.append("log:today", "started\n").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Refused` with `WrongKind` when the variable holds something else than bytes or text, with
    /// `LimitReached` when it would become longer than the server allows; else as
    /// [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn append(
        &self,
        key: impl AsRef<[u8]>,
        bytes: impl AsRef<[u8]>,
    ) -> Result<u64, Error> {
        self.length(key.as_ref(), Modification::Append(bytes.as_ref())).await
    }

    /// Puts bytes or text before those that are there, or stores them if there are none. Returns how
    /// many bytes there are now.
    ///
    /// # Errors
    /// As [`GlobalDataClient::append`].
    pub async fn prepend(
        &self,
        key: impl AsRef<[u8]>,
        bytes: impl AsRef<[u8]>,
    ) -> Result<u64, Error> {
        self.length(key.as_ref(), Modification::Prepend(bytes.as_ref())).await
    }

    /// Lowers a number to this one if it is above it, or stores this one if there is none. Returns
    /// what it is now.
    ///
    /// # Errors
    /// `Refused` with `NotANumber`, else as [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn min(
        &self,
        key: impl AsRef<[u8]>,
        number: impl Into<Number>,
    ) -> Result<Number, Error> {
        self.number(key.as_ref(), Modification::Min(number.into())).await
    }

    /// Raises a number to this one if it is below it, or stores this one if there is none. Returns
    /// what it is now.
    ///
    /// # Errors
    /// As [`GlobalDataClient::min`].
    pub async fn max(
        &self,
        key: impl AsRef<[u8]>,
        number: impl Into<Number>,
    ) -> Result<Number, Error> {
        self.number(key.as_ref(), Modification::Max(number.into())).await
    }

    /// Adds to a variable, of which one that does not exist counts as 0, unless the sum would be out
    /// of bounds. Returns the sum, or what the variable is and stays.
    ///
    /// ```no_run
    /// # use workyard_globaldata::{Bounds, GlobalDataClient, OutOfBounds};
    /// # async fn example(client: GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
    /// match client.increment_within("stock", -3, Bounds::at_least(0)).await? {
    ///     Ok(left) => println!("sold, {left} left"),
    ///     Err(OutOfBounds { current }) => println!("there are only {current}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`GlobalDataClient::increment`]; `Refused` with `InvalidArgument` for bounds of which the
    /// first is above the second. To be out of bounds is not one of them: it is the inner result.
    pub async fn increment_within(
        &self,
        key: impl AsRef<[u8]>,
        by: impl Into<Number>,
        bounds: Bounds,
    ) -> Result<Result<Number, OutOfBounds>, Error> {
        Ok(self.add_within(key.as_ref(), by.into(), bounds, false).await?.number)
    }

    /// Adds to a variable, of which one that does not exist counts as 0, up to its bounds: a sum
    /// beyond becomes the bound. Returns what it is now.
    ///
    /// # Errors
    /// As [`GlobalDataClient::increment_within`].
    pub async fn increment_clamped(
        &self,
        key: impl AsRef<[u8]>,
        by: impl Into<Number>,
        bounds: Bounds,
    ) -> Result<Number, Error> {
        let sum = self.add_within(key.as_ref(), by.into(), bounds, true).await?;
        sum.number
            .map_err(|OutOfBounds { current }| unexpected_outcome(&Outcome::OutOfBounds(current)))
    }

    /// Stores a value and returns the one that was there.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `Decode` when what was there is not of that
    /// type: it is replaced all the same.
    pub async fn swap<T, V>(&self, key: impl AsRef<[u8]>, value: &V) -> Result<Option<T>, Error>
    where
        T: DeserializeOwned,
        V: Serialize + ?Sized,
    {
        decode(self.swap_value(key, &self.encode(value)?).await?)
    }

    /// [`GlobalDataClient::swap`] of values as they are stored.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn swap_value(
        &self,
        key: impl AsRef<[u8]>,
        value: &Value,
    ) -> Result<Option<Value>, Error> {
        self.previous(key.as_ref(), Expiry::Never, Modification::Swap(value.as_ref())).await
    }

    /// Removes a variable and returns the value that it had: of many who take, one gets it.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `Decode` when it was not of that type: it is
    /// removed all the same.
    pub async fn take<T: DeserializeOwned>(
        &self,
        key: impl AsRef<[u8]>,
    ) -> Result<Option<T>, Error> {
        decode(self.take_value(key).await?)
    }

    /// [`GlobalDataClient::take`] of a value as it was stored.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn take_value(&self, key: impl AsRef<[u8]>) -> Result<Option<Value>, Error> {
        self.previous(key.as_ref(), Expiry::Keep, Modification::Take).await
    }

    pub(crate) async fn add_within(
        &self,
        key: &[u8],
        by: Number,
        bounds: Bounds,
        clamp: bool,
    ) -> Result<Sum, Error> {
        let received = self.modify(key, Expiry::Keep, bounds.addition(by, clamp)).await?;
        let Modified { ttl_ms, outcome, .. } = modified(&received)?;
        let ttl = ttl_ms.map(Duration::from_millis);
        match outcome {
            Outcome::Number(number) => Ok(Sum { number: Ok(number), ttl }),
            Outcome::OutOfBounds(current) => Ok(Sum { number: Err(OutOfBounds { current }), ttl }),
            other => Err(unexpected_outcome(&other)),
        }
    }

    /// Changes a variable, and returns how long it is then.
    pub(crate) async fn length(
        &self,
        key: &[u8],
        modification: Modification<'_>,
    ) -> Result<u64, Error> {
        let received = self.modify(key, Expiry::Keep, modification).await?;
        match modified(&received)?.outcome {
            Outcome::Length(length) => Ok(length),
            other => Err(unexpected_outcome(&other)),
        }
    }

    /// Changes a variable, and returns the number that it or its field is then.
    pub(crate) async fn number(
        &self,
        key: &[u8],
        modification: Modification<'_>,
    ) -> Result<Number, Error> {
        let received = self.modify(key, Expiry::Keep, modification).await?;
        match modified(&received)?.outcome {
            Outcome::Number(number) => Ok(number),
            other => Err(unexpected_outcome(&other)),
        }
    }

    /// Changes a variable, and returns how many items or fields that was.
    pub(crate) async fn changed(
        &self,
        key: &[u8],
        modification: Modification<'_>,
    ) -> Result<u64, Error> {
        let received = self.modify(key, Expiry::Keep, modification).await?;
        match modified(&received)?.outcome {
            Outcome::Count(count) => Ok(count),
            other => Err(unexpected_outcome(&other)),
        }
    }

    async fn previous(
        &self,
        key: &[u8],
        unsaid: Expiry,
        modification: Modification<'_>,
    ) -> Result<Option<Value>, Error> {
        let received = self.modify(key, unsaid, modification).await?;
        match modified(&received)?.outcome {
            Outcome::Values(values) if values.len() <= 1 => {
                Ok(values.first().map(|value| received.keep_value(*value)))
            }
            other => Err(unexpected_outcome(&other)),
        }
    }

    /// `unsaid` is what it says of the lifetime if this handle was not told what to say.
    pub(crate) async fn modify(
        &self,
        key: &[u8],
        unsaid: Expiry,
        modification: Modification<'_>,
    ) -> Result<Received, Error> {
        let key = Key::new(key)?;
        let expiry = self.expiry.unwrap_or(unsaid).wire()?;
        self.ask(key, Request::Modify(Modify { key, expiry, modification })).await
    }
}

pub(crate) fn modified(received: &Received) -> Result<Modified<'_>, Error> {
    match received.decode()? {
        Reply::Modified(modified) => Ok(modified),
        other => Err(unexpected(&other)),
    }
}

/// The error for an outcome that another modification has.
pub(crate) fn unexpected_outcome(outcome: &Outcome<'_>) -> Error {
    let outcome = outcome.clone();
    unexpected(&Reply::Modified(Modified { revision: 0, ttl_ms: None, outcome }))
}

fn decode<T: DeserializeOwned>(value: Option<Value>) -> Result<Option<T>, Error> {
    value.map(|value| from_value(value.as_ref())).transpose().map_err(Error::Decode)
}
