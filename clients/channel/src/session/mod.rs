//! What the connection's task knows of this client: its subscriptions, consumers, responders and
//! presences, restored on every new connection, and the questions that it waits for.

mod asked;
mod asking;
mod consumers;
mod followers;
mod following;
mod held;
mod leases;
mod missed;
mod questions;
mod restore;
mod room;
mod subscriptions;
mod topics;
mod visits;
mod wanting;

use crate::message::Message;
use crate::wanted::Wanted;
use asked::Asked;
pub(crate) use asking::ToAsk;
use bytes::Bytes;
use consumers::{Cancelled, Consumers, Demand};
use followers::Followers;
pub(crate) use followers::ToFollow;
pub(crate) use held::{HeldJob, HeldQuestion, Outcome};
pub(crate) use leases::Lease;
use leases::Leases;
pub(crate) use missed::Missed;
use questions::Questions;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use subscriptions::Subscriptions;
use tokio::sync::oneshot;
use visits::Rooms;
pub(crate) use visits::Visit;
use workyard_link::{
    DisconnectReason, Error, Event, GapCause, Mailbox, Outbox, Received, Server, Session,
};
use workyard_protocol::channel::{
    Cancel, Consume, Delivery, Nack, Push, Renew, Reply, Request, WhenSlow,
};
use workyard_protocol::control::ServiceKind;
use workyard_protocol::{ChannelName, DecodeError, QueueName, Reason, Refusal};

/// Names a subscription or a consumer within this process.
pub(crate) type LocalId = u64;

/// Who waits for something to be done.
pub(crate) type Done = oneshot::Sender<Result<(), Error>>;

/// Who waits for what becomes of a question.
pub(crate) type Waiter = oneshot::Sender<Result<Outcome, Error>>;

/// What handles ask of the session.
#[derive(Debug)]
pub(crate) enum Command {
    Subscribe {
        to_subscribe: ToSubscribe,
        done: Done,
    },
    Follow {
        to_follow: ToFollow,
        done: Done,
    },
    /// A subscription with history that had no room has some again.
    Resume {
        id: LocalId,
    },
    Unsubscribe {
        id: LocalId,
        done: Option<Done>,
    },
    Consume {
        id: LocalId,
        queue: Bytes,
        prefetch: u32,
        mailbox: Arc<Mailbox<HeldJob>>,
        done: Done,
    },
    Cancel {
        id: LocalId,
        done: Done,
    },
    /// A consumer is gone; these jobs were in its mailbox.
    Released {
        id: LocalId,
        left: Vec<HeldJob>,
    },
    Ask {
        to_ask: ToAsk,
        done: Waiter,
    },
    Serve {
        id: LocalId,
        channel: Bytes,
        mailbox: Arc<Mailbox<HeldQuestion>>,
        done: Done,
    },
    CloseResponder {
        id: LocalId,
        done: Done,
    },
    /// A responder is gone; these questions were in its mailbox.
    ReleasedResponder {
        id: LocalId,
        left: Vec<HeldQuestion>,
    },
    /// A question was dropped, and nobody answered it.
    DroppedQuestion(HeldQuestion),
    /// Something about presence.
    Visit(Visit),
}

/// A subscription without history.
#[derive(Debug)]
pub(crate) struct ToSubscribe {
    pub(crate) id: LocalId,
    pub(crate) wanted: Wanted,
    pub(crate) mailbox: Arc<Mailbox<Message>>,
    pub(crate) when_slow: WhenSlow,
    /// Set before it ends because it was too slow.
    pub(crate) too_slow: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
pub(crate) struct ChannelSession {
    subscriptions: Subscriptions,
    followers: Followers,
    consumers: Consumers,
    questions: Questions,
    rooms: Rooms,
    leases: Leases,
    asked: BTreeMap<u64, Asked>,
    last_token: u64,
    /// The connection that is there, and its limit.
    connection: Option<(u64, usize)>,
    /// Of the server that there was a connection to last.
    epoch: u64,
}

impl Session for ChannelSession {
    type Command = Command;

