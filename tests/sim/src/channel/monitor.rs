//! Who asks channel-server for what, and whether what it does about it is right.

use super::interests::{Interests, Receivers, wanted};
use super::jobs::Lease;
use super::ledger::Ledger;
use super::questions::Questions;
use super::value_id;
use crate::monitor::Monitor;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use workyard_engine::{SessionId, Time};
use workyard_protocol::channel::{Answer, ChannelWire, Push, Question, Reply, Request, Unanswered};
use workyard_protocol::{Reason, Refusal, RequestId};

/// Looks on at the server's door.
#[derive(Debug)]
pub(crate) struct ChannelMonitor {
    ledger: Arc<Mutex<Ledger>>,
    interests: Interests,
    questions: Questions,
    now_ms: u64,
    current: Option<Doing>,
    /// To whom went what is being published, in the order of the channels.
    receivers: Vec<(Vec<u8>, Receivers)>,
}

/// What is being carried out.
#[derive(Debug)]
enum Doing {
    Subscribe(Vec<(Vec<u8>, bool, Option<Vec<u8>>)>),
    Unsubscribe(Vec<(Vec<u8>, bool, Option<Vec<u8>>)>),
    Publish(Vec<Vec<u8>>),
    PublishOne(Vec<u8>),
    Enqueue(u64),
    Ack(u64),
    Nack(u64),
    Renew(Vec<u64>),
    Ask { channel: Vec<u8>, ends_ms: u64, is_repeatable: bool },
    Answer { question: u64, value: u64 },
    Serve { channel: Vec<u8>, is_on: bool },
}

