//! The watchers of this client, as the connection's task keeps them: what each was told, where it goes on
//! after a lost connection, and what is read for it first.
//!
//! All who are live are told the same changes in the same order, so that one revision says how far they
//! are. Who goes on from somewhere else is told again under a number of its own, until it is live too.

mod feed;
mod index;
mod page;
mod told;
mod watcher;

pub(crate) use feed::{Feed, Mark, Told, Topic};
pub(crate) use told::Pushed;
pub(crate) use watcher::{Begun, ToWatch};

use feed::{EVENT_BYTES, Progress};
use index::Index;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use watcher::{Listing, Stage, Start, Watcher};
use workyard_link::limits::LENGTH_BYTES;
use workyard_link::{Error, Event, Outbox, Received, Server};
use workyard_planted::planted;
use workyard_protocol::globaldata::{Reply, Request, Unwatch, Watch, Watching};
use workyard_protocol::limits::{HEADER_BYTES_MAX, LIST_ITEMS_MAX};
use workyard_protocol::{DecodeError, Refusal};

/// Names a watcher within this process.
pub(crate) type WatcherId = u64;

/// Set in all tokens of requests about watches.
pub(super) const TOKENS: u64 = 1 << 63;

/// What a topic takes in a header beside its name.
const TOPIC_BYTES: usize = 1 + LENGTH_BYTES;

/// All watchers of this client on one server.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    by_id: BTreeMap<WatcherId, Watcher>,
    index: Index,
    /// Who is told again, by the number that it is told under.
    again: HashMap<u32, Again>,
    /// Who has parts of a batch, by the number that they came under.
    open: HashMap<Option<u32>, Open>,
    /// Who has caught up as soon as the server has told all that there is.
    nearly_there: BTreeSet<WatcherId>,
    asked: HashMap<u64, Asked>,
    progress: Arc<Progress>,
    last_token: u64,
    last_number: u32,
    connection: Option<Connection>,
}

#[derive(Clone, Copy, Debug)]
struct Connection {
    epoch: u64,
    frame_bytes_max: usize,
}

/// Those who are told again under one number, and how far they have been.
#[derive(Debug)]
struct Again {
    ids: BTreeSet<WatcherId>,
    reached: u64,
}

/// A batch that has more parts.
#[derive(Debug)]
struct Open {
    revision: u64,
    ids: Vec<WatcherId>,
}

/// What an answer of the server is about.
#[derive(Debug)]
enum Asked {
    Watch { ids: Vec<WatcherId>, number: u32, after: Option<u64> },
    Unwatch,
    Page(WatcherId),
}

impl Watches {
    /// Everybody goes on where he was, but who has no room.
    pub(crate) fn connected(&mut self, server: &Server, outbox: &mut Outbox) {
        let frame_bytes_max = server.frame_bytes_max;
        self.connection = Some(Connection { epoch: server.epoch, frame_bytes_max });
        self.progress.begin();
        let wanted: Vec<WatcherId> = self.by_id.keys().copied().collect();
        self.ask(wanted, outbox);
    }

    pub(crate) fn disconnected(&mut self) {
        let marks: Vec<_> = self.by_id.keys().map(|id| (*id, self.told(*id))).collect();
        for (id, told) in marks {
            let watcher = self.by_id.get_mut(&id).expect("it was there just now");
            let stage = if watcher.is_served() { Stage::Wanted } else { Stage::Stalled };
            watcher.stop(stage, told);
            if let Some(listing) = &mut watcher.listing {
                listing.asked = None;
            }
        }
        self.connection = None;
        self.again.clear();
        self.open.clear();
        self.nearly_there.clear();
        self.asked.clear();
    }

    pub(crate) fn watch(
        &mut self,
        id: WatcherId,
        what: ToWatch,
        begun: Begun,
        outbox: &mut Outbox,
    ) {
        if begun.is_closed() {
            return;
        }
        what.feed.share(&self.progress);
        self.index.add(&what.topic, id);
        self.by_id.insert(id, Watcher::new(what, begun));
        self.ask(vec![id], outbox);
    }

    /// There is room again for one who waits for it.
    pub(crate) fn resume(&mut self, id: WatcherId, outbox: &mut Outbox) {
        let Some(watcher) = self.by_id.get_mut(&id) else { return };
        if watcher.stage == Stage::Stalled {
            watcher.stage = Stage::Wanted;
            self.ask(vec![id], outbox);
        } else {
            self.ask_page(id, outbox);
        }
    }

    /// The handle is gone.
    pub(crate) fn end(&mut self, id: WatcherId, outbox: &mut Outbox) {
        let Some(watcher) = self.by_id.remove(&id) else { return };
        self.index.remove(&watcher.what.topic, id);
        self.leave_again(id, watcher.stage);
        self.nearly_there.remove(&id);
        if watcher.is_served() {
            self.unwatch(&watcher.what.topic, outbox);
        }
    }

