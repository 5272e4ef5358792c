//! The paths of globaldata-server.

use crate::driver::{Bytes, Driver};
use crate::{Path, Step};
use std::num::NonZeroU32;
use workyard_globaldata_core::{Store, StoreLimits};
use workyard_protocol::globaldata::{
    Expect, Expiry, Get, GlobalDataWire, Increment, Lock, LockReply, Reply, Request, Unlock, Watch,
    WatchTopic, Write, Written,
};
use workyard_protocol::{Key, LockName, Number, ToClient, Ttl, ValueRef, Wire};

const VALUE: [u8; 64] = [b'v'; 64];
const KEYS: u32 = 1000;

pub(crate) const PATHS: &[Path] = &[
    Path { name: "get", prepare: || each(|key| Request::Get(Get { key })) },
    Path { name: "set", prepare: || each(|key| write(key, Expect::Any, ValueRef::raw(&VALUE))) },
    Path { name: "increment", prepare: increment },
    Path { name: "cas", prepare: cas },
    Path { name: "set/watched", prepare: watched },
    Path { name: "lock-and-unlock", prepare: lock },
];

/// A store of a thousand variables.
fn store() -> Driver<Store> {
    let mut driver = Driver::new(Store::new(StoreLimits::default()));
    for number in 0..KEYS {
        driver.ask(0, write(key(&name(number)), Expect::Any, ValueRef::raw(&VALUE)));
    }
    driver
}

/// The same asked of one variable after the other.
fn each(request: fn(Key<'_>) -> Request<'_>) -> Step {
    each_of(store(), request)
}

fn each_of(mut driver: Driver<Store>, request: fn(Key<'_>) -> Request<'_>) -> Step {
    let names = (0..KEYS).map(name);
    let frames: Vec<_> = names.map(|name| Bytes::of(1, request(key(&name)))).collect();
    let mut turn = 0;
    Box::new(move || {
        turn = (turn + 1) % frames.len();
        driver.walk(0, &frames[turn]);
    })
}

fn increment() -> Step {
    let mut driver = store();
    for number in 0..KEYS {
        driver.ask(0, write(key(&name(number)), Expect::Any, ValueRef::Int(0)));
    }
    each_of(driver, |key| {
        let by = Number::Int(1);
        Request::Increment(Increment { key, by, initial: None, expiry: Expiry::Keep })
    })
}

/// By revision, which each answer tells for the next time.
fn cas() -> Step {
    let mut driver = store();
    let name = name(1);
    driver.ask(0, write(key(&name), Expect::Any, ValueRef::raw(&VALUE)));
    Box::new(move || {
        let Reply::Written(Written::Stored { revision }) = answer(&driver.said().last) else {
            panic!("it is stored")
        };
        let expect = Expect::Revision(revision);
        driver.walk_new(0, 1, write(key(&name), expect, ValueRef::raw(&VALUE)));
    })
}

/// With one other session that is told.
fn watched() -> Step {
    let mut driver = store();
    let topics = vec![WatchTopic::Prefix(key("key:"))];
    driver.ask(1, Request::Watch(Watch { watch: 1, topics, values: true, after: None }));
    each_of(driver, |key| write(key, Expect::Any, ValueRef::raw(&VALUE)))
}

fn lock() -> Step {
    let mut driver = store();
    let name = LockName::new("bench").expect("short");
    let ttl = Ttl::from_millis(60_000).expect("a minute");
    let lock = Lock { name, permits: NonZeroU32::MIN, ttl, wait: false };
    let lock = Bytes::of(1, Request::Lock(lock));
    Box::new(move || {
        driver.walk(0, &lock);
        let Reply::Lock(LockReply::Locked { token }) = answer(&driver.said().last) else {
            panic!("nobody else has it")
        };
        driver.walk_new(0, 2, Request::Unlock(Unlock { name, token }));
    })
}

fn answer(frame: &[u8]) -> Reply<'_> {
    type Said<'a> = ToClient<'a, Reply<'a>, <GlobalDataWire as Wire>::Push<'a>>;
    match Said::decode(frame) {
        Ok(ToClient::Reply(_, reply)) => reply,
        other => panic!("it is an answer, but {other:?}"),
    }
}

fn write<'a>(key: Key<'a>, expect: Expect<'a>, value: ValueRef<'a>) -> Request<'a> {
    Request::Write(Write { key, expect, expiry: Expiry::Never, value })
}

fn name(number: u32) -> String {
    format!("key:{number:010}")
}

fn key(name: &str) -> Key<'_> {
    Key::new(name).expect("short")
}
