//! What a server crate gives to the daemon: an engine, and the dialects that reach it.

use crate::overrides::Overrides;
use workyard_engine::Engine;
use workyard_protocol::control::ServiceKind;
use workyard_protocol::{Refusal, RequestId, Wire};

/// A daemon's request, with the lifetime of the bytes that it was read from.
pub type Request<'a, E> = <E as Engine>::Request<'a>;
/// A daemon's reply.
pub type Reply<'a, E> = <<E as Engine>::Wire as Wire>::Reply<'a>;
/// A daemon's push.
pub type Push<'a, E> = <<E as Engine>::Wire as Wire>::Push<'a>;

/// One daemon: its name, its engine, its dialects.
pub trait Service: Sized + 'static {
    /// Which of the services it is.
    const KIND: ServiceKind;
    /// Where it listens unless told otherwise.
    const DEFAULT_LISTEN: &'static str;
    /// One line for `--help`.
    const ABOUT: &'static str;
    /// The version announced to clients.
    const VERSION: &'static str;

    /// The pure core.
    type Engine: Engine;
    /// How bytes become requests and replies become bytes.
    type Dialect: Dialect<Self::Engine>;
    /// The engine's own settings, all optional: flags, environment and `[limits]` of the file.
    type Limits: Overrides;

    /// Makes the core. `epoch` is the time of the start in microseconds: greater than at any start
    /// before, unless the system's clock was set back meanwhile.
    fn engine(limits: &Self::Limits, settings: &crate::Settings, epoch: u64) -> Self::Engine;
}

/// Whether the first bytes of a connection are of a dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognition {
    /// Certainly.
    Yes,
    /// Certainly not.
    No,
    /// More bytes will tell.
    Unsure,
}

/// Whether they are of anything else.
impl std::ops::Not for Recognition {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unsure => Self::Unsure,
        }
    }
}

/// What a dialect may tell a client about the server.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Which service this is.
    pub kind: ServiceKind,
    /// The server's name and version.
    pub server: String,
    /// Another number for every start.
    pub epoch: u64,
    /// How often either side must be heard, in milliseconds.
    pub heartbeat_ms: u32,
    /// The longest frame accepted.
    pub frame_bytes_max: usize,
}

/// How far a greeting has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// More bytes are needed.
    Partial,
    /// Done; so many bytes of the input were its.
    Done {
        /// How many.
        used: usize,
    },
}

/// What stands at the start of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// Not yet a whole frame.
    Partial {
        /// How many bytes are certainly still to come.
        missing: usize,
    },
    /// A frame, of which the listener has heard.
    Frame {
        /// How long it was.
        used: usize,
    },
}

/// Who hears what a frame said. A frame that is only a sign of life says nothing.
///
/// It is told instead of given back, so that a request is where the engine takes it from at once: it is
/// too large to be handed from one to the next for each message.
pub trait Listener<E: Engine> {
    /// A request.
    fn request(&mut self, id: RequestId, request: Request<'_, E>);

    /// A request that was understood well enough to be refused alone.
    fn refused(&mut self, id: RequestId, refusal: Refusal);

    /// A ping to be answered with its number.
    fn ping(&mut self, token: u64);
}

/// Why a connection ends, and its last frame where the dialect's usual goodbye does not say it.
#[derive(Debug)]
pub struct Ending {
    /// Why.
    pub refusal: Refusal,
    /// What the peer is sent instead of the goodbye.
    pub last_words: Option<Vec<u8>>,
}

impl From<Refusal> for Ending {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, last_words: None }
    }
}

/// How a kind of client speaks. A value names the dialect of one connection; it is small and has no
/// state.
pub trait Dialect<E: Engine>: Copy + 'static {
    /// How many dialects there are.
    const COUNT: usize;

    /// The dialect at a place below [`Dialect::COUNT`]. In the order of their places they are asked
    /// whether the first bytes are theirs.
    fn at(index: usize) -> Self;

    /// Its place.
    fn index(self) -> usize;

    /// All of them.
    fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self::at)
    }

    /// Looks at the first bytes of a connection.
    fn recognise(self, first: &[u8]) -> Recognition;

    /// Does what the dialect does before its first request, and answers into `out`. Without a greeting of
    /// its own it begins with its first frame.
    ///
    /// # Errors
    /// Why the connection ends.
    fn greet(
        self,
        _input: &[u8],
        _facts: &Facts,
        _session: u64,
        _out: &mut Vec<u8>,
    ) -> Result<Greeting, Refusal> {
        Ok(Greeting::Done { used: 0 })
    }

    /// Reads the frame at the start of `input`, and tells what it said.
    ///
    /// # Errors
    /// Why the connection ends: what follows cannot be understood.
    fn decode(
        self,
        input: &[u8],
        frame_bytes_max: usize,
        listener: &mut impl Listener<E>,
    ) -> Result<Decoded, Ending>;

    /// Shows the names of what the frames at the start of `input` are about, up to so many frames and as far
    /// as they can be seen easily. Nothing is checked: what is shown need not be a name, nor wanted.
    fn foresee(self, _input: &[u8], _frames: usize, _see: impl FnMut(&[u8])) {}

    /// Whether somebody waits for the answer to a request of this id.
    fn expects_reply(self, id: RequestId) -> bool;

    /// Appends an answer.
    fn reply(self, id: RequestId, reply: Reply<'_, E>, out: &mut Vec<u8>);

    /// Appends a refusal.
    fn refuse(self, id: RequestId, refusal: Refusal, out: &mut Vec<u8>);

    /// Appends a push.
    fn push(self, push: &Push<'_, E>, out: &mut Vec<u8>);

    /// Appends the answer to a ping, where pings are answered.
    fn pong(self, _token: u64, _out: &mut Vec<u8>) {}

    /// Whether its clients can be asked for a sign of life. Others are never found dead by silence.
    fn has_heartbeat(self) -> bool {
        false
    }

    /// Appends a ping, where there is a heartbeat.
    fn ping(self, _out: &mut Vec<u8>) {}

    /// Appends the last frame.
    fn goodbye(self, refusal: Refusal, reconnect_after_ms: Option<u32>, out: &mut Vec<u8>);
}
