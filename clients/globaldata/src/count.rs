//! Counting the variables there are.

use crate::client::{GlobalDataClient, unexpected};
use crate::error::Error;
use crate::session::GlobalDataSession;
use futures_util::future::try_join_all;
use workyard_link::Link;
use workyard_protocol::Key;
use workyard_protocol::globaldata::{self, Reply, Request};

impl GlobalDataClient {
    /// How many variables there are whose keys begin with `prefix`; of all with an empty one.
    ///
    /// The servers count in portions, with others served in between: a million keys take about a hundred
    /// requests, and no key travels. What is there all the while is counted once; what comes or goes
    /// meanwhile may be counted or not.
    ///
    /// ```no_run
    /// # async fn example(client: workyard_globaldata::GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
    /// println!("{} are logged in", client.count("session:").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn count(&self, prefix: impl AsRef<[u8]>) -> Result<u64, Error> {
        let prefix = prefix.as_ref();
        Key::new(prefix)?;
        let counts = self.links().iter().map(|link| count_of(link, prefix));
        Ok(try_join_all(counts).await?.into_iter().sum())
    }
}

async fn count_of(link: &Link<GlobalDataSession>, prefix: &[u8]) -> Result<u64, Error> {
    let (mut sum, mut next) = (0, 0);
    loop {
        let request = Request::Count(globaldata::Count { prefix, cursor: next });
        let received = link.request(&request).await?;
        match received.decode()? {
            Reply::Counted { cursor, count } => (sum, next) = (sum + count, cursor),
            other => return Err(unexpected(&other)),
        }
        if next == 0 {
            return Ok(sum);
        }
    }
}
