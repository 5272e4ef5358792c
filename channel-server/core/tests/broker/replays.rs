//! Whatever is published, kept, dropped and read slowly: who follows a channel has each of its messages
//! once and in order, or is told exactly which are gone.

use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};
use workyard_channel_core::{Broker, BrokerLimits};
use workyard_engine::{Caller, Effect, Engine, Recorder, SessionId, Time, read};
use workyard_protocol::channel::{
    HistoryBounds, Interest, KeepHistory, Publish, Push, Reply, Request, Start, Subscribe,
    Subscription, Topic,
};
use workyard_protocol::{ChannelName, Pattern, ToClient, Ttl, ValueRef};

const CHANNELS: [&str; 3] = ["a", "b", "c.d"];
const EPOCH: u64 = 3;

#[derive(Clone, Debug)]
enum Step {
    Publish(usize, usize),
    Keep(&'static str, u64, u64, u64),
    /// A reader, its channel or pattern.
    Follow(u32),
    Leave(u32),
    Full(u32),
    Drained(u32),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let pattern = prop::sample::select(vec!["a", "*", ">", "c.*"]);
    prop_oneof![
        8 => (0..CHANNELS.len(), 0..40usize).prop_map(|(at, size)| Step::Publish(at, size)),
        1 => (pattern, 1..6u64, 1..200u64, 1..50u64)
            .prop_map(|(pattern, messages, bytes, age)| Step::Keep(pattern, messages, bytes, age)),
        2 => (0..6u32).prop_map(Step::Follow),
        1 => (0..6u32).prop_map(Step::Leave),
        1 => (0..6u32).prop_map(Step::Full),
        2 => (0..6u32).prop_map(Step::Drained),
        1 => (0..30u64).prop_map(Step::Wait),
    ]
}

/// One who follows a channel, always the same: readers 0 to 2 a channel each, 3 to 5 the same again.
#[derive(Default)]
struct Reader {
    is_there: bool,
    /// How often it has come, which is its session's generation.
    coming: u32,
    /// The number of the last message that it has, or knows to be gone.
    mark: Option<u64>,
    /// Its replay, while it is under way.
    replay: bool,
}

struct World {
    broker: Broker,
    outbox: Recorder,
    now: Time,
    readers: BTreeMap<u32, Reader>,
}

impl World {
    fn new() -> Self {
        let limits = BrokerLimits { history_bytes_max: 1500, ..BrokerLimits::default() };
        Self {
            broker: Broker::new(limits).in_epoch(EPOCH),
            outbox: Recorder::default(),
            now: Time::default(),
            readers: (0..6).map(|number| (number, Reader::default())).collect(),
        }
    }

    fn session(&self, number: u32) -> SessionId {
        SessionId::new(number, self.readers[&number].coming)
    }

    fn ask(&mut self, session: SessionId, request: Request<'_>) {
        let caller = Caller { session, request: 1 };
        self.broker.handle(self.now, caller, request, &mut self.outbox);
        self.settle();
    }

    fn step(&mut self, step: &Step) {
        let publisher = SessionId::new(50, 0);
        match step {
            Step::Publish(at, size) => {
                let name = CHANNELS[*at];
                let value = vec![b'x'; *size];
                let channel = ChannelName::new(name).unwrap();
                let value = ValueRef::raw(&value);
                self.ask(publisher, Request::Publish(Publish { channel, value }));
            }
            Step::Keep(pattern, messages_max, bytes_max, age) => {
                let age = Ttl::from_millis(*age).unwrap();
                let bounds =
                    HistoryBounds { messages_max: *messages_max, bytes_max: *bytes_max, age };
                let pattern = Pattern::new(*pattern).unwrap();
                self.ask(publisher, Request::KeepHistory(KeepHistory { pattern, bounds }));
            }
            Step::Follow(number) => self.follow(*number),
            Step::Leave(number) if self.readers[number].is_there => {
                let session = self.session(*number);
                self.outbox.full.remove(&session);
                self.broker.close(self.now, session, &mut self.outbox);
                let reader = self.readers.get_mut(number).unwrap();
                (reader.is_there, reader.replay, reader.coming) = (false, false, reader.coming + 1);
            }
            Step::Full(number) if self.readers[number].is_there => {
                self.outbox.full.insert(self.session(*number));
            }
            Step::Drained(number) if self.readers[number].is_there => self.drain(*number),
            Step::Leave(_) | Step::Full(_) | Step::Drained(_) => {}
            Step::Wait(millis) => {
                self.now = Time::from_millis(self.now.as_millis() + millis);
                self.settle();
            }
        }
    }

