//! Presence in the session: what this client is known by, and whom it follows, restored on every new
//! connection.

use super::asked::Asked;
use super::{ChannelSession, Done, LocalId, channel_name, finish, no_answer, refused};
use crate::view::View;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use workyard_link::{Error, Event, Outbox, Received};
use workyard_planted::planted;
use workyard_protocol::channel::{
    Change, Enter, FollowPresence, Member, Presence, PresenceChange, Reply, Request,
};
use workyard_protocol::limits::PAGE_ITEMS_MAX;
use workyard_protocol::{DecodeError, Refusal};

/// What handles ask about presence.
#[derive(Debug)]
pub(crate) enum Visit {
    Enter {
        channel: Bytes,
        identity: Bytes,
        done: Done,
    },
    Leave {
        channel: Bytes,
        done: Done,
    },
    Follow {
        id: LocalId,
        channel: Bytes,
        view: Arc<View>,
        done: Done,
    },
    /// A follower is gone.
    Unfollow {
        id: LocalId,
        channel: Bytes,
    },
}

/// What an answer of the server is about.
#[derive(Debug)]
pub(super) enum Visited {
    Enter {
        channel: Bytes,
        /// What this client was known by before, if it was there.
        before: Option<Bytes>,
        /// Who waits for it; nobody when it is restored.
        done: Vec<Done>,
    },
    Follow(Bytes),
    /// A page of the listing of this number.
    Page {
        channel: Bytes,
        round: u64,
    },
}

/// Where this client is, and whom it follows.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    rooms: BTreeMap<Bytes, Room>,
    epoch: Option<u64>,
}

#[derive(Debug, Default)]
struct Room {
    identity: Option<Bytes>,
    /// Those who wanted to enter when the connection was lost.
    entering: Vec<Done>,
    followers: Vec<Local>,
    /// The last listing that was begun.
    round: u64,
}

/// A follower of this process.
#[derive(Debug)]
struct Local {
    id: LocalId,
    view: Arc<View>,
    /// The request that asks the server for it, and who waits for the answer.
    asked: u64,
    done: Option<Done>,
}

/// Whatever ends a follower ends its stream.
impl Drop for Local {
    fn drop(&mut self) {
        self.view.close();
    }
}

impl Room {
    fn is_unused(&self) -> bool {
        self.identity.is_none() && self.entering.is_empty() && self.followers.is_empty()
    }

    fn views(&self) -> impl Iterator<Item = &View> {
        self.followers.iter().map(|local| &*local.view)
    }
}

impl Rooms {
    fn forget_if_unused(&mut self, channel: &Bytes) {
        if self.rooms.get(channel).is_some_and(Room::is_unused) {
            self.rooms.remove(channel);
        }
    }
}

impl ChannelSession {
    pub(super) fn visit(&mut self, visit: Visit, outbox: &mut Outbox) {
        match visit {
            Visit::Enter { done, .. } | Visit::Leave { done, .. } | Visit::Follow { done, .. }
                if done.is_closed() => {}
            Visit::Enter { channel, identity, done } => {
                let room = self.rooms.rooms.entry(channel.clone()).or_default();
                let before = room.identity.replace(identity);
                self.enter(&channel, before, vec![done], outbox);
            }
            Visit::Leave { channel, done } => {
                if let Some(room) = self.rooms.rooms.get_mut(&channel) {
                    room.identity = None;
                    self.rooms.forget_if_unused(&channel);
                }
                let leave = Enter { channel: channel_name(&channel), identity: None };
                self.request(&Request::Enter(leave), Asked::End(Some(done)), outbox);
            }
            Visit::Follow { id, channel, view, done } => {
                let room = self.rooms.rooms.entry(channel.clone()).or_default();
                room.followers.push(Local { id, view, asked: 0, done: Some(done) });
                self.follow(&channel, Some(id), outbox);
            }
            Visit::Unfollow { id, channel } => self.unfollow(id, &channel, outbox),
        }
    }

