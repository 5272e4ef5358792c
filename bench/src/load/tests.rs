//! Whole runs against servers in this process: the limit server, a fake channel-server that can be
//! told to misbehave, and an imitation of Workerman's servers.

mod workerman;

use super::*;
use crate::figures::Figures;
use crate::limit_server::{self, Service};
use crate::peer::{Kind, Peer};
use crate::rows::{Pace, Via};
use anyhow::Result;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use workyard_protocol::channel::{ChannelWire, Delivery, Push, Reply, Request};
use workyard_protocol::control::Welcome;
use workyard_protocol::frame::{FrameDecoder, Split};
use workyard_protocol::{Delay, NO_REPLY, ToClient, ToServer, Wire};

const TIMING: Timing = Timing {
    warm_up: Duration::from_millis(10),
    duration: Duration::from_millis(100),
    verify: true,
};

fn peer(kind: Kind, addr: SocketAddr) -> Peer {
    let pid = std::process::id();
    Peer { kind, addr, pid, tool: None }
}

fn limit(service: Service) -> Peer {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = free.local_addr().unwrap();
    drop(free);
    thread::spawn(move || limit_server::serve(service, addr));
    while TcpStream::connect(addr).is_err() {
        thread::yield_now();
    }
    peer(Kind::Limit, addr)
}

fn spec(publishers: usize, subscribers: usize, pace: Pace) -> fanout::Spec {
    fanout::Spec {
        publishers,
        subscribers,
        payload_bytes: 64,
        pace,
        via: Via::Channel,
        timing: TIMING,
    }
}

#[test]
fn the_limit_server_delivers_everything_in_order() {
    let peer = limit(Service::Fanout);
    for (publishers, subscribers, pace) in [
        (1, 1, Pace::Saturated),
        (3, 5, Pace::Saturated),
        (2, 3, Pace::Alone),
        (1, 4, Pace::PerSecond(500.0)),
    ] {
        let figures = fanout::run(&peer, &spec(publishers, subscribers, pace)).unwrap();
        assert_eq!(figures.value("lost"), Some(0.0));
        assert_eq!(figures.value("out_of_order"), Some(0.0));
        assert!(figures.value("per_s").unwrap() > 100.0);
    }
}

fn asked(operation: Operation, depth: usize, pace: Pace) -> keys::Spec {
    keys::Spec { echo: None, operation, connections: 3, depth, keys: 100, pace, timing: TIMING }
}

#[test]
fn the_limit_server_echoes_every_request() {
    let peer = limit(Service::Echo);
    for operation in Operation::ALL {
        let figures = keys::run(&peer, &asked(operation, 4, Pace::Saturated)).unwrap();
        assert_eq!(figures.value("declined"), Some(0.0));
        assert!(figures.value("per_s").unwrap() > 100.0);
    }
}

#[test]
fn as_many_are_asked_as_are_due() {
    let peer = limit(Service::Echo);
    for operation in Operation::ALL {
        let figures = keys::run(&peer, &asked(operation, 1, Pace::PerSecond(1000.0))).unwrap();
        assert_eq!(figures.value("operations"), Some(100.0));
        assert!(figures.value("p50_us").unwrap() > 1.0);
    }
}

#[test]
fn the_healthy_get_everything_beside_the_stalled() {
    let peer = limit(Service::Fanout);
    let pace = Pace::PerSecond(1000.0);
    let spec = stalled::Spec { healthy: 3, stalled: 4, pace, flood_bytes: 100_000, timing: TIMING };
    let figures = stalled::run(&peer, &spec).unwrap();
    assert_eq!(figures.value("lost"), Some(0.0));
    assert!(figures.value("without_p99_us").unwrap() > 1.0);
    // It keeps everything for those who stall.
    assert_eq!(figures.value("stalled_missed_share"), Some(0.0));
}

