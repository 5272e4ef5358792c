//! What the connection's task and the handle of a watcher share.

use crate::watch::WatchEvent;
use bytes::Bytes;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use tokio::time::Instant;
use workyard_link::Mailbox;
use workyard_protocol::Key;
use workyard_protocol::globaldata::WatchTopic;
use workyard_protocol::limits::PAGE_ITEMS_MAX;

/// What one event counts in a buffer beside its key and value.
pub(super) const EVENT_BYTES: usize = size_of::<Told>();

/// Which variables somebody wants to hear of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Topic {
    Key(Bytes),
    Prefix(Bytes),
}

/// How far somebody has been told everything: the revision of a run of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) epoch: u64,
    pub(crate) revision: u64,
}

/// An event on its way to whoever watches.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) event: WatchEvent,
    /// Up to where everything has been told with it, if that is known.
    pub(crate) mark: Option<Mark>,
    /// When the variable is over.
    pub(crate) expires: Option<Instant>,
}

/// How far all who are live on a connection have been told.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    revision: AtomicU64,
    /// The server has more to tell than the connection takes: nobody is told of things as they happen.
    behind: AtomicBool,
}

/// The bounded way from the connection's task to a handle.
#[derive(Debug)]
pub(crate) struct Feed {
    mailbox: Mailbox<Told>,
    page_items: u32,
    live: AtomicBool,
    /// Up to where everything was put in here when it was live last.
    told: AtomicU64,
    progress: OnceLock<Arc<Progress>>,
}

impl Topic {
    pub(crate) fn name(&self) -> &Bytes {
        match self {
            Self::Key(name) | Self::Prefix(name) => name,
        }
    }

    pub(super) fn to_wire(&self) -> WatchTopic<'_> {
        let name = Key::new(self.name()).expect("it was a key when it came in");
        match self {
            Self::Key(_) => WatchTopic::Key(name),
            Self::Prefix(_) => WatchTopic::Prefix(name),
        }
    }
}

impl Told {
    pub(super) fn new(event: WatchEvent) -> Self {
        let expires = match &event {
            // A clock that ends before ten years are over has other troubles.
            WatchEvent::Stored { ttl: Some(ttl), .. } => Instant::now().checked_add(*ttl),
            _ => None,
        };
        Self { event, mark: None, expires }
    }

    pub(super) fn byte_len(&self) -> usize {
        let event = match &self.event {
            WatchEvent::Stored { key, value, .. } => {
                key.len() + value.as_ref().map_or(0, |value| value.as_ref().byte_len())
            }
            WatchEvent::Deleted { key, .. } | WatchEvent::Expired { key, .. } => key.len(),
            WatchEvent::CaughtUp | WatchEvent::Restarted { .. } => 0,
        };
        EVENT_BYTES + event
    }
}

impl Progress {
    pub(super) fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    pub(super) fn reach(&self, revision: u64) {
        self.revision.fetch_max(revision, Ordering::AcqRel);
    }

    pub(super) fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Acquire)
    }

    pub(super) fn set_behind(&self, behind: bool) {
        self.behind.store(behind, Ordering::Release);
    }

    /// There is another connection, which has told nothing yet.
    pub(super) fn begin(&self) {
        self.revision.store(0, Ordering::Release);
        self.set_behind(false);
    }
}

impl Feed {
    pub(crate) fn new(items_max: usize, bytes_max: usize) -> Self {
        let items_max = items_max.max(1);
        Self {
            mailbox: Mailbox::new(items_max, bytes_max),
            page_items: u32::try_from(items_max).map_or(PAGE_ITEMS_MAX, |n| n.min(PAGE_ITEMS_MAX)),
            live: AtomicBool::new(false),
            told: AtomicU64::new(0),
            progress: OnceLock::new(),
        }
    }

    /// The next event, nothing when it has ended; and whether the task is to be told that there is room.
    pub(crate) fn poll_take(&self, cx: &mut Context<'_>) -> (Poll<Option<Told>>, bool) {
        self.mailbox.poll_take_for_room(cx)
    }

    /// Whether all that the server has to tell, as far as the connection has brought it, is in here.
    pub(crate) fn is_live(&self) -> bool {
        let is_behind = self.progress.get().is_none_or(|progress| progress.is_behind());
        self.live.load(Ordering::Acquire) && !is_behind
    }

    /// Up to which revision everything has been told, if all was taken that was in here.
    pub(crate) fn reached(&self) -> Option<u64> {
        // In this order: what is put in after the first look is newer than what it found.
        let revision = match self.is_live() {
            true => self.progress.get().map(|progress| progress.revision()),
            false => Some(self.told.load(Ordering::Acquire)),
        };
        revision.filter(|_| self.mailbox.is_empty())
    }

    /// Nobody takes anything any more.
    pub(crate) fn close(&self) {
        self.mailbox.close();
        self.mailbox.drain();
    }

    /// Waits for room for so much, and for half of all. Returns whether it is there already.
    pub(super) fn wait_for_room(&self, bytes: usize) -> bool {
        self.mailbox.wait_for_room(bytes)
    }

    pub(super) fn share(&self, progress: &Arc<Progress>) {
        // It may be there from before.
        let _ = self.progress.set(Arc::clone(progress));
    }

    pub(super) fn set_live(&self, live: bool) {
        self.live.store(live, Ordering::Release);
    }

    /// It is live no more, and everything up to here was put in.
    pub(super) fn stop(&self, told: u64) {
        self.told.store(told, Ordering::Release);
        self.set_live(false);
    }

    /// The most entries wanted in one page.
    pub(super) fn page_items(&self) -> u32 {
        self.page_items
    }

    /// Hands over what belongs together, if there is room for it: else, how many bytes it takes.
    pub(super) fn offer(&self, mut all: Vec<Told>, mark: Mark) -> Result<(), usize> {
        let bytes = all.iter().map(Told::byte_len).sum();
        if !self.mailbox.has_room(bytes) {
            return Err(bytes);
        }
        if let Some(last) = all.last_mut() {
            last.mark = Some(mark);
        }
        all.into_iter().for_each(|told| self.insist(told));
        Ok(())
    }

    /// Hands over what is bounded by other means.
    pub(super) fn insist(&self, told: Told) {
        self.mailbox.insist(told.byte_len(), told);
    }

    pub(super) fn has_room(&self) -> bool {
        self.mailbox.has_room(EVENT_BYTES)
    }

    /// Nothing more will come.
    pub(super) fn end(&self) {
        self.set_live(false);
        self.mailbox.close();
    }
}
