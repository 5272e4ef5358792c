//! Lifetimes: what a write says of them, and how they are changed, ended and asked for.

use crate::client::{GlobalDataClient, unexpected};
use crate::error::Error;
use std::time::Duration;
use workyard_protocol::globaldata::{self, Existence, Exists, Reply, Request, Touch};
use workyard_protocol::{Key, Ttl};

/// What a write says of the time that its variable has; see [`GlobalDataClient::with_expiry`].
///
/// Times are whole milliseconds, begun ones counted as whole, from 1 ms to ten years of 365 days; calls
/// with any other fail with `InvalidArgument`. A variable is never read from the instant on at which it
/// expires, which the server tells by a clock that is never set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expiry {
    /// It does not expire, whatever it did before.
    Never,
    /// It expires when it would have without the write; never if the write creates it.
    Keep,
    /// It expires so long after the write.
    After(Duration),
    /// It expires so long after the write if that creates it, else when it would have without.
    AfterIfNew(Duration),
}

/// How long a variable still lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeLeft {
    /// There is no such variable.
    Missing,
    /// It does not expire.
    Forever,
    /// It expires after so long.
    Left(Duration),
}

impl Expiry {
    pub(crate) fn wire(self) -> Result<globaldata::Expiry, Error> {
        Ok(match self {
            Self::Never => globaldata::Expiry::Never,
            Self::Keep => globaldata::Expiry::Keep,
            Self::After(ttl) => globaldata::Expiry::After(checked(ttl)?),
            Self::AfterIfNew(ttl) => globaldata::Expiry::AfterIfNew(checked(ttl)?),
        })
    }
}

impl GlobalDataClient {
    /// The same client, of which every write through this handle, batches included, lets its variable
    /// expire after so long: [`GlobalDataClient::with_expiry`] with [`Expiry::After`].
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn example(client: workyard_globaldata::GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
    /// let sessions = client.with_ttl(Duration::from_secs(30 * 60));
    /// sessions.set("session:7", "tom").await?;
    /// // Half an hour more, as long as somebody comes back in time.
    /// let is_there = client.touch("session:7", Duration::from_secs(30 * 60)).await?;
    /// # let _ = is_there;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_ttl(&self, ttl: Duration) -> Self {
        self.with_expiry(Expiry::After(ttl))
    }

    /// The same client, of which every write through this handle, batches included, says this of its
    /// variable's lifetime.
    ///
    /// Without, `set`, `add` and each `cas` mean [`Expiry::Never`]; increments and
    /// [`GlobalDataClient::update`] mean [`Expiry::Keep`].
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use workyard_globaldata::{Expiry, GlobalDataClient, Number};
    /// # async fn example(client: GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
    /// // At most a hundred a minute: the first one begins the minute, the others do not prolong it.
    /// let window = Expiry::AfterIfNew(Duration::from_secs(60));
    /// let calls = client.with_expiry(window).increment("calls:tom", 1).await?;
    /// if matches!(calls, Number::Int(101..)) {
    ///     println!("slow down");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_expiry(&self, expiry: Expiry) -> Self {
        let mut client = self.clone();
        client.expiry = Some(expiry);
        client
    }

    /// Gives a variable another lifetime, from now on; its value and revision stay as they are. Returns
    /// whether there is such a variable.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `InvalidArgument` for a time that no variable can
    /// have.
    pub async fn touch(&self, key: impl AsRef<[u8]>, ttl: Duration) -> Result<bool, Error> {
        self.touch_to(key.as_ref(), Some(checked(ttl)?)).await
    }

    /// Lets a variable live for ever; its value and revision stay as they are. Returns whether there is
    /// such a variable.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn persist(&self, key: impl AsRef<[u8]>) -> Result<bool, Error> {
        self.touch_to(key.as_ref(), None).await
    }

    /// How long a variable still lives. Its value does not travel.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn ttl(&self, key: impl AsRef<[u8]>) -> Result<TimeLeft, Error> {
        Ok(match self.existence(key.as_ref()).await? {
            None => TimeLeft::Missing,
            Some(Existence { ttl_ms: None, .. }) => TimeLeft::Forever,
            Some(Existence { ttl_ms: Some(left), .. }) => {
                TimeLeft::Left(Duration::from_millis(left))
            }
        })
    }

    pub(crate) async fn existence(&self, key: &[u8]) -> Result<Option<Existence>, Error> {
        let key = Key::new(key)?;
        self.ask_for_existence(key, Request::Exists(Exists { key })).await
    }

    async fn touch_to(&self, key: &[u8], ttl: Option<Ttl>) -> Result<bool, Error> {
        let key = Key::new(key)?;
        let request = Request::Touch(Touch { key, ttl });
        Ok(self.ask_for_existence(key, request).await?.is_some())
    }

    async fn ask_for_existence(
        &self,
        key: Key<'_>,
        request: Request<'_>,
    ) -> Result<Option<Existence>, Error> {
        let received = self.ask(key, request).await?;
        match received.decode()? {
            Reply::Existence(existence) => Ok(existence),
            other => Err(unexpected(&other)),
        }
    }
}

fn checked(ttl: Duration) -> Result<Ttl, Error> {
    Ttl::try_from(ttl).map_err(|error| Error::InvalidArgument(error.to_string()))
}
