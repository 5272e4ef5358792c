//! The server: a real core behind real frames, driven by what the network brings.

use crate::delivery::Delivery;
use crate::findings::Findings;
use crate::monitor::Monitor;
use crate::network::{Event, Network, Next};
use crate::peer::Peer;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use workyard_engine::{Caller, Engine, Outbox, SessionId, Time};
use workyard_protocol::control::{Goodbye, VERSION, Welcome};
use workyard_protocol::frame::{FrameDecoder, Split};
use workyard_protocol::{DecodeError, Reason, Refusal, RequestId, ToClient, ToServer, Wire};

/// How often either side must be heard.
const HEARTBEAT_MS: u64 = 2000;
/// How often that is looked after.
const SWEEP_MS: u64 = HEARTBEAT_MS / 8;
/// How long a connection that is ending may take nothing.
const LINGER_MS: u64 = 1000;
/// Frames stay far below this.
const FRAME_BYTES_MAX: usize = 1024 * 1024;

/// Makes the core of a new server process, whose epoch is this.
pub(crate) type MakeEngine<E> = Box<dyn FnMut(u64) -> E>;

pub(crate) struct Server<E: Engine, M> {
    engine: E,
    make: MakeEngine<E>,
    pub(crate) delivery: Delivery<E, M>,
    network: Arc<Network>,
    sessions: BTreeMap<usize, SessionId>,
    /// What connections that are ending still have to be sent.
    closing: BTreeMap<usize, Vec<u8>>,
    generation: u32,
    /// Another number for every process.
    epoch: u64,
    is_up: bool,
    started_ms: u64,
    /// Nothing is done about deadlines before this: a busy process comes late.
    lag_until_ms: u64,
}

type Request<'a, E> = ToServer<'a, <<E as Engine>::Wire as Wire>::Request<'a>>;

impl<E: Engine, M: Monitor<E::Wire>> Server<E, M> {
    pub(crate) fn new(
        mut make: MakeEngine<E>,
        mut monitor: M,
        network: Arc<Network>,
        findings: Arc<Findings>,
        write_buffer_bytes_max: usize,
    ) -> Self {
        let epoch = 1;
        monitor.started(epoch);
        network.schedule(SWEEP_MS, Event::Sweep);
        Self {
            engine: make(epoch),
            make,
            delivery: Delivery::new(
                Arc::clone(&network),
                findings,
                monitor,
                write_buffer_bytes_max,
            ),
            network,
            sessions: BTreeMap::new(),
            closing: BTreeMap::new(),
            generation: 0,
            epoch,
            is_up: true,
            started_ms: 0,
            lag_until_ms: 0,
        }
    }

    /// Serves for ever.
    pub(crate) async fn run(&mut self) {
        loop {
            let wake_ms = match self.network.next() {
                Next::Now(event) => {
                    self.take(event);
                    self.take_more();
                    self.end_turn();
                    continue;
                }
                Next::At(at_ms) => at_ms,
            };
            if self.expire() {
                self.end_turn();
                continue;
            }
            let deadline = self.engine.next_deadline().filter(|_| self.is_up);
            // What is left for later of what is due goes on in the clock's next millisecond.
            let now_ms = self.network.now_ms();
            let deadline_ms = deadline.map_or(u64::MAX, |at| self.started_ms + at.as_millis());
            let wake_ms = wake_ms.min(deadline_ms.max(self.lag_until_ms).max(now_ms + 1));
            let wake_ms = wake_ms.min(now_ms + 60_000).next_multiple_of(self.delivery.turn_ms);
            tokio::select! {
                biased;
                () = self.network.changed() => {}
                () = tokio::time::sleep_until(self.network.instant(wake_ms)) => {}
            }
        }
    }

    /// What else is due belongs to the same turn, where turns have more than one part.
    fn take_more(&mut self) {
        while self.delivery.turn_ms > 1
            && let Next::Now(event) = self.network.next()
        {
            self.take(event);
        }
    }

    /// What the core holds.
    pub(crate) fn engine(&self) -> &E {
        &self.engine
    }

