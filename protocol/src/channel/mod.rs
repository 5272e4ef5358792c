//! The words of channel-server: what clients ask, what it answers, what it sends unasked.

mod ack;
mod answer;
mod ask;
mod bounded;
mod cancel;
mod configure;
mod consume;
mod dead;
mod drop_history;
mod enqueue;
mod histories;
mod keep_history;
mod nack;
mod presence;
mod publish;
mod publish_many;
mod publish_one;
mod pushes;
mod question;
mod queues;
mod redrive;
mod remove;
mod renew;
mod replies;
mod serve;
mod settings;
mod subscribe;
mod unsubscribe;

pub use ack::Ack;
pub use answer::Answer;
pub use ask::Ask;
pub use bounded::{NackReason, PublisherId, TooLongError};
pub use cancel::Cancel;
pub use configure::Configure;
pub use consume::Consume;
pub use dead::{Cause, Dead, DeadJob};
pub use drop_history::DropHistory;
pub use enqueue::Enqueue;
pub use histories::{Histories, HistoryRule};
pub use keep_history::{HistoryBounds, KeepHistory};
pub use nack::Nack;
pub use presence::{Change, Enter, FollowPresence, Member, Presence, PresenceChange, PresencePage};
pub use publish::Publish;
pub use publish_many::PublishMany;
pub use publish_one::PublishOne;
pub use pushes::{Delivery, Push};
pub use question::{Question, Unanswered, UnansweredCause};
pub use queues::{QueueStats, Queues};
pub use redrive::Redrive;
pub use remove::Remove;
pub use renew::Renew;
pub use replies::Reply;
pub use serve::Serve;
pub use settings::{Backoff, QueueSettings, Settings, SettingsInForce};
pub use subscribe::{Interest, Start, Subscribe, Subscription, Topic, WhenSlow};
pub use unsubscribe::Unsubscribe;

use crate::envelope::{self, Message, Wire};
use crate::wire::DecodeError;

/// The vocabularies of channel-server.
#[derive(Clone, Copy, Debug)]
pub struct ChannelWire;

impl Wire for ChannelWire {
    type Request<'a> = Request<'a>;
    type Reply<'a> = Reply<'a>;
    type Push<'a> = Push<'a>;
}

