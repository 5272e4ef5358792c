//! Channels: who subscribed to what. Messages pass through, and are kept where a rule says so.

mod audience;
mod backlog;
mod backlogs;
mod by_group;
mod byte_row;
mod counts;
mod gap;
mod gone;
mod groups;
mod history;
mod keeping;
mod logs;
mod order;
mod own;
mod plan;
mod policies;
mod publish;
mod replay;
mod replays;
mod ring;
mod rules;
mod slow;
mod start;
mod topics;
mod trie;

pub(crate) use counts::Counts;
pub(crate) use gap::gap;
pub(crate) use groups::GroupId;
pub(crate) use topics::{TopicId, Topics};

use crate::numbers::Numbers;
use crate::{BrokerLimits, Census};
use groups::Groups;
use history::History;
use logs::Logs;
use own::{PENDING, Subscriptions};
use plan::Plan;
use replay::Budget;
use replays::Replays;
use slow::Slow;
use smallvec::SmallVec;
use workyard_engine::{BySession, Caller, Outbox, SessionId};
use workyard_protocol::channel::{
    self, ChannelWire, Interest, Reply, Subscribe, Topic, Unsubscribe,
};
use workyard_protocol::{GroupName, Refusal};

/// Every subscription, found by what it is to and by whose it is.
#[derive(Debug)]
pub(crate) struct Channels {
    limits: BrokerLimits,
    topics: Topics,
    groups: Groups,
    subscribers: BySession<Subscriptions>,
    subscriptions: usize,
    logs: Logs,
    history: History,
    replays: Replays,
    slow: Slow,
    /// Tells this start of the server from all others.
    epoch: u64,
    /// Where a kept message is put together that does not lie in one piece.
    scratch: Vec<u8>,
    plan: Plan,
    numbers: Numbers,
    /// The number of the last change to any subscription.
    changed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Subscription {
    topic: TopicId,
    group: Option<GroupId>,
}

impl Channels {
    pub(crate) fn new(limits: BrokerLimits) -> Self {
        Self {
            limits,
            topics: Topics::new(),
            groups: Groups::new(),
            subscribers: BySession::new(),
            subscriptions: 0,
            logs: Logs::new(limits.sequence_bytes_max),
            history: History::new(&limits),
            replays: Replays::new(&limits),
            slow: Slow::new(&limits),
            epoch: 0,
            scratch: Vec::new(),
            plan: Plan::default(),
            numbers: Numbers::default(),
            changed: 0,
        }
    }

    /// What marks of this start of the server are told by.
    pub(crate) fn set_epoch(&mut self, epoch: u64) {
        self.epoch = epoch;
    }

    /// Adds all interests or, when a limit is reached, none.
    pub(crate) fn subscribe(
        &mut self,
        caller: Caller,
        request: &Subscribe<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let wanted = &request.subscriptions;
        if let Err(refusal) = self.add_all(caller.session, wanted) {
            return outbox.refuse(caller, refusal);
        }
        self.set_policies(caller.session, wanted, outbox);
        if wanted.iter().all(|wanted| wanted.start.replay().is_none()) {
            return outbox.reply(caller, Reply::Done);
        }
        let marks = wanted.iter().map(|wanted| self.mark(wanted.interest.topic)).collect();
        outbox.reply(caller, Reply::Subscribed { marks });
        self.advance(Budget::default(), outbox);
    }

    /// Ends those of the interests that the session has.
    pub(crate) fn unsubscribe(
        &mut self,
        caller: Caller,
        request: &Unsubscribe<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        for interest in &request.interests {
            self.unsubscribe_from(caller.session, interest, outbox);
        }
        outbox.reply(caller, Reply::Done);
    }

    /// Ends everything that the session subscribed to.
    pub(crate) fn close(&mut self, session: SessionId) {
        let own = self.subscribers.remove(session).unwrap_or_default().into_sorted();
        self.replays.end_all(session);
        self.note_gone();
        self.slow.close(session, own.iter().map(|(subscription, _)| *subscription));
        for (subscription, serial) in own {
            self.leave(subscription, serial);
        }
    }

    /// Adds its part to the census.
    pub(crate) fn count(&self, census: &mut Census) {
        census.channels = self.topics.channels();
        census.patterns = self.topics.patterns();
        census.groups = self.groups.len();
        census.subscriptions = self.subscriptions;
        census.subscribers = self.subscribers.len();
        census.name_bytes = self.name_bytes();
        census.replays = self.replays.len();
        self.slow.count(census);
        census.history_rules = self.history.rules();
        census.history_messages = self.history.messages();
    }

