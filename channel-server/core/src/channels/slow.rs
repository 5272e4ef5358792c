//! Publishing to sessions that shall not just lose what they have no room for.

use super::audience::Audience;
use super::backlog::Held;
use super::backlogs::Backlogs;
use super::gap::{gap, known};
use super::plan::Plan;
use super::policies::{Careful, Policies};
use super::publish::{Message, Target, to_everybody};
use super::{Channels, GroupId, Groups, Subscription, TopicId, Topics};
use crate::members::Members;
use crate::numbers::Numbers;
use crate::{BrokerLimits, Census};
use workyard_engine::{Gaps, Losses, Outbox, Route, SessionId};
use workyard_planted::planted;
use workyard_protocol::channel::{self, ChannelWire, Delivery, Interest, Start, WhenSlow};
use workyard_protocol::{ChannelName, Reason, Refusal, Value};

/// Who shall not, and what is held for them.
#[derive(Debug)]
pub(crate) struct Slow {
    policies: Policies,
    backlogs: Backlogs,
    /// The plan that these were found for.
    made: u64,
    /// The topics that it concerns.
    topics: Vec<TopicId>,
    /// Those who have a policy there and are in no group, ascending by session.
    careful: Vec<Careful>,
    /// Grows with every change to a policy or to who has a backlog.
    changes: u64,
    rest: Option<Rest>,
}

/// The last audience without those who have a backlog.
#[derive(Clone, Copy, Debug)]
struct Rest {
    audience: Route,
    changes: u64,
    route: Route,
}

impl Slow {
    pub(crate) fn new(limits: &BrokerLimits) -> Self {
        Self {
            policies: Policies::default(),
            backlogs: Backlogs::new(limits),
            made: 0,
            topics: Vec::new(),
            careful: Vec::new(),
            changes: 0,
            rest: None,
        }
    }

    /// Adds its part to the census.
    pub(crate) fn count(&self, census: &mut Census) {
        (census.slow_sessions, census.held_messages, census.held_bytes) = self.backlogs.counts();
    }

    /// Whether all subscriptions are content with losing the newest.
    pub(crate) fn is_idle(&self) -> bool {
        self.policies.is_empty()
    }

    /// Whether something is held for the session that nothing may overtake.
    pub(crate) fn holds_for(&self, session: SessionId) -> bool {
        self.backlogs.has(session)
    }

    /// Whether a message for one of many would have to wait if it were for this session.
    fn is_behind(&self, session: SessionId, group: Option<GroupId>) -> bool {
        self.backlogs.has(session) && self.careful(session, group).is_some()
    }

    /// Whether a message for this session is held when there is no room for it.
    fn can_wait(&self, session: SessionId, group: Option<GroupId>) -> bool {
        let when_slow = self.careful(session, group).map(|careful| careful.when_slow);
        matches!(when_slow, Some(WhenSlow::Latest | WhenSlow::DropOldest))
    }

    /// Who of a group, or of all others, is to have what is published next.
    fn choose(
        &self,
        members: &mut Members,
        group: Option<GroupId>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) -> Option<SessionId> {
        let has_room = |session| outbox.has_room(session) && !self.is_behind(session, group);
        // Rather held for one than lost with another's connection.
        let can_wait = |session| self.can_wait(session, group);
        members.next_with_room(has_room).or_else(|| members.next_turn(can_wait))
    }

    /// Sends to everybody who has room, and holds it for those who have none and shall not lose it.
    fn send_everybody(
        &mut self,
        audience: &Audience,
        message: Message<'_>,
        numbers: &mut Numbers,
        outbox: &mut impl Outbox<ChannelWire>,
    ) -> u64 {
        if !outbox.continues(self.route(audience.route, numbers)) {
            self.find_full(outbox);
        }
        let (mut held, mut shared) = (0, None);
        if !self.backlogs.is_empty() {
            for at in 0..self.careful.len() {
                let careful = self.careful[at];
                if self.backlogs.has(careful.session) {
                    if planted!("held-is-overtaken") && outbox.has_room(careful.session) {
                        let route = numbers.next_route();
                        message.to_one(route, Delivery::Everybody, careful.session, outbox);
                    } else {
                        self.hold(careful, message, &mut shared, false, outbox);
                    }
                    held += 1;
                }
            }
        }
        if held < audience.everybody.len() {
            let route = self.route(audience.route, numbers);
            let publication = message.publication(route, Delivery::Everybody);
            let is_held = |session: SessionId| {
                let careful = self.careful.binary_search_by_key(&session, |one| one.session);
                self.backlogs.has(session) && careful.is_ok()
            };
            let direct = audience.everybody.sessions().filter(|session| !is_held(*session));
            outbox.publish(publication, direct);
        }
        audience.everybody.len() as u64
    }