    fn service(&self) -> ServiceKind {
        ServiceKind::Channel
    }

    fn connected(&mut self, server: &Server, outbox: &mut Outbox) {
        self.connection = Some((server.connection, server.frame_bytes_max));
        self.epoch = server.epoch;
        for wanted in restore::parts(self.subscriptions.wanted(), server.frame_bytes_max) {
            self.subscribe(wanted, outbox);
        }
        self.restore_following(outbox);
        for demand in self.consumers.demands() {
            self.consume(&demand, outbox);
        }
        self.restore_services(outbox);
        self.restore_visits(server.epoch, outbox);
    }

    fn disconnected(&mut self, reason: &DisconnectReason, outbox: &mut Outbox) {
        self.connection = None;
        if let DisconnectReason::Goodbye(refusal) = reason
            && refusal.reason == Reason::SlowConsumer
        {
            for id in self.subscriptions.disconnected() {
                self.end_slow(id, outbox);
            }
        }
        self.subscriptions.interrupted();
        self.followers.interrupted();
        self.consumers.interrupted();
        self.questions.interrupted();
        self.leases.interrupted();
        for asked in std::mem::take(&mut self.asked).into_values() {
            self.lost(asked);
        }
    }

    fn command(&mut self, command: Command, outbox: &mut Outbox) {
        match command {
            Command::Subscribe { done, .. }
            | Command::Consume { done, .. }
            | Command::Serve { done, .. }
            | Command::Follow { done, .. }
                if done.is_closed() => {}
            Command::Ask { done, .. } if done.is_closed() => {}
            Command::Subscribe { to_subscribe, done } => {
                if let Some(wanted) = self.subscriptions.add(to_subscribe, done) {
                    self.subscribe(vec![wanted], outbox);
                }
            }
            Command::Follow { to_follow, done } => self.begin_following(to_follow, done, outbox),
            Command::Resume { id } => self.start_following(id, outbox),
            Command::Unsubscribe { id, done } => match self.subscriptions.remove(id) {
                Some(removed) => self.removed(removed, done, outbox),
                None => self.end_following(id, done, outbox),
            },
            Command::Consume { id, queue, prefetch, mailbox, done } => {
                let demand = self.consumers.add(id, queue, prefetch, mailbox, done);
                self.consume(&demand, outbox);
            }
            Command::Cancel { id, done } => self.cancel(id, done, outbox),
            Command::Released { id, left } => {
                let connection = self.connection.map(|(number, _)| number);
                let left = left.into_iter().filter(|job| Some(job.connection) == connection);
                if let Some(demand) = self.consumers.remove(id) {
                    self.consume_less(&demand, outbox);
                }
                left.for_each(|job| self.consumers.deliver(job));
            }
            Command::Ask { to_ask, done } => self.ask_question(&to_ask, done, outbox),
            Command::Serve { id, channel, mailbox, done } => {
                self.serve_channel(id, channel, mailbox, done, outbox);
            }
            Command::CloseResponder { id, done } => self.close_responder(id, done, outbox),
            Command::ReleasedResponder { id, left } => self.release_responder(id, left, outbox),
            Command::Visit(visit) => self.visit(visit, outbox),
            Command::DroppedQuestion(held) => {
                self.decline(&held, "the responder dropped it without an answer", outbox);
            }
        }
    }

