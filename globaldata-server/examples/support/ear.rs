//! Whoever asks a store, and as little as an outbox can do.

use workyard_engine::{Caller, Engine, Outbox, Publication, SessionId, Time};
use workyard_globaldata_core::Store;
use workyard_protocol::Refusal;
use workyard_protocol::globaldata::{GlobalDataWire, Push, Reply, Request, Watching, Written};

/// Keeps the latest revision that was told, and how many pushes there were.
#[derive(Default)]
pub(crate) struct Ear {
    revision: u64,
    pushes: u64,
}

impl Ear {
    /// The latest revision that was told, and how many pushes there were since this was asked last.
    pub(crate) fn heard(&mut self) -> (u64, u64) {
        (self.revision, std::mem::take(&mut self.pushes))
    }
}

/// Has a session ask, at the beginning of time.
pub(crate) fn ask(store: &mut Store, session: u32, request: Request<'_>, ear: &mut Ear) {
    let caller = Caller { session: SessionId::new(session, 0), request: 1 };
    store.handle(Time::default(), caller, request, ear);
}

impl Outbox<GlobalDataWire> for Ear {
    fn reply(&mut self, _: Caller, reply: Reply<'_>) {
        self.revision = match reply {
            Reply::Got(entry) => entry.expect("every key is there").revision,
            Reply::Written(Written::Stored { revision }) => revision,
            Reply::Incremented { revision, .. } => revision,
            Reply::Existence(existence) => existence.expect("every key is there").revision,
            Reply::Watching(Watching::From(revision)) => revision,
            Reply::Modified(modified) => modified.revision,
            Reply::Looked(looked) => looked.revision,
            other => panic!("not asked for: {other:?}"),
        };
    }

    fn refuse(&mut self, _: Caller, refusal: Refusal) {
        panic!("refused: {refusal}");
    }

    fn push(&mut self, _: SessionId, _: Push) {
        self.pushes += 1;
    }

    fn push_all(&mut self, to: &[SessionId], _: Push) {
        self.pushes += to.len() as u64;
    }

    fn publish(
        &mut self,
        publication: Publication<'_, Push>,
        _: impl IntoIterator<Item = SessionId>,
    ) {
        unreachable!("nobody asked for {:?}", publication.push)
    }

    fn has_room(&mut self, _: SessionId) -> bool {
        true
    }

    fn disconnect(&mut self, session: SessionId, refusal: Refusal) {
        unreachable!("{session} did nothing wrong: {refusal}")
    }
}
