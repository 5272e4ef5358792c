//! Watching: hearing of every change of a variable, or of all whose keys begin alike.

use crate::client::GlobalDataClient;
use crate::error::Error;
use crate::limits::{WATCH_BYTES_MAX, WATCH_EVENTS_MAX};
use crate::position::Position;
use crate::session::{Command, Feed, GlobalDataSession, Mark, ToWatch, Told, Topic, WatcherId};
use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt, try_join_all};
use futures_util::stream::Stream;
use serde::de::DeserializeOwned;
use std::future::{IntoFuture, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::oneshot;
use workyard_link::Link;
use workyard_planted::planted;
use workyard_protocol::{Key, Value, from_value};

/// What a [`Watcher`] tells.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WatchEvent {
    /// A variable was stored, or was there when the watch began.
    Stored {
        /// Its name.
        key: Bytes,
        /// The number of the write.
        revision: u64,
        /// How long it lived from then on; nothing when it does not expire. Another ttl alone is no change
        /// and is not told.
        ttl: Option<Duration>,
        /// Its value, if values are wanted.
        value: Option<Value>,
    },
    /// A variable was deleted.
    Deleted {
        /// Its name.
        key: Bytes,
        /// The number of the deletion.
        revision: u64,
    },
    /// A variable's time was over.
    Expired {
        /// Its name.
        key: Bytes,
        /// The number of the deletion.
        revision: u64,
    },
    /// What was told so far, applied in this order, is how things stand. From here on changes are told as
    /// they happen.
    CaughtUp,
    /// What was told before is worth nothing: some changes cannot be told, since the server started anew or
    /// does not know them any more. It begins as the watch did, [`WatchEvent::CaughtUp`] included.
    Restarted {
        /// Of which server's variables; see [`GlobalDataClient::shard_of`].
        shard: usize,
    },
}

/// A watch to be: awaited, it begins.
#[derive(Clone, Debug)]
#[must_use = "nothing is watched before it is awaited"]
pub struct Watching<'c> {
    client: &'c GlobalDataClient,
    topic: Topic,
    values: bool,
    state: bool,
    after: Option<Position>,
    events_max: usize,
    bytes_max: usize,
}

/// A stream of changes, in the order in which they were made; those of variables on different servers in no
/// order among each other. It survives lost connections with no change lost and none told twice. What
/// cannot be told is said to be so by [`WatchEvent::Restarted`].
///
/// Events wait in a buffer of its own. When that is full, the server keeps what happens, as far as its log
/// goes, and goes on when there is room.
///
/// It ends when the client is closed, or when a server refuses to restore it (see
/// [`Event::RestoreRefused`](crate::Event::RestoreRefused)). Dropping it ends it in the background.
#[derive(Debug)]
#[must_use = "dropping a watcher ends it"]
pub struct Watcher {
    /// None when it has ended.
    parts: Vec<Part>,
    /// Which server is looked at first.
    turn: usize,
}

/// What is watched on one server.
#[derive(Debug)]
struct Part {
    link: Link<GlobalDataSession>,
    id: WatcherId,
    shard: usize,
    feed: Arc<Feed>,
    caught_up: bool,
    /// Up to where what was taken is complete.
    mark: Option<Mark>,
}

impl GlobalDataClient {
    /// Watches a variable: first it is told how it stands, then every change, each deletion and expiry
    /// included.
    ///
    /// ```no_run
    /// use workyard_globaldata::WatchEvent;
    ///
    /// # async fn example(client: workyard_globaldata::GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
    /// let mut watcher = client.watch("config").await?;
    /// while let Some(event) = watcher.next().await {
    ///     match event {
    ///         WatchEvent::Stored { value, revision, .. } => println!("{revision}: {value:?}"),
    ///         WatchEvent::Deleted { .. } | WatchEvent::Expired { .. } => println!("gone"),
    ///         WatchEvent::CaughtUp => println!("this is how it stands"),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch(&self, key: impl AsRef<[u8]>) -> Watching<'_> {
        Watching::new(self, Topic::Key(Bytes::copy_from_slice(key.as_ref())))
    }

    /// Watches all variables whose keys begin with `prefix`; all there are with an empty one.
    ///
    /// What changes while the present ones are told comes in between. Whoever keeps a map of them applies
    /// each event as it comes, and forgets what is on a server that [`WatchEvent::Restarted`] names: then
    /// the map is right at [`WatchEvent::CaughtUp`], and after each event that follows.
    pub fn watch_prefix(&self, prefix: impl AsRef<[u8]>) -> Watching<'_> {
        Watching::new(self, Topic::Prefix(Bytes::copy_from_slice(prefix.as_ref())))
    }
}

impl<'c> Watching<'c> {
    fn new(client: &'c GlobalDataClient, topic: Topic) -> Self {
        let (events_max, bytes_max) = (WATCH_EVENTS_MAX, WATCH_BYTES_MAX);
        Self { client, topic, values: true, state: true, after: None, events_max, bytes_max }
    }

    /// Tells of changes from now on only, not of what is there.
    pub fn from_now(mut self) -> Self {
        self.state = false;
        self
    }

    /// Goes on where another watcher of the same was: tells of all changes after its
    /// [position](Watcher::position). If they are not all known, it is [`WatchEvent::Restarted`]. The position
    /// does not say what it is of: that of a watch of something else means nothing here.
    pub fn after(mut self, position: Position) -> Self {
        self.after = Some(position);
        self
    }

    /// Tells which variables change, without their values.
    pub fn without_values(mut self) -> Self {
        self.values = false;
        self
    }

    /// How many events, and how many bytes of them, wait for a receiver that is slow to take them: 8192 and
    /// 64 MiB. What is there when the watch begins may exceed that by a page, and a batch comes whole.
    pub fn buffer(mut self, events: usize, bytes: usize) -> Self {
        (self.events_max, self.bytes_max) = (events, bytes);
        self
    }

