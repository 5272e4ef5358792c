//! What is asked of globaldata-server, and whether the answers are right.

use super::model::{Model, Told};
use super::record::{Record, Said};
use crate::monitor::Monitor;
use crate::world::lock;
use std::sync::{Arc, Mutex};
use workyard_engine::{SessionId, Time};
use workyard_protocol::globaldata::{GlobalDataWire, Push, Reply, Request};
use workyard_protocol::{Message, Refusal, RequestId};

/// Looks on at the server's door.
#[derive(Debug)]
pub(crate) struct StoreMonitor {
    record: Arc<Mutex<Record>>,
    model: Model,
    current: Option<Doing>,
}

/// What is being carried out, as it came.
#[derive(Debug)]
struct Doing {
    now: Time,
    operation: u8,
    body: Vec<u8>,
}

impl StoreMonitor {
    pub(crate) fn new(record: Arc<Mutex<Record>>) -> Self {
        Self { record, model: Model::default(), current: None }
    }

    fn told(&mut self, session: SessionId, told: Told<'_>) {
        let Some(doing) = self.current.take() else { return };
        let request = Request::decode(doing.operation, &doing.body).expect("it was read before");
        let checked = self.model.check(doing.now.as_millis(), &request, told);
        let mut record = lock(&self.record);
        if let Err(text) = checked {
            record.findings.report(format!("{session:?} asked {request:?} and was {text}"));
        }
        if let Ok(reply) = told {
            record.say(Said::at_the_door(&request, reply));
        }
    }
}

impl Monitor<GlobalDataWire> for StoreMonitor {
    fn started(&mut self, epoch: u64) {
        self.model = Model::new(epoch);
    }

    fn crashed(&mut self) {}

    fn closed(&mut self, _: SessionId) {}

    fn asked(&mut self, now: Time, _: SessionId, _: RequestId, request: &Request<'_>) -> bool {
        let mut body = Vec::new();
        request.put(&mut body);
        self.current = Some(Doing { now, operation: request.operation(), body });
        false
    }

    fn answered(&mut self, session: SessionId, _: RequestId, reply: &Reply<'_>) {
        self.told(session, Ok(reply));
    }

    fn refused(&mut self, session: SessionId, _: RequestId, refusal: &Refusal) {
        self.told(session, Err(refusal));
    }

    fn pushed(&mut self, _: SessionId, _: &Push) {}

    fn published(&mut self, _: &[SessionId], _: &Push) {}
}
