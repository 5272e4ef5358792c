//! What is kept of all channels together: bounds, places in the row, and when it is too old.

use super::gone::{Gone, GoneLately};
use super::logs::{Log, LogId, Logs};
use super::order::Order;
use super::rules::Rules;
use crate::BrokerLimits;
use std::collections::BTreeSet;
use workyard_engine::Time;
use workyard_protocol::channel::{Histories, HistoryBounds, HistoryRule};
use workyard_protocol::{Pattern, Reason, Refusal, ValueRef};

/// What a message takes beside its value.
const MESSAGE_OVERHEAD_BYTES: usize = 96;

/// What a channel takes that messages are kept of, beside its name.
const CHANNEL_OVERHEAD_BYTES: usize = 256;

/// Most messages that are forgotten for their age, or for a rule, before others get their turn.
const FORGOTTEN_AT_ONCE_MAX: usize = 1000;

/// Most channels that a change of the rules is applied to before others get their turn.
const REVIEWED_AT_ONCE_MAX: usize = 1000;

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
    /// Where they stand among each other.
    order: Order,
    /// For each log with messages, when to look whether the oldest is to be forgotten: never too late.
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
            order: Order::new(),
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

    /// Numbers the next message of a log, and keeps it. Returns its number and its position.
    ///
    /// One that is above a bound by itself is gone at once, like all that were there before it. If these
    /// are very many, the last of them go later. Without bounds a rule has ended, and what it kept is not
    /// forgotten yet: if it is too much for now, the message stands behind it, for the row must not get a
    /// hole, and has else no position.
    #[inline(never)]
    pub(crate) fn keep(
        &mut self,
        now: Time,
        id: LogId,
        logs: &mut Logs,
        bounds: Option<&HistoryBounds>,
        value: ValueRef<'_>,
    ) -> (u64, u64) {
        if bounds.is_none() && self.forget_some(id, logs) {
            return (logs[id].next(), 0);
        }
        let log = &mut logs[id];
        let sequence = log.next();
        self.position += 1;
        self.messages += 1;
        self.bytes += log.ring.push(self.position, now, value) + MESSAGE_OVERHEAD_BYTES;
        self.order.push(self.position, id);
        let is_above = |log: &Log| bounds.is_some_and(|bounds| log.is_above(bounds));
        if log.ring.len() == 1 {
            self.begin(id, logs, bounds);
        } else if is_above(log) {
            // Mostly one goes for one that comes.
            let gone = self.take_first(id, log);
            if is_above(log) || self.gone.is_noted() {
                self.gone.note(gone, logs);
                self.bound(id, logs, is_above);
            }
        }
        if self.bytes > self.bytes_max {
            self.bound_bytes(logs);
        }
        (sequence, self.position)
    }

    /// Forgets some of what a rule has kept that has ended. Returns whether that was all.
    fn forget_some(&mut self, id: LogId, logs: &mut Logs) -> bool {
        for _ in 0..FORGOTTEN_AT_ONCE_MAX.min(logs[id].ring.len()) {
            self.forget_first(id, logs);
        }
        logs[id].ring.is_empty()
    }

    /// When [`History::expire`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        match self.review {
            Some(_) => Some(Time::default()),
            None => self.deadlines.first().map(|(at, _)| *at),
        }
    }

    /// Forgets some of what is too old, and of what the rules do not keep any more.
    pub(crate) fn expire(&mut self, now: Time, logs: &mut Logs) {
        self.apply_rules(logs);
        let mut left = FORGOTTEN_AT_ONCE_MAX;
        while left > 0
            && let Some((at, id)) = self.deadlines.first().copied()
            && at <= now
        {
            let bounds = self.rules.bounds(logs.name(id).as_bytes());
            let bounds = bounds.as_ref();
            while left > 0 && logs[id].deadline(bounds).is_some_and(|deadline| deadline <= now) {
                self.forget_first(id, logs);
                left -= 1;
            }
            self.arm_anew(id, logs, bounds);
            left = left.saturating_sub(1);
        }
    }

    /// The kept messages behind a position, oldest first, each with its position and its log.
    pub(crate) fn behind(&self, position: u64) -> impl Iterator<Item = (u64, LogId)> {
        self.order.behind(position)
    }

    /// Applies changed rules to some more logs: has them looked at when they say so.
    fn apply_rules(&mut self, logs: &mut Logs) {
        let Some(from) = self.review else { return };
        let to = from.saturating_add(REVIEWED_AT_ONCE_MAX).min(logs.end());
        for slot in from..to {
            if let Some(id) = logs.at(slot) {
                let bounds = self.rules.bounds(logs.name(id).as_bytes());
                self.arm_anew(id, logs, bounds.as_ref());
            }
        }
        self.review = Some(to).filter(|to| *to < logs.end());
    }

    /// A log has got its first message.
    fn begin(&mut self, id: LogId, logs: &mut Logs, bounds: Option<&HistoryBounds>) {
        self.bytes += logs.hold(id) + CHANNEL_OVERHEAD_BYTES;
        if bounds.is_some_and(|bounds| logs[id].is_above(bounds)) {
            self.forget_first(id, logs);
        }
        self.arm_anew(id, logs, bounds);
    }

    /// Forgets what is above a log's bounds; the rest, if it is very much, when the log is looked at.
    fn bound(&mut self, id: LogId, logs: &mut Logs, is_above: impl Fn(&Log) -> bool) {
        for _ in 1..FORGOTTEN_AT_ONCE_MAX {
            if logs[id].ring.is_empty() || !is_above(&logs[id]) {
                return;
            }
            self.forget_first(id, logs);
        }
        if !logs[id].ring.is_empty() {
            self.arm(id, logs, Time::default());
        }
    }

    /// Forgets the oldest messages of all: at most as many as the newest one takes room of.
    fn bound_bytes(&mut self, logs: &mut Logs) {
        while self.bytes > self.bytes_max {
            let oldest = self.order.first();
            self.forget_first(oldest.expect("what takes room stands in the row"), logs);
        }
    }

    /// Forgets the oldest message of a log that has one.
    fn forget_first(&mut self, id: LogId, logs: &mut Logs) {
        let log = &mut logs[id];
        let gone = self.take_first(id, log);
        if log.ring.is_empty() {
            log.ring.give_back();
            self.disarm(id, logs);
            self.bytes -= logs.release(id) + CHANNEL_OVERHEAD_BYTES;
        }
        self.gone.note(gone, logs);
    }

    #[expect(clippy::inline_always, reason = "every message that is kept mostly displaces one")]
    #[inline(always)]
    fn take_first(&mut self, id: LogId, log: &mut Log) -> Gone {
        let kept = log.ring.pop().expect("the log has a message");
        self.messages -= 1;
        self.bytes -= kept.byte_len() + MESSAGE_OVERHEAD_BYTES;
        self.order.remove(kept.position);
        Gone { log: id, position: kept.position, sequence: log.first_kept() - 1 }
    }

    /// A log that has messages is looked at when the oldest is to be forgotten.
    fn arm_anew(&mut self, id: LogId, logs: &mut Logs, bounds: Option<&HistoryBounds>) {
        match logs[id].deadline(bounds) {
            Some(deadline) => self.arm(id, logs, deadline),
            None => self.disarm(id, logs),
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
