//! Changing what is there: read, compute, write if nobody was faster, else again.

use crate::client::GlobalDataClient;
use crate::entry::Entry;
use crate::error::Error;
use crate::expiry::Expiry;
use crate::limits::{UPDATE_ATTEMPTS_MAX, UPDATE_WAIT_FIRST, UPDATE_WAIT_MAX};
use crate::write::at;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::time::sleep;

/// What an update has stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Updated<T> {
    /// The value that the variable has now.
    pub value: T,
    /// Its revision.
    pub revision: u64,
}

impl GlobalDataClient {
    /// Replaces a variable by what `change` makes of it; `change` receives nothing when there is no
    /// such variable, and is called again when somebody else was faster. The variable's lifetime stays as
    /// it is, unless this handle says something else.
    ///
    /// Attempts are bounded and spread at random, so that many who update one variable all get their
    /// turn. For plain counting [`GlobalDataClient::increment`] is cheaper.
    ///
    /// # Errors
    /// `Contended` when others were faster each time, else as [`ErrorKind`](crate::ErrorKind) lists
    /// them. After `TimedOut` and `Disconnected` it is not known whether the change was stored.
    pub async fn update<T, F>(
        &self,
        key: impl AsRef<[u8]>,
        mut change: F,
    ) -> Result<Updated<T>, Error>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(Option<T>) -> T,
    {
        let key = key.as_ref();
        for attempt in 0..UPDATE_ATTEMPTS_MAX {
            if attempt > 0 {
                sleep(wait(attempt).mul_f64(fastrand::f64())).await;
            }
            let entry = self.entry(key).await?;
            let revision = entry.as_ref().map_or(0, |entry| entry.revision);
            let value = change(entry.map(|entry: Entry| entry.decode()).transpose()?);
            let (expect, encoded) = (at(revision), self.encode(&value)?);
            if let Ok(revision) = self.write(key, expect, Expiry::Keep, &encoded).await? {
                return Ok(Updated { value, revision });
            }
        }
        let key = String::from_utf8_lossy(key).into_owned();
        Err(Error::Contended { key, attempts: UPDATE_ATTEMPTS_MAX })
    }
}

/// The longest wait before an attempt.
fn wait(attempt: u32) -> Duration {
    let doubled = 1u32.checked_shl(attempt - 1).unwrap_or(u32::MAX);
    UPDATE_WAIT_FIRST.saturating_mul(doubled).min(UPDATE_WAIT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        assert_eq!(wait(1), UPDATE_WAIT_FIRST);
        assert_eq!(wait(3), UPDATE_WAIT_FIRST * 4);
        assert_eq!(wait(UPDATE_ATTEMPTS_MAX), UPDATE_WAIT_MAX);
    }
}