    /// The same for one of many, of a group or of all others.
    fn send_one(
        &mut self,
        session: SessionId,
        group: Option<GroupId>,
        message: Message<'_>,
        delivery: Delivery<'_>,
        numbers: &mut Numbers,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        if let Some(careful) = self.careful(session, group) {
            if !self.backlogs.has(session) && !outbox.has_room(session) {
                self.is_full(careful, outbox);
            }
            if self.backlogs.has(session) {
                let is_for_one = delivery == Delivery::One;
                return self.hold(careful, message, &mut None, is_for_one, outbox);
            }
        }
        message.to_one(numbers.next_route(), delivery, session, outbox);
    }

    /// The session has room again. Returns whether nothing is held for it any more.
    pub(crate) fn drain(
        &mut self,
        session: SessionId,
        groups: &Groups,
        outbox: &mut impl Outbox<ChannelWire>,
    ) -> bool {
        if !self.backlogs.has(session) {
            return true;
        }
        let is_done = self.backlogs.drain(session, groups, outbox);
        self.changes += u64::from(is_done && !planted!("route-outlives-its-recipients"));
        is_done
    }

    /// A subscription is over, or content with losing the newest. Returns what its session loses by that.
    pub(crate) fn end(&mut self, session: SessionId, subscription: Subscription) -> Gaps {
        let when_slow = WhenSlow::DropNewest;
        let is_another = self.policies.set(Careful { session, subscription, when_slow });
        if !is_another {
            return Gaps::default();
        }
        self.changes += 1;
        self.backlogs.end(session, subscription)
    }

    /// The session is gone, and with it these subscriptions.
    pub(crate) fn close(
        &mut self,
        session: SessionId,
        own: impl IntoIterator<Item = Subscription>,
    ) {
        if !self.policies.is_empty() {
            self.changes += 1;
            let when_slow = WhenSlow::DropNewest;
            for subscription in own {
                self.policies.set(Careful { session, subscription, when_slow });
            }
        }
        // Something may be left to tell when the last policy is over.
        self.backlogs.close(session);
    }

    /// Finds those who have a policy for what is published next.
    fn find(&mut self, plan: &Plan) {
        if self.made != plan.makes() {
            self.made = plan.makes();
            self.topics.clear();
            self.topics.extend_from_slice(plan.topics());
            self.policies.everybody(plan.topics(), &mut self.careful);
        }
    }

    fn careful(&self, session: SessionId, group: Option<GroupId>) -> Option<Careful> {
        self.policies.strongest(session, &self.topics, group)
    }

    /// Names those of an audience who have no backlog.
    fn route(&mut self, audience: Route, numbers: &mut Numbers) -> Route {
        if self.backlogs.is_empty() {
            return audience;
        }
        let changes = self.changes;
        let known = self.rest.filter(|rest| rest.audience == audience && rest.changes == changes);
        let rest = known.unwrap_or_else(|| Rest { audience, changes, route: numbers.next_route() });
        self.rest = Some(rest);
        rest.route
    }

    /// Finds those of the careful who have no room for what is published next.
    fn find_full(&mut self, outbox: &mut impl Outbox<ChannelWire>) {
        for at in 0..self.careful.len() {
            let careful = self.careful[at];
            if !self.backlogs.has(careful.session) && !outbox.has_room(careful.session) {
                self.is_full(careful, outbox);
            }
        }
    }

    fn is_full(&mut self, careful: Careful, outbox: &mut impl Outbox<ChannelWire>) {
        if careful.when_slow == WhenSlow::Disconnect {
            return disconnect(careful.session, outbox);
        }
        self.backlogs.begin(careful.session);
        self.changes += 1;
    }

    /// Holds a message. Its value is copied once for all for whom it is.
    fn hold(
        &mut self,
        careful: Careful,
        message: Message<'_>,
        shared: &mut Option<Value>,
        is_for_one: bool,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let is_strict = careful.when_slow == WhenSlow::Disconnect;
        if is_strict && !outbox.has_room(careful.session) {
            return disconnect(careful.session, outbox);
        }
        let held = Held {
            subscription: careful.subscription,
            is_for_one,
            channel: message.channel.as_bytes().into(),
            sequence: message.sequence,
            position: message.position,
            value: shared.get_or_insert_with(|| message.value.to_value()).clone(),
            lost: Losses::default(),
        };
        if !self.backlogs.hold(careful, held) {
            disconnect(careful.session, outbox);
        }
    }
}

