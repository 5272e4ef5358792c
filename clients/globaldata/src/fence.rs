//! Writes that happen only as long as a lock is held.

use crate::batch::{Batch, BatchOutcome};
use crate::client::{GlobalDataClient, unexpected};
use crate::error::{Conflict, Error};
use crate::lock::LockGuard;
use bytes::Bytes;
use serde::Serialize;
use workyard_protocol::globaldata::StepResult;
use workyard_protocol::{Number, Value};

/// A client of which every write happens only if a lock is still held; see
/// [`GlobalDataClient::fenced_by`].
#[derive(Clone, Debug)]
pub struct Fenced<'c> {
    client: &'c GlobalDataClient,
    lock: Bytes,
    token: u64,
}

impl GlobalDataClient {
    /// A handle for writes that happen only if this lock is still held, by the server's own knowledge: one
    /// that comes late, from a process that was stopped while it lost the lock, is refused with
    /// [`Reason::Fenced`], and nothing is changed.
    ///
    /// ```no_run
    /// # async fn example(client: workyard_globaldata::GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
    /// let guard = client.lock("leader").acquire().await?;
    /// let fenced = client.fenced_by(&guard);
    /// fenced.set("leader", "host-1").await?;
    /// fenced.batch().increment("terms", 1).delete("vacant").commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Each is a batch that begins with [`Batch::require_lock`]; lifetimes are those of this handle, as
    /// [`GlobalDataClient::with_expiry`] says. With several servers, the lock must lie on
    /// the one of the key (`CrossShard` else): a lock of the key's own name does.
    ///
    /// [`Reason::Fenced`]: crate::Reason::Fenced
    #[must_use]
    pub fn fenced_by(&self, guard: &LockGuard) -> Fenced<'_> {
        self.fenced_by_token(guard.name(), guard.token())
    }

    /// The same with a token that somebody else holds the lock with: whoever was handed it works on that
    /// one's behalf.
    #[must_use]
    pub fn fenced_by_token(&self, lock: impl AsRef<[u8]>, token: u64) -> Fenced<'_> {
        Fenced { client: self, lock: Bytes::copy_from_slice(lock.as_ref()), token }
    }
}

impl<'c> Fenced<'c> {
    /// Stores a value. The new revision.
    ///
    /// # Errors
    /// `Refused` when the lock is not held any more, with [`Reason::Fenced`]; `CrossShard` when lock and
    /// key lie on different servers; else as [`ErrorKind`](crate::ErrorKind) lists them.
    ///
    /// [`Reason::Fenced`]: crate::Reason::Fenced
    pub async fn set<T: Serialize + ?Sized>(
        &self,
        key: impl AsRef<[u8]>,
        value: &T,
    ) -> Result<u64, Error> {
        Ok(applied(self.batch().set(key, value).commit().await?)?.0)
    }

    /// Stores exactly this value. The new revision.
    ///
    /// # Errors
    /// As for [`Fenced::set`].
    pub async fn set_value(&self, key: impl AsRef<[u8]>, value: &Value) -> Result<u64, Error> {
        Ok(applied(self.batch().set_value(key, value).commit().await?)?.0)
    }

    /// Stores a value if the variable does not exist. Whether it did so.
    ///
    /// # Errors
    /// As for [`Fenced::set`].
    pub async fn add<T: Serialize + ?Sized>(
        &self,
        key: impl AsRef<[u8]>,
        value: &T,
    ) -> Result<bool, Error> {
        Ok(self.cas(key, 0, value).await?.is_ok())
    }

    /// Stores a value if the variable is at this revision; 0 stands for one that does not exist. The new
    /// revision, or how the variable is instead.
    ///
    /// # Errors
    /// As for [`Fenced::set`].
    pub async fn cas<T: Serialize + ?Sized>(
        &self,
        key: impl AsRef<[u8]>,
        revision: u64,
        value: &T,
    ) -> Result<Result<u64, Conflict>, Error> {
        let key = key.as_ref();
        let batch = self.batch().require_revision(key, revision).set(key, value);
        Ok(written(batch.commit().await?).map(|(revision, _)| revision))
    }

