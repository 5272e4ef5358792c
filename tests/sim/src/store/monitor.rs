//! What is asked of globaldata-server, and whether the answers are right.

use super::locks::Locks;
use super::model::{Model, Told};
use super::record::{Record, Said};
use crate::findings::Findings;
use crate::monitor::Monitor;
use crate::world::lock;
use std::sync::{Arc, Mutex};
use workyard_engine::{SessionId, Time};
use workyard_protocol::globaldata::{BatchReply, GlobalDataWire, Push, Reply, Request, Step};
use workyard_protocol::{Message, Refusal, RequestId};

/// Looks on at the server's door.
#[derive(Debug)]
pub(crate) struct StoreMonitor {
    record: Arc<Mutex<Record>>,
    model: Model,
    locks: Locks,
    now: Time,
    current: Option<Doing>,
}

/// What is being carried out, as it came.
#[derive(Debug)]
struct Doing {
    operation: u8,
    body: Vec<u8>,
}

impl StoreMonitor {
    pub(crate) fn new(record: Arc<Mutex<Record>>) -> Self {
        let (model, locks, now) = (Model::default(), Locks::default(), Time::default());
        Self { record, model, locks, now, current: None }
    }

    fn told(&mut self, session: SessionId, told: Told<'_>) {
        let Some(doing) = self.current.take() else { return };
        let request = Request::decode(doing.operation, &doing.body).expect("it was read before");
        let checked = self.model.check(self.now.as_millis(), &request, told);
        self.check_locks(session, &request, told);
        self.note_changes();
        let mut record = lock(&self.record);
        if let Err(text) = checked {
            record.findings.report(format!("{session:?} asked {request:?} and was {text}"));
        }
        if let Ok(reply) = told {
            record.say(Said::at_the_door(&request, reply));
        }
    }
}

impl StoreMonitor {
    fn findings(&self) -> Arc<Findings> {
        Arc::clone(&lock(&self.record).findings)
    }

    fn note_changes(&mut self) {
        let mut record = lock(&self.record);
        self.model.changes.drain(..).for_each(|(key, change)| record.truth.add(key, change));
    }

    fn check_locks(&mut self, session: SessionId, request: &Request<'_>, told: Told<'_>) {
        let (now_ms, findings) = (self.now.as_millis(), self.findings());
        match (request, told) {
            (Request::Lock(request), Ok(Reply::Lock(reply))) => {
                self.locks.answered(now_ms, session, request, *reply, &findings);
            }
            (Request::Unlock(request), Ok(Reply::Unlocked { released })) => {
                self.locks.unlocked(now_ms, session, request, *released, &findings);
            }
            (Request::RenewLocks(request), Ok(Reply::Renewed { lost })) => {
                self.locks.renewed(now_ms, session, request, lost, &findings);
            }
            (Request::Batch(batch), Ok(Reply::Batch(reply))) => {
                if let Some(Step::RequireLock { token, .. }) = batch.steps.first() {
                    let is_done = matches!(reply, BatchReply::Applied { .. });
                    self.locks.fenced(now_ms, *token, is_done, &findings);
                }
            }
            _ => {}
        }
    }
}

impl Monitor<GlobalDataWire> for StoreMonitor {
    fn at(&mut self, now: Time) {
        self.now = now;
        self.model.at(now.as_millis());
        self.note_changes();
    }

    fn started(&mut self, epoch: u64) {
        self.model = Model::new(epoch);
    }

    fn crashed(&mut self) {
        let orphans = self.locks.crashed();
        let mut record = lock(&self.record);
        record.guards.orphan(orphans);
        record.truth.restart();
        drop(record);
        // Until there is another one, nothing expires either.
        self.model = Model::default();
    }

    fn closed(&mut self, session: SessionId) {
        let orphans = self.locks.closed(session);
        lock(&self.record).guards.orphan(orphans);
    }

    fn asked(&mut self, _: SessionId, _: RequestId, request: &Request<'_>) -> bool {
        let mut body = Vec::new();
        request.put(&mut body);
        self.current = Some(Doing { operation: request.operation(), body });
        false
    }

    fn answered(&mut self, session: SessionId, _: RequestId, reply: &Reply<'_>) {
        self.told(session, Ok(reply));
    }

    fn refused(&mut self, session: SessionId, _: RequestId, refusal: &Refusal) {
        self.told(session, Err(refusal));
    }

    fn pushed(&mut self, session: SessionId, push: &Push) {
        let (now_ms, findings) = (self.now.as_millis(), self.findings());
        match push {
            Push::LockGranted { token } => self.locks.hold(now_ms, session, *token, &findings),
            Push::LockLost { token } => self.locks.lost(now_ms, *token, &findings),
            _ => {}
        }
    }

    fn published(&mut self, _: &[SessionId], _: &Push) {}
}
