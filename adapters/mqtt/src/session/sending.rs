//! Messages on their way to the broker: those that wait, and those that are not acknowledged yet.

use super::OUT_BYTES_MAX;
use super::identifiers::Identifiers;
use crate::command::{Outgoing, Reply};
use crate::options::{Options, Version};
use crate::qos::Qos;
use crate::wire::{Answer, Welcome, write_answer};
use bytes::BytesMut;
use std::collections::{BTreeSet, HashMap, VecDeque};
use workyard_adapter_kit::{Error, ErrorKind};

/// So many messages whose callers gave up are left in the queue before it is searched for them.
const GIVEN_UP_MAX: usize = 256;

pub(super) struct Sending {
    version: Version,
    packet_bytes_max: usize,
    inflight_max: u16,
    attempts_max: u32,
    /// What the broker allows, on this connection.
    limits: Limits,
    /// Not sent yet.
    queue: VecDeque<Outgoing>,
    /// How long the queue may become before it is searched for messages that nobody waits for.
    search_at: usize,
    /// Sent and not done with, of QoS 1 and 2, by identifier.
    flights: HashMap<u16, Flight>,
    /// In the order in which they were sent first.
    order: u64,
    /// Sent on an earlier connection, and not yet on this one.
    again: VecDeque<u16>,
    /// Identifiers of messages of QoS 2 that were given up. They are free once the broker, which may have
    /// the message, is done with it.
    retired: BTreeSet<u16>,
    /// Those of them that the broker has to be asked for on this connection.
    releases: VecDeque<u16>,
    /// Sent on this connection and not done with.
    under_way: usize,
    /// Sent with QoS 0, and maybe not gone yet.
    unflushed: Vec<Outgoing>,
}

#[derive(Clone, Copy)]
struct Limits {
    messages: usize,
    packet_bytes: usize,
    qos: Qos,
}

struct Flight {
    outgoing: Outgoing,
    order: u64,
    /// The broker has it (QoS 2), and has to be told that it will not come again.
    released: bool,
}

impl Sending {
    pub(super) fn new(options: &Options) -> Self {
        let Options { version, inflight_max, packet_bytes_max, .. } = *options;
        let limits = Limits { messages: 0, packet_bytes: packet_bytes_max, qos: Qos::ExactlyOnce };
        Self {
            version,
            packet_bytes_max,
            inflight_max,
            attempts_max: options.calls.retry.attempts_max,
            limits,
            queue: VecDeque::new(),
            search_at: GIVEN_UP_MAX,
            flights: HashMap::new(),
            order: 0,
            again: VecDeque::new(),
            retired: BTreeSet::new(),
            releases: VecDeque::new(),
            under_way: 0,
            unflushed: Vec::new(),
        }
    }

    /// Takes a message in.
    pub(super) fn add(&mut self, outgoing: Outgoing) {
        if self.queue.len() >= self.search_at {
            self.queue.retain(|outgoing| !outgoing.ticket.is_given_up());
            self.search_at = self.queue.len() * 2 + GIVEN_UP_MAX;
        }
        self.queue.push_back(outgoing);
    }

    /// There is a new connection. What is under way goes on where the broker has kept the session; where
    /// not, nobody knows of messages of QoS 2 whether they arrived, and those of QoS 1 are sent anew.
    pub(super) fn connected(&mut self, welcome: &Welcome, identifiers: &mut Identifiers) {
        self.limits = Limits {
            messages: self.inflight_max.min(welcome.receive_max).into(),
            packet_bytes: self.packet_bytes_max.min(welcome.packet_bytes_max),
            qos: welcome.qos_max,
        };
        self.under_way = 0;
        if welcome.session_present {
            self.go_on(identifiers);
        } else {
            self.begin_anew(identifiers);
        }
    }

    /// There is no connection any more: of what was written last nobody knows whether it went.
    pub(super) fn disconnected(&mut self, identifiers: &mut Identifiers) {
        for outgoing in self.unflushed.drain(..) {
            let message = "the connection was lost while the message was sent";
            reply(outgoing.reply, Err(Error::new(ErrorKind::Disconnected, message)));
        }
        // A broker reads in order: if one of them ends its connections, then it is the first one.
        let Some(id) = self.first_without_answer() else { return };
        let Some(flight) = self.flights.get_mut(&id) else { return };
        flight.outgoing.lost += 1;
        let lost = flight.outgoing.lost;
        if lost >= self.attempts_max {
            let message = format!(
                "the connection was lost {lost} times when the message was sent, and nobody knows whether \
                 it arrived"
            );
            let error = Error::new(ErrorKind::Disconnected, message).transient(false);
            self.give_up(id, error, identifiers);
        }
    }

