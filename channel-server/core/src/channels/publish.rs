//! Publishing: whom a message reaches, and as what.

use super::audience::Audience;
use super::groups::Groups;
use super::own::PENDING;
use super::plan::Plan;
use super::{Channels, Subscription, TopicId, Topics};
use crate::numbers::Numbers;
use workyard_engine::{Caller, Outbox, Publication, Route, SessionId, Time};
use workyard_planted::planted;
use workyard_protocol::channel::{
    ChannelWire, Delivery, Publish, PublishMany, PublishOne, Push, Reply,
};
use workyard_protocol::{ChannelName, ValueRef};

/// What is published.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a> {
    pub(crate) channel: ChannelName<'a>,
    /// 0 without a number.
    pub(crate) sequence: u64,
    /// 0 for one that is not kept.
    pub(crate) position: u64,
    pub(crate) value: ValueRef<'a>,
}

/// Where the audience of a channel is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Topic(TopicId),
    Merged,
}

impl Target {
    #[inline]
    pub(super) fn audience<'a>(
        self,
        topics: &'a mut Topics,
        plan: &'a mut Plan,
        numbers: &mut Numbers,
    ) -> &'a mut Audience {
        match self {
            Self::Topic(id) => &mut topics[id],
            Self::Merged => &mut plan.merged(topics, numbers).audience,
        }
    }
}

impl Channels {
    /// Sends to everybody who subscribed, and to one session of each group.
    pub(crate) fn publish(
        &mut self,
        now: Time,
        caller: Caller,
        request: Publish<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let receivers = self.deliver(now, request.channel, request.value, outbox);
        outbox.reply(caller, Reply::Published { receivers });
    }

    /// The same for every channel listed, one after the other.
    pub(crate) fn publish_many(
        &mut self,
        now: Time,
        caller: Caller,
        request: &PublishMany<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let mut receivers = 0;
        for channel in &request.channels {
            receivers += self.deliver(now, *channel, request.value, outbox);
        }
        outbox.reply(caller, Reply::Published { receivers });
    }

    /// Sends to one of those that subscribed without a group, each in turn, the second first: so it
    /// is in the system that this one stands in for, and who mixes both may count on one order.
    ///
    /// When patterns come into it, the turn is that of the channel if anybody subscribed to it by
    /// name, else that of the first pattern.
    pub(crate) fn publish_one(
        &mut self,
        caller: Caller,
        request: PublishOne<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        // What goes to one of many is no part of what all of them can tell to be missing.
        let message =
            Message { channel: request.channel, sequence: 0, position: 0, value: request.value };
        let receivers = self.deliver_one(message, outbox);
        outbox.reply(caller, Reply::Published { receivers });
    }

    /// Returns how many sessions were addressed, each counted once for each delivery.
    fn deliver(
        &mut self,
        now: Time,
        channel: ChannelName<'_>,
        value: ValueRef<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) -> u64 {
        let target = self.target(channel);
        // Numbered also when nobody is there any more: who comes back can tell what was missed.
        let (sequence, position) = self.number(now, value);
        let Some(target) = target else {
            return 0;
        };
        let message = Message { channel, sequence, position, value };
        let mut receivers = if self.slow.is_idle() {
            let audience = target.audience(&mut self.topics, &mut self.plan, &mut self.numbers);
            let mut receivers = to_everybody(audience, message, outbox);
            if !audience.groups.is_empty() {
                receivers += to_groups(audience, message, &self.groups, &mut self.numbers, outbox);
                self.keep_turns(target);
            }
            receivers
        } else {
            self.deliver_carefully(target, message, outbox)
        };
        if position == 0 && self.replays.have_patterns() {
            receivers += self.deliver_to_pending(message, outbox);
        }
        receivers
    }

    /// The number of the next message of the channel that was looked up last, and its position.
    fn number(&mut self, now: Time, value: ValueRef<'_>) -> (u64, u64) {
        let Some(id) = self.plan.log() else { return (0, 0) };
        let log = &mut self.logs[id];
        match self.plan.kept() {
            None if log.ring.is_empty() || planted!("ended-rule-leaves-a-hole") => (log.next(), 0),
            bounds => self.history.keep(now, id, &mut self.logs, bounds, value),
        }
    }

