//! Presence: who has entered a channel, and following who comes and goes.

use crate::client::{ChannelClient, unexpected};
use crate::error::Error;
use crate::session::{Command, LocalId, Visit};
use crate::subscription::next_id;
use crate::view::{Told, View};
use bytes::Bytes;
use futures_util::stream::Stream;
use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use workyard_link::{Pages, pages};
use workyard_protocol::channel::{self, PresencePage, Reply, Request};
use workyard_protocol::limits::{IDENTITY_BYTES_MAX, PAGE_ITEMS_MAX};
use workyard_protocol::{ChannelName, GroupName};

/// Who is in a channel, as [`ChannelClient::presence`] gives it. Members enter; that somebody subscribes or
/// serves is counted, but makes nobody a member.
///
/// ```no_run
/// use workyard_channel::{ChannelClient, PresenceEvent};
///
/// # async fn example(client: ChannelClient) -> Result<(), workyard_channel::Error> {
/// let room = client.presence("room.7");
/// room.enter("tom").await?;
/// let mut events = room.follow().await?;
/// while let Some(event) = events.next().await {
///     match event {
///         PresenceEvent::Joined(member) => println!("{} is here", member.identity_str()),
///         PresenceEvent::Left(member) => println!("{} has left", member.identity_str()),
///         PresenceEvent::CaughtUp => println!("that is everybody"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Presence {
    client: ChannelClient,
    channel: Bytes,
}

/// A client that has entered a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// The number of its connection, as [`Server::session`](crate::Server) has it there.
    pub session: u64,
    /// What it entered with: any bytes.
    pub identity: Bytes,
}

/// Something that happened to who is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresenceEvent {
    /// Somebody is there, or has another identity now.
    Joined(Member),
    /// Somebody has left, or its connection has ended.
    Left(Member),
    /// What has been told so far is who is there now. It comes behind the first members, and behind what
    /// has changed whenever changes may have been missed, as with a lost connection.
    CaughtUp,
}

/// How many have to do with a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PresenceCounts {
    /// Clients that have entered.
    pub members: u64,
    /// Clients that subscribe to it by its name, groups apart.
    pub subscribers: u64,
    /// Subscriptions to patterns that match it, groups apart.
    pub pattern_subscribers: u64,
    /// Clients that serve it.
    pub responders: u64,
    /// Queue groups that subscribe to it, each counted for its name and for every pattern.
    pub groups: u64,
    /// Up to a hundred of them.
    pub group_list: Vec<GroupCount>,
}

/// A queue group of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupCount {
    /// Its name: any bytes.
    pub group: Bytes,
    /// Its subscriptions to the channel, and to patterns that match it.
    pub subscriptions: u64,
}

/// A stream of members, asked for page by page. It ends after the first error.
pub type Members = Pages<Member, Error>;

/// A stream of who comes and goes. It begins with everybody who is there, survives reconnects, telling the
/// difference, and ends when the client is closed or the server refuses to restore it.
///
/// Dropping it ends it in the background.
#[derive(Debug)]
#[must_use = "dropping a follower ends it"]
pub struct PresenceEvents {
    client: ChannelClient,
    channel: Bytes,
    id: LocalId,
    view: Arc<View>,
    told: Told,
}

impl ChannelClient {
    /// Who is in a channel.
    #[must_use]
    pub fn presence(&self, channel: impl AsRef<[u8]>) -> Presence {
        Presence { client: self.clone(), channel: Bytes::copy_from_slice(channel.as_ref()) }
    }
}

impl Presence {
    /// Makes this client a member, known to others by this. It stays one, through reconnects, until it
    /// leaves or is closed; to enter again changes the identity. Whoever drops this future may have entered.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `InvalidArgument` for more than 1024 bytes.
    pub async fn enter(&self, identity: impl AsRef<[u8]>) -> Result<(), Error> {
        let identity = identity.as_ref();
        if identity.len() > IDENTITY_BYTES_MAX {
            let bytes = identity.len();
            let text = format!("an identity of {bytes} bytes is above {IDENTITY_BYTES_MAX}");
            return Err(Error::InvalidArgument(text));
        }
        self.set(Some(Bytes::copy_from_slice(identity))).await
    }