    pub(crate) fn answered(
        &mut self,
        token: u64,
        answer: Result<Received, Refusal>,
        outbox: &mut Outbox,
    ) -> Result<(), DecodeError> {
        let asked = self.asked.remove(&token).expect("a request is answered once");
        match (asked, answer) {
            (Asked::Watch { ids, number, after }, Ok(received)) => match received.decode()? {
                Reply::Watching(watching) => self.watching(ids, number, after, watching, outbox),
                other => return Err(no_answer(&other)),
            },
            (Asked::Watch { ids, .. }, Err(refusal)) => self.refused(ids, &refusal, outbox),
            (Asked::Page(id), Ok(received)) => self.listed(id, token, &received, outbox)?,
            (Asked::Page(id), Err(refusal)) if self.is_wanted(id, token) => {
                self.give_up(id, refusal, outbox);
            }
            (Asked::Page(_), Err(_)) => {}
            (Asked::Unwatch, Ok(received)) => match received.decode()? {
                Reply::Unwatched { .. } => {}
                other => return Err(no_answer(&other)),
            },
            (Asked::Unwatch, Err(refusal)) => outbox.event(Event::Refused(refusal)),
        }
        Ok(())
    }

    /// Asks for those of these that are to be asked for, with as few requests as possible.
    fn ask(&mut self, ids: Vec<WatcherId>, outbox: &mut Outbox) {
        let Some(connection) = self.connection else { return };
        let mut groups: BTreeMap<(Option<u64>, bool), Vec<WatcherId>> = BTreeMap::new();
        for id in ids {
            let Some(watcher) = self.by_id.get_mut(&id) else { continue };
            if watcher.stage != Stage::Wanted {
                continue;
            }
            let after = match watcher.start {
                Start::After(mark) if mark.epoch == connection.epoch => {
                    let again = u64::from(planted!("change-is-told-twice-after-resume"));
                    Some(mark.revision - again)
                }
                Start::Begin => None,
                Start::After(_) | Start::Restart => {
                    if !watcher.restart() {
                        self.stall(id, None, EVENT_BYTES, outbox);
                        continue;
                    }
                    None
                }
            };
            groups.entry((after, watcher.what.values)).or_default().push(id);
        }
        let bytes_max = HEADER_BYTES_MAX.min(connection.frame_bytes_max) / 2;
        for ((after, values), ids) in groups {
            for part in self.parts(ids, bytes_max) {
                self.send_watch(part, after, values, outbox);
            }
        }
    }

    /// Cuts what is asked for into requests that every server takes.
    fn parts(&self, ids: Vec<WatcherId>, bytes_max: usize) -> Vec<Vec<WatcherId>> {
        let mut parts: Vec<Vec<WatcherId>> = Vec::new();
        let mut bytes = 0;
        for id in ids {
            let more = TOPIC_BYTES + self.by_id[&id].what.topic.name().len();
            bytes += more;
            match parts.last_mut() {
                Some(part) if bytes <= bytes_max && part.len() < LIST_ITEMS_MAX => part.push(id),
                _ => {
                    bytes = more;
                    parts.push(vec![id]);
                }
            }
        }
        parts
    }

    fn send_watch(
        &mut self,
        ids: Vec<WatcherId>,
        after: Option<u64>,
        values: bool,
        outbox: &mut Outbox,
    ) {
        self.last_number = self.last_number.wrapping_add(1);
        let number = self.last_number;
        let mut topics: Vec<_> = ids.iter().map(|id| &self.by_id[id].what.topic).collect();
        topics.sort_unstable();
        topics.dedup();
        let topics = topics.into_iter().map(Topic::to_wire).collect();
        let token = next(&mut self.last_token);
        outbox.request(token, &Request::Watch(Watch { watch: number, topics, values, after }));
        for id in &ids {
            self.by_id.get_mut(id).expect("it is asked for while it is there").stage = Stage::Asked;
        }
        self.asked.insert(token, Asked::Watch { ids, number, after });
    }

    fn watching(
        &mut self,
        ids: Vec<WatcherId>,
        number: u32,
        after: Option<u64>,
        watching: Watching,
        outbox: &mut Outbox,
    ) {
        let is_asked = |id: &WatcherId| {
            self.by_id.get(id).is_some_and(|watcher| watcher.stage == Stage::Asked)
        };
        let ids: Vec<WatcherId> = ids.into_iter().filter(is_asked).collect();
        match (watching, after) {
            (Watching::Compacted(_), _) => return self.begin_anew(ids, outbox),
            (Watching::From(revision), None) => {
                if !self.progress.is_behind() {
                    self.progress.reach(revision);
                }
                for id in &ids {
                    self.begin(*id, revision);
                }
            }
            (Watching::From(_), Some(after)) => {
                for id in &ids {
                    self.watcher(*id).stage = Stage::Again(number);
                }
                let told_again: BTreeSet<_> = ids.iter().copied().collect();
                if !told_again.is_empty() {
                    self.again.insert(number, Again { ids: told_again, reached: after });
                }
            }
        }
        for id in ids {
            if let Some(begun) = self.watcher(id).begun.take() {
                let _ = begun.send(Ok(()));
            }
            self.ask_page(id, outbox);
        }
    }

