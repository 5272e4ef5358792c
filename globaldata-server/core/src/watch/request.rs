//! `watch` and `unwatch`.

use super::State;
use super::follower::Cursor;
use super::load::Load;
use crate::limits::StoreLimits;
use crate::store::Store;
use workyard_engine::{Caller, Outbox, SessionId, Time};
use workyard_planted::planted;
use workyard_protocol::Refusal;
use workyard_protocol::globaldata::{
    GlobalDataWire, Push, Reply, Unwatch, Watch, WatchTopic, Watching,
};

impl Store {
    pub(crate) fn watch(
        &mut self,
        now: Time,
        caller: Caller,
        mut request: Watch<'_>,
        outbox: &mut impl Outbox<GlobalDataWire>,
    ) {
        request.topics.sort_unstable();
        request.topics.dedup();
        let revision = self.revision;
        let state = self.watches.state.get_or_insert_with(|| Box::new(State::new(now, revision)));
        if let Err(refusal) = state.check(caller.session, &request, &self.limits) {
            return outbox.refuse(caller, refusal);
        }
        let next = match request.after {
            None => None,
            // A revision that is still to come is one of another epoch.
            Some(after) if after <= revision => match state.log.after_revision(after) {
                Some(next) => Some(next),
                None => return outbox.reply(caller, state.compacted()),
            },
            Some(_) => return outbox.reply(caller, state.compacted()),
        };
        outbox.reply(caller, Reply::Watching(Watching::From(revision)));
        match next {
            None => state.watch_from_now(caller.session, &request),
            Some(next) => {
                state.watch_again(caller.session, &request, next, revision, outbox);
                self.watches.advance(now, caller.session, revision, &self.limits, outbox);
            }
        }
        self.watches.note_idleness(now);
    }

    pub(crate) fn unwatch(
        &mut self,
        now: Time,
        session: SessionId,
        request: &Unwatch<'_>,
    ) -> Reply<'static> {
        let count = match &mut self.watches.state {
            Some(state) => {
                let watched = request.topics.iter().filter(|topic| state.unwatch(session, **topic));
                u32::try_from(watched.count()).expect("a list is bounded by LIST_ITEMS_MAX")
            }
            None => 0,
        };
        self.watches.note_idleness(now);
        Reply::Unwatched { count }
    }
}

impl State {
    fn compacted(&self) -> Reply<'static> {
        Reply::Watching(Watching::Compacted(self.log.since()))
    }

    fn check(
        &mut self,
        session: SessionId,
        request: &Watch<'_>,
        limits: &StoreLimits,
    ) -> Result<(), Refusal> {
        let mut follower = self.followers.get_mut(session);
        let has = follower.as_ref().map_or(Load::default(), |follower| follower.load);
        let is_new = |topic: &&WatchTopic<'_>| {
            follower.as_mut().is_none_or(|follower| follower.live.get_mut(**topic).is_none())
        };
        let new: Load = request.topics.iter().filter(is_new).map(|topic| Load::of(*topic)).sum();
        match request.after {
            None => limits.check_watches(has + new, self.load + new, 1),
            // What is live already is there once more for a while: there is room for that.
            Some(_) => {
                let all: Load = request.topics.iter().map(|topic| Load::of(*topic)).sum();
                let factor = if new == Load::default() { 2 } else { 1 };
                limits.check_watches(has + all, self.load + all, factor)
            }
        }
    }

    fn watch_from_now(&mut self, session: SessionId, request: &Watch<'_>) {
        for topic in &request.topics {
            self.count(session, Load::of(*topic));
            self.make_live(session, *topic, request.values);
        }
    }

    fn watch_again(
        &mut self,
        session: SessionId,
        request: &Watch<'_>,
        next: u64,
        revision: u64,
        outbox: &mut impl Outbox<GlobalDataWire>,
    ) {
        if request.topics.is_empty() {
            let watch = Some(request.watch);
            return outbox.push(session, Push::Reached { watch, revision, live: true });
        }
        self.count(session, request.topics.iter().map(|topic| Load::of(*topic)).sum());
        let next = next + u64::from(planted!("resumed-watch-skips-a-change"));
        let cursor = Cursor { next, open: false };
        self.followers.get_or_default(session).replays.push(request, cursor);
    }

    /// Whether it was watched.
    fn unwatch(&mut self, session: SessionId, topic: WatchTopic<'_>) -> bool {
        let Some(follower) = self.followers.get_mut(session) else { return false };
        let live = usize::from(follower.live.remove(topic).is_some());
        let removed = live + follower.replays.remove(topic);
        self.uncount(session, Load::of(topic).times(removed));
        self.forget_live(session, topic);
        removed > 0
    }
}