    async fn begin(self) -> Result<Watcher, Error> {
        Key::new(self.topic.name())?;
        let client = self.client;
        let shards = match &self.topic {
            Topic::Key(key) => {
                let shard = client.shard_of(key);
                shard..shard + 1
            }
            Topic::Prefix(_) => 0..client.links().len(),
        };
        if let Some(position) = &self.after
            && !position.fits(&shards)
        {
            let text = format!(
                "{position} is no position of a watch of this: it says nothing of some server"
            );
            return Err(Error::InvalidArgument(text));
        }
        let parts = try_join_all(shards.map(|shard| self.begin_part(shard))).await?;
        Ok(Watcher { parts, turn: 0 })
    }

    async fn begin_part(&self, shard: usize) -> Result<Part, Error> {
        let (id, link) = (self.client.next_id(), self.client.link(shard).clone());
        let feed = Arc::new(Feed::new(self.events_max, self.bytes_max));
        let after = self.after.as_ref().and_then(|position| position.of(shard));
        let what = ToWatch {
            topic: self.topic.clone(),
            values: self.values,
            state: self.state,
            after,
            feed: Arc::clone(&feed),
        };
        // If this future is dropped while it waits, the receiver of the answer goes first: either the
        // session finds it closed and does nothing, or it hears of the watcher's end later.
        let part = Part { link, id, shard, feed, caught_up: false, mark: after };
        let (begun, answer) = oneshot::channel();
        part.link.ask(Command::Watch { id, what, begun }, answer).await?;
        Ok(part)
    }
}

impl<'c> IntoFuture for Watching<'c> {
    type Output = Result<Watcher, Error>;
    type IntoFuture = BoxFuture<'c, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.begin().boxed()
    }
}

impl Watcher {
    /// The next event; nothing when the watcher has ended. Dropping this future loses nothing.
    pub async fn next(&mut self) -> Option<WatchEvent> {
        poll_fn(|cx| self.poll_take(cx)).await.map(|told| told.event)
    }

    /// Where the events that were taken end: [`Watching::after`] this goes on behind them, also in another
    /// process. Nothing while not all is told that was there when the watch began, or began anew.
    ///
    /// It moves on while nothing changes, too. It is worth keeping as long as the server's log knows what
    /// happened since.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        if self.parts.is_empty() {
            return None;
        }
        self.parts.iter().map(|part| Some((part.shard, part.position()?))).collect()
    }

    /// Whether everything that the connections have brought was told, or waits to be taken.
    pub(crate) fn is_live(&self) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(|part| part.feed.is_live())
    }

    pub(crate) fn poll_take(&mut self, cx: &mut Context<'_>) -> Poll<Option<Told>> {
        let count = self.parts.len();
        if count == 0 {
            return Poll::Ready(None);
        }
        for place in 0..count {
            let index = (self.turn + place) % count;
            while let Poll::Ready(told) = self.parts[index].poll_take(cx) {
                let Some(told) = told else {
                    // What the others tell would pass for everything.
                    self.parts.clear();
                    return Poll::Ready(None);
                };
                self.turn = (index + 1) % count;
                // All together have caught up when the last of them has.
                let all = || self.parts.iter().all(|part| part.caught_up);
                if told.event != WatchEvent::CaughtUp || all() {
                    return Poll::Ready(Some(told));
                }
            }
        }
        Poll::Pending
    }
}

impl Part {
    fn poll_take(&mut self, cx: &mut Context<'_>) -> Poll<Option<Told>> {
        let (told, has_room) = self.feed.poll_take(cx);
        if has_room {
            self.link.release(Command::Resume { id: self.id });
        }
        told.map(|told| {
            let mut told = told?;
            match &mut told.event {
                WatchEvent::CaughtUp => self.caught_up = true,
                WatchEvent::Restarted { shard } => {
                    *shard = self.shard;
                    (self.caught_up, self.mark) = (false, None);
                }
                _ => {}
            }
            if self.caught_up || self.mark.is_some() || planted!("position-hides-what-was-there") {
                self.mark = told.mark.or(self.mark);
            }
            Some(told)
        })
    }

    fn position(&self) -> Option<Mark> {
        let mark = self.mark?;
        let reached = self.feed.reached().unwrap_or(0);
        Some(Mark { revision: mark.revision.max(reached), ..mark })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.feed.close();
        self.link.release(Command::EndWatch { id: self.id });
    }
}

impl Stream for Watcher {
    type Item = WatchEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<WatchEvent>> {
        self.poll_take(cx).map(|told| told.map(|told| told.event))
    }
}

impl WatchEvent {
    /// The variable that it is about; none for the marks between changes.
    #[must_use]
    pub fn key(&self) -> Option<&Bytes> {
        match self {
            Self::Stored { key, .. } | Self::Deleted { key, .. } | Self::Expired { key, .. } => {
                Some(key)
            }
            Self::CaughtUp | Self::Restarted { .. } => None,
        }
    }

    /// The number of the change; none for the marks between changes.
    #[must_use]
    pub fn revision(&self) -> Option<u64> {
        match self {
            Self::Stored { revision, .. }
            | Self::Deleted { revision, .. }
            | Self::Expired { revision, .. } => Some(*revision),
            Self::CaughtUp | Self::Restarted { .. } => None,
        }
    }

    /// The value that was stored as a Rust value; nothing when none came with it.
    ///
    /// # Errors
    /// `Decode` when it is not of that type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        match self {
            Self::Stored { value: Some(value), .. } => {
                from_value(value.as_ref()).map(Some).map_err(Error::Decode)
            }
            _ => Ok(None),
        }
    }
}
