//! The contract between a pure core and whatever drives it: sessions, requests in, effects out.
//!
//! A core knows no socket, no clock and no runtime. Time comes in as an argument; everything it
//! wants done goes out through the [`Outbox`]. So a test, a simulation and the daemon drive exactly
//! the same code.

mod by_session;
mod gaps;
mod recorder;
mod slots;

pub use by_session::BySession;
pub use gaps::{Gaps, Losses};
pub use recorder::{Effect, Recorder, read};
pub use slots::Slots;

use std::fmt;
use std::ops::Add;
use std::time::Duration;
use workyard_protocol::{Refusal, RequestId, Wire};

/// A peer, from the moment that it is accepted until it is gone. Never used twice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId {
    slot: u32,
    generation: u32,
}

impl SessionId {
    /// `slot` finds the session in a table, `generation` tells it from earlier users of the slot.
    #[must_use]
    pub const fn new(slot: u32, generation: u32) -> Self {
        Self { slot, generation }
    }

    /// The place in a table. Of the sessions that are open, no two share one.
    #[must_use]
    pub fn slot(self) -> usize {
        self.slot as usize
    }

    /// Slot and generation as one number, for logs and the wire.
    #[must_use]
    pub fn as_u64(self) -> u64 {
        (u64::from(self.generation) << 32) | u64::from(self.slot)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}.{}", self.slot, self.generation)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_u64())
    }
}

/// Milliseconds of a monotonic clock since the server began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Time(u64);

impl Time {
    /// A point in time by its milliseconds.
    #[must_use]
    pub fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Its milliseconds.
    #[must_use]
    pub fn as_millis(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was, in milliseconds; 0 if it is still to come.
    #[must_use]
    pub fn millis_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// Who asked, and how the answer finds its question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The session that asked.
    pub session: SessionId,
    /// The id to answer with.
    pub request: RequestId,
}

/// Names a set of recipients, so that what follows for the same set is delivered together.
///
/// A core takes a fresh one whenever the set changes: equal routes mean equal recipients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Route(pub u64);

/// A message that may be dropped for a recipient that is too slow, but never silently.
#[derive(Clone, Copy, Debug)]
pub struct Publication<'a, P> {
    /// The recipients' name.
    pub route: Route,
    /// What a notice of its loss is counted under: the channel's name.
    pub topic: &'a [u8],
    /// Its number among those of its topic, which grow; 0 for one that has none.
    pub number: u64,
    /// The message.
    pub push: P,
}

/// Publications that were dropped for a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss<'a> {
    /// Their topic; nothing for those of several topics together, of which only the count is known.
    pub topic: Option<&'a [u8]>,
    /// The number of the first of them; 0 when none of them has a number.
    pub from: u64,
    /// The number of the last of them; 0 with `from`.
    pub to: u64,
    /// How many.
    pub missed: u64,
}

/// Where a core's effects go, in the order in which they must be seen.
pub trait Outbox<W: Wire> {
    /// Answers a request.
    fn reply(&mut self, to: Caller, reply: W::Reply<'_>);

    /// Answers a request that is not carried out.
    fn refuse(&mut self, to: Caller, refusal: Refusal);

    /// Sends to one session what must not be dropped. Ask [`Outbox::has_room`] before.
    fn push(&mut self, to: SessionId, push: W::Push<'_>);

    /// The same to several: cheaper than to each, where there is much of it.
    fn push_all(&mut self, to: &[SessionId], push: W::Push<'_>) {
        to.iter().for_each(|session| self.push(*session, push));
    }

    /// Sends to many what may be dropped for each of them. `recipients` is read only when the route
    /// is another than the last one's.
    fn publish(
        &mut self,
        publication: Publication<'_, W::Push<'_>>,
        recipients: impl IntoIterator<Item = SessionId>,
    );

    /// Whether what is published under this route goes on reaching those whom the last publication
    /// reached: who had room then has it still. After `false` that is found out anew by the next
    /// publication, and [`Outbox::has_room`] says until then what it will find.
    fn continues(&mut self, _route: Route) -> bool {
        false
    }

    /// Whether the session takes more without going over its limit. When it does so again after
    /// `false`, the core hears of it by [`Engine::drained`].
    fn has_room(&mut self, session: SessionId) -> bool;

    /// Ends a session, which is told why. Nothing more is published to it, and the core hears of its end
    /// by [`Engine::close`].
    fn disconnect(&mut self, session: SessionId, refusal: Refusal);
}

/// A pure core.
pub trait Engine {
    /// Its vocabularies.
    type Wire: Wire;
    /// What it can be asked: what the wire has, and what other dialects ask that the wire has not.
    type Request<'a>: From<<Self::Wire as Wire>::Request<'a>>;

    /// Whether anything comes of [`Engine::foresee`].
    const FORESEES: bool = false;

    /// A request of an open session. It is answered or refused exactly once, at once or later.
    fn handle(
        &mut self,
        now: Time,
        caller: Caller,
        request: Self::Request<'_>,
        outbox: &mut impl Outbox<Self::Wire>,
    );

    /// A request about the thing of this name is about to be handled, behind some others. What it will look
    /// at can be fetched from memory meanwhile; nothing else may come of it.
    fn foresee(&self, _name: &[u8]) {}

    /// The session is gone. Nothing of it may stay behind.
    fn close(&mut self, now: Time, session: SessionId, outbox: &mut impl Outbox<Self::Wire>);

    /// The session has room again after [`Outbox::has_room`] said no.
    fn drained(&mut self, now: Time, session: SessionId, outbox: &mut impl Outbox<Self::Wire>);

    /// When [`Engine::expire`] has something to do, if ever.
    fn next_deadline(&self) -> Option<Time> {
        None
    }

    /// Does what is due.
    fn expire(&mut self, _now: Time, _outbox: &mut impl Outbox<Self::Wire>) {}

    /// The push that tells a session which publications it missed.
    ///
    /// Nothing if the engine publishes nothing that can be dropped.
    fn gap(loss: Loss<'_>) -> Option<<Self::Wire as Wire>::Push<'_>>;
}