#[test]
fn a_native_server_is_greeted_and_its_ping_answered() {
    let server = FakeServer::start(Fault::None);
    let figures = fanout::run(&server, &spec(2, 3, Pace::Saturated)).unwrap();
    assert_eq!(figures.value("lost"), Some(0.0));
    assert_eq!(figures.value("out_of_order"), Some(0.0));
    subscriptions(&server, 50, 5, true).unwrap();
    let spec = routed::Spec { subscriptions: 50, connections: 5, timing: TIMING };
    let figures = routed::run(&server, &spec).unwrap();
    assert_eq!(figures.value("lost"), Some(0.0));
    assert_eq!(figures.value("out_of_order"), Some(0.0));
    assert!(figures.value("per_s").unwrap() > 100.0);
}

#[test]
fn a_lost_message_is_counted() {
    let server = FakeServer::start(Fault::Drops);
    let figures = fanout::run(&server, &spec(1, 1, Pace::PerSecond(1000.0))).unwrap();
    assert!(figures.value("lost").unwrap() > 0.0);
    assert!(figures.value("out_of_order").unwrap() > 0.0);
    let spec = routed::Spec { subscriptions: 1, connections: 1, timing: TIMING };
    let figures = routed::run(&server, &spec).unwrap();
    assert!(figures.value("lost").unwrap() > 0.0);
}

#[test]
fn a_message_that_comes_twice_is_counted() {
    let server = FakeServer::start(Fault::Repeats);
    let figures = fanout::run(&server, &spec(1, 1, Pace::PerSecond(1000.0))).unwrap();
    assert!(figures.value("lost").unwrap() < 0.0);
    assert!(figures.value("out_of_order").unwrap() > 0.0);
}

#[test]
fn a_changed_message_is_an_error() {
    let server = FakeServer::start(Fault::Changes);
    fanout::run(&server, &spec(1, 1, Pace::Saturated)).unwrap_err();
}

fn jobs(fault: Fault) -> Result<Figures> {
    let spec = jobs::Spec { producers: 2, consumers: 3, payload_bytes: 64, timing: TIMING };
    jobs::run(&FakeServer::start(fault), &spec)
}

#[test]
fn every_job_is_acknowledged_once() {
    let figures = jobs(Fault::None).unwrap();
    assert_eq!(figures.value("lost"), Some(0.0));
    assert!(figures.value("per_s").unwrap() > 100.0);
}

#[test]
fn a_lost_job_is_counted_and_one_that_comes_twice_is_an_error() {
    assert!(jobs(Fault::Drops).unwrap().value("lost").unwrap() > 0.0);
    jobs(Fault::Repeats).unwrap_err();
    jobs(Fault::Changes).unwrap_err();
}

#[test]
fn jobs_that_nobody_takes_are_all_stored() {
    let stored = |fault| backlog(&FakeServer::start(fault), 1000, Duration::from_secs(5));
    assert!(stored(Fault::None).unwrap().value("per_s").unwrap() > 100.0);
    assert!(stored(Fault::Drops).is_err());
}

/// What a fake server does wrong with every tenth message.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Drops,
    Repeats,
    Changes,
}

/// A channel-server of a thread per connection.
struct FakeServer {
    fault: Fault,
    /// Channel names with the sockets of their subscribers.
    subscribers: Mutex<Vec<(Vec<u8>, TcpStream)>>,
}

type FromServer<'a> = ToClient<'a, Reply<'a>, Push<'a>>;

const PING: u64 = 70_000;

