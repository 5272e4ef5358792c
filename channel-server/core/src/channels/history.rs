//! What is kept of all channels together: bounds, places in the row, and when it is too old.

use super::gone::{Gone, GoneLately};
use super::logs::{LogId, Logs};
use super::rules::Rules;
use crate::BrokerLimits;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;
use workyard_engine::Time;
use workyard_protocol::channel::{Histories, HistoryBounds, HistoryRule};
use workyard_protocol::{Pattern, Reason, Refusal, ValueRef};

/// What a message takes beside its value.
const MESSAGE_OVERHEAD_BYTES: usize = 96;

/// What a channel takes that messages are kept of, beside its name.
const CHANNEL_OVERHEAD_BYTES: usize = 256;

/// Most messages that are forgotten for their age before others get their turn.
const EXPIRED_AT_ONCE_MAX: usize = 1000;

/// Most channels that a change of the rules is applied to before others get their turn.
const REVIEWED_AT_ONCE_MAX: usize = 1000;

/// Below this many, places that nothing stands at are not worth removing.
const STALE_PLACES_MIN: usize = 64;

/// The messages that are kept. They themselves lie in the logs of their channels.
#[derive(Debug)]
pub(crate) struct History {
    rules: Rules,
    rules_max: usize,
    bytes_max: usize,
    /// The position of the last message that was kept.
    position: u64,
    bytes: usize,
    messages: usize,
    /// Everything that was kept, oldest first; some of it is gone.
    order: VecDeque<(u64, LogId)>,
    /// For each log with messages, when to look whether the oldest is too old: never too late.
    deadlines: BTreeSet<(Time, LogId)>,
    /// The next slot of the logs that a change of the rules has still to be applied to.
    review: Option<usize>,
    /// What went, while replays may want to know.
    pub(crate) gone: GoneLately,
}

impl History {
    pub(crate) fn new(limits: &BrokerLimits) -> Self {
        Self {
            rules: Rules::new(),
            rules_max: limits.history_rules_max,
            bytes_max: limits.history_bytes_max,
            position: 0,
            bytes: 0,
            messages: 0,
            order: VecDeque::new(),
            deadlines: BTreeSet::new(),
            review: None,
            gone: GoneLately::default(),
        }
    }

    /// The position of the last message that was kept.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// How many messages are kept.
    pub(crate) fn messages(&self) -> usize {
        self.messages
    }

    /// How many rules there are.
    pub(crate) fn rules(&self) -> usize {
        self.rules.len()
    }

    /// How much is kept of a channel.
    pub(crate) fn bounds(&self, channel: &[u8]) -> Option<HistoryBounds> {
        self.rules.bounds(channel)
    }

    /// Adds or replaces a rule.
    ///
    /// # Errors
    /// `LimitReached`.
    pub(crate) fn set_rule(
        &mut self,
        pattern: Pattern<'_>,
        bounds: HistoryBounds,
    ) -> Result<(), Refusal> {
        if self.rules.len() >= self.rules_max && !self.rules.contains(pattern) {
            return Err(BrokerLimits::reached("history_rules_max", self.rules_max));
        }
        self.rules.set(pattern, bounds);
        self.review = Some(0);
        Ok(())
    }

    /// Removes a rule.
    ///
    /// # Errors
    /// `UnknownRule`.
    pub(crate) fn remove_rule(&mut self, pattern: Pattern<'_>) -> Result<(), Refusal> {
        if !self.rules.remove(pattern) {
            let text = format!("no history is kept under the pattern {pattern}");
            return Err(Refusal::new(Reason::UnknownRule, text));
        }
        self.review = Some(0);
        Ok(())
    }

    /// A page of the rules, and the next cursor.
    pub(crate) fn page(&self, request: Histories<'_>) -> (u64, Vec<HistoryRule<'_>>) {
        self.rules.page(request)
    }

    /// Keeps the message that has just taken the last number of a log. Returns its position.
    ///
    /// One that is above a bound by itself is gone at once, like all that were there before it.
    pub(crate) fn keep(
        &mut self,
        now: Time,
        id: LogId,
        logs: &mut Logs,
        bounds: HistoryBounds,
        value: ValueRef<'_>,
    ) -> u64 {
        self.position += 1;
        if logs[id].ring.is_empty() {
            self.bytes += logs.hold(id) + CHANNEL_OVERHEAD_BYTES;
        }
        let log = &mut logs[id];
        let before = log.ring.byte_len();
        log.ring.push(self.position, now, value);
        self.bytes += log.ring.byte_len() - before + MESSAGE_OVERHEAD_BYTES;
        self.messages += 1;
        self.order.push_back((self.position, id));
        if log.is_armed.is_none() {
            self.arm(id, logs, now + Duration::from(bounds.age));
        }
        self.trim(id, logs, bounds);
        while self.bytes > self.bytes_max {
            self.forget_oldest(logs);
        }
        self.position
    }

