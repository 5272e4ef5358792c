//! Who asks channel-server to keep, hand out and take back which jobs, and what it answers.

use super::book::{HandOut, Stored};
use super::ledger::Ledger;
use crate::channel::value_id;
use crate::monitor::Monitor;
use crate::world::lock;
use std::sync::{Arc, Mutex};
use workyard_channel_core::BrokerLimits;
use workyard_engine::{SessionId, Time};
use workyard_protocol::channel::{ChannelWire, Push, QueueSettings, Reply, Request};
use workyard_protocol::{Reason, Refusal, RequestId};

/// Looks on at the server's door.
#[derive(Debug)]
pub(super) struct WorkMonitor {
    ledger: Arc<Mutex<Ledger>>,
    current: Option<Doing>,
}

/// What is being carried out.
#[derive(Debug)]
enum Doing {
    Enqueue(Stored),
    Consume(Vec<u8>, u32),
    Cancel(Vec<u8>),
    Ack(u64),
    /// With what is said of the delay, and how long the reason is.
    Nack(u64, Option<u64>, Option<u64>),
    Renew(Vec<u64>),
    Remove(Vec<u8>, u64),
    /// From this number on.
    Redrive(Vec<u8>, u64),
    Configure(Vec<u8>, QueueSettings),
}

impl WorkMonitor {
    pub(super) fn new(ledger: Arc<Mutex<Ledger>>) -> Self {
        Self { ledger, current: None }
    }
}

impl Monitor<ChannelWire> for WorkMonitor {
    fn at(&mut self, now: Time) {
        lock(&self.ledger).book.at(now.as_millis());
    }

    fn started(&mut self, _: u64) {}

    fn crashed(&mut self) {
        lock(&self.ledger).crashed();
    }

    fn closed(&mut self, session: SessionId) {
        lock(&self.ledger).book.closed(session);
    }

    fn asked(&mut self, _: SessionId, _: RequestId, request: &Request<'_>) -> bool {
        self.current = match request {
            Request::Enqueue(request) => Some(Doing::Enqueue(Stored {
                queue: request.queue.as_bytes().to_vec(),
                value: value_id(request.value),
                bytes: (request.value.byte_len() + BrokerLimits::JOB_OVERHEAD_BYTES) as u64,
                delay_ms: request.delay.as_millis(),
                priority: request.priority,
                id: request.id.map(|id| id.as_bytes().to_vec()),
            })),
            Request::Consume(request) => {
                Some(Doing::Consume(request.queue.as_bytes().to_vec(), request.prefetch))
            }
            Request::Cancel(request) => Some(Doing::Cancel(request.queue.as_bytes().to_vec())),
            Request::Ack(request) => Some(Doing::Ack(request.lease)),
            Request::Nack(request) => {
                let reason_bytes = request.reason.map(|reason| reason.as_str().len() as u64);
                let delay_ms = request.delay.map(|delay| delay.as_millis());
                Some(Doing::Nack(request.lease, delay_ms, reason_bytes))
            }
            Request::Renew(request) => Some(Doing::Renew(request.leases.clone())),
            Request::Remove(request) => {
                Some(Doing::Remove(request.queue.as_bytes().to_vec(), request.job))
            }
            Request::Redrive(request) => {
                Some(Doing::Redrive(request.queue.as_bytes().to_vec(), request.cursor))
            }
            Request::Configure(request) => {
                Some(Doing::Configure(request.queue.as_bytes().to_vec(), request.settings))
            }
            _ => None,
        };
        false
    }

    fn answered(&mut self, session: SessionId, _: RequestId, reply: &Reply<'_>) {
        let book = &mut lock(&self.ledger).book;
        match (self.current.take(), reply) {
            (Some(Doing::Enqueue(stored)), Reply::Enqueued { job, duplicate }) => {
                book.stored(stored, *job, *duplicate);
            }
            (Some(Doing::Consume(queue, prefetch)), _) => book.consumes(session, &queue, prefetch),
            (Some(Doing::Cancel(queue)), _) => book.cancelled(session, &queue),
            (Some(Doing::Ack(lease)), _) => book.acknowledged(session, lease),
            (Some(Doing::Nack(lease, delay_ms, reason_bytes)), _) => {
                book.given_back(session, lease, delay_ms, reason_bytes);
            }
            (Some(Doing::Renew(leases)), Reply::Renewed { lost }) => {
                book.renewed(session, &leases, lost);
            }
            (Some(Doing::Remove(queue, job)), Reply::Counted { jobs, .. }) => {
                book.removed(&queue, job, Some(*jobs));
            }
            (Some(Doing::Redrive(queue, from)), Reply::Counted { jobs, cursor: 0 }) => {
                book.redriven(&queue, from..u64::MAX, *jobs);
            }
            (Some(Doing::Redrive(queue, from)), Reply::Counted { jobs, cursor }) => {
                book.redriven(&queue, from..*cursor, *jobs);
                book.not_redriven(&queue, *cursor);
            }
            (Some(Doing::Configure(queue, settings)), _) => book.configured(&queue, settings),
            (Some(doing), reply) => {
                book.findings.report(format!("{reply:?} is no answer to {doing:?}"));
            }
            (None, _) => {}
        }
    }

    fn refused(&mut self, session: SessionId, _: RequestId, refusal: &Refusal) {
        let book = &mut lock(&self.ledger).book;
        match self.current.take() {
            Some(Doing::Ack(lease) | Doing::Nack(lease, ..)) => {
                let is_right = refusal.reason == Reason::UnknownJob;
                book.findings.check(is_right, || format!("lease {lease}: {refusal}"));
                book.denied(session, lease);
            }
            Some(Doing::Remove(queue, job)) if refusal.reason == Reason::JobLeased => {
                book.removed(&queue, job, None);
            }
            Some(Doing::Enqueue(Stored { queue, bytes, .. }))
                if refusal.reason == Reason::LimitReached =>
            {
                book.full(&queue, bytes);
            }
            Some(Doing::Redrive(queue, from)) if refusal.reason == Reason::LimitReached => {
                book.not_redriven(&queue, from);
            }
            // Of a connection before this one.
            Some(Doing::Cancel(_)) if refusal.reason == Reason::NotConsuming => {}
            doing => book.findings.report(format!("{doing:?} was refused: {refusal}")),
        }
    }

    fn pushed(&mut self, session: SessionId, push: &Push<'_>) {
        if let Push::Job { queue, job, attempt, lease, lease_ms, value } = push {
            lock(&self.ledger).book.handed_out(&HandOut {
                by: session,
                queue: queue.as_bytes(),
                job: *job,
                attempt: *attempt,
                lease: *lease,
                lease_ms: *lease_ms,
                value: value_id(*value),
            });
        }
    }

    fn published(&mut self, _: &[SessionId], _: &Push<'_>) {}
}
