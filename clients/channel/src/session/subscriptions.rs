//! Which subscriptions there are, and who receives a message.

use super::missed::Missed;
use super::topics::{Local, Sharers, Topics};
use super::{Done, LocalId};
use crate::message::Message;
use crate::wanted::Wanted;
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::sync::Arc;
use workyard_link::Error;
use workyard_link::Mailbox;
use workyard_protocol::Refusal;
use workyard_protocol::channel::Delivery;

#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    plain: Topics,
    groups: HashMap<Bytes, Topics>,
    by_id: HashMap<LocalId, Wanted>,
    /// What was dropped for want of room since it was last asked for, by channel.
    gaps: BTreeMap<Bytes, Missed>,
}

impl Subscriptions {
    /// Adds a subscription. Returns what the server has to be asked for, if it was not yet.
    pub(super) fn add(
        &mut self,
        id: LocalId,
        wanted: Wanted,
        mailbox: Arc<Mailbox<Message>>,
        done: Done,
    ) -> Option<Wanted> {
        self.by_id.insert(id, wanted.clone());
        let topics = match &wanted.group {
            None => &mut self.plain,
            Some(group) => self.groups.entry(group.clone()).or_default(),
        };
        let sharers = topics.or_new(&wanted);
        let is_first = sharers.locals.is_empty();
        sharers.locals.push(Local::new(id, mailbox));
        match sharers.confirmed {
            true => drop(done.send(Ok(()))),
            false => sharers.waiting.push((id, done)),
        }
        is_first.then_some(wanted)
    }

    /// Removes a subscription. Returns what the server need no longer send, if it was the last one.
    pub(super) fn remove(&mut self, id: LocalId) -> Option<Wanted> {
        let wanted = self.by_id.remove(&id)?;
        let sharers = self.topics(&wanted)?.of(&wanted)?;
        sharers.locals.retain(|local| local.id != id);
        sharers.waiting.retain(|(waiting, _)| *waiting != id);
        if !sharers.locals.is_empty() {
            return None;
        }
        self.forget(&wanted);
        Some(wanted)
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
        let (mut lost, mut taken) = (0, false);
        match delivery {
            Delivery::Everybody => {
                for local in self.plain.matching(&message.channel) {
                    taken = true;
                    lost += u64::from(local.offer(message));
                }
            }
            Delivery::One => {
                let local = self.plain.one_matching(message);
                taken = local.is_some();
                lost += local.map_or(0, |local| u64::from(local.offer(message)));
            }
            Delivery::Group(group) => {
                let topics = self.groups.get_mut(group.as_bytes());
                let local = topics.and_then(|topics| topics.one_matching(message));
                taken = local.is_some();
                lost += local.map_or(0, |local| u64::from(local.offer(message)));
            }
        }
        if lost > 0 {
            let number = message.sequence;
            let gap = self.gaps.entry(message.channel.clone()).or_default();
            gap.add(Some(&message.channel), number, number, lost);
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
        std::mem::take(&mut self.gaps).into_iter().map(|(channel, gap)| {
            let numbers = gap.numbers(&channel);
            (channel, numbers, gap.count())
        })
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