    /// [`Fenced::add`] of exactly this value.
    ///
    /// # Errors
    /// As for [`Fenced::set`].
    pub async fn add_value(&self, key: impl AsRef<[u8]>, value: &Value) -> Result<bool, Error> {
        Ok(self.cas_to_value(key, 0, value).await?.is_ok())
    }

    /// [`Fenced::cas`] to exactly this value.
    ///
    /// # Errors
    /// As for [`Fenced::set`].
    pub async fn cas_to_value(
        &self,
        key: impl AsRef<[u8]>,
        revision: u64,
        value: &Value,
    ) -> Result<Result<u64, Conflict>, Error> {
        let key = key.as_ref();
        let batch = self.batch().require_revision(key, revision).set_value(key, value);
        Ok(written(batch.commit().await?).map(|(revision, _)| revision))
    }

    /// Stores a value if the variable still has exactly the old one, as
    /// [`GlobalDataClient::cas_value`] does.
    ///
    /// # Errors
    /// As for [`Fenced::set`].
    pub async fn cas_value(
        &self,
        key: impl AsRef<[u8]>,
        old: &Value,
        new: &Value,
    ) -> Result<Result<u64, Conflict>, Error> {
        let key = key.as_ref();
        let batch = self.batch().require_value(key, old).set_value(key, new);
        Ok(written(batch.commit().await?).map(|(revision, _)| revision))
    }

    /// Adds to a variable; one that does not exist counts as 0. The sum.
    ///
    /// # Errors
    /// As for [`Fenced::set`].
    pub async fn increment(
        &self,
        key: impl AsRef<[u8]>,
        by: impl Into<Number>,
    ) -> Result<Number, Error> {
        match applied(self.batch().increment(key, by).commit().await?)?.1 {
            Some(StepResult::Incremented(sum)) => Ok(sum),
            other => Err(unexpected(&other)),
        }
    }

    /// Removes a variable. Whether there was one.
    ///
    /// # Errors
    /// As for [`Fenced::set`].
    pub async fn delete(&self, key: impl AsRef<[u8]>) -> Result<bool, Error> {
        match applied(self.batch().delete(key).commit().await?)?.1 {
            Some(StepResult::Deleted(existed)) => Ok(existed),
            other => Err(unexpected(&other)),
        }
    }

    /// Removes a variable if it is still at this revision. Why it was left alone, if it was.
    ///
    /// # Errors
    /// As for [`Fenced::set`].
    pub async fn delete_at(
        &self,
        key: impl AsRef<[u8]>,
        revision: u64,
    ) -> Result<Result<(), Conflict>, Error> {
        let key = key.as_ref();
        let batch = self.batch().require_revision(key, revision).delete(key);
        Ok(written(batch.commit().await?).and_then(deleted))
    }

    /// Removes a variable if it still has exactly this value.
    ///
    /// # Errors
    /// As for [`Fenced::set`].
    pub async fn delete_value(
        &self,
        key: impl AsRef<[u8]>,
        value: &Value,
    ) -> Result<Result<(), Conflict>, Error> {
        let key = key.as_ref();
        let batch = self.batch().require_value(key, value).delete(key);
        Ok(written(batch.commit().await?).and_then(deleted))
    }

    /// Steps that happen together, if the lock is held then.
    pub fn batch(&self) -> Batch<'c> {
        self.client.batch().require_lock(&self.lock, self.token)
    }
}

/// The revision and the last result.
fn written(outcome: BatchOutcome) -> Result<(u64, Option<StepResult>), Conflict> {
    match outcome {
        BatchOutcome::Applied { revision, mut results } => Ok((revision, results.pop())),
        BatchOutcome::Conflict { conflict, .. } => Err(conflict),
    }
}

/// The same, where nothing that could be in conflict was required.
fn applied(outcome: BatchOutcome) -> Result<(u64, Option<StepResult>), Error> {
    written(outcome).map_err(|conflict| unexpected(&conflict))
}

/// That there was something to delete.
fn deleted((_, result): (u64, Option<StepResult>)) -> Result<(), Conflict> {
    match result {
        Some(StepResult::Deleted(true)) => Ok(()),
        _ => Err(Conflict { current: None }),
    }
}
