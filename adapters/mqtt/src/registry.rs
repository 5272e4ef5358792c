//! Which subscriptions there are, what the broker knows of them, and which one a message is for.

use crate::buffer::Buffer;
use crate::command::Reply;
use crate::message::Message;
use crate::overlap::Overlap;
use crate::qos::Qos;
use crate::subscription::Acknowledge;
use crate::topic::matches;
use std::collections::HashMap;
use std::sync::Arc;
use workyard_adapter_kit::{Error, ErrorKind};

/// One subscriber of a filter.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) number: u64,
    pub(crate) qos: Qos,
    pub(crate) acknowledge: Acknowledge,
    pub(crate) buffer: Arc<Buffer>,
    /// Until the broker has granted it.
    pub(crate) reply: Option<Reply>,
}

impl Member {
    fn granted(&mut self) {
        if let Some(reply) = self.reply.take() {
            let _ = reply.send(Ok(()));
        }
    }

    fn ended(self, error: Error) {
        match self.reply {
            Some(reply) => drop(reply.send(Err(error))),
            None => self.buffer.end(Some(error)),
        }
    }
}

/// What the broker knows of a filter, on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// It has to be asked.
    Not,
    /// It was asked, in the packet with this identifier.
    Asked(u16),
    Granted,
}

/// A filter with its subscribers, one at least.
#[derive(Debug)]
struct Entry {
    filter: String,
    known: Known,
    /// The broker was asked for it in this session.
    asked: bool,
    /// It was there when the connection began, and was not granted on it yet.
    lacking: bool,
    members: Vec<Member>,
}

/// A filter to be subscribed to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// What the broker tells its messages by, with MQTT 5.
    pub(crate) number: usize,
    pub(crate) filter: String,
    pub(crate) qos: Qos,
}

#[derive(Debug, Default)]
pub(crate) struct Registry {
    /// By a number that no other filter ever gets.
    entries: HashMap<usize, Entry>,
    last_number: usize,
    overlap: Overlap,
}

impl Registry {
    pub(crate) fn new(copies: bool) -> Self {
        Self { overlap: Overlap::new(copies), ..Self::default() }
    }

    /// A further subscriber. The broker is asked again also for a filter that it knows: for the QoS, and
    /// for the messages that it kept.
    pub(crate) fn add(&mut self, filter: String, member: Member) {
        let known = self.entries.values_mut().find(|entry| entry.filter == filter);
        if let Some(entry) = known {
            entry.known = Known::Not;
            entry.members.push(member);
            return;
        }
        self.last_number += 1;
        let (known, members) = (Known::Not, vec![member]);
        let entry = Entry { filter, known, asked: false, lacking: false, members };
        self.entries.insert(self.last_number, entry);
    }

    /// A subscriber is gone. If it was the last one of its filter: whether the broker was ever asked for it.
    pub(crate) fn remove(&mut self, filter: &str, member: u64) -> Option<bool> {
        let (&number, entry) = self.entries.iter_mut().find(|(_, entry)| entry.filter == filter)?;
        entry.members.retain(|it| it.number != member);
        if !entry.members.is_empty() {
            return None;
        }
        self.entries.remove(&number).map(|entry| entry.asked)
    }

    /// Whether somebody subscribes to it.
    pub(crate) fn has(&self, filter: &str) -> bool {
        self.entries.values().any(|entry| entry.filter == filter)
    }

    /// The next filter that the broker is to be asked for, in the order of their numbers; it will be, in
    /// the packet with this identifier.
    pub(crate) fn ask(&mut self, id: u16) -> Option<Wanted> {
        let unknown = self.entries.iter_mut().filter(|(_, entry)| entry.known == Known::Not);
        let (&number, entry) = unknown.min_by_key(|(number, _)| **number)?;
        entry.known = Known::Asked(id);
        entry.asked = true;
        let qos = entry.members.iter().map(|member| member.qos).max()?;
        Some(Wanted { number, filter: entry.filter.clone(), qos })
    }

