//! A core between bytes and bytes: requests are decoded for it, and what it says is encoded.

use std::hint::black_box;
use workyard_engine::{Caller, Engine, Outbox, Publication, SessionId, Time};
use workyard_protocol::{Message, NO_REPLY, Refusal, RequestId, ToClient, ToServer, Wire};

/// A core and the sessions that speak to it.
pub(crate) struct Driver<E> {
    engine: E,
    said: Said,
    /// Of requests that are made anew each time.
    frame: Vec<u8>,
}

/// What has been said, as bytes that nobody reads.
#[derive(Default)]
pub(crate) struct Said {
    bytes: Vec<u8>,
    /// How many sessions had something.
    pub(crate) heard: u64,
    /// What the latest answer or push was, as its frame.
    pub(crate) last: Vec<u8>,
}

/// The body of a request's frame, as a session has it behind the length.
pub(crate) struct Bytes(Vec<u8>);

impl Bytes {
    pub(crate) fn of<'a>(id: RequestId, request: impl Message<'a>) -> Self {
        let mut bytes = Vec::new();
        ToServer::Request(id, request).encode(&mut bytes);
        Self(bytes.split_off(size_of::<u32>()))
    }

    /// Of one that is not answered.
    pub(crate) fn unanswered<'a>(request: impl Message<'a>) -> Self {
        Self::of(NO_REPLY, request)
    }
}

impl<E: Engine> Driver<E> {
    pub(crate) fn new(engine: E) -> Self {
        Self { engine, said: Said::default(), frame: Vec::new() }
    }

    /// Carries out a request that is another one each time, without memory of its own for its bytes.
    pub(crate) fn walk_new<'a>(
        &mut self,
        slot: u32,
        id: RequestId,
        request: <E::Wire as Wire>::Request<'a>,
    ) {
        let mut frame = std::mem::take(&mut self.frame);
        frame.clear();
        ToServer::Request(id, request).encode(&mut frame);
        self.walk_body(slot, &frame[size_of::<u32>()..]);
        self.frame = frame;
    }

    /// Carries out what a session has sent.
    pub(crate) fn walk(&mut self, slot: u32, Bytes(body): &Bytes) {
        self.walk_body(slot, body);
    }

    fn walk_body(&mut self, slot: u32, body: &[u8]) {
        type Frame<'a, W> = ToServer<'a, <W as Wire>::Request<'a>>;
        let frame: Frame<'_, E::Wire> = ToServer::decode(black_box(body)).expect("it is whole");
        let ToServer::Request(id, request) = frame else { panic!("it is a request") };
        self.said.bytes.clear();
        let caller = Caller { session: SessionId::new(slot, 0), request: id };
        self.engine.handle(Time::default(), caller, request.into(), &mut self.said);
    }

    /// The same for one that need not be decoded again.
    pub(crate) fn ask<'a>(&mut self, slot: u32, request: <E::Wire as Wire>::Request<'a>) {
        self.said.bytes.clear();
        let caller = Caller { session: SessionId::new(slot, 0), request: 1 };
        self.engine.handle(Time::default(), caller, request.into(), &mut self.said);
    }

    pub(crate) fn said(&self) -> &Said {
        &self.said
    }
}

impl Said {
    fn frame<'a, R: Message<'a>, P: Message<'a>>(&mut self, frame: &ToClient<'a, R, P>) {
        let before = self.bytes.len();
        frame.encode(&mut self.bytes);
        self.last.clear();
        self.last.extend_from_slice(&self.bytes[before + size_of::<u32>()..]);
        black_box(&self.bytes);
    }
}

impl<W: Wire> Outbox<W> for Said {
    fn reply(&mut self, to: Caller, reply: W::Reply<'_>) {
        if to.request != NO_REPLY {
            self.frame(&ToClient::<_, W::Push<'_>>::Reply(to.request, reply));
        }
    }

    fn refuse(&mut self, _: Caller, refusal: Refusal) {
        panic!("{refusal}");
    }

    fn push(&mut self, _: SessionId, push: W::Push<'_>) {
        self.heard += 1;
        self.frame(&ToClient::<W::Reply<'_>, _>::Push(push));
    }

    fn push_all(&mut self, to: &[SessionId], push: W::Push<'_>) {
        self.heard += to.len() as u64;
        self.frame(&ToClient::<W::Reply<'_>, _>::Push(push));
    }

    fn publish(
        &mut self,
        publication: Publication<'_, W::Push<'_>>,
        _: impl IntoIterator<Item = SessionId>,
    ) {
        self.heard += 1;
        self.frame(&ToClient::<W::Reply<'_>, _>::Push(publication.push));
    }

    fn has_room(&mut self, _: SessionId) -> bool {
        true
    }

    fn disconnect(&mut self, _: SessionId, why: Refusal) {
        panic!("{why}");
    }
}