    /// Nobody has to wait for what was not sent.
    pub(super) fn refuse(&mut self, error: &Error) {
        for outgoing in std::mem::take(&mut self.queue) {
            if outgoing.ticket.begin() {
                reply(outgoing.reply, Err(error.clone()));
            } else if !outgoing.ticket.is_given_up() {
                // It was sent in a session that is gone, and has to be sent again.
                self.queue.push_back(outgoing);
            }
        }
    }

    /// Nothing will be sent any more.
    pub(super) fn close(&mut self) {
        let closed = || Error::new(ErrorKind::Closed, "the adapter is closed");
        for outgoing in self.queue.drain(..) {
            let sent_before = !outgoing.ticket.begin() && !outgoing.ticket.is_given_up();
            let error = if sent_before { closed().outcome_open() } else { closed() };
            reply(outgoing.reply, Err(error));
        }
        for (_, flight) in self.flights.drain() {
            reply(flight.outgoing.reply, Err(closed().outcome_open()));
        }
    }

    /// How many wait to be sent, those included that nobody waits for any more.
    #[cfg(test)]
    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Appends what may be sent.
    pub(super) fn pump(&mut self, identifiers: &mut Identifiers, out: &mut BytesMut) {
        while out.len() < OUT_BYTES_MAX
            && let Some(id) = self.releases.pop_front()
        {
            write_answer(self.version, Answer::Release, id, out);
        }
        while out.len() < OUT_BYTES_MAX && self.under_way < self.limits.messages {
            let Some(id) = self.again.pop_front() else { break };
            self.send_again(id, out);
        }
        while out.len() < OUT_BYTES_MAX && self.again.is_empty() {
            let Some(next) = self.queue.front() else { break };
            let qos = next.publication.qos();
            if qos > Qos::AtMostOnce && self.under_way >= self.limits.messages {
                break;
            }
            let Some(outgoing) = self.queue.pop_front() else { break };
            let is_new = outgoing.ticket.begin();
            // One that was sent in a session that is gone is past its beginning.
            if is_new || !outgoing.ticket.is_given_up() {
                self.send(outgoing, is_new, identifiers, out);
            }
        }
    }

    /// The broker has a message of QoS 1, or does not want it.
    pub(super) fn acknowledged(
        &mut self,
        id: u16,
        outcome: Result<(), Error>,
        identifiers: &mut Identifiers,
    ) {
        if self.qos_of(id) == Some(Qos::AtLeastOnce) {
            self.end(id, outcome, identifiers);
        }
    }

    /// The broker has a message of QoS 2, or does not want it: whether it has to be told that the message
    /// will not come again.
    pub(super) fn received(
        &mut self,
        id: u16,
        outcome: Result<(), Error>,
        identifiers: &mut Identifiers,
    ) -> bool {
        let is_wanted = outcome.is_ok();
        if self.qos_of(id) != Some(Qos::ExactlyOnce) {
            // What it means was done with before, which it may not know.
            return is_wanted;
        }
        match self.flights.get_mut(&id) {
            Some(flight) if is_wanted => flight.released = true,
            _ => self.end(id, outcome, identifiers),
        }
        is_wanted
    }

    /// The broker is done with a message of QoS 2.
    pub(super) fn completed(&mut self, id: u16, identifiers: &mut Identifiers) {
        if self.flights.get(&id).is_some_and(|flight| flight.released) {
            self.end(id, Ok(()), identifiers);
        } else if self.retired.remove(&id) {
            identifiers.free(id);
        }
    }

    /// All that was appended has been sent.
    pub(super) fn flushed(&mut self) {
        for outgoing in self.unflushed.drain(..) {
            reply(outgoing.reply, Ok(()));
        }
    }

    /// The broker has kept the session: what somebody waits for is sent again.
    fn go_on(&mut self, identifiers: &mut Identifiers) {
        let is_left = |flight: &Flight| !flight.released && flight.outgoing.reply.is_closed();
        let flights = self.flights.iter().filter(|(_, flight)| is_left(flight));
        for id in flights.map(|(id, _)| *id).collect::<Vec<u16>>() {
            self.give_up(id, session_lost(), identifiers);
        }
        let mut ids: Vec<(u64, u16)> =
            self.flights.iter().map(|(id, flight)| (flight.order, *id)).collect();
        ids.sort_unstable();
        self.again = ids.into_iter().map(|(_, id)| id).collect();
        self.releases = self.retired.iter().copied().collect();
    }

