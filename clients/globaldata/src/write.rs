//! Writing: whatever there is, only what is new, or only what nobody changed meanwhile.

use crate::client::{GlobalDataClient, unexpected};
use crate::error::{Conflict, Error};
use crate::expiry::Expiry;
use serde::Serialize;
use workyard_protocol::globaldata::{Delete, Expect, Reply, Request, Write, Written};
use workyard_protocol::{Key, Value};

impl GlobalDataClient {
    /// Stores a value, whatever there was. Returns the variable's new revision.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn set<T>(&self, key: impl AsRef<[u8]>, value: &T) -> Result<u64, Error>
    where
        T: Serialize + ?Sized,
    {
        self.set_value(key, &self.encode(value)?).await
    }

    /// [`GlobalDataClient::set`] of exactly this value.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn set_value(&self, key: impl AsRef<[u8]>, value: &Value) -> Result<u64, Error> {
        whatever_there_was(self.write(key.as_ref(), Expect::Any, Expiry::Never, value).await?)
    }

    /// Stores a value if the variable does not exist. Returns whether it did so.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn add<T>(&self, key: impl AsRef<[u8]>, value: &T) -> Result<bool, Error>
    where
        T: Serialize + ?Sized,
    {
        self.add_value(key, &self.encode(value)?).await
    }

    /// [`GlobalDataClient::add`] of exactly this value.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn add_value(&self, key: impl AsRef<[u8]>, value: &Value) -> Result<bool, Error> {
        Ok(self.write(key.as_ref(), Expect::Absent, Expiry::Never, value).await?.is_ok())
    }

    /// Stores a value if the variable is still at this revision; 0 stands for one that does not
    /// exist. Returns its new revision, or why it was left alone.
    ///
    /// ```no_run
    /// # use workyard_globaldata::{Conflict, GlobalDataClient};
    /// # async fn example(client: GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
    /// let entry = client.entry("leader").await?;
    /// let revision = entry.map_or(0, |entry| entry.revision);
    /// match client.cas("leader", revision, "me").await? {
    ///     Ok(revision) => println!("leader as of {revision}"),
    ///     Err(Conflict { current }) => println!("somebody was faster: {current:?}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them. A conflict is not one of them: it is the inner
    /// result.
    pub async fn cas<T>(
        &self,
        key: impl AsRef<[u8]>,
        revision: u64,
        value: &T,
    ) -> Result<Result<u64, Conflict>, Error>
    where
        T: Serialize + ?Sized,
    {
        self.cas_to_value(key, revision, &self.encode(value)?).await
    }

    /// [`GlobalDataClient::cas`] to exactly this value: what it compares is the revision. By the
    /// value compares [`GlobalDataClient::cas_value`].
    ///
    /// # Errors
    /// As [`GlobalDataClient::cas`].
    pub async fn cas_to_value(
        &self,
        key: impl AsRef<[u8]>,
        revision: u64,
        value: &Value,
    ) -> Result<Result<u64, Conflict>, Error> {
        self.write(key.as_ref(), at(revision), Expiry::Never, value).await
    }

    /// Stores a value if the variable still has exactly the old one, same kind, same bytes: what it
    /// compares is the value, whatever the revision. For programs that have not kept the revision;
    /// who has, uses [`GlobalDataClient::cas`] or [`GlobalDataClient::cas_to_value`], which are not
    /// deceived by a value that went away and came back.
    ///
    /// # Errors
    /// As [`GlobalDataClient::cas`].
    pub async fn cas_value(
        &self,
        key: impl AsRef<[u8]>,
        old: &Value,
        new: &Value,
    ) -> Result<Result<u64, Conflict>, Error> {
        self.write(key.as_ref(), Expect::Value(old.as_ref()), Expiry::Never, new).await
    }

    /// Removes a variable. Returns whether there was one.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn delete(&self, key: impl AsRef<[u8]>) -> Result<bool, Error> {
        whatever_there_was(self.delete_expecting(key.as_ref(), Expect::Any).await?)
    }

    /// Removes a variable if it is still at this revision. Returns why it was left alone, if it was.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them. A conflict is not one of them: it is the inner
    /// result.
    pub async fn delete_at(
        &self,
        key: impl AsRef<[u8]>,
        revision: u64,
    ) -> Result<Result<(), Conflict>, Error> {
        let expect = Expect::Revision(revision);
        Ok(self.delete_expecting(key.as_ref(), expect).await?.map(drop))
    }

    /// Removes a variable if it still has exactly this value: same kind, same bytes.
    ///
    /// # Errors
    /// As [`GlobalDataClient::delete_at`].
    pub async fn delete_value(
        &self,
        key: impl AsRef<[u8]>,
        value: &Value,
    ) -> Result<Result<(), Conflict>, Error> {
        let expect = Expect::Value(value.as_ref());
        Ok(self.delete_expecting(key.as_ref(), expect).await?.map(drop))
    }

    async fn delete_expecting(
        &self,
        key: &[u8],
        expect: Expect<'_>,
    ) -> Result<Result<bool, Conflict>, Error> {
        let key = Key::new(key)?;
        let received = self.ask(key, Request::Delete(Delete { key, expect })).await?;
        match received.decode()? {
            Reply::Deleted { existed } => Ok(Ok(existed)),
            Reply::Written(Written::Conflict { current }) => Ok(Err(Conflict::new(current))),
            other => Err(unexpected(&other)),
        }
    }

    /// `unsaid` is what the write says of the lifetime if this handle was not told what to say.
    pub(crate) async fn write(
        &self,
        key: &[u8],
        expect: Expect<'_>,
        unsaid: Expiry,
        value: &Value,
    ) -> Result<Result<u64, Conflict>, Error> {
        let key = Key::new(key)?;
        let expiry = self.expiry.unwrap_or(unsaid).wire()?;
        let request = Request::Write(Write { key, expect, expiry, value: value.as_ref() });
        let received = self.ask(key, request).await?;
        match received.decode()? {
            Reply::Written(Written::Stored { revision }) => Ok(Ok(revision)),
            Reply::Written(Written::Conflict { current }) => Ok(Err(Conflict::new(current))),
            other => Err(unexpected(&other)),
        }
    }
}

/// What expects nothing has nothing to conflict with.
fn whatever_there_was<T>(outcome: Result<T, Conflict>) -> Result<T, Error> {
    outcome.map_err(|Conflict { current }| {
        let current = current.unwrap_or_default();
        unexpected(&Reply::Written(Written::Conflict { current }))
    })
}

/// The expectation of a variable at a revision. No write has the number 0.
pub(crate) fn at(revision: u64) -> Expect<'static> {
    match revision {
        0 => Expect::Absent,
        revision => Expect::Revision(revision),
    }
}