    /// When [`History::expire`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        match self.review {
            Some(_) => Some(Time::default()),
            None => self.deadlines.first().map(|(at, _)| *at),
        }
    }

    /// Forgets what is too old, and what the rules do not keep any more.
    pub(crate) fn expire(&mut self, now: Time, logs: &mut Logs) {
        self.apply_rules(logs);
        let mut left = EXPIRED_AT_ONCE_MAX;
        while left > 0
            && let Some((at, id)) = self.deadlines.first().copied()
            && at <= now
        {
            let bounds = self.rules.bounds(logs.name(id).as_bytes());
            while left > 0
                && let Some(first) = logs[id].ring.first()
                && bounds.is_none_or(|bounds| first.at + Duration::from(bounds.age) <= now)
            {
                self.forget_first(id, logs);
                left -= 1;
            }
            self.arm_anew(id, logs, bounds, now);
            left = left.saturating_sub(1);
        }
    }

    /// The kept messages behind a position, oldest first, each with its log. Some of them may be gone.
    pub(crate) fn behind(&self, position: u64) -> impl Iterator<Item = (u64, LogId)> {
        let from = self.order.partition_point(|(other, _)| *other <= position);
        self.order.range(from..).copied()
    }

    /// Applies changed rules to some more logs.
    fn apply_rules(&mut self, logs: &mut Logs) {
        let Some(from) = self.review else { return };
        let to = from.saturating_add(REVIEWED_AT_ONCE_MAX).min(logs.end());
        for slot in from..to {
            let Some(id) = logs.at(slot).filter(|id| !logs[*id].ring.is_empty()) else { continue };
            match self.rules.bounds(logs.name(id).as_bytes()) {
                None => self.forget_all(id, logs),
                Some(bounds) => {
                    self.trim(id, logs, bounds);
                    if let Some(first) = logs[id].ring.first() {
                        let deadline = first.at + Duration::from(bounds.age);
                        self.arm(id, logs, deadline);
                    }
                }
            }
        }
        self.review = Some(to).filter(|to| *to < logs.end());
    }

    /// Forgets what is above the bounds of one log.
    fn trim(&mut self, id: LogId, logs: &mut Logs, bounds: HistoryBounds) {
        let is_above = |logs: &Logs| {
            let ring = &logs[id].ring;
            ring.len() as u64 > bounds.messages_max || ring.byte_len() as u64 > bounds.bytes_max
        };
        while is_above(logs) {
            self.forget_first(id, logs);
        }
    }

    /// Forgets all messages of one log.
    pub(crate) fn forget_all(&mut self, id: LogId, logs: &mut Logs) {
        while !logs[id].ring.is_empty() {
            self.forget_first(id, logs);
        }
    }

    /// Forgets the oldest message of all.
    fn forget_oldest(&mut self, logs: &mut Logs) {
        let (position, id) = self.order.pop_front().expect("what takes room stands in the row");
        if logs.holds(id, position) {
            self.forget_first(id, logs);
        }
    }

    /// Forgets the oldest message of a log that has one.
    fn forget_first(&mut self, id: LogId, logs: &mut Logs) {
        let sequence = logs[id].first_kept();
        let kept = logs[id].ring.pop().expect("the log has a message");
        self.messages -= 1;
        self.bytes -= kept.byte_len() + MESSAGE_OVERHEAD_BYTES;
        if logs[id].ring.is_empty() {
            self.disarm(id, logs);
            self.bytes -= logs.release(id) + CHANNEL_OVERHEAD_BYTES;
        }
        self.gone.note(Gone { log: id, position: kept.position, sequence }, logs);
        if self.order.len() > STALE_PLACES_MIN + 2 * self.messages {
            self.order.retain(|(position, id)| logs.holds(*id, *position));
            self.order.shrink_to(2 * self.order.len());
        }
    }

    fn arm_anew(&mut self, id: LogId, logs: &mut Logs, bounds: Option<HistoryBounds>, now: Time) {
        // Without bounds, the rest is forgotten in the next portion.
        let age = bounds.map(|bounds| Duration::from(bounds.age));
        let first = logs[id].ring.first().map(|first| age.map_or(now, |age| first.at + age));
        if let Some(deadline) = first {
            self.arm(id, logs, deadline);
        }
    }

    fn arm(&mut self, id: LogId, logs: &mut Logs, deadline: Time) {
        self.disarm(id, logs);
        logs[id].is_armed = Some(deadline);
        self.deadlines.insert((deadline, id));
    }

    fn disarm(&mut self, id: LogId, logs: &mut Logs) {
        if let Some(deadline) = logs[id].is_armed.take() {
            self.deadlines.remove(&(deadline, id));
        }
    }
}
