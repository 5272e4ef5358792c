//! What sessions are sent, by an outbox that does with publications what a daemon does.

use super::Sight;
use std::collections::{BTreeMap, BTreeSet};
use workyard_engine::{Caller, Outbox, Publication, Route, SessionId};
use workyard_protocol::Refusal;
use workyard_protocol::channel::{ChannelWire, Push, Reply};

/// What all sessions see.
#[derive(Default)]
pub(super) struct Streams {
    /// Who has room is found out once for many publications, and not for each.
    batches: bool,
    rooms: BTreeMap<SessionId, usize>,
    open: Option<Batch>,
    seen: Vec<Sight>,
    ended: BTreeSet<SessionId>,
    /// For each session and channel, how many messages it should have had, and how many it had or was told
    /// to be missing.
    counts: BTreeMap<(SessionId, String), (u64, u64)>,
    /// The number of the last message that a session has had.
    last: BTreeMap<(SessionId, String), u64>,
}

struct Batch {
    route: Route,
    recipients: Vec<SessionId>,
    without_room: Vec<SessionId>,
}

impl Streams {
    pub(super) fn new(batches: bool) -> Self {
        Self { batches, ..Self::default() }
    }

    pub(super) fn set_room(&mut self, session: SessionId, room: usize) {
        self.rooms.insert(session, room);
    }

    pub(super) fn end_turn(&mut self) {
        self.open = None;
    }

    pub(super) fn close(&mut self, session: SessionId) {
        self.counts.retain(|(of, _), _| *of != session);
    }

    pub(super) fn has_ended(&self, session: SessionId) -> bool {
        self.ended.contains(&session)
    }

    pub(super) fn take_seen(&mut self) -> Vec<Sight> {
        std::mem::take(&mut self.seen)
    }

    /// A message that the session is to have was published.
    pub(super) fn expect(&mut self, session: SessionId, channel: &str) {
        self.counts.entry((session, channel.to_owned())).or_default().0 += 1;
    }

    /// What a session does not want any more is not missing.
    pub(super) fn forget_unwanted(&mut self, session: SessionId, is_wanted: impl Fn(&str) -> bool) {
        self.counts.retain(|(of, channel), _| *of != session || is_wanted(channel));
    }

    pub(super) fn check_counts(&self, session: SessionId) {
        for ((of, channel), (expected, had)) in &self.counts {
            assert!(*of != session || expected == had, "{of} of {channel}: {had} of {expected}");
        }
    }

    fn room(&mut self, session: SessionId) -> &mut usize {
        self.rooms.entry(session).or_insert(usize::MAX)
    }

    fn message(&mut self, session: SessionId, push: Push<'_>) {
        let (channel, count) = match push {
            Push::Message { channel, sequence, .. } => {
                self.seen.push((session, format!("{channel} #{sequence}")));
                let last = self.last.entry((session, channel.to_string())).or_default();
                assert!(*last < sequence, "{session} of {channel}: {sequence} after {last}");
                *last = sequence;
                (channel.to_string(), 1)
            }
            Push::Gap { channel: Some(channel), from, to, missed, replay: 0 } => {
                self.seen.push((session, format!("{channel} #{from}..#{to} missed, {missed}")));
                let last = self.last.get(&(session, channel.to_string()));
                assert!(last.is_none_or(|last| *last < from), "{from} is missing after {last:?}");
                (channel.to_string(), missed)
            }
            other => panic!("{other:?} was not asked for"),
        };
        let room = self.room(session);
        *room = room.saturating_sub(usize::from(*room < usize::MAX));
        self.had(session, channel, count);
    }

    fn had(&mut self, session: SessionId, channel: String, count: u64) {
        if let Some((_, had)) = self.counts.get_mut(&(session, channel)) {
            *had += count;
        }
    }
}

impl Outbox<ChannelWire> for Streams {
    fn reply(&mut self, _: Caller, _: Reply<'_>) {}

    fn refuse(&mut self, _: Caller, refusal: Refusal) {
        panic!("{refusal}");
    }

    fn push(&mut self, to: SessionId, push: Push<'_>) {
        self.open = None;
        self.message(to, push);
    }

    fn publish(
        &mut self,
        publication: Publication<'_, Push<'_>>,
        recipients: impl IntoIterator<Item = SessionId>,
    ) {
        let Publication { route, number, push, .. } = publication;
        let open = self.open.take().filter(|open| self.batches && open.route == route);
        let open = open.unwrap_or_else(|| {
            let (recipients, without_room) =
                recipients.into_iter().partition(|session| *self.room(*session) > 0);
            Batch { route, recipients, without_room }
        });
        let Push::Message { channel, .. } = push else { panic!("no message: {push:?}") };
        for session in &open.recipients {
            if !self.ended.contains(session) {
                self.message(*session, push);
            }
        }
        for session in &open.without_room {
            if !self.ended.contains(session) {
                self.seen.push((*session, format!("{channel} #{number} dropped")));
                // A daemon tells it at its place; here that is at once.
                self.had(*session, channel.to_string(), 1);
            }
        }
        self.open = Some(open);
    }

    fn continues(&mut self, route: Route) -> bool {
        let continues = self.batches && self.open.as_ref().is_some_and(|open| open.route == route);
        if !continues {
            self.open = None;
        }
        continues
    }

    fn has_room(&mut self, session: SessionId) -> bool {
        if self.open.as_ref().is_some_and(|open| open.recipients.contains(&session)) {
            self.open = None;
        }
        *self.room(session) > 0 && !self.ended.contains(&session)
    }

    fn disconnect(&mut self, session: SessionId, refusal: Refusal) {
        if self.ended.insert(session) {
            self.seen.push((session, format!("ends, {}", refusal.reason)));
        }
    }
}
