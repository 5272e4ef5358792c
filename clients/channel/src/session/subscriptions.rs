//! Which subscriptions there are, and who receives a message.

use super::missed::Gaps;
use super::topics::{Local, Sharers, Topics};
use super::{Done, LocalId, ToSubscribe};
use crate::message::Message;
use crate::wanted::Wanted;
use bytes::Bytes;
use std::collections::HashMap;
use std::ops::RangeInclusive;
use workyard_link::Error;
use workyard_planted::planted;
use workyard_protocol::Refusal;
use workyard_protocol::channel::{Delivery, WhenSlow};

#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    plain: Topics,
    groups: HashMap<Bytes, Topics>,
    by_id: HashMap<LocalId, Wanted>,
    /// What was dropped for want of room since it was last asked for, by channel.
    gaps: Gaps,
    /// Those that found no room and shall lose nothing.
    too_slow: Vec<LocalId>,
}

/// What the server is to be told when a subscription is gone.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Removed {
    /// Nothing.
    Unchanged,
    /// What those who are left say of being slow.
    Weaker(Wanted),
    /// That nobody is left; and whether they had said anything of being slow.
    Last(Wanted, bool),
}

impl Subscriptions {
    /// Adds a subscription. Returns what the server has to be asked for, if it was not yet, or not with
    /// this much care.
    pub(super) fn add(&mut self, what: ToSubscribe, done: Done) -> Option<Wanted> {
        let (id, wanted) = (what.id, what.wanted.clone());
        self.by_id.insert(id, wanted.clone());
        let topics = match &wanted.group {
            None => &mut self.plain,
            Some(group) => self.groups.entry(group.clone()).or_default(),
        };
        let sharers = topics.or_new(&wanted);
        let is_new = sharers.locals.is_empty() || what.when_slow > sharers.when_slow;
        sharers.locals.push(Local::new(what));
        match sharers.confirmed && !is_new {
            true => drop(done.send(Ok(()))),
            false => sharers.waiting.push((id, done)),
        }
        is_new.then_some(wanted)
    }

    /// The channel or pattern of a subscription.
    pub(super) fn name(&self, id: LocalId) -> Option<Bytes> {
        self.by_id.get(&id).map(|wanted| wanted.name.clone())
    }

    /// Removes a subscription, if it is there.
    pub(super) fn remove(&mut self, id: LocalId) -> Option<Removed> {
        let wanted = self.by_id.remove(&id)?;
        let sharers = self.topics(&wanted)?.of(&wanted)?;
        sharers.locals.retain(|local| local.id != id);
        sharers.waiting.retain(|(waiting, _)| *waiting != id);
        if sharers.locals.is_empty() {
            let had_policy = sharers.when_slow != WhenSlow::DropNewest;
            self.forget(&wanted);
            return Some(Removed::Last(wanted, had_policy));
        }
        match sharers.strongest() < sharers.when_slow && !planted!("policy-outlives-its-owner") {
            true => Some(Removed::Weaker(wanted)),
            false => Some(Removed::Unchanged),
        }
    }

    /// What the server is to do while this client is slow: what all subscriptions to this can live with.
    pub(super) fn when_slow(&mut self, wanted: &Wanted) -> WhenSlow {
        let sharers = self.topics(wanted).and_then(|topics| topics.of(wanted));
        sharers.map_or(WhenSlow::DropNewest, |sharers| sharers.strongest())
    }

    /// Takes those that are over because they were too slow.
    pub(super) fn take_too_slow(&mut self) -> Vec<LocalId> {
        std::mem::take(&mut self.too_slow)
    }

    /// The server has ended the connection because this client was too slow. Returns those that are over.
    pub(super) fn disconnected(&mut self) -> Vec<LocalId> {
        let all = std::iter::once(&mut self.plain).chain(self.groups.values_mut());
        // Those who wait to be subscribed, the last ones, have not begun and lose nothing.
        let begun = |sharers: &Sharers| sharers.locals.len() - sharers.waiting.len();
        let locals =
            all.flat_map(Topics::all).flat_map(|sharers| sharers.locals[..begun(sharers)].iter());
        let over = locals.filter(|local| local.when_slow == WhenSlow::Disconnect);
        let mut over: Vec<_> = over.map(Local::end_slow).collect();
        over.sort_unstable();
        over
    }

    /// Everything that the server has to be asked for, always in the same order.
    pub(super) fn wanted(&self) -> Vec<Wanted> {
        let groups = self.groups.iter().map(|(group, topics)| (Some(group), topics));
        let mut all: Vec<_> = std::iter::once((None, &self.plain))
            .chain(groups)
            .flat_map(|(group, topics)| {
                topics.interests().map(move |(kind, name)| Wanted {
                    kind,
                    name: name.clone(),
                    group: group.cloned(),
                })
            })
            .collect();
        all.sort_unstable();
        all
    }

