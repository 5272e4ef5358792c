//! The network between clients and server: late, slow, silent or cut, as the seed wills.

use crate::line::Line;
use crate::trace::Trace;
use fastrand::Rng;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// What the server hears of, in the order in which it happens.
#[derive(Debug)]
pub(crate) enum Event {
    /// Somebody connected.
    Opened(usize),
    /// Bytes of a client have arrived.
    Heard(usize, Vec<u8>),
    /// The socket of a connection takes bytes again.
    Writable(usize),
    /// A connection has ended.
    Ended(usize),
    /// The server process dies, and another one starts after so many milliseconds.
    Crash(u64),
    /// It starts.
    Start,
    /// It looks after silent connections.
    Sweep,
    /// Bytes reach a client. The server does not hear of it.
    Arrived(usize, Vec<u8>),
    /// A client learns that its connection has ended.
    Lost(usize),
    /// A client reads again.
    Reads(usize),
    /// What a connection that is ending still had to be sent a while ago, so many bytes.
    Linger(usize, usize),
}

#[derive(Debug)]
pub(crate) struct Connection {
    to_server: Line,
    to_client: Line,
    /// Arrived and not yet read by the client.
    pub(crate) inbox: VecDeque<u8>,
    /// Nothing more will come for the client.
    pub(crate) is_over: bool,
    pub(crate) reader: Option<Waker>,
    /// Sent by the server and not yet read by the client.
    unread_bytes: usize,
    /// How much of that the sockets in between take.
    window_bytes: usize,
    delay_ms: (u64, u64),
    /// It breaks off when the server has sent so much, in the middle of a frame perhaps.
    breaks_after_bytes: Option<usize>,
    /// The client reads nothing before this.
    pub(crate) reads_from_ms: u64,
    /// The client is still there.
    is_open: bool,
}

/// What clients, server and faults share.
#[derive(Debug)]
pub(crate) struct Network {
    state: Mutex<State>,
    changed: Notify,
    start: Instant,
}

#[derive(Debug)]
pub(crate) struct State {
    rng: Rng,
    agenda: BTreeMap<(u64, u64), Event>,
    last_number: u64,
    pub(crate) connections: Vec<Connection>,
    /// The server takes connections.
    pub(crate) is_up: bool,
    /// No faults any more.
    is_calm: bool,
    /// New connections may break off soon.
    is_brittle: bool,
    pub(crate) trace: Trace,
}

/// When the server has something to do.
pub(crate) enum Next {
    Now(Event),
    At(u64),
}

/// What the sockets of a usual connection take.
const WINDOW_BYTES: usize = 64 * 1024;

impl Network {
    pub(crate) fn new(rng: Rng, with_lines: bool) -> Self {
        let state = State {
            rng,
            agenda: BTreeMap::new(),
            last_number: 0,
            connections: Vec::new(),
            is_up: true,
            is_calm: false,
            is_brittle: false,
            trace: Trace::new(with_lines),
        };
        Self { state: Mutex::new(state), changed: Notify::new(), start: Instant::now() }
    }

