//! Waiting for a variable to change, for callers who need no stream.

use crate::client::GlobalDataClient;
use crate::entry::Entry;
use crate::error::Error;
use crate::watch::{WatchEvent, Watcher};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How a wait for a change ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Waited {
    /// The variable is this now; nothing: it does not exist any more.
    Changed(Option<Entry>),
    /// It was as it had been until the time was over.
    TimedOut,
}

impl GlobalDataClient {
    /// Returns as soon as a variable is not what it was at `revision`, at once if it is not even now; nothing
    /// stands for the revision of a variable that does not exist.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use workyard_globaldata::Waited;
    /// # async fn example(client: workyard_globaldata::GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
    /// let seen = client.revision("config").await?;
    /// match client.wait_until_changed("config", seen, Duration::from_secs(60)).await? {
    ///     Waited::Changed(Some(entry)) => println!("now {:?}", entry.value),
    ///     Waited::Changed(None) => println!("deleted"),
    ///     Waited::TimedOut => println!("still the same"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Whoever calls it again with the revision that it returned does not miss that the variable has changed
    /// meanwhile, but may miss what it was in between: [`GlobalDataClient::watch`] tells every change.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them: also when the server says nothing for as long as a call may
    /// take, if that is shorter than `timeout`.
    pub async fn wait_until_changed(
        &self,
        key: impl AsRef<[u8]>,
        revision: Option<u64>,
        timeout: Duration,
    ) -> Result<Waited, Error> {
        let waiting = async {
            let mut watcher = self.watch(key).await?;
            change(&mut watcher, revision).await.map(Waited::Changed)
        };
        match Instant::now().checked_add(timeout) {
            Some(deadline) => timeout_at(deadline, waiting).await.unwrap_or(Ok(Waited::TimedOut)),
            None => waiting.await,
        }
    }
}

/// What a variable is when it is not what it was at `known` any more.
async fn change(watcher: &mut Watcher, known: Option<u64>) -> Result<Option<Entry>, Error> {
    let mut is_there = false;
    while let Some(event) = watcher.next().await {
        match event {
            WatchEvent::Stored { revision, ttl, value: Some(value), .. } => {
                is_there = true;
                if Some(revision) != known {
                    return Ok(Some(Entry { revision, ttl, value }));
                }
            }
            WatchEvent::Deleted { .. } | WatchEvent::Expired { .. } if known.is_some() => {
                return Ok(None);
            }
            WatchEvent::CaughtUp if !is_there && known.is_some() => return Ok(None),
            WatchEvent::Restarted { .. } => is_there = false,
            _ => {}
        }
    }
    Err(workyard_link::Error::Closed.into())
}
