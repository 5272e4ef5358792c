//! Messages that arrive: whom they go to, and what the broker is told of them.

use crate::acknowledgement::{Arrival, Token};
use crate::command::Command;
use crate::message::Message;
use crate::options::Version;
use crate::qos::Qos;
use crate::registry::Registry;
use crate::subscription::Acknowledge;
use crate::wire::{Answer, Arrived, write_answer};
use bytes::BytesMut;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use tokio::sync::mpsc::WeakUnboundedSender;

pub(super) struct Receiving {
    version: Version,
    commands: WeakUnboundedSender<Command>,
    /// Messages of QoS 2 that have arrived and may arrive again, by identifier.
    received: HashMap<u16, Received>,
    /// Messages of QoS 2 that are done with, as long as the broker may not know that.
    completed: HashMap<u16, Completed>,
    /// Answers given so far.
    answers: u64,
    contents: RandomState,
    /// Messages that came with a session of an earlier process before this one has subscribed, as long as
    /// it may still do so.
    unclaimed: Option<Vec<Arrived>>,
    claimable: bool,
    connection: u64,
    session: u64,
}

/// More are not kept: a broker that sends so many without an acknowledgement sends the rest again.
const UNCLAIMED_MAX: usize = 1024;

struct Received {
    /// Those who got it are done with it.
    done: bool,
    /// The connection it came on last.
    connection: u64,
    /// What it says, in short.
    content: u64,
    /// How many answers were given before the one to this.
    answered: u64,
}

/// Mosquitto 2.0 sends a message again as if it had never heard that it arrived, when the connection breaks
/// after that, and the next one before it was used. Such a message is told by its identifier and content.
struct Completed {
    content: u64,
    /// How many answers were given before the last one to this.
    answered: u64,
}

impl Receiving {
    pub(super) fn new(version: Version, commands: WeakUnboundedSender<Command>) -> Self {
        Self {
            version,
            commands,
            received: HashMap::new(),
            completed: HashMap::new(),
            answers: 0,
            contents: RandomState::new(),
            unclaimed: None,
            claimable: true,
            connection: 0,
            session: 0,
        }
    }

    /// There is a new connection.
    pub(super) fn connected(&mut self, kept: bool) {
        // What came on an earlier one, and was not claimed, the broker sends again.
        self.unclaimed = (kept && self.claimable).then(Vec::new);
        self.connection += 1;
        if !kept {
            self.session += 1;
            self.received.clear();
            self.completed.clear();
        }
    }

    /// A message arrives, and goes to those whom it is for, unless it has before.
    pub(super) fn message(
        &mut self,
        arrived: Arrived,
        registry: &mut Registry,
        out: &mut BytesMut,
    ) {
        let (id, qos) = (arrived.id, arrived.message.qos);
        if let Some(unclaimed) = &mut self.unclaimed
            && qos > Qos::AtMostOnce
            && !registry.has_member_for(&arrived.message.topic)
        {
            if unclaimed.len() < UNCLAIMED_MAX {
                unclaimed.push(arrived);
            }
            return;
        }
        if qos == Qos::ExactlyOnce && self.has_come_before(id, &arrived.message, out) {
            return;
        }
        let arrival = Arrival {
            id,
            exactly_once: qos == Qos::ExactlyOnce,
            connection: self.connection,
            session: self.session,
        };
        if self.deliver(arrived, arrival, registry) && qos > Qos::AtMostOnce {
            self.done(arrival, true, out);
        }
    }

    /// Somebody has subscribed, or may no longer: what is claimed goes to them, or nobody gets it.
    pub(super) fn claim(&mut self, last: bool, registry: &mut Registry, out: &mut BytesMut) {
        self.claimable &= !last;
        let Some(unclaimed) = self.unclaimed.take() else { return };
        if !last {
            self.unclaimed = Some(Vec::new());
        } else if !unclaimed.is_empty() {
            let count = unclaimed.len();
            tracing::warn!(target: "workyard_adapter", service = "mqtt", count, "messages are unclaimed");
        }
        for arrived in unclaimed {
            self.message(arrived, registry, out);
        }
    }

    /// Whether somebody may still subscribe to what an earlier process left.
    pub(super) fn is_claimable(&self) -> bool {
        self.claimable
    }

    /// All those who got a message are done with it.
    pub(super) fn done(&mut self, arrival: Arrival, connected: bool, out: &mut BytesMut) {
        let Arrival { id, exactly_once, connection, session } = arrival;
        if !exactly_once {
            // After another connection the broker has sent it again.
            if connected && connection == self.connection {
                write_answer(self.version, Answer::Acknowledged, id, out);
            }
            return;
        }
        if session != self.session {
            return;
        }
        let Some(received) = self.received.get_mut(&id) else { return };
        received.done = true;
        if connected && received.connection == self.connection {
            self.answer_received(id, out);
        }
    }

    /// The broker will not send a message of QoS 2 again. It is told the same of one that nobody knows:
    /// an earlier process may have.
    pub(super) fn released(&mut self, id: u16, out: &mut BytesMut) {
        if let Some(Received { content, answered, .. }) = self.received.remove(&id) {
            // It has read the answer to this one, and thereby those before.
            self.completed.retain(|_, completed| completed.answered > answered);
            self.completed.insert(id, Completed { content, answered: self.answers });
            self.answers += 1;
        }
        write_answer(self.version, Answer::Completed, id, out);
    }

    /// Whether a message of QoS 2 was here already. It is remembered if not, and answered if so.
    fn has_come_before(&mut self, id: u16, message: &Message, out: &mut BytesMut) -> bool {
        let (connection, answered) = (self.connection, self.answers);
        if let Some(received) = self.received.get_mut(&id) {
            received.connection = connection;
            if received.done {
                self.answer_received(id, out);
            }
            return true;
        }
        let content = self.contents.hash_one((&message.topic, &message.payload));
        let completed = self.completed.remove(&id);
        let done = message.duplicate && completed.is_some_and(|it| it.content == content);
        self.received.insert(id, Received { done, connection, content, answered });
        if done {
            self.answer_received(id, out);
        }
        done
    }

    fn answer_received(&mut self, id: u16, out: &mut BytesMut) {
        if let Some(received) = self.received.get_mut(&id) {
            received.answered = self.answers;
        }
        self.answers += 1;
        write_answer(self.version, Answer::Received, id, out);
    }

    /// Puts a message where it belongs: whether nobody else has to be done with it.
    fn deliver(&self, arrived: Arrived, arrival: Arrival, registry: &mut Registry) -> bool {
        let Arrived { message, numbers, .. } = arrived;
        let members = registry.members_for(&message, &numbers);
        let waits = |acknowledge| acknowledge != Acknowledge::OnArrival;
        let holders = match message.qos {
            Qos::AtMostOnce => 0,
            _ => members.iter().filter(|member| waits(member.acknowledge)).count(),
        };
        let mut tokens = Token::shares(holders, arrival, &self.commands).into_iter();
        let Some((last, others)) = members.split_last() else { return true };
        for member in others {
            let mut copy = message.clone();
            copy.token = if waits(member.acknowledge) { tokens.next() } else { None };
            member.buffer.put(copy);
        }
        let mut message = message;
        message.token = if waits(last.acknowledge) { tokens.next() } else { None };
        last.buffer.put(message);
        holders == 0
    }
}
