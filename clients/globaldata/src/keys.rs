//! Listing the variables there are, page by page.

use crate::client::{GlobalDataClient, unexpected};
use crate::entry::KeyInfo;
use crate::error::Error;
use crate::session::GlobalDataSession;
use bytes::Bytes;
use workyard_link::{Link, Pages, listing};
use workyard_protocol::Key;
use workyard_protocol::globaldata::{self, Reply, Request};
use workyard_protocol::limits::PAGE_ITEMS_MAX;

/// A stream of what is known of variables, asked for page by page, from all servers at once. A
/// server whose answer is an error ends with it; the others go on.
pub type Keys = Pages<KeyInfo, Error>;

impl GlobalDataClient {
    /// The variables whose keys begin with `prefix`, in no particular order; all with an empty one.
    ///
    /// A variable that exists from the first page to the last is listed exactly once, whatever is
    /// written meanwhile.
    ///
    /// ```no_run
    /// # async fn example(client: workyard_globaldata::GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
    /// let mut keys = client.keys("user:");
    /// while let Some(info) = keys.next().await.transpose()? {
    ///     println!("{}: {} bytes", info.key_str(), info.size);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn keys(&self, prefix: impl AsRef<[u8]>) -> Keys {
        Pages::of_all(self.links().iter().map(|link| listing(link, prefix.as_ref(), page)))
    }
}

async fn page(
    link: Link<GlobalDataSession>,
    prefix: Bytes,
    cursor: u64,
) -> Result<(u64, Vec<KeyInfo>), Error> {
    Key::new(&prefix)?;
    let request =
        Request::Keys(globaldata::Keys { prefix: &prefix, cursor, limit: PAGE_ITEMS_MAX });
    let received = link.request(&request).await?;
    match received.decode()? {
        Reply::Keys { cursor, keys } => Ok((cursor, keys.iter().map(KeyInfo::new).collect())),
        other => Err(unexpected(&other)),
    }
}