    /// The new connection's server is told everything anew.
    pub(super) fn restore_visits(&mut self, epoch: u64, outbox: &mut Outbox) {
        let is_another = self.rooms.epoch.replace(epoch).is_some_and(|before| before != epoch);
        let channels: Vec<Bytes> = self.rooms.rooms.keys().cloned().collect();
        for channel in channels {
            let room = self.rooms.rooms.get_mut(&channel).expect("nothing has removed it");
            if is_another {
                room.views().for_each(View::reset);
            }
            let (enters, follows) = (room.identity.is_some(), !room.followers.is_empty());
            let entering = std::mem::take(&mut room.entering);
            if enters {
                self.enter(&channel, None, entering, outbox);
            } else {
                // It has left since.
                entering.into_iter().for_each(|done| finish(Some(done)));
            }
            if follows {
                self.follow(&channel, None, outbox);
            } else {
                self.rooms.forget_if_unused(&channel);
            }
        }
    }

    /// The connection was lost before this was answered.
    pub(super) fn visit_lost(&mut self, visited: Visited) {
        if let Visited::Enter { channel, done, .. } = visited
            && !done.is_empty()
        {
            self.rooms.rooms.entry(channel).or_default().entering.extend(done);
        }
    }

    pub(super) fn visit_answered(
        &mut self,
        token: u64,
        answer: &Result<Received, Refusal>,
        outbox: &mut Outbox,
    ) -> Result<(), DecodeError> {
        let reply = match answer {
            Ok(received) => Ok(received.decode::<Reply<'_>>()?),
            Err(refusal) => Err(refusal),
        };
        // Before anything is taken out: the connection ends over it, and what was asked with it.
        match (self.asked.get(&token), &reply) {
            (Some(Asked::Visit(Visited::Page { .. })), Ok(Reply::Presence(_)))
            | (Some(Asked::Visit(Visited::Enter { .. } | Visited::Follow(_))), Ok(Reply::Done))
            | (_, Err(_)) => {}
            (_, Ok(other)) => return Err(no_answer(other)),
        }
        let Some(Asked::Visit(visited)) = self.asked.remove(&token) else { return Ok(()) };
        match (visited, reply) {
            (Visited::Enter { done, .. }, Ok(_)) => {
                done.into_iter().for_each(|done| finish(Some(done)));
            }
            (Visited::Enter { channel, before, done }, Err(refusal)) => {
                self.not_entered(&channel, before, done, refusal, outbox);
            }
            (Visited::Follow(channel), Ok(_)) => {
                let room = self.rooms.rooms.get_mut(&channel);
                let locals = room.into_iter().flat_map(|room| &mut room.followers);
                let asked = locals.filter(|local| local.asked == token);
                asked.for_each(|local| finish(local.done.take()));
            }
            (Visited::Follow(channel) | Visited::Page { channel, .. }, Err(refusal)) => {
                self.not_followed(token, &channel, refusal, outbox);
            }
            (Visited::Page { channel, round }, Ok(reply)) => {
                let Reply::Presence(page) = reply else {
                    unreachable!("that was looked at before")
                };
                for member in page.member_list {
                    self.is_there(&channel, member);
                }
                self.page_read(&channel, round, page.cursor, outbox);
            }
        }
        Ok(())
    }

    pub(super) fn presence_changed(&mut self, push: PresenceChange<'_>, outbox: &mut Outbox) {
        let channel = push.channel.as_bytes();
        match push.change {
            Change::Joined(member) => self.is_there(channel, member),
            Change::Left { session } => {
                let room = self.rooms.rooms.get(channel);
                room.into_iter().flat_map(Room::views).for_each(|view| view.left(session));
            }
            Change::Missed => self.list(&Bytes::copy_from_slice(channel), outbox),
        }
    }

    /// Enters with the identity that the room has.
    fn enter(
        &mut self,
        channel: &Bytes,
        before: Option<Bytes>,
        done: Vec<Done>,
        outbox: &mut Outbox,
    ) {
        let identity = self.rooms.rooms.get(channel).and_then(|room| room.identity.clone());
        let enter = Enter { channel: channel_name(channel), identity: identity.as_deref() };
        let visited = Visited::Enter { channel: channel.clone(), before, done };
        self.request(&Request::Enter(enter), Asked::Visit(visited), outbox);
    }

    fn not_entered(
        &mut self,
        channel: &Bytes,
        before: Option<Bytes>,
        done: Vec<Done>,
        refusal: &Refusal,
        outbox: &mut Outbox,
    ) {
        if let Some(room) = self.rooms.rooms.get_mut(channel) {
            room.identity = before;
            self.rooms.forget_if_unused(channel);
        }
        if done.is_empty() {
            let (name, refusal) = (channel.clone(), refusal.clone());
            outbox.event(Event::RestoreRefused { name, refusal });
        }
        for done in done {
            let _ = done.send(Err(Error::Refused(refusal.clone())));
        }
    }

    /// Asks the server to tell of changes, for one follower in particular or for all, and who is there.
    fn follow(&mut self, channel: &Bytes, id: Option<LocalId>, outbox: &mut Outbox) {
        let follow = FollowPresence { channel: channel_name(channel), on: true };
        let visited = Visited::Follow(channel.clone());
        let token = self.request(&Request::FollowPresence(follow), Asked::Visit(visited), outbox);
        let room = self.rooms.rooms.get_mut(channel).expect("it has the follower");
        let asking = room.followers.iter_mut().filter(|local| id.is_none_or(|id| id == local.id));
        asking.for_each(|local| local.asked = token);
        self.list(channel, outbox);
    }

    fn not_followed(
        &mut self,
        token: u64,
        channel: &Bytes,
        refusal: &Refusal,
        outbox: &mut Outbox,
    ) {
        let Some(room) = self.rooms.rooms.get_mut(channel) else { return };
        let mut established = false;
        for mut local in room.followers.extract_if(.., |local| local.asked == token) {
            established |= refused(local.done.take(), refusal);
        }
        self.rooms.forget_if_unused(channel);
        if established {
            let (name, refusal) = (channel.clone(), refusal.clone());
            outbox.event(Event::RestoreRefused { name, refusal });
        }
    }

    fn unfollow(&mut self, id: LocalId, channel: &Bytes, outbox: &mut Outbox) {
        let Some(room) = self.rooms.rooms.get_mut(channel) else { return };
        let before = room.followers.len();
        room.followers.retain(|local| local.id != id);
        if before > 0 && room.followers.is_empty() {
            let unfollow = FollowPresence { channel: channel_name(channel), on: false };
            self.request(&Request::FollowPresence(unfollow), Asked::End(None), outbox);
        }
        self.rooms.forget_if_unused(channel);
    }

    /// Begins to list who is there.
    fn list(&mut self, channel: &Bytes, outbox: &mut Outbox) {
        let Some(room) = self.rooms.rooms.get_mut(channel) else { return };
        room.round += 1;
        room.views().for_each(View::begin);
        let round = room.round;
        self.ask_page(channel, round, 0, outbox);
    }

    fn ask_page(&mut self, channel: &Bytes, round: u64, cursor: u64, outbox: &mut Outbox) {
        let limit = PAGE_ITEMS_MAX;
        let presence = Presence { channel: channel_name(channel), cursor, limit };
        let visited = Visited::Page { channel: channel.clone(), round };
        self.request(&Request::Presence(presence), Asked::Visit(visited), outbox);
    }

    /// Whoever stood on the page is known. An older listing than the last says nothing more.
    fn page_read(&mut self, channel: &Bytes, round: u64, cursor: u64, outbox: &mut Outbox) {
        let room = self.rooms.rooms.get(channel);
        let Some(room) = room.filter(|room| room.round == round || planted!("old-listing-counts"))
        else {
            return;
        };
        match cursor {
            0 => room.views().for_each(View::end),
            cursor => self.ask_page(channel, round, cursor, outbox),
        }
    }

    fn is_there(&mut self, channel: &[u8], member: Member<'_>) {
        let Some(room) = self.rooms.rooms.get(channel) else { return };
        let identity = Bytes::copy_from_slice(member.identity);
        room.views().for_each(|view| view.is_there(member.session, &identity));
    }
}
