//! What is in the queues, page by page.

use crate::client::{ChannelClient, unexpected};
use crate::error::Error;
use bytes::Bytes;
use std::borrow::Cow;
use std::time::Duration;
use workyard_link::{Link, Pages, listing};
use workyard_protocol::QueueName;
use workyard_protocol::channel::{self, Reply, Request};
use workyard_protocol::limits::PAGE_ITEMS_MAX;

/// One queue's state at the moment of its page.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueStats {
    /// Its name: any bytes.
    pub queue: Bytes,
    /// Jobs that wait for a consumer.
    pub ready: u64,
    /// Jobs that consumers hold.
    pub leased: u64,
    /// Jobs that nobody shall have yet.
    pub delayed: u64,
    /// Jobs in the queue of the same name with `.dead` behind it.
    pub dead: u64,
    /// Sessions that consume.
    pub consumers: u32,
    /// How long that waiting job has been ready which has been so longest.
    pub oldest: Duration,
}

impl QueueStats {
    /// The name as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn queue_str(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.queue)
    }
}

/// A stream of the states of queues, asked for page by page. It ends after the first error.
pub type Queues = Pages<QueueStats, Error>;

impl ChannelClient {
    /// The queues whose names begin with `prefix`; all with an empty one.
    ///
    /// ```no_run
    /// # async fn example(client: workyard_channel::ChannelClient) -> Result<(), workyard_channel::Error> {
    /// let mut queues = client.queues("mails.");
    /// while let Some(stats) = queues.next().await.transpose()? {
    ///     println!("{}: {} ready", stats.queue_str(), stats.ready);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn queues(&self, prefix: impl AsRef<[u8]>) -> Queues {
        listing(&self.link, prefix.as_ref(), page)
    }
}

async fn page(
    link: Link<crate::session::ChannelSession>,
    prefix: Bytes,
    cursor: u64,
) -> Result<(u64, Vec<QueueStats>), Error> {
    QueueName::new(&prefix)?;
    let request =
        Request::Queues(channel::Queues { prefix: &prefix, cursor, limit: PAGE_ITEMS_MAX });
    let received = link.request(&request).await?;
    match received.decode()? {
        Reply::Queues { cursor, queues } => {
            let stats = queues.into_iter().map(|stats| QueueStats {
                // Copied: a listing shall not keep whole pages in memory.
                queue: Bytes::copy_from_slice(stats.queue.as_bytes()),
                ready: stats.ready,
                leased: stats.leased,
                delayed: stats.delayed,
                dead: stats.dead,
                consumers: stats.consumers,
                oldest: Duration::from_millis(stats.oldest_ms),
            });
            Ok((cursor, stats.collect()))
        }
        other => Err(unexpected(&other)),
    }
}
