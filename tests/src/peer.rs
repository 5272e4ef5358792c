//! A client of the native wire that does only what a test tells it to.

use crate::{Endpoint, Service};
use socket2::Socket;
use std::io::{self, ErrorKind, Read, Write};
use std::marker::PhantomData;
use std::net::Shutdown;
use workyard_protocol::control::{Goodbye, Hello};
use workyard_protocol::frame::{self, FrameDecoder, Split};
use workyard_protocol::globaldata::GlobalDataWire;
use workyard_protocol::{Reason, Refusal, RequestId, ToClient, ToServer};

const READ_BYTES: usize = 64 * 1024;

/// The longest frame that a peer takes: more than any server sends.
const FRAME_BYTES_MAX: usize = 64 * 1024 * 1024;

type FromServer<'a, W> = ToClient<
    'a,
    <W as workyard_protocol::Wire>::Reply<'a>,
    <W as workyard_protocol::Wire>::Push<'a>,
>;

/// One connection to a daemon. Pings are answered while it waits for other frames.
#[derive(Debug)]
pub struct Peer<W> {
    socket: Socket,
    received: Vec<u8>,
    used: usize,
    last_id: RequestId,
    last_token: u64,
    epoch: Option<u64>,
    wire: PhantomData<W>,
}

/// The body of a frame from a daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(pub Vec<u8>);

/// What a daemon's welcome said.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `Welcome`")]
pub struct Welcomed {
    pub version: u16,
    pub server: String,
    pub epoch: u64,
    pub session: u64,
    pub heartbeat_ms: u32,
    pub frame_bytes_max: u32,
}

impl Frame {
    /// What it says.
    ///
    /// # Panics
    /// When it says nothing.
    #[must_use]
    pub fn decode<W: Service>(&self) -> FromServer<'_, W> {
        let decoded = ToClient::decode(&self.0);
        decoded.unwrap_or_else(|error| panic!("a daemon sent {:?}: {error}", self.0))
    }
}

impl Peer<GlobalDataWire> {
    /// The revision of a write, the server's first being 1: they are counted from its epoch on.
    ///
    /// # Panics
    /// When the server has not said its epoch yet.
    #[must_use]
    #[track_caller]
    pub fn revision(&self, write: u64) -> u64 {
        self.epoch() + write
    }
}

impl<W: Service> Peer<W> {
    /// The server's epoch.
    ///
    /// # Panics
    /// When the server has not said it yet.
    #[must_use]
    #[track_caller]
    pub fn epoch(&self) -> u64 {
        self.epoch.expect("a welcome has come")
    }

    /// Connects and says nothing.
    ///
    /// # Panics
    /// When nobody listens.
    #[must_use]
    #[track_caller]
    pub fn connect(endpoint: &Endpoint) -> Self {
        Self::try_connect(endpoint).expect("a daemon listens")
    }

    /// Connects where perhaps nobody listens, and says nothing.
    ///
    /// # Errors
    /// When nobody does.
    pub fn try_connect(endpoint: &Endpoint) -> io::Result<Self> {
        endpoint.connect(None).map(Self::over)
    }

    /// Connects with a receive buffer that is full soon.
    ///
    /// # Panics
    /// When nobody listens.
    #[must_use]
    #[track_caller]
    pub fn connect_narrow(endpoint: &Endpoint) -> Self {
        const RECEIVE_BUFFER_BYTES: usize = 4096;
        let socket = endpoint.connect(Some(RECEIVE_BUFFER_BYTES));
        Self::over(socket.expect("a daemon listens"))
    }

    /// Says hello and is welcomed.
    #[track_caller]
    pub fn hello(&mut self) -> Welcomed {
        self.send_bytes(&Self::hello_bytes());
        self.expect_welcome()
    }

    /// The frame of an ordinary hello.
    #[must_use]
    pub fn hello_bytes() -> Vec<u8> {
        let mut out = Vec::new();
        let hello = ToServer::<W::Request<'_>>::Hello(Hello::new(W::KIND, "workyard-tests"));
        hello.encode(&mut out);
        out
    }

    /// Sends a request under an id.
    #[track_caller]
    pub fn send(&mut self, id: RequestId, request: W::Request<'_>) {
        let mut out = Vec::new();
        ToServer::Request(id, request).encode(&mut out);
        self.send_bytes(&out);
    }