    /// One hears of everything after this revision, and of what is there if it wants to.
    fn begin(&mut self, id: WatcherId, revision: u64) {
        let watcher = self.watcher(id);
        watcher.stage = Stage::Live { from: revision };
        if watcher.what.state {
            watcher.listing = Some(Listing { upto: revision, cursor: 0, asked: None });
        }
        self.progressed(id);
    }

    /// The server does not know what these missed.
    fn begin_anew(&mut self, ids: Vec<WatcherId>, outbox: &mut Outbox) {
        for id in &ids {
            let watcher = self.watcher(*id);
            watcher.stop(Stage::Wanted, None);
            watcher.start = Start::Restart;
        }
        self.ask(ids, outbox);
    }

    /// Finds out which of several the server does not want, by asking for halves.
    fn refused(&mut self, mut ids: Vec<WatcherId>, refusal: &Refusal, outbox: &mut Outbox) {
        ids.retain(|id| self.by_id.contains_key(id));
        if ids.len() > 1 {
            for id in &ids {
                self.watcher(*id).stage = Stage::Wanted;
            }
            let half = ids.split_off(ids.len() / 2);
            self.ask(ids, outbox);
            self.ask(half, outbox);
        } else if let Some(id) = ids.pop() {
            self.give_up(id, refusal.clone(), outbox);
        }
    }

    /// Ends a watcher that the server does not want.
    fn give_up(&mut self, id: WatcherId, refusal: Refusal, outbox: &mut Outbox) {
        let Some(watcher) = self.by_id.get_mut(&id) else { return };
        match watcher.begun.take() {
            Some(begun) => drop(begun.send(Err(Error::Refused(refusal)))),
            None => {
                let name = watcher.what.topic.name().clone();
                outbox.event(Event::RestoreRefused { name, refusal });
            }
        }
        self.end(id, outbox);
    }

    /// One has no room for so many bytes. It was told everything up to `told`, and what comes is in the
    /// server's log.
    fn stall(&mut self, id: WatcherId, told: Option<Mark>, bytes: usize, outbox: &mut Outbox) {
        let watcher = self.watcher(id);
        let stage = watcher.stage;
        watcher.stop(Stage::Stalled, told);
        let (feed, topic) = (Arc::clone(&watcher.what.feed), watcher.what.topic.clone());
        self.leave_again(id, stage);
        self.nearly_there.remove(&id);
        if feed.wait_for_room(bytes) {
            self.resume(id, outbox);
        } else if stage != Stage::Wanted {
            self.unwatch(&topic, outbox);
        }
    }

    /// Has the server tell no more of this, unless somebody else wants it.
    fn unwatch(&mut self, topic: &Topic, outbox: &mut Outbox) {
        let is_served = |id: &WatcherId| self.by_id[id].is_served();
        if self.connection.is_none() || self.index.of(topic).iter().any(is_served) {
            return;
        }
        let token = next(&mut self.last_token);
        outbox.request(token, &Request::Unwatch(Unwatch { topics: vec![topic.to_wire()] }));
        self.asked.insert(token, Asked::Unwatch);
    }

    /// Up to where one has been told everything; nothing while it is not told anything.
    fn told(&self, id: WatcherId) -> Option<Mark> {
        let Connection { epoch, .. } = self.connection?;
        let revision = match self.by_id[&id].stage {
            Stage::Live { from } => from.max(self.progress.revision()),
            Stage::Again(number) => self.again[&number].reached,
            Stage::Wanted | Stage::Asked | Stage::Stalled => return None,
        };
        Some(Mark { epoch, revision })
    }

    fn progressed(&mut self, id: WatcherId) {
        let (told, behind) = (self.told(id), self.progress.is_behind());
        let watcher = self.watcher(id);
        watcher.progressed(told, behind);
        match watcher.is_nearly_there() {
            true => self.nearly_there.insert(id),
            false => self.nearly_there.remove(&id),
        };
    }

    fn leave_again(&mut self, id: WatcherId, stage: Stage) {
        if let Stage::Again(number) = stage
            && let Some(again) = self.again.get_mut(&number)
        {
            again.ids.remove(&id);
            if again.ids.is_empty() {
                self.again.remove(&number);
                self.open.remove(&Some(number));
            }
        }
    }

    fn watcher(&mut self, id: WatcherId) -> &mut Watcher {
        self.by_id.get_mut(&id).expect("whoever is named here is there")
    }
}

fn next(last: &mut u64) -> u64 {
    *last += 1;
    *last | TOKENS
}

fn no_answer(reply: &Reply<'_>) -> DecodeError {
    DecodeError::Malformed(format!("{reply:?} is no answer to a request about watches"))
}