    fn follow(&mut self, number: u32) {
        let session = self.session(number);
        let reader = self.readers.get_mut(&number).unwrap();
        if std::mem::replace(&mut reader.is_there, true) {
            return;
        }
        reader.replay = true;
        let start = match reader.mark {
            None => Start::Last { replay: 1, count: 0 },
            Some(mark) => Start::Resume { replay: 1, epoch: EPOCH, mark },
        };
        let channel = ChannelName::new(CHANNELS[number as usize % CHANNELS.len()]).unwrap();
        let interest = Interest { topic: Topic::Channel(channel), group: None };
        let subscriptions = vec![Subscription { start, ..Subscription::live(interest) }];
        self.ask(session, Request::Subscribe(Subscribe { subscriptions }));
    }

    fn drain(&mut self, number: u32) {
        let session = self.session(number);
        if self.outbox.full.remove(&session) {
            self.broker.drained(self.now, session, &mut self.outbox);
            self.settle();
        }
    }

    /// Does what is due, and looks at everything that came of it.
    fn settle(&mut self) {
        while self.broker.next_deadline().is_some_and(|deadline| deadline <= self.now) {
            self.broker.expire(self.now, &mut self.outbox);
        }
        for effect in self.outbox.take() {
            match &effect {
                Effect::Push(to, frame) => self.see(*to, frame, true),
                Effect::Publish(to, frame) => {
                    to.iter().for_each(|session| self.see(*session, frame, false));
                }
                Effect::Reply(to, _, frame) => self.see(*to, frame, true),
                Effect::Refused(..) | Effect::Disconnected(..) => panic!("{effect:?}"),
            }
        }
    }

    fn see(&mut self, to: SessionId, frame: &[u8], is_own: bool) {
        let number = u32::try_from(to.slot()).unwrap();
        let Some(reader) = self.readers.get_mut(&number) else { return };
        let mine = CHANNELS[number as usize % CHANNELS.len()].as_bytes();
        match read::<Reply<'_>, Push<'_>>(frame) {
            ToClient::Reply(_, Reply::Subscribed { marks }) => {
                reader.mark.get_or_insert(marks[0]);
            }
            ToClient::Push(Push::Message { channel, sequence, .. }) => {
                assert!(!is_own && !reader.replay && channel.as_bytes() == mine);
                // The recorder has room for everything that is published.
                assert_eq!(sequence, reader.mark.unwrap() + 1, "live, reader {number}");
                reader.mark = Some(sequence);
            }
            ToClient::Push(Push::Replayed { replay: 1, channel, sequence, .. }) => {
                assert!(reader.replay && channel.as_bytes() == mine);
                assert_eq!(sequence, reader.mark.unwrap() + 1, "replayed, reader {number}");
                reader.mark = Some(sequence);
            }
            ToClient::Push(Push::Gap { channel, from, to, missed, replay: 1 }) => {
                assert!(reader.replay && channel.unwrap().as_bytes() == mine);
                assert_eq!((from, missed), (reader.mark.unwrap() + 1, to + 1 - from));
                reader.mark = Some(to);
            }
            ToClient::Push(Push::CaughtUp { replay: 1, mark }) => {
                assert_eq!((reader.replay, Some(mark)), (true, reader.mark));
                reader.replay = false;
            }
            other => panic!("reader {number} does not expect {other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_message_comes_once_and_in_order_or_is_told_to_be_gone(
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        // At the end everybody reads, and stands where the channel does.
        let numbers: Vec<u32> = world.readers.keys().copied().collect();
        for number in numbers {
            world.follow(number);
            world.drain(number);
        }
        let mut last: BTreeMap<usize, HashSet<u64>> = BTreeMap::new();
        for (number, reader) in &world.readers {
            prop_assert!(!reader.replay, "reader {} has not caught up", number);
            last.entry(*number as usize % CHANNELS.len()).or_default().insert(reader.mark.unwrap());
        }
        for marks in last.values() {
            prop_assert_eq!(marks.len(), 1, "all who follow a channel stand at the same number");
        }
        prop_assert_eq!(world.broker.census().replays, 0);
    }
}