/// What clients ask of channel-server.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each operation is described at its own type")]
pub enum Request<'a> {
    Subscribe(Subscribe<'a>),
    Unsubscribe(Unsubscribe<'a>),
    Publish(Publish<'a>),
    PublishMany(PublishMany<'a>),
    PublishOne(PublishOne<'a>),
    Enqueue(Enqueue<'a>),
    Consume(Consume<'a>),
    Ack(Ack),
    Nack(Nack<'a>),
    Renew(Renew),
    Cancel(Cancel<'a>),
    Queues(Queues<'a>),
    Ask(Ask<'a>),
    Answer(Answer<'a>),
    Serve(Serve<'a>),
    Enter(Enter<'a>),
    Presence(Presence<'a>),
    FollowPresence(FollowPresence<'a>),
    KeepHistory(KeepHistory<'a>),
    DropHistory(DropHistory<'a>),
    Histories(Histories<'a>),
    Remove(Remove<'a>),
    Configure(Configure<'a>),
    Settings(Settings<'a>),
    Dead(Dead<'a>),
    Redrive(Redrive<'a>),
}

impl<'a> Message<'a> for Request<'a> {
    fn operation(&self) -> u8 {
        match self {
            Self::Subscribe(_) => subscribe::CODE,
            Self::Unsubscribe(_) => unsubscribe::CODE,
            Self::Publish(_) => publish::CODE,
            Self::PublishMany(_) => publish_many::CODE,
            Self::PublishOne(_) => publish_one::CODE,
            Self::Enqueue(_) => enqueue::CODE,
            Self::Consume(_) => consume::CODE,
            Self::Ack(_) => ack::CODE,
            Self::Nack(_) => nack::CODE,
            Self::Renew(_) => renew::CODE,
            Self::Cancel(_) => cancel::CODE,
            Self::Queues(_) => queues::CODE,
            Self::Ask(_) => ask::CODE,
            Self::Answer(_) => answer::CODE,
            Self::Serve(_) => serve::CODE,
            Self::Enter(_) => presence::ENTER,
            Self::Presence(_) => presence::PRESENCE,
            Self::FollowPresence(_) => presence::FOLLOW,
            Self::KeepHistory(_) => keep_history::CODE,
            Self::DropHistory(_) => drop_history::CODE,
            Self::Histories(_) => histories::CODE,
            Self::Remove(_) => remove::CODE,
            Self::Configure(_) => configure::CODE,
            Self::Settings(_) => settings::CODE,
            Self::Dead(_) => dead::CODE,
            Self::Redrive(_) => redrive::CODE,
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Subscribe(request) => request.put(out),
            Self::Unsubscribe(request) => request.put(out),
            Self::Publish(request) => request.put(out),
            Self::PublishMany(request) => request.put(out),
            Self::PublishOne(request) => request.put(out),
            Self::Enqueue(request) => request.put(out),
            Self::Consume(request) => request.put(out),
            Self::Ack(request) => request.put(out),
            Self::Nack(request) => request.put(out),
            Self::Renew(request) => request.put(out),
            Self::Cancel(request) => request.put(out),
            Self::Queues(request) => request.put(out),
            Self::Ask(request) => request.put(out),
            Self::Answer(request) => request.put(out),
            Self::Serve(request) => request.put(out),
            Self::Enter(request) => request.put(out),
            Self::Presence(request) => request.put(out),
            Self::FollowPresence(request) => request.put(out),
            Self::KeepHistory(request) => request.put(out),
            Self::DropHistory(request) => request.put(out),
            Self::Histories(request) => request.put(out),
            Self::Remove(request) => request.put(out),
            Self::Configure(request) => request.put(out),
            Self::Settings(request) => request.put(out),
            Self::Dead(request) => request.put(out),
            Self::Redrive(request) => request.put(out),
        }
    }

    fn decode(operation: u8, body: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(match operation {
            subscribe::CODE => Self::Subscribe(Subscribe::decode(body)?),
            unsubscribe::CODE => Self::Unsubscribe(Unsubscribe::decode(body)?),
            publish::CODE => Self::Publish(Publish::decode(body)?),
            publish_many::CODE => Self::PublishMany(PublishMany::decode(body)?),
            publish_one::CODE => Self::PublishOne(PublishOne::decode(body)?),
            enqueue::CODE => Self::Enqueue(Enqueue::decode(body)?),
            consume::CODE => Self::Consume(Consume::decode(body)?),
            ack::CODE => Self::Ack(Ack::decode(body)?),
            nack::CODE => Self::Nack(Nack::decode(body)?),
            cancel::CODE => Self::Cancel(Cancel::decode(body)?),
            queues::CODE => Self::Queues(Queues::decode(body)?),
            ask::CODE => Self::Ask(Ask::decode(body)?),
            answer::CODE => Self::Answer(Answer::decode(body, "answer")?),
            serve::CODE => Self::Serve(Serve::decode(body)?),
            presence::ENTER => Self::Enter(Enter::decode(body)?),
            presence::PRESENCE => Self::Presence(Presence::decode(body)?),
            presence::FOLLOW => Self::FollowPresence(FollowPresence::decode(body)?),
            keep_history::CODE => Self::KeepHistory(KeepHistory::decode(body)?),
            drop_history::CODE => Self::DropHistory(DropHistory::decode(body)?),
            histories::CODE => Self::Histories(Histories::decode(body)?),
            renew::CODE => Self::Renew(Renew::decode(body)?),
            remove::CODE => Self::Remove(Remove::decode(body)?),
            configure::CODE => Self::Configure(Configure::decode(body)?),
            settings::CODE => Self::Settings(Settings::decode(body)?),
            dead::CODE => Self::Dead(Dead::decode(body)?),
            redrive::CODE => Self::Redrive(Redrive::decode(body)?),
            unknown => return Err(envelope::unknown_operation(unknown)),
        })
    }
}