    fn add_all(
        &mut self,
        session: SessionId,
        wanted: &[channel::Subscription<'_>],
    ) -> Result<(), Refusal> {
        self.check_replays(session, wanted)?;
        let mut added: SmallVec<[Subscription; 4]> = SmallVec::new();
        for wanted in wanted {
            match self.add(session, &wanted.interest) {
                Ok(new) => added.extend(new),
                Err(refusal) => {
                    added.into_iter().for_each(|subscription| self.end(session, subscription));
                    return Err(refusal);
                }
            }
        }
        self.start_all(session, wanted);
        Ok(())
    }

    /// Has the session stand among the subscribers, without receiving anything yet. Returns the
    /// subscription if it is new.
    fn add(
        &mut self,
        session: SessionId,
        interest: &Interest<'_>,
    ) -> Result<Option<Subscription>, Refusal> {
        let own = self.subscribers.get(session);
        let topic = self.topics.find(interest.topic);
        let known = topic.and_then(|topic| self.known(topic, interest.group));
        if known.is_some_and(|known| own.is_some_and(|own| own.serial(known).is_some())) {
            return Ok(None);
        }
        self.check_limits(own.map_or(0, Subscriptions::len), interest, topic.is_none())?;
        let group = interest.group.map(|name| self.groups.join(name));
        let topic = topic.unwrap_or_else(|| self.topics.add(interest.topic));
        let subscription = Subscription { topic, group };
        self.topics[topic].pending += 1;
        // What is published next may concern this topic, though nobody receives it there yet.
        self.changed = self.numbers.next();
        self.subscribers.get_or_default(session).add(subscription, PENDING);
        self.subscriptions += 1;
        Ok(Some(subscription))
    }

    /// Lets the session receive what is published from now on, if it does not yet.
    fn join(&mut self, session: SessionId, subscription: Subscription) {
        let own = self.subscribers.get_mut(session).and_then(|own| own.serial_mut(subscription));
        let Some(joined) = own.filter(|serial| **serial == PENDING) else { return };
        let serial = self.numbers.next();
        *joined = serial;
        self.changed = serial;
        let audience = &mut self.topics[subscription.topic];
        audience.pending -= 1;
        audience.join(subscription.group, serial, session);
    }

    fn find(&self, interest: &Interest<'_>) -> Option<Subscription> {
        self.known(self.topics.find(interest.topic)?, interest.group)
    }

    fn known(&self, topic: TopicId, group: Option<GroupName<'_>>) -> Option<Subscription> {
        let group = match group {
            None => None,
            Some(name) => Some(self.groups.find(name)?),
        };
        Some(Subscription { topic, group })
    }

    /// Ends a subscription if the session has it.
    fn end(&mut self, session: SessionId, subscription: Subscription) {
        let Some(own) = self.subscribers.get_mut(session) else {
            return;
        };
        let Some(serial) = own.remove(subscription) else {
            return;
        };
        if own.is_empty() {
            self.subscribers.remove(session);
        }
        if subscription.group.is_none() {
            self.replays.end(session, subscription.topic);
            self.note_gone();
        }
        self.leave(subscription, serial);
    }

    /// Replays have begun or ended: what goes is noted as long as any of them may want to know.
    fn note_gone(&mut self) {
        self.history.gone.set_noted(self.replays.have_patterns());
    }

    /// Takes a subscription out of its topic and its group, and forgets those that it was the last
    /// of.
    fn leave(&mut self, Subscription { topic, group }: Subscription, serial: u64) {
        let route = self.numbers.next_route();
        self.changed = route.0;
        let audience = &mut self.topics[topic];
        match serial {
            PENDING => audience.pending -= 1,
            serial => audience.leave(group, serial, route),
        }
        if audience.is_empty() {
            self.topics.remove(topic);
            if self.topics.patterns() == 0 {
                self.plan.forget_merged();
            }
        }
        if let Some(group) = group {
            self.groups.leave(group);
        }
        self.subscriptions -= 1;
    }

    /// Whether a session with `own` subscriptions may have this one too, perhaps to a new topic.
    fn check_limits(
        &self,
        own: usize,
        interest: &Interest<'_>,
        new_topic: bool,
    ) -> Result<(), Refusal> {
        let limits = &self.limits;
        let reached = |name, value| Err(BrokerLimits::reached(name, value));
        if own >= limits.subscriptions_per_session_max {
            return reached("subscriptions_per_session_max", limits.subscriptions_per_session_max);
        }
        if self.subscriptions >= limits.subscriptions_max {
            return reached("subscriptions_max", limits.subscriptions_max);
        }
        let is_pattern = matches!(interest.topic, Topic::Pattern(_));
        if new_topic && is_pattern && self.topics.patterns() >= limits.patterns_max {
            return reached("patterns_max", limits.patterns_max);
        }
        let topic_bytes = if new_topic { name_bytes(interest.topic) } else { 0 };
        let new_group = interest.group.filter(|name| self.groups.find(*name).is_none());
        let group_bytes = new_group.map_or(0, |name| name.as_bytes().len());
        if self.name_bytes() + topic_bytes + group_bytes > limits.name_bytes_max {
            return reached("name_bytes_max", limits.name_bytes_max);
        }
        Ok(())
    }

    fn name_bytes(&self) -> usize {
        self.topics.name_bytes() + self.groups.name_bytes()
    }
}

fn name_bytes(topic: Topic<'_>) -> usize {
    match topic {
        Topic::Channel(name) => name.as_bytes().len(),
        Topic::Pattern(pattern) => pattern.as_bytes().len(),
    }
}
