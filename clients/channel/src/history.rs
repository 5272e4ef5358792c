//! The rules by which the server keeps messages.

use crate::client::{ChannelClient, unexpected};
use crate::error::Error;
use bytes::Bytes;
use std::borrow::Cow;
use std::time::Duration;
use workyard_link::{Link, Pages, listing};
use workyard_protocol::channel::{self, DropHistory, HistoryBounds, KeepHistory, Reply, Request};
use workyard_protocol::limits::PAGE_ITEMS_MAX;
use workyard_protocol::{Pattern, Ttl};

/// How much is kept of one channel: the newest messages within all three bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Most messages, at least 1.
    pub messages_max: u64,
    /// Most bytes in their values, at least 1.
    pub bytes_max: u64,
    /// How long a message is kept: 1 ms to ten years.
    pub age: Duration,
}

/// One rule of the server's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryRule {
    /// Which channels it is about.
    pub pattern: Bytes,
    /// How much is kept of each.
    pub keep: Keep,
}

impl HistoryRule {
    /// The pattern as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn pattern_str(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.pattern)
    }
}

/// A stream of rules, asked for page by page. It ends after the first error.
pub type Histories = Pages<HistoryRule, Error>;

impl ChannelClient {
    /// Has the server keep the messages of all channels that match, from now on and until it stops. A
    /// rule of the same pattern is replaced; of several that match, the greatest bounds count.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use workyard_channel::Keep;
    /// # async fn example(client: workyard_channel::ChannelClient) -> Result<(), workyard_channel::Error> {
    /// let keep = Keep { messages_max: 1000, bytes_max: 1 << 20, age: Duration::from_secs(3600) };
    /// client.keep_history("orders.>", keep).await?;
    /// let mut orders = client.subscribe_pattern("orders.>").last(10).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `InvalidArgument` for a bound of 0 or too long an age.
    pub async fn keep_history(&self, pattern: impl AsRef<[u8]>, keep: Keep) -> Result<(), Error> {
        let pattern = Pattern::new(pattern.as_ref())?;
        let request = Request::KeepHistory(KeepHistory { pattern, bounds: keep.bounds()? });
        self.done(request).await
    }

    /// Ends the rule of exactly this pattern: what it alone has kept is forgotten.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `Refused` with `UnknownRule` when there is none.
    pub async fn drop_history(&self, pattern: impl AsRef<[u8]>) -> Result<(), Error> {
        let pattern = Pattern::new(pattern.as_ref())?;
        self.done(Request::DropHistory(DropHistory { pattern })).await
    }

    /// The rules whose patterns begin with `prefix`; all with an empty one.
    pub fn histories(&self, prefix: impl AsRef<[u8]>) -> Histories {
        listing(&self.link, prefix.as_ref(), page)
    }
}

impl Keep {
    fn bounds(self) -> Result<HistoryBounds, Error> {
        let Self { messages_max, bytes_max, age } = self;
        if messages_max == 0 || bytes_max == 0 {
            let text = "a bound of 0 keeps nothing: expected at least 1".to_owned();
            return Err(Error::InvalidArgument(text));
        }
        let age = Ttl::try_from(age).map_err(|error| Error::InvalidArgument(error.to_string()))?;
        Ok(HistoryBounds { messages_max, bytes_max, age })
    }
}

async fn page(
    link: Link<crate::session::ChannelSession>,
    prefix: Bytes,
    cursor: u64,
) -> Result<(u64, Vec<HistoryRule>), Error> {
    let limit = PAGE_ITEMS_MAX;
    let request = Request::Histories(channel::Histories { prefix: &prefix, cursor, limit });
    let received = link.request(&request).await?;
    match received.decode()? {
        Reply::Histories { cursor, rules } => {
            let rules = rules.into_iter().map(|rule| HistoryRule {
                // Copied: a listing shall not keep whole pages in memory.
                pattern: Bytes::copy_from_slice(rule.pattern.as_bytes()),
                keep: Keep {
                    messages_max: rule.bounds.messages_max,
                    bytes_max: rule.bounds.bytes_max,
                    age: rule.bounds.age.into(),
                },
            });
            Ok((cursor, rules.collect()))
        }
        other => Err(unexpected(&other)),
    }
}