    /// What is not kept cannot be replayed: whoever waits for the end of a pattern's replay has it now.
    fn deliver_to_pending(
        &mut self,
        message: Message<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) -> u64 {
        let mut sessions = self.replays.sessions_of(self.plan.topics());
        sessions.retain(|session| !self.is_served(*session));
        for session in &sessions {
            message.to_one(self.numbers.next_route(), Delivery::Everybody, *session, outbox);
        }
        sessions.len() as u64
    }

    /// Whether the session is among everybody for the channel that was published to last.
    fn is_served(&self, session: SessionId) -> bool {
        let own = self.subscribers.get(session);
        self.plan.topics().iter().any(|topic| {
            let to_all = Subscription { topic: *topic, group: None };
            own.and_then(|own| own.serial(to_all)).is_some_and(|serial| serial != PENDING)
        })
    }

    fn deliver_one(&mut self, message: Message<'_>, outbox: &mut impl Outbox<ChannelWire>) -> u64 {
        let Some(target) = self.target(message.channel) else {
            return 0;
        };
        if !self.slow.is_idle() {
            return self.deliver_one_carefully(target, message, outbox);
        }
        let audience = target.audience(&mut self.topics, &mut self.plan, &mut self.numbers);
        audience.everybody.begin_behind_the_first();
        let turn = audience.everybody.next_turn(|session| outbox.has_room(session));
        let Some(session) = turn else { return 0 };
        message.to_one(self.numbers.next_route(), Delivery::One, session, outbox);
        self.keep_turns(target);
        1
    }

    fn target(&mut self, channel: ChannelName<'_>) -> Option<Target> {
        self.plan.make(channel, self.changed, &self.topics, &self.history, &mut self.logs);
        match self.plan.topics() {
            [] => None,
            [id] => Some(Target::Topic(*id)),
            _ => Some(Target::Merged),
        }
    }

    pub(super) fn keep_turns(&mut self, target: Target) {
        if target == Target::Merged {
            self.keep_merged_turns();
        }
    }

    fn keep_merged_turns(&mut self) {
        self.plan.merged(&self.topics, &mut self.numbers).keep_turns(&mut self.topics);
    }
}

pub(super) fn to_everybody(
    audience: &Audience,
    message: Message<'_>,
    outbox: &mut impl Outbox<ChannelWire>,
) -> u64 {
    if !audience.everybody.is_empty() {
        let publication = message.publication(audience.route, Delivery::Everybody);
        outbox.publish(publication, audience.everybody.sessions());
    }
    audience.everybody.len() as u64
}

fn to_groups(
    audience: &mut Audience,
    message: Message<'_>,
    names: &Groups,
    numbers: &mut Numbers,
    outbox: &mut impl Outbox<ChannelWire>,
) -> u64 {
    for (group, members) in &mut audience.groups {
        let session = members
            .next_turn(|session| outbox.has_room(session))
            .expect("a group stays while it has members");
        let delivery = Delivery::Group(names.name(*group));
        message.to_one(numbers.next_route(), delivery, session, outbox);
        if planted!("group-gets-it-twice") {
            message.to_one(numbers.next_route(), delivery, session, outbox);
        }
    }
    audience.groups.len() as u64
}

impl<'a> Message<'a> {
    pub(crate) fn publication(
        self,
        route: Route,
        delivery: Delivery<'a>,
    ) -> Publication<'a, Push<'a>> {
        let Self { channel, sequence, position, value } = self;
        let push = Push::Message { delivery, channel, sequence, position, value };
        Publication { route, topic: channel.as_bytes(), number: sequence, push }
    }

    /// Every single recipient has a route of its own: it is hardly the next message's.
    pub(crate) fn to_one(
        self,
        route: Route,
        delivery: Delivery<'_>,
        session: SessionId,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        outbox.publish(self.publication(route, delivery), [session]);
    }
}