    pub(crate) fn has_unknown(&self) -> bool {
        self.entries.values().any(|entry| entry.known == Known::Not)
    }

    /// The broker has answered to the packet with this identifier.
    pub(crate) fn answered(&mut self, id: u16, answer: Result<Qos, Error>) {
        let asked = |entry: &Entry| entry.known == Known::Asked(id);
        let found = self.entries.iter_mut().find(|(_, entry)| asked(entry));
        // None where somebody came or went meanwhile: then another answer will come, or none counts.
        let Some((&number, entry)) = found else { return };
        match answer {
            Ok(_) => {
                entry.known = Known::Granted;
                entry.lacking = false;
                entry.members.iter_mut().for_each(Member::granted);
            }
            Err(error) => {
                let entry = self.entries.remove(&number);
                for member in entry.into_iter().flat_map(|entry| entry.members) {
                    member.ended(error.clone());
                }
            }
        }
    }

    /// Whether the broker has granted all that was there when the connection began.
    pub(crate) fn is_restored(&self) -> bool {
        self.entries.values().all(|entry| !entry.lacking)
    }

    /// There is a new connection. Of a session that was kept the broker knows what it granted.
    pub(crate) fn connected(&mut self, kept: bool) {
        self.overlap.clear();
        for entry in self.entries.values_mut() {
            if !(kept && entry.known == Known::Granted) {
                entry.known = Known::Not;
            }
            entry.asked &= kept;
            entry.lacking = entry.known == Known::Not;
        }
    }

    /// Ends the subscriptions that the broker had granted.
    pub(crate) fn end_granted(&mut self, error: &Error) {
        let granted = self.entries.extract_if(|_, entry| entry.known == Known::Granted);
        for member in granted.flat_map(|(_, entry)| entry.members) {
            member.ended(error.clone());
        }
    }

    /// Tells those who wait for their subscription that it will not be; the others go on.
    pub(crate) fn refuse(&mut self, error: &Error) {
        for entry in self.entries.values_mut() {
            for member in entry.members.extract_if(.., |member| member.reply.is_some()) {
                member.ended(error.clone());
            }
        }
        self.entries.retain(|_, entry| !entry.members.is_empty());
    }

    /// Ends all subscriptions.
    pub(crate) fn close(&mut self) {
        for member in self.entries.drain().flat_map(|(_, entry)| entry.members) {
            match member.reply {
                Some(reply) => {
                    drop(reply.send(Err(Error::new(ErrorKind::Closed, "the adapter is closed"))));
                }
                None => member.buffer.end(None),
            }
        }
    }

    /// Whether a message on this topic is for anybody.
    pub(crate) fn has_member_for(&self, topic: &str) -> bool {
        self.entries.values().any(|entry| matches(&entry.filter, topic))
    }

    /// Those whom a message is for, each once. `numbers` are the filters that the broker says it is for,
    /// where it does.
    pub(crate) fn members_for(&mut self, message: &Message, numbers: &[usize]) -> Vec<&Member> {
        let topic = &message.topic;
        let is_for = |entry: &Entry| matches(&entry.filter, topic);
        let named: Vec<usize> = numbers
            .iter()
            .copied()
            .filter(|number| self.entries.get(number).is_some_and(is_for))
            .collect();
        if !named.is_empty() {
            let entries = named.iter().filter_map(|number| self.entries.get(number));
            return entries.flat_map(|entry| &entry.members).collect();
        }
        let found: Vec<&Entry> = self.entries.values().filter(|entry| is_for(entry)).collect();
        if numbers.is_empty() && self.overlap.is_copy(message, found.len()) {
            return Vec::new();
        }
        found.into_iter().flat_map(|entry| &entry.members).collect()
    }

    /// The subscribers of filters that match a topic.
    pub(crate) fn trouble(&self, topic: &str, error: &Error) {
        for entry in self.entries.values().filter(|entry| matches(&entry.filter, topic)) {
            for member in &entry.members {
                member.buffer.trouble(error.clone());
            }
        }
    }
}