    /// The server is being asked, by this request.
    pub(super) fn asked(&mut self, token: u64, all: &[Wanted]) {
        for wanted in all {
            if let Some(sharers) = self.topics(wanted).and_then(|topics| topics.of(wanted)) {
                (sharers.asked, sharers.confirmed) = (token, false);
                sharers.when_slow = sharers.strongest();
            }
        }
    }

    /// Of these, the ones that no later request has asked for, or given up, since.
    pub(super) fn only_asked(&mut self, token: u64, mut all: Vec<Wanted>) -> Vec<Wanted> {
        all.retain(|wanted| {
            let sharers = self.topics(wanted).and_then(|topics| topics.of(wanted));
            sharers.is_some_and(|sharers| sharers.asked == token)
        });
        all
    }

    /// The server has subscribed this client to all of these.
    pub(super) fn confirmed(&mut self, token: u64, all: &[Wanted]) {
        for wanted in all {
            let sharers = self.topics(wanted).and_then(|topics| topics.of(wanted));
            if let Some(sharers) = sharers.filter(|sharers| sharers.asked == token) {
                sharers.confirmed = true;
                for (_, done) in sharers.waiting.drain(..) {
                    let _ = done.send(Ok(()));
                }
            }
        }
    }

    /// The server will not. Returns whether that ends subscriptions which were there before.
    pub(super) fn refused(&mut self, token: u64, wanted: &Wanted, refusal: &Refusal) -> bool {
        let sharers = self.topics(wanted).and_then(|topics| topics.of(wanted));
        if sharers.is_none_or(|sharers| sharers.asked != token) {
            return false;
        }
        let Some(mut sharers) = self.forget(wanted) else { return false };
        for local in &sharers.locals {
            self.by_id.remove(&local.id);
        }
        let waiting = std::mem::take(&mut sharers.waiting);
        let established = sharers.locals.len() > waiting.len();
        for (_, done) in waiting {
            let _ = done.send(Err(Error::Refused(refusal.clone())));
        }
        established
    }

    /// Whether somebody wants it.
    pub(super) fn want(&mut self, wanted: &Wanted) -> bool {
        self.topics(wanted).is_some_and(|topics| topics.of(wanted).is_some())
    }

    /// Hands a message out. Returns whether anybody was there for it.
    pub(super) fn deliver(&mut self, delivery: Delivery<'_>, message: &Message) -> bool {
        let (mut lost, mut taken) = (Vec::new(), false);
        let mut offer = |local: &mut Local| {
            taken = true;
            if local.offer(message, &mut lost) {
                self.too_slow.push(local.end_slow());
            }
        };
        match delivery {
            Delivery::Everybody => self.plain.matching(&message.channel).for_each(offer),
            Delivery::One => self.plain.one_matching(message).into_iter().for_each(offer),
            Delivery::Group(group) => {
                let topics = self.groups.get_mut(group.as_bytes());
                let local = topics.and_then(|topics| topics.one_matching(message));
                local.into_iter().for_each(&mut offer);
            }
        }
        for (channel, number) in lost {
            self.gaps.add(&channel, number, 1);
        }
        taken
    }

    /// The server dropped messages, of one channel or of some that it does not know any more.
    pub(super) fn missed(&mut self, channel: Option<&Bytes>, from: u64, to: u64, count: u64) {
        let tell = |local: &mut Local| local.missed.add(channel, from, to, count);
        for topics in std::iter::once(&mut self.plain).chain(self.groups.values_mut()) {
            match channel {
                Some(channel) => topics.matching(channel).for_each(tell),
                None => {
                    let locals = topics.all().flat_map(|sharers| &mut sharers.locals);
                    locals.for_each(tell);
                }
            }
        }
    }

    /// The connection was lost. What still waits to be subscribed has not begun, and misses nothing.
    pub(super) fn interrupted(&mut self) {
        for topics in std::iter::once(&mut self.plain).chain(self.groups.values_mut()) {
            for Sharers { locals, waiting, .. } in topics.all() {
                // Whether the server has confirmed them on this connection makes no difference. Those
                // who wait are always the last.
                let begun = locals.len() - waiting.len();
                locals[..begun].iter_mut().for_each(|local| local.interrupted = true);
            }
        }
    }

    /// The channels of which something was dropped here, with the numbers and how many.
    pub(super) fn take_gaps(
        &mut self,
    ) -> impl Iterator<Item = (Bytes, Option<RangeInclusive<u64>>, u64)> {
        self.gaps.take()
    }

    fn topics(&mut self, wanted: &Wanted) -> Option<&mut Topics> {
        match &wanted.group {
            None => Some(&mut self.plain),
            Some(group) => self.groups.get_mut(group),
        }
    }

    fn forget(&mut self, wanted: &Wanted) -> Option<Sharers> {
        let topics = self.topics(wanted)?;
        let sharers = topics.remove(wanted);
        if let Some(group) = &wanted.group
            && topics.is_empty()
        {
            self.groups.remove(group);
        }
        sharers
    }
}