    /// Milliseconds since the run began.
    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).expect("no run takes so long")
    }

    pub(crate) fn instant(&self, at_ms: u64) -> Instant {
        self.start + Duration::from_millis(at_ms)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to the trace.
    pub(crate) fn say(&self, text: impl FnOnce() -> String) {
        self.lock().trace.say(self.now_ms(), text);
    }

    pub(crate) fn schedule(&self, at_ms: u64, event: Event) {
        self.lock().schedule(at_ms, event);
        self.changed.notify_one();
    }

    /// What is due, or when something will be.
    pub(crate) fn next(&self) -> Next {
        let now_ms = self.now_ms();
        let mut state = self.lock();
        match state.agenda.first_entry() {
            Some(first) if first.key().0 <= now_ms => Next::Now(first.remove()),
            Some(first) => Next::At(first.key().0),
            None => Next::At(u64::MAX),
        }
    }

    /// Returns when the agenda has changed.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// From now on, new connections may break off soon, wherever in what the server says.
    pub(crate) fn become_brittle(&self) {
        self.lock().is_brittle = true;
    }

    /// A new connection; nothing while the server is down.
    pub(crate) fn open(&self) -> Option<usize> {
        let now_ms = self.now_ms();
        let mut state = self.lock();
        if !state.is_up {
            return None;
        }
        let at = state.connections.len();
        let connection = state.connection();
        state.connections.push(connection);
        state.schedule(now_ms, Event::Opened(at));
        drop(state);
        self.changed.notify_one();
        Some(at)
    }

    /// A client sends.
    pub(crate) fn send_to_server(&self, at: usize, mut bytes: &[u8]) {
        let now_ms = self.now_ms();
        let mut state = self.lock();
        state.trace.note(now_ms, "client sends", at, bytes);
        // A frame may arrive in any pieces.
        while !bytes.is_empty() {
            let count = match state.rng.u8(..4) {
                0 => state.rng.usize(1..=bytes.len()),
                _ => bytes.len(),
            };
            let (piece, rest) = bytes.split_at(count);
            bytes = rest;
            let delay_ms = state.delay_ms(at);
            if let Some(then) = state.connections[at].to_server.arrival(now_ms, delay_ms) {
                state.schedule(then, Event::Heard(at, piece.to_vec()));
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// How many bytes the server's socket takes now.
    pub(crate) fn room(&self, at: usize) -> usize {
        let state = self.lock();
        let connection = &state.connections[at];
        connection.window_bytes.saturating_sub(connection.unread_bytes)
    }

    /// The server sends.
    pub(crate) fn send_to_client(&self, at: usize, bytes: &[u8]) {
        let now_ms = self.now_ms();
        let mut state = self.lock();
        state.trace.note(now_ms, "server sends", at, bytes);
        let delay_ms = state.delay_ms(at);
        let connection = &mut state.connections[at];
        // What never arrives is never read either: the window stays taken.
        connection.unread_bytes += bytes.len();
        let left = connection.breaks_after_bytes.unwrap_or(usize::MAX);
        let arriving = &bytes[..left.min(bytes.len())];
        if let Some(then) = connection.to_client.arrival(now_ms, delay_ms) {
            state.schedule(then, Event::Arrived(at, arriving.to_vec()));
        }
        state.sent(now_ms, at, bytes.len());
    }

    /// The client's end is gone: the server learns of it behind all that was sent.
    pub(crate) fn client_left(&self, at: usize) {
        let now_ms = self.now_ms();
        let mut state = self.lock();
        let delay_ms = state.delay_ms(at);
        let connection = &mut state.connections[at];
        connection.is_open = false;
        connection.to_client.cut(true);
        if let Some(then) = connection.to_server.arrival(now_ms, delay_ms) {
            state.schedule(then, Event::Ended(at));
        }
        drop(state);
        self.changed.notify_one();
    }

    /// The server's end is gone: the client learns of it behind all that was sent.
    pub(crate) fn server_left(&self, at: usize) {
        let now_ms = self.now_ms();
        let mut state = self.lock();
        let delay_ms = state.delay_ms(at);
        let connection = &mut state.connections[at];
        if let Some(then) = connection.to_client.arrival(now_ms, delay_ms) {
            state.schedule(then, Event::Lost(at));
        }
        state.connections[at].to_server.cut(true);
    }

    /// The server is gone without a word: the client may have to find out by the silence.
    pub(crate) fn server_vanished(&self, at: usize) {
        let now_ms = self.now_ms();
        let mut state = self.lock();
        state.cut(now_ms, at);
        state.connections[at].to_server.cut(true);
    }

    /// What happens on the side of a client.
    pub(crate) fn happen_to_client(&self, event: Event) {
        let now_ms = self.now_ms();
        let mut state = self.lock();
        let (at, bytes, is_over) = match event {
            Event::Arrived(at, bytes) => (at, bytes, false),
            Event::Lost(at) => (at, Vec::new(), true),
            other => panic!("{other:?} is for the server"),
        };
        if state.connections[at].to_client.is_dead && !is_over {
            return;
        }
        state.trace.note(now_ms, if is_over { "client loses" } else { "client hears" }, at, &bytes);
        let connection = &mut state.connections[at];
        connection.inbox.extend(bytes);
        connection.is_over |= is_over;
        let reader = connection.reader.take();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
    }

    /// Whether what arrives for the server still counts.
    pub(crate) fn is_heard(&self, at: usize) -> bool {
        !self.lock().connections[at].to_server.is_dead
    }

    /// The client has read so much: the server can send more.
    pub(crate) fn has_read(&self, state: &mut State, at: usize, count: usize) {
        let now_ms = self.now_ms();
        let delay_ms = state.delay_ms(at);
        let connection = &mut state.connections[at];
        let was_full = connection.unread_bytes >= connection.window_bytes;
        connection.unread_bytes -= count;
        if was_full && !connection.to_server.is_cut {
            state.schedule(now_ms + delay_ms, Event::Writable(at));
            self.changed.notify_one();
        }
    }

    /// For how long the server does not look at its deadlines.
    pub(crate) fn lag_ms(&self) -> u64 {
        let mut state = self.lock();
        if state.rng.bool() { 1 } else { state.rng.u64(1..40) }
    }

    /// Does something bad to a connection, or to the server.
    pub(crate) fn disturb(&self) {
        let now_ms = self.now_ms();
        let mut state = self.lock();
        if state.is_calm {
            return;
        }
        let open = state.open();
        let kind = state.rng.u8(..20);
        match (kind, state.rng.choice(open)) {
            (0, _) => {
                let down_ms = state.rng.u64(1..1500);
                state.schedule(now_ms, Event::Crash(down_ms));
            }
            (1..=9, Some(at)) => state.cut(now_ms, at),
            (10..=13, Some(at)) => state.silence(now_ms, at),
            (14.., Some(at)) => state.slow_down(now_ms, at),
            (_, None) => {}
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Has one client read nothing for a while, perhaps for too long.
    pub(crate) fn stop_reading(&self) {
        let now_ms = self.now_ms();
        let mut state = self.lock();
        let open = state.open();
        if let Some(at) = state.rng.choice(open).filter(|_| !state.is_calm) {
            let for_ms = state.rng.u64(100..4000);
            state.stop_reading(now_ms, at, for_ms);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Has everybody who is there read nothing for so long.
    pub(crate) fn everybody_stops_reading(&self, for_ms: u64) {
        let now_ms = self.now_ms();
        let mut state = self.lock();
        for at in state.open() {
            state.stop_reading(now_ms, at, for_ms);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// A client reads again, if it has not been stopped anew.
    pub(crate) fn read_again(&self, at: usize) {
        let now_ms = self.now_ms();
        let mut state = self.lock();
        let connection = &mut state.connections[at];
        if now_ms < connection.reads_from_ms {
            return;
        }
        connection.window_bytes = WINDOW_BYTES;
        let reader = connection.reader.take();
        if !connection.to_server.is_cut {
            // Before all that the server hears later, though it may be busy until then.
            let since_ms = connection.reads_from_ms;
            state.schedule(since_ms, Event::Writable(at));
        }
        drop(state);
        reader.into_iter().for_each(Waker::wake);
    }

    /// From now on the network is as good as it can be.
    pub(crate) fn calm_down(&self) {
        let mut state = self.lock();
        state.is_calm = true;
        for at in 0..state.connections.len() {
            let connection = &mut state.connections[at];
            (connection.window_bytes, connection.delay_ms) = (WINDOW_BYTES, (1, 2));
            connection.breaks_after_bytes = None;
            if connection.is_open && !connection.to_server.is_cut {
                let now_ms = self.now_ms();
                state.schedule(now_ms, Event::Writable(at));
            }
        }
        drop(state);
        self.changed.notify_one();
    }
}

impl State {
    fn schedule(&mut self, at_ms: u64, event: Event) {
        self.last_number += 1;
        self.agenda.insert((at_ms, self.last_number), event);
    }

    fn connection(&mut self) -> Connection {
        let delay_ms = match self.is_calm {
            true => (1, 2),
            false => (1, self.rng.u64(2..30)),
        };
        Connection {
            to_server: Line::default(),
            to_client: Line::default(),
            inbox: VecDeque::new(),
            is_over: false,
            reader: None,
            unread_bytes: 0,
            window_bytes: WINDOW_BYTES,
            delay_ms,
            breaks_after_bytes: self.breaks_after_bytes(),
            reads_from_ms: 0,
            is_open: true,
        }
    }

    /// When a new connection breaks off: mostly when it likes.
    fn breaks_after_bytes(&mut self) -> Option<usize> {
        let may_be = self.is_brittle && !self.is_calm && self.rng.u8(..4) == 0;
        may_be.then(|| self.rng.usize(40..240))
    }

    /// The server has sent so much, which may have been enough for the connection to break.
    fn sent(&mut self, now_ms: u64, at: usize, bytes: usize) {
        let Some(left) = &mut self.connections[at].breaks_after_bytes else { return };
        *left = left.saturating_sub(bytes);
        if *left == 0 {
            self.trace.note(now_ms, "breaks off", at, &[]);
            let Connection { to_server, to_client, .. } = &mut self.connections[at];
            let server_then = to_server.arrival(now_ms, 1);
            let client_then = to_client.arrival(now_ms, 1);
            to_server.cut(false);
            to_client.cut(false);
            server_then.into_iter().for_each(|then| self.schedule(then, Event::Ended(at)));
            client_then.into_iter().for_each(|then| self.schedule(then, Event::Lost(at)));
        }
    }

    /// The connections whose clients are there.
    fn open(&self) -> Vec<usize> {
        let is_open = |at: &usize| self.connections[*at].is_open && !self.connections[*at].is_over;
        (0..self.connections.len()).filter(is_open).collect()
    }

    fn delay_ms(&mut self, at: usize) -> u64 {
        let (least, most) = self.connections[at].delay_ms;
        self.rng.u64(least..=most)
    }

    /// The connection is gone. Either end learns of it soon, later, or only by the silence.
    fn cut(&mut self, now_ms: u64, at: usize) {
        self.trace.note(now_ms, "is cut", at, &[]);
        let (server_knows, client_knows) = (self.rng.u8(..4) > 0, self.rng.u8(..4) > 0);
        let later_ms = [self.rng.u64(..3000), self.rng.u64(..3000)];
        let dead = [self.rng.bool(), self.rng.bool()];
        let Connection { to_server, to_client, .. } = &mut self.connections[at];
        let server_then = to_server.arrival(now_ms, later_ms[0]).filter(|_| server_knows);
        let client_then = to_client.arrival(now_ms, later_ms[1]).filter(|_| client_knows);
        to_server.cut(dead[0]);
        to_client.cut(dead[1]);
        server_then.into_iter().for_each(|then| self.schedule(then, Event::Ended(at)));
        client_then.into_iter().for_each(|then| self.schedule(then, Event::Lost(at)));
    }

    /// Nothing gets through for a while, one way or both. It may be too long for the heartbeat.
    fn silence(&mut self, now_ms: u64, at: usize) {
        self.trace.note(now_ms, "falls silent", at, &[]);
        let until_ms = now_ms + self.rng.u64(100..6000);
        let ways = self.rng.u8(1..4);
        let connection = &mut self.connections[at];
        if ways & 1 > 0 {
            connection.to_server.hold(until_ms);
        }
        if ways & 2 > 0 {
            connection.to_client.hold(until_ms);
        }
    }

    /// The client reads nothing for a while, and little waits for it in between.
    fn stop_reading(&mut self, now_ms: u64, at: usize, for_ms: u64) {
        self.trace.note(now_ms, "reads no more", at, &[]);
        let connection = &mut self.connections[at];
        connection.window_bytes = self.rng.usize(200..2000);
        connection.reads_from_ms = now_ms + for_ms;
        self.schedule(now_ms + for_ms, Event::Reads(at));
    }

    /// The client reads slowly from now on.
    fn slow_down(&mut self, now_ms: u64, at: usize) {
        self.trace.note(now_ms, "becomes slow", at, &[]);
        let connection = &mut self.connections[at];
        connection.window_bytes = self.rng.usize(100..1000);
        connection.delay_ms = (20, self.rng.u64(50..400));
    }
}