    /// This client is a member no more, if it was one.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn leave(&self) -> Result<(), Error> {
        self.set(None).await
    }

    /// Everybody who is there, in the order in which they entered.
    pub fn members(&self) -> Members {
        let this = self.clone();
        pages(move |cursor| {
            let this = this.clone();
            async move { this.page(cursor, PAGE_ITEMS_MAX, members).await }
        })
    }

    /// How many have to do with the channel.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn counts(&self) -> Result<PresenceCounts, Error> {
        self.page(0, 1, counts).await
    }

    /// Everybody who is there, and then who comes and goes.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn follow(&self) -> Result<PresenceEvents, Error> {
        ChannelName::new(&self.channel)?;
        let (done, answer) = oneshot::channel();
        // As with subscriptions, a dropped future closes the answer before it releases the follower.
        let events = PresenceEvents {
            client: self.client.clone(),
            channel: self.channel.clone(),
            id: next_id(),
            view: Arc::default(),
            told: Told::default(),
        };
        let (id, channel, view) = (events.id, events.channel.clone(), Arc::clone(&events.view));
        let visit = Visit::Follow { id, channel, view, done };
        self.client.link.ask(Command::Visit(visit), answer).await?;
        Ok(events)
    }

    async fn set(&self, identity: Option<Bytes>) -> Result<(), Error> {
        ChannelName::new(&self.channel)?;
        let (done, answer) = oneshot::channel();
        let channel = self.channel.clone();
        let visit = match identity {
            Some(identity) => Visit::Enter { channel, identity, done },
            None => Visit::Leave { channel, done },
        };
        Ok(self.client.link.ask(Command::Visit(visit), answer).await?)
    }

    async fn page<T>(
        &self,
        cursor: u64,
        limit: u32,
        read: impl FnOnce(&PresencePage<'_>) -> T,
    ) -> Result<T, Error> {
        let channel = ChannelName::new(&self.channel)?;
        let request = Request::Presence(channel::Presence { channel, cursor, limit });
        let received = self.client.link.request(&request).await?;
        match received.decode()? {
            Reply::Presence(page) => Ok(read(&page)),
            other => Err(unexpected(&other)),
        }
    }
}

impl Member {
    /// The identity as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn identity_str(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.identity)
    }
}

impl GroupCount {
    /// The name as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn group_str(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.group)
    }
}

impl PresenceEvents {
    /// What happened next; nothing when it has ended. Dropping this future loses nothing.
    pub async fn next(&mut self) -> Option<PresenceEvent> {
        poll_fn(|cx| self.view.poll_next(&mut self.told, cx)).await
    }
}

impl Stream for PresenceEvents {
    type Item = PresenceEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<PresenceEvent>> {
        let this = self.get_mut();
        this.view.poll_next(&mut this.told, cx)
    }
}

impl Drop for PresenceEvents {
    fn drop(&mut self) {
        let visit = Visit::Unfollow { id: self.id, channel: self.channel.clone() };
        self.client.link.release(Command::Visit(visit));
    }
}

fn members(page: &PresencePage<'_>) -> (u64, Vec<Member>) {
    let member = |member: &channel::Member<'_>| Member {
        session: member.session,
        // Copied: a listing shall not keep whole pages in memory.
        identity: Bytes::copy_from_slice(member.identity),
    };
    (page.cursor, page.member_list.iter().map(member).collect())
}

fn counts(page: &PresencePage<'_>) -> PresenceCounts {
    let group = |(name, count): &(GroupName<'_>, u64)| GroupCount {
        group: Bytes::copy_from_slice(name.as_bytes()),
        subscriptions: *count,
    };
    PresenceCounts {
        members: page.members,
        subscribers: page.subscribers,
        pattern_subscribers: page.pattern_subscribers,
        responders: page.responders,
        groups: page.groups,
        group_list: page.group_list.iter().map(group).collect(),
    }
}
