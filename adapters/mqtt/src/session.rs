//! What client and broker have agreed on, and what is under way between them: no socket, no clock.
//!
//! Packets to be sent are appended to [`Session::out`]. The session outlives connections: whatever is not
//! acknowledged is sent again on the next one, after the subscriptions are restored.

mod identifiers;
mod receiving;
mod sending;

use crate::acknowledgement::Arrival;
use crate::command::{Command, Outgoing, Reply};
use crate::options::{Options, Version};
use crate::registry::{Member, Registry};
use crate::wire::{Answer, Incoming, Welcome, write_answer, write_subscribe, write_unsubscribe};
use bytes::BytesMut;
use identifiers::Identifiers;
use receiving::Receiving;
use sending::Sending;
pub(crate) use sending::too_large;
use std::collections::{BTreeSet, HashMap};
use tokio::sync::mpsc::WeakUnboundedSender;
use workyard_adapter_kit::{Error, ErrorKind};

/// Nothing is added to so many bytes that wait for the socket, but answers.
pub(crate) const OUT_BYTES_MAX: usize = 64 * 1024;

pub(crate) struct Session {
    version: Version,
    resubscribe: bool,
    keeps_session: bool,
    packet_bytes_max: usize,
    /// Bytes for the socket.
    pub(crate) out: BytesMut,
    registry: Registry,
    sending: Sending,
    receiving: Receiving,
    identifiers: Identifiers,
    /// Of the packets that asked for a subscription and have no answer yet.
    asking: BTreeSet<u16>,
    /// Subscriptions that are being ended, by the identifier of the packet.
    ending: HashMap<u16, (String, Option<Reply>)>,
    /// Filters that a broker that keeps the session still knows, and is to forget.
    stale: BTreeSet<String>,
    connected: bool,
    /// What the broker knew is not restored yet.
    restoring: bool,
    greeted: bool,
    /// Whether the broker says which subscription a message is for.
    numbers: bool,
}

impl Session {
    pub(crate) fn new(options: &Options, commands: WeakUnboundedSender<Command>) -> Self {
        let Options { version, resubscribe, packet_bytes_max, .. } = *options;
        Self {
            version,
            resubscribe,
            keeps_session: !options.clean_session,
            packet_bytes_max,
            out: BytesMut::new(),
            registry: Registry::new(options.overlapping_copies),
            sending: Sending::new(options),
            receiving: Receiving::new(version, commands),
            identifiers: Identifiers::default(),
            asking: BTreeSet::new(),
            ending: HashMap::new(),
            stale: BTreeSet::new(),
            connected: false,
            restoring: false,
            greeted: false,
            numbers: false,
        }
    }

    /// There is a new connection, and this is how it begins.
    pub(crate) fn connected(&mut self, welcome: &Welcome) {
        self.out.clear();
        let kept = welcome.session_present;
        if !kept && self.greeted && !self.resubscribe {
            let message = "the broker has not kept the session, and resubscribe is off";
            self.registry.end_granted(&Error::new(ErrorKind::Disconnected, message));
        }
        self.greeted = true;
        self.connected = true;
        self.restoring = true;
        self.numbers = welcome.numbers;
        for id in std::mem::take(&mut self.asking) {
            self.identifiers.free(id);
        }
        self.registry.connected(kept);
        self.sending.connected(welcome, &mut self.identifiers);
        self.receiving.connected(kept);
        self.end_again(kept);
    }

    /// What the last connection did not end, or was ended without one, is ended at a broker that knows it.
    fn end_again(&mut self, kept: bool) {
        for id in self.ending.keys() {
            self.identifiers.free(*id);
        }
        let unconfirmed = std::mem::take(&mut self.ending).into_values();
        let stale = std::mem::take(&mut self.stale).into_iter().map(|filter| (filter, None));
        for (filter, reply) in unconfirmed.chain(stale) {
            if kept && !self.registry.has(&filter) {
                self.end_subscription(filter, reply);
            } else {
                reply.map(|reply| reply.send(Ok(())));
            }
        }
    }

    /// There is no connection any more.
    pub(crate) fn disconnected(&mut self) {
        self.connected = false;
        self.out.clear();
        self.sending.disconnected(&mut self.identifiers);
    }

    /// The broker does not want this client: nobody has to wait for it to change its mind.
    pub(crate) fn refused(&mut self, error: &Error) {
        let error = error.clone().not_carried_out();
        self.sending.refuse(&error);
        self.registry.refuse(&error);
    }

    /// Nothing is done any more.
    pub(crate) fn close(&mut self) {
        self.sending.close();
        self.registry.close();
    }

    /// Does what a handle asks for.
    pub(crate) fn publish(&mut self, outgoing: Outgoing) {
        self.sending.add(outgoing);
    }

    pub(crate) fn subscribe(&mut self, filter: String, member: Member) {
        self.stale.remove(&filter);
        self.registry.add(filter, member);
        self.receiving.claim(false, &mut self.registry, &mut self.out);
    }

