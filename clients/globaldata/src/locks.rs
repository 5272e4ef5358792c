//! Listing the locks there are, page by page.

use crate::client::{GlobalDataClient, unexpected};
use crate::error::Error;
use crate::session::GlobalDataSession;
use bytes::Bytes;
use std::borrow::Cow;
use std::time::Duration;
use workyard_link::{Link, Pages, listing};
use workyard_protocol::LockName;
use workyard_protocol::globaldata::{self, Reply, Request};
use workyard_protocol::limits::PAGE_ITEMS_MAX;

/// A stream of what is known of locks, asked for page by page, from all servers at once.
pub type Locks = Pages<LockInfo, Error>;

/// What a listing tells of a lock that is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockInfo {
    /// Its name.
    pub name: Bytes,
    /// How many may hold it at once.
    pub permits: u32,
    /// How many do.
    pub holders: u32,
    /// How many wait.
    pub waiters: u32,
    /// The fencing token of the one who has held it longest.
    pub token: u64,
    /// How long that one still holds it, unless it renews.
    pub ttl: Duration,
}

impl LockInfo {
    fn new(info: &globaldata::LockInfo<'_>) -> Self {
        let &globaldata::LockInfo { name, permits, holders, waiters, token, ttl_ms } = info;
        let (name, ttl) = (Bytes::copy_from_slice(name.as_bytes()), Duration::from_millis(ttl_ms));
        Self { name, permits, holders, waiters, token, ttl }
    }

    /// The name as text, with `�` for what is none.
    #[must_use]
    pub fn name_str(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.name)
    }
}

impl GlobalDataClient {
    /// The locks in use whose names begin with `prefix`, in no particular order; all with an empty one.
    ///
    /// ```no_run
    /// # async fn example(client: workyard_globaldata::GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
    /// let mut locks = client.locks("");
    /// while let Some(info) = locks.next().await.transpose()? {
    ///     println!("{}: {} wait", info.name_str(), info.waiters);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn locks(&self, prefix: impl AsRef<[u8]>) -> Locks {
        Pages::of_all(self.links().iter().map(|link| listing(link, prefix.as_ref(), page)))
    }
}

async fn page(
    link: Link<GlobalDataSession>,
    prefix: Bytes,
    cursor: u64,
) -> Result<(u64, Vec<LockInfo>), Error> {
    LockName::new(&prefix)?;
    let request =
        Request::Locks(globaldata::Locks { prefix: &prefix, cursor, limit: PAGE_ITEMS_MAX });
    let received = link.request(&request).await?;
    match received.decode()? {
        Reply::Locks { cursor, locks } => Ok((cursor, locks.iter().map(LockInfo::new).collect())),
        other => Err(unexpected(&other)),
    }
}