    fn pushed(&mut self, push: &Received, outbox: &mut Outbox) -> Result<(), DecodeError> {
        match push.decode::<Push<'_>>()? {
            Push::Message { delivery, channel, sequence, position, value } => {
                let channel = push.keep(channel.as_bytes());
                let message = Message::new(channel, sequence, position, push.keep_value(value));
                let taken = self.subscriptions.deliver(delivery, &message);
                for id in self.subscriptions.take_too_slow() {
                    self.end_slow(id, outbox);
                }
                match delivery {
                    Delivery::Everybody => self.deliver_to_followers(&message, outbox),
                    Delivery::One if !taken => self.followers.deliver_one(&message),
                    Delivery::One | Delivery::Group(_) => {}
                }
            }
            Push::Gap { channel, from, to, missed, replay: 0 } => {
                let channel = channel.map(|channel| push.keep(channel.as_bytes()));
                self.subscriptions.missed(channel.as_ref(), from, to, missed);
                self.follow_again(channel.as_ref(), outbox);
                let numbers = (from > 0).then_some(from..=to);
                outbox.event(Event::Gap { channel, numbers, missed, cause: GapCause::Server });
            }
            part @ (Push::Gap { .. } | Push::Replayed { .. } | Push::CaughtUp { .. }) => {
                self.replay_pushed(push, part, outbox);
            }
            Push::Job { queue, job, attempt, lease, lease_ms, value } => {
                let (connection, _) = self.connection.expect("pushes come by a connection");
                self.consumers.deliver(HeldJob {
                    job,
                    queue: push.keep(queue.as_bytes()),
                    attempt,
                    value: push.keep_value(value),
                    connection,
                    lease: self.leases.add(lease, lease_ms),
                    held: Arc::default(),
                });
            }
            Push::Question(question) => self.question_came(push, question, outbox),
            Push::Answered(answer) => self.question_answered(push, answer),
            Push::Unanswered(unanswered) => self.question_unanswered(unanswered),
            Push::Presence(change) => self.presence_changed(change, outbox),
        }
        Ok(())
    }

    fn answered(
        &mut self,
        token: u64,
        answer: Result<Received, Refusal>,
        outbox: &mut Outbox,
    ) -> Result<(), DecodeError> {
        match self.asked.get(&token) {
            Some(Asked::Question(_)) => return self.question_asked(token, &answer),
            Some(Asked::Follow(id)) => {
                let id = *id;
                return self.follow_answered(token, id, answer, outbox);
            }
            Some(Asked::Visit(_)) => return self.visit_answered(token, &answer, outbox),
            _ => {}
        }
        // Before anything is taken out: the connection ends over it, and what was asked with it.
        match (&answer, self.asked.get(&token)) {
            (Ok(received), Some(Asked::Renew)) => self.leases.lose(lost_leases(received)?),
            (Ok(received), _) => check_done(received)?,
            (Err(_), _) => {}
        }
        match (self.asked.remove(&token), answer) {
            (Some(Asked::Subscribe(all)), Ok(_)) => self.subscriptions.confirmed(token, &all),
            (Some(Asked::Subscribe(all)), Err(refusal)) => {
                self.not_subscribed(token, all, &refusal, outbox);
            }
            (Some(Asked::Consume(queue)), Ok(_)) => self.consumers.confirmed(token, &queue),
            (Some(Asked::Consume(queue)), Err(refusal)) => {
                if self.consumers.refused(token, &queue, &refusal) {
                    outbox.event(Event::RestoreRefused { name: queue, refusal });
                }
            }
            // Answers come in order: no job of the queue can follow.
            (Some(Asked::Cancel(id)), _) => drop(self.consumers.remove(id)),
            (Some(Asked::Serve(channel)), Ok(_)) => self.questions.confirmed(token, &channel),
            (Some(Asked::Serve(channel)), Err(refusal)) => {
                if self.questions.refused(token, &channel, &refusal) {
                    outbox.event(Event::RestoreRefused { name: channel, refusal });
                }
            }
            // The same: no question of the channel can follow.
            (Some(Asked::EndService(id)), _) => drop(self.questions.remove(id)),
            (Some(Asked::Question(_) | Asked::Visit(_) | Asked::Follow(_)), _) => {
                unreachable!("that was looked at before")
            }
            (Some(Asked::End(done)), _) => finish(done),
            (Some(Asked::Renew), answer) => {
                if let Err(refusal) = answer {
                    tracing::warn!(%refusal, "leases are not prolonged");
                }
            }
            (None, answer) => tracing::warn!(token, ?answer, "an answer to nothing"),
        }
        Ok(())
    }