    /// Sends a body as a frame.
    #[track_caller]
    pub fn send_frame(&mut self, body: &[u8]) {
        let mut out = Vec::new();
        frame::encode(&mut out, |out| out.extend_from_slice(body));
        self.send_bytes(&out);
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    /// When the daemon does not take them.
    #[track_caller]
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.try_send_bytes(bytes).expect("the daemon takes what is sent");
    }

    /// Sends bytes that the daemon may not want any longer.
    ///
    /// # Errors
    /// When it has hung up.
    pub fn try_send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        (&self.socket).write_all(bytes)
    }

    /// Sends nothing more; what the daemon sends can still be read.
    ///
    /// # Panics
    /// When the connection is gone.
    #[track_caller]
    pub fn finish_sending(&mut self) {
        self.try_finish_sending().expect("the connection is there");
    }

    /// Sends nothing more over a connection that may be gone.
    ///
    /// # Errors
    /// When it is.
    pub fn try_finish_sending(&mut self) -> io::Result<()> {
        self.socket.shutdown(Shutdown::Write)
    }

    /// Gives a narrow connection an ordinary receive buffer, so that reading all of it takes no time.
    ///
    /// # Panics
    /// When the connection is gone.
    #[track_caller]
    pub fn widen(&mut self) {
        const RECEIVE_BUFFER_BYTES: usize = 1024 * 1024;
        let outcome = self.socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
        outcome.expect("the connection is there");
    }

    /// A second handle of the connection, to send from another thread.
    ///
    /// # Panics
    /// When the system has no descriptor left.
    #[must_use]
    pub fn sender(&self) -> Self {
        Self::over(self.socket.try_clone().expect("a descriptor is left"))
    }

    /// Sends a request and expects this reply to be the next frame.
    #[track_caller]
    pub fn ask(&mut self, request: W::Request<'_>, reply: W::Reply<'_>) {
        let id = self.next_id();
        self.send(id, request);
        self.expect_reply(id, reply);
    }

    /// Sends a request and returns the frame that answers it.
    #[track_caller]
    pub fn answer(&mut self, request: W::Request<'_>) -> Frame {
        let id = self.next_id();
        self.send(id, request);
        self.receive()
    }

    /// Sends a request and expects it to be refused.
    #[track_caller]
    pub fn ask_refused(&mut self, request: W::Request<'_>, reason: Reason) -> Refusal {
        let id = self.next_id();
        self.send(id, request);
        self.expect_refused(id, reason)
    }

    /// Expects this reply to be the next frame.
    #[track_caller]
    pub fn expect_reply(&mut self, id: RequestId, reply: W::Reply<'_>) {
        self.expect(&ToClient::Reply(id, reply));
    }

    /// Expects this push to be the next frame.
    #[track_caller]
    pub fn expect_push(&mut self, push: W::Push<'_>) {
        self.expect(&ToClient::Push(push));
    }

    /// Expects the next frame to refuse a request.
    #[track_caller]
    pub fn expect_refused(&mut self, id: RequestId, reason: Reason) -> Refusal {
        let frame = self.receive();
        match frame.decode::<W>() {
            ToClient::Refused(refused, refusal) if refused == id && refusal.reason == reason => {
                refusal
            }
            _ => panic!("expected {reason} for request {id}, got {}", W::describe(&frame.0)),
        }
    }

    /// Expects the next frame to be the last, for this reason.
    #[track_caller]
    pub fn expect_goodbye(&mut self, reason: Reason) -> Goodbye {
        let frame = self.receive();
        let goodbye = match frame.decode::<W>() {
            ToClient::Goodbye(goodbye) if goodbye.refusal.reason == reason => goodbye,
            _ => panic!("expected goodbye {reason}, got {}", W::describe(&frame.0)),
        };
        self.expect_end();
        goodbye
    }

    /// Expects the daemon to have hung up in an orderly way, without another word.
    #[track_caller]
    pub fn expect_end(&mut self) {
        match self.try_receive() {
            Ok(None) => {}
            Ok(Some(frame)) => panic!("expected the end, got {}", W::describe(&frame.0)),
            Err(error) => panic!("expected the end, got {error}"),
        }
    }

    /// Expects that the daemon has nothing to say but to answer a ping: whatever it had sent before
    /// would come first.
    #[track_caller]
    pub fn expect_silence(&mut self) {
        let token = self.ping();
        self.expect(&ToClient::Pong(token));
    }

    /// Everything that comes before the answer to a ping.
    ///
    /// # Panics
    /// When the daemon hangs up instead.
    #[track_caller]
    pub fn receive_all(&mut self) -> Vec<Frame> {
        let token = self.ping();
        let mut frames = Vec::new();
        loop {
            let frame = self.receive();
            if matches!(frame.decode::<W>(), ToClient::Pong(pong) if pong == token) {
                return frames;
            }
            frames.push(frame);
        }
    }

    /// Expects a welcome.
    #[track_caller]
    pub fn expect_welcome(&mut self) -> Welcomed {
        let frame = self.receive();
        let ToClient::Welcome(welcome) = frame.decode::<W>() else {
            panic!("expected a welcome, got {}", W::describe(&frame.0));
        };
        let welcomed = Welcomed {
            version: welcome.version,
            server: welcome.server.to_owned(),
            epoch: welcome.epoch,
            session: welcome.session,
            heartbeat_ms: welcome.heartbeat_ms,
            frame_bytes_max: welcome.frame_bytes_max,
        };
        self.epoch = Some(welcomed.epoch);
        welcomed
    }

    /// Expects exactly this to be the next frame.
    #[track_caller]
    pub fn expect(&mut self, expected: &FromServer<'_, W>) {
        let mut bytes = Vec::new();
        expected.encode(&mut bytes);
        let body = &bytes[frame::LENGTH_BYTES..];
        let frame = self.receive();
        if frame.0 != body {
            let (expected, found) = (W::describe(body), W::describe(&frame.0));
            panic!("expected {expected}\n     got {found}");
        }
    }

    /// The next frame, pings apart.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn receive(&mut self) -> Frame {
        match self.try_receive() {
            Ok(Some(frame)) => frame,
            Ok(None) => panic!("expected a frame, but the daemon hung up"),
            Err(error) => panic!("expected a frame, got {error}"),
        }
    }

    /// The next frame, pings apart; nothing when the daemon has hung up.
    ///
    /// # Errors
    /// When the connection breaks, or nothing comes.
    pub fn try_receive(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let frame = self.try_receive_any()?;
            if let Some(body) = &frame
                && let ToClient::Ping(token) = body.decode::<W>()
            {
                let mut out = Vec::new();
                ToServer::<W::Request<'_>>::Pong(token).encode(&mut out);
                // Who hangs up meanwhile is found out by reading on.
                let _ = self.try_send_bytes(&out);
                continue;
            }
            return Ok(frame);
        }
    }

    /// The next frame, whatever it is; nothing when the daemon has hung up.
    ///
    /// # Errors
    /// When the connection breaks, or nothing comes.
    pub fn try_receive_any(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let unused = &self.received[self.used..];
            let split = FrameDecoder::new(FRAME_BYTES_MAX).split(unused);
            match split.map_err(io::Error::other)? {
                Split::Whole { body, used } => {
                    let frame = Frame(body.to_vec());
                    self.use_up(used);
                    return Ok(Some(frame));
                }
                Split::Partial { .. } => {
                    if self.read_more()? == 0 {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn over(socket: Socket) -> Self {
        Self {
            socket,
            received: Vec::new(),
            used: 0,
            last_id: 0,
            last_token: 0,
            epoch: None,
            wire: PhantomData,
        }
    }

    fn next_id(&mut self) -> RequestId {
        self.last_id += 1;
        self.last_id
    }

    fn ping(&mut self) -> u64 {
        self.last_token += 1;
        let mut out = Vec::new();
        ToServer::<W::Request<'_>>::Ping(self.last_token).encode(&mut out);
        self.send_bytes(&out);
        self.last_token
    }

    /// A peer that has read everything holds no buffer: there may be thousands.
    fn use_up(&mut self, count: usize) {
        self.used += count;
        if self.used == self.received.len() {
            self.received = Vec::new();
            self.used = 0;
        }
    }

    fn read_more(&mut self) -> io::Result<usize> {
        self.received.drain(..self.used);
        self.used = 0;
        let filled = self.received.len();
        self.received.resize(filled + READ_BYTES, 0);
        let outcome = loop {
            match (&self.socket).read(&mut self.received[filled..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                outcome => break outcome,
            }
        };
        let count = *outcome.as_ref().unwrap_or(&0);
        self.received.truncate(filled + count);
        self.use_up(0);
        outcome.map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => io::Error::new(ErrorKind::TimedOut, "nothing in time"),
            _ => error,
        })
    }
}
