//! The engine with all its connections: what one thread drives.

use crate::delivery::Delivery;
use crate::native;
use crate::service::{
    Decoded, Dialect, Ending, Facts, Greeting, Listener, Recognition, Request, Service,
};
use crate::settings::Settings;
use crate::stream::Writer;
use std::cell::RefCell;
use std::rc::Rc;
use std::task::Waker;
use std::time::Instant;
use workyard_engine::{Caller, Engine, Outbox, SessionId, Time};
use workyard_protocol::{Refusal, RequestId};

/// So many requests are shown to the engine before they are handled: enough that their waits for memory
/// overlap, and few enough that what was fetched for the last is not gone before it is wanted.
const FORESEEN_FRAMES: usize = 16;

/// The driver as the tasks of one thread share it. Nothing holds it across a wait.
pub(crate) type Shared<S> = Rc<RefCell<Driver<S>>>;

pub(crate) struct Driver<S: Service> {
    pub(crate) engine: S::Engine,
    pub(crate) delivery: Delivery<S::Engine, S::Dialect>,
    pub(crate) facts: Facts,
    pub(crate) settings: Settings,
    /// What all connections read into.
    pub(crate) scratch: Vec<u8>,
    /// Wakes the task that ends the turn.
    pub(crate) turn: Option<Waker>,
    /// It is woken already.
    pub(crate) turn_due: bool,
    /// The deadline that the turn's task will wake up for.
    pub(crate) armed: Option<Time>,
    /// Sessions are told to finish what has arrived and to leave.
    pub(crate) draining: bool,
    /// How many sessions ended before everything was sent to them.
    pub(crate) cut: usize,
    /// Input that all sessions hold because the rest of its frame is still to come.
    pub(crate) held_bytes: usize,
    start: Instant,
}

/// What became of some input.
pub(crate) struct Outcome {
    /// How many of its bytes are done with.
    pub(crate) used: usize,
    pub(crate) verdict: Verdict,
}

impl Outcome {
    fn end(used: usize, refusal: Refusal) -> Self {
        Self { used, verdict: Verdict::End(refusal.into()) }
    }
}

pub(crate) enum Verdict {
    /// All whole frames are handled; at least so many bytes more are needed.
    Continue { missing: usize },
    /// The rest has to wait until the peer has read some answers.
    Pause,
    /// The connection ends.
    End(Ending),
}

