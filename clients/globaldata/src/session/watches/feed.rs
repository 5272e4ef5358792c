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
const EVENT_BYTES: usize = size_of::<Told>();

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

/// The bounded way from the connection's task to a handle.
#[derive(Debug)]
pub(crate) struct Feed {
    mailbox: Mailbox<Told>,
    page_items: u32,
    /// Set by the task when it waits for room, cleared by the handle, which says so.
    waiting: AtomicBool,
    live: AtomicBool,
    /// How far all who are live on the connection have been told.
    reached: OnceLock<Arc<AtomicU64>>,
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

    fn byte_len(&self) -> usize {
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

impl Feed {
    pub(crate) fn new(items_max: usize, bytes_max: usize) -> Self {
        let items_max = items_max.max(1);
        Self {
            mailbox: Mailbox::new(items_max, bytes_max),
            page_items: u32::try_from(items_max).map_or(PAGE_ITEMS_MAX, |n| n.min(PAGE_ITEMS_MAX)),
            waiting: AtomicBool::new(false),
            live: AtomicBool::new(false),
            reached: OnceLock::new(),
        }
    }

    /// The next event, nothing when it has ended; and whether the task is to be told that there is room.
    pub(crate) fn poll_take(&self, cx: &mut Context<'_>) -> (Poll<Option<Told>>, bool) {
        (self.mailbox.poll_take(cx), self.has_room_again())
    }

    /// Whether all that the connection has brought is in here.
    pub(crate) fn is_live(&self) -> bool {
        self.live.load(Ordering::Acquire)
    }

    /// Up to which revision everything has been told, whoever has taken what was in here.
    pub(crate) fn reached(&self) -> Option<u64> {
        // In this order: what is put in after the first look is newer than what it found.
        let reached = self.reached.get()?.load(Ordering::Acquire);
        (self.is_live() && self.mailbox.is_empty()).then_some(reached)
    }

    /// Nobody takes anything any more.
    pub(crate) fn close(&self) {
        self.mailbox.close();
        self.mailbox.drain();
    }

    /// Whether room that the task waited for is there. Then it does not wait any more.
    pub(super) fn has_room_again(&self) -> bool {
        self.waiting.load(Ordering::Acquire)
            && self.mailbox.is_half_empty()
            && self.waiting.swap(false, Ordering::AcqRel)
    }

    /// Waits for room. Returns whether it is there already.
    pub(super) fn wait_for_room(&self) -> bool {
        self.waiting.store(true, Ordering::Release);
        self.has_room_again()
    }

    pub(super) fn share_reached(&self, reached: &Arc<AtomicU64>) {
        // It may be there from before.
        let _ = self.reached.set(Arc::clone(reached));
    }

    pub(super) fn set_live(&self, live: bool) {
        self.live.store(live, Ordering::Release);
    }

    /// The most entries wanted in one page.
    pub(super) fn page_items(&self) -> u32 {
        self.page_items
    }

    /// Hands over what belongs together, if there is room for it.
    pub(super) fn offer(&self, mut all: Vec<Told>, mark: Mark) -> bool {
        if !self.mailbox.has_room(all.iter().map(Told::byte_len).sum()) {
            return false;
        }
        if let Some(last) = all.last_mut() {
            last.mark = Some(mark);
        }
        all.into_iter().for_each(|told| self.insist(told));
        true
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
