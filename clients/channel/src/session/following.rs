//! What the session does for subscriptions with history.

use super::asked::Asked;
use super::followers::{Gap, ToFollow};
use super::{ChannelSession, Done, LocalId, finish, no_answer};
use crate::message::Message;
use crate::wanted::Wanted;
use bytes::Bytes;
use workyard_link::{Event, GapCause, Outbox, Received};
use workyard_protocol::channel::{Push, Reply, Request, Subscribe, Subscription};
use workyard_protocol::{DecodeError, Refusal};

impl ChannelSession {
    pub(super) fn begin_following(&mut self, what: ToFollow, done: Done, outbox: &mut Outbox) {
        let id = what.id;
        self.followers.add(what, done);
        self.start_following(id, outbox);
    }

    /// Ends a subscription of whatever kind.
    pub(super) fn end_following(&mut self, id: LocalId, done: Option<Done>, outbox: &mut Outbox) {
        match self.followers.remove(id) {
            Some(wanted) if self.is_wanted(&wanted) => finish(done),
            Some(wanted) => self.unsubscribe(&wanted, done, outbox),
            None => finish(done),
        }
    }

    /// Whether somebody else still wants it.
    pub(super) fn is_wanted(&mut self, wanted: &Wanted) -> bool {
        self.subscriptions.want(wanted) || self.followers.want(wanted)
    }

    pub(super) fn restore_following(&mut self, outbox: &mut Outbox) {
        for id in self.followers.ids() {
            self.start_following(id, outbox);
        }
    }

    /// Has one go on from where it stands, if there is a connection: else it is restored with the next.
    pub(super) fn start_following(&mut self, id: LocalId, outbox: &mut Outbox) {
        if self.connection.is_none() {
            return;
        }
        let Some((wanted, start)) = self.followers.restart(id) else { return };
        let subscriptions = vec![Subscription { start, ..Subscription::live(wanted.interest()) }];
        let subscribe = Request::Subscribe(Subscribe { subscriptions });
        self.request(&subscribe, Asked::Follow(id), outbox);
    }

    pub(super) fn follow_answered(
        &mut self,
        token: u64,
        id: LocalId,
        answer: Result<Received, Refusal>,
        outbox: &mut Outbox,
    ) -> Result<(), DecodeError> {
        match answer {
            Ok(received) => {
                let mark = match received.decode()? {
                    Reply::Subscribed { marks } if marks.len() == 1 => marks[0],
                    other => return Err(no_answer(&other)),
                };
                self.followers.confirmed(id, self.epoch, mark);
            }
            Err(refusal) => {
                if let Some(wanted) = self.followers.refused(id, &refusal) {
                    outbox.event(Event::RestoreRefused { name: wanted.name, refusal });
                }
            }
        }
        self.asked.remove(&token);
        Ok(())
    }

    /// Parts of replays.
    pub(super) fn replay_pushed(&mut self, push: &Received, part: Push<'_>, outbox: &mut Outbox) {
        match part {
            Push::Replayed { replay, channel, sequence, position, value } => {
                let channel = push.keep(channel.as_bytes());
                let message = Message::new(channel, sequence, position, push.keep_value(value));
                if let Some(full) = self.followers.replayed(replay, &message) {
                    self.stall(full, &message, outbox);
                }
            }
            Push::Gap { channel, from, to, missed, replay } => {
                let channel = channel.map(|channel| push.keep(channel.as_bytes()));
                let gap = Gap { from, to, missed };
                let known = self.followers.gone(replay, channel.as_ref(), gap);
                let numbers = (from > 0).then_some(from..=to);
                let (missed, cause) = (known.unwrap_or(0), GapCause::History);
                outbox.event(Event::Gap { channel, numbers, missed, cause });
            }
            Push::CaughtUp { replay, mark } => self.followers.caught_up(replay, mark),
            _ => {}
        }
    }

    /// Hands a message to everybody's followers.
    pub(super) fn deliver_to_followers(&mut self, message: &Message, outbox: &mut Outbox) {
        for full in self.followers.deliver(message) {
            self.stall(full, message, outbox);
        }
    }

    /// What the server dropped is asked for again: it may be kept.
    pub(super) fn follow_again(&mut self, channel: Option<&Bytes>, outbox: &mut Outbox) {
        for id in self.followers.dropped(channel.map(AsRef::as_ref)) {
            self.start_following(id, outbox);
        }
    }

    /// One has no room for a message. What comes meanwhile is kept by the server, and not sent if nobody
    /// else wants it.
    fn stall(&mut self, id: LocalId, message: &Message, outbox: &mut Outbox) {
        let Some(wanted) = self.followers.stall(id) else { return };
        if self.followers.wait_for_room(id, message.byte_len()) {
            self.start_following(id, outbox);
        } else if !self.is_wanted(&wanted) {
            self.unsubscribe(&wanted, None, outbox);
        }
    }
}