impl<S: Service> Driver<S> {
    pub(crate) fn new(engine: S::Engine, facts: Facts, settings: Settings) -> Self {
        Self {
            engine,
            delivery: Delivery::new(&settings),
            facts,
            settings,
            scratch: vec![0; crate::inbox::READ_BYTES],
            turn: None,
            turn_due: false,
            armed: None,
            draining: false,
            cut: 0,
            held_bytes: 0,
            start: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Time {
        Time::from_millis(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn open(&mut self, writer: Writer) -> SessionId {
        let now = self.now();
        self.delivery.open(writer, now)
    }

    /// Handles everything whole in `input`, with one reading of the clock.
    pub(crate) fn hear(&mut self, session: SessionId, input: &[u8]) -> Outcome {
        let now = self.now();
        let Some(peer) = self.delivery.peer_mut(session) else {
            return Outcome { used: 0, verdict: Verdict::Pause };
        };
        let outcome = match peer.dialect {
            Some(dialect) => {
                peer.last_heard = now;
                peer.pinged = false;
                self.hear_frames(now, session, dialect, input, 0)
            }
            None => {
                if !std::mem::replace(&mut peer.has_begun, true) {
                    peer.last_heard = now;
                }
                self.hear_greeting(now, session, input)
            }
        };
        self.schedule_turn();
        outcome
    }

    /// The session is gone, as far as the engine is concerned.
    pub(crate) fn close(&mut self, session: SessionId) {
        let now = self.now();
        self.engine.close(now, session, &mut self.delivery);
        self.schedule_turn();
    }

    /// Has the engine do what is due.
    pub(crate) fn expire(&mut self) {
        let now = self.now();
        self.engine.expire(now, &mut self.delivery);
    }

    /// Has the turn ended, if there is something to do at its end.
    pub(crate) fn schedule_turn(&mut self) {
        let due = self.delivery.has_work() || self.engine.next_deadline() != self.armed;
        if due
            && !self.turn_due
            && let Some(turn) = &self.turn
        {
            self.turn_due = true;
            turn.wake_by_ref();
        }
    }

    fn hear_frames(
        &mut self,
        now: Time,
        session: SessionId,
        dialect: S::Dialect,
        input: &[u8],
        mut used: usize,
    ) -> Outcome {
        let frame_bytes_max = self.facts.frame_bytes_max;
        let (engine, delivery) = (&mut self.engine, &mut self.delivery);
        let mut listener = Hearing { now, session, engine, delivery };
        // The first is handled at once: it has nothing before it to wait behind.
        let mut foreseen = 1;
        let verdict = loop {
            if S::Engine::FORESEES {
                if foreseen == 0 {
                    foreseen = FORESEEN_FRAMES;
                    dialect.foresee(&input[used..], foreseen, |name| listener.engine.foresee(name));
                }
                foreseen -= 1;
            }
            match dialect.decode(&input[used..], frame_bytes_max, &mut listener) {
                Ok(Decoded::Partial { missing }) => break Verdict::Continue { missing },
                Ok(Decoded::Frame { used: length }) => used += length,
                Err(ending) => break Verdict::End(ending),
            }
            if listener.delivery.must_pause(session) {
                break Verdict::Pause;
            }
        };
        Outcome { used, verdict }
    }

    fn hear_greeting(&mut self, now: Time, session: SessionId, input: &[u8]) -> Outcome {
        let mut unsure = false;
        for dialect in S::Dialect::all() {
            match dialect.recognise(input) {
                Recognition::No => {}
                Recognition::Unsure => unsure = true,
                Recognition::Yes => return self.greet(now, session, dialect, input),
            }
        }
        if unsure {
            return Outcome { used: 0, verdict: Verdict::Continue { missing: 1 } };
        }
        Outcome::end(0, native::expected_hello())
    }

    fn greet(
        &mut self,
        now: Time,
        session: SessionId,
        dialect: S::Dialect,
        input: &[u8],
    ) -> Outcome {
        let mut answer = Vec::new();
        match dialect.greet(input, &self.facts, session.as_u64(), &mut answer) {
            Err(refusal) => Outcome::end(0, refusal),
            Ok(Greeting::Partial) => Outcome { used: 0, verdict: Verdict::Continue { missing: 1 } },
            Ok(Greeting::Done { used }) => {
                self.delivery.settle_dialect(session, dialect, now);
                self.delivery.send_raw(session, |out| out.append(&mut answer));
                self.hear_frames(now, session, dialect, input, used)
            }
        }
    }
}

/// One session, as its requests come in.
struct Hearing<'d, E: Engine, D> {
    now: Time,
    session: SessionId,
    engine: &'d mut E,
    delivery: &'d mut Delivery<E, D>,
}

impl<E: Engine, D: Dialect<E>> Hearing<'_, E, D> {
    fn caller(&self, request: RequestId) -> Caller {
        Caller { session: self.session, request }
    }
}

impl<E: Engine, D: Dialect<E>> Listener<E> for Hearing<'_, E, D> {
    #[inline]
    fn request(&mut self, id: RequestId, request: Request<'_, E>) {
        self.engine.handle(self.now, self.caller(id), request, self.delivery);
    }

    fn refused(&mut self, id: RequestId, refusal: Refusal) {
        self.delivery.refuse(self.caller(id), refusal);
    }

    fn ping(&mut self, token: u64) {
        self.delivery.send(self.session, |dialect, out| dialect.pong(token, out));
    }
}