impl ChannelMonitor {
    pub(crate) fn new(ledger: Arc<Mutex<Ledger>>) -> Self {
        Self {
            ledger,
            interests: Interests::default(),
            questions: Questions::default(),
            now_ms: 0,
            current: None,
            receivers: Vec::new(),
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_receivers(&mut self, channels: &[Vec<u8>]) {
        let received = std::mem::take(&mut self.receivers);
        let findings = Arc::clone(&self.ledger().findings);
        for channel in channels {
            let none = Receivers::default();
            let to = received.iter().find(|(name, _)| name == channel).map_or(&none, |(_, to)| to);
            self.interests.check(channel, to, &findings);
        }
        findings.check(received.len() <= channels.len(), || "a message out of nothing".to_owned());
    }

    fn check_receivers_of_one(&mut self, channel: &[u8]) {
        let received = std::mem::take(&mut self.receivers);
        let findings = Arc::clone(&self.ledger().findings);
        let none = Receivers::default();
        let to = received.first().map_or(&none, |(_, to)| to);
        self.interests.check_one(channel, to, &findings);
    }
}

impl Monitor<ChannelWire> for ChannelMonitor {
    fn at(&mut self, now: Time) {
        self.now_ms = now.as_millis();
    }

    fn started(&mut self, _: u64) {}

    fn crashed(&mut self) {
        self.interests.forget_everything();
        self.questions.forget_everything();
        self.ledger().crashed();
    }

    fn closed(&mut self, session: SessionId) {
        self.interests.close(session);
        self.questions.closed(session);
        self.ledger().jobs.closed(session);
    }

    fn asked(&mut self, _: SessionId, _: RequestId, request: &Request<'_>) -> bool {
        let doing = match request {
            Request::Subscribe(request) => {
                let interests = request.subscriptions.iter().map(|wanted| &wanted.interest);
                Doing::Subscribe(interests.map(wanted).collect())
            }
            Request::Unsubscribe(request) => {
                Doing::Unsubscribe(request.interests.iter().map(wanted).collect())
            }
            Request::Publish(request) => {
                let channel = request.channel.as_bytes();
                self.ledger().publish(channel, value_id(request.value));
                Doing::Publish(vec![channel.to_vec()])
            }
            Request::PublishMany(request) => {
                let channels: Vec<_> =
                    request.channels.iter().map(|name| name.as_bytes().to_vec()).collect();
                let value = value_id(request.value);
                channels.iter().for_each(|channel| self.ledger().publish(channel, value));
                Doing::Publish(channels)
            }
            Request::PublishOne(request) => Doing::PublishOne(request.channel.as_bytes().to_vec()),
            Request::Enqueue(request) => Doing::Enqueue(value_id(request.value)),
            Request::Ack(request) => Doing::Ack(request.lease),
            Request::Nack(request) => Doing::Nack(request.lease),
            Request::Renew(request) => Doing::Renew(request.leases.clone()),
            Request::Ask(request) => Doing::Ask {
                channel: request.channel.as_bytes().to_vec(),
                ends_ms: self.now_ms + u64::from(request.timeout_ms),
                is_repeatable: request.repeat,
            },
            Request::Answer(request) => {
                Doing::Answer { question: request.question, value: value_id(request.value) }
            }
            Request::Serve(request) => {
                Doing::Serve { channel: request.channel.as_bytes().to_vec(), is_on: request.on }
            }
            _ => return false,
        };
        self.current = Some(doing);
        false
    }

    fn answered(&mut self, session: SessionId, _: RequestId, reply: &Reply<'_>) {
        let findings = Arc::clone(&self.ledger().findings);
        match (self.current.take(), reply) {
            (Some(Doing::Subscribe(all)), _) => self.interests.add(session, all),
            (Some(Doing::Unsubscribe(all)), _) => self.interests.remove(session, &all),
            (Some(Doing::Publish(channels)), _) => self.check_receivers(&channels),
            (Some(Doing::PublishOne(channel)), _) => self.check_receivers_of_one(&channel),
            (Some(Doing::Enqueue(value)), Reply::Enqueued { job, .. }) => {
                self.ledger().jobs.stored(*job, value, &findings);
            }
            (Some(Doing::Ack(lease)), _) => {
                self.ledger().jobs.acknowledged(session, lease, &findings);
            }
            (Some(Doing::Nack(lease)), _) => {
                self.ledger().jobs.given_back(session, lease, &findings);
            }
            (Some(Doing::Renew(leases)), Reply::Renewed { lost }) => {
                self.ledger().jobs.renewed(session, &leases, lost, &findings);
            }
            (Some(Doing::Ask { channel, ends_ms, is_repeatable }), Reply::Asked { question }) => {
                self.questions.asked(session, *question, &channel, ends_ms, is_repeatable);
            }
            (Some(Doing::Answer { question, value }), _) => {
                self.questions.answered(session, question, value, self.now_ms, &findings);
            }
            (Some(Doing::Serve { channel, is_on }), _) => {
                self.questions.serves(session, &channel, is_on);
            }
            (Some(doing), reply) => findings.report(format!("{reply:?} is no answer to {doing:?}")),
            (None, _) => {}
        }
    }

    fn refused(&mut self, session: SessionId, _: RequestId, refusal: &Refusal) {
        let findings = Arc::clone(&self.ledger().findings);
        match self.current.take() {
            Some(Doing::Ack(lease) | Doing::Nack(lease)) => {
                self.ledger().jobs.denied(session, lease, &findings);
            }
            Some(Doing::Ask { channel, .. }) if refusal.reason == Reason::NoResponders => {
                self.questions.nobody(&channel, &findings);
            }
            // All are busy, or the answer comes too late: nobody promised anything else.
            Some(Doing::Ask { .. } | Doing::Answer { .. }) => {}
            Some(doing) => findings.report(format!("{doing:?} was refused: {refusal}")),
            None => {}
        }
        findings.check(self.receivers.is_empty(), || "refused and done all the same".to_owned());
    }

    fn pushed(&mut self, session: SessionId, push: &Push<'_>) {
        let findings = Arc::clone(&self.ledger().findings);
        let now_ms = self.now_ms;
        match push {
            Push::Job { job, attempt, lease, lease_ms, value, .. } => {
                let lease = Lease::new(session, *lease, *lease_ms);
                let value = value_id(*value);
                self.ledger().jobs.handed_out(lease, *job, *attempt, value, &findings);
            }
            Push::Question(Question { question, attempt, .. }) => {
                self.questions.handed_to(session, *question, *attempt, &findings);
            }
            Push::Answered(Answer { question, value, .. }) => {
                self.questions.told(session, *question, value_id(*value), &findings);
            }
            Push::Unanswered(Unanswered { question, cause }) => {
                self.questions.given_up(session, *question, *cause, now_ms, &findings);
            }
            _ => {}
        }
    }

    fn published(&mut self, recipients: &[SessionId], push: &Push<'_>) {
        let Push::Message { delivery, channel, sequence, value, .. } = push else { return };
        let name = channel.as_bytes();
        if *sequence > 0 {
            self.ledger().number(name, value_id(*value), *sequence);
        }
        match self.receivers.iter_mut().find(|(known, _)| known == name) {
            Some((_, receivers)) => receivers.add(*delivery, recipients),
            None => {
                let mut receivers = Receivers::default();
                receivers.add(*delivery, recipients);
                self.receivers.push((name.to_vec(), receivers));
            }
        }
    }
}
