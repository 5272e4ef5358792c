//! Telling everybody who watches what has just happened.

use super::follower::Cursor;
use super::log::Place;
use super::{State, Watches};
use crate::limits::StoreLimits;
use workyard_engine::{Outbox, SessionId, Time};
use workyard_planted::planted;
use workyard_protocol::globaldata::{GlobalDataWire, Push};

/// How many times a log goes round, in parts, while everybody hears once how far it is. Whoever watches
/// what seldom changes would else have nothing to come back with that the log still knows.
const PROGRESS_PARTS: u64 = 8;

/// Those who are told of a change.
#[derive(Default)]
struct Recipients {
    /// All who watch the key, and whether with values.
    found: Vec<(SessionId, bool)>,
    with_values: Vec<SessionId>,
    without: Vec<SessionId>,
    /// Those who had no room for it.
    fallen: Vec<SessionId>,
    /// Those who were told of a part of the batch at hand.
    batch: Vec<SessionId>,
}

impl Watches {
    /// Tells of all changes since the last call, up to this revision.
    pub(crate) fn announce(
        &mut self,
        now: Time,
        revision: u64,
        limits: &StoreLimits,
        outbox: &mut impl Outbox<GlobalDataWire>,
    ) {
        if let Some(state) = &mut self.state
            && state.announced < state.log.end()
        {
            state.announce(now, outbox);
            state.tell_progress(revision, limits, outbox);
            state.log.trim(limits);
        }
    }
}

impl State {
    fn announce(&mut self, now: Time, outbox: &mut impl Outbox<GlobalDataWire>) {
        let mut recipients = Recipients::default();
        while self.announced < self.log.end() {
            self.choose(&mut recipients, outbox);
            let record =
                self.log.get(self.announced).expect("nothing is trimmed before it is told");
            let Recipients { with_values, without, batch, .. } = &mut recipients;
            for (sessions, values) in [(&*with_values, true), (&*without, false)] {
                tell(sessions, record.push(now, None, values), outbox);
            }
            let (place, revision) = (record.place, record.revision);
            if place != Place::Alone {
                batch.append(with_values);
                batch.append(without);
            }
            self.announced += 1;
            if place == Place::End {
                self.end_batch(revision, &mut recipients.batch, outbox);
            }
        }
    }

    /// Finds out who is told of the next change. Who has no room is behind from here on.
    fn choose(&mut self, recipients: &mut Recipients, outbox: &mut impl Outbox<GlobalDataWire>) {
        let Recipients { found, with_values, without, fallen, .. } = recipients;
        found.clear();
        with_values.clear();
        without.clear();
        let next = self.announced;
        let record = self.log.get(next).expect("nothing is trimmed before it is told");
        let mut topics = 0;
        self.live.covering(record.key(), |sessions| {
            topics += 1;
            found.extend(sessions.iter().map(|(session, values)| (*session, *values)));
        });
        if topics > 1 {
            // Those who want values first, as they are the ones to stay.
            let comes_first = !planted!("value-is-left-out");
            found.sort_unstable_by_key(|(session, values)| (*session, *values != comes_first));
            found.dedup_by_key(|(session, _)| *session);
        }
        let (is_set, open) = (record.is_set(), record.place != Place::Alone);
        for &(session, values) in &*found {
            let Some(follower) = self.followers.get_mut(session) else { continue };
            if follower.behind.is_some() {
                continue;
            }
            if !outbox.has_room(session) {
                follower.behind = Some(Cursor { next, open });
                fallen.push(session);
            } else if values && is_set {
                with_values.push(session);
            } else {
                without.push(session);
            }
        }
        // Room or not: whoever believes to be told of everything as it happens must know that he is not. It
        // is one push for each time that the session had room.
        let push = Push::Reached { watch: None, revision: record.revision - 1, live: false };
        tell(fallen, push, outbox);
        fallen.clear();
    }

    /// Tells those who were told of a batch's parts that there are no more.
    fn end_batch(
        &mut self,
        revision: u64,
        told: &mut Vec<SessionId>,
        outbox: &mut impl Outbox<GlobalDataWire>,
    ) {
        told.sort_unstable();
        told.dedup();
        // Who fell behind in the middle of it reads its end in the log.
        told.retain(|session| {
            let follower = self.followers.get(*session);
            follower.is_some_and(|follower| follower.behind.is_none())
        });
        tell(told, Push::Reached { watch: None, revision, live: true }, outbox);
        told.clear();
    }

    /// Tells everybody who watches how far the log is, if it has moved on by a part of itself.
    fn tell_progress(
        &mut self,
        revision: u64,
        limits: &StoreLimits,
        outbox: &mut impl Outbox<GlobalDataWire>,
    ) {
        let (changes, bytes) = self.progressed;
        let is_due = self.log.end() - changes
            >= limits.watch_log_changes_max as u64 / PROGRESS_PARTS
            || self.log.bytes_ever() - bytes >= limits.watch_log_bytes_max as u64 / PROGRESS_PARTS;
        if !is_due {
            return;
        }
        self.progressed = (self.log.end(), self.log.bytes_ever());
        let sessions: Vec<_> = self
            .followers
            .iter()
            .filter(|(_, follower)| follower.behind.is_none() && !follower.live.is_empty())
            .map(|(session, _)| session)
            .filter(|session| outbox.has_room(*session))
            .collect();
        tell(&sessions, Push::Reached { watch: None, revision, live: true }, outbox);
    }
}

fn tell(sessions: &[SessionId], push: Push<'_>, outbox: &mut impl Outbox<GlobalDataWire>) {
    match sessions {
        [] => {}
        [session] => outbox.push(*session, push),
        several => outbox.push_all(several, push),
    }
}