impl Channels {
    /// Delivers to everybody and one of each group, where somebody may have a policy.
    // Inlined, it would cost those a few instructions who have none.
    #[inline(never)]
    pub(super) fn deliver_carefully(
        &mut self,
        target: Target,
        message: Message<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) -> u64 {
        self.slow.find(&self.plan);
        let audience = target.audience(&mut self.topics, &mut self.plan, &mut self.numbers);
        let (slow, numbers) = (&mut self.slow, &mut self.numbers);
        let mut receivers = match slow.careful.is_empty() {
            true => to_everybody(audience, message, outbox),
            false => slow.send_everybody(audience, message, numbers, outbox),
        };
        for (group, members) in &mut audience.groups {
            let group = *group;
            let session = slow.choose(members, Some(group), outbox);
            let session = session.expect("a group stays while it has members");
            let delivery = Delivery::Group(self.groups.name(group));
            slow.send_one(session, Some(group), message, delivery, numbers, outbox);
        }
        receivers += audience.groups.len() as u64;
        self.keep_turns(target);
        receivers
    }

    /// Delivers to one of those without a group, who may have a policy.
    #[inline(never)]
    pub(super) fn deliver_one_carefully(
        &mut self,
        target: Target,
        message: Message<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) -> u64 {
        self.slow.find(&self.plan);
        let audience = target.audience(&mut self.topics, &mut self.plan, &mut self.numbers);
        let (slow, numbers) = (&mut self.slow, &mut self.numbers);
        audience.everybody.begin_behind_the_first();
        let Some(session) = slow.choose(&mut audience.everybody, None, outbox) else { return 0 };
        slow.send_one(session, None, message, Delivery::One, numbers, outbox);
        self.keep_turns(target);
        1
    }

    /// Notes what subscriptions say that begin with what is published next. Those whose start is another
    /// say nothing.
    pub(super) fn set_policies(
        &mut self,
        session: SessionId,
        wanted: &[channel::Subscription<'_>],
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let usual = |wanted: &channel::Subscription<'_>| wanted.when_slow == WhenSlow::DropNewest;
        if self.slow.policies.is_empty() && wanted.iter().all(usual) {
            return;
        }
        for channel::Subscription { interest, start, when_slow } in wanted {
            let subscription = self.find(interest).expect("it was added before");
            match (start, *when_slow) {
                (Start::Last { .. } | Start::Resume { .. }, _) => {}
                (Start::Live, WhenSlow::DropNewest) => {
                    let lost = self.slow.end(session, subscription);
                    self.tell_lost(session, subscription.group, &lost, outbox);
                }
                (Start::Live, when_slow) => {
                    let careful = Careful { session, subscription, when_slow };
                    self.slow.changes += u64::from(self.slow.policies.set(careful));
                }
            }
        }
        self.changed = self.numbers.next();
    }

    /// Ends an interest, and tells the session what of it was held and is wanted by another one.
    pub(super) fn unsubscribe_from(
        &mut self,
        session: SessionId,
        interest: &Interest<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let Some(subscription) = self.find(interest) else { return };
        if self.slow.is_idle() {
            return self.end(session, subscription);
        }
        let lost = self.slow.end(session, subscription);
        self.end(session, subscription);
        self.tell_lost(session, subscription.group, &lost, outbox);
    }

    /// Tells of what was held and will not come, where the session still wants it.
    fn tell_lost(
        &self,
        session: SessionId,
        group: Option<GroupId>,
        lost: &Gaps,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let Some(own) = self.subscribers.get(session) else { return };
        let is_wanted = |channel| {
            let topics = matching(&self.topics, channel);
            topics.into_iter().any(|topic| own.serial(Subscription { topic, group }).is_some())
        };
        for loss in lost.iter() {
            if loss.topic.map(known).is_none_or(is_wanted) {
                outbox.push(session, gap(loss));
            }
        }
    }
}

fn matching(topics: &Topics, channel: ChannelName<'_>) -> Vec<TopicId> {
    let mut found = Vec::new();
    topics.matching(channel, &mut found);
    found
}

fn disconnect(session: SessionId, outbox: &mut impl Outbox<ChannelWire>) {
    let text = "a message has no room, and its subscription says to disconnect";
    if !planted!("too-slow-is-left-alone") {
        outbox.disconnect(session, Refusal::new(Reason::SlowConsumer, text));
    }
}