    /// The broker has not kept the session.
    fn begin_anew(&mut self, identifiers: &mut Identifiers) {
        self.again.clear();
        self.releases.clear();
        for id in std::mem::take(&mut self.retired) {
            identifiers.free(id);
        }
        let mut flights: Vec<Flight> = Vec::with_capacity(self.flights.len());
        for (id, flight) in self.flights.drain() {
            identifiers.free(id);
            flights.push(flight);
        }
        flights.sort_unstable_by_key(|flight| flight.order);
        for Flight { outgoing, .. } in flights.into_iter().rev() {
            if outgoing.publication.qos() == Qos::ExactlyOnce {
                reply(outgoing.reply, Err(session_lost()));
            } else if !outgoing.reply.is_closed() {
                outgoing.publication.set_duplicate(false);
                self.queue.push_front(outgoing);
            }
        }
    }

    /// Of the messages that were written on this connection the one that the broker has to answer first.
    fn first_without_answer(&self) -> Option<u16> {
        let unwritten = self.again.iter().find_map(|id| self.flights.get(id));
        let unwritten = unwritten.map_or(u64::MAX, |flight| flight.order);
        let written = |flight: &Flight| !flight.released && flight.order < unwritten;
        let flights = self.flights.iter().filter(|(_, flight)| written(flight));
        flights.min_by_key(|(_, flight)| flight.order).map(|(id, _)| *id)
    }

    /// Sends a message no more that may have arrived.
    fn give_up(&mut self, id: u16, error: Error, identifiers: &mut Identifiers) {
        if self.qos_of(id) == Some(Qos::ExactlyOnce) {
            // The broker takes another message with it for a copy of this one, as long as it has that.
            if let Some(flight) = self.flights.remove(&id) {
                self.retired.insert(id);
                reply(flight.outgoing.reply, Err(error));
            }
        } else {
            self.end(id, Err(error), identifiers);
        }
    }

    fn send(
        &mut self,
        outgoing: Outgoing,
        is_new: bool,
        identifiers: &mut Identifiers,
        out: &mut BytesMut,
    ) {
        let qos = outgoing.publication.qos();
        // Of one that was sent in a session that is gone nobody knows whether it arrived.
        let failed = |error: Error| Err(if is_new { error } else { error.outcome_open() });
        if let Err(error) = self.check(&outgoing, qos) {
            return reply(outgoing.reply, failed(error));
        }
        if qos == Qos::AtMostOnce {
            return match outgoing.publication.write(out) {
                Ok(()) => self.unflushed.push(outgoing),
                Err(error) => reply(outgoing.reply, Err(error)),
            };
        }
        let Some(id) = identifiers.take() else {
            return reply(outgoing.reply, failed(super::none_left()));
        };
        outgoing.publication.set_id(id);
        if let Err(error) = outgoing.publication.write(out) {
            identifiers.free(id);
            return reply(outgoing.reply, failed(error));
        }
        self.order += 1;
        self.under_way += 1;
        let flight = Flight { outgoing, order: self.order, released: false };
        self.flights.insert(id, flight);
    }

    fn send_again(&mut self, id: u16, out: &mut BytesMut) {
        let Some(flight) = self.flights.get_mut(&id) else { return };
        self.under_way += 1;
        if flight.released {
            return write_answer(self.version, Answer::Release, id, out);
        }
        let publication = &flight.outgoing.publication;
        publication.set_duplicate(true);
        let written = publication.write(out);
        debug_assert!(written.is_ok(), "it could be written before");
    }

    fn check(&self, outgoing: &Outgoing, qos: Qos) -> Result<(), Error> {
        let Limits { packet_bytes, qos: qos_max, .. } = self.limits;
        // The identifier is not part of it yet.
        let bytes = outgoing.publication.size() + 2;
        if bytes > packet_bytes {
            return Err(too_large(bytes, packet_bytes));
        }
        if qos > qos_max {
            let message = format!("the broker takes QoS {qos_max} at most");
            return Err(Error::new(ErrorKind::InvalidRequest, message));
        }
        Ok(())
    }

    fn qos_of(&self, id: u16) -> Option<Qos> {
        self.flights.get(&id).map(|flight| flight.outgoing.publication.qos())
    }

    fn end(&mut self, id: u16, outcome: Result<(), Error>, identifiers: &mut Identifiers) {
        if let Some(flight) = self.flights.remove(&id) {
            identifiers.free(id);
            self.under_way = self.under_way.saturating_sub(1);
            reply(flight.outgoing.reply, outcome);
        }
    }
}

/// A message that cannot be sent for its size.
pub(crate) fn too_large(bytes: usize, bytes_max: usize) -> Error {
    let message = format!("a packet of {bytes} bytes is above the limit of {bytes_max}");
    Error::new(ErrorKind::TooLarge, message)
}

fn session_lost() -> Error {
    let message =
        "the broker has not kept the session, so nobody knows whether the message arrived";
    Error::new(ErrorKind::Disconnected, message).transient(false)
}

fn reply(reply: Reply, outcome: Result<(), Error>) {
    // The caller may have given up.
    let _ = reply.send(outcome);
}