    fn wake_at(&self) -> Option<tokio::time::Instant> {
        self.leases.renew_at()
    }

    fn woken(&mut self, now: tokio::time::Instant, outbox: &mut Outbox) {
        let Some((_, frame_bytes_max)) = self.connection else { return };
        let due = self.leases.due(now);
        for leases in restore::leases(&due.renew, frame_bytes_max) {
            let renew = Request::Renew(Renew { leases: leases.to_vec() });
            self.request(&renew, Asked::Renew, outbox);
        }
        for lease in due.give_back {
            self.request(&Request::Nack(Nack::new(lease)), Asked::End(None), outbox);
        }
        self.consumers.drop_lost();
    }

    fn turn_ended(&mut self, outbox: &mut Outbox) {
        self.leases.turn_ended();
        for (channel, numbers, missed) in
            self.subscriptions.take_gaps().chain(self.followers.take_gaps())
        {
            let cause = GapCause::Subscription;
            outbox.event(Event::Gap { channel: Some(channel), numbers, missed, cause });
        }
    }
}

impl ChannelSession {
    fn consume(&mut self, demand: &Demand, outbox: &mut Outbox) {
        let queue = queue_name(&demand.queue);
        let consume = Request::Consume(Consume { queue, prefetch: demand.prefetch });
        let token = self.request(&consume, Asked::Consume(demand.queue.clone()), outbox);
        self.consumers.asked(token, demand);
    }

    fn cancel(&mut self, id: LocalId, done: Done, outbox: &mut Outbox) {
        let mut done = Some(done);
        match self.consumers.cancel(id, &mut done) {
            Some(Cancelled::Ended(demand)) => self.consume_less(&demand, outbox),
            Some(Cancelled::Last { queue }) => {
                self.cancel_queue(&queue, Asked::Cancel(id), outbox);
            }
            // There is none, or it is ending already.
            None => finish(done),
        }
    }

    /// Asks for what is left when a consumer has gone.
    fn consume_less(&mut self, demand: &Demand, outbox: &mut Outbox) {
        match demand.prefetch {
            0 => self.cancel_queue(&demand.queue, Asked::End(None), outbox),
            _ => self.consume(demand, outbox),
        }
    }

    fn cancel_queue(&mut self, queue: &Bytes, asked: Asked, outbox: &mut Outbox) {
        self.request(&Request::Cancel(Cancel { queue: queue_name(queue) }), asked, outbox);
    }
}

fn channel_name(channel: &Bytes) -> ChannelName<'_> {
    ChannelName::new(channel).expect("names are checked when they come in")
}

/// Tells whoever waits that the server will not. Returns whether nobody does: it was there before.
fn refused(done: Option<Done>, refusal: &Refusal) -> bool {
    match done {
        Some(done) => {
            let _ = done.send(Err(Error::Refused(refusal.clone())));
            false
        }
        None => true,
    }
}

fn queue_name(queue: &Bytes) -> QueueName<'_> {
    QueueName::new(queue).expect("names are checked when they come in")
}

/// The leases that were to be prolonged and are over.
fn lost_leases(received: &Received) -> Result<Vec<u64>, DecodeError> {
    match received.decode()? {
        Reply::Renewed { lost } => Ok(lost),
        other => Err(DecodeError::Malformed(format!("{other:?} is no answer to a renewal"))),
    }
}

/// The only answer to everything else that a session asks for.
fn check_done(received: &Received) -> Result<(), DecodeError> {
    match received.decode()? {
        Reply::Done => Ok(()),
        other => Err(no_answer(&other)),
    }
}

fn no_answer(reply: &Reply<'_>) -> DecodeError {
    DecodeError::Malformed(format!("{reply:?} is no answer to this request"))
}

fn finish(done: Option<Done>) {
    done.into_iter().for_each(|done| drop(done.send(Ok(()))));
}
