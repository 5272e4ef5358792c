//! Headers encoded by another implementation of the same encoding are the same bytes.

use crate::random::{bytes, expiry, number, start, when_slow, wide};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use wincode::config::{self, Config, Configuration};
use wincode::{SchemaRead, SchemaWrite};
use workyard_protocol::channel::{self, Interest, Start, Subscribe, Subscription, Topic, WhenSlow};
use workyard_protocol::control::{Goodbye, Hello, ServiceKind};
use workyard_protocol::globaldata::{
    self, Expiry, GlobalDataWire, Increment, Keys, Watch, WatchTopic,
};
use workyard_protocol::{
    ChannelName, GroupName, Key, Message, Number, Reason, Refusal, ToClient, ToServer, Wire,
};

/// The protocol's `Number`, in the other implementation's words.
#[derive(SchemaWrite, SchemaRead)]
enum Other {
    Int(i64),
    Float(f64),
}

impl From<Number> for Other {
    fn from(number: Number) -> Self {
        match number {
            Number::Int(int) => Self::Int(int),
            Number::Float(float) => Self::Float(float),
        }
    }
}

/// The same of the protocol's `Expiry`.
#[derive(SchemaWrite, SchemaRead)]
enum OtherExpiry {
    Never,
    Keep,
    After(u64),
    AfterIfNew(u64),
}

impl From<Expiry> for OtherExpiry {
    fn from(expiry: Expiry) -> Self {
        match expiry {
            Expiry::Never => Self::Never,
            Expiry::Keep => Self::Keep,
            Expiry::After(ttl) => Self::After(ttl.as_millis()),
            Expiry::AfterIfNew(ttl) => Self::AfterIfNew(ttl.as_millis()),
        }
    }
}

/// The same of the protocol's `Start`.
#[derive(SchemaWrite, SchemaRead)]
enum OtherStart {
    Live,
    Last(u32, u64),
    Resume(u32, u64, u64),
}

impl From<Start> for OtherStart {
    fn from(start: Start) -> Self {
        match start {
            Start::Live => Self::Live,
            Start::Last { replay, count } => Self::Last(replay, count),
            Start::Resume { replay, epoch, mark } => Self::Resume(replay, epoch, mark),
        }
    }
}

/// The same of the protocol's `WhenSlow`.
#[derive(SchemaWrite, SchemaRead)]
enum OtherWhenSlow {
    DropNewest,
    Latest,
    DropOldest,
    Disconnect,
}

impl From<WhenSlow> for OtherWhenSlow {
    fn from(when_slow: WhenSlow) -> Self {
        match when_slow {
            WhenSlow::DropNewest => Self::DropNewest,
            WhenSlow::Latest => Self::Latest,
            WhenSlow::DropOldest => Self::DropOldest,
            WhenSlow::Disconnect => Self::Disconnect,
        }
    }
}

fn config() -> impl Config {
    Configuration::default().with_big_endian().with_varint_encoding()
}

type Down = ToClient<'static, globaldata::Reply<'static>, <GlobalDataWire as Wire>::Push<'static>>;

/// What stands behind the operation code.
fn behind_code(encode: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut frame = Vec::new();
    encode(&mut frame);
    frame.split_off(5)
}

/// What stands behind the request id.
fn header<'a>(request: &impl Message<'a>) -> Vec<u8> {
    let mut bytes = Vec::new();
    request.put(&mut bytes);
    bytes
}

fn credentials() -> impl Strategy<Value = Option<&'static [u8]>> {
    option::of(bytes())
}

proptest! {
    #[test]
    fn integers(token in wide()) {
        let ours = behind_code(|out| Down::Ping(token).encode(out));
        prop_assert_eq!(ours, config::serialize(&token, config()).unwrap());
    }

    #[test]
    fn texts_and_options(code in any::<u16>(), text in ".{0,300}", after in option::of(any::<u32>())) {
        let refusal = Refusal::new(Reason::from_code(code), text.clone());
        let goodbye = Goodbye { refusal, reconnect_after_ms: after };
        let ours = behind_code(|out| Down::Goodbye(goodbye).encode(out));
        let theirs = config::serialize(&(code, text.as_str(), after), config()).unwrap();
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn byte_strings_and_variants(features in wide(), client in "[a-zä]{0,9}", credentials in credentials()) {
        let hello = Hello {
            features,
            credentials,
            ..Hello::new(ServiceKind::GlobalData, &client)
        };
        type Up<'a> = ToServer<'a, globaldata::Request<'a>>;
        let ours = behind_code(|out| Up::Hello(hello).encode(out)).split_off(8);
        // The variant of the service is an integer like others: 1.
        let header = (1u16, 1u16, 1u32, features, client.as_str(), credentials);
        prop_assert_eq!(ours, config::serialize(&header, config()).unwrap());
    }

    #[test]
    fn tuples(prefix in bytes(), cursor in wide(), limit in any::<u32>()) {
        let ours = header(&globaldata::Request::Keys(Keys { prefix, cursor, limit }));
        prop_assert_eq!(ours, config::serialize(&(prefix, cursor, limit), config()).unwrap());
    }

    #[test]
    fn numbers(name in bytes(), by in number(), initial in option::of(number()), expiry in expiry()) {
        let key = Key::new(name).unwrap();
        let ours = header(&globaldata::Request::Increment(Increment { key, by, initial, expiry }));
        let theirs =
            (name, Other::from(by), initial.map(Other::from), OtherExpiry::from(expiry));
        prop_assert_eq!(ours, config::serialize(&theirs, config()).unwrap());
    }

    #[test]
    fn lists_of_variants(
        watch in any::<u32>(),
        names in vec((any::<bool>(), bytes()), 0..20),
        values in any::<bool>(),
        after in option::of(wide()),
    ) {
        let topic = |(is_prefix, name): &(bool, &'static [u8])| match (is_prefix, Key::new(*name).unwrap()) {
            (false, key) => WatchTopic::Key(key),
            (true, prefix) => WatchTopic::Prefix(prefix),
        };
        let topics = names.iter().map(topic).collect();
        let ours = header(&globaldata::Request::Watch(Watch { watch, topics, values, after }));
        let theirs: Vec<_> = names.iter().map(|(is_prefix, name)| (u8::from(*is_prefix), *name)).collect();
        prop_assert_eq!(ours, config::serialize(&(watch, theirs, values, after), config()).unwrap());
    }

    #[test]
    fn lists(names in vec((bytes(), option::of(bytes()), start(), when_slow()), 0..300)) {
        type Named = (&'static [u8], Option<&'static [u8]>, Start, WhenSlow);
        let subscription = |(name, group, start, when_slow): &Named| {
            let interest = Interest {
                topic: Topic::Channel(ChannelName::new(*name).unwrap()),
                group: group.map(|group| GroupName::new(group).unwrap()),
            };
            Subscription { interest, start: *start, when_slow: *when_slow }
        };
        let subscriptions = names.iter().map(subscription).collect();
        let ours = header(&channel::Request::Subscribe(Subscribe { subscriptions }));
        let theirs: Vec<_> = names
            .iter()
            .map(|(name, group, start, when_slow)| {
                (0u8, *name, *group, OtherStart::from(*start), OtherWhenSlow::from(*when_slow))
            })
            .collect();
        prop_assert_eq!(ours, config::serialize(&theirs, config()).unwrap());
    }
}
