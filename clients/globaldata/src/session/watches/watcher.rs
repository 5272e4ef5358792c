//! One watcher of this process: how far it has come on this connection, and where it goes on.

use super::feed::{Feed, Mark, Told, Topic};
use crate::watch::WatchEvent;
use std::sync::Arc;
use tokio::sync::oneshot;
use workyard_link::Error;

/// Who waits for a watch to begin.
pub(crate) type Begun = oneshot::Sender<Result<(), Error>>;

/// What a handle asks for.
#[derive(Debug)]
pub(crate) struct ToWatch {
    pub(crate) topic: Topic,
    /// Whether values are wanted, too.
    pub(crate) values: bool,
    /// Whether it begins with what is there, whenever it has to begin.
    pub(crate) state: bool,
    /// Where it goes on from, if anywhere.
    pub(crate) after: Option<Mark>,
    pub(crate) feed: Arc<Feed>,
}

#[derive(Debug)]
pub(super) struct Watcher {
    pub(super) what: ToWatch,
    /// There until it has begun.
    pub(super) begun: Option<Begun>,
    pub(super) stage: Stage,
    pub(super) start: Start,
    pub(super) listing: Option<Listing>,
    /// Changes of a batch that has more.
    pub(super) parts: Vec<Told>,
    /// Whether it is still to hear that it has caught up.
    pub(super) behind: bool,
    /// The latest revision that its state left out, as a change is to tell of it.
    pub(super) passed_over: u64,
}

/// How far a watcher has come on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// To be asked for.
    Wanted,
    /// Asked for, not answered.
    Asked,
    /// What it missed is told again, under this number.
    Again(u32),
    /// It hears of what happens after this revision.
    Live { from: u64 },
    /// It had no room, and hears nothing until there is some.
    Stalled,
}

/// Where a watcher goes on when it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// At the beginning.
    Begin,
    /// The same, and it has to hear first that what it knows is worth nothing.
    Restart,
    /// Behind what it was told.
    After(Mark),
}

/// The state that a watcher is being told, page by page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing {
    /// What is newer comes as a change.
    pub(super) upto: u64,
    pub(super) cursor: u64,
    /// The request for the next page.
    pub(super) asked: Option<u64>,
}

impl Watcher {
    pub(super) fn new(what: ToWatch, begun: Begun) -> Self {
        let start = what.after.map_or(Start::Begin, Start::After);
        let (stage, begun) = (Stage::Wanted, Some(begun));
        Self {
            what,
            begun,
            stage,
            start,
            listing: None,
            parts: Vec::new(),
            behind: true,
            passed_over: 0,
        }
    }

    /// Whether the server has to go on sending for it.
    pub(super) fn is_served(&self) -> bool {
        self.stage != Stage::Stalled
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.stage, Stage::Live { .. })
    }

    /// The connection is gone, or it has no room: it goes on behind what it was told.
    pub(super) fn stop(&mut self, stage: Stage, told: Option<Mark>) {
        if let Some(mark) = told {
            self.start = Start::After(mark);
            self.what.feed.stop(mark.revision);
        }
        self.stage = stage;
        self.parts.clear();
        self.what.feed.set_live(false);
    }

    /// Tells it that what it knows is worth nothing. Returns whether there was room to say so.
    pub(super) fn restart(&mut self) -> bool {
        self.start = Start::Restart;
        (self.listing, self.behind, self.passed_over) = (None, true, 0);
        let has_room = self.what.feed.has_room();
        if has_room {
            self.what.feed.insist(Told::new(WatchEvent::Restarted { shard: 0 }));
            self.what.feed.stop(0);
            self.start = Start::Begin;
        }
        has_room
    }

    /// Whether it hears of what happens and has the whole state, but not everything that it is to have
    /// before it has caught up.
    pub(super) fn is_nearly_there(&self) -> bool {
        self.is_live() && self.listing.is_none() && self.behind
    }

    /// It has been told so much more; `behind` says whether the server has not told all that there is.
    pub(super) fn progressed(&mut self, told: Option<Mark>, behind: bool) {
        let has_all = !behind && told.is_some_and(|mark| mark.revision >= self.passed_over);
        if self.is_nearly_there() && has_all {
            self.behind = false;
            self.what.feed.insist(Told { mark: told, ..Told::new(WatchEvent::CaughtUp) });
        }
        self.what.feed.set_live(self.is_live() && !self.behind);
    }
}

/// Whatever ends a watcher ends its stream.
impl Drop for Watcher {
    fn drop(&mut self) {
        self.what.feed.end();
    }
}