    /// Messages that came with a session of an earlier process have waited long enough for somebody to
    /// subscribe.
    pub(crate) fn end_claims(&mut self) {
        self.receiving.claim(true, &mut self.registry, &mut self.out);
    }

    /// Whether they still may.
    pub(crate) fn is_claimable(&self) -> bool {
        self.receiving.is_claimable()
    }

    pub(crate) fn unsubscribe(&mut self, filter: String, member: u64, reply: Option<Reply>) {
        let Some(was_asked) = self.registry.remove(&filter, member) else {
            // Others go on with it, or it never was.
            return drop(reply.map(|reply| reply.send(Ok(()))));
        };
        if self.connected {
            return self.end_subscription(filter, reply);
        }
        if was_asked && self.keeps_session {
            self.stale.insert(filter);
        }
        reply.map(|reply| reply.send(Ok(())));
    }

    pub(crate) fn acknowledge(&mut self, arrival: Arrival) {
        self.receiving.done(arrival, self.connected, &mut self.out);
    }

    /// Reads one packet of the broker.
    pub(crate) fn read(&self, packet: BytesMut) -> Result<Incoming, Error> {
        crate::wire::read(self.version, packet)
    }

    /// Does what the broker says.
    pub(crate) fn receive(&mut self, incoming: Incoming) -> Result<(), Error> {
        match incoming {
            Incoming::Message(arrived) => {
                self.receiving.message(arrived, &mut self.registry, &mut self.out);
            }
            Incoming::Acknowledged { id, outcome } => {
                self.sending.acknowledged(id, outcome, &mut self.identifiers);
            }
            Incoming::Received { id, outcome } => {
                if self.sending.received(id, outcome, &mut self.identifiers) {
                    write_answer(self.version, Answer::Release, id, &mut self.out);
                }
            }
            Incoming::Released { id } => self.receiving.released(id, &mut self.out),
            Incoming::Completed { id } => self.sending.completed(id, &mut self.identifiers),
            Incoming::Subscribed { id, outcome } => {
                if self.asking.remove(&id) {
                    self.registry.answered(id, outcome);
                    self.identifiers.free(id);
                }
            }
            Incoming::Unsubscribed { id, outcome } => {
                if let Some((_, reply)) = self.ending.remove(&id) {
                    self.identifiers.free(id);
                    reply.map(|reply| reply.send(outcome));
                }
            }
            Incoming::Pong => {}
            Incoming::Farewell(error) => return Err(error),
            Incoming::Welcome(_) => {
                return Err(Error::new(ErrorKind::Protocol, "a second welcome of the broker"));
            }
        }
        Ok(())
    }

    /// A message that is above the limit has been skipped.
    pub(crate) fn skipped(&mut self, qos: u8, topic: &str, id: u16, bytes: usize) {
        let message = format!(
            "a message on {topic:?} was skipped: {bytes} bytes are above the {} of packet_bytes_max",
            self.packet_bytes_max
        );
        let error = Error::new(ErrorKind::TooLarge, message);
        tracing::warn!(target: "workyard_adapter", service = "mqtt", %error, "skipped");
        self.registry.trouble(topic, &error);
        match qos {
            1 => write_answer(self.version, Answer::Acknowledged, id, &mut self.out),
            2 => write_answer(self.version, Answer::Received, id, &mut self.out),
            _ => {}
        }
    }

    /// Appends what may be sent now: subscriptions, then what the last connection left, then what is new.
    /// Whether everything is restored has to be asked after it.
    pub(crate) fn pump(&mut self) {
        if !self.connected {
            return;
        }
        while self.out.len() < OUT_BYTES_MAX && self.registry.has_unknown() {
            let Some(id) = self.identifiers.take() else { break };
            let Some(wanted) = self.registry.ask(id) else {
                self.identifiers.free(id);
                break;
            };
            self.asking.insert(id);
            let result = write_subscribe(self.version, id, wanted, self.numbers, &mut self.out);
            if let Err(error) = result {
                self.registry.answered(id, Err(error));
                self.asking.remove(&id);
                self.identifiers.free(id);
            }
        }
        if self.restoring && self.registry.is_restored() {
            self.restoring = false;
        }
        if !self.restoring {
            self.sending.pump(&mut self.identifiers, &mut self.out);
        }
    }

    /// Whether the subscriptions are there again.
    pub(crate) fn is_restored(&self) -> bool {
        self.connected && !self.restoring
    }

    /// All that was appended so far has been sent.
    pub(crate) fn flushed(&mut self) {
        self.sending.flushed();
    }

    fn end_subscription(&mut self, filter: String, reply: Option<Reply>) {
        let Some(id) = self.identifiers.take() else {
            reply.map(|reply| reply.send(Err(none_left())));
            return;
        };
        if let Err(error) = write_unsubscribe(self.version, id, filter.clone(), &mut self.out) {
            self.identifiers.free(id);
            reply.map(|reply| reply.send(Err(error)));
            return;
        }
        self.ending.insert(id, (filter, reply));
    }
}

fn none_left() -> Error {
    Error::new(ErrorKind::Busy, "all 65535 identifiers of packets are in use")
}

#[cfg(test)]
mod tests;