impl FakeServer {
    fn start(fault: Fault) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let server = Arc::new(Self { fault, subscribers: Mutex::default() });
        thread::spawn(move || {
            for stream in listener.incoming() {
                let server = Arc::clone(&server);
                thread::spawn(move || server.serve(stream.unwrap()));
            }
        });
        peer(Kind::Workyard, addr)
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut input = Vec::new();
        let mut buffer = vec![0; 65_536];
        let mut messages = 0;
        let mut ponged = false;
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            input.extend_from_slice(&buffer[..count]);
            let mut taken = 0;
            while let Split::Whole { body, used } =
                FrameDecoder::new(1 << 20).split(&input[taken..]).unwrap()
            {
                taken += used;
                type FromClient<'a> = ToServer<'a, <ChannelWire as Wire>::Request<'a>>;
                match FromClient::decode(body).unwrap() {
                    ToServer::Hello(_) => welcome(&mut stream),
                    ToServer::Pong(token) => ponged = token == PING,
                    ToServer::Request(id, request) => {
                        messages += 1;
                        // The hello is answered before anything is asked, the ping before long.
                        assert!(ponged || messages < 5000);
                        self.handle(id, &request, messages, &mut stream);
                    }
                    ToServer::Ping(_) => {}
                }
            }
            input.drain(..taken);
        }
    }

    fn handle(&self, id: u32, request: &Request<'_>, number: u64, stream: &mut TcpStream) {
        if matches!(request, Request::Enqueue(_)) && id == NO_REPLY {
            // Each connection has a thread of its own: the first consumer may be heard of later.
            while self.subscribers.lock().unwrap().is_empty() {
                thread::yield_now();
            }
        }
        let mut subscribers = self.subscribers.lock().unwrap();
        match request {
            Request::Subscribe(subscribe) => {
                let workyard_protocol::channel::Topic::Channel(name) =
                    subscribe.subscriptions[0].interest.topic
                else {
                    panic!("no channel");
                };
                subscribers.push((name.as_bytes().to_vec(), stream.try_clone().unwrap()));
                send(stream, &FromServer::Reply(id, Reply::Done));
            }
            Request::Publish(publish) => {
                assert_eq!(id, NO_REPLY);
                let push = FromServer::Push(Push::Message {
                    delivery: Delivery::Everybody,
                    channel: publish.channel,
                    sequence: number + 1,
                    position: 0,
                    value: publish.value,
                });
                let bytes = self.encode(&push, number);
                let wanted = publish.channel.as_bytes();
                for (_, subscriber) in subscribers.iter_mut().filter(|(name, _)| name == wanted) {
                    // Subscribers of runs before are gone.
                    let _ = subscriber.write_all(&bytes);
                }
            }
            Request::Consume(consume) => {
                subscribers.push((consume.queue.as_bytes().to_vec(), stream.try_clone().unwrap()));
                send(stream, &FromServer::Reply(id, Reply::Done));
            }
            Request::Enqueue(job) if id != NO_REPLY => {
                assert_eq!(job.delay, Delay::from_millis(5000).unwrap());
                // One that drops loses the job before the last.
                let job = number - u64::from(self.fault == Fault::Drops);
                send(stream, &FromServer::Reply(id, Reply::Enqueued { job, duplicate: false }));
            }
            Request::Enqueue(job) => {
                let push = FromServer::Push(Push::Job {
                    queue: job.queue,
                    job: number,
                    attempt: 1,
                    lease: 1000 * number,
                    lease_ms: 0,
                    value: job.value,
                });
                let bytes = self.encode(&push, number);
                let turn = number as usize % subscribers.len();
                let _ = subscribers[turn].1.write_all(&bytes);
            }
            Request::Ack(ack) => assert_eq!((id, ack.lease % 1000), (NO_REPLY, 0)),
            other => panic!("{other:?}"),
        }
    }

    fn encode(&self, push: &FromServer<'_>, number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        push.encode(&mut bytes);
        // Not the first: that one only tells that the subscribers hear.
        match self.fault {
            Fault::Drops if number % 10 == 9 => bytes.clear(),
            Fault::Repeats if number % 10 == 9 => bytes.extend_from_within(..),
            Fault::Changes if number % 10 == 9 => *bytes.last_mut().unwrap() ^= 1,
            _ => {}
        }
        bytes
    }
}

fn welcome(stream: &mut TcpStream) {
    let welcome = Welcome {
        version: 1,
        features: 0,
        server: "fake",
        epoch: 1,
        session: 1,
        heartbeat_ms: 1000,
        frame_bytes_max: 1 << 20,
    };
    send(stream, &FromServer::Welcome(welcome));
    send(stream, &FromServer::Ping(PING));
}

fn send(stream: &mut TcpStream, frame: &FromServer<'_>) {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    stream.write_all(&bytes).unwrap();
}
