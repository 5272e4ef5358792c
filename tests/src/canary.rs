//! What must survive whatever another connection does: a variable; a job, a subscriber, a publisher.

use crate::words::{
    channel, enqueue, enqueued, get, got, message, publish, published, queue, queues, set, stored,
    subscribe,
};
use crate::{ChannelPeer, ChannelWire, Daemon, GlobalDataPeer, GlobalDataWire, Service};
use workyard_protocol::channel::{Push, QueueStats, Reply};
use workyard_protocol::{Message, ToClient, ValueRef};

const NAME: &str = "canary";
const VALUE: &[u8] = b"alive";

/// A service that can tell whether it still works for others.
pub trait Canary: Service {
    /// The connections that look.
    type Keeper;

    /// Puts the canary in.
    fn keep(daemon: &Daemon<Self>) -> Self::Keeper
    where
        Self: Sized;

    /// Fails unless all is well.
    fn check(keeper: &mut Self::Keeper);
}

impl Canary for GlobalDataWire {
    type Keeper = GlobalDataPeer;

    #[track_caller]
    fn keep(daemon: &Daemon<Self>) -> GlobalDataPeer {
        let mut peer = daemon.peer();
        peer.ask(set(NAME, ValueRef::raw(VALUE)), stored(peer.revision(1)));
        peer
    }

    #[track_caller]
    fn check(keeper: &mut GlobalDataPeer) {
        keeper.ask(get(NAME), got(keeper.revision(1), ValueRef::raw(VALUE)));
    }
}

impl Canary for ChannelWire {
    type Keeper = (ChannelPeer, ChannelPeer);

    #[track_caller]
    fn keep(daemon: &Daemon<Self>) -> (ChannelPeer, ChannelPeer) {
        let mut subscriber = daemon.peer();
        subscriber.ask(subscribe(channel(NAME)), Reply::Done);
        let mut publisher = daemon.peer();
        publisher.ask(enqueue(NAME, VALUE), enqueued(1));
        (subscriber, publisher)
    }

    #[track_caller]
    fn check((subscriber, publisher): &mut (ChannelPeer, ChannelPeer)) {
        publisher.ask(publish(NAME, VALUE), published(1));
        let frame = subscriber.receive();
        let ToClient::Push(Push::Message { sequence, .. }) = frame.decode::<Self>() else {
            panic!("expected a message, got {}", Self::describe(&frame.0));
        };
        let mut expected = Vec::new();
        message(NAME, sequence, VALUE).put(&mut expected);
        assert_eq!(frame.0[1..], expected);
        let frame = publisher.answer(queues(NAME));
        let ToClient::Reply(_, Reply::Queues { cursor: 0, queues }) = frame.decode::<Self>() else {
            panic!("expected a page of queues, got {}", Self::describe(&frame.0));
        };
        let oldest_ms = queues.first().map_or(0, |stats| stats.oldest_ms);
        let expected = QueueStats {
            queue: queue(NAME),
            ready: 1,
            leased: 0,
            delayed: 0,
            dead: 0,
            consumers: 0,
            oldest_ms,
        };
        assert_eq!(queues, [expected]);
    }
}