    /// How many sessions there are, and how many requests are open.
    pub(crate) fn open(&self) -> (usize, usize) {
        let unanswered = self.delivery.peers.values().map(Peer::unanswered).sum();
        (self.delivery.peers.len(), unanswered)
    }

    /// The time of this server process. The monitor learns of it.
    fn now(&mut self) -> Time {
        let now = Time::from_millis(self.network.now_ms() - self.started_ms);
        self.delivery.monitor.at(now);
        now
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Arrived(..) | Event::Lost(_) => self.network.happen_to_client(event),
            Event::Crash(down_ms) => self.crash(down_ms),
            Event::Start => self.start(),
            Event::Opened(at) if self.is_up => self.open_session(at),
            Event::Opened(at) => self.network.server_left(at),
            Event::Heard(at, bytes) => self.hear(at, &bytes),
            Event::Writable(at) => self.writable(at),
            Event::Ended(at) => self.close(at),
            Event::Sweep => self.sweep(),
            Event::Reads(at) => self.network.read_again(at),
            Event::Linger(at, left) => self.linger(at, left),
        }
    }

    fn crash(&mut self, down_ms: u64) {
        if !self.is_up {
            return;
        }
        self.network.lock().trace.note(self.network.now_ms(), "server dies", 0, &[]);
        self.is_up = false;
        self.network.lock().is_up = false;
        let sessions = std::mem::take(&mut self.sessions).into_keys();
        for at in sessions.chain(std::mem::take(&mut self.closing).into_keys()) {
            self.network.server_vanished(at);
        }
        self.delivery.forget_everything();
        self.delivery.monitor.crashed();
        self.network.schedule(self.network.now_ms() + down_ms, Event::Start);
    }

    fn start(&mut self) {
        self.network.lock().trace.note(self.network.now_ms(), "server starts", 0, &[]);
        self.is_up = true;
        self.network.lock().is_up = true;
        self.started_ms = self.network.now_ms();
        // As the daemon's: the time of the start in microseconds.
        self.epoch = 1 + self.started_ms * 1000;
        self.engine = (self.make)(self.epoch);
        self.delivery.monitor.started(self.epoch);
    }

    fn open_session(&mut self, at: usize) {
        let slot = (0..).find(|slot| !self.delivery.peers.contains_key(slot)).expect("few peers");
        self.generation += 1;
        let id = SessionId::new(slot, self.generation);
        self.delivery.peers.insert(slot, Peer::new(id, at, self.network.now_ms()));
        self.sessions.insert(at, id);
    }

    /// The session is gone for the core; the client learns of it behind all that was sent.
    fn close(&mut self, at: usize) {
        if self.closing.remove(&at).is_some() || self.forget(at).is_some() {
            self.network.server_left(at);
        }
    }

    /// The session is gone for the core. Returns what it had still to be sent.
    fn forget(&mut self, at: usize) -> Option<Vec<u8>> {
        let session = self.sessions.remove(&at)?;
        self.network.lock().trace.note(self.network.now_ms(), "server loses", at, &[]);
        let now = self.now();
        if let Some(peer) = self.delivery.peer(session) {
            peer.is_ending = true;
        }
        self.delivery.monitor.closed(session);
        self.engine.close(now, session, &mut self.delivery);
        let slot = u32::try_from(session.slot()).expect("slots are small");
        self.delivery.peers.remove(&slot).map(|peer| peer.output)
    }

    /// Ends a session that the core does not want any more. What was sent to it can still be read.
    fn dismiss(&mut self, session: SessionId, refusal: Refusal) {
        let Some(at) = self.delivery.peer(session).map(|peer| peer.connection) else { return };
        let mut output = self.forget(at).expect("whoever has a connection is listed");
        let goodbye: ToClient<'_, <E::Wire as Wire>::Reply<'_>, <E::Wire as Wire>::Push<'_>> =
            ToClient::Goodbye(Goodbye { refusal, reconnect_after_ms: None });
        goodbye.encode(&mut output);
        let left = output.len();
        self.closing.insert(at, output);
        self.network.schedule(self.network.now_ms() + LINGER_MS, Event::Linger(at, left));
        self.finish(at);
    }

    /// Sends to a connection that is ending what it takes.
    fn finish(&mut self, at: usize) {
        let Some(output) = self.closing.get_mut(&at) else { return };
        let count = self.network.room(at).min(output.len());
        self.network.send_to_client(at, &output[..count]);
        output.drain(..count);
        if output.is_empty() {
            self.close(at);
        }
    }

    /// A connection that is ending has had time to take something.
    fn linger(&mut self, at: usize, before: usize) {
        let Some(left) = self.closing.get(&at).map(Vec::len) else { return };
        match left < before {
            true => {
                let then_ms = self.network.now_ms() + LINGER_MS;
                self.network.schedule(then_ms, Event::Linger(at, left));
            }
            false => self.close(at),
        }
    }

    fn hear(&mut self, at: usize, bytes: &[u8]) {
        if !self.network.is_heard(at) {
            return;
        }
        let Some(session) = self.sessions.get(&at).copied() else {
            if self.closing.contains_key(&at) {
                return;
            }
            // Of a process before this one: there is no such connection any more.
            return self.network.server_left(at);
        };
        let now_ms = self.network.now_ms();
        let peer = self.delivery.peer(session).expect("whoever is listed is there");
        peer.input.extend_from_slice(bytes);
        (peer.last_heard_ms, peer.is_pinged) = (now_ms, false);
        self.hear_frames(session);
    }

    fn hear_frames(&mut self, session: SessionId) {
        let slot = u32::try_from(session.slot()).expect("slots are small");
        while !self.delivery.must_pause(slot) {
            let Some(peer) = self.delivery.peer(session) else { return };
            let input = std::mem::take(&mut peer.input);
            let (used, verdict) = match FrameDecoder::new(FRAME_BYTES_MAX).split(&input) {
                Ok(Split::Whole { body, used }) => (used, self.hear_frame(session, body)),
                Ok(Split::Partial { .. }) => {
                    self.delivery.peer(session).expect("it is still there").input = input;
                    return;
                }
                Err(refusal) => (input.len(), Err(refusal)),
            };
            if let Some(peer) = self.delivery.peer(session) {
                peer.input = input[used..].to_vec();
            }
            if let Err(refusal) = verdict {
                // A client of ours says nothing wrong.
                self.delivery.findings.report(format!("{session:?} was told {refusal}"));
                return;
            }
        }
    }

    fn hear_frame(&mut self, session: SessionId, body: &[u8]) -> Result<(), Refusal> {
        match ToServer::decode(body) {
            Ok(Request::<E>::Hello(_)) => self.greet(session),
            Ok(Request::<E>::Ping(token)) => self.delivery.send(session, &ToClient::Pong(token)),
            Ok(Request::<E>::Pong(_)) => {}
            Ok(Request::<E>::Request(id, request)) => self.handle(session, id, request),
            Err((id, DecodeError::Refused(refusal))) if !refusal.reason.ends_connection() => {
                let findings = Arc::clone(&self.delivery.findings);
                if let Some(peer) = self.delivery.peer(session) {
                    peer.ask(id, false, &findings);
                }
                self.delivery.refuse(Caller { session, request: id }, refusal);
            }
            Err((_, error)) => return Err(error.into_refusal()),
        }
        Ok(())
    }

    fn greet(&mut self, session: SessionId) {
        let welcome = Welcome {
            version: VERSION,
            features: 0,
            server: "sim/1",
            epoch: self.epoch,
            session: session.as_u64(),
            heartbeat_ms: u32::try_from(HEARTBEAT_MS).expect("it is short"),
            frame_bytes_max: u32::try_from(FRAME_BYTES_MAX).expect("it is small"),
        };
        self.delivery.send(session, &ToClient::Welcome(welcome));
        if let Some(peer) = self.delivery.peer(session) {
            peer.is_greeted = true;
        }
    }

    fn handle(
        &mut self,
        session: SessionId,
        id: RequestId,
        request: <E::Wire as Wire>::Request<'_>,
    ) {
        let now = self.now();
        let is_for_later = self.delivery.monitor.asked(session, id, &request);
        let findings = Arc::clone(&self.delivery.findings);
        if let Some(peer) = self.delivery.peer(session) {
            findings.check(peer.is_greeted, || format!("{session:?} did not say hello"));
            peer.ask(id, is_for_later, &findings);
        }
        let caller = Caller { session, request: id };
        self.engine.handle(now, caller, request.into(), &mut self.delivery);
        let (_, unanswered) = self.open();
        findings.check(unanswered == 0, || format!("{session:?}: request {id} was not answered"));
    }

    fn writable(&mut self, at: usize) {
        self.finish(at);
        let Some(session) = self.sessions.get(&at) else { return };
        let slot = u32::try_from(session.slot()).expect("slots are small");
        self.delivery.dirty.insert(slot);
        if self.delivery.turn_ms > 1 && !self.delivery.must_pause(slot) {
            // What the socket takes is sent at once, also when others are still heard in this turn.
            self.delivery.flush(slot);
        }
    }

    /// Asks the silent whether they live, and ends those that do not answer, as the daemon does.
    fn sweep(&mut self) {
        let now_ms = self.network.now_ms();
        self.network.schedule(now_ms + SWEEP_MS, Event::Sweep);
        let mut gone = Vec::new();
        let mut asked = Vec::new();
        for peer in self.delivery.peers.values_mut() {
            let silent_ms = now_ms - peer.last_heard_ms;
            if silent_ms > HEARTBEAT_MS && !peer.is_pinged {
                peer.is_pinged = true;
                asked.push(peer.id);
            } else if silent_ms > HEARTBEAT_MS * 7 / 4 && peer.is_pinged {
                gone.push((peer.id, peer.connection));
            }
        }
        for session in asked {
            self.delivery.send(session, &ToClient::Ping(0));
        }
        for (session, at) in gone {
            let refusal = Refusal::new(Reason::HeartbeatTimeout, "silent for too long");
            let goodbye = ToClient::Goodbye(Goodbye { refusal, reconnect_after_ms: None });
            self.delivery.send(session, &goodbye);
            self.delivery.flush(u32::try_from(session.slot()).expect("slots are small"));
            self.close(at);
        }
    }

    /// Does what is due, now and then late. Returns whether there was something.
    fn expire(&mut self) -> bool {
        let now = self.now();
        let is_due = self.engine.next_deadline().is_some_and(|deadline| deadline <= now);
        if !self.is_up || !is_due || self.network.now_ms() < self.lag_until_ms {
            return false;
        }
        self.lag_until_ms = self.network.now_ms() + self.network.lag_ms();
        self.engine.expire(now, &mut self.delivery);
        true
    }

    /// Everything that was heard is dealt with: everybody is written to, and who had to wait goes on.
    fn end_turn(&mut self) {
        let mut paused = VecDeque::new();
        loop {
            self.delivery.close_batch();
            for (session, refusal) in std::mem::take(&mut self.delivery.doomed) {
                self.dismiss(session, refusal);
            }
            for slot in std::mem::take(&mut self.delivery.dirty) {
                let was_paused = self.delivery.must_pause(slot);
                self.delivery.flush(slot);
                if was_paused && !self.delivery.must_pause(slot) {
                    paused.extend(self.delivery.peers.get(&slot).map(|peer| peer.id));
                }
            }
            let now = self.now();
            for session in std::mem::take(&mut self.delivery.drained) {
                if self.delivery.peer(session).is_some_and(|peer| !peer.is_ending) {
                    self.engine.drained(now, session, &mut self.delivery);
                }
            }
            while let Some(session) = paused.pop_front() {
                self.hear_frames(session);
            }
            let Delivery { dirty, drained, doomed, .. } = &self.delivery;
            if dirty.is_empty() && drained.is_empty() && doomed.is_empty() {
                return;
            }
        }
    }
}
